"""Downloads as they come, message by message, from the application in this process or a server before it."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.types import Message

from service.app import create_app
from service.db import Database
from service.server import Protocol, listen
from service.settings import Settings
from tests.support.client import Grove, lifespan


class Download:
    """One request to the application in this process, whose answer comes message by message."""

    def __init__(self, app: Starlette, state: Any, path: str, query: str = "", version: str = "1.1") -> None:
        self.app = app
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": version,
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"host", b"grove.test")],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": dict(state),
        }
        self.asked = False
        self.messages = 0
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = b""
        self.largest = 0
        self.whole = False
        self.hung_up = asyncio.Event()

    async def run(self, meanwhile: Callable[[Self], Awaitable[None]] | None = None, keep: bool = True) -> Self:
        """Takes the answer to its end; `meanwhile` is called with each piece of the body, and holds the sender up."""

        async def receive() -> Message:
            if not self.asked:
                self.asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self.hung_up.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.messages += 1
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
                return
            self.largest = max(self.largest, len(message["body"]))
            if keep:
                self.body += message["body"]
            if meanwhile is not None:
                await meanwhile(self)
            self.whole = not message.get("more_body", False)

        await self.app(self.scope, receive, send)
        return self

    @property
    def rows(self) -> list[list[str]]:
        return list(csv.reader(io.StringIO(self.body.decode("utf-8-sig"), newline="")))


class Served:
    """The application on a database of its own, called directly or over HTTP."""

    def __init__(self, app: Starlette, state: Any) -> None:
        self.app = app
        self.state = state
        self.database: Database = state["database"]

    def download(self, path: str, query: str = "", version: str = "1.1") -> Download:
        return Download(self.app, self.state, path, query, version)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Grove]:
        async def with_state(scope: Any, receive: Any, send: Any) -> None:
            await self.app({**scope, "state": dict(self.state)}, receive, send)

        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://grove.test", timeout=60) as http:
            yield Grove(http)

    @asynccontextmanager
    async def over_http(self) -> AsyncIterator[int]:
        """The port at which a real server serves the application."""

        async def with_state(scope: Any, receive: Any, send: Any) -> None:
            await self.app({**scope, "state": dict(self.state)}, receive, send)

        listener = listen("127.0.0.1", 0)
        config = uvicorn.Config(
            with_state, http=Protocol, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        # Without its handlers of signals, which are the test run's.
        serving = asyncio.create_task(server._serve([listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def served(url: str, **settings: Any) -> AsyncIterator[Served]:
    app = create_app(Settings(database=url, **settings))
    async with lifespan(app) as state:
        yield Served(app, state)
