"""Waiting in PostgreSQL: for a connection that comes free, and for what somebody else has locked."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from service.app import create_app
from service.postgres import Postgres
from service.settings import Settings
from tests.support.client import Grove, running

# Each of these tests is about PostgreSQL, and asks for its server.
pytestmark = pytest.mark.usefixtures("server_url")
BUSY = "Another change to the same data is taking long; try again."


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncIterator[None]:
    """The table cannot be read inside the block."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


@asynccontextmanager
async def impatient(url: str) -> AsyncIterator[Grove]:
    """An application that waits for a lock as shortly as can be set."""
    async with running(create_app(Settings(database=url, lock_wait_seconds=1)), compared=False) as grove:
        yield grove


async def test_a_connection_that_comes_free_at_that_very_moment(database_url: str) -> None:
    engine = await Postgres.connect(database_url, pool_size=1, lock_seconds=5, statement_seconds=5)
    try:
        first = await engine.open(write=False, alone=True)
        second = asyncio.ensure_future(engine.open(write=False, alone=True))
        giving_back = asyncio.ensure_future(first.release())
        async with asyncio.timeout(5):
            lent = await second
        await giving_back
        assert await lent.fetch("SELECT 1", []) == [(1,)]
        await lent.release()
        assert len(engine.idle) == 1
    finally:
        await engine.close()


async def test_a_connection_that_was_idle_for_long_is_replaced(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.postgres.LONGEST_IDLE_SECONDS", -1)
    engine = await Postgres.connect(database_url, pool_size=1, lock_seconds=5, statement_seconds=5)
    try:
        processes = set()
        for _ in range(3):
            lent = await engine.open(write=False, alone=True)
            processes.add((await lent.fetch("SELECT pg_backend_pid()", []))[0][0])
            await lent.release()
        assert len(processes) == 3
    finally:
        await engine.close()


async def test_a_query_that_waited_in_vain_is_not_asked_again(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "grove")
    async with impatient(database_url) as grove, locked(database_url, "customer"):
        answer = await grove.execute("{ customers { nodes { code } } }")
    (error,) = answer["errors"]
    assert (error["message"], error["extensions"]["code"]) == (BUSY, "UNAVAILABLE")
    assert "left to graphql-core" not in caplog.text


async def test_a_payload_that_waited_in_vain_says_so(database_url: str) -> None:
    create = """mutation { createCustomerGroup(input: { name: "North" }) {
      group { id reservations { totalCount } } userErrors { code }
    } }"""
    async with impatient(database_url) as grove:
        async with locked(database_url, "reservation"):
            answer = await grove.execute(create)
        (error,) = answer["errors"]
        assert (error["message"], error["extensions"]["code"]) == (BUSY, "UNAVAILABLE")
        # Nothing of it was kept, so the name is free.
        data = await grove.query(create)
        assert data["createCustomerGroup"]["userErrors"] == []
