"""Connections, snapshots and transactions: the one door to the database.

Within `Database.snapshot()`, `Database.read()` or `Database.transaction()` the function `fetch` runs statements on the
connection of the current request, which a context variable holds: resolvers and the store take domain arguments only.
The two engines are in service/postgres.py and service/sqlite.py.

Invariant: a connection goes back to its pool, without an open transaction, whatever happens to the task that
used it: cancelled while it begins, waits for a row or commits. Hence the work below that runs to its end.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from service.dialects import Dialect, Forms, reads_at_once, render, writes_at_once
from service.together import Ask, Work, together
from service.turns import Turns

T = TypeVar("T")
Record = Sequence[Any]


class Statement(NamedTuple):
    """A statement with its arguments, to be run together with others."""

    text: str | Forms
    arguments: tuple[Any, ...]


@dataclass(slots=True)
class StatementCount:
    """How many statements ran, BEGIN and COMMIT left out, and how many seconds they took together."""

    statements: int = 0
    seconds: float = 0.0


class Connection(Protocol):
    """What an engine lends: a connection inside an open transaction."""

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[Record]:
        """The rows of one statement. Raises Unavailable, TimedOut, or the driver's own error."""

    async def plan_anew(self) -> None:
        """From here to the end of the transaction each statement is planned for its arguments."""

    async def commit(self) -> None:
        """Makes the transaction permanent. Raises Unavailable when nobody can tell whether it is."""

    async def release(self) -> None:
        """Rolls back what is still open and gives the connection back; never raises."""


class Engine(Protocol):
    """One kind of database, with its pool."""

    dialect: Dialect
    # How many snapshots it can have open at once.
    readers: int

    async def open(self, *, write: bool, alone: bool = False) -> Connection:
        """A connection with a transaction begun: a read-only snapshot, or one that may write.

        `alone`: without one, for a single statement that reads. Raises Unavailable when the database does not answer
        or no connection becomes free in time. It may be cancelled.
        """

    async def close(self) -> None:
        """Closes every connection."""

    def is_transient(self, error: BaseException) -> bool:
        """Whether the same transaction, run again, may succeed or at least find out what is wrong.

        So it is after a deadlock, and after a uniqueness or reference that another writer broke between our
        look and our write: the second run sees what the other one wrote.
        """


_session: ContextVar["Session | Reader"] = ContextVar("session")
_count: ContextVar[StatementCount | None] = ContextVar("statement_count", default=None)
_unfinished: set[asyncio.Future[Any]] = set()


class OneStatement(Exception):
    """A reader that was to take a single statement has come to another: it is to read again, in a transaction."""


class Question(NamedTuple):
    """A statement that a work asks for, see service/together.py."""

    statement: str | Forms
    arguments: Sequence[Any]
    planned: bool
    apart: bool


class Session:
    """One snapshot or transaction, shared by all tasks of a request; its statements run one after another.

    The connection is taken at the first statement, so that a request without any takes none.
    """

    def __init__(self, engine: Engine, *, write: bool) -> None:
        self.engine = engine
        self.write = write
        self.discarded = False
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._ended = False
        self._fetching: set[asyncio.Task[Any]] = set()

    @property
    def begun(self) -> bool:
        """Whether it has a connection, and with it perhaps locks."""
        return self._connection is not None

    def discard(self) -> None:
        """Nothing of this transaction is to be kept."""
        self.discarded = True

    async def fetch(
        self, statement: str | Forms, arguments: Sequence[Any], *, planned: bool = False, apart: bool = False
    ) -> Sequence[Record]:
        task = asyncio.current_task()
        assert task is not None
        self._fetching.add(task)
        try:
            return await self._fetch(render(statement, self.engine.dialect), arguments, planned=planned)
        finally:
            self._fetching.discard(task)

    async def _fetch(self, text: str, arguments: Sequence[Any], *, planned: bool) -> Sequence[Record]:
        count = _count.get()
        async with self._lock:
            if self._ended:
                raise RuntimeError("a statement came after the end of its transaction")
            if self._connection is None:
                opening = self.engine.open(write=self.write)
                self._connection = await to_its_end(opening, abandoned=lambda late: late.release())
            started = time.perf_counter()
            try:
                if planned:
                    await self._connection.plan_anew()
                return await self._connection.fetch(text, arguments)
            finally:
                if count is not None:
                    count.statements += 1
                    count.seconds += time.perf_counter() - started

    async def end(self, *, commit: bool) -> None:
        """Commits or rolls back, once, and gives the connection back."""
        if not self._ended:
            await to_its_end(self._end(commit=commit and not self.discarded))

    async def _end(self, *, commit: bool) -> None:
        self._ended = True
        # A loader's task outlives the request that failed beside it, and must not use the connection any more.
        for task in self._fetching:
            task.cancel()
        async with self._lock:
            if self._connection is None:
                return
            try:
                if commit:
                    await self._connection.commit()
            finally:
                await self._connection.release()


class Reader:
    """One snapshot, read by a single task; nothing of it is in use any more when that task ends.

    Works that it runs together send what they ask at the same time as one statement. `alone`: there is one statement
    and no transaction, which a single one does without; another raises OneStatement.
    """

    def __init__(self, engine: Engine, *, alone: bool) -> None:
        self.engine = engine
        self.alone = alone
        self.statements = 0
        self._planned = False
        self._gathering = False
        self._connection: Connection | None = None

    async def fetch(
        self, statement: str | Forms, arguments: Sequence[Any], *, planned: bool = False, apart: bool = False
    ) -> Sequence[Record]:
        if self._gathering:
            return await Ask(Question(statement, arguments, planned, planned or apart))  # type: ignore[no-any-return]
        if self.alone and (self.statements or planned):
            raise OneStatement
        if self._connection is None:
            self._connection = await self.engine.open(write=False, alone=self.alone)
        self.statements += 1
        started = time.perf_counter()
        try:
            if planned:
                self._planned = True
                await self._connection.plan_anew()
            return await self._connection.fetch(render(statement, self.engine.dialect), arguments)
        finally:
            if count := _count.get():
                count.statements += 1
                count.seconds += time.perf_counter() - started

    @property
    def one_statement(self) -> bool:
        """Whether it took no more than one statement, which needs no transaction."""
        return self.statements < 2 and not self._planned

    async def together(self, works: Sequence[Work]) -> list[Any]:
        """The results of works, which go on side by side."""
        if len(works) == 1:
            return [await works[0]]
        self._gathering = True
        try:
            return await together(works, self._answer)
        finally:
            self._gathering = False

    async def _answer(self, questions: Sequence[Question]) -> list[Sequence[Record]]:
        """The rows of each; those that are alike are asked once, and those that are to be apart each for itself."""
        self._gathering = False
        distinct: list[Question] = []
        places = [_place(question, distinct) for question in questions]
        gathered = [Statement(one.statement, tuple(one.arguments)) for one in distinct if not one.apart]
        found = iter(await fetch_each(*gathered) if gathered else ())
        answers = [() if question.apart else next(found) for question in distinct]
        # What plans anew does so from there on, so it comes last.
        for place, question in sorted(enumerate(distinct), key=lambda one: one[1].planned):
            if question.apart:
                answers[place] = await self.fetch(question.statement, question.arguments, planned=question.planned)
        self._gathering = True
        return [answers[place] for place in places]

    async def end(self) -> None:
        """Gives the connection back."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            await connection.release()
        except BaseException:
            await to_its_end(connection.release())
            raise


def _place(question: Question, distinct: list[Question]) -> int:
    """Where a question stands among the distinct ones; it is added where it is new."""
    if question not in distinct:
        distinct.append(question)
    return distinct.index(question)


async def to_its_end(
    work: Coroutine[Any, Any, T], abandoned: Callable[[T], Coroutine[Any, Any, Any]] | None = None
) -> T:
    """The result of work that goes on by itself when the waiting task is cancelled.

    A result that nobody waits for any more is given to `abandoned`.
    """

    async def tidy() -> None:
        result = await task
        if abandoned is not None:
            await abandoned(result)

    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        rest = asyncio.ensure_future(tidy())
        _unfinished.add(rest)
        rest.add_done_callback(_unfinished.discard)
        # Asking for the error marks it as seen: there is nobody left to tell.
        rest.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        raise


async def fetch(statement: str | Forms, *arguments: Any) -> Sequence[Record]:
    """The rows of one statement, run in the current snapshot or transaction."""
    return await _session.get().fetch(statement, arguments)


async def fetch_apart(statement: str | Forms, *arguments: Any) -> Sequence[Record]:
    """The same for a statement with many rows: sent together with others, each row would cost more."""
    return await _session.get().fetch(statement, arguments, apart=True)


async def fetch_planned(statement: str | Forms, *arguments: Any) -> Sequence[Record]:
    """The same for a statement whose best plan depends on its arguments, as that of a filter does.

    PostgreSQL would after some runs settle on one plan for all arguments: for a rare word that of a frequent one.
    """
    return await _session.get().fetch(statement, arguments, planned=True)


async def fetch_each(*reads: Statement) -> list[Sequence[Record]]:
    """The rows of each of these statements, which go to PostgreSQL as one, and read one state of the database."""
    if len(reads) < 2 or current().engine.dialect == "sqlite":
        return [await fetch(text, *arguments) for text, arguments in reads]
    found: list[list[Record]] = [[] for _ in reads]
    text = reads_at_once(tuple(read.text for read in reads))
    for place, row in await fetch(text, *_arguments(reads)):
        found[place].append(row)
    return list(found)


async def write(*writes: Statement) -> None:
    """Runs statements that write, of which none reads or writes a row that another one writes.

    They go to PostgreSQL as one, where each of them sees the database as it was before all of them.
    """
    if not writes:
        return
    if current().engine.dialect == "sqlite":
        for text, arguments in writes:
            await fetch(text, *arguments)
    else:
        await fetch(writes_at_once(tuple(one.text for one in writes)), *_arguments(writes))


def _arguments(statements: Sequence[Statement]) -> list[Any]:
    return [argument for statement in statements for argument in statement.arguments]


async def fetch_value(statement: str | Forms, *arguments: Any) -> Any:
    """The first column of the first row, or None where there is no row."""
    found = await fetch(statement, *arguments)
    return found[0][0] if found else None


def current() -> Session | Reader:
    """The current snapshot or transaction."""
    return _session.get()


@contextmanager
def count_statements() -> Iterator[StatementCount]:
    """Counts the statements that run inside."""
    count = StatementCount()
    token = _count.set(count)
    try:
        yield count
    finally:
        _count.reset(token)


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

    async def read(self, work: Callable[[Reader], Coroutine[Any, Any, T]], *, alone: bool = False) -> T:
        """What the work finds out, all of it from one snapshot, in this task alone. See Reader; raises OneStatement."""
        reader = Reader(self.engine, alone=alone)
        token = _session.set(reader)
        try:
            return await work(reader)
        finally:
            _session.reset(token)
            await reader.end()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """All that is done inside is kept at its end, or not at all: after an error or `discard()`."""
        async with self._session(write=True) as session:
            yield session
            await session.end(commit=True)

    @asynccontextmanager
    async def _session(self, *, write: bool) -> AsyncIterator[Session]:
        session = Session(self.engine, write=write)
        token = _session.set(session)
        try:
            yield session
        finally:
            _session.reset(token)
            await session.end(commit=False)

    async def close(self) -> None:
        """Waits for what is still being given back, then closes every connection."""
        while _unfinished:
            await asyncio.wait(_unfinished)
        await self.engine.close()
