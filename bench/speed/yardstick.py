"""The yardstick: a bare Starlette handler that sends one statement through asyncpg and returns PostgreSQL's JSON.

`python -m bench.speed.yardstick URL PORT` serves it under the same uvicorn as Grove, with as many workers. A request
is a JSON list of the statement's arguments, sent by POST to /NAME. Nothing stands between: no GraphQL, no
transaction but the statement's own, no limits, no log.
"""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.speed.company import Places
from bench.speed.workloads import Middle, Workload, workloads

WORKERS = 2
# As many connections as are ever asked on at once.
POOL = 16
TRIES = 20
# What Grove sets as well: for the yardstick, too, it is better than what PostgreSQL does by itself.
SETTINGS = {
    "application_name": "yardstick",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
}
NOTHING = Middle((), ())


async def _nothing_to_reset(connection: Any) -> None:
    return None


def app() -> Starlette:
    """The application, on the database that the environment names."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, dict[bool, asyncpg.Pool]]]:
        pools = {generic: await _pool(generic) for generic in (True, False)}
        yield {"pools": pools}
        for pool in pools.values():
            await pool.close()

    async def ready(_: Request) -> Response:
        return Response()

    known = workloads(Places(0), NOTHING, NOTHING)
    routes = [Route(f"/{workload.name}", handler(workload), methods=["POST"]) for workload in known]
    return Starlette(routes=[*routes, Route("/readyz", ready)], lifespan=lifespan)


def handler(workload: Workload) -> Callable[[Request], Awaitable[Response]]:
    statement, generic = workload.statement, workload.generic

    async def answer(request: Request) -> Response:
        arguments = orjson.loads(await request.body())
        pool = request.state.pools[generic]
        return Response(await pool.fetchval(statement, *arguments), media_type="application/json")

    async def answer_a_write(request: Request) -> Response:
        # Without a lock two now and then come to the same position; the later one tries again.
        for _ in range(TRIES):
            with suppress(asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
                return await answer(request)
        return Response("Too many tries", 503)

    return answer_a_write if workload.writes else answer


async def _pool(generic: bool) -> asyncpg.Pool:
    mode = "force_generic_plan" if generic else "force_custom_plan"
    return await asyncpg.create_pool(
        os.environ["BENCH_DATABASE"],
        min_size=POOL,
        max_size=POOL,
        reset=_nothing_to_reset,
        # Connections and prepared statements are kept for good.
        max_inactive_connection_lifetime=0,
        max_cached_statement_lifetime=0,
        server_settings=SETTINGS | {"plan_cache_mode": mode},
    )


def serve(url: str, port: int) -> None:
    os.environ["BENCH_DATABASE"] = url
    uvicorn.run(
        "bench.speed.yardstick:app",
        factory=True,
        workers=WORKERS,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_worker_healthcheck=60,
    )


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
