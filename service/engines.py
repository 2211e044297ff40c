"""Which engine serves which address."""

from service import migrating
from service.db import Database, fetch
from service.dialects import sqlite_path
from service.errors import Unavailable
from service.postgres import Postgres
from service.settings import Settings
from service.sqlite import Sqlite


async def connect(
    url: str, *, pool_size: int = 10, lock_seconds: float = 10.0, statement_seconds: float = 30.0
) -> Database:
    """Opens the database at this address. Raises Unavailable."""
    path = sqlite_path(url)
    if path is not None:
        return Database(await Sqlite.connect(path, lock_seconds=lock_seconds), lock_seconds)
    engine = await Postgres.connect(
        url, pool_size=pool_size, lock_seconds=lock_seconds, statement_seconds=statement_seconds
    )
    return Database(engine, lock_seconds)


async def open_database(settings: Settings) -> Database:
    """The database of these settings. Raises Unavailable."""
    return await connect(
        settings.database,
        pool_size=settings.pool_size,
        lock_seconds=settings.lock_wait_seconds,
        statement_seconds=settings.request_seconds,
    )


async def check_ready(database: Database) -> None:
    """Returns when the database answers and has every migration. Raises Unavailable otherwise."""
    try:
        async with database.snapshot():
            applied = {row[0] for row in await fetch(migrating.APPLIED)}
    except Unavailable:
        raise
    except Exception as error:
        raise Unavailable("The database has not been migrated; run `grove migrate`.") from error
    missing = [name for name in migrating.known() if name not in applied]
    if missing:
        raise Unavailable(f"The database lacks {', '.join(missing)}; run `grove migrate`.")
