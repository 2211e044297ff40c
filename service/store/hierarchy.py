"""Hierarchies and their levels."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from service import db
from service.dialects import rows
from service.matching import HierarchyFilter, Order
from service.names import fold, key, searchable
from service.paging import Page, Slice
from service.sessions import Locking, Statement
from service.store.listing import Conditions, Listing, Sorting, row_of

COLUMNS = "{0}.id, {0}.name, {0}.description, {0}.version, {0}.created_at, {0}.updated_at"
HIERARCHY = COLUMNS.format("hierarchy")


class HierarchyRow(NamedTuple):
    """A hierarchy as it is read."""

    id: int
    name: str
    description: str
    version: int
    created_at: datetime
    updated_at: datetime


class LevelRow(NamedTuple):
    """A level as it is read."""

    id: int
    hierarchy_id: int
    depth: int
    name: str
    node_count: int


BY_KEYS = f"""
    SELECT {HIERARCHY} FROM hierarchy WHERE hierarchy.id = ANY($1::bigint[])
"""

BY_NAME = f"""
    SELECT {HIERARCHY} FROM hierarchy WHERE hierarchy.name_key = $1
"""

LOCK = """
    -- Writers of one hierarchy wait here for one another, until the end of their transactions.
    SELECT id FROM hierarchy WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""

OF_NODES = """
    SELECT DISTINCT node.hierarchy_id FROM node WHERE node.id = ANY($1::bigint[])
"""

LEVELS = """
    SELECT level.id, level.hierarchy_id, level.depth, level.name, level.node_count FROM level
    WHERE level.hierarchy_id = ANY($1::bigint[]) ORDER BY level.hierarchy_id, level.depth
"""

INSERT = """
    INSERT INTO hierarchy (
        id, name, name_key, name_fold, description, search_fold, version, spread, created_at, updated_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, 1, 0, $7, $7)
"""

INSERT_LEVELS = """
    INSERT INTO level (id, hierarchy_id, depth, name, name_key, node_count)
    SELECT item.id, $1, item.depth, item.name, item.name_key, 0
    FROM rows($2: id bigint, depth int, name text, name_key text) AS item
"""

UPDATE = """
    UPDATE hierarchy SET name = $2, name_key = $3, name_fold = $4, description = $5, search_fold = $6
    WHERE id = $1
"""

TOUCH = """
    -- One committed change more.
    UPDATE hierarchy SET version = version + 1, updated_at = $2 WHERE id = ANY($1::bigint[])
"""

SPREAD = """
    UPDATE hierarchy SET spread = spread + 1 WHERE id = $1
"""

COUNT_LEVELS = """
    -- The kept numbers of nodes on each level.
    UPDATE level SET node_count = node_count + delta.count
    FROM rows($2: depth int, count int) AS delta
    WHERE level.hierarchy_id = $1 AND level.depth = delta.depth
"""

DELETE_PAIRS = """
    DELETE FROM closure WHERE descendant_id IN (SELECT node.id FROM node WHERE node.hierarchy_id = $1)
"""

DELETE_NODES = """
    DELETE FROM node WHERE hierarchy_id = $1
"""

DELETE = """
    DELETE FROM hierarchy WHERE id = $1
"""

LISTING = Listing(columns=COLUMNS.format("item"), table="hierarchy", link="parent.id = 0")
SORTINGS = {
    "NAME": Sorting("hierarchy.name", "name_fold"),
    "CREATED_AT": Sorting("hierarchy.created", "created_at"),
    "UPDATED_AT": Sorting("hierarchy.updated", "updated_at"),
}


async def by_keys(keys: Collection[int]) -> dict[int, HierarchyRow]:
    """The hierarchies that there are of these. One statement."""
    return {row[0]: HierarchyRow._make(row) for row in await db.fetch(BY_KEYS, list(keys))}


async def by_name(name: str) -> HierarchyRow | None:
    """The hierarchy of this name, whatever its case. One statement."""
    found = await db.fetch(BY_NAME, key(name))
    return HierarchyRow._make(found[0]) if found else None


async def lock(keys: Collection[int]) -> None:
    """Locks the hierarchies that there are of these, by key, until the transaction ends. One statement.

    Where it is the first of its transaction it goes with BEGIN, and what is read next is read under the lock.
    """
    if not await db.begin(Locking("lock_hierarchies", LOCK, sorted(keys))):
        await db.fetch(LOCK, sorted(keys))


async def of_nodes(nodes: Collection[int]) -> list[int]:
    """The hierarchies in which these nodes stand, and always will. One statement, which begins no transaction."""
    return [row[0] for row in await db.look(OF_NODES, list(nodes))]


async def levels(hierarchies: Collection[int]) -> dict[int, list[LevelRow]]:
    """The levels of each hierarchy, top first. One statement."""
    found: defaultdict[int, list[LevelRow]] = defaultdict(list)
    for row in await db.fetch(LEVELS, list(hierarchies)):
        found[row[1]].append(LevelRow._make(row))
    return found


async def page(page: Page, filter: HierarchyFilter, order: Order) -> Slice[HierarchyRow]:
    """A page of all hierarchies. One statement, which by UPDATED_AT reads them all.

    There are few, and an index of when they changed would have to be written with every change of a tree.
    """
    sorting = SORTINGS[order.field]
    slices = await LISTING.page([0], page, sorting, order.descending, _conditions(filter), row_of(HierarchyRow))
    return slices[0]


async def total(filter: HierarchyFilter) -> int:
    """How many hierarchies meet the filter. One statement."""
    return (await LISTING.totals([0], _conditions(filter)))[0]


def _conditions(filter: HierarchyFilter) -> Conditions:
    found = Conditions()
    found.contains("item.search_fold", filter.search)
    found.match("item.name_fold", filter.name, within="item.search_fold")
    return found


async def insert(hierarchy: int, name: str, description: str, at: datetime) -> None:
    """A new hierarchy at version 1, without levels. One statement."""
    await db.fetch(INSERT, hierarchy, name, key(name), fold(name), description, searchable(name, description), at)


async def insert_levels(hierarchy: int, levels: Sequence[tuple[int, int, str]]) -> None:
    """New levels: (key, depth, name). One statement."""
    values = [{"id": level, "depth": depth, "name": name, "name_key": key(name)} for level, depth, name in levels]
    await db.fetch(INSERT_LEVELS, hierarchy, rows(values))


async def update(hierarchy: int, name: str, description: str) -> None:
    """A new name and description. One statement."""
    await db.fetch(UPDATE, hierarchy, name, key(name), fold(name), description, searchable(name, description))


def touched(hierarchies: Collection[int], at: datetime) -> Statement:
    """What counts one committed change more of each."""
    return Statement(TOUCH, (list(hierarchies), at))


async def spread_anew(hierarchy: int) -> None:
    """Notes that positions of siblings were spread anew: cursors from before do not trust theirs. One statement."""
    await db.fetch(SPREAD, hierarchy)


async def count_levels(hierarchy: int, deltas: Mapping[int, int]) -> None:
    """Adds to the kept numbers of nodes: depth → how many more. One statement, none if nothing changes."""
    await db.write(*levels_counted(hierarchy, deltas))


def levels_counted(hierarchy: int, deltas: Mapping[int, int]) -> list[Statement]:
    """What `count_levels` runs."""
    values = [{"depth": depth, "count": count} for depth, count in deltas.items() if count]
    return [Statement(COUNT_LEVELS, (hierarchy, rows(values)))] if values else []


async def delete(hierarchy: int) -> None:
    """Deletes a hierarchy with its levels and nodes; the groups remain. Three statements."""
    await db.fetch(DELETE_PAIRS, hierarchy)
    await db.fetch(DELETE_NODES, hierarchy)
    await db.fetch(DELETE, hierarchy)
