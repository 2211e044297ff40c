"""What a change of a tree has to know, read at once under its lock: one statement on PostgreSQL."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from service import db
from service.sessions import Record, Statement
from service.store import hierarchy
from service.store.hierarchy import HierarchyRow, LevelRow
from service.store.node import COLUMNS, NODE, SCOPE, NodeRow


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
    -- The nearest position behind a node among its siblings, some nodes left out; the name of its group, and the node.
    SELECT (
        SELECT node.position FROM node
        WHERE {SCOPE.format("node")} = {SCOPE.format("named")} AND node.position > named.position
          AND NOT node.id = ANY($2::bigint[])
        ORDER BY node.position LIMIT 1
    ), customer_group.name, {COLUMNS.format("named")}
    FROM node AS named JOIN customer_group ON customer_group.id = named.group_id WHERE named.id = $1
"""

BEFORE = f"""
    -- The nearest position before a node among its siblings, some nodes left out; the name of its group, and the node.
    SELECT (
        SELECT node.position FROM node
        WHERE {SCOPE.format("node")} = {SCOPE.format("named")} AND node.position < named.position
          AND NOT node.id = ANY($2::bigint[])
        ORDER BY node.position DESC LIMIT 1
    ), customer_group.name, {COLUMNS.format("named")}
    FROM node AS named JOIN customer_group ON customer_group.id = named.group_id WHERE named.id = $1
"""


async def lock(
    keys: Collection[int], nodes: Collection[int], others: Sequence[Statement], *, levels: bool = True
) -> Situation:
    """Locks the hierarchies that there are of these, by key, until the transaction ends, and reads about them.

    `levels`: with their levels. Two statements, of which the first goes with BEGIN where it can.
    """
    await hierarchy.lock(keys)
    wanted = list(keys)
    rows, lines, *rest = await db.fetch_each(
        Statement(hierarchy.BY_KEYS, (wanted,)),
        Statement(LINES, (list(nodes),)),
        *([Statement(hierarchy.LEVELS, (wanted,))] if levels else []),
        *others,
    )
    of_hierarchies: defaultdict[int, list[LevelRow]] = defaultdict(list)
    for row in rest.pop(0) if levels else ():
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
