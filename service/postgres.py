"""The PostgreSQL engine: a pool of asyncpg connections."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from service.dialects import AtOnce, Dialect, reads_at_once
from service.errors import Busy, TimedOut, Unavailable
from service.sessions import Locking, Record, to_its_end

# To name its isolation level takes as long again as to begin: it is the connection's default.
BEGIN_WRITE = "BEGIN"
BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# To start helpers for one statement takes longer than most pages, and takes the processors from other requests.
PLAN_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan; SET LOCAL max_parallel_workers_per_gather = 0"
STATEMENTS_PREPARED = 500
AT_ONCE_KEPT = 1_000
ACQUIRE_SECONDS = 10.0
RELEASE_SECONDS = 10.0
# What lies between may have forgotten an older one, as routers do.
LONGEST_IDLE_SECONDS = 240.0

# What tells that the server cannot be reached or does not let us in, as opposed to a faulty statement.
UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What a statement meets that is sent at the very moment when the server ends the connection.
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)


TROUBLE = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError, *UNREACHABLE)


def told(trouble: BaseException) -> Unavailable | TimedOut:
    """What the driver raises, in our words."""
    if isinstance(trouble, asyncpg.QueryCanceledError):
        return TimedOut("The database took too long to answer; ask for less at once.")
    if isinstance(trouble, asyncpg.LockNotAvailableError):
        return Busy("Another change to the same data is taking long; try again.")
    return Unavailable("The connection to the database was lost; try again.")


class PostgresConnection:
    """A connection of the pool, inside a transaction unless it is for a single statement."""

    def __init__(self, engine: "Postgres", connection: Any, *, alone: bool) -> None:
        self._engine = engine
        self._connection = connection
        self._alone = alone
        self._plans_anew = False

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[Record]:
        try:
            rows: Sequence[Record] = await self._connection.fetch(statement, *arguments)
            return rows
        except TROUBLE as trouble:
            raise told(trouble) from trouble

    async def execute(self, statements: str) -> None:
        """Runs statements without arguments, whose rows are not wanted. Raises as `fetch` does."""
        try:
            await self._connection.execute(statements)
        except TROUBLE as trouble:
            raise told(trouble) from trouble

    async def fetch_each(self, statements: tuple[str, ...], arguments: Sequence[Any]) -> list[Sequence[Record]]:
        at_once = self._engine.at_once.get(statements)
        if at_once is None:
            at_once = reads_at_once(statements, [await self._types(text) for text in statements])
            if len(self._engine.at_once) == AT_ONCE_KEPT:
                self._engine.at_once.clear()
            self._engine.at_once[statements] = at_once
        found: list[list[Record]] = [[] for _ in statements]
        for row in await self.fetch(at_once.text, arguments):
            found[row[-1]].append(row)
        return [[*map(make, rows)] for make, rows in zip(at_once.makers, found, strict=True)]

    async def _types(self, statement: str) -> list[str]:
        """The types of a statement's columns."""
        try:
            prepared = await self._connection.prepare(statement)
        except UNREACHABLE as error:
            raise Unavailable("The connection to the database was lost; try again.") from error
        return [attribute.type.name for attribute in prepared.get_attributes()]

    async def begin_with(self, locking: Locking) -> None:
        """Begins a transaction that writes, with a statement that locks rows, in one trip."""
        keys = ",".join(map(str, locking.keys))
        begin = f"{BEGIN_WRITE}; EXECUTE {locking.name} ('{{{keys}}}')"
        try:
            await self.execute(begin)
        except asyncpg.InvalidSQLStatementNameError:
            # It is the first time on this connection. Not to plan it each time makes it half as dear.
            await self.execute(f"ROLLBACK; PREPARE {locking.name} (bigint[]) AS {locking.text}")
            await self.execute(begin)

    async def plan_anew(self) -> None:
        if not self._plans_anew:
            await self.execute(PLAN_ANEW)
            self._plans_anew = True

    async def commit(self) -> None:
        try:
            await self._connection.execute("COMMIT")
        except UNREACHABLE as error:
            raise Unavailable(
                "The connection to the database was lost while the change was being kept: look whether it was, "
                "or send it again with the same idempotencyKey."
            ) from error

    async def release(self, *, begun: bool = False) -> None:
        """`begun`: a transaction may be open though the server has not said so yet."""
        try:
            if begun or (not self._alone and self._connection.is_in_transaction()):
                async with asyncio.timeout(RELEASE_SECONDS):
                    await self._connection.execute("ROLLBACK")
            await self._engine.take_back(self._connection)
        except Exception:
            # A connection in an unknown state is no longer lent to anybody; the pool makes a new one.
            # One that broke has gone back by itself, and then takes no more calls.
            with suppress(asyncpg.InterfaceError):
                self._connection.terminate()
            await self._engine.pool.release(self._connection)


class Postgres:
    """A pool of `pool_size` connections; a statement waits for a lock for `lock_seconds` at the most."""

    dialect: Dialect = "postgres"

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.readers: int = pool.get_max_size()
        # Connections that nobody uses, kept back from the pool: its way of lending one takes as long as a small
        # statement. Where somebody waits for the pool, it gets them.
        self.idle: list[tuple[Any, float]] = []
        self._waiting = 0
        # How statements are read at once.
        self.at_once: dict[tuple[str, ...], AtOnce] = {}

    @classmethod
    async def connect(cls, url: str, *, pool_size: int, lock_seconds: float, statement_seconds: float) -> "Postgres":
        """Opens the pool with a first connection. Raises Unavailable."""
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=pool_size,
                # Transactions use only SET LOCAL and transaction-level locks, so nothing needs a reset,
                # which would be two fifths of a small statement's time.
                reset=_nothing_to_reset,
                # There are more statements than the driver's hundred, and to prepare one takes as long as to run it.
                statement_cache_size=STATEMENTS_PREPARED,
                server_settings={
                    "application_name": "grove",
                    "lock_timeout": f"{int(lock_seconds * 1000)}ms",
                    "statement_timeout": f"{int(statement_seconds * 1000)}ms",
                    "idle_in_transaction_session_timeout": f"{int(2 * statement_seconds * 1000)}ms",
                    "default_transaction_isolation": "read committed",
                    "default_transaction_read_only": "off",
                    # Compiling costs more than any statement here gains by it.
                    "jit": "off",
                    # Reading by an index costs little more than reading on, from memory or from flash. With
                    # the default, made for disks that turn, the planner reads all nodes rather than looking
                    # up the thousand of a subtree.
                    "random_page_cost": "1.1",
                    # A statement with a list of keys is otherwise planned anew at each call, which takes longer than
                    # to run it. Those whose best plan depends on the arguments ask for it: see PLAN_ANEW.
                    "plan_cache_mode": "force_generic_plan",
                },
            )
        except (*UNREACHABLE, TimeoutError) as error:
            raise Unavailable(f"The database cannot be reached: {error}") from error
        except asyncpg.PostgresError as error:
            # Such as a parameter in the address that the server does not know.
            raise Unavailable(f"The database refuses the connection: {error}") from error
        return cls(pool)

    async def open(self, *, write: bool, alone: bool = False, locking: Locking | None = None) -> PostgresConnection:
        connection = self._take_idle()
        if connection is None:
            # Counted before anything else may happen: what is given back from now on goes to the pool, where we wait.
            self._waiting += 1
            try:
                connection = await to_its_end(self._acquire(), abandoned=self.pool.release)
            finally:
                self._waiting -= 1
        lent = PostgresConnection(self, connection, alone=alone)
        if not alone:
            try:
                if locking:
                    await lent.begin_with(locking)
                else:
                    await lent.execute(BEGIN_WRITE if write else BEGIN_READ)
            except BaseException:
                # It may have begun all the same.
                await to_its_end(lent.release(begun=True))
                raise
        return lent

    def _take_idle(self) -> Any:
        while self.idle:
            connection, since = self.idle.pop()
            try:
                if not connection.is_closed() and time.monotonic() - since < LONGEST_IDLE_SECONDS:
                    return connection
                # That gives it back; the pool makes a new one.
                connection.terminate()
            except asyncpg.InterfaceError:
                # One that was lost has gone back to the pool by itself, and then takes no calls.
                continue
        return None

    async def _acquire(self) -> Any:
        try:
            return await self.pool.acquire(timeout=ACQUIRE_SECONDS)
        except TimeoutError as error:
            raise Busy("All connections to the database are busy; try again.") from error
        except UNREACHABLE as error:
            raise Unavailable("The database cannot be reached; try again.") from error

    async def take_back(self, connection: Any) -> None:
        """A connection is free again."""
        if self._waiting:
            await self.pool.release(connection, timeout=RELEASE_SECONDS)
        else:
            self.idle.append((connection, time.monotonic()))

    async def close(self) -> None:
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                while self.idle:
                    await self.pool.release(self.idle.pop()[0])
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    def is_transient(self, error: BaseException) -> bool:
        return isinstance(
            error,
            asyncpg.SerializationError
            | asyncpg.DeadlockDetectedError
            | asyncpg.UniqueViolationError
            | asyncpg.ForeignKeyViolationError,
        )


async def _nothing_to_reset(connection: Any) -> None:
    return None
