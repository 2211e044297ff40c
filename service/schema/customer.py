"""Mutations of customers."""

import strawberry
from strawberry import ID, UNSET

from service.ids import Kind
from service.resolvers import customer
from service.schema.answering import answer
from service.schema.connection import given
from service.schema.context import Info
from service.schema.naming import key_of
from service.schema.payloads import (
    CreateCustomerPayload,
    DeleteCustomerPayload,
    MutationInput,
    UpdateCustomerPayload,
)

field = strawberry.field
VERSION = "Refused with STALE unless the customer is still at this version."


@strawberry.input(description="A customer to be created.")
class CreateCustomerInput(MutationInput):
    code: str = field(description="Unique, whatever its case; at most 64 characters.")
    name: str = field(description="What people call it; at most 200 characters.")
    type: str = field(default="", description="Free label, such as DISTRIBUTOR or RETAILER.")


@strawberry.input(description="New values of a customer; what is left out stays.")
class UpdateCustomerInput(MutationInput):
    id: ID = field(description="Which customer.")
    code: str | None = field(default=UNSET, description="Unique, whatever its case.")
    name: str | None = field(default=UNSET, description="What people call it.")
    type: str | None = field(default=UNSET, description="Free label.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(description="Takes it out of its groups as well.")
class DeleteCustomerInput(MutationInput):
    id: ID = field(description="Which customer.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.type
class CustomerMutations:
    """The part of the mutation root that changes customers."""

    @field(description="Creates a customer.")
    async def create_customer(self, info: Info, input: CreateCustomerInput) -> CreateCustomerPayload:
        return await answer(
            info,
            input,
            CreateCustomerPayload,
            lambda: customer.create(input.code, input.name, input.type),
        )

    @field(description="Gives a customer another code, name or type.")
    async def update_customer(self, info: Info, input: UpdateCustomerInput) -> UpdateCustomerPayload:
        return await answer(
            info,
            input,
            UpdateCustomerPayload,
            lambda: customer.update(
                key_of(input.id, Kind.CUSTOMER, "id"),
                given(input.code),
                given(input.name),
                given(input.type),
                given(input.expected_version),
            ),
        )

    @field(description="Deletes a customer, taken out of its groups.")
    async def delete_customer(self, info: Info, input: DeleteCustomerInput) -> DeleteCustomerPayload:
        return await answer(
            info,
            input,
            DeleteCustomerPayload,
            lambda: customer.delete(key_of(input.id, Kind.CUSTOMER, "id"), given(input.expected_version)),
        )
