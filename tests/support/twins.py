"""The application twice on one database, once with each executor: what one answers, the other must answer too."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

import orjson
from starlette.applications import Starlette

from service.app import create_app
from service.logs import current_line
from service.settings import Settings
from tests.support.client import lifespan
from tests.support.compared import view_of

EXECUTORS: Sequence[Literal["breadth", "graphql-core"]] = ("breadth", "graphql-core")
GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
# Given by the client, so that both answers name the same one where they tell of a fault.
REQUEST_ID = b"equal"


class Answer(NamedTuple):
    """What must be the same."""

    status: int
    content_type: bytes
    body: bytes


class Request(NamedTuple):
    """A GraphQL request over HTTP."""

    document: str
    variables: Mapping[str, Any] = MappingProxyType({})
    operation: str | None = None
    accept: str = GRAPHQL_RESPONSE
    method: str = "POST"

    def scope(self) -> dict[str, Any]:
        query = b""
        if self.method == "GET":
            parts = {"query": self.document, "variables": orjson.dumps(dict(self.variables)).decode()}
            query = urlencode(parts | ({"operationName": self.operation} if self.operation else {})).encode()
        headers = {
            "host": b"grove.test",
            "accept": self.accept.encode(),
            "content-type": JSON.encode(),
            "x-request-id": REQUEST_ID,
        }
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "root_path": "",
            "query_string": query,
            "headers": [(name.encode(), value) for name, value in headers.items()],
        }

    def body(self) -> bytes:
        if self.method == "GET":
            return b""
        return orjson.dumps(
            {"query": self.document, "variables": dict(self.variables), "operationName": self.operation}
        )


class Twins:
    """Both applications; the second one lives on what the first one's lifespan has opened."""

    def __init__(self, apps: Mapping[str, Starlette], state: Mapping[str, Any]) -> None:
        self.apps = apps
        self.state = state
        # What ran the last request of each: graphql-core is left what the other does not cover.
        self.ran: dict[str, str | None] = {}

    async def send(self, request: Request, executor: str) -> Answer:
        """Straight into the application: an HTTP client would cost more than most of the answers."""
        messages: list[Any] = []
        body = request.body()

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)
            self.ran[executor] = current_line.get().executor

        await self.apps[executor]({**request.scope(), "state": dict(self.state)}, receive, send)
        start, *rest = messages
        content = b"".join(message.get("body", b"") for message in rest)
        return Answer(start["status"], dict(start["headers"])[b"content-type"], content)

    async def answers(self, request: Request) -> list[Answer]:
        """One of each executor."""
        return [await self.send(request, executor) for executor in EXECUTORS]


@asynccontextmanager
async def twins(url: str) -> AsyncIterator[Twins]:
    """Both applications on this database."""
    apps: dict[str, Starlette] = {
        executor: create_app(Settings(database=url, executor=executor)) for executor in EXECUTORS
    }
    # Reading and checking a document costs more than running it: once is enough.
    one, two = map(view_of, apps.values())
    two.documents = one.documents
    async with lifespan(apps[EXECUTORS[0]]) as state:
        yield Twins(apps, state)
