"""The log of changes."""

from collections.abc import Sequence

from service.matching import ChangeFilter
from service.paging import Page, Slice
from service.store import change
from service.store.change import ChangeRow


async def by_key(keys: Sequence[int]) -> list[ChangeRow | None]:
    """The change with each key."""
    found = await change.by_keys(keys)
    return [found.get(key) for key in keys]


async def page(_: Sequence[int], page: Page, filter: ChangeFilter) -> list[Slice[ChangeRow]]:
    """A page of all changes, newest first."""
    return await change.page(change.LISTING_ALL, [0], page, filter)


async def total(_: Sequence[int], filter: ChangeFilter) -> list[int]:
    """How many changes meet the filter."""
    return await change.totals(change.LISTING_ALL, [0], filter)


async def of_hierarchies(keys: Sequence[int], page: Page, filter: ChangeFilter) -> list[Slice[ChangeRow]]:
    """A page of the changes to each hierarchy, newest first."""
    return await change.page(change.LISTING_HIERARCHY, keys, page, filter)


async def of_hierarchies_total(keys: Sequence[int], filter: ChangeFilter) -> list[int]:
    """How many changes to each hierarchy meet the filter."""
    return await change.totals(change.LISTING_HIERARCHY, keys, filter)


async def of_groups(keys: Sequence[int], page: Page, filter: ChangeFilter) -> list[Slice[ChangeRow]]:
    """A page of the changes to each group, newest first."""
    return await change.page(change.LISTING_GROUP, keys, page, filter)


async def of_groups_total(keys: Sequence[int], filter: ChangeFilter) -> list[int]:
    """How many changes to each group meet the filter."""
    return await change.totals(change.LISTING_GROUP, keys, filter)
