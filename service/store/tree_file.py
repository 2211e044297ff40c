"""A whole hierarchy at once: read with its groups, and brought to what a file makes of it.

What goes by rows goes in batches; what goes by keys in one statement each. All expect the hierarchy's lock.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from service import db
from service.dialects import rows
from service.store.closure import PARK
from service.store.node import NodeRow

T = TypeVar("T")
# Rows in one statement: large enough that its own cost does not count, small enough to wait for.
BATCH = 2_000
# Rows read at once.
PAGE = 20_000


class Standing(NamedTuple):
    """A node as it stands, with its group's code and name, also as keys."""

    id: int
    group_id: int
    parent_id: int | None
    position: str
    depth: int
    child_count: int
    descendant_count: int
    code: str
    code_key: str
    name: str
    name_key: str


STANDING = """
    -- The next nodes of a hierarchy by key, each with its group.
    SELECT node.id, node.group_id, node.parent_id, node.position, node.depth, node.child_count,
        node.descendant_count, customer_group.code, customer_group.code_key, customer_group.name,
        customer_group.name_key
    FROM node JOIN customer_group ON customer_group.id = node.group_id
    WHERE node.hierarchy_id = $1 AND node.id > $2
    ORDER BY node.id LIMIT $3
"""

INSERT_NODES = """
    -- Nodes with their kept counts; parents go before or together with their children.
    INSERT INTO node (id, hierarchy_id, group_id, parent_id, position, depth, child_count, descendant_count)
    SELECT item.id, $2, item.group_id, item.parent_id, item.position, item.depth, item.children, item.descendants
    FROM rows($1: id bigint, group_id bigint, parent_id bigint, position text, depth int, children int, descendants int) AS item
"""  # noqa: E501  rows(…) names its columns on one line

SETTLE = """
    -- Where standing nodes come to stand, and what is kept of those below them.
    UPDATE node SET parent_id = item.parent_id, position = item.position, depth = item.depth,
        child_count = item.children, descendant_count = item.descendants
    FROM rows($1: id bigint, parent_id bigint, position text, depth int, children int, descendants int) AS item
    WHERE node.id = item.id
"""

CUT = """
    -- Takes nodes out from under all their ancestors.
    DELETE FROM closure WHERE distance > 0 AND descendant_id = ANY($1::bigint[])
"""

INSERT_SELVES = """
    -- Every node is below itself.
    INSERT INTO closure (ancestor_id, descendant_id, distance)
    SELECT item.id, item.id, 0 FROM unnest($1::bigint[]) AS item(id)
"""

GROW = """
    -- Puts nodes of one depth, which have no ancestors yet, below what their parents are below.
    INSERT INTO closure (ancestor_id, descendant_id, distance)
    SELECT up.ancestor_id, node.id, up.distance + 1
    FROM unnest($1::bigint[]) AS item(id)
    JOIN node ON node.id = item.id
    JOIN closure AS up ON up.descendant_id = node.parent_id
"""

DELETE_PAIRS = """
    -- Every pair of nodes that leave; nothing stands below them but themselves.
    DELETE FROM closure WHERE descendant_id = ANY($1::bigint[])
"""

DELETE_NODES = """
    DELETE FROM node WHERE id = ANY($1::bigint[])
"""


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items, so many at a time."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


async def standing(hierarchy: int) -> dict[int, Standing]:
    """Every node of a hierarchy, by its key. A statement for each PAGE of them."""
    found: dict[int, Standing] = {}
    last = 0
    while True:
        page = [Standing(*row) for row in await db.fetch(STANDING, hierarchy, last, PAGE)]
        found.update((row.id, row) for row in page)
        if len(page) < PAGE:
            return found
        last = page[-1].id


async def park(nodes: Sequence[int]) -> None:
    """Frees the places of nodes that get others. One statement."""
    if nodes:
        await db.fetch(PARK, list(nodes))


async def insert(hierarchy: int, nodes: Sequence[NodeRow]) -> None:
    """A batch of new nodes, without what is above them. One statement."""
    values = [_settled(node) | {"group_id": node.group_id} for node in nodes]
    await db.fetch(INSERT_NODES, rows(values), hierarchy)


async def settle(nodes: Sequence[NodeRow]) -> None:
    """A batch of standing nodes as they come to stand. One statement."""
    await db.fetch(SETTLE, rows([_settled(node) for node in nodes]))


def _settled(node: NodeRow) -> dict[str, object]:
    return {
        "id": node.id,
        "parent_id": node.parent_id,
        "position": node.position,
        "depth": node.depth,
        "children": node.child_count,
        "descendants": node.descendant_count,
    }


async def remove(nodes: Sequence[int]) -> None:
    """Nodes that leave, together with all that is still below them. Two statements."""
    if nodes:
        await db.fetch(DELETE_PAIRS, list(nodes))
        await db.fetch(DELETE_NODES, list(nodes))


async def cut(nodes: Sequence[int]) -> None:
    """Standing nodes are below nothing any more but themselves. One statement for each PAGE of them."""
    for page in batches(nodes, PAGE):
        await db.fetch(CUT, page)


async def grow(levels: Sequence[Sequence[int]], new: Collection[int]) -> None:
    """Nodes that are below nothing come below their parents and what those are below, level by level from the top.

    The new ones among them have no row to themselves yet. A statement for each level, and one for the new ones;
    more where there are more of either than a PAGE.
    """
    for page in batches(new, PAGE):
        await db.fetch(INSERT_SELVES, page)
    for nodes in levels:
        for page in batches(nodes, PAGE):
            await db.fetch(GROW, page)
