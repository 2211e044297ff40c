"""Reservations of stock for groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service import groups, ids, names, stock, transaction
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.ids import Kind
from service.matching import Reference, ReservationFilter
from service.paging import Page, Slice
from service.store import customer, group, hierarchy, node, reservation
from service.store import stock as items
from service.store.change import NewChange
from service.store.customer import CustomerRow
from service.store.group import GroupRow
from service.store.hierarchy import HierarchyRow
from service.store.reservation import NewReservation, ReservationRow
from service.store.stock import StockItemRow

Code = UserErrorCode


async def by_key(keys: Sequence[int]) -> list[ReservationRow | None]:
    """The reservation with each key."""
    found = await reservation.by_keys(keys)
    return [found.get(key) for key in keys]


async def page(_: Sequence[int], page: Page, filter: ReservationFilter) -> list[Slice[ReservationRow]]:
    """A page of all reservations, newest first."""
    return await reservation.page(reservation.ALL, [0], page, filter)


async def total(_: Sequence[int], filter: ReservationFilter) -> list[int]:
    """How many reservations meet the filter."""
    return await reservation.totals(reservation.ALL, [0], filter)


async def of_groups(keys: Sequence[int], page: Page, filter: ReservationFilter) -> list[Slice[ReservationRow]]:
    """A page of the reservations for each group itself, newest first."""
    return await reservation.page(reservation.OF_GROUP, keys, page, filter)


async def of_groups_total(keys: Sequence[int], filter: ReservationFilter) -> list[int]:
    """How many reservations for each group itself meet the filter."""
    return await reservation.totals(reservation.OF_GROUP, keys, filter)


async def of_items(keys: Sequence[int], page: Page, filter: ReservationFilter) -> list[Slice[ReservationRow]]:
    """A page of the reservations of each stock item, newest first."""
    return await reservation.page(reservation.OF_STOCK_ITEM, keys, page, filter)


async def of_items_total(keys: Sequence[int], filter: ReservationFilter) -> list[int]:
    """How many reservations of each stock item meet the filter."""
    return await reservation.totals(reservation.OF_STOCK_ITEM, keys, filter)


async def covering(keys: Sequence[int], of: int) -> list[list[ReservationRow]]:
    """The open reservations of each stock item that cover a customer, soonest to expire first."""
    found = await reservation.covering(keys, of)
    return [found[key] for key in keys]


# ───────────────────────────────────────────── writing ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer to every change of a reservation, by key."""

    reservation: int


async def reserve(
    sku: str,
    location: str,
    of: Reference,
    within: Reference | None,
    quantity: int,
    expires_at: datetime | None,
    text: str,
) -> Changed:
    """Sets stock aside for a group and, with a hierarchy, for those below it there.

    Refuses with NOT_FOUND, GROUP_INACTIVE, CONFLICT (a group that does not stand in the hierarchy), OUT_OF_RANGE,
    INVALID, TOO_LONG and INSUFFICIENT_STOCK. Some twelve statements.
    """
    text = names.cleaned(text)
    found = await items.by_name(sku, location)
    if found is not None:
        # The turn comes before the group is held, so that nobody holds it while waiting for the item.
        await transaction.current().turn.take([found.id])
    errors = names.mistakes("The reference", text, names.NAME_LENGTH, "reference", required=False)
    if found is None:
        message = f"There is no stock item «{sku.strip()}» at «{location.strip()}»; set its stock first."
        errors.append(user_error(Code.NOT_FOUND, message, "sku"))
    owner, refusals = await _owner(of)
    errors += refusals
    tree, refusals = await _tree(within, owner)
    errors += refusals
    if quantity < 1:
        errors.append(user_error(Code.OUT_OF_RANGE, f"At least 1 is reserved, not {quantity}.", "quantity"))
    if expires_at is not None and not await reservation.is_to_come(expires_at):
        message = "This instant has passed; choose a later one, or leave it out for a reservation that does not expire."
        errors.append(user_error(Code.INVALID, message, "expiresAt"))
    if errors or found is None or owner is None:
        raise Refused(errors)
    item = (await stock.lock([found.id]))[found.id]
    if quantity > item.free:
        message = (
            f"{quantity:,} of {stock.label(item)} were asked for, but {item.free:,} are free: {item.on_hand:,} are"
            f" on hand and {item.reserved:,} reserved."
        )
        raise refuse(Code.INSUFFICIENT_STOCK, message, "quantity")
    new = NewReservation(ids.new_key(), item.id, owner.id, tree.id if tree else None, quantity, expires_at, text)
    await reservation.insert(new, transaction.current().at)
    await items.hold({item.id: quantity})
    below = f" and those below it in «{tree.name}»" if tree is not None else ""
    after = {
        "reservationId": ids.encode(Kind.RESERVATION, new.id),
        "sku": item.sku,
        "location": item.location,
        "quantity": quantity,
        "expiresAt": expires_at and expires_at.isoformat(timespec="microseconds"),
        "reference": text,
    }
    summary = f"reserved {quantity:,} of {stock.label(item)} for «{owner.name}»{below}"
    await transaction.log([NewChange("RESERVATION_CREATED", summary, new.hierarchy_id, owner.id, after=after)])
    return Changed(new.id)


async def _owner(of: Reference) -> tuple[GroupRow | None, list[UserError]]:
    """The group to reserve for, held as it is, and what speaks against it. Two statements."""
    found = await group.by_reference(of)
    row = (await group.hold([found.id])).get(found.id) if found is not None else None
    if row is None:
        return None, [user_error(Code.NOT_FOUND, groups.unknown(of), "group")]
    if row.status != "ACTIVE":
        message = f"«{row.name}» ({row.code}) is inactive; activate it, or reserve for another group."
        return row, [user_error(Code.GROUP_INACTIVE, message, "group")]
    return row, []


async def _tree(within: Reference | None, owner: GroupRow | None) -> tuple[HierarchyRow | None, list[UserError]]:
    """The hierarchy that a reservation names, and what speaks against it. At most two statements."""
    if within is None:
        return None, []
    row = (
        (await hierarchy.by_keys([within.key])).get(within.key)
        if within.key is not None
        else await hierarchy.by_name(str(within.name))
    )
    if row is None:
        named = f"There is no hierarchy «{within}»."
        message = ids.unknown(Kind.HIERARCHY, within.key) if within.key is not None else named
        return None, [user_error(Code.NOT_FOUND, message, "hierarchy")]
    if owner is not None and row.id not in await node.hierarchies_of_group(owner.id):
        message = f"«{owner.name}» does not stand in «{row.name}»; assign it there, or name no hierarchy."
        return row, [user_error(Code.CONFLICT, message, "hierarchy")]
    return row, []


async def consume(key: int, quantity: int, by: Reference) -> Changed:
    """Takes units from a reservation and from what is on hand, for a customer that it covers at this moment.

    Refuses with NOT_FOUND, RESERVATION_CLOSED, OUT_OF_RANGE, CONFLICT (a customer that it does not cover) and
    INSUFFICIENT_STOCK (more than remains). Some eleven statements.
    """
    row, item = await _lock(key)
    consumer = await customer.by_reference(by)
    owner = (await group.by_keys([row.group_id]))[row.group_id]
    errors: list[UserError] = []
    if consumer is None:
        message = ids.unknown(Kind.CUSTOMER, by.key) if by.key is not None else f"There is no customer «{by}»."
        errors.append(user_error(Code.NOT_FOUND, message, "customer"))
    elif not await customer.members_among([consumer.id], owner.id, row.hierarchy_id):
        errors.append(user_error(Code.CONFLICT, await _not_covered(consumer, owner, row), "customer"))
    if quantity < 1:
        errors.append(user_error(Code.OUT_OF_RANGE, f"At least 1 is consumed, not {quantity}.", "quantity"))
    if quantity > row.remaining:
        message = (
            f"{row.remaining:,} of {row.quantity:,} remain of this reservation of {stock.label(item)}; {quantity:,}"
            " were asked for."
        )
        errors.append(user_error(Code.INSUFFICIENT_STOCK, message, "quantity"))
    if errors or consumer is None:
        raise Refused(errors)
    at = transaction.current().at
    await reservation.consume(row.id, quantity, at)
    await items.take(item.id, quantity, at)
    remaining = row.remaining - quantity
    summary = (
        f"«{consumer.name}» ({consumer.code}) consumed {quantity:,} of {stock.label(item)}, reserved for «{owner.name}»"
    )
    change = NewChange(
        "RESERVATION_CONSUMED",
        summary,
        row.hierarchy_id,
        row.group_id,
        consumer.id,
        before=_values(row, item, row.remaining, "OPEN", item.on_hand),
        after=_values(row, item, remaining, "OPEN" if remaining else "CONSUMED", item.on_hand - quantity),
    )
    await transaction.log([change])
    return Changed(row.id)


async def _not_covered(consumer: CustomerRow, owner: GroupRow, row: ReservationRow) -> str:
    below = ""
    if row.hierarchy_id is not None:
        tree = (await hierarchy.by_keys([row.hierarchy_id]))[row.hierarchy_id]
        below = f", nor in a group below it in «{tree.name}»"
    return f"«{consumer.name}» ({consumer.code}) is not in «{owner.name}», for which this is reserved{below}."


async def release(key: int) -> Changed:
    """Closes a reservation; what remains of it is free again. Refuses with NOT_FOUND and RESERVATION_CLOSED."""
    row, item = await _lock(key)
    owner = (await group.by_keys([row.group_id]))[row.group_id]
    await reservation.release(row.id, transaction.current().at)
    await items.hold({item.id: -row.remaining})
    change = NewChange(
        "RESERVATION_RELEASED",
        f"released {row.remaining:,} of {stock.label(item)}, reserved for «{owner.name}»",
        row.hierarchy_id,
        row.group_id,
        before=_values(row, item, row.remaining, "OPEN", item.on_hand),
        after=_values(row, item, row.remaining, "RELEASED", item.on_hand),
    )
    await transaction.log([change])
    return Changed(row.id)


def _values(row: ReservationRow, item: StockItemRow, remaining: int, status: str, on_hand: int) -> dict[str, Any]:
    return {
        "reservationId": ids.encode(Kind.RESERVATION, row.id),
        "sku": item.sku,
        "location": item.location,
        "remaining": remaining,
        "status": status,
        "onHand": on_hand,
    }


async def _lock(key: int) -> tuple[ReservationRow, StockItemRow]:
    """An open reservation and its item, locked. Refuses with NOT_FOUND and RESERVATION_CLOSED."""
    # A reservation never changes its item, so this may be asked before the lock.
    found = (await reservation.by_keys([key])).get(key)
    if found is None:
        raise _gone(key)
    item = (await stock.lock([found.stock_item_id]))[found.stock_item_id]
    row = (await reservation.by_keys([key])).get(key)
    if row is None:
        raise _gone(key)
    if row.status != "OPEN":
        message = f"This reservation of {stock.label(item)} is closed: {_end(row)}. Reserve anew."
        raise refuse(Code.RESERVATION_CLOSED, message, "id")
    return row, item


def _end(row: ReservationRow) -> str:
    if row.status == "CONSUMED":
        return f"all {row.quantity:,} were consumed"
    if row.status == "RELEASED":
        return f"it was released when {row.remaining:,} of {row.quantity:,} remained"
    return f"it has expired, at {row.expires_at:%Y-%m-%d %H:%M:%S} UTC"


def _gone(key: int) -> Refused:
    message = f"{ids.unknown(Kind.RESERVATION, key)} It may have gone with its group."
    return refuse(Code.NOT_FOUND, message, "id")
