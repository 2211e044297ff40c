"""What is measured on a tree, each by one GraphQL request over HTTP to a service that was really started."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from itertools import count, cycle
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from bench.client import Answer, Client
from bench.generate import Landmarks
from tests.support.service import Service

LARGEST_PAGE = 1_000
# PostgreSQL chooses the plan of a prepared statement for good at the sixth run; before that nothing is counted.
WARMING = 10

PLACE = "id depth childCount group { id code name }"
PAGE = "pageInfo { hasNextPage endCursor }"
CHILDREN = """query ($id: ID!, $first: Int, $after: String) {{
  hierarchyNode(id: $id) {{ children(first: $first, after: $after) {{ {fields} }} }}
}}"""
DISPLAY_ORDER = """query ($id: ID!, $first: Int, $after: String) {{
  hierarchy(by: {{ id: $id }}) {{ nodes(first: $first, after: $after) {{ {fields} }} }}
}}"""
CHILDREN_PAGE = CHILDREN.format(fields=f"nodes {{ {PLACE} }} {PAGE}")
CHILDREN_WITH_INDEX = CHILDREN.format(fields=f"nodes {{ index {PLACE} }} {PAGE}")
DISPLAY_PAGE = DISPLAY_ORDER.format(fields=f"nodes {{ {PLACE} }} {PAGE}")
BREADCRUMB = """query ($id: ID!) {
  hierarchyNode(id: $id) { id path ancestors { id group { name } } }
}"""

Ask = Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one thing cost, over many times."""

    median: float
    ninetieth: float
    statements: int
    database_median: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything measured on one tree; `costs` by the names of report.NAMES."""

    landmarks: Landmarks
    costs: dict[str, Cost]
    yardstick: Cost


@dataclass(frozen=True, slots=True)
class Target:
    """A generated tree, the service on it, and the yardstick beside it."""

    landmarks: Landmarks
    grove: Client
    bare: Client
    # The cursors and nodes in the middle of the hierarchy's display order.
    middle: list[dict[str, Any]]
    random: Random


async def measure(trees: Mapping[str, Landmarks], rounds: int, directory: Path) -> list[Measured]:
    """Measures on the generated trees at these URLs, `rounds` times each thing. They are changed by it.

    All services run side by side and are asked in turns, so that what disturbs one disturbs the others too.
    """
    async with AsyncExitStack() as stack:
        targets = []
        for url, landmarks in trees.items():
            grove = await stack.enter_async_context(started(Service(url, directory)))
            bare = await stack.enter_async_context(started(yardstick(url, directory)))
            middle = _middle(grove, DISPLAY_ORDER, landmarks.hierarchy, landmarks.nodes)
            targets.append(Target(landmarks, grove, bare, middle, Random(1)))
            _compare(targets[-1])
        costs: list[dict[str, Cost]] = [{} for _ in targets]
        for kind in (_small_reads, _large_reads, _writes):
            for found, more in zip(costs, _in_turns([kind(target) for target in targets], rounds), strict=True):
                found.update(more)
    return [
        Measured(target.landmarks, found, found.pop("yardstick")) for target, found in zip(targets, costs, strict=True)
    ]


@asynccontextmanager
async def started(service: Service) -> AsyncIterator[Client]:
    """A client of the service, which runs as long as the block."""
    try:
        await service.start()
        with closing(Client(service.port)) as client:
            yield client
    finally:
        await service.close()


def yardstick(database: str, directory: Path) -> Service:
    """The bare handler as a process of its own."""
    service = Service(database, directory)
    service.command = [sys.executable, "-m", "bench.yardstick", database, str(service.port)]
    return service


def _in_turns(cases: Sequence[Mapping[str, Ask]], rounds: int) -> list[dict[str, Cost]]:
    """The cost of each case of each target; all have the same cases."""
    answers: list[dict[str, list[Answer]]] = [{name: [] for name in asked} for asked in cases]
    for number in range(WARMING + rounds):
        for name in cases[0]:
            for place, asked in enumerate(cases):
                answer = asked[name]()
                if number >= WARMING:
                    answers[place][name].append(answer)
    return [{name: cost_of(found) for name, found in answered.items()} for answered in answers]


def cost_of(answers: Sequence[Answer]) -> Cost:
    """What the answers to one thing cost."""
    times = sorted(answer.milliseconds for answer in answers)
    return Cost(
        median=median(times),
        ninetieth=times[len(times) * 9 // 10],
        statements=max(answer.statements for answer in answers),
        database_median=median(answer.database_milliseconds for answer in answers),
    )


def _compare(target: Target) -> None:
    """Makes sure that Grove and the yardstick tell the same."""
    parent = target.landmarks.hundreds[0]
    page = target.grove.query(CHILDREN_PAGE, id=parent, first=50).data["hierarchyNode"]["children"]
    bare = target.bare.send("GET", f"/children?parent={parent}").data
    assert (page["nodes"], page["pageInfo"]["hasNextPage"]) == (bare["nodes"], bare["hasNextPage"])


# ── what is asked ───────────────────────────────────────────────────────────────────────────────────────────


def _small_reads(target: Target) -> dict[str, Ask]:
    client, landmarks, choice = target.grove, target.landmarks, target.random.choice
    wide = [edge["cursor"] for edge in _middle(client, CHILDREN, landmarks.wide, landmarks.wide_children)]
    deepest = max(edge["node"]["depth"] for edge in target.middle)
    deep = [edge["node"]["id"] for edge in target.middle if edge["node"]["depth"] == deepest]

    def from_the_middle(document: str) -> Answer:
        return client.query(document, id=landmarks.wide, first=50, after=choice(wide))

    return {
        "breadcrumb": lambda: client.query(BREADCRUMB, id=choice(deep)),
        "children": lambda: client.query(CHILDREN_PAGE, id=choice(landmarks.hundreds), first=50),
        "children from the middle": lambda: from_the_middle(CHILDREN_PAGE),
        "children with index": lambda: from_the_middle(CHILDREN_WITH_INDEX),
        "yardstick": lambda: target.bare.send("GET", f"/children?parent={choice(landmarks.hundreds)}"),
    }


def _large_reads(target: Target) -> dict[str, Ask]:
    client, landmarks = target.grove, target.landmarks
    cursors = [edge["cursor"] for edge in target.middle]

    def page(after: str | None) -> Answer:
        return client.query(DISPLAY_PAGE, id=landmarks.hierarchy, first=LARGEST_PAGE, after=after)

    return {
        "display order": lambda: page(None),
        "display order from the middle": lambda: page(target.random.choice(cursors)),
    }


def _writes(target: Target) -> dict[str, Ask]:
    client, landmarks, random = target.grove, target.landmarks, target.random
    siblings = [
        node["id"]
        for page in _pages(client, CHILDREN, landmarks.wide, "nodes { id }", landmarks.wide_children)
        for node in page["nodes"]
    ]
    homes = cycle([landmarks.away, landmarks.home])
    numbers = count(1)

    def move(**values: Any) -> Answer:
        return client.mutate("moveNode", "node { id } hierarchy { version }", values)

    def reorder() -> Answer:
        node, beside = random.sample(siblings, 2)
        return move(nodeId=node, position={random.choice(["before", "after"]): beside})

    def create() -> Answer:
        place = {"hierarchyId": landmarks.hierarchy, "parentId": random.choice(siblings)}
        values = {"name": f"New {next(numbers)}", "place": place}
        return client.mutate("createCustomerGroup", "group { id code } node { id }", values)

    return {
        "re-order": reorder,
        "move": lambda: move(nodeId=landmarks.subtree, parentId=next(homes)),
        "create": create,
    }


def _middle(client: Client, document: str, top: str, total: int) -> list[dict[str, Any]]:
    """The last fifty edges of the first half of a list."""
    after = None
    for page in _pages(client, document, top, PAGE, total // 2 - 50):
        after = page["pageInfo"]["endCursor"]
    answer = client.query(document.format(fields="edges { cursor node { id depth } }"), id=top, first=50, after=after)
    edges: list[dict[str, Any]] = _connection(answer)["edges"]
    return edges


def _pages(client: Client, document: str, top: str, fields: str, total: int) -> Iterator[dict[str, Any]]:
    """The pages of the first `total` rows of a list."""
    asked, after = document.format(fields=f"{fields} pageInfo {{ endCursor }}"), None
    for start in range(0, total, LARGEST_PAGE):
        page = _connection(client.query(asked, id=top, first=min(LARGEST_PAGE, total - start), after=after))
        after = page["pageInfo"]["endCursor"]
        yield page


def _connection(answer: Answer) -> dict[str, Any]:
    (top,) = answer.data.values()
    (connection,) = top.values()
    found: dict[str, Any] = connection
    return found
