"""How readouts make a prediction. One prediction a file.

``factorised``
    what x when: the timing readout learns the time of an event that occurs, the identity readout its probability.
``merged``
    one readout learns both at once, online.
``joint``
    one readout of (event, time), learned once a trial.
"""
