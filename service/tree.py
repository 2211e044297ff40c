"""What may happen to a tree: the rules that hierarchies, groups and nodes share, on a locked hierarchy.

Every change of a tree begins with `lock` or `lock_of_nodes`, the first statement that touches the tree, and
ends with `finish`, which counts the levels and the version. In between the hierarchy is this writer's alone.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from service import ids, positions, transaction
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.ids import Kind
from service.positions import Position
from service.store import closure, group, hierarchy, node
from service.store.change import NewChange
from service.store.closure import Place
from service.store.group import GroupRow
from service.store.hierarchy import HierarchyRow, LevelRow
from service.store.node import NodeRow

Code = UserErrorCode


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
        raise refuse(Code.NOT_FOUND, "There is no hierarchy with this id.", *(path or ("hierarchyId",)))
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
    return user_error(Code.NOT_FOUND, "There is no node with this id; it may have been unassigned.", *where)


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
        raise refuse(Code.NOT_FOUND, "There is no parent node with this id; it may have been unassigned.", *path)
    if found.hierarchy_id != tree.key:
        message = f"The parent stands in another hierarchy than «{tree.row.name}»; choose a node of this one."
        raise refuse(Code.WRONG_HIERARCHY, message, *path)
    return found


def too_deep(tree: Tree, name: str, depth: int, *path: str | int, below: bool = False) -> UserError:
    """The refusal of a place that has no level, for the node itself or for the lowest one below it."""
    last = tree.levels[-1]
    who = f"The lowest node below «{name}»" if below else f"«{name}»"
    message = (
        f"{who} would stand at depth {depth}, but «{tree.row.name}» has {len(tree.levels)} levels,"
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
    await _spread(tree, scope)
    return positions.between(*await _neighbours(scope, position, leaving, *path), count)


async def _spread(tree: Tree, scope: int) -> None:
    """Gives all siblings short keys again. Two statements and one to note it; writes every sibling."""
    siblings = [sibling.id for sibling in await node.siblings(scope)]
    await closure.reorder(dict(zip(siblings, positions.spread(len(siblings)), strict=True)), park=True)
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
        message = f"The node to stand {word} is not one of the other nodes there; choose a sibling."
        raise refuse(Code.NOT_CHILDREN, message, *path, word)
    if position.before is not None:
        return await node.position_before(scope, leaving, sibling.position), sibling.position
    return sibling.position, await node.position_after(scope, leaving, sibling.position)


async def assign(tree: Tree, groups: Sequence[GroupRow], parent: NodeRow | None, keys: Sequence[str]) -> list[int]:
    """Places groups, which the caller has found fit, as new leaves at these positions; returns their nodes."""
    depth = parent.depth + 1 if parent is not None else 1
    nodes = ids.new_keys(len(groups))
    places = [Place(key, parent.id if parent else None, text, depth) for key, text in zip(nodes, keys, strict=True)]
    await closure.attach(tree.key, {key: row.id for key, row in zip(nodes, groups, strict=True)}, places)
    tree.level_counts[depth] += len(groups)
    above = (await node.paths([parent.id]))[parent.id][-1] if parent is not None else None
    for key, row in zip(nodes, groups, strict=True):
        where = f"under «{above}»" if above is not None else "at the top"
        tree.log(
            "GROUP_ASSIGNED",
            f"assigned «{row.name}» {where} in «{tree.row.name}»",
            row.id,
            after={"nodeId": ids.encode(Kind.NODE, key), **_place(parent, above, depth)},
        )
    return list(nodes)


def _place(parent: NodeRow | None, name: str | None, depth: int) -> dict[str, object]:
    return {
        "parentId": None if parent is None else ids.encode(Kind.NODE, parent.id),
        "parent": name,
        "depth": depth,
    }


async def move(tree: Tree, moving: Sequence[NodeRow], parent: NodeRow | None, position: Position) -> None:
    """Moves nodes, none of which is above another, next to one another under a parent. Refuses with TOO_DEEP.

    The caller has looked for cycles. Costs what the subtrees cost; re-ordering one node writes one row.
    """
    scope, depth = tree.scope(parent), parent.depth + 1 if parent is not None else 1
    leaving = [row.id for row in moving]
    names = await _names([*moving, *([parent] if parent else [])])
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
    await _log_moves(tree, moving, parent, names)


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


async def _names(rows: Collection[NodeRow]) -> dict[int, str]:
    """Group → name, for the groups of these nodes. One statement."""
    return {key: row.name for key, row in (await group.by_keys({row.group_id for row in rows})).items()}


async def _log_moves(tree: Tree, moving: Sequence[NodeRow], parent: NodeRow | None, names: Mapping[int, str]) -> None:
    old = await node.by_keys({row.parent_id for row in moving if row.parent_id is not None})
    old_names = await _names(list(old.values()))
    target = names[parent.group_id] if parent is not None else None
    depth = parent.depth + 1 if parent is not None else 1
    for row in moving:
        before = old[row.parent_id] if row.parent_id is not None else None
        source = old_names[before.group_id] if before is not None else None
        if row.scope == tree.scope(parent):
            where = f"under «{target}»" if target is not None else "at the top"
            summary, action = f"re-ordered «{names[row.group_id]}» {where}", "NODES_REORDERED"
        else:
            origin = f"from «{source}»" if source is not None else "from the top"
            goal = f"to «{target}»" if target is not None else "to the top"
            summary, action = f"moved «{names[row.group_id]}» {origin} {goal}", "NODE_MOVED"
        tree.log(
            action,
            f"{summary} in «{tree.row.name}»",
            row.group_id,
            before=_place(before, source, row.depth),
            after=_place(parent, target, depth),
        )


async def unassign(tree: Tree, leaving: Sequence[NodeRow], policy: str, *path: str) -> list[int]:
    """Takes nodes out of the tree; what is below them goes as the policy says. Returns the groups that left.

    Of the groups returned those of `leaving` come first. Refuses with CONFLICT.
    """
    if policy == "REFUSE":
        parents = [row for row in leaving if row.child_count]
        if parents:
            names = await _names(parents)
            raise Refused(
                [
                    user_error(
                        Code.CONFLICT,
                        f"«{names[row.group_id]}» has {row.child_count} children in «{tree.row.name}»; say with"
                        " `children` whether they take its place (PROMOTE) or leave with it (UNASSIGN).",
                        *path,
                    )
                    for row in parents
                ]
            )
    above = await closure.ancestors([row.id for row in leaving])
    if policy == "PROMOTE":
        gone = {row.id: row.group_id for row in leaving}
        await _promote(tree, leaving, above)
    else:
        tops = closure.topmost([row.id for row in leaving], above)
        below = await closure.subtree(tops)
        first = {row.id: row.group_id for row in leaving}
        gone = first | {key: owner for key, owner, _, _ in below if key not in first}
        for _, _, _, depth in below:
            tree.level_counts[depth] -= 1
        await _discount([row for row in leaving if row.id in set(tops)], above)
        await closure.detach(list(gone))
    rows = await group.by_keys(gone.values())
    for owner in gone.values():
        name = rows[owner].name
        tree.log("GROUP_UNASSIGNED", f"unassigned «{name}» in «{tree.row.name}»", owner)
    return list(gone.values())


async def _discount(tops: Sequence[NodeRow], above: Mapping[int, Sequence[int]]) -> None:
    children: Counter[int] = Counter()
    descendants: Counter[int] = Counter()
    for row in tops:
        if row.parent_id is not None:
            children[row.parent_id] -= 1
        for ancestor in above[row.id]:
            descendants[ancestor] -= 1 + row.descendant_count
    await closure.count(children, descendants)


async def _promote(tree: Tree, leaving: Sequence[NodeRow], above: Mapping[int, Sequence[int]]) -> None:
    """Removes nodes whose children take their place, in their order. Some twelve statements."""
    gone = {row.id: row for row in leaving}
    children = await node.children(list(gone))
    child_deltas: Counter[int] = Counter()
    descendant_deltas: Counter[int] = Counter()
    rising: dict[int, list[NodeRow]] = {}
    for row in leaving:
        tree.level_counts[row.depth] -= 1
        for ancestor in above[row.id]:
            if ancestor not in gone:
                descendant_deltas[ancestor] -= 1
        if row.parent_id not in gone:
            rising[row.id] = _rising(row, gone, children)
            if row.parent_id is not None:
                child_deltas[row.parent_id] += len(rising[row.id]) - 1
    for depth, rise, count in await closure.depths_below(list(gone)):
        tree.level_counts[depth] -= count
        tree.level_counts[depth - rise] += count
    keys = await _keys_behind(tree, {key: len(nodes) for key, nodes in rising.items()}, gone)
    places = [
        Place(child.id, gone[key].parent_id, text, gone[key].depth - len(gone.keys() & set(above[key])))
        for key, nodes in rising.items()
        for child, text in zip(nodes, keys[key], strict=True)
    ]
    await closure.count(child_deltas, descendant_deltas)
    await closure.promote(list(gone), places)


async def _keys_behind(tree: Tree, counts: Mapping[int, int], rows: Mapping[int, NodeRow]) -> dict[int, Sequence[str]]:
    """For each node so many keys between itself and its next sibling. One statement, more to spread anew."""

    async def made() -> dict[int, Sequence[str]]:
        neighbours = await node.positions_behind(list(counts))
        return {key: positions.between(*neighbours[key], count) for key, count in counts.items()}

    keys = await made()
    long = {rows[key].scope for key, texts in keys.items() if positions.too_long(texts)}
    for scope in long:
        await _spread(tree, scope)
    return await made() if long else keys


def _rising(row: NodeRow, gone: Mapping[int, NodeRow], children: Mapping[int, Sequence[NodeRow]]) -> list[NodeRow]:
    """The nodes that take the place of one that leaves, those of leaving children in theirs."""
    rising: list[NodeRow] = []
    waiting = list(reversed(children[row.id]))
    while waiting:
        child = waiting.pop()
        if child.id in gone:
            waiting.extend(reversed(children[child.id]))
        else:
            rising.append(child)
    return rising
