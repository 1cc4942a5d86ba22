"""What a learning rule is: three short Brian2 texts and a table of its symbols.

A rule belongs to one of two schedules, and reads names that the build provides to every readout channel k:

===================  ======================================================================================
``"step"``           every readout step, inside the window after the cue
``z``                timing prediction of the channel, sum of w*s over the cells
``target``           bump at the event's latency, 1 at its peak; 0 in trials without this event
``error``            ``target - z`` inside the window after the cue, else 0
``gate``             third factor, from the gate
``learning``         1 in trials that teach, else 0
``in_window``        1 inside the window after the cue, else 0
``at_window_end``    1 at the first step after the window, else 0
``occurs``           1 inside the window of a trial that holds this event, else 0
``target_trial``     1 in trials that give this channel a target to learn, see `izhires.predictions`
``has_target``       1 inside the window of such a trial: ``target_trial*in_window``
``outcome``          1 in trials that hold this event, else 0
``at_event``         1 at the step of the trial's event, whichever it is, else 0; times ``occurs`` for the channel's own
``exploration``      a standard normal number of this channel and step, from the stream ``exploration`` of the seed
``power``            ``|s|**2``, summed over the cells
``mean_power``       running mean of ``power``
``s_pre``            standardised spike trace of a cell (in ``weight_update``)
===================  ======================================================================================

===================  ======================================================================================
``"trial"``          once, when the window of a trial closes
``q``                identity prediction of the channel, sum of w*x over the cells
``outcome``          1 if the trial held this event, else 0
``error``            ``outcome - q``
``learning``         1 in trials that teach, else 0
``power``            ``|x|**2``, summed over the cells (Hz**2)
``x_pre``            mean spike trace of a cell over the window, Hz (in ``weight_update``)
===================  ======================================================================================

What a rule needs beyond its channels it declares, and the build provides no more than that: sums over the channels of
a network (``channel_sums``), variables of the whole population, variables of single weights, and the inverse of the
correlations of the states (``inverse``).

A rule ends its ``channel_update`` by setting ``step``, the learning step of the channel. Online, the weights of a
channel whose step is 0 are not touched at all, which saves most of the time.
No parameter or variable of a rule may have a name of its table, nor ``channel``, ``since_event``, ``window``,
``learning_blocks``, online ``event_width``, ``fed_back``, ``feedback_at_test``, ``feedback_gain``, ``feedback_limit``,
``largest_prediction``; nor, as in gates and plasticity, a name of Brian2 (``t``, ``dt``, ``i``, ``N``, ``exp``,
``floor``, ``clip`` ...), ``w``, or one that ends in ``_pre`` or ``_post``.

Every parameter of the rule is known by its name in ``equations`` and ``channel_update``, and with ``_post`` behind it
in ``weight_update``.
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from izhires.declare import Component
from izhires.errors import ConfigurationError
from izhires.model.variables import read, refuse_taken

_BOTH = "channel error in_window learning learning_blocks outcome power since_event window"
TAKEN = {
    "step": f"{_BOTH} at_event at_window_end event_width exploration fed_back feedback_at_test feedback_gain "
    "feedback_limit gate has_target largest_prediction mean_power occurs target target_trial z".split(),
    "trial": f"{_BOTH} q".split(),
}
"""Names that the channels have: no parameter or variable of a rule may be called so."""

EARLIER_NAMES = {
    "relevant": "target_trial",
    "taught": "has_target",
    "closes": "at_window_end",
    "pooled": "channel_sums",
}
"""What names that rules, gates and predictions read or declare were called in earlier versions."""


class Rule(Component):
    """A learning rule, declared apart from the readout that uses it. See the module for the names it may read.

    Attributes
    ----------
    schedule : "step" or "trial"
        When the rule runs.
    equations : str
        Brian2 equations of the rule's own variables, one set a channel; ``step`` must be among them.
    initial : dict
        Values of those variables at the start; a name of a parameter, or a number. 0 where not given.
    channel_update : str
        Brian2 statements on the channel, ending in ``step = ...``.
    weight_update : str
        Brian2 statement on each weight ``w`` of a channel whose ``step`` is not 0.
    weight_equations : str
        Brian2 equations of variables that each weight has besides ``w``.
    active : str
        When ``weight_update`` runs for a channel.
    channel_sums : dict of str to str
        Sums over the channels of a network: name, and the Brian2 expression that each channel adds. Known to the
        channels and to ``population_update``.
    population_equations, population_update : str
        Variables of the whole network, and the statements that renew them, before the channels are updated; both may
        read ``learn(t)``, ``event(t)``, ``block(t)``, ``elapsed(t)`` and these sums.
    inverse : bool
        Whether the rule needs ``gain``, the product of the inverse correlation of the states with s (of each cell, so
        ``gain_pre`` in ``weight_update``), and ``projected``, the product of both (of the network); see
        `izhires.readouts.online.INVERSE`. The rule's population then has ``weight``, ``resetting`` and ``penalty``.
    consolidates : bool
        Whether a rule that runs every step changes the weights once a trial only.
    source : str
        Citation.
    """

    family: ClassVar[str] = "rule"
    package: ClassVar[str] = "izhires.rules"
    earlier_texts: ClassVar[dict[str, str]] = EARLIER_NAMES

    schedule: ClassVar[Literal["step", "trial"]]
    equations: ClassVar[str] = "step : 1"
    initial: ClassVar[dict[str, str | float]] = {}
    channel_update: ClassVar[str]
    weight_update: ClassVar[str]
    weight_equations: ClassVar[str] = ""
    active: ClassVar[str] = "step != 0"
    channel_sums: ClassVar[dict[str, str]] = {}
    population_equations: ClassVar[str] = ""
    population_update: ClassVar[str] = ""
    inverse: ClassVar[bool] = False
    consolidates: ClassVar[bool] = False
    source: ClassVar[str] = ""

    @classmethod
    def check_texts(cls) -> None:
        """Refuse a rule that reads its step and never sets it: nothing would be learned."""
        super().check_texts()
        refuse_taken(cls, *TAKEN[cls.schedule])
        step = read(cls.equations).get("step")
        reads = re.search(r"\bstep(_post)?\b", f"{cls.active}\n{cls.weight_update}")
        sets = (step and step.reckoned) or re.search(r"\bstep\s*([-+*/]|\*\*|//)?=(?!=)", cls.channel_update)
        if reads and not sets:
            problem = "never sets 'step', so that no weight would change"
            raise ConfigurationError(problem, f"{cls.__name__}.channel_update")

    def factors(self) -> dict[str, str]:
        """Return the neuromodulators that the texts read the levels of: the name there, and that of the level."""
        return {}
