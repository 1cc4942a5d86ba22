# ruff: noqa: E501 (messages as they are said)

import re

import numpy as np
import pytest
from small import configuration as small
from terminal import izhires

from izhires.circuits.base import Reservoir
from izhires.errors import ConfigurationError
from izhires.gates.base import Gate
from izhires.model.conditions import all_conditions, apply
from izhires.model.configuration import Configuration, parse_seeds, read
from izhires.paradigms import CuedReaction
from izhires.paradigms.base import Paradigm
from izhires.plasticity.stdp import Stdp
from izhires.rules.base import Rule

REQUIRED = {
    "cued_reaction": {"events_files": ["a.tsv", "b.tsv"], "cue": "cue", "events": ["go", "no-go"]},
    "table": {"file": "trials.csv"},
}
BLOCK = (
    'paradigm.blocks = [{{trials = 4, latency = {{A = "300 ms", B = "{late}"}}, probability = {{A = {a}, B = {b}}}}}]'
)


@pytest.fixture
def command(command_line):
    """The command line in this process: returns the exit code and the lines it said on stderr."""

    def run(*arguments):
        code, said = command_line(*arguments)
        return code, said.err.splitlines()

    return run


def every_alternative():
    for name in Paradigm.alternatives():
        yield Configuration.parse({"paradigm": {"type": name, **REQUIRED.get(name, {})}})
    for name in Reservoir.alternatives():
        yield Configuration.parse({"reservoir": name})
    for name, rule in Rule.alternatives().items():
        yield Configuration.parse({"when" if rule.schedule == "step" else "what": {"rule": name}})
    for name in Gate.alternatives():
        yield Configuration.parse({"when": {"gate": name}, "neuromodulators": {"dopamine": "dopamine"}})
    for name in all_conditions():
        yield apply(Configuration(), [name])
    yield small(paradigm__blocks=[{"trials": 4, "latency": {"ä b": "60 ms"}, "probability": {"ä b": 1.0}}])
    yield Configuration.parse(
        {"reservoir": {"type": "random", "n": 200, "tau_slow": "0.1 s", "reset": "v = c\nu += d"}}
    )
    yield Configuration.parse({"seeds": {"topology": 3}, "keep": {"spikes": "none"}})


def test_a_component_comes_before_its_parameters():
    for order in (slice(None), slice(None, None, -1)):
        found = read(settings=["reservoir.n=300", "reservoir=random"][order])
        assert (found.reservoir.type, found.reservoir.n) == ("random", 300)


@pytest.mark.parametrize(
    "made", list(every_alternative()), ids=lambda made: f"{made.paradigm.type}-{made.reservoir.type}"
)
def test_toml_and_back(made, tmp_path):
    path = tmp_path / "it.toml"
    path.write_text(made.to_toml(), encoding="utf-8")
    again = read(path)
    assert again == made
    assert again.to_toml() == made.to_toml()
    assert type(again.paradigm) is type(made.paradigm)
    assert type(again.reservoir) is type(made.reservoir)


def test_a_none_comes_back_where_the_default_is_another_value(tmp_path):
    made = Configuration.parse({"reservoir": {"type": "random", "adaptation": None}})
    assert read(None, ["reservoir.type=random", "reservoir.adaptation=none"]) == made
    assert made.reservoir.adaptation is None
    path = tmp_path / "it.toml"
    path.write_text(made.to_toml(), encoding="utf-8")
    assert read(path) == made


def test_what_a_file_leaves_out_keeps_its_default(tmp_path):
    path = tmp_path / "it.toml"
    path.write_text("reservoir.n = 500\n")
    assert read(path) == Configuration().with_changes(reservoir={"n": 500})


def test_settings_win_over_the_file_and_arguments(tmp_path):
    path = tmp_path / "it.toml"
    path.write_text('[reservoir]\nn = 500\nnoise = "0.1 mV/sqrt(ms)"\n[paradigm]\nwarm_up = 3\nwindow = "1000 ms"\n')
    found = read(path, ["reservoir.n=400", 'paradigm.window="900 ms"'], {"type": "meet", "warm_up": 2})
    assert (found.reservoir.n, found.reservoir.noise) == (400, 0.1)
    assert (found.paradigm.warm_up, found.paradigm.window) == (2, 900.0)


def test_a_file_for_another_paradigm_says_nothing_about_this_one(tmp_path):
    path = tmp_path / "it.toml"
    path.write_text('reservoir.n = 500\n[paradigm]\ntype = "meet"\nblocks = []\n')
    found = read(path, (), {"type": "meet_levels"})
    assert (found.paradigm.type, found.reservoir.n) == ("meet_levels", 500)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("reservoir.n=300", lambda c: c.reservoir.n == 300),
        (" reservoir.n = 300 ", lambda c: c.reservoir.n == 300),
        ('reservoir.noise="0.3 mV/sqrt(ms)"', lambda c: c.reservoir.noise == 0.3),
        ("reservoir.noise=0.3 mV/sqrt(ms)", lambda c: c.reservoir.noise == 0.3),
        ("reservoir=random", lambda c: c.reservoir.type == "random"),
        ("reservoir.type=random", lambda c: c.reservoir.type == "random"),
        (
            "reservoir.composition={RS = 0.8, FS = 0.2}",
            lambda c: c.reservoir.cell.composition == {"RS": 0.8, "FS": 0.2},
        ),
        ("paradigm.probes=[1, 2]", lambda c: c.paradigm.probes == (1, 2)),
        ("paradigm.probe_before_learning=false", lambda c: c.paradigm.probe_before_learning is False),
        ("when.gate.closed_outside=true", lambda c: c.when.gate.closed_outside is True),
        ("reservoir.threshold=v >= 20*mV", lambda c: c.reservoir.cell.threshold == "v >= 20*mV"),
        ("seeds.topology=4", lambda c: c.seeds.topology == 4),
    ],
)
def test_settings(setting, value):
    assert value(read(None, [setting]))


def test_a_setting_below_a_component_that_is_named_by_its_type_alone(tmp_path):
    path = tmp_path / "it.toml"
    path.write_text('reservoir = "random"\n')
    found = read(path, ["reservoir.out_degree=7"])
    assert (found.reservoir.type, found.reservoir.out_degree) == ("random", 7)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("7", [7]),
        ("0", [0]),
        ("1,4,9", [1, 4, 9]),
        ("9, 1", [9, 1]),
        ("100:105", [100, 101, 102, 103, 104]),
        ("1:3,7", [1, 2, 7]),
    ],
)
def test_seeds(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "--seeds: 'a' is not a seed (valid: 7, 1,4,9, 100:105)"),
        ("1.5", "--seeds: '1.5' is not a seed (valid: 7, 1,4,9, 100:105)"),
        ("1:", "--seeds: '1:' is not a seed (valid: 7, 1,4,9, 100:105)"),
        ("1:2:3", "--seeds: '1:2:3' is not a seed (valid: 7, 1,4,9, 100:105)"),
        ("", "--seeds: '' is not a seed (valid: 7, 1,4,9, 100:105)"),
        ("5:5", "--seeds: '5:5' names no seed (valid: 7, 1,4,9, 100:105)"),
        ("-1", "--seeds: a seed cannot be negative, got -1"),
        ("1,2,1", "--seeds: '1,2,1' names a seed twice"),
    ],
)
def test_seeds_that_cannot_be(text, message):
    with pytest.raises(ConfigurationError) as caught:
        parse_seeds(text)
    assert str(caught.value) == message


def test_too_many_seeds_are_refused_before_they_are_listed():
    for text in ("0:100000000", "0:999999999999999999999", "5,1:1000001"):
        with pytest.raises(
            ConfigurationError, match=r"--seeds: '.*' names [\d,]+ seeds, more than the 1,000,000 runs of one command"
        ):
            parse_seeds(text)
    assert len(parse_seeds("0:1000000")) == 1_000_000
    with pytest.raises(ConfigurationError, match=r"--seeds: '9+\.\.\. is not a seed"):
        parse_seeds("9" * 5000)
    with pytest.raises(ConfigurationError, match="--seeds: None is not a text that names seeds"):
        parse_seeds(None)


BAD = [
    # a paradigm that is none, whatever else the file holds
    ('paradigm = {type = "meeet", order = "exact"}', ["paradigm.type: 'meeet' is not a paradigm, did you mean 'meet'? (valid: "]),
    ('paradigm = "meeet"', ["paradigm.type: 'meeet' is not a paradigm, did you mean 'meet'? (valid: "]),
    ("paradigm.type = 5", ["paradigm.type: 5 is not a paradigm (valid: "]),
    ("paradigm = 5", ["paradigm: 5 is not a paradigm (valid: "]),
    # times between the milliseconds
    ('paradigm.window = "0.1234567 ms"', ["paradigm.window: must be at least 1.0 ms, got 0.1234567 ms"]),
    ('paradigm.cue_onset = "0.1234567 ms"', ["paradigm.cue_onset: must be whole milliseconds, got 0.1234567 ms"]),
    (BLOCK.format(late="0.1234567 ms", a=0.7, b=0.3),
     ["paradigm.blocks[0].latency.B: must be whole milliseconds, got 0.1234567 ms"]),
    # more trials than any memory holds
    (BLOCK.format(late="600 ms", a=0.7, b=0.3).replace("trials = 4", "trials = 10000000"), None),
    # an unknown key, a wrong choice
    ("reservoir.m = 5", ["reservoir.m: unknown key (valid: ", " n, cell, "]),
    ("resevoir.n = 5", ["resevoir: unknown key, did you mean 'reservoir'? (valid: "]),
    ("when.rule.rte = 1", ["when.rule.rte: unknown key (valid: type, fastest, slowest, caution, memory, smallest_spread, threshold, drift)"]),
    ('reservoir = {type = "sequense"}',
     ["reservoir.type: 'sequense' is not a circuit, did you mean 'sequence'? (valid: grown, random, sequence, unconnected"]),
    ("reservoir = 5", ["reservoir: 5 is not a circuit (valid: grown, random, sequence, "]),
    ('when.gate = "door"', ["when.gate.type: 'door' is not a gate (valid: acetylcholine, consolidation, dopamine, event_window, level, open, phasic"]),
    ('readout = "split"', ["prediction.type: 'split' is not a prediction (valid: factorised, joint, merged, your own by --import FILE.py)"]),
    ('readout = "merged"\nprediction = "joint"', ["readout: is the earlier name of 'prediction'; give one of them"]),
    ('readout = "joint"', ["when.rule: 'uncertainty_three_factor' learns at every step, the joint prediction once a trial (valid: "
      "consolidated_three_factor"]),
    ('confidence.rule = "force"', ["confidence.rule: 'force' runs online, this readout learns at the end of a trial (valid: counting, "
      "surprise_two_factor, two_factor, uncertainty_two_factor"]),
    ('when.gate = {type = "dopamine", tau_rise = "1 s"}', ["when.gate.tau_rise: must be shorter than tau_decay, 700 ms, got 1000 ms"]),
    ('what.rule = "magic"', ["what.rule.type: 'magic' is not a rule (valid: ", "two_factor"]),
    ('when.rule = "two_factor"',
     ["when.rule: 'two_factor' runs at the end of a trial, this readout learns online (valid: consolidated_three_factor, eligibility_three_factor, force, "
      "node_perturbation, normalised_three_factor, td, three_factor, uncertainty_three_factor"]),
    ('keep.spikes = "some"', ["keep.spikes: 'some' is not a choice (valid: 'probes', 'all' or 'none')"]),
    ('paradigm.order = "random"', ["paradigm.order: 'random' is not a choice (valid: 'independent' or 'exact')"]),
    ("reservoir.composition = {RS = 0.5, XX = 0.5}",
     ["reservoir.cell.composition.XX: unknown cell type (valid: RS, IB, CH, TC, FS, LTS, RZ)"]),
    # a wrong unit, a wrong number
    ('reservoir.tau_fast = "5 mV"', ["reservoir.tau_fast: '5 mV' has the wrong unit; a time needs one of: ms, s, us, min"]),
    ("reservoir.tau_fast = 5", ["reservoir.tau_fast: 5 has no unit; a time needs one of: ms, s, us, min, written like '5 ms'"]),
    ("reservoir.n = 12.5", ["reservoir.n: must be a whole number, got 12.5"]),
    ("reservoir.n = 5", ["reservoir.n: must be at least 10, got 5"]),
    ("reservoir.slow_fraction = 1.5", ["reservoir.slow_fraction: must be at most 1.0, got 1.5"]),
    ("reservoir.composition = {RS = 0.5}", ["reservoir.cell.composition: the shares must sum to 1, they sum to 0.5"]),
    ("seeds.noise = -1", ["seeds.noise: must be at least 0, got -1"]),
    ('state.time_step = "0.7 ms"', ["state.time_step: must be a whole multiple of the cells' step, 0.5 ms, got 0.7 ms"]),
    ('state.time_step = "1.5 ms"', ["state.time_step: must divide 1 ms or be whole milliseconds, got 1.5 ms"]),
    # probabilities
    (BLOCK.format(late="600 ms", a=1.2, b=-0.2),
     ["paradigm.blocks[0].probability.A: must be at most 1.0, got 1.2",
      "paradigm.blocks[0].probability.B: must be at least 0.0, got -0.2"]),
    (BLOCK.format(late="600 ms", a=0.7, b=0.7), ["paradigm.blocks[0].probability: must sum to 1, the sum is 1.4"]),
    ('paradigm = {type = "meet_levels", levels = [0.1, 1.1]}', ["paradigm.levels[1]: must be at most 1.0, got 1.1"]),
    # overlapping trials, latencies outside
    ('paradigm.trial_duration = "1000 ms"',
     ["paradigm.trial_duration: 1000 ms is too short: trials would overlap, since cue_onset 200 ms + window 1100 ms = 1300 ms"]),
    (BLOCK.format(late="1600 ms", a=0.7, b=0.3),
     ["paradigm.blocks[0].latency.B: 1600 ms lies outside the window of 1100 ms after the cue"]),
    (BLOCK.format(late="-1 ms", a=0.7, b=0.3),
     ["paradigm.blocks[0].latency.B: -1 ms lies outside the window of 1100 ms after the cue"]),
    # no events, no blocks
    ("paradigm.blocks = [{trials = 4, latency = {}, probability = {}}]", ["paradigm.blocks[0].latency: has no events"]),
    ("paradigm.blocks = []", ["paradigm.blocks: needs at least one block, got none"]),
    ('paradigm = {type = "meet_levels", levels = []}', ["paradigm.levels: needs at least one level, got none"]),
    ('paradigm = {type = "cued_reaction", events_files = ["a.tsv"], cue = "c", events = []}', ["paradigm.events: has no events"]),
    ('paradigm = {type = "cued_reaction"}',
     ["paradigm.events_files: is required", "paradigm.cue: is required", "paradigm.events: is required"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), BAD, ids=[text for text, _ in BAD])
def test_a_file_that_cannot_be(text, parts, tmp_path, command):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    paradigm = read(None, (), {"type": "meet"}).paradigm.type
    for name in Paradigm.alternatives():
        paradigm = name if name in text else paradigm
    code, lines = command("run", paradigm, "--config", path, "--out", tmp_path / "out")
    assert code == 2
    if parts is None:  # not of the file, but of what it asks for
        assert len(lines) == 1
        assert re.match(
            r"izhires: trials: 10,000,0\d\d trials last 15,000,0\d\d s \(173.6 days\) of model time: their signals alone need 1,080.0 GB of memory, ",
            lines[0],
        )
        return
    starts = [part for part in parts if not part.startswith(" ") and ": " in part]
    assert len(lines) == len(starts), lines
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(f"izhires: {path}, {start}")
    for part in parts:
        assert part in "\n".join(lines)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--set", "reservoir.m=5"], "reservoir.m: unknown key (valid: "),
        (["--set", "reservoir.n"], "--set: 'reservoir.n' is not key=value"),
        (["--set", "=4"], "--set: '=4' is not key=value"),
        (["--set", "reservoir.n.x=4"], "reservoir.n: must be a whole number, got {'x': 4}"),
        (["--set", "what.rule.damping=3", "--set", "what.rule=two_factor"], "what.rule.damping: unknown key (valid: "),
        (["--set", "reservoir.n=40", "--set", "reservoir.n.x=4"], "--set reservoir.n.x=4: 'n' is not a table"),
        (["--seeds", "a"], "--seeds: 'a' is not a seed (valid: 7, 1,4,9, 100:105)"),
        (["--seeds", "3,3"], "--seeds: '3,3' names a seed twice"),
        (["--device", "gpu"], "device: there is no device 'gpu' (valid: "),
        (["--sed", "3"], "run: unknown option '--sed', did you mean '--seeds'? (valid: "),
        (["--set", "reservoir.n=" + "[" * 2000], "--set reservoir.n: is no value that can be read: brackets"),
        (["--set", "reservoir.n=" + "9" * 5000], "--set reservoir.n: is a number of more digits than can be read"),
        (["--set", f"paradigm.warm_up={'9' * 4000}"], "paradigm.warm_up: must be at most 1000000000000000, got"),
        (["--set", f"paradigm.warm_up={10**12}"], "trials: 1,000,000,000,"),
        (
            ["--seeds", "0:100000000"],
            "--seeds: '0:100000000' names 100,000,000 seeds, more than the 1,000,000 runs of one command",
        ),
        (["--config", "nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory"),
        (["--processes", "0"], "Invalid value for '--processes'"),
        (["more"], "run: unknown option 'more' (valid: "),
    ],
)
def test_arguments_that_cannot_be(arguments, line, tmp_path, command):
    code, lines = command("run", "meet", "--out", tmp_path / "out", *arguments)
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith(f"izhires: {line}")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"reservoir = [1, 2\n", "is not TOML: "),
        (b"\xff\xfe\x00", "is not TOML: "),
        (
            b"reservoir = " + b"[" * 2000 + b"]" * 2000,
            "is not TOML: too many brackets within brackets",
        ),
        (b"reservoir.n = " + b"9" * 5000, "is not TOML: Exceeds the limit"),
        (b"reservoir" + b".x" * 3000 + b" = 1", ""),
        (b"reservoir.n = 400\nreservoir.n = 500\n", "is not TOML: "),
    ],
)
def test_a_file_that_is_not_toml(content, line, tmp_path, command):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    code, lines = command("run", "meet", "--config", path, "--out", tmp_path / "out")
    assert (code, len(lines)) == (2, 1)
    assert len(lines[0]) < 1000
    assert lines[0].startswith(f"izhires: {path}: {line}" if line else f"izhires: {path}")


def test_a_table_that_is_not_used_is_said(tmp_path):
    path = tmp_path / "other.toml"
    path.write_text('[paradigm]\ntype = "meet_levels"\ntrials = 3\n')
    said = []
    assert read(path, (), {"type": "meet"}, said.append) == Configuration()
    assert said == [f"{path}: its [paradigm] is for 'meet_levels' and is not used for 'meet'"]
    assert read(path, (), {"type": "meet_levels"}, said.append).paradigm.trials == 3
    path.write_text('paradigm = "meet_levels"\n')  # which says nothing that would be lost
    read(path, (), {"type": "meet"}, said.append)
    assert len(said) == 1


@pytest.mark.parametrize("given", [5, "", b"it.toml", ["it.toml"]])
def test_what_is_no_path(given):
    with pytest.raises(ConfigurationError) as caught:
        read(given)
    assert len(str(caught.value).splitlines()) == 1


def test_numbers_of_numpy_are_shown_as_numbers():
    for data in (
        {"n": np.float64(12.5)},
        {"n": np.int64(5)},
        {"slow_fraction": np.float32(1.5)},
        {"noise": np.float64(1)},
    ):
        with pytest.raises(ConfigurationError) as caught:
            Configuration(reservoir={"type": "sequence", **data})
        assert "np." not in str(caught.value)


def test_a_complaint_names_the_file_only_where_the_file_is_wrong(tmp_path, command):
    path = tmp_path / "bad.toml"
    path.write_text("reservoir.n = 5\n")
    code, lines = command("run", "meet", "--config", path, "--set", "keep.spikes=some", "--out", tmp_path / "out")
    assert code == 2
    assert lines == [
        f"izhires: {path}, reservoir.n: must be at least 10, got 5",
        "izhires: keep.spikes: 'some' is not a choice (valid: 'probes', 'all' or 'none')",
    ]


EVENTS = "onset\tduration\ttrial_type\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "{path}: is empty"),
        (EVENTS, "{path}: has a header and no events"),
        ("onset\tduration\n1\t2\n", "{path}, line 1: column trial_type missing; it has onset, duration"),
        (EVENTS + "1\t0\tbeep\n2\t0\tgo\n", "{path}: the cue 'cue' does not occur (valid: beep, go)"),
        (
            EVENTS + "1\t0\tcue\n2\t0\tgone\n",
            "{path}: the event 'go' does not occur, did you mean 'gone'? (valid: cue, gone)",
        ),
        (EVENTS + "x\t0\tcue\n", "{path}, line 2: onset 'x' is not a number of seconds"),
        (EVENTS + "9\t0\tcue\n5\t0\tgo\n", "{path}, line 3: 'go' does not follow a cue"),
        (EVENTS + "1\t0\tgo\n5\t0\tcue\n", "{path}, line 2: 'go' does not follow a cue"),
    ],
)
def test_event_files_that_cannot_be(content, line, tmp_path, command):
    path = tmp_path / "run-1_events.tsv"
    path.write_text(content)
    arguments = ["--events", path, "--cue", "cue", "--event", "go"]
    code, lines = command("run", "cued-reaction", *arguments, "--out", tmp_path / "out")
    assert (code, lines) == (2, [f"izhires: {line.format(path=path)}"])
    assert not (tmp_path / "out").exists()


def test_a_paradigms_own_options(command, tmp_path):
    out = ["--out", tmp_path / "out"]
    assert command("run", "cued-reaction", *out) == (
        2,
        ["izhires: --events: is required", "izhires: --cue: is required", "izhires: --event: is required"],
    )
    assert command("run", "cued-reaction", *out, "--events") == (2, ["izhires: run: --events needs a value"])
    twice = command("run", "cued-reaction", *out, "--cue-column=a", "--cue-column", "b")
    assert twice == (2, ["izhires: run: --cue-column is given twice"])
    missing = command("run", "cued-reaction", *out, "--events", "gone.tsv", "--cue", "a", "--event", "b")
    assert missing == (2, ["izhires: gone.tsv: there is no such file"])
    for paradigm in Paradigm.alternatives().values():
        assert set(paradigm.options.values()) <= set(paradigm.model_fields)
    assert set(CuedReaction.options.values()) >= set(REQUIRED["cued_reaction"])


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["run", "mett", "--out", "x"], 2, "run: 'mett' is not a paradigm, did you mean 'meet'? (valid: choice, cued_reaction, "),
        (["run", "meet", "--out", "x", "--set", 'reservoir.tau_fast="5 mV"'], 2, "reservoir.tau_fast: '5 mV' has the wrong unit"),
        (["run", "meet"], 2, "Missing option '--out'; see "),
        (["walk"], 2, "No such command 'walk'; see "),
        (["analyse", "nowhere"], 5, "nowhere: there is no such folder"),
        (["figures", "nowhere"], 5, "nowhere: there is no such folder"),
    ],
)  # fmt: skip
def test_a_real_process_says_one_line_and_its_exit_code(arguments, code, line, tmp_path):
    done = izhires(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"izhires: {line}")
    assert list(tmp_path.iterdir()) == []


# changes in Python


RANDOM = {"reservoir": {"type": "random", "out_degree": 50}, "when": {"feedback": "0.7 mV/ms"}}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"reservoir": {"n": 220}}, {"reservoir": {"type": "random", "out_degree": 50, "n": 220}}),
        ({"reservoir.n": 220}, {"reservoir": {"type": "random", "out_degree": 50, "n": 220}}),
        ({"reservoir": {"type": "sequence", "n": 220}}, {"reservoir": {"type": "sequence", "n": 220}}),
        ({"reservoir": "unconnected", "reservoir.n": 220}, {"reservoir": {"type": "unconnected", "n": 220}}),
        ({"reservoir.n": 220, "reservoir": "unconnected"}, {"reservoir": {"type": "unconnected", "n": 220}}),
        ({"reservoir": {"composition": {"FS": 0.5, "RS": 0.5}}},
         {"reservoir": {"type": "random", "out_degree": 50, "composition": {"FS": 0.5, "RS": 0.5}}}),
        ({"when": {"rule": {"slowest": "0.01 1/ms"}}}, {"when": {"feedback": "0.7 mV/ms", "rule": {"slowest": "0.01 1/ms"}}}),
        ({"when.rule.slowest": "0.01 1/ms"}, {"when": {"feedback": "0.7 mV/ms", "rule": {"slowest": "0.01 1/ms"}}}),
        ({"when.rule": "force"}, {"when": {"feedback": "0.7 mV/ms", "rule": "force"}}),
        ({"confidence": {}}, {"confidence": {}}),
        ({"seeds": {"noise": 3}, "keep.spikes": "all"}, {"seeds": {"noise": 3}, "keep": {"spikes": "all"}}),
    ],
)  # fmt: skip
def test_a_change_leaves_the_rest(changes, same):
    assert Configuration.parse(RANDOM).with_changes(**changes) == Configuration.parse({**RANDOM, **same})


def test_a_change_of_an_entry_of_a_list():
    """By its number, from 0: a rule of a connection, a block; the other entries stay."""
    several = {"from": "other", "to": "cells", "plasticity": ["stdp", {"type": "scaling", "side": "both"}]}
    before = Configuration(populations={"other": {"n": 20}}, connections={"forward": several})
    place = "connections.forward.plasticity"
    after = before.with_changes(
        **{f"{place}.0.w_max": "3 mV/ms", f"{place}.1": "triplet", "paradigm.blocks.2.trials": 7}
    )
    first, second = after.connections["forward"].plasticity
    assert first == Stdp(w_max="3 mV/ms")
    assert second.type == "triplet"
    assert [block.trials for block in after.paradigm.blocks] == [100, 100, 7, 100]
    for number in ("2", "-1", "w_max"):
        with pytest.raises(ConfigurationError) as caught:
            before.with_changes(**{f"{place}.{number}.w_max": "3 mV/ms"})
        assert f"'plasticity' has 2 entries, by number from 0, got '{number}'" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"reservoir.n.x": 3}, "Configuration.reservoir.n.x: 'n' is not a table"),
        ({"reservoirs.n": 3}, "Configuration.reservoirs: unknown key, did you mean 'reservoir'?"),
        ({"reservoir.nn": 3}, "Configuration.reservoir.nn: unknown key, did you mean 'n'?"),
        ({"reservoir": {"nn": 3}}, "Configuration.reservoir.nn: unknown key, did you mean 'n'?"),
        ({"reservoir": 3}, "Configuration.reservoir: 3 is not a circuit"),
    ],
)
def test_changes_that_cannot_be(changes, message):
    with pytest.raises(ConfigurationError) as caught:
        Configuration.parse(RANDOM).with_changes(**changes)
    assert str(caught.value).startswith(message)


def test_a_table_on_the_command_line_leaves_the_rest_too():
    found = read(None, ["reservoir=random", "reservoir={n=220}", "when={feedback='0 mV/ms'}", "when.rule=force"])
    assert (found.reservoir.type, found.reservoir.n, found.when.rule.type) == ("random", 220, "force")


# what is too large is refused by arithmetic


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0:100000000", "'0:100000000' names 100,000,000 seeds, more than the 1,000,000 runs of one command"),
        (f"0:{10**30}", f"'0:{10**30}' names {10**30:,} seeds, more than the 1,000,000 runs of one command"),
        (str(2**64), f"a seed cannot be above {2**63 - 1}, got {2**64}"),
        ("9:3", "'9:3' names no seed (valid: 7, 1,4,9, 100:105)"),
    ],
)
def test_seeds_that_are_too_many_or_too_large(text, message):
    with pytest.raises(ConfigurationError) as caught:
        parse_seeds(text)
    assert str(caught.value) == f"--seeds: {message}"


def test_a_network_that_is_too_large():
    with pytest.raises(ConfigurationError, match=r"^reservoir.n: must be at most 100000, got 10000000$"):
        read(None, ["reservoir.n=10000000"])
    assert parse_seeds(str(2**63 - 1)) == [2**63 - 1]
