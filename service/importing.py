"""`grove import`: files brought into the database from the command line.

The file becomes a job in the database, as an upload does, and is run in this process. Whatever ends the process,
nothing is changed by half, and the job can be resumed: here, or by a server on the same database.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, BinaryIO, NoReturn, cast

import click

from service import ids, jobs, transaction
from service.command import bring_up_to_date, database_option, settings_of, with_database
from service.db import Database
from service.errors import InvalidInput, Unavailable, UserError
from service.ids import Kind
from service.imported import Asked, Imported, Standing
from service.resolvers import hierarchy, job
from service.resolvers.job import under_way
from service.settings import Settings
from service.store.job import JobRow
from service.transaction import Mutation

ACTOR = "grove import"
REJECTED = 3
# A person may go on with what a person has stopped.
STATES = (*job.WAITING, "STOPPED")
CHANGES_SHOWN = 20
# How often a job that another process runs is looked at, and how often the line on the terminal is drawn anew.
LOOK_SECONDS = 1.0
DRAW_SECONDS = 0.1
BAR_WIDTH = 30

HELP = """Import a file: CSV (UTF-8; commas, semicolons or tabs) or Excel (.xlsx). `-` is standard input.

\b
  grove import hierarchy sales.csv --name Sales --dry-run     look first
  grove import hierarchy sales.csv --name Sales --mode replace
  grove import customers customers.xlsx
  grove import members key-accounts.csv --group KEY
  grove import resume                                         after a crash

All or nothing: readers see what there was until the whole file is imported, and a file with mistakes changes
nothing. An import that is interrupted changes nothing either; `grove import resume` brings it to its end, and so
does a server on the same database, unless Ctrl-C has stopped it. On SQLite other changes wait meanwhile, and are told
to try again when that takes long.

Exit codes: 0 done; 1 it could not be done; 2 it was asked for wrongly; 3 the file was rejected for its mistakes.
"""


def options_of_files(command: Callable[..., None]) -> Callable[..., None]:
    """What every kind of file takes."""
    for option in (
        click.option(
            "--rejected",
            type=click.File("wb", lazy=True),
            metavar="FILE",
            help="Where to write the rows with mistakes, each with what is wrong with it, as CSV.",
        ),
        database_option,
        click.option("--dry-run", is_flag=True, help="Tell what would change, and keep nothing."),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE"),
    ):
        command = option(command)
    return command


def mode_option(merge: str, replace: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """How a file meets what is there."""
    return click.option(
        "--mode",
        type=click.Choice(["merge", "replace"], case_sensitive=False),
        default="merge",
        show_default=True,
        help=f"merge: {merge}; replace: {replace}.",
    )


@click.group("import", help=HELP)
def import_files() -> None:
    pass


@import_files.command("hierarchy")
@click.option("--name", required=True, metavar="NAME", help="The hierarchy; it is made where there is none.")
@mode_option("what the file does not name stays", "the tree becomes exactly the file")
@click.option(
    "--duplicate-names",
    type=click.Choice(["refuse", "qualify"], case_sensitive=False),
    default="refuse",
    show_default=True,
    help="One name for different groups: a mistake, or the later ones get their parent's name in brackets.",
)
@options_of_files
def import_hierarchy(name: str, mode: str, duplicate_names: str, dry_run: bool, **rest: Any) -> None:
    """Import the groups of a hierarchy, each in its place.

    Columns for each level, top first: «<Level> Name», optionally «<Level> Description» and «<Level> Code». A row is
    a path from the top; levels at its end may be empty. A new hierarchy takes its levels from the header.

    \b
      grove import hierarchy sales.csv --name Sales
      grove import hierarchy cities.xlsx --name Regions --duplicate-names qualify
      curl https://erp.example.com/tree.csv | grove import hierarchy - --name Sales --mode replace
    """
    if not name.strip():
        raise click.BadParameter("The name is empty.", param_hint="--name")
    asked = Asked(
        "HIERARCHY",
        name=" ".join(name.split()),
        mode=mode.upper(),
        duplicate_names=duplicate_names.upper(),
        dry_run=dry_run,
    )
    _import(asked, **rest)


@import_files.command("groups")
@options_of_files
def import_groups(dry_run: bool, **rest: Any) -> None:
    """Import customer groups, without a place in a hierarchy. Those whose codes are known are updated.

    \b
      grove import groups groups.csv --dry-run
    """
    _import(Asked("GROUPS", dry_run=dry_run), **rest)


@import_files.command("members")
@click.option("--group", metavar="CODE", help="The group for rows that name none.")
@mode_option("members that the file does not name stay", "the groups' members become exactly those of the file")
@options_of_files
def import_members(group: str | None, mode: str, dry_run: bool, **rest: Any) -> None:
    """Import which customers are in which groups.

    Columns: «Customer Code», optionally «Group Code», without which every row goes into the group of --group.

    \b
      grove import members all-members.csv
      grove import members codes.csv --group KEY --mode replace
    """
    _import(Asked("MEMBERS", group=group, mode=mode.upper(), dry_run=dry_run), **rest)


@import_files.command("customers")
@options_of_files
def import_customers(dry_run: bool, **rest: Any) -> None:
    """Import customers. Columns: Code, Name, Type. Those whose codes are known are updated.

    \b
      grove import customers customers.csv --rejected mistakes.csv
    """
    _import(Asked("CUSTOMERS", dry_run=dry_run), **rest)


@import_files.command("resume")
@click.argument("id", required=False, metavar="[ID]")
@database_option
def resume(id: str | None, database: str | None) -> None:
    """Bring imports to their end that were interrupted: the one with this id, or all of them, oldest first.

    \b
      grove import resume
      grove import resume job_0c6f3a09c1e00001h
    """
    settings = settings_of(database=database)
    bring_up_to_date(settings)
    keys = [_key_of(id)] if id is not None else with_database(settings, _waiting)
    if not keys:
        click.echo("There is no import to be resumed.")
    sys.exit(max((_report(settings, _run(settings, key)) for key in keys), default=0))


def _import(asked: Asked, file: str, database: str | None, rejected: BinaryIO | None) -> NoReturn:
    """Makes a job of the file, brings it to its end, and ends the command."""
    settings = settings_of(database=database)
    bring_up_to_date(settings)
    name = "" if file == "-" else PurePath(file).name

    async def create(opened: Database) -> int:
        with click.open_file(file, "rb") as source, tempfile.TemporaryFile() as whole:
            # Standard input can be read only once, but a transaction may have to run again.
            shutil.copyfileobj(source, whole)

            async def work(_: Mutation) -> int:
                return await job.create(asked, name, cast(BinaryIO, whole), ACTOR)

            return await transaction.run(opened, ACTOR, work)

    row = _run(settings, with_database(settings, create))
    if rejected is not None and row.state == "REJECTED":
        with_database(settings, lambda opened: _write_rejected(opened, row.id, rejected))
    sys.exit(_report(settings, row))


def _run(settings: Settings, key: int) -> JobRow:
    """The job at its end; or as it stands, where Ctrl-C came between."""
    try:
        return with_database(settings, lambda opened: _bring_to_its_end(settings, opened, key))
    except KeyboardInterrupt:
        return with_database(settings, lambda opened: _read(opened, key))


async def _bring_to_its_end(settings: Settings, database: Database, key: int) -> JobRow:
    """Runs the job; where somebody else does, such as a server on the same database, waits for them."""
    drawing = asyncio.create_task(_draw(key)) if sys.stderr.isatty() else None
    try:
        while True:
            await jobs.run(settings.database, database, key, STATES, stopped="STOPPED")
            row = await _read(database, key)
            if row.state not in STATES:
                return row
            await asyncio.sleep(LOOK_SECONDS)
    except Unavailable as problem:
        raise Unavailable(f"{problem} {_goes_on(key)}") from problem
    finally:
        if drawing is not None:
            drawing.cancel()
            await asyncio.wait([drawing])


async def _draw(key: int) -> None:
    """Keeps one line on the terminal that tells how far the job has come."""
    drawn = ""
    try:
        while True:
            line = _progress_line(under_way.get(key, Standing()), shutil.get_terminal_size().columns - 1)
            if line != drawn:
                click.echo(f"\r\x1b[2K{line}", err=True, nl=False)
                drawn = line
            await asyncio.sleep(DRAW_SECONDS)
    finally:
        click.echo("\r\x1b[2K", err=True, nl=False)


def _progress_line(standing: Standing, width: int) -> str:
    """What is being done, with a bar where it is known how much of it there is."""
    phase, done, total = standing.phase or "waiting", standing.done, standing.total
    if not total:
        return f"{phase}  {done:,}"[:width] if done else phase[:width]
    full = min(done * BAR_WIDTH // total, BAR_WIDTH)
    return f"{'█' * full}{'░' * (BAR_WIDTH - full)}  {phase}  {done:,} of {total:,}"[:width]


async def _read(database: Database, key: int) -> JobRow:
    async with database.snapshot():
        (row,) = await job.by_key([key])
    if row is None:
        raise InvalidInput("There is no import job with this id; jobs are kept for 30 days.")
    return row


async def _waiting(database: Database) -> list[int]:
    async with database.snapshot():
        return await job.waiting(STATES)


async def _write_rejected(database: Database, key: int, file: BinaryIO) -> None:
    async with database.snapshot():
        async for piece in jobs.pieces(key):
            file.write(piece)


def _report(settings: Settings, row: JobRow) -> int:
    """Tells what came of the job; returns the exit code."""
    name = row.file_name or "The file"
    if row.state == "DONE":
        with_database(settings, lambda opened: _report_done(opened, name, row))
        return 0
    if row.state == "REJECTED":
        errors = with_database(settings, lambda opened: _errors(opened, row.id))
        _report_errors(name, errors, row.error_count)
        return REJECTED
    if row.state == "FAILED":
        click.echo(f"Error: {name} could not be imported, and nothing has changed: {row.message}", err=True)
    else:
        click.echo(f"Interrupted: nothing has changed. {_goes_on(row.id)}", err=True)
    return 1


async def _report_done(database: Database, name: str, row: JobRow) -> None:
    async with database.snapshot():
        (imported,) = await job.outcomes([row.id])
        (tree,) = await hierarchy.by_key([row.hierarchy_id or 0])
    assert imported is not None
    where = f" into the hierarchy «{tree.name}»" if tree is not None else ""
    if row.asked.dry_run:
        click.echo(f"{name} can be imported{where}; this was a dry run, and nothing has changed.")
    else:
        click.echo(f"{name} is imported{where}.")
    for counted in ("rows", "created", "updated", "moved", "removed", "unchanged"):
        click.echo(f"  {counted:10}{getattr(imported, counted):>12,}")
    if row.asked.dry_run:
        _report_changes(imported)


def _report_changes(imported: Imported) -> None:
    """The first of the changes that a dry run found."""
    for change in imported.changes[:CHANGES_SHOWN]:
        place = "" if change.row is None else f"row {change.row}"
        moved = " → ".join(words for words in (change.before, change.after) if words)
        click.echo(f"  {place:10}  {change.action:10}  «{change.name}» ({change.code})  {moved}".rstrip())
    more = imported.created + imported.updated + imported.moved + imported.removed - CHANGES_SHOWN
    if more > 0:
        click.echo(f"  … and {more:,} more.")


async def _errors(database: Database, key: int) -> list[UserError]:
    async with database.snapshot():
        return (await job.errors([key]))[0]


def _report_errors(name: str, errors: Sequence[UserError], count: int) -> None:
    click.echo(f"{name} was rejected, and nothing has changed:", err=True)
    for error in errors:
        place = f"row {error.path[1]}, «{error.path[2]}»: " if error.path[:1] == ("csv",) else ""
        click.echo(f"  {place}{error.message}", err=True)
    if count > len(errors):
        click.echo(
            f"  … and {count - len(errors):,} more; --rejected FILE names a file for all rows with mistakes.", err=True
        )


def _goes_on(key: int) -> str:
    return f"`grove import resume {ids.encode(Kind.JOB, key)}` goes on with it."


def _key_of(id: str) -> int:
    try:
        return ids.decode(id, Kind.JOB)
    except ids.BadId as problem:
        raise click.UsageError(str(problem)) from None
