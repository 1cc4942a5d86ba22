"""One web page about a folder of recordings: what was run, what came out beside its chance level, and how to redo it.

| file | what it does |
|---|---|
| `contents` | gathers what the page says |
| `film` | the predictions of every probe, as numbers for the slider |
| `page` | fills the template and writes the file |
| `page.html.jinja`, `page.css`, `film.js` | the page itself; it needs no network |
"""

from izhires.analysis.report.page import make_report, write_report

__all__ = ["make_report", "write_report"]
