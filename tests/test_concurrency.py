"""Many writers at once: nobody waits for ever, nothing is lost, the tree stays a tree."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import asyncpg
import httpx
import pytest

from service import ids
from service.ids import Kind
from service.turns import NotOurTurn, Turn, Turns
from tests.conftest import DATABASE
from tests.support import sql
from tests.support.client import Grove, Json
from tests.support.crowd import ACTOR, Client, Picture, describe, read_tree, run_crowd, version_of
from tests.support.planting import plant
from tests.support.replay import start_of, verify
from tests.support.service import Service
from tests.support.soundness import check

T = TypeVar("T")
# The length of each random run. Taken out of the environment, where the service would complain of it.
SECONDS = float(os.environ.pop("GROVE_TEST_SECONDS", "10"))
CLIENTS = 8 if DATABASE == "sqlite" else 32
POSTGRES = pytest.mark.skipif(DATABASE != "postgres", reason="about PostgreSQL")


@asynccontextmanager
async def connected(service: Service, clients: int = 64) -> AsyncIterator[Grove]:
    """A client with so many connections to the service."""
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=service.base_url, timeout=60, limits=limits) as http:
        yield Grove(http)


async def at_once(count: int, work: Callable[[int], Awaitable[T]]) -> list[T]:
    return await asyncio.gather(*(work(place) for place in range(count)))


def codes(payload: Json) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


async def no_deadlocks(url: str) -> None:
    """PostgreSQL had none to break up: each costs somebody a second. It is asked once the service has stopped."""
    if DATABASE == "postgres":
        count = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert await sql.fetch(url, count) == [(0,)]


# ── a crowd at random ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("workers", "share"), [(1, 1), pytest.param(2, 0.5, marks=POSTGRES)])
async def test_a_crowd_in_one_hierarchy(database_url: str, tmp_path: Path, workers: int, share: float) -> None:
    hierarchy = await plant(database_url, "Sales", 500)
    async with (
        Service(database_url, tmp_path, "--workers", str(workers), **ACTOR) as service,
        connected(service) as grove,
    ):
        start = await start_of(grove, database_url, hierarchy)
        picture = Picture(hierarchy)
        await picture.look(grove)
        clients = [Client(grove, picture, f"client {number}") for number in range(CLIENTS)]
        await run_crowd(clients, SECONDS * share)
        print(describe(clients))
        await verify(grove, database_url, start, [made for one in clients for made in one.acknowledged])
    await check(database_url)
    await no_deadlocks(database_url)


async def test_a_crowd_in_eight_hierarchies(database_url: str, tmp_path: Path) -> None:
    """The same groups stand in several of them, so that a deletion changes them all."""
    hierarchies = [await plant(database_url, f"Hierarchy {number}", 60) for number in range(8)]
    async with Service(database_url, tmp_path, **ACTOR) as service, connected(service) as grove:
        starts = [await start_of(grove, database_url, hierarchy) for hierarchy in hierarchies]
        clients = []
        for hierarchy in hierarchies:
            picture = Picture(hierarchy)
            await picture.look(grove)
            clients += [Client(grove, picture, f"{hierarchy} {number}") for number in range(CLIENTS // 8)]
        await run_crowd(clients, SECONDS / 2)
        print(describe(clients))
        for start in starts:
            await verify(grove, database_url, start, [made for one in clients for made in one.acknowledged])
    await check(database_url)
    await no_deadlocks(database_url)
    await no_deadlocks(database_url)


# ── hierarchies don't wait for one another ──────────────────────────────────────────────────────────────────


@asynccontextmanager
async def held(url: str, hierarchy: str) -> AsyncIterator[None]:
    """The hierarchy's lock, in the hand of somebody else."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT id FROM hierarchy WHERE id = $1 FOR NO KEY UPDATE", ids.decode(hierarchy, Kind.HIERARCHY)
            )
            yield
    finally:
        await connection.close()


async def add_root(grove: Grove, hierarchy: str) -> Json:
    """The whole response to a change of one hierarchy, sent with a key."""
    return await grove.execute(
        """
        mutation ($input: CreateCustomerGroupInput!) {
          createCustomerGroup(input: $input) { node { id } userErrors { code } }
        }
        """,
        {"input": {"name": uuid4().hex, "place": {"hierarchyId": hierarchy}, "idempotencyKey": uuid4().hex}},
    )


WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'grove' AND wait_event_type = 'Lock'
"""


@asynccontextmanager
async def waiting(grove: Grove, url: str, hierarchy: str, count: int) -> AsyncIterator[list[asyncio.Task[Json]]]:
    """So many changes of a hierarchy that somebody else holds; none may be answered within the block."""
    tasks = [asyncio.create_task(add_root(grove, hierarchy)) for _ in range(count)]
    try:
        for _ in range(100):
            if (await sql.fetch(url, WAITING))[0][0] >= 1:
                break
            await asyncio.sleep(0.05)
        # The others have come as well by now.
        await asyncio.sleep(0.5)
        yield tasks
        assert not any(task.done() for task in tasks), "this has waited for them"
    finally:
        await asyncio.wait(tasks)


@POSTGRES
async def test_hierarchies_do_not_wait_for_one_another(database_url: str, tmp_path: Path) -> None:
    hierarchies = [await plant(database_url, f"Hierarchy {number}", 60) for number in range(8)]
    async with (
        Service(database_url, tmp_path, **ACTOR, GROVE_LOCK_WAIT_SECONDS="6") as service,
        connected(service) as grove,
    ):
        clients = []
        for hierarchy in hierarchies[1:]:
            picture = Picture(hierarchy)
            await picture.look(grove)
            clients += [Client(grove, picture, f"{hierarchy} {number}") for number in range(2)]
        async with held(database_url, hierarchies[0]), waiting(grove, database_url, hierarchies[0], 4) as stuck:
            for _ in range(3):
                await asyncio.gather(*(client.act() for client in clients))
        for task in stuck:
            assert [error["extensions"]["code"] for error in task.result()["errors"]] == ["UNAVAILABLE"]
        assert "errors" not in await add_root(grove, hierarchies[0])
    await check(database_url)


@POSTGRES
async def test_a_crowd_that_waits_for_a_hierarchy_leaves_connections_to_others(
    database_url: str, tmp_path: Path
) -> None:
    one, other = [await plant(database_url, name, 20) for name in ("One", "Other")]
    async with (
        Service(database_url, tmp_path, GROVE_LOCK_WAIT_SECONDS="6") as service,
        connected(service) as grove,
        held(database_url, one),
        waiting(grove, database_url, one, 32),
    ):
        assert "errors" not in await add_root(grove, other)


@POSTGRES
async def test_old_answers_do_not_make_hierarchies_wait_for_one_another(database_url: str, service: Service) -> None:
    """Every mutation with a key removes some of the answers that have expired: each its own."""
    one, other = [await plant(database_url, name, 20) for name in ("One", "Other")]
    expired = "INSERT INTO idempotency VALUES ($1, 'somebody', $2, '', '', '2020-01-01')"
    for number in range(5):
        await sql.fetch(database_url, expired, number + 1, str(number))
    async with connected(service) as grove, held(database_url, one), waiting(grove, database_url, one, 1):
        assert "errors" not in await add_root(grove, other)


async def test_a_turn_is_not_taken_past_those_who_wait() -> None:
    """Who comes just as a turn passes on is sent to the end of the line, rather than kept there in its transaction."""
    turns = Turns(seconds=5)
    one, next_one, newcomer = (Turn(turns) for _ in range(3))
    await one.take([1])
    waiting = asyncio.create_task(next_one.wait([1]))
    await asyncio.sleep(0)
    taking = asyncio.create_task(newcomer.take([1]))
    one.give_back()
    async with asyncio.timeout(1):
        with pytest.raises(NotOurTurn):
            await taking
        await waiting
    next_one.give_back()
    await newcomer.take([1])


# ── two want the same ───────────────────────────────────────────────────────────────────────────────────────


async def test_of_two_who_expect_a_version_one_wins(database_url: str, service: Service) -> None:
    hierarchy = await plant(database_url, "Sales", 30)
    async with connected(service) as grove:
        version = await version_of(grove, hierarchy)
        for _ in range(50):

            async def change(place: int, version: int = version) -> list[str]:
                description = f"{place} at version {version}"
                given = {"id": hierarchy, "description": description, "expectedVersion": version}
                return codes(await grove.mutate("updateHierarchy", given, errors=None))

            assert sorted(await at_once(2, change)) == [[], ["STALE"]]
            version += 1
        assert await version_of(grove, hierarchy) == version


async def test_of_two_who_move_at_one_version_one_wins(database_url: str, service: Service) -> None:
    hierarchy = await plant(database_url, "Sales", 30)
    async with connected(service) as grove:
        nodes = list(await read_tree(grove, hierarchy))
        for _ in range(50):
            version = await version_of(grove, hierarchy)

            async def move(place: int, version: int = version) -> list[str]:
                given = {"nodeId": nodes[place], "position": {"first": True}, "expectedVersion": version}
                return codes(await grove.mutate("moveNode", given, errors=None))

            assert sorted(await at_once(2, move)) == [[], ["STALE"]]
    assert (await sql.fetch(database_url, "SELECT count(*) FROM change WHERE action = 'NODES_REORDERED'")) == [(50,)]


async def test_one_key_sent_by_twenty_clients_is_one_change(database_url: str, service: Service) -> None:
    hierarchy = await plant(database_url, "Sales", 30)
    given = {"name": "Once", "place": {"hierarchyId": hierarchy}, "idempotencyKey": "the key"}
    selection = "group { id code name createdAt } node { id index hierarchy { version nodeCount } }"
    async with connected(service) as grove:
        version = await version_of(grove, hierarchy)
        answers = await at_once(20, lambda _: grove.mutate("createCustomerGroup", given, selection))
        assert answers == answers[:1] * 20
        assert await version_of(grove, hierarchy) == version + 1
    made = "SELECT count(*) FROM change WHERE action = 'GROUP_CREATED' AND summary LIKE '%«Once»%'"
    assert await sql.fetch(database_url, made) == [(1,)]


async def test_generated_codes_are_all_different(database_url: str, service: Service) -> None:
    async with connected(service) as grove:
        answers = await at_once(
            64, lambda place: grove.mutate("createCustomerGroup", {"name": f"Group {place}"}, "group { code }")
        )
    found = {answer["group"]["code"] for answer in answers}
    assert len(found) == 64
    assert all(code.startswith("CG-") for code in found)


NAMESAKES: dict[str, Json] = {
    "createHierarchy": {"name": "Same", "levels": ["Top"], "placeholders": True},
    "createCustomerGroup": {"name": "Same"},
    "createCustomer": {"code": "SAME", "name": "Same"},
}


@pytest.mark.parametrize("mutation", NAMESAKES)
async def test_of_many_who_take_a_name_one_gets_it(database_url: str, service: Service, mutation: str) -> None:
    async with connected(service) as grove:
        payloads = await at_once(16, lambda _: grove.mutate(mutation, NAMESAKES[mutation], errors=None))
    taken = "CODE_TAKEN" if mutation == "createCustomer" else "NAME_TAKEN"
    assert sorted(map(codes, payloads)) == [[], *[[taken]] * 15]
    await check(database_url)


async def test_of_two_who_rename_to_one_name_one_gets_it(service: Service) -> None:
    async with connected(service) as grove:
        made = [await grove.mutate("createCustomerGroup", {"name": name}, "group { id }") for name in ("One", "Other")]
        for turn in range(20):

            async def rename(place: int, turn: int = turn) -> list[str]:
                given = {"id": made[place]["group"]["id"], "name": f"Same {turn}"}
                return codes(await grove.mutate("updateCustomerGroup", given, errors=None))

            assert sorted(await at_once(2, rename)) == [[], ["NAME_TAKEN"]]


# ── what goes while it is wanted ────────────────────────────────────────────────────────────────────────────


async def test_a_group_deleted_while_it_is_assigned(database_url: str, service: Service) -> None:
    hierarchies = [await plant(database_url, name, 20) for name in ("One", "Other")]
    async with connected(service) as grove:
        for turn in range(15):
            name = {"name": f"Brief {turn}"}
            made = await grove.mutate("createCustomerGroup", name, "group { id }")
            group = made["group"]["id"]

            async def assign(hierarchy: str, group: str = group) -> list[str]:
                given = {"hierarchyId": hierarchy, "group": {"id": group}}
                return codes(await grove.mutate("assignGroup", given, errors=None))

            async def delete(turn: int = turn, group: str = group) -> list[str]:
                await asyncio.sleep(turn % 5 * 0.005)
                return codes(await grove.mutate("deleteCustomerGroup", {"id": group}, errors=None))

            *assigned, deleted = await asyncio.gather(*map(assign, hierarchies * 3), delete())
            assert deleted == []
            assert all(found in ([], ["NOT_FOUND"], ["ALREADY_ASSIGNED"]) for found in assigned)
            data = await grove.query("query ($id: ID!) { node(id: $id) { id } }", {"id": group})
            assert data["node"] is None
    await service.stop()
    await check(database_url)
    await no_deadlocks(database_url)


async def test_a_customer_deleted_while_it_is_added(database_url: str, service: Service) -> None:
    async with connected(service) as grove:
        groups = [
            (await grove.mutate("createCustomerGroup", {"name": f"Group {place}"}, "group { id }"))["group"]["id"]
            for place in range(4)
        ]
        for turn in range(15):
            given = {"code": f"C-{turn}", "name": "Brief"}
            customer = (await grove.mutate("createCustomer", given, "customer { id }"))["customer"]["id"]

            async def add(group: str, customer: str = customer) -> list[str]:
                given = {"group": {"id": group}, "customerIds": [customer]}
                return codes(await grove.mutate("addCustomersToGroup", given, errors=None))

            async def delete(turn: int = turn, customer: str = customer) -> list[str]:
                await asyncio.sleep(turn % 5 * 0.005)
                return codes(await grove.mutate("deleteCustomer", {"id": customer}, errors=None))

            *added, deleted = await asyncio.gather(*map(add, groups), delete())
            assert deleted == []
            assert all(found in ([], ["NOT_FOUND"]) for found in added)
        data = await grove.query("{ customers { totalCount } customerGroups { nodes { customerCount } } }")
        assert data["customers"]["totalCount"] == 0
        assert {row["customerCount"] for row in data["customerGroups"]["nodes"]} == {0}
    await service.stop()
    await check(database_url)
    await no_deadlocks(database_url)


async def test_a_hierarchy_deleted_while_it_is_filled(database_url: str, service: Service) -> None:
    async with connected(service) as grove:
        for turn in range(10):
            hierarchy = await plant(database_url, f"Brief {turn}", 20)
            nodes = list(await read_tree(grove, hierarchy))

            async def move(node: str) -> list[str]:
                return codes(await grove.mutate("moveNode", {"nodeId": node, "parentId": None}, errors=None))

            async def add(place: int, turn: int = turn, hierarchy: str = hierarchy) -> list[str]:
                given = {"name": f"Group {turn} {place}", "place": {"hierarchyId": hierarchy}}
                return codes(await grove.mutate("createCustomerGroup", given, errors=None))

            async def delete(turn: int = turn, hierarchy: str = hierarchy) -> list[str]:
                await asyncio.sleep(turn * 0.01)
                return codes(await grove.mutate("deleteHierarchy", {"id": hierarchy}, errors=None))

            *others, deleted = await asyncio.gather(*map(move, nodes[-5:]), *map(add, range(5)), delete())
            assert deleted == []
            assert all(found in ([], ["NOT_FOUND"]) for found in others)
    await service.stop()
    await check(database_url)
    await no_deadlocks(database_url)


async def test_a_level_removed_while_a_group_comes_to_stand_on_it(database_url: str, service: Service) -> None:
    async with connected(service) as grove:
        for turn in range(15):
            given = {"name": f"Brief {turn}", "levels": ["Top", "Last"], "placeholders": False}
            made = await grove.mutate("createHierarchy", given, "hierarchy { id }")
            hierarchy = made["hierarchy"]["id"]
            root = await add_root(grove, hierarchy)
            parent = root["data"]["createCustomerGroup"]["node"]["id"]
            given = {"name": f"Child {turn}", "place": {"hierarchyId": hierarchy, "parentId": parent}}
            last = {"hierarchyId": hierarchy, "depth": 2}
            added, removed = await asyncio.gather(
                grove.mutate("createCustomerGroup", given, errors=None),
                grove.mutate("removeLevel", last, errors=None),
            )
            assert (codes(added), codes(removed)) in [([], ["LEVEL_IN_USE"]), (["TOO_DEEP"], [])]
    await check(database_url)
