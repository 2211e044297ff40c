"""Fills a database with the company, once; it can be measured again as often as one likes."""

import sqlite3
from contextlib import closing

import asyncpg

from bench.generate import LEVELS, fill
from bench.speed.company import Places, company
from bench.speed.writes import HELPERS
from service.dialects import sqlite_path


async def filled(url: str, nodes: int, customers: int) -> Places:
    """What is asked of the company in a migrated database; fills the database first where it is empty."""
    found = await _kept(url)
    if found is None:
        made = company(nodes, customers)
        await fill(url, made.shape, LEVELS, made.members)
        found = made.places.text()
        await _keep(url, found)
    return Places.read(found)


async def _kept(url: str) -> str | None:
    path = sqlite_path(url)
    if path is not None:
        with closing(sqlite3.connect(path)) as file:
            if not file.execute("SELECT 1 FROM sqlite_master WHERE name = 'bench_places'").fetchone():
                return None
            return str(file.execute("SELECT places FROM bench_places").fetchone()[0])
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass('bench_places')") is None:
            return None
        # An older version of them may have been kept.
        await connection.execute(HELPERS)
        return str(await connection.fetchval("SELECT places FROM bench_places"))
    finally:
        await connection.close()


async def _keep(url: str, text: str) -> None:
    path = sqlite_path(url)
    if path is not None:
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("CREATE TABLE bench_places (places text)")
            file.execute("INSERT INTO bench_places VALUES (?)", (text,))
            file.execute("ANALYZE")
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(HELPERS)
        await connection.execute("CREATE TABLE bench_places (places text)")
        await connection.execute("INSERT INTO bench_places VALUES ($1)", text)
    finally:
        await connection.close()
