"""What may happen to a tree: the rules that hierarchies, groups and nodes share, on a locked hierarchy.

Every change of a tree begins with `lock` or `lock_of_nodes`, the first statement that touches the tree, and
ends with `finish`, which counts the levels and the version. In between the hierarchy is this writer's alone.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service import ids, positions, transaction
from service.counting import counted
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.ids import Kind
from service.positions import Position
from service.store import closure, group, hierarchy, node
from service.store.change import NewChange
from service.store.closure import Place
from service.store.group import GroupRow, NewGroup
from service.store.hierarchy import HierarchyRow, LevelRow
from service.store.node import NodeRow

Code = UserErrorCode


class Spot(NamedTuple):
    """Where a node stands, for the log: its parent, the name of the parent's group (None: a root), its depth."""

    parent: int | None
    name: str | None
    depth: int

    def values(self) -> dict[str, object]:
        """As `before` or `after` of a change."""
        parent = None if self.parent is None else ids.encode(Kind.NODE, self.parent)
        return {"parentId": parent, "parent": self.name, "depth": self.depth}

    def __str__(self) -> str:
        return "at the top" if self.parent is None else f"under «{self.name}»"


@dataclass(slots=True)
class Tree:
    """A hierarchy that this transaction has locked, with the changes made to it so far."""

    row: HierarchyRow
    levels: list[LevelRow]
    level_counts: Counter[int] = field(default_factory=Counter)
    changes: list[NewChange] = field(default_factory=list)

    @property
    def key(self) -> int:
        """The hierarchy's key."""
        return self.row.id

    def log(self, action: str, summary: str, group: int | None = None, **values: object) -> None:
        """Notes a change to this hierarchy; `before` and `after` may be given."""
        self.changes.append(NewChange(action, summary, self.key, group, **values))  # type: ignore[arg-type]

    def log_assigned(self, node: int, group: int, name: str, spot: Spot) -> None:
        """Notes that a group has got a place."""
        after = {"nodeId": ids.encode(Kind.NODE, node), **spot.values()}
        self.log("GROUP_ASSIGNED", f"assigned «{name}» {spot} in «{self.row.name}»", group, after=after)

    def log_unassigned(self, node: int, group: int, name: str, spot: Spot) -> None:
        """Notes that a group has lost its place."""
        before = {"nodeId": ids.encode(Kind.NODE, node), **spot.values()}
        self.log("GROUP_UNASSIGNED", f"unassigned «{name}» in «{self.row.name}»", group, before=before)

    def log_moved(self, group: int, name: str, before: Spot, after: Spot) -> None:
        """Notes that a node has come under another parent, or elsewhere under the same one."""
        if before.parent == after.parent:
            action, summary = "NODES_REORDERED", f"re-ordered «{name}» {after}"
        else:
            origin, goal = (f"«{spot.name}»" if spot.parent is not None else "the top" for spot in (before, after))
            action, summary = "NODE_MOVED", f"moved «{name}» from {origin} to {goal}"
        summary += f" in «{self.row.name}»"
        self.log(action, summary, group, before=before.values(), after=after.values())

    def scope(self, parent: NodeRow | None) -> int:
        """Where the children of a parent, or the roots, stand."""
        return parent.id if parent is not None else -self.key

    async def finish(self) -> None:
        """One committed change more. Three statements at the most."""
        await hierarchy.count_levels(self.key, self.level_counts)
        await hierarchy.touch([self.key], transaction.current().at)
        await transaction.log(self.changes)


async def lock_all(keys: Collection[int]) -> dict[int, HierarchyRow]:
    """Locks the hierarchies that there are of these, until the transaction ends. Waits without a connection."""
    await transaction.current().turn.take(keys)
    return await hierarchy.lock(keys)


async def lock(key: int, expected_version: int | None, *path: str) -> Tree:
    """The tree of a hierarchy, locked. Refuses with NOT_FOUND and STALE. Two statements."""
    found = await lock_all([key])
    if key not in found:
        raise refuse(Code.NOT_FOUND, ids.unknown(Kind.HIERARCHY, key), *(path or ("hierarchyId",)))
    return await _tree(found[key], expected_version)


async def lock_of_nodes(keys: Sequence[int], expected_version: int | None, path: str) -> Tree:
    """The tree in which nodes stand, locked. Refuses with NOT_FOUND, WRONG_HIERARCHY and STALE."""
    # A node never changes its hierarchy, so this may be asked before the lock.
    found = await lock_all(await hierarchy.of_nodes(keys))
    if not found:
        raise Refused([_no_node(path, place, keys) for place in range(len(keys))])
    if len(found) > 1:
        names = " and ".join(f"«{row.name}»" for row in found.values())
        raise refuse(
            Code.WRONG_HIERARCHY,
            f"These nodes stand in different hierarchies, {names}; choose those of one.",
            path,
        )
    return await _tree(next(iter(found.values())), expected_version)


async def _tree(row: HierarchyRow, expected_version: int | None) -> Tree:
    check_version(expected_version, row.version, f"The hierarchy «{row.name}»")
    return Tree(row, (await hierarchy.levels([row.id]))[row.id])


def check_version(expected: int | None, found: int, label: str) -> None:
    """Refuses with STALE when a thing is no longer at the version that the client has seen."""
    if expected is not None and expected != found:
        message = f"{label} has changed: it is at version {found}, not {expected}. Read it again, then decide."
        raise refuse(Code.STALE, message, "expectedVersion")


def _no_node(path: str, place: int, keys: Sequence[int]) -> UserError:
    where = (path, str(place)) if path.endswith("s") else (path,)
    message = f"There is no node with the id «{ids.encode(Kind.NODE, keys[place])}»; it may have been unassigned."
    return user_error(Code.NOT_FOUND, message, *where)


async def nodes_of(tree: Tree, keys: Sequence[int], path: str) -> list[NodeRow]:
    """The nodes, in the order asked. Refuses with NOT_FOUND, naming each. One statement."""
    found = await node.by_keys(keys)
    missing = [_no_node(path, place, keys) for place, key in enumerate(keys) if key not in found]
    if missing:
        raise Refused(missing)
    return [found[key] for key in keys]


async def parent_of(tree: Tree, key: int | None, *path: str) -> NodeRow | None:
    """The node to stand under, None for a root. Refuses with NOT_FOUND and WRONG_HIERARCHY. One statement."""
    if key is None:
        return None
    found = (await node.by_keys([key])).get(key)
    if found is None:
        message = f"There is no parent node with the id «{ids.encode(Kind.NODE, key)}»; it may have been unassigned."
        raise refuse(Code.NOT_FOUND, message, *path)
    if found.hierarchy_id != tree.key:
        message = f"{await _described(found)}, not in «{tree.row.name}»; choose a parent in «{tree.row.name}»."
        raise refuse(Code.WRONG_HIERARCHY, message, *path)
    return found


async def _described(row: NodeRow) -> str:
    """Where a node stands, by the names of its group, of its parent's and of its hierarchy. Three statements."""
    above = (await node.by_keys([row.parent_id])).get(row.parent_id) if row.parent_id is not None else None
    names = await names_of([row, *([above] if above is not None else [])])
    spot = Spot(row.parent_id, names[above.group_id] if above is not None else None, row.depth)
    within = (await hierarchy.by_keys([row.hierarchy_id]))[row.hierarchy_id].name
    return f"«{names[row.group_id]}» stands {spot} in «{within}»"


def too_deep(tree: Tree, name: str, depth: int, *path: str | int, below: bool = False) -> UserError:
    """The refusal of a place that has no level, for the node itself or for the lowest one below it."""
    last = tree.levels[-1]
    who = f"The lowest node below «{name}»" if below else f"«{name}»"
    message = (
        f"{who} would stand at depth {depth}, but «{tree.row.name}» has {counted(len(tree.levels), 'level', 'levels')},"
        f" down to «{last.name}». Choose a higher parent or add a level."
    )
    return user_error(Code.TOO_DEEP, message, *path)


async def positions_at(
    tree: Tree, scope: int, position: Position, count: int, leaving: Sequence[int], *path: str
) -> Sequence[str]:
    """`count` keys at a place among siblings; `leaving` nodes are passed over, since they move.

    Spreads the siblings anew when keys have grown too long. Refuses with NOT_CHILDREN and OUT_OF_RANGE.
    """
    keys = positions.between(*await _neighbours(scope, position, leaving, *path), count)
    if not positions.too_long(keys):
        return keys
    await spread_anew(tree, [scope])
    return positions.between(*await _neighbours(scope, position, leaving, *path), count)


async def spread_anew(tree: Tree, scopes: Collection[int]) -> None:
    """Gives all siblings of some scopes short keys again. Four statements; writes every sibling."""
    siblings = await node.siblings(scopes)
    keys = {scope: positions.spread(len(rows)) for scope, rows in siblings.items()}
    await closure.reorder(
        {row.id: key for scope, rows in siblings.items() for row, key in zip(rows, keys[scope], strict=True)}, park=True
    )
    await hierarchy.spread_anew(tree.key)


async def _neighbours(
    scope: int, position: Position, leaving: Sequence[int], *path: str
) -> tuple[str | None, str | None]:
    if position.index is not None:
        if position.index < 0:
            raise refuse(Code.OUT_OF_RANGE, "An index counts from 0.", *path, "index")
        return await node.positions_around(scope, leaving, position.index)
    if position.first:
        return None, await node.first_position(scope, leaving)
    beside = position.before if position.before is not None else position.after
    if beside is None:
        return await node.last_position(scope, leaving), None
    word = "before" if position.before is not None else "after"
    sibling = (await node.by_keys([beside])).get(beside)
    if sibling is None or sibling.scope != scope or beside in leaving:
        message = await _no_sibling(beside, sibling, word, moves=beside in leaving)
        raise refuse(Code.NOT_CHILDREN, message, *path, word)
    if position.before is not None:
        return await node.position_before(scope, leaving, sibling.position), sibling.position
    return sibling.position, await node.position_after(scope, leaving, sibling.position)


async def _no_sibling(key: int, row: NodeRow | None, word: str, *, moves: bool) -> str:
    """Why a node is none to stand before or after."""
    if row is None:
        return f"There is no node with the id «{ids.encode(Kind.NODE, key)}» to stand {word}; choose a sibling."
    if moves:
        name = (await names_of([row]))[row.group_id]
        return f"«{name}» moves itself, so that nothing can stand {word} it; choose a sibling that stays."
    return f"{await _described(row)}, which is not where the node is to go; choose a sibling to stand {word}."


async def assign(
    tree: Tree, groups: Sequence[GroupRow | NewGroup], parent: NodeRow | None, keys: Sequence[str]
) -> list[int]:
    """Places groups, which the caller has found fit, as new leaves at these positions; returns their nodes."""
    depth = parent.depth + 1 if parent is not None else 1
    nodes = ids.new_keys(len(groups))
    places = [Place(key, parent.id if parent else None, text, depth) for key, text in zip(nodes, keys, strict=True)]
    await closure.attach(tree.key, {key: row.id for key, row in zip(nodes, groups, strict=True)}, places)
    tree.level_counts[depth] += len(groups)
    name = (await names_of([parent]))[parent.group_id] if parent is not None else None
    spot = Spot(parent.id if parent is not None else None, name, depth)
    for key, row in zip(nodes, groups, strict=True):
        tree.log_assigned(key, row.id, row.name, spot)
    return list(nodes)


async def move(tree: Tree, moving: Sequence[NodeRow], parent: NodeRow | None, position: Position) -> None:
    """Moves nodes, none of which is above another, next to one another under a parent. Refuses with TOO_DEEP.

    The caller has looked for cycles. Costs what the subtrees cost; re-ordering one node writes one row.
    """
    scope, depth = tree.scope(parent), parent.depth + 1 if parent is not None else 1
    leaving = [row.id for row in moving]
    names = await names_of([*moving, *([parent] if parent else [])])
    if any(row.depth != depth for row in moving):
        heights = await closure.heights(leaving)
        errors = [
            too_deep(
                tree, names[row.group_id], depth + max(heights[row.id]), "parentId", below=max(heights[row.id]) > 0
            )
            for row in moving
            if depth + max(heights[row.id]) > len(tree.levels)
        ]
        if errors:
            raise Refused(errors)
        for row in moving:
            for distance, count in heights[row.id].items():
                tree.level_counts[row.depth + distance] -= count
                tree.level_counts[depth + distance] += count
    keys = await positions_at(tree, scope, position, len(moving), leaving, "position")
    within = [row for row in moving if row.scope == scope]
    park = bool(within) and len(moving) > 1
    if len(within) == len(moving):
        await closure.reorder(dict(zip(leaving, keys, strict=True)), park=park)
    else:
        places = [
            Place(row.id, parent.id if parent else None, key, depth) for row, key in zip(moving, keys, strict=True)
        ]
        await _recount(moving, parent)
        await closure.move(places, {row.id: depth - row.depth for row in moving}, park=park)
    old = await node.by_keys({row.parent_id for row in moving if row.parent_id is not None})
    names |= await names_of(list(old.values()))
    after = Spot(parent.id, names[parent.group_id], depth) if parent is not None else Spot(None, None, depth)
    for row in moving:
        above = old[row.parent_id] if row.parent_id is not None else None
        before = Spot(row.parent_id, names[above.group_id] if above is not None else None, row.depth)
        tree.log_moved(row.group_id, names[row.group_id], before, after)


async def _recount(moving: Sequence[NodeRow], parent: NodeRow | None) -> None:
    """Takes the moved subtrees out of the counts above their old places and adds them above the new one."""
    above = await closure.ancestors([*(row.id for row in moving), *([parent.id] if parent else [])])
    children: Counter[int] = Counter()
    descendants: Counter[int] = Counter()
    for row in moving:
        size = 1 + row.descendant_count
        if row.parent_id is not None:
            children[row.parent_id] -= 1
        for ancestor in above[row.id]:
            descendants[ancestor] -= size
        if parent is not None:
            children[parent.id] += 1
            for ancestor in (parent.id, *above[parent.id]):
                descendants[ancestor] += size
    await closure.count(children, descendants)


async def names_of(rows: Collection[NodeRow]) -> dict[int, str]:
    """Group → name, for the groups of these nodes. One statement."""
    return {key: row.name for key, row in (await group.by_keys({row.group_id for row in rows})).items()}
