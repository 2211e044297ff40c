"""The inputs of queries: how a thing is named, filters and orders; each turns itself into domain words."""

from typing import Any

import strawberry
from strawberry import ID, UNSET

from service import ids
from service.errors import InvalidInput
from service.ids import Kind
from service.matching import (
    ChangeFilter,
    CustomerFilter,
    GroupFilter,
    HierarchyFilter,
    Match,
    MatchKind,
    NodeFilter,
    Order,
    Reference,
    ReservationFilter,
    StockItemFilter,
)
from service.schema.connection import given
from service.schema.words import (
    ChangeAction,
    CustomerGroupOrderField,
    CustomerOrderField,
    DateTime,
    GroupStatus,
    HierarchyOrderField,
    OrderDirection,
    ReservationStatus,
)

field = strawberry.field
MOST_TEXTS = 10_000


def maybe(description: str) -> Any:
    """A field that may be left out."""
    return field(default=UNSET, description=description)


@strawberry.input(one_of=True, description="Names one hierarchy.")
class HierarchyBy:
    id: ID | None = maybe("Its id.")
    name: str | None = maybe("Its name, whatever its case.")

    def reference(self) -> Reference:
        """Raises BadId."""
        return _reference(Kind.HIERARCHY, self.id, None, self.name)


@strawberry.input(one_of=True, description="Names one customer group.")
class CustomerGroupBy:
    id: ID | None = maybe("Its id.")
    code: str | None = maybe("Its code, whatever its case.")
    name: str | None = maybe("Its name, whatever its case.")

    def reference(self) -> Reference:
        """Raises BadId."""
        return _reference(Kind.GROUP, self.id, self.code, self.name)


@strawberry.input(one_of=True, description="Names one customer.")
class CustomerBy:
    id: ID | None = maybe("Its id.")
    code: str | None = maybe("Its code, whatever its case.")

    def reference(self) -> Reference:
        """Raises BadId."""
        return _reference(Kind.CUSTOMER, self.id, self.code, None)


def _reference(kind: Kind, id: ID | None, code: str | None, name: str | None) -> Reference:
    # An empty id is a mangled one, not one that was left out.
    return Reference(None if given(id) is None else ids.decode(str(id), kind), given(code), given(name))


def check_count(texts: list[str]) -> None:
    """Raises InvalidInput where more texts are to be matched than a request should ask for."""
    if len(texts) > MOST_TEXTS:
        raise InvalidInput(f"At most {MOST_TEXTS:,} texts to match at once; {len(texts):,} were given.")


@strawberry.input(
    one_of=True,
    description="How a text matches; case and accents do not count, % and _ are ordinary characters.",
)
class StringMatch:
    equals: str | None = maybe("It is this text.")
    contains: str | None = maybe("It has this text in it.")
    starts_with: str | None = maybe("It begins with this text.")
    in_: list[str] | None = field(name="in", default=UNSET, description="It is one of these texts.")

    def match(self) -> Match:
        """Raises InvalidInput where there are too many texts."""
        if self.in_:
            check_count(self.in_)
            return Match(MatchKind.IN, tuple(self.in_))
        for kind, value in (
            (MatchKind.EQUALS, self.equals),
            (MatchKind.CONTAINS, self.contains),
            (MatchKind.STARTS_WITH, self.starts_with),
        ):
            if isinstance(value, str):
                return Match(kind, (value,))
        return Match(MatchKind.IN, ())


@strawberry.input(description="A range of whole numbers, both ends included.")
class IntRange:
    min: int | None = maybe("At least so many.")
    max: int | None = maybe("At most so many.")


@strawberry.input(name="HierarchyFilter", description="Conditions on hierarchies.")
class HierarchyFilterInput:
    search: str | None = maybe("Text in the name or description, whatever the case.")
    name: StringMatch | None = maybe("What the name is like.")

    def conditions(self) -> HierarchyFilter:
        return HierarchyFilter(given(self.search), self.name.match() if self.name else None)


@strawberry.input(name="HierarchyNodeFilter", description="Conditions on nodes of one hierarchy, all of which hold.")
class HierarchyNodeFilterInput:
    search: str | None = maybe("Text in the code, name or description of the group, whatever the case.")
    depth: int | None = maybe("Nodes at this depth; 1 is the top.")
    level: str | None = maybe("Nodes on the level of this name, whatever its case.")
    status: GroupStatus | None = maybe("Nodes of groups with this status.")

    def conditions(self) -> NodeFilter:
        return NodeFilter(given(self.search), given(self.depth), given(self.level), _value(self.status))


@strawberry.input(
    name="CustomerGroupFilter",
    description=(
        "All given conditions hold together. `search` looks in code, name and description, whatever the case."
    ),
)
class CustomerGroupFilterInput:
    search: str | None = maybe("Text in the code, name or description.")
    code: StringMatch | None = maybe("What the code is like.")
    name: StringMatch | None = maybe("What the name is like.")
    status: GroupStatus | None = maybe("Active or inactive ones.")
    customer_count: IntRange | None = maybe("How many customers it has.")
    contains_customer: CustomerBy | None = maybe("A customer that it has itself.")
    in_hierarchy: HierarchyBy | None = maybe("Groups that stand in this hierarchy.")
    not_in_hierarchy: HierarchyBy | None = maybe("Groups that do not stand in this hierarchy.")

    def conditions(self) -> GroupFilter:
        """Raises BadId."""
        return GroupFilter(
            given(self.search),
            self.code.match() if self.code else None,
            self.name.match() if self.name else None,
            _value(self.status),
            given(self.customer_count.min) if self.customer_count else None,
            given(self.customer_count.max) if self.customer_count else None,
            self.contains_customer.reference() if self.contains_customer else None,
            self.in_hierarchy.reference() if self.in_hierarchy else None,
            self.not_in_hierarchy.reference() if self.not_in_hierarchy else None,
        )


@strawberry.input(name="CustomerFilter", description="Conditions on customers, all of which hold.")
class CustomerFilterInput:
    search: str | None = maybe("Text in the code or name, whatever the case.")
    code: StringMatch | None = maybe("What the code is like.")
    name: StringMatch | None = maybe("What the name is like.")
    type: list[str] | None = maybe("The type is one of these, whatever the case.")
    in_group: CustomerGroupBy | None = maybe("Customers that are in this group itself.")
    not_in_group: CustomerGroupBy | None = maybe("Customers that are not in this group itself.")

    def conditions(self) -> CustomerFilter:
        """Raises BadId, and InvalidInput where there are too many types."""
        check_count(self.type or [])
        return CustomerFilter(
            given(self.search),
            self.code.match() if self.code else None,
            self.name.match() if self.name else None,
            None if given(self.type) is None else tuple(self.type or ()),
            self.in_group.reference() if self.in_group else None,
            self.not_in_group.reference() if self.not_in_group else None,
        )


@strawberry.input(name="StockItemFilter", description="Conditions on stock items, all of which hold.")
class StockItemFilterInput:
    sku: StringMatch | None = maybe("What the SKU is like.")
    location: str | None = maybe("Items at this location, whatever its case.")

    def conditions(self) -> StockItemFilter:
        return StockItemFilter(self.sku.match() if self.sku else None, given(self.location))


@strawberry.input(name="ReservationFilter", description="Conditions on reservations, all of which hold.")
class ReservationFilterInput:
    status: list[ReservationStatus] | None = maybe("The status is one of these.")
    sku: str | None = maybe("Of this SKU, whatever its case.")
    location: str | None = maybe("At this location, whatever its case.")
    group: CustomerGroupBy | None = maybe("For this group itself.")

    def conditions(self) -> ReservationFilter:
        """Raises BadId."""
        statuses = given(self.status)
        return ReservationFilter(
            None if statuses is None else tuple(status.value for status in statuses),
            given(self.sku),
            given(self.location),
            self.group.reference() if self.group else None,
        )


@strawberry.input(name="ChangeFilter", description="Conditions on changes, all of which hold.")
class ChangeFilterInput:
    action: list[ChangeAction] | None = maybe("What was done is one of these.")
    actor: str | None = maybe("Who did it, to the letter.")
    since: DateTime | None = maybe("From this instant on.")
    until: DateTime | None = maybe("Before this instant.")

    def conditions(self) -> ChangeFilter:
        actions = given(self.action)
        return ChangeFilter(
            None if actions is None else tuple(action.value for action in actions),
            given(self.actor),
            given(self.since),
            given(self.until),
        )


@strawberry.input(description="How hierarchies are ordered.")
class HierarchyOrder:
    field: HierarchyOrderField = field(description="By what.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="In which direction.")


@strawberry.input(description="How customer groups are ordered.")
class CustomerGroupOrder:
    field: CustomerGroupOrderField = field(description="By what.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="In which direction.")


@strawberry.input(description="How customers are ordered.")
class CustomerOrder:
    field: CustomerOrderField = field(description="By what.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="In which direction.")


def order_of(order: HierarchyOrder | CustomerGroupOrder | CustomerOrder | None, default: str) -> Order:
    """The order asked for, or the default one."""
    return Order(order.field.value, order.direction is OrderDirection.DESC) if order else Order(default)


def _value(status: GroupStatus | None) -> str | None:
    return status.value if status else None
