"""A third readout beside "when" and "what": two online rules read and learn from the same cells in the same trials.

The further one feeds nothing back, so that it changes nothing of what the others learn. Prints the largest timing
prediction of both at the last probe.
"""

from izhires import Configuration, simulate

SLOW = {"type": "online", "rule": {"type": "three_factor", "rate": "5e-6 1/ms"}, "feedback": "0 mV/ms"}

if __name__ == "__main__":
    recording = simulate(Configuration(readouts={"slow": SLOW}), seed=100)
    for name in ("when", "slow"):
        peak = recording[name].isel(probe=-1).max("time")
        print(f"{name}: A {float(peak.sel(event='A')):.3f}, B {float(peak.sel(event='B')):.3f}")
