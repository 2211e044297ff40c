"""Changes of levels: their rows, and new nodes put between two levels of a tree.

Each function runs a fixed number of statements, and expects the lock on the hierarchy, as those of closure.py do.
"""

from collections.abc import Sequence
from typing import NamedTuple

from service import db, positions
from service.dialects import rows
from service.names import key
from service.store import closure
from service.store.closure import Place
from service.store.hierarchy import LevelRow


class Between(NamedTuple):
    """A new node between a parent (None: the top) and all its children: so many, and so many below in all."""

    node: int
    group: int
    parent: int | None
    children: int
    descendants: int


RENAME = """
    UPDATE level SET name = $3, name_key = $4 WHERE hierarchy_id = $1 AND depth = $2
"""

REMOVE = """
    -- From a depth on. Levels change their depth by being written anew: no two ever have the same in between.
    DELETE FROM level WHERE hierarchy_id = $1 AND depth >= $2
"""

INSERT = """
    INSERT INTO level (id, hierarchy_id, depth, name, name_key, node_count)
    SELECT item.id, $1, item.depth, item.name, item.name_key, item.node_count
    FROM rows($2: id bigint, depth int, name text, name_key text, node_count int) AS item
"""

INSERT_NODES = """
    -- The new nodes, out of the way of the siblings that will be their children.
    INSERT INTO node (id, hierarchy_id, group_id, parent_id, position, depth, child_count, descendant_count)
    SELECT item.id, $1, item.group_id, item.parent_id, '~' || CAST(item.id AS text), $2, item.children, item.descendants
    FROM rows($3: id bigint, group_id bigint, parent_id bigint, children int, descendants int) AS item
"""

STRETCH = """
    -- Between the nodes that sink and the ancestors that do not, there is one more. The new distances are written
    -- a thousand too large first, so that no two of one descendant are ever equal.
    UPDATE closure SET distance = closure.distance + 1001
    FROM node
    WHERE node.hierarchy_id = $1 AND node.depth >= $2
      AND closure.descendant_id = node.id AND closure.distance > node.depth - $2
"""

INSERT_PAIRS = """
    -- A new node is below itself, below its parent and all that is above that, and above all that its parent was
    -- above.
    INSERT INTO closure (ancestor_id, descendant_id, distance)
    SELECT item.id, item.id, 0 FROM rows($1: id bigint, parent_id bigint) AS item
    UNION ALL
    SELECT up.ancestor_id, item.id, up.distance + 1
    FROM rows($1: id bigint, parent_id bigint) AS item
    JOIN closure AS up ON up.descendant_id = item.parent_id
    UNION ALL
    SELECT item.id, down.descendant_id, down.distance - 1001
    FROM rows($1: id bigint, parent_id bigint) AS item
    JOIN closure AS down ON down.ancestor_id = item.parent_id AND down.distance > 1000
"""

INSERT_PAIRS_OF_ROOT = """
    -- A new node at the top is above everything.
    INSERT INTO closure (ancestor_id, descendant_id, distance)
    SELECT $2, node.id, node.depth FROM node WHERE node.hierarchy_id = $1 AND node.id <> $2
"""

SETTLE = """
    -- The second half of STRETCH.
    UPDATE closure SET distance = closure.distance - 1000
    FROM node
    WHERE node.hierarchy_id = $1 AND node.depth >= $2
      AND closure.descendant_id = node.id AND closure.distance >= 1000
"""

SINK = """
    -- What is below the children; those get their depth together with their parent.
    UPDATE node SET depth = depth + 1 WHERE hierarchy_id = $1 AND depth > $2
"""

COUNT_ABOVE = """
    -- A parent of a new node has no other child; it and all above it have one descendant more for each.
    UPDATE node
    SET child_count = CASE WHEN node.depth = $2 - 1 THEN 1 ELSE node.child_count END,
        descendant_count = node.descendant_count + new.count
    FROM (
        SELECT up.ancestor_id, count(*) AS count
        FROM unnest($1::bigint[]) AS item(id)
        JOIN closure AS up ON up.descendant_id = item.id AND up.distance > 0
        GROUP BY up.ancestor_id
    ) AS new
    WHERE node.id = new.ancestor_id
"""


async def rename(hierarchy: int, depth: int, name: str) -> None:
    """A new name for a level. One statement."""
    await db.fetch(RENAME, hierarchy, depth, name, key(name))


async def replace(hierarchy: int, depth: int, levels: Sequence[LevelRow]) -> None:
    """Puts these levels in the place of all from this depth on. Two statements."""
    await db.fetch(REMOVE, hierarchy, depth)
    values = [
        {"id": row.id, "depth": row.depth, "name": row.name, "name_key": key(row.name), "node_count": row.node_count}
        for row in levels
    ]
    await db.fetch(INSERT, hierarchy, rows(values))


async def put_between(hierarchy: int, depth: int, nodes: Sequence[Between], children: Sequence[Place]) -> None:
    """Puts new nodes at this depth, above all that stand there, `children`, who come with their new places.

    What is below those sinks with them. Eight statements, nine at the top; costs what stands there and deeper.
    """
    values = [
        {
            "id": one.node,
            "group_id": one.group,
            "parent_id": one.parent,
            "children": one.children,
            "descendants": one.descendants,
        }
        for one in nodes
    ]
    await db.fetch(INSERT_NODES, hierarchy, depth, rows(values))
    await db.fetch(STRETCH, hierarchy, depth)
    await db.fetch(INSERT_PAIRS, rows([{"id": one.node, "parent_id": one.parent} for one in nodes]))
    if depth == 1:
        await db.fetch(INSERT_PAIRS_OF_ROOT, hierarchy, nodes[0].node)
    await db.fetch(SETTLE, hierarchy, depth)
    await db.fetch(SINK, hierarchy, depth)
    await closure.place(children)
    keys = [one.node for one in nodes]
    await db.fetch(COUNT_ABOVE, keys, depth)
    (only,) = positions.spread(1)
    await closure.reorder(dict.fromkeys(keys, only), park=False)
