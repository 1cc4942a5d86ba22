"""Tables that users bring as text: comma-, semicolon- or tab-separated files, read by one rule."""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator

from izhires.errors import ParadigmError
from izhires.files import as_path

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WHOLE = re.compile(r"([-+]?[0-9]+)\.0+")
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

PathText = Annotated[str, BeforeValidator(lambda value: os.fspath(value) if isinstance(value, os.PathLike) else value)]
"""A file's name in a declaration: text, or a path, which becomes text."""


def as_name(cell: str) -> str:
    """Return a name as it is compared: without spaces around it, and a whole number without the ``.0`` of a float."""
    cell = cell.strip()
    whole = _WHOLE.fullmatch(cell)
    return whole[1] if whole else cell


@dataclass(frozen=True)
class TableRow:
    """A row: its line, what it holds by column, and whether it has fewer cells than the header."""

    line: int
    cells: dict[str, str]
    short: bool

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


@dataclass(frozen=True)
class TextTable:
    """A table as it stands in a file: text, without the spaces around a cell; cells left out at a row's end are empty.

    Parameters
    ----------
    path : str
        The file.
    columns : tuple of str
        Names of the columns; a column without a name is left out.
    rows : tuple of Row
        Lines without any text are left out.
    decimal_comma : bool
        Whether its numbers have a comma before their fraction: in files with semicolons, where no number has a point.
    """

    path: str
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]
    decimal_comma: bool = False
    header_line: int = 1

    def place(self, row: TableRow) -> str:
        """Return the file and line of a row, for a complaint."""
        return f"{self.path}, line {row.line}"

    def column(self, wanted: str) -> str | None:
        """Return the column of this name, or the one that differs from it in capital letters only; None without one.

        Raises
        ------
        ParadigmError
            If two columns have the name.
        """
        alike = [name for name in self.columns if name.casefold() == wanted.casefold()]
        for found in ([name for name in alike if name == wanted], alike):
            if len(found) > 1:
                raise ParadigmError(f"{len(found)} columns are named {wanted}", f"{self.path}, line {self.header_line}")
            if found:
                return found[0]
        return None

    def needed(self, wanted: Iterable[str]) -> dict[str, str]:
        """Return the column of each name.

        Raises
        ------
        ParadigmError
            Naming those that are missing, and the columns there are.
        """
        found = {name: self.column(name) for name in dict.fromkeys(wanted)}
        missing = [name for name, column in found.items() if column is None]
        if missing:
            raise ParadigmError(
                f"column {' and '.join(missing)} missing; it has {', '.join(self.columns)}",
                f"{self.path}, line {self.header_line}",
            )
        return {name: column for name, column in found.items() if column is not None}

    def number(self, row: TableRow, column: str, kind: str = "a number of seconds", otherwise: str = "") -> float:
        """Return the number in a cell.

        Raises
        ------
        ParadigmError
            Naming line and column, if it holds anything else; `otherwise` is what else it may hold.
        """
        cell = row[column]
        text = cell.replace(",", ".") if self.decimal_comma and "." not in cell else cell
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(value):
            given = cell if len(cell) <= 60 else f"{cell[:57]}..."
            hint = f"; {otherwise}" if otherwise else ""
            if _NUMBER.fullmatch(cell.replace(",", ".")):
                hint = "; write it with a decimal point, and without a mark of thousands" + hint
            raise ParadigmError(f"{column} {given!r} is not {kind}{hint}", self.place(row))
        return value


def read_text_table(path: Any, separators: str) -> TextTable:
    """Read a table from a text file.

    The text may be UTF-8 or, with its mark at the beginning, UTF-16; compressed by gzip; with line ends of any system;
    with cells in double quotes, which may hold separators and line ends.

    Parameters
    ----------
    path : str or Path
    separators : str
        The characters that may separate its cells: the first that the header holds does.

    Returns
    -------
    TextTable

    Raises
    ------
    ParadigmError
        Naming the file, and the line where there is one: a file that is missing, empty, or no text; a quotation mark
        that does not end; a row with more cells than the header.
    ConfigurationError
        If `path` is no path.
    """
    name = str(as_path(path, "file"))
    text = _text(name)
    if not text.strip():
        raise ParadigmError("is empty", name)
    first = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    separator = next((each for each in separators if each in first), separators[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=True)
    header: list[str] | None = None
    rows: list[TableRow] = []
    line, header_line, fraction = 1, 1, False
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as error:
            raise ParadigmError(f"cannot be read: {error}", f"{name}, line {line}") from None
        at, line = line, reader.line_num + 1
        if not any(cells):
            continue
        if header is None:
            header, header_line = cells, at
            continue
        while len(cells) > len(header) and not cells[-1]:
            del cells[-1]
        if len(cells) > len(header):
            raise ParadigmError(
                f"has {len(cells)} columns, the header has {len(header)} (separated by {_SEPARATORS[separator]})",
                f"{name}, line {at}",
            )
        short = len(cells) < len(header)
        cells += [""] * (len(header) - len(cells))
        # of two columns of one name the first stays; whoever asks for it is told
        rows.append(TableRow(at, {key: cell for key, cell in reversed(list(zip(header, cells, strict=True)))}, short))
        fraction = fraction or any("." in cell and _NUMBER.fullmatch(cell) for cell in cells)
    if header is None:
        raise ParadigmError("is empty", name)
    return TextTable(name, tuple(filter(None, header)), tuple(rows), separator == ";" and not fraction, header_line)


def _text(name: str) -> str:
    try:
        data = as_path(name).expanduser().read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise ParadigmError("there is no such file", name) from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ParadigmError("is compressed by gzip, and cannot be unpacked", name) from None
    except OSError as error:
        raise ParadigmError(f"cannot be read: {error.strerror or error}", name) from None
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ParadigmError(
            f"is not a text file in {encoding.upper().removesuffix('-SIG')}: "
            f"byte 0x{data[error.start]:02x} on line {line}; save it as UTF-8",
            name,
        ) from None
    if "\0" in text:
        raise ParadigmError("is not a text file: it holds bytes of 0", name)
    return text
