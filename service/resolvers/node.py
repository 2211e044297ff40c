"""Nodes: a group's place in a hierarchy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from service import groups, leaving, placing, tree
from service.counting import counted
from service.errors import InvalidInput, Refused, UserError, UserErrorCode, refuse, user_error
from service.matching import NodeFilter, Reference
from service.paging import Page, Slice
from service.positions import Position, rearranged, spread, too_long
from service.sessions import Statement
from service.store import chosen, closure, group, hierarchy, node, preorder, walk
from service.store.along import NOTHING, Along
from service.store.group import GroupRow
from service.store.hierarchy import LevelRow
from service.store.node import NodeRow
from service.tree import Goal, Tree

Code = UserErrorCode
LARGEST_SELECTION = 1_000
EVERYTHING = NodeFilter()
COUNTS = Along(node=("child_count", "descendant_count"))


async def by_key(keys: Sequence[int], along: Along = NOTHING) -> list[NodeRow | None]:
    """The node with each key."""
    found = await node.by_keys(keys, along)
    return [found.get(key) for key in keys]


async def of_groups(keys: Sequence[int], along: Along = NOTHING) -> list[list[NodeRow]]:
    """Where each group stands, by hierarchy name."""
    found = await node.of_groups(keys, along)
    return [found[key] for key in keys]


async def of_customers(
    customers: Sequence[int], within: Reference | None, along: Along = NOTHING
) -> list[list[NodeRow]]:
    """Where each customer's groups stand, in one hierarchy or in all."""
    key = None
    if within is not None:
        row = await _hierarchy(within)
        if row is None:
            return [[] for _ in customers]
        key = row
    found = await node.of_customers(customers, key, along)
    return [found[customer] for customer in customers]


async def of_group_in(hierarchies: Sequence[int], reference: Reference) -> list[NodeRow | None]:
    """The node at which a group stands in each hierarchy."""
    row = await group.by_reference(reference)
    found = await node.of_group_in(hierarchies, row.id) if row is not None else {}
    return [found.get(key) for key in hierarchies]


async def ancestors(nodes: Sequence[int], along: Along = NOTHING) -> list[list[NodeRow]]:
    """From the root down to each node's parent."""
    found = await node.ancestors(nodes, along)
    return [found[key] for key in nodes]


async def path(nodes: Sequence[int]) -> list[list[str]]:
    """Group names from the root down to each node itself."""
    found = await node.paths(nodes)
    return [found[key] for key in nodes]


async def index(nodes: Sequence[int]) -> list[int]:
    """Each node's place among its siblings, from 0."""
    found = await node.indexes(nodes)
    return [found[key] for key in nodes]


async def children(scopes: Sequence[int], page: Page, along: Along = NOTHING) -> list[Slice[NodeRow]]:
    """A page of the children of each node (its key), or of the roots of each hierarchy (minus its key)."""
    return await node.page_of_children(scopes, page, along)


async def child_counts(scopes: Sequence[int]) -> list[int]:
    """How many children each node (its key) has, or how many roots each hierarchy (minus its key)."""
    rows, levels = await _of_both_kinds(scopes)
    return [rows[key].child_count if key > 0 else levels[-key][0].node_count for key in scopes]


async def _of_both_kinds(listings: Sequence[int]) -> tuple[dict[int, NodeRow], dict[int, list[LevelRow]]]:
    """The nodes among the listings and the levels of the hierarchies; a document may ask for both at once."""
    nodes, hierarchies = [key for key in listings if key > 0], [-key for key in listings if key < 0]
    rows = await node.by_keys(nodes, COUNTS) if nodes else {}
    return rows, await hierarchy.levels(hierarchies) if hierarchies else {}


async def in_display_order(
    listings: Sequence[int], page: Page, filter: NodeFilter, max_depth: int | None, along: Along = NOTHING
) -> list[Slice[NodeRow]]:
    """A page of all nodes below each node (its key), or of each hierarchy (minus its key).

    Costs the page where everything is shown, the nodes passed for a level, a depth or the active groups, and all
    nodes that are chosen for a search or the inactive groups.
    """
    if max_depth is not None and max_depth < 1:
        raise InvalidInput(f"`maxDepth` counts from 1; {max_depth} was asked for.")
    if filter == EVERYTHING and max_depth is None:
        return await preorder.page(listings, page, along)
    if filter == EVERYTHING and max_depth == 1:
        return await node.page_of_children(listings, page, along)
    if filter.search is not None or filter.status == "INACTIVE":
        return await chosen.page(listings, page, filter, max_depth)
    return await walk.page(listings, page, filter, max_depth)


async def chosen_counts(listings: Sequence[int], filter: NodeFilter, max_depth: int | None) -> list[int]:
    """How many nodes `in_display_order` has in all for each listing."""
    if max_depth is None and filter == EVERYTHING:
        rows, levels = await _of_both_kinds(listings)
        return [
            rows[key].descendant_count if key > 0 else sum(level.node_count for level in levels[-key])
            for key in listings
        ]
    return await chosen.totals(listings, filter, max_depth)


async def _hierarchy(reference: Reference) -> int | None:
    if reference.key is not None:
        return reference.key
    row = await hierarchy.by_name(str(reference.name))
    return row.id if row is not None else None


# ───────────────────────────────────────────── writing ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Placed:
    """The answer to assigning, moving and re-ordering, by keys."""

    hierarchy: int
    nodes: list[int]
    previous_parent: int | None = None
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Unassigned:
    """The answer to unassigning, by keys: the groups named first, then those that left with them."""

    hierarchy: int
    groups: list[int]


async def assign(
    hierarchy_key: int,
    references: Sequence[Reference],
    parent_key: int | None,
    position: Position,
    expected_version: int | None,
    paths: Sequence[tuple[str, ...]],
) -> Placed:
    """Assigns groups next to one another; `paths` tells where each lies in the input.

    Refuses with NOT_FOUND, WRONG_HIERARCHY, STALE, GROUP_INACTIVE, ALREADY_ASSIGNED, INVALID (the same group
    twice), TOO_DEEP, NOT_CHILDREN and OUT_OF_RANGE.
    """
    _check_selection(references, "groups")
    goal = Goal(parent_key if parent_key is not None else -hierarchy_key, position)
    locked = await tree.lock(hierarchy_key, expected_version, goal=goal)
    found = await group.by_references(references)
    held, standing = await group.hold_for(locked.key, [row.id for row in found if row is not None])
    rows = [held.get(row.id) if row is not None else None for row in found]
    errors = _unfit(locked, references, rows, standing, paths)
    parent = None
    keys: Sequence[str] = []
    try:
        parent = await tree.parent_of(locked, parent_key, "parentId")
        keys = await placing.positions_at(locked, locked.scope(parent), position, len(rows), [], "position")
    except Refused as refused:
        errors += refused.errors
    depth = parent.depth + 1 if parent is not None else 1
    if depth > len(locked.levels):
        errors += [tree.too_deep(locked, row.name, depth, "parentId") for row in rows[:1] if row is not None]
    if errors:
        raise Refused(errors)
    nodes = await placing.assign(locked, [row for row in rows if row is not None], parent, keys)
    await locked.finish()
    return Placed(locked.key, nodes)


def _unfit(
    locked: Tree,
    references: Sequence[Reference],
    rows: Sequence[GroupRow | None],
    standing: Collection[int],
    paths: Sequence[tuple[str, ...]],
) -> list[UserError]:
    errors: list[UserError] = []
    seen: set[int] = set()
    for reference, row, where in zip(references, rows, paths, strict=True):
        if row is None:
            errors.append(user_error(Code.NOT_FOUND, groups.unknown(reference), *where))
            continue
        if row.id in seen:
            message = f"«{row.name}» ({row.code}) is named twice; name it once."
            errors.append(user_error(Code.INVALID, message, *where))
        seen.add(row.id)
        if row.status != "ACTIVE":
            message = f"«{row.name}» ({row.code}) is inactive; make it active before it is assigned."
            errors.append(user_error(Code.GROUP_INACTIVE, message, *where))
        if row.id in standing:
            message = f"«{row.name}» ({row.code}) already stands in «{locked.row.name}»; move its node instead."
            errors.append(user_error(Code.ALREADY_ASSIGNED, message, *where))
    return errors


async def move(
    keys: Sequence[int],
    parent_key: int | None,
    position: Position,
    expected_version: int | None,
    *,
    stay: bool,
    path: str,
) -> Placed:
    """Moves nodes with all below them next to one another; `stay`: under the parent that they have.

    Of a node and one of its ancestors both named, the ancestor moves and takes the other along. Refuses with
    NOT_FOUND, WRONG_HIERARCHY, STALE, CYCLE, TOO_DEEP, NOT_CHILDREN, OUT_OF_RANGE and, where nodes of
    different parents are to stay, INVALID.
    """
    _check_selection(keys, path)
    goal = Goal(None if stay else parent_key, position, list(dict.fromkeys(keys)))
    # Who stays under his parent stays on his level.
    locked = await tree.lock_of_nodes(keys, expected_version, path, goal, levels=not stay)
    named = await tree.nodes_of(locked, goal.leaving, path)
    tops = set(closure.topmost(goal.leaving, {row.id: locked.above(row.id) for row in named}))
    moving = [row for row in named if row.id in tops]
    if stay:
        if len({row.scope for row in moving}) > 1:
            message = "These nodes stand under different parents; say with `parentId` under which they go."
            raise refuse(Code.INVALID, message, "parentId")
        parent_key = moving[0].parent_id
    parent = await tree.parent_of(locked, parent_key, "parentId")
    _check_cycle(locked, moving, parent)
    await placing.move(locked, moving, parent, position)
    await locked.finish()
    return Placed(locked.key, [row.id for row in moving], previous_parent=moving[0].parent_id)


def _check_cycle(locked: Tree, moving: Sequence[NodeRow], parent: NodeRow | None) -> None:
    if parent is None:
        return
    line = {parent.id, *locked.above(parent.id)}
    top = next((row for row in moving if row.id in line), None)
    if top is not None:
        moved, target = locked.name_of(top.id), locked.name_of(parent.id)
        message = (
            f"«{moved}» cannot be moved under itself; choose a parent outside of its subtree."
            if moved == target
            else f"«{moved}» cannot be moved under «{target}», which stands below it; choose a parent outside of"
            f" the subtree of «{moved}», or move «{target}» out of it first."
        )
        raise refuse(Code.CYCLE, message, "parentId")


async def reorder(
    hierarchy_key: int, parent_key: int | None, child_keys: Sequence[int], expected_version: int | None
) -> Placed:
    """Puts all children of a parent, or all roots, into this order; writes only those that change their place.

    Refuses with NOT_FOUND, WRONG_HIERARCHY, STALE and NOT_CHILDREN.
    """
    scope = parent_key if parent_key is not None else -hierarchy_key
    others = [Statement(node.SIBLINGS, ([scope],))]
    locked = await tree.lock(hierarchy_key, expected_version, goal=Goal(scope), others=others)
    parent = await tree.parent_of(locked, parent_key, "parentId")
    siblings = {row.id: row for row in map(NodeRow._make, locked.others[0])}
    owner = locked.name_of(parent.id) if parent is not None else None
    where = f"under «{owner}»" if owner is not None else "at the top"
    errors = []
    seen: set[int] = set()
    for place, key in enumerate(child_keys):
        if key not in siblings:
            message = f"The node in place {place} of childIds does not stand {where} in «{locked.row.name}»."
            errors.append(user_error(Code.NOT_CHILDREN, message, "childIds", place))
        elif key in seen:
            message = f"The node in place {place} of childIds is named twice."
            errors.append(user_error(Code.NOT_CHILDREN, message, "childIds", place))
        seen.add(key)
    if not errors and len(child_keys) != len(siblings):
        standing = counted(len(siblings), "node stands", "nodes stand")
        message = f"{standing} {where}, but childIds names {len(child_keys)}; name each once."
        errors.append(user_error(Code.NOT_CHILDREN, message, "childIds"))
    if errors:
        raise Refused(errors[:100])
    before = [siblings[key].position for key in child_keys]
    after: Sequence[str] = rearranged(before)
    if too_long(after):
        after = spread(len(before))
        await hierarchy.spread_anew(locked.key)
    changed = {key: new for key, old, new in zip(child_keys, before, after, strict=True) if old != new}
    if changed:
        if len(changed) > 1:
            await closure.park(changed)
        locked.writes.append(closure.ordered(changed))
    locked.log(
        "NODES_REORDERED",
        f"re-ordered the {counted(len(siblings), 'node', 'nodes')} {where} in «{locked.row.name}»",
        parent.group_id if parent is not None else None,
    )
    await locked.finish()
    return Placed(locked.key, [], parent=parent_key)


async def unassign(keys: Sequence[int], policy: str, expected_version: int | None, path: str) -> Unassigned:
    """Takes nodes out of their hierarchy; what is below them goes as the policy says.

    Refuses with NOT_FOUND, WRONG_HIERARCHY, STALE and CONFLICT.
    """
    _check_selection(keys, path)
    locked = await tree.lock_of_nodes(keys, expected_version, path)
    rows = await tree.nodes_of(locked, list(dict.fromkeys(keys)), path)
    left = await leaving.unassign(locked, rows, policy, "children")
    await locked.finish()
    return Unassigned(locked.key, left)


def _check_selection(selected: Sequence[object], path: str) -> None:
    if not selected:
        raise refuse(Code.REQUIRED, "Name at least one.", path)
    if len(selected) > LARGEST_SELECTION:
        message = f"At most {LARGEST_SELECTION:,} at once; {len(selected):,} were named."
        raise refuse(Code.OUT_OF_RANGE, message, path)
