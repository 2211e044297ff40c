"""Which engine serves which address."""

from service import migrating
from service.db import Database, fetch
from service.errors import Unavailable
from service.postgres import Postgres
from service.sqlite import Sqlite

APPLIED = """
    -- The migrations that this database has had.
    SELECT name FROM tortoise_migrations WHERE app = 'grove'
"""


async def connect(
    url: str, *, pool_size: int = 10, lock_seconds: float = 10.0, statement_seconds: float = 30.0
) -> Database:
    """Opens the database at this address. Raises Unavailable."""
    path = migrating.sqlite_path(url)
    if path is not None:
        return Database(await Sqlite.connect(path, lock_seconds=lock_seconds), lock_seconds)
    engine = await Postgres.connect(
        url, pool_size=pool_size, lock_seconds=lock_seconds, statement_seconds=statement_seconds
    )
    return Database(engine, lock_seconds)


async def check_ready(database: Database) -> None:
    """Returns when the database answers and has every migration. Raises Unavailable otherwise."""
    try:
        async with database.snapshot():
            applied = {row[0] for row in await fetch(APPLIED)}
    except Unavailable:
        raise
    except Exception as error:
        raise Unavailable("The database has not been migrated; run `grove migrate`.") from error
    missing = [name for name in migrating.known() if name not in applied]
    if missing:
        raise Unavailable(f"The database lacks {', '.join(missing)}; run `grove migrate`.")
