"""The `grove` command. Each subcommand prepares, calls one function of the service, and tells how it went.

Exit codes: 0 well done; 1 it could not be done, or `check` found something; 2 it was asked for wrongly; 3 a file to be
imported was rejected.
"""

import sys

import click
import structlog

from service import __version__, engines
from service.command import bring_up_to_date, database_option, require_database, settings_of, with_database
from service.db import Database
from service.settings import Settings, variable

HELP = """Grove keeps customer groups and the hierarchies they stand in, and serves them in GraphQL.

\b
  grove serve --demo        try it: http://127.0.0.1:8000/graphql
  grove serve --database postgres://grove:secret@localhost/grove --workers 4
  grove export hierarchy Sales sales.xlsx
  grove import customers customers.csv
  grove check --repair      look for damage in the tree, and mend it
  grove schema > schema.graphql

Everything can be set by environment variables, or by a file .env in the working directory; an option goes
before both. `grove settings` lists them.
"""


class Subcommands(click.Group):
    """Those of this page, and those with a page of their own, which are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "export", "import"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name == "export":
            from service.exporting import export

            return export
        if cmd_name == "import":
            from service.importing import import_files

            return import_files
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=Subcommands, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="grove")
def main() -> None:
    pass


@main.command()
@click.option("--host", metavar="ADDRESS", help="The address to listen at. [GROVE_HOST; default: 127.0.0.1]")
@click.option("--port", metavar="NUMBER", help="The port; 0 for any free one. [GROVE_PORT; default: 8000]")
@click.option(
    "--workers", metavar="NUMBER", help="Processes; more than 1 needs PostgreSQL. [GROVE_WORKERS; default: 1]"
)
@database_option
@click.option("--demo", is_flag=True, help="Load the demo company first, unless it is there.")
def serve(host: str | None, port: str | None, workers: str | None, database: str | None, demo: bool) -> None:
    """Serve GraphQL over HTTP, and the explorer to browsers.

    Brings the database up to date first (unless GROVE_MIGRATE is false). Ctrl-C stops it, after the requests
    under way have ended.

    \b
      grove serve --demo
      grove serve --host 0.0.0.0 --port 80 --database sqlite:///var/lib/grove.sqlite3
      GROVE_LOG_FORMAT=json grove serve --workers 4 --database postgres://grove:secret@db/grove
    """
    from service.server import address, listen, run

    settings = settings_of(host=host, port=port, workers=workers, database=database)
    if settings.workers > 1 and settings.on_sqlite:
        raise click.UsageError(
            f"{settings.workers} workers were asked for, but SQLite lets one process write at a time. "
            "Use one worker, or a PostgreSQL database: --database postgres://user:password@host/name"
        )
    try:
        listener = listen(settings.host, settings.port)
    except OSError as problem:
        raise click.ClickException(
            f"Cannot listen at {settings.host}, port {settings.port}: {problem.strerror}. "
            "Choose another with --port or --host, or stop what uses this one."
        ) from None
    log = structlog.get_logger("grove")
    if settings.migrate:
        ran = bring_up_to_date(settings)
        log.info("the database is up to date", database=settings.database_shown, migrations=ran)
    if demo:
        with_database(settings, load_demo)
        log.info("the demo company is loaded")
    log.info(f"Grove serves {address(listener)}/graphql (Ctrl-C stops it)", workers=settings.workers)
    run(settings.model_copy(update={"migrate": False}), listener)


@main.command()
@database_option
def migrate(database: str | None) -> None:
    """Bring the database up to date, and make it where it is missing.

    Several may run at once: they wait for one another.
    """
    settings = settings_of(database=database)
    for name in bring_up_to_date(settings):
        click.echo(f"Ran the migration {name}.")
    click.echo(f"{settings.database_shown} is up to date.")


@main.command()
@database_option
def demo(database: str | None) -> None:
    """Load the demo company: the hierarchy «Sales», its groups and some customers.

    What is there already stays as it is.
    """
    settings = settings_of(database=database)
    bring_up_to_date(settings)
    with_database(settings, load_demo)
    click.echo(f"The demo company is in {settings.database_shown}.")


@main.command()
@database_option
@click.option("--repair", is_flag=True, help="Mend what is found.")
def check(database: str | None, repair: bool) -> None:
    """Recompute everything that is derived in the database, and name each difference.

    Says as well which indexes are missing that would make it quicker, and how to come by them.

    Exit code 0: there is no difference, or all are mended. 1: there are some.
    """
    from service.resolvers.check import Finding, advice
    from service.resolvers.check import check as check_all

    async def look(opened: Database) -> tuple[list[Finding], list[str]]:
        await engines.check_ready(opened)
        async with opened.transaction() if repair else opened.snapshot():
            return await check_all(repair), await advice()

    settings = settings_of(database=database)
    require_database(settings)
    findings, advised = with_database(settings, look)
    for finding in findings:
        mended = " (mended)" if finding.repaired else ""
        click.echo(f"{finding.table} {finding.key}: {finding.message}{mended}")
    for text in advised:
        click.echo(f"Advice: {text}")
    left = sum(not finding.repaired for finding in findings)
    click.echo(f"{len(findings)} found, {len(findings) - left} mended." if findings else "All is as it should be.")
    sys.exit(1 if left else 0)


@main.command("schema")
def print_schema() -> None:
    """Print the GraphQL schema (SDL)."""
    from service.schema import schema

    click.echo(schema.as_str())


@main.command("settings")
def list_settings() -> None:
    """List all settings: environment variable, default, meaning."""
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = ",".join(default) if isinstance(default, tuple) else str(default).replace("None", "")
        click.echo(f"{variable(name)}={shown}")
        click.echo(click.wrap_text(str(field.description), 100, "    ", "    "))


async def load_demo(database: Database) -> None:
    from service.demo import load

    await load(database)


if __name__ == "__main__":
    main(prog_name="grove")
