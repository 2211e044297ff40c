"""Connections, snapshots and transactions: the one door to the database.

Within `Database.snapshot()`, `Database.read()` or `Database.transaction()` the function `fetch` runs statements on the
connection of the current request, which a context variable holds: resolvers and the store take domain arguments only.
The two engines are in service/postgres.py and service/sqlite.py.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from service.dialects import Forms
from service.sessions import (
    Engine,
    Locking,
    ReadAgain,
    Reader,
    Record,
    Session,
    Statement,
    StatementCount,
    current_session,
    statement_count,
    unfinished,
)
from service.turns import Turns

T = TypeVar("T")
CLOSE_SECONDS = 10.0


def fetch(statement: str | Forms, *arguments: Any) -> Coroutine[Any, Any, Sequence[Record]]:
    """The rows of one statement, run in the current snapshot or transaction."""
    return current_session.get().fetch(Statement(statement, arguments))


def fetch_planned(statement: str | Forms, *arguments: Any) -> Coroutine[Any, Any, Sequence[Record]]:
    """The same for a statement whose best plan depends on its arguments, as that of a filter does.

    PostgreSQL would after some runs settle on one plan for all arguments: for a rare word that of a frequent one.
    """
    return current_session.get().fetch(Statement(statement, arguments, planned=True))


def guessed_wrong() -> None:
    """Where a statement that would put a wrong guess right is too many, raises ReadAgain: all is read again, in a
    transaction."""
    session = current_session.get()
    if isinstance(session, Reader) and session.alone:
        raise ReadAgain


async def fetch_each(*reads: Statement) -> list[Sequence[Record]]:
    """The rows of each of these statements, which go to PostgreSQL as one, and read one state of the database."""
    return await current_session.get().fetch_each(reads)


async def look(statement: str | Forms, *arguments: Any) -> Sequence[Record]:
    """The rows of a statement that may be read before the transaction of a mutation begins, and then begins none."""
    return await _transaction().look(Statement(statement, arguments))


async def begin(locking: Locking) -> bool:
    """Begins a transaction with a statement that locks rows; False where it had begun before.

    It goes with BEGIN. A database that has one writer at a time does without it.
    """
    return await _transaction().begin(locking)


async def write(*writes: Statement) -> None:
    """Runs statements that write, of which none reads or writes a row that another one writes.

    They go to PostgreSQL as one, where each of them sees the database as it was before all of them.
    """
    if writes:
        await _transaction().run(writes)


def written(table: str, keys: Collection[int]) -> list[Record] | None:
    """The rows with these keys as this transaction has written them just now; None unless all are known."""
    return current_session.get().written(table, keys)


def _transaction() -> Session:
    session = current_session.get()
    assert isinstance(session, Session), "only a transaction writes"
    return session


async def fetch_value(statement: str | Forms, *arguments: Any) -> Any:
    """The first column of the first row, or None where there is no row."""
    found = await fetch(statement, *arguments)
    return found[0][0] if found else None


def current() -> Session | Reader:
    """The current snapshot or transaction."""
    return current_session.get()


class Counting:
    """Counts the statements that run inside."""

    __slots__ = ("_token",)

    def __enter__(self) -> StatementCount:
        count = StatementCount()
        self._token = statement_count.set(count)
        return count

    def __exit__(self, *_: object) -> None:
        statement_count.reset(self._token)


class Database:
    """An engine, its snapshots and its transactions."""

    def __init__(self, engine: Engine, lock_seconds: float) -> None:
        self.engine = engine
        self.turns = Turns(lock_seconds)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        """All that is fetched inside is read from one snapshot of the database."""
        async with self._session(write=False) as session:
            yield session

    def read(self, *, alone: bool = False) -> Reader:
        """All that is fetched inside, by one task, is read from one snapshot. See Reader; raises NeedsTransaction."""
        return Reader(self.engine, alone=alone)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """All that is done inside is kept at its end, or not at all: after an error or `discard()`."""
        async with self._session(write=True) as session:
            yield session
            await session.end(commit=True)

    @asynccontextmanager
    async def _session(self, *, write: bool) -> AsyncIterator[Session]:
        session = Session(self.engine, write=write)
        token = current_session.set(session)
        try:
            yield session
        finally:
            current_session.reset(token)
            await session.end(commit=False)

    async def close(self) -> None:
        """Waits for what is still being given back, for a limited time, then closes every connection."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                # What another loop has left behind will never end.
                while here := [one for one in unfinished if one.get_loop() is asyncio.get_running_loop()]:
                    await asyncio.wait(here)
        await self.engine.close()
