"""Getting a place in a locked tree: groups as new leaves, nodes with all below them elsewhere."""

from collections import Counter
from collections.abc import Mapping, Sequence

from service import db, ids, positions
from service.errors import Refused, UserErrorCode, refuse
from service.ids import Kind
from service.positions import Position
from service.store import closure, node
from service.store.closure import Place
from service.store.group import GroupRow, NewGroup
from service.store.node import NodeRow
from service.store.situation import Line
from service.tree import Goal, Spot, Tree, described, spread_anew, too_deep

Code = UserErrorCode


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
        (question,) = Goal(scope, position, leaving).neighbour()
        other = await db.fetch_value(question.text, *question.arguments)
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
    return f"{await described(tree, row)}, which is not where the node is to go; choose a sibling to stand {word}."
