"""Levels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import strawberry

from service.breadth import Selection
from service.resolvers import hierarchy as hierarchies
from service.schema.context import Context
from service.schema.relations import attribute
from service.store.hierarchy import LevelRow
from service.store.node import NodeRow


@strawberry.type(description="A named level of a hierarchy.")
class HierarchyLevel:
    depth: int = attribute("1 is the top level.")
    name: str = attribute("Unique in its hierarchy, whatever its case.")
    node_count: int = attribute("How many nodes stand on it.")


HIERARCHY, DEPTH = attrgetter("hierarchy_id"), attrgetter("depth")


@dataclass(slots=True, eq=False)
class LevelOf:
    """The level of each node."""

    async def one(self, context: Context, row: NodeRow) -> LevelRow:
        levels = await context.load(hierarchies.levels, row.hierarchy_id)
        return levels[row.depth - 1]

    async def many(self, context: Context, rows: Sequence[NodeRow], selection: Selection) -> list[LevelRow]:
        keys, depths = [*map(HIERARCHY, rows)], [*map(DEPTH, rows)]
        if len({*keys}) == 1 and len({*depths}) == 1:
            # So it is on each level of nested pages.
            (levels,) = await context.many(hierarchies.levels, keys[:1])
            return [levels[depths[0] - 1]] * len(rows)
        found = await context.many(hierarchies.levels, keys)
        return [levels[depth - 1] for levels, depth in zip(found, depths, strict=True)]


level_of: Callable[[], Any] = LevelOf
