"""Things by their kind and key."""

from typing import Any

from service.ids import Kind
from service.resolvers import change as changes
from service.resolvers import customer as customers
from service.resolvers import group as groups
from service.resolvers import hierarchy as hierarchies
from service.resolvers import node as nodes
from service.resolvers import reservation as reservations
from service.resolvers import stock as stocks
from service.schema.context import Info
from service.schema.stock_types import stock_item
from service.schema.types import customer, customer_group, hierarchy, logged, node, reservation

FINDERS: dict[Kind, tuple[Any, Any]] = {
    Kind.HIERARCHY: (hierarchies.by_key, hierarchy),
    Kind.NODE: (nodes.by_key, node),
    Kind.GROUP: (groups.by_key, customer_group),
    Kind.CUSTOMER: (customers.by_key, customer),
    Kind.CHANGE: (changes.by_key, logged),
    Kind.STOCK_ITEM: (stocks.by_key, stock_item),
    Kind.RESERVATION: (reservations.by_key, reservation),
}


async def find(info: Info, kind: Kind, key: int | None) -> Any:
    """The thing of this kind with this key, or None."""
    if key is None:
        return None
    resolve, make = FINDERS[kind]
    row = await info.context.load(resolve, key)
    return None if row is None else make(row)
