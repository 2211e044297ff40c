"""The migrations: they make what the models say, run anywhere and at any time, and the database guards itself."""

import asyncio
import random
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector

from service import migrating, orm
from service.errors import Unavailable
from tests.conftest import DATABASE
from tests.support import sql
from tests.support.command import grove
from tests.support.databases import Databases, fresh
from tests.support.planting import plant
from tests.support.service import Service
from tests.support.soundness import check

TABLES = [
    "change",
    "closure",
    "customer",
    "customer_group",
    "hierarchy",
    "idempotency",
    "import_job",
    "import_piece",
    "level",
    "membership",
    "node",
    "reservation",
    "shared_membership",
    "stock_item",
]
LATEST = migrating.known()[-1]


@pytest.fixture
async def empty_url(databases: Databases) -> AsyncIterator[str]:
    """A database with nothing in it."""
    async with fresh(databases, migrated=False) as url:
        yield url


async def own_tables(url: str) -> list[str]:
    others = {"tortoise_migrations", "customer_group_code"}
    return [name for name in await sql.tables(url) if name not in others]


# ── up and down ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_up_from_nothing(empty_url: str) -> None:
    assert await migrating.migrate(empty_url) == migrating.known()
    assert await own_tables(empty_url) == TABLES
    assert await migrating.migrate(empty_url) == []
    await check(empty_url)


async def test_the_migrations_are_equal_to_the_models(database_url: str) -> None:
    async with TortoiseContext() as context:
        await context.init(config=orm.tortoise_config(database_url))
        assert context.apps is not None
        assert await MigrationAutodetector(context.apps, orm.APPS).changes() == []


async def test_migrating_again_keeps_every_row(database_url: str) -> None:
    await plant(database_url, "Sales", 50)
    before = await sql.contents(database_url, TABLES)
    assert await migrating.migrate(database_url) == []
    assert await sql.contents(database_url, TABLES) == before


async def test_down_and_up_again_with_rows_inside(database_url: str) -> None:
    await plant(database_url, "Sales", 50)
    await migrating.migrate(database_url, "zero")
    assert await own_tables(database_url) == []
    assert await migrating.migrate(database_url) == migrating.known()
    assert await own_tables(database_url) == TABLES
    assert not any((await sql.contents(database_url, TABLES)).values())
    await plant(database_url, "Sales", 50)
    await check(database_url)


# ── at any time ─────────────────────────────────────────────────────────────────────────────────────────────


MIGRATE = """
import asyncio, sys
from service import migrating
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(migrating.migrate(sys.argv[1]))
"""


@asynccontextmanager
async def migrator(url: str) -> AsyncIterator[Process]:
    """A process that migrates as soon as it is sent a line."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", MIGRATE, url),
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_two_that_migrate_at_once(databases: Databases) -> None:
    for _ in range(5):
        async with fresh(databases, migrated=False) as url, migrator(url) as one, migrator(url) as other:
            await asyncio.gather(*(process.communicate(b"go\n") for process in (one, other)))
            assert (one.returncode, other.returncode) == (0, 0)
            assert await own_tables(url) == TABLES


async def test_two_commands_at_once(empty_url: str, tmp_path: Path) -> None:
    command = ("migrate", "--database", empty_url)
    ended = await asyncio.gather(*(grove(*command, folder=tmp_path) for _ in range(2)))
    assert [code for code, _ in ended] == [0, 0], ended
    assert sum(f"Ran the migration {LATEST}." in output for _, output in ended) == 1


@pytest.mark.skipif(DATABASE != "postgres", reason="SQLite is for one process")
async def test_two_services_that_start_at_once(empty_url: str, tmp_path: Path) -> None:
    services = [Service(empty_url, tmp_path) for _ in range(2)]
    try:
        await asyncio.gather(*(service.start() for service in services))
        assert [(await service.get("/readyz")).status_code for service in services] == [200, 200]
    finally:
        for service in services:
            await service.close()


async def test_a_database_of_a_newer_release_is_refused(database_url: str, tmp_path: Path) -> None:
    newer = "INSERT INTO tortoise_migrations (app, name, applied_at) VALUES ('grove', '9999_later', '2030-01-01')"
    await sql.fetch(database_url, newer)
    for command in (["migrate"], ["serve", "--port", "0"]):
        code, output = await grove(*command, "--database", database_url, folder=tmp_path)
        assert code == 1
        assert "newer release of Grove (9999_later)" in output
        assert "Traceback" not in output
    with pytest.raises(Unavailable):
        await migrating.migrate(database_url, "zero")
    assert await own_tables(database_url) == TABLES


async def test_a_killed_migration_is_taken_up_again(databases: Databases) -> None:
    async with fresh(databases, migrated=False) as url:
        started = time.monotonic()
        await migrating.migrate(url)
        longest = 2 * (time.monotonic() - started)
    killed = 0
    for _ in range(6):
        async with fresh(databases, migrated=False) as url:
            async with migrator(url) as process:
                assert process.stdin is not None
                process.stdin.write(b"go\n")
                await asyncio.sleep(random.uniform(0, longest))
                killed += process.returncode is None
            await migrating.migrate(url)
            assert await own_tables(url) == TABLES
            await plant(url, "Sales", 20)
    assert killed


async def test_a_migration_killed_before_it_was_recorded_runs_again(database_url: str) -> None:
    """Tortoise records a migration after the transaction in which it ran."""
    await plant(database_url, "Sales", 50)
    before = await sql.contents(database_url, TABLES)
    await sql.fetch(database_url, "DELETE FROM tortoise_migrations WHERE app = 'grove'")
    assert await migrating.migrate(database_url) == migrating.known()
    assert await sql.contents(database_url, TABLES) == before
    await check(database_url)


# ── what the database forbids by itself ─────────────────────────────────────────────────────────────────────

AT = "'2026-01-01 00:00:00.000000+00:00'"
HIERARCHY = "INSERT INTO hierarchy VALUES ({id}, 'One', '{key}', 'one', '', 'one', 1, 0, " + f"{AT}, {AT})"
LEVEL = "INSERT INTO level VALUES ({id}, {hierarchy}, {depth}, 'Top', '{key}', {count})"
GROUP = (
    "INSERT INTO customer_group VALUES"
    " ({id}, 'C', '{code}', 'c', 'N', '{name}', 'n', '', 'n', '{status}', {count}, 1, " + f"{AT}, {AT})"
)
NODE = "INSERT INTO node VALUES ({id}, {hierarchy}, {group}, {parent}, '{position}', {depth}, {children}, {below})"
CLOSURE = "INSERT INTO closure VALUES ({above}, {below}, {distance})"
CUSTOMER = "INSERT INTO customer VALUES ({id}, 'C', '{code}', 'c', 'N', 'n', 'n', '', '', 1, " + f"{AT}, {AT})"
MEMBERSHIP = "INSERT INTO membership VALUES ({group}, {customer})"
STOCK_ITEM = "INSERT INTO stock_item VALUES ({id}, 'S', '{sku}', 's', 'L', '{location}', {on_hand}, {held}, " + (
    f"{AT}, {AT})"
)
RESERVATION = (
    "INSERT INTO reservation VALUES ({id}, {item}, {group}, {hierarchy}, {quantity}, {consumed}, '{status}', NULL, '', "
    + f"{AT}, {AT})"
)
JOB = (
    "INSERT INTO import_job (id, kind, state, asked, file_name, phase, done, total, attempts, error_count, message,"
    " actor, created_at) VALUES ({id}, '{kind}', '{state}', '{{}}', '', '', 0, 0, {attempts}, 0, '', '', "
    f"{AT})"
)
SHARED = "INSERT INTO shared_membership VALUES ({customer}, {group})"
PIECE = "INSERT INTO import_piece VALUES ({job}, {number}, '')"
IDEMPOTENCY = "INSERT INTO idempotency VALUES ({id}, '{actor}', '{key}', '', '', " + f"{AT})"


def hierarchy(id: int, key: str) -> str:
    return HIERARCHY.format(id=id, key=key)


def level(id: int, depth: int = 1, key: str = "top", *, hierarchy: int = 1, count: int = 0) -> str:
    return LEVEL.format(id=id, hierarchy=hierarchy, depth=depth, key=key, count=count)


def group(id: int, code: str = "", name: str = "", *, status: str = "ACTIVE", count: int = 0) -> str:
    return GROUP.format(id=id, code=code or f"c{id}", name=name or f"n{id}", status=status, count=count)


def node(
    id: int,
    group: int,
    position: str,
    parent: int | None = None,
    *,
    hierarchy: int = 1,
    depth: int = 0,
    children: int = 0,
    below: int = 0,
) -> str:
    """A node, at depth 1 or 2 unless told."""
    return NODE.format(
        id=id,
        hierarchy=hierarchy,
        group=group,
        parent=parent or "NULL",
        position=position,
        depth=depth or (2 if parent else 1),
        children=children,
        below=below,
    )


def job(id: int, kind: str = "GROUPS", state: str = "DONE", *, attempts: int = 0) -> str:
    return JOB.format(id=id, kind=kind, state=state, attempts=attempts)


def closure(above: int, below: int, distance: int) -> str:
    return CLOSURE.format(above=above, below=below, distance=distance)


def stock_item(id: int, sku: str = "", location: str = "main", *, on_hand: int = 9, held: int = 0) -> str:
    return STOCK_ITEM.format(id=id, sku=sku or f"s{id}", location=location, on_hand=on_hand, held=held)


def reservation(
    id: int,
    *,
    item: int = 1,
    group: int = 4,
    hierarchy: int | str = "NULL",
    quantity: int = 2,
    consumed: int = 0,
    status: str = "OPEN",
) -> str:
    """A reservation of the first item for a group that stands nowhere, unless told."""
    return RESERVATION.format(
        id=id, item=item, group=group, hierarchy=hierarchy, quantity=quantity, consumed=consumed, status=status
    )


# Two hierarchies; in the first a root 1 with a child 2, in the second a root 3. Groups 4 and 5 are free.
# A third hierarchy is empty, but reservation 1, of item 1 for group 4, names it.
SOUND = [
    hierarchy(1, "one"),
    hierarchy(2, "two"),
    level(1),
    level(2, 2, "second"),
    level(3, hierarchy=2),
    *(group(id) for id in range(1, 6)),
    node(1, 1, "a0", children=1, below=1),
    node(2, 2, "a0", 1),
    node(3, 3, "a0", hierarchy=2),
    *(closure(id, id, 0) for id in range(1, 4)),
    closure(1, 2, 1),
    CUSTOMER.format(id=1, code="c1"),
    MEMBERSHIP.format(group=1, customer=1),
    MEMBERSHIP.format(group=2, customer=1),
    SHARED.format(group=1, customer=1),
    SHARED.format(group=2, customer=1),
    hierarchy(3, "three"),
    stock_item(1, held=2),
    reservation(1, hierarchy=3),
    IDEMPOTENCY.format(id=1, actor="a", key="k"),
    job(1),
    PIECE.format(job=1, number=0),
]
FORBIDDEN = {
    "a hierarchy's name twice": hierarchy(9, "one"),
    "a hierarchy without a name": hierarchy(9, ""),
    "a level's name twice in a hierarchy": level(9, 3, "top"),
    "two levels at one depth": level(9, 2, "third"),
    "a level at depth 0": level(9, 0, "third"),
    "a level of no hierarchy": level(9, 1, hierarchy=9),
    "fewer than no nodes on a level": level(9, 3, "third", count=-1),
    "a group's code twice": group(9, code="c1"),
    "a group's name twice": group(9, name="n1"),
    "a group of another status": group(9, status="PAUSED"),
    "fewer than no customers": group(9, count=-1),
    "two roots at one position": node(9, 4, "a0"),
    "two siblings at one position": node(9, 4, "a0", 1),
    "a group twice in a hierarchy": node(9, 1, "a1"),
    "a node of no group": node(9, 99, "a1"),
    "a node of no hierarchy": node(9, 4, "a1", hierarchy=9),
    "a parent that is not there": node(9, 4, "a1", 99),
    "a parent of another hierarchy": node(9, 4, "a1", 3),
    "a node under itself": node(9, 4, "a1", 9),
    "a root below the top": node(9, 4, "a1", depth=2),
    "a child at the top": node(9, 4, "a1", 1, depth=1),
    "fewer than no children": node(9, 4, "a1", children=-1),
    "fewer descendants than children": node(9, 4, "a1", children=2, below=1),
    "a node that stands above others taken away": "DELETE FROM node WHERE id = 1",
    "a hierarchy with nodes taken away": "DELETE FROM hierarchy WHERE id = 1",
    "a group with nodes taken away": "DELETE FROM customer_group WHERE id = 1",
    "a child carried off to another hierarchy": "UPDATE node SET hierarchy_id = 2, position = 'a9' WHERE id = 2",
    "a pair twice": closure(1, 2, 2),
    "another at distance 0": closure(1, 3, 0),
    "itself at another distance": closure(9, 9, 1),
    "two parents": closure(3, 2, 1),
    "a distance below 0": closure(9, 8, -1),
    "a customer's code twice": CUSTOMER.format(id=9, code="c1"),
    "a member twice": MEMBERSHIP.format(group=1, customer=1),
    "a member of no group": MEMBERSHIP.format(group=9, customer=1),
    "a member who is no customer": MEMBERSHIP.format(group=1, customer=9),
    "a member shared twice": SHARED.format(group=1, customer=1),
    "a customer who is a member taken away": "DELETE FROM customer WHERE id = 1",
    "a stock item twice": stock_item(9, "s1"),
    "a stock item without a SKU": stock_item(9).replace("'s9'", "''"),
    "a stock item without a location": stock_item(9, location=""),
    "fewer than none on hand": stock_item(9, on_hand=-1, held=-1),
    "fewer than none held": stock_item(9, held=-1),
    "more held than on hand": stock_item(9, held=10),
    "less on hand than held": "UPDATE stock_item SET on_hand = 1 WHERE id = 1",
    "a reservation of no item": reservation(9, item=9),
    "a reservation for no group": reservation(9, group=9),
    "a reservation in no hierarchy": reservation(9, hierarchy=9),
    "a reservation of nothing": reservation(9, quantity=0),
    "more consumed than reserved": reservation(9, consumed=3),
    "fewer than none consumed": reservation(9, consumed=-1),
    "a reservation of another status": reservation(9, status="PAUSED"),
    "a reservation consumed in part only": reservation(9, consumed=1, status="CONSUMED"),
    "a reservation consumed to the last and open": reservation(9, consumed=2),
    "a reservation expired that never expires": reservation(9, status="EXPIRED"),
    "a stock item that is reserved taken away": "DELETE FROM stock_item WHERE id = 1",
    "a group with reservations taken away": "DELETE FROM customer_group WHERE id = 4",
    "a hierarchy that reservations name taken away": "DELETE FROM hierarchy WHERE id = 3",
    "an import of another kind": job(9, "NODES"),
    "an import in another state": job(9, state="LOST"),
    "fewer than no attempts": job(9, attempts=-1),
    "a piece twice": PIECE.format(job=1, number=0),
    "a piece of no job": PIECE.format(job=9, number=0),
    "an idempotency key twice": IDEMPOTENCY.format(id=9, actor="a", key="k"),
}


@pytest.fixture(scope="module")
async def sound_url(databases: Databases) -> AsyncIterator[str]:
    """A database with a few sound rows."""
    async with fresh(databases) as url:
        for statement in SOUND:
            await sql.fetch(url, statement)
        yield url


@pytest.mark.parametrize("what", FORBIDDEN)
async def test_the_database_forbids(sound_url: str, what: str) -> None:
    with pytest.raises(sql.BROKEN_CONSTRAINT):
        await sql.fetch(sound_url, FORBIDDEN[what])
