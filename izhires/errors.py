"""What can go wrong, as one small family: every message says what was wrong, where, and what would be valid."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong.

    Parameters
    ----------
    place : str
        Where it stands, as the user wrote it: ``paradigm.blocks[1].events.A.probability``, a file, a line.
    problem : str
        What is wrong, with the value that was given.
    choices : tuple of str
        The valid choices, when they can be listed.
    """

    place: str
    problem: str
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.place}: {self.problem}" if self.place else self.problem
        if self.choices:
            text += f" (valid: {', '.join(self.choices)})"
        return text

    def within(self, outer: str) -> Complaint:
        """Return the same complaint, with its place seen from one level further out."""
        if not self.place:
            return Complaint(outer, self.problem, self.choices)
        joint = "" if self.place.startswith("[") or not outer else "."
        return Complaint(f"{outer}{joint}{self.place}", self.problem, self.choices)


class IzhiresError(Exception):
    """Base of every error this package raises on purpose.

    Parameters
    ----------
    problem : str or iterable of Complaint
        What is wrong.
    place : str
        Where it is wrong.
    choices : iterable of str
        What would be valid.
    """

    exit_code = 1

    def __init__(self, problem: str | Iterable[Complaint], place: str = "", choices: Iterable[str] = ()) -> None:
        if isinstance(problem, str):
            self.complaints: tuple[Complaint, ...] = (Complaint(place, problem, tuple(choices)),)
        else:
            self.complaints = tuple(complaint.within(place) for complaint in problem)
        super().__init__("\n".join(str(complaint) for complaint in self.complaints))


class ConfigurationError(IzhiresError, ValueError):
    """A declaration, configuration file or argument holds a value that cannot be."""

    exit_code = 2


class ParadigmError(IzhiresError, ValueError):
    """A trial table or event file contradicts itself."""

    exit_code = 2


class ToolchainError(IzhiresError, RuntimeError):
    """A compiler or tool is missing, or it failed."""

    exit_code = 3


class SimulationError(IzhiresError, RuntimeError):
    """The network ran away, fell silent, or its program stopped before the end."""

    exit_code = 4


class LostError(SimulationError):
    """A run ended for a reason outside it: its process was killed, or its results could not be written."""


class RecordingError(IzhiresError, RuntimeError):
    """A recording cannot be read or written."""

    exit_code = 5


def shown(value: object, longest: int = 120) -> str:
    """Return a value as a message shows it: a number of numpy as the plain number it is, and nothing at length."""
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        value = item()
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deeply, or a number of more digits than Python prints
        text = f"a {type(value).__name__} that is too long to show"
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


class SlowerWarning(UserWarning):
    """Something works, several times slower than it could."""


class GrowthWarning(UserWarning):
    """What a user should know of the development of a network: that it takes place now, or that it came to nothing."""


def closest(wrong: str, valid: Iterable[str]) -> str:
    """Return ``", did you mean 'x'?"`` when one of the valid names is near, else an empty string."""
    near = difflib.get_close_matches(wrong, list(valid), n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def check_ascends(given: tuple[float, float], place: str, positive: bool = False) -> None:
    """Refuse a range whose ends are in the wrong order, or not above 0 where they must be.

    Raises
    ------
    ConfigurationError
    """
    low, high = given
    if not low <= high or (positive and not low > 0):
        raise ConfigurationError(f"the range must {'be positive and ' if positive else ''}ascend", place)


def check_known(given: str, known: Collection[str], what: str, place: str) -> None:
    """Refuse a name that nothing has.

    Raises
    ------
    ConfigurationError
        With the names there are.
    """
    if given not in known:
        raise ConfigurationError(f"there is no {what} {given!r}{closest(given, known)}", place, known)
