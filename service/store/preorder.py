"""Display order: each parent before its children, siblings in their own order, a page at a time.

A page costs what the page costs, wherever it lies: the walk starts at the cursor's place and steps over whole
subtrees by their kept numbers of descendants. Every row has a rank, its distance in rows from the page's near
end, known before the row is read; nothing with a rank beyond the page is visited.

A cursor holds the chain of nodes from the listing's top down to its row, each with its position. The page
behind it is made of the row's own descendants, then of the siblings that follow it, then of those that follow
its parent, and so on up: each a `Step`. The page before it goes the same way backward and takes the parents in.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from service import db
from service.dialects import Forms, rows
from service.errors import InvalidInput
from service.paging import MANGLED, Page, Slice, cut, decode_cursor, encode_cursor
from service.store.node import COLUMNS, NODE, SCOPE, NodeRow

# Before every position, and behind every one (a parked position begins with a single tilde).
LOWEST, HIGHEST = "", "~~"

Link = tuple[int, str]


class Standing(NamedTuple):
    """Where a node of a cursor's chain stands now, and how often siblings were spread anew in its hierarchy."""

    scope: int
    position: str
    spread: int


class Step(NamedTuple):
    """Siblings to walk: those of `scope` beyond `position`, and (backward) then the node `above` them."""

    listing: int
    number: int
    scope: int
    position: str
    above: int | None


FORWARD = Forms(
    postgres=f"""
        -- $1 steps, $2 the number of rows. A sibling's rank is the sum of the subtrees before it. Rows are carried
        -- along, not joined at the end: not knowing how few they are, the planner would read all nodes for that.
        WITH RECURSIVE
        start AS (
            SELECT step.listing, sibling.*,
                sum(1 + sibling.descendant_count) OVER so_far - (1 + sibling.descendant_count) AS rank
            FROM rows($1: listing bigint, number int, scope bigint, position text) AS step
            CROSS JOIN LATERAL (
                SELECT {NODE} FROM node
                WHERE {SCOPE.format("node")} = step.scope AND node.position > step.position
                ORDER BY node.position LIMIT $2
            ) AS sibling
            WINDOW so_far AS (
                PARTITION BY step.listing ORDER BY step.number, sibling.position ROWS UNBOUNDED PRECEDING
            )
        ),
        walk AS (
            SELECT * FROM start WHERE start.rank < $2
            UNION ALL
            SELECT walk.listing, child.* FROM walk CROSS JOIN LATERAL (
                SELECT {NODE}, walk.rank + 1 - (1 + node.descendant_count)
                    + sum(1 + node.descendant_count) OVER (ORDER BY node.position ROWS UNBOUNDED PRECEDING) AS rank
                FROM (
                    SELECT * FROM node AS n WHERE walk.child_count > 0 AND {SCOPE.format("n")} = walk.id
                    ORDER BY n.position LIMIT $2 - walk.rank
                ) AS node
            ) AS child
            WHERE child.rank < $2
        )
        SELECT walk.listing, {COLUMNS.format("walk")} FROM walk ORDER BY walk.rank
    """,
    sqlite=f"""
        -- The same by first children and next siblings, since SQLite has no LATERAL. The plus in +walk.id takes
        -- the type of the column away: only so does SQLite use the index on the scope, an expression without one.
        WITH RECURSIVE
        step AS (SELECT * FROM rows($1: listing bigint, number int, scope bigint, position text) AS step),
        start AS (
            SELECT listing, number,
                (
                    SELECT node.id FROM node
                    WHERE {SCOPE.format("node")} = step.scope AND node.position > step.position
                    ORDER BY node.position LIMIT 1
                ) AS id,
                (
                    SELECT COALESCE(sum(size), 0) FROM (
                        SELECT 1 + node.descendant_count AS size FROM node
                        WHERE {SCOPE.format("node")} = step.scope AND node.position > step.position
                        ORDER BY node.position LIMIT $2
                    )
                ) AS size
            FROM step
        ),
        ranked AS (
            SELECT listing, id,
                sum(size) OVER (PARTITION BY listing ORDER BY number ROWS UNBOUNDED PRECEDING) - size AS rank
            FROM start
        ),
        walk AS (
            SELECT ranked.listing, ranked.rank, {NODE}
            FROM ranked JOIN node ON node.id = ranked.id WHERE ranked.rank < $2
            UNION ALL
            SELECT walk.listing, walk.rank + 1, {NODE}
            FROM walk JOIN node ON node.id = (
                SELECT first.id FROM node AS first
                WHERE {SCOPE.format("first")} = +walk.id ORDER BY first.position LIMIT 1
            )
            WHERE walk.child_count > 0 AND walk.rank + 1 < $2
            UNION ALL
            SELECT walk.listing, walk.rank + 1 + walk.descendant_count, {NODE}
            FROM walk JOIN node ON node.id = (
                SELECT next.id FROM node AS next
                WHERE {SCOPE.format("next")} = {SCOPE.format("walk")} AND next.position > walk.position
                ORDER BY next.position LIMIT 1
            )
            WHERE walk.rank + 1 + walk.descendant_count < $2
        )
        SELECT walk.listing, {COLUMNS.format("walk")} FROM walk ORDER BY walk.rank
    """,
)

BACKWARD = Forms(
    postgres=f"""
        -- The same from the end: a subtree's rows come last child first, its own node after all of them.
        WITH RECURSIVE
        step AS (
            SELECT * FROM rows($1: listing bigint, number int, scope bigint, position text, above bigint) AS step
        ),
        item AS (
            SELECT step.listing, step.number, 0 AS turn, sibling.*, 1 + sibling.descendant_count AS size
            FROM step CROSS JOIN LATERAL (
                SELECT {NODE} FROM node
                WHERE {SCOPE.format("node")} = step.scope AND node.position < step.position
                ORDER BY node.position DESC LIMIT $2
            ) AS sibling
            UNION ALL
            SELECT step.listing, step.number, 1, {NODE}, 1 FROM step JOIN node ON node.id = step.above
        ),
        start AS (
            SELECT item.listing, item.turn, {COLUMNS.format("item")}, sum(item.size) OVER so_far - item.size AS base
            FROM item
            WINDOW so_far AS (
                PARTITION BY item.listing
                ORDER BY item.number, item.turn, item.position DESC ROWS UNBOUNDED PRECEDING
            )
        ),
        walk AS (
            SELECT * FROM start WHERE start.base < $2
            UNION ALL
            SELECT walk.listing, 0, child.* FROM walk CROSS JOIN LATERAL (
                SELECT {NODE}, walk.base - (1 + node.descendant_count)
                    + sum(1 + node.descendant_count) OVER (ORDER BY node.position DESC ROWS UNBOUNDED PRECEDING)
                    AS base
                FROM (
                    SELECT * FROM node AS n
                    WHERE walk.turn = 0 AND walk.child_count > 0 AND {SCOPE.format("n")} = walk.id
                    ORDER BY n.position DESC LIMIT $2 - walk.base
                ) AS node
            ) AS child
            WHERE child.base < $2
        ),
        ranked AS (
            SELECT walk.*, walk.base + CASE WHEN walk.turn = 0 THEN walk.descendant_count ELSE 0 END AS rank
            FROM walk
        )
        SELECT ranked.listing, {COLUMNS.format("ranked")} FROM ranked WHERE ranked.rank < $2 ORDER BY ranked.rank
    """,
    sqlite=f"""
        -- The same by last children and previous siblings; for the plus in +walk.id see there.
        WITH RECURSIVE
        step AS (
            SELECT * FROM rows($1: listing bigint, number int, scope bigint, position text, above bigint) AS step
        ),
        start AS (
            SELECT listing, number, 0 AS turn,
                (
                    SELECT node.id FROM node
                    WHERE {SCOPE.format("node")} = step.scope AND node.position < step.position
                    ORDER BY node.position DESC LIMIT 1
                ) AS id,
                (
                    SELECT COALESCE(sum(size), 0) FROM (
                        SELECT 1 + node.descendant_count AS size FROM node
                        WHERE {SCOPE.format("node")} = step.scope AND node.position < step.position
                        ORDER BY node.position DESC LIMIT $2
                    )
                ) AS size
            FROM step
            UNION ALL
            SELECT listing, number, 1, node.id, 1 FROM step JOIN node ON node.id = step.above
        ),
        based AS (
            SELECT listing, id, turn,
                sum(size) OVER (PARTITION BY listing ORDER BY number, turn ROWS UNBOUNDED PRECEDING) - size AS base
            FROM start
        ),
        walk AS (
            SELECT based.listing, based.turn, based.base, {NODE}
            FROM based JOIN node ON node.id = based.id WHERE based.base < $2
            UNION ALL
            SELECT walk.listing, 0, walk.base, {NODE}
            FROM walk JOIN node ON node.id = (
                SELECT last.id FROM node AS last
                WHERE {SCOPE.format("last")} = +walk.id ORDER BY last.position DESC LIMIT 1
            )
            WHERE walk.turn = 0 AND walk.child_count > 0
            UNION ALL
            SELECT walk.listing, 0, walk.base + 1 + walk.descendant_count, {NODE}
            FROM walk JOIN node ON node.id = (
                SELECT previous.id FROM node AS previous
                WHERE {SCOPE.format("previous")} = {SCOPE.format("walk")} AND previous.position < walk.position
                ORDER BY previous.position DESC LIMIT 1
            )
            WHERE walk.turn = 0 AND walk.base + 1 + walk.descendant_count < $2
        ),
        ranked AS (
            SELECT walk.*, walk.base + CASE WHEN walk.turn = 0 THEN walk.descendant_count ELSE 0 END AS rank
            FROM walk
        )
        SELECT ranked.listing, {COLUMNS.format("ranked")} FROM ranked WHERE ranked.rank < $2 ORDER BY ranked.rank
    """,
)

CHAIN_NOW = f"""
    -- The nodes of a cursor's chain that there still are: where they stand, and how often siblings were
    -- spread anew in their hierarchy.
    SELECT node.id, {SCOPE.format("node")}, node.position, hierarchy.spread
    FROM node JOIN hierarchy ON hierarchy.id = node.hierarchy_id
    WHERE node.id = ANY($1::bigint[])
"""

CHAINS = """
    -- The nodes above each node with their positions, from the root down.
    SELECT up.descendant_id, node.id, node.position
    FROM closure AS up JOIN node ON node.id = up.ancestor_id
    WHERE up.descendant_id = ANY($1::bigint[]) AND up.distance > 0
    ORDER BY up.descendant_id, up.distance DESC
"""

SPREADS = """
    -- How often siblings were spread anew in the hierarchies of these listings (keys of nodes, or minus
    -- those of hierarchies).
    SELECT listing.id, hierarchy.spread
    FROM unnest($1::bigint[]) AS listing(id)
    LEFT JOIN node ON node.id = listing.id
    JOIN hierarchy ON hierarchy.id = COALESCE(node.hierarchy_id, -listing.id)
"""


async def page(listings: Sequence[int], page: Page) -> list[Slice[NodeRow]]:
    """A page in display order for each listing: all below a node (its key), or a hierarchy (minus its key).

    Two statements, one or two more for a cursor, one more backward. Costs the page, times the depth at most.
    """
    spreads = {row[0]: row[1] for row in await db.fetch(SPREADS, listings)}
    after, before = await chain(page.after, listings), await chain(page.before, listings)
    steps = [
        step._asdict()
        for listing in listings
        for step in (_steps_back(listing, before) if page.backward else _steps_on(listing, after))
    ]
    walked = await db.fetch(BACKWARD if page.backward else FORWARD, rows(steps), page.size + 1)
    found: dict[int, list[NodeRow]] = {listing: [] for listing in listings}
    for listing, *row in walked:
        found[listing].append(NodeRow._make(row))
    farthest = [nodes[-1].id for nodes in found.values() if nodes] if page.backward else []
    chains = await _chains(farthest)
    slices = []
    for listing, nodes in found.items():
        known = dict.fromkeys([listing], ()) | _links(after or ())
        if page.backward and nodes:
            known |= _links(_below(listing, chains[nodes[-1].id]))
        slices.append(_cut(page, listing, nodes, known, spreads.get(listing, 0), after, before))
    return slices


def _cut(
    page: Page,
    listing: int,
    nodes: list[NodeRow],
    known: dict[int, tuple[Link, ...]],
    spread: int,
    after: Sequence[Link] | None,
    before: Sequence[Link] | None,
) -> Slice[NodeRow]:
    """The slice of rows that were walked; `known` has the chain of each node above them."""
    for node in reversed(nodes) if page.backward else nodes:
        above = known.get(node.parent_id if node.parent_id is not None else listing, ())
        known[node.id] = (*above, (node.id, node.position))
    # The far edge, where there is one, ends the page early.
    edge = [position for _, position in (after if page.backward else before) or ()]
    if edge:
        beyond = [[position for _, position in known[node.id]] for node in nodes]
        nodes = [
            node for node, path in zip(nodes, beyond, strict=True) if (path > edge if page.backward else path < edge)
        ]
    return cut(page, nodes, lambda node: encode_cursor("preorder", [spread, listing, known[node.id]]))


def _links(chain: Sequence[Link]) -> dict[int, tuple[Link, ...]]:
    """Every node of a chain with the part of the chain down to it."""
    return {node: tuple(chain[: place + 1]) for place, (node, _) in enumerate(chain)}


def _below(listing: int, chain: Sequence[Link]) -> Sequence[Link]:
    """The part of a chain of ancestors that is below the top of the listing."""
    nodes = [node for node, _ in chain]
    return chain[nodes.index(listing) + 1 :] if listing in nodes else chain


def _steps_on(listing: int, chain: Sequence[Link] | None) -> list[Step]:
    if not chain:
        return [Step(listing, 0, listing, LOWEST, None)]
    scopes = [listing, *(node for node, _ in chain)]
    positions = [*(position for _, position in chain), LOWEST]
    return [
        Step(listing, number, scopes[place], positions[place], None)
        for number, place in enumerate(reversed(range(len(scopes))))
    ]


def _steps_back(listing: int, chain: Sequence[Link] | None) -> list[Step]:
    if not chain:
        return [Step(listing, 0, listing, HIGHEST, None)]
    scopes = [listing, *(node for node, _ in chain[:-1])]
    return [
        Step(listing, number, scopes[place], chain[place][1], scopes[place] if place else None)
        for number, place in enumerate(reversed(range(len(scopes))))
    ]


async def chain(cursor: str | None, listings: Sequence[int]) -> list[Link] | None:
    """The chain that a cursor stands for now.

    The chain is the one it holds, but with positions of today where siblings were spread anew since. Where a
    node above the row is gone and the one below that has taken its place, it has the position of today as well.
    Where a node has gone or was moved otherwise, the chain ends at the place that it had, with the key 0.
    """
    if cursor is None:
        return None
    spread, listing, chain = _decoded(cursor)
    if any(listing != other for other in listings):
        raise InvalidInput("This cursor belongs to another list; start again without it.")
    now = {row[0]: Standing._make(row[1:]) for row in await db.fetch(CHAIN_NOW, [node for node, _ in chain])}
    chain = [
        (node, now[node].position if node in now and now[node].spread != spread else position)
        for node, position in chain
    ]
    left = _left(listing, chain, now)
    if left is None:
        return chain
    risen = [
        (node, position if place == 0 or chain[place - 1][0] in now else now[node].position)
        for place, (node, position) in enumerate(chain)
        if node in now
    ]
    if chain[-1][0] in now and _left(listing, risen, now) is None:
        return risen
    return [*chain[:left], (0, chain[left][1])]


def _left(listing: int, chain: Sequence[Link], now: Mapping[int, Standing]) -> int | None:
    """The place in a chain of the first node that no longer stands there; None if all do."""
    scope = listing
    for place, (node, position) in enumerate(chain):
        if node not in now or now[node][:2] != (scope, position):
            return place
        scope = node
    return None


async def _chains(nodes: Sequence[int]) -> dict[int, list[Link]]:
    found: dict[int, list[Link]] = {node: [] for node in nodes}
    if nodes:
        for node, above, position in await db.fetch(CHAINS, nodes):
            found[node].append((above, position))
    return found


def within(chain: Sequence[Link], far: Sequence[Link] | None, *, backward: bool) -> bool:
    """Whether a row is on this side of the cursor at the far end of the page, where there is one."""
    if far is None:
        return True
    path, edge = [position for _, position in chain], [position for _, position in far]
    return path > edge if backward else path < edge


async def beside(listing: int, chain: Sequence[Link], *, backward: bool) -> NodeRow | None:
    """The row before the place that a chain ends in or, forward, the one behind it and all below it. One statement."""
    steps = _steps_back(listing, chain) if backward else _steps_on(listing, chain)[1:]
    found = await db.fetch(BACKWARD if backward else FORWARD, rows([step._asdict() for step in steps]), 1)
    return NodeRow._make(found[0][1:]) if found else None


async def above_at(node: NodeRow, depth: int) -> int:
    """The node itself or, where it is deeper, the one above it at this depth. At most one statement."""
    return node.id if node.depth <= depth else (await _chains([node.id]))[node.id][depth - 1][0]


async def chains_of(found: Mapping[int, Sequence[NodeRow]]) -> dict[int, tuple[int, int, list[Link]]]:
    """What the cursors of nodes hold, listing → nodes: count of spreadings and chain. Two statements."""
    spreads = {row[0]: row[1] for row in await db.fetch(SPREADS, list(found))}
    above = await _chains([node.id for nodes in found.values() for node in nodes])
    return {
        node.id: (spreads[listing], listing, [*_below(listing, above[node.id]), (node.id, node.position)])
        for listing, nodes in found.items()
        for node in nodes
    }


def _decoded(cursor: str) -> tuple[int, int, list[Link]]:
    spread, listing, raw = decode_cursor(cursor, "preorder", (int, int, list))
    if not raw or not all(isinstance(link, list) and list(map(type, link)) == [int, str] for link in raw):
        raise InvalidInput(MANGLED)
    return spread, listing, [(node, position) for node, position in raw]
