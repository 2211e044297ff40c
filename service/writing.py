"""Rows out into CSV files, which service/sheets.py reads back as they were; writing_workbooks.py writes Excel's.

Both begin with the header, and both make formulas harmless (`sheets.harmless`).
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Literal

from service.sheets import harmless

_PARTS = re.compile(r"[;\t]|sep=", re.IGNORECASE)


class CsvWriter:
    """Encodes rows a few at a time, so that a file of any length takes no memory.

    UTF-8 with a byte-order mark, by which Excel knows it, commas, CRLF: what Excel calls «CSV UTF-8».
    """

    def __init__(self) -> None:
        self._begun = False

    def text(self, rows: Iterable[Sequence[str]]) -> str:
        """The text of these rows, to be encoded as UTF-8; the first row of the first call is the header."""
        buffer = io.StringIO(newline="")
        lines = iter(rows)
        if not self._begun and (header := next(lines, None)) is not None:
            self._begun = True
            buffer.write("\ufeff")
            # The header tells by its commas what parts the cells: other candidates belong into quotation marks.
            unclear = any(_PARTS.search(cell) for cell in header)
            quoting: Literal[0, 1] = csv.QUOTE_ALL if unclear else csv.QUOTE_MINIMAL
            csv.writer(buffer, quoting=quoting).writerow(map(harmless, header))
        csv.writer(buffer).writerows(map(harmless, line) for line in lines)
        return buffer.getvalue()
