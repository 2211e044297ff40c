"""Scalars and enumerations."""

from datetime import UTC, datetime
from enum import Enum
from typing import Any, NewType

import strawberry
from graphql import GraphQLError

from service import errors


def word(value: str, description: str) -> Any:
    """A value of an enumeration; its type is that of what the class makes of it."""
    return strawberry.enum_value(value, description=description)


def _instant(value: object) -> datetime:
    """The instant that a client wrote; without an offset it is not one."""
    try:
        if not isinstance(value, str):
            raise ValueError
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("An instant looks like 2026-01-31T12:00:00.000000+00:00, with its offset.") from None


def _iso(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


DateTime = NewType("DateTime", datetime)
JSON = NewType("JSON", object)
SCALARS: dict[object, Any] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="An ISO 8601 instant in UTC, to the microsecond.",
        serialize=_iso,
        parse_value=_instant,
    ),
    JSON: strawberry.scalar(name="JSON", description="Any JSON value."),
}


@strawberry.enum(description="Which customers of a node are meant.")
class MemberScope(Enum):
    DIRECT = word("DIRECT", description="The customers of the node's own group.")
    SUBTREE = word("SUBTREE", description="Those of every group below it as well, each customer once.")


@strawberry.enum(
    description=(
        "An inactive group keeps its place and its members; it cannot be newly assigned, nor can stock be reserved"
        " for it (GROUP_INACTIVE)."
    )
)
class GroupStatus(Enum):
    ACTIVE = word("ACTIVE", description="In use.")
    INACTIVE = word("INACTIVE", description="Kept, but not to be newly assigned.")


@strawberry.enum(description="What a change did.")
class ChangeAction(Enum):
    HIERARCHY_CREATED = word("HIERARCHY_CREATED", description="A hierarchy was created.")
    HIERARCHY_UPDATED = word("HIERARCHY_UPDATED", description="A hierarchy got another name or description.")
    HIERARCHY_DELETED = word("HIERARCHY_DELETED", description="A hierarchy was deleted.")
    LEVEL_ADDED = word("LEVEL_ADDED", description="A level was added.")
    LEVEL_RENAMED = word("LEVEL_RENAMED", description="A level got another name.")
    LEVEL_REMOVED = word("LEVEL_REMOVED", description="A level was removed.")
    GROUP_CREATED = word("GROUP_CREATED", description="A group was created.")
    GROUP_UPDATED = word("GROUP_UPDATED", description="A group got another code, name, description or status.")
    GROUP_DELETED = word("GROUP_DELETED", description="A group was deleted.")
    GROUP_ASSIGNED = word("GROUP_ASSIGNED", description="A group got a place in a hierarchy.")
    GROUP_UNASSIGNED = word("GROUP_UNASSIGNED", description="A group lost its place in a hierarchy.")
    NODE_MOVED = word("NODE_MOVED", description="A node came under another parent.")
    NODES_REORDERED = word("NODES_REORDERED", description="Siblings changed their order.")
    CUSTOMERS_ADDED = word("CUSTOMERS_ADDED", description="Customers were put into a group.")
    CUSTOMERS_REMOVED = word("CUSTOMERS_REMOVED", description="Customers were taken out of a group.")
    CUSTOMER_CREATED = word("CUSTOMER_CREATED", description="A customer was created.")
    CUSTOMER_UPDATED = word("CUSTOMER_UPDATED", description="A customer got another code, name or type.")
    CUSTOMER_DELETED = word("CUSTOMER_DELETED", description="A customer was deleted.")
    STOCK_SET = word("STOCK_SET", description="What is on hand of an item was set.")
    RESERVATION_CREATED = word("RESERVATION_CREATED", description="Stock was reserved.")
    RESERVATION_CONSUMED = word("RESERVATION_CONSUMED", description="Reserved stock was consumed.")
    RESERVATION_RELEASED = word("RESERVATION_RELEASED", description="Reserved stock was released.")
    IMPORTED = word("IMPORTED", description="A file was imported.")


@strawberry.enum(description="Whether a reservation holds stock back, and if not, why.")
class ReservationStatus(Enum):
    OPEN = word("OPEN", description="It holds back what remains of it.")
    CONSUMED = word("CONSUMED", description="All of it was consumed.")
    RELEASED = word("RELEASED", description="What remained of it was given back.")
    EXPIRED = word("EXPIRED", description="Its time has passed by the clock of the database.")


@strawberry.enum(description="What becomes of the nodes below one that leaves the tree.")
class ChildrenPolicy(Enum):
    PROMOTE = word(
        "PROMOTE",
        description="They take its place under its parent, in their order, and so rise one level with all below them.",
    )
    UNASSIGN = word("UNASSIGN", description="They leave the tree with it; their groups become unassigned.")
    REFUSE = word("REFUSE", description="The change is refused while there are any (CONFLICT).")


@strawberry.enum(
    description=(
        "What becomes of one name that the file gives to different groups (real hierarchies do: Springfield in six"
        " states)."
    )
)
class DuplicateNames(Enum):
    REFUSE = word("REFUSE", description="An error for each row that repeats it elsewhere.")
    QUALIFY = word(
        "QUALIFY",
        description=(
            "The later ones get their parent's name in brackets, «Springfield (Illinois)»; where that repeats too,"
            " their code or a number."
        ),
    )


@strawberry.enum(description="What becomes of that which a file does not name.")
class ImportMode(Enum):
    MERGE = word("MERGE", description="Adds, updates and moves; what the file does not name stays as it is.")
    REPLACE = word(
        "REPLACE",
        description=(
            "A tree becomes exactly the file, and groups that it does not name become unassigned; a group's customers"
            " become exactly those of the file."
        ),
    )


@strawberry.enum(description="What a file that is imported is about.")
class ImportKind(Enum):
    HIERARCHY = word("HIERARCHY", description="The groups of a hierarchy, each in its place.")
    CUSTOMERS = word("CUSTOMERS", description="Customers.")
    MEMBERS = word("MEMBERS", description="Which customers are in which groups.")
    GROUPS = word("GROUPS", description="Customer groups, without a place.")


@strawberry.enum(description="How far an import job has come.")
class ImportState(Enum):
    QUEUED = word("QUEUED", description="It waits for its turn.")
    RUNNING = word("RUNNING", description="The file is being imported; nobody sees any of it yet.")
    STOPPED = word(
        "STOPPED", description="A person has stopped it; nothing has changed. `grove import resume` goes on."
    )
    DONE = word("DONE", description="The whole file is imported; after a dry run: it could be.")
    REJECTED = word("REJECTED", description="The file has mistakes, and nothing has changed.")
    FAILED = word("FAILED", description="It could not be done, and nothing has changed; the message says why.")


@strawberry.enum(description="What a file did to one thing.")
class ImportAction(Enum):
    CREATED = word("CREATED", description="A group or customer was created.")
    UPDATED = word("UPDATED", description="A group or customer got another name, description or type.")
    MOVED = word("MOVED", description="A group came to another place in the hierarchy.")
    ASSIGNED = word("ASSIGNED", description="A group that there was already got a place in the hierarchy.")
    UNASSIGNED = word("UNASSIGNED", description="A group lost its place in the hierarchy.")
    ADDED = word("ADDED", description="A customer was put into a group.")
    REMOVED = word("REMOVED", description="A customer was taken out of a group.")


@strawberry.enum(description="What becomes of the nodes on a level that is removed, and below it.")
class RemoveLevelMode(Enum):
    REFUSE = word(
        "REFUSE",
        description="Only the last level can be removed (OUT_OF_RANGE), while no node stands on it (LEVEL_IN_USE).",
    )
    MERGE_UP = word(
        "MERGE_UP",
        description=(
            "Its nodes leave the tree, and their groups become unassigned; their children take their place, in their"
            " order, and so rise one level with all below them."
        ),
    )


@strawberry.enum(description="The direction of an order.")
class OrderDirection(Enum):
    ASC = word("ASC", description="Smallest first.")
    DESC = word("DESC", description="Greatest first.")


@strawberry.enum(description="What hierarchies can be ordered by; equal ones by age.")
class HierarchyOrderField(Enum):
    NAME = word("NAME", description="The name, without regard to case and accents.")
    CREATED_AT = word("CREATED_AT", description="When it was created.")
    UPDATED_AT = word("UPDATED_AT", description="When it last changed.")


@strawberry.enum(description="What customer groups can be ordered by; equal ones by age.")
class CustomerGroupOrderField(Enum):
    CODE = word("CODE", description="The code, without regard to case and accents.")
    NAME = word("NAME", description="The name, without regard to case and accents.")
    STATUS = word("STATUS", description="Active ones before inactive ones.")
    CUSTOMER_COUNT = word("CUSTOMER_COUNT", description="The number of customers.")
    CREATED_AT = word("CREATED_AT", description="When it was created.")
    UPDATED_AT = word("UPDATED_AT", description="When it last changed.")


@strawberry.enum(description="What customers can be ordered by; equal ones by age.")
class CustomerOrderField(Enum):
    CODE = word("CODE", description="The code, without regard to case and accents.")
    NAME = word("NAME", description="The name, without regard to case and accents.")
    TYPE = word("TYPE", description="The type, without regard to case.")
    CREATED_AT = word("CREATED_AT", description="When it was created.")


CODES = {
    "REQUIRED": "Something that is needed is missing or empty.",
    "INVALID": "A value that cannot be understood or used here, such as the id of another type of thing.",
    "TOO_LONG": "A text with more characters than allowed.",
    "OUT_OF_RANGE": "A number, or a number of things, beyond what is allowed.",
    "NOT_FOUND": "There is no such thing.",
    "NAME_TAKEN": "The name belongs to another thing, whatever its case.",
    "CODE_TAKEN": "The code belongs to another thing, whatever its case.",
    "ALREADY_ASSIGNED": "The group stands in this hierarchy already.",
    "WRONG_HIERARCHY": "The node stands in another hierarchy.",
    "CYCLE": "A node cannot be moved below itself.",
    "TOO_DEEP": "The hierarchy has no level for that depth.",
    "NOT_CHILDREN": "These are not the children, or not all of them.",
    "LEVEL_IN_USE": "Nodes stand on this level.",
    "GROUP_INACTIVE": "The group is inactive.",
    "GROUP_IN_USE": "Open reservations name the group.",
    "INSUFFICIENT_STOCK": "There is not enough stock.",
    "RESERVATION_CLOSED": "The reservation is no longer open.",
    "STALE": "The thing has changed since the expected version.",
    "IDEMPOTENCY_MISMATCH": "The idempotency key was used with another input.",
    "CONFLICT": "The change contradicts what is there.",
    "BAD_HEADER": "The header of a file is not understood.",
    "BAD_ROW": "A row of a file is not understood.",
}
_NAMES: Any = {code.value: word(code.value, CODES[code.value]) for code in errors.UserErrorCode}
UserErrorCode: Any = strawberry.enum(
    Enum("UserErrorCode", _NAMES),  # type: ignore[call-overload]
    description="The kinds of mistake that a mutation answers in userErrors.",
)
