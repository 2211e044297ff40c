"""The tree algebra: set-based statements over node.parent_id and the closure table derived from it.

Each function runs a fixed number of statements, whatever the size of what it moves, or returns them, for its caller
to run together with others (`db.write`). All of them expect the lock on the hierarchy (store/situation.py) and leave
the counts of levels and versions to their caller.

A scope is where siblings stand: the key of their parent or, for roots, minus the key of their hierarchy.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from service import db
from service.dialects import rows
from service.sessions import Returned, Statement
from service.store.node import WRITTEN

FEW = 20


class Place(NamedTuple):
    """Where a node is to stand: below `parent` (None: a root), at `position` among its siblings, at `depth`."""

    node: int
    parent: int | None
    position: str
    depth: int


class Standing(NamedTuple):
    """Where a node stands: whose it is, below which other one (None: a root), how deep."""

    node: int
    group: int
    parent: int | None
    depth: int


ANCESTORS = """
    -- Upward from each node: its ancestors with their distances, itself left out, nearest first.
    SELECT descendant_id, ancestor_id, distance FROM closure
    WHERE descendant_id = ANY($1::bigint[]) AND distance > 0
    ORDER BY descendant_id, distance
"""

HEIGHTS = """
    -- How many nodes stand at each distance below each node, itself (distance 0) included.
    SELECT ancestor_id, distance, count(*) FROM closure
    WHERE ancestor_id = ANY($1::bigint[])
    GROUP BY ancestor_id, distance
"""

INSERT_NODES = """
    -- New leaves.
    INSERT INTO node (id, hierarchy_id, group_id, parent_id, position, depth)
    SELECT place.id, $1, place.group_id, place.parent_id, place.position, place.depth
    FROM rows($2: id bigint, group_id bigint, parent_id bigint, position text, depth int) AS place
"""

INSERT_PAIRS = """
    -- A new leaf is below itself, below its parent and below all that its parent is below.
    INSERT INTO closure (ancestor_id, descendant_id, distance)
    SELECT place.id, place.id, 0 FROM rows($1: id bigint, parent_id bigint) AS place
    UNION ALL
    SELECT up.ancestor_id, place.id, up.distance + 1
    FROM rows($1: id bigint, parent_id bigint) AS place
    JOIN closure AS up ON up.descendant_id = place.parent_id
"""

EXCHANGE = """
    -- Moved subtrees come below $3 instead of $2, at the same distance from their tops. In place: to delete these
    -- rows and insert others takes two thirds longer. They are found and written in the order of the index by
    -- ancestor, in which those of one ancestor stand side by side: else it takes a quarter longer.
    UPDATE closure SET ancestor_id = $3
    FROM (
        SELECT descendant_id FROM closure WHERE ancestor_id = ANY($1::bigint[]) ORDER BY descendant_id
    ) AS down
    WHERE closure.ancestor_id = $2 AND closure.descendant_id = down.descendant_id
"""

CUT = """
    -- Takes the moved subtrees out from under their old ancestors. A pair that the new place has at the same
    -- distance stays: a move between two parents of one level writes none of the rows of what they share.
    DELETE FROM closure WHERE (ancestor_id, descendant_id) IN (
        SELECT up.ancestor_id, down.descendant_id
        FROM rows($1: id bigint, parent_id bigint) AS place
        JOIN closure AS up ON up.descendant_id = place.id AND up.distance > 0
        JOIN closure AS down ON down.ancestor_id = place.id
        WHERE NOT EXISTS (
            SELECT 1 FROM closure AS kept
            WHERE kept.ancestor_id = up.ancestor_id AND kept.descendant_id = place.parent_id
              AND kept.distance + 1 = up.distance
        )
    )
"""

GRAFT = """
    -- Puts the moved subtrees under their new ancestors, except where the pair has stayed.
    INSERT INTO closure (ancestor_id, descendant_id, distance)
    SELECT up.ancestor_id, down.descendant_id, up.distance + 1 + down.distance
    FROM rows($1: id bigint, parent_id bigint) AS place
    JOIN closure AS up ON up.descendant_id = place.parent_id
    JOIN closure AS down ON down.ancestor_id = place.id
    WHERE NOT EXISTS (
        SELECT 1 FROM closure AS kept
        WHERE kept.ancestor_id = up.ancestor_id AND kept.descendant_id = place.id
    )
"""

PARK = """
    -- Positions that cannot be in the way of the ones to come.
    UPDATE node SET position = '~' || CAST(id AS text) WHERE id = ANY($1::bigint[])
"""

PLACE = """
    -- The one row of each moved node; depth and parent change together, as a check asks.
    UPDATE node SET parent_id = place.parent_id, position = place.position, depth = place.depth
    FROM rows($1: id bigint, parent_id bigint, position text, depth int) AS place
    WHERE node.id = place.id
"""

POSITION = """
    -- Re-ordering writes the position alone, and with it no reference to be checked.
    UPDATE node SET position = place.position
    FROM rows($1: id bigint, position text) AS place
    WHERE node.id = place.id
"""

SHIFT_DEPTH = """
    -- What is below a moved node rises or sinks with it.
    UPDATE node SET depth = node.depth + place.shift
    FROM rows($1: id bigint, shift int) AS place
    JOIN closure AS down ON down.ancestor_id = place.id AND down.distance > 0
    WHERE node.id = down.descendant_id
"""

COUNT = """
    -- The kept counts of the nodes above what has come or gone.
    UPDATE node
    SET child_count = child_count + delta.children, descendant_count = descendant_count + delta.descendants
    FROM rows($1: id bigint, children int, descendants int) AS delta
    WHERE node.id = delta.id
"""

SUBTREE = """
    -- Every node of the subtrees of these nodes, tops first.
    SELECT node.id, node.group_id, node.parent_id, node.depth
    FROM closure AS down JOIN node ON node.id = down.descendant_id
    WHERE down.ancestor_id = ANY($1::bigint[])
    ORDER BY down.distance, down.ancestor_id, COALESCE(node.parent_id, -node.hierarchy_id), node.position
"""

DELETE_PAIRS = """
    -- Every pair in which one of these nodes stands.
    DELETE FROM closure WHERE descendant_id = ANY($1::bigint[]) OR ancestor_id = ANY($1::bigint[])
"""

DELETE_NODES = """
    DELETE FROM node WHERE id = ANY($1::bigint[])
"""

BELOW_BY_DEPTH = """
    -- Of the nodes that stay below the ones that go: how many at each depth lose how many ancestors.
    SELECT node.depth, gone.count, count(*)
    FROM (
        SELECT descendant_id, count(*) AS count FROM closure
        WHERE ancestor_id = ANY($1::bigint[]) AND distance > 0
        GROUP BY descendant_id
    ) AS gone
    JOIN node ON node.id = gone.descendant_id
    WHERE NOT node.id = ANY($1::bigint[])
    GROUP BY node.depth, gone.count
"""

RISE_BELOW = """
    -- The nodes below the promoted ones rise by as many levels as they lose ancestors; the promoted ones
    -- themselves ($2) have their depth set with their parent.
    UPDATE node SET depth = node.depth - gone.count
    FROM (
        SELECT descendant_id, count(*) AS count FROM closure
        WHERE ancestor_id = ANY($1::bigint[]) AND distance > 0
        GROUP BY descendant_id
    ) AS gone
    WHERE node.id = gone.descendant_id AND NOT node.id = ANY($1::bigint[]) AND NOT node.id = ANY($2::bigint[])
"""

SHORTEN = """
    -- Pairs with a leaving node between them come nearer by the number of those. The new distances are
    -- written a thousand too large first, so that no two of one descendant are ever equal.
    UPDATE closure SET distance = closure.distance - gone.count + 1000
    FROM (
        SELECT up.ancestor_id, down.descendant_id, count(*) AS count
        FROM closure AS up JOIN closure AS down ON down.ancestor_id = up.descendant_id
        WHERE up.descendant_id = ANY($1::bigint[]) AND up.distance > 0 AND down.distance > 0
          AND NOT up.ancestor_id = ANY($1::bigint[]) AND NOT down.descendant_id = ANY($1::bigint[])
        GROUP BY up.ancestor_id, down.descendant_id
    ) AS gone
    WHERE closure.ancestor_id = gone.ancestor_id AND closure.descendant_id = gone.descendant_id
"""

SETTLE = """
    -- The second half of SHORTEN, below the promoted nodes.
    UPDATE closure SET distance = distance - 1000
    WHERE distance >= 1000 AND descendant_id IN (
        SELECT descendant_id FROM closure WHERE ancestor_id = ANY($1::bigint[])
    )
"""


async def ancestors(nodes: Collection[int]) -> dict[int, list[int]]:
    """The ancestors of each node, nearest first; an empty list for a root or an unknown key. One statement."""
    found: dict[int, list[int]] = {node: [] for node in nodes}
    for descendant, ancestor, _ in await db.fetch(ANCESTORS, list(nodes)):
        found[descendant].append(ancestor)
    return found


async def heights(nodes: Collection[int]) -> dict[int, Counter[int]]:
    """For each node how many nodes stand at each distance below it, itself at 0. One statement; reads the subtrees."""
    found: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for ancestor, distance, count in await db.fetch(HEIGHTS, list(nodes)):
        found[ancestor][distance] = count
    return found


def attached(
    hierarchy: int, groups: Mapping[int, int], places: Sequence[Place], above: Sequence[int]
) -> list[Statement]:
    """What inserts new leaves, node → group, all below one parent; `above` is that parent and all above it."""
    values = [
        {
            "id": place.node,
            "group_id": groups[place.node],
            "parent_id": place.parent,
            "position": place.position,
            "depth": place.depth,
        }
        for place in places
    ]
    pairs = [{"id": place.node, "parent_id": place.parent} for place in places]
    return [
        Statement(INSERT_NODES, (hierarchy, rows(values)), _returned(places)),
        Statement(INSERT_PAIRS, (rows(pairs),)),
        *counted(dict.fromkeys(above[:1], len(places)), dict.fromkeys(above, len(places))),
    ]


def exchanged(nodes: Sequence[int], old: Sequence[int], new: Sequence[int]) -> list[Statement]:
    """What brings the subtrees of siblings from below one line of ancestors to below another one of equal length.

    Both lines begin with the parent. What they share is not written.
    """
    return [
        Statement(EXCHANGE, (nodes, before, after)) for before, after in zip(old, new, strict=True) if before != after
    ]


async def cut(places: Sequence[Place]) -> None:
    """Takes subtrees out from under their old ancestors; `grafted` comes next. Costs what they cost. One statement."""
    await db.fetch(CUT, _pairs(places))


def grafted(places: Sequence[Place], shifts: Mapping[int, int]) -> list[Statement]:
    """What puts subtrees that were cut under their new ancestors; `shifts`: node → how much deeper it comes to stand.

    No place may lie in a moved subtree.
    """
    sinking = [{"id": node, "shift": shift} for node, shift in shifts.items() if shift]
    return [
        Statement(GRAFT, (_pairs(places),)),
        *([Statement(SHIFT_DEPTH, (rows(sinking),))] if sinking else []),
    ]


def _pairs(places: Sequence[Place]) -> str:
    return rows([{"id": place.node, "parent_id": place.parent} for place in places])


async def park(nodes: Collection[int]) -> None:
    """Gives nodes positions that are in the way of none to come; needed where several change places. One statement."""
    await db.fetch(PARK, list(nodes))


def ordered(positions: Mapping[int, str]) -> Statement:
    """What gives nodes new positions under the parents they have: one row a node."""
    values = [{"id": node, "position": text} for node, text in positions.items()]
    return Statement(POSITION, (rows(values),), _returned(values))


async def reorder(positions: Mapping[int, str], *, park: bool) -> None:
    """Gives nodes new positions under the parents they have: one row a node, one statement, two with `park`."""
    if park:
        await db.fetch(PARK, list(positions))
    await db.write(ordered(positions))


async def subtree(tops: Collection[int]) -> list[Standing]:
    """Every node in the subtrees, tops first. One statement."""
    return [Standing._make(row) for row in await db.fetch(SUBTREE, list(tops))]


def detached(nodes: Collection[int]) -> list[Statement]:
    """What removes nodes that, together, have no node below them but themselves."""
    return [Statement(DELETE_PAIRS, (list(nodes),)), Statement(DELETE_NODES, (list(nodes),))]


async def depths_below(nodes: Collection[int]) -> Sequence[tuple[int, int, int]]:
    """(depth, rise, count) of the nodes that would rise if these left and their children took their place."""
    return [tuple(row) for row in await db.fetch(BELOW_BY_DEPTH, list(nodes))]


async def promote(leaving: Collection[int], places: Sequence[Place]) -> None:
    """Removes nodes whose children take their place: `places` names the new one of every child that stays.

    Five statements. Costs what is below the leaving nodes.
    """
    gone = list(leaving)
    risen = [place.node for place in places]
    if risen:
        await db.fetch(RISE_BELOW, gone, risen)
        await db.fetch(SHORTEN, gone)
        await place(places)
    await db.write(*detached(gone))
    if risen:
        await db.fetch(SETTLE, risen)


async def place(places: Sequence[Place]) -> None:
    """Writes the parent, position and depth of nodes, and nothing that is derived from them. One statement."""
    await db.write(placed(places))


def placed(places: Sequence[Place]) -> Statement:
    """What `place` runs."""
    values = [{"id": one.node, "parent_id": one.parent, "position": one.position, "depth": one.depth} for one in places]
    return Statement(PLACE, (rows(values),), _returned(values))


def _returned(written: Sequence[object]) -> Returned | None:
    """A few nodes are told of as they stand now: they are what the answer is about."""
    return WRITTEN if len(written) <= FEW else None


def counted(children: Mapping[int, int], descendants: Mapping[int, int]) -> list[Statement]:
    """What adds to the kept counts: node → how many children, node → how many descendants more."""
    deltas = [
        {"id": node, "children": children.get(node, 0), "descendants": descendants.get(node, 0)}
        for node in {**children, **descendants}
        if children.get(node, 0) or descendants.get(node, 0)
    ]
    return [Statement(COUNT, (rows(deltas),))] if deltas else []


def topmost(nodes: Iterable[int], above: Mapping[int, Sequence[int]]) -> list[int]:
    """The nodes that have none of the others above them, in their order and once each."""
    named = set(nodes := list(dict.fromkeys(nodes)))
    return [node for node in nodes if named.isdisjoint(above[node])]
