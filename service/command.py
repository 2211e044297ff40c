"""What the subcommands of `grove` have in common: settings, the database, and how to give up."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import click

from service import migrating
from service.db import Database
from service.dialects import sqlite_path
from service.engines import open_database
from service.errors import GroveError
from service.logs import set_up_logs
from service.settings import Settings, SettingsError, load_settings

T = TypeVar("T")

database_option = click.option(
    "--database",
    metavar="URL",
    help="sqlite:///absolute/path, sqlite://relative/path, or postgres://user:password@host/name. "
    "[GROVE_DATABASE; default: sqlite://grove.sqlite3]",
)


def settings_of(**options: Any) -> Settings:
    """The settings, with these options before the environment; logs are set up with them."""
    try:
        settings = load_settings(**options)
    except SettingsError as problem:
        raise click.UsageError(str(problem)) from None
    set_up_logs(settings.log_format, settings.log_level, secrets=(settings.password,))
    return settings


def require_database(settings: Settings) -> None:
    """Gives up where the file of an SQLite database is missing, instead of making one."""
    path = sqlite_path(settings.database)
    if path is not None and not path.exists():
        give_up(f"There is no database {settings.database_shown}; `grove migrate` makes one.", settings)


def bring_up_to_date(settings: Settings) -> list[str]:
    """Runs the migrations that the database lacks, and returns their names."""
    return outcome(migrating.migrate(settings.database), settings)


def with_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """The outcome of work on the database."""

    async def run_it() -> T:
        database = await open_database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    return outcome(run_it(), settings)


def outcome(work: Coroutine[Any, Any, T], settings: Settings) -> T:
    """What comes of the work, in an event loop of its own; a problem ends the command with one line."""
    try:
        return asyncio.run(work)
    except GroveError as problem:
        give_up(f"{problem} [{settings.database_shown}]", settings)


def give_up(message: str, settings: Settings) -> NoReturn:
    """Ends the command with a message that does not hold the password."""
    if settings.password:
        message = message.replace(settings.password, "***")
    raise click.ClickException(" ".join(message.split()))
