"""Hierarchies of some size, planted by the service's own code in one transaction."""

import random

from service import engines, ids, transaction
from service.ids import Kind
from service.matching import Reference
from service.positions import LAST
from service.resolvers import hierarchy, node
from service.store import group
from service.store.group import NewGroup

LEVELS = 8
# How the nodes are shared among the upper levels; the lower ones stay free, so that there is room to move.
SHARES = (0.02, 0.08, 0.2, 0.35, 0.35)


async def plant(url: str, name: str, size: int) -> str:
    """The id of a new hierarchy of this name with so many nodes, at random places on five of its eight levels."""
    database = await engines.connect(url)
    try:
        return await transaction.run(database, "planter", lambda mutation: _plant(mutation, name, size))
    finally:
        await database.close()


async def _plant(mutation: transaction.Mutation, name: str, size: int) -> str:
    made = await hierarchy.create(name, "", [f"Level {depth}" for depth in range(1, LEVELS + 1)], False)
    words = [f"{name} {place}" for place in range(size)]
    groups = [
        NewGroup(key, f"PLANT-{word}", word, "", "ACTIVE") for key, word in zip(ids.new_keys(size), words, strict=True)
    ]
    await group.insert(groups, mutation.at)
    waiting = [Reference(row.id) for row in groups]
    above: list[int | None] = [None]
    for share in SHARES:
        families: dict[int | None, list[Reference]] = {}
        count = max(1, round(size * share)) if share != SHARES[-1] else len(waiting)
        for reference in waiting[:count]:
            families.setdefault(random.choice(above), []).append(reference)
        del waiting[:count]
        above = []
        for parent, children in families.items():
            paths = [("groups", str(place)) for place in range(len(children))]
            placed = await node.assign(made.hierarchy, children, parent, LAST, None, paths)
            above += placed.nodes
    return ids.encode(Kind.HIERARCHY, made.hierarchy)
