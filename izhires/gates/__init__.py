"""Gates: the third factor of online learning. One gate a file.

``event_window``
    open in the latency window of the trial's event, weaker elsewhere.
``open``
    no gate: always open in the window.
``phasic``, ``dopamine``, ``acetylcholine``
    a neuromodulator with finite kinetics, released at the event.
``consolidation``
    a phase of its own after the event, for rules with an eligibility trace.
``level``
    the level of a neuromodulator of the model, by its name.
"""
