"""Files to be imported, and import jobs as a client sees them."""

import asyncio
import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpx

from tests.support.client import Grove, Json

SECONDS_TO_END = 120
OVER = ("DONE", "REJECTED", "FAILED")
JOB = """
    id kind state fileName dryRun phase done total errorCount rejectedRowsUrl message actor
    createdAt startedAt finishedAt
    hierarchy { id name nodeCount }
    errors { code message path }
    result {
      rows created updated moved removed unchanged
      changes { totalCount nodes { action row code name before after } }
    }
"""


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def customers_csv(count: int, prefix: str = "C") -> bytes:
    """So many customers."""
    rows = ((f"{prefix}-{number}", f"Customer {prefix} {number}", "BAR") for number in range(count))
    return csv_of(["Code", "Name", "Type"], rows)


def tree_csv(leaves: int, prefix: str = "N") -> bytes:
    """Three levels: so many leaves, twenty below each node of the second level, ten of those below each root."""
    names = ((f"{prefix} {n // 200}", f"{prefix} {n // 200}.{n // 20}", f"{prefix} leaf {n}") for n in range(leaves))
    rows = ((top, f"The region {top}", middle, "", leaf, f"Leaf {leaf}") for top, middle, leaf in names)
    header = [f"{level} {column}" for level in ("Region", "State", "City") for column in ("Name", "Description")]
    return csv_of(header, rows)


def nodes_of_tree(leaves: int) -> int:
    """How many nodes `tree_csv` makes."""
    return leaves + -(-leaves // 20) + -(-leaves // 200)


async def send(grove: Grove, content: bytes, file_name: str = "file.csv", **fields: str) -> httpx.Response:
    """The answer to an upload."""
    return await grove.http.post("/imports", data=fields, files={"file": (file_name, content)})


async def upload(grove: Grove, content: bytes, file_name: str = "file.csv", **fields: str) -> str:
    """The id of the job that an upload becomes."""
    response = await send(grove, content, file_name, **fields)
    assert response.status_code == 202, response.text
    id: str = response.json()["id"]
    return id


async def look(grove: Grove, id: str) -> Json:
    """The job as it stands, with everything in it."""
    data = await grove.query(f"query ($id: ID!) {{ importJob(id: $id) {{ {JOB} }} }}", {"id": id})
    job: Json = data["importJob"]
    return job


async def until(grove: Grove, id: str, fits: Callable[[Json], bool]) -> Json:
    """The job as soon as it is so."""
    async with asyncio.timeout(SECONDS_TO_END):
        while True:
            job = await look(grove, id)
            if fits(job):
                return job
            await asyncio.sleep(0.02)


async def ended(grove: Grove, id: str) -> Json:
    """The job when it is over."""
    return await until(grove, id, lambda job: job["state"] in OVER)


async def imported(grove: Grove, content: bytes, **options: Any) -> Json:
    """The job of an upload when it is over, which must be DONE."""
    job = await ended(grove, await upload(grove, content, **options))
    assert job["state"] == "DONE", job
    return job
