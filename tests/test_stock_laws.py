"""The laws of stock: random mutations, through GraphQL, on Grove and on plain dictionaries.

After each mutation all that GraphQL tells of stock is compared with them, and `grove check` finds nothing.
GROVE_TEST_RUNS sets another number of runs, ten times this.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import db, ids
from service.app import create_app
from service.db import Database
from service.engines import connect
from service.ids import Kind
from service.resolvers.check import check
from service.settings import Settings
from tests.support.client import Grove, Json, running
from tests.support.company import new_customer, new_group, new_hierarchy
from tests.support.databases import Databases, fresh
from tests.test_laws import RUNS, runs

SKUS = ("X", "Y")
# Each group has one customer, of the same name.
GROUPS = ("A", "B", "C")
TREE = "Tree"
TABLES = (
    "reservation",
    "stock_item",
    "closure",
    "node",
    "level",
    "hierarchy",
    "membership",
    "shared_membership",
    "customer_group",
)
EXPIRE = """
    UPDATE reservation SET expires_at = created_at WHERE id = $1
"""
LOOK = """
    stockItems { nodes { sku onHand reserved free } }
    reservations(first: 1000) { nodes {
      id quantity consumed remaining status group { name } hierarchy { name } stockItem { sku }
    } }
"""

skus, groups, numbers = st.sampled_from(SKUS), st.sampled_from(GROUPS), st.integers(0, 9)
Step = tuple[Any, ...]
KINDS: list[tuple[int, st.SearchStrategy[Step]]] = [
    (8, st.tuples(st.just("reserve"), skus, groups, st.booleans(), st.sampled_from([0, 1, 1, 2, 2, 3, 3, 5, 8]))),
    (4, st.tuples(st.just("consume"), numbers, st.sampled_from([0, 1, 1, 1, 2, 2, 3, 5]), groups)),
    (2, st.tuples(st.just("set_stock"), skus, st.sampled_from([-1, 0, 5, 9, 20, 20, 20]))),
    (1, st.tuples(st.just("release"), numbers)),
    (1, st.tuples(st.just("expire"), numbers)),
    (2, st.tuples(st.just("move"), groups, st.one_of(st.none(), groups))),
    (1, st.tuples(st.just("delete_group"), groups)),
    (1, st.tuples(st.just("delete_hierarchy"))),
]
# As often as its weight says, so that something stands long enough to be seen.
step = st.sampled_from([kind for weight, kind in KINDS for _ in range(weight)]).flatmap(lambda kind: kind)
some_steps = st.integers(5, 30).flatmap(lambda count: st.lists(step, min_size=count, max_size=count))


@dataclass
class Held:
    """A reservation."""

    sku: str
    group: str
    hierarchy: str | None
    quantity: int
    consumed: int = 0
    status: str = "OPEN"

    @property
    def remaining(self) -> int:
        return self.quantity - self.consumed


@dataclass
class Plain:
    """Stock as it should be, slow and obvious. Each method answers the codes of what is refused."""

    stock: dict[str, int] = field(default_factory=dict)
    # Id → reservation, in the order of their making.
    reservations: dict[str, Held] = field(default_factory=dict)
    # Group → the one above it, for those in the tree.
    parents: dict[str, str | None] = field(default_factory=dict)
    groups: set[str] = field(default_factory=lambda: set(GROUPS))

    def open(self, **wanted: str) -> list[Held]:
        return [
            held
            for held in self.reservations.values()
            if held.status == "OPEN" and all(getattr(held, name) == value for name, value in wanted.items())
        ]

    def reserved(self, sku: str) -> int:
        return sum(held.remaining for held in self.open(sku=sku))

    def covers(self, held: Held, customer: str) -> bool:
        """Whether the customer's group is that of the reservation or, in the tree, one below it."""
        group: str | None = customer if customer in self.groups else None
        if held.hierarchy is None or group == held.group:
            return group == held.group
        while group is not None and group != held.group:
            group = self.parents.get(group)
        return group is not None

    def set_stock(self, sku: str, on_hand: int) -> list[str]:
        if on_hand < 0:
            return ["OUT_OF_RANGE"]
        if on_hand < self.reserved(sku):
            return ["INSUFFICIENT_STOCK"]
        self.stock[sku] = on_hand
        return []

    def reserve(self, sku: str, group: str, within: bool, quantity: int) -> list[str]:
        errors = [] if sku in self.stock else ["NOT_FOUND"]
        errors += [] if group in self.groups else ["NOT_FOUND"]
        errors += ["CONFLICT"] if within and group in self.groups and group not in self.parents else []
        errors += [] if quantity else ["OUT_OF_RANGE"]
        if not errors and quantity > self.stock[sku] - self.reserved(sku):
            return ["INSUFFICIENT_STOCK"]
        return errors

    def consume(self, id: str, quantity: int, customer: str) -> list[str]:
        held = self.reservations[id]
        if held.status != "OPEN":
            return ["RESERVATION_CLOSED"]
        errors = [] if self.covers(held, customer) else ["CONFLICT"]
        errors += [] if quantity else ["OUT_OF_RANGE"]
        errors += ["INSUFFICIENT_STOCK"] if quantity > held.remaining else []
        if not errors:
            held.consumed += quantity
            held.status = "OPEN" if held.remaining else "CONSUMED"
            self.stock[held.sku] -= quantity
        return errors

    def release(self, id: str) -> list[str]:
        held = self.reservations[id]
        if held.status != "OPEN":
            return ["RESERVATION_CLOSED"]
        held.status = "RELEASED"
        return []

    def delete_group(self, group: str) -> list[str]:
        if self.open(group=group):
            return ["GROUP_IN_USE"]
        self.reservations = {id: held for id, held in self.reservations.items() if held.group != group}
        if group in self.parents:
            above = self.parents.pop(group)
            self.parents = {one: above if parent == group else parent for one, parent in self.parents.items()}
        self.groups.remove(group)
        return []

    def delete_hierarchy(self) -> list[str]:
        if self.open(hierarchy=TREE):
            return ["CONFLICT"]
        for held in self.reservations.values():
            held.hierarchy = None
        self.parents = {}
        return []


class World:
    """Grove and the dictionaries side by side."""

    def __init__(self, grove: Grove, database: Database) -> None:
        self.grove = grove
        self.database = database
        self.plain = Plain()
        self.ids: dict[str, str] = {}
        self.hierarchy = ""

    async def begin(self) -> None:
        """Nothing is in stock; B stands below A, and C nowhere."""
        async with self.database.transaction():
            for table in TABLES:
                await db.fetch(f"DELETE FROM {table}")
        for name in GROUPS:
            self.ids[name] = await new_group(self.grove, name, customerCodes=[name])
        await self.plant()
        await self.move("A", None)
        await self.move("B", "A")

    async def plant(self) -> None:
        self.hierarchy = await new_hierarchy(self.grove, TREE, ["One", "Two", "Three"])

    async def do(self, name: str, *drawn: Any) -> None:
        """One step. A number stands for a reservation, counted round; it is nothing where there is none."""
        if name in ("consume", "release", "expire"):
            if not self.plain.reservations:
                return
            known = list(self.plain.reservations)
            drawn = (known[drawn[0] % len(known)], *drawn[1:])
        await getattr(self, name)(*drawn)
        await self.look()

    async def mutate(self, mutation: str, input: Json, expected: Sequence[str], selection: str = "") -> Json:
        payload = await self.grove.mutate(mutation, input, selection, errors=None)
        codes = [error["code"] for error in payload["userErrors"]]
        assert codes == list(expected), (mutation, input, payload["userErrors"])
        return payload

    async def set_stock(self, sku: str, on_hand: int) -> None:
        await self.mutate("setStock", {"sku": sku, "onHand": on_hand}, self.plain.set_stock(sku, on_hand))

    async def reserve(self, sku: str, group: str, within: bool, quantity: int) -> None:
        input = {"sku": sku, "group": {"name": group}, "quantity": quantity}
        input |= {"hierarchy": {"name": TREE}} if within else {}
        expected = self.plain.reserve(sku, group, within, quantity)
        payload = await self.mutate("reserveStock", input, expected, "reservation { id }")
        if not expected:
            id = payload["reservation"]["id"]
            self.plain.reservations[id] = Held(sku, group, TREE if within else None, quantity)

    async def consume(self, id: str, quantity: int, customer: str) -> None:
        expected = self.plain.consume(id, quantity, customer)
        await self.mutate(
            "consumeReservation", {"id": id, "quantity": quantity, "customer": {"code": customer}}, expected
        )

    async def release(self, id: str) -> None:
        await self.mutate("releaseReservation", {"id": id}, self.plain.release(id))

    async def expire(self, id: str) -> None:
        """Its time passes."""
        if self.plain.reservations[id].status == "OPEN":
            self.plain.reservations[id].status = "EXPIRED"
            async with self.database.transaction():
                await db.fetch(EXPIRE, ids.decode(id, Kind.RESERVATION))

    async def move(self, group: str, parent: str | None) -> None:
        """To another place in the tree, or to its first; nothing where that cannot be."""
        above = parent
        while above is not None and above != group:
            above = self.plain.parents.get(above)
        if group not in self.plain.groups or above is not None or parent not in {None, *self.plain.parents}:
            return
        data = await self.grove.query(
            "query ($id: ID!) { hierarchy(by: { id: $id }) { roots { totalCount } nodes { nodes {"
            " id group { name } } } } }",
            {"id": self.hierarchy},
        )
        nodes = {row["group"]["name"]: row["id"] for row in data["hierarchy"]["nodes"]["nodes"]}
        input: Json = {"parentId": nodes[parent] if parent is not None else None}
        if group in nodes:
            await self.mutate("moveNode", {**input, "nodeId": nodes[group]}, [])
        else:
            input |= {"hierarchyId": self.hierarchy, "group": {"name": group}}
            await self.mutate("assignGroup", input, [])
        self.plain.parents[group] = parent

    async def delete_group(self, group: str) -> None:
        """Where there is one; otherwise it is made anew, standing nowhere."""
        if group not in self.plain.groups:
            self.ids[group] = await new_group(self.grove, group, customerCodes=[group])
            self.plain.groups.add(group)
            return
        input = {"id": self.ids[group], "children": "PROMOTE"}
        await self.mutate("deleteCustomerGroup", input, self.plain.delete_group(group))

    async def delete_hierarchy(self) -> None:
        """And a new one of the same name."""
        expected = self.plain.delete_hierarchy()
        await self.mutate("deleteHierarchy", {"id": self.hierarchy}, expected)
        if not expected:
            await self.plant()

    async def look(self) -> None:
        """All that GraphQL tells of stock."""
        plain = self.plain
        asked = [(sku, customer) for sku in SKUS for customer in GROUPS]
        promises = [
            f'{sku}{customer}: availability(sku: "{sku}", customer: {{ code: "{customer}" }})'
            " { onHand reserved free available reservations { id } }"
            for sku, customer in asked
        ]
        data = await self.grove.query(f"{{ {LOOK} {' '.join(promises)} }}")
        assert data["stockItems"]["nodes"] == [
            {"sku": sku, "onHand": on_hand, "reserved": plain.reserved(sku), "free": on_hand - plain.reserved(sku)}
            for sku, on_hand in sorted(plain.stock.items())
        ]
        assert data["reservations"]["nodes"][::-1] == [
            {
                "id": id,
                "quantity": held.quantity,
                "consumed": held.consumed,
                "remaining": held.remaining,
                "status": held.status,
                "group": {"name": held.group},
                "hierarchy": held.hierarchy and {"name": held.hierarchy},
                "stockItem": {"sku": held.sku},
            }
            for id, held in plain.reservations.items()
        ]
        for sku, customer in asked:
            covering = [id for id, held in plain.reservations.items() if self.is_covered(held, sku, customer)]
            on_hand, reserved = plain.stock.get(sku, 0), plain.reserved(sku)
            assert data[f"{sku}{customer}"] == {
                "onHand": on_hand,
                "reserved": reserved,
                "free": on_hand - reserved,
                "available": on_hand - reserved + sum(plain.reservations[id].remaining for id in covering),
                "reservations": [{"id": id} for id in covering],
            }, (sku, customer)
        async with self.database.snapshot():
            assert await check(repair=False) == []

    def is_covered(self, held: Held, sku: str, customer: str) -> bool:
        return held.sku == sku and held.status == "OPEN" and self.plain.covers(held, customer)


@pytest.fixture(scope="module")
async def make_world(databases: Databases) -> AsyncIterator[Callable[[], World]]:
    """Makes a world for each run, all on one database."""
    async with fresh(databases) as url:
        database = await connect(url)
        try:
            async with running(create_app(Settings(database=url))) as grove:
                for code in GROUPS:
                    await new_customer(grove, code, code)
                yield lambda: World(grove, database)
        finally:
            await database.close()


@runs(max(1, RUNS // 10))
@given(steps=some_steps)
async def test_laws_of_stock(make_world: Callable[[], World], steps: list[Step]) -> None:
    world = make_world()
    await world.begin()
    # There is something to reserve from the first step on.
    await world.do("set_stock", "X", 20)
    for place, (name, *drawn) in enumerate(steps):
        try:
            await world.do(name, *drawn)
        except Exception as error:
            error.add_note("\n".join(map(repr, steps[: place + 1])))
            raise
