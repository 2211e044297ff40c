"""What nodes bring along of their groups and levels: only the columns that are asked for, see columns.py."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import orjson

from service.store.columns import Columns, Record, at, made
from service.store.group import GroupRow
from service.store.hierarchy import HierarchyRow, LevelRow

# Columns of the node itself that its group and its level share with it.
OF_GROUP = {"id": "group_id"}
OF_LEVEL = {"hierarchy_id": "hierarchy_id", "depth": "depth"}
OF_HIERARCHY = {"id": "hierarchy_id"}

# The names of the groups from the root down to the node itself, as JSON.
PATH = """(
    SELECT json_agg(way.name) FROM (
        SELECT above_group.name FROM closure AS up
        JOIN node AS above ON above.id = up.ancestor_id
        JOIN customer_group AS above_group ON above_group.id = above.group_id
        WHERE up.descendant_id = {0}.id ORDER BY up.distance DESC
    ) AS way
)"""


class Along(NamedTuple):
    """What nodes come with: of their own columns these besides the key (None: all), and those of their groups,
    levels and hierarchies that they bring along (None: not the row at all). `path`: their paths as well. `cursors`:
    those of a page may be asked for."""

    node: Columns | None = None
    group: Columns | None = None
    level: Columns | None = None
    hierarchy: Columns | None = None
    path: bool = False
    cursors: bool = True


NOTHING = Along()


class Brought(NamedTuple):
    """How it is brought: in which columns of a statement, the key first, from what joins."""

    # Those of the node itself.
    own: Columns
    # All with {0} for what the node goes by in the statement.
    columns: str
    joined: str
    make: Callable[[Record], Any]


@lru_cache(maxsize=500)
def brought(node: Any, along: Along, needed: Columns = ()) -> Brought:
    """For nodes of this class of named tuples. Of the record it takes its columns; more may stand behind them.

    `needed`: columns of the node that its reader looks at, whatever is asked for.
    """
    wanted = node._fields if along.node is None else {"id", *along.node, *needed}
    own = tuple(name for name in node._fields if name in wanted)
    columns = [f"{{0}}.{name}" for name in own]
    joined = ""
    parts: dict[str, Any] = {}
    taken = {*node._fields}
    for part, kind, table, shared, condition in PARTS:
        brought = getattr(along, part)
        if brought is not None:
            numbered = {name: place for place, name in enumerate(brought, len(columns))}
            places = {name: own.index(column) for name, column in shared.items() if column in own} | numbered
            if taken.isdisjoint(places):
                taken |= places.keys()
                # The node stands for its part where nothing of that goes by a name that it has for something else.
                parts |= at(places) | {f"{part}_of": True}
            else:
                parts[f"{part}_of"] = made(kind, places)
        if brought:
            columns += (f"own_{part}.{name}" for name in brought)
            joined += f" JOIN {table} AS own_{part} ON {condition}"
    if along.path:
        parts["path_of"] = partial(_path, len(columns))
        columns.append(PATH)
    return Brought(own, ", ".join(columns), joined, _maker(node, own, parts))


# What nodes bring along: as what rows, of which table, with which columns in common, joined how.
PARTS = (
    ("group", GroupRow, "customer_group", OF_GROUP, "own_group.id = {0}.group_id"),
    ("level", LevelRow, "level", OF_LEVEL, "own_level.hierarchy_id = {0}.hierarchy_id AND own_level.depth = {0}.depth"),
    ("hierarchy", HierarchyRow, "hierarchy", OF_HIERARCHY, "own_hierarchy.id = {0}.hierarchy_id"),
)


def _maker(node: Any, own: Columns, parts: dict[str, Any]) -> Callable[[Record], Any]:
    if own == node._fields and not parts:
        width = len(own)
        return lambda record: node._make(record[:width])
    return made(node, {name: place for place, name in enumerate(own)}, **parts)


def _path(place: int, record: Record) -> Any:
    return orjson.loads(record[place])
