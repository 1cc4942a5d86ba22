"""What a learning rule is: three short Brian2 texts and a table of its symbols.

A rule belongs to one of two schedules, and reads names that the build provides to every readout channel k:

===================  ======================================================================================
``"step"``           every readout step, inside the window after the cue
``z``                timing prediction of the channel, sum of w*s over the cells
``target``           bump at the event's latency, 1 at its peak; 0 in trials without this event
``error``            ``target - z``
``gate``             third factor, from the gate
``learning``         1 in trials that teach, else 0
``occurs``           1 inside the window of a trial that holds this event, else 0
``at_event``         1 at the step of the event, else 0
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

A rule ends its ``channel_update`` by setting ``step``, the learning step of the channel. Online, the weights of a
channel whose step is 0 are not touched at all, which saves most of the time.
Every parameter of the rule is known by its name in ``equations`` and ``channel_update``, and with ``_post`` behind it
in ``weight_update``.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from izhires.declare import Component


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
    source : str
        Citation.
    """

    family: ClassVar[str] = "rule"
    package: ClassVar[str] = "izhires.rules"

    schedule: ClassVar[Literal["step", "trial"]]
    equations: ClassVar[str] = "step : 1"
    initial: ClassVar[dict[str, str | float]] = {}
    channel_update: ClassVar[str]
    weight_update: ClassVar[str]
    source: ClassVar[str]
