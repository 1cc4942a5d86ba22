"""The bibliography has what the sources name, and a folder gets exactly what it used."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import synthetic

from izhires.cli.list import tables
from izhires.errors import RecordingError
from izhires.model.configuration import Configuration
from izhires.recordings import citations
from izhires.recordings.citations import bibliography, cite, declared, identifiers, used
from izhires.recordings.recording import save

DEFAULT = {
    "izhires", "stimberg2019", "yamada2026", "izhikevich2003", "abeles1991", "macdonald2011", "nagumo1967",
    "aitchison2021", "page1954", "pearce1980", "yu2005",
}  # fmt: skip
"""What the default configuration of MEET stands on."""


def keys(text):
    return re.findall(r"^@\w+\{([^,]+),", text, flags=re.MULTILINE)


def folder(path, *, device="cpp", metrics=(), **configuration):
    """A folder with a recording of this configuration, and the table of these metrics."""
    made = Configuration(**configuration).to_dict()
    recording = synthetic.recording(neurons=10).assign_attrs(
        paradigm=made["paradigm"]["type"], configuration=json.dumps(made), device=device, git_commit="abc123",
        versions=json.dumps({"izhires": "1.2.3"}),
    )  # fmt: skip
    save(recording, path / "meet_seed0.nc")
    if metrics:
        table = pd.DataFrame({"metric": metrics, "value": [None if "missing" in each else 1.0 for each in metrics]})
        table.assign(metric=table["metric"].str.replace(" missing", "")).to_csv(path / "metrics.csv", index=False)
    return path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Page (1954), doi 10.1093/biomet/41.1-2.100; surprise", ["10.1093/biomet/41.1-2.100"]),
        ("Yamada & Chao (arXiv 2510.14382); its rate", ["2510.14382"]),
        ("(Phipson & Smyth 2010, doi 10.2202/1544-6115.1585).", ["10.2202/1544-6115.1585"]),
        ("doi:10.1038/s42003-026-10836-2, arXiv:2510.14382v2", ["10.1038/s42003-026-10836-2", "2510.14382"]),
        ("doi 10.1016/S0006-3495(67)86597-4; elephant", ["10.1016/s0006-3495(67)86597-4"]),
        ("(doi 10.1016/0167-2789(85)90011-9)", ["10.1016/0167-2789(85)90011-9"]),
        ("this project; 2510.14382 volts; version 10.5", []),
    ],
)
def test_identifiers_in_a_text(text, found):
    assert identifiers(text) == found


def entries():
    """Return the fields of every entry of the bibliography by its key."""
    text = Path(citations.__file__).with_name("bibliography.bib").read_text(encoding="utf-8")
    parts = re.split(r"^(?=@)", text, flags=re.MULTILINE)[1:]
    return {keys(part)[0]: dict(re.findall(r"^  (\w+) = \{(.*)\},$", part, flags=re.MULTILINE)) for part in parts}


def test_every_entry_is_complete_and_says_what_was_not_looked_up():
    found = entries()
    assert len(found) > 80 and list(found) == sorted(found)
    for key, fields in found.items():
        assert fields.keys() >= {"title", "author", "year"}, key
        assert fields.keys() & {"doi", "annote", "note", "eprint"}, key
        assert re.fullmatch(r"(1[89]|20)\d\d", fields["year"]), key
        assert re.fullmatch(r"10\.\d{4,9}/\S+", fields.get("doi", "10.1234/x")), key
    assert len({fields["title"].lower() for fields in found.values()}) == len(found)
    # and so it stands in what `izhires cite` prints, in a field that no style sets
    assert "not looked up" in found["nagumo1967"]["annote"]
    assert not any("looked up" in fields.get("note", "") for fields in found.values())
    assert "DOI not looked up" in bibliography()["10.1109/tac.1967.1098599"].text


def test_the_paper_has_one_year_and_one_doi_wherever_it_is_named():
    paper = entries()["yamada2026"]
    root = Path(citations.__file__).parents[2]
    files = [root / "README.md", *(root / "docs").rglob("*.md")]
    files += [path for room in ("izhires", "paradigms", "analysis") for path in (root / room).rglob("*.py")]
    years = {
        (path.name, year)
        for path in files
        if path.is_file()
        for year in re.findall(r"Yamada & Chao,? \(?(\d{4})\b", path.read_text(encoding="utf-8"))
    }
    assert years and {year for _, year in years} == {paper["year"]}, years
    named = {part: source for part, source in declared().items() if "Yamada" in source}
    assert len(named) > 8
    for part, source in named.items():
        assert paper["doi"] in source and paper["eprint"] not in source, part


def test_every_work_that_a_source_names_has_an_entry():
    known = bibliography()
    missing = {(part, one) for part, source in declared().items() for one in identifiers(source) if one not in known}
    assert not missing, f"add to izhires/recordings/bibliography.bib: {sorted(missing)}"


def test_all_that_can_be_chosen_is_asked():
    found = declared()
    kinds = {"paradigms": "paradigm", "circuits": "circuit", "rules": "rule", "readouts": "readout",
             "predictions": "prediction",
             "observers": "observer", "gates": "gate", "metrics": "metric",
             "cell types": "cell type", "cell models": "cell model", "wirings": "wiring", "plasticity": "plasticity",
             "neuromodulators": "neuromodulator", "devices": "device"}  # fmt: skip
    for title, kind in kinds.items():
        names = tables()[title]
        assert names
        assert {f"{kind} {name}" for name in names} == {name for name in found if name.startswith(f"{kind} ")}
    assert sum(bool(identifiers(source)) for source in found.values()) > 20


def test_the_bibliography_is_bibtex():
    pybtex = pytest.importorskip("pybtex.database")
    entries = bibliography()
    text = "\n".join({entry.key: entry.text for entry in entries.values()}.values())
    parsed = pybtex.parse_string(text, "bibtex").entries
    assert set(parsed) == {entry.key for entry in entries.values()}
    for key, entry in parsed.items():
        assert entry.persons["author"], key
        assert entry.fields["title"], key
        named = {entry.fields[name].lower() for name in ("doi", "eprint") if name in entry.fields}
        # each is found by its own numbers, and no number is another's
        assert named == {one for one, each in entries.items() if each.key == key}
        assert key == "ds003690" or re.fullmatch(rf"[a-z]+{entry.fields['year']}", key)


def test_a_default_run(tmp_path):
    text = cite(folder(tmp_path))
    assert set(keys(text)) == DEFAULT
    assert len(keys(text)) == len(DEFAULT)
    assert "% rule uncertainty_two_factor\n@article{aitchison2021," in text
    assert "version = {1.2.3}" in text
    assert "note = {Commit abc123}" in text


@pytest.mark.parametrize(
    ("options", "more", "fewer"),
    [
        ({"device": "cuda"}, {"alevi2022"}, set()),
        ({"model": {"reservoir": "random"}}, set(), {"abeles1991", "macdonald2011"}),
        ({"model": {"what": {"rule": "two_factor"}}}, {"widrow1960"}, {"aitchison2021", "pearce1980"}),
        ({"model": {"when": {"rule": "three_factor"}}}, set(), {"nagumo1967", "yu2005"}),
        ({"metrics": ["observer_error.network_minus_hgf"]}, {"mathys2014"}, set()),
        ({"metrics": ["observer_error.bayes", "observer_error.hgf missing"]}, {"adams2007"}, set()),
        ({"metrics": ["peak_error.absolute", "a_user's.own"]}, set(), set()),
    ],
)
def test_exactly_what_was_used(tmp_path, options, more, fewer):
    options = dict(options)
    model = options.pop("model", {})
    assert set(keys(cite(folder(tmp_path, **options, **model)))) == DEFAULT - fewer | more


def test_metrics_count_where_they_gave_a_result(tmp_path):
    source = {name.partition(" ")[2]: text for name, text in declared().items() if name.startswith("metric ")}
    (name,) = [each for each, text in source.items() if "Hoerl" in text and "readout" not in each][:1]
    assert "hoerl1970" in keys(cite(folder(tmp_path / "a", metrics=[f"{name}.part"])))
    assert "hoerl1970" not in keys(cite(folder(tmp_path / "b", metrics=[f"{name}.part missing"])))


def test_what_is_not_of_this_package_is_named(tmp_path):
    made = Configuration().to_dict()
    made["what"]["rule"] = {"type": "decaying", "rate": 0.1}
    recording = synthetic.recording(neurons=10).assign_attrs(paradigm="meet", configuration=json.dumps(made))
    save(recording, tmp_path / "a.nc")
    text = cite(tmp_path)
    assert "% no entry: rule decaying: not of this package; cite its source" in text
    assert set(keys(text)) == DEFAULT - {"aitchison2021", "pearce1980"}
    assert "rule uncertainty_two_factor" not in used(recording.attrs)


def test_a_participant_brings_the_data_set(tmp_path):
    attributes = {
        "paradigm": "cued_reaction",
        "configuration": json.dumps({"paradigm": {"events_files": ["/data/sub-1_run-2_events.tsv"]}}),
    }
    save(synthetic.participant(1)[0].assign_attrs(attributes), tmp_path / "a.nc")
    text = cite(tmp_path / "a.nc")
    assert {"ds003690", "ribeiro2019"} < set(keys(text))
    assert "% no entry: event files (sub-1_run-2_events.tsv): cite the data set that they come from" in text
    assert "/data" not in text


def test_an_old_recording_gets_what_is_sure(tmp_path):
    save(synthetic.recording(neurons=10), tmp_path / "a.nc")  # says nothing of its configuration
    assert set(keys(cite(tmp_path))) == {"izhires", "stimberg2019", "yamada2026"}


def test_on_the_command_line(tmp_path, command_line):
    pybtex = pytest.importorskip("pybtex.database")
    folder(tmp_path / "deep" / "er")
    code, said = command_line("cite", tmp_path)
    assert (code, said.err) == (0, "")
    assert set(pybtex.parse_string(said.out, "bibtex").entries) == DEFAULT
    code, written = command_line("cite", tmp_path, "--out", tmp_path / "paper.bib")
    assert (code, written.out) == (0, f"{len(DEFAULT)} works in {tmp_path / 'paper.bib'}\n")
    assert (tmp_path / "paper.bib").read_text() == said.out


def test_an_empty_folder(tmp_path):
    with pytest.raises(RecordingError, match="holds no recording"):
        cite(tmp_path)


def test_what_a_part_is_for_stands_before_its_work(tmp_path):
    made = {"confidence": {"rule": "counting"}}
    text = cite(folder(tmp_path, metrics=["observer_error.bayes_last", "error.last"], **made))
    said = used({"configuration": json.dumps(Configuration(**made).to_dict())}, ["observer_error.bayes_last"])
    assert {"rule counting", "prediction factorised", "observer bayes", "metric observer_error"} <= set(said)
    assert "observer hgf" not in said
    (works,) = [line for line in text.splitlines() if "rule counting" in line]
    assert "prediction factorised" in works
