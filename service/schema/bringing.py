"""What nodes are fetched with, told by what is selected of them: see service/store/along.py."""

from service.breadth import Selection
from service.store.along import Along

TYPENAME = "__typename"
# Field → columns that it is made of; any other field of a node takes its key.
OF_NODE = {
    "hierarchy": ("hierarchy_id",),
    "group": ("group_id",),
    "level": ("hierarchy_id", "depth"),
    "depth": ("depth",),
    "parent": ("parent_id",),
    "childCount": ("child_count",),
    "descendantCount": ("descendant_count",),
    "customerCount": ("group_id",),
}
# Field → column, of what a node can bring along of its group and its level.
OF_GROUP = {
    "code": "code",
    "name": "name",
    "description": "description",
    "status": "status",
    "customerCount": "customer_count",
    "version": "version",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}
OF_LEVEL = {"name": "name", "nodeCount": "node_count"}
OF_HIERARCHY = {
    "name": "name",
    "description": "description",
    "version": "version",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}


OF_CUSTOMER = {
    "code": "code",
    "name": "name",
    "type": "type",
    "version": "version",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}


def of_customer(selection: Selection) -> tuple[str, ...]:
    """What a customer is fetched with besides its key, on which all else hangs."""
    return _fetched(OF_CUSTOMER, selection)


def of_groups_in_list(selection: Selection) -> tuple[str, ...]:
    """The same for the groups of a connection."""
    return _fetched(OF_GROUP, selection.below("nodes"), selection.below("edges").below("node"))


def _fetched(known: dict[str, str], *selections: Selection) -> tuple[str, ...]:
    return tuple(column for name, column in known.items() if any(name in selection.names for selection in selections))


def along(selection: Selection) -> Along:
    """What a few nodes come with. Many share their levels and hierarchies, which are better looked up once."""
    return Along(
        _own(selection),
        _columns("group", OF_GROUP, selection),
        _columns("level", OF_LEVEL, selection),
        _columns("hierarchy", OF_HIERARCHY, selection),
        path="path" in selection.names,
    )


def along_in_list(selection: Selection) -> Along:
    """The same for the nodes of a connection."""
    nodes = selection.below("nodes"), selection.below("edges").below("node")
    cursors = not selection.names.isdisjoint({"edges", "pageInfo"})
    return Along(_own(*nodes), _columns("group", OF_GROUP, *nodes), cursors=cursors)


def _own(*selections: Selection) -> tuple[str, ...]:
    wanted = {column for selection in selections for name in selection.names for column in OF_NODE.get(name, ())}
    # What is brought along of a group needs no key, unless there is more to be found by it.
    if all(_all_along(selection) for selection in selections):
        wanted.discard("group_id")
    return tuple(sorted(wanted))


def _all_along(selection: Selection) -> bool:
    return "customerCount" not in selection.names and OF_GROUP.keys() >= selection.below("group").names - {TYPENAME}


def _columns(part: str, known: dict[str, str], *selections: Selection) -> tuple[str, ...] | None:
    if not any(part in selection.names for selection in selections):
        return None
    names = {name for selection in selections for name in selection.below(part).names}
    return tuple(column for name, column in known.items() if name in names)
