"""Whether everything is at rest after a storm: no connection lent, no transaction open, no lock held."""

import asyncio
import gc
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from service.db import Database
from service.dialects import sqlite_path
from service.postgres import Postgres
from service.sqlite import READERS, Sqlite
from tests.support import sql

SECONDS_TO_REST = 10

# Marks for tests in which requests are cancelled or fail: graphql-core may drop coroutines that it has not begun; they
# hold nothing.
DROPPED = [
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    # Python cannot even warn where the garbage is collected inside the constructor of a named tuple, whose code has
    # no __import__.
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <coroutine object (Executor|GraphQLCoreConverter)"
        ":pytest.PytestUnraisableExceptionWarning"
    ),
]

# What the service's sessions do, or hold.
BUSY_SESSIONS = """
    SELECT pid, state, query FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'grove' AND state <> 'idle'
"""
LOCKS = """
    SELECT pg_locks.pid, pg_locks.locktype, pg_locks.mode, pg_stat_activity.query
    FROM pg_locks JOIN pg_stat_activity ON pg_stat_activity.pid = pg_locks.pid
    WHERE pg_stat_activity.datname = current_database() AND pg_stat_activity.application_name = 'grove'
"""


async def lent(database: Database) -> str:
    """What this process's engine has lent and not got back; empty where there is nothing."""
    engine = database.engine
    if isinstance(engine, Postgres):
        pool, idle = engine.pool, len(engine.idle)
        missing = pool.get_max_size() - pool._queue.qsize() - idle
        busy = pool.get_size() - pool.get_idle_size() - idle
        return f"{missing} places and {busy} connections" if missing or busy else ""
    assert isinstance(engine, Sqlite)
    if engine._writing.locked():
        return "the writer"
    if engine._free.qsize() != READERS:
        return f"{READERS - engine._free.qsize()} readers"
    return "a transaction" if any(one.in_transaction for one in engine._all) else ""


async def held(url: str) -> str:
    """What the service holds in the database; empty where there is nothing."""
    path = sqlite_path(url)
    if path is None:
        found = await sql.fetch(url, BUSY_SESSIONS) + await sql.fetch(url, LOCKS)
        return "\n".join(map(str, found))
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as file:
        try:
            file.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as problem:
            return str(problem)
    return ""


async def at_rest(url: str, database: Database | None = None) -> None:
    """Returns as soon as nothing is lent or held, by the database's engine in this process or by any."""
    end = time.monotonic() + SECONDS_TO_REST
    while left := (database and await lent(database)) or await held(url):
        assert time.monotonic() < end, f"still there: {left}"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def without_noise() -> AsyncIterator[None]:
    """Fails where a task or a future inside had an error that nobody asked for."""
    loop = asyncio.get_running_loop()
    heard: list[dict[str, Any]] = []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    try:
        yield
        # Such errors are told of when the task that had them is thrown away.
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(before)
    assert not heard, f"{len(heard)} like {heard[0]}"
