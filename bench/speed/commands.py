"""`python -m bench speed`: Grove beside one hand-written statement for each workload."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import click

from bench.databases import databases_of, version
from bench.speed import growth as growing
from bench.speed import page, plot
from bench.speed.compare import Different
from bench.speed.driver import Failed, installed
from bench.speed.filling import filled
from bench.speed.measure import Measured, Plan, measure
from bench.speed.plans import plans
from tests.support.databases import fresh, migrate

RESULTS = Path(__file__).parent.parent / "results" / "speed.md"
GROWTH = RESULTS.with_name("growth.md")
NODES, CUSTOMERS = 100_000, 500_000

other_server = click.option(
    "--server", metavar="URL", help="A PostgreSQL on this machine to measure on instead of a private one."
)
repeated = click.option("--repetitions", default=3, type=click.IntRange(1), help="How often each side is driven.")
timed = click.option("--seconds", default=3.0, type=click.FloatRange(0.1), help="How long each time, about.")
executed = click.option(
    "--grove-executor",
    "executor",
    type=click.Choice(["breadth", "graphql-core"]),
    help="GROVE_EXECUTOR of the service; its own default if left out.",
)


@click.command()
@other_server
@click.option("--database", "url", metavar="URL", help="Instead: one on this machine, empty or kept by an earlier run.")
@click.option("--keep", is_flag=True, help="Leave the database that was made on the server; its URL is printed.")
@click.option("--nodes", default=NODES, type=click.IntRange(1_000), help="The size of the tree.")
@click.option("--customers", default=CUSTOMERS, type=click.IntRange(1_000), help="How many.")
@click.option("--only", multiple=True, metavar="NAME", help="A workload such as W1, W4 or W4a; may be given often.")
@repeated
@timed
@executed
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Where the page goes.  [default: bench/results/speed.md, nowhere with --only]",
)
def speed(
    server: str | None,
    url: str | None,
    keep: bool,
    nodes: int,
    customers: int,
    only: Sequence[str],
    repetitions: int,
    seconds: float,
    executor: str | None,
    output: Path | None,
) -> None:
    """Measure Grove beside one hand-written statement for each workload, on PostgreSQL.

    Needs wrk, and PostgreSQL on this machine, since the processors' time is read from /proc.
    """
    _need_wrk()
    load = os.getloadavg()[0]
    plan = Plan(only, repetitions, seconds, executor)
    with tempfile.TemporaryDirectory(prefix="grove-bench-") as directory:
        try:
            name, measured, explained = asyncio.run(
                _measure(server, url, keep, nodes, customers, plan, Path(directory))
            )
        except (Failed, Different) as problem:
            raise click.ClickException(str(problem)) from None
    text = page.page(name, measured, plan, load)
    click.echo(text)
    if output is None and not only:
        output = RESULTS
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text)
        output.with_name("yardstick-plans.txt").write_text(explained)
        output.with_suffix(".svg").write_text(plot.shares(measured))


async def _measure(
    server: str | None, url: str | None, keep: bool, nodes: int, customers: int, plan: Plan, directory: Path
) -> tuple[str, list[Measured], str]:
    async with AsyncExitStack() as stack:
        if url is None:
            url = await stack.enter_async_context(_made(server, keep, directory))
        else:
            await migrate(url, directory)
        click.echo(f"Filling {url}, unless it is filled", err=True)
        places = await filled(url, nodes, customers)
        measured = await measure(url, places, plan, directory)
        return f"PostgreSQL {await version(url)}", measured, await plans(url, places)


@asynccontextmanager
async def _made(server: str | None, keep: bool, directory: Path) -> AsyncIterator[str]:
    """A migrated, empty database on a private server or the one that is named."""
    if keep and server is None:
        raise click.ClickException("--keep wants a --server: the private one ends with this command.")
    async with databases_of("postgres", server, directory) as (_, databases):
        url = await databases.create()
        try:
            yield url
        finally:
            if keep:
                click.echo(f"Kept: --database {url}", err=True)
            else:
                try:
                    await databases.drop(url)
                except asyncpg.PostgresError as problem:
                    click.echo(f"{url} is left: {problem}", err=True)


@click.command()
@other_server
@click.option(
    "--nodes",
    "sizes",
    multiple=True,
    default=growing.SIZES,
    type=click.IntRange(1_000),
    help="The sizes of the trees, the smallest first; may be given often.",
)
@repeated
@timed
@executed
@click.option(
    "--output",
    default=GROWTH,
    show_default="bench/results/growth.md",
    type=click.Path(path_type=Path),
    help="Where the page goes.",
)
def growth(
    server: str | None, sizes: Sequence[int], repetitions: int, seconds: float, executor: str | None, output: Path
) -> None:
    """Measure how the cost of Grove's reads grows with the tree, on PostgreSQL. Needs what `speed` needs."""
    _need_wrk()
    load = os.getloadavg()[0]
    plan = Plan((), repetitions, seconds, executor)
    with tempfile.TemporaryDirectory(prefix="grove-bench-") as directory:
        try:
            name, grown = asyncio.run(_grow(server, sizes, plan, Path(directory)))
        except Failed as problem:
            raise click.ClickException(str(problem)) from None
    text = growing.page(name, grown, plan, load)
    click.echo(text)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text)
    output.with_suffix(".svg").write_text(growing.drawing(grown))


async def _grow(
    server: str | None, sizes: Sequence[int], plan: Plan, directory: Path
) -> tuple[str, list[growing.Grown]]:
    grown = []
    async with databases_of("postgres", server, directory) as (name, databases):
        for nodes in sizes:
            customers = min(growing.CUSTOMERS_A_NODE * nodes, growing.MOST_CUSTOMERS)
            async with fresh(databases) as url:
                click.echo(f"{name}: making {nodes:,} nodes and {customers:,} customers", err=True)
                places = await filled(url, nodes, customers)
                click.echo(f"{name}: measuring", err=True)
                grown.append(await growing.measure(url, places, customers, plan, directory))
    return name, grown


def _need_wrk() -> None:
    if not installed():
        raise click.ClickException("wrk is not installed; Debian and others have it in a package of that name.")
