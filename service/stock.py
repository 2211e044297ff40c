"""What may happen to stock: the rules that stock items, reservations, groups and hierarchies share.

Every change of an item or of a reservation of it begins with `lock`; it comes after all other locks.
"""

from collections.abc import Collection

from service import transaction
from service.errors import UserError, UserErrorCode, refuse, user_error
from service.store import reservation, stock
from service.store.group import GroupRow
from service.store.hierarchy import HierarchyRow
from service.store.stock import StockItemRow

Code = UserErrorCode


async def lock(keys: Collection[int]) -> dict[int, StockItemRow]:
    """Locks stock items until the transaction ends, and closes what has expired of them.

    Waits without a connection. Three statements, one more where something has expired.
    """
    if not keys:
        return {}
    await transaction.current().take_turns(keys)
    await stock.lock(keys)
    freed = await reservation.close_late(keys)
    if freed:
        await stock.hold({item: -units for item, units in freed.items()})
    return await stock.by_keys(keys)


def label(item: StockItemRow) -> str:
    """An item in messages and in the log."""
    return f"«{item.sku}» at «{item.location}»"


async def let_group_go(row: GroupRow) -> list[UserError]:
    """What keeps a locked group from being deleted: open reservations. Closed ones are deleted.

    No new ones can come: whoever reserves for a group holds it. Seven statements at the most.
    """
    items = await lock(await reservation.open_of_group(row.id))
    still_open = await reservation.open_of_group(row.id)
    if not still_open:
        await reservation.delete_of_group(row.id)
        return []
    count, item = sum(still_open.values()), items[min(still_open)]
    many = "An open reservation holds" if count == 1 else f"{count:,} open reservations hold"
    message = (
        f"{many} stock for «{row.name}» ({row.code}), such as {label(item)}; consume or release"
        f" {'it' if count == 1 else 'them'} first."
    )
    return [user_error(Code.GROUP_IN_USE, message, "id")]


async def let_hierarchy_go(row: HierarchyRow) -> None:
    """Refuses with CONFLICT while open reservations name a locked hierarchy; closed ones forget it. Two statements.

    An open one that comes in between is found out by its reference: the whole transaction then runs again.
    """
    count = await reservation.open_of_hierarchy(row.id)
    if count:
        many = "An open reservation names" if count == 1 else f"{count:,} open reservations name"
        message = f"{many} «{row.name}»; consume or release {'it' if count == 1 else 'them'} first."
        raise refuse(Code.CONFLICT, message, "id")
    await reservation.forget_hierarchy(row.id)
