"""Whether a database is sound, as `grove check` asks it, without the second that a process takes to start."""

from service import engines
from service.resolvers.check import check as check_all


async def check(url: str) -> None:
    """Every migration has run, and every row that is derived is as it should be."""
    database = await engines.connect(url, pool_size=1)
    try:
        await engines.check_ready(database)
        async with database.snapshot():
            assert await check_all(repair=False) == []
    finally:
        await database.close()
