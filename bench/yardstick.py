"""What the children page would cost without Grove: one handler, one statement written by hand, its rows as JSON.

`python -m bench.yardstick URL PORT` serves it with the same server and drivers as the service. Nothing stands
between: no GraphQL, no transaction, no limits, no log. What Grove needs beyond this is the price of all that.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiosqlite
import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.dialects import sqlite_path
from service.ids import Kind, decode, encode

SIZE = 50
# The children of one parent in their order, each with its group, and one more to see whether there are more.
STATEMENT = """
    SELECT node.id, node.depth, node.child_count, customer_group.id, customer_group.code, customer_group.name
    FROM node JOIN customer_group ON customer_group.id = node.group_id
    WHERE COALESCE(node.parent_id, -node.hierarchy_id) = {}
    ORDER BY node.position LIMIT 51
"""

Fetch = Callable[[int], Awaitable[Sequence[Sequence[Any]]]]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Fetch]:
    """Runs the statement for the key of a parent."""
    path = sqlite_path(url)
    if path is not None:
        async with aiosqlite.connect(path) as connection:

            async def fetch(parent: int) -> Sequence[Sequence[Any]]:
                return list(await connection.execute_fetchall(STATEMENT.format("?"), (parent,)))

            yield fetch
    else:
        async with asyncpg.create_pool(url, min_size=1, max_size=10) as pool:

            async def fetch_from_pool(parent: int) -> Sequence[Sequence[Any]]:
                found: Sequence[Sequence[Any]] = await pool.fetch(STATEMENT.format("$1"), parent)
                return found

            yield fetch_from_pool


async def children(request: Request) -> Response:
    fetch: Fetch = request.state.fetch
    found = await fetch(decode(request.query_params["parent"], Kind.NODE))
    nodes = [
        {
            "id": encode(Kind.NODE, node),
            "depth": depth,
            "childCount": child_count,
            "group": {"id": encode(Kind.GROUP, group), "code": code, "name": name},
        }
        for node, depth, child_count, group, code, name in found[:SIZE]
    ]
    body = {"data": {"nodes": nodes, "hasNextPage": len(found) > SIZE}}
    return Response(orjson.dumps(body), media_type="application/json")


async def ready(_: Request) -> Response:
    return Response()


def serve(url: str, port: int) -> None:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Fetch]]:
        async with opened(url) as fetch:
            yield {"fetch": fetch}

    app = Starlette(routes=[Route("/children", children), Route("/readyz", ready)], lifespan=lifespan)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
