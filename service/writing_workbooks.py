"""Rows out into Excel files, which service/workbooks.py reads back as they were.

Imported only where one is written: xlsxwriter takes longer to be imported than a small file to be written.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from service.errors import LimitExceeded
from service.sheets import MOST_ROWS, harmless

# Excel's own limit for a cell.
LONGEST_CELL = 32_767
# What XML cannot hold, and an underscore that would be taken for the escape of such a letter.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class _TextSheet(Worksheet):  # type: ignore[misc]  # xlsxwriter ships no types
    """A sheet whose texts come back as they are.

    Its base takes one that looks like «<r>…</r>» for ready XML, and loses letters of «_x005F_x0041_».
    """

    @staticmethod
    def _escape_control_characters(data: str) -> str:
        return _ILLEGAL.sub(lambda match: f"_x{ord(match[0]):04X}_", data)

    def _xml_rich_inline_string(self, string: str, attributes: list[Any]) -> None:
        self._xml_inline_string(string, True, attributes)


class XlsxWriter:
    """Writes rows into an .xlsx file, all cells as text; memory does not grow with the file.

    What is not yet packed waits in a file beside it. To be used in a thread: packing takes its time.
    """

    def __init__(self, path: Path) -> None:
        self._book = Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)})
        self._sheet = self._book.add_worksheet(worksheet_class=_TextSheet)
        self._sheet.freeze_panes(1, 0)
        self._bold = self._book.add_format({"bold": True})
        self._rows = 0

    def add(self, rows: Iterable[Sequence[str]]) -> None:
        """Appends rows, the first of all being the header.

        Raises LimitExceeded for what Excel cannot hold: a row more than a sheet has, or too long a cell.
        """
        for row in rows:
            if self._rows == MOST_ROWS:
                raise LimitExceeded(f"An Excel sheet has at most {MOST_ROWS:,} rows; take the file as CSV.")
            for place, cell in enumerate(map(harmless, row)):
                if len(cell) > LONGEST_CELL:
                    message = f"A cell of Excel holds at most {LONGEST_CELL:,} characters; take the file as CSV."
                    raise LimitExceeded(message)
                if cell:
                    self._sheet.write_string(self._rows, place, cell, None if self._rows else self._bold)
            self._rows += 1

    def close(self) -> None:
        """Packs the file, and removes the one beside it."""
        self._book.close()

    def __enter__(self) -> "XlsxWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def write_xlsx(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Writes an .xlsx file of these rows, the first being the header. Raises as `XlsxWriter.add` does."""
    with XlsxWriter(path) as writer:
        writer.add(rows)
