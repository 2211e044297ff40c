"""How the cost of Grove's reads grows with the tree: `python -m bench growth`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.report import machine
from bench.speed import plot, processes
from bench.speed.company import Places
from bench.speed.compare import middle
from bench.speed.measure import (
    Plan,
    Sample,
    Side,
    count_of,
    grove_on,
    medians,
    postmaster_of,
    process_of,
    run,
    turn,
    warm,
)
from bench.speed.workloads import Workload, workloads
from bench.speed.yardstick import WORKERS

SIZES = (1_000, 10_000, 100_000, 1_000_000)
MOST_CUSTOMERS = 1_000_000
CUSTOMERS_A_NODE = 5
READS = {
    "W1": "W1 ancestors",
    "W2": "W2 children",
    "W3": "W3 three levels",
    "W4c": "W4 descendants",
    "W4d": "W4, in the middle",
    "W5a": "W5, a hundredth",
    "W5b": "W5, a tenth",
    "W6": "W6 customer",
}
# These must not grow; a page from the middle of a small tree is half a page.
FLAT = ("W1", "W2", "W4c", "W6")


@dataclass(frozen=True, slots=True)
class Grown:
    """What the reads cost on a tree of some size, and what the workers hold of memory after them, in bytes."""

    nodes: int
    customers: int
    samples: Mapping[str, Sample]
    memory: Sequence[int]


async def measure(url: str, places: Places, customers: int, plan: Plan, directory: Path) -> Grown:
    """Every read on one connection, on a filled PostgreSQL on this machine. Raises Failed."""
    postmaster = await postmaster_of(url)
    samples = {}
    async with grove_on(url, plan.executor, directory) as grove, httpx.AsyncClient(timeout=60) as http:
        asked = workloads(
            places, await middle(http, grove, url, places.medium), await middle(http, grove, url, places.large)
        )
        family = processes.family(process_of(grove))
        for workload in asked:
            if workload.name in READS:
                with turn():
                    side = Side(grove, "/graphql", workload.bodies(), family)
                    samples[workload.name] = await _measure_one(workload, side, postmaster, plan, directory)
        # The workers are the largest; what remains only watches over them.
        memory = sorted(map(processes.resident, family))[-WORKERS:]
    return Grown(places.nodes, customers, samples, memory)


async def _measure_one(workload: Workload, side: Side, postmaster: int, plan: Plan, directory: Path) -> Sample:
    await warm(side, workload, directory)
    runs = [
        await run(side, count_of(side.rate * plan.seconds, 1, 1), 1, postmaster, directory)
        for _ in range(plan.repetitions)
    ]
    return medians(runs)


def page(database: str, grown: Sequence[Grown], plan: Plan, load: float) -> str:
    """A table of processor time a request by size, and of memory."""
    sizes = [f"{one.nodes:,}" for one in grown]
    lines = [f"| | {' | '.join(sizes)} | largest by smallest |", f"|---|{'--:|' * (len(grown) + 1)}"]
    for name, title in READS.items():
        costs = [one.samples[name].total for one in grown]
        flat = " (flat: at most 1.5)" if name in FLAT else ""
        lines.append(f"| {title} | {' | '.join(f'{cost:.2f}' for cost in costs)} | {costs[-1] / costs[0]:.2f}{flat} |")
    memory = [" and ".join(f"{size / 2**20:.0f}" for size in one.memory) for one in grown]
    lines.append(f"| memory of the workers afterwards, MiB | {' | '.join(memory)} | at most 300 |")
    parts = [
        "# How Grove's reads grow",
        f"Made by `make bench ARGS=growth`; bench/README.md says how to read it. {database}; customers: "
        f"{', '.join(f'{one.customers:,}' for one in grown)}. Processor time a request in milliseconds, service and "
        f"PostgreSQL together, on one connection; medians of {plan.repetitions} runs of about {plan.seconds:g} s.",
        machine(load),
        "\n".join(lines),
        "A tree of 1,000 nodes has no room for some of it: there W3 has 84 nodes and W4 900 and 450. W5 is asked below "
        "nodes that have a hundredth and a tenth of all customers, so it grows as they do.",
    ]
    return "\n\n".join(parts) + "\n"


def drawing(grown: Sequence[Grown]) -> str:
    """The table as lines over the sizes."""
    lines = {title: [one.samples[name].total for one in grown] for name, title in READS.items()}
    sizes = [one.nodes for one in grown]
    return plot.growth(
        "Processor time a request, by nodes in the tree", "ms, service and PostgreSQL together", sizes, lines
    )
