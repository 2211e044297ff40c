"""Levels."""

import strawberry

from service.schema.relations import attribute


@strawberry.type(description="A named level of a hierarchy.")
class HierarchyLevel:
    depth: int = attribute("1 is the top level.")
    name: str = attribute("Unique in its hierarchy, whatever its case.")
    node_count: int = attribute("How many nodes stand on it.")
