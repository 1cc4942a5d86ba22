"""The paper's claims and this project's, each with the experiment that could refute it. One subject a file.

| file | what is claimed |
|---|---|
| `learning` | the error falls, amplitudes follow probability, peaks follow latency |
| `switches` | recalibration after switches, and which readout it needs |
| `weights` | where the weights go, and the subspaces of both readouts |
| `rules` | other learning rules and readouts |
| `gates` | the third factor: its presence, its width, its kinetics |
| `reservoir` | recurrence, heterogeneity, feedback, noise, size |
| `cues` | several cues: whether "what" reads from the state which cue it was |
"""

from izhires.analysis.claims.base import Claim, Criterion, Runs, Verdict, all_claims, claim, judge

__all__ = ["Claim", "Criterion", "Runs", "Verdict", "all_claims", "claim", "judge"]
