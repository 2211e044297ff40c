"""Excel's .xlsx files, read row by row: the first sheet, each cell as the text that its owner sees.

Rows are read while they are unpacked, so that a sheet takes no memory to speak of; only the texts that its cells
share are held. Nothing of a file is believed: how large its parts are is limited before they are unpacked, and a
cell that claims to stand far away makes no room for those before it.
"""

import math
import re
import struct
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import NamedTuple
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
from zlib import error as ZlibError

LARGEST_SHEET = 512 * 1024 * 1024
LARGEST_TEXTS = 128 * 1024 * 1024
LARGEST_PART = 16 * 1024 * 1024
LONGEST_TEXT = 131_072
MOST_COLUMNS = 16_384
PIECE = 64 * 1024

_DAMAGED = "The Excel file is damaged or protected; save it anew as .xlsx, or as CSV UTF-8."
# What reading a damaged, protected or made-up archive may raise.
_DAMAGES = (
    *(BadZipFile, ZlibError, struct.error, EOFError, OSError, expat.ExpatError),
    *(NotImplementedError, RuntimeError, ValueError),
)
_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]+")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# In a number's format: what is quoted, escaped or in brackets, unless it is elapsed time, is no part of a date.
_DECORATION = re.compile(r'"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|[_*].', re.IGNORECASE)
_DATE = re.compile(r"[dmyhs]", re.IGNORECASE)
# Formats that every file has without saying so: dates and times, also those of East Asia.
_BUILT_IN_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}


class NotReadable(Exception):
    """Not an .xlsx file that can be read; the message is meant for people."""


class Failed(str):
    """A cell that holds an error, such as «#REF!», in place of a value."""

    __slots__ = ()


class _Layout(NamedTuple):
    """Where in the archive the first sheet lies, and what it takes to understand its cells."""

    sheet: str
    texts: list[str]
    # For each style whether its numbers are dates.
    dates: list[bool]
    epoch: datetime


def rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that the first sheet has, with their numbers. Raises NotReadable, also later on."""
    with path.open("rb") as file:
        try:
            with ZipFile(file) as archive:
                layout = _layout(archive)
                sheet = _Sheet(layout)
                for _ in _parse(archive, layout.sheet, LARGEST_SHEET, sheet.start, sheet.end, sheet.text):
                    yield from sheet.take()
        except _DAMAGES as error:
            raise NotReadable(_DAMAGED) from error


def _layout(archive: ZipFile) -> _Layout:
    book = next((part for _, kind, part in _relations(archive, "") if kind == "officeDocument"), "xl/workbook.xml")
    if book not in archive.namelist():
        raise NotReadable("The file is a ZIP archive but not an Excel file; save it as .xlsx, or as CSV UTF-8.")
    related = _relations(archive, book)
    places = {key: part for key, kind, part in related if kind == "worksheet"}
    sheet, epoch = None, datetime(1899, 12, 30)  # noqa: DTZ001  what Excel writes has no zone
    for tag, attributes in _tags(archive, book):
        if tag == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            epoch = datetime(1904, 1, 1)  # noqa: DTZ001
        if tag == "sheet" and sheet is None:
            sheet = places.get(next((value for name, value in attributes.items() if name.endswith(":id")), ""))
    if sheet is None:
        raise NotReadable("The Excel file has no sheet with rows and columns.")
    texts = next((_texts(archive, part) for _, kind, part in related if kind == "sharedStrings"), [])
    dates = next((_dates(archive, part) for _, kind, part in related if kind == "styles"), [])
    return _Layout(sheet, texts, dates, epoch)


def _relations(archive: ZipFile, part: str) -> list[tuple[str, str, str]]:
    """What a part of the archive refers to: key, kind, part."""
    folder = dirname(part)
    file = join(folder, "_rels", f"{part.rpartition('/')[2]}.rels")
    if file not in archive.namelist():
        return []
    return [
        (
            attributes.get("Id", ""),
            attributes.get("Type", "").rpartition("/")[2],
            normpath(join("/", folder, attributes.get("Target", ""))).lstrip("/"),
        )
        for tag, attributes in _tags(archive, file)
        if tag == "Relationship"
    ]


def _texts(archive: ZipFile, part: str) -> list[str]:
    """The texts that cells share, in their order."""
    found: list[str] = []
    pieces: list[str] = []
    inside: list[str] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        inside.append(tag)

    def end(tag: str) -> None:
        inside.pop()
        if tag == "si":
            found.append("".join(pieces))
            pieces.clear()

    def text(piece: str) -> None:
        # How East Asian words are pronounced stands beside them, in <rPh>.
        if inside[-1] == "t" and "rPh" not in inside:
            pieces.append(piece)

    for _ in _parse(archive, part, LARGEST_TEXTS, start, end, text):
        pass
    return found


def _dates(archive: ZipFile, part: str) -> list[bool]:
    """For each style whether its numbers are dates or times."""
    formats: dict[str, bool] = {}
    found: list[bool] = []
    within = False
    for tag, attributes in _tags(archive, part):
        if tag == "numFmt":
            bare = _DECORATION.sub("", attributes.get("formatCode", ""))
            formats[attributes.get("numFmtId", "")] = _DATE.search(bare) is not None
        elif tag in ("cellXfs", "cellStyleXfs", "cellStyles"):
            within = tag == "cellXfs"
        elif tag == "xf" and within:
            key = attributes.get("numFmtId", "0")
            found.append(formats.get(key, int(key) in _BUILT_IN_DATES))
    return found


def _tags(archive: ZipFile, part: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The tags of a small part, with their attributes."""
    found: list[tuple[str, dict[str, str]]] = []
    for _ in _parse(archive, part, LARGEST_PART, lambda tag, attributes: found.append((tag, attributes))):
        yield from found
        found.clear()


def _parse(
    archive: ZipFile,
    part: str,
    largest: int,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Tells the tags and texts of a part to the three, and yields after each piece of it."""
    try:
        entry = archive.getinfo(part)
    except KeyError:
        raise BadZipFile(f"{part} is missing") from None
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise BadZipFile("packed as Excel packs nothing")
    if entry.file_size > largest:
        message = f"The Excel file unpacks to more than {largest // 1024**2} MiB; split it, or save it as CSV UTF-8."
        raise NotReadable(message)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = lambda tag, attributes: start(tag.rpartition(":")[2], attributes)
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    parser.CharacterDataHandler = text
    with archive.open(entry) as file:
        while piece := file.read(PIECE):
            parser.Parse(piece, False)
            yield
        parser.Parse(b"", True)
        yield


def _no_doctype(*_: object) -> None:
    # Excel writes none; whoever does may be after texts that grow as they are read.
    raise ValueError("a document type")


class _Sheet:
    """Takes a sheet's tags in and gives its rows out."""

    def __init__(self, layout: _Layout) -> None:
        self._layout = layout
        self._done: list[tuple[int, list[str]]] = []
        self._number = 0
        self._cells: list[str] = []
        self._column = 0
        self._kind = ""
        self._style = 0
        self._wanted = False
        self._pieces: list[str] = []
        self._length = 0

    def take(self) -> list[tuple[int, list[str]]]:
        """The rows that are complete since the last time."""
        done, self._done = self._done, []
        return done

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "row":
            number = int(attributes.get("r", self._number + 1))
            if number <= self._number:
                raise ValueError("rows that go backward")
            self._number, self._cells = number, []
        elif tag == "c":
            place = attributes.get("r")
            self._column = len(self._cells) if place is None else _column(place)
            if not len(self._cells) <= self._column < MOST_COLUMNS:
                raise ValueError("a cell that stands nowhere")
            self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", 0))
            self._pieces, self._length = [], 0
        else:
            self._wanted = tag in ("v", "t")

    def text(self, piece: str) -> None:
        # One piece more than fits is enough to see that a text is too long.
        if self._wanted and self._length <= LONGEST_TEXT:
            self._pieces.append(piece)
            self._length += len(piece)

    def end(self, tag: str) -> None:
        self._wanted = False
        if tag == "c":
            self._cells.extend([""] * (self._column - len(self._cells)))
            self._cells.append(self._value("".join(self._pieces)))
        elif tag == "row":
            self._done.append((self._number, self._cells))

    def _value(self, raw: str) -> str:
        if not raw:
            return ""
        if self._kind == "s":
            return _unescaped(self._layout.texts[_index(raw, self._layout.texts)])
        if self._kind in ("inlineStr", "str"):
            return _unescaped(raw)
        if self._kind == "b":
            return "FALSE" if raw.strip() in ("0", "false") else "TRUE"
        if self._kind == "e":
            return Failed(raw)
        if self._kind == "d":
            return raw
        number = float(raw)
        if self._style < len(self._layout.dates) and self._layout.dates[self._style]:
            return _instant(number, self._layout.epoch)
        return _number(number)


def _index(raw: str, texts: list[str]) -> int:
    index = int(raw)
    if not 0 <= index < len(texts):
        raise ValueError("a text that is not there")
    return index


def _column(place: str) -> int:
    """The place of a column, from 0: A, B, … Z, AA, …"""
    match = _REFERENCE.fullmatch(place)
    if match is None:
        raise ValueError("a cell without a place")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return column - 1


def _unescaped(text: str) -> str:
    """Letters that XML cannot hold are written as _x000D_, and an underscore that looks like one as _x005F_."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _number(value: float) -> str:
    """As people write it, with the fifteen digits that Excel keeps: 1001 rather than 1001.0."""
    if not math.isfinite(value):
        raise ValueError("not a number")
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")


def _instant(days: float, epoch: datetime) -> str:
    """A date, a time or both in ISO 8601, out of days since the epoch; to the second, as Excel shows it."""
    if not 0 <= days < 2_958_466:
        return _number(days)
    # Excel counts a 29th of February 1900, which there was not.
    before = epoch.year == 1899 and days < 60
    instant = epoch + timedelta(days=int(before), seconds=round(days * 86_400))
    if days < 1:
        return instant.time().isoformat()
    return instant.date().isoformat() if days.is_integer() else instant.isoformat(" ")
