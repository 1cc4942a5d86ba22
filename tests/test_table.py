"""A user's own trial table: the same experiment as the task that wrote it, and clear complaints."""

import numpy as np
import pytest

from izhires.errors import ParadigmError
from izhires.paradigms.meet import Meet
from izhires.paradigms.table import Table


@pytest.fixture
def meet():
    block = {"trials": 6, "latency": {"A": "300 ms", "B": "600 ms"}, "probability": {"A": 0.5, "B": 0.5}}
    return Meet(blocks=[block], order="exact").experiment(np.random.default_rng(1))


def read(path, **options):
    return Table(file=str(path), **options).experiment(np.random.default_rng(0))


def test_a_written_table_gives_the_same_trials_and_signals(meet, tmp_path):
    meet.trials.to_csv(tmp_path / "trials.csv", index=False)
    mine = read(tmp_path / "trials.csv", events=("A", "B"))
    assert mine.trials.equals(meet.trials)
    for name, values in meet.signals().items():
        assert np.array_equal(mine.signals()[name], values), name


def test_the_expectation_is_what_occurred(meet, tmp_path):
    meet.trials.to_csv(tmp_path / "trials.csv", index=False)
    found = read(tmp_path / "trials.csv").outcomes.set_index("event")["probability"]
    assert found["A"] == found["B"] == 0.5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("onset,duration\n0,1\n", "column cue and event and latency missing; it has onset, duration"),
        ("onset,duration,cue,event,latency\n0,1.5,0.2,A,1.4\n", r", line 2, latency: 1.4 s lies outside the window"),
        ("onset,duration,cue,event,latency\n0,1.5,0.2,A,0.3\n1,1.5,1.2,A,0.3\n", r", line 3, onset: 1 s overlaps"),
        ("", "is empty"),
    ],
)
def test_bad_tables_are_named_with_their_place(text, problem, tmp_path):
    path = tmp_path / "trials.csv"
    path.write_text(text)
    with pytest.raises(ParadigmError, match=problem) as error:
        read(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ParadigmError, match=r"nowhere.csv: there is no such file"):
        read(tmp_path / "nowhere.csv")
