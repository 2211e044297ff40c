"""Chosen nodes in display order: those below a node, or of a hierarchy, that meet a filter or a depth.

Unlike the pages in store/preorder.py, which pass nothing over, these cost what all chosen nodes of the listing
cost, since nothing tells beforehand how many of a subtree will be chosen. Cursors are those of store/preorder.py.
"""

from collections.abc import Sequence
from operator import itemgetter

from service import db
from service.dialects import Forms
from service.matching import NodeFilter
from service.paging import Page, Slice, cut, encode_cursor
from service.store import preorder
from service.store.listing import Conditions
from service.store.node import COLUMNS, NodeRow, conditions

# «/» sorts before every letter of a position, so that a path sorts right before the paths below it.
PATH = Forms(
    postgres="""(
        SELECT string_agg(above.position, '/' ORDER BY up.distance DESC) COLLATE "C"
        FROM closure AS up JOIN node AS above ON above.id = up.ancestor_id WHERE up.descendant_id = item.id
    )""",
    sqlite="""(
        SELECT group_concat(position, '/') FROM (
            SELECT above.position FROM closure AS up JOIN node AS above ON above.id = up.ancestor_id
            WHERE up.descendant_id = item.id ORDER BY up.distance DESC
        )
    )""",
)

BELOW_NODE = """
    unnest($1::bigint[]) AS parent(id)
    JOIN closure AS below ON below.ancestor_id = parent.id AND below.distance > 0
    JOIN node AS item ON item.id = below.descendant_id
    JOIN customer_group AS item_group ON item_group.id = item.group_id
"""

OF_HIERARCHY = """
    unnest($1::bigint[]) AS parent(id)
    JOIN node AS item ON item.hierarchy_id = -parent.id
    JOIN customer_group AS item_group ON item_group.id = item.group_id
"""


async def page(listings: Sequence[int], page: Page, filter: NodeFilter, max_depth: int | None) -> list[Slice[NodeRow]]:
    """A page for each listing, all of them hierarchies (minus their keys). Three statements, two more for a cursor."""
    wanted = conditions(filter, max_depth)
    for cursor, operator in ((page.after, ">"), (page.before, "<")):
        if (edge := await preorder.chain(cursor, listings)) is not None:
            path = "/".join(position for _, position in edge)
            wanted.texts.append("{path} " + operator + wanted.argument(path))
    direction = "DESC" if page.backward else "ASC"
    statement = Forms(*(_page(listings, wanted, path, direction) for path in PATH))
    found: dict[int, list[NodeRow]] = {listing: [] for listing in listings}
    rows = await db.fetch_planned(statement, listings, page.size + 1, *wanted.arguments)
    for listing, *row, _, _ in sorted(rows, key=itemgetter(-1)):
        found[listing].append(NodeRow._make(row))
    chains = await preorder.chains_of(found)
    return [cut(page, nodes, lambda node: encode_cursor("preorder", chains[node.id])) for nodes in found.values()]


def _page(listings: Sequence[int], wanted: Conditions, path: str, direction: str) -> str:
    where = " AND ".join(wanted.texts).replace("{path}", path) or "1 = 1"
    return f"""
        SELECT * FROM (
            SELECT chosen.*, row_number() OVER (PARTITION BY listing ORDER BY path {direction}) AS place
            FROM (
                SELECT parent.id AS listing, {COLUMNS.format("item")}, {path} AS path
                FROM {_source(listings)} WHERE {where}
            ) AS chosen
        ) AS numbered
        WHERE place <= $2
    """


def _source(listings: Sequence[int]) -> str:
    return OF_HIERARCHY if listings[0] < 0 else BELOW_NODE


async def totals(listings: Sequence[int], filter: NodeFilter, max_depth: int | None) -> list[int]:
    """How many nodes are chosen for each listing. One statement."""
    wanted = conditions(filter, max_depth)
    where = " AND ".join(["$2::int = 0", *wanted.texts])
    statement = f"SELECT parent.id, count(*) FROM {_source(listings)} WHERE {where} GROUP BY parent.id"
    found = {row[0]: row[1] for row in await db.fetch_planned(statement, listings, 0, *wanted.arguments)}
    return [found.get(listing, 0) for listing in listings]
