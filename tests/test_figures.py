import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from synthetic import Block, experiment, levels, participant, recording, study

from izhires.analysis import all_figures, analyse, make_figures
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.errors import ConfigurationError, RecordingError

MEET = ("task", "raster", "predictions", "learning_curve", "recalibration", "angles")
DRAWN = [(name, study) for name in MEET]
DRAWN += [("calibration", levels)]
DRAWN += [(name, participant) for name in ("task", "raster", "predictions", "learning_curve", "angles", "participant")]
DRAWN += [(name, lambda: [recording()]) for name in MEET]  # a single seed


@pytest.fixture(scope="module")
def recordings():
    made = {}

    def get(make):
        if make not in made:
            made[make] = make()
        return made[make]

    return get


def texts_of(figure, monkeypatch):
    """Return every piece of text that is really drawn, with its box in pixels."""
    drawn = []
    original = Text.draw

    def draw(self, renderer, *args, **kwargs):
        if self.get_visible() and self.get_text().strip():
            drawn.append(self)
        return original(self, renderer, *args, **kwargs)

    monkeypatch.setattr(Text, "draw", draw)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn.clear()  # the layout settles at the first drawing
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = {id(text): (text, text.get_window_extent(renderer)) for text in drawn}
    return list(boxes.values())


@pytest.mark.parametrize(("name", "make"), DRAWN, ids=[f"{n}-{m.__name__}" for n, m in DRAWN])
def test_drawing_neither_warns_nor_clips_nor_overlaps(name, make, recordings, monkeypatch):
    declared = all_figures()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = declared.draw(declared.prepare(recordings(make)))
        texts = texts_of(figure, monkeypatch)
    width = figure.get_figwidth()
    assert width in (style.SINGLE, style.DOUBLE)
    assert len(texts) > 5
    for text, box in texts:
        assert figure.bbox.x0 - 0.5 <= box.x0 and box.x1 <= figure.bbox.x1 + 0.5, f"{text.get_text()!r} is clipped"
        assert figure.bbox.y0 - 0.5 <= box.y0 and box.y1 <= figure.bbox.y1 + 0.5, f"{text.get_text()!r} is clipped"
        assert text.get_fontsize() >= 7
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
        assert apart, f"{one.get_text()!r} lies on {other.get_text()!r}"
    for axes in figure.axes:
        assert axes.get_xlabel() or axes.get_subplotspec() is None or not axes.get_subplotspec().is_last_row()


def test_every_figure_says_what_it_shows():
    for declared in all_figures().values():
        assert declared.title and declared.caption.endswith(".") and "  " not in declared.caption


def test_prepared_predictions_are_those_before_and_after_each_block(recordings):
    made = recordings(study)
    tables = all_figures()["predictions"].prepare(made)
    for block in range(4):
        probes = np.flatnonzero(made[0]["block"].values == block)
        for phase, probe in (("before", max(0, probes[0] - 1)), ("after", probes[-1])):
            table = tables["prediction"].query(f"block == {block} and phase == '{phase}' and event == 'B'")
            expected = np.mean([each["prediction"].sel(event="B").values[probe] for each in made], axis=0)
            assert table["mean"].to_numpy() == pytest.approx(expected)
            assert (table["seeds"] == 5).all() and (table["low"] <= table["mean"]).all()
    wanted = tables["expectation"].query("block == 2 and event == 'A'")["expectation"]
    assert wanted.max() == pytest.approx(0.2)


def test_prepared_learning_curve_is_the_error_of_the_table(recordings):
    made = recordings(study)
    tables = all_figures()["learning_curve"].prepare(made)
    table = analyse(made, only=["error", "error_zero_output", "error_best_fit"])
    table = table[(table["block"] == 0) & (table["event"] == ALL_EVENTS)].groupby("metric")["value"].mean()
    curve = tables["error"].set_index("trial")["mean"]
    for trial in (1, 10, 50, 100):
        assert curve[trial] == pytest.approx(table[f"error.trial_{trial}"])
    assert curve[0] == pytest.approx(table["error.first"])
    bounds = tables["bounds"].set_index("bound")["mean"]
    assert bounds["zero output"] == pytest.approx(table["error_zero_output"])
    assert bounds["fitted readout"] == pytest.approx(table["error_best_fit.other_probes"])


def test_prepared_recalibration_starts_at_e0_and_marks_the_recovery_of_the_table():
    made = [recording(tau=5.0, seed=seed) for seed in range(2)]
    tables = all_figures()["recalibration"].prepare(made)
    marks = tables["recovery"].set_index(["block", "event", "fraction"])["mean"]
    table = analyse(made, only=["recovery"])
    for row in table[~table["metric"].str.contains("sustained")].itertuples():
        assert marks[row.block, row.event, f"{row.metric.split('.')[1]}%"] == row.value
    curve = tables["error"].query("block == 1 and event == @ALL_EVENTS and phase == 'after'").set_index("trial")["mean"]
    assert curve[10] == pytest.approx(curve[0] * np.exp(-2), rel=1e-3)
    before = tables["error"].query("phase == 'before'")["trial"]
    assert before.min() == -20 and before.max() == 0
    assert list(tables["recovery"]["switch"].unique()) == ["timing", "probability", "timing and probability"]


def test_prepared_calibration_is_the_pooled_correlation(recordings):
    made = recordings(levels)
    tables = all_figures()["calibration"].prepare(made)
    assert len(tables["amplitude"]) == 3 * 11 * 2 and len(tables["mean"]) == 22
    assert tables["mean"]["mean"].to_numpy() == pytest.approx(tables["mean"]["probability"].to_numpy())
    assert tables["correlation"].set_index("event")["r"].to_dict() == pytest.approx({"A": 1, "B": -1})


def test_prepared_angles_are_those_of_the_table(recordings):
    made = recordings(study)
    tables = all_figures()["angles"].prepare(made)
    table = analyse(made, only=["angle", "angle_without_mean"])
    assert len(tables["observed"]) == 2 * 2 * 4 * 5 and len(tables["null"]) == 2 * 2 * 4 * 2
    shown = tables["null"].query("kind == 'angle' and size == 'smallest' and null == 'covariance' and block == 3")
    expected = table[(table["metric"] == "angle.smallest_covariance_low") & (table["block"] == 3)]["value"].mean()
    assert shown["low"].iloc[0] == pytest.approx(expected)


def test_the_raster_is_sorted_by_another_probe_and_shows_every_spike(recordings):
    made = recordings(study)[0]
    tables = all_figures()["raster"].prepare([made])
    probe = int(np.flatnonzero(made["block"].values == 0)[-1])
    assert tables["cells"]["sorted_by_probe"].iloc[0] != probe
    assert sorted(tables["cells"]["neuron"]) == list(range(60))
    assert tables["cells"]["excitatory"].to_list() == [True] * 48 + [False] * 12
    for _, group in tables["cells"].groupby("excitatory"):
        assert group["peak_time"].is_monotonic_increasing
    cue = made["trial_cue"].values[made["trial_kind"].values == "probe"][probe]
    times = made["spike_time"].values - cue
    assert len(tables["spikes"]) == ((times >= -0.2) & (times <= 1.09)).sum() > 100
    assert tables["state"].drop(columns="row").to_numpy().max(axis=1) == pytest.approx(np.ones(60))


def test_the_task_is_that_of_the_trial_table(recordings):
    made = recordings(study)[0]
    tables = all_figures()["task"].prepare([made])
    assert len(tables["trials"]) == 400 and list(tables["trials"]["trial"]) == list(range(1, 401))
    blocks = tables["blocks"].set_index(["block", "event"])
    assert blocks.loc[(2, "B"), ["latency", "probability", "first", "last"]].to_list() == pytest.approx(
        [0.8, 0.8, 201, 300]
    )
    cue = tables["trial"].query("lane == 'cue' and value > 0")["time"]
    assert cue.min() == 0 and len(cue) == 50


def test_the_participants_latencies_are_counted(recordings):
    tables = all_figures()["participant"].prepare(recordings(participant))
    made = recordings(participant)[0]
    late = made["trial_latency"].values[made["trial_event"].values == "go"]
    bars = tables["latencies"].query("event == 'go'")
    assert bars["trials"].sum() == len(late)
    assert bars.query("left == 1.5")["trials"].iloc[0] == ((late >= 1.5) & (late < 1.6)).sum()
    chances = tables["events"].set_index("event")["probability"]
    assert chances["go"] == pytest.approx(77 / 120) and chances["no-go"] == pytest.approx(19 / 120)


def test_files_are_whole_and_what_is_skipped_is_said(tmp_path):
    made = make_figures(
        [recording(states=False)], tmp_path / "figures", only=["learning_curve", "raster", "calibration"]
    )
    names = {path.name for path in made.paths}
    assert names == {
        "learning_curve.pdf", "learning_curve.png", "learning_curve_error.csv", "learning_curve_bounds.csv",
    }  # fmt: skip
    assert {path.name for path in (tmp_path / "figures").iterdir()} == names
    assert made.skipped == [
        "raster: needs state_trace, spike_time, spike_neuron, which the recording does not hold",
        "calibration: needs recordings of one block each, at several probabilities",
    ]
    prepared = all_figures()["learning_curve"].prepare([recording(states=False)])["error"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "figures" / "learning_curve_error.csv"), prepared, rtol=1e-5)
    pdf = (tmp_path / "figures" / "learning_curve.pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/FontFile2" in pdf and b"/Type3" not in pdf  # TrueType, not outlines


def test_a_single_png_has_300_dots_an_inch_in_one_column(tmp_path):
    from PIL import Image

    make_figures([recording(states=False)], tmp_path, only=["learning_curve"])
    with Image.open(tmp_path / "learning_curve.png") as image:
        assert image.width == int(88 / 25.4 * 300)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_equal_recordings_give_equal_files(tmp_path):
    first, second = (
        make_figures([recording(states=False)], tmp_path / name, only=["learning_curve"]).paths for name in "ab"
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "learning_curve.pdf").mkdir()
    with pytest.raises(RecordingError, match=r"learning_curve\.pdf: cannot be written"):
        make_figures([recording(states=False)], tmp_path, only=["learning_curve"])
    with pytest.raises(ConfigurationError, match="'rasta' is not a figure, did you mean 'raster'"):
        make_figures([recording()], tmp_path, only=["rasta"])


def test_a_figure_that_fails_halfway_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    with pytest.raises(RecordingError, match="No space left on device"):
        make_figures([recording(states=False)], tmp_path, only=["learning_curve"])
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_mixed_conditions_and_missing_variety_are_said(recordings):
    figures = all_figures()
    with pytest.raises(Unavailable, match="one condition, got 11"):
        figures["predictions"].prepare(recordings(levels))
    with pytest.raises(Unavailable, match="varying latencies"):
        figures["participant"].prepare(recordings(study))
    with pytest.raises(Unavailable, match="needs a switch"):
        figures["recalibration"].prepare([recording(experiment([Block({"A": 0.3}, {"A": 1.0})]))])


def test_the_style_leaves_no_trace():
    import matplotlib

    before = dict(matplotlib.rcParams)
    with style.applied():
        assert matplotlib.rcParams["pdf.fonttype"] == 42 and 7 <= matplotlib.rcParams["font.size"] <= 8
    assert dict(matplotlib.rcParams) == before
