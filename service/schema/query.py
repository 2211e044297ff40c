"""The root of all reading."""

import asyncio
from typing import Annotated

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
from service.schema import stock_types, types
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
from service.schema.connection import After, Before, Connection, First, Last, connect, page_of
from service.schema.context import Info
from service.schema.finding import find
from service.schema.inputs import (
    CustomerBy,
    CustomerGroupBy,
    HierarchyBy,
    HierarchyFilterInput,
    HierarchyOrder,
    order_of,
)
from service.schema.job import ImportJob, import_job
from service.schema.stock_types import Availability, Reservation, StockItem
from service.schema.thing import Node
from service.schema.types import (
    Change,
    Customer,
    CustomerGroup,
    Hierarchy,
    HierarchyNode,
)

field = strawberry.field

AnyId = Annotated[ID, strawberry.argument(description="The id, as Grove gave it.")]
ALL = 0
MAIN = "MAIN"


@strawberry.type(description="Everything that can be read.")
class Query:
    @field(description="Anything by its id; null where nothing has that id.")
    async def node(self, info: Info, id: AnyId) -> Node | None:
        found: Node | None = await find(info, *ids.decode_any(id))
        return found

    @field(description="Up to 1,000 ids at once, answered in the order asked; null where nothing has that id.")
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[ID], strawberry.argument(description="The ids, as Grove gave them.")],
    ) -> list[Node | None]:
        return await _found(info, ids)

    @field(description="A hierarchy; null where there is none of that id or name.")
    async def hierarchy(
        self, info: Info, by: Annotated[HierarchyBy, strawberry.argument(description="Which hierarchy.")]
    ) -> Hierarchy | None:
        row = (await hierarchies.by_reference([by.reference()]))[0]
        return types.hierarchy(row) if row else None

    @field(description="All hierarchies.")
    def hierarchies(
        self,
        info: Info,
        filter: Annotated[HierarchyFilterInput | None, strawberry.argument(description="Which hierarchies.")] = UNSET,
        order_by: Annotated[HierarchyOrder | None, strawberry.argument(description="By name if left out.")] = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Hierarchy]:
        return connect(
            info.context,
            types.hierarchy,
            hierarchies.page,
            hierarchies.total,
            ALL,
            page_of(first, after, last, before),
            filter.conditions() if filter else HierarchyFilter(),
            order=order_of(order_by, "NAME"),
        )

    @field(description="A node of a hierarchy; null where there is none of that id.")
    async def hierarchy_node(self, info: Info, id: AnyId) -> HierarchyNode | None:
        found: HierarchyNode | None = await find(info, Kind.NODE, ids.decode(id, Kind.NODE))
        return found

    @field(description="A customer group; null where there is none of that id, code or name.")
    async def customer_group(
        self, info: Info, by: Annotated[CustomerGroupBy, strawberry.argument(description="Which group.")]
    ) -> CustomerGroup | None:
        row = (await groups.by_reference([by.reference()]))[0]
        return types.customer_group(row) if row else None

    @field(description="All customer groups.")
    def customer_groups(
        self,
        info: Info,
        filter: GroupFilters = UNSET,
        order_by: GroupOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[CustomerGroup]:
        return connect(
            info.context,
            types.customer_group,
            groups.page,
            groups.total,
            ALL,
            page_of(first, after, last, before),
            filter.conditions() if filter else GroupFilter(),
            order=order_of(order_by, "NAME"),
        )

    @field(description="A customer; null where there is none of that id or code.")
    async def customer(
        self, info: Info, by: Annotated[CustomerBy, strawberry.argument(description="Which customer.")]
    ) -> Customer | None:
        row = (await customers.by_reference([by.reference()]))[0]
        return types.customer(row) if row else None

    @field(description="All customers.")
    def customers(
        self,
        info: Info,
        filter: CustomerFilters = UNSET,
        order_by: CustomerOrders = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Customer]:
        return connect(
            info.context,
            types.customer,
            customers.page,
            customers.total,
            ALL,
            page_of(first, after, last, before),
            filter.conditions() if filter else CustomerFilter(),
            order=order_of(order_by, "CODE"),
        )

    @field(description="The distinct customer types in use, in alphabetical order.")
    async def customer_types(self, info: Info) -> list[str]:
        return await info.context.load(customers.types, ALL)

    @field(description="A stock item; null where there is none of that SKU at that location.")
    async def stock_item(self, info: Info, sku: Sku, location: Location = MAIN) -> StockItem | None:
        row = await stocks.by_name(sku, location)
        return stock_types.stock_item(row) if row else None

    @field(description="All stock items, by SKU; those of one SKU by age.")
    def stock_items(
        self,
        info: Info,
        filter: StockItemFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[StockItem]:
        return connect(
            info.context,
            stock_types.stock_item,
            stocks.page,
            stocks.total,
            ALL,
            page_of(first, after, last, before),
            filter.conditions() if filter else StockItemFilter(),
        )

    @field(description="All reservations, newest first.")
    def reservations(
        self,
        info: Info,
        filter: ReservationFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Reservation]:
        return connect(
            info.context,
            types.reservation,
            reservations.page,
            reservations.total,
            ALL,
            page_of(first, after, last, before),
            filter.conditions() if filter else ReservationFilter(),
        )

    @field(description="What may be promised of one item: to anybody, or to one customer through its groups.")
    async def availability(
        self,
        info: Info,
        sku: Sku,
        location: Location = MAIN,
        customer: Annotated[
            CustomerBy | None,
            strawberry.argument(
                description="To whom; anybody if left out. One that there is not is covered by nothing."
            ),
        ] = UNSET,
    ) -> Availability:
        row, to = await stocks.available(sku, location, customer.reference() if customer else None)
        return stock_types.availability(sku, location, row, to)

    @field(description="Everything that has changed, newest first.")
    def changes(
        self,
        info: Info,
        filter: ChangeFilters = UNSET,
        first: First = UNSET,
        after: After = UNSET,
        last: Last = UNSET,
        before: Before = UNSET,
    ) -> Connection[Change]:
        return connect(
            info.context,
            types.logged,
            changes.page,
            changes.total,
            ALL,
            page_of(first, after, last, before),
            filter.conditions() if filter else ChangeFilter(),
        )

    @field(description="An import job; null where there is none of that id.")
    async def import_job(self, info: Info, id: AnyId) -> ImportJob | None:
        found: ImportJob | None = await find(info, Kind.JOB, ids.decode(id, Kind.JOB))
        return found

    @field(description="All import jobs of the last 30 days, newest first.")
    def import_jobs(
        self, info: Info, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> Connection[ImportJob]:
        return connect(info.context, import_job, jobs.page, jobs.total, ALL, page_of(first, after, last, before))


async def _found(info: Info, wanted: list[ID]) -> list[Node | None]:
    if len(wanted) > LARGEST_SIZE:
        raise InvalidInput(f"At most {LARGEST_SIZE:,} ids at once; {len(wanted):,} were asked for.")
    decoded = [ids.decode_any(id) for id in wanted]
    return list(await asyncio.gather(*(find(info, kind, key) for kind, key in decoded)))
