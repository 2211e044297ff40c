"""Fills a migrated, empty database with a tree to be measured: the same rows for the same numbers and seed.

The rows go in by COPY (PostgreSQL) or executemany (SQLite), past the service, with every derived column as the
service would have kept it: `grove check` finds nothing in them.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

import asyncpg

from bench.shape import ROOT, Shape, grow
from service.dialects import sqlite_argument, sqlite_path
from service.ids import Kind, encode
from service.positions import spread

SEED = 20_260
LEVELS = 6
NAME = "Benchmark"
# As large as the service's own keys, and smaller than any that it makes from now on.
FIRST_KEY = 2**59
AT = datetime(2026, 1, 1, tzinfo=UTC)
TYPES = ("RETAILER", "RESTAURANT", "DISTRIBUTOR", "HOTEL")
WORDS = ("Harbour", "Meadow", "Quarry", "Orchard", "Summit", "Lagoon", "Prairie", "Canyon", "Forest", "Island")
TABLES = ("hierarchy", "level", "customer_group", "node", "closure", "customer", "membership", "shared_membership")


class Rows(NamedTuple):
    """What goes into one table."""

    table: str
    columns: str
    values: Iterable[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The ids of what is measured; see Shape."""

    nodes: int
    hierarchy: str
    wide: str
    hundreds: list[str]
    subtree: str
    home: str
    away: str
    # How large they have become in a tree of this size.
    wide_children: int
    hundred_children: int
    subtree_nodes: int


class NotEmpty(Exception):
    """The database holds rows already."""


async def generate(
    url: str, nodes: int, levels: int = LEVELS, customers: int | None = None, seed: int = SEED
) -> Landmarks:
    """Fills the database; `customers` is half the number of nodes unless told. Raises NotEmpty."""
    shape = grow(nodes, levels, seed)
    await fill(url, shape, levels, list(_members(nodes, nodes // 2 if customers is None else customers, Random(seed))))
    return _landmarks(shape)


async def fill(url: str, shape: Shape, levels: int, members: Sequence[tuple[int, int]]) -> None:
    """Fills the database with a tree and its members, (group, customer) by their numbers. Raises NotEmpty."""
    path = sqlite_path(url)
    if path is not None:
        _fill_sqlite(str(path), _content(shape, levels, members, sqlite_argument(AT)))
    else:
        await _fill_postgres(url, _content(shape, levels, members, AT))


def _landmarks(shape: Shape) -> Landmarks:
    def name(place: int) -> str:
        return encode(Kind.NODE, key_of(place))

    return Landmarks(
        nodes=len(shape.parents),
        hierarchy=encode(Kind.HIERARCHY, FIRST_KEY),
        wide=name(shape.wide),
        hundreds=[name(place) for place in shape.hundreds],
        subtree=name(shape.subtree),
        home=name(shape.home),
        away=name(shape.away),
        wide_children=len(shape.children[shape.wide]),
        hundred_children=len(shape.children[shape.hundreds[0]]),
        subtree_nodes=1 + shape.descendant_counts()[shape.subtree],
    )


# ── the rows ────────────────────────────────────────────────────────────────────────────────────────────────


def _content(shape: Shape, levels: int, members: Sequence[tuple[int, int]], at: Any) -> Iterator[Rows]:
    """The rows of all tables, each table behind those that it refers to; `at` is the instant of them all."""
    nodes = len(shape.parents)
    yield Rows(
        "hierarchy",
        "id, name, name_key, name_fold, description, search_fold, version, spread, created_at, updated_at",
        [(FIRST_KEY, NAME, NAME.lower(), NAME.lower(), "", f"{NAME.lower()}\n", 1, 0, at, at)],
    )
    yield Rows("level", "id, hierarchy_id, depth, name, name_key, node_count", _levels(shape, levels))
    yield Rows(
        "customer_group",
        "id, code, code_key, code_fold, name, name_key, name_fold, description, search_fold, status, "
        "customer_count, version, created_at, updated_at",
        # Some groups more than nodes: those are unassigned.
        _groups(nodes + nodes // 100, Counter(group for group, _ in members), at),
    )
    yield Rows(
        "node",
        "id, hierarchy_id, group_id, parent_id, position, depth, child_count, descendant_count",
        _nodes(shape),
    )
    yield Rows("closure", "ancestor_id, descendant_id, distance", _pairs(shape))
    yield Rows(
        "customer",
        "id, code, code_key, code_fold, name, name_fold, search_fold, type, type_key, version, created_at, updated_at",
        _customers(len({customer for _, customer in members}), at),
    )
    yield Rows(
        "membership", "group_id, customer_id", ((key_of(group), key_of(customer)) for group, customer in members)
    )
    groups_of = Counter(customer for _, customer in members)
    yield Rows(
        "shared_membership",
        "customer_id, group_id",
        ((key_of(customer), key_of(group)) for group, customer in members if groups_of[customer] > 1),
    )


def key_of(number: int) -> int:
    """The key of a row by its number in its table; each table has keys of its own."""
    return FIRST_KEY + number


def _levels(shape: Shape, levels: int) -> Iterator[Sequence[Any]]:
    counts = Counter(shape.depths)
    for depth in range(1, levels + 1):
        name = f"Level {depth}"
        yield key_of(depth), FIRST_KEY, depth, name, name.lower(), counts[depth]


def _groups(count: int, members: Counter[int], at: Any) -> Iterator[Sequence[Any]]:
    for number in range(count):
        code, name = f"B-{number:07}", f"{WORDS[number % len(WORDS)]} {number:07}"
        # Of such plain letters the key and the folded form are both the lower case (service/names.py), and
        # making them with all due care would be most of what generating costs.
        low_code, low_name = code.lower(), name.lower()
        yield (
            *(key_of(number), code, low_code, low_code, name, low_name, low_name, ""),
            *(f"{low_code}\n{low_name}\n", "ACTIVE", members[number], 1, at, at),
        )


def _nodes(shape: Shape) -> Iterator[Sequence[Any]]:
    descendants = shape.descendant_counts()
    positions = _positions(shape)
    for place, parent in enumerate(shape.parents):
        yield (
            *(key_of(place), FIRST_KEY, key_of(place), None if parent == ROOT else key_of(parent)),
            *(positions[place], shape.depths[place], len(shape.children.get(place, ())), descendants[place]),
        )


def _positions(shape: Shape) -> dict[int, str]:
    keys = lru_cache(maxsize=None)(spread)
    return {
        place: position
        for siblings in shape.children.values()
        for place, position in zip(siblings, keys(len(siblings)), strict=True)
    }


def _pairs(shape: Shape) -> Iterator[Sequence[Any]]:
    for place in range(len(shape.parents)):
        yield key_of(place), key_of(place), 0
        for distance, ancestor in enumerate(shape.ancestors(place), start=1):
            yield key_of(ancestor), key_of(place), distance


def _customers(count: int, at: Any) -> Iterator[Sequence[Any]]:
    for number in range(count):
        code, name = f"K-{number:07}", f"{WORDS[number % len(WORDS)]} Wines {number:07}"
        kind = TYPES[number % len(TYPES)]
        low_code, low_name = code.lower(), name.lower()
        yield (
            *(key_of(number), code, low_code, low_code, name, low_name, f"{low_code}\n{low_name}"),
            *(kind, kind.lower(), 1, at, at),
        )


def _members(groups: int, customers: int, random: Random) -> Iterator[tuple[int, int]]:
    """(group, customer) by their numbers: each customer in one to three groups that stand in the tree."""
    for customer in range(customers):
        for group in random.sample(range(groups), random.randint(1, 3)):
            yield group, customer


# ── into the database ───────────────────────────────────────────────────────────────────────────────────────


def _fill_sqlite(path: str, content: Iterable[Rows]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        if any(connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in TABLES):
            raise NotEmpty
        # Nothing is lost with a file that can be made again.
        connection.execute("PRAGMA synchronous = OFF")
        for rows in content:
            holes = ", ".join("?" * (rows.columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {rows.table} ({rows.columns}) VALUES ({holes})", rows.values)


async def _fill_postgres(url: str, content: Iterable[Rows]) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            for table in TABLES:
                if await connection.fetchval(f"SELECT EXISTS (SELECT 1 FROM {table})"):
                    raise NotEmpty
            for rows in content:
                await connection.copy_records_to_table(
                    rows.table, records=rows.values, columns=rows.columns.split(", ")
                )
        # As autovacuum would within a minute: the planner learns what there is.
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
