"""Names that a user's own components knew in earlier versions: refused in one line that says the present one."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import pytest
import small

from izhires.declare import parameter
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate
from izhires.predictions.merged import Merged
from izhires.rules.base import EARLIER_NAMES, Rule


def own(base, **attributes):
    return type(base)("Own", (base,), {"__module__": __name__, "__annotations__": {}, "__doc__": "Mine.", **attributes})


@pytest.mark.parametrize(
    ("base", "attributes", "message"),
    [
        (Rule, {"channel_update": "step = taught*error"}, "Own.channel_update: 'taught' is now 'has_target'"),
        (Rule, {"weight_update": "w *= 1 - closes_post"}, "Own.weight_update: 'closes' is now 'at_window_end'"),
        (Rule, {"pooled": {"loss": "error**2"}}, "Own: 'pooled' is now 'channel_sums'"),
        (Rule, {"channel_sums": {"n": "relevant"}}, "Own.channel_sums: 'relevant' is now 'target_trial'"),
        (Gate, {"expression": "learning*relevant"}, "Own.expression: 'relevant' is now 'target_trial'"),
        (Merged, {"relevant": "1"}, "Own: 'relevant' is now 'target_trial'"),
    ],
)
def test_a_class_with_an_earlier_name(base, attributes, message):
    with pytest.raises(ConfigurationError, match=f"^{re.escape(message)}$"):
        own(base, **attributes)


def test_an_annotated_attribute_is_no_exception():
    with pytest.raises(ConfigurationError, match=r"^Own: 'pooled' is now 'channel_sums'$"):

        class Own(Rule):
            pooled: ClassVar[dict[str, str]] = {"loss": "error**2"}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"when__fed_back": "feedback_gain*z*taught"}, "when.fed_back"),
        (
            {"neuromodulators": {"dopamine": {"sums": {"heard": {"of": "when", "summand": "taught*z"}}}}},
            "neuromodulators.dopamine.sums.heard.summand",
        ),
    ],
)
def test_a_text_of_a_configuration_with_an_earlier_name(changes, place):
    with pytest.raises(ConfigurationError, match=f"{re.escape(place)}: 'taught' is now 'has_target'$"):
        small.configuration(**changes)


def test_what_a_class_calls_so_itself_is_its_own():
    class WithOwnNames(Rule):
        """A rule whose variable and parameter have names that were once the package's."""

        type: Literal["with_own_names"] = "with_own_names"
        relevant: float = parameter(1.0, "a parameter", gt=0)

        schedule: ClassVar[Literal["step", "trial"]] = "step"
        equations: ClassVar[str] = "taught : 1\nstep : 1"
        channel_update: ClassVar[str] = "taught = relevant*gate\nstep = taught*error"
        weight_update: ClassVar[str] = "w += step_post*s_pre"
        source: ClassVar[str] = "all that closes a pooled list, and is relevant"

    assert WithOwnNames().relevant == 1


def test_no_present_name_is_an_earlier_one():
    assert not EARLIER_NAMES.keys() & set(EARLIER_NAMES.values())
