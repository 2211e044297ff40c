"""Chosen nodes in display order, where most of those passed are chosen: a walk, node by node, from the cursor on.

Each step is a few look-ups in an index, the walk ends with the page, and it never goes deeper than `bound`. So a
page costs the nodes that it passes: right for a level, a depth or a common status, wrong for a rare word, for
which store/chosen.py is made. Cursors are those of store/preorder.py.
"""

from collections.abc import Sequence
from typing import Any

from service import db
from service.dialects import Forms, rows
from service.matching import NodeFilter
from service.names import key
from service.paging import Page, Slice, cut, encode_cursor
from service.store import preorder
from service.store.node import COLUMNS, SCOPE, NodeRow, conditions

UNBOUNDED = 1_000

STARTS = f"""
    -- Where each listing begins: the depth of its top (0 for a hierarchy), its first and its last node, and the
    -- depth of the level of this name.
    SELECT listing.id, COALESCE(top.depth, 0), (
        SELECT level.depth FROM level WHERE level.hierarchy_id = -listing.id AND level.name_key = $2
    ), (
        SELECT node.id FROM node WHERE {SCOPE.format("node")} = listing.id ORDER BY node.position LIMIT 1
    ), (
        SELECT node.id FROM node WHERE {SCOPE.format("node")} = listing.id ORDER BY node.position DESC LIMIT 1
    )
    FROM unnest($1::bigint[]) AS listing(id) LEFT JOIN node AS top ON top.id = listing.id
"""

FORWARD = f"""
    COALESCE((
        -- Down to the first child,
        SELECT node.id FROM node
        WHERE {SCOPE.format("node")} = +walk.id AND walk.depth < walk.bound ORDER BY node.position LIMIT 1
    ), (
        -- or on to the next sibling of itself or of the nearest node above that has one.
        SELECT beside.id FROM (
            SELECT up.distance, (
                SELECT node.id FROM node
                WHERE {SCOPE.format("node")} = {SCOPE.format("here")} AND node.position > here.position
                ORDER BY node.position LIMIT 1
            ) AS id
            FROM closure AS up JOIN node AS here ON here.id = up.ancestor_id
            WHERE up.descendant_id = walk.id AND here.depth > walk.top
        ) AS beside
        WHERE beside.id IS NOT NULL ORDER BY beside.distance LIMIT 1
    ))
"""

BACKWARD = f"""
    CASE WHEN walk.descends = 1 THEN (
        -- Down to the last child: a node comes after all below it.
        SELECT node.id FROM node WHERE {SCOPE.format("node")} = +walk.id ORDER BY node.position DESC LIMIT 1
    ) ELSE COALESCE((
        -- Back to the previous sibling,
        SELECT node.id FROM node JOIN node AS here ON here.id = walk.id
        WHERE {SCOPE.format("node")} = {SCOPE.format("here")} AND node.position < here.position
        ORDER BY node.position DESC LIMIT 1
    ), (
        -- or up to the parent, if that is still below the top.
        SELECT here.parent_id FROM node AS here WHERE here.id = walk.id AND here.depth > walk.top + 1
    )) END
"""


def _statement(step: str, where: str, counted: str, shown: str) -> Forms:
    """The walk: $1 the starts, $2 the number of rows; `hit` marks what is chosen, `found` counts it.

    PostgreSQL is told by LATERAL and LIMIT to look each node up: it takes the walk for long, and would rather
    read the whole table once and hash it.
    """
    deeper = "CASE WHEN item.child_count > 0 AND item.depth < {0}.bound THEN 1 ELSE 0 END"
    text = f"""
        WITH RECURSIVE
        start AS (
            SELECT * FROM rows($1: listing bigint, id bigint, top int, bound int, passed int, settled int) AS start
        ),
        walk (listing, top, bound, id, depth, parent_id, descends, hit, found, place) AS (
            SELECT start.listing, start.top, start.bound, item.id, item.depth, item.parent_id,
                CASE WHEN start.settled = 1 THEN 0 ELSE {deeper.format("start")} END,
                CASE WHEN start.passed = 0 AND {where} THEN 1 ELSE 0 END, 0, 0
            FROM start {{start}}
            UNION ALL
            SELECT walk.listing, walk.top, walk.bound, item.id, item.depth, item.parent_id,
                CASE WHEN item.id = walk.parent_id THEN 0 ELSE {deeper.format("walk")} END,
                CASE WHEN {where} THEN 1 ELSE 0 END,
                walk.found + walk.hit * {counted}, walk.place + 1
            FROM walk {{step}}
            WHERE walk.found + walk.hit * {counted} < $2
        )
        SELECT walk.listing, {COLUMNS.format("item")} FROM walk {{walk}}
        WHERE walk.hit = 1 AND {shown} ORDER BY walk.listing, walk.place
    """
    keys = {"start": "start.id", "step": step, "walk": "walk.id"}
    postgres = """
        CROSS JOIN LATERAL (SELECT node.* FROM node WHERE node.id = {0} LIMIT 1) AS item
        CROSS JOIN LATERAL (SELECT g.* FROM customer_group AS g WHERE g.id = item.group_id LIMIT 1) AS item_group
    """
    sqlite = """
        JOIN node AS item ON item.id = {0} JOIN customer_group AS item_group ON item_group.id = item.group_id
    """
    return Forms(
        *(text.format(**{place: form.format(key) for place, key in keys.items()}) for form in (postgres, sqlite))
    )


async def page(listings: Sequence[int], page: Page, filter: NodeFilter, max_depth: int | None) -> list[Slice[NodeRow]]:
    """A page for each listing of the nodes that meet the filter, at most `max_depth` below the top.

    Four statements, some more for cursors.
    """
    starts = []
    level = None if filter.level is None else key(filter.level)
    for listing, top, level_depth, first, last in await db.fetch(STARTS, listings, level):
        bounds = [UNBOUNDED] + ([top + max_depth] if max_depth is not None else [])
        bounds += [filter.depth] if filter.depth is not None else []
        bounds += [level_depth or 0] if level is not None else []
        start = await _start(listing, page, min(bounds), last if page.backward else first)
        if start is not None and min(bounds) > top:
            starts.append({"listing": listing, "top": top, "bound": min(bounds)} | start)
    wanted = conditions(filter)
    where = " AND ".join(["1 = 1", *wanted.texts])
    # Going back, a node that is about to be descended into is passed now and comes up again after its children.
    statement = (
        _statement(BACKWARD, where, "(1 - walk.descends)", "walk.descends = 0")
        if page.backward
        else _statement(FORWARD, where, "1", "1 = 1")
    )
    found: dict[int, list[NodeRow]] = {listing: [] for listing in listings}
    for listing, *row in await db.fetch(statement, rows(starts), page.size + 1, *wanted.arguments):
        found[listing].append(NodeRow._make(row))
    return await _slices(found, page)


async def _start(listing: int, page: Page, bound: int, end: int | None) -> dict[str, Any] | None:
    """The node to begin with, whether it is itself passed over, and whether what is below it is behind us."""
    cursor = page.before if page.backward else page.after
    if cursor is None:
        return None if end is None else {"id": end, "passed": 0, "settled": 0}
    # From where the cursor was, whatever has become of the node that it stood at.
    chain = await preorder.chain(cursor, [listing]) or []
    if not page.backward and (node := chain[-1][0]):
        # Its own children come next, unless they are too deep.
        return {"id": node, "passed": 1, "settled": 0}
    beside = await preorder.beside(listing, chain, backward=page.backward)
    if beside is None:
        return None
    return {"id": await preorder.above_at(beside, bound), "passed": 0, "settled": 1}


async def _slices(found: dict[int, list[NodeRow]], page: Page) -> list[Slice[NodeRow]]:
    chains = await preorder.chains_of(found)
    far = await preorder.chain(page.after if page.backward else page.before, list(found))
    slices: list[Slice[NodeRow]] = []
    for nodes in found.values():
        within = [node for node in nodes if preorder.within(chains[node.id][2], far, backward=page.backward)]
        slices.append(cut(page, within, lambda node: encode_cursor("preorder", chains[node.id])))
    return slices
