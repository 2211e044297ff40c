"""What is exported: tables of text, read a page at a time in the caller's snapshot.

A table is read once, from its first row to its last, and never held: it costs the same memory whatever its size,
and a few statements a page of 1,000. The columns are those that the imports understand, so that what was
exported can be imported again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from service.imported import Progress, silent
from service.matching import CustomerFilter, GroupFilter, NodeFilter, Order, Reference
from service.paging import LARGEST_SIZE, Page, Slice
from service.resolvers import customer as of_customers
from service.resolvers import group as of_groups
from service.resolvers import hierarchy as of_hierarchies
from service.resolvers import node as of_nodes
from service.store.customer import CustomerRow
from service.store.group import GroupRow
from service.store.node import NodeRow
from service.writing import CsvWriter

GROUP_COLUMNS = ("Code", "Name", "Description", "Status", "Customers")
CUSTOMER_COLUMNS = ("Code", "Name", "Type")
MEMBER_COLUMNS = ("Group Code", "Customer Code", "Customer Name", "Type")
PARENT_COLUMNS = ("Code", "Name", "Description", "Parent Code", "Level")
# What each level has in a row of the level form, behind the level's name.
LEVEL_COLUMNS = ("Code", "Name", "Description")

# Bytes that are sent or written at once, more or less.
PIECE = 64 * 1024

T = TypeVar("T")
Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A file to be: a name without its ending, the header, and the rows, which can be read once."""

    title: str
    header: Cells
    rows: AsyncIterator[Cells]


async def groups(filter: GroupFilter, order: Order, progress: Progress = silent) -> Table:
    """The groups that meet a filter. One statement a page."""
    size = 0 if progress is silent else (await of_groups.total([0], filter))[0]
    pages = _pages(lambda page: of_groups.page([0], page, filter, order), size, progress)

    def cells(row: GroupRow) -> Cells:
        return row.code, row.name, row.description, row.status, str(row.customer_count)

    return Table("groups", GROUP_COLUMNS, _rows(pages, cells))


async def customers(filter: CustomerFilter, order: Order, progress: Progress = silent) -> Table:
    """The customers that meet a filter. One statement a page."""
    size = 0 if progress is silent else (await of_customers.total([0], filter))[0]
    pages = _pages(lambda page: of_customers.page([0], page, filter, order), size, progress)

    def cells(row: CustomerRow) -> Cells:
        return row.code, row.name, row.type

    return Table("customers", CUSTOMER_COLUMNS, _rows(pages, cells))


async def members(reference: Reference, progress: Progress = silent) -> Table | None:
    """The customers of a group, by key; None where there is no such group. One statement a page, and one more."""
    group = (await of_groups.by_reference([reference]))[0]
    if group is None:
        return None
    pages = _pages(lambda page: of_groups.all_members(group.id, page), group.customer_count, progress)

    def cells(row: CustomerRow) -> Cells:
        return group.code, row.code, row.name, row.type

    return Table(f"{group.name} customers", MEMBER_COLUMNS, _rows(pages, cells))


async def hierarchy(reference: Reference, form: str, progress: Progress = silent) -> Table | None:
    """A hierarchy in display order, in one of two forms; None where there is no such hierarchy.

    `levels`: a row for each leaf, with its whole path from the top, three cells a level; what is below the leaf
    is empty. `parent`: a row for each node, with the code of its parent. Five statements a page, and two more.
    """
    row = (await of_hierarchies.by_reference([reference]))[0]
    if row is None:
        return None
    (levels,) = await of_hierarchies.levels([row.id])
    names, size = [level.name for level in levels], sum(level.node_count for level in levels)
    pages = _pages(lambda page: of_nodes.in_display_order([-row.id], page, NodeFilter(), None), size, progress)
    if form == "parent":
        return Table(row.name, PARENT_COLUMNS, _by_parent(pages, names))
    header = [f"{name} {column}" for name in names for column in LEVEL_COLUMNS]
    return Table(row.name, header, _by_level(pages, len(names)))


async def _by_level(pages: AsyncIterator[Sequence[NodeRow]], depth: int) -> AsyncIterator[Cells]:
    """A row for each leaf. Of the nodes above it only the cells are kept, those of one path."""
    path: list[str] = []
    width = len(LEVEL_COLUMNS)
    async for node, group in _with_groups(pages):
        path[(node.depth - 1) * width :] = (group.code, group.name, group.description)
        if not node.child_count:
            yield path + [""] * (depth * width - len(path))


async def _by_parent(pages: AsyncIterator[Sequence[NodeRow]], levels: Sequence[str]) -> AsyncIterator[Cells]:
    """A row for each node. Of the nodes above it only the codes are kept, those of one path."""
    path = [""]
    async for node, group in _with_groups(pages):
        path[node.depth :] = [group.code]
        yield group.code, group.name, group.description, path[node.depth - 1], levels[node.depth - 1]


async def _with_groups(pages: AsyncIterator[Sequence[NodeRow]]) -> AsyncIterator[tuple[NodeRow, GroupRow]]:
    """Each node with its group. One statement a page."""
    async for nodes in pages:
        for node, group in zip(nodes, await of_groups.by_key([node.group_id for node in nodes]), strict=True):
            assert group is not None
            yield node, group


async def _rows(pages: AsyncIterator[Sequence[T]], cells: Callable[[T], Cells]) -> AsyncIterator[Cells]:
    async for page in pages:
        for row in page:
            yield cells(row)


async def _pages(
    fetch: Callable[[Page], Awaitable[Sequence[Slice[T]]]], size: int, progress: Progress
) -> AsyncIterator[Sequence[T]]:
    """All pages of a list that has so many rows; `fetch` answers for one parent."""
    page, done = Page(LARGEST_SIZE), 0
    while True:
        progress("reading", done, size)
        (found,) = await fetch(page)
        yield found.rows
        done += len(found.rows)
        if not found.has_next:
            break
        page = Page(LARGEST_SIZE, after=found.cursors[-1])
    progress("reading", done, size)


async def csv_pieces(table: Table) -> AsyncIterator[bytes]:
    """The table as CSV in UTF-8, in pieces of some 64 KB; the first has the header."""
    writer, rows, size = CsvWriter(), [table.header], 0
    async for cells in table.rows:
        rows.append(cells)
        size += sum(map(len, cells)) + len(cells)
        if size >= PIECE:
            yield writer.text(rows).encode()
            rows, size = [], 0
    if rows:
        yield writer.text(rows).encode()


async def write(table: Table, suffix: str, file: Path, step: Callable[[], None] = lambda: None) -> None:
    """Writes the table to a file, CSV or (suffix xlsx) Excel; `step` is called now and again, as it gets on.

    Raises LimitExceeded where it has more rows than a sheet of Excel.
    """
    if suffix == "csv":
        with file.open("wb") as opened:
            async for piece in csv_pieces(table):
                opened.write(piece)
                step()
        return
    from service.writing_workbooks import XlsxWriter

    writer, rows = XlsxWriter(file), [table.header]
    try:
        async for cells in table.rows:
            rows.append(cells)
            if len(rows) == LARGEST_SIZE:
                await asyncio.to_thread(writer.add, rows)
                rows = []
                step()
        await asyncio.to_thread(writer.add, rows)
    finally:
        await asyncio.to_thread(writer.close)
