"""Things asked for by a code or a name: what hangs on their keys is read with them, from one state of the database."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.app import create_app
from service.dialects import seeking
from service.settings import Settings
from service.sought import Sought
from tests.support.client import Grove, running

MAKE: dict[str, tuple[str, dict[str, object], str]] = {
    "customer": ("createCustomer", {"type": "RETAILER"}, "updateCustomer"),
    "customerGroup": ("createCustomerGroup", {}, "updateCustomerGroup"),
    "hierarchy": ("createHierarchy", {"levels": ["Region"]}, "updateHierarchy"),
}
KINDS = [("customer", "code"), ("customerGroup", "code"), ("customerGroup", "name"), ("hierarchy", "name")]
# What hangs on the key alone, by way of which each thing tells which one it is.
SELECTED = {
    "customer": "id code groups { totalCount nodes { name } } nodes { path }",
    "customerGroup": "id code name customers { totalCount nodes { name } } nodes { path }",
    "hierarchy": "id name levels { name } roots { totalCount nodes { group { name } } }",
}


@pytest.fixture
async def grove(database_url: str) -> AsyncIterator[Grove]:
    """Each query runs once: what happens meanwhile would be another thing to another run."""
    async with running(create_app(Settings(database=database_url)), compared=False) as client:
        yield client


async def make(grove: Grove, thing: str, word: str) -> str:
    create, more, _ = MAKE[thing]
    named: dict[str, object] = {"name": word} if thing == "hierarchy" else {"name": word, "code": word}
    made = await grove.mutate(create, named | more, f"{thing if thing != 'customerGroup' else 'group'} {{ id }}")
    return str(next(iter(made.values()))["id"])


async def mark(grove: Grove, thing: str, id: str, word: str) -> None:
    """Gives the thing something that bears this name."""
    if thing == "customer":
        group = await make(grove, "customerGroup", word)
        await grove.mutate("addCustomersToGroup", {"group": {"id": group}, "customerIds": [id]}, "added")
    elif thing == "customerGroup":
        customer = await make(grove, "customer", word)
        await grove.mutate("addCustomersToGroup", {"group": {"id": id}, "customerIds": [customer]}, "added")
    else:
        await grove.mutate("createCustomerGroup", {"name": word, "place": {"hierarchyId": id}}, "group { id }")


def document(thing: str, by: str) -> str:
    return f"query ($word: String!) {{ {thing}(by: {{ {by}: $word }}) {{ {SELECTED[thing]} }} }}"


async def look(grove: Grove, thing: str, by: str, word: str) -> Any:
    return (await grove.query(document(thing, by), {"word": word}))[thing]


def marks(found: Any) -> list[str]:
    """The names of what hangs on a thing."""
    connection = found.get("groups") or found.get("customers") or found["roots"]
    # Behind the root that a new hierarchy has.
    names = [node.get("name") or node["group"]["name"] for node in connection["nodes"]]
    return names[-1:]


@pytest.mark.parametrize(("thing", "by"), KINDS)
async def test_one_statement(grove: Grove, database_url: str, thing: str, by: str) -> None:
    id = await make(grove, thing, "one")
    await mark(grove, thing, id, "Marked")
    statements = []
    for _ in range(2):
        request = {"query": document(thing, by), "variables": {"word": "ONE"}}
        response = await grove.http.post("/graphql", json=request)
        found = response.json()["data"][thing]
        assert (found["id"], marks(found)) == (id, ["Marked"])
        statements.append(int(re.findall(r'statements;desc="(\d+)"', response.headers["Server-Timing"])[0]))
    if database_url.startswith("postgres"):
        # The customers of a group are read by a plan that is made for that group.
        assert statements == ([2, 2] if thing == "customerGroup" else [1, 1])
    else:
        # SQLite reads one after another what PostgreSQL reads at once.
        assert statements[0] == statements[1] > 2


@pytest.mark.parametrize(("thing", "by"), KINDS)
async def test_what_there_is_not(grove: Grove, thing: str, by: str) -> None:
    ask = f"""query ($id: ID!) {{
      none: {thing}(by: {{ {by}: "two" }}) {{ {SELECTED[thing]} }}
      known: {thing}(by: {{ id: $id }}) {{ {SELECTED[thing]} }}
      named: {thing}(by: {{ {by}: "one" }}) {{ {SELECTED[thing]} }}
    }}"""
    id = await make(grove, thing, "one")
    await mark(grove, thing, id, "Marked")
    for _ in range(2):
        found = await grove.query(ask, {"id": id})
        assert found["none"] is None
        assert found["known"] == found["named"]
        assert marks(found["named"]) == ["Marked"]
    second = await make(grove, thing, "two")
    assert (await grove.query(ask, {"id": id}))["none"]["id"] == second


@pytest.mark.parametrize(("thing", "by"), KINDS)
async def test_a_name_that_goes_from_one_to_another(grove: Grove, thing: str, by: str) -> None:
    ids = [await make(grove, thing, word) for word in ("one", "two")]
    marked = dict(zip(ids, ("First", "Second"), strict=True))
    for id, word in marked.items():
        await mark(grove, thing, id, word)
    update = MAKE[thing][2]
    done = asyncio.Event()
    seen: list[str | None] = []

    async def exchange() -> None:
        first, second = ids
        for _ in range(15):
            for id, word in ((first, "three"), (second, "one"), (first, "two")):
                await grove.mutate(update, {"id": id, by: word})
            first, second = second, first
        done.set()

    async def read() -> None:
        while not done.is_set():
            found = await look(grove, thing, by, "one")
            seen.append(found and found["id"])
            assert found is None or (found[by], marks(found)) == ("one", [marked[found["id"]]])

    await asyncio.gather(exchange(), read(), read())
    assert {*ids} <= {*seen}


def test_a_key_that_is_found() -> None:
    sought = Sought("SELECT id FROM thing WHERE word = $1", "one")
    negated = -sought
    assert negated.statement == "SELECT -sought.id FROM (SELECT id FROM thing WHERE word = $1) AS sought"
    assert (-negated).statement == "SELECT id FROM thing WHERE word = $1"
    assert sought > 0 > negated
    with pytest.raises(TypeError):
        hash(sought)
    sought.found(7)
    keys: dict[Any, str] = {7: "seven", -7: "minus seven"}
    assert (keys[sought], keys[negated]) == ("seven", "minus seven")
    assert {sought: 1, negated: 2} == {7: 1, -7: 2}


def test_a_key_that_there_is_not() -> None:
    sought = Sought("SELECT id FROM thing WHERE word = $1", "one")
    sought.found(None)
    with pytest.raises(LookupError):
        hash(-sought)


def test_the_search_in_a_statement() -> None:
    text = "SELECT name FROM thing WHERE id = ANY($2::bigint[]) AND size > $1"
    search = "SELECT id FROM thing WHERE word = $1"
    assert seeking(text, 2, search) == (
        "SELECT name FROM thing WHERE id = ANY(ARRAY(SELECT id FROM thing WHERE word = $2)) AND size > $1"
    )
    assert seeking(text, 1, search) is None
    assert seeking(f"{text} AND $2 IS NOT NULL", 2, search) is None
