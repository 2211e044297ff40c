"""A crowd of clients that change one hierarchy at random, and remember what the service acknowledged to them.

Their names go as actors into the change log (the service runs with GROVE_ACTOR_HEADER=X-Actor), so that each
acknowledged mutation can be found there again; see tests/support/replay.py.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.support.client import Grove, Json

ACTOR = {"GROVE_ACTOR_HEADER": "X-Actor"}
POLICIES = ("PROMOTE", "UNASSIGN", "REFUSE")
HIERARCHY = "hierarchy { version }"


@dataclass(frozen=True)
class Asked:
    """A mutation as it is sent."""

    mutation: str
    input: Json
    selection: str


@dataclass(frozen=True)
class Acknowledged:
    """A mutation that the service answered without user errors."""

    actor: str
    hierarchy: str
    asked: Asked
    payload: Json

    @property
    def version(self) -> int | None:
        """The hierarchy's version that the change made; None where the answer does not tell or it made none."""
        place = self.payload.get("node") if self.asked.mutation == "createCustomerGroup" else self.payload
        return place["hierarchy"]["version"] if place and "hierarchy" in place else None


@dataclass
class Picture:
    """What the clients know together of the tree. Like a screen, it may show what is no longer so."""

    hierarchy: str
    # Node → (its group, its parent).
    nodes: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    unassigned: set[str] = field(default_factory=set)

    async def look(self, grove: Grove) -> None:
        """Shows the tree as it is."""
        self.nodes = await read_tree(grove, self.hierarchy)
        data = await grove.query(
            "query ($id: ID!) { hierarchy(by: {id: $id}) { unassignedGroups(first: 1000) { nodes { id } } } }",
            {"id": self.hierarchy},
        )
        self.unassigned = {row["id"] for row in data["hierarchy"]["unassignedGroups"]["nodes"]}

    def note(self, made: Acknowledged) -> None:
        """Shows what an acknowledged mutation has changed."""
        given, payload = made.asked.input, made.payload
        match made.asked.mutation:
            case "createCustomerGroup" if payload["node"] is None:
                self.unassigned.add(payload["group"]["id"])
            case "createCustomerGroup":
                self.nodes[payload["node"]["id"]] = payload["group"]["id"], given["place"]["parentId"]
            case "assignGroup" | "assignGroups":
                for row in payload.get("nodes") or [payload["node"]]:
                    self.nodes[row["id"]] = row["group"]["id"], given["parentId"]
                    self.unassigned.discard(row["group"]["id"])
            case "moveNode" | "moveNodes" if "parentId" in given:
                for key in given.get("nodeIds") or [given["nodeId"]]:
                    if key in self.nodes:
                        self.nodes[key] = self.nodes[key][0], given["parentId"]
            case "unassignNode" | "unassignNodes":
                gone = {row["id"] for row in payload["groups"]}
                self.remove(gone)
                self.unassigned |= gone
            case "deleteCustomerGroup":
                self.remove({given["id"]})
                self.unassigned.discard(given["id"])

    def remove(self, groups: set[str]) -> None:
        self.nodes = {key: place for key, place in self.nodes.items() if place[0] not in groups}


async def read_tree(grove: Grove, hierarchy: str) -> dict[str, tuple[str, str | None]]:
    """Node → (its group, its parent), in display order."""
    found: dict[str, tuple[str, str | None]] = {}
    after: str | None = None
    while True:
        data = await grove.query(
            """
            query ($id: ID!, $after: String) { hierarchy(by: {id: $id}) { nodes(first: 1000, after: $after) {
              nodes { id group { id } parent { id } } pageInfo { hasNextPage endCursor }
            } } }
            """,
            {"id": hierarchy, "after": after},
        )
        page = data["hierarchy"]["nodes"]
        for row in page["nodes"]:
            found[row["id"]] = row["group"]["id"], row["parent"] and row["parent"]["id"]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


async def version_of(grove: Grove, hierarchy: str) -> int:
    data = await grove.query("query ($id: ID!) { hierarchy(by: {id: $id}) { version } }", {"id": hierarchy})
    version: int = data["hierarchy"]["version"]
    return version


class Client:
    """One of the crowd: sends one mutation after another."""

    def __init__(self, grove: Grove, picture: Picture, name: str) -> None:
        self.grove = grove
        self.picture = picture
        self.name = name
        self.acknowledged: list[Acknowledged] = []
        self.refusals: Counter[str] = Counter()
        self.unanswered: Asked | None = None
        self.slowest = 0.0

    async def act(self) -> None:
        """Sends a mutation: the one that has no answer yet, if there is one, otherwise another.

        A top-level error fails the test; what is a person's mistake is counted.
        """
        if not self.unanswered and random.random() < 0.02:
            await self.picture.look(self.grove)
        asked = self.unanswered or self.choose()
        self.unanswered = asked
        started = time.monotonic()
        payload = await self.grove.mutate(
            asked.mutation, asked.input, asked.selection, errors=None, headers={"X-Actor": self.name}
        )
        self.unanswered = None
        self.slowest = max(self.slowest, time.monotonic() - started)
        if payload["userErrors"]:
            self.refusals.update({error["code"] for error in payload["userErrors"]})
            return
        made = Acknowledged(self.name, self.picture.hierarchy, asked, payload)
        self.acknowledged.append(made)
        self.picture.note(made)

    async def act_until(self, end: float) -> None:
        """Sends mutations up to a time on the monotonic clock."""
        while time.monotonic() < end:
            await self.act()

    async def act_until_cut_off(self) -> None:
        """Sends mutations until the service is gone."""
        try:
            while True:
                await self.act()
        except httpx.TransportError:
            pass

    def choose(self) -> Asked:
        """Any mutation. The key lets it be sent again where its answer got lost."""
        picture = self.picture
        growing = len(picture.nodes) < 450
        weights: dict[Callable[[], Asked], int] = {
            self.create: 16 if growing else 8,
            self.assign: 20 if growing else 10,
            self.assign_some: 10 if growing else 3,
            self.move: 30,
            self.move_some: 8,
            self.reorder: 8,
            self.unassign: 8,
            self.unassign_some: 3,
            self.delete: 5,
        }
        if not picture.unassigned:
            del weights[self.assign], weights[self.assign_some]
        if len(picture.nodes) < 20:
            weights = {self.create: 1}
        asked = random.choices(list(weights), list(weights.values()))[0]()
        asked.input["idempotencyKey"] = uuid4().hex
        return asked

    def create(self) -> Asked:
        place = {"hierarchyId": self.picture.hierarchy, **self.place()}
        return Asked(
            "createCustomerGroup",
            {"name": f"Group {uuid4().hex}", "place": place if random.random() < 0.8 else None},
            f"group {{ id }} node {{ id {HIERARCHY} }}",
        )

    def assign(self) -> Asked:
        given = {"hierarchyId": self.picture.hierarchy, "group": {"id": self.group()}, **self.place()}
        return Asked("assignGroup", given, f"node {{ id group {{ id }} }} {HIERARCHY}")

    def assign_some(self) -> Asked:
        groups = [{"id": self.group()} for _ in range(random.randint(1, 5))]
        given = {"hierarchyId": self.picture.hierarchy, "groups": groups, **self.place()}
        return Asked("assignGroups", given, f"nodes {{ id group {{ id }} }} {HIERARCHY}")

    def move(self) -> Asked:
        given = {"nodeId": self.node(), **self.destination()}
        if random.random() < 0.05:
            given["expectedVersion"] = random.randint(1, 1000)
        return Asked("moveNode", given, f"node {{ id }} {HIERARCHY}")

    def move_some(self) -> Asked:
        return Asked("moveNodes", {"nodeIds": self.some_nodes(), **self.place()}, f"nodes {{ id }} {HIERARCHY}")

    def reorder(self) -> Asked:
        _, parent = self.picture.nodes[self.node()]
        children = [key for key, place in self.picture.nodes.items() if place[1] == parent]
        random.shuffle(children)
        given = {"hierarchyId": self.picture.hierarchy, "parentId": parent, "childIds": children}
        return Asked("reorderChildren", given, HIERARCHY)

    def unassign(self) -> Asked:
        given = {"nodeId": self.node(), "children": random.choice(POLICIES)}
        return Asked("unassignNode", given, f"groups {{ id }} {HIERARCHY}")

    def unassign_some(self) -> Asked:
        given = {"nodeIds": self.some_nodes(), "children": random.choice(POLICIES)}
        return Asked("unassignNodes", given, f"groups {{ id }} {HIERARCHY}")

    def delete(self) -> Asked:
        group, _ = self.picture.nodes[self.node()]
        if self.picture.unassigned and random.random() < 0.3:
            group = self.group()
        return Asked("deleteCustomerGroup", {"id": group, "children": random.choice(POLICIES)}, "deletedId")

    def node(self) -> str:
        return random.choice(list(self.picture.nodes))

    def some_nodes(self) -> list[str]:
        return random.sample(list(self.picture.nodes), random.randint(2, 4))

    def group(self) -> str:
        return random.choice(list(self.picture.unassigned))

    def destination(self) -> Json:
        """Where a node goes; in one of three cases elsewhere under the parent that it has."""
        if random.random() < 0.33:
            return {"position": random.choice([{"first": True}, {"index": random.randint(0, 9)}])}
        return self.place()

    def place(self) -> Json:
        """A parent, or none, and a position in one of its forms."""
        if not self.picture.nodes:
            return {"parentId": None, "position": {"last": True}}
        beside = self.node()
        _, parent = self.picture.nodes[beside]
        return random.choice(
            [
                {"parentId": None, "position": None},
                {"parentId": beside, "position": {"first": True}},
                {"parentId": beside, "position": {"last": True}},
                {"parentId": beside, "position": {"index": random.randint(0, 5)}},
                {"parentId": parent, "position": {"before": beside}},
                {"parentId": parent, "position": {"after": beside}},
            ]
        )


async def run_crowd(clients: Sequence[Client], seconds: float) -> None:
    """All of them at once, for so long. The first fault ends it."""
    end = time.monotonic() + seconds
    async with asyncio.TaskGroup() as together:
        for client in clients:
            together.create_task(client.act_until(end))


def describe(clients: Sequence[Client]) -> str:
    """What a run was made of, for the log of the tests."""
    made: Counter[str] = Counter(one.asked.mutation for client in clients for one in client.acknowledged)
    refused: Counter[Any] = sum((client.refusals for client in clients), Counter())
    slowest = max(client.slowest for client in clients)
    return (
        f"{made.total()} acknowledged {dict(made)}, {refused.total()} refused {dict(refused)}, slowest {slowest:.2f} s"
    )
