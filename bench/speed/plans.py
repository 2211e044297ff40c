"""The plans of the yardstick's statements, looked at and kept beside the results."""

import asyncpg

from bench.speed.company import Places
from bench.speed.workloads import Middle, Workload, workloads
from bench.speed.yardstick import SETTINGS

NOWHERE = Middle([""], [""])
RULE = "─" * 100


async def plans(url: str, places: Places) -> str:
    """Each statement with its plan, run once with its first arguments; writes are rolled back."""
    connection = await asyncpg.connect(url, server_settings=SETTINGS)
    try:
        texts = []
        for workload in workloads(places, NOWHERE, NOWHERE):
            async with connection.transaction():
                texts.append(await _plan(connection, workload))
        return "\n".join(texts)
    finally:
        await connection.close()


async def _plan(connection: asyncpg.Connection, workload: Workload) -> str:
    mode = "force_generic_plan" if workload.generic else "force_custom_plan"
    await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
    await connection.execute(f"PREPARE asked AS {workload.statement}")
    arguments = ", ".join(
        "'" + value.replace("@NUMBER@", "plan") + "'" if isinstance(value, str) else str(value)
        for value in workload.arguments[0]
    )
    await connection.execute("SAVEPOINT before")
    rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS) EXECUTE asked({arguments})")
    await connection.execute("ROLLBACK TO SAVEPOINT before")
    await connection.execute("DEALLOCATE asked")
    heading = f"{workload.name} {workload.title}, {mode}"
    return "\n".join([RULE, heading, RULE, workload.statement.strip("\n"), "", *(row[0] for row in rows), ""])
