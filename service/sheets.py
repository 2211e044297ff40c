"""Files of rows and columns, CSV or Excel: lines with their numbers, and what is wrong with them by row and column.

A cell that begins with = + - @ or a tab is a formula to a spreadsheet, which would run it. Such a cell is written
with an apostrophe before it (`harmless`) and read without (`restored`), so that every text comes back as it was.
"""

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TextIO

from service.cells import LONGEST_TEXT, MOST_COLUMNS, Failed, NotReadable
from service.errors import RejectedFile, UserError, UserErrorCode

Code = UserErrorCode
# As many as a sheet of Excel has; Python's own limit for a cell.
MOST_ROWS = 1_048_576
LONGEST_CELL = LONGEST_TEXT
MOST_MISTAKES = 100_000
# A line of text is held as a whole.
LONGEST_LINE = 4 * 1024 * 1024

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_UNFIT = re.compile(r"[\0\ud800-\udfff]")
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])[\r\n]*", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*("|$)')
_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_NOT_UTF8 = "The file is not UTF-8 text; save it as «CSV UTF-8 (comma delimited)», or as .xlsx."
_OLD_EXCEL = "The file is protected by a password or in the format of Excel before 2007; save it as .xlsx without one."
_EMPTY = "The file is empty; its first row must name the columns."


class Line(NamedTuple):
    """One row of a file with the number that a spreadsheet shows beside it; the header is row 1.

    It may have fewer cells than the header, where those at its end are empty, and more.
    """

    number: int
    cells: list[str]

    def cell(self, place: int | None) -> str:
        """The text at a column's place; empty where the row is short, or where there is no such column."""
        return self.cells[place] if place is not None and place < len(self.cells) else ""


class Mistakes:
    """Gathers what is wrong with a file, all of it, before anything is changed.

    Past MOST_MISTAKES it only counts them: a small file can hold millions.
    """

    def __init__(self) -> None:
        self._found: list[tuple[int, UserError]] = []
        self._more = 0

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, code: UserErrorCode, message: str, row: int, column: str) -> None:
        """One mistake; `column` is the header's text, or a number where the header has none there."""
        if len(self._found) < MOST_MISTAKES:
            self._found.append((row, _error(code, message, row, column)))
        else:
            self._more += 1

    def include(self, rejected: RejectedFile) -> None:
        """What somebody else has found wrong with cells, except in those of which something is known already."""
        known = {error.path for _, error in self._found}
        self._found += [(int(error.path[1]), error) for error in rejected.every if error.path not in known]
        self._more += rejected.more

    def check(self) -> None:
        """Raises RejectedFile if there is any, in the order of the rows."""
        if self._found:
            raise RejectedFile([error for _, error in sorted(self._found, key=lambda one: one[0])], self._more)


class Header:
    """The first line of a file: what its columns are called, as they stand there."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._unnamed = [place for place, cell in enumerate(line.cells) if not cell.strip()]

    def text(self, place: int) -> str:
        """What a mistake calls the column at this place: the header's text, or its number where it has none."""
        return self.line.cell(place).strip() or str(place + 1)

    def places(
        self, required: Sequence[str], optional: Sequence[str] = (), known: Sequence[str] = ()
    ) -> dict[str, int]:
        """Column → place, of the columns that there are, found by their names whatever the case.

        Those `known` are passed over; a column without a name is no column. Raises RejectedFile with BAD_HEADER
        for each column that is missing, repeated or not known.
        """
        mistakes, found = Mistakes(), dict[str, int]()
        wanted = {name.casefold(): name for name in (*required, *optional, *known)}
        for place, cell in enumerate(self.line.cells):
            if not (written := " ".join(cell.split())):
                continue
            name = wanted.get(written.casefold())
            if name is None:
                message = (
                    f"«{_short(written)}» is no column of such a file; there are {_listed([*required, *optional])}."
                )
                mistakes.add(Code.BAD_HEADER, message, self.line.number, self.text(place))
            elif name in found:
                message = f"The column «{written}» stands there twice; keep one of them."
                mistakes.add(Code.BAD_HEADER, message, self.line.number, self.text(place))
            else:
                found[name] = place
        for name in required:
            if name not in found:
                message = f"The column «{name}» is missing; the first row must name the columns {_listed(required)}."
                mistakes.add(Code.BAD_HEADER, message, self.line.number, name)
        mistakes.check()
        return {name: place for name, place in found.items() if name not in known}

    def check(self, line: Line, mistakes: Mistakes) -> None:
        """Adds BAD_ROW for each text that stands in no column: most likely a comma in a text without quotes."""
        for place in (*self._unnamed, *range(len(self.line.cells), len(line.cells))):
            cell = line.cell(place)
            if cell.strip():
                message = (
                    f"«{_short(cell.strip())}» stands in no column; a text that holds what parts the cells"
                    " stands in quotation marks."
                )
                mistakes.add(Code.BAD_ROW, message, line.number, self.text(place))


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"«{name}»" for name in names)


def header_of(lines: Iterator[Line]) -> Header:
    """Takes the header off the lines. Raises RejectedFile with BAD_HEADER where there is none."""
    line = next(lines, None)
    if line is None:
        raise _rejected(Code.BAD_HEADER, _EMPTY, 1, "1")
    return Header(line)


def lines_of_text(text: str) -> Iterator[Line]:
    """The lines of a CSV file that are not blank, one at a time. Raises RejectedFile, also later on.

    Commas, semicolons or tabs part the cells, whichever the header has most of; the rows may end in any way.
    """
    return _fit(_csv_rows(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def lines_of_file(path: Path) -> Iterator[Line]:
    """The lines of a file that are not blank: of a CSV file, or of the first sheet of an .xlsx file.

    Which of the two it is, and a CSV file's encoding, is told by what it begins with, not by its name. One at a
    time, whatever its size. Raises RejectedFile, also later on: BAD_HEADER for a file that cannot be read at all.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        return _fit(_workbook_rows(path))
    if start == b"\xd0\xcf\x11\xe0":
        raise _rejected(Code.BAD_HEADER, _OLD_EXCEL, 1, "1")
    return _fit(_csv_file_rows(path, _ENCODINGS.get(start[:2], "utf-8-sig")))


def _csv_file_rows(path: Path, encoding: str) -> Iterator[tuple[int, list[str]]]:
    with path.open(encoding=encoding, newline="") as file:
        try:
            yield from _csv_rows(file)
        except UnicodeError:
            raise _rejected(Code.BAD_HEADER, _NOT_UTF8, 1, "1") from None


def _workbook_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    # openpyxl takes as long to be imported as half the service, and most files are CSV.
    from service import workbooks

    try:
        yield from workbooks.rows(path)
    except NotReadable as error:
        raise _rejected(Code.BAD_HEADER, str(error), 1, "1") from None


def _csv_rows(source: TextIO) -> Iterator[tuple[int, list[str]]]:
    texts = iter(lambda: source.readline(LONGEST_LINE), "")
    # Excel takes the line «sep=;» for itself, and does not count it. Blank lines before the header are counted.
    first = next(texts, "")
    separator = _SEPARATOR_LINE.fullmatch(first)
    skipped: list[str] = [] if separator else [first]
    while 0 < len(skipped) <= MOST_ROWS and not skipped[-1].strip() and (following := next(texts, "")):
        skipped.append(following)
    delimiter = separator[1] if separator else _delimiter(skipped[-1])
    record = _Record(chain(skipped, texts))
    reader = csv.reader(record, delimiter=delimiter, strict=True)
    header: list[str] = []
    number = 0
    while True:
        number += 1
        record.texts.clear()
        try:
            cells = next(reader, None)
        except csv.Error as error:
            place = _place_of_fault("".join(record.texts), delimiter)
            column = Header(Line(1, header)).text(place)
            raise _rejected(Code.BAD_ROW, _fault(error), number, column) from None
        if cells is None:
            return
        header = header if any(header) else cells
        yield number, cells


class _Record:
    """Lines of text on their way to the reader, with those of the row that it is reading kept at hand."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self.texts: list[str] = []

    def __iter__(self) -> "_Record":
        return self

    def __next__(self) -> str:
        text = next(self._source)
        self.texts.append(text)
        if len(text) == LONGEST_LINE:
            raise csv.Error("line limit")
        return text


def _delimiter(header: str) -> str:
    """What parts the cells of the header, outside quotes; a comma where nothing does."""
    bare = _QUOTED.sub("", header)
    return max(",;\t", key=bare.count)


def _place_of_fault(record: str, delimiter: str) -> int:
    """The place of the first cell of a row that cannot be read."""
    cell = re.compile(rf'(?:"(?:[^"]|"")*+"|[^"{delimiter}][^{delimiter}]*+|){re.escape(delimiter)}')
    place = start = 0
    while (match := cell.match(record, start)) and match.end() - start <= LONGEST_CELL:
        place, start = place + 1, match.end()
    return place


def _fault(error: csv.Error) -> str:
    if "line limit" in str(error):
        return f"A line of text may have at most {LONGEST_LINE:,} characters."
    if "limit" in str(error):
        return f"A cell may have at most {LONGEST_CELL:,} characters; perhaps a quotation mark is never closed."
    if "unexpected end" in str(error):
        return "A quotation mark opens this cell and is never closed; close it, or double it if it belongs to the text."
    return "Text follows the closing quotation mark of this cell; double each quotation mark that belongs to the text."


def _fit(rows: Iterator[tuple[int, list[str]]]) -> Iterator[Line]:
    """The rows that are not blank, as they were before they were made harmless.

    Cells that cannot be used are told all together at the end of the file, as BAD_ROW.
    """
    mistakes, header = Mistakes(), None
    for number, cells in rows:
        if number > MOST_ROWS:
            message = f"A file may have at most {MOST_ROWS:,} rows, blank ones among them; split it."
            raise _rejected(Code.BAD_ROW, message, number, (header or Header(Line(1, []))).text(0))
        if not any(cell.strip() for cell in cells):
            continue
        header = header or Header(Line(number, cells))
        if len(cells) > MOST_COLUMNS:
            message = f"A row may have at most {MOST_COLUMNS:,} cells; this one has {len(cells):,}."
            raise _rejected(Code.BAD_ROW, message, number, header.text(MOST_COLUMNS))
        # One look at the row tells for nearly every row that there is nothing to look at cell by cell.
        whole = "".join(cells)
        if len(whole) > LONGEST_CELL or _UNFIT.search(whole) or any(isinstance(cell, Failed) for cell in cells):
            _tell_unfit(number, cells, header, mistakes)
        yield Line(number, [restored(cell) for cell in cells] if "'" in whole else cells)
    mistakes.check()


def _tell_unfit(number: int, cells: Sequence[str], header: Header, mistakes: Mistakes) -> None:
    for place, cell in enumerate(cells):
        if isinstance(cell, Failed):
            message = f"This cell holds the error {cell} in place of a value; mend its formula."
        elif len(cell) > LONGEST_CELL:
            message = f"A cell may have at most {LONGEST_CELL:,} characters."
        elif _UNFIT.search(cell):
            message = "This cell holds characters that are no text; write it anew."
        else:
            continue
        mistakes.add(Code.BAD_ROW, message, number, header.text(place))


def harmless(cell: str) -> str:
    """The cell as it may stand in a file: nothing that a spreadsheet would run."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def restored(cell: str) -> str:
    """What was made harmless, as it was."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _rejected(code: UserErrorCode, message: str, row: int, column: str) -> RejectedFile:
    return RejectedFile([_error(code, message, row, column)])


def _error(code: UserErrorCode, message: str, row: int, column: str) -> UserError:
    """A mistake whose words can be told and kept, whatever the file holds."""
    return UserError(
        code,
        _UNFIT.sub("\N{REPLACEMENT CHARACTER}", message),
        ("csv", str(row), _UNFIT.sub("\N{REPLACEMENT CHARACTER}", column)),
    )
