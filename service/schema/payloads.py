"""The answers of mutations. Each holds its resolver's outcome, by keys, and reads what is selected."""

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
from service.schema.bringing import along
from service.schema.context import Context
from service.schema.finding import FINDERS
from service.schema.relations import Key, attribute, each, load, look, relation
from service.schema.stock_types import Reservation, StockItem
from service.schema.types import Customer, CustomerGroup, Hierarchy, HierarchyNode
from service.schema.words import UserErrorCode

field = strawberry.field
REPEATED = (
    "How often a customer was named once more, by id or code: `{}`, `{}` and this together are as many as were named."
)


def outcome(name: str) -> Key:
    """The key of a thing by its name in the outcome; None where there is no outcome, or no such thing."""
    return lambda payload: getattr(payload.outcome, name, None)


def counted(description: str, name: str) -> Any:
    """A number of the outcome; 0 where there are user errors."""
    return each(description, lambda payload: getattr(payload.outcome, name, 0))


def deleted(kind: Kind, name: str) -> Any:
    """The id of what was deleted."""

    def id_of_it(payload: Any) -> ID | None:
        return ID(ids.encode(kind, getattr(payload.outcome, name))) if payload.outcome else None

    return each("The id of what was deleted; null where there are user errors.", id_of_it)


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

    @relation("The hierarchy as it is now; null where there are user errors.")
    def hierarchy(self) -> Hierarchy | None:
        return load(FINDERS[Kind.HIERARCHY], outcome("hierarchy"))


@strawberry.type(description="The answer to createHierarchy.")
class CreateHierarchyPayload(HierarchyPayload):
    outcome_type = hierarchies.Changed


@strawberry.type(description="The answer to updateHierarchy.")
class UpdateHierarchyPayload(HierarchyPayload):
    outcome_type = hierarchies.Changed


@strawberry.type(description="The answer to deleteHierarchy.")
class DeleteHierarchyPayload(Payload):
    outcome_type = hierarchies.Changed

    deleted_id: ID | None = deleted(Kind.HIERARCHY, "hierarchy")


@strawberry.type(description="The answer to addLevel.")
class AddLevelPayload(HierarchyPayload):
    outcome_type = levels.Changed

    moved_count: int = counted("How many nodes have sunk by one level: all that stood there or deeper.", "moved")

    created_count: int = counted(
        "How many placeholders, each a new group with its node, have come between them and the parents.", "created"
    )


@strawberry.type(description="The answer to renameLevel.")
class RenameLevelPayload(HierarchyPayload):
    outcome_type = levels.Changed


@strawberry.type(description="The answer to removeLevel.")
class RemoveLevelPayload(HierarchyPayload):
    outcome_type = levels.Changed

    moved_count: int = counted("How many nodes have risen by one level: all that stood below it.", "moved")

    removed_count: int = counted(
        "How many nodes have left the tree: all that stood on it. Their groups are unassigned now.", "removed"
    )


@strawberry.type
class GroupPayload(Payload):
    """An answer with a group."""

    @relation("The group as it is now; null where there are user errors.")
    def group(self) -> CustomerGroup | None:
        return load(FINDERS[Kind.GROUP], outcome("group"))


@strawberry.type(description="The answer to createCustomerGroup.")
class CreateCustomerGroupPayload(GroupPayload):
    outcome_type = groups.Created

    @relation("Its node; null where no place was given, or where there are user errors.")
    def node(self) -> HierarchyNode | None:
        return load(FINDERS[Kind.NODE], outcome("node"), asks=along)


@strawberry.type(description="The answer to updateCustomerGroup.")
class UpdateCustomerGroupPayload(GroupPayload):
    outcome_type = groups.Changed


@strawberry.type(description="The answer to deleteCustomerGroup.")
class DeleteCustomerGroupPayload(Payload):
    outcome_type = groups.Changed

    deleted_id: ID | None = deleted(Kind.GROUP, "group")


@strawberry.type(description="The answer to addCustomersToGroup.")
class AddCustomersToGroupPayload(GroupPayload):
    outcome_type = groups.Changed

    added: int = counted("How many customers have come into the group.", "changed")

    already_in: int = counted("How many of those named were in it already.", "passed_over")

    repeated: int = counted(REPEATED.format("added", "alreadyIn"), "repeated")


@strawberry.type(description="The answer to removeCustomersFromGroup.")
class RemoveCustomersFromGroupPayload(GroupPayload):
    outcome_type = groups.Changed

    removed: int = counted("How many customers have left the group.", "changed")

    not_in: int = counted("How many of those named were not in it.", "passed_over")

    repeated: int = counted(REPEATED.format("removed", "notIn"), "repeated")


@strawberry.type
class NodePayload(HierarchyPayload):
    """An answer with one node."""

    outcome_type = nodes.Placed

    @relation("The node as it stands now; null where there are user errors.")
    def node(self) -> HierarchyNode | None:
        return load(
            FINDERS[Kind.NODE], lambda payload: payload.outcome.nodes[0] if payload.outcome else None, asks=along
        )


@strawberry.type
class NodesPayload(HierarchyPayload):
    """An answer with several nodes."""

    outcome_type = nodes.Placed

    @relation("The nodes as they stand now, in their order; empty where there are user errors.")
    def nodes(self) -> list[HierarchyNode]:
        return look(lambda context: _all(context, Kind.NODE, self.outcome.nodes if self.outcome else []))


@strawberry.type(description="The answer to assignGroup.")
class AssignGroupPayload(NodePayload):
    pass


@strawberry.type(description="The answer to assignGroups.")
class AssignGroupsPayload(NodesPayload):
    pass


@strawberry.type(description="The answer to moveNode.")
class MoveNodePayload(NodePayload):
    @relation("Where it stood before; null where it was a root, or where there are user errors.")
    def previous_parent(self) -> HierarchyNode | None:
        return load(FINDERS[Kind.NODE], outcome("previous_parent"), asks=along)


@strawberry.type(description="The answer to moveNodes: those that were moved themselves.")
class MoveNodesPayload(NodesPayload):
    pass


@strawberry.type(description="The answer to reorderChildren.")
class ReorderChildrenPayload(HierarchyPayload):
    outcome_type = nodes.Placed

    @relation("The parent; null for roots, or where there are user errors.")
    def parent(self) -> HierarchyNode | None:
        return load(FINDERS[Kind.NODE], outcome("parent"), asks=along)


@strawberry.type
class UnassignPayload(HierarchyPayload):
    """An answer with groups that left a tree."""

    outcome_type = nodes.Unassigned

    @relation("Now unassigned, those of the nodes named first.")
    def groups(self) -> list[CustomerGroup]:
        return look(lambda context: _all(context, Kind.GROUP, self.outcome.groups if self.outcome else []))


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

    @relation("The customer as it is now; null where there are user errors.")
    def customer(self) -> Customer | None:
        return load(FINDERS[Kind.CUSTOMER], outcome("customer"))


@strawberry.type(description="The answer to createCustomer.")
class CreateCustomerPayload(CustomerPayload):
    pass


@strawberry.type(description="The answer to updateCustomer.")
class UpdateCustomerPayload(CustomerPayload):
    pass


@strawberry.type(description="The answer to deleteCustomer.")
class DeleteCustomerPayload(Payload):
    outcome_type = customers.Changed

    deleted_id: ID | None = deleted(Kind.CUSTOMER, "customer")


@strawberry.type(description="The answer to setStock.")
class SetStockPayload(Payload):
    outcome_type = stocks.Set

    @relation("The item as it is now; null where there are user errors.")
    def stock_item(self) -> StockItem | None:
        return load(FINDERS[Kind.STOCK_ITEM], outcome("item"))


@strawberry.type
class ReservationPayload(Payload):
    """An answer with a reservation."""

    outcome_type = reservations.Changed

    @relation("The reservation as it is now; null where there are user errors.")
    def reservation(self) -> Reservation | None:
        return load(FINDERS[Kind.RESERVATION], outcome("reservation"))


@strawberry.type(description="The answer to reserveStock.")
class ReserveStockPayload(ReservationPayload):
    pass


@strawberry.type(description="The answer to consumeReservation.")
class ConsumeReservationPayload(ReservationPayload):
    pass


@strawberry.type(description="The answer to releaseReservation.")
class ReleaseReservationPayload(ReservationPayload):
    pass


async def _all(context: Context, kind: Kind, keys: list[int]) -> list[Any]:
    """The things with these keys that there still are, in their order."""
    found = await context.many(FINDERS[kind], keys)
    return [thing for thing in found if thing is not None]
