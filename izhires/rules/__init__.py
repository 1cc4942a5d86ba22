"""Learning rules of the readouts. One rule a file.

Online, every readout step ("when"):
    ``three_factor``, ``normalised_three_factor``
At the end of each trial ("what"):
    ``two_factor``, ``surprise_two_factor``
"""
