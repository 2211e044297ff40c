"""A crowd at one stock item: there is never more reserved than on hand, and what was acknowledged is what is there.

GROVE_TEST_SECONDS sets the length of the run.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.conftest import DATABASE
from tests.support import sql
from tests.support.client import Grove, Json
from tests.support.company import new_customer, new_group
from tests.support.service import Service
from tests.support.soundness import check
from tests.test_concurrency import SECONDS, no_deadlocks

CLIENTS = 64
START = 5_000
POSTGRES = pytest.mark.skipif(DATABASE != "postgres", reason="about PostgreSQL")
LOOK = """
    {
      stockItem(sku: "WINE") {
        onHand reserved free
        reservations(first: 1000, filter: { status: [OPEN] }) { totalCount nodes { remaining } }
      }
      availability(sku: "WINE", customer: { code: "C-1" }) { onHand reserved free available }
    }
"""


@dataclass
class Ledger:
    """What the service acknowledged to everybody together."""

    consumed: int = 0
    # Reservation → what remains of it; those that were released or consumed to the last are gone.
    open: dict[str, int] = field(default_factory=dict)
    # Reservation → when it ends, which nobody acknowledges.
    ends: dict[str, datetime] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    looks: int = 0


class Client:
    """One of the crowd; it consumes and releases its own reservations, and those of others that it hears of."""

    def __init__(self, grove: Grove, ledger: Ledger) -> None:
        self.grove = grove
        self.ledger = ledger

    async def act_until(self, end: float) -> None:
        while time.monotonic() < end:
            acts: dict[Callable[[], Awaitable[None]], int] = {self.reserve: 40, self.look: 10}
            if self.ledger.open:
                acts |= {self.consume: 30, self.release: 20}
            await random.choices(list(acts), list(acts.values()))[0]()

    async def send(self, mutation: str, input: Json) -> Json | None:
        """The payload; None where it was refused. A top-level error fails the test."""
        payload = await self.grove.mutate(
            mutation, {**input, "idempotencyKey": uuid4().hex}, "reservation { id remaining status }", errors=None
        )
        if payload["userErrors"]:
            self.ledger.refused.update(f"{mutation} {error['code']}" for error in payload["userErrors"])
            return None
        self.ledger.made[mutation] += 1
        return payload

    async def reserve(self) -> None:
        quantity = random.randint(1, 500)
        input: Json = {"sku": "WINE", "group": {"name": "Club"}, "quantity": quantity}
        ends = datetime.now(UTC) + timedelta(seconds=random.uniform(1, 4)) if random.random() < 0.3 else None
        payload = await self.send("reserveStock", input | {"expiresAt": ends and ends.isoformat()})
        if payload is not None:
            id = payload["reservation"]["id"]
            self.ledger.open[id] = quantity
            if ends is not None:
                self.ledger.ends[id] = ends

    async def consume(self) -> None:
        id = random.choice(list(self.ledger.open))
        quantity = random.randint(1, 3)
        payload = await self.send("consumeReservation", {"id": id, "quantity": quantity, "customer": {"code": "C-1"}})
        if payload is not None:
            self.ledger.consumed += quantity
            # Somebody else may have released it since, and heard of it sooner.
            if id in self.ledger.open:
                self.ledger.open[id] -= quantity
                if self.ledger.open[id] == 0:
                    del self.ledger.open[id]

    async def release(self) -> None:
        id = random.choice(list(self.ledger.open))
        if await self.send("releaseReservation", {"id": id}) is not None:
            del self.ledger.open[id]

    async def look(self) -> None:
        data = await self.grove.query(LOOK)
        item, promised = data["stockItem"], data["availability"]
        assert 0 <= item["reserved"] <= item["onHand"], item
        assert item["free"] == item["onHand"] - item["reserved"], item
        # All of one answer is of one moment.
        shown = item["reservations"]
        assert shown["totalCount"] == len(shown["nodes"])
        assert item["reserved"] == sum(one["remaining"] for one in shown["nodes"]), item
        assert promised == {
            "onHand": item["onHand"],
            "reserved": item["reserved"],
            "free": item["free"],
            "available": item["onHand"],
        }
        self.ledger.looks += 1


@asynccontextmanager
async def connected(service: Service) -> AsyncIterator[Grove]:
    limits = httpx.Limits(max_connections=CLIENTS + 8, max_keepalive_connections=CLIENTS + 8)
    async with httpx.AsyncClient(base_url=service.base_url, timeout=60, limits=limits) as http:
        yield Grove(http)


@pytest.mark.parametrize(("workers", "share"), [(1, 1), pytest.param(2, 0.5, marks=POSTGRES)])
async def test_a_crowd_at_one_item(database_url: str, tmp_path: Path, workers: int, share: float) -> None:
    async with (
        Service(database_url, tmp_path, "--workers", str(workers), GROVE_LOCK_WAIT_SECONDS="30") as service,
        connected(service) as grove,
    ):
        await new_customer(grove, "C-1", "Customer")
        await new_group(grove, "Club", customerCodes=["C-1"])
        await grove.mutate("setStock", {"sku": "WINE", "onHand": START})
        ledger = Ledger()
        end = time.monotonic() + SECONDS * share
        async with asyncio.TaskGroup() as together:
            for _ in range(CLIENTS):
                together.create_task(Client(grove, ledger).act_until(end))
        print(f"{dict(ledger.made)} acknowledged, {dict(ledger.refused)} refused, {ledger.looks} looks")
        # By the clock of the database, which is on the same machine.
        await asyncio.sleep(max(0.0, (max(ledger.ends.values()) - datetime.now(UTC)).total_seconds()))
        await verify(grove, ledger)
    assert min(ledger.made[one] for one in ("reserveStock", "consumeReservation", "releaseReservation")) > 0
    assert ledger.refused["reserveStock INSUFFICIENT_STOCK"] > 0, "There was always enough for everybody."
    await check(database_url)
    await no_deadlocks(database_url)


async def verify(grove: Grove, ledger: Ledger) -> None:
    """The sum of what was acknowledged is what is there."""
    held = {id: remaining for id, remaining in ledger.open.items() if id not in ledger.ends}
    data = await grove.query(LOOK)
    assert data["stockItem"]["onHand"] == START - ledger.consumed
    assert data["stockItem"]["reserved"] == sum(held.values())
    assert data["stockItem"]["reservations"]["totalCount"] == len(held)
    ids = list(ledger.open)
    for place in range(0, len(ids), 1_000):
        some = ids[place : place + 1_000]
        data = await grove.query(
            "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Reservation { remaining status } } }", {"ids": some}
        )
        assert data["nodes"] == [
            {"remaining": ledger.open[id], "status": "OPEN" if id in held else "EXPIRED"} for id in some
        ]
    counts = await grove.query(
        """
        {
          reserveStock: changes(filter: { action: [RESERVATION_CREATED] }) { totalCount }
          consumeReservation: changes(filter: { action: [RESERVATION_CONSUMED] }) { totalCount }
          releaseReservation: changes(filter: { action: [RESERVATION_RELEASED] }) { totalCount }
          released: reservations(filter: { status: [RELEASED] }) { totalCount }
          all: reservations { totalCount }
        }
        """
    )
    found = {name: count["totalCount"] for name, count in counts.items()}
    assert found == {
        **ledger.made,
        "released": ledger.made["releaseReservation"],
        "all": ledger.made["reserveStock"],
    }


async def test_many_that_set_the_same_new_item_at_once(database_url: str, tmp_path: Path) -> None:
    """One of them makes it; nobody is turned away."""
    async with Service(database_url, tmp_path, GROVE_LOCK_WAIT_SECONDS="30") as service, connected(service) as grove:
        await asyncio.gather(*(grove.mutate("setStock", {"sku": "NEW", "onHand": number}) for number in range(32)))
        data = await grove.query("{ stockItems { totalCount nodes { onHand } } }")
        assert data["stockItems"]["totalCount"] == 1
    await check(database_url)


async def test_reserving_for_a_group_that_is_being_deleted(database_url: str, tmp_path: Path) -> None:
    """Either the reservation is there and with it its group and hierarchy, or neither."""
    async with Service(database_url, tmp_path, GROVE_LOCK_WAIT_SECONDS="30") as service, connected(service) as grove:
        await grove.mutate("setStock", {"sku": "WINE", "onHand": START})

        async def race(number: int) -> None:
            name = f"Group {number}"
            made = await grove.mutate(
                "createHierarchy", {"name": name, "levels": ["Only"], "placeholders": False}, "hierarchy { id }"
            )
            hierarchy = made["hierarchy"]["id"]
            group = await new_group(grove, name, place={"hierarchyId": hierarchy})
            wine = {"sku": "WINE", "group": {"id": group}, "hierarchy": {"id": hierarchy}, "quantity": 1}
            reservation, *_ = await asyncio.gather(
                grove.mutate("reserveStock", wine, "reservation { id }", errors=None),
                grove.mutate("deleteCustomerGroup", {"id": group}, errors=None),
                grove.mutate("deleteHierarchy", {"id": hierarchy}, errors=None),
            )
            there = await grove.query(
                "query ($group: ID!, $hierarchy: ID!) {"
                " customerGroup(by: { id: $group }) { id } hierarchy(by: { id: $hierarchy }) { id } }",
                {"group": group, "hierarchy": hierarchy},
            )
            if reservation["reservation"] is None:
                assert not there["customerGroup"] or not there["hierarchy"]
            else:
                assert there["customerGroup"]
                assert there["hierarchy"]

        for _ in range(4):
            await asyncio.gather(*(race(random.getrandbits(60)) for _ in range(8)))
    await check(database_url)
    assert await sql.fetch(database_url, "SELECT count(*) FROM reservation WHERE hierarchy_id IS NULL") == [(0,)]
