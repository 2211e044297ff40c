"""The customers below a node: every way to a page of them, their number, and what it is counted by."""

import asyncio
import os
from collections.abc import AsyncIterator
from itertools import product
from random import Random

import pytest

from service import engines
from service.ids import Kind, encode
from service.resolvers.check import check
from service.store import below
from service.store.below import GATHERED, LOOKED_UP, Walk, walk_for
from tests.support import sql
from tests.support.catalogue import CATALOGUE, CUSTOMER_ORDERS, ordered
from tests.support.client import Grove, Json
from tests.support.company import application
from tests.support.databases import Databases, fresh
from tests.support.listed import Listed
from tests.support.sowing import Sowing

RUNS = int(os.environ.get("GROVE_TEST_RUNS", "40"))
NODE = f'hierarchyNode(id: "{CATALOGUE.node.id}") {{ %s }}'
MEMBERS = CATALOGUE.members(CATALOGUE.node)


# ── a page ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
async def grove(databases: Databases) -> AsyncIterator[Grove]:
    async with fresh(databases) as url:
        await CATALOGUE.sown.write(url)
        async with application(url) as client:
            yield client


@pytest.mark.parametrize("longest", [0, 30, 10_000])
@pytest.mark.parametrize("test", [LOOKED_UP, GATHERED], ids=["looked up", "gathered"])
async def test_page_by_page(grove: Grove, monkeypatch: pytest.MonkeyPatch, test: str, longest: int) -> None:
    """However far a walk may go, and whatever is tested on it: all rows, each once, in their order."""
    monkeypatch.setattr(below, "walk_for", lambda *_: Walk(test, longest))
    for order, direction in product(CUSTOMER_ORDERS, ("ASC", "DESC")):
        listed = Listed("customers", NODE, f"orderBy: {{ field: {order}, direction: {direction} }}")
        wanted = [row.id for row in ordered(MEMBERS, CUSTOMER_ORDERS[order], descending=direction == "DESC")]
        for size in (7, len(wanted)):
            assert await listed.all(grove, size) == wanted
            assert await listed.all(grove, size, backward=True) == wanted


def test_which_way() -> None:
    """To a hundred customers in a hierarchy of 100,000 nodes: by gathering, half so, by looking up."""
    tests = [walk.test if (walk := walk_for(nodes, 100_000, 101)) else None for nodes in (1, 299, 300, 1_000, 10_000)]
    assert tests == [None, None, None, GATHERED, LOOKED_UP]
    for nodes, wanted in product((300, 1_000, 10_000, 100_000), (1, 101, 1_001)):
        walk = walk_for(nodes, 100_000, wanted)
        # Far enough for what is wanted, were all customers spread evenly.
        assert walk is None or walk.longest >= wanted * 100_000 / nodes


# ── how many ────────────────────────────────────────────────────────────────────────────────────────────────

COUNTS = """query ($ids: [ID!]!) {
  nodes(ids: $ids) { ... on HierarchyNode { customerCount customers(first: 1) { totalCount } } }
}"""


@pytest.mark.parametrize("several", [0, 1, 9, 60])
async def test_each_customer_counts_once(databases: Databases, several: int) -> None:
    """Nobody is in several groups, or few are, or so many that they are counted in another way."""
    chance = Random(several)
    sowing = Sowing()
    customers = [sowing.customer(f"C-{number}", f"Customer {number}") for number in range(150)]
    members: list[set[int]] = [set() for _ in range(80)]
    for place, customer in enumerate(customers):
        for group in chance.sample(members, chance.randint(2, 4) if place < several else chance.randint(0, 1)):
            group.add(customer)
    groups = [sowing.group(f"G-{place}", f"Group {place}", customers=sorted(of)) for place, of in enumerate(members)]
    parents = [None, *(chance.randrange(max(0, place - 20), place) for place in range(1, 80))]
    levels = [f"Level {depth}" for depth in range(1, 81)]
    trees = [sowing.hierarchy("Sales", levels, groups, parents)[1]]
    trees.append(sowing.hierarchy("Half", levels, groups[:40], parents[:40])[1])
    async with fresh(databases) as url:
        await sowing.write(url)
        async with application(url) as grove:
            for nodes in trees:
                known = [set(of) for of in members[: len(nodes)]]
                for place in range(len(nodes) - 1, 0, -1):
                    parent = parents[place]
                    assert parent is not None
                    known[parent] |= known[place]
                ids = [encode(Kind.NODE, key) for key in nodes]
                found = (await grove.query(COUNTS, {"ids": ids}))["nodes"]
                assert [node["customerCount"] for node in found] == [len(of) for of in known]
                assert [node["customers"]["totalCount"] for node in found] == [len(of) for of in known]


# ── what is kept for it ─────────────────────────────────────────────────────────────────────────────────────

GROUPS = [f"G-{number}" for number in range(4)]
CUSTOMERS = [f"C-{number}" for number in range(5)]


async def shared(url: str) -> list[tuple[int, ...]]:
    return sorted(map(tuple, await sql.fetch(url, "SELECT group_id, customer_id FROM shared_membership")))


async def sound(url: str) -> None:
    """Kept are the memberships of those who are in several groups, and no others."""
    members = sorted(map(tuple, await sql.fetch(url, "SELECT group_id, customer_id FROM membership")))
    customers = [customer for _, customer in members]
    assert await shared(url) == [pair for pair in members if customers.count(pair[1]) > 1]
    database = await engines.connect(url)
    try:
        async with database.snapshot():
            assert await check(repair=False) == []
    finally:
        await database.close()


async def company(grove: Grove) -> None:
    for code in CUSTOMERS:
        await grove.mutate("createCustomer", {"code": code, "name": code})
    for code in GROUPS:
        await grove.mutate("createCustomerGroup", {"name": code, "code": code})


def some_change(chance: Random, number: int) -> tuple[str, Json]:
    """A mutation and its input; some of them are refused, for what they name is gone."""
    codes = chance.sample(CUSTOMERS, chance.randint(1, 3))
    group = {"code": chance.choice(GROUPS)}
    rows = "".join(f"{chance.choice(GROUPS)},{code}\n" for code in codes for _ in range(2))
    csv = "Group Code,Customer Code\n" + rows
    named = {"group": group, "customerCodes": codes}
    changes: list[tuple[str, Json]] = [
        ("addCustomersToGroup", named),
        ("addCustomersToGroup", named),
        ("removeCustomersFromGroup", named),
        ("removeCustomersFromGroup", named | {"dryRun": True}),
        ("importGroupMembers", {"csv": csv}),
        ("importGroupMembers", {"csv": csv, "mode": "REPLACE"}),
        ("createCustomerGroup", {"name": f"New {number}", "customerCodes": codes}),
    ]
    return chance.choice(changes)


async def gone(grove: Grove, kind: str, code: str) -> None:
    """Deletes what has this code, and makes it anew."""
    field, name = ("customer", "Customer") if kind == "customer" else ("customerGroup", "CustomerGroup")
    found = (await grove.query(f'{{ {field}(by: {{ code: "{code}" }}) {{ id }} }}'))[field]
    if found is not None:
        await grove.mutate(f"delete{name}", {"id": found["id"]}, errors=None)
    await grove.mutate(f"create{name}", {"code": code, "name": code}, errors=None)


async def test_any_change_of_members(database_url: str) -> None:
    chance = Random(5)
    async with application(database_url) as grove:
        await company(grove)
        for number in range(3 * RUNS):
            if number % 7 == 6:
                await gone(grove, *chance.choice([("customer", CUSTOMERS[0]), ("group", GROUPS[0])]))
            else:
                await grove.mutate(*some_change(chance, number), errors=None)
            await sound(database_url)


async def test_changes_of_the_same_customers_at_once(database_url: str) -> None:
    """Two who put one customer into two groups at the same time: each has to see what the other does."""
    chance = Random(6)
    async with application(database_url) as grove:
        await company(grove)
        for number in range(RUNS):
            changes = [some_change(chance, 10 * number + place) for place in range(8)]
            deleted = [("customer", CUSTOMERS[1]), ("group", GROUPS[1])] if number % 3 == 2 else []
            await asyncio.gather(
                *(grove.mutate(*change, errors=None) for change in changes),
                *(gone(grove, kind, code) for kind, code in deleted),
            )
            await sound(database_url)


async def test_damage_is_found_and_mended(database_url: str) -> None:
    async with application(database_url) as grove:
        await company(grove)
        for group in GROUPS[:2]:
            await grove.mutate("addCustomersToGroup", {"group": {"code": group}, "customerCodes": CUSTOMERS[:2]})
    kept = await shared(database_url)
    assert len(kept) == 4
    (home, customer), *_ = kept
    await sql.fetch(database_url, f"DELETE FROM shared_membership WHERE customer_id = {customer}")
    await sql.fetch(database_url, f"INSERT INTO shared_membership (customer_id, group_id) VALUES (7, {home})")
    database = await engines.connect(database_url)
    try:
        async with database.transaction():
            found = await check(repair=True)
    finally:
        await database.close()
    assert [one.table for one in found] == ["shared_membership"] * 3
    assert all(one.repaired for one in found)
    assert await shared(database_url) == kept
    await sound(database_url)
