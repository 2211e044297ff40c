"""Leaving a tree: nodes are taken out of a locked hierarchy, and what is below them leaves too or takes their place."""

from collections import Counter
from collections.abc import Mapping, Sequence

from service import db, positions
from service.counting import counted
from service.errors import Refused, UserErrorCode, user_error
from service.sessions import Statement
from service.store import closure, group, node
from service.store.closure import Place, Standing
from service.store.node import NodeRow
from service.tree import Spot, Tree, spread_anew

Code = UserErrorCode


async def unassign(tree: Tree, leaving: Sequence[NodeRow], policy: str, *path: str) -> list[int]:
    """Takes nodes out of the tree; what is below them goes as the policy says. Returns the groups that left.

    Of the groups returned those of `leaving` come first. Refuses with CONFLICT. Three statements, some ten to promote.
    """
    if policy == "REFUSE":
        parents = [row for row in leaving if row.child_count]
        if parents:
            await tree.know([row.id for row in parents])
            raise Refused(
                [
                    user_error(
                        Code.CONFLICT,
                        f"«{tree.name_of(row.id)}» has {counted(row.child_count, 'child', 'children')} in"
                        f" «{tree.row.name}»; say with `children` whether they take its place (PROMOTE) or leave with"
                        " it (UNASSIGN).",
                        *path,
                    )
                    for row in parents
                ]
            )
    await tree.know([row.id for row in leaving])
    above = {row.id: tree.above(row.id) for row in leaving}
    gone = [Standing(row.id, row.group_id, row.parent_id, row.depth) for row in leaving]
    risen: list[tuple[NodeRow, Place]] = []
    if policy == "PROMOTE":
        risen = await _promote(tree, leaving, above)
    else:
        tops = closure.topmost([row.id for row in leaving], above)
        below = await closure.subtree(tops)
        named = {row.id for row in leaving}
        gone += [standing for standing in below if standing.node not in named]
        for standing in below:
            tree.level_counts[standing.depth] -= 1
        tree.writes += _discounted([row for row in leaving if row.id in set(tops)], above)
        tree.writes += closure.detached([standing.node for standing in gone])
    await _log(tree, gone, risen)
    return [standing.group for standing in gone]


async def _log(tree: Tree, gone: Sequence[Standing], risen: Sequence[tuple[NodeRow, Place]]) -> None:
    """Notes each node that has left, and each that has come under another parent. One statement, or none."""
    names = {row.group_id: name for line in tree.lines.values() for row, name in zip(*line, strict=True)}
    unknown = {*(standing.group for standing in gone), *(row.group_id for row, _ in risen)} - names.keys()
    if unknown:
        names |= {key: row.name for key, row in (await group.by_keys(unknown)).items()}
    owners = {row.id: row.group_id for line in tree.lines.values() for row in line.nodes}
    owners |= {standing.node: standing.group for standing in gone}

    def spot(parent: int | None, depth: int) -> Spot:
        return Spot(parent, names[owners[parent]] if parent is not None else None, depth)

    for standing in gone:
        name = names[standing.group]
        tree.log_unassigned(standing.node, standing.group, name, spot(standing.parent, standing.depth))
    for row, place in risen:
        before, after = spot(row.parent_id, row.depth), spot(place.parent, place.depth)
        tree.log_moved(row.group_id, names[row.group_id], before, after)


def _discounted(tops: Sequence[NodeRow], above: Mapping[int, Sequence[int]]) -> list[Statement]:
    """What takes subtrees out of the counts above them."""
    children: Counter[int] = Counter()
    descendants: Counter[int] = Counter()
    for row in tops:
        if row.parent_id is not None:
            children[row.parent_id] -= 1
        for ancestor in above[row.id]:
            descendants[ancestor] -= 1 + row.descendant_count
    return closure.counted(children, descendants)


async def _promote(
    tree: Tree, leaving: Sequence[NodeRow], above: Mapping[int, Sequence[int]]
) -> list[tuple[NodeRow, Place]]:
    """Removes nodes whose children take their place, in their order. Returns those with their places."""
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
    risen = [
        (child, Place(child.id, gone[key].parent_id, text, gone[key].depth - len(gone.keys() & set(above[key]))))
        for key, nodes in rising.items()
        for child, text in zip(nodes, keys[key], strict=True)
    ]
    await db.write(*closure.counted(child_deltas, descendant_deltas))
    await closure.promote(list(gone), [place for _, place in risen])
    return risen


async def _keys_behind(tree: Tree, counts: Mapping[int, int], rows: Mapping[int, NodeRow]) -> dict[int, Sequence[str]]:
    """For each node so many keys between itself and its next sibling. One statement, five more to spread anew."""

    async def made() -> dict[int, Sequence[str]]:
        neighbours = await node.positions_behind(list(counts))
        return {key: positions.between(*neighbours[key], count) for key, count in counts.items()}

    keys = await made()
    long = {rows[key].scope for key, texts in keys.items() if positions.too_long(texts)}
    if not long:
        return keys
    await spread_anew(tree, long)
    return await made()


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
