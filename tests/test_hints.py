"""Things asked for by name while the name goes to another thing: the answer is of one state of the database."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.app import create_app
from service.db import Database
from service.matching import Reference
from service.settings import Settings
from service.store import listing
from tests.support.client import Grove, running

MAKE: dict[str, tuple[str, dict[str, object], str, str]] = {
    "customer": ("createCustomer", {"type": "RETAILER"}, "updateCustomer", "deleteCustomer"),
    "customerGroup": ("createCustomerGroup", {}, "updateCustomerGroup", "deleteCustomerGroup"),
    "hierarchy": ("createHierarchy", {"levels": ["Region"]}, "updateHierarchy", "deleteHierarchy"),
}
KINDS = [("customer", "code"), ("customerGroup", "code"), ("customerGroup", "name"), ("hierarchy", "name")]
SELECTED = {
    "customer": "id code name groups { totalCount } nodes { id path hierarchy { name } }",
    "customerGroup": "id code name nodes { id path } customers { totalCount }",
    "hierarchy": "id name levels { name } roots { totalCount }",
}


@pytest.fixture
async def grove(database_url: str) -> AsyncIterator[Grove]:
    """Each query runs once: what happens amid it would not happen to another run."""
    async with running(create_app(Settings(database=database_url)), compared=False) as client:
        yield client


async def make(grove: Grove, thing: str, word: str) -> str:
    create, more, *_ = MAKE[thing]
    named: dict[str, object] = {"name": word} if thing == "hierarchy" else {"name": word, "code": word}
    made = await grove.mutate(create, named | more, f"{thing if thing != 'customerGroup' else 'group'} {{ id }}")
    return str(next(iter(made.values()))["id"])


async def look(grove: Grove, thing: str, by: str, word: str) -> Any:
    document = f"query ($word: String!) {{ {thing}(by: {{ {by}: $word }}) {{ {SELECTED[thing]} }} }}"
    return (await grove.query(document, {"word": word}))[thing]


@pytest.mark.parametrize(("thing", "by"), KINDS)
async def test_a_name_that_goes_to_another(
    grove: Grove, database_url: str, thing: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await make(grove, thing, "one"), await make(grove, thing, "two")
    for _ in range(2):
        assert (await look(grove, thing, by, "one"))["id"] == first
    update = MAKE[thing][2]
    hinted = listing.hint
    swapped: list[bool] = []

    async def swap() -> None:
        for id, word in ((first, "three"), (second, "one"), (first, "two")):
            await grove.mutate(update, {"id": id, by: word})

    async def hint(table: str, reference: Reference) -> int:
        found = await hinted(table, reference)
        if not swapped:
            swapped.append(True)
            await asyncio.create_task(swap())
        return found

    monkeypatch.setattr(listing, "hint", hint)
    found = await look(grove, thing, by, "one")
    # SQLite takes its statements from a snapshot, which is older than the exchange.
    assert (found["id"], found[by]) == (second if database_url.startswith("postgres") else first, "one")
    assert (await look(grove, thing, by, "one"))["id"] == second
    assert (await look(grove, thing, by, "TWO"))["id"] == first


@pytest.mark.parametrize(("thing", "by"), KINDS)
async def test_what_is_deleted_behind_its_hint(
    grove: Grove, database_url: str, thing: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await make(grove, thing, "one")
    for _ in range(2):
        assert (await look(grove, thing, by, "one"))["id"] == id
    hinted = listing.hint

    async def hint(table: str, reference: Reference) -> int:
        found = await hinted(table, reference)
        if found != listing.NOTHING:
            await asyncio.create_task(grove.mutate(MAKE[thing][3], {"id": id}))
        return found

    monkeypatch.setattr(listing, "hint", hint)
    found = await look(grove, thing, by, "one")
    assert found is None or (database_url.startswith("sqlite") and (found["id"], found[by]) == (id, "one"))
    assert await look(grove, thing, by, "one") is None


@pytest.mark.parametrize(("thing", "by"), KINDS)
async def test_what_comes_to_be_behind_a_hint(
    grove: Grove, thing: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await make(grove, thing, "one")
    document = f"""
        query ($id: ID!) {{
          named: {thing}(by: {{ {by}: "two" }}) {{ {by} }}
          known: {thing}(by: {{ id: $id }}) {{ {by} }}
          again: {thing}(by: {{ {by}: "TWO" }}) {{ {by} }}
        }}
    """
    for _ in range(2):
        assert await grove.query(document, {"id": id}) == {"named": None, "known": {by: "one"}, "again": None}
    hinted = listing.hint
    hints = 0

    async def hint(table: str, reference: Reference) -> int:
        nonlocal hints
        hints += 1
        last = hints == 2
        found = await hinted(table, reference)
        if last:
            await asyncio.create_task(grove.mutate(MAKE[thing][2], {"id": id, by: "two"}))
        return found

    monkeypatch.setattr(listing, "hint", hint)
    found = await grove.query(document, {"id": id})
    before = {"named": None, "known": {by: "one"}, "again": None}
    assert found in (before, {key: {by: "two"} for key in before})
    assert await grove.query(document, {"id": id}) == {key: {by: "two"} for key in before}


async def test_a_wrong_hint_says_nothing_of_the_document(grove: Grove, monkeypatch: pytest.MonkeyPatch) -> None:
    await make(grove, "customer", "one")
    alone = []
    read = Database.read

    async def watched(self: Database, work: Any, **options: bool) -> Any:
        alone.append(options.get("alone", False))
        return await read(self, work, **options)

    monkeypatch.setattr(Database, "read", watched)
    document = '{ customer(by: { code: "one" }) { name } }'
    for _ in range(2):
        await grove.query(document)
    assert alone == [False, True]
    hinted = listing.hint
    with monkeypatch.context() as wrong:
        wrong.setattr(listing, "hint", lambda table, reference: hinted(table, Reference(code="nobody")))
        assert (await grove.query(document))["customer"] is not None

        async def another(table: str, reference: Reference) -> int:
            return 1

        wrong.setattr(listing, "hint", another)
        await grove.query(document)
    alone.clear()
    await grove.query(document)
    assert alone == [True]


async def test_a_hint_and_one_statement(grove: Grove, database_url: str) -> None:
    await make(grove, "customer", "one")
    document = '{ customer(by: { code: "one" }) { name groups { nodes { name } } nodes { path } } }'
    statements = []
    for _ in range(2):
        response = await grove.http.post("/graphql", json={"query": document})
        assert response.json()["data"]["customer"]["name"] == "one"
        statements.append(re.findall(r'statements;desc="(\d+)"', response.headers["Server-Timing"])[0])
    # SQLite reads one after another what PostgreSQL reads at once.
    assert statements == (["2", "2"] if database_url.startswith("postgres") else ["4", "4"])
