"""Requests that are broken off, at any moment, leave nothing behind: no connection, no transaction, no lock.

That is so with each executor of queries.
"""

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from service import engines
from service.app import create_app
from service.db import Database, fetch, fetch_value
from service.dialects import Forms
from service.settings import Settings
from tests.support.client import Grove, lifespan
from tests.support.crowd import ACTOR, Asked, Client, Picture, read_tree, version_of
from tests.support.planting import plant
from tests.support.replay import logged_since, start_of, verify
from tests.support.rest import DROPPED, at_rest, without_noise
from tests.support.service import Service
from tests.support.soundness import check

CANCELLATIONS = 1_200
HANG_UPS = 300
LANES = 12
pytestmark = DROPPED
# An answer «at once», on a machine that does other things besides.
AT_ONCE_SECONDS = 4

# Relations several levels deep, so that loaders work at several of them when the end comes.
READ = """
query ($id: ID!) { hierarchy(by: {id: $id}) {
  version nodeCount levels { name nodeCount }
  roots { totalCount nodes { path children(first: 2) { nodes { index customerCount group { nodes { id } } } } } }
  nodes(first: 10) { nodes { path parent { id } ancestors { id } } }
  unassignedGroups(first: 5) { nodes { name } totalCount }
} }
"""
# One statement behind a hint, which goes without a transaction once that is known of it.
READ_ALONE = """
query ($id: ID!) { hierarchy(by: {name: "Sales"}) { name version } same: hierarchy(by: {id: $id}) { name } }
"""
# `children` may not be null, and this cursor is none: the error reaches up while its siblings are being read.
BROKEN_READ = """
query ($id: ID!) { hierarchy(by: {id: $id}) {
  roots { nodes {
    path customers { totalCount } index
    children(after: "no cursor") { nodes { id } }
    descendants { nodes { path ancestors { id } } }
  } }
  nodes { nodes { path index } }
} }
"""
BROKEN_WRITE = """
mutation ($id: ID!) { moveNode(input: {nodeId: $id, parentId: null}) {
  node { path children(after: "no cursor") { nodes { id } } descendants { nodes { path } } }
  hierarchy { nodes { nodes { index } } }
} }
"""


@asynccontextmanager
async def inside(url: str, **settings: Any) -> AsyncIterator[tuple[Grove, Database]]:
    """The application in this process, where a request can be cancelled, and its database."""
    app = create_app(Settings(database=url, actor_header=ACTOR["GROVE_ACTOR_HEADER"], **settings))
    async with lifespan(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(state)}, receive, send)

        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://grove.test", timeout=60) as http:
            yield Grove(http), state["database"]


async def cut_off(work: Awaitable[Any], seconds: float) -> bool:
    """Cancels the work after so long; returns whether it was still under way. Its own errors come through."""
    task = asyncio.ensure_future(work)
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return task.cancelled()


async def duration(works: Iterable[Awaitable[Any]]) -> float:
    """How long the slowest of several at once takes, in seconds."""
    started = time.monotonic()
    await asyncio.gather(*works)
    return time.monotonic() - started


async def answers_at_once(grove: Grove, hierarchy: str) -> None:
    """A read and a write, neither of which waits."""
    async with asyncio.timeout(AT_ONCE_SECONDS):
        await grove.query(READ, {"id": hierarchy})
    async with asyncio.timeout(AT_ONCE_SECONDS):
        await grove.mutate("updateHierarchy", {"id": hierarchy, "description": f"{time.time()}"})


@pytest.mark.usefixtures("executor")
async def test_cancelled_requests_leave_nothing_behind(database_url: str) -> None:
    hierarchy = await plant(database_url, "Sales", 100)
    async with without_noise(), inside(database_url, pool_size=5) as (grove, database):
        start = await start_of(grove, database_url, hierarchy)
        picture = Picture(hierarchy)
        await picture.look(grove)
        clients = [Client(grove, picture, f"client {number}") for number in range(LANES // 2)]
        for _ in range(2):
            await grove.query(READ_ALONE, {"id": hierarchy})
        reads = await duration(grove.query(READ, {"id": hierarchy}) for _ in clients)
        writes = await duration(client.act() for client in clients)
        done = itertools.count()

        async def lane(work: Callable[[], Awaitable[Any]], longest: float) -> None:
            while True:
                if await cut_off(work(), random.uniform(0, longest)) and next(done) >= CANCELLATIONS:
                    return

        await asyncio.gather(
            *(lane(client.act, writes) for client in clients),
            *(lane(lambda: grove.query(READ, {"id": hierarchy}), reads) for _ in range(LANES // 2)),
            *(lane(lambda: grove.query(READ_ALONE, {"id": hierarchy}), reads / 10) for _ in range(LANES // 4)),
        )
        await at_rest(database_url, database)
        # What was cut off is sent again under its key, and so done once, whether it was done before or not.
        await asyncio.gather(*(client.act() for client in clients if client.unanswered))
        await verify(grove, database_url, start, [made for one in clients for made in one.acknowledged])
        await answers_at_once(grove, hierarchy)
        await at_rest(database_url, database)
    await check(database_url)


SLOW_READ = Forms(
    postgres="SELECT pg_sleep(60)",
    sqlite="""
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT 1000000000)
        SELECT count(*) FROM number
    """,
)
SLOW_WRITE = Forms(
    postgres="""
        INSERT INTO idempotency
        SELECT n, 'slow', n::text, '', '', now() FROM generate_series(1, 1000000000) AS n
    """,
    sqlite="""
        INSERT INTO idempotency
        SELECT n, 'slow', CAST(n AS text), '', '', '2026-01-01' FROM (
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT 1000000000)
            SELECT n FROM number
        )
    """,
)


@pytest.mark.parametrize("write", [False, True])
async def test_a_cancelled_statement_ends_in_the_database_too(database_url: str, write: bool) -> None:
    database = await engines.connect(database_url, pool_size=2)

    async def work() -> None:
        async with database.transaction() if write else database.snapshot():
            await fetch(SLOW_WRITE if write else SLOW_READ)

    try:
        for _ in range(5):
            async with asyncio.timeout(AT_ONCE_SECONDS):
                assert await cut_off(work(), random.uniform(0.01, 0.2))
                await at_rest(database_url, database)
        async with database.transaction():
            assert await fetch_value("SELECT count(*) FROM idempotency") == 0
    finally:
        await database.close()


@pytest.mark.usefixtures("executor")
async def test_a_request_that_runs_out_of_time_is_told_so(database_url: str) -> None:
    """Of ours by the same clock: TIMEOUT, or UNAVAILABLE where the database was the first to give up."""
    hierarchy = await plant(database_url, "Sales", 100)
    seen: Counter[str] = Counter()
    async with without_noise():
        for milliseconds in range(2, 32, 5):
            async with inside(database_url, request_seconds=milliseconds / 1000) as (grove, database):

                async def ask(grove: Grove = grove) -> None:
                    answer = await grove.execute(READ, {"id": hierarchy})
                    seen.update(error["extensions"]["code"] for error in answer.get("errors", ()))

                await asyncio.gather(*(ask() for _ in range(10)))
                await at_rest(database_url, database)
    assert seen["TIMEOUT"]
    assert seen.keys() <= {"TIMEOUT", "UNAVAILABLE"}, seen
    await check(database_url)


@pytest.mark.usefixtures("executor")
async def test_errors_amid_an_answer_leave_nothing_behind(database_url: str) -> None:
    """An error that reaches up to what may be null makes the executor cancel whatever is still being read."""
    hierarchy = await plant(database_url, "Sales", 30)
    async with without_noise(), inside(database_url, pool_size=5) as (grove, database):
        node = next(iter(await read_tree(grove, hierarchy)))
        version = await version_of(grove, hierarchy)
        for _ in range(10):
            reads = [grove.execute(BROKEN_READ, {"id": hierarchy}) for _ in range(LANES // 2)]
            writes = [grove.execute(BROKEN_WRITE, {"id": node}) for _ in range(LANES // 2)]
            for answer in await asyncio.gather(*reads, *writes):
                assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
        await at_rest(database_url, database)
        assert await version_of(grove, hierarchy) == version
        await answers_at_once(grove, hierarchy)
    await check(database_url)


@pytest.mark.usefixtures("executor")
async def test_an_error_takes_nothing_from_other_fields(database_url: str) -> None:
    """They ask for the same values as the fields that are cancelled, in the same snapshot."""
    hierarchy = await plant(database_url, "Sales", 30)
    async with without_noise(), inside(database_url) as (grove, _):
        node = next(iter(await read_tree(grove, hierarchy)))
        wanted = "path index customerCount descendants { totalCount nodes { id path customerCount } }"
        document = f"""
            query ($id: ID!) {{
              broken: hierarchyNode(id: $id) {{ children(after: "no cursor") {{ nodes {{ id }} }} {wanted} }}
              whole: hierarchyNode(id: $id) {{ {wanted} }}
            }}
        """
        alone = await grove.query(f"query ($id: ID!) {{ whole: hierarchyNode(id: $id) {{ {wanted} }} }}", {"id": node})
        for _ in range(20):
            answer = await grove.execute(document, {"id": node})
            assert answer["data"] == {"broken": None, **alone}
            assert [error["path"] for error in answer["errors"]] == [["broken", "children", "nodes"]]


# ── over HTTP ───────────────────────────────────────────────────────────────────────────────────────────────


def spoken(asked: Asked | None, hierarchy: str) -> bytes:
    """A request as it goes over the wire: a mutation, or else the large query."""
    body: dict[str, Any] = {"query": READ, "variables": {"id": hierarchy}}
    if asked is not None:
        name = asked.mutation
        body = {
            "query": f"mutation ($input: {name[0].upper()}{name[1:]}Input!)"
            f" {{ {name}(input: $input) {{ {asked.selection} }} }}",
            "variables": {"input": asked.input},
        }
    content = json.dumps(body).encode()
    head = (
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-Actor: gone\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def hang_up(port: int, request: bytes, longest: float) -> None:
    """Sends a request, or the beginning of one, and is gone before there is an answer, or amid it."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    whole = random.random() < 0.8
    writer.write(request if whole else request[: random.randint(1, len(request) - 1)])
    await asyncio.sleep(random.uniform(0, longest))
    if random.random() < 0.5:
        writer.transport.abort()
        return
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def quiet(service: Service) -> None:
    """Returns when no request has ended for a second: what clients that are gone have asked for is done to its end."""
    size = -1
    while size != service.log.stat().st_size:
        size = service.log.stat().st_size
        await asyncio.sleep(1)


@pytest.mark.usefixtures("executor")
async def test_clients_that_hang_up_leave_nothing_behind(database_url: str, tmp_path: Path) -> None:
    hierarchy = await plant(database_url, "Sales", 100)
    async with (
        Service(database_url, tmp_path, **ACTOR, GROVE_LOG_FORMAT="json") as service,
        service.client() as grove,
    ):
        start = await start_of(grove, database_url, hierarchy)
        picture = Picture(hierarchy)
        await picture.look(grove)
        client = Client(grove, picture, "gone")
        longest = await duration(grove.query(READ, {"id": hierarchy}) for _ in range(LANES))

        async def lane() -> None:
            for _ in range(HANG_UPS // LANES):
                asked = client.choose() if random.random() < 0.5 else None
                await hang_up(service.port, spoken(asked, hierarchy), longest)

        await asyncio.gather(*(lane() for _ in range(LANES)))
        await quiet(service)
        await at_rest(database_url)
        await answers_at_once(grove, hierarchy)
        made = [entry for entry in await logged_since(database_url, start) if entry.in_hierarchy]
        assert made
        assert await version_of(grove, hierarchy) == start.version + len(made)
    noise = [line for line in service.log.read_text().splitlines() if is_noise(line)]
    assert not noise, noise[0]
    await check(database_url)


def is_noise(line: str) -> bool:
    """Whether a line of the log is about anything but the requests and the start."""
    return not line.startswith("{") or json.loads(line)["level"] not in {"info", "debug"}


async def test_closing_does_not_wait_for_what_never_ends(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = await engines.connect(database_url)
    stuck = asyncio.get_running_loop().create_future()
    monkeypatch.setattr("service.db.CLOSE_SECONDS", 0.1)
    monkeypatch.setattr("service.db.unfinished", {stuck})
    async with asyncio.timeout(5):
        await database.close()
    assert not stuck.done()
