"""GraphQL words. The public contract of Grove; printed into schema.graphql at the top of the repository."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from service.schema.answering import MutationExecutor
from service.schema.context import Context
from service.schema.customer import CustomerMutations
from service.schema.group import GroupMutations
from service.schema.hierarchy import HierarchyMutations
from service.schema.importing import ImportMutations
from service.schema.importing_lists import ListImportMutations
from service.schema.node import NodeMutations
from service.schema.query import Query
from service.schema.stock import StockMutations
from service.schema.words import SCALARS

__all__ = ["Context", "MutationExecutor", "schema"]


@strawberry.type(
    description="Everything that can be changed. A field is one transaction; a payload with user errors kept nothing."
)
class Mutation(
    HierarchyMutations,
    GroupMutations,
    NodeMutations,
    CustomerMutations,
    ImportMutations,
    ListImportMutations,
    StockMutations,
):
    pass


# Every mutation has the one argument; what it is for is said once, here.
for _field in Mutation.__strawberry_definition__.fields:  # type: ignore[attr-defined]
    for _argument in _field.arguments:
        _argument.description = "What to do."

schema = strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map=SCALARS))
