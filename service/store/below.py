"""The customers below a node, each once: how many there are, and a page of them that costs what the page costs.

There are three ways to the first hundred of a list in order. To gather all that are below and to sort them costs
what is below. To walk along the order and to look each customer up, whether it is below, costs what lies between
those wanted: little below a large node, the whole table below a small one. To gather the keys of all that are
below, and to walk with those at hand, lies in between. Which is the cheapest follows from numbers that are kept:
how many nodes the hierarchy has, and how many of them are below.
"""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

from service import db
from service.matching import Order
from service.paging import Page, Slice
from service.store.customer import BELOW_NODE, SORTINGS, CustomerRow
from service.store.listing import Conditions, row_of

SIZE = """
    -- How many nodes are at and below a node, and how many its hierarchy has.
    SELECT node.descendant_count + 1, (
        SELECT sum(level.node_count) FROM level WHERE level.hierarchy_id = node.hierarchy_id
    )
    FROM node WHERE node.id = $1
"""

# OFFSET 0 and IS TRUE keep PostgreSQL from making a join of them, which would not keep to the order of the walk.
LOOKED_UP = """
    EXISTS (
        SELECT 1 FROM membership
        JOIN node AS place ON place.group_id = membership.group_id
        JOIN closure ON closure.ancestor_id = {0} AND closure.descendant_id = place.id
        WHERE membership.customer_id = item.id OFFSET 0
    )
"""
GATHERED = """
    (item.id IN (
        SELECT membership.customer_id
        FROM closure
        JOIN node AS place ON place.id = closure.descendant_id
        JOIN membership ON membership.group_id = place.group_id
        WHERE closure.ancestor_id = {0}
    )) IS TRUE
"""

# Microseconds, of which only the proportions matter: to look a customer up, whether it is below; to find its key
# among those gathered; to gather the customers of one node; to read those customers themselves, five a node.
LOOKING_UP, FINDING, GATHERING, READING = 6.0, 0.3, 3.0, 25.0
# Below fewer nodes there is nothing to be gained.
FEWEST_NODES = 300


# So many memberships of customers who are in several groups are few enough to look each up, in what node it is:
# no more than a fourth of the nodes below.
MANY_SHARED = 2_000
SHARED_NODES = 4

COUNT = f"""
    -- How many different customers are at and below each node: all members of its groups, less those who are
    -- counted more than once. Where many are in several groups, each is told apart from all others instead.
    WITH shared AS (
        SELECT count(*) AS memberships FROM (SELECT 1 FROM shared_membership LIMIT {MANY_SHARED}) AS first_ones
    )
    SELECT top.id, CASE
        WHEN shared.memberships < {MANY_SHARED} AND shared.memberships * {SHARED_NODES} <= top.descendant_count THEN (
            SELECT sum(customer_group.customer_count)
            FROM closure
            JOIN node AS place ON place.id = closure.descendant_id
            JOIN customer_group ON customer_group.id = place.group_id
            WHERE closure.ancestor_id = top.id
        ) - (
            SELECT count(*) - count(DISTINCT kept.customer_id) FROM shared_membership AS kept
            WHERE (EXISTS (
                SELECT 1 FROM node AS place CROSS JOIN closure
                WHERE place.group_id = kept.group_id
                  AND closure.ancestor_id = top.id AND closure.descendant_id = place.id
            )) IS TRUE
        )
        ELSE (
            SELECT count(DISTINCT membership.customer_id)
            FROM closure
            JOIN node AS place ON place.id = closure.descendant_id
            JOIN membership ON membership.group_id = place.group_id
            WHERE closure.ancestor_id = top.id
        )
    END
    FROM node AS top CROSS JOIN shared WHERE top.id = ANY($1::bigint[])
"""


class Walk(NamedTuple):
    """A walk along the order: the test of a customer, and after how many of them to give up."""

    test: str
    longest: int


async def counts(nodes: Collection[int]) -> dict[int, int]:
    """How many different customers are at and below each node. One statement.

    It costs the nodes below where few customers are in several groups, else the members below.
    """
    found: defaultdict[int, int] = defaultdict(int)
    found.update({row[0]: row[1] for row in await db.fetch(COUNT, list(nodes))})
    return found


async def page(node: int, page: Page, order: Order) -> Slice[CustomerRow]:
    """A page of the customers at and below a node.

    Two statements; three where customers in this order are unlike the tree, so that a walk did not find enough of
    them. It costs at most twice what gathering and sorting all that are below would.
    """
    sorting = SORTINGS[order.field]
    walk = await _walk(node, page.size + 1)
    if walk is not None:
        found = await BELOW_NODE.walk(node, page, sorting, order.descending, row_of(CustomerRow), *walk)
        if found is not None:
            return found
    return (await BELOW_NODE.page([node], page, sorting, order.descending, Conditions(), row_of(CustomerRow)))[0]


async def _walk(node: int, wanted: int) -> Walk | None:
    """The walk that finds so many customers cheaper than they can be gathered and sorted, if there is one."""
    if db.current().engine.dialect != "postgres":
        return None
    found = await db.fetch(SIZE, node)
    return walk_for(found[0][0], int(found[0][1]), wanted) if found else None


def walk_for(below: int, nodes: int, wanted: int) -> Walk | None:
    """The same for a node with so many nodes at and below it, of so many in its hierarchy."""
    if below < FEWEST_NODES:
        return None
    # As if every node had as many customers as any other.
    distance = wanted * nodes / below
    sorted_costs = below * (GATHERING + READING)
    looked_up = distance * LOOKING_UP
    gathered = below * GATHERING + distance * FINDING
    if sorted_costs <= min(looked_up, gathered):
        return None
    if looked_up <= gathered:
        return Walk(LOOKED_UP, int(sorted_costs / LOOKING_UP))
    return Walk(GATHERED, int(below * READING / FINDING))
