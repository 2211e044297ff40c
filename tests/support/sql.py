"""Straight to the database, past the service: to look at rows, and to try what the database itself refuses."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import asyncpg

from service.dialects import render, sqlite_path

# What a statement raises that the database forbids.
BROKEN_CONSTRAINT = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)


async def fetch(url: str, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """The rows of one statement, which is kept where it changes something; written as for PostgreSQL."""
    path = sqlite_path(url)
    if path is None:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(statement, *arguments)]
        finally:
            await connection.close()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as file:
        file.execute("PRAGMA foreign_keys = ON")
        return file.execute(render(statement, "sqlite"), arguments).fetchall()


async def tables(url: str) -> list[str]:
    """The names of all tables, in alphabetical order."""
    statement = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    if sqlite_path(url) is not None:
        statement = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1"
    return [name for (name,) in await fetch(url, statement)]


async def contents(url: str, names: Sequence[str]) -> dict[str, list[str]]:
    """Every row of these tables as text, in an order of their own."""
    return {name: sorted(str(row) for row in await fetch(url, f"SELECT * FROM {name}")) for name in names}
