"""Migrations: Tortoise's own, one set of files for both databases, run by one process at a time."""

import os
import pkgutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import asyncpg
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

import migrations
from service import trigrams
from service.errors import Unavailable

APPS = {"grove": {"models": ["service.models"], "migrations": "migrations", "default_connection": "default"}}
# Any number will do, as long as nobody else on the server's database takes it.
LOCK = 0x67726F7665


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite address: `sqlite:///absolute/path` or `sqlite://relative/path`; None for others."""
    return Path(url.removeprefix("sqlite://")) if url.startswith("sqlite://") else None


def tortoise_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for this database."""
    path = sqlite_path(url)
    if path is not None:
        # Altering a table rebuilds it on SQLite; with foreign keys on, that would delete its children's rows.
        credentials = {"file_path": str(path), "foreign_keys": "OFF", "busy_timeout": 30_000}
        connection: dict[str, Any] = {"engine": "tortoise.backends.sqlite", "credentials": credentials}
    else:
        connection = expand_db_url(url)
        connection["credentials"] |= {"minsize": 1, "maxsize": 2}
    return {"connections": {"default": connection}, "apps": APPS}


# For Tortoise's own command, such as `tortoise makemigrations`.
TORTOISE = tortoise_config(os.environ.get("GROVE_DATABASE", "sqlite://grove.sqlite3"))


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
    ran: list[str] = []
    _check_file(url)
    async with _alone(url) as connection, TortoiseContext() as context:
        await context.init(config=tortoise_config(url))
        executor = MigrationExecutor(context.db(), APPS)
        applied = {key.name for key in await executor.recorder.applied_migrations()}
        unknown = applied - set(known())
        if unknown:
            raise Unavailable(
                f"The database was migrated by a newer release of Grove ({', '.join(sorted(unknown))}); "
                "run that release."
            )
        targets = None
        if target is not None:
            targets = [MigrationTarget("grove", "__first__" if target == "zero" else target)]
        await executor.migrate(
            targets, progress=lambda event, app, name: ran.append(name) if event.endswith("done") else None
        )
        if sqlite_path(url) is not None:
            _, broken = await context.db().execute_query("PRAGMA foreign_key_check")
            if broken:
                raise RuntimeError(f"a migration left {len(broken)} rows that refer to nothing")
        if connection is not None and target is None:
            await trigrams.create(connection)
    return ran


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
