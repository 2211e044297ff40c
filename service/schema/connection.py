"""Connections: Relay's pages, with a total that is counted only where it is asked for."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from strawberry import Private

from service.paging import Page, Slice
from service.schema.context import Context

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
    has_next_page: bool = strawberry.field(description="Whether there is more behind this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is more before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge; null on an empty page.")


@strawberry.type(description="One row of a page.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Where the row stands in the list, to be given as after or before.")
    node: T = strawberry.field(description="The row itself.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    slice: Private[Callable[[], Awaitable[Slice[Any]]]]
    total: Private[Callable[[], Awaitable[int]]]
    make: Private[Callable[[Any], Any]]

    @strawberry.field(description="The rows with their cursors.")
    async def edges(self) -> list[Edge[T]]:
        found = await self.slice()
        return [Edge(cursor=cursor, node=self.make(row)) for cursor, row in zip(found.cursors, found.rows, strict=True)]

    @strawberry.field(description="The rows without their cursors.")
    async def nodes(self) -> list[T]:
        return [self.make(row) for row in (await self.slice()).rows]

    @strawberry.field(description="Where the page lies.")
    async def page_info(self) -> PageInfo:
        found = await self.slice()
        return PageInfo(
            has_next_page=found.has_next,
            has_previous_page=found.has_previous,
            start_cursor=found.cursors[0] if found.cursors else None,
            end_cursor=found.cursors[-1] if found.cursors else None,
        )

    @strawberry.field(description="How many rows the whole list has; counted only where it is asked for.")
    async def total_count(self) -> int:
        return await self.total()


def given(value: Any) -> Any:
    """None for what was left out as for what was null."""
    return None if value is strawberry.UNSET else value


def page_of(first: First, after: After, last: Last, before: Before) -> Page:
    """The page that a connection's arguments ask for. Raises InvalidInput."""
    return Page.of(given(first), given(after), given(last), given(before))


def connect(
    context: Context,
    make: Callable[[Any], T],
    rows: Callable[..., Awaitable[Any]],
    total: Callable[..., Awaitable[Any]],
    parent: int,
    page: Page,
    *conditions: Any,
    order: Any = None,
) -> Connection[T]:
    """The connection of `rows(parents, page, *conditions[, order])` and `total(parents, *conditions)`."""
    ordered = () if order is None else (order,)
    return Connection(
        slice=lambda: context.load(rows, parent, page, *conditions, *ordered),
        total=lambda: context.load(total, parent, *conditions),
        make=make,
    )
