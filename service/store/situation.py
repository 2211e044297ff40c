"""What a change of a tree has to know, read at once under its lock: one statement on PostgreSQL."""

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

    Two statements, of which the first goes with BEGIN where it can.
    """
    await hierarchy.lock(keys)
    wanted = list(keys)
    rows, levels, lines, *rest = await db.fetch_each(
        Statement(hierarchy.BY_KEYS, (wanted,)),
        Statement(hierarchy.LEVELS, (wanted,)),
        Statement(LINES, (list(nodes),)),
        *others,
    )
    of_hierarchies: defaultdict[int, list[LevelRow]] = defaultdict(list)
    for row in levels:
        of_hierarchies[row[1]].append(LevelRow._make(row))
    return Situation({row[0]: HierarchyRow._make(row) for row in rows}, of_hierarchies, _lines(lines), rest)


async def lines(nodes: Collection[int]) -> dict[int, Line]:
    """The line of each node that there is. One statement."""
    return _lines(await db.fetch(LINES, list(nodes)))


def _lines(rows: Sequence[Record]) -> dict[int, Line]:
    found: dict[int, Line] = {}
    for descendant, name, *row in rows:
        line = found.setdefault(descendant, Line([], []))
        line.nodes.append(NodeRow._make(row))
        line.names.append(name)
    return found
