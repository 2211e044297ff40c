"""Nodes: reading them, and the positions among siblings."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from service import db
from service.matching import NodeFilter
from service.names import key
from service.paging import Page, Slice, decode_cursor, encode_cursor
from service.sessions import Returned
from service.store.along import NOTHING, Along, brought
from service.store.listing import Conditions, Listing, Sorting

COLUMNS = (
    "{0}.id, {0}.hierarchy_id, {0}.group_id, {0}.parent_id, {0}.position, {0}.depth, "
    "{0}.child_count, {0}.descendant_count"
)
NODE = COLUMNS.format("node")
WRITTEN = Returned("node", NODE)
SCOPE = "COALESCE({0}.parent_id, -{0}.hierarchy_id)"


class NodeRow(NamedTuple):
    """A node as it is read: light, and equal to another of the same state."""

    id: int
    hierarchy_id: int
    group_id: int
    parent_id: int | None
    position: str
    depth: int
    child_count: int
    descendant_count: int

    @property
    def scope(self) -> int:
        """Where it stands among siblings: its parent, or minus its hierarchy."""
        return self.parent_id if self.parent_id is not None else -self.hierarchy_id


BY_KEYS = """
    SELECT {0} FROM node{1} WHERE node.id = ANY($1::bigint[])
"""

OF_GROUPS = """
    -- Where groups stand, one node a hierarchy, by hierarchy name.
    SELECT {0}, node.group_id FROM node JOIN hierarchy ON hierarchy.id = node.hierarchy_id{1}
    WHERE node.group_id = ANY($1::bigint[])
    ORDER BY node.group_id, hierarchy.name_fold, hierarchy.id
"""

OF_CUSTOMERS = """
    -- Where the groups of customers stand, in one hierarchy or (NULL) in all.
    SELECT {0}, membership.customer_id
    FROM membership
    JOIN node ON node.group_id = membership.group_id
    JOIN hierarchy ON hierarchy.id = node.hierarchy_id{1}
    WHERE membership.customer_id = ANY($1::bigint[]) AND ($2::bigint IS NULL OR node.hierarchy_id = $2)
    ORDER BY membership.customer_id, hierarchy.name_fold, hierarchy.id, node.depth, node.id
"""

OF_GROUP_IN = f"""
    SELECT {NODE} FROM node WHERE node.hierarchy_id = ANY($1::bigint[]) AND node.group_id = $2
"""

HIERARCHIES_OF_GROUP = """
    SELECT hierarchy_id FROM node WHERE group_id = $1 ORDER BY hierarchy_id
"""

ANCESTORS = """
    -- From the root down to the parent of each node.
    SELECT {0}, up.descendant_id
    FROM closure AS up JOIN node ON node.id = up.ancestor_id{1}
    WHERE up.descendant_id = ANY($1::bigint[]) AND up.distance > 0
    ORDER BY up.descendant_id, up.distance DESC
"""

PATHS = """
    -- Group names from the root down to each node itself.
    SELECT up.descendant_id, customer_group.name
    FROM closure AS up
    JOIN node ON node.id = up.ancestor_id
    JOIN customer_group ON customer_group.id = node.group_id
    WHERE up.descendant_id = ANY($1::bigint[])
    ORDER BY up.descendant_id, up.distance DESC
"""

INDEXES = f"""
    -- The place of each node among its siblings: each is counted on from the named one before it, the first from
    -- the start. Reads the siblings up to the last of the named, in the index, once.
    SELECT named.id, CAST(sum((
        SELECT count(*) FROM node
        WHERE {SCOPE.format("node")} = named.scope
          AND node.position > COALESCE(named.previous, '') AND node.position <= named.position
    )) OVER (PARTITION BY named.scope ORDER BY named.position) AS bigint) - 1
    FROM (
        SELECT node.id, {SCOPE.format("node")} AS scope, node.position,
            lag(node.position) OVER (PARTITION BY {SCOPE.format("node")} ORDER BY node.position) AS previous
        FROM node WHERE node.id = ANY($1::bigint[])
    ) AS named
"""

CHILDREN = f"""
    -- All children of some nodes, in order within each.
    SELECT {NODE} FROM node WHERE node.parent_id = ANY($1::bigint[]) ORDER BY node.parent_id, node.position
"""

SIBLINGS = f"""
    -- Everything in some scopes, in order within each.
    SELECT {NODE} FROM node WHERE {SCOPE.format("node")} = ANY($1::bigint[])
    ORDER BY {SCOPE.format("node")}, node.position
"""

AT_DEPTH = f"""
    -- All nodes of one level, siblings in their order.
    SELECT {NODE} FROM node WHERE node.hierarchy_id = $1 AND node.depth = $2
    ORDER BY {SCOPE.format("node")}, node.position
"""

FIRST = f"""
    SELECT min(position) FROM node WHERE {SCOPE.format("node")} = $1 AND NOT id = ANY($2::bigint[])
"""

LAST = f"""
    SELECT max(position) FROM node WHERE {SCOPE.format("node")} = $1 AND NOT id = ANY($2::bigint[])
"""

AT_INDEX = f"""
    -- The position at place $3 of a scope and the one before it, some nodes left out.
    SELECT position FROM node
    WHERE {SCOPE.format("node")} = $1 AND NOT id = ANY($2::bigint[])
    ORDER BY position LIMIT $4 OFFSET $3
"""

SPREAD = """
    -- How often the siblings in a node's hierarchy were spread anew, and where the node stands now.
    SELECT hierarchy.spread, node.position
    FROM node JOIN hierarchy ON hierarchy.id = node.hierarchy_id WHERE node.id = $1
"""

NEXT_OF_EACH = f"""
    -- The position of each node and that of the sibling behind it.
    SELECT named.id, named.position, (
        SELECT node.position FROM node
        WHERE {SCOPE.format("node")} = {SCOPE.format("named")} AND node.position > named.position
        ORDER BY node.position LIMIT 1
    )
    FROM node AS named WHERE named.id = ANY($1::bigint[])
"""

LISTING = Listing(columns="", table="node", link=f"{SCOPE.format('item')} = parent.id", steady=True)


@lru_cache(maxsize=500)
def _listing(along: Along) -> Listing:
    """The children of nodes, with what they bring along and, where cursors are made, what those hold."""
    more = brought(NodeRow, along)
    columns, joined = more.columns.format("item"), more.joined.format("item")
    if along.cursors:
        columns, joined = f"{columns}, sown.spread", f"JOIN hierarchy AS sown ON sown.id = item.hierarchy_id{joined}"
    return LISTING._replace(columns=columns, joined=joined)


@lru_cache(maxsize=500)
def _with(statement: str, along: Along) -> str:
    """A statement with what the nodes bring along."""
    more = brought(NodeRow, along)
    return statement.format(more.columns.format("node"), more.joined.format("node"))


POSITION = Sorting("siblings", "position", distinct=True)


async def by_keys(keys: Collection[int], along: Along = NOTHING) -> dict[int, NodeRow]:
    """The nodes that there are of these, with what they bring along. One statement, none where they were just written.

    Those that were written bring nothing along.
    """
    written = db.written("node", keys)
    if written is not None and along._replace(node=None, cursors=True) == NOTHING:
        return {row[0]: NodeRow._make(row) for row in written}
    make = brought(NodeRow, along).make
    return {row[0]: make(row) for row in await db.fetch(_with(BY_KEYS, along), list(keys))}


async def of_groups(groups: Collection[int], along: Along = NOTHING) -> dict[int, list[NodeRow]]:
    """Where each group stands, by hierarchy name, with what the nodes bring along. One statement."""
    make = brought(NodeRow, along).make
    rows = await db.fetch(_with(OF_GROUPS, along), list(groups))
    found: dict[int, list[NodeRow]] = {group: [] for group in groups}
    for row in rows:
        found[row[-1]].append(make(row))
    return found


async def of_customers(
    customers: Collection[int], hierarchy: int | None, along: Along = NOTHING
) -> dict[int, list[NodeRow]]:
    """Where each customer's groups stand, by hierarchy name, then from the top. One statement."""
    make = brought(NodeRow, along).make
    rows = await db.fetch(_with(OF_CUSTOMERS, along), list(customers), hierarchy)
    found: dict[int, list[NodeRow]] = {customer: [] for customer in customers}
    for row in rows:
        found[row[-1]].append(make(row))
    return found


async def of_group_in(hierarchies: Collection[int], group: int) -> dict[int, NodeRow]:
    """Hierarchy → the node of a group in it, where it has one. One statement."""
    return {row[1]: NodeRow._make(row) for row in await db.fetch(OF_GROUP_IN, list(hierarchies), group)}


async def hierarchies_of_group(group: int) -> list[int]:
    """The hierarchies in which a group stands, by key. One statement."""
    return [row[0] for row in await db.fetch(HIERARCHIES_OF_GROUP, group)]


async def ancestors(nodes: Collection[int], along: Along = NOTHING) -> dict[int, list[NodeRow]]:
    """For each node its ancestors from the root down, with what they bring along. One statement."""
    make = brought(NodeRow, along).make
    rows = await db.fetch(_with(ANCESTORS, along), list(nodes))
    found: dict[int, list[NodeRow]] = {node: [] for node in nodes}
    for row in rows:
        found[row[-1]].append(make(row))
    return found


async def paths(nodes: Collection[int]) -> dict[int, list[str]]:
    """For each node the group names from the root down to itself. One statement."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for node, name in await db.fetch(PATHS, list(nodes)):
        found[node].append(name)
    return found


async def indexes(nodes: Collection[int]) -> dict[int, int]:
    """The place of each node among its siblings, from 0. One statement; reads the siblings up to the last named."""
    return {row[0]: row[1] for row in await db.fetch(INDEXES, list(nodes))}


async def children(parents: Collection[int]) -> dict[int, list[NodeRow]]:
    """All children of each node, in order. One statement; reads them all."""
    found: dict[int, list[NodeRow]] = {parent: [] for parent in parents}
    for row in await db.fetch(CHILDREN, list(parents)):
        node = NodeRow._make(row)
        assert node.parent_id is not None
        found[node.parent_id].append(node)
    return found


async def siblings(scopes: Collection[int]) -> dict[int, list[NodeRow]]:
    """All nodes in each scope, in order. One statement; reads them all."""
    found: dict[int, list[NodeRow]] = {scope: [] for scope in scopes}
    for row in await db.fetch(SIBLINGS, list(scopes)):
        node = NodeRow._make(row)
        found[node.scope].append(node)
    return found


async def at_depth(hierarchy: int, depth: int) -> list[NodeRow]:
    """All nodes of one level, siblings in their order. One statement; reads them all."""
    return [NodeRow._make(row) for row in await db.fetch(AT_DEPTH, hierarchy, depth)]


async def first_position(scope: int, leaving: Sequence[int]) -> str | None:
    """The lowest position in a scope, the leaving nodes passed over. One statement."""
    position: str | None = await db.fetch_value(FIRST, scope, leaving)
    return position


async def last_position(scope: int, leaving: Sequence[int]) -> str | None:
    """The highest position in a scope, the leaving nodes passed over. One statement."""
    position: str | None = await db.fetch_value(LAST, scope, leaving)
    return position


async def positions_around(scope: int, leaving: Sequence[int], index: int) -> tuple[str | None, str | None]:
    """The positions between which place `index` lies, the leaving nodes passed over; past the end: after the last.

    At most two statements. Counting to a place costs as many index entries as stand before it.
    """
    if index == 0:
        return None, await first_position(scope, leaving)
    found = [row[0] for row in await db.fetch(AT_INDEX, scope, leaving, index - 1, 2)]
    if not found:
        return await last_position(scope, leaving), None
    return found[0], found[1] if len(found) > 1 else None


async def positions_behind(nodes: Collection[int]) -> dict[int, tuple[str, str | None]]:
    """For each node its position and the next higher one among its siblings. One statement."""
    return {row[0]: (row[1], row[2]) for row in await db.fetch(NEXT_OF_EACH, list(nodes))}


async def page_of_children(scopes: Sequence[int], page: Page, along: Along = NOTHING) -> list[Slice[NodeRow]]:
    """A page of the nodes in each scope, in order, with what they bring along.

    One statement, and one more for each cursor given.
    """
    after, before = [await _position_now(cursor) for cursor in (page.after, page.before)]
    return await _listing(along).page(
        *(scopes, page, POSITION, False, Conditions(), brought(NodeRow, along).make),
        cursor=_cursor,
        after=after,
        before=before,
    )


def _cursor(row: Sequence[Any]) -> str:
    # The last column of the listing and, behind it, what it is ordered by.
    return encode_cursor("siblings", [row[-3], row[-2], row[0]])


async def _position_now(cursor: str | None) -> list[str] | None:
    """The position that a cursor stands for: the one it holds, unless the siblings were spread anew since.

    A node that was merely re-ordered or moved does not take the reader's place along.
    """
    if cursor is None:
        return None
    spread, position, node = decode_cursor(cursor, "siblings", (int, str, int))
    found = await db.fetch(SPREAD, node)
    return [found[0][1] if found and found[0][0] != spread else position]


def conditions(filter: NodeFilter, max_depth: int | None = None) -> Conditions:
    """The filter on the nodes of a listing, as conditions on `item`, its group and its distance from the top."""
    found = Conditions()
    if max_depth is not None:
        found.add("below.distance <= {}", max_depth)
    if filter.depth is not None:
        found.add("item.depth = {}", filter.depth)
    if filter.level is not None:
        found.add(
            "item.depth = (SELECT level.depth FROM level"
            " WHERE level.hierarchy_id = item.hierarchy_id AND level.name_key = {})",
            key(filter.level),
        )
    if filter.status is not None:
        found.add("item_group.status = {}", filter.status)
    found.contains("item_group.search_fold", filter.search)
    return found
