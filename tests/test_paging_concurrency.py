"""Pages while others write: what stood there throughout is seen exactly once, in every order."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.names import fold
from tests.support.client import Grove
from tests.support.listed import Listed
from tests.support.service import Service
from tests.support.sowing import START, Sowing, group_id

STANDING, PASSING, CUSTOMERS = 5_000, 500, 5
WRITERS, PAGE = 16, 250
# So many changes are begun with each page, all over the list, and have been made before the next one but one.
CHANGES = 4
WORDS = ("Étoile", "zebra", "100% Wine", "Łódź", "I ❤️ NY", "_", "日本酒", "Straße")
# A group's values in each order.
ORDERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "CODE": lambda row: fold(row["code"]),
    "NAME": lambda row: fold(row["name"]),
    "STATUS": lambda row: row["status"],
    "CUSTOMER_COUNT": lambda row: len(row["customers"]),
    "CREATED_AT": lambda row: row["created_at"],
    "UPDATED_AT": lambda row: row["updated_at"],
}


def some_group(chance: random.Random, number: int) -> dict[str, Any]:
    """A group at a random place in each order, equal to many others in most of them."""
    return {
        "code": f"{chance.choice('gGéxyz')}-{chance.getrandbits(32):08x}-{number}",
        "name": f"{chance.choice(WORDS)} {chance.randrange(100)} {number}",
        "status": chance.choice(["ACTIVE", "INACTIVE"]),
        "customers": list(range(chance.randrange(CUSTOMERS))),
        "created_at": START + timedelta(seconds=chance.randrange(50)),
        "updated_at": START + timedelta(seconds=chance.randrange(50)),
    }


class Crowd:
    """Writers who delete groups that are passing and put new ones in their place, as many as they are let."""

    def __init__(self, grove: Grove, passing: Sequence[str]) -> None:
        self.grove = grove
        self.passing = list(passing)
        self.chance = random.Random(2)
        self.numbers = count(STANDING + PASSING)
        self.let = asyncio.Semaphore(0)
        self.begun = self.made = 0
        self.changed = asyncio.Condition()

    async def write(self) -> None:
        while await self.let.acquire():
            await (self.insert() if self.chance.random() < 0.5 or len(self.passing) < PASSING / 2 else self.delete())
            async with self.changed:
                self.made += 1
                self.changed.notify_all()

    async def insert(self) -> None:
        row = some_group(self.chance, next(self.numbers))
        given = {
            "code": row["code"],
            "name": row["name"],
            "status": row["status"],
            "customerCodes": [f"C-{number}" for number in row["customers"]],
        }
        made = await self.grove.mutate("createCustomerGroup", given, "group { id }")
        self.passing.append(made["group"]["id"])

    async def delete(self) -> None:
        gone = self.passing.pop(self.chance.randrange(len(self.passing)))
        await self.grove.mutate("deleteCustomerGroup", {"id": gone}, "deletedId")

    async def more(self) -> None:
        """Some more changes are begun; those that were before have been made."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.made == self.begun)
        self.begun += CHANGES
        for _ in range(CHANGES):
            self.let.release()


@asynccontextmanager
async def writing(crowd: Crowd) -> AsyncIterator[None]:
    """All of them at once, as long as the block; a fault of one ends it."""
    async with asyncio.TaskGroup() as together:
        writers = [together.create_task(crowd.write()) for _ in range(WRITERS)]
        yield
        for writer in writers:
            writer.cancel()


async def read(
    grove: Grove, crowd: Crowd, standing: set[str], order: str, direction: str, *, backward: bool
) -> list[str]:
    """The ids of those that stand throughout, page by page as they come, the crowd at work between the pages."""
    listed = Listed("customerGroups", "%s", f"orderBy: {{ field: {order}, direction: {direction} }}")
    pages = []
    async for page in listed.pages(grove, PAGE, backward=backward):
        pages.append(page.ids)
        await crowd.more()
    ids = [id for page in (reversed(pages) if backward else pages) for id in page]
    # Whoever came or went meanwhile is not seen twice either.
    assert len(set(ids)) == len(ids)
    return [id for id in ids if id in standing]


@pytest.fixture
async def sown(database_url: str) -> tuple[list[tuple[str, dict[str, Any]]], list[str]]:
    """The groups that stand throughout, by age with their values; and the ids of those that pass, in between them."""
    sowing, chance = Sowing(), random.Random(1)
    customers = [sowing.customer(f"C-{number}", f"Customer {number}") for number in range(CUSTOMERS)]
    standing, passing = [], []
    for number in range(STANDING + PASSING):
        row = some_group(chance, number)
        members = [customers[place] for place in row["customers"]]
        key = sowing.group(**row | {"customers": members})
        if number % (1 + STANDING // PASSING):
            standing.append((group_id(key), row))
        else:
            passing.append(group_id(key))
    await sowing.write(database_url)
    return standing, passing


async def test_who_stands_throughout_is_seen_once(
    database_url: str, tmp_path: Path, sown: tuple[list[tuple[str, dict[str, Any]]], list[str]]
) -> None:
    """In each order from its start, and in the order turned round from its end."""
    standing, passing = sown
    assert len(standing) == STANDING
    limits = httpx.Limits(max_connections=WRITERS + 1)
    async with (
        Service(database_url, tmp_path) as service,
        httpx.AsyncClient(base_url=service.base_url, timeout=60, limits=limits) as http,
    ):
        grove = Grove(http)
        crowd = Crowd(grove, passing)
        ids = {id for id, _ in standing}
        async with writing(crowd):
            for order, value in ORDERS.items():
                wanted = [id for id, _ in sorted(standing, key=lambda row: value(row[1]))]
                assert await read(grove, crowd, ids, order, "ASC", backward=False) == wanted, order
                assert await read(grove, crowd, ids, order, "DESC", backward=True) == wanted[::-1], order
        assert crowd.made >= 2 * len(ORDERS) * (STANDING // PAGE - 1) * CHANGES
