"""Mutations of nodes: assigning, moving, re-ordering, unassigning."""

import strawberry
from strawberry import ID, UNSET

from service.errors import UserErrorCode, refuse
from service.ids import Kind
from service.positions import LAST
from service.positions import Position as Place
from service.resolvers import node
from service.schema.answering import answer
from service.schema.connection import given
from service.schema.context import Info
from service.schema.inputs import CustomerGroupBy
from service.schema.naming import groups_of, key_of, keys_of, named, optional_key_of
from service.schema.payloads import (
    AssignGroupPayload,
    AssignGroupsPayload,
    MoveNodePayload,
    MoveNodesPayload,
    MutationInput,
    ReorderChildrenPayload,
    UnassignNodePayload,
    UnassignNodesPayload,
)
from service.schema.words import ChildrenPolicy

field = strawberry.field
VERSION = "Refused with STALE unless the hierarchy is still at this version."
PARENT = "The node to stand under; left out or null: a root."
NEW_PARENT = "Null: it becomes a root. Left out: it stays under its parent."
MANY = (
    "The many forms, for a selection that is dragged: all or nothing, at most 1,000, next to one another in the order"
    " given. Of a node and one of its ancestors both named, the ancestor is moved or unassigned and takes the other"
    " along."
)


@strawberry.input(one_of=True, description="Where among its siblings a node goes. Left out: last.")
class Position:
    first: bool | None = field(default=UNSET, description="Before all others, if true.")
    last: bool | None = field(default=UNSET, description="Behind all others, if true.")
    before: ID | None = field(default=UNSET, description="The id of the sibling to stand right before.")
    after: ID | None = field(default=UNSET, description="The id of the sibling to stand right after.")
    index: int | None = field(default=UNSET, description="From 0; past the end means last.")

    def place(self, *path: str) -> Place:
        """Refuses with INVALID."""
        for name, value in (("first", self.first), ("last", self.last)):
            if value is False:
                raise refuse(UserErrorCode.INVALID, f"Say `{name}: true`, or another position.", *path, name)
        return Place(
            first=self.first is True,
            before=optional_key_of(self.before, Kind.NODE, *path, "before"),
            after=optional_key_of(self.after, Kind.NODE, *path, "after"),
            index=given(self.index),
        )


@strawberry.input(description="parentId left out or null: a root.")
class PlaceInput:
    hierarchy_id: ID = field(description="Which hierarchy.")
    parent_id: ID | None = field(default=UNSET, description=PARENT)
    position: Position | None = field(default=UNSET, description="Where among its siblings. Left out: last.")


@strawberry.input(
    description="Only an active group can be assigned (GROUP_INACTIVE), only once in a hierarchy (ALREADY_ASSIGNED)."
)
class AssignGroupInput(MutationInput):
    hierarchy_id: ID = field(description="Which hierarchy.")
    group: CustomerGroupBy = field(description="Which group.")
    parent_id: ID | None = field(default=UNSET, description=PARENT)
    position: Position | None = field(default=UNSET, description="Where among its siblings. Left out: last.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(description=MANY)
class AssignGroupsInput(MutationInput):
    hierarchy_id: ID = field(description="Which hierarchy.")
    groups: list[CustomerGroupBy] = field(description="Which groups, in this order.")
    parent_id: ID | None = field(default=UNSET, description=PARENT)
    position: Position | None = field(default=UNSET, description="Where among their siblings. Left out: last.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(description="Takes a node out of its hierarchy; its group remains.")
class UnassignNodeInput(MutationInput):
    node_id: ID = field(description="Which node.")
    children: ChildrenPolicy = field(default=ChildrenPolicy.UNASSIGN, description="What becomes of the nodes below it.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(description=MANY)
class UnassignNodesInput(MutationInput):
    node_ids: list[ID] = field(description="Which nodes, all of one hierarchy.")
    children: ChildrenPolicy = field(
        default=ChildrenPolicy.UNASSIGN, description="What becomes of the nodes below them."
    )
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(
    description="Moves a node with everything below it. The same parent with another position re-orders it."
)
class MoveNodeInput(MutationInput):
    node_id: ID = field(description="Which node.")
    parent_id: ID | None = field(default=UNSET, description=NEW_PARENT)
    position: Position | None = field(default=UNSET, description="Where among its siblings. Left out: last.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(description=MANY)
class MoveNodesInput(MutationInput):
    node_ids: list[ID] = field(description="Which nodes, all of one hierarchy, in this order.")
    parent_id: ID | None = field(
        default=UNSET,
        description="Null: they become roots. Left out: they stay under the one parent they have.",
    )
    position: Position | None = field(default=UNSET, description="Where among their siblings. Left out: last.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(
    description=(
        "childIds names every child of the parent, or every root, once, in the new order (otherwise NOT_CHILDREN)."
    )
)
class ReorderChildrenInput(MutationInput):
    hierarchy_id: ID = field(description="Which hierarchy.")
    parent_id: ID | None = field(default=UNSET, description="Whose children; left out or null: the roots.")
    child_ids: list[ID] = field(description="All of them, in the new order.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


def place_of(position: Position | None, *path: str) -> Place:
    """The position asked for; last if none was. Refuses with INVALID."""
    return position.place(*path) if position else LAST


@strawberry.type
class NodeMutations:
    """The part of the mutation root that changes trees."""

    @field(description="Gives a group a place in a hierarchy.")
    async def assign_group(self, info: Info, input: AssignGroupInput) -> AssignGroupPayload:
        return await answer(
            info,
            input,
            AssignGroupPayload,
            lambda: node.assign(
                key_of(input.hierarchy_id, Kind.HIERARCHY, "hierarchyId"),
                [named(input.group, "group")],
                optional_key_of(input.parent_id, Kind.NODE, "parentId"),
                place_of(input.position, "position"),
                given(input.expected_version),
                [("group",)],
            ),
        )

    @field(description="Gives groups places next to one another, all or none.")
    async def assign_groups(self, info: Info, input: AssignGroupsInput) -> AssignGroupsPayload:
        return await answer(
            info,
            input,
            AssignGroupsPayload,
            lambda: node.assign(
                key_of(input.hierarchy_id, Kind.HIERARCHY, "hierarchyId"),
                groups_of(input.groups, "groups"),
                optional_key_of(input.parent_id, Kind.NODE, "parentId"),
                place_of(input.position, "position"),
                given(input.expected_version),
                [("groups", str(place)) for place in range(len(input.groups))],
            ),
        )

    @field(description="Takes a node out of its hierarchy; its group remains.")
    async def unassign_node(self, info: Info, input: UnassignNodeInput) -> UnassignNodePayload:
        return await answer(
            info,
            input,
            UnassignNodePayload,
            lambda: node.unassign(
                [key_of(input.node_id, Kind.NODE, "nodeId")],
                input.children.value,
                given(input.expected_version),
                "nodeId",
            ),
        )

    @field(description="Takes nodes out of their hierarchy, all or none; their groups remain.")
    async def unassign_nodes(self, info: Info, input: UnassignNodesInput) -> UnassignNodesPayload:
        return await answer(
            info,
            input,
            UnassignNodesPayload,
            lambda: node.unassign(
                keys_of(input.node_ids, Kind.NODE, "nodeIds"),
                input.children.value,
                given(input.expected_version),
                "nodeIds",
            ),
        )

    @field(description="Moves a node with everything below it, or re-orders it among its siblings.")
    async def move_node(self, info: Info, input: MoveNodeInput) -> MoveNodePayload:
        return await answer(
            info,
            input,
            MoveNodePayload,
            lambda: node.move(
                [key_of(input.node_id, Kind.NODE, "nodeId")],
                optional_key_of(input.parent_id, Kind.NODE, "parentId"),
                place_of(input.position, "position"),
                given(input.expected_version),
                stay=input.parent_id is UNSET,
                path="nodeId",
            ),
        )

    @field(description="Moves nodes with everything below them next to one another, all or none.")
    async def move_nodes(self, info: Info, input: MoveNodesInput) -> MoveNodesPayload:
        return await answer(
            info,
            input,
            MoveNodesPayload,
            lambda: node.move(
                keys_of(input.node_ids, Kind.NODE, "nodeIds"),
                optional_key_of(input.parent_id, Kind.NODE, "parentId"),
                place_of(input.position, "position"),
                given(input.expected_version),
                stay=input.parent_id is UNSET,
                path="nodeIds",
            ),
        )

    @field(description="Puts all children of a node, or all roots, into a new order.")
    async def reorder_children(self, info: Info, input: ReorderChildrenInput) -> ReorderChildrenPayload:
        return await answer(
            info,
            input,
            ReorderChildrenPayload,
            lambda: node.reorder(
                key_of(input.hierarchy_id, Kind.HIERARCHY, "hierarchyId"),
                optional_key_of(input.parent_id, Kind.NODE, "parentId"),
                keys_of(input.child_ids, Kind.NODE, "childIds"),
                given(input.expected_version),
            ),
        )
