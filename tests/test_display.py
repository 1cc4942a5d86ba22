"""What Python and notebooks show of things: repr, help, HTML, figures of one recording, progress."""

import io
import json
import pydoc
import re

import matplotlib
import numpy as np
import pytest
import small
import synthetic

import izhires.formats.accessor  # noqa: F401  (every recording that is run or loaded has it)
from izhires import Configuration, Progress, Rule
from izhires.building.draft import make_plan
from izhires.circuits.random import Random
from izhires.circuits.sequence import Sequence
from izhires.errors import IzhiresError
from izhires.model.configuration import Keep
from izhires.model.population import Population
from izhires.model.seeds import Seeds
from izhires.paradigms import Block, Meet
from izhires.readouts.online import Online

matplotlib.use("agg")
import matplotlib.pyplot as plt

PLOTS = ("prediction", "expectation", "learning_curve", "weights", "raster")

CHANGED = [
    Configuration(),
    Configuration(reservoir={"n": 500, "bias_excitatory": ["1 mV/ms", "3.5 mV/ms"]}, when={"feedback": "0 mV/ms"}),
    Configuration(reservoir={"type": "random", "adaptation": "none"}, keep={"slowest_rate": "0 Hz"}),
    Configuration(populations={"more": {"n": 30}}),
    Configuration(
        paradigm={"blocks": [{"trials": 3, "latency": {"A": "300 ms", "B": "0.4 s"}, "probability": {"A": 1, "B": 0}}]}
    ),
]


@pytest.mark.parametrize("configuration", CHANGED, ids=repr)
def test_a_repr_says_what_differs_and_makes_an_equal_one(configuration):
    names = {each.__name__: each for each in (Configuration, Sequence, Random, Online, Meet, Block, Keep, Population)}
    text = repr(configuration)
    assert eval(text, names) == configuration
    assert text == str(configuration)
    assert len(text) < 250


def test_numbers_have_their_units_and_all_their_digits():
    assert repr(Configuration()) == "Configuration()"
    changed = Configuration(time_step="0.25 ms", when={"feedback": "0.30000000000000004 mV/ms"})
    assert repr(changed) == "Configuration(time_step='0.25 ms', when=Online(feedback='0.30000000000000004 mV/ms'))"


def test_help_shows_what_this_package_has():
    text = pydoc.render_doc(Configuration, renderer=pydoc.plaintext)
    assert len(text.splitlines()) < 150
    assert "model_dump" not in text and "pydantic_core" not in text
    assert "time_step='0.5 ms'" in text  # a parameter with its default
    for name in ("to_toml", "with_changes", "parse", "differences"):
        assert re.search(rf"^ \|  {name}\(", text, flags=re.MULTILINE), name
    assert {"reservoir", "to_toml", "with_changes"} <= set(dir(Configuration())) and "model_dump" not in dir(Rule)
    assert Configuration().model_dump  # hidden, not gone


def test_html_of_a_configuration():
    shown = Configuration(reservoir={"n": 500}, extend="<b>.py:f")._repr_html_()
    assert "Sequence(n=500)" in shown and "&lt;b&gt;.py:f" in shown
    assert "assumed" in shown  # the sources of all parameters, to be unfolded
    assert "every parameter has its default" in Configuration()._repr_html_()


def test_html_and_figure_of_an_experiment():
    experiment = small.configuration().paradigm.experiment(np.random.default_rng(0))
    shown = experiment._repr_html_()
    assert "8 training trials in 2 blocks" in shown and "<td>0.06</td>" in shown
    axes = experiment.plot()
    assert [each.get_title() for each in axes] == ["block 0", "block 1", ""]
    drawn = {line.get_label(): line.get_xydata() for line in axes[0].get_lines()}
    assert drawn.keys() == {"A", "B"}
    assert drawn["A"][drawn["A"][:, 1].argmax(), 0] == pytest.approx(0.06)  # the peak lies at the latency
    marks = np.concatenate([line.get_xydata() for line in axes[-1].get_lines() if line.get_marker() == "|"])
    assert sorted(marks[:, 0]) == list(range(1, 9))  # every training trial once
    figure = plt.figure()
    assert experiment.plot(figure)[0].figure is figure


def test_html_of_a_plan():
    configuration = small.configuration()
    experiment = configuration.paradigm.experiment(np.random.default_rng(0))
    plan, _ = make_plan(configuration, experiment, Seeds())
    shown = plan._repr_html_()
    assert plan.fingerprint() in shown
    for part in plan.parts:
        assert f"{part.name} ({type(part).__name__.lower()})" in shown
    assert "dv/dt" in shown


@pytest.fixture(scope="module")
def recording():
    return synthetic.recording()


@pytest.mark.parametrize("name", PLOTS)
def test_the_figures_that_everyone_wants(recording, name):
    plot = getattr(recording.izhires, f"plot_{name}")
    before = plt.get_fignums()
    axes = plot()
    assert len(plt.get_fignums()) == len(before) + 1  # one that a script shows with plt.show()
    assert axes and all(each.get_xlabel() or each.get_ylabel() for each in axes)
    figure = plt.figure()
    own = plot(figure=figure, style="nature")
    assert all(each.get_figure(root=True) is figure for each in own)
    figure.savefig(io.BytesIO(), format="png")
    plt.close("all")


def test_what_is_drawn_is_what_was_recorded(recording):
    axes = recording.izhires.plot_prediction(probe=-1)
    (line,) = [each for each in axes[0].get_lines() if each.get_label() == "prediction of A"]
    np.testing.assert_array_equal(line.get_ydata(), recording.prediction.isel(probe=-1).sel(event="A"))
    axes = recording.izhires.plot_learning_curve()
    error = np.sqrt(((recording.prediction - recording.expectation).values ** 2).mean((1, 2)))
    np.testing.assert_allclose(axes[0].get_lines()[0].get_ydata(), error)
    plt.close("all")


def test_what_cannot_be_drawn_says_so(recording):
    for name, lacking in (("prediction", "prediction"), ("weights", "what_weights"), ("raster", "spike_time")):
        with pytest.raises(IzhiresError, match=lacking):
            getattr(recording.drop_vars(lacking).izhires, f"plot_{name}")()
    with pytest.raises(IzhiresError, match=r"^probe: has \d+ probes; there is none of number 10000$"):
        recording.izhires.plot_prediction(probe=10000)
    with pytest.raises(IzhiresError, match=r"^figure: must be a figure of matplotlib, got str$"):
        recording.izhires.plot_prediction(figure="mine")
    plt.close("all")


def test_html_of_a_recording(recording):
    shown = recording.izhires._repr_html_()
    assert recording.attrs["title"] in shown and "data:image/png;base64," in shown
    assert not plt.get_fignums()  # it leaves no figure behind
    without = recording.drop_vars("prediction").izhires._repr_html_()
    assert recording.attrs["title"] in without and "data:image" not in without
    assert json.dumps(repr(recording.izhires))


def test_progress_of_one_run_and_of_several():
    to = io.StringIO()
    one = Progress(to=to)
    for stage, share in (("build", 0.0), ("run", 0.0), ("run", 0.5), ("run", 0.5), ("run", 1.0)):
        one(stage, share)
    lines = to.getvalue().split("\r")[1:]
    assert [re.search(r"(\d+)%", each)[1] for each in lines] == ["0", "0", "50", "100"]
    assert lines[0].startswith("building") and lines[-1].endswith("\n")
    to = io.StringIO()
    several = Progress(2, to)
    for name, stage, share in (("seed 0", "run", 0.5), ("seed 1", "run", 0.5), ("seed 0", "done", 1.0),
                               ("x.nc", "removed", 1.0), ("seed 1", "done", 1.0)):  # fmt: skip
        several(name, stage, share)
    assert re.findall(r"(\d+)%", to.getvalue()) == ["20", "50", "80", "100"]  # a file gets tens
