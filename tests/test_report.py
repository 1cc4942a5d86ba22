import functools
import http.server
import itertools
import json
import re
import shutil
import subprocess
import threading
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from synthetic import levels, recording, study
from terminal import izhires

from izhires.analysis import analyse
from izhires.analysis.report import make_report, write_report
from izhires.analysis.report.contents import headlines
from izhires.analysis.report.film import film
from izhires.analysis.report.page import LARGEST, number
from izhires.errors import RecordingError
from izhires.model.configuration import Configuration
from izhires.recordings.recording import save

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FACTS = {
    "configuration": json.dumps(Configuration().to_dict()),
    "versions": json.dumps({"izhires": "0.1.0", "brian2": "2.9.0"}),
    "schedule": "state_filter (CodeRunner) | state | 1. ms",
    "created": "2026-01-02T03:04:05+00:00",
    "device": "cpp",
    "run_seconds": 5.0,
}


def kept(folder, made):
    folder.mkdir(parents=True)
    for each in made:
        save(each, folder / f"{each.attrs['paradigm']}_{each.attrs['variant']}_{each.attrs['seed']}.nc")
    return folder


MEASURED = ("mean_rate", "error", "error_zero_output", "peak_error", "angle", "angle_without_mean", "response_time",
            "adaptation", "learning_rate", "weight_space", "subspace", "scalar_timing", "reliability")  # fmt: skip


def measured(folder, made, metrics=MEASURED):
    """Keep a table of some metrics beside recordings, so that a page need not compute them all."""
    analyse(made, only=metrics).to_csv(folder / "metrics.csv", index=False)


@pytest.fixture(scope="module")
def meet(tmp_path_factory):
    """A folder of three seeds with all facts, and its page."""
    made = [each.assign_attrs(FACTS) for each in study(3)]
    folder = kept(tmp_path_factory.mktemp("report") / "meet", made)
    measured(folder, made)
    return folder, write_report(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Folders as `izhires reproduce` makes them: two studies, levels of probability, and one without weights."""
    folder = tmp_path_factory.mktemp("report") / "several"
    kept(folder / "default", [each.assign_attrs(FACTS) for each in study(2)])
    kept(folder / "no_gate", study(2, shift=0.02))
    kept(folder / "levels", levels(2))
    kept(folder / "bare", [recording(states=False).drop_vars(["what_weights", "when_weights", "mean_state"])])
    row = {"claim": "a", "statement": "the error falls", "published": "0.44", "measured": "ratio", "unit": "1",
           "ours": 0.13, "ours_low": 0.1, "ours_high": 0.2, "control": 1.0, "control_low": 0.9, "control_high": 1.1,
           "control_is": "a counter", "verdict": "supported", "construction": "it is a counter"}  # fmt: skip
    pd.DataFrame([row]).to_csv(folder / "claims.csv", index=False)
    return folder, make_report(folder)


class Page(HTMLParser):
    """Every tag with its attributes, and the text of the whole page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words.append(data)

    def of(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.mark.parametrize("which", ["meet", "several"])
def test_a_page_is_accessible_whole_and_needs_no_network(which, request):
    _, text = request.getfixturevalue(which)
    page = Page(text)
    assert len(text.encode()) < LARGEST
    # nothing is fetched: what is loaded is within the page
    for attributes in page.of("img", "script", "link", "iframe", "source"):
        for name in ("src", "href"):
            assert attributes.get(name, "data:").startswith("data:")
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", text)
    assert page.of("html")[0]["lang"] == "en" and len(page.of("title")) == 1 and len(page.of("main")) == 1
    assert all(len(image["alt"]) > 40 for image in page.of("img")) and len(page.of("img")) > 8
    assert all(cell.get("scope") in ("col", "row") for cell in page.of("th"))
    heights = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert heights.count(1) == 1 and heights[0] == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(heights))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes["href"][1:] for attributes in page.of("a")]
    assert set(targets) <= set(ids) and len(targets) > 30
    labelled = {attributes.get("for") for attributes in page.of("label")}
    assert {attributes["id"] for attributes in page.of("input", "select")} <= labelled
    for attributes in page.of("div"):  # what scrolls can be reached and has a name
        assert "scroll" not in attributes.get("class", "") or (
            attributes["tabindex"] == "0" and attributes["aria-label"]
        )


def test_a_page_says_what_was_run_and_how_to_repeat_it(meet):
    text = Page(meet[1]).text
    for words in ("Seeds 0 to 2 (3)", "Device cpp", "brian2 2.9.0", "2026-01-02T03:04:05+00:00", "state_filter",
                  "izhires run meet --config configuration.toml --seeds 0:3 --out meet", "@software{izhires",
                  "10.7554/eLife.47314", "half_width", "[when.gate]"):  # fmt: skip
        assert words in text, words
    assert re.search(r"when\.gate\.half_width 150\.0 ms .*? assumed", text)
    assert "not drawn: calibration: needs recordings of one block each, at several probabilities" in text
    assert "not computed: response_time.readiness: needs trial_response_time" in text


def test_numbers_are_those_of_the_table_and_lead_to_their_definition(meet):
    table = analyse(study(3), only=["error", "error_zero_output"])
    first = next(row for row in headlines(table) if row["name"] == "error.last")
    own = table[(table["metric"] == "error.last") & (table["event"] == "all events")]
    assert first["value"][0] == pytest.approx(own.groupby("seed")["value"].mean().mean()) and first["value"][3] == 3
    assert first["chance"][0] == pytest.approx(
        table[(table["metric"] == "error_zero_output") & (table["event"] == "all events")]["value"].mean()
    )
    shown = number(first["value"][0])
    assert f'<a href="#is-error--last">{shown}</a>' in meet[1]
    assert '<dt id="is-error--last">error.last</dt>' in meet[1]


def test_numbers_of_all_sizes_can_be_read():
    assert [number(each) for each in (0.01234, -2.0, 123456.0, 1e-9, 0.0, float("nan"), float("inf"), None)] == [
        "0.0123", "\u22122", "1.23\u00d710^5", "1\u00d710^\u22129", "0", "", "never", "",
    ]  # fmt: skip


def test_studies_are_compared_in_one_table(several):
    text = several[1]
    page = Page(text)
    for name in ("default", "no_gate", "levels", "bare"):
        assert f'<th scope="row">{name}</th>' in text
    assert (
        "the error falls" in page.text and "supported, holds by construction" in page.text and "a counter" in page.text
    )
    worse = analyse(study(2, shift=0.02), only=["peak_error"])
    late = worse[worse["metric"] == "peak_error.absolute"]["value"].mean()
    row = text.partition('<th scope="row">no_gate</th>')[2].partition("</tr>")[0]
    assert f'<a href="#is-peak-error--absolute">{number(late)}</a>' in row
    assert "bare: the recordings do not say: configuration, versions, schedule, created" in page.text
    images = [each["alt"] for each in page.of("img")]
    assert any("probability of the first event" in alt for alt in images)  # of the levels, which the first has not


def test_what_a_poor_recording_lacks_is_said_in_one_line_each(tmp_path):
    bare = recording(states=False)
    bare = bare.isel(trial=bare["trial_kind"].values != "probe", probe=slice(0, 0))
    text = Page(make_report(kept(tmp_path / "none", [bare]))).text
    assert "film of meet: needs probes, and the recording holds none" in text
    assert "not drawn: learning_curve: needs probes, and the recording holds none" in text
    assert "mean_rate" in text and "rate of excitatory cells" in text
    single = kept(tmp_path / "one", [recording(states=False)])
    measured(single, [recording(states=False)], ["error"])
    one = make_report(single)
    assert '"low"' not in one.partition('id="film-data"')[2].partition("</script>")[0]
    foreign = recording(states=False)
    own = Configuration().to_dict()
    own["when"]["rule"] = {"type": "mine", "rate": "1.0 1/ms"}  # of a script that is not imported here
    foreign.attrs["configuration"] = json.dumps(own)
    text = Page(make_report(kept(tmp_path / "own", [foreign]))).text
    assert "so its sources are not listed: when.rule.type: 'mine' is not a rule" in text
    assert "when.rule.rate" in text
    (tmp_path / "own" / "meet__0.nc").unlink()
    (tmp_path / "none" / "meet__0.nc").unlink()
    (tmp_path / "one" / "meet__0.nc").unlink()
    with pytest.raises(RecordingError, match="no recording"):
        make_report(tmp_path)


def test_a_film_is_the_mean_over_seeds_of_every_probe():
    made = study(3)
    shown = film(made, "meet")
    assert shown["name"] == "meet" and shown["seeds"] == 3 and shown["events"] == ["A", "B"]
    assert len(shown["probes"]) == made[0].sizes["probe"]
    step = round((shown["time"][1] - shown["time"][0]) / 0.001)
    mean = np.mean([each["prediction"].values for each in made], 0)[:, :, ::step]
    assert np.abs(np.array(shown["mean"]) - 1000 * mean).max() <= 0.5 + 1e-9
    assert (np.array(shown["low"]) <= np.array(shown["high"])).all()
    assert np.abs(np.array(shown["expectation"]["2"])[1].max() - 800) <= 1
    assert shown["probes"][-1][:3] == [3, 100, 400]
    short = film(made, "meet", numbers=20_000)
    assert np.size(short["mean"]) * 3 <= 20_000 and short["probes"][-1] == shown["probes"][-1]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


FRAME = """<!DOCTYPE html><html lang="en"><head><title>frame</title><link rel="icon" href="data:,"></head><body>
<iframe src="report.html" style="width:{width}px;height:800px;border:0"></iframe><pre id="found"></pre><script>
const frame = document.querySelector("iframe"), errors = [];
frame.addEventListener("load", () => {{
  const page = frame.contentDocument, slider = page.getElementById("film-slider");
  frame.contentWindow.addEventListener("error", (event) => errors.push(event.message));
  const part = (name) => page.getElementById("film-" + name);
  const read = () => [part("said").textContent, part("picture").querySelectorAll("path").length,
                      part("picture").innerHTML];
  const first = read();
  slider.focus();
  slider.value = slider.max;
  slider.dispatchEvent(new Event("input"));
  const last = read();
  page.getElementById("film-play").click();
  const playing = page.getElementById("film-play").textContent;
  page.getElementById("film-play").click();
  page.querySelectorAll("details").forEach((each) => {{ each.open = true; }});
  const root = page.documentElement;
  document.getElementById("found").textContent = JSON.stringify({{
    first: first.slice(0, 2), last: last.slice(0, 2), moved: first[2] !== last[2], playing, errors,
    focused: page.activeElement === slider || page.activeElement.id, shown: !part("box").hidden,
    width: root.clientWidth, scroll: root.scrollWidth,
    images: [...page.images].map((each) => each.naturalWidth),
    loaded: frame.contentWindow.performance.getEntriesByType("resource").map((each) => each.name)
      .filter((name) => !name.startsWith("data:")),
    small: [...page.querySelectorAll("button,input,select")].filter((each) => each.offsetHeight < 40).length,
  }});
}});
</script></body></html>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: apt-get install chromium)")
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_the_page_without_errors(width, meet, tmp_path):
    (tmp_path / "report.html").write_text(meet[1], encoding="utf-8")
    (tmp_path / "frame.html").write_text(FRAME.format(width=width), encoding="utf-8")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--virtual-time-budget=3000",
            f"--window-size={width + 200},900", "--dump-dom", f"http://127.0.0.1:{server.server_port}/frame.html",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        server.shutdown()
    assert "CONSOLE" not in done.stderr, re.findall(r".*CONSOLE.*", done.stderr)
    found = json.loads(re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)[1].replace("&amp;", "&"))
    assert found["errors"] == [] and found["loaded"] == []
    assert found["scroll"] <= found["width"] <= width  # nothing is wider than the window, also when all is open
    assert found["first"][0].startswith("Block 0, after 0 of its training trials (0 in all): error 0.13")
    assert found["last"][0].startswith("Block 3, after 100 of its training trials (400 in all): error 0.0")
    assert found["last"][1] == 2 * 4 and found["moved"] and found["shown"] and found["focused"] is True
    assert found["playing"] == "Pause" and found["small"] == 0
    assert min(found["images"]) > 100


def test_on_the_command_line(tmp_path):
    folder = kept(tmp_path / "meet", [recording(states=False)])
    measured(folder, [recording(states=False)], ["error"])
    done = izhires("report", folder, "--out", tmp_path / "page.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(re.escape(str(tmp_path / "page.html")) + r" \(\d\.\d MB\)\n", done.stdout)
    done = izhires("report", tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    assert done.returncode == 5 and done.stderr == f"izhires: {tmp_path / 'nowhere'}: there is no such folder\n"
