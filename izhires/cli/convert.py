"""``izhires convert``: recordings in the forms of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

COMMAND = "convert"

FORMATS = ("nwb", "bids", "csv")


def command(
    source: Annotated[Path, typer.Argument(help="A recording, a folder of them, or (to bids) a trial table in CSV.")],
    to: Annotated[str, typer.Option(help="nwb: spikes, trials, predictions; bids: events.tsv; csv: tidy tables.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the files; default: one named after the format.")] = None,
    table: Annotated[
        list[str] | None, typer.Option(help="With csv, only this table, e.g. trials or spikes; repeatable.")
    ] = None,
) -> None:
    """Write recordings as NWB files, BIDS events files or CSV tables."""
    from izhires import formats
    from izhires.errors import ConfigurationError, closest
    from izhires.recordings.recording import files, load

    if to not in FORMATS:
        raise ConfigurationError(f"{to!r} is not a format{closest(to, FORMATS)}", "--to", FORMATS)
    if table and to != "csv":
        raise ConfigurationError("goes with --to csv only", "--table")
    given = files(source) if source.is_dir() else [source]
    target = out or (source if source.is_dir() else source.parent) / to
    if source.suffix == ".csv" and to == "bids":
        from izhires.formats.bids import save_events
        from izhires.paradigms.table import read_trials

        paths = save_events(read_trials(str(source)), target / f"{source.stem}_events.tsv")
    elif to == "bids":
        paths = formats.save_bids([load(each) for each in given], target)
    else:
        paths, left_out = [], []
        for each in given:
            if to == "nwb":
                paths.append(target / f"{each.stem}.nwb")
                left_out += formats.save_nwb(load(each), paths[-1])
            else:
                paths += formats.save_csv(load(each), target / each.stem, table)
        for line in dict.fromkeys(left_out):
            print(f"not written: {line}")
    print(f"{len(paths)} files in {target}")
