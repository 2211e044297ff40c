"""An application whose every query is also answered by a twin with the other executor, on the same database.

The client gets the application's answer. What the twin answered otherwise is kept in `differences`, unless one of
them, asked again, no longer says what it said: then something has changed in between, perhaps to and fro.
"""

from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from service.app import create_app
from service.view import GraphQLView

OTHER = {"breadth": "graphql-core", "graphql-core": "breadth"}
# With this header a request, such as a mutation, is answered by the twin alone.
BY_TWIN = {"X-Test-Executor": "other"}
((_name, _value),) = BY_TWIN.items()
TWIN = (_name.lower().encode(), _value.encode())


class Said(NamedTuple):
    """What must be the same of an answer."""

    status: int
    content_type: bytes | None
    body: bytes


class Compared:
    """An ASGI application for the two; mutations and all that is not GraphQL pass it by."""

    def __init__(self, app: Starlette) -> None:
        self.app = app
        view = view_of(app)
        changed = {"executor": OTHER[view.settings.executor]}
        self.twin = create_app(view.settings.model_copy(update=changed))
        # Reading and checking a document costs more than most answers: once is enough.
        view_of(self.twin).documents = view.documents
        self.compared = 0
        self.differences: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if TWIN in scope.get("headers", ()):
            await self.twin(scope, receive, send)
            return
        if scope["type"] != "http" or scope["path"] != "/graphql":
            await self.app(scope, receive, send)
            return
        received = await _all_of(receive)
        answer = await _answer(self.app, scope, received)
        # In the word's place a query may hold something else; it is then run once, as before.
        if b"mutation" not in b"".join(message.get("body", b"") for message in received):
            await self._compare(scope, received, answer)
        for message in answer:
            await send(message)

    async def _compare(self, scope: Scope, received: list[Message], answer: list[Message]) -> None:
        # Under the same id a fault is told in the same words.
        id = dict(answer[0]["headers"])[b"x-request-id"]
        same = {**scope, "headers": [*scope["headers"], (b"x-request-id", id)]}
        said, other = _said(answer), _said(await _answer(self.twin, same, received))
        self.compared += 1
        if other == said:
            return
        again = [_said(await _answer(app, same, received)) for app in (self.app, self.twin)]
        if again == [said, other]:
            request = b"".join(message.get("body", b"") for message in received) or scope["query_string"]
            self.differences.append(f"{request.decode(errors='replace')}\n{said}\n{other}")


def view_of(app: Starlette) -> GraphQLView:
    """The application's GraphQL endpoint."""
    endpoints = [getattr(route, "endpoint", None) for route in app.routes]
    return next(endpoint for endpoint in endpoints if isinstance(endpoint, GraphQLView))


async def _all_of(receive: Receive) -> list[Message]:
    """The whole request, to be received more than once."""
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body"):
        messages.append(await receive())
    return messages


async def _answer(app: Starlette, scope: Scope, received: list[Message]) -> list[Message]:
    waiting = iter(received)
    sent: list[Message] = []

    async def receive() -> Message:
        return next(waiting, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        sent.append(message)

    await app({**scope, "state": dict(scope["state"])}, receive, send)
    return sent


def _said(answer: list[Message]) -> Said:
    start, *rest = answer
    headers: dict[bytes, Any] = dict(start["headers"])
    return Said(start["status"], headers.get(b"content-type"), b"".join(message.get("body", b"") for message in rest))
