"""Connections: Relay's pages, with a total that is counted only where it is asked for."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from operator import attrgetter
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import strawberry

from service.breadth import Selection
from service.paging import Page, Slice
from service.schema.context import Context
from service.schema.relations import Key, attribute, each, load, relation

T = TypeVar("T")

First = Annotated[int | None, strawberry.argument(description="So many from the start; 50 if left out, at most 1,000.")]
After = Annotated[str | None, strawberry.argument(description="Behind this cursor.")]
Last = Annotated[
    int | None,
    strawberry.argument(description="So many from the end, at most 1,000; not together with first."),
]
Before = Annotated[str | None, strawberry.argument(description="Before this cursor.")]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = each("Whether there is more behind this page.", lambda slice: slice.has_next)
    has_previous_page: bool = each("Whether there is more before this page.", lambda slice: slice.has_previous)
    start_cursor: str | None = each(
        "The cursor of the first edge; null on an empty page.",
        lambda slice: slice.cursors[0] if slice.cursors else None,
    )
    end_cursor: str | None = each(
        "The cursor of the last edge; null on an empty page.",
        lambda slice: slice.cursors[-1] if slice.cursors else None,
    )


class EdgeRow(NamedTuple):
    """A row with its cursor."""

    cursor: str
    node: Any


@strawberry.type(description="One row of a page.")
class Edge(Generic[T]):
    cursor: str = attribute("Where the row stands in the list, to be given as after or before.")
    node: T = attribute("The row itself.")


@dataclass(slots=True, eq=False)
class Pages:
    """Where the pages of one field come from: `rows(keys, page, *conditions)` and `total(keys, *conditions)`."""

    rows: Callable[..., Awaitable[Sequence[Slice[Any]]]]
    total: Callable[..., Awaitable[Sequence[int]]]
    page: Page
    conditions: tuple[Any, ...]
    # What only the rows need to know: their order, what they are to bring along.
    further: tuple[Any, ...] = ()

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Those of `rows` behind the keys."""
        return (self.page, *self.conditions, *self.further)


class ConnectionRow(NamedTuple):
    """The page that hangs on one key."""

    key: int
    pages: Pages


class _WithSlice(NamedTuple):
    key: int
    pages: Pages
    slice: Slice[Any]


class WithRows(_WithSlice):
    """The same, with what the page holds, and what makes of it the values of its fields."""

    __slots__ = ()

    nodes_of = attrgetter("slice.rows")
    edges_of = staticmethod(lambda row: _edges(row.slice))
    page_info_of = attrgetter("slice")


def _edges(slice: Slice[Any]) -> list[EdgeRow]:
    return [*map(EdgeRow, slice.cursors, slice.rows)]


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    @relation("The rows with their cursors.", part="edges_of")
    def edges(self) -> list[Edge[T]]:
        return _slices(self, _edges)

    @relation("The rows without their cursors.", part="nodes_of")
    def nodes(self) -> list[T]:
        return _slices(self, lambda slice: slice.rows)

    @relation("Where the page lies.", part="page_info_of")
    def page_info(self) -> PageInfo:
        return _slices(self, lambda slice: slice)

    @relation("How many rows the whole list has; counted only where it is asked for.")
    def total_count(self) -> int:
        pages: Pages = self.pages  # type: ignore[attr-defined]
        return load(pages.total, KEY, pages.conditions)


KEY = attrgetter("key")
# Where nothing else is selected of a connection, nothing else is asked with its rows.
ROWS_ALONE = frozenset({"edges", "nodes", "pageInfo", "__typename"})


def _slices(connection: Any, finish: Callable[[Slice[Any]], Any]) -> Any:
    pages: Pages = connection.pages
    return load(pages.rows, KEY, pages.arguments, finish=lambda _, slice: finish(slice))


def given(value: Any) -> Any:
    """None for what was left out as for what was null."""
    return None if value is strawberry.UNSET else value


def page_of(first: First, after: After, last: Last, before: Before) -> Page:
    """The page that a connection's arguments ask for. Raises InvalidInput."""
    return Page.of(given(first), given(after), given(last), given(before))


@dataclass(slots=True, eq=False)
class Connect:
    """The connection of `rows(keys, page, *conditions[, order][, what is asked])` and `total(keys, *conditions)`.

    `asks` makes of what is selected of a row the argument that tells the resolver what to bring along.
    """

    rows: Callable[..., Awaitable[Sequence[Slice[Any]]]]
    total: Callable[..., Awaitable[Sequence[int]]]
    key: Key
    page: Page
    conditions: tuple[Any, ...] = ()
    order: Any = None
    asks: Callable[[Selection], Any] | None = None

    def one(self, context: Context, row: Any) -> ConnectionRow:
        return ConnectionRow(self.key(row), self._pages(()))

    def many(self, context: Context, rows: Sequence[Any], selection: Selection) -> Any:
        further = () if self.asks is None else (selection.kept(self.asks),)
        pages = self._pages(further)
        keys = [*map(self.key, rows)]
        if not selection.names <= ROWS_ALONE:
            return [ConnectionRow(key, pages) for key in keys]
        known = context.known(pages.rows, keys, *pages.arguments)
        return self._with_rows(context, keys, pages) if known is None else _filled(keys, pages, known)

    async def _with_rows(self, context: Context, keys: Sequence[Any], pages: Pages) -> list[WithRows]:
        """The connections with their rows: asked for a level early, with what their parents ask."""
        return _filled(keys, pages, await context.many(pages.rows, keys, *pages.arguments))

    def _pages(self, further: tuple[Any, ...]) -> Pages:
        order = () if self.order is None else (self.order,)
        return Pages(self.rows, self.total, self.page, self.conditions, (*order, *further))


def _filled(keys: Sequence[Any], pages: Pages, slices: Sequence[Slice[Any]]) -> list[WithRows]:
    return [*map(FILL, zip(keys, repeat(pages), slices, strict=False))]


# There are many at a time, and a named tuple's own way to make one is a function of Python.
FILL: Callable[[tuple[Any, ...]], WithRows] = partial(tuple.__new__, WithRows)
connect: Callable[..., Any] = Connect
