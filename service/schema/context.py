"""What lives as long as one request: who asks, and what gathers the keys that are asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from service.breadth import Plan
from service.caller import Caller
from service.db import Database

T = TypeVar("T")
Info = strawberry.Info["Context", None]
Resolve = Callable[..., Awaitable[Sequence[T]]]


class Context:
    """Passed to every field of one request that graphql-core executes.

    `plan`: by which what mutations answer is read; graphql-core reads it where there is none.
    """

    def __init__(self, database: Database, caller: Caller, plan: Plan | None = None) -> None:
        self.database = database
        self.caller = caller
        self.plan = plan
        self._loaders: dict[tuple[Any, ...], DataLoader[Any, Any]] = {}

    def forget(self) -> None:
        """Nothing read so far counts any more: a mutation begins."""
        self._loaders = {}

    def load(self, resolve: Resolve[T], key: Any, *arguments: Any) -> Awaitable[T]:
        """What `resolve(keys, *arguments)` answers for one key.

        All keys that are asked for with equal arguments are answered by one call. A field that is cancelled,
        because one beside it failed, takes nothing from the others: neither the value that they wait for as well,
        nor the transaction, which PostgreSQL aborts when it is stopped amid a statement.
        """
        loader = self._loaders.get((resolve, *arguments))
        if loader is None:

            async def batch(keys: list[Any]) -> Sequence[T]:
                return await resolve(keys, *arguments)

            loader = DataLoader(load_fn=batch)
            self._loaders[resolve, *arguments] = loader
        found = asyncio.ensure_future(loader.load(key))
        # Where nobody is left who waits for it, an error is none to be complained about.
        found.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        return asyncio.shield(found)

    async def many(self, resolve: Resolve[T], keys: Sequence[Any], *arguments: Any) -> Sequence[T]:
        """What `resolve(keys, *arguments)` answers, key by key."""
        return await asyncio.gather(*(self.load(resolve, key, *arguments) for key in keys))

    def known(self, resolve: Resolve[T], keys: Sequence[Any], *arguments: Any) -> Sequence[T] | None:
        """What `many` would answer without asking anybody; None where it would have to."""
        return None


class LevelContext(Context):
    """Passed to every field of one query that is executed breadth-first: one field at a time."""

    def __init__(self, database: Database, caller: Caller) -> None:
        super().__init__(database, caller)
        self._known: dict[tuple[Any, ...], dict[Any, Any]] = {}

    async def many(self, resolve: Resolve[T], keys: Sequence[Any], *arguments: Any) -> Sequence[T]:
        """The same, each key asked for once in a request."""
        known = self._known.setdefault((resolve, *arguments), {})
        if known or len(keys) > 1:
            missing: Sequence[Any] = [key for key in dict.fromkeys(keys) if key not in known]
        else:
            # It may be one that is yet to be found.
            missing = keys
        if missing:
            known.update(zip(missing, await resolve(missing, *arguments), strict=True))
        return [*map(known.__getitem__, keys)]

    def known(self, resolve: Resolve[T], keys: Sequence[Any], *arguments: Any) -> Sequence[T] | None:
        known = self._known.get((resolve, *arguments))
        if not known:
            return None
        try:
            return [*map(known.__getitem__, keys)]
        except KeyError:
            return None
