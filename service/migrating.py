"""Migrations: Tortoise's own, one set of files for both databases, run by one process at a time."""

import pkgutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import asyncpg

import migrations
from service import trigrams
from service.dialects import sqlite_path
from service.errors import Unavailable

APPLIED = """
    -- The migrations that this database has had.
    SELECT name FROM tortoise_migrations WHERE app = 'grove'
"""
# Any number will do, as long as nobody else on the server's database takes it.
LOCK = 0x67726F7665


def known() -> list[str]:
    """The names of all migrations of this release, in order."""
    return sorted(
        module.name for module in pkgutil.iter_modules(migrations.__path__) if not module.name.startswith("_")
    )


async def migrate(url: str, target: str | None = None) -> list[str]:
    """Brings the database to the newest migration, or forward or back to `target`; returns what it ran.

    `target` is a migration's name, or «zero» for before the first. One process at a time: others wait. Raises
    Unavailable when the database cannot be reached, or was made by a newer release.
    """
    _check_file(url)
    async with _alone(url) as connection:
        applied = await _applied(url, connection)
        unknown = applied - set(known())
        if unknown:
            raise Unavailable(
                f"The database was migrated by a newer release of Grove ({', '.join(sorted(unknown))}); "
                "run that release."
            )
        ran: list[str] = []
        if target is not None or applied != set(known()):
            # Most starts find nothing to do, and need not wait until Tortoise is there.
            from service import orm

            ran = await orm.migrate(url, target)
        if connection is not None and target is None:
            await trigrams.create(connection)
    return ran


async def _applied(url: str, connection: Any) -> set[str]:
    """The migrations that the database has had; `connection` leads to one on PostgreSQL."""
    try:
        if connection is not None:
            return {row[0] for row in await connection.fetch(APPLIED)}
        with closing(sqlite3.connect(url.removeprefix("sqlite://"))) as file:
            return {row[0] for row in file.execute(APPLIED)}
    except (asyncpg.UndefinedTableError, sqlite3.OperationalError):
        return set()


def _check_file(url: str) -> None:
    """Raises Unavailable for a file that is no SQLite database; Tortoise would keep its connection for ever."""
    path = sqlite_path(url)
    if path is None:
        return
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        raise Unavailable(f"The database file {path} cannot be opened: {error}.") from error


@asynccontextmanager
async def _alone(url: str) -> AsyncIterator[Any]:
    """Holds the lock that lets one process migrate a database at a time: on PostgreSQL by this connection."""
    path = sqlite_path(url)
    if path is None:
        try:
            connection = await asyncpg.connect(url)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable(f"The database cannot be reached: {error}") from error
        try:
            await connection.execute(f"SELECT pg_advisory_lock({LOCK})")
            yield connection
        finally:
            await connection.close()
        return
    try:
        handle = path.with_name(path.name + ".migrating").open("w")
    except OSError as error:
        raise Unavailable(f"The database file {path} cannot be opened: {error.strerror}.") from error
    with handle:
        # Windows has no flock; there, starting two processes at once on a new file is not supported.
        with suppress(ImportError):
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield None
