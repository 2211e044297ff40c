"""Where the databases come from that are measured."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import asyncpg

from tests.support.databases import Databases, PostgresDatabases, SqliteDatabases
from tests.support.postgres import private_postgres


@asynccontextmanager
async def databases_of(kind: str, server: str | None, directory: Path) -> AsyncIterator[tuple[str, Databases]]:
    """The database's name and version, and where fresh ones come from."""
    if kind == "sqlite":
        files = SqliteDatabases(directory)
        await files.prepare()
        yield f"SQLite {sqlite3.sqlite_version}", files
        return
    with nullcontext(server) if server else private_postgres() as url:
        databases = PostgresDatabases(url, directory)
        if not server:
            # The tests do without; here a commit is to cost what it costs.
            await databases.execute("ALTER SYSTEM RESET fsync")
            await databases.execute("SELECT pg_reload_conf()")
        await databases.prepare()
        try:
            yield f"PostgreSQL {await version(url)}", databases
        finally:
            await databases.drop(databases.url(databases.template))


async def version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SELECT split_part(current_setting('server_version'), ' ', 1)"))
    finally:
        await connection.close()
