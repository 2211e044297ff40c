"""Tortoise: its configuration, and the run of its migrations.

Imported only where there is something to migrate: it takes as long as all that a command needs besides.
"""

import os
from typing import Any

from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from service.dialects import sqlite_path

APPS = {"grove": {"models": ["service.models"], "migrations": "migrations", "default_connection": "default"}}


def tortoise_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for this database."""
    path = sqlite_path(url)
    if path is not None:
        # Altering a table rebuilds it on SQLite; with foreign keys on, that would delete its children's rows.
        credentials = {"file_path": str(path), "foreign_keys": "OFF", "busy_timeout": 30_000}
        connection: dict[str, Any] = {"engine": "tortoise.backends.sqlite", "credentials": credentials}
    else:
        connection = expand_db_url(url)
        connection["credentials"] |= {"minsize": 1, "maxsize": 2}
    return {"connections": {"default": connection}, "apps": APPS}


# For Tortoise's own command, such as `tortoise makemigrations`.
TORTOISE = tortoise_config(os.environ.get("GROVE_DATABASE", "sqlite://grove.sqlite3"))


async def migrate(url: str, target: str | None) -> list[str]:
    """Runs the migrations that lead to `target` (None: the newest), and returns their names.

    To be called by one process at a time.
    """
    ran: list[str] = []
    async with TortoiseContext() as context:
        await context.init(config=tortoise_config(url))
        executor = MigrationExecutor(context.db(), APPS)
        targets = None
        if target is not None:
            targets = [MigrationTarget("grove", "__first__" if target == "zero" else target)]
        await executor.migrate(
            targets, progress=lambda event, app, name: ran.append(name) if event.endswith("done") else None
        )
        if sqlite_path(url) is not None:
            _, broken = await context.db().execute_query("PRAGMA foreign_key_check")
            if broken:
                raise RuntimeError(f"a migration left {len(broken)} rows that refer to nothing")
    return ran
