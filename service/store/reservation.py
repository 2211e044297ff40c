"""Reservations: who holds how much of which stock item, and until when.

A reservation changes only under the lock of its item. That it has expired follows from the clock of the database,
when it is read (`now()`, the instant at which the transaction began, so that all of one answer agrees) and when it
is changed (`statement_timestamp()`, since a lock may have been waited for). `close_late` writes it down.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from service import db
from service.matching import ReservationFilter
from service.names import key
from service.paging import Page, Slice
from service.store.listing import Conditions, Listing, Sorting, row_of

COLUMNS = """{0}.id, {0}.stock_item_id, {0}.group_id, {0}.hierarchy_id, {0}.quantity, {0}.consumed,
    CASE WHEN {0}.status = 'OPEN' AND {0}.expires_at <= now() THEN 'EXPIRED' ELSE {0}.status END AS status,
    {0}.expires_at, {0}.reference, {0}.created_at, {0}.updated_at"""
RESERVATION = COLUMNS.format("reservation")


class ReservationRow(NamedTuple):
    """A reservation as it is read."""

    id: int
    stock_item_id: int
    group_id: int
    hierarchy_id: int | None
    quantity: int
    consumed: int
    status: str
    expires_at: datetime | None
    reference: str
    created_at: datetime
    updated_at: datetime

    @property
    def remaining(self) -> int:
        """What was not consumed; it is held back while the reservation is open."""
        return self.quantity - self.consumed


class NewReservation(NamedTuple):
    """A reservation to be inserted."""

    id: int
    stock_item_id: int
    group_id: int
    hierarchy_id: int | None
    quantity: int
    expires_at: datetime | None
    reference: str


BY_KEYS = f"""
    SELECT {RESERVATION} FROM reservation WHERE reservation.id = ANY($1::bigint[])
"""

COVERING = f"""
    -- The open reservations of items that cover a customer: those for a group that it is in, and those for a group
    -- above one of its groups in the hierarchy that they name.
    SELECT {RESERVATION} FROM reservation
    WHERE reservation.stock_item_id = ANY($1::bigint[])
        AND reservation.status = 'OPEN'
        AND (reservation.expires_at IS NULL OR reservation.expires_at > now())
        AND (
            reservation.group_id IN (SELECT membership.group_id FROM membership WHERE membership.customer_id = $2)
            OR (reservation.group_id, reservation.hierarchy_id) IN (
                SELECT above.group_id, above.hierarchy_id
                FROM membership
                JOIN node AS place ON place.group_id = membership.group_id
                JOIN closure ON closure.descendant_id = place.id
                JOIN node AS above ON above.id = closure.ancestor_id
                WHERE membership.customer_id = $2
            )
        )
    ORDER BY reservation.expires_at IS NULL, reservation.expires_at, reservation.id
"""

IS_TO_COME = """
    SELECT $1::timestamptz > statement_timestamp()
"""

CLOSE_LATE = """
    UPDATE reservation SET status = 'EXPIRED'
    WHERE stock_item_id = ANY($1::bigint[]) AND status = 'OPEN' AND expires_at <= statement_timestamp()
    RETURNING stock_item_id, quantity - consumed
"""

INSERT = """
    INSERT INTO reservation (
        id, stock_item_id, group_id, hierarchy_id, quantity, consumed, status, expires_at, reference,
        created_at, updated_at
    )
    VALUES ($1, $2, $3, $4, $5, 0, 'OPEN', $6, $7, $8, $8)
"""

CONSUME = """
    UPDATE reservation SET consumed = consumed + $2, updated_at = $3,
        status = CASE WHEN consumed + $2 = quantity THEN 'CONSUMED' ELSE status END
    WHERE id = $1
"""

RELEASE = """
    UPDATE reservation SET status = 'RELEASED', updated_at = $2 WHERE id = $1
"""

OPEN_OF_GROUP = """
    -- How a group stands in the way of its deletion: its reservations that stand as open, by item.
    SELECT reservation.stock_item_id, count(*) FROM reservation
    WHERE reservation.group_id = $1 AND reservation.status = 'OPEN' GROUP BY reservation.stock_item_id
"""

DELETE_OF_GROUP = """
    DELETE FROM reservation WHERE group_id = $1
"""

OPEN_OF_HIERARCHY = """
    SELECT count(*) FROM reservation
    WHERE reservation.hierarchy_id = $1 AND reservation.status = 'OPEN'
        AND (reservation.expires_at IS NULL OR reservation.expires_at > statement_timestamp())
"""

FORGET_HIERARCHY = """
    -- In those that are closed; an open one that has come meanwhile keeps the hierarchy from being deleted.
    UPDATE reservation SET hierarchy_id = NULL
    WHERE hierarchy_id = $1 AND (status <> 'OPEN' OR expires_at <= statement_timestamp())
"""

ITEM = COLUMNS.format("item")
ALL = Listing(columns=ITEM, table="reservation", link="parent.id = 0")
OF_GROUP = Listing(columns=ITEM, table="reservation", link="item.group_id = parent.id")
OF_STOCK_ITEM = Listing(columns=ITEM, table="reservation", link="item.stock_item_id = parent.id")
NEWEST = Sorting("reservations", "id", distinct=True)
# By the word of the contract: the condition on `item` that it is so at the instant of reading.
STATUSES = {
    "OPEN": "item.status = 'OPEN' AND (item.expires_at IS NULL OR item.expires_at > now())",
    "CONSUMED": "item.status = 'CONSUMED'",
    "RELEASED": "item.status = 'RELEASED'",
    "EXPIRED": "(item.status = 'EXPIRED' OR item.status = 'OPEN' AND item.expires_at <= now())",
}


async def by_keys(keys: Collection[int]) -> dict[int, ReservationRow]:
    """The reservations that there are of these. One statement."""
    return {row[0]: ReservationRow._make(row) for row in await db.fetch(BY_KEYS, list(keys))}


async def page(
    listing: Listing, parents: Sequence[int], page: Page, filter: ReservationFilter
) -> list[Slice[ReservationRow]]:
    """A page for each parent of one of the listings above, newest first. One statement."""
    return await listing.page(parents, page, NEWEST, True, _conditions(filter), row_of(ReservationRow))


async def totals(listing: Listing, parents: Sequence[int], filter: ReservationFilter) -> list[int]:
    """How many reservations each parent has that meet the filter. One statement."""
    return await listing.totals(parents, _conditions(filter))


def _conditions(filter: ReservationFilter) -> Conditions:
    found = Conditions()
    if filter.statuses is not None:
        words = [STATUSES[status] for status in sorted(set(filter.statuses))]
        found.add(f"({' OR '.join(words)})" if words else "1 = 0")
    for column, text in (("sku_key", filter.sku), ("location_key", filter.location)):
        if text is not None:
            found.add(f"item.stock_item_id IN (SELECT id FROM stock_item WHERE {column} = {{}})", key(text))
    if filter.group is not None:
        group = filter.group
        column, value = (
            ("id", group.key)
            if group.key is not None
            else ("code_key", key(group.code))
            if group.code is not None
            else ("name_key", key(str(group.name)))
        )
        found.add(f"item.group_id = (SELECT id FROM customer_group WHERE {column} = {{}})", value)
    return found


async def covering(items: Collection[int], customer: int) -> dict[int, list[ReservationRow]]:
    """Item → its open reservations that cover a customer, soonest to expire first. One statement."""
    found: dict[int, list[ReservationRow]] = {item: [] for item in items}
    for row in await db.fetch(COVERING, list(items), customer):
        found[row[1]].append(ReservationRow._make(row))
    return found


async def is_to_come(instant: datetime) -> bool:
    """Whether an instant lies ahead, by the clock of the database. One statement."""
    return bool(await db.fetch_value(IS_TO_COME, instant))


async def close_late(items: Collection[int]) -> dict[int, int]:
    """Closes what has expired of locked items; item → how many units that has freed. One statement."""
    freed: Counter[int] = Counter()
    for item, units in await db.fetch(CLOSE_LATE, list(items)):
        freed[item] += units
    return freed


async def insert(new: NewReservation, at: datetime) -> None:
    """A new reservation of a locked item. One statement; what the item's reservations hold is the caller's."""
    await db.fetch(INSERT, *new, at)


async def consume(reservation: int, units: int, at: datetime) -> None:
    """Takes units from a reservation, which is closed with the last. One statement."""
    await db.fetch(CONSUME, reservation, units, at)


async def release(reservation: int, at: datetime) -> None:
    """Closes a reservation. One statement; what the item's reservations hold is the caller's."""
    await db.fetch(RELEASE, reservation, at)


async def open_of_group(group: int) -> dict[int, int]:
    """Item → how many reservations of a group stand as open there. One statement."""
    return {row[0]: row[1] for row in await db.fetch(OPEN_OF_GROUP, group)}


async def delete_of_group(group: int) -> None:
    """Deletes the reservations of a group, all of them closed. One statement."""
    await db.fetch(DELETE_OF_GROUP, group)


async def open_of_hierarchy(hierarchy: int) -> int:
    """How many open reservations name a hierarchy. One statement."""
    count: int = await db.fetch_value(OPEN_OF_HIERARCHY, hierarchy)
    return count


async def forget_hierarchy(hierarchy: int) -> None:
    """Closed reservations no longer name a hierarchy. One statement."""
    await db.fetch(FORGET_HIERARCHY, hierarchy)
