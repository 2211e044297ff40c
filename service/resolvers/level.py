"""The levels of a hierarchy: added anywhere, renamed, and removed with or without the nodes on them."""

from dataclasses import dataclass

from service import groups, ids, leaving, names, tree
from service.counting import counted
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.store import level, node
from service.store.closure import Place
from service.store.hierarchy import LevelRow
from service.store.level import Between
from service.tree import Spot, Tree
from service.wanted import MOST_LEVELS

Code = UserErrorCode


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer to every change of levels: the hierarchy, and how many nodes moved, came and left."""

    hierarchy: int
    moved: int = 0
    created: int = 0
    removed: int = 0


async def add(key: int, name: str, depth: int | None, expected_version: int | None) -> Changed:
    """A level at this depth, or below the last one. What stands there or deeper sinks by one.

    Each parent right above it gets one placeholder, a new group, under which its children go; so do all roots
    together. Refuses with NOT_FOUND, STALE, OUT_OF_RANGE and as for every name. Some thirty statements, however
    many nodes; costs what stands at this depth and deeper.
    """
    locked = await tree.lock(key, expected_version)
    name, last = names.cleaned(name), len(locked.levels)
    depth = last + 1 if depth is None else depth
    errors = _name_mistakes(locked, name, None)
    if last == MOST_LEVELS:
        errors.append(user_error(Code.OUT_OF_RANGE, f"A hierarchy has at most {MOST_LEVELS} levels.", "name"))
    elif not 1 <= depth <= last + 1:
        has = f"«{locked.row.name}» has {counted(last, 'level', 'levels')}"
        message = f"{has}, so a new one can be put at depth 1 to {last + 1}, not {depth}."
        errors.append(user_error(Code.OUT_OF_RANGE, message, "depth"))
    if errors:
        raise Refused(errors)
    sinking = locked.levels[depth - 1 :]
    where = f", above «{sinking[0].name}»" if sinking else ""
    summary = f"added the level «{name}» to «{locked.row.name}»{where}"
    locked.log("LEVEL_ADDED", summary, after={"depth": depth, "name": name})
    created = await _put_between(locked, name, depth) if sinking else 0
    new = LevelRow(ids.new_key(), key, depth, name, created)
    await level.replace(key, depth, [new, *(row._replace(depth=row.depth + 1) for row in sinking)])
    await locked.finish()
    return Changed(key, moved=sum(row.node_count for row in sinking), created=created)


async def _put_between(locked: Tree, name: str, depth: int) -> int:
    """Puts a placeholder between the nodes at a depth and each of their parents; returns how many."""
    children = await node.at_depth(locked.key, depth)
    if not children:
        return 0
    parents = await node.by_keys({row.parent_id for row in children if row.parent_id is not None})
    owners = await tree.names_of([*children, *parents.values()])
    above = [None] if depth == 1 else [parents[one] for one in dict.fromkeys(row.scope for row in children)]
    spots = [Spot(row and row.id, row and owners[row.group_id], depth) for row in above]
    made = await groups.found_placeholders([f"New {name} ({spot.name or locked.row.name})" for spot in spots])
    counts = [
        (row.child_count, row.descendant_count)
        if row is not None
        else (len(children), sum(one.node_count for one in locked.levels))
        for row in above
    ]
    between = {
        spot.parent: Between(key, group.id, spot.parent, *count)
        for key, group, spot, count in zip(ids.new_keys(len(made)), made, spots, counts, strict=True)
    }
    places = [Place(row.id, between[row.parent_id].node, row.position, depth + 1) for row in children]
    await level.put_between(locked.key, depth, list(between.values()), places)
    for group, spot in zip(made, spots, strict=True):
        locked.log_assigned(between[spot.parent].node, group.id, group.name, spot)
    after = {
        spot.parent: Spot(between[spot.parent].node, group.name, depth + 1)
        for group, spot in zip(made, spots, strict=True)
    }
    before = {spot.parent: spot for spot in spots}
    for row in children:
        locked.log_moved(row.group_id, owners[row.group_id], before[row.parent_id], after[row.parent_id])
    return len(made)


async def rename(key: int, depth: int, name: str, expected_version: int | None) -> Changed:
    """A new name for a level. Refuses with NOT_FOUND, STALE, OUT_OF_RANGE and as for every name."""
    locked = await tree.lock(key, expected_version)
    name, row = names.cleaned(name), _level(locked, depth)
    errors = _name_mistakes(locked, name, row)
    if errors:
        raise Refused(errors)
    if name != row.name:
        await level.rename(key, depth, name)
        locked.log(
            "LEVEL_RENAMED",
            f"renamed the level «{row.name}» to «{name}» in «{locked.row.name}»",
            before={"depth": depth, "name": row.name},
            after={"depth": depth, "name": name},
        )
        await locked.finish()
    return Changed(key)


async def remove(key: int, depth: int, mode: str, expected_version: int | None) -> Changed:
    """Removes the last level, if no node stands on it; with the mode MERGE_UP any level, while one is left.

    The nodes on a level that is merged leave the tree; what is below them takes their place and rises by one.
    Refuses with NOT_FOUND, STALE, OUT_OF_RANGE and LEVEL_IN_USE. Some thirty statements, however many nodes.
    """
    locked = await tree.lock(key, expected_version)
    row = _level(locked, depth)
    if len(locked.levels) == 1:
        raise refuse(Code.OUT_OF_RANGE, "A hierarchy keeps at least one level.", "depth")
    if mode == "REFUSE":
        _check_last_and_unused(locked, row)
    below = locked.levels[depth:]
    summary = f"removed the level «{row.name}» from «{locked.row.name}»"
    locked.log("LEVEL_REMOVED", summary, before={"depth": depth, "name": row.name})
    if row.node_count:
        await leaving.unassign(locked, await node.at_depth(key, depth), "PROMOTE")
        # The levels below come up with the numbers of nodes that they have.
        locked.level_counts.clear()
    await level.replace(key, depth, [one._replace(depth=one.depth - 1) for one in below])
    await locked.finish()
    return Changed(key, moved=sum(one.node_count for one in below), removed=row.node_count)


def _check_last_and_unused(locked: Tree, row: LevelRow) -> None:
    last = locked.levels[-1]
    if row != last:
        message = (
            f"Only the last level, «{last.name}», can be removed as it is; with `mode: MERGE_UP` what is below"
            f" «{row.name}» rises by one level, and its own nodes leave the tree."
        )
        raise refuse(Code.OUT_OF_RANGE, message, "depth")
    if row.node_count:
        standing = counted(row.node_count, "node stands", "nodes stand")
        message = (
            f"{standing} on the level «{row.name}»; move or unassign them first, or remove the level with"
            " `mode: MERGE_UP`, and they leave the tree."
        )
        raise refuse(Code.LEVEL_IN_USE, message, "depth")


def _level(locked: Tree, depth: int) -> LevelRow:
    if not 1 <= depth <= len(locked.levels):
        message = f"«{locked.row.name}» has the levels 1 to {len(locked.levels)}; there is no level {depth}."
        raise refuse(Code.OUT_OF_RANGE, message, "depth")
    return locked.levels[depth - 1]


def _name_mistakes(locked: Tree, name: str, own: LevelRow | None) -> list[UserError]:
    errors = names.mistakes("The name of a level", name, names.NAME_LENGTH, "name")
    for row in locked.levels:
        if row != own and names.key(row.name) == names.key(name):
            message = f"«{locked.row.name}» has a level «{row.name}» already; choose another name."
            errors.append(user_error(Code.NAME_TAKEN, message, "name"))
    return errors
