"""The GraphQL endpoint: one request in, one answer out, and no 5xx that a client could bring about.

    negotiate → who is calling → read → check the document → execute, in a snapshot or transactions → answer

With `application/graphql-response+json` a request that was not executed is answered with 4xx (5xx where it is
our fault) and without `data`, one that was executed with 200. With `application/json` a well-formed request
is always answered with 200, since old clients take any other status for a proxy's.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from graphql import ExecutionResult, OperationType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.answers import RequestErrors, error, execution_errors, grove_error, request_error
from service.caller import current_caller
from service.db import Counting
from service.documents import Documents, Operation
from service.errors import GroveError, TimedOut
from service.execution import Execution, Served
from service.logs import current_line
from service.requests import (
    GRAPHQL_RESPONSE,
    HTML,
    JSON,
    Headers,
    preferred,
    read_caller,
    read_request,
)
from service.sessions import StatementCount
from service.settings import Settings

METHODS = ("GET", "HEAD", "POST")
# The codes of what never became a GraphQL request, by HTTP status.
CODES = {408: "TIMEOUT", 413: "LIMIT_EXCEEDED"}
# As ASGI has them.
VARY, NO_STORE = (b"vary", b"Accept"), (b"cache-control", b"no-store")


class Answer(NamedTuple):
    """What is sent: made without Starlette's responses, which take as long as to check the whole request."""

    media_type: str
    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}


class GraphQLView:
    """An ASGI application that answers GraphQL over HTTP; the lifespan's state holds the database.

    `page` makes the explorer's page for browsers; None: there is none.
    """

    def __init__(self, served: Served, settings: Settings, page: Callable[[], Response] | None = None) -> None:
        self.settings = settings
        self.page = page
        self.documents = Documents(served.schema, served.type_name, settings)
        self.execution = Execution(served, settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Starlette looks each up by going through all of them.
        headers = dict(reversed(scope["headers"]))
        accept = headers[b"accept"].decode("latin-1") if b"accept" in headers else None
        if self.page and scope["method"] in {"GET", "HEAD"} and _for_people(Request(scope), accept):
            page = self.page()
            page.raw_headers.append(VARY)
            await page(scope, receive, send)
            return
        started = time.perf_counter()
        try:
            with Counting() as count:
                answer = await self._answer(scope, receive, headers, preferred(accept, (GRAPHQL_RESPONSE, JSON)))
        except ClientDisconnect:
            # Nobody is left to be answered.
            return
        current_line.get().statements = count.statements
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [
                    *((name.lower().encode(), value.encode()) for name, value in answer.headers.items()),
                    (b"content-length", b"%d" % len(answer.body)),
                    _content_type(answer.media_type),
                    (b"server-timing", _timing(time.perf_counter() - started, count).encode()),
                    NO_STORE,
                    VARY,
                ],
            }
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive, headers: Headers, media_type: str | None) -> Answer:
        try:
            if media_type is None:
                raise HTTPException(406, f"The answer would be {GRAPHQL_RESPONSE} or {JSON}; accept one of them.")
            result = await self._serve(scope, receive, headers)
        except RequestErrors as problem:
            status = 200 if media_type == JSON else problem.status
            return _answer(media_type, {"errors": problem.errors}, status)
        except HTTPException as problem:
            code = CODES.get(problem.status_code, "BAD_REQUEST")
            body = {"errors": [error(code, problem.detail)]}
            return _answer(media_type, body, problem.status_code, problem.headers)
        if isinstance(result, bytes):
            return Answer(media_type, result)
        if not result.errors:
            return _answer(media_type, {"data": result.data})
        errors = execution_errors(result.errors, current_line.get().request_id)
        return _answer(media_type, {"errors": errors, "data": result.data})

    async def _serve(self, scope: Scope, receive: Receive, headers: Headers) -> bytes | ExecutionResult:
        """The outcome of an operation that was executed. Raises HTTPException, or RequestErrors otherwise."""
        method = scope["method"]
        if method not in METHODS:
            raise HTTPException(405, "Send GraphQL by POST, or queries by GET.", {"Allow": ", ".join(METHODS)})
        line = current_line.get()
        caller = read_caller(scope["headers"], self.settings.actor_header)
        line.actor = caller.actor
        seconds = self.settings.request_seconds
        timeout = asyncio.timeout(seconds)
        try:
            async with timeout:
                asked = await read_request(scope, receive, headers, self.settings.max_body_bytes)
                document = self.documents.get(asked.document)
                operation = document.operation(asked.operation_name)
                line.operation = operation.name
                line.kind = operation.kind_name
                self._allow(operation, method)
                token = current_caller.set(caller)
                try:
                    return await self.execution.run(asked, document, operation, scope["state"]["database"], caller)
                finally:
                    current_caller.reset(token)
        except TimeoutError:
            if not timeout.expired():
                raise
            if line.kind is None:
                message = f"The body of the request did not arrive within {seconds:g} seconds."
                raise HTTPException(408, message) from None
            raise grove_error(TimedOut(_too_slow(seconds, line.kind))) from None
        except GroveError as problem:
            raise grove_error(problem) from problem

    def _allow(self, operation: Operation, method: str) -> None:
        if operation.kind is OperationType.SUBSCRIPTION:
            raise request_error("BAD_REQUEST", "Subscriptions are not served here.")
        if operation.kind is OperationType.MUTATION and method != "POST":
            raise HTTPException(405, "Send mutations by POST.", {"Allow": "POST"})


def _too_slow(seconds: float, kind: str) -> str:
    message = f"The request was stopped after {seconds:g} seconds."
    if kind == "mutation":
        message += " Some of its changes may have been made: look before you send it again, or use idempotency keys."
    return message


def _timing(seconds: float, count: StatementCount) -> str:
    in_database = f'statements;desc="{count.statements}";dur={count.seconds * 1000:.1f}'
    return f"total;dur={seconds * 1000:.1f}, {in_database}"


def _for_people(request: Request, accept: str | None) -> bool:
    """Whether it is a browser that wants the page."""
    return "query" not in request.query_params and preferred(accept, (GRAPHQL_RESPONSE, JSON, HTML)) == HTML


@lru_cache(maxsize=10)
def _content_type(media_type: str) -> tuple[bytes, bytes]:
    return b"content-type", f"{media_type}; charset=utf-8".encode()


def _answer(media_type: str | None, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    for problem in body.get("errors", ()):
        current_line.get().errors.append(problem["extensions"]["code"])
    return Answer(media_type or JSON, orjson.dumps(body), status, headers or {})
