"""The walk in display order, in SQL: from siblings on, down into each, as far as a number of rows reaches.

Whole subtrees are stepped over by their kept numbers of descendants; see service/store/preorder.py.
"""

from functools import lru_cache
from typing import NamedTuple

from service.dialects import Forms
from service.store.along import Along, Brought, brought
from service.store.node import COLUMNS, NODE, SCOPE, NodeRow


class Step(NamedTuple):
    """Siblings to walk: those of `scope` beyond `position`, and (backward) then the node `above` them."""

    listing: int
    number: int
    scope: int
    position: str
    above: int | None


# What the walk looks at, and what the tables are joined by that nodes bring something along of.
WALKED = ("id", "child_count", "descendant_count")
JOINED = ("hierarchy_id", "group_id", "depth")

# As many as there can be: so PostgreSQL takes them for few, and looks up what is joined to them. It knows nothing of
# the walk's length, and would rather read all groups.
ALL = "$2 * jsonb_array_length($1::text::jsonb)"

CHILDREN = f"""
    -- The children of a parent that stand within $2 rows, each with its rank: the parent's, and the sum of the subtrees
    -- before it.
    SELECT {{2}}, parent.rank + 1 - (1 + node.descendant_count)
        + sum(1 + node.descendant_count) OVER (ORDER BY node.position ROWS UNBOUNDED PRECEDING) AS rank
    FROM (
        SELECT * FROM node AS n WHERE {SCOPE.format("n")} = parent.id ORDER BY n.position LIMIT $2 - parent.rank
    ) AS node
"""

FORWARD = Forms(
    postgres=f"""
        -- $1 steps, $2 the number of rows. A sibling's rank is the sum of the subtrees before it. The walk keeps
        -- parents alone, since it copies each row thrice, and goes down only to those that have grandchildren.
        -- Columns are carried along, not joined at the end: not knowing how few rows they are, the planner would read
        -- all nodes for that.
        WITH RECURSIVE
        start AS (
            SELECT step.listing, {{3}},
                sum(1 + sibling.descendant_count) OVER so_far - (1 + sibling.descendant_count) AS rank
            FROM rows($1: listing bigint, number int, scope bigint, position text) AS step
            CROSS JOIN LATERAL (
                SELECT {{2}}, node.position AS place FROM node
                WHERE {SCOPE.format("node")} = step.scope AND node.position > step.position
                ORDER BY node.position LIMIT $2
            ) AS sibling
            WINDOW so_far AS (
                PARTITION BY step.listing ORDER BY step.number, sibling.place ROWS UNBOUNDED PRECEDING
            )
        ),
        parent AS (
            SELECT start.listing, start.id, start.child_count, start.descendant_count, start.rank
            FROM start WHERE start.child_count > 0 AND start.rank < $2
            UNION ALL
            SELECT parent.listing, child.id, child.child_count, child.descendant_count, child.rank
            FROM parent CROSS JOIN LATERAL ({CHILDREN}) AS child
            WHERE parent.descendant_count > parent.child_count AND child.child_count > 0 AND child.rank < $2
        ),
        walk AS (
            SELECT * FROM start WHERE start.rank < $2
            UNION ALL
            SELECT parent.listing, child.* FROM parent CROSS JOIN LATERAL ({CHILDREN}) AS child WHERE child.rank < $2
        )
        SELECT {{0}} FROM (SELECT * FROM walk LIMIT {ALL}) AS walk{{1}} ORDER BY walk.rank
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
        SELECT {{0}} FROM walk{{1}} ORDER BY walk.rank
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
        SELECT {{0}}
        FROM (SELECT * FROM ranked WHERE ranked.rank < $2 LIMIT {ALL}) AS walk{{1}} ORDER BY walk.rank
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
        SELECT {{0}} FROM ranked AS walk{{1}}
        WHERE walk.rank < $2 ORDER BY walk.rank
    """,
)


@lru_cache(maxsize=500)
def statement(along: Along, *, backward: bool, chained: bool = True, single: bool = True) -> Forms:
    """$1 steps, $2 how many rows: records of nodes with what they bring along, nearest first.

    Behind that stands the listing of each, unless there is a `single` one.
    """
    more = walked(along, chained=chained)
    columns, joined = more.columns.format("walk"), more.joined.format("walk")
    if not single:
        columns = f"{columns}, walk.listing"
    carried = {*more.own, *WALKED, *JOINED} if more.joined else {*more.own, *WALKED}
    carrying = [", ".join(f"{of}.{name}" for name in NodeRow._fields if name in carried) for of in ("node", "sibling")]
    forms = BACKWARD if backward else FORWARD
    return Forms(*(form.format(columns, joined, *carrying) for form in forms))


def walked(along: Along, *, chained: bool = True) -> Brought:
    """How the nodes of a walk come; `chained`: with what their chains are made of."""
    return brought(NodeRow, along, ("parent_id", "position") if chained else ())
