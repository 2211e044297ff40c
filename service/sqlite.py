"""The SQLite engine: one connection that writes and a few that read, on one file in WAL mode.

A reader sees the last committed state while a writer works. Writers of this process queue for the one
writing connection; writers of other processes are kept apart by BEGIN IMMEDIATE and the busy timeout.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiosqlite

from service.dialects import Dialect, sqlite_argument
from service.errors import Busy, Unavailable
from service.sessions import Locking, Record, to_its_end

READERS = 4
OLDEST = (3, 37, 0)

# Instants are text that ends in +00:00; a column declared TIMESTAMP comes back as a datetime.
sqlite3.register_converter("TIMESTAMP", lambda text: datetime.fromisoformat(text.decode()))


class SqliteConnection:
    """The writing connection or one of the reading ones, inside a transaction."""

    def __init__(self, engine: "Sqlite", connection: aiosqlite.Connection, *, write: bool) -> None:
        self._engine = engine
        self._connection = connection
        self._write = write

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[Record]:
        try:
            values = tuple(sqlite_argument(argument) for argument in arguments)
            return tuple(await self._connection.execute_fetchall(statement, values))
        except asyncio.CancelledError:
            # The statement runs on in its thread; without this the next user would wait for it.
            await self._connection.interrupt()
            raise

    async def fetch_each(self, statements: tuple[str, ...], arguments: Sequence[Any]) -> list[Sequence[Record]]:
        raise NotImplementedError("SQLite reads one after another")

    async def plan_anew(self) -> None:
        """SQLite keeps no plans that look at arguments."""

    async def commit(self) -> None:
        await self._connection.execute("COMMIT")

    async def release(self) -> None:
        try:
            if self._connection.in_transaction:
                await self._connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            # A write that was interrupted has rolled back by itself, once its thread came to it.
            if self._connection.in_transaction:
                raise
        finally:
            self._engine.take_back(self._connection, write=self._write)


class Sqlite:
    """The connections to one file; a writer waits for others for `lock_seconds` at the most."""

    dialect: Dialect = "sqlite"
    readers = READERS

    def __init__(self, path: Path, lock_seconds: float) -> None:
        self._path = path
        self._lock_seconds = lock_seconds
        self._writing = asyncio.Lock()
        self._writer: aiosqlite.Connection | None = None
        self._free: asyncio.LifoQueue[aiosqlite.Connection | None] = asyncio.LifoQueue()
        self._all: list[aiosqlite.Connection] = []
        # When the transaction of each connection began, for now() in its statements.
        self._began: dict[aiosqlite.Connection, str] = {}

    @classmethod
    async def connect(cls, path: Path, *, lock_seconds: float) -> "Sqlite":
        """Opens the file, which is made where there is none. Raises Unavailable."""
        if sqlite3.sqlite_version_info < OLDEST:
            wanted = ".".join(map(str, OLDEST))
            raise Unavailable(f"SQLite {wanted} or newer is needed; Python has {sqlite3.sqlite_version}.")
        engine = cls(path, lock_seconds)
        engine._writer = await engine._connect()
        for _ in range(READERS):
            # A place for a reader that is connected when it is first needed.
            engine._free.put_nowait(None)
        return engine

    async def _connect(self) -> aiosqlite.Connection:
        try:
            connection = await aiosqlite.connect(self._path, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES)
            self._all.append(connection)
            await connection.execute(f"PRAGMA busy_timeout = {int(self._lock_seconds * 1000)}")
            await connection.execute("PRAGMA journal_mode = WAL")
            # FULL: what was acknowledged is on the disk, not only in the operating system's memory.
            await connection.execute("PRAGMA synchronous = FULL")
            await connection.execute("PRAGMA foreign_keys = ON")
            await connection.create_function("now", 0, lambda: self._began[connection], deterministic=True)
        except sqlite3.Error as error:
            # Left open, its thread would keep the interpreter from exiting.
            await self.close()
            raise Unavailable(f"The database file {self._path} cannot be opened: {error}.") from error
        return connection

    async def open(self, *, write: bool, alone: bool = False, locking: Locking | None = None) -> SqliteConnection:
        # There is one writer at a time, so that nothing is to be locked.
        return await to_its_end(self._open(write=write, alone=alone), abandoned=lambda late: late.release())

    async def _open(self, *, write: bool, alone: bool) -> SqliteConnection:
        connection = await (self._take_writer() if write else self._take_reader())
        lent = SqliteConnection(self, connection, write=write)
        try:
            if not alone:
                await connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            # The clock of a database in this process is that of this process.
            self._began[connection] = sqlite_argument(datetime.now(UTC))
        except BaseException as error:
            await lent.release()
            if isinstance(error, sqlite3.OperationalError):
                # The busy timeout has passed: another process, such as `grove check`, holds the file.
                raise Busy("Another process is writing to the database; try again.") from error
            raise
        return lent

    async def _take_writer(self) -> aiosqlite.Connection:
        try:
            await asyncio.wait_for(self._writing.acquire(), self._lock_seconds)
        except TimeoutError as error:
            raise Busy("Another change is taking long; try again.") from error
        assert self._writer is not None
        return self._writer

    async def _take_reader(self) -> aiosqlite.Connection:
        place = await self._free.get()
        if place is not None:
            return place
        return await to_its_end(self._another_reader(), abandoned=self._give_back)

    async def _another_reader(self) -> aiosqlite.Connection:
        try:
            reader = await self._connect()
            await reader.execute("PRAGMA query_only = ON")
            return reader
        except BaseException:
            self._free.put_nowait(None)
            raise

    async def _give_back(self, reader: aiosqlite.Connection) -> None:
        self.take_back(reader, write=False)

    def take_back(self, connection: aiosqlite.Connection, *, write: bool) -> None:
        """A connection is free again."""
        if write:
            self._writing.release()
        else:
            self._free.put_nowait(connection)

    async def close(self) -> None:
        # A connection that is never closed keeps the interpreter from exiting.
        while self._all:
            await self._all.pop().close()

    def is_transient(self, error: BaseException) -> bool:
        if isinstance(error, sqlite3.OperationalError):
            return "locked" in str(error)
        return isinstance(error, sqlite3.IntegrityError) and str(error).startswith(("UNIQUE", "FOREIGN KEY"))
