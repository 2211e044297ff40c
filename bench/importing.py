"""What importing a large hierarchy costs: one file, one transaction, in a process of its own.

`python -m bench.importing URL FILE [HIERARCHY]` imports the file, into a new hierarchy unless told otherwise, and
prints what that took as one line of JSON.
"""

import asyncio
import csv
import json
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import asyncpg

from service import engines, transaction
from service.db import Counting
from service.dialects import sqlite_path
from service.imported import Imported
from service.resolvers import tree_file
from service.resolvers.check import check
from service.sheets import lines_of_file
from service.transaction import Mutation

LEVELS = ("Division", "Region", "State", "District", "Distributor", "Outlet")
SEED = 20_261
# How many nodes of a level there are, on the average, for one of the level above it.
FACTOR = 6
WORDS = ("Harbour", "Meadow", "Quarry", "Orchard", "Summit", "Lagoon", "Prairie", "Canyon", "Forest", "Island")
# What an import writes, each table behind those that it refers to; the first two hold a handful of rows.
TABLES = ("hierarchy", "level", "customer_group", "node", "closure", "change")


@dataclass(frozen=True, slots=True)
class Run:
    """What one import took, and what became of the file."""

    seconds: float
    megabytes: float
    statements: int
    hierarchy: int
    rows: int
    created: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A file imported into an empty database, once more, and its rows written without Grove."""

    new: Run
    again: Run
    yardstick_seconds: float
    written: int
    findings: int


def lines(count: int, seed: int = SEED) -> Iterator[list[str]]:
    """The header, and so many rows, each a whole path; always the same for the same numbers."""
    random = Random(seed)
    sizes = [count]
    while len(sizes) < len(LEVELS):
        sizes.insert(0, max(1, sizes[0] // FACTOR))
    parents = [[0] * sizes[0]]
    for above, size in pairwise(sizes):
        # Every node has a child at least, so that there are as many rows as nodes of the last level.
        parents.append(sorted([*range(above), *(random.randrange(above) for _ in range(size - above))]))
    yield [f"{level} {word}" for level in LEVELS for word in ("Name", "Description")]
    for leaf in range(count):
        cells: list[str] = []
        place = leaf
        for depth in range(len(LEVELS) - 1, -1, -1):
            name = f"{WORDS[place % len(WORDS)]} {LEVELS[depth]} {place:06}"
            cells[:0] = [name, f"Number {place:,} of its level" if place % 3 else ""]
            place = parents[depth][place]
        yield cells


def write_file(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(lines(count))


async def measure(urls: Sequence[str], path: Path) -> Measured:
    """Imports into the first of two migrated, empty databases, and copies the rows that came of it into the second."""
    new = in_its_own_process(urls[0], path)
    again = in_its_own_process(urls[0], path, str(new.hierarchy))
    database = await engines.connect(urls[0], statement_seconds=600)
    try:
        async with database.snapshot():
            findings = len(await check(False))
    finally:
        await database.close()
    bare = copy_on_sqlite if sqlite_path(urls[0]) is not None else copy_on_postgres
    seconds, written = await bare(*urls)
    return Measured(new, again, seconds, written, findings)


def in_its_own_process(*arguments: str | Path) -> Run:
    """What an import took in a process that does nothing else."""
    command = [sys.executable, "-m", "bench.importing", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Run(**json.loads(done.stdout))


async def import_file(url: str, path: Path, hierarchy: int | None) -> Run:
    """Imports the file, and looks at what this process has taken so far."""

    async def work(_: Mutation) -> Imported:
        name = "Imported" if hierarchy is None else None
        return await tree_file.load(lines_of_file(path), hierarchy, name, "MERGE", "REFUSE")

    database = await engines.connect(url)
    try:
        with Counting() as count:
            started = time.perf_counter()
            imported = await transaction.run(database, "bench", work)
            seconds = time.perf_counter() - started
    finally:
        await database.close()
    assert imported.hierarchy is not None
    return Run(
        seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        count.statements,
        imported.hierarchy,
        imported.rows,
        imported.created,
        imported.unchanged,
    )


# ── the yardstick: the same rows, already made, into empty tables ───────────────────────────────────────────


async def copy_on_postgres(source: str, target: str) -> tuple[float, int]:
    """Seconds for writing all rows of the tables by COPY, in one transaction, and how many there are."""
    old, new = await asyncpg.connect(source), await asyncpg.connect(target)
    try:
        seconds, written = 0.0, 0
        async with new.transaction():
            for table in TABLES:
                rows = await old.fetch(f"SELECT * FROM {table}" + " ORDER BY depth" * (table == "node"))
                written += len(rows)
                started = time.perf_counter()
                await new.copy_records_to_table(table, records=rows, columns=list(rows[0].keys()))
                seconds += time.perf_counter() - started
            started = time.perf_counter()
        return seconds + time.perf_counter() - started, written
    finally:
        await old.close()
        await new.close()


async def copy_on_sqlite(source: str, target: str) -> tuple[float, int]:
    """Seconds for writing all rows of the tables by executemany, in one transaction, and how many there are."""
    paths = [sqlite_path(url) for url in (source, target)]
    with closing(sqlite3.connect(str(paths[0]))) as old, closing(sqlite3.connect(str(paths[1]))) as new:
        new.execute("PRAGMA foreign_keys = ON")
        new.execute("PRAGMA synchronous = FULL")
        seconds, written = 0.0, 0
        for table in TABLES:
            rows = old.execute(f"SELECT * FROM {table}" + " ORDER BY depth" * (table == "node")).fetchall()
            written += len(rows)
            started = time.perf_counter()
            new.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
            seconds += time.perf_counter() - started
        started = time.perf_counter()
        new.commit()
        return seconds + time.perf_counter() - started, written


# ── the page ────────────────────────────────────────────────────────────────────────────────────────────────


def page(measured: Mapping[str, Measured], size: int, load: float) -> str:
    """Database, with its version → what was measured on it, as Markdown."""
    first = next(iter(measured.values()))
    parts = [
        "# Importing a hierarchy, measured",
        f"Made by `python -m bench importing`; bench/README.md says how to read it. The file has {first.new.rows:,}"
        f" rows on {len(LEVELS)} levels, {size / 2**20:.0f} MiB, and makes {first.new.created:,} groups and nodes.",
        f"The machine: {os.cpu_count()} cores; what else it did at the start was a load of {load:.1f}."
        f" Python {platform.python_version()}.",
    ]
    lines = [
        "| | seconds | peak memory | statements | the same rows without Grove | Grove takes | found by `check` |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, found in measured.items():
        lines.append(
            f"| {name}: into an empty database | {found.new.seconds:.1f} | {found.new.megabytes:.0f} MiB "
            f"| {found.new.statements} | {found.yardstick_seconds:.1f} s for {found.written:,} rows "
            f"| {found.new.seconds / found.yardstick_seconds:.1f} times that | {found.findings} |"
        )
        lines.append(
            f"| {name}: once more, nothing to do | {found.again.seconds:.1f} | {found.again.megabytes:.0f} MiB "
            f"| {found.again.statements} | | | |"
        )
    return "\n\n".join([*parts, "\n".join(lines)]) + "\n"


if __name__ == "__main__":
    url, file, *rest = sys.argv[1:]
    print(json.dumps(asdict(asyncio.run(import_file(url, Path(file), int(rest[0]) if rest else None)))))
