"""Pages of a connection: what was asked for, what came back, and the cursors between.

A cursor holds the values that its list is ordered by, for the row that it stands at, not a count of rows:
the next page begins behind those values, whatever was inserted or deleted around them.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from service.errors import InvalidInput

DEFAULT_SIZE = 50
LARGEST_SIZE = 1_000

MANGLED = "This cursor is mangled; use one that a page's `pageInfo` or edges gave."

Row = TypeVar("Row")


class Page(NamedTuple):
    """What was asked for: at most `size` rows behind `after` and before `before`, the last ones if `backward`."""

    size: int = DEFAULT_SIZE
    after: str | None = None
    before: str | None = None
    backward: bool = False

    @classmethod
    def of(cls, first: int | None, after: str | None, last: int | None, before: str | None) -> "Page":
        """The page that a connection's arguments ask for. Raises InvalidInput where they contradict."""
        if first is not None and last is not None:
            raise InvalidInput("Ask for `first` or for `last`, not for both at once.")
        name, size = ("last", last) if last is not None else ("first", first)
        if size is None:
            size = DEFAULT_SIZE
        if size < 0:
            raise InvalidInput(f"`{name}` must not be negative; {size} was asked for.")
        if size > LARGEST_SIZE:
            raise InvalidInput(f"A page has at most {LARGEST_SIZE:,} rows; `{name}: {size}` was asked for.")
        return cls(size, after, before, last is not None)


class Cursors(Sequence[str]):
    """The cursors of some rows, each made when it is looked at: most pages are asked for two of them at most."""

    __slots__ = ("_cursor", "_rows")

    def __init__(self, rows: Sequence[Row], cursor: Callable[[Row], str]) -> None:
        self._rows = rows
        self._cursor = cursor

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: Any) -> Any:
        return self._cursor(self._rows[place])


class Slice(NamedTuple, Generic[Row]):
    """What came back: the rows in the list's order, a cursor each, and whether there is more either way."""

    rows: Sequence[Row]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool


def cut(
    page: Page, rows: Sequence[Any], cursor: Callable[[Any], str], make: Callable[[Any], Row] | None = None
) -> Slice[Row]:
    """The slice made of up to `page.size + 1` rows, which stand in reading order from the page's near end.

    The row too many only tells that there is more. Cursors are of the rows as they are, `make` makes of them what
    the slice has.
    """
    return cut_each(page, [rows], cursor, make)[0]


def cut_each(
    page: Page,
    lists: Iterable[Sequence[Any]],
    cursor: Callable[[Any], str],
    make: Callable[[Any], Row] | None = None,
) -> list[Slice[Row]]:
    """The slices made of many such lists."""
    size, backward = page.size, page.backward
    after, before = page.after is not None, page.before is not None
    slices: list[Slice[Row]] = []
    for rows in lists:
        more = len(rows) > size
        if more:
            rows = rows[:size]
        if backward:
            rows = rows[::-1]
        made = rows if make is None else [*map(make, rows)]
        has_next, has_previous = (before, more) if backward else (more, after)
        slices.append(Slice(made, Cursors(rows, cursor), has_next, has_previous))
    return slices


def page_of_list(page: Page, rows: Sequence[Row], order: str) -> Slice[Row]:
    """A page of a list that is at hand as a whole and never changes; a cursor is the place in it.

    Raises InvalidInput for a mangled cursor.
    """
    start, end = (
        None if cursor is None else decode_cursor(cursor, order, (int,))[0] for cursor in (page.after, page.before)
    )
    low = 0 if start is None else max(0, start + 1)
    high = len(rows) if end is None else max(low, min(len(rows), end))
    places = range(low, high)
    near = places[::-1] if page.backward else places
    found: Slice[int] = cut(page, near[: page.size + 1], lambda place: encode_cursor(order, [place]))
    return Slice([rows[place] for place in found.rows], found.cursors, found.has_next, found.has_previous)


def encode_cursor(order: str, values: Sequence[Any]) -> str:
    """The cursor of a row with these values in the list order of this name."""
    return base64.urlsafe_b64encode(orjson.dumps([order, *values])).decode().rstrip("=")


def decode_cursor(text: str, order: str, types: Sequence[type]) -> list[Any]:
    """The values, of these types, behind a cursor of the list order of this name.

    Raises InvalidInput for a mangled cursor and for one of another list or order.
    """
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        found: Any
        values: list[Any]
        found, *values = orjson.loads(base64.b64decode(padded, b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise InvalidInput(MANGLED) from None
    if found != order:
        raise InvalidInput("This cursor belongs to another list or order; start again without it.")
    if [type(value) for value in values] != list(types) or not _fits(values):
        raise InvalidInput(MANGLED)
    return values


def _fits(value: Any) -> bool:
    """Whether a database takes what a cursor holds: anybody can make one up."""
    if isinstance(value, list):
        return all(map(_fits, value))
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return not isinstance(value, str) or "\0" not in value
