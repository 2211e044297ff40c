"""The root of all reading."""

from typing import Annotated, Any

import strawberry
from strawberry import ID, UNSET

from service import ids
from service.errors import InvalidInput
from service.ids import Kind
from service.matching import (
    ChangeFilter,
    CustomerFilter,
    GroupFilter,
    HierarchyFilter,
    Reference,
    ReservationFilter,
    StockItemFilter,
)
from service.paging import LARGEST_SIZE
from service.resolvers import change as changes
from service.resolvers import customer as customers
from service.resolvers import group as groups
from service.resolvers import hierarchy as hierarchies
from service.resolvers import job as jobs
from service.resolvers import reservation as reservations
from service.resolvers import stock as stocks
from service.schema.arguments import (
    ChangeFilters,
    CustomerFilters,
    CustomerOrders,
    GroupFilters,
    GroupOrders,
    Location,
    ReservationFilters,
    Sku,
    StockItemFilters,
)
from service.schema.bringing import along, of_customer
from service.schema.connection import After, Before, Connection, First, Last, connect, page_of
from service.schema.context import Context
from service.schema.finding import FINDERS, find_all
from service.schema.inputs import (
    CustomerBy,
    CustomerGroupBy,
    HierarchyBy,
    HierarchyFilterInput,
    HierarchyOrder,
    order_of,
)
from service.schema.job import ImportJob
from service.schema.relations import Known, constant, find, load, look, relation
from service.schema.stock_types import Availability, Promise, Reservation, StockItem
from service.schema.thing import Node
from service.schema.types import Change, Customer, CustomerGroup, Hierarchy, HierarchyNode

AnyId = Annotated[ID, strawberry.argument(description="The id, as Grove gave it.")]
# The one key of a list that hangs on nothing.
ALL = constant(0)
MAIN = "MAIN"


@strawberry.type(description="Everything that can be read.")
class Query:
    @relation("Anything by its id; null where nothing has that id.")
    def node(self, id: AnyId) -> Node | None:
        kind, key = ids.decode_any(id)
        return load(FINDERS[kind], constant(key))

    @relation("Up to 1,000 ids at once, answered in the order asked; null where nothing has that id.")
    def nodes(
        self,
        ids: Annotated[list[ID], strawberry.argument(description="The ids, as Grove gave them.")],
    ) -> list[Node | None]:
        return look(lambda context: _found(context, ids))

    @relation("A hierarchy; null where there is none of that id or name.")
    def hierarchy(
        self, by: Annotated[HierarchyBy, strawberry.argument(description="Which hierarchy.")]
    ) -> Hierarchy | None:
        return find(by.reference(), hierarchies.by_reference, hierarchies.sought)

    @relation("All hierarchies.")
    def hierarchies(
        self,
        filter: Annotated[HierarchyFilterInput | None, strawberry.argument(description="Which hierarchies.")] = UNSET,
        order_by: Annotated[HierarchyOrder | None, strawberry.argument(description="By name if left out.")] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Hierarchy]:
        return connect(
            hierarchies.page,
            hierarchies.total,
            ALL,
            page_of(first, after, last, before),
            (filter.conditions() if filter else HierarchyFilter(),),
            order_of(order_by, "NAME"),
        )

    @relation("A node of a hierarchy; null where there is none of that id.")
    def hierarchy_node(self, id: AnyId) -> HierarchyNode | None:
        return load(FINDERS[Kind.NODE], constant(ids.decode(id, Kind.NODE)), asks=along, stand_in=Known)

    @relation("A customer group; null where there is none of that id, code or name.")
    def customer_group(
        self, by: Annotated[CustomerGroupBy, strawberry.argument(description="Which group.")]
    ) -> CustomerGroup | None:
        return find(by.reference(), groups.by_reference, groups.sought)

    @relation("All customer groups.")
    def customer_groups(
        self,
        filter: GroupFilters = UNSET,
        order_by: GroupOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[CustomerGroup]:
        return connect(
            groups.page,
            groups.total,
            ALL,
            page_of(first, after, last, before),
            (filter.conditions() if filter else GroupFilter(),),
            order_of(order_by, "NAME"),
        )

    @relation("A customer; null where there is none of that id or code.")
    def customer(
        self, by: Annotated[CustomerBy, strawberry.argument(description="Which customer.")]
    ) -> Customer | None:
        return find(by.reference(), customers.by_reference, customers.sought, asks=of_customer)

    @relation("All customers.")
    def customers(
        self,
        filter: CustomerFilters = UNSET,
        order_by: CustomerOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Customer]:
        return connect(
            customers.page,
            customers.total,
            ALL,
            page_of(first, after, last, before),
            (filter.conditions() if filter else CustomerFilter(),),
            order_of(order_by, "CODE"),
        )

    @relation("The distinct customer types in use, in alphabetical order.")
    def customer_types(self) -> list[str]:
        return load(customers.types, ALL)

    @relation("A stock item; null where there is none of that SKU at that location.")
    def stock_item(self, sku: Sku, location: Location = MAIN) -> StockItem | None:
        return look(lambda _: stocks.by_name(sku, location))

    @relation("All stock items, by SKU; those of one SKU by age.")
    def stock_items(
        self,
        filter: StockItemFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[StockItem]:
        return connect(
            stocks.page,
            stocks.total,
            ALL,
            page_of(first, after, last, before),
            (filter.conditions() if filter else StockItemFilter(),),
        )

    @relation("All reservations, newest first.")
    def reservations(
        self,
        filter: ReservationFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Reservation]:
        return connect(
            reservations.page,
            reservations.total,
            ALL,
            page_of(first, after, last, before),
            (filter.conditions() if filter else ReservationFilter(),),
        )

    @relation("What may be promised of one item: to anybody, or to one customer through its groups.")
    def availability(
        self,
        sku: Sku,
        location: Location = MAIN,
        customer: Annotated[
            CustomerBy | None,
            strawberry.argument(
                description="To whom; anybody if left out. One that there is not is covered by nothing."
            ),
        ] = UNSET,
    ) -> Availability:
        to = customer.reference() if customer else None
        return look(lambda _: _promise(sku, location, to))

    @relation("Everything that has changed, newest first.")
    def changes(
        self,
        filter: ChangeFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Change]:
        return connect(
            changes.page,
            changes.total,
            ALL,
            page_of(first, after, last, before),
            (filter.conditions() if filter else ChangeFilter(),),
        )

    @relation("An import job; null where there is none of that id.")
    def import_job(self, id: AnyId) -> ImportJob | None:
        return load(FINDERS[Kind.JOB], constant(ids.decode(id, Kind.JOB)))

    @relation("All import jobs of the last 30 days, newest first.")
    def import_jobs(
        self, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> Connection[ImportJob]:
        return connect(jobs.page, jobs.total, ALL, page_of(first, after, last, before))


async def _promise(sku: str, location: str, to: Reference | None) -> Promise:
    item, customer = await stocks.available(sku, location, to)
    return Promise(item.sku if item else sku, item.location if item else location, item, customer)


async def _found(context: Context, wanted: list[ID]) -> list[Any]:
    if len(wanted) > LARGEST_SIZE:
        raise InvalidInput(f"At most {LARGEST_SIZE:,} ids at once; {len(wanted):,} were asked for.")
    return await find_all(context, [ids.decode_any(id) for id in wanted])
