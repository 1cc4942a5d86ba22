"""Template of a condition: ``izhires run meet --import condition.py --condition my_condition --out results/my``."""

from izhires.model.conditions import condition

condition("my_condition", "half the cue", {"reservoir.cue_strength": "10 mV/ms"})
