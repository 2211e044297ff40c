"""What a list may be narrowed to and ordered by, in the words of the contract, free of GraphQL and SQL.

All values are hashable: relations asked for with the same page, filter and order are answered together.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Reference(NamedTuple):
    """A thing named by exactly one of its key, code or name."""

    key: int | None = None
    code: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        """What the client wrote, for messages; a key has no words of its own."""
        return self.code or self.name or "this id"


class MatchKind(StrEnum):
    """The ways in which a text may match."""

    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    IN = "in"


class Match(NamedTuple):
    """A text that matches one of the values in this way; case and accents do not count."""

    kind: MatchKind
    values: tuple[str, ...]


class HierarchyFilter(NamedTuple):
    """Conditions on hierarchies, all of which hold."""

    search: str | None = None
    name: Match | None = None


class NodeFilter(NamedTuple):
    """Conditions on nodes, all of which hold."""

    search: str | None = None
    depth: int | None = None
    level: str | None = None
    status: str | None = None


class GroupFilter(NamedTuple):
    """Conditions on customer groups, all of which hold."""

    search: str | None = None
    code: Match | None = None
    name: Match | None = None
    status: str | None = None
    fewest_customers: int | None = None
    most_customers: int | None = None
    contains_customer: Reference | None = None
    in_hierarchy: Reference | None = None
    not_in_hierarchy: Reference | None = None


class CustomerFilter(NamedTuple):
    """Conditions on customers, all of which hold."""

    search: str | None = None
    code: Match | None = None
    name: Match | None = None
    types: tuple[str, ...] | None = None
    in_group: Reference | None = None
    not_in_group: Reference | None = None


class StockItemFilter(NamedTuple):
    """Conditions on stock items, all of which hold."""

    sku: Match | None = None
    location: str | None = None


class ReservationFilter(NamedTuple):
    """Conditions on reservations, all of which hold."""

    statuses: tuple[str, ...] | None = None
    sku: str | None = None
    location: str | None = None
    group: Reference | None = None


class ChangeFilter(NamedTuple):
    """Conditions on changes, all of which hold; `since` is included, `until` is not."""

    actions: tuple[str, ...] | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Order(NamedTuple):
    """The field, in the contract's word, that a list is ordered by; ties are broken by key."""

    field: str
    descending: bool = False
