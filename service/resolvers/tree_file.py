"""Importing a hierarchy from a file: all of it in one transaction, or nothing."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from service import groups, hierarchies, ids, names, namesakes, transaction, tree
from service.arrangement import Arrangement, arrange, concerned, meet, values
from service.chronicle import Chronicle, entry
from service.errors import Refused, UserErrorCode, refuse
from service.imported import Imported, Progress, silent
from service.outline import understand
from service.sheets import Line
from service.store import group, hierarchy, tree_file
from service.store.change import NewChange
from service.store.group import GroupRow, NewGroup
from service.store.tree_file import Standing, batches
from service.tree import Tree
from service.wanted import Outline

Code = UserErrorCode
# Codes or names looked up by one statement; making keys of them holds up everybody else.
LOOKED_UP = 5_000


# ───────────────────────────────────────────── writing ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Goal:
    """The hierarchy that a file is for: one that stands, or a new one."""

    key: int
    name: str
    locked: Tree | None
    standing: Mapping[int, Standing]

    @property
    def levels(self) -> list[str] | None:
        return None if self.locked is None else [level.name for level in self.locked.levels]


async def load(
    lines: Iterator[Line],
    hierarchy: int | None,
    create_name: str | None,
    mode: str,
    duplicate_names: str,
    progress: Progress = silent,
) -> Imported:
    """Brings a hierarchy to what a file says (see outline.py), or makes a new one of it.

    Locks the hierarchy, then the groups that change or come in. Refuses with REQUIRED, INVALID, NOT_FOUND,
    TOO_LONG and NAME_TAKEN for the hierarchy, and with RejectedFile for the file. The statements grow with the
    tree by pages and batches (store/tree_file.py) and with the number of levels, some twenty beside that; the work
    between them runs in a thread. A file that changes nothing writes nothing.
    """
    goal = await _goal(hierarchy, create_name)
    replace = mode == "REPLACE"
    parents = set() if replace else {row.code_key for row in goal.standing.values()}
    progress("reading", 0, 0)
    outline = await asyncio.to_thread(
        understand, lines, goal.levels, qualify=duplicate_names == "QUALIFY", standing=parents
    )
    progress("comparing", 0, 0)
    met, named = await _meet(outline, goal)
    arrangement = await asyncio.to_thread(
        arrange, goal.key, outline.levels, outline, met, named, goal.standing, replace=replace
    )
    outline.mistakes.check()
    codes = await _codes(outline, met)
    chronicle = Chronicle((goal.key, goal.name), outline, met, codes, goal.standing, arrangement)
    imported = await asyncio.to_thread(chronicle.imported)
    if goal.locked is not None and not arrangement.changes_anything:
        return imported
    if goal.locked is None:
        await hierarchies.plant(goal.key, goal.name, "", outline.levels)
    await _write_groups(outline, met, codes, arrangement, progress)
    await _write_nodes(goal, arrangement, progress)
    noted = 0
    for batch in batches(chronicle.log()):
        await transaction.log(batch)
        noted += len(batch)
        progress("changes", noted, 0)
    await _finish(goal, arrangement, entry(goal.name, goal.key, mode, imported))
    return imported


async def _goal(key: int | None, create_name: str | None) -> _Goal:
    if key is not None and create_name is not None:
        message = "Name the hierarchy that there is, or a new one to be created; not both."
        raise refuse(Code.INVALID, message, "createName")
    if key is not None:
        locked = await tree.lock(key, None)
        return _Goal(locked.key, locked.row.name, locked, await tree_file.standing(locked.key))
    if create_name is None:
        raise refuse(Code.REQUIRED, "Say for which hierarchy the file is, or what a new one is called.", "hierarchyId")
    name = names.cleaned(create_name)
    errors = names.mistakes("The name", name, names.NAME_LENGTH, "createName")
    errors = errors or await hierarchies.name_taken(name, None, "createName")
    if errors:
        raise Refused(errors)
    return _Goal(ids.new_key(), name, None, {})


async def _meet(outline: Outline, goal: _Goal) -> tuple[list[GroupRow | None], dict[str, GroupRow]]:
    """The group that each node means, and name → group; those that will change or come in are locked.

    What somebody else changes between reading and locking is read again: once it is locked it stays.
    """
    coded = await _by_codes(outline)
    if outline.namesakes and not outline.mistakes:
        await asyncio.to_thread(_qualify, outline, coded, goal.standing)
    while True:
        named = await _by_names(outline)
        met = await asyncio.to_thread(meet, outline.nodes, coded, named)
        rows = await asyncio.to_thread(concerned, outline.nodes, met, goal.standing)
        if outline.mistakes or not rows:
            return met, named
        locked = await group.lock([row.id for row in rows])
        if all(locked.get(row.id) == row for row in rows):
            return met, named
        coded = await _by_codes(outline)


def _qualify(outline: Outline, coded: Mapping[str, GroupRow], standing: Mapping[int, Standing]) -> None:
    named = {row.code_key: row.name for row in standing.values()} | {code: row.name for code, row in coded.items()}
    pairs = {
        (None if row.parent_id is None else standing[row.parent_id].name_key, row.name_key) for row in standing.values()
    }
    namesakes.qualify(outline, named, pairs)


async def _by_codes(outline: Outline) -> dict[str, GroupRow]:
    found: dict[str, GroupRow] = {}
    for codes in batches((node.code_key for node in outline.nodes if node.sound and node.code_key), LOOKED_UP):
        found |= await group.by_codes(codes)
    return found


async def _by_names(outline: Outline) -> dict[str, GroupRow]:
    found: dict[str, GroupRow] = {}
    for wanted in batches((node.name_key for node in outline.nodes if node.sound), LOOKED_UP):
        found |= await group.by_names(wanted)
    return found


async def _codes(outline: Outline, met: Sequence[GroupRow | None]) -> list[str]:
    """The code of each node's group: the one it has, the file's, or a generated one."""
    given = [row.code if row is not None else node.code for node, row in zip(outline.nodes, met, strict=True)]
    taken = {node.code_key for node in outline.nodes if node.code_key is not None}
    generated = iter(await groups.free_codes(given.count(None), taken))
    return [next(generated) if code is None else code for code in given]


async def _write_groups(
    outline: Outline,
    met: Sequence[GroupRow | None],
    codes: Sequence[str],
    arrangement: Arrangement,
    progress: Progress,
) -> None:
    at, done, total = transaction.current().at, 0, len(arrangement.updated) + len(arrangement.created)
    if arrangement.updated:
        await group.free_names([arrangement.groups[number] for number in arrangement.updated])
    for numbers in batches(arrangement.updated):
        rows = [(number, met[number]) for number in numbers]
        renewed = [
            NewGroup(row.id, row.code, *values(outline.nodes[number], row), row.status)
            for number, row in rows
            if row is not None
        ]
        await group.update(renewed, at)
        done += len(numbers)
        progress("groups", done, total)
    for numbers in batches(arrangement.created):
        new = [
            NewGroup(arrangement.groups[number], codes[number], *values(outline.nodes[number], None), "ACTIVE")
            for number in numbers
        ]
        await group.insert(new, at)
        done += len(numbers)
        progress("groups", done, total)


async def _write_nodes(goal: _Goal, arrangement: Arrangement, progress: Progress) -> None:
    """What leaves and what moves first frees its places; then what is new comes, and finds room and its parents."""
    leaving = [row.id for row in arrangement.removed]
    regrown = {node for nodes in arrangement.regrown for node in nodes}
    done, total = 0, len(arrangement.inserted) + len(arrangement.settled)
    await tree_file.park([*arrangement.parked, *leaving])
    await tree_file.cut([node for node in goal.standing if node in regrown])
    for batch in batches(arrangement.inserted):
        await tree_file.insert(goal.key, batch)
        done += len(batch)
        progress("nodes", done, total)
    for batch in batches(arrangement.settled):
        await tree_file.settle(batch)
        done += len(batch)
        progress("nodes", done, total)
    progress("pairs", 0, 0)
    await tree_file.remove(leaving)
    await tree_file.grow(arrangement.regrown, [row.id for row in arrangement.inserted])
    if arrangement.spread:
        await hierarchy.spread_anew(goal.key)


async def _finish(goal: _Goal, arrangement: Arrangement, change: NewChange) -> None:
    """One committed change more, the file's; a new hierarchy is at its first version."""
    if goal.locked is None:
        await hierarchy.count_levels(goal.key, arrangement.level_counts)
        await transaction.log([change])
    else:
        goal.locked.level_counts = arrangement.level_counts
        goal.locked.changes.append(change)
        await goal.locked.finish()
