"""A snapshot or transaction: one connection, taken at the first statement, and what runs its statements.

Invariant: a connection goes back to its pool, without an open transaction, whatever happens to the task that
used it: cancelled while it begins, waits for a row or commits. Hence the work below that runs to its end.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from service.dialects import Dialect, Forms, may_write, render, seeking, writes_at_once
from service.sought import Sought
from service.together import Work, ask, together

T = TypeVar("T")
Record = Sequence[Any]
# A statement that reads what many read is planned at each call where its text is too long for the driver to keep.
MOST_AT_ONCE = 16


class Returned(NamedTuple):
    """What a statement that writes tells of the rows that it wrote: their table, and these columns, the key first."""

    table: str
    columns: str


class Statement(NamedTuple):
    """A statement with its arguments. `planned`: the best plan depends on them, see `db.fetch_planned`."""

    text: str | Forms
    arguments: tuple[Any, ...]
    returned: Returned | None = None
    planned: bool = False


@dataclass(slots=True)
class StatementCount:
    """How many statements ran, BEGIN and COMMIT left out, and how many seconds they took together."""

    statements: int = 0
    seconds: float = 0.0


def arguments_of(statements: Sequence[Statement]) -> list[Any]:
    """Those of all, in order."""
    return [argument for statement in statements for argument in statement.arguments]


class Locking(NamedTuple):
    """A statement that locks the rows with these keys, $1; under its name a connection keeps it prepared."""

    name: str
    text: str
    keys: Sequence[int]


class Connection(Protocol):
    """What an engine lends: a connection inside an open transaction."""

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[Record]:
        """The rows of one statement. Raises Unavailable, TimedOut, or the driver's own error."""

    async def fetch_each(self, statements: tuple[str, ...], arguments: Sequence[Any]) -> list[Sequence[Record]]:
        """The rows of each of these, given their arguments in order: in PostgreSQL by one statement."""

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

    async def open(self, *, write: bool, alone: bool = False, locking: Locking | None = None) -> Connection:
        """A connection with a transaction begun: a read-only snapshot, or one that may write.

        `alone`: without one, for a single statement that reads. `locking`: run at once where writers can be side by
        side. Whoever is broken off while it opens has taken nothing.
        Raises Unavailable when the database does not answer or no connection becomes free in time.
        """

    async def close(self) -> None:
        """Closes every connection."""

    def is_transient(self, error: BaseException) -> bool:
        """Whether the same transaction, run again, may succeed or at least find out what is wrong.

        So it is after a deadlock, and after a uniqueness or reference that another writer broke between our
        look and our write: the second run sees what the other one wrote.
        """


statement_count: ContextVar[StatementCount | None] = ContextVar("statement_count", default=None)
unfinished: set[asyncio.Future[Any]] = set()


class NeedsTransaction(Exception):
    """A reader without a transaction has come to a second statement: it is to read again, in a transaction."""


class ReadAgain(NeedsTransaction):
    """It has guessed wrong what a second statement would have told it, as it will hardly do again."""


class Gathering:
    """Sends what works that are run together ask at the same time as one statement, which PostgreSQL takes."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._gathering = False

    async def fetch(self, read: Statement) -> Sequence[Record]:
        """The rows of one statement. Raises TypeError where it needs a key that is yet to be found."""
        rows: Sequence[Record]
        if not self._gathering:
            (rows,) = await self._run((read,))
            return rows
        for place, argument in enumerate(read.arguments):
            if type(argument) is list and argument and type(argument[0]) is Sought:
                read = self._searching(read, place)
        rows = await ask(read)
        return rows

    async def fetch_each(self, reads: Sequence[Statement]) -> list[Sequence[Record]]:
        """The rows of each of these statements, which go to PostgreSQL as one, and read one state of the database."""
        rows: list[Sequence[Record]] = await (ask(tuple(reads)) if self._gathering else self._fetch_all(reads))
        return rows

    async def _fetch_all(self, reads: Sequence[Statement]) -> list[Sequence[Record]]:
        most = 1 if self.engine.dialect == "sqlite" else MOST_AT_ONCE
        if len(reads) <= most:
            return await self._run(reads)
        parts = [reads[start : start + most] for start in range(0, len(reads), most)]
        return [rows for part in parts for rows in await self._run(part)]

    async def _run(self, reads: Sequence[Statement]) -> list[Sequence[Record]]:
        """The rows of each, by what the database takes for one statement."""
        raise NotImplementedError

    def written(self, table: str, keys: Collection[int]) -> list[Record] | None:
        """The rows with these keys as this transaction has written them just now; None unless all are known."""
        return None

    async def together(self, works: Sequence[Work]) -> list[Any]:
        """The results of works, which go on side by side."""
        if len(works) == 1:
            return [await works[0]]
        self._gathering = True
        try:
            return await together(works, self._answer)
        finally:
            self._gathering = False

    async def _answer(self, questions: Sequence[Statement | tuple[Statement, ...]]) -> list[Any]:
        """The rows of each; what is asked twice is fetched once, and what is planned goes for itself."""
        self._gathering = False
        gathered: list[Statement] = []
        planned: list[Statement] = []
        for question in questions:
            for read in (question,) if isinstance(question, Statement) else question:
                part = planned if read.planned else gathered
                if read not in part:
                    part.append(read)
        found = await self._fetch_all(gathered) if gathered else []
        # What plans anew does so from there on, so it comes last.
        for read in planned:
            found += await self._run((read,))
        gathered += planned
        self._gathering = True
        answers: list[Any] = []
        for question in questions:
            if isinstance(question, Statement):
                answers.append(found[gathered.index(question)])
            else:
                answers.append([found[gathered.index(read)] for read in question])
        return answers

    def _searching(self, read: Statement, place: int) -> Statement:
        """What is sent where the key in this argument is yet to be found."""
        (sought,) = read.arguments[place]
        text = None
        if self.engine.dialect == "postgres" and not read.planned:
            text = seeking(render(read.text, "postgres"), place + 1, sought.statement)
        if text is None:
            raise TypeError("the key has to be found before")
        return Statement(text, (*read.arguments[:place], sought.value, *read.arguments[place + 1 :]))


class Session(Gathering):
    """One snapshot or transaction, shared by all tasks of a request; its statements run one after another.

    The connection is taken at the first statement, so that a request without any takes none.
    """

    def __init__(self, engine: Engine, *, write: bool) -> None:
        super().__init__(engine)
        self.writes = write
        self.discarded = False
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._ended = False
        self._fetching: set[asyncio.Task[Any]] = set()
        self._written: dict[tuple[str, int], Record] = {}

    @property
    def begun(self) -> bool:
        """Whether it has a connection, and with it perhaps locks."""
        return self._connection is not None

    def discard(self) -> None:
        """Nothing of this transaction is to be kept."""
        self.discarded = True

    async def begin(self, locking: Locking) -> bool:
        """Begins with a statement that locks rows, which goes with BEGIN; False where it had begun before."""

        async def work() -> bool:
            if self._connection is not None:
                return False
            started = time.perf_counter()
            try:
                self._connection = await self.engine.open(write=self.writes, locking=locking)
            finally:
                _count(started)
            return True

        return await self._in_turn(work)

    async def look(self, read: Statement) -> Sequence[Record]:
        """The rows of a statement that may be read before the transaction begins, and then begins none."""
        if self.begun:
            return await self.fetch(read)
        reader = Reader(self.engine, alone=True)
        try:
            return await reader.fetch(read)
        finally:
            await reader.end()

    async def run(self, writes: Sequence[Statement]) -> None:
        """Runs statements that write, of which none reads or writes a row that another one writes.

        They go to PostgreSQL as one, where each of them sees the database as it was before all of them. What it
        returns of the rows need not be asked for again.
        """
        if self.engine.dialect == "sqlite":
            for one in writes:
                await self.fetch(one)
            return
        returned = tuple(one.returned.columns if one.returned else None for one in writes)
        text = writes_at_once(tuple(one.text for one in writes), returned)
        for place, row in await self.fetch(Statement(text, tuple(arguments_of(writes)))):
            told = writes[place].returned
            assert told is not None
            self._written[told.table, row[0]] = row

    def written(self, table: str, keys: Collection[int]) -> list[Record] | None:
        found = [row for key in keys if (row := self._written.get((table, key)))]
        return found if len(found) == len(keys) else None

    async def _run(self, reads: Sequence[Statement]) -> list[Sequence[Record]]:
        if self._written and any(may_write(read.text) for read in reads):
            self._written.clear()

        async def work() -> list[Sequence[Record]]:
            if self._connection is None:
                self._connection = await self.engine.open(write=self.writes)
            if reads[0].planned:
                await self._connection.plan_anew()
            return await fetch_from(self._connection, reads, self.engine.dialect)

        return await self._in_turn(work)

    async def _in_turn(self, work: Callable[[], Awaitable[T]]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._fetching.add(task)
        try:
            async with self._lock:
                if self._ended:
                    raise RuntimeError("a statement came after the end of its transaction")
                return await work()
        finally:
            self._fetching.discard(task)

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


class Reader(Gathering):
    """One snapshot, the current one inside, read by a single task; nothing of it is in use any more when that ends.

    `alone`: there is one statement and no transaction, which a single one does without; another raises
    NeedsTransaction.
    """

    def __init__(self, engine: Engine, *, alone: bool) -> None:
        super().__init__(engine)
        self.alone = alone
        self.statements = 0
        self._planned = False
        self._connection: Connection | None = None

    async def _run(self, reads: Sequence[Statement]) -> list[Sequence[Record]]:
        planned = reads[0].planned
        if self.alone and (self.statements or planned):
            raise NeedsTransaction
        if self._connection is None:
            self._connection = await self.engine.open(write=False, alone=self.alone)
        self.statements += 1
        if planned:
            self._planned = True
            await self._connection.plan_anew()
        return await fetch_from(self._connection, reads, self.engine.dialect)

    @property
    def one_statement(self) -> bool:
        """Whether it took no more than one statement, which needs no transaction."""
        return self.statements < 2 and not self._planned

    async def __aenter__(self) -> "Reader":
        self._token = current_session.set(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        current_session.reset(self._token)
        await self.end()

    async def end(self) -> None:
        """Gives the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            # Without a transaction there is nothing to wait for, so nothing that could be broken off.
            await (connection.release() if self.alone else to_its_end(connection.release()))


# The snapshot or transaction of the current request.
current_session: ContextVar[Session | Reader] = ContextVar("session")


async def fetch_from(connection: Connection, reads: Sequence[Statement], dialect: Dialect) -> list[Sequence[Record]]:
    """The rows of each of these, by one statement, which is counted as one of the request."""
    started = time.perf_counter()
    try:
        if len(reads) == 1:
            (read,) = reads
            return [await connection.fetch(render(read.text, dialect), read.arguments)]
        texts: list[str] = []
        arguments: list[Any] = []
        for read in reads:
            texts.append(render(read.text, dialect))
            arguments += read.arguments
        return await connection.fetch_each(tuple(texts), arguments)
    finally:
        _count(started)


def _count(started: float) -> None:
    if count := statement_count.get():
        count.statements += 1
        count.seconds += time.perf_counter() - started


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
        unfinished.add(rest)
        rest.add_done_callback(unfinished.discard)
        # Asking for the error marks it as seen: there is nobody left to tell.
        rest.add_done_callback(lambda done: None if done.cancelled() else done.exception())
        raise
