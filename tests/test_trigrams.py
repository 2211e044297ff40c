"""The indexes by trigrams: they come with the extension, whenever it comes; `grove check` says what is missing.

The private server of the tests has no pg_trgm; GROVE_TEST_DATABASE_URL may name one that has.
"""

from pathlib import Path

import pytest

from service import db, engines, migrating, trigrams
from service.matching import CustomerFilter, Order
from service.paging import Page
from service.store import customer
from tests.conftest import DATABASE
from tests.support import sql
from tests.support.command import grove
from tests.support.sowing import Sowing

POSTGRES = pytest.mark.skipif(DATABASE != "postgres", reason="about PostgreSQL")
NAMES = list(trigrams.INDEXES)
DROP = f"DROP INDEX IF EXISTS {', '.join(NAMES)}"


async def made(url: str) -> list[str]:
    """Which of the indexes there are."""
    missing = {row[0] for row in await sql.fetch(url, trigrams.MISSING, NAMES)}
    return [name for name in NAMES if name not in missing]


async def available(url: str) -> bool:
    return bool((await sql.fetch(url, trigrams.AVAILABLE))[0][0])


@POSTGRES
async def test_migrating_makes_them_where_the_server_can(database_url: str) -> None:
    wanted = NAMES if await available(database_url) else []
    assert await made(database_url) == wanted
    # The extension comes after the database was migrated: the same as if it had been missing until now.
    await sql.fetch(database_url, DROP)
    assert await migrating.migrate(database_url) == []
    assert await made(database_url) == wanted


@POSTGRES
async def test_the_extension_may_stand_in_any_schema(database_url: str) -> None:
    if not await available(database_url):
        pytest.skip("this server has no pg_trgm")
    await sql.fetch(database_url, "DROP EXTENSION pg_trgm CASCADE")
    await sql.fetch(database_url, "CREATE SCHEMA elsewhere")
    await sql.fetch(database_url, "CREATE EXTENSION pg_trgm SCHEMA elsewhere")
    assert await made(database_url) == []
    await migrating.migrate(database_url)
    assert await made(database_url) == NAMES


async def test_check_says_what_is_missing(database_url: str, tmp_path: Path) -> None:
    """As advice: nothing is wrong. Where nothing is missing it says nothing."""
    if DATABASE == "postgres":
        await sql.fetch(database_url, DROP)
    code, said = await grove("check", "--database", database_url, folder=tmp_path)
    assert code == 0
    assert said.endswith("All is as it should be.\n")
    if DATABASE == "sqlite":
        assert "Advice" not in said
        return
    assert all(name in said for name in NAMES)
    assert "`grove migrate`" in said
    if await available(database_url):
        assert "this server lacks" not in said
        await migrating.migrate(database_url)
        _, said = await grove("check", "--database", database_url, folder=tmp_path)
        assert "Advice" not in said
    else:
        assert "pg_trgm, which this server lacks" in said


@POSTGRES
async def test_pages_are_planned_for_what_is_asked(database_url: str) -> None:
    """However often: PostgreSQL does not settle on a plan for all words at the sixth time."""
    sown = Sowing()
    for number in range(300):
        sown.customer(f"C-{number}", f"Customer {number}")
    await sown.write(database_url)
    database = await engines.connect(database_url, pool_size=1)
    kept = """
        SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements
        WHERE statement LIKE '%LIKE $3%' AND statement NOT LIKE '%pg_prepared%'
    """
    try:
        async with database.snapshot():
            for number in range(20):
                filter = CustomerFilter(search=f"r {number}")
                (page,) = await customer.page(customer.ALL, [0], Page(), filter, Order("NAME"))
                assert page.rows
            assert [tuple(row) for row in await db.fetch(kept)] == [(20, 0)]
    finally:
        await database.close()
