"""The output types of stock. They are built on those in service/schema/types.py, one of which refers back."""

from operator import attrgetter
from typing import NamedTuple

import strawberry
from strawberry import ID, UNSET

from service.ids import Kind
from service.matching import ReservationFilter
from service.resolvers import group as groups
from service.resolvers import hierarchy as hierarchies
from service.resolvers import reservation as reservations
from service.resolvers import stock as stocks
from service.schema.arguments import ReservationFilters
from service.schema.connection import After, Before, Connection, First, Last, connect, page_of
from service.schema.relations import attribute, each, load, relation
from service.schema.thing import Node, id_of
from service.schema.types import GROUP, HIERARCHY, ROW, CustomerGroup, Hierarchy
from service.schema.words import DateTime, ReservationStatus
from service.store.reservation import ReservationRow
from service.store.stock import StockItemRow


@strawberry.type(description="What is on hand of one SKU at one location, in whole units.")
class StockItem(Node):
    row = StockItemRow

    id: ID = id_of(Kind.STOCK_ITEM)
    sku: str = attribute("Unique at its location, whatever its case.")
    location: str = attribute("Where it is kept.")
    on_hand: int = attribute("How many there are.")
    reserved: int = attribute("Held by open reservations and not yet consumed.")
    free: int = attribute("onHand less reserved; never negative.")

    @relation("Its reservations, newest first.")
    def reservations(
        self,
        filter: ReservationFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> "Connection[Reservation]":
        return connect(
            reservations.of_items,
            reservations.of_items_total,
            ROW,
            page_of(first, after, last, before),
            (filter.conditions() if filter else ReservationFilter(),),
        )

    created_at: DateTime = attribute("When it was created.")
    updated_at: DateTime = attribute("When what is on hand last changed.")


@strawberry.type(
    description=(
        "Stock set aside for the customers of a group and, where a hierarchy is named, of every group below it there."
    )
)
class Reservation(Node):
    row = ReservationRow

    id: ID = id_of(Kind.RESERVATION)

    @relation("Of what it holds stock back.")
    def stock_item(self) -> StockItem:
        return load(stocks.by_key, attrgetter("stock_item_id"), needed=True)

    @relation("For whom it was made.")
    def group(self) -> CustomerGroup:
        return load(groups.by_key, GROUP, needed=True)

    @relation(
        "Where the groups stand that it covers below its own; null: it covers its own group alone. A closed"
        " reservation forgets a hierarchy that is deleted."
    )
    def hierarchy(self) -> Hierarchy | None:
        return load(hierarchies.by_key, HIERARCHY)

    quantity: int = attribute("How many units were set aside.")
    consumed: int = attribute("How many of them were consumed.")
    remaining: int = attribute("quantity less consumed; held back while the reservation is open.")
    status: ReservationStatus = attribute("Whether it holds stock back, and if not, why.")
    expires_at: DateTime | None = attribute("From then on it holds nothing back; null: it does not expire.")
    reference: str = attribute("Free text, such as the number of an order.")
    created_at: DateTime = attribute("When it was created.")
    updated_at: DateTime = attribute("When it was last consumed from or released; to expire is no change.")


class Promise(NamedTuple):
    """A stock item, as far as there is one, and the key of the customer who asks for it."""

    sku: str
    location: str
    item: StockItemRow | None
    customer: int | None

    @property
    def covered(self) -> int | None:
        """The key of the item, where there is somebody whom reservations of it may cover."""
        return None if self.item is None or self.customer is None else self.item.id


COVERED = attrgetter("covered")


def _free(promise: Promise) -> int:
    return promise.item.free if promise.item else 0


def _available(promise: Promise, covering: list[ReservationRow]) -> int:
    return sum(row.remaining for row in covering) + _free(promise)


@strawberry.type(description="What may be promised of one item. Of an item that there is not, everything is 0.")
class Availability:
    sku: str = attribute("The SKU, as the item has it.")
    location: str = attribute("The location, as the item has it.")
    on_hand: int = each("How many there are.", lambda promise: promise.item.on_hand if promise.item else 0)
    reserved: int = each(
        "Held by open reservations and not yet consumed.", lambda promise: promise.item.reserved if promise.item else 0
    )
    free: int = each("onHand less reserved; never negative.", _free)

    @relation("free plus what open reservations hold for the customer; free alone where no customer was named.")
    def available(self) -> int:
        customer = self.customer  # type: ignore[attr-defined]
        return load(reservations.covering, COVERED, (customer,), finish=_available, keyless=_free)

    @relation("The open reservations that cover the customer, soonest to expire first.")
    def reservations(self) -> list[Reservation]:
        customer = self.customer  # type: ignore[attr-defined]
        return load(reservations.covering, COVERED, (customer,), keyless=lambda _: [])
