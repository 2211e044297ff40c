"""The answers of mutations. Each holds its resolver's outcome, by keys, and reads what is selected."""

import asyncio
from typing import Any, ClassVar, Self

import strawberry
from strawberry import ID, UNSET, Private

from service import ids
from service.errors import Refused
from service.ids import Kind
from service.resolvers import customer as customers
from service.resolvers import group as groups
from service.resolvers import hierarchy as hierarchies
from service.resolvers import level as levels
from service.resolvers import node as nodes
from service.resolvers import reservation as reservations
from service.resolvers import stock as stocks
from service.schema.context import Info
from service.schema.finding import find
from service.schema.relations import attribute, each
from service.schema.stock_types import Reservation, StockItem
from service.schema.types import Customer, CustomerGroup, Hierarchy, HierarchyNode
from service.schema.words import UserErrorCode

field = strawberry.field
REPEATED = (
    "How often a customer was named once more, by id or code: `{}`, `{}` and this together are as many as were named."
)


@strawberry.type(description="One mistake in the input of a mutation, which has then changed nothing.")
class UserError:
    code: UserErrorCode = each("The kind of mistake.", lambda mistake: mistake.code.value)
    message: str = attribute("For people: names the thing and says what to do about it.")
    path: list[str] = attribute('Where in the input it lies, such as ["input", "parentId"]; empty for the whole input.')


@strawberry.input
class MutationInput:
    """What every mutation's input has."""

    client_mutation_id: str | None = field(default=UNSET, description="Returned as it came.")
    idempotency_key: str | None = field(
        default=UNSET,
        description=(
            "The same key with the same input, within 24 hours, returns the first answer and changes nothing again;"
            " with another input: IDEMPOTENCY_MISMATCH. At most 200 characters."
        ),
    )
    dry_run: bool = field(default=False, description="Does everything, answers with the result, and keeps nothing.")


@strawberry.type
class Payload:
    """What every mutation's payload has; `outcome` is None where there are user errors."""

    outcome_type: ClassVar[Any]
    outcome: Private[Any]
    user_errors: list[UserError] = field(description="What a person did wrong; nothing has changed then.")
    client_mutation_id: str | None = field(description="As it came.")

    @classmethod
    def of(cls, outcome: Any, client_mutation_id: str | None) -> Self:
        """The answer to what was done."""
        return cls(outcome=outcome, user_errors=[], client_mutation_id=client_mutation_id)

    @classmethod
    def refusal(cls, refused: Refused, client_mutation_id: str | None) -> Self:
        """The answer to what was refused."""
        mistakes: Any = refused.errors
        return cls(outcome=None, user_errors=mistakes, client_mutation_id=client_mutation_id)


@strawberry.type
class HierarchyPayload(Payload):
    """An answer with a hierarchy."""

    @field(description="The hierarchy as it is now; null where there are user errors.")
    async def hierarchy(self, info: Info) -> Hierarchy | None:
        return await find(info, Kind.HIERARCHY, self.outcome.hierarchy) if self.outcome else None


@strawberry.type(description="The answer to createHierarchy.")
class CreateHierarchyPayload(HierarchyPayload):
    outcome_type = hierarchies.Changed


@strawberry.type(description="The answer to updateHierarchy.")
class UpdateHierarchyPayload(HierarchyPayload):
    outcome_type = hierarchies.Changed


@strawberry.type(description="The answer to deleteHierarchy.")
class DeleteHierarchyPayload(Payload):
    outcome_type = hierarchies.Changed

    @field(description="The id of what was deleted; null where there are user errors.")
    def deleted_id(self) -> ID | None:
        return ID(ids.encode(Kind.HIERARCHY, self.outcome.hierarchy)) if self.outcome else None


@strawberry.type(description="The answer to addLevel.")
class AddLevelPayload(HierarchyPayload):
    outcome_type = levels.Changed

    @field(description="How many nodes have sunk by one level: all that stood there or deeper.")
    def moved_count(self) -> int:
        return self.outcome.moved if self.outcome else 0

    @field(description="How many placeholders, each a new group with its node, have come between them and the parents.")
    def created_count(self) -> int:
        return self.outcome.created if self.outcome else 0


@strawberry.type(description="The answer to renameLevel.")
class RenameLevelPayload(HierarchyPayload):
    outcome_type = levels.Changed


@strawberry.type(description="The answer to removeLevel.")
class RemoveLevelPayload(HierarchyPayload):
    outcome_type = levels.Changed

    @field(description="How many nodes have risen by one level: all that stood below it.")
    def moved_count(self) -> int:
        return self.outcome.moved if self.outcome else 0

    @field(description="How many nodes have left the tree: all that stood on it. Their groups are unassigned now.")
    def removed_count(self) -> int:
        return self.outcome.removed if self.outcome else 0


@strawberry.type
class GroupPayload(Payload):
    """An answer with a group."""

    @field(description="The group as it is now; null where there are user errors.")
    async def group(self, info: Info) -> CustomerGroup | None:
        return await find(info, Kind.GROUP, self.outcome.group) if self.outcome else None


@strawberry.type(description="The answer to createCustomerGroup.")
class CreateCustomerGroupPayload(GroupPayload):
    outcome_type = groups.Created

    @field(description="Its node; null where no place was given, or where there are user errors.")
    async def node(self, info: Info) -> HierarchyNode | None:
        return await find(info, Kind.NODE, self.outcome.node) if self.outcome else None


@strawberry.type(description="The answer to updateCustomerGroup.")
class UpdateCustomerGroupPayload(GroupPayload):
    outcome_type = groups.Changed


@strawberry.type(description="The answer to deleteCustomerGroup.")
class DeleteCustomerGroupPayload(Payload):
    outcome_type = groups.Changed

    @field(description="The id of what was deleted; null where there are user errors.")
    def deleted_id(self) -> ID | None:
        return ID(ids.encode(Kind.GROUP, self.outcome.group)) if self.outcome else None


@strawberry.type(description="The answer to addCustomersToGroup.")
class AddCustomersToGroupPayload(GroupPayload):
    outcome_type = groups.Changed

    @field(description="How many customers have come into the group.")
    def added(self) -> int:
        return self.outcome.changed if self.outcome else 0

    @field(description="How many of those named were in it already.")
    def already_in(self) -> int:
        return self.outcome.passed_over if self.outcome else 0

    @field(description=REPEATED.format("added", "alreadyIn"))
    def repeated(self) -> int:
        return self.outcome.repeated if self.outcome else 0


@strawberry.type(description="The answer to removeCustomersFromGroup.")
class RemoveCustomersFromGroupPayload(GroupPayload):
    outcome_type = groups.Changed

    @field(description="How many customers have left the group.")
    def removed(self) -> int:
        return self.outcome.changed if self.outcome else 0

    @field(description="How many of those named were not in it.")
    def not_in(self) -> int:
        return self.outcome.passed_over if self.outcome else 0

    @field(description=REPEATED.format("removed", "notIn"))
    def repeated(self) -> int:
        return self.outcome.repeated if self.outcome else 0


@strawberry.type
class NodePayload(HierarchyPayload):
    """An answer with one node."""

    outcome_type = nodes.Placed

    @field(description="The node as it stands now; null where there are user errors.")
    async def node(self, info: Info) -> HierarchyNode | None:
        return await find(info, Kind.NODE, self.outcome.nodes[0]) if self.outcome else None


@strawberry.type
class NodesPayload(HierarchyPayload):
    """An answer with several nodes."""

    outcome_type = nodes.Placed

    @field(description="The nodes as they stand now, in their order; empty where there are user errors.")
    async def nodes(self, info: Info) -> list[HierarchyNode]:
        return await _all(info, Kind.NODE, self.outcome.nodes if self.outcome else [])


@strawberry.type(description="The answer to assignGroup.")
class AssignGroupPayload(NodePayload):
    pass


@strawberry.type(description="The answer to assignGroups.")
class AssignGroupsPayload(NodesPayload):
    pass


@strawberry.type(description="The answer to moveNode.")
class MoveNodePayload(NodePayload):
    @field(description="Where it stood before; null where it was a root, or where there are user errors.")
    async def previous_parent(self, info: Info) -> HierarchyNode | None:
        return await find(info, Kind.NODE, self.outcome.previous_parent) if self.outcome else None


@strawberry.type(description="The answer to moveNodes: those that were moved themselves.")
class MoveNodesPayload(NodesPayload):
    pass


@strawberry.type(description="The answer to reorderChildren.")
class ReorderChildrenPayload(HierarchyPayload):
    outcome_type = nodes.Placed

    @field(description="The parent; null for roots, or where there are user errors.")
    async def parent(self, info: Info) -> HierarchyNode | None:
        return await find(info, Kind.NODE, self.outcome.parent) if self.outcome else None


@strawberry.type
class UnassignPayload(HierarchyPayload):
    """An answer with groups that left a tree."""

    outcome_type = nodes.Unassigned

    @field(description="Now unassigned, those of the nodes named first.")
    async def groups(self, info: Info) -> list[CustomerGroup]:
        return await _all(info, Kind.GROUP, self.outcome.groups if self.outcome else [])


@strawberry.type(description="The answer to unassignNode.")
class UnassignNodePayload(UnassignPayload):
    pass


@strawberry.type(description="The answer to unassignNodes.")
class UnassignNodesPayload(UnassignPayload):
    pass


@strawberry.type
class CustomerPayload(Payload):
    """An answer with a customer."""

    outcome_type = customers.Changed

    @field(description="The customer as it is now; null where there are user errors.")
    async def customer(self, info: Info) -> Customer | None:
        return await find(info, Kind.CUSTOMER, self.outcome.customer) if self.outcome else None


@strawberry.type(description="The answer to createCustomer.")
class CreateCustomerPayload(CustomerPayload):
    pass


@strawberry.type(description="The answer to updateCustomer.")
class UpdateCustomerPayload(CustomerPayload):
    pass


@strawberry.type(description="The answer to deleteCustomer.")
class DeleteCustomerPayload(Payload):
    outcome_type = customers.Changed

    @field(description="The id of what was deleted; null where there are user errors.")
    def deleted_id(self) -> ID | None:
        return ID(ids.encode(Kind.CUSTOMER, self.outcome.customer)) if self.outcome else None


@strawberry.type(description="The answer to setStock.")
class SetStockPayload(Payload):
    outcome_type = stocks.Set

    @field(description="The item as it is now; null where there are user errors.")
    async def stock_item(self, info: Info) -> StockItem | None:
        return await find(info, Kind.STOCK_ITEM, self.outcome.item) if self.outcome else None


@strawberry.type
class ReservationPayload(Payload):
    """An answer with a reservation."""

    outcome_type = reservations.Changed

    @field(description="The reservation as it is now; null where there are user errors.")
    async def reservation(self, info: Info) -> Reservation | None:
        return await find(info, Kind.RESERVATION, self.outcome.reservation) if self.outcome else None


@strawberry.type(description="The answer to reserveStock.")
class ReserveStockPayload(ReservationPayload):
    pass


@strawberry.type(description="The answer to consumeReservation.")
class ConsumeReservationPayload(ReservationPayload):
    pass


@strawberry.type(description="The answer to releaseReservation.")
class ReleaseReservationPayload(ReservationPayload):
    pass


async def _all(info: Info, kind: Kind, keys: list[int]) -> list[Any]:
    """The things with these keys that there still are, in their order."""
    found = await asyncio.gather(*(find(info, kind, key) for key in keys))
    return [thing for thing in found if thing is not None]
