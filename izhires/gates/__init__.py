"""Gates: the third factor of online learning. One gate a file.

``event_window``
    open in the latency window of the trial's event, weaker elsewhere.
"""
