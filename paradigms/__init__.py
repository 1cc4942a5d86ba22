"""Tasks, one a file: each is a declaration that makes an experiment, the table of trials that a network receives."""

from izhires.paradigms.base import FixedTrials, Paradigm  # what every task declares; trials of one length
from izhires.paradigms.choice import Choice  # a bandit with several arms: what is chosen decides what it pays
from izhires.paradigms.cued_reaction import CuedReaction  # a participant's cued reaction task, from BIDS event files
from izhires.paradigms.experiment import Experiment, expectation, frequencies  # trials, their signals and statistics
from izhires.paradigms.foreperiod import Foreperiod  # one target after a wait that is drawn from a distribution
from izhires.paradigms.interval_reproduction import IntervalReproduction  # ready, set, go with a prior over intervals
from izhires.paradigms.meet import Block, Meet  # the Multi-Event Expectation Task: blocks, switches, probes
from izhires.paradigms.meet_levels import MeetLevels  # the same at 11 probabilities, a network each
from izhires.paradigms.oddball import Oddball  # standards and deviants in a stream, with controls, or from event files
from izhires.paradigms.serial_order import SerialOrder  # a stream by a transition matrix that switches
from izhires.paradigms.stream import Stream  # stimuli that follow each other without a cue
from izhires.paradigms.table import Table  # a trial table of one's own, from a CSV file
from izhires.paradigms.trace_conditioning import TraceConditioning  # a stimulus, a gap, a reward with some probability

__all__ = [
    "Block", "Choice", "CuedReaction", "Experiment", "FixedTrials", "Foreperiod", "IntervalReproduction", "Meet",
    "MeetLevels", "Oddball", "Paradigm", "SerialOrder", "Stream", "Table", "TraceConditioning", "expectation",
    "frequencies",
]  # fmt: skip
