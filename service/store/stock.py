"""Stock items: what is on hand, and how much of it reservations hold.

`held` counts what every reservation that stands as OPEN holds. Those among them that have expired hold nothing any
more: what is read leaves them out, by the instant at which its transaction began, and whoever changes an item closes
them first (store/reservation.py). So stock that was promised anew is never counted twice, whatever a reader's clock.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from service import db
from service.dialects import rows
from service.matching import StockItemFilter
from service.names import fold, key
from service.paging import Page, Slice
from service.store.listing import Conditions, Listing, Sorting, row_of

COLUMNS = """{0}.id, {0}.sku, {0}.location, {0}.on_hand, {0}.held - COALESCE((
    SELECT sum(late.quantity - late.consumed) FROM reservation AS late
    WHERE late.stock_item_id = {0}.id AND late.status = 'OPEN' AND late.expires_at <= now()
), 0) AS reserved, {0}.created_at, {0}.updated_at"""
STOCK_ITEM = COLUMNS.format("stock_item")


class StockItemRow(NamedTuple):
    """A stock item as it is read."""

    id: int
    sku: str
    location: str
    on_hand: int
    reserved: int
    created_at: datetime
    updated_at: datetime

    @property
    def free(self) -> int:
        """What nobody has reserved."""
        return self.on_hand - self.reserved


BY_KEYS = f"""
    SELECT {STOCK_ITEM} FROM stock_item WHERE stock_item.id = ANY($1::bigint[])
"""

BY_NAME = f"""
    SELECT {STOCK_ITEM} FROM stock_item WHERE stock_item.sku_key = $1 AND stock_item.location_key = $2
"""

LOCK = """
    -- Whoever changes an item or a reservation of it waits here for the others, until the end of their transactions.
    SELECT stock_item.id FROM stock_item WHERE stock_item.id = ANY($1::bigint[]) ORDER BY stock_item.id
    FOR NO KEY UPDATE
"""

INSERT = """
    INSERT INTO stock_item (
        id, sku, sku_key, sku_fold, location, location_key, on_hand, held, created_at, updated_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8)
"""

SET_ON_HAND = """
    UPDATE stock_item SET on_hand = $2, updated_at = $3 WHERE id = $1
"""

HOLD = """
    UPDATE stock_item SET held = held + item.units
    FROM rows($1: id bigint, units int) AS item
    WHERE stock_item.id = item.id
"""

TAKE = """
    UPDATE stock_item SET on_hand = on_hand - $2, held = held - $2, updated_at = $3 WHERE id = $1
"""

ALL = Listing(columns=COLUMNS.format("item"), table="stock_item", link="parent.id = 0")
BY_SKU = Sorting("stock.sku", "sku_fold")


async def by_keys(keys: Collection[int]) -> dict[int, StockItemRow]:
    """The stock items that there are of these. One statement."""
    return {row[0]: StockItemRow._make(row) for row in await db.fetch(BY_KEYS, list(keys))}


async def by_name(sku: str, location: str) -> StockItemRow | None:
    """The stock item of this SKU at this location, whatever their case. One statement."""
    found = await db.fetch(BY_NAME, key(sku), key(location))
    return StockItemRow._make(found[0]) if found else None


async def lock(keys: Collection[int]) -> None:
    """Locks stock items, by key, until the transaction ends. One statement.

    What is known of them is to be read afterwards: this statement may see things as they were before it waited.
    """
    await db.fetch(LOCK, sorted(keys))


async def page(page: Page, filter: StockItemFilter) -> Slice[StockItemRow]:
    """A page of all stock items, by SKU. One statement."""
    return (await ALL.page([0], page, BY_SKU, False, _conditions(filter), row_of(StockItemRow)))[0]


async def total(filter: StockItemFilter) -> int:
    """How many stock items meet the filter. One statement."""
    return (await ALL.totals([0], _conditions(filter)))[0]


def _conditions(filter: StockItemFilter) -> Conditions:
    found = Conditions()
    found.match("item.sku_fold", filter.sku)
    if filter.location is not None:
        found.add("item.location_key = {}", key(filter.location))
    return found


async def insert(item: int, sku: str, location: str, on_hand: int, at: datetime) -> None:
    """A new stock item, of which nothing is reserved. One statement."""
    await db.fetch(INSERT, item, sku, key(sku), fold(sku), location, key(location), on_hand, at)


async def set_on_hand(item: int, on_hand: int, at: datetime) -> None:
    """What is on hand of a locked item. One statement."""
    await db.fetch(SET_ON_HAND, item, on_hand, at)


async def hold(units: Mapping[int, int]) -> None:
    """Locked item → how many units more its reservations hold. One statement."""
    await db.fetch(HOLD, rows([{"id": item, "units": count} for item, count in units.items()]))


async def take(item: int, units: int, at: datetime) -> None:
    """Takes units that a reservation holds from a locked item. One statement."""
    await db.fetch(TAKE, item, units, at)
