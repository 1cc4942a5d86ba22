"""A readout that chooses: it reads once a trial, chooses one channel, and learns from the reward of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from izhires.building.parts import Monitor, Pathway, Reaction, Update
from izhires.declare import chosen, parameter
from izhires.errors import ConfigurationError
from izhires.readouts.base import MOMENTS, RecordedVariable
from izhires.readouts.trial import Trial
from izhires.rules.base import Rule

if TYPE_CHECKING:
    from izhires.building.draft import Draft
    from izhires.recordings.recording import Results

CHANNELS = """
learning = chosen*learn(t)*int(block(t) < learning_blocks - 0.5) : 1
channel : integer (constant)
learning_blocks : 1 (shared, constant)
q : 1
power : Hz**2
utility = q + temperature*{gumbel}(t, i) : 1
beaten : 1
chosen = int(beaten < 0.5) : 1
reward : 1
at_reward = int(abs(elapsed(t) - window - reward_delay) < dt/2) : 1
outcome = reward : 1
error = outcome - q : 1
"""

COMPARED = "beaten_post += int(utility_pre > utility_post or (utility_pre == utility_post and i < j))"
"""How many channels have a larger utility; of equal ones the first is chosen."""

PAID = "reward = chosen*payoff(t, i)"


class Choice(Trial):
    r"""Values of the events, one of which is chosen when the window closes; the reward of this one teaches its channel.

    Channel k reads q_k = sum_i w_ki x_i at the end of the window, and the event with the largest
    u_k = q_k + temperature*g_k is chosen, with g_k from the standard Gumbel distribution, drawn anew for each trial and
    channel. So event k is chosen with the probability exp(q_k/temperature)/sum_j exp(q_j/temperature) (softmax), and
    with temperature 0 that of the largest value, the first of equal ones (argmax). The reward is what the task's table
    of payoffs holds for this event in this trial. It comes `reward_delay` of the task later, and the rule then knows it
    as the ``outcome`` of the chosen channel; ``learning`` of all others is 0. The rule reads x as it is by then: the
    state as it is declared by default holds x until the next window closes.

    A neuromodulator hears the reward by ``sums = {paid = {of = "choice", summand = "at_reward*reward"}}``, and the
    error of its prediction by ``at_reward*chosen*error``.

    All is a function of the seed: payoffs from its stream ``trials``, g from ``exploration``.
    """

    type: Literal["choice"] = "choice"  # type: ignore[assignment]
    learns: ClassVar[tuple[str, str]] = ("rewarded", "abs(elapsed(t) - window - reward_delay) < dt/2")
    cleared: ClassVar[str] = f"{Trial.cleared}\nbeaten = 0"

    rule: chosen(Rule, "two_factor") = parameter("two_factor", "learning rule")  # type: ignore[valid-type]
    temperature: float = parameter(
        0.2, "how much chance enters the choice, in units of reward; 0: the largest value is chosen", symbol="T", ge=0
    )

    source: ClassVar[str] = (
        "values and softmax: Daw et al. (2006), doi 10.1038/nature04766; "
        "Gumbel numbers for a softmax: Luce (1959), Individual Choice Behavior; Yellott (1977), "
        "doi 10.1016/0022-2496(77)90026-8"
    )

    usual_name: ClassVar[str] = "choice"

    def recorded(self, name: str) -> tuple[str, ...]:  # noqa: D102
        own = "" if name == self.usual_name else f"_{name}"
        return f"trial_choice{own}", f"trial_choice_reward{own}", f"trial_choice_value{own}", f"{name}_weights"

    def output(self, results: Results, name: str) -> None:  # noqa: D102
        return None

    def parts(self, draft: Draft, name: str) -> None:  # noqa: D102
        experiment, k = draft.experiment, draft.channels
        if experiment.payoffs is None:
            problem = "the task pays for no choices, as 'choice' does: its experiment has no payoffs"
            raise ConfigurationError(problem, name)
        draft.add_of_trials("payoff", experiment.payoffs.fillna(0.0).to_numpy())
        gumbel = draft.seeds.generator("exploration", name).gumbel(size=(len(experiment.trials), k))
        draft.add_of_trials(f"{name}_gumbel", gumbel)
        shared = {
            "window": ("second", experiment.window),
            "reward_delay": ("second", experiment.reward_delay),
            "temperature": ("1", self.temperature),
        }
        lines, numbers = self.channel_numbers(draft, self.rule, shared)
        equations = f"{MOMENTS}{CHANNELS.format(gumbel=f'{name}_gumbel')}\n{lines}"
        self.add_channels(draft, name, k, equations, {**numbers, "beaten": np.ones(k)})
        compared = Reaction(COMPARED, "post", "choices compared", "window_end")
        draft.add(Pathway(f"{name}_compared", name, name, "", "all by target", reactions={"compare": compared}))
        draft.add(Update(f"{name}_paid", name, PAID, "choices made", event="window_end"))
        draft.add(Monitor(f"{name}_made", name, ("chosen", "reward"), every=draft.snapshot, after=True))

    def variables(self, results: Results, name: str) -> dict[str, RecordedVariable]:  # noqa: D102
        choice, paid_for, value, weights = self.recorded(name)
        chosen, reward = (results.at_window_ends(f"{name}_made.{each}") for each in ("chosen", "reward"))
        made = np.isfinite(chosen).all(axis=1)  # not in trials after a run that was stopped
        names = np.where(made, np.array(results.experiment.events, object)[np.nan_to_num(chosen).argmax(axis=1)], "")
        paid = np.where((results.trials["kind"] == "train").to_numpy(), reward.sum(axis=1), np.nan)
        common = super().variables(results, name)
        return {
            choice: RecordedVariable(("trial",), names.astype(str), "", "event that the readout chose"),
            paid_for: RecordedVariable(
                ("trial",), paid, "1", "reward of what was chosen; NaN in a trial that is inserted"
            ),
            value: RecordedVariable(
                ("trial", "event"),
                common[f"trial_{name}"].values,
                "1",
                "value of each event when the readout chose, before learning from the trial",
            ),
            weights: common[weights],
        }
