"""GraphQL words. The public contract of Grove; printed into schema.graphql at the top of the repository."""


import strawberry
from strawberry.schema.config import StrawberryConfig

from service.schema.answering import MutationExecutor
from service.schema.context import Context
from service.schema.customer import CustomerMutations
from service.schema.group import GroupMutations
from service.schema.hierarchy import HierarchyMutations
from service.schema.node import NodeMutations
from service.schema.query import Query
from service.schema.words import SCALARS

__all__ = ["Context", "MutationExecutor", "schema"]


@strawberry.type(
    description="Everything that can be changed. Each field is one transaction; a payload with user errors kept nothing."
)
class Mutation(HierarchyMutations, GroupMutations, NodeMutations, CustomerMutations):
    pass


schema = strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map=SCALARS))
