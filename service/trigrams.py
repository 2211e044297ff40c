"""Trigram indexes: with them PostgreSQL finds the texts that contain another without reading every row.

They need the extension pg_trgm, which comes with PostgreSQL but is a package of its own on some systems and is
missing on a few. Hence they are not made by a migration: each `grove migrate` makes what is missing, as soon as the
server has the extension. Without them all is found just the same, row by row.
"""

from typing import Any

import asyncpg

# Index → its table. One a table: the folded code, name and description stand together in search_fold.
INDEXES = {"customer_search": "customer", "customer_group_search": "customer_group"}

MISSING = """
    SELECT wanted.name FROM unnest($1::text[]) AS wanted(name) WHERE to_regclass(wanted.name) IS NULL
"""
AVAILABLE = "SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm')"
OPERATORS = """
    -- Wherever the extension was put: its schema need not be on the search path.
    SELECT format('%I.gin_trgm_ops', nspname)
    FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'
"""


async def create(connection: Any) -> list[str]:
    """Makes the indexes that are missing, and the extension, where the server has it and lets us; returns their names.

    While an index is made, writers of its table wait: some seconds for a million rows.
    """
    missing = [row[0] for row in await connection.fetch(MISSING, list(INDEXES))]
    if not missing or not await connection.fetchval(AVAILABLE):
        return []
    try:
        await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except asyncpg.InsufficientPrivilegeError:
        return []
    operators = await connection.fetchval(OPERATORS)
    for name in missing:
        await connection.execute(f"CREATE INDEX {name} ON {INDEXES[name]} USING gin (search_fold {operators})")
    return missing
