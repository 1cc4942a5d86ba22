import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from izhires.analysis.metrics.stream import streams
from izhires.errors import ConfigurationError, ParadigmError
from izhires.paradigms import Oddball, SerialOrder
from izhires.paradigms.oddball import stripped
from izhires.recordings.recording import load


def made(paradigm, seed=1, variant=None):
    return paradigm.experiment(np.random.default_rng(seed), paradigm.variants()[0] if variant is None else variant)


def onsets(experiment):
    return np.rint(experiment.inputs["onset"].to_numpy() * 1e3).astype(int)


SHORT = {"blocks": [{"trials": 40}], "warm_up": 2}


@pytest.mark.parametrize("paradigm", [Oddball(**SHORT), Oddball(**SHORT, jitter="150 ms"), SerialOrder(jitter="90 ms")])
def test_every_trial_is_a_stimulus_that_is_heard_when_it_should_be_predicted(paradigm):
    experiment = made(paradigm)
    trials, inputs = experiment.trials, experiment.inputs
    heard = dict(zip(onsets(experiment).tolist(), inputs["channel"], strict=True))
    lead = round(trials["latency"].dropna().unique().item() * 1e3)
    assert lead == round(paradigm.asynchrony - paradigm.jitter) - 2
    assert experiment.window == pytest.approx((lead + 1) / 1e3)
    times = np.rint(trials["cue"].to_numpy() * 1e3).astype(int) + lead
    before = inputs["channel"].iloc[0]
    for time, row in zip(times.tolist(), trials.itertuples(), strict=True):
        assert row.cue_name == before
        if row.kind == "probe":
            assert time not in heard and row.event == "" and not row.learn
        elif row.kind == "train":
            assert heard[time] == row.event
        before = heard.get(time, before)
    # nothing else is heard, and nothing in a window but what was heard before its last millisecond
    assert len(heard) == (trials["kind"] != "probe").sum() + 1
    cues = times - lead
    for time in heard:
        inside = (cues < time) & (time <= cues + lead)
        assert not inside.any() or time - cues[inside].item() == lead
    # what comes after a silence is not learned from, all else is
    after = np.flatnonzero(trials["kind"] == "probe") + 1
    assert (trials["kind"].iloc[after[after < len(trials)]] == "warm-up").all()
    assert (trials["kind"] == "warm-up").sum() == paradigm.warm_up + (after < len(trials)).sum()
    assert trials["learn"].equals(trials["kind"] == "train")


def test_what_the_network_hears_is_the_inputs_alone():
    experiment = made(Oddball(**SHORT))
    signals = experiment.signals(0.001)
    assert set(experiment.channels) == set("ABCDE")
    heard = sum(signals[f"input_{k}"] for k in range(5))
    assert heard.sum() == 50 * len(experiment.inputs)
    at = signals["at_event"] == 1
    assert at.sum() == (experiment.trials["event"] != "").sum()
    # at an event its pulse begins
    assert (heard[at] == 1).all() and (heard[np.flatnonzero(at) - 1] == 0).all()
    np.testing.assert_array_equal(
        np.flatnonzero(signals["window_end"])[:5], np.rint(experiment.trials["cue"][:5] * 1e3) + 499
    )


def test_variants_have_the_same_channels_and_equally_rare_stimuli():
    paradigm = Oddball(blocks=[{"trials": 3000}], omission_every=0)
    assert paradigm.variants() == ("oddball", "many_standards", "cascade")
    found = {name: made(paradigm, 3, name) for name in paradigm.variants()}
    assert {each.channels for each in found.values()} == {tuple("ABCDE")}
    deviants = (found["oddball"].trials["event"] == "B").sum()
    assert abs(deviants - 600) < binom.isf(1e-6, 3000, 0.2) - 600
    many = found["many_standards"].trials["event"].value_counts()
    assert abs(many["B"] - 600) < binom.isf(1e-6, 3000, 0.2) - 600
    cascade = found["cascade"].trials
    cascade = cascade[cascade["kind"] == "train"]
    assert cascade["event"].value_counts().tolist() == [600] * 5
    following = dict(zip("ABCDE", "BCDEA", strict=True))
    assert (cascade["event"] == cascade["cue_name"].map(following)).all()
    assert (found["cascade"].outcomes["probability"] == 1).all()
    for name in ("oddball", "many_standards"):
        totals = found[name].outcomes.groupby("cue_name")["probability"].sum()
        np.testing.assert_allclose(totals, 1)


def test_jittered_onsets_fill_their_range():
    waits = np.diff(onsets(made(Oddball(blocks=[{"trials": 2000}], jitter="20 ms", omission_every=0))))
    assert sorted(set(waits.tolist())) == list(range(480, 521))
    assert set(np.diff(onsets(made(Oddball(**SHORT, omission_every=0)))).tolist()) == {500}


def test_omissions_come_after_so_many_trials_of_a_block():
    block = {"trials": 25, "transitions": {"A": {"A": 0.5, "B": 0.5}, "B": {"A": 1.0}}}
    trials = made(SerialOrder(blocks=[block, block], omission_every=10, warm_up=3)).trials
    learned = trials["learn"].cumsum().to_numpy()
    probes = trials["kind"] == "probe"
    # 25 stimuli, of which two (or three, where a silence ends the block before) follow a silence
    assert learned[probes].tolist() == [10, 20, 33, 43]
    assert not (made(SerialOrder(omission_every=0)).trials["kind"] == "probe").any()


def test_transitions_are_drawn_as_they_are_declared():
    rows = {"A": {"B": 1.0}, "B": {"A": 0.25, "C": 0.75}, "C": {"A": 0.5, "B": 0.5}}
    experiment = made(SerialOrder(blocks=[{"trials": 4000, "transitions": rows}], omission_every=0))
    trials = experiment.trials[experiment.trials["kind"] == "train"]
    for before, row in rows.items():
        mine = trials[trials["cue_name"] == before]["event"]
        for name in "ABC":
            n, p = len(mine), row.get(name, 0.0)
            assert binom.ppf(1e-7, n, p) <= (mine == name).sum() <= binom.isf(1e-7, n, p)
    told = experiment.outcomes.set_index(["cue_name", "event"])["probability"].to_dict()
    assert told == {(before, name): p for before, row in rows.items() for name, p in row.items()}


def test_equal_generators_give_equal_experiments_and_blocks_switch():
    assert made(SerialOrder(), 5) == made(SerialOrder(), 5)
    assert made(SerialOrder(), 5) != made(SerialOrder(), 6)
    trials = made(SerialOrder()).trials
    trials = trials[trials["kind"] == "train"]
    same = (trials["event"] == trials["cue_name"]).groupby(trials["block"]).mean()
    assert same[0] < 0.35 and same[1] > 0.65


@pytest.mark.parametrize(
    ("paradigm", "changes", "says"),
    [
        (Oddball, {"blocks": [{"probability": {"A": 0.8, "B": 0.1}}]}, "probability: must sum to 1, the sum is 0.9"),
        (Oddball, {"blocks": [{"probability": {"A": 0.8, "Z": 0.2}}]}, "'Z' is no stimulus"),
        (Oddball, {"blocks": [{"probability": {"A": 0.9, "B": 0.1}}]}, "are 10 equally frequent stimuli; there are 5"),
        (Oddball, {"blocks": [{"probability": {"A": 0.7, "B": 0.3}}]}, "controls: as rare as the rarest"),
        (Oddball, {"stimuli": ["A", "B", "B"]}, "'B' is there twice"),
        (Oddball, {"standard": ["A"]}, "names rows of event files"),
        (Oddball, {"jitter": "499 ms"}, "do not fit between two onsets, which are as little as 1 ms apart"),
        (Oddball, {"lead": "499 ms"}, "lead: 499 ms before and 1 ms after a stimulus"),
        (Oddball, {"stimulus_duration": "500 ms"}, "outlast the 500 ms to the next stimulus"),
        (Oddball, {"asynchrony": "500.5 ms"}, "must be whole milliseconds"),
        (SerialOrder, {"blocks": []}, "needs at least one block"),
        (SerialOrder, {"blocks": [{"transitions": {"A": {"A": 0.5, "B": 0.5}}}]}, "transitions.A.B: has no row of its"),
        (SerialOrder, {"blocks": [{"transitions": {"A": {"A": 0.5}}}]}, "transitions.A: must sum to 1, the sum is 0.5"),
        (
            SerialOrder,
            {"blocks": [{"transitions": {"A": {"A": 1.0}}}, {"transitions": {"B": {"B": 1.0}}}]},
            "has no row for 'A', which the block before has",
        ),
    ],
)  # fmt: skip
def test_contradictions_are_told_in_one_line(paradigm, changes, says):
    with pytest.raises(ConfigurationError) as caught:
        paradigm(**changes)
    assert says in str(caught.value)


@pytest.mark.parametrize("block", [{"trials": 10**14}, {"trials": 10**14, "transitions": {"A": {"A": 1.0}}}])
def test_more_than_memory_holds_is_refused_before_it_is_drawn(block):
    kind = SerialOrder if "transitions" in block else Oddball
    with pytest.raises(ParadigmError, match="of memory"):
        made(kind(blocks=[block]))


# event files, in the form of a public P300 data set: a code of each stimulus in `value`, what is presented to nobody
# as `ignore`, button presses as rows of their own, response times in milliseconds

HEADER = "onset\tduration\tsample\ttrial_type\tresponse_time\tstim_file\tvalue"


def p300(path, *, trials=60, seed=0, period=1.0, times="n/a", more=()):
    """Write a stream of standards (70 %), oddballs and noises (15 % each) a second apart."""
    rng = np.random.default_rng(seed)
    rows, at = [(0.2, "STATUS", "n/a", "ignore")], 2.0
    for name in rng.choice(["standard", "oddball", "noise"], trials, p=[0.7, 0.15, 0.15]):
        answered = name == "oddball" and rng.random() < 0.8
        rows.append((at, "stimulus", times if answered else "n/a", f"{name}_with_reponse" if answered else name))
        if answered:
            rows.append((at + 0.4, "response", "n/a", "response"))
        at += period + round(0.001 * rng.integers(-4, 5), 3)
    rows += more
    lines = [
        f"{onset:.3f}\tn/a\t{round(onset * 256)}\t{kind}\t{time}\tn/a\t{value}" for onset, kind, time, value in rows
    ]
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return str(path)


def of_files(*files, **changes):
    given = {"events_files": files, "standard": ["standard"], "deviant": ["oddball*"], "other": ["noise*"]}
    return Oddball(**{**given, **changes})


def test_a_p300_stream_from_a_file(tmp_path):
    path = p300(tmp_path / "run_events.tsv")
    experiment = made(of_files(path, warm_up=3))
    table = pd.read_csv(path, sep="\t")
    table = table[table["trial_type"] == "stimulus"]
    names = [value.split("_")[0] for value in table["value"]]
    assert experiment.events == experiment.cues == ("standard", "oddball", "noise")
    assert experiment.inputs["channel"].tolist() == names
    heard = experiment.trials[experiment.trials["kind"] != "probe"]
    assert heard["cue_name"].tolist() == names[:-1]
    came = [name if kind == "train" else "" for name, kind in zip(names[1:], heard["kind"], strict=True)]
    assert heard["event"].tolist() == came
    waits = np.rint(np.diff(table["onset"]) * 1e3).astype(int)
    assert experiment.window == pytest.approx((waits.min() - 1) / 1e3)
    # without omissions the onsets are those of the file
    plain = made(of_files(path, omission_every=0))
    np.testing.assert_array_equal(np.diff(onsets(plain)), waits)
    # the truth is how often each came after each
    pairs = pd.DataFrame({"before": names[:-1], "event": names[1:]})
    counted = pd.crosstab(pairs["before"], pairs["event"], normalize="index")
    for row in plain.outcomes.itertuples():
        assert row.probability == pytest.approx(counted.loc[row.cue_name, row.event])


def test_response_times_follow_the_rules_of_cued_reaction(tmp_path):
    path = p300(tmp_path / "sub-1_events.tsv", times="397")
    with pytest.raises(
        ParadigmError, match=r"response_time '397' is 397 s, longer than longest_response.*sub-1_events"
    ):
        made(of_files(path))
    (tmp_path / "sub-1_events.json").write_text('{"response_time": {"Units": "ms"}}')
    trials = made(of_files(path)).trials
    assert trials["response_time"].dropna().unique().tolist() == [0.397]
    (tmp_path / "sub-1_events.json").unlink()
    assert "response_time" not in made(of_files(path, response_time_column=None)).trials
    zero = p300(tmp_path / "zero_events.tsv", times="0")
    assert "response_time of 0 or less, read as none (and " in made(of_files(zero)).notes[0]


def test_breaks_and_runs_are_not_learned_over(tmp_path):
    late = [(90.0, "stimulus", "n/a", "standard"), (91.0, "stimulus", "n/a", "noise")]
    one = p300(tmp_path / "run-1_events.tsv", trials=30, more=late)
    two = p300(tmp_path / "run-2_events.tsv", trials=30, seed=1)
    experiment = made(of_files(one, two, omission_every=0, warm_up=0))
    trials = experiment.trials
    assert np.flatnonzero(trials["kind"] == "warm-up").tolist() == [29, 31]
    assert (
        "run-1_events.tsv, line" in experiment.notes[0] and "a break; heard and not learned from" in experiment.notes[0]
    )
    assert len(trials) == 61


def test_files_of_several_participants_are_variants(tmp_path):
    files = [p300(tmp_path / f"sub-{k}_task-P300_events.tsv", seed=k) for k in (1, 2)]
    paradigm = of_files(*files)
    assert paradigm.variants() == ("sub-1", "sub-2")
    assert made(paradigm, variant="sub-2").trials["event"].tolist() == made(of_files(files[1])).trials["event"].tolist()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"deviant": ["odball*"]}, "the stimulus 'odball*' does not occur"),
        ({"column": "trial_kind"}, "column trial_kind missing; it has onset, duration, sample"),
        ({"standard": []}, "needs the name of at least one standard"),
        ({"other": ["oddball_*"]}, "'oddball' is named twice among standard, deviant and other"),
        ({"other": ["noise*", "*_with_reponse"]}, "fits 'oddball*' and '*_with_reponse'"),
        ({"jitter": "10 ms"}, "jitter: cannot be given beside event files"),
        ({"response_time_column": "rt"}, "column rt missing"),
        ({"lead": "998 ms"}, "do not fit between two onsets"),
        ({"standard": ["*"]}, "'*' names nothing"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_one_line(tmp_path, changes, says):
    path = p300(tmp_path / "run_events.tsv")
    with pytest.raises((ConfigurationError, ParadigmError)) as caught:
        made(of_files(path, **changes))
    assert says in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_stimuli_that_share_an_onset_or_come_too_soon(tmp_path):
    same = p300(tmp_path / "same_events.tsv", more=[(2.0, "stimulus", "n/a", "noise")])
    with pytest.raises(ParadigmError, match="has the onset of another stimulus, on line 3"):
        made(of_files(same))
    soon = p300(tmp_path / "soon_events.tsv", more=[(2.3, "stimulus", "n/a", "noise")])
    with pytest.raises(ParadigmError, match=r"comes 300 ms after the stimulus before, half the median of.* or --lead "):
        made(of_files(soon))
    assert made(of_files(soon, lead="200 ms")).window == pytest.approx(0.201)


def test_a_lead_is_held_against_the_files_own_gaps(tmp_path):
    slow = p300(tmp_path / "slow_events.tsv", period=1.5)
    assert made(of_files(slow, lead="1400 ms")).window == pytest.approx(1.401)
    waits = [row.onset for row in pd.read_csv(slow, sep="\t").query("trial_type == 'stimulus'").itertuples()]
    shortest = round(np.diff(waits).min() * 1e3)
    said = rf"as little as {shortest} ms apart \(.*slow_events\.tsv, line \d+\)"
    with pytest.raises(ConfigurationError, match=said):
        made(of_files(slow, lead="1600 ms"))
    with pytest.raises(ConfigurationError, match=rf"outlast the {shortest} ms .*slow_events\.tsv, line"):
        made(of_files(slow, stimulus_duration="1600 ms"))


def test_names_of_patterns():
    assert [stripped(each) for each in ("oddball*", "noise_*", "stim-?", "tone")] == [
        "oddball",
        "noise",
        "stim",
        "tone",
    ]


def test_a_real_file_whose_cues_make_a_stream():
    data = os.environ.get("IZHIRES_DATA")
    if not data:
        pytest.skip("set IZHIRES_DATA to a folder that holds ds003690")
    path = next(iter(sorted(Path(data).glob("ds003690/sub-*/eeg/*_run-1_events.tsv"))))
    experiment = made(Oddball(events_files=[path], column="trial_type", standard=["go"], deviant=["no-go"]))
    assert experiment.events == ("go", "no-go")
    assert experiment.trials["learn"].sum() > 20


TINY = {"reservoir.n": 100, "reservoir.groups": 8, "reservoir.random_degree": 6, "reservoir.inhibitory_degree": 5,
        "reservoir.inhibition_degree": 10}  # fmt: skip


@pytest.mark.slow
def test_the_command_line_reads_an_event_file(tmp_path, command_line):
    path = p300(tmp_path / "run_events.tsv", trials=15, period=0.12)
    names = [option for name, value in (("standard", "standard"), ("deviant", "oddball*"), ("other", "noise*"))
             for option in (f"--{name}", value)]  # fmt: skip
    chosen = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    arguments = ["--events", path, "--column", "value", *names, "--omission-every", "4", "--out", tmp_path / "out"]
    code, said = command_line(
        "run", "oddball", *arguments, *chosen, "--set", "paradigm.warm_up=1", "--device", "numpy",
        "--response-time-column", "none",
    )  # fmt: skip
    assert code == 0, said.err
    found = load(tmp_path / "out" / "oddball_seed0.nc")
    assert found["event"].values.tolist() == ["standard", "oddball", "noise"]
    assert found["input_channel"].values.tolist() == [name.split("_")[0] for name in pd.read_csv(path, sep="\t")
                                                      .query("trial_type == 'stimulus'")["value"]]  # fmt: skip
    assert (found["trial_kind"].values == "probe").sum() == 2
    assert streams([found])[0].roles == {"standard": ("standard",), "deviant": ("oddball",)}
    code, said = command_line("run", "oddball", *[each if each != "oddball*" else "odball*" for each in arguments])
    assert code == 2
    assert said.err.startswith(f"izhires: {path}: the stimulus 'odball*' does not occur")
