"""What may happen to a tree: the rules that hierarchies, groups and nodes share, on a locked hierarchy.

Every change of a tree begins with `lock` or `lock_of_nodes`, the first statement that touches the tree, and
ends with `finish`, which writes what was noted and counts the levels and the version. In between the hierarchy is
this writer's alone.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from service import db, ids, positions, transaction
from service.counting import counted
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.ids import Kind
from service.positions import Position
from service.sessions import Record, Statement
from service.store import closure, group, hierarchy, node, situation
from service.store.change import NewChange
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

    def parent(self) -> list[int]:
        """The parent, as far as it is named."""
        return [self.scope] if self.scope is not None and self.scope > 0 else []

    def neighbour(self) -> list[Statement]:
        """What finds the position on the other side of the place, where one read does, and the node to stand beside."""
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
        """Reads the lines of nodes that are not known yet, and do not stand in one. One statement, or none."""
        if unknown := self._unknown(nodes):
            self.lines |= await situation.lines(unknown)

    def _unknown(self, nodes: Collection[int]) -> list[int]:
        unknown = [key for key in nodes if key not in self.lines]
        for line in list(self.lines.values()) if unknown else ():
            for place, row in enumerate(line.nodes):
                if row.id in unknown:
                    self.lines[row.id] = Line(line.nodes[place:], line.names[place:])
                    unknown.remove(row.id)
        return unknown

    def learn(self, row: NodeRow, name: str) -> None:
        """The line of a node, told with the name of its group, is known from now on if that of its parent is."""
        if row.parent_id is None:
            self.lines[row.id] = Line([row], [name])
        elif not self._unknown([row.parent_id]):
            above = self.lines[row.parent_id]
            self.lines[row.id] = Line([row, *above.nodes], [name, *above.names])

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


async def lock_all(keys: Collection[int]) -> None:
    """Locks the hierarchies that there are of these, until the transaction ends. Waits without a connection."""
    await transaction.current().take_turns(keys)
    await hierarchy.lock(keys)


async def lock(
    key: int, expected_version: int | None, *path: str, goal: Goal | None = None, others: Sequence[Statement] = ()
) -> Tree:
    """The tree of a hierarchy, locked, with what is known of a goal. Refuses with NOT_FOUND and STALE.

    Two statements, of which the first goes with BEGIN where it can; the second reads `others` along.
    """
    await transaction.current().take_turns([key])
    nodes, neighbour = (goal.parent(), goal.neighbour()) if goal is not None else ([], [])
    found = await situation.lock([key], nodes, [*neighbour, *others])
    if key not in found.hierarchies:
        raise refuse(Code.NOT_FOUND, ids.unknown(Kind.HIERARCHY, key), *(path or ("hierarchyId",)))
    return _tree(found, key, expected_version, goal)


async def lock_of_nodes(
    keys: Sequence[int], expected_version: int | None, path: str, goal: Goal | None = None, *, levels: bool = True
) -> Tree:
    """The tree in which nodes stand, locked, with what is known of them and of a goal, and with its levels.

    Refuses with NOT_FOUND, WRONG_HIERARCHY and STALE. Two statements as `lock`, and one before them where it is not
    remembered in which hierarchies they stand.
    """
    nodes, neighbour = (goal.parent(), goal.neighbour()) if goal is not None else ([], [])
    nodes = list(dict.fromkeys([*keys, *nodes]))
    mutation = transaction.current()
    homes = await _homes_of(keys)
    await mutation.take_turns(homes)
    found = await situation.lock(homes, nodes, neighbour, levels=levels)
    # Those that have left a tree since then do not count.
    homes = {found.lines[key].nodes[0].hierarchy_id for key in keys if key in found.lines}
    if not homes:
        raise Refused([_no_node(path, place, keys) for place in range(len(keys))])
    if len(homes) > 1:
        names = " and ".join(f"«{row.name}»" for row in found.hierarchies.values() if row.id in homes)
        raise refuse(
            Code.WRONG_HIERARCHY,
            f"These nodes stand in different hierarchies, {names}; choose those of one.",
            path,
        )
    (key,) = homes
    mutation.turn.turns.remember(keys, key)
    return _tree(found, key, expected_version, goal)


async def _homes_of(keys: Sequence[int]) -> set[int]:
    """The hierarchies in which nodes stand, which they never change: so they may be asked for before the lock."""
    homes = transaction.current().turn.turns.homes
    if all(key in homes for key in keys):
        return {homes[key] for key in keys}
    return set(await hierarchy.of_nodes(keys))


def _tree(found: Situation, key: int, expected_version: int | None, goal: Goal | None) -> Tree:
    row = found.hierarchies[key]
    check_version(expected_version, row.version, f"The hierarchy «{row.name}»")
    tree = Tree(row, found.levels[key], found.lines, others=found.others)
    if goal is not None and goal.position is not None and goal.neighbour():
        ((position, *beside),) = tree.others.pop(0) or ((None,),)
        tree.neighbours[goal.position] = position
        if beside:
            name, *values = beside
            tree.learn(NodeRow._make(values), name)
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
        message = f"{await described(tree, found)}, not in «{tree.row.name}»; choose a parent in «{tree.row.name}»."
        raise refuse(Code.WRONG_HIERARCHY, message, *path)
    return found


async def described(tree: Tree, row: NodeRow) -> str:
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


async def spread_anew(tree: Tree, scopes: Collection[int]) -> None:
    """Gives all siblings of some scopes short keys again. Five statements; writes every sibling."""
    siblings = await node.siblings(scopes)
    keys = {scope: positions.spread(len(rows)) for scope, rows in siblings.items()}
    await closure.reorder(
        {row.id: key for scope, rows in siblings.items() for row, key in zip(rows, keys[scope], strict=True)}, park=True
    )
    await hierarchy.spread_anew(tree.key)
    known = list(tree.lines)
    tree.lines.clear()
    await tree.know(known)


async def names_of(rows: Collection[NodeRow]) -> dict[int, str]:
    """Group → name, for the groups of these nodes. One statement."""
    return {key: row.name for key, row in (await group.by_keys({row.group_id for row in rows})).items()}
