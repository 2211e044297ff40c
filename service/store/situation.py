"""What a change of a tree has to know, read together with the lock: one statement on PostgreSQL.

Such a statement reads the database as it was before it waited for the lock. Whether anything in the tree has
changed since then tells the version, which goes up with every change of it; where it has, all is read once more.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from service import db
from service.sessions import Record, Statement
from service.store import hierarchy
from service.store.hierarchy import HierarchyRow, LevelRow
from service.store.node import NODE, SCOPE, NodeRow


class Line(NamedTuple):
    """A node and all above it, up to its root, with the names of their groups."""

    nodes: list[NodeRow]
    names: list[str]


class Situation(NamedTuple):
    """Hierarchies, all locked, with their levels; the lines of the nodes asked for, as far as there are such nodes."""

    hierarchies: dict[int, HierarchyRow]
    levels: dict[int, list[LevelRow]]
    lines: dict[int, Line]
    # The rows of what else was asked for.
    others: list[Sequence[Record]]


VERSIONS = """
    -- As everything else in the same statement sees them, not as the lock does.
    SELECT hierarchy.id, hierarchy.version FROM hierarchy WHERE hierarchy.id = ANY($1::bigint[])
"""

LOCK_OF_NODES = f"""
    -- The hierarchies in which these nodes stand, without those that another writer has locked.
    SELECT {hierarchy.HIERARCHY} FROM hierarchy
    WHERE hierarchy.id IN (SELECT node.hierarchy_id FROM node WHERE node.id = ANY($1::bigint[]))
    ORDER BY hierarchy.id
    FOR NO KEY UPDATE SKIP LOCKED
"""

VERSIONS_OF_NODES = """
    SELECT hierarchy.id, hierarchy.version FROM hierarchy
    WHERE hierarchy.id IN (SELECT node.hierarchy_id FROM node WHERE node.id = ANY($1::bigint[]))
"""

LEVELS_OF_NODES = """
    SELECT level.id, level.hierarchy_id, level.depth, level.name, level.node_count FROM level
    WHERE level.hierarchy_id IN (SELECT node.hierarchy_id FROM node WHERE node.id = ANY($1::bigint[]))
    ORDER BY level.hierarchy_id, level.depth
"""

LINES = f"""
    -- Upward from each node, itself first, with the names of the groups.
    SELECT up.descendant_id, customer_group.name, {NODE}
    FROM closure AS up
    JOIN node ON node.id = up.ancestor_id
    JOIN customer_group ON customer_group.id = node.group_id
    WHERE up.descendant_id = ANY($1::bigint[])
    ORDER BY up.descendant_id, up.distance
"""

BEHIND = f"""
    -- The nearest position behind a node among its siblings, some nodes left out.
    SELECT (
        SELECT node.position FROM node
        WHERE {SCOPE.format("node")} = {SCOPE.format("named")} AND node.position > named.position
          AND NOT node.id = ANY($2::bigint[])
        ORDER BY node.position LIMIT 1
    )
    FROM node AS named WHERE named.id = $1
"""

BEFORE = f"""
    -- The nearest position before a node among its siblings, some nodes left out.
    SELECT (
        SELECT node.position FROM node
        WHERE {SCOPE.format("node")} = {SCOPE.format("named")} AND node.position < named.position
          AND NOT node.id = ANY($2::bigint[])
        ORDER BY node.position DESC LIMIT 1
    )
    FROM node AS named WHERE named.id = $1
"""


async def lock(keys: Collection[int], nodes: Collection[int], others: Sequence[Statement]) -> Situation:
    """Locks the hierarchies that there are of these, by key, until the transaction ends, and reads about them.

    One statement, one more after somebody else's change.
    """
    wanted = list(keys)
    while True:
        locked, versions, levels, lines, *rows = await db.fetch_each(
            Statement(hierarchy.LOCK, (sorted(keys),)),
            Statement(VERSIONS, (wanted,)),
            Statement(hierarchy.LEVELS, (wanted,)),
            Statement(LINES, (list(nodes),)),
            *others,
        )
        found = _situation(locked, levels, lines, rows)
        if _is_current(found, versions):
            return found


async def lock_of_nodes(
    keys: Collection[int], nodes: Collection[int], others: Sequence[Statement]
) -> tuple[set[int], Situation | None]:
    """The same for those in which nodes stand, as far as that goes without waiting. One statement.

    Returns which ones these are, and the situation unless it may be another one or another writer has a lock.
    """
    wanted = list(keys)
    locked, versions, levels, lines, *rows = await db.fetch_each(
        Statement(LOCK_OF_NODES, (wanted,)),
        Statement(VERSIONS_OF_NODES, (wanted,)),
        Statement(LEVELS_OF_NODES, (wanted,)),
        Statement(LINES, (list(nodes),)),
        *others,
    )
    found = _situation(locked, levels, lines, rows)
    return {row[0] for row in versions}, found if _is_current(found, versions) else None


async def lines(nodes: Collection[int]) -> dict[int, Line]:
    """The line of each node that there is. One statement."""
    return _lines(await db.fetch(LINES, list(nodes)))


def _situation(
    locked: Sequence[Record], levels: Sequence[Record], lines: Sequence[Record], others: list[Sequence[Record]]
) -> Situation:
    of_hierarchies: defaultdict[int, list[LevelRow]] = defaultdict(list)
    for row in levels:
        of_hierarchies[row[1]].append(LevelRow._make(row))
    return Situation({row[0]: HierarchyRow._make(row) for row in locked}, of_hierarchies, _lines(lines), others)


def _is_current(found: Situation, versions: Sequence[Record]) -> bool:
    return {key: row.version for key, row in found.hierarchies.items()} == {row[0]: row[1] for row in versions}


def _lines(rows: Sequence[Record]) -> dict[int, Line]:
    found: dict[int, Line] = {}
    for descendant, name, *row in rows:
        line = found.setdefault(descendant, Line([], []))
        line.nodes.append(NodeRow._make(row))
        line.names.append(name)
    return found
