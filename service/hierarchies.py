"""What makes a hierarchy: the rules that creating one by hand and importing one share."""

from collections.abc import Sequence

from service import ids, transaction
from service.errors import UserError, UserErrorCode, user_error
from service.store import hierarchy
from service.store.change import NewChange

Code = UserErrorCode


async def name_taken(name: str, own: int | None, *path: str) -> list[UserError]:
    """The mistake that another hierarchy has this name; `own` is the key of the one that may. One statement."""
    other = await hierarchy.by_name(name)
    if other is None or other.id == own:
        return []
    message = f"There is a hierarchy «{other.name}» already; choose another name."
    return [user_error(Code.NAME_TAKEN, message, *path)]


async def plant(key: int, name: str, description: str, level_names: Sequence[str]) -> None:
    """Makes a hierarchy, whose values the caller has found fit, and logs it. Three statements."""
    await hierarchy.insert(key, name, description, transaction.current().at)
    keys = ids.new_keys(len(level_names))
    await hierarchy.insert_levels(
        key,
        [(level, depth, text) for depth, (level, text) in enumerate(zip(keys, level_names, strict=True), 1)],
    )
    after = {"name": name, "description": description, "levels": list(level_names)}
    await transaction.log([NewChange("HIERARCHY_CREATED", f"created the hierarchy «{name}»", key, after=after)])
