"""Stock items: what is on hand, and what may be promised of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from service import ids, names, stock, transaction
from service.errors import Refused, UserErrorCode, refuse
from service.matching import Reference, StockItemFilter
from service.paging import Page, Slice
from service.store import customer
from service.store import stock as items
from service.store.change import NewChange
from service.store.stock import StockItemRow

Code = UserErrorCode


async def by_key(keys: Sequence[int]) -> list[StockItemRow | None]:
    """The stock item with each key."""
    found = await items.by_keys(keys)
    return [found.get(key) for key in keys]


async def by_name(sku: str, location: str) -> StockItemRow | None:
    """The stock item of a SKU at a location."""
    return await items.by_name(sku, location)


async def page(_: Sequence[int], page: Page, filter: StockItemFilter) -> list[Slice[StockItemRow]]:
    """A page of all stock items."""
    return [await items.page(page, filter)]


async def total(_: Sequence[int], filter: StockItemFilter) -> list[int]:
    """How many stock items meet the filter."""
    return [await items.total(filter)]


async def available(sku: str, location: str, to: Reference | None) -> tuple[StockItemRow | None, int | None]:
    """The stock item, and the key of the customer to whom it may be promised; None for what there is not."""
    row = await items.by_name(sku, location)
    named = await customer.by_reference(to) if to is not None else None
    return row, named.id if named is not None else None


# ───────────────────────────────────────────── writing ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Set:
    """The answer to setting stock, by key."""

    item: int


async def set_stock(sku: str, location: str, on_hand: int) -> Set:
    """Sets what is on hand; the item is made where there is none.

    Refuses with REQUIRED, TOO_LONG, INVALID, OUT_OF_RANGE and INSUFFICIENT_STOCK. Six statements.
    """
    sku, location = names.cleaned(sku), names.cleaned(location)
    errors = names.mistakes("The SKU", sku, names.CODE_LENGTH, "sku")
    errors += names.mistakes("The location", location, names.CODE_LENGTH, "location")
    if errors:
        raise Refused(errors)
    if on_hand < 0:
        raise refuse(Code.OUT_OF_RANGE, f"What is on hand is 0 or more, not {on_hand}.", "onHand")
    found = await items.by_name(sku, location)
    if found is None:
        # Another writer may be making it as well: the whole transaction then runs again.
        key = ids.new_key()
        await items.insert(key, sku, location, on_hand, transaction.current().at)
        await _log((await items.by_keys([key]))[key], None, on_hand)
        return Set(key)
    row = (await stock.lock([found.id]))[found.id]
    if on_hand < row.reserved:
        message = (
            f"{row.reserved:,} of {stock.label(row)} are reserved, so no fewer can be on hand; consume or release"
            " reservations first."
        )
        raise refuse(Code.INSUFFICIENT_STOCK, message, "onHand")
    if on_hand != row.on_hand:
        await items.set_on_hand(row.id, on_hand, transaction.current().at)
        await _log(row, row.on_hand, on_hand)
    return Set(row.id)


async def _log(row: StockItemRow, before: int | None, after: int) -> None:
    thing = {"sku": row.sku, "location": row.location}
    was = f", from {before:,}" if before is not None else ""
    change = NewChange(
        "STOCK_SET",
        f"set the stock of {stock.label(row)} to {after:,}{was}",
        before=thing | {"onHand": before} if before is not None else None,
        after=thing | {"onHand": after},
    )
    await transaction.log([change])
