"""The command of the benchmark: `python -m bench` measures, `python -m bench generate` makes a tree."""

import asyncio
import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import click

from bench import importing, members, report, search
from bench.databases import databases_of
from bench.generate import LEVELS, SEED, NotEmpty
from bench.generate import generate as fill
from bench.shape import FEWEST_LEVELS, FEWEST_NODES
from bench.speed.commands import growth, speed
from bench.tree import Cost, Measured, measure
from tests.support.databases import fresh, own_environment

RESULTS = Path(__file__).parent / "results" / "tree.md"
IMPORTING = RESULTS.with_name("importing.md")
MEMBERS = RESULTS.with_name("members.md")
PLANS = RESULTS.with_name("search.md")
KINDS = ("sqlite", "postgres")
FEWEST_MEASURED = 1_000


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "show_default": True},
)
@click.pass_context
def main(context: click.Context) -> None:
    """Measures Grove. Without a subcommand: `tree`, then `importing` and `members`."""
    own_environment()
    # Asked to end, it still takes down the services and databases that it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if context.invoked_subcommand is None:
        context.invoke(tree)
        context.invoke(import_a_file)
        context.invoke(add_members)


@main.command()
@click.option("--database", "url", required=True, metavar="URL", help="As for `grove migrate`, which goes before.")
@click.option("--nodes", default=100_000, type=click.IntRange(FEWEST_NODES, 1_000_000), help="The size of the tree.")
@click.option("--levels", default=LEVELS, type=click.IntRange(FEWEST_LEVELS, 128), help="How deep it is.")
@click.option("--customers", type=click.IntRange(0), help="How many.  [default: half the number of nodes]")
@click.option("--seed", default=SEED, help="Another number makes another tree.")
def generate(url: str, nodes: int, levels: int, customers: int | None, seed: int) -> None:
    """Fill a migrated, empty database with a tree: the same one for the same numbers."""
    started = time.monotonic()
    try:
        landmarks = asyncio.run(fill(url, nodes, levels, customers, seed))
    except NotEmpty:
        raise click.ClickException("There are rows in this database; take an empty one.") from None
    except (OSError, sqlite3.Error, asyncpg.PostgresError) as problem:
        raise click.ClickException(f"{problem}: the database must be there, and migrated.") from None
    click.echo(f"{nodes:,} nodes in {time.monotonic() - started:.1f} s: {landmarks}")


measured_databases = click.option(
    "--database",
    "kinds",
    multiple=True,
    default=KINDS,
    type=click.Choice(KINDS),
    help="Which to measure; may be given twice.",
)
other_server = click.option("--server", metavar="URL", help="A PostgreSQL to measure on instead of a private one.")


@main.command()
@measured_databases
@other_server
@click.option("--nodes", default=100_000, type=click.IntRange(FEWEST_MEASURED), help="The size of the large tree.")
@click.option("--small", default=1_000, type=click.IntRange(FEWEST_MEASURED), help="The size of the small tree.")
@click.option("--rounds", default=100, type=click.IntRange(1), help="How often each thing is measured.")
@click.option(
    "--output",
    default=RESULTS,
    show_default="bench/results/tree.md",
    type=click.Path(path_type=Path),
    help="Where the page goes.",
)
def tree(kinds: Sequence[str], server: str | None, nodes: int, small: int, rounds: int, output: Path) -> None:
    """Measure reads and writes of a small and a large tree, on SQLite and on PostgreSQL.

    The page with the results is printed, and written into bench/results.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="grove-bench-") as directory:
        measured = asyncio.run(measure_all(kinds, server, (small, nodes), rounds, Path(directory)))
    text = report.page(measured, rounds, load)
    publish(text, output)


@main.command("importing")
@measured_databases
@other_server
@click.option("--rows", default=100_000, type=click.IntRange(FEWEST_MEASURED), help="The size of the file.")
@click.option(
    "--output",
    default=IMPORTING,
    show_default="bench/results/importing.md",
    type=click.Path(path_type=Path),
    help="Where the page goes.",
)
def import_a_file(kinds: Sequence[str], server: str | None, rows: int, output: Path) -> None:
    """Measure the import of a hierarchy from one large file, on SQLite and on PostgreSQL.

    The page with the results is printed, and written into bench/results.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="grove-bench-") as directory:
        file = Path(directory) / "hierarchy.csv"
        importing.write_file(file, rows)
        measured = asyncio.run(measure_imports(kinds, server, file))
        text = importing.page(measured, file.stat().st_size, load)
    publish(text, output)


@main.command("members")
@measured_databases
@other_server
@click.option("--rounds", default=20, type=click.IntRange(1), help="How often each thing is measured.")
@click.option(
    "--output",
    default=MEMBERS,
    show_default="bench/results/members.md",
    type=click.Path(path_type=Path),
    help="Where the page goes.",
)
def add_members(kinds: Sequence[str], server: str | None, rounds: int, output: Path) -> None:
    """Measure 10,000 customers put into a group by one call, beside their rows alone.

    The page with the results is printed, and written into bench/results.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="grove-bench-") as directory:
        measured = asyncio.run(measure_members(kinds, server, rounds, Path(directory)))
    publish(members.page(measured, rounds, load), output)


def publish(text: str, output: Path) -> None:
    """Prints a page, and writes it to where it is kept."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    click.echo(text)


async def measure_members(
    kinds: Sequence[str], server: str | None, rounds: int, directory: Path
) -> dict[str, dict[str, Cost]]:
    """What putting customers into groups took, by the database's name and version."""
    measured: dict[str, dict[str, Cost]] = {}
    for kind in kinds:
        async with databases_of(kind, server, directory) as (name, databases), fresh(databases) as url:
            click.echo(f"{name}: measuring members", err=True)
            await fill(url, FEWEST_MEASURED, customers=members.CUSTOMERS)
            measured[name] = await members.measure(url, rounds, directory)
    return measured


async def measure_imports(kinds: Sequence[str], server: str | None, file: Path) -> dict[str, importing.Measured]:
    """What importing the file took, by the database's name and version."""
    measured: dict[str, importing.Measured] = {}
    for kind in kinds:
        async with databases_of(kind, server, file.parent) as (name, databases), AsyncExitStack() as stack:
            urls = [await stack.enter_async_context(fresh(databases)) for _ in range(2)]
            click.echo(f"{name}: importing", err=True)
            measured[name] = await importing.measure(urls, file)
    return measured


@main.command("search")
@click.option("--server", metavar="URL", help="A PostgreSQL with pg_trgm; the private one has none.")
@click.option("--database", "url", metavar="URL", help="Instead: one that was filled by an earlier run and kept.")
@click.option("--groups", default=100_000, type=click.IntRange(FEWEST_MEASURED, 1_000_000), help="How many.")
@click.option("--customers", default=1_000_000, type=click.IntRange(FEWEST_MEASURED), help="How many.")
@click.option("--keep", is_flag=True, help="Leave the database; its URL is printed.")
@click.option(
    "--output",
    default=PLANS,
    show_default="bench/results/search.md",
    type=click.Path(path_type=Path),
    help="Where the table goes; the plans go beside it.",
)
def search_plans(server: str | None, url: str | None, groups: int, customers: int, keep: bool, output: Path) -> None:
    """Explain every filter and order of a large company on PostgreSQL.

    Fails where a page reads a whole table or sorts a large part of one.
    """
    with tempfile.TemporaryDirectory(prefix="grove-bench-") as directory:
        text, plans = asyncio.run(explain_all(server, url, groups, customers, keep, Path(directory)))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    output.with_name("search-plans.txt").write_text(search.texts(plans))
    click.echo(text)
    if bad := [f"{plan.title}: {plan.complaint}" for plan in plans if plan.complaint]:
        raise click.ClickException("\n  ".join(["These are not answered from an index:", *bad]))


async def explain_all(
    server: str | None, url: str | None, groups: int, customers: int, keep: bool, directory: Path
) -> tuple[str, list[search.Plan]]:
    """The table and the plans, on a company of this size that is made for it unless `url` names one."""
    if url is not None:
        found = [plan async for plan in search.plans(url)]
        return search.table(found, await search.sizes(url)), found
    async with databases_of("postgres", server, directory) as (name, databases):
        url = await databases.create()
        try:
            click.echo(f"{name}: making {groups:,} groups and {customers:,} customers in {url}", err=True)
            await search.make(url, groups, customers)
            click.echo(f"{name}: asking", err=True)
            found = [plan async for plan in search.plans(url)]
            return search.table(found, await search.sizes(url)), found
        finally:
            if not keep:
                await databases.drop(url)


async def measure_all(
    kinds: Sequence[str], server: str | None, sizes: Sequence[int], rounds: int, directory: Path
) -> dict[str, list[Measured]]:
    """What was measured on the trees of these sizes, by the database's name and version."""
    measured: dict[str, list[Measured]] = {}
    for kind in kinds:
        async with databases_of(kind, server, directory) as (name, databases), AsyncExitStack() as stack:
            trees = {}
            for nodes in sizes:
                click.echo(f"{name}: making {nodes:,} nodes", err=True)
                url = await stack.enter_async_context(fresh(databases))
                trees[url] = await fill(url, nodes)
            click.echo(f"{name}: measuring", err=True)
            measured[name] = await measure(trees, rounds, directory)
    return measured


main.add_command(speed)
main.add_command(growth)


if __name__ == "__main__":
    main(prog_name="python -m bench")
