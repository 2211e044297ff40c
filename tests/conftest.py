"""The fixtures.

GROVE_TEST_DATABASE says which database a run is on: sqlite (unless told otherwise) or postgres.
GROVE_TEST_DATABASE_URL points a postgres run at a server of one's own, with a user that may CREATE DATABASE;
otherwise a private one is started.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import uvloop

from service import demo, engines
from service.app import create_app
from service.settings import Settings
from tests.support.client import Grove, running
from tests.support.databases import (
    Databases,
    PostgresDatabases,
    SqliteDatabases,
    fresh,
    own_environment,
)
from tests.support.postgres import private_postgres
from tests.support.service import Service

DATABASE = os.environ.get("GROVE_TEST_DATABASE", "sqlite")

own_environment()
# The loop that the service runs on; it takes half the time of Python's own. Not by pytest-asyncio's hook: tests that
# are no coroutines would take every fixture down, to have theirs on another loop. Later Pythons have no policies.
if sys.version_info < (3, 14):
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
# Asked to end, a run still takes down what its fixtures started.
signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_report_header() -> str:
    return f"database: {DATABASE}"


def pytest_collection_finish() -> None:
    """What there is by now stays: searching it for garbage again and again would take a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The URL of a PostgreSQL server, for tests that only make sense there; elsewhere they are skipped."""
    if DATABASE != "postgres":
        pytest.skip("about PostgreSQL")
    if url := os.environ.get("GROVE_TEST_DATABASE_URL"):
        yield url
    else:
        with private_postgres() as url:
            yield url


@pytest.fixture(scope="session")
async def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Databases]:
    """Makes fresh databases of the run's kind."""
    directory = tmp_path_factory.mktemp("databases")
    if DATABASE == "sqlite":
        sqlite = SqliteDatabases(directory)
        await sqlite.prepare()
        yield sqlite
    elif DATABASE == "postgres":
        postgres = PostgresDatabases(request.getfixturevalue("server_url"), directory)
        try:
            await postgres.prepare()
            yield postgres
        finally:
            await postgres.drop(postgres.url(postgres.template))
    else:
        pytest.fail(f"GROVE_TEST_DATABASE is {DATABASE}; it must be sqlite or postgres.")


@pytest.fixture(scope="module", params=["breadth", "graphql-core"])
def executor(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each executor of queries in turn, for the applications that a module makes."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("GROVE_EXECUTOR", request.param)
        yield request.param


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A database of the test's own, migrated and empty."""
    async with fresh(databases) as url:
        yield url


@pytest.fixture
async def grove(database_url: str) -> AsyncIterator[Grove]:
    """A client of the application, which runs in this process on a database of its own; queries run both ways."""
    async with running(create_app(Settings(database=database_url))) as client:
        yield client


@pytest.fixture
async def demo_grove(database_url: str, grove: Grove) -> Grove:
    """The same, with the demo company in its database."""
    database = await engines.connect(database_url)
    try:
        await demo.load(database)
    finally:
        await database.close()
    return grove


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """The service as a process of its own, on a database of its own."""
    async with Service(database_url, tmp_path) as running_service:
        yield running_service


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """The command sets up logs for its process, which here is that of all tests."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
