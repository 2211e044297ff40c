"""The output types of stock. They are built on those in service/schema/types.py, one of which refers back."""

import strawberry
from strawberry import ID, UNSET, Private

from service import ids
from service.ids import Kind
from service.matching import ReservationFilter
from service.resolvers import group as groups
from service.resolvers import hierarchy as hierarchies
from service.resolvers import reservation as reservations
from service.resolvers import stock as stocks
from service.schema.arguments import ReservationFilters
from service.schema.connection import After, Before, Connection, First, Last, connect, page_of
from service.schema.context import Info
from service.schema.thing import Node, maybe, present
from service.schema.types import CustomerGroup, Hierarchy, customer_group, hierarchy, reservation
from service.schema.words import DateTime, ReservationStatus
from service.store.reservation import ReservationRow
from service.store.stock import StockItemRow

field = strawberry.field


@strawberry.type(description="What is on hand of one SKU at one location, in whole units.")
class StockItem(Node):
    row: Private[StockItemRow]

    @field(description="Opaque, unique among all things.")
    def id(self) -> ID:
        return ID(ids.encode(Kind.STOCK_ITEM, self.row.id))

    @field(description="Unique at its location, whatever its case.")
    def sku(self) -> str:
        return self.row.sku

    @field(description="Where it is kept.")
    def location(self) -> str:
        return self.row.location

    @field(description="How many there are.")
    def on_hand(self) -> int:
        return self.row.on_hand

    @field(description="Held by open reservations and not yet consumed.")
    def reserved(self) -> int:
        return self.row.reserved

    @field(description="onHand less reserved; never negative.")
    def free(self) -> int:
        return self.row.free

    @field(description="Its reservations, newest first.")
    def reservations(
        self,
        info: Info,
        filter: ReservationFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Reservation]":
        return connect(
            info.context,
            reservation,
            reservations.of_items,
            reservations.of_items_total,
            self.row.id,
            page_of(first, after, last, before),
            filter.conditions() if filter else ReservationFilter(),
        )

    @field(description="When it was created.")
    def created_at(self) -> DateTime:
        return DateTime(self.row.created_at)

    @field(description="When what is on hand last changed.")
    def updated_at(self) -> DateTime:
        return DateTime(self.row.updated_at)


@strawberry.type(
    description=(
        "Stock set aside for the customers of a group and, where a hierarchy is named, of every group below it there."
    )
)
class Reservation(Node):
    row: Private[ReservationRow]

    @field(description="Opaque, unique among all things.")
    def id(self) -> ID:
        return ID(ids.encode(Kind.RESERVATION, self.row.id))

    @field(description="Of what it holds stock back.")
    async def stock_item(self, info: Info) -> StockItem:
        return stock_item(present(await info.context.load(stocks.by_key, self.row.stock_item_id)))

    @field(description="For whom it was made.")
    async def group(self, info: Info) -> CustomerGroup:
        return customer_group(present(await info.context.load(groups.by_key, self.row.group_id)))

    @field(
        description=(
            "Where the groups stand that it covers below its own; null: it covers its own group alone. A closed"
            " reservation forgets a hierarchy that is deleted."
        )
    )
    async def hierarchy(self, info: Info) -> Hierarchy | None:
        row = await maybe(info, hierarchies.by_key, self.row.hierarchy_id)
        return hierarchy(row) if row else None

    @field(description="How many units were set aside.")
    def quantity(self) -> int:
        return self.row.quantity

    @field(description="How many of them were consumed.")
    def consumed(self) -> int:
        return self.row.consumed

    @field(description="quantity less consumed; held back while the reservation is open.")
    def remaining(self) -> int:
        return self.row.remaining

    @field(description="Whether it holds stock back, and if not, why.")
    def status(self) -> ReservationStatus:
        return ReservationStatus(self.row.status)

    @field(description="From then on it holds nothing back; null: it does not expire.")
    def expires_at(self) -> DateTime | None:
        return None if self.row.expires_at is None else DateTime(self.row.expires_at)

    @field(description="Free text, such as the number of an order.")
    def reference(self) -> str:
        return self.row.reference

    @field(description="When it was created.")
    def created_at(self) -> DateTime:
        return DateTime(self.row.created_at)

    @field(description="When it was last consumed from or released; to expire is no change.")
    def updated_at(self) -> DateTime:
        return DateTime(self.row.updated_at)


@strawberry.type(description="What may be promised of one item. Of an item that there is not, everything is 0.")
class Availability:
    row: Private[StockItemRow | None]
    customer: Private[int | None]
    sku: str = field(description="The SKU, as the item has it.")
    location: str = field(description="The location, as the item has it.")

    @field(description="How many there are.")
    def on_hand(self) -> int:
        return self.row.on_hand if self.row else 0

    @field(description="Held by open reservations and not yet consumed.")
    def reserved(self) -> int:
        return self.row.reserved if self.row else 0

    @field(description="onHand less reserved; never negative.")
    def free(self) -> int:
        return self.row.free if self.row else 0

    @field(
        description="free plus what open reservations hold for the customer; free alone where no customer was named."
    )
    async def available(self, info: Info) -> int:
        held = sum(row.remaining for row in await self.covering(info))
        return held + self.row.free if self.row else 0

    @field(description="The open reservations that cover the customer, soonest to expire first.")
    async def reservations(self, info: Info) -> list[Reservation]:
        return [reservation(row) for row in await self.covering(info)]

    async def covering(self, info: Info) -> list[ReservationRow]:
        """Those that cover the customer; none where there is no item or no customer."""
        if self.row is None or self.customer is None:
            return []
        return await info.context.load(reservations.covering, self.row.id, self.customer)


def stock_item(row: StockItemRow) -> StockItem:
    return StockItem(row=row)


def availability(sku: str, location: str, row: StockItemRow | None, customer: int | None) -> Availability:
    return Availability(
        row=row, customer=customer, sku=row.sku if row else sku, location=row.location if row else location
    )
