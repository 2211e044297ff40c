"""What nodes bring along of their groups and levels: only the columns that are asked for.

Such rows come by the thousand. To read one column out of what PostgreSQL sends takes as long as all else that is done
to it, so no other is fetched; and the node, its group and its level are each made of the record as it is, by functions
of C that look at the places where their values stand.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple

from service.store.group import GroupRow
from service.store.hierarchy import LevelRow

Record = Sequence[Any]
Columns = tuple[str, ...]

# Columns of the node itself that its group and its level share with it.
OF_GROUP = {"id": "group_id"}
OF_LEVEL = {"hierarchy_id": "hierarchy_id", "depth": "depth"}


class Along(NamedTuple):
    """What nodes come with: of their own columns these besides the key (None: all), and those of their groups and
    levels that they bring along (None: not the row at all). `cursors`: those of a page may be asked for."""

    node: Columns | None = None
    group: Columns | None = None
    level: Columns | None = None
    cursors: bool = True


NOTHING = Along()


class Brought(NamedTuple):
    """How it is brought: in which columns of a statement, the key first, from what joins."""

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
    group, level = along.group or (), along.level or ()
    columns = [
        *(f"{{0}}.{name}" for name in own),
        *(f"own.{name}" for name in group),
        *(f"tier.{name}" for name in level),
    ]
    tables = []
    if group:
        tables.append(("customer_group AS own", "own.id = {0}.group_id"))
    if level:
        tables.append(("level AS tier", "tier.hierarchy_id = {0}.hierarchy_id AND tier.depth = {0}.depth"))
    return Brought(
        ", ".join(columns),
        "".join(f" JOIN {table} ON {condition}" for table, condition in tables),
        _maker(node, along, {name: place for place, name in enumerate(own)}),
    )


def _maker(node: Any, along: Along, places: dict[str, int]) -> Callable[[Record], Any]:
    width = len(places)
    if along._replace(cursors=True) == NOTHING:
        return lambda record: node._make(record[:width])
    own = {"__slots__": (), **_values(node, places)}
    group, level = along.group or (), along.level or ()
    if along.group is not None:
        own["group_of"] = _part(GroupRow, _shared(OF_GROUP, places) | _numbered(group, width))
    if along.level is not None:
        own["level_of"] = _part(LevelRow, _shared(OF_LEVEL, places) | _numbered(level, width + len(group)))
    return partial(tuple.__new__, type("NodeWithMore", (node,), own))


def _shared(columns: dict[str, str], places: dict[str, int]) -> dict[str, int]:
    return {name: places[column] for name, column in columns.items() if column in places}


def _numbered(names: Columns, start: int) -> dict[str, int]:
    return {name: place for place, name in enumerate(names, start)}


def _part(kind: Any, places: dict[str, int]) -> Callable[[Any], Any]:
    """What makes the row of this kind of a node that brings along these of its columns."""
    return partial(tuple.__new__, type(f"{kind.__name__}OfNode", (kind,), {"__slots__": (), **_values(kind, places)}))


def _values(kind: Any, places: dict[str, int]) -> dict[str, Any]:
    return {name: property(itemgetter(places[name]) if name in places else _not_brought) for name in kind._fields}


def _not_brought(_: Any) -> None:
    raise AttributeError("this column was not brought along")
