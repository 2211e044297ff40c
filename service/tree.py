"""What may happen to a tree: the rules that hierarchies, groups and nodes share, on a locked hierarchy.

Every change of a tree begins with `lock` or `lock_of_nodes`, the first statement that touches the tree, and
ends with `finish`, which writes what was noted and counts the levels and the version. In between the hierarchy is
this writer's alone.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service import db, ids, positions, transaction
from service.counting import counted
from service.db import Record, Statement
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.ids import Kind
from service.positions import Position
from service.store import closure, group, hierarchy, node, situation
from service.store.change import NewChange
from service.store.closure import Place
from service.store.group import GroupRow, NewGroup
from service.store.hierarchy import HierarchyRow, LevelRow
from service.store.node import NodeRow
from service.store.situation import Line, Situation

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


class Goal(NamedTuple):
    """Where nodes are to go, as the client says: the scope, None where it is not known before the lock."""

    scope: int | None
    position: Position | None = None
    leaving: Sequence[int] = ()

    def nodes(self) -> list[int]:
        """The nodes that this names, as far as it does."""
        beside = () if self.position is None else (self.position.before, self.position.after)
        return [key for key in (self.scope, *beside) if key is not None and key > 0]

    def neighbour(self) -> list[Statement]:
        """What finds the position on the other side of the place, where one read does."""
        if self.position is None or self.position.index is not None:
            return []
        before, after = self.position.before, self.position.after
        if self.position.first or (before is None and after is None):
            text = node.FIRST if self.position.first else node.LAST
            return [Statement(text, (self.scope, self.leaving))] if self.scope is not None else []
        if before is not None:
            return [Statement(situation.BEFORE, (before, self.leaving))]
        return [Statement(situation.BEHIND, (after, self.leaving))]


@dataclass(slots=True)
class Tree:
    """A hierarchy that this transaction has locked, with the changes made to it so far.

    `lines` are what is known of nodes already, and `neighbours` what the lock found out for the goal, to be used once;
    `others` are the rows of what else was asked for with it. `writes` are noted to be run at the end.
    """

    row: HierarchyRow
    levels: list[LevelRow]
    lines: dict[int, Line] = field(default_factory=dict)
    neighbours: dict[Position, str | None] = field(default_factory=dict)
    others: list[Sequence[Record]] = field(default_factory=list)
    writes: list[Statement] = field(default_factory=list)
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

    async def know(self, nodes: Collection[int]) -> None:
        """Reads the lines of nodes that are not known yet. One statement, or none."""
        unknown = [key for key in nodes if key not in self.lines]
        if unknown:
            self.lines |= await situation.lines(unknown)

    def name_of(self, key: int) -> str:
        """The name of the group of a known node."""
        return self.lines[key].names[0]

    def above(self, key: int) -> list[int]:
        """The ancestors of a known node, nearest first."""
        return [row.id for row in self.lines[key].nodes[1:]]

    async def write(self) -> None:
        """Writes what was noted so far. One statement."""
        await db.write(*self.writes)
        self.writes.clear()

    async def finish(self) -> None:
        """Writes what was noted, the log of it, and one committed change more. One statement."""
        self.writes += hierarchy.levels_counted(self.key, self.level_counts)
        self.writes.append(hierarchy.touched([self.key], transaction.current().at))
        self.writes += transaction.logged(self.changes)
        await self.write()


async def lock_all(keys: Collection[int]) -> dict[int, HierarchyRow]:
    """Locks the hierarchies that there are of these, until the transaction ends. Waits without a connection."""
    await transaction.current().turn.take(keys)
    return await hierarchy.lock(keys)


async def lock(
    key: int, expected_version: int | None, *path: str, goal: Goal | None = None, others: Sequence[Statement] = ()
) -> Tree:
    """The tree of a hierarchy, locked, with what is known of a goal. Refuses with NOT_FOUND and STALE.

    One statement, which reads `others` along.
    """
    await transaction.current().turn.take([key])
    nodes, neighbour = (goal.nodes(), goal.neighbour()) if goal is not None else ([], [])
    found = await situation.lock([key], nodes, [*neighbour, *others])
    if key not in found.hierarchies:
        raise refuse(Code.NOT_FOUND, ids.unknown(Kind.HIERARCHY, key), *(path or ("hierarchyId",)))
    return _tree(found, key, expected_version, goal)


async def lock_of_nodes(keys: Sequence[int], expected_version: int | None, path: str, goal: Goal | None = None) -> Tree:
    """The tree in which nodes stand, locked, with what is known of them and of a goal.

    Refuses with NOT_FOUND, WRONG_HIERARCHY and STALE. One statement, two where another writer is at work there.
    """
    nodes, neighbour = (goal.nodes(), goal.neighbour()) if goal is not None else ([], [])
    nodes = list(dict.fromkeys([*keys, *nodes]))
    # A node never changes its hierarchy, so these may be asked for before the lock.
    homes, found = await situation.lock_of_nodes(keys, nodes, neighbour)
    await transaction.current().turn.take(homes)
    if found is None:
        found = await situation.lock(homes, nodes, neighbour)
    if not found.hierarchies:
        raise Refused([_no_node(path, place, keys) for place in range(len(keys))])
    if len(found.hierarchies) > 1:
        names = " and ".join(f"«{row.name}»" for row in found.hierarchies.values())
        raise refuse(
            Code.WRONG_HIERARCHY,
            f"These nodes stand in different hierarchies, {names}; choose those of one.",
            path,
        )
    return _tree(found, next(iter(found.hierarchies)), expected_version, goal)


def _tree(found: Situation, key: int, expected_version: int | None, goal: Goal | None) -> Tree:
    row = found.hierarchies[key]
    check_version(expected_version, row.version, f"The hierarchy «{row.name}»")
    tree = Tree(row, found.levels[key], found.lines, others=found.others)
    if goal is not None and goal.position is not None and goal.neighbour():
        ((position,),) = tree.others.pop(0) or ((None,),)
        tree.neighbours[goal.position] = position
    return tree


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
    """The nodes, in the order asked. Refuses with NOT_FOUND, naming each. One statement, none where they are known."""
    await tree.know(keys)
    missing = [_no_node(path, place, keys) for place, key in enumerate(keys) if key not in tree.lines]
    if missing:
        raise Refused(missing)
    return [tree.lines[key].nodes[0] for key in keys]


async def parent_of(tree: Tree, key: int | None, *path: str) -> NodeRow | None:
    """The node to stand under, None for a root. Refuses with NOT_FOUND and WRONG_HIERARCHY.

    One statement, none where it is known.
    """
    if key is None:
        return None
    await tree.know([key])
    if key not in tree.lines:
        message = f"There is no parent node with the id «{ids.encode(Kind.NODE, key)}»; it may have been unassigned."
        raise refuse(Code.NOT_FOUND, message, *path)
    found = tree.lines[key].nodes[0]
    if found.hierarchy_id != tree.key:
        message = f"{await _described(tree, found)}, not in «{tree.row.name}»; choose a parent in «{tree.row.name}»."
        raise refuse(Code.WRONG_HIERARCHY, message, *path)
    return found


async def _described(tree: Tree, row: NodeRow) -> str:
    """Where a known node stands, by the names of its group, of its parent's and of its hierarchy. One statement."""
    names = tree.lines[row.id].names
    spot = Spot(row.parent_id, names[1] if row.parent_id is not None else None, row.depth)
    within = (await hierarchy.by_keys([row.hierarchy_id]))[row.hierarchy_id].name
    return f"«{names[0]}» stands {spot} in «{within}»"


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

    Spreads the siblings anew when keys have grown too long. Refuses with NOT_CHILDREN and OUT_OF_RANGE. Two
    statements at the most, none where the lock was taken for this goal.
    """
    keys = positions.between(*await _neighbours(tree, scope, position, leaving, *path), count)
    if not positions.too_long(keys):
        return keys
    await spread_anew(tree, [scope])
    return positions.between(*await _neighbours(tree, scope, position, leaving, *path), count)


async def spread_anew(tree: Tree, scopes: Collection[int]) -> None:
    """Gives all siblings of some scopes short keys again. Four statements; writes every sibling."""
    siblings = await node.siblings(scopes)
    keys = {scope: positions.spread(len(rows)) for scope, rows in siblings.items()}
    await closure.reorder(
        {row.id: key for scope, rows in siblings.items() for row, key in zip(rows, keys[scope], strict=True)}, park=True
    )
    await hierarchy.spread_anew(tree.key)
    tree.lines.clear()


async def _neighbours(
    tree: Tree, scope: int, position: Position, leaving: Sequence[int], *path: str
) -> tuple[str | None, str | None]:
    """The positions before and behind a place."""
    if position.index is not None:
        if position.index < 0:
            raise refuse(Code.OUT_OF_RANGE, "An index counts from 0.", *path, "index")
        return await node.positions_around(scope, leaving, position.index)
    own = None
    if position.before is not None:
        own = await _sibling(tree, scope, position.before, leaving, *path, "before")
    elif position.after is not None:
        own = await _sibling(tree, scope, position.after, leaving, *path, "after")
    if position in tree.neighbours:
        other = tree.neighbours.pop(position)
    else:
        ((text, arguments),) = Goal(scope, position, leaving).neighbour()
        other = await db.fetch_value(text, *arguments)
    return (own, other) if position.first or position.after is not None else (other, own)


async def _sibling(tree: Tree, scope: int, key: int, leaving: Sequence[int], *path: str) -> str:
    """The position of a node to stand beside."""
    await tree.know([key])
    row = tree.lines[key].nodes[0] if key in tree.lines else None
    if row is None or row.scope != scope or key in leaving:
        raise refuse(Code.NOT_CHILDREN, await _no_sibling(tree, key, row, path[-1], moves=key in leaving), *path)
    return row.position


async def _no_sibling(tree: Tree, key: int, row: NodeRow | None, word: str, *, moves: bool) -> str:
    """Why a node is none to stand before or after."""
    if row is None:
        return f"There is no node with the id «{ids.encode(Kind.NODE, key)}» to stand {word}; choose a sibling."
    if moves:
        return f"«{tree.name_of(key)}» moves itself, so that nothing can stand {word} it; choose a sibling that stays."
    return f"{await _described(tree, row)}, which is not where the node is to go; choose a sibling to stand {word}."


async def assign(
    tree: Tree, groups: Sequence[GroupRow | NewGroup], parent: NodeRow | None, keys: Sequence[str]
) -> list[int]:
    """Notes groups, which the caller has found fit, as new leaves at these positions; returns their nodes."""
    depth = parent.depth + 1 if parent is not None else 1
    above, spot = [], Spot(None, None, depth)
    if parent is not None:
        await tree.know([parent.id])
        line = tree.lines[parent.id]
        above, spot = [row.id for row in line.nodes], Spot(parent.id, line.names[0], depth)
    nodes = ids.new_keys(len(groups))
    places = [Place(key, spot.parent, text, depth) for key, text in zip(nodes, keys, strict=True)]
    owners = {key: row.id for key, row in zip(nodes, groups, strict=True)}
    tree.writes += closure.attached(tree.key, owners, places, above)
    tree.level_counts[depth] += len(groups)
    for key, row in zip(nodes, groups, strict=True):
        tree.log_assigned(key, row.id, row.name, spot)
    return list(nodes)


async def move(tree: Tree, moving: Sequence[NodeRow], parent: NodeRow | None, position: Position) -> None:
    """Moves known nodes, none of which is above another, next to one another under a parent. Refuses with TOO_DEEP.

    The caller has looked for cycles. Costs what the subtrees cost; re-ordering one node writes one row.
    """
    depth = parent.depth + 1 if parent is not None else 1
    goal = Line([], [])
    if parent is not None:
        await tree.know([parent.id])
        goal = tree.lines[parent.id]
    lines = {row.id: tree.lines[row.id] for row in moving}
    if any(row.depth != depth for row in moving):
        await _count_levels(tree, moving, depth)
    keys = await positions_at(tree, tree.scope(parent), position, len(moving), list(lines), "position")
    staying = [row.scope == tree.scope(parent) for row in moving]
    if any(staying) and len(moving) > 1:
        await closure.park(list(lines))
    if all(staying):
        tree.writes.append(closure.ordered(dict(zip(lines, keys, strict=True))))
    else:
        places = [Place(key, parent.id if parent else None, text, depth) for key, text in zip(lines, keys, strict=True)]
        await _replant(tree, moving, lines, goal, places)
    after = Spot(parent.id if parent is not None else None, goal.names[0] if goal.names else None, depth)
    for row in moving:
        names = lines[row.id].names
        before = Spot(row.parent_id, names[1] if row.parent_id is not None else None, row.depth)
        tree.log_moved(row.group_id, names[0], before, after)


async def _count_levels(tree: Tree, moving: Sequence[NodeRow], depth: int) -> None:
    """Notes how many nodes come to stand on which level. Refuses with TOO_DEEP. One statement; reads the subtrees."""
    heights = await closure.heights([row.id for row in moving])
    errors = [
        too_deep(tree, tree.name_of(row.id), depth + max(heights[row.id]), "parentId", below=max(heights[row.id]) > 0)
        for row in moving
        if depth + max(heights[row.id]) > len(tree.levels)
    ]
    if errors:
        raise Refused(errors)
    for row in moving:
        for distance, count in heights[row.id].items():
            tree.level_counts[row.depth + distance] -= count
            tree.level_counts[depth + distance] += count


async def _replant(
    tree: Tree, moving: Sequence[NodeRow], lines: Mapping[int, Line], goal: Line, places: Sequence[Place]
) -> None:
    """Notes what brings nodes with all below them under another parent, `goal` being its line.

    One statement where the depth changes: what goes has to go before what comes.
    """
    old = [[above.id for above in lines[row.id].nodes[1:]] for row in moving]
    new = [row.id for row in goal.nodes]
    shifts = {place.node: place.depth - row.depth for row, place in zip(moving, places, strict=True)}
    if any(shifts.values()) or any(above != old[0] for above in old):
        await closure.cut(places)
        tree.writes += closure.grafted(places, shifts)
    else:
        tree.writes += closure.exchanged(list(lines), old[0], new)
    tree.writes.append(closure.placed(places))
    children: Counter[int] = Counter()
    descendants: Counter[int] = Counter()
    for row, above in zip(moving, old, strict=True):
        children.update(dict.fromkeys(above[:1], -1))
        descendants.update(dict.fromkeys(above, -1 - row.descendant_count))
        children.update(new[:1])
        descendants.update(dict.fromkeys(new, 1 + row.descendant_count))
    tree.writes += closure.counted(children, descendants)


async def names_of(rows: Collection[NodeRow]) -> dict[int, str]:
    """Group → name, for the groups of these nodes. One statement."""
    return {key: row.name for key, row in (await group.by_keys({row.group_id for row in rows})).items()}
