"""Files of rows and columns: lines with their numbers, and what is wrong with them by row and column."""

from typing import NamedTuple

from service.errors import RejectedFile, UserError, UserErrorCode


class Line(NamedTuple):
    """One row of a file with the number that a spreadsheet shows beside it; the header is row 1."""

    number: int
    cells: list[str]


class Mistakes:
    """Gathers what is wrong with a file, all of it, before anything is changed."""

    def __init__(self) -> None:
        self._found: list[tuple[int, UserError]] = []

    def add(self, code: UserErrorCode, message: str, row: int, column: str) -> None:
        """One mistake; `column` is the header's text, or a number where the header has none there."""
        self._found.append((row, UserError(code, message, ("csv", str(row), column))))

    def check(self) -> None:
        """Raises RejectedFile if there is any, in the order of the rows."""
        if self._found:
            raise RejectedFile([error for _, error in sorted(self._found, key=lambda one: one[0])])
