"""Readouts: what is read of the cells, when, and how that is learned. One readout a file.

``online``
    read every readout step from the standardised state s, learned online, and fed back.
``trial``
    read once a trial, at the end of the window, from the mean state x, and learned there.
``confidence``
    read once a trial, one channel for and one against each event, which count.
"""
