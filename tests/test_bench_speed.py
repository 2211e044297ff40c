"""Hand-written statements beside Grove: their company, and that both sides do the same. How fast, no test says."""

from typing import Any

import asyncpg
import orjson
import pytest

from bench.generate import FIRST_KEY, LEVELS
from bench.shape import ROOT
from bench.speed import plot
from bench.speed.company import company
from bench.speed.filling import filled
from bench.speed.plans import plans
from bench.speed.workloads import Middle, Workload, grove_content, without_new, workloads
from service import engines
from service.resolvers.check import check
from tests.conftest import DATABASE
from tests.support.client import Grove
from tests.support.databases import Databases, fresh
from tests.support.sql import contents

NODES, CUSTOMERS = 1_000, 2_000
START = Middle([""], [""])
only_postgres = pytest.mark.skipif(DATABASE != "postgres", reason="the yardstick is PostgreSQL's")


def test_the_company_has_a_place_for_each_workload() -> None:
    made = company(100_000, 500_000)
    shape, places = made.shape, made.places
    descendants = shape.descendant_counts()

    def below(key: int) -> int:
        return descendants[key - FIRST_KEY]

    assert len(shape.parents) == 100_000
    assert max(shape.depths) == LEVELS
    assert (below(places.large), below(places.medium)) == (90_000, 10_000)
    assert {below(key) for key in places.cubes} == {10 + 100 + 1_000}
    assert {len(shape.children[key - FIRST_KEY]) for key in places.hundreds} == {100}
    assert (below(places.thousand), below(places.ten_thousand)) == (999, 9_999)
    # The moved ones change their parent, and nothing above that.
    home, away = (key - FIRST_KEY for key in places.homes)
    assert shape.parents[home] == shape.parents[away] != ROOT
    assert all(places.homes[0] - FIRST_KEY == shape.parents[top - FIRST_KEY] for top in moved(places))
    assert all(group not in shape.children for group, _ in made.members)
    assert len({customer for _, customer in made.members}) == 500_000
    for wanted, found in ((5_000, places.few_customers), (50_000, places.many_customers)):
        counts = [customers_below(made, key - FIRST_KEY) for key in found]
        assert all(abs(count - wanted) <= wanted / 4 for count in counts), counts


def moved(places: Any) -> list[int]:
    return [places.thousand, places.ten_thousand]


def customers_below(made: Any, top: int) -> int:
    inside = {top}
    for place, parent in enumerate(made.shape.parents):
        if parent in inside:
            inside.add(place)
    return sum(group in inside for group, _ in made.members)


def test_what_is_promised_is_drawn() -> None:
    text = plot.growth("Growth", "ms", [1_000, 10_000], {"one": [1.0, 1.1], "two": [0.2, 30.0]})
    assert text.count("<polyline") == 2


@only_postgres
async def test_the_yardstick_answers_what_grove_answers(database_url: str, databases: Databases, grove: Grove) -> None:
    """Each on a database of its own, which at the end hold the same tree."""
    async with fresh(databases) as other:
        places = await filled(database_url, NODES, CUSTOMERS)
        assert await filled(other, NODES, CUSTOMERS) == places
        connection = await asyncpg.connect(other)
        try:
            for workload in workloads(places, START, START):
                # Behind no cursor, Grove wants none.
                if workload.name not in ("W4b", "W4d"):
                    await both_answer(workload, grove, connection)
        finally:
            await connection.close()
        assert await contents(database_url, ["node", "closure"]) == await contents(other, ["node", "closure"])
        database = await engines.connect(other)
        try:
            async with database.snapshot():
                assert await check(False) == []
        finally:
            await database.close()


async def both_answer(workload: Workload, grove: Grove, connection: Any) -> None:
    # What is created has other keys on either side.
    times = 0 if workload.name == "W7a" else 4
    for body, arguments in list(zip(workload.bodies(), workload.arguments, strict=True))[:times]:
        response = await grove.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
        ours = grove_content(response.content, workload.writes)
        theirs = orjson.loads(await connection.fetchval(workload.statement, *arguments))
        assert ours == theirs, workload.name


@only_postgres
async def test_what_the_yardstick_creates_is_sound(database_url: str, grove: Grove) -> None:
    places = await filled(database_url, NODES, CUSTOMERS)
    created = next(workload for workload in workloads(places, START, START) if workload.name == "W7a")
    connection = await asyncpg.connect(database_url)
    try:
        theirs = None
        for number in range(70):
            parent, name = created.arguments[number % 2]
            theirs = orjson.loads(await connection.fetchval(created.statement, parent, f"{name} {number}"))
        # Explaining them all leaves nothing behind.
        explained = await plans(database_url, places)
        assert explained.count("Execution Time") == len(workloads(places, START, START))
    finally:
        await connection.close()
    response = await grove.http.post(
        "/graphql", content=created.bodies()[0], headers={"Content-Type": "application/json"}
    )
    assert without_new(grove_content(response.content, True)) == without_new(theirs)
    database = await engines.connect(database_url)
    try:
        async with database.snapshot():
            assert await check(False) == []
    finally:
        await database.close()
