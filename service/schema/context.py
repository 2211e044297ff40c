"""What lives as long as one request: who asks, and the loaders that gather what is asked for many parents."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from service.caller import Caller
from service.db import Database

T = TypeVar("T")
Info = strawberry.Info["Context", None]


class Context:
    """Passed to every field of one request."""

    def __init__(self, database: Database, caller: Caller) -> None:
        self.database = database
        self.caller = caller
        self._loaders: dict[tuple[Any, ...], DataLoader[Any, Any]] = {}

    def forget(self) -> None:
        """Nothing read so far counts any more: a mutation begins."""
        self._loaders = {}

    def load(self, resolve: Callable[..., Awaitable[Sequence[T]]], parent: int, *arguments: Any) -> Awaitable[T]:
        """What `resolve(parents, *arguments)` answers for one parent.

        All parents that ask for the same with equal arguments are answered by one call. A field that is cancelled,
        because one beside it failed, takes nothing from the others: neither the value that they wait for as well,
        nor the transaction, which PostgreSQL aborts when it is stopped amid a statement.
        """
        loader = self._loaders.get((resolve, *arguments))
        if loader is None:

            async def batch(parents: list[int]) -> Sequence[T]:
                return await resolve(parents, *arguments)

            loader = DataLoader(load_fn=batch)
            self._loaders[resolve, *arguments] = loader
        return asyncio.shield(loader.load(parent))
