"""Neuromodulators: third factors as levels of a substance. One a file.

``release``
    kinetics and release of one's own, as numbers and an expression.
``dopamine``, ``acetylcholine``, ``noradrenaline``, ``serotonin``
    released at rewards, or by an expression of one's own, with kinetics of the order of what was measured.
``reward_prediction_error``
    dopamine that a temporal-difference error of a readout releases.
``surprise``
    noradrenaline that wrong predictions of a readout release.
``spikes``
    what the spikes of a population release.
"""
