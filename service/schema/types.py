"""The output types. They refer to one another, hence the one file; each resolver is one line."""

from typing import TYPE_CHECKING, Annotated

import orjson
import strawberry
from strawberry import ID, UNSET, Private

from service import ids
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
from service.schema.connection import After, Before, Connection, First, Last, connect, given, page_of
from service.schema.context import Info
from service.schema.inputs import (
    HierarchyBy,
    order_of,
)
from service.schema.level import HierarchyLevel
from service.schema.thing import Node, maybe, present
from service.schema.words import JSON, ChangeAction, DateTime, GroupStatus, MemberScope
from service.store.change import ChangeRow
from service.store.customer import CustomerRow
from service.store.group import GroupRow
from service.store.hierarchy import HierarchyRow
from service.store.node import NodeRow
from service.store.reservation import ReservationRow

if TYPE_CHECKING:
    # That file is built on this one.
    from service.schema.stock_types import Reservation

field = strawberry.field


@strawberry.type(
    description="A named tree of customer groups with ordered, named levels, such as Division > State > Distributor."
)
class Hierarchy(Node):
    row: Private[HierarchyRow]

    @field(description="Opaque, unique among all things.")
    def id(self) -> ID:
        return ID(ids.encode(Kind.HIERARCHY, self.row.id))

    @field(description="Unique, whatever its case.")
    def name(self) -> str:
        return self.row.name

    @field(description="Free text.")
    def description(self) -> str:
        return self.row.description

    @field(description="Top level first. A node's level follows from its depth.")
    async def levels(self, info: Info) -> list[HierarchyLevel]:
        return [HierarchyLevel(row=row) for row in await info.context.load(hierarchies.levels, self.row.id)]

    @field(description="Grows by one with every committed change to this hierarchy, its levels or its nodes.")
    def version(self) -> int:
        return self.row.version

    @field(description="How many nodes it has.")
    async def node_count(self, info: Info) -> int:
        return await info.context.load(hierarchies.node_count, self.row.id)

    @field(description="The nodes at the top, in their order.")
    def roots(
        self,
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[HierarchyNode]":
        return connect(
            info.context,
            node,
            nodes.children,
            nodes.child_counts,
            -self.row.id,
            page_of(first, after, last, before),
        )

    @field(description="All nodes in display order: each parent before its children, siblings in their own order.")
    def nodes(
        self,
        info: Info,
        filter: NodeFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[HierarchyNode]":
        return connect(
            info.context,
            node,
            nodes.in_display_order,
            nodes.chosen_counts,
            -self.row.id,
            page_of(first, after, last, before),
            filter.conditions() if filter else NodeFilter(),
            None,
        )

    @field(description="The node at which a group stands in this hierarchy, or null while it is unassigned.")
    async def node(self, info: Info, group: GroupNamed) -> "HierarchyNode | None":
        found = await info.context.load(nodes.of_group_in, self.row.id, group.reference())
        return node(found) if found else None

    @field(description="The groups that do not stand in this hierarchy, active or not.")
    def unassigned_groups(
        self,
        info: Info,
        filter: GroupFilters = UNSET,
        order_by: GroupOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[CustomerGroup]":
        return connect(
            info.context,
            customer_group,
            hierarchies.unassigned,
            hierarchies.unassigned_total,
            self.row.id,
            page_of(first, after, last, before),
            filter.conditions() if filter else GroupFilter(),
            order=order_of(order_by, "NAME"),
        )

    @field(description="What changed in this hierarchy, newest first.")
    def changes(
        self,
        info: Info,
        filter: ChangeFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Change]":
        return connect(
            info.context,
            logged,
            changes.of_hierarchies,
            changes.of_hierarchies_total,
            self.row.id,
            page_of(first, after, last, before),
            filter.conditions() if filter else ChangeFilter(),
        )

    @field(description="When it was created.")
    def created_at(self) -> DateTime:
        return DateTime(self.row.created_at)

    @field(description="When it last changed.")
    def updated_at(self) -> DateTime:
        return DateTime(self.row.updated_at)


@strawberry.type(description="A customer group's place in one hierarchy.")
class HierarchyNode(Node):
    row: Private[NodeRow]

    @field(description="Opaque, unique among all things.")
    def id(self) -> ID:
        return ID(ids.encode(Kind.NODE, self.row.id))

    @field(description="The hierarchy in which it stands.")
    async def hierarchy(self, info: Info) -> Hierarchy:
        return hierarchy(present(await info.context.load(hierarchies.by_key, self.row.hierarchy_id)))

    @field(description="The group that stands here.")
    async def group(self, info: Info) -> "CustomerGroup":
        return customer_group(present(await info.context.load(groups.by_key, self.row.group_id)))

    @field(description="The level that its depth has in its hierarchy.")
    async def level(self, info: Info) -> HierarchyLevel:
        levels = await info.context.load(hierarchies.levels, self.row.hierarchy_id)
        return HierarchyLevel(row=levels[self.row.depth - 1])

    @field(description="1 for a root.")
    def depth(self) -> int:
        return self.row.depth

    @field(description="Place among its siblings, from 0.")
    async def index(self, info: Info) -> int:
        return await info.context.load(nodes.index, self.row.id)

    @field(description="Null for a root.")
    async def parent(self, info: Info) -> "HierarchyNode | None":
        if self.row.parent_id is None:
            return None
        return node(present(await info.context.load(nodes.by_key, self.row.parent_id)))

    @field(description="From the root down to the parent; empty for a root.")
    async def ancestors(self, info: Info) -> "list[HierarchyNode]":
        return [node(row) for row in await info.context.load(nodes.ancestors, self.row.id)]

    @field(description="Group names from the root down to this node itself.")
    async def path(self, info: Info) -> list[str]:
        return await info.context.load(nodes.path, self.row.id)

    @field(description="The nodes right below this one, in their order.")
    def children(
        self,
        info: Info,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[HierarchyNode]":
        return connect(
            info.context,
            node,
            nodes.children,
            nodes.child_counts,
            self.row.id,
            page_of(first, after, last, before),
        )

    @field(description="All nodes below this one, in display order; maxDepth 1 gives the children only.")
    def descendants(
        self,
        info: Info,
        max_depth: Annotated[
            int | None, strawberry.argument(description="So many levels down; all if left out.")
        ] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[HierarchyNode]":
        return connect(
            info.context,
            node,
            nodes.in_display_order,
            nodes.chosen_counts,
            self.row.id,
            page_of(first, after, last, before),
            NodeFilter(),
            given(max_depth),
        )

    @field(description="How many nodes stand right below it.")
    def child_count(self) -> int:
        return self.row.child_count

    @field(description="How many nodes stand below it in all.")
    def descendant_count(self) -> int:
        return self.row.descendant_count

    @field(description="SUBTREE takes in the customers of every group below this node as well; each customer once.")
    def customers(
        self,
        info: Info,
        scope: Scope = MemberScope.SUBTREE,
        filter: CustomerFilters = UNSET,
        order_by: CustomerOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Customer]":
        return connect(
            info.context,
            customer,
            customers.of_nodes,
            customers.of_nodes_total,
            self.row.id,
            page_of(first, after, last, before),
            scope is MemberScope.SUBTREE,
            filter.conditions() if filter else CustomerFilter(),
            order=order_of(order_by, "CODE"),
        )

    @field(description="How many customers that are, each counted once.")
    async def customer_count(self, info: Info, scope: Scope = MemberScope.SUBTREE) -> int:
        if scope is MemberScope.DIRECT:
            return present(await info.context.load(groups.by_key, self.row.group_id)).customer_count
        return await info.context.load(customers.of_nodes_total, self.row.id, True, CustomerFilter())


@strawberry.type(description="A set of customers. It may stand in any number of hierarchies, at most once in each.")
class CustomerGroup(Node):
    row: Private[GroupRow]

    @field(description="Opaque, unique among all things.")
    def id(self) -> ID:
        return ID(ids.encode(Kind.GROUP, self.row.id))

    @field(description="Unique; given by the client, or generated (CG-000001, CG-000002, …).")
    def code(self) -> str:
        return self.row.code

    @field(description="Unique, whatever its case.")
    def name(self) -> str:
        return self.row.name

    @field(description="Free text.")
    def description(self) -> str:
        return self.row.description

    @field(description="Whether it is in use.")
    def status(self) -> GroupStatus:
        return GroupStatus(self.row.status)

    @field(description="The customers that were put into it.")
    def customers(
        self,
        info: Info,
        filter: CustomerFilters = UNSET,
        order_by: CustomerOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Customer]":
        return connect(
            info.context,
            customer,
            groups.members,
            groups.member_total,
            self.row.id,
            page_of(first, after, last, before),
            filter.conditions() if filter else CustomerFilter(),
            order=order_of(order_by, "CODE"),
        )

    @field(description="How many customers were put into it.")
    def customer_count(self) -> int:
        return self.row.customer_count

    @field(description="Where the group stands, one node a hierarchy, by hierarchy name.")
    async def nodes(self, info: Info) -> list[HierarchyNode]:
        return [node(row) for row in await info.context.load(nodes.of_groups, self.row.id)]

    @field(description="The reservations for this group itself, newest first.")
    def reservations(
        self,
        info: Info,
        filter: ReservationFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Annotated[Reservation, strawberry.lazy('service.schema.stock_types')]]":
        return connect(
            info.context,
            reservation,
            reservations.of_groups,
            reservations.of_groups_total,
            self.row.id,
            page_of(first, after, last, before),
            filter.conditions() if filter else ReservationFilter(),
        )

    @field(description="What changed in this group, newest first.")
    def changes(
        self,
        info: Info,
        filter: ChangeFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Change]":
        return connect(
            info.context,
            logged,
            changes.of_groups,
            changes.of_groups_total,
            self.row.id,
            page_of(first, after, last, before),
            filter.conditions() if filter else ChangeFilter(),
        )

    @field(description="Grows by one with every committed change to this group or its membership.")
    def version(self) -> int:
        return self.row.version

    @field(description="When it was created.")
    def created_at(self) -> DateTime:
        return DateTime(self.row.created_at)

    @field(description="When it last changed.")
    def updated_at(self) -> DateTime:
        return DateTime(self.row.updated_at)


@strawberry.type(description="Somebody whom the company sells to or through.")
class Customer(Node):
    row: Private[CustomerRow]

    @field(description="Opaque, unique among all things.")
    def id(self) -> ID:
        return ID(ids.encode(Kind.CUSTOMER, self.row.id))

    @field(description="Unique.")
    def code(self) -> str:
        return self.row.code

    @field(description="What people call it.")
    def name(self) -> str:
        return self.row.name

    @field(description="Free label, such as DISTRIBUTOR or RETAILER.")
    def type(self) -> str:
        return self.row.type

    @field(description="The groups it was put into itself.")
    def groups(
        self,
        info: Info,
        filter: GroupFilters = UNSET,
        order_by: GroupOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[CustomerGroup]:
        return connect(
            info.context,
            customer_group,
            customers.groups_of,
            customers.groups_of_total,
            self.row.id,
            page_of(first, after, last, before),
            filter.conditions() if filter else GroupFilter(),
            order=order_of(order_by, "NAME"),
        )

    @field(description="The nodes of those groups, in one hierarchy or in all; each has its path and ancestors.")
    async def nodes(
        self,
        info: Info,
        hierarchy: Annotated[HierarchyBy | None, strawberry.argument(description="All if left out.")] = UNSET,
    ) -> list[HierarchyNode]:
        within = hierarchy.reference() if hierarchy else None
        return [node(row) for row in await info.context.load(nodes.of_customers, self.row.id, within)]

    @field(description="Whether it is in the group itself or, where a hierarchy is named, in any group below it there.")
    async def is_member(
        self,
        info: Info,
        group: GroupNamed,
        hierarchy: Annotated[
            HierarchyBy | None, strawberry.argument(description="The group alone if left out.")
        ] = UNSET,
    ) -> bool:
        within = hierarchy.reference() if hierarchy else None
        return await info.context.load(customers.is_member, self.row.id, group.reference(), within)

    @field(description="Grows by one with every committed change to this customer.")
    def version(self) -> int:
        return self.row.version

    @field(description="When it was created.")
    def created_at(self) -> DateTime:
        return DateTime(self.row.created_at)

    @field(description="When it last changed.")
    def updated_at(self) -> DateTime:
        return DateTime(self.row.updated_at)


@strawberry.type(description="One committed change: who did what to what, when, with the values before and after.")
class Change(Node):
    row: Private[ChangeRow]

    @field(description="Opaque, unique among all things.")
    def id(self) -> ID:
        return ID(ids.encode(Kind.CHANGE, self.row.id))

    @field(description="When it was made.")
    def at(self) -> DateTime:
        return DateTime(self.row.at)

    @field(description="Who made it.")
    def actor(self) -> str:
        return self.row.actor

    @field(description="What was done.")
    def action(self) -> ChangeAction:
        return ChangeAction(self.row.action)

    @field(description="The hierarchy that it changed, while there is one.")
    async def hierarchy(self, info: Info) -> Hierarchy | None:
        row = await maybe(info, hierarchies.by_key, self.row.hierarchy_id)
        return hierarchy(row) if row else None

    @field(description="The group that it changed, while there is one.")
    async def group(self, info: Info) -> CustomerGroup | None:
        row = await maybe(info, groups.by_key, self.row.group_id)
        return customer_group(row) if row else None

    @field(description="The customer that it changed, while there is one.")
    async def customer(self, info: Info) -> Customer | None:
        row = await maybe(info, customers.by_key, self.row.customer_id)
        return customer(row) if row else None

    @field(description="One plain sentence, such as «moved Florida from East to West».")
    def summary(self) -> str:
        return self.row.summary

    @field(description="What was before; null for something new.")
    def before(self) -> JSON | None:
        return None if self.row.before is None else JSON(orjson.loads(self.row.before))

    @field(description="What is afterwards; null for something that is gone.")
    def after(self) -> JSON | None:
        return None if self.row.after is None else JSON(orjson.loads(self.row.after))


def hierarchy(row: HierarchyRow) -> Hierarchy:
    return Hierarchy(row=row)


def node(row: NodeRow) -> HierarchyNode:
    return HierarchyNode(row=row)


def customer_group(row: GroupRow) -> CustomerGroup:
    return CustomerGroup(row=row)


def customer(row: CustomerRow) -> Customer:
    return Customer(row=row)


def logged(row: ChangeRow) -> Change:
    return Change(row=row)


def reservation(row: ReservationRow) -> "Reservation":
    from service.schema.stock_types import Reservation

    return Reservation(row=row)
