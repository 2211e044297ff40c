"""Fresh databases for the tests. The migrations run once, into a template that each database is a copy of."""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg


class Databases(Protocol):
    """Where databases come from. Both methods may be called from any event loop, also several at once."""

    async def create(self, *, migrated: bool = True) -> str:
        """The URL of a new database, with the service's tables or with nothing in it."""

    async def drop(self, url: str) -> None:
        """Removes a database, whoever is still connected to it."""


@asynccontextmanager
async def fresh(databases: Databases, *, migrated: bool = True) -> AsyncIterator[str]:
    """The URL of a database that lives as long as the block."""
    url = await databases.create(migrated=migrated)
    try:
        yield url
    finally:
        await databases.drop(url)


class SqliteDatabases:
    """Files in a directory; beside each its write-ahead log."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.template = directory / "template.db"

    async def prepare(self) -> None:
        await migrate(f"sqlite://{self.template}", self.directory)
        # Everything into the one file that is copied.
        with closing(sqlite3.connect(self.template)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def create(self, *, migrated: bool = True) -> str:
        path = self.directory / f"{uuid4().hex}.db"
        if migrated:
            shutil.copyfile(self.template, path)
        return f"sqlite://{path}"

    async def drop(self, url: str) -> None:
        for path in self.directory.glob(f"{Path(urlsplit(url).path).name}*"):
            path.unlink()


class PostgresDatabases:
    """Databases of one server, each named grove_test_… ; `server` is the URL of any that is there already."""

    def __init__(self, server: str, directory: Path) -> None:
        self.server = server
        self.directory = directory
        self.template = f"grove_test_{uuid4().hex}"

    async def prepare(self) -> None:
        await self.execute(f"CREATE DATABASE {self.template} TEMPLATE template0 ENCODING 'UTF8'")
        await migrate(self.url(self.template), self.directory)

    async def create(self, *, migrated: bool = True) -> str:
        name = f"grove_test_{uuid4().hex}"
        template = self.template if migrated else "template0"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def drop(self, url: str) -> None:
        name = urlsplit(url).path.removeprefix("/")
        await self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """The server's URL with another database. Built by hand: the host is empty where it is a socket."""
        _, rest = self.server.split("://", 1)
        address, _, path = rest.partition("/")
        _, mark, query = path.partition("?")
        return f"postgres://{address}/{name}{mark}{query}"

    async def execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.server)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


async def migrate(url: str, directory: Path) -> None:
    """Runs the command that migrates, away from the checkout and its .env."""
    command = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "service", "migrate", "--database", url),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await command.communicate()
    assert command.returncode == 0, f"grove migrate failed:\n{output.decode(errors='replace')}"


def own_environment() -> None:
    """Takes the caller's own settings out of the environment, so that the tests see the defaults."""
    for name in list(os.environ):
        if name.startswith("GROVE_") and not name.startswith("GROVE_TEST_"):
            del os.environ[name]
