"""Mutations of customer groups and their members."""

import strawberry
from strawberry import ID, UNSET

from service.groups import MOST_CUSTOMERS
from service.ids import Kind
from service.resolvers import group
from service.schema.answering import answer
from service.schema.connection import given
from service.schema.context import Info
from service.schema.inputs import CustomerGroupBy
from service.schema.naming import key_of, keys_of, named, optional_key_of
from service.schema.node import PlaceInput, place_of
from service.schema.payloads import (
    AddCustomersToGroupPayload,
    CreateCustomerGroupPayload,
    DeleteCustomerGroupPayload,
    MutationInput,
    RemoveCustomersFromGroupPayload,
    UpdateCustomerGroupPayload,
)
from service.schema.words import ChildrenPolicy, GroupStatus

field = strawberry.field
VERSION = "Refused with STALE unless the group is still at this version."


@strawberry.input(
    description="Creates a group, in the same step with its customers and its place in a hierarchy, if they are given."
)
class CreateCustomerGroupInput(MutationInput):
    name: str = field(description="Unique, whatever its case; at most 200 characters.")
    code: str | None = field(
        default=UNSET, description="Unique, whatever its case; at most 64 characters; generated if left out."
    )
    description: str = field(default="", description="Free text; at most 2,000 characters.")
    status: GroupStatus = field(default=GroupStatus.ACTIVE, description="Whether it is in use.")
    customer_ids: list[ID] = field(default_factory=list, description="Customers to put into it.")
    customer_codes: list[str] = field(default_factory=list, description="Customers to put into it, by code.")
    place: PlaceInput | None = field(default=UNSET, description="Where it is to stand; unassigned if left out.")

    def where(self) -> group.Place | None:
        """Refuses with INVALID."""
        if not self.place:
            return None
        return group.Place(
            key_of(self.place.hierarchy_id, Kind.HIERARCHY, "place", "hierarchyId"),
            optional_key_of(self.place.parent_id, Kind.NODE, "place", "parentId"),
            place_of(self.place.position, "place", "position"),
        )


@strawberry.input(description="New values of a group; what is left out stays.")
class UpdateCustomerGroupInput(MutationInput):
    id: ID = field(description="Which group.")
    name: str | None = field(default=UNSET, description="Unique, whatever its case.")
    code: str | None = field(default=UNSET, description="Unique, whatever its case.")
    description: str | None = field(default=UNSET, description="Free text.")
    status: GroupStatus | None = field(default=UNSET, description="Whether it is in use.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(
    description="Refused with GROUP_IN_USE while open reservations name it. Its nodes go as `children` says."
)
class DeleteCustomerGroupInput(MutationInput):
    id: ID = field(description="Which group.")
    children: ChildrenPolicy = field(
        default=ChildrenPolicy.REFUSE, description="What becomes of the nodes below those of the group."
    )
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(
    description=(
        "Up to 10,000 at once. Those already in are passed over; one that does not exist fails the whole, and the"
        " errors name each."
    )
)
class AddCustomersToGroupInput(MutationInput):
    group: CustomerGroupBy = field(description="Which group.")
    customer_ids: list[ID] = field(default_factory=list, description="Customers to put into it.")
    customer_codes: list[str] = field(default_factory=list, description="Customers to put into it, by code.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(
    description="Up to 10,000 at once. Those not in are passed over; one that does not exist fails the whole."
)
class RemoveCustomersFromGroupInput(MutationInput):
    group: CustomerGroupBy = field(description="Which group.")
    customer_ids: list[ID] = field(default_factory=list, description="Customers to take out of it.")
    customer_codes: list[str] = field(default_factory=list, description="Customers to take out of it, by code.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.type
class GroupMutations:
    """The part of the mutation root that changes groups and their members."""

    @field(description="Creates a group, with its customers and its place where they are given.")
    async def create_customer_group(self, info: Info, input: CreateCustomerGroupInput) -> CreateCustomerGroupPayload:
        return await answer(
            info,
            input,
            CreateCustomerGroupPayload,
            lambda: group.create(
                input.name,
                given(input.code),
                input.description,
                input.status.value,
                keys_of(input.customer_ids, Kind.CUSTOMER, "customerIds", MOST_CUSTOMERS),
                input.customer_codes,
                input.where(),
            ),
        )

    @field(description="Gives a group another code, name, description or status.")
    async def update_customer_group(self, info: Info, input: UpdateCustomerGroupInput) -> UpdateCustomerGroupPayload:
        status = given(input.status)
        return await answer(
            info,
            input,
            UpdateCustomerGroupPayload,
            lambda: group.update(
                key_of(input.id, Kind.GROUP, "id"),
                given(input.name),
                given(input.code),
                given(input.description),
                status.value if status else None,
                given(input.expected_version),
            ),
        )

    @field(description="Deletes a group, with its places and its membership; its customers remain.")
    async def delete_customer_group(self, info: Info, input: DeleteCustomerGroupInput) -> DeleteCustomerGroupPayload:
        return await answer(
            info,
            input,
            DeleteCustomerGroupPayload,
            lambda: group.delete(
                key_of(input.id, Kind.GROUP, "id"), input.children.value, given(input.expected_version)
            ),
        )

    @field(description="Puts customers into a group.")
    async def add_customers_to_group(self, info: Info, input: AddCustomersToGroupInput) -> AddCustomersToGroupPayload:
        return await answer(
            info,
            input,
            AddCustomersToGroupPayload,
            lambda: group.add_customers(
                named(input.group, "group"),
                keys_of(input.customer_ids, Kind.CUSTOMER, "customerIds", MOST_CUSTOMERS),
                input.customer_codes,
                given(input.expected_version),
            ),
        )

    @field(description="Takes customers out of a group.")
    async def remove_customers_from_group(
        self, info: Info, input: RemoveCustomersFromGroupInput
    ) -> RemoveCustomersFromGroupPayload:
        return await answer(
            info,
            input,
            RemoveCustomersFromGroupPayload,
            lambda: group.remove_customers(
                named(input.group, "group"),
                keys_of(input.customer_ids, Kind.CUSTOMER, "customerIds", MOST_CUSTOMERS),
                input.customer_codes,
                given(input.expected_version),
            ),
        )
