"""Ten thousand customers put into a group by one call, beside the same rows written straight into the table."""

import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path

import asyncpg

from bench.client import Answer, Client
from bench.report import machine
from bench.tree import Cost, cost_of, started
from service.dialects import sqlite_path
from service.ids import Kind, decode
from tests.support.service import Service

CUSTOMERS = 10_000
PAGE = 1_000
WARMING = 2
ALL_CUSTOMERS = """query ($first: Int, $after: String) {
  customers(first: $first, after: $after) { nodes { id code } pageInfo { endCursor } }
}"""
NAMES = {
    "by id": "`addCustomersToGroup`, {number} by id",
    "by code": "`addCustomersToGroup`, {number} by code",
    "rows": "the same {number} rows, written straight into the table",
}

# Writes the rows of a group and its customers, by their keys, in a transaction of its own.
Write = Callable[[int, Sequence[int]], Awaitable[None]]


async def measure(url: str, rounds: int, directory: Path) -> dict[str, Cost]:
    """What each of NAMES costs, in turns, each time into a group without members. The database is changed by it."""
    costs: dict[str, list[Answer]] = {name: [] for name in NAMES}
    async with started(Service(url, directory)) as client, writer(url) as write:
        customers = _customers(client)
        assert len(customers) == CUSTOMERS
        keys = [decode(id, Kind.CUSTOMER) for id in customers]
        numbers = count(1)
        for number in range(WARMING + rounds):
            answers = {
                "by id": _add(client, _group(client, next(numbers)), customerIds=list(customers)),
                "by code": _add(client, _group(client, next(numbers)), customerCodes=list(customers.values())),
                "rows": await _timed(write, decode(_group(client, next(numbers)), Kind.GROUP), keys),
            }
            if number >= WARMING:
                for name, answer in answers.items():
                    costs[name].append(answer)
    return {name: cost_of(answers) for name, answers in costs.items()}


def _customers(client: Client) -> dict[str, str]:
    """Id → code, of all there are."""
    found: dict[str, str] = {}
    after = None
    for _ in range(0, CUSTOMERS, PAGE):
        page = client.query(ALL_CUSTOMERS, first=PAGE, after=after).data["customers"]
        found |= {node["id"]: node["code"] for node in page["nodes"]}
        after = page["pageInfo"]["endCursor"]
    return found


def _group(client: Client, number: int) -> str:
    """The id of a new group."""
    answer = client.mutate("createCustomerGroup", "group { id }", {"name": f"Measured {number}"})
    id: str = answer.data["createCustomerGroup"]["group"]["id"]
    return id


def _add(client: Client, group: str, **customers: Sequence[str]) -> Answer:
    selection = "added group { customerCount version }"
    answer = client.mutate("addCustomersToGroup", selection, {"group": {"id": group}, **customers})
    assert answer.data["addCustomersToGroup"]["added"] == CUSTOMERS
    return answer


async def _timed(write: Write, group: int, customers: Sequence[int]) -> Answer:
    started_at = time.perf_counter()
    await write(group, customers)
    milliseconds = (time.perf_counter() - started_at) * 1_000
    return Answer({}, milliseconds, 1, milliseconds)


@asynccontextmanager
async def writer(url: str) -> AsyncIterator[Write]:
    """COPY on PostgreSQL, executemany on SQLite, on a connection that stays open."""
    path = sqlite_path(url)
    if path is not None:
        with closing(sqlite3.connect(path)) as file:
            # As the service has it: what refers to nothing is refused, and a commit is on the disk.
            file.execute("PRAGMA foreign_keys = ON")

            async def insert(group: int, customers: Sequence[int]) -> None:
                with file:
                    rows = ((group, customer) for customer in customers)
                    file.executemany("INSERT INTO membership (group_id, customer_id) VALUES (?, ?)", rows)

            yield insert
        return
    connection = await asyncpg.connect(url)
    try:

        async def copy(group: int, customers: Sequence[int]) -> None:
            rows = [(group, customer) for customer in customers]
            await connection.copy_records_to_table("membership", records=rows, columns=["group_id", "customer_id"])

        yield copy
    finally:
        await connection.close()


def page(measured: Mapping[str, Mapping[str, Cost]], rounds: int, load: float) -> str:
    """Database, with its version → what was measured on it: one table, as a page of Markdown."""
    lines = [
        "| | | median | p90 | ratio of medians | of it in the database | statements |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for database, costs in measured.items():
        bare = costs["rows"].median
        for key, name in NAMES.items():
            cost = costs[key]
            cells = [
                database,
                name.format(number=f"{CUSTOMERS:,}"),
                *(f"{cost.median:.0f}", f"{cost.ninetieth:.0f}", f"{cost.median / bare:.1f}"),
                *(f"{cost.database_median:.0f}", str(cost.statements)),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return (
        "\n\n".join(
            [
                "# Members in bulk, measured",
                "Made by `make bench ARGS=members`; bench/README.md says how to read it. Each median and 90th"
                f" percentile is of {rounds} calls, in milliseconds as the client sees them.",
                machine(load),
                "\n".join(lines),
            ]
        )
        + "\n"
    )
