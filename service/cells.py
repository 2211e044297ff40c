"""What a cell of a sheet may hold, whatever reads it."""

LONGEST_TEXT = 131_072
MOST_COLUMNS = 16_384


class NotReadable(Exception):
    """Not an .xlsx file that can be read; the message is meant for people."""


class Failed(str):
    """A cell that holds an error, such as «#REF!», in place of a value."""

    __slots__ = ()
