"""What `grove check` asks: every derived row and number, recomputed from node.parent_id, and each difference.

All of these read whole tables; they are for the command, not for requests.
"""

from collections.abc import Sequence
from typing import Any

from service import db, trigrams
from service.dialects import Forms

DEEPEST = 130

EXPECTED = f"""
    WITH RECURSIVE expected (ancestor_id, descendant_id, distance) AS (
        SELECT node.id, node.id, 0 FROM node
        UNION ALL
        SELECT node.parent_id, expected.descendant_id, expected.distance + 1
        FROM expected JOIN node ON node.id = expected.ancestor_id
        WHERE node.parent_id IS NOT NULL AND expected.distance < {DEEPEST}
    )
"""

CIRCLES = (
    EXPECTED
    + f"""
    -- Nodes whose chain of parents does not end: they stand below themselves.
    SELECT DISTINCT descendant_id FROM expected WHERE distance = {DEEPEST}
"""
)

MISSING_PAIRS = (
    EXPECTED
    + """
    -- Pairs that the closure table lacks, or has at another distance.
    SELECT expected.ancestor_id, expected.descendant_id, expected.distance, closure.distance
    FROM expected LEFT JOIN closure
        ON closure.ancestor_id = expected.ancestor_id AND closure.descendant_id = expected.descendant_id
    WHERE closure.distance IS NULL OR closure.distance <> expected.distance
"""
)

STRAY_PAIRS = (
    EXPECTED
    + """
    -- Pairs of the closure table that no chain of parents has.
    SELECT closure.ancestor_id, closure.descendant_id, closure.distance
    FROM closure LEFT JOIN expected
        ON expected.ancestor_id = closure.ancestor_id AND expected.descendant_id = closure.descendant_id
    WHERE expected.distance IS NULL
"""
)

WRONG_DEPTHS = (
    EXPECTED
    + """
    SELECT node.id, node.depth, chain.depth
    FROM node JOIN (
        SELECT descendant_id, max(distance) + 1 AS depth FROM expected GROUP BY descendant_id
    ) AS chain ON chain.descendant_id = node.id
    WHERE node.depth <> chain.depth
"""
)

WRONG_COUNTS = (
    EXPECTED
    + """
    SELECT node.id, node.child_count, below.children, node.descendant_count, below.descendants
    FROM node JOIN (
        SELECT ancestor_id, sum(CASE WHEN distance = 1 THEN 1 ELSE 0 END) AS children, count(*) - 1 AS descendants
        FROM expected GROUP BY ancestor_id
    ) AS below ON below.ancestor_id = node.id
    WHERE node.child_count <> below.children OR node.descendant_count <> below.descendants
"""
)

FOREIGN_PARENTS = """
    -- Parent and child share their hierarchy.
    SELECT node.id FROM node LEFT JOIN node AS parent ON parent.id = node.parent_id
    WHERE node.parent_id IS NOT NULL AND (parent.id IS NULL OR parent.hierarchy_id <> node.hierarchy_id)
"""

TOO_DEEP = """
    -- No node is deeper than its hierarchy has levels.
    SELECT node.id, node.depth FROM node
    LEFT JOIN level ON level.hierarchy_id = node.hierarchy_id AND level.depth = node.depth
    WHERE level.id IS NULL
"""

BROKEN_LEVELS = """
    -- The levels of a hierarchy are numbered from 1 without a gap.
    SELECT hierarchy.id, count(level.id), COALESCE(max(level.depth), 0)
    FROM hierarchy LEFT JOIN level ON level.hierarchy_id = hierarchy.id
    GROUP BY hierarchy.id HAVING count(level.id) = 0 OR count(level.id) <> max(level.depth)
"""

WRONG_LEVEL_COUNTS = """
    SELECT level.id, level.node_count, (
        SELECT count(*) FROM node WHERE node.hierarchy_id = level.hierarchy_id AND node.depth = level.depth
    ) AS found
    FROM level
    WHERE level.node_count <> (
        SELECT count(*) FROM node WHERE node.hierarchy_id = level.hierarchy_id AND node.depth = level.depth
    )
"""

WRONG_CUSTOMER_COUNTS = """
    SELECT customer_group.id, customer_group.customer_count, (
        SELECT count(*) FROM membership WHERE membership.group_id = customer_group.id
    ) AS found
    FROM customer_group
    WHERE customer_group.customer_count <> (
        SELECT count(*) FROM membership WHERE membership.group_id = customer_group.id
    )
"""

MISSING_SHARED = """
    -- Memberships of customers who are in other groups as well, but are not kept as such.
    SELECT membership.customer_id, membership.group_id FROM membership
    WHERE membership.customer_id IN (
        SELECT several.customer_id FROM membership AS several GROUP BY several.customer_id HAVING count(*) > 1
    ) AND NOT EXISTS (
        SELECT 1 FROM shared_membership AS kept
        WHERE kept.customer_id = membership.customer_id AND kept.group_id = membership.group_id
    )
"""

STRAY_SHARED = """
    -- What is kept as one of several memberships, but is the only one, or none.
    SELECT kept.customer_id, kept.group_id FROM shared_membership AS kept
    WHERE NOT EXISTS (
        SELECT 1 FROM membership AS own
        JOIN membership AS other ON other.customer_id = own.customer_id AND other.group_id <> own.group_id
        WHERE own.customer_id = kept.customer_id AND own.group_id = kept.group_id
    )
"""

WRONG_HELD = """
    SELECT stock_item.id, stock_item.held, COALESCE(sum(reservation.quantity - reservation.consumed), 0) AS found,
        stock_item.on_hand
    FROM stock_item LEFT JOIN reservation
        ON reservation.stock_item_id = stock_item.id AND reservation.status = 'OPEN'
    GROUP BY stock_item.id
    HAVING stock_item.held <> COALESCE(sum(reservation.quantity - reservation.consumed), 0)
"""

MISSING_INDEXES = Forms(
    # The indexes by trigrams that are not there, each with whether the server has what they need.
    postgres=f"""
        SELECT missing.name, ({trigrams.AVAILABLE}) FROM ({trigrams.MISSING}) AS missing
    """,
    sqlite="SELECT NULL, NULL WHERE $1 IS NULL",
)

DELETE_PAIR = "DELETE FROM closure WHERE ancestor_id = $1 AND descendant_id = $2"
INSERT_PAIR = "INSERT INTO closure (ancestor_id, descendant_id, distance) VALUES ($1, $2, $3)"
SET_DEPTH = "UPDATE node SET depth = $2 WHERE id = $1"
SET_COUNTS = "UPDATE node SET child_count = $2, descendant_count = $3 WHERE id = $1"
SET_LEVEL_COUNT = "UPDATE level SET node_count = $2 WHERE id = $1"
SET_CUSTOMER_COUNT = "UPDATE customer_group SET customer_count = $2 WHERE id = $1"
DELETE_SHARED = "DELETE FROM shared_membership WHERE customer_id = $1 AND group_id = $2"
INSERT_SHARED = "INSERT INTO shared_membership (customer_id, group_id) VALUES ($1, $2)"
SET_HELD = "UPDATE stock_item SET held = $2 WHERE id = $1"

# Before anything is mended: writers wait, since every writer of a tree locks its hierarchy first.
LOCK_HIERARCHIES = "SELECT id FROM hierarchy ORDER BY id FOR NO KEY UPDATE"
# Who waits for the lock meanwhile has read the tree already, and by this sees that it has changed.
TOUCH_HIERARCHIES = "UPDATE hierarchy SET version = version + 1"
LOCK_GROUPS = "SELECT id FROM customer_group ORDER BY id FOR NO KEY UPDATE"
LOCK_STOCK_ITEMS = "SELECT id FROM stock_item ORDER BY id FOR NO KEY UPDATE"

# Table → the columns that texts are derived from, and the derived ones.
DERIVED_TEXTS = {
    "hierarchy": (("name", "description"), ("name_key", "name_fold", "search_fold")),
    "level": (("name",), ("name_key",)),
    "customer_group": (
        ("code", "name", "description"),
        ("code_key", "code_fold", "name_key", "name_fold", "search_fold"),
    ),
    "customer": (("code", "name", "type"), ("code_key", "code_fold", "name_fold", "search_fold", "type_key")),
    "stock_item": (("sku", "location"), ("sku_key", "sku_fold", "location_key")),
}
BATCH = 5_000


async def find(statement: str) -> Sequence[Sequence[Any]]:
    """The rows of one of the statements above."""
    return await db.fetch(statement)


async def missing_indexes() -> Sequence[Sequence[Any]]:
    """(name, whether the server has pg_trgm) of each index by trigrams that is missing; on SQLite there are none."""
    return await db.fetch(MISSING_INDEXES, list(trigrams.INDEXES))


async def mend(statement: str, *values: Any) -> None:
    """Runs one of the mending statements above."""
    await db.fetch(statement, *values)


async def texts(table: str, after: int) -> Sequence[Sequence[Any]]:
    """The next batch of rows behind a key: key, then what is derived from, then what is derived."""
    sources, derived = DERIVED_TEXTS[table]
    columns = ", ".join(["id", *sources, *derived])
    return await db.fetch(f"SELECT {columns} FROM {table} WHERE id > $1 ORDER BY id LIMIT {BATCH}", after)


async def set_text(table: str, column: str, key: int, value: str) -> None:
    """Writes one derived text."""
    await db.fetch(f"UPDATE {table} SET {column} = $2 WHERE id = $1", key, value)
