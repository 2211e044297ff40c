"""A small schema with fields that misbehave, served by the real application without a database."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from inspect import isawaitable
from types import SimpleNamespace
from typing import Any, Self

import httpx
import pytest
import strawberry
from graphql import GraphQLObjectType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from service import app
from service.breadth import BREADTH, Batch
from service.caller import Caller, current_caller
from service.errors import InvalidInput, Unavailable
from service.sessions import StatementCount
from service.settings import Settings
from tests.support.client import running

MODERN = "application/graphql-response+json"
LEGACY = "application/json"
SECRET = "the password is swordfish"


@strawberry.input(one_of=True)
class By:
    id: strawberry.ID | None = strawberry.UNSET
    name: str | None = strawberry.UNSET


@strawberry.type
class PageInfo:
    has_next_page: bool = False


@strawberry.type
class Leaf:
    name: str = "leaf"

    @strawberry.field
    def broken(self) -> str:
        raise RuntimeError(SECRET)

    @strawberry.field
    def children(self, first: int | None = None, last: int | None = None) -> "LeafConnection":
        return LeafConnection()

    @strawberry.field
    def parent(self) -> "Leaf | None":
        return None


@strawberry.type
class LeafEdge:
    node: Leaf


@strawberry.type
class LeafConnection:
    page_info: PageInfo = strawberry.field(default_factory=PageInfo)
    total_count: int = 0

    @strawberry.field
    def nodes(self) -> list[Leaf]:
        return []

    @strawberry.field
    def edges(self) -> list[LeafEdge]:
        return []


@strawberry.type
class Query:
    @strawberry.field
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field
    def number(self, value: int) -> int | None:
        return value

    @strawberry.field
    def by(self, by: By) -> str:
        return by.name or f"id {by.id}"

    @strawberry.field
    def actor(self) -> str:
        return current_caller.get().actor

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    def broken_for_all(self) -> str:
        raise RuntimeError(SECRET)

    @strawberry.field
    def too_large(self) -> int | None:
        return 2**40

    @strawberry.field
    def mistaken(self) -> str | None:
        raise InvalidInput("This is no id.")

    @strawberry.field
    def unavailable(self) -> str | None:
        raise Unavailable("The database is away.")

    @strawberry.field
    async def slow(self, seconds: float) -> str | None:
        await asyncio.sleep(seconds)
        return "done"

    @strawberry.field
    def leaves(self, first: int | None = None, last: int | None = None) -> LeafConnection:
        return LeafConnection()

    @strawberry.field
    def leaf(self) -> Leaf:
        return Leaf()

    @strawberry.field
    def list_of_leaves(self, count: int = 3) -> list[Leaf | None]:
        return [Leaf() for _ in range(count)]

    @strawberry.field
    def nodes(self, ids: list[strawberry.ID]) -> list[Leaf]:
        return []


@strawberry.type
class Mutation:
    @strawberry.mutation
    def change(self, name: str) -> str:
        return name

    @strawberry.mutation
    async def slow_change(self, seconds: float) -> str:
        await asyncio.sleep(seconds)
        return "done"


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticks(self) -> AsyncIterator[int]:
        yield 1


class Context:
    def __init__(self, database: "NoDatabase", caller: Caller, plan: object = None) -> None:
        self.database = database
        self.caller = caller


class NoDatabase:
    """Stands in for the database; `problem` makes it unready."""

    problem: Exception | None = None

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[StatementCount]:
        yield StatementCount()

    async def close(self) -> None:
        pass

    @classmethod
    async def open_database(cls, settings: Settings) -> Self:
        return cls()

    @staticmethod
    @asynccontextmanager
    async def running(url: str, database: "NoDatabase") -> AsyncIterator[None]:
        """No jobs either."""
        yield

    @classmethod
    async def migrate(cls, url: str) -> None:
        pass

    @classmethod
    async def check_ready(cls, database: Self) -> None:
        if cls.problem is not None:
            raise cls.problem


def object_by_object(resolve: Any) -> Batch:
    """What a field does for many objects, by its resolver for single ones."""

    async def resolve_all(parents: Sequence[Any], arguments: Mapping[str, Any], *_: object) -> list[Any]:
        values = [resolve(parent, None, **arguments) for parent in parents]
        return [await value if isawaitable(value) else value for value in values]

    return Batch(resolve_all)


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription)
for kind in SCHEMA._schema.type_map.values():
    if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
        for field in kind.fields.values():
            field.extensions[BREADTH] = object_by_object(field.resolve)

STUB = SimpleNamespace(
    schema=SCHEMA,
    MutationExecutor=StrawberryGraphQLCoreExecutionContext,
    Context=Context,
    LevelContext=Context,
    type_name=lambda value: type(value).__name__,
)


@asynccontextmanager
async def stub(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application on the stub."""
    monkeypatch.setattr(app, "schema", STUB)
    monkeypatch.setattr(app, "engines", NoDatabase)
    monkeypatch.setattr(app, "migrating", NoDatabase)
    monkeypatch.setattr(app, "jobs", NoDatabase)
    async with running(app.create_app(Settings(**settings)), compared=False) as client:
        yield client.http


async def post(http: httpx.AsyncClient, body: Any, accept: str | None = MODERN, **headers: str) -> httpx.Response:
    """Bytes go as they are; anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = http.build_request("POST", "/graphql", content=content, headers={"Content-Type": LEGACY})
    if accept is None:
        del request.headers["Accept"]
    else:
        request.headers["Accept"] = accept
    for name, text in headers.items():
        request.headers[name.replace("_", "-")] = text
    return await http.send(request)


async def run(http: httpx.AsyncClient, document: str, **parameters: Any) -> httpx.Response:
    return await post(http, {"query": document, **parameters})


def codes(response: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]
