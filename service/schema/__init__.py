"""GraphQL words. The public contract of Grove; printed into schema.graphql at the top of the repository."""

import strawberry
from strawberry.schema.config import StrawberryConfig

from service.schema.answering import MutationExecutor
from service.schema.context import Context, LevelContext
from service.schema.converting import declare_inputs
from service.schema.customer import CustomerMutations
from service.schema.group import GroupMutations
from service.schema.hierarchy import HierarchyMutations
from service.schema.importing import ImportMutations
from service.schema.importing_lists import ListImportMutations
from service.schema.node import NodeMutations
from service.schema.query import Query
from service.schema.relations import declare_for_breadth
from service.schema.stock import StockMutations
from service.schema.thing import Node
from service.schema.words import SCALARS

__all__ = ["Context", "LevelContext", "MutationExecutor", "schema", "type_name"]


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
declare_for_breadth(schema)
declare_inputs(schema)

_NAMES = {kind.row: kind.__name__ for kind in Node.__subclasses__()}


def type_name(row: object) -> str:
    """The name of the GraphQL type of a row, where that follows from no declaration."""
    return next(_NAMES[kind] for kind in type(row).__mro__ if kind in _NAMES)
