"""The rejected rows of a file, each with what is wrong with it: to be mended in the file that they came from."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from service.errors import RejectedFile, UserError
from service.sheets import Line, lines_of_file
from service.writing import CsvWriter

COLUMNS = ("Error Row", "Error Column", "Error Code", "Error")
ROWS_AT_ONCE = 1_000


def rejected_rows(lines: Iterable[Line], errors: Sequence[UserError]) -> Iterator[list[str]]:
    """A header, then each row with mistakes once, in the order of the file: the mistakes first, then its cells.

    Without cells: mistakes about no row or about the header, before the others, and those in rows that cannot be
    read, behind them.
    """
    mistakes: dict[str, list[UserError]] = {}
    for error in errors:
        mistakes.setdefault(_row(error), []).append(error)
    readable = _readable(lines)
    header = next(readable, Line(1, []))
    yield [*COLUMNS, *header.cells]
    for row in ("", str(header.number)):
        if row in mistakes:
            yield _described(row, mistakes.pop(row))
    for line in readable:
        if (row := str(line.number)) in mistakes:
            yield [*_described(row, mistakes.pop(row)), *line.cells]
    for row, left in mistakes.items():
        yield _described(row, left)


def rejected_csv(path: Path, errors: Sequence[UserError]) -> Iterator[bytes]:
    """The rejected rows of the file at this path as a CSV file, in pieces of some thousand rows."""
    writer, rows = CsvWriter(), rejected_rows(_lines(path), errors)
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield writer.text(batch).encode()


def _lines(path: Path) -> Iterator[Line]:
    """The lines of a file that may be one that cannot be read at all, which is found out only within."""
    yield from lines_of_file(path)


def _readable(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines up to where the file cannot be read any more."""
    with suppress(RejectedFile):
        yield from lines


def _row(error: UserError) -> str:
    """The number of the row that a mistake is about; empty where it is about none."""
    return error.path[1] if error.path[:1] == ("csv",) else ""


def _described(row: str, errors: Sequence[UserError]) -> list[str]:
    columns = dict.fromkeys(error.path[2] for error in errors if len(error.path) > 2)
    codes = dict.fromkeys(error.code.value for error in errors)
    return [row, "; ".join(columns), "; ".join(codes), " ".join(error.message for error in errors)]
