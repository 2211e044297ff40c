"""The laws of the tree: random mutations, through GraphQL, on Grove and on an oracle of plain dictionaries.

A run is up to fifty steps (tests/support/steps.py). After each mutation every row is compared with the oracle; now
and then, and at the end, all that GraphQL tells is too (tests/support/world.py). In between somebody reads lists
page by page, and has at the end seen each node that stood still, once and in order (tests/support/readers.py).

GROVE_TEST_RUNS sets another number of runs.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from service import positions
from service.app import create_app
from service.engines import connect
from service.settings import Settings
from tests.support.choosing import numbers, pick
from tests.support.client import running
from tests.support.databases import Databases, fresh
from tests.support.plain_tree import Tree
from tests.support.steps import CUSTOMERS, Run, Step, step
from tests.support.world import World

RUNS = int(os.environ.get("GROVE_TEST_RUNS", "500"))
MOST_STEPS = 50
GROUPS = [f"G{number:02}" for number in range(1, 13)]

# How many levels a tree has at first, and where its groups stand.
Plant = tuple[int, list[int]]
plants = st.tuples(st.integers(2, 6), st.lists(numbers, max_size=10))
steps = st.integers(1, MOST_STEPS).flatmap(lambda count: st.lists(step, min_size=count, max_size=count))


def runs(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        # What fails is made smaller below, in a fraction of the time that Hypothesis would need: it does not know
        # that any step can be left out.
        phases=[Phase.explicit, Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


@pytest.fixture(scope="module")
async def make_world(databases: Databases) -> AsyncIterator[Callable[[], World]]:
    """Makes a world for each run, all on one database."""
    async with fresh(databases) as url:
        database = await connect(url)
        try:
            async with running(create_app(Settings(database=url))) as grove:
                for code in CUSTOMERS:
                    await grove.mutate("createCustomer", {"code": code, "name": code})
                yield lambda: World(grove, database, CUSTOMERS)
        finally:
            await database.close()


@runs(RUNS)
@given(plants=st.tuples(plants, plants), steps=steps)
async def test_laws(make_world: Callable[[], World], plants: tuple[Plant, Plant], steps: list[Step]) -> None:
    await hold(make_world, plants, steps)


@runs(max(1, RUNS // 10))
@given(plants=st.tuples(plants, plants), steps=steps)
async def test_laws_while_siblings_are_spread_anew(
    make_world: Callable[[], World], monkeypatch: pytest.MonkeyPatch, plants: tuple[Plant, Plant], steps: list[Step]
) -> None:
    # Keys begin with two characters, so nearly every one between two others is too long.
    monkeypatch.setattr(positions, "LONGEST", 2)
    await hold(make_world, plants, steps)


async def hold(make_world: Callable[[], World], plants: Sequence[Plant], steps: list[Step]) -> None:
    """What a run shows; one that fails is told with as few steps as it fails with."""
    if await failure(make_world(), plants, steps):
        steps = await fewest(make_world, plants, steps)
        error = await failure(make_world(), plants, steps)
        if error:
            error.add_note("\n".join(map(repr, [*plants, *steps])))
            raise error


async def failure(world: World, plants: Sequence[Plant], steps: Sequence[Step]) -> Exception | None:
    """What a run fails with."""
    try:
        run = Run(world)
        await world.begin(GROUPS, [planted(name, *plant) for name, plant in zip(("East", "West"), plants, strict=True)])
        for step in steps:
            await run.do(step)
        await run.end()
    except Exception as error:
        error.add_note("\n".join(world.history))
        return error
    return None


async def fewest(make_world: Callable[[], World], plants: Sequence[Plant], steps: list[Step]) -> list[Step]:
    """The steps of a run that fails, without those that it fails without as well."""
    size = len(steps)
    while size := size // 2:
        start = 0
        while start < len(steps):
            fewer = steps[:start] + steps[start + size :]
            if await failure(make_world(), plants, fewer):
                steps = fewer
            else:
                start += size
    return steps


def planted(name: str, depth: int, parents: list[int]) -> Tree:
    """A tree of so many levels; each group stands at the top or under one before it."""
    tree = Tree(name, [f"L{number}" for number in range(1, depth + 1)])
    for group, number in zip(GROUPS, parents, strict=False):
        parent = pick([*(one for one in reversed(tree.parents) if tree.depth(one) < depth), None], number)
        tree.put([group], parent, number % (1 + len(tree.children[parent])))
    return tree
