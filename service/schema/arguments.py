"""Arguments that several fields share, each with its description."""

from typing import Annotated

import strawberry

from service.schema.inputs import (
    ChangeFilterInput,
    CustomerFilterInput,
    CustomerGroupBy,
    CustomerGroupFilterInput,
    CustomerGroupOrder,
    CustomerOrder,
    HierarchyNodeFilterInput,
    ReservationFilterInput,
    StockItemFilterInput,
)
from service.schema.words import MemberScope

ChangeFilters = Annotated[ChangeFilterInput | None, strawberry.argument(description="Which changes.")]
CustomerFilters = Annotated[CustomerFilterInput | None, strawberry.argument(description="Which customers.")]
CustomerOrders = Annotated[CustomerOrder | None, strawberry.argument(description="By code if left out.")]
GroupFilters = Annotated[CustomerGroupFilterInput | None, strawberry.argument(description="Which groups.")]
GroupOrders = Annotated[CustomerGroupOrder | None, strawberry.argument(description="By name if left out.")]
NodeFilters = Annotated[HierarchyNodeFilterInput | None, strawberry.argument(description="Which nodes.")]
ReservationFilters = Annotated[ReservationFilterInput | None, strawberry.argument(description="Which reservations.")]
StockItemFilters = Annotated[StockItemFilterInput | None, strawberry.argument(description="Which stock items.")]
Sku = Annotated[str, strawberry.argument(description="The SKU, whatever its case.")]
Location = Annotated[str, strawberry.argument(description="The location, whatever its case.")]
GroupNamed = Annotated[CustomerGroupBy, strawberry.argument(description="Which group.")]
Scope = Annotated[MemberScope, strawberry.argument(description="Which customers.")]
