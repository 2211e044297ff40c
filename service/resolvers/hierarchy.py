"""Hierarchies; what changes their levels is in level.py."""

from collections.abc import Sequence
from dataclasses import dataclass

from service import groups, hierarchies, ids, names, placing, stock, transaction, tree
from service.errors import Refused, UserError, UserErrorCode, user_error
from service.matching import GroupFilter, HierarchyFilter, Order, Reference
from service.paging import Page, Slice
from service.positions import LAST
from service.sought import Sought
from service.store import group, hierarchy, listing
from service.store.change import NewChange
from service.store.group import GroupRow
from service.store.hierarchy import HierarchyRow, LevelRow
from service.tree import Tree
from service.wanted import MOST_LEVELS

Code = UserErrorCode


async def by_key(keys: Sequence[int]) -> list[HierarchyRow | None]:
    """The hierarchy with each key."""
    found = await hierarchy.by_keys(keys)
    return [found.get(key) for key in keys]


async def by_reference(references: Sequence[Reference]) -> list[HierarchyRow | None]:
    """The hierarchy that each reference means; one statement each, since a document names few."""
    return [
        (await hierarchy.by_keys([reference.key])).get(reference.key)
        if reference.key is not None
        else await hierarchy.by_name(str(reference.name))
        for reference in references
    ]


def sought(reference: Reference) -> Sought:
    """What stands for the key of the one that is meant, until it is found."""
    return listing.sought("hierarchy", reference)


async def page(_: Sequence[int], page: Page, filter: HierarchyFilter, order: Order) -> list[Slice[HierarchyRow]]:
    """A page of all hierarchies."""
    return [await hierarchy.page(page, filter, order)]


async def total(_: Sequence[int], filter: HierarchyFilter) -> list[int]:
    """How many hierarchies there are."""
    return [await hierarchy.total(filter)]


async def levels(hierarchies: Sequence[int]) -> list[list[LevelRow]]:
    """The levels of each hierarchy, top first."""
    found = await hierarchy.levels(hierarchies)
    return [found[key] for key in hierarchies]


async def node_count(hierarchies: Sequence[int]) -> list[int]:
    """How many nodes each hierarchy has."""
    found = await hierarchy.levels(hierarchies)
    return [sum(level.node_count for level in found[key]) for key in hierarchies]


async def unassigned(
    hierarchies: Sequence[int], page: Page, filter: GroupFilter, order: Order
) -> list[Slice[GroupRow]]:
    """A page of the groups that do not stand in each hierarchy."""
    return await group.page(group.UNASSIGNED, hierarchies, page, filter, order)


async def unassigned_total(hierarchies: Sequence[int], filter: GroupFilter) -> list[int]:
    """How many groups do not stand in each hierarchy."""
    return await group.totals(group.UNASSIGNED, hierarchies, filter)


# ───────────────────────────────────────────── writing ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer to every change of a hierarchy, by key."""

    hierarchy: int


async def create(name: str, description: str, level_names: Sequence[str], placeholders: bool) -> Changed:
    """A new hierarchy, with one placeholder group a level where asked for.

    Refuses with REQUIRED, TOO_LONG, INVALID, OUT_OF_RANGE and NAME_TAKEN.
    """
    name, description = names.cleaned(name), description.strip()
    level_names = [names.cleaned(level) for level in level_names]
    errors = names.mistakes("The name", name, names.NAME_LENGTH, "name")
    errors += names.description_mistakes(description, "description")
    errors += _level_mistakes(level_names)
    errors += await hierarchies.name_taken(name, None, "name")
    if errors:
        raise Refused(errors)
    key = ids.new_key()
    await hierarchies.plant(key, name, description, level_names)
    if placeholders:
        await _plant_placeholders(await tree.lock(key, None), level_names)
    return Changed(key)


def _level_mistakes(level_names: Sequence[str]) -> list[UserError]:
    if not 1 <= len(level_names) <= MOST_LEVELS:
        message = f"A hierarchy has 1 to {MOST_LEVELS} levels; {len(level_names)} were named."
        return [user_error(Code.OUT_OF_RANGE, message, "levels")]
    errors: list[UserError] = []
    seen: dict[str, int] = {}
    for place, name in enumerate(level_names):
        errors += names.mistakes("The name of a level", name, names.NAME_LENGTH, "levels", place)
        if name and seen.setdefault(names.key(name), place) != place:
            message = f"The level «{name}» is named twice; levels of one hierarchy have different names."
            errors.append(user_error(Code.NAME_TAKEN, message, "levels", place))
    return errors


async def _plant_placeholders(locked: Tree, level_names: Sequence[str]) -> None:
    """One group a level, one below the other, to be renamed or deleted. Some seven statements a level."""
    parent = None
    for row in await groups.found_placeholders([f"New {level} ({locked.row.name})" for level in level_names]):
        keys = await placing.positions_at(locked, locked.scope(parent), LAST, 1, [])
        placed = await placing.assign(locked, [row], parent, keys)
        await locked.write()
        parent = await tree.parent_of(locked, placed[0])
    await hierarchy.count_levels(locked.key, locked.level_counts)
    await transaction.log(locked.changes)


async def update(key: int, name: str | None, description: str | None, expected_version: int | None) -> Changed:
    """A new name or description; what is None stays. Refuses as `create` does, with NOT_FOUND and STALE."""
    locked = await tree.lock(key, expected_version, "id")
    new_name = locked.row.name if name is None else names.cleaned(name)
    new_description = locked.row.description if description is None else description.strip()
    errors = names.mistakes("The name", new_name, names.NAME_LENGTH, "name")
    errors += names.description_mistakes(new_description, "description")
    errors += await hierarchies.name_taken(new_name, key, "name")
    if errors:
        raise Refused(errors)
    before = {"name": locked.row.name, "description": locked.row.description}
    after = {"name": new_name, "description": new_description}
    if before != after:
        await hierarchy.update(key, new_name, new_description)
        summary = f"renamed the hierarchy «{locked.row.name}» to «{new_name}»"
        if locked.row.name == new_name:
            summary = f"described the hierarchy «{new_name}»"
        locked.log("HIERARCHY_UPDATED", summary, before=before, after=after)
        await locked.finish()
    return Changed(key)


async def delete(key: int, expected_version: int | None) -> Changed:
    """Deletes a hierarchy; its groups remain, and closed reservations no longer name it.

    Refuses with NOT_FOUND, STALE and, while open reservations name it, CONFLICT.
    """
    locked = await tree.lock(key, expected_version, "id")
    await stock.let_hierarchy_go(locked.row)
    await hierarchy.delete(key)
    before = {
        "name": locked.row.name,
        "description": locked.row.description,
        "levels": [level.name for level in locked.levels],
        "nodeCount": sum(level.node_count for level in locked.levels),
    }
    summary = f"deleted the hierarchy «{locked.row.name}»"
    await transaction.log([NewChange("HIERARCHY_DELETED", summary, key, before=before)])
    return Changed(key)
