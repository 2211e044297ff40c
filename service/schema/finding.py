"""Things by their kind and key."""

from collections.abc import Sequence
from typing import Any

from service.ids import Kind
from service.resolvers import change as changes
from service.resolvers import customer as customers
from service.resolvers import group as groups
from service.resolvers import hierarchy as hierarchies
from service.resolvers import job as jobs
from service.resolvers import node as nodes
from service.resolvers import reservation as reservations
from service.resolvers import stock as stocks
from service.schema.context import Context

FINDERS: dict[Kind, Any] = {
    Kind.HIERARCHY: hierarchies.by_key,
    Kind.NODE: nodes.by_key,
    Kind.GROUP: groups.by_key,
    Kind.CUSTOMER: customers.by_key,
    Kind.CHANGE: changes.by_key,
    Kind.STOCK_ITEM: stocks.by_key,
    Kind.RESERVATION: reservations.by_key,
    Kind.JOB: jobs.by_key,
}


async def find_all(context: Context, wanted: Sequence[tuple[Kind, int]]) -> list[Any]:
    """Things of several kinds, in the order asked; None for what there is not. A statement a kind."""
    found: dict[tuple[Kind, int], Any] = {}
    for kind in dict.fromkeys(kind for kind, _ in wanted):
        keys = [key for other, key in wanted if other is kind]
        found |= {(kind, key): row for key, row in zip(keys, await context.many(FINDERS[kind], keys), strict=True)}
    return [found[each] for each in wanted]
