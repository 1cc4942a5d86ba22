"""Learning rules of the readouts. One rule a file.

Online, every readout step ("when"):
    ``three_factor``, ``normalised_three_factor``, ``eligibility_three_factor``, ``consolidated_three_factor``,
    ``node_perturbation``, ``force``
At the end of each trial ("what", "confidence"):
    ``two_factor``, ``surprise_two_factor``, ``counting``
"""
