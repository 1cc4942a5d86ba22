"""A user's own trial table: the same experiment as the task that wrote it, and clear complaints."""

import csv
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from izhires.errors import IzhiresError, ParadigmError
from izhires.paradigms.meet import Meet
from izhires.paradigms.table import Table, read_trials
from izhires.paradigms.text_table import as_name


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


HEADER = "onset,duration,cue,event,latency"


def write(path, rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_names_hold_any_character_but_line_breaks(tmp_path):
    names = ["$x_1$", "50 % off", "a\\b{c}", "None", "null", "nan", "n/a", "NA", "-"]
    rows = [f"{2 * k},2,{2 * k + 0.2},{name} ,0.4" for k, name in enumerate(names)]
    assert read(write(tmp_path / "trials.csv", rows)).events == tuple(names)
    assert read(tmp_path / "trials.csv", events=[f" {name}" for name in names]).events == tuple(names)


@pytest.mark.parametrize("learn", [("True", "False"), ("1", "0"), ("yes", "no"), ("TRUE", "FALSE"), ("1.0", "0.0")])
def test_learn_is_read_as_it_is_written(learn, tmp_path):
    rows = [f"{2 * k},2,{2 * k + 0.2},A,0.4,{text}" for k, text in enumerate(learn)]
    assert read(write(tmp_path / "trials.csv", rows, HEADER + ",learn")).trials["learn"].tolist() == [True, False]


def test_no_time_becomes_zero(tmp_path):
    path = write(tmp_path / "trials.csv", ["0,2,0.2,A,0.0001234567"])
    with pytest.raises(ParadigmError) as caught:
        read(path)
    assert str(caught.value) == f"{path}, line 2, latency: 0.000123457 s is below the grid of 1 ms"


def test_response_times_are_looked_at(tmp_path):
    rows = [f"{2 * k},2,{2 * k + 0.2},A,0.4,{time}" for k, time in enumerate(("0.3", "", "0", "-1", "0.4"))]
    path = write(tmp_path / "trials.csv", rows, HEADER + ",response_time")
    found = read(path)
    assert found.trials["response_time"].dropna().tolist() == [0.3, 0.4]
    assert found.notes == (f"{path}, line 4: response_time of 0 or less, read as none (and 1 more)",)
    assert "  response times: 2 in 5 trials with events, 0.3 to 0.4 s, median 0.35 s" in found.describe()
    good = write(tmp_path / "good.csv", ["0,1.5,0.2,A,0.3,0.3", "2,1.5,2.2,B,0.6,"], HEADER + ",response_time")
    found = read(good)
    assert (found.trials["response_time"].dropna().tolist(), found.notes) == ([0.3], ())


def test_response_times_that_are_all_there_need_no_word(tmp_path):
    rows = [f"{2 * k},2,{2 * k + 0.2},A,0.4,0.{k + 2}" for k in range(4)]
    found = read(write(tmp_path / "trials.csv", rows, HEADER + ",response_time"))
    assert found.trials["response_time"].tolist() == [0.2, 0.3, 0.4, 0.5]
    assert found.notes == ()


def test_other_columns_stay_and_are_text(tmp_path):
    path = write(tmp_path / "trials.csv", ["0,2,0.2,A,0.4,x", "2,2,2.2,A,0.4,5"], HEADER + ",note")
    assert read(path).trials["note"].tolist() == ["x", "5"]


def test_probes_are_inserted_when_asked(tmp_path):
    header = HEADER + ",block"
    rows = [f"{3 * k},2.5,{3 * k + 0.2 + 0.1 * (k == 1)},A,0.4,{k // 3}" for k in range(6)]
    path = write(tmp_path / "trials.csv", rows, header)
    assert not (read(path).trials["kind"] == "probe").any()
    found = read(path, probe_every=2)
    trials = found.trials
    # before the first, after every second of a block, and after the last of each
    assert "".join(trials["kind"].str[0]) == "pttptpttptp"
    assert trials["block"].tolist() == [0] * 6 + [1] * 5
    probes, training = trials[trials["kind"] == "probe"], trials[trials["kind"] == "train"].reset_index(drop=True)
    assert not probes["learn"].any() and probes["latency"].isna().all() and (probes["event"] == "").all()
    np.testing.assert_allclose(probes["duration"], 2.5)
    np.testing.assert_allclose(probes["cue"] - probes["onset"], 0.2)
    plain = read(path).trials
    np.testing.assert_allclose(training["cue"] - training["onset"], plain["cue"] - plain["onset"])
    assert found.outcomes.equals(read(path).outcomes)
    # what was silent between two trials is so still, where no probe stands between them
    np.testing.assert_allclose(training["onset"][1] - training["onset"][0], 3)
    np.testing.assert_allclose(found.duration, read(path).duration + 5 * 2.5)


def test_probes_in_the_file_and_inserted_ones_exclude_each_other(tmp_path):
    path = write(tmp_path / "trials.csv", ["0,2,0.2,A,0.4,train", "2,2,2.2,,,probe"], HEADER + ",kind")
    with pytest.raises(ParadigmError, match=r", line 3: is a probe, and probe_every inserts others"):
        read(path, probe_every=1)


@pytest.mark.parametrize("given", [None, 5, "", b"trials.csv", ["trials.csv"]])
def test_what_is_no_path(given):
    with pytest.raises(IzhiresError) as caught:
        read_trials(given)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(IzhiresError):
        Table(file=given).experiment(np.random.default_rng(0))


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=8),
            st.integers(0, 1000),
            st.sampled_from(["train", "probe"]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(",;\t"),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_table_comes_back(tmp_path, drawn, encoding, newline, separator):
    rows = []
    for k, (name, latency, kind) in enumerate(drawn):
        event = as_name(name) if kind == "train" else ""
        rows.append((3 * k, 2.5, 3 * k + 0.2, event, latency / 1e3 if event else "", kind))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=newline)
    writer.writerows([(*HEADER.split(","), "kind"), *rows])
    path = tmp_path / "trials.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    found = read_trials(path)
    assert found["event"].tolist() == [row[3] for row in rows]
    assert [None if each != each else each for each in found["latency"]] == [row[4] if row[3] else None for row in rows]
    assert found["cue"].tolist() == [row[2] for row in rows]
    assert found["kind"].tolist() == [row[5] for row in rows]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ParadigmError, match=r"nowhere.csv: there is no such file"):
        read(tmp_path / "nowhere.csv")
