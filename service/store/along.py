"""What nodes bring along of their groups and levels: only the columns that are asked for.

Such rows come by the thousand. To read one column out of what PostgreSQL sends takes as long as all else that is done
to it, so no other is fetched; and the node, its group and its level are each made of the record as it is, by functions
of C that look at the places where their values stand.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from service.store.group import GroupRow
from service.store.hierarchy import LevelRow

Record = Sequence[Any]
Columns = tuple[str, ...]

# Columns of the node itself that its group and its level share with it.
OF_GROUP = {"id": "group_id"}
OF_LEVEL = {"hierarchy_id": "hierarchy_id", "depth": "depth"}


class Along(NamedTuple):
    """The columns of its group and of its level that a node brings along; None: it comes without the row."""

    group: Columns | None = None
    level: Columns | None = None


NOTHING = Along()


class Brought(NamedTuple):
    """How it is brought: in which columns of a statement, behind the node's own, from what joins."""

    columns: str
    # With {0} for what the node goes by in the statement.
    joined: str
    # The same, where what stands for the node tells the planner nothing of how many rows there are.
    looked_up: str
    make: Callable[[Record], Any]


@cache
def brought(node: Any, along: Along) -> Brought:
    """For nodes of this class of named tuples. Of the record it takes its own columns; more may stand behind them."""
    width = len(node._fields)
    if along == NOTHING:
        return Brought("", "", "", lambda record: node._make(record[:width]))
    group, level = along.group or (), along.level or ()
    own: dict[str, Any] = {"__slots__": ()}
    if along.group is not None:
        own["group_of"] = _part(node, GroupRow, OF_GROUP, group, width)
    if along.level is not None:
        own["level_of"] = _part(node, LevelRow, OF_LEVEL, level, width + len(group))
    columns = [*(f"own.{name}" for name in group), *(f"tier.{name}" for name in level)]
    tables = []
    if group:
        tables.append(("customer_group AS own", "own.id = {0}.group_id"))
    if level:
        tables.append(("level AS tier", "tier.hierarchy_id = {0}.hierarchy_id AND tier.depth = {0}.depth"))
    return Brought(
        "".join(f", {column}" for column in columns),
        "".join(f" JOIN {table} ON {condition}" for table, condition in tables),
        "".join(
            f" CROSS JOIN LATERAL (SELECT * FROM {table} WHERE {condition} LIMIT 1) AS {table.split()[-1]}"
            for table, condition in tables
        ),
        partial(tuple.__new__, type("NodeWithMore", (node,), own)),
    )


def _part(node: Any, kind: Any, shared: dict[str, str], names: Columns, start: int) -> Callable[[Any], Any]:
    """What makes the row of this kind of a node that brings along these columns of it, from this place on."""
    places = {name: node._fields.index(column) for name, column in shared.items()}
    places |= {name: place for place, name in enumerate(names, start)}
    own = {name: property(itemgetter(places[name]) if name in places else _not_brought) for name in kind._fields}
    return partial(tuple.__new__, type(f"{kind.__name__}OfNode", (kind,), {"__slots__": (), **own}))


def _not_brought(_: Any) -> None:
    raise AttributeError("this column was not brought along")


def groups_at_hand(nodes: Sequence[Any]) -> Sequence[GroupRow] | None:
    """The groups of nodes that bring them along; None where not all do, or not the same columns."""
    return _at_hand(nodes, attrgetter("group_of"))


def levels_at_hand(nodes: Sequence[Any]) -> Sequence[LevelRow] | None:
    """The same of their levels."""
    return _at_hand(nodes, attrgetter("level_of"))


def _at_hand(nodes: Sequence[Any], part: Callable[[Any], Any]) -> Sequence[Any] | None:
    kinds = set(map(type, nodes))
    try:
        make = part(kinds.pop()) if len(kinds) == 1 else None
    except AttributeError:
        return None
    return [*map(make, nodes)] if make else None
