"""The output types. They refer to one another, hence the one file; each relation is one line."""

from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import strawberry
from strawberry import ID, UNSET

from service.ids import Kind
from service.matching import ChangeFilter, CustomerFilter, GroupFilter, NodeFilter, ReservationFilter
from service.resolvers import change as changes
from service.resolvers import customer as customers
from service.resolvers import group as groups
from service.resolvers import hierarchy as hierarchies
from service.resolvers import node as nodes
from service.resolvers import reservation as reservations
from service.schema.arguments import (
    ChangeFilters,
    CustomerFilters,
    CustomerOrders,
    GroupFilters,
    GroupNamed,
    GroupOrders,
    NodeFilters,
    ReservationFilters,
    Scope,
)
from service.schema.bringing import along, along_in_list, of_groups_in_list
from service.schema.connection import After, Before, Connection, First, Last, connect, given, page_of
from service.schema.inputs import HierarchyBy, order_of
from service.schema.level import HierarchyLevel, level_of
from service.schema.relations import attribute, each, load, relation
from service.schema.thing import Node, id_of
from service.schema.words import JSON, ChangeAction, DateTime, GroupStatus, MemberScope
from service.store.change import ChangeRow
from service.store.customer import CustomerRow
from service.store.group import GroupRow
from service.store.hierarchy import HierarchyRow
from service.store.node import NodeRow

if TYPE_CHECKING:
    # That file is built on this one.
    from service.schema.stock_types import Reservation

ROW = attrgetter("id")
HIERARCHY, GROUP, CUSTOMER = attrgetter("hierarchy_id"), attrgetter("group_id"), attrgetter("customer_id")
PARENT = attrgetter("parent_id")


def top_of(hierarchy: HierarchyRow) -> int:
    """Where the roots of a hierarchy are siblings."""
    return -hierarchy.id


@strawberry.type(
    description="A named tree of customer groups with ordered, named levels, such as Division > State > Distributor."
)
class Hierarchy(Node):
    row = HierarchyRow

    id: ID = id_of(Kind.HIERARCHY)
    name: str = attribute("Unique, whatever its case.")
    description: str = attribute("Free text.")

    @relation("Top level first. A node's level follows from its depth.")
    def levels(self) -> list[HierarchyLevel]:
        return load(hierarchies.levels, ROW)

    version: int = attribute("Grows by one with every committed change to this hierarchy, its levels or its nodes.")

    @relation("How many nodes it has.")
    def node_count(self) -> int:
        return load(hierarchies.node_count, ROW)

    @relation("The nodes at the top, in their order.")
    def roots(
        self, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> "Connection[HierarchyNode]":
        return connect(
            nodes.children, nodes.child_counts, top_of, page_of(first, after, last, before), asks=along_in_list
        )

    @relation("All nodes in display order: each parent before its children, siblings in their own order.")
    def nodes(
        self,
        filter: NodeFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[HierarchyNode]":
        return connect(
            nodes.in_display_order,
            nodes.chosen_counts,
            top_of,
            page_of(first, after, last, before),
            (filter.conditions() if filter else NodeFilter(), None),
            asks=along_in_list,
        )

    @relation("The node at which a group stands in this hierarchy, or null while it is unassigned.")
    def node(self, group: GroupNamed) -> "HierarchyNode | None":
        return load(nodes.of_group_in, ROW, (group.reference(),))

    @relation("The groups that do not stand in this hierarchy, active or not.")
    def unassigned_groups(
        self,
        filter: GroupFilters = UNSET,
        order_by: GroupOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[CustomerGroup]":
        return connect(
            hierarchies.unassigned,
            hierarchies.unassigned_total,
            ROW,
            page_of(first, after, last, before),
            (filter.conditions() if filter else GroupFilter(),),
            order_of(order_by, "NAME"),
        )

    @relation("What changed in this hierarchy, newest first.")
    def changes(
        self,
        filter: ChangeFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Change]":
        return connect(
            changes.of_hierarchies,
            changes.of_hierarchies_total,
            ROW,
            page_of(first, after, last, before),
            (filter.conditions() if filter else ChangeFilter(),),
        )

    created_at: DateTime = attribute("When it was created.")
    updated_at: DateTime = attribute("When it last changed.")


@strawberry.type(description="A customer group's place in one hierarchy.")
class HierarchyNode(Node):
    row = NodeRow

    id: ID = id_of(Kind.NODE)

    @relation("The hierarchy in which it stands.", part="hierarchy_of")
    def hierarchy(self) -> Hierarchy:
        return load(hierarchies.by_key, HIERARCHY, needed=True)

    @relation("The group that stands here.", part="group_of")
    def group(self) -> "CustomerGroup":
        return load(groups.by_key, GROUP, needed=True)

    @relation("The level that its depth has in its hierarchy.", part="level_of")
    def level(self) -> HierarchyLevel:
        return level_of()

    depth: int = attribute("1 for a root.")

    @relation("Place among its siblings, from 0.")
    def index(self) -> int:
        return load(nodes.index, ROW)

    @relation("Null for a root.")
    def parent(self) -> "HierarchyNode | None":
        return load(nodes.by_key, PARENT, needed=True, asks=along)

    @relation("From the root down to the parent; empty for a root.")
    def ancestors(self) -> "list[HierarchyNode]":
        return load(nodes.ancestors, ROW, asks=along)

    @relation("Group names from the root down to this node itself.", part="path_of")
    def path(self) -> list[str]:
        return load(nodes.path, ROW)

    @relation("The nodes right below this one, in their order.")
    def children(
        self, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> "Connection[HierarchyNode]":
        return connect(nodes.children, nodes.child_counts, ROW, page_of(first, after, last, before), asks=along_in_list)

    @relation("All nodes below this one, in display order; maxDepth 1 gives the children only.")
    def descendants(
        self,
        max_depth: Annotated[
            int | None, strawberry.argument(description="So many levels down; all if left out.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[HierarchyNode]":
        return connect(
            nodes.in_display_order,
            nodes.chosen_counts,
            ROW,
            page_of(first, after, last, before),
            (NodeFilter(), given(max_depth)),
            asks=along_in_list,
        )

    child_count: int = attribute("How many nodes stand right below it.")
    descendant_count: int = attribute("How many nodes stand below it in all.")

    @relation("SUBTREE takes in the customers of every group below this node as well; each customer once.")
    def customers(
        self,
        scope: Scope = MemberScope.SUBTREE,
        filter: CustomerFilters = UNSET,
        order_by: CustomerOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Customer]":
        return connect(
            customers.of_nodes,
            customers.of_nodes_total,
            ROW,
            page_of(first, after, last, before),
            (scope is MemberScope.SUBTREE, filter.conditions() if filter else CustomerFilter()),
            order_of(order_by, "CODE"),
        )

    @relation("How many customers that are, each counted once.")
    def customer_count(self, scope: Scope = MemberScope.SUBTREE) -> int:
        if scope is MemberScope.DIRECT:
            return load(groups.by_key, GROUP, needed=True, finish=lambda _, group: group.customer_count)
        return load(customers.of_nodes_total, ROW, (True, CustomerFilter()))


@strawberry.type(description="A set of customers. It may stand in any number of hierarchies, at most once in each.")
class CustomerGroup(Node):
    row = GroupRow

    id: ID = id_of(Kind.GROUP)
    code: str = attribute("Unique; given by the client, or generated (CG-000001, CG-000002, …).")
    name: str = attribute("Unique, whatever its case.")
    description: str = attribute("Free text.")
    status: GroupStatus = attribute("Whether it is in use.")

    @relation("The customers that were put into it.")
    def customers(
        self,
        filter: CustomerFilters = UNSET,
        order_by: CustomerOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Customer]":
        return connect(
            groups.members,
            groups.member_total,
            ROW,
            page_of(first, after, last, before),
            (filter.conditions() if filter else CustomerFilter(),),
            order_of(order_by, "CODE"),
        )

    customer_count: int = attribute("How many customers were put into it.")

    @relation("Where the group stands, one node a hierarchy, by hierarchy name.")
    def nodes(self) -> list[HierarchyNode]:
        return load(nodes.of_groups, ROW, asks=along)

    @relation("The reservations for this group itself, newest first.")
    def reservations(
        self,
        filter: ReservationFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Annotated[Reservation, strawberry.lazy('service.schema.stock_types')]]":
        return connect(
            reservations.of_groups,
            reservations.of_groups_total,
            ROW,
            page_of(first, after, last, before),
            (filter.conditions() if filter else ReservationFilter(),),
        )

    @relation("What changed in this group, newest first.")
    def changes(
        self,
        filter: ChangeFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Change]":
        return connect(
            changes.of_groups,
            changes.of_groups_total,
            ROW,
            page_of(first, after, last, before),
            (filter.conditions() if filter else ChangeFilter(),),
        )

    version: int = attribute("Grows by one with every committed change to this group or its membership.")
    created_at: DateTime = attribute("When it was created.")
    updated_at: DateTime = attribute("When it last changed.")


@strawberry.type(description="Somebody whom the company sells to or through.")
class Customer(Node):
    row = CustomerRow

    id: ID = id_of(Kind.CUSTOMER)
    code: str = attribute("Unique.")
    name: str = attribute("What people call it.")
    type: str = attribute("Free label, such as DISTRIBUTOR or RETAILER.")

    @relation("The groups it was put into itself.")
    def groups(
        self,
        filter: GroupFilters = UNSET,
        order_by: GroupOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[CustomerGroup]:
        return connect(
            customers.groups_of,
            customers.groups_of_total,
            ROW,
            page_of(first, after, last, before),
            (filter.conditions() if filter else GroupFilter(),),
            order_of(order_by, "NAME"),
            asks=of_groups_in_list,
        )

    @relation("The nodes of those groups, in one hierarchy or in all; each has its path and ancestors.")
    def nodes(
        self,
        hierarchy: Annotated[HierarchyBy | None, strawberry.argument(description="All if left out.")] = UNSET,
    ) -> list[HierarchyNode]:
        return load(nodes.of_customers, ROW, (hierarchy.reference() if hierarchy else None,), asks=along)

    @relation("Whether it is in the group itself or, where a hierarchy is named, in any group below it there.")
    def is_member(
        self,
        group: GroupNamed,
        hierarchy: Annotated[
            HierarchyBy | None, strawberry.argument(description="The group alone if left out.")
        ] = UNSET,
    ) -> bool:
        return load(customers.is_member, ROW, (group.reference(), hierarchy.reference() if hierarchy else None))

    version: int = attribute("Grows by one with every committed change to this customer.")
    created_at: DateTime = attribute("When it was created.")
    updated_at: DateTime = attribute("When it last changed.")


@strawberry.type(description="One committed change: who did what to what, when, with the values before and after.")
class Change(Node):
    row = ChangeRow

    id: ID = id_of(Kind.CHANGE)
    at: DateTime = attribute("When it was made.")
    actor: str = attribute("Who made it.")
    action: ChangeAction = attribute("What was done.")

    @relation("The hierarchy that it changed, while there is one.")
    def hierarchy(self) -> Hierarchy | None:
        return load(hierarchies.by_key, HIERARCHY)

    @relation("The group that it changed, while there is one.")
    def group(self) -> CustomerGroup | None:
        return load(groups.by_key, GROUP)

    @relation("The customer that it changed, while there is one.")
    def customer(self) -> Customer | None:
        return load(customers.by_key, CUSTOMER)

    summary: str = attribute("One plain sentence, such as «moved Florida from East to West».")
    before: JSON | None = each("What was before; null for something new.", lambda row: _read(row.before))
    after: JSON | None = each("What is afterwards; null for something that is gone.", lambda row: _read(row.after))


def _read(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
