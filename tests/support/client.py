"""A GraphQL client for tests, for the application in this process or a service over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.support.compared import Compared

Json = dict[str, Any]


class Grove:
    def __init__(self, http: httpx.AsyncClient, app: ASGIApp | None = None) -> None:
        """`app` is the application, where it is in this process: httpx takes as long as a small query."""
        self.http = http
        self.app = app

    async def execute(
        self,
        document: str,
        variables: Mapping[str, Any] | None = None,
        *,
        operation: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """The whole response, errors and all."""
        request = {"query": document, "variables": variables, "operationName": operation}
        given = {name: value for name, value in request.items() if value is not None}
        body = json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()
        sent = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"} | dict(headers or {})
        if self.app is not None:
            content = await call(self.app, body, {**self.http.headers, **{name.lower(): sent[name] for name in sent}})
        else:
            content = (await self.http.post("/graphql", content=body, headers=sent)).content
        answer: Json = json.loads(content)
        return answer

    async def query(self, document: str, variables: Mapping[str, Any] | None = None, **options: Any) -> Json:
        """The response's data; an error in it fails the test."""
        response = await self.execute(document, variables, **options)
        assert "errors" not in response, response["errors"]
        data: Json = response["data"]
        return data

    async def mutate(
        self,
        name: str,
        input: Mapping[str, Any],
        selection: str = "",
        *,
        errors: Sequence[str] | None = (),
        **options: Any,
    ) -> Json:
        """The payload of one mutation: what is selected, and userErrors.

        `errors` holds the codes that userErrors must have, in their order: none, unless told. None: any.
        """
        document = f"""
            mutation ($input: {name[0].upper()}{name[1:]}Input!) {{
              {name}(input: $input) {{ {selection} userErrors {{ code message path }} }}
            }}
        """
        data = await self.query(document, {"input": input}, **options)
        payload: Json = data[name]
        if errors is not None:
            assert [error["code"] for error in payload["userErrors"]] == list(errors), payload["userErrors"]
        return payload


async def call(app: ASGIApp, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The body of what the application answers to a POST of this one; the names of headers are in small letters."""
    sent, pieces, complete = False, list[bytes](), asyncio.Event()
    length = {"host": "grove.test", "content-length": str(len(body))}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in (length | dict(headers)).items()],
        "client": ("127.0.0.1", 123),
        "server": ("grove.test", None),
    }

    async def receive() -> Message:
        nonlocal sent
        if sent:
            # The client stays for the whole answer.
            await complete.wait()
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                complete.set()

    await app(scope, receive, send)
    return b"".join(pieces)


@asynccontextmanager
async def running(app: Starlette, *, compared: bool = True) -> AsyncIterator[Grove]:
    """A client of the application in this process, which is started before and stopped after.

    Each query is also answered by a twin with the other executor, and must be answered the same, unless `compared`
    is turned off: where something is timed, injected or counted.
    """
    served: ASGIApp = Compared(app) if compared else app
    async with lifespan(app) as state:

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await served({**scope, "state": dict(state)}, receive, send)

        # An unforeseen exception is answered as it would be over HTTP.
        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://grove.test", timeout=60) as http:
            yield Grove(http, with_state)
    if isinstance(served, Compared):
        assert served.differences == [], "The two executors differ:\n" + "\n\n".join(served.differences)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
    """The application's lifespan, in a task of its own as in a server: requests don't inherit its context."""
    started: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()

    async def live() -> None:
        try:
            async with app.router.lifespan_context(app) as state:
                started.set_result(state or {})
                await stop.wait()
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    task = asyncio.create_task(live())
    try:
        yield await started
    finally:
        stop.set()
        await task
