import itertools
import json
import os
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from synthetic import REPRODUCED, Block, experiment, levels, participant, recording, reproduction, study

from izhires.analysis import all_figures, analyse, make_figures
from izhires.analysis.declared import Unavailable
from izhires.analysis.figures import style
from izhires.analysis.figures.base import draw, prepare_all, spread_said
from izhires.analysis.figures.model import wrapped
from izhires.analysis.figures.observers import colours
from izhires.analysis.figures.raster import ROWS, largest_of_rows
from izhires.analysis.kept import kept_table, study_folders
from izhires.analysis.metrics.base import ALL_EVENTS
from izhires.analysis.selection import by_cue
from izhires.analysis.statistics import ANGLE, ANY, FEW, POSITIVE, SHARE
from izhires.errors import ConfigurationError, RecordingError
from izhires.model.configuration import Configuration
from izhires.paradigms import Foreperiod
from izhires.recordings.recording import save

MEET = ("task", "model", "raster", "predictions", "learning_curve", "timing", "recalibration", "adaptation",
        "observers", "weight_space", "angles", "subspaces", "dynamics")  # fmt: skip
PARTICIPANT = ("task", "raster", "predictions", "learning_curve", "angles", "subspaces", "dynamics", "participant")


def configured():
    """Three seeds that also say how they were made."""
    return [each.assign_attrs(configuration=json.dumps(Configuration().to_dict())) for each in study(3)]


def single():
    return configured()[:1]


def all_spikes():
    """Two networks whose every spike was kept: cells of one rate, half of which fire at a time of their own."""
    return [spiking(seed) for seed in range(2)]


def spiking(seed):
    made = recording(experiment([Block({"A": 0.3, "B": 0.6}, {"A": 0.5, "B": 0.5}, trials=40)], seed=seed), seed=seed)
    rng = np.random.default_rng([5, seed])
    times, cells = [], []
    for cell in range(60):
        count = made.sizes["trial"]
        own = 0.01 * cell + rng.normal(0, 0.01, count) if cell % 2 else rng.uniform(0, 1.1, count)
        for later in (0, 0.03, 0.05):
            times.append(made["trial_cue"].values + np.clip(own, 0, 1.04) + later)
            cells.append(np.full(count, cell))
    order = np.argsort(np.concatenate(times))
    spikes = {
        f"spike_{name}": ("spike", np.concatenate(each)[order]) for name, each in (("time", times), ("neuron", cells))
    }
    settings = Configuration().with_changes(keep={"spikes": "all"})
    return made.drop_vars(list(spikes)).assign(spikes).assign_attrs(configuration=json.dumps(settings.to_dict()))


def people():
    """Four participants who answer the faster the readier the network is, each run with two seeds."""
    found = []
    for number in range(4):
        for made in participant(2):
            table = made["trial_latency"].values
            rng = np.random.default_rng([6, number])
            times = np.where(made["trial_event"].values == "go", 0.4 + 0.1 * rng.random(len(table)), np.nan)
            made["trial_response_time"] = ("trial", np.where(np.isnan(table), np.nan, times))
            found.append(made.assign_attrs(variant=f"sub-{number}"))
    return found


def streams():
    """An oddball with its controls on two seeds."""
    from test_metrics_stream import sequences

    return sequences()


DRAWN = [(name, configured) for name in MEET]
DRAWN += [(name, levels) for name in ("calibration", "levels", "weight_space")]
DRAWN += [(name, participant) for name in PARTICIPANT]
DRAWN += [(name, single) for name in MEET]
DRAWN += [(name, all_spikes) for name in ("dynamics", "selectivity")]
DRAWN += [("choice", lambda: choosing())]
DRAWN += [("response_times", people), ("conditions", lambda: conditions()), ("plastic_weights", lambda: plastic())]
DRAWN += [("foreperiod", lambda: foreperiods())]
DRAWN += [(name, streams) for name in ("stream", "transitions")]
DRAWN += [("interval_reproduction", lambda: reproduced())]
COMPOSED = [(f"figure_{number}", levels if number == 3 else configured) for number in range(1, 7)]


def conditions():
    return [each.assign_attrs(study=name) for name in ("default", "merged") for each in study(2)]


def foreperiods():
    """Two networks a distribution, whose predictions are the expectation."""
    paradigm = Foreperiod(trials=20)
    return [
        recording(paradigm.experiment(np.random.default_rng(seed), variant), seed=seed, states=False)
        for variant in paradigm.variants()
        for seed in range(2)
    ]


def reproduced():
    """Two networks under each of two priors that regress to the prior's mean, as recordings of one interval each."""
    return by_cue(
        [
            reproduction(lambda t, rng, to=to: 0.4 * to + 0.6 * t + rng.normal(0, 20), name, seed=seed, intervals=own)
            for name, own, to in (("lower", REPRODUCED[:4], 575), ("upper", REPRODUCED[3:], 725))
            for seed in (0, 1)
        ]
    )


def choosing():
    """Three networks that chose at random."""
    found = []
    for made in study(3):
        rng = np.random.default_rng([9, int(made.attrs["seed"])])
        shape, training = (made.sizes["trial"], made.sizes["event"]), made["trial_kind"].values == "train"
        payoff = np.where(training[:, None], rng.integers(0, 2, shape), np.nan)
        choice = rng.integers(0, shape[1], shape[0])
        more = {
            "trial_payoff": (("trial", "event"), payoff),
            "trial_choice_value": (("trial", "event"), rng.random(shape)),
            "trial_choice": ("trial", made["event"].values.astype(str)[choice]),
            "trial_choice_reward": ("trial", payoff[np.arange(shape[0]), choice]),
        }
        found.append(made.assign(more))
    return found


def plastic():
    """Three networks with two connections that learned, one with snapshots on the way."""
    found = []
    for made in study(3):
        rng = np.random.default_rng([8, int(made.attrs["seed"])])
        sizes = {"forward": rng.lognormal(0, 0.5, 300), "back": -rng.lognormal(0, 0.3, 200)}
        more = {
            f"{name}_weight": ((f"{name}_end", f"{name}_synapse"), np.stack([each, 1.5 * each]))
            for name, each in sizes.items()
        }
        more["forward_w_time"] = ("forward_w_time", np.arange(8) * 10.0)
        more["forward_w"] = (
            ("forward_w_time", "forward_w_element"),
            np.linspace(1, 1.4, 8)[:, None] * sizes["forward"],
        )
        found.append(made.assign(more).assign_attrs(duration=100.0))
    return found


@pytest.fixture(scope="module")
def recordings():
    made = {}

    def get(make):
        if make not in made:
            made[make] = make()
        return made[make]

    return get


@pytest.fixture(scope="module")
def prepared(recordings):
    made = {}

    def get(name, make):
        if (name, make) not in made:
            made[name, make] = all_figures()[name].tables(recordings(make))
        return made[name, make]

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


def check_texts(figure, monkeypatch):
    """Check that every text is inside the figure, large enough to read, and apart from all others."""
    texts = texts_of(figure, monkeypatch)
    assert len(texts) > 5
    for text, box in texts:
        assert figure.bbox.x0 - 0.5 <= box.x0 and box.x1 <= figure.bbox.x1 + 0.5, f"{text.get_text()!r} is clipped"
        assert figure.bbox.y0 - 0.5 <= box.y0 and box.y1 <= figure.bbox.y1 + 0.5, f"{text.get_text()!r} is clipped"
        assert 7 <= text.get_fontsize() <= 9
        assert "_" not in text.get_text(), f"{text.get_text()!r} is a name of the code"
    for (one, a), (other, b) in itertools.combinations(texts, 2):
        apart = a.x1 <= b.x0 + 1 or b.x1 <= a.x0 + 1 or a.y1 <= b.y0 + 1 or b.y1 <= a.y0 + 1
        assert apart, f"{one.get_text()!r} lies on {other.get_text()!r}"


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(("name", "make"), DRAWN, ids=[f"{n}-{m.__name__}" for n, m in DRAWN])
def test_drawing_neither_warns_nor_clips_nor_overlaps(name, make, columns, prepared, monkeypatch):
    declared, tables = all_figures()[name], prepared(name, make)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = declared.draw(tables, columns=columns)
        assert 25.4 * figure.get_figwidth() == pytest.approx({1: 88, 2: 180}[columns])
        check_texts(figure, monkeypatch)
    check_marks(figure)
    check_ranges(name, tables)
    for axes in figure.axes:
        spec = axes.get_subplotspec()
        assert axes.get_xlabel() or spec is None or not spec.is_last_row() or not axes.axison or axes.get_ylabel()


@pytest.mark.parametrize(("name", "make"), COMPOSED, ids=[name for name, _ in COMPOSED])
def test_figures_of_the_paper_fit_a_page_of_every_journal(name, make, prepared, monkeypatch):
    declared = all_figures()[name]
    rows = [[(all_figures()[panel], prepared(panel, make)) for panel in row] for row in declared.panels
            if set(row) - {"timing"} or make is not levels]  # fmt: skip
    for look, (width, letters) in {"nature": (183, "abcdef"), "pnas": (178, "ABCDEF")}.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figure = draw(rows, look)
            check_texts(figure, monkeypatch)
        check_marks(figure)
        said = [legend.get_title().get_text() for part in (figure, *subfigures(figure)) for legend in part.legends]
        assert sum("n = " in text for text in said) <= 1
        assert 25.4 * figure.get_figwidth() == pytest.approx(width)
        assert 25.4 * figure.get_figheight() < 247  # a page of Nature
        bold = [axes.get_title(loc="left") for part in (figure, *subfigures(figure)) for axes in part.axes]
        found = [each for each in dict.fromkeys(bold) if each]
        assert found == list(letters[: len(found)])
        assert len(found) == sum(len(one.captions) for row in rows for one, _ in row) or len(found) == 0


def check_marks(figure):
    """Check that no mark lies outside the axes that it is drawn in, where it would be cut off."""
    for axes in (axes for part in (figure, *subfigures(figure)) for axes in part.axes):
        for artist in (*axes.lines, *axes.collections, *axes.patches):
            if not artist.get_visible() or (artist.get_transform() != axes.transData and artist in axes.lines):
                continue  # lines across the whole axes, and those that are moved by points
            for points in data_of(artist):
                points = points[np.isfinite(points).all(axis=1)]
                for k, (low, high) in enumerate((sorted(axes.get_xlim()), sorted(axes.get_ylim()))):
                    slack = 1e-6 * (high - low) + 1e-12
                    inside = (points[:, k] >= low - slack) & (points[:, k] <= high + slack)
                    assert inside.all() or not artist.get_clip_on(), (
                        f"{type(artist).__name__} {artist.get_label()!r} of {axes.get_ylabel()!r} against "
                        f"{axes.get_xlabel()!r}: {points[~inside][:3]} beyond {'xy'[k]} {low:g} to {high:g}"
                    )


def data_of(artist):
    """Return the points of an artist in the coordinates of the data, as (point, 2)."""
    if isinstance(artist, Line2D):
        return [np.asarray(artist.get_xydata(), float)]
    if isinstance(artist, Rectangle):  # bars; a span across the axes has other coordinates
        whole = artist.get_transform() != artist.get_patch_transform() + artist.axes.transData
        return [] if whole else [artist.get_bbox().get_points()]
    if isinstance(artist, PathCollection):
        return [np.asarray(artist.get_offsets(), float)]
    if isinstance(artist, (LineCollection, PolyCollection)):
        return [path.vertices for path in artist.get_paths()]
    return []


RANGES = {
    "adaptation": {"rate": ANY, "tau_mean": POSITIVE, "overshoot": ANY},
    "angles": {"null": ANGLE},
    "calibration": {"mean": POSITIVE},
    "choice": {"better": SHARE, "stay": SHARE},
    "conditions": {"error": POSITIVE},
    "dynamics": {"rate": SHARE, "state": (-1, np.inf), "spiking": (-1, np.inf)},
    "foreperiod": {"prediction": POSITIVE},
    "interval_reproduction": dict.fromkeys(("prediction", "produced", "deviation", "observer"), POSITIVE),
    "learning_curve": {"error": POSITIVE, "bounds": POSITIVE},
    "levels": {"prediction": POSITIVE},
    "observers": {"probability": SHARE, "error": POSITIVE},
    "participant": {"prediction": POSITIVE},
    "predictions": {"prediction": POSITIVE},
    "recalibration": {"error": POSITIVE, "recovery": POSITIVE},
    "response_times": {"participants": ANY, "seeds": ANY},
    "selectivity": {"share": SHARE},
    "stream": {"response": (-np.inf, 1), "run": (-np.inf, 1), "omission": POSITIVE},
    "subspaces": {"course": ANGLE, "covariance": ANGLE},
    "plastic_weights": {"share": SHARE},
    "timing": {"width": POSITIVE, "peak": ANY, "scalar": ANY},
    "transitions": {"expected": ANY},
    "weight_space": {"correlation": SHARE, "way": POSITIVE},
}
"""What each spread that a figure draws can be, table by table."""


def check_ranges(name, tables):
    """Check that no interval leaves the range of its quantity, and that each holds its mean."""
    for table, rows in tables.items():
        if not {"low", "high"} <= set(rows.columns):
            continue
        least, most = RANGES[name][table]
        low, high, mean = (
            rows[column].dropna().to_numpy(float) for column in ("low", "high", "mean" if "mean" in rows else "r")
        )
        assert (low >= least - 1e-9).all() and (high <= most + 1e-9).all(), f"{table}: {low.min():g} to {high.max():g}"
        assert (mean >= least - 1e-9).all() and (mean <= most + 1e-9).all()
        both = rows.dropna(subset=["low", "high"])
        mean = both["mean" if "mean" in both else "r"]
        assert (both["low"] <= mean + 1e-9).all() and (mean <= both["high"] + 1e-9).all()


def subfigures(figure):
    for each in figure.subfigs:
        yield each
        yield from subfigures(each)


@pytest.mark.parametrize("kind", ["line", "band", "error bar", "points", "bar"])
def test_marks_that_are_cut_off_are_found(kind):
    figure, ((axes,),) = style.canvas(width=3, height=2)
    table = pd.DataFrame({"x": [0.0, 1], "mean": [0.5, 1], "low": [0.4, 0.8], "high": [0.6, 1.5]})
    if kind == "line":
        axes.plot([0, 1], [0.5, 1.5])
    elif kind == "band":
        style.band(axes, table, "x")
    elif kind == "error bar":
        style.points(axes, [0, 1], table)
    elif kind == "points":
        axes.scatter([0, 1], [0.5, 1.5])
    else:
        axes.bar([0, 1], [0.5, 1.5])
    check_marks(figure)
    axes.set_ylim(0, 1.2)
    with pytest.raises(AssertionError, match=r"beyond y 0 to 1\.2"):
        check_marks(figure)


MANY = ("learning_curve", "predictions", "recalibration")


@pytest.mark.parametrize("name", MANY)
def test_intervals_of_many_seeds_stay_within_their_range_and_their_axes(name, monkeypatch):
    made = study(FEW, noise=0.3)
    tables = all_figures()[name].tables(made)
    check_ranges(name, tables)
    for column in ("low", "high"):  # intervals, not the range of the seeds
        assert len(tables[{"predictions": "prediction"}.get(name, "error")][column].unique()) > 2
    figure = all_figures()[name].draw(tables)
    check_texts(figure, monkeypatch)
    check_marks(figure)
    assert any("95% interval" in legend.get_title().get_text() for legend in figure.legends)
    assert "95% t-interval of the mean of 6 seeds" in spread_said([tables])[0]


def test_blocks_are_called_as_they_were_named():
    settings = Configuration().to_dict()
    for block, name in zip(settings["paradigm"]["blocks"], ("baseline", "late", "rare", ""), strict=True):
        block["name"] = name
    made = [recording(seed=seed).assign_attrs(configuration=json.dumps(settings)) for seed in range(2)]
    found = {}
    for name in ("predictions", "recalibration", "task"):
        figure = all_figures()[name].draw(all_figures()[name].tables(made))
        said = [axes.get_title() for axes in figure.axes]
        said += [text.get_text() for axes in figure.axes for text in axes.texts]
        found[name] = [text for text in said if text]
    assert found["predictions"] == ["baseline", "late", "rare", "block 3"]
    new = ["late: new timing", "rare: new probability", "block 3: new timing and probability"]
    assert found["recalibration"][:3] == new
    assert {"baseline", "late", "rare", "block 3"} <= set(found["task"])


def test_every_figure_says_what_it_shows():
    for declared in all_figures().values():
        assert declared.title
        if declared.panels:
            assert {panel for row in declared.panels for panel in row} <= set(all_figures())
            continue
        for text in (*declared.captions, declared.alt):
            assert text.endswith(".") and "  " not in text
        assert declared.caption().startswith("a, ") == (len(declared.captions) > 1)
        assert len(declared.alt) > 40


def test_prepared_predictions_are_those_before_and_after_each_block(recordings):
    made = recordings(study)
    tables = all_figures()["predictions"].tables(made)
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
    tables = all_figures()["learning_curve"].tables(made)
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
    tables = all_figures()["recalibration"].tables(made)
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
    tables = all_figures()["calibration"].tables(made)
    assert len(tables["amplitude"]) == 3 * 11 * 2 and len(tables["mean"]) == 22
    assert tables["mean"]["mean"].to_numpy() == pytest.approx(tables["mean"]["probability"].to_numpy())
    assert tables["correlation"].set_index("event")["r"].to_dict() == pytest.approx({"A": 1, "B": -1})


def test_prepared_angles_are_those_of_the_table(recordings):
    made = recordings(study)
    tables = all_figures()["angles"].tables(made)
    table = analyse(made, only=["angle", "angle_without_mean"])
    assert len(tables["observed"]) == 2 * 2 * 4 * 5 and len(tables["null"]) == 2 * 2 * 4 * 2
    shown = tables["null"].query("kind == 'angle' and size == 'smallest' and null == 'covariance' and block == 3")
    expected = table[(table["metric"] == "angle.smallest_covariance_low") & (table["block"] == 3)]["value"].mean()
    assert shown["low"].iloc[0] == pytest.approx(expected)


def test_prepared_subspaces_are_those_of_every_probe(recordings):
    from izhires.analysis.metrics.subspaces import course  # here: metrics are listed in the order of their import

    made = recordings(configured)
    tables = all_figures()["subspaces"].tables(made)
    expected = np.mean([course(each, without_mean=True)["overlap"].to_numpy() for each in made], axis=0)
    shown = tables["course"].query("kind == '_without_mean' and measure == 'overlap'").sort_values("trial")
    assert shown["mean"].to_numpy() == pytest.approx(expected) and (shown["seeds"] == 3).all()
    table = analyse(made, only=["angle"])
    wanted = table[(table["metric"] == "angle.smallest_covariance_high") & (table["block"] == 2)]["value"].mean()
    bar = tables["covariance"].query("kind == '' and measure == 'smallest' and block == 2")
    assert bar["high"].iloc[0] == pytest.approx(wanted) and bar["trial"].iloc[0] == 300


def test_prepared_weight_space_is_that_of_the_table(recordings):
    made = recordings(levels)
    table = analyse(made, only=["weight_space"])
    wanted = table[table["metric"] == "weight_space.pc1_probability"]["value"].mean()
    correlation = all_figures()["weight_space"].tables(made)["correlation"]
    assert correlation.set_index("level").loc["probability", "r"] == pytest.approx(wanted)
    tables = all_figures()["weight_space"].tables(recordings(configured))
    assert tables["correlation"].empty  # of four blocks
    for _, own in tables["ends"].groupby("seed"):  # drawn so that it rises
        assert np.corrcoef(own["PC1"], own["probability"])[0, 1] >= 0
    last = tables["way"].query("block_trial == 100")
    assert len(last) == 6 and last["mean"].abs().max() < 1e-9


def test_prepared_timing_has_the_width_and_delay_of_the_prediction():
    made = [recording(seed=seed, shift=0.01) for seed in range(2)]
    tables = all_figures()["timing"].tables(made)
    assert tables["peak"]["mean"].to_numpy() == pytest.approx(10, abs=0.5)
    assert tables["width"]["mean"].to_numpy() == pytest.approx(40, abs=0.1)
    assert list(tables["width"]["latency"]) == [300, 500, 600, 800]
    assert tables["scalar"].set_index("part").loc["slope", "mean"] == pytest.approx(0, abs=1e-4)


def test_prepared_adaptation_is_that_of_the_table():
    made = [recording(seed=seed, tau=5.0) for seed in range(2)]
    tables = all_figures()["adaptation"].tables(made)
    assert tables["tau"]["value"].to_numpy() == pytest.approx(5, rel=1e-2)
    table = analyse(made, only=["learning_rate"])
    wanted = table[(table["metric"] == "learning_rate.bayes_late") & (table["block"] == 1)]["value"].mean()
    shown = tables["rate"].query("who == 'bayes_' and stretch == 'late' and block == 1")
    assert shown["mean"].iloc[0] == pytest.approx(wanted)


def test_prepared_dynamics_count_every_cell_that_fires(recordings):
    made = recordings(all_spikes)
    tables = all_figures()["dynamics"].tables(made)
    assert tables["rate"].groupby("kind")["mean"].sum().to_numpy() == pytest.approx([1, 1])
    at = tables["rate"].query("kind == 'excitatory' and mean > 0")
    assert (at["left"] <= 4).all() and (at["right"] > 4).all()
    table = analyse(made, only=["fano_factor"])
    wanted = table[table["metric"] == "fano_factor.excitatory"]["value"].mean()
    shown = tables["spiking"].query("metric == 'fano_factor' and part == 'excitatory'")
    assert shown["mean"].iloc[0] == pytest.approx(wanted)


def test_prepared_selectivity_finds_the_cells_that_have_a_time(recordings):
    share = all_figures()["selectivity"].tables(recordings(all_spikes))["share"].set_index("part")["mean"]
    assert share["when_only"] + share["both"] == pytest.approx(0.5, abs=0.1)  # every other cell
    assert share["what"] < 0.1


def test_prepared_response_times_are_those_of_the_table(recordings):
    made = recordings(people)
    tables = all_figures()["response_times"].tables(made)
    table = analyse(made, only=["response_time"])
    wanted = table[table["metric"] == "response_time.slope"].groupby("seed")["value"].first()
    assert tables["participants"]["mean"].mean() == pytest.approx(wanted.mean())
    assert list(tables["seeds"]["seed"]) == [0, 1] and len(tables["participants"]) == 4
    assert (tables["seeds"]["chance_low"] < 0).all() and (tables["seeds"]["chance_high"] > 0).all()


def test_the_model_is_that_of_the_configuration(recordings):
    boxes = all_figures()["model"].tables(recordings(configured))["boxes"].set_index("box")["text"]
    assert "sequence" in boxes["reservoir"] and "60 Izhikevich cells" in boxes["reservoir"]
    assert "uncertainty three factor" in boxes["when"] and boxes["gate"] == "gate: event window"
    settings = Configuration().to_dict()
    settings["when"]["feedback"] = "0 mV/ms"
    made = recording(states=False).assign_attrs(configuration=json.dumps(Configuration.parse(settings).to_dict()))
    assert all_figures()["model"].tables([made])["boxes"].set_index("box")["text"]["feedback"] == ""


def kept(folder, made):
    for each in made:
        folder.mkdir(parents=True, exist_ok=True)
        save(each, folder / f"{each.attrs['variant']}{each.attrs['seed']}.nc")
    return folder


def test_metrics_are_taken_from_a_table_of_these_recordings_only(tmp_path, recordings):
    made = recordings(configured)[:2]
    kept(tmp_path, made)
    assert kept_table(tmp_path, made) is None
    table = analyse(made, only=["angle", "angle_without_mean"])
    table.to_csv(tmp_path / "metrics.csv", index=False)
    found = kept_table(tmp_path, made)
    pd.testing.assert_frame_equal(found, table, check_dtype=False)
    assert kept_table(tmp_path, recordings(configured)) is None  # a seed more
    marked = found.assign(value=found["value"].where(found["metric"] != "angle.smallest", 12.0))
    shown = all_figures()["angles"].tables(made, marked)["observed"]
    assert (shown[(shown["kind"] == "angle") & (shown["size"] == "smallest")]["angle"] == 12).all()
    os.utime(tmp_path / "metrics.csv", (0, 0))  # older than the recordings
    assert kept_table(tmp_path, made) is None
    (tmp_path / "metrics.csv").write_text("a,b\n1,2\n")
    assert kept_table(tmp_path, made) is None


def test_each_figure_is_of_the_first_study_that_allows_it(tmp_path, recordings):
    kept(tmp_path / "a_levels", recordings(levels))
    kept(tmp_path / "default", [recording(states=False)])
    assert [each.name for each in study_folders(tmp_path)] == ["default", "a_levels"]  # as they are declared
    assert study_folders(tmp_path / "default") == [tmp_path / "default"]
    studies = [([recording(states=False)], None), (recordings(levels), None)]
    drawn = list(prepare_all(studies, ["figure_3", "learning_curve", "raster"]))
    assert [each.declared.name for each in drawn[:2]] == ["learning_curve", "figure_3"]  # as they are ready
    assert drawn[0].tables["error"]["mean"].iloc[0] == pytest.approx(0.1369, abs=1e-3)
    assert drawn[1].caption.startswith("a, Amplitude") and "b, Cue-only prediction" in drawn[1].caption
    assert drawn[2].startswith("raster: needs state_trace")
    with pytest.raises(RecordingError, match="no such folder"):
        study_folders(tmp_path / "nowhere")


def test_studies_stand_side_by_side_of_whatever_folders(tmp_path, recordings, monkeypatch):
    one, other = ([each.assign_attrs(study=name) for each in recordings(study)] for name in ("mine", "theirs"))
    (made,) = prepare_all([(one, None), (other, None)], ["conditions"])
    assert set(made.tables["error"]["study"]) == {"mine", "theirs", "predicting nothing"}
    assert list(prepare_all([(one, None)], ["conditions"])) == [
        "conditions: needs recordings of two or more studies: name a folder of their folders"
    ]
    another = [each.assign_attrs(study="levels") for each in recordings(levels)]
    assert list(prepare_all([(one, None), (another, None)], ["conditions"])) == [
        "conditions: the study 'levels' has another task than 'mine'"
    ]
    monkeypatch.setattr("izhires.analysis.figures.base.SIDE_BY_SIDE", 1)
    assert list(prepare_all([(one, None), (other, None)], ["conditions"])) == [
        "conditions: shows at most 1 studies side by side, and there are more"
    ]


def test_styles_that_are_not_there_are_said(tmp_path):
    with pytest.raises(ConfigurationError, match="'natur' is not a style, did you mean 'nature'"):
        make_figures([recording(states=False)], tmp_path, only=["learning_curve"], style="natur")
    with pytest.raises(ConfigurationError, match="must be 1 or 2, got 3"):
        make_figures([recording(states=False)], tmp_path, only=["learning_curve"], columns=3)


def test_the_raster_is_sorted_by_another_probe_and_shows_every_spike(recordings):
    made = recordings(study)[0]
    tables = all_figures()["raster"].tables([made])
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


def test_a_cell_that_fires_alone_is_seen_however_many_there_are():
    traces = np.zeros((1000, 7))
    traces[[0, 123, 457, 999], [0, 1, 2, 3]] = 1
    shown = largest_of_rows(traces)
    assert len(shown) == ROWS and (shown.max(axis=0) == traces.max(axis=0)).all()
    assert [int(shown[:, k].argmax()) for k in range(4)] == [0, 37, 137, ROWS - 1]  # where the raster has them
    assert len(largest_of_rows(traces[:60])) == 60


def test_no_word_is_broken_in_a_box():
    assert wrapped("prediction: what \u00d7 when", 8) == ["prediction:", "what \u00d7", "when"]
    assert wrapped("three-factor", 5) == ["three-factor"]


def test_an_observer_has_one_colour_in_all_figures():
    assert colours(["bayes", "bayes_told"])["bayes"] == colours(["bayes_told", "hgf", "bayes"])["bayes"]
    mine = colours(["mine", "bayes"])
    assert mine["bayes"] == colours(["bayes"])["bayes"] != mine["mine"]


def test_the_task_is_that_of_the_trial_table(recordings):
    made = recordings(study)[0]
    tables = all_figures()["task"].tables([made])
    assert len(tables["trials"]) == 400 and list(tables["trials"]["trial"]) == list(range(1, 401))
    blocks = tables["blocks"].set_index(["block", "event"])
    assert blocks.loc[(2, "B"), ["latency", "probability", "first", "last"]].to_list() == pytest.approx(
        [0.8, 0.8, 201, 300]
    )
    cue = tables["trial"].query("lane == 'cue' and value > 0")["time"]
    assert cue.min() == 0 and len(cue) == 50


def test_the_participants_latencies_are_counted(recordings):
    tables = all_figures()["participant"].tables(recordings(participant))
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
    prepared = all_figures()["learning_curve"].tables([recording(states=False)])["error"]
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


def test_several_processes_make_the_files_of_one(tmp_path, monkeypatch):
    import matplotlib

    monkeypatch.setenv("MPLCONFIGDIR", matplotlib.get_cachedir())  # the fonts that this process knows
    only = ["learning_curve", "predictions", "figure_2", "raster"]
    alone = make_figures([recording(states=False)], tmp_path / "a", only)
    together = make_figures([recording(states=False)], tmp_path / "b", only, processes=2)
    assert [path.name for path in alone.paths] == [path.name for path in together.paths]
    for one, other in zip(alone.paths, together.paths, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    assert alone.skipped == together.skipped
    assert together.skipped[0].startswith("raster: needs")


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
        figures["predictions"].tables(recordings(levels))
    with pytest.raises(Unavailable, match="varying latencies"):
        figures["participant"].tables(recordings(study))
    with pytest.raises(Unavailable, match="needs a switch"):
        figures["recalibration"].tables([recording(experiment([Block({"A": 0.3}, {"A": 1.0})]))])


def test_the_style_leaves_no_trace():
    import matplotlib

    before = dict(matplotlib.rcParams)
    for name in style.LOOKS:
        with matplotlib.rc_context({"axes.facecolor": "black", "font.size": 20}), style.applied(name):
            assert matplotlib.rcParams["pdf.fonttype"] == 42 and 7 <= matplotlib.rcParams["font.size"] <= 8
            assert matplotlib.rcParams["axes.facecolor"] == "white"  # a user's own look stays outside
    assert dict(matplotlib.rcParams) == before


def test_foreperiods_are_drawn_beside_probability_and_hazard(recordings):
    made = [each for each in recordings(foreperiods) if each.attrs["variant"] in ("uniform", "gaussian")]
    tables = all_figures()["foreperiod"].tables(made)
    shown, wanted = tables["prediction"], tables["candidates"]
    assert set(shown["condition"]) == {"uniform", "gaussian"}
    assert shown.groupby("condition")["mean"].mean().to_numpy() == pytest.approx(np.ones(2))
    assert (shown["seeds"] == 2).all()
    for condition, own in wanted.groupby("condition"):
        of = own.pivot(index="time", columns="candidate", values="course")
        assert of.mean().to_numpy() == pytest.approx(np.ones(4))
        # the prediction of these networks is the expectation; the hazard comes later
        course = shown[shown["condition"] == condition]["mean"].to_numpy()
        np.testing.assert_allclose(course, of["probability"], atol=1e-6)
        late = of.mul(of.index, axis=0).mean()
        assert late["survivor"] > late["probability"] and late["blurred_survivor"] > late["blurred_probability"]
    with pytest.raises(Unavailable, match="needs predictions of events with several latencies"):
        all_figures()["foreperiod"].tables(recordings(single))
