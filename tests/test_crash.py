"""The service is killed in the midst of writing, again and again: what it acknowledged is there, and no half of it."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import DATABASE
from tests.support import sql
from tests.support.crowd import ACTOR, Acknowledged, Client, Picture, describe
from tests.support.planting import plant
from tests.support.replay import Start, logged_since, match, start_of, verify
from tests.support.service import Service
from tests.support.soundness import check

CRASHES = 10
CLIENTS = 4 if DATABASE == "sqlite" else 12


async def test_what_was_acknowledged_outlives_kill_9(database_url: str, tmp_path: Path) -> None:
    hierarchy = await plant(database_url, "Sales", 300)
    async with Service(database_url, tmp_path, **ACTOR) as service, service.client() as grove:
        start = await start_of(grove, database_url, hierarchy)
        picture = Picture(hierarchy)
        await picture.look(grove)
        clients = [Client(grove, picture, f"client {number}") for number in range(CLIENTS)]
        for _ in range(CRASHES):
            running = [asyncio.create_task(client.act_until_cut_off()) for client in clients]
            await asyncio.sleep(random.uniform(0.4, 1.2))
            await service.kill()
            await asyncio.gather(*running)
            await asyncio.gather(check(database_url), service.start())
            await nothing_lost(database_url, start, clients)
        # What had no answer is sent again under its key, and so done once, whether it was done before or not.
        await asyncio.gather(*(client.act() for client in clients if client.unanswered))
        print(describe(clients))
        await verify(grove, database_url, start, acknowledged_to(clients))
    await check(database_url)


CUT = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'grove'
"""


@pytest.mark.skipif(DATABASE != "postgres", reason="about PostgreSQL")
async def test_what_was_acknowledged_outlives_broken_connections(database_url: str, tmp_path: Path) -> None:
    """As when the database is restarted, or a network fails, amid transactions."""
    hierarchy = await plant(database_url, "Sales", 300)
    async with Service(database_url, tmp_path, **ACTOR) as service, service.client() as grove:
        start = await start_of(grove, database_url, hierarchy)
        picture = Picture(hierarchy)
        await picture.look(grove)
        clients = [Client(grove, picture, f"client {number}") for number in range(CLIENTS)]
        end = time.monotonic() + 6
        running = [asyncio.create_task(act_through_faults(client, end)) for client in clients]
        while time.monotonic() < end:
            await asyncio.sleep(random.uniform(0.2, 0.8))
            await sql.fetch(database_url, CUT)
        faults = sum(await asyncio.gather(*running))
        assert faults
        # What broke is replaced at once.
        for client in clients:
            await client.act()
        print(f"{faults} faults,", describe(clients))
        await verify(grove, database_url, start, acknowledged_to(clients))
    await check(database_url)


async def act_through_faults(client: Client, end: float) -> int:
    """Sends each mutation until it is answered; returns how often it was told that the database is away."""
    faults = 0
    while time.monotonic() < end:
        try:
            await client.act()
        except AssertionError as problem:
            if "UNAVAILABLE" not in str(problem):
                raise
            faults += 1
    return faults


async def nothing_lost(url: str, start: Start, clients: Sequence[Client]) -> None:
    """All that was acknowledged is in the log; beside it, at most what each client has had no answer to."""
    _, left = match(await logged_since(url, start), start, acknowledged_to(clients))
    made = Counter(entry.actor for entry in left)
    assert made.keys() <= {client.name for client in clients if client.unanswered}
    assert set(made.values()) <= {1}


def acknowledged_to(clients: Sequence[Client]) -> list[Acknowledged]:
    return [made for client in clients for made in client.acknowledged]
