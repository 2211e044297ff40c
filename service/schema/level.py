"""Levels."""

import strawberry
from strawberry import Private

from service.store.hierarchy import LevelRow

field = strawberry.field


@strawberry.type(description="A named level of a hierarchy.")
class HierarchyLevel:
    row: Private[LevelRow]

    @field(description="1 is the top level.")
    def depth(self) -> int:
        return self.row.depth

    @field(description="Unique in its hierarchy, whatever its case.")
    def name(self) -> str:
        return self.row.name

    @field(description="How many nodes stand on it.")
    def node_count(self) -> int:
        return self.row.node_count
