"""Excel's .xlsx files, read row by row: the first sheet, each cell as the text that its owner sees.

openpyxl finds the parts of a file and understands its cells; defusedxml parses them. Only what the first sheet takes
is looked at, and that in streams of our own over openpyxl's parsers: `load_workbook` runs through every sheet, holds
what it has read, and fails at fonts and charts. Nothing of a file is believed: how large its parts are is limited
before they are unpacked, how large a row is while it is read, and a cell that claims to stand far away makes no room
for those before it.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from defusedxml.ElementTree import iterparse
from openpyxl.packaging.relationship import get_dependents
from openpyxl.reader.workbook import WorkbookParser
from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import from_excel
from openpyxl.worksheet._reader import WorkSheetParser
from openpyxl.xml.constants import SHEET_MAIN_NS

from service.cells import LONGEST_TEXT, MOST_COLUMNS, Failed, NotReadable

LARGEST_SHEET = 512 * 1024 * 1024
LARGEST_TEXTS = 128 * 1024 * 1024
LARGEST_STYLES = 16 * 1024 * 1024
# Of the parts that are held whole while they are understood.
LARGEST_PART = 2 * 1024 * 1024
# Of a row, or of a text that cells share, with all that is marked in it.
LARGEST_ELEMENT = 1024 * 1024
PIECE = 64 * 1024

_DAMAGED = "The Excel file is damaged or protected; save it anew as .xlsx, or as CSV UTF-8."
_NO_EXCEL = "The file is a ZIP archive but not an Excel file; save it as .xlsx, or as CSV UTF-8."
_NO_SHEET = "The Excel file has no sheet with rows and columns."
_STRICT = "The Excel file is of a kind that is not read («Strict Open XML»); save it as «Excel Workbook (.xlsx)»."
_CROWDED = "A row of the Excel file holds more than 1 MiB; shorten it, or save the list as CSV UTF-8."
_MAIN = f"{{{SHEET_MAIN_NS}}}"
_ROWS = (f"{_MAIN}sheetData", f"{_MAIN}row")
_TEXTS = (f"{_MAIN}sst", f"{_MAIN}si")
_FORMATS = (f"{_MAIN}numFmts", f"{_MAIN}numFmt")
_STYLES = (f"{_MAIN}cellXfs", f"{_MAIN}xf")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Formats that every file has without saying so; openpyxl does not know the dates of East Asia.
_BUILT_IN = {**BUILTIN_FORMATS, **dict.fromkeys([*range(27, 37), *range(50, 59)], "yyyy-mm-dd")}
_LONGEST_FORMAT = 255


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that the first sheet has, with their numbers. Raises NotReadable, also later on."""
    try:
        with ZipFile(path) as archive:
            yield from _rows(_Archive(archive))
    except NotReadable:
        raise
    # Reading a damaged, protected or made-up archive, openpyxl raises whatever Python does at what nobody expected.
    except Exception as error:
        raise NotReadable(_DAMAGED) from error


class _Archive:
    """The parts of a file, none of which unpacks to more than it may; as much of a ZipFile as openpyxl asks for."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    def open(self, part: str, largest: int) -> IO[bytes]:
        entry = self._archive.getinfo(part)
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise BadZipFile("packed as Excel packs nothing")
        if entry.file_size > largest:
            limit = f"more than {largest // 1024**2} MiB"
            raise NotReadable(f"The Excel file unpacks to {limit}; split it, or save it as CSV UTF-8.")
        return self._archive.open(entry)

    def read(self, part: str) -> bytes:
        with self.open(part, LARGEST_PART) as file:
            return file.read()


class _Source:
    """A part as it is unpacked, which refuses to go on when too much of it has been read for one element."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.held = 0

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.held += len(piece)
        if self.held > LARGEST_ELEMENT:
            raise NotReadable(_CROWDED)
        return piece


def _rows(archive: _Archive) -> Iterator[tuple[int, list[str]]]:
    related = get_dependents(archive, "_rels/.rels")
    start = next((relation.target for relation in related if relation.Type.endswith("/officeDocument")), "")
    if not start.startswith("xl/"):
        raise NotReadable(_NO_EXCEL)
    book = WorkbookParser(archive, start, keep_links=False)
    book.parse()
    parts = {relation.Type.rpartition("/")[2]: relation.target for relation in book.rels.values()}
    sheets = (book.rels[sheet.id] for sheet in book.sheets)
    first = next((relation.target for relation in sheets if relation.Type.endswith("/worksheet")), None)
    if first is None:
        raise NotReadable(_NO_SHEET)
    texts = _texts(archive, parts["sharedStrings"]) if "sharedStrings" in parts else []
    formats = _date_formats(archive, parts["styles"]) if "styles" in parts else {}
    # It is not told which styles are dates, as it would take those that Excel cannot show for errors.
    parser = WorkSheetParser(None, texts, data_only=True)
    last = 0
    for element in _elements(archive, first, LARGEST_SHEET, _ROWS):
        number, found = parser.parse_row(element)
        if number <= last:
            raise ValueError("rows that go backward")
        last = number
        cells: list[str] = []
        for cell in found:
            place = cell["column"] - 1
            if not len(cells) <= place < MOST_COLUMNS:
                raise ValueError("a cell that stands nowhere")
            cells.extend([""] * (place - len(cells)))
            cells.append(_text(cell["value"], cell["data_type"], formats.get(cell["style_id"]), book.wb.epoch))
        parser.row_dimensions.clear()
        yield number, cells


def _elements(archive: _Archive, part: str, largest: int, *places: tuple[str, str]) -> Iterator[Element]:
    """The elements of a part that stand in such places, each a parent's tag and its own, and are gone thereafter."""
    with archive.open(part, largest) as file:
        source = _Source(file)
        above: list[Element] = []
        wanted: Element | None = None
        for event, element in iterparse(source, ("start", "end"), forbid_dtd=True):
            if event == "start":
                if not above and not element.tag.startswith(_MAIN):
                    raise NotReadable(_STRICT)
                if wanted is None and above and (above[-1].tag, element.tag) in places:
                    wanted = element
                above.append(element)
                continue
            above.pop()
            if wanted is not None and element is wanted:
                yield element
                wanted, source.held = None, 0
            if wanted is None and above:
                above[-1].clear()
            # What follows the rows may be long, and is not for us; at its end the archive tells whether all is whole.
            if element.tag == _ROWS[0]:
                while file.read(PIECE):
                    pass
                return


def _texts(archive: _Archive, part: str) -> list[str]:
    """The texts that cells share, in their order. One piece more than fits is enough to see that one is too long."""
    found: list[str] = []
    for element in _elements(archive, part, LARGEST_TEXTS, _TEXTS):
        # Plain, or in runs of letters that look alike; how East Asian words are pronounced stands beside them.
        runs = [*element.iterfind(f"{_MAIN}t"), *element.iterfind(f"{_MAIN}r/{_MAIN}t")]
        found.append("".join(run.text or "" for run in runs)[: LONGEST_TEXT + 1])
    return found


def _date_formats(archive: _Archive, part: str) -> dict[int, str]:
    """The formats of the styles whose numbers are dates, times or durations."""
    codes, found, style = dict(_BUILT_IN), {}, 0
    for element in _elements(archive, part, LARGEST_STYLES, _FORMATS, _STYLES):
        key = int(element.get("numFmtId", 0))
        if element.tag == _FORMATS[1]:
            codes[key] = element.get("formatCode", "")[:_LONGEST_FORMAT]
            continue
        if is_date_format(codes.get(key)):
            found[style] = codes[key]
        style += 1
    return found


def _text(value: Any, kind: str, date_format: str | None, epoch: datetime) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return Failed(value) if kind == "e" else _unescaped(value)
    if date_format is not None and value >= 0:
        try:
            value = from_excel(value, epoch, is_timedelta_format(date_format))
        except (OverflowError, ValueError):
            return _number(value)
    return _number(value) if isinstance(value, (int, float)) else _instant(value)


def _unescaped(text: str) -> str:
    """Letters that XML cannot hold are written as _x000D_, and an underscore that looks like one as _x005F_."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _number(value: float) -> str:
    """As people write it, with the fifteen digits that Excel keeps: 1001 rather than 1001.0."""
    if not abs(float(value)) < float("inf"):
        raise ValueError("not a number")
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else format(value, ".15g")


def _instant(value: date | time | timedelta) -> str:
    """In ISO 8601, to the second as Excel shows it; hours are counted on in a duration."""
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, time):
        return value.isoformat("seconds")
    if isinstance(value, datetime) and value.time() != time():
        return value.isoformat(" ", "seconds")
    return value.isoformat()[:10]
