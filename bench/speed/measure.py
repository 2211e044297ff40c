"""Grove and the yardstick side by side on one database, driven in turn; the processors' time is read from /proc."""

import asyncio
import fcntl
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import click
import httpx

from bench.speed import processes
from bench.speed.company import Places
from bench.speed.compare import compare, middle
from bench.speed.driver import Driven, drive
from bench.speed.workloads import Workload, workloads
from bench.speed.yardstick import POOL, WORKERS
from tests.support.service import Service

# Each connection to PostgreSQL has its prepared statements, and PostgreSQL its plans for them, before anything counts.
WARMING_REQUESTS, WARMING_SECONDS = 240, 3.0
CROWD = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """One run, or the medians of several; processor time in milliseconds a request, latencies in milliseconds."""

    rate: float
    median: float
    ninety_ninth: float
    service: float
    postgres: float

    @property
    def total(self) -> float:
        return self.service + self.postgres


@dataclass(frozen=True, slots=True)
class Measured:
    """A workload by number of connections: Grove's sample and the yardstick's."""

    workload: Workload
    samples: Mapping[int, tuple[Sample, Sample]]

    def share(self, connections: int) -> float:
        """Processor time a request: the yardstick's by Grove's. More is better."""
        grove, bare = self.samples[connections]
        return bare.total / grove.total


@dataclass(slots=True)
class Side:
    """A service that is driven, and what it was found to do in a second on this workload."""

    service: Service
    path: str
    bodies: Sequence[bytes]
    processes: set[int]
    rate: float = 0.0

    @property
    def url(self) -> str:
        return self.service.base_url + self.path


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and how long."""

    only: Sequence[str]
    repetitions: int
    seconds: float
    executor: str | None = None

    def chooses(self, workload: Workload) -> bool:
        return not self.only or any(workload.name.startswith(name) for name in self.only)


async def measure(url: str, places: Places, plan: Plan, directory: Path) -> list[Measured]:
    """Every chosen workload on a filled PostgreSQL on this machine. Raises Failed and Different."""
    postmaster = await postmaster_of(url)
    found = []
    async with both(url, plan.executor, directory) as (grove, bare), httpx.AsyncClient(timeout=60) as http:
        asked = workloads(
            places, await middle(http, grove, url, places.medium), await middle(http, grove, url, places.large)
        )
        for workload in filter(plan.chooses, asked):
            with turn():
                await compare(http, grove.base_url, bare.base_url, workload)
                sides = (
                    Side(grove, "/graphql", workload.bodies(), processes.family(process_of(grove))),
                    Side(bare, f"/{workload.name}", workload.bare_bodies(), processes.family(process_of(bare))),
                )
                found.append(await _measure_one(url, workload, sides, postmaster, plan, directory))
            click.echo(_line(found[-1]), err=True)
    return found


@asynccontextmanager
async def both(url: str, executor: str | None, directory: Path) -> AsyncIterator[tuple[Service, Service]]:
    """Grove and the yardstick, as many workers each, as long as the block."""
    bare = Service(url, directory)
    bare.command = [sys.executable, "-m", "bench.speed.yardstick", url, str(bare.port)]
    async with grove_on(url, executor, directory) as grove:
        try:
            await bare.start()
            yield grove, bare
        finally:
            await bare.close()


@asynccontextmanager
async def grove_on(url: str, executor: str | None, directory: Path) -> AsyncIterator[Service]:
    """Grove as in production, as long as the block."""
    # No line a request; and on a busy machine a crowd of large requests may take longer than Grove lets them, or
    # wait longer for one of its ten connections.
    environment = {"GROVE_LOG_LEVEL": "warning", "GROVE_REQUEST_SECONDS": "600", "GROVE_POOL_SIZE": str(POOL)}
    if executor is not None:
        environment["GROVE_EXECUTOR"] = executor
    grove = Service(url, directory, "--workers", str(WORKERS), **environment)
    try:
        await grove.start()
        yield grove
    finally:
        await grove.close()


def process_of(service: Service) -> int:
    assert service.process
    return service.process.pid


async def postmaster_of(url: str) -> int:
    """The process that has started all others of PostgreSQL. Raises ClickException where it runs elsewhere."""
    connection = await asyncpg.connect(url)
    try:
        backend = await connection.fetchval("SELECT pg_backend_pid()")
        parent = processes.parent(backend)
    finally:
        await connection.close()
    if parent is None:
        raise click.ClickException("PostgreSQL must run on this machine: its processor time is read from /proc.")
    return parent


@contextmanager
def turn() -> Iterator[None]:
    """One workload at a time on a machine, whoever measures."""
    with (Path(tempfile.gettempdir()) / "grove-bench.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def _measure_one(
    url: str, workload: Workload, sides: tuple[Side, Side], postmaster: int, plan: Plan, directory: Path
) -> Measured:
    for side in sides:
        await warm(side, workload, directory)
    samples: dict[int, tuple[Sample, Sample]] = {}
    for connections in workload.connections:
        runs: tuple[list[Sample], list[Sample]] = ([], [])
        for number in range(plan.repetitions):
            # Whoever comes first finds the processor's caches as the other one left them: in turns.
            for side, kept in list(zip(sides, runs, strict=True))[:: 1 if number % 2 == 0 else -1]:
                if workload.writes:
                    await _vacuum(url)
                count = count_of(side.rate * plan.seconds, connections, workload.step)
                kept.append(await run(side, count, connections, postmaster, directory))
        samples[connections] = (medians(runs[0]), medians(runs[1]))
    return Measured(workload, samples)


async def warm(side: Side, workload: Workload, directory: Path) -> None:
    connections = max(workload.connections)
    driven = await drive(side.url, side.bodies, count_of(0, connections, workload.step), connections, directory)
    more = min(WARMING_REQUESTS, driven.answered / driven.seconds * WARMING_SECONDS)
    if more > driven.answered:
        driven = await drive(side.url, side.bodies, count_of(more, connections, workload.step), connections, directory)
    side.rate = driven.answered / driven.seconds


def count_of(wanted: float, connections: int, step: int) -> int:
    """So many requests, enough that all connections have some, and none half undone."""
    count = max(int(wanted), 4, connections)
    return count + -count % step


async def run(side: Side, count: int, connections: int, postmaster: int, directory: Path) -> Sample:
    server = processes.used(processes.family(postmaster))
    service = processes.used(side.processes)
    driven = await drive(side.url, side.bodies, count, connections, directory)
    in_service = processes.between(service, processes.used(side.processes))
    in_postgres = processes.between(server, processes.used(processes.family(postmaster)))
    return _sample(driven, in_service, in_postgres)


def _sample(driven: Driven, service: float, postgres: float) -> Sample:
    return Sample(
        driven.answered / driven.seconds,
        driven.median,
        driven.ninety_ninth,
        service * 1000 / driven.answered,
        postgres * 1000 / driven.answered,
    )


def medians(samples: Sequence[Sample]) -> Sample:
    return Sample(
        *(median(getattr(sample, name) for sample in samples) for name in Sample.__dataclass_fields__),
    )


async def _vacuum(url: str) -> None:
    """What autovacuum would do sooner or later, and not in the middle of a measurement."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM node, closure, customer_group, level, hierarchy")
    finally:
        await connection.close()
    await asyncio.sleep(0.1)


def _line(measured: Measured) -> str:
    """A workload in a line, for whoever waits."""
    parts = [f"{measured.workload.name} {measured.workload.title}:"]
    for connections, (grove, bare) in measured.samples.items():
        parts.append(
            f"{connections}: {measured.share(connections):.2f} of the yardstick "
            f"({grove.service:.2f} + {grove.postgres:.2f} ms, yardstick {bare.service:.2f} + {bare.postgres:.2f}; "
            f"{grove.rate:.0f}/s, {bare.rate:.0f}/s)"
        )
    return " ".join(parts)
