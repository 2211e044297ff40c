"""Mutations of stock items and reservations."""

import strawberry
from strawberry import ID, UNSET

from service.ids import Kind
from service.resolvers import reservation, stock
from service.schema.answering import answer
from service.schema.connection import given
from service.schema.context import Info
from service.schema.inputs import CustomerBy, CustomerGroupBy, HierarchyBy
from service.schema.naming import key_of, named
from service.schema.payloads import (
    ConsumeReservationPayload,
    MutationInput,
    ReleaseReservationPayload,
    ReserveStockPayload,
    SetStockPayload,
)
from service.schema.words import DateTime

field = strawberry.field
WHERE = "At which location; at most 64 characters."


@strawberry.input(
    description="Sets what is on hand; refused with INSUFFICIENT_STOCK below what is reserved. A new item is made."
)
class SetStockInput(MutationInput):
    sku: str = field(description="Of what, whatever its case; at most 64 characters.")
    location: str = field(default="MAIN", description=WHERE)
    on_hand: int = field(description="How many there are; 0 or more.")


@strawberry.input(
    description="Takes from what is free; never more than that (INSUFFICIENT_STOCK), however many ask at once."
)
class ReserveStockInput(MutationInput):
    sku: str = field(description="Of what.")
    location: str = field(default="MAIN", description=WHERE)
    group: CustomerGroupBy = field(description="For which group; it must be active.")
    hierarchy: HierarchyBy | None = field(
        default=UNSET,
        description="Covers every group below it there as well, as the tree stands then; the group must stand in it.",
    )
    quantity: int = field(description="How many; at least 1.")
    expires_at: DateTime | None = field(
        default=UNSET, description="From then on it holds nothing back; must lie ahead. Left out: it does not expire."
    )
    reference: str = field(
        default="", description="Free text on one line, such as the number of an order; at most 200 characters."
    )


@strawberry.input(
    description="Takes units from the reservation and from what is on hand, for a customer that it covers."
)
class ConsumeReservationInput(MutationInput):
    id: ID = field(description="Which reservation.")
    quantity: int = field(description="How many; at least 1, at most what remains.")
    customer: CustomerBy = field(description="Who takes them: a member of the group, or of one below it.")


@strawberry.input(description="Gives back what remains of a reservation.")
class ReleaseReservationInput(MutationInput):
    id: ID = field(description="Which reservation.")


@strawberry.type
class StockMutations:
    """The part of the mutation root that changes stock."""

    @field(description="Sets what is on hand of an item.")
    async def set_stock(self, info: Info, input: SetStockInput) -> SetStockPayload:
        return await answer(
            info, input, SetStockPayload, lambda: stock.set_stock(input.sku, input.location, input.on_hand)
        )

    @field(description="Sets stock aside for the customers of a group.")
    async def reserve_stock(self, info: Info, input: ReserveStockInput) -> ReserveStockPayload:
        return await answer(
            info,
            input,
            ReserveStockPayload,
            lambda: reservation.reserve(
                input.sku,
                input.location,
                named(input.group, "group"),
                named(input.hierarchy, "hierarchy") if input.hierarchy else None,
                input.quantity,
                given(input.expires_at),
                input.reference,
            ),
        )

    @field(description="Takes units from a reservation and from what is on hand.")
    async def consume_reservation(self, info: Info, input: ConsumeReservationInput) -> ConsumeReservationPayload:
        return await answer(
            info,
            input,
            ConsumeReservationPayload,
            lambda: reservation.consume(
                key_of(input.id, Kind.RESERVATION, "id"), input.quantity, named(input.customer, "customer")
            ),
        )

    @field(description="Gives back what remains of a reservation.")
    async def release_reservation(self, info: Info, input: ReleaseReservationInput) -> ReleaseReservationPayload:
        return await answer(
            info,
            input,
            ReleaseReservationPayload,
            lambda: reservation.release(key_of(input.id, Kind.RESERVATION, "id")),
        )
