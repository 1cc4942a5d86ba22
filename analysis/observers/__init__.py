"""Observers to hold a network against: each sees the same trials and says before each what it expects (see `base`).

| file | what it expects |
|---|---|
| `zero` | nothing: the bound without learning |
| `change_point` | an exact Bayesian observer, told of the switches or not |
| `hgf` | the hierarchical Gaussian filter, where pyhgf is installed |
| `ridge` | a readout of the network's own states, fitted anew on all trials seen, or on those since the last switch |
"""

from izhires.analysis.observers.base import Expected, ObservedTask, Observer, all_observers, observe, observer

__all__ = ["Expected", "ObservedTask", "Observer", "all_observers", "observe", "observer"]
