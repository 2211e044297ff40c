"""`grove export`: lists and hierarchies into files, or to standard output."""

import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from service import engines, parameters, tables
from service.command import database_option, give_up, require_database, settings_of, with_database
from service.db import Database
from service.imported import Progress, silent
from service.matching import Reference
from service.parameters import BadParameters
from service.tables import Table

HELP = """Write lists and hierarchies into files, which `grove import` reads back.

FILE ends in .csv or .xlsx (Excel); - is standard output, as CSV. A file is one snapshot of the database, and is
there as a whole or not at all.

\b
  grove export hierarchy Sales sales.xlsx
  grove export hierarchy Sales - --form parent | head
  grove export groups active.csv --status ACTIVE --order-by CUSTOMER_COUNT --direction DESC
  grove export members CG-000001 members.csv
  grove export customers retailers.csv --type RETAILER --type ONLINE
"""
STANDARD_OUTPUT = "-"

# Makes the table, in a snapshot; None: there is no such thing.
Make = Callable[[Progress], Awaitable[Table | None]]
Command = Callable[..., Any]


@click.group("export", help=HELP)
def export() -> None:
    pass


def filters(known: Mapping[str, str]) -> Callable[[Command], Command]:
    """An option for each parameter of a download: `codeContains` is --code-contains."""

    def decorate(command: Command) -> Command:
        for name, meaning in reversed(list(known.items())):
            option = click.option(
                f"--{_kebab(name)}", name, metavar="TEXT", multiple=name in parameters.SEVERAL, help=meaning
            )
            command = option(command)
        return command

    return decorate


def _kebab(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"-{match[1].lower()}", name)


def _given(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The options that were given, as parameters."""
    for name, value in options.items():
        if value is not None:
            for text in value if isinstance(value, tuple) else (value,):
                yield name, text


@contextmanager
def _understood() -> Iterator[None]:
    """Parameters that cannot be understood are the caller's mistake: exit code 2, by the names of the options."""
    try:
        yield
    except BadParameters as problem:
        lines = [f"--{_kebab(mistake.parameter)} {mistake.message}" for mistake in problem.mistakes]
        raise click.UsageError("\n".join(lines)) from None


@export.command("hierarchy")
@click.argument("name")
@click.argument("file")
@click.option(
    "--form", type=click.Choice(["levels", "parent"]), default="levels", show_default=True, help="How a row is made."
)
@database_option
def export_hierarchy(name: str, file: str, form: str, database: str | None) -> None:
    """Write the hierarchy NAME into FILE, in display order.

    --form levels writes a row for each leaf, with its whole path: three columns a level. --form parent writes a row
    for each node, with the code of its parent.

    \b
      grove export hierarchy Sales sales.csv
      grove export hierarchy "Key Accounts" accounts.xlsx --form parent
    """

    async def make(progress: Progress) -> Table | None:
        return await tables.hierarchy(Reference(name=name), form, progress)

    _export(make, file, database, f"There is no hierarchy «{name}».")


@export.command("groups")
@click.argument("file")
@filters(parameters.GROUPS)
@database_option
def export_groups(file: str, database: str | None, **options: Any) -> None:
    """Write the customer groups that meet all conditions into FILE.

    \b
      grove export groups groups.xlsx
      grove export groups - --search distributor --min-customers 1
    """
    with _understood():
        filter, order = parameters.groups(_given(options))

    async def make(progress: Progress) -> Table | None:
        return await tables.groups(filter, order, progress)

    _export(make, file, database)


@export.command("customers")
@click.argument("file")
@filters(parameters.CUSTOMERS)
@database_option
def export_customers(file: str, database: str | None, **options: Any) -> None:
    """Write the customers that meet all conditions into FILE.

    \b
      grove export customers customers.csv
      grove export customers - --type RETAILER --not-in-group CG-000001
    """
    with _understood():
        filter, order = parameters.customers(_given(options))

    async def make(progress: Progress) -> Table | None:
        return await tables.customers(filter, order, progress)

    _export(make, file, database)


@export.command("members")
@click.argument("group_code")
@click.argument("file")
@database_option
def export_members(group_code: str, file: str, database: str | None) -> None:
    """Write the customers of the group GROUP_CODE into FILE.

    \b
      grove export members CG-000001 members.csv
    """

    async def make(progress: Progress) -> Table | None:
        return await tables.members(Reference(code=group_code), progress)

    _export(make, file, database, f"There is no customer group with the code «{group_code}».")


def _export(make: Make, file: str, database: str | None, missing: str = "") -> None:
    """Writes the table into the file, or says what is missing."""
    suffix = _suffix(file)
    settings = settings_of(database=database)
    require_database(settings)

    async def work(opened: Database) -> bool:
        await engines.check_ready(opened)
        with _bar(file) as progress:
            async with opened.snapshot():
                table = await make(progress)
                if table is not None:
                    await _write(table, file, suffix)
        return table is not None

    try:
        if not with_database(settings, work):
            give_up(missing, settings)
    except BrokenPipeError:
        # Whoever read standard output, such as `head`, has had enough. Nor is there anybody to be told at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as problem:
        give_up(f"Cannot write {file}: {problem.strerror or problem}.", settings)
    if file != STANDARD_OUTPUT:
        click.echo(f"Wrote {file}.", err=True)


@contextmanager
def _bar(file: str) -> Iterator[Progress]:
    """A progress bar on a terminal, unless the file itself goes there."""
    if not sys.stderr.isatty() or (file == STANDARD_OUTPUT and sys.stdout.isatty()):
        yield silent
        return
    with click.progressbar(length=1, label="Reading", file=sys.stderr) as bar:

        def show(_: str, done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield show


def _suffix(file: str) -> str:
    if file == STANDARD_OUTPUT:
        return "csv"
    suffix = Path(file).suffix.lower().removeprefix(".")
    if suffix not in {"csv", "xlsx"}:
        raise click.UsageError(f"{file} must end in .csv or .xlsx, or be - for standard output.")
    return suffix


async def _write(table: Table, file: str, suffix: str) -> None:
    """Writes to standard output; or beside the file, which it becomes when it is whole."""
    if file == STANDARD_OUTPUT:
        output = sys.stdout.buffer
        async for piece in tables.csv_pieces(table):
            output.write(piece)
        output.flush()
        return
    path = Path(file)
    with TemporaryDirectory(prefix=f".{path.name[:100]}-", dir=path.parent) as folder:
        written = Path(folder) / path.name
        await tables.write(table, suffix, written)
        written.replace(path)
