"""The workloads: what is asked of Grove, what of the yardstick, and how their answers are made comparable."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from bench.generate import FIRST_KEY
from bench.speed import reads, writes
from bench.speed.company import Places
from service.errors import GroveError
from service.ids import Kind, decode_any, encode

PLACE = "id group { name } level { name }"
ANCESTORS = f"query ($id: ID!) {{ hierarchyNode(id: $id) {{ {PLACE} ancestors {{ {PLACE} }} }} }}"
CHILDREN = """query ($id: ID!) {
  hierarchyNode(id: $id) { children(first: 50) { nodes { id childCount group { name code customerCount } } } }
}"""
# Forty thrice, where ten stand: fifty would be more objects than one request may ask for.
NESTED = f"""query ($id: ID!) {{ hierarchyNode(id: $id) {{
  children(first: 10) {{ nodes {{ {PLACE} children(first: 10) {{ nodes {{ {PLACE}
    children(first: 10) {{ nodes {{ {PLACE} }} }} }} }} }} }}
}} }}"""
DESCENDANTS = """query ($id: ID!, $after: String) {
  hierarchyNode(id: $id) { descendants(first: 1000, after: $after) { totalCount nodes { id group { name } depth } } }
}"""
CUSTOMERS = """query ($id: ID!) {
  hierarchyNode(id: $id) { customers(first: 100) { totalCount nodes { code name } } }
}"""
CUSTOMER = """query ($code: String!) {
  customer(by: { code: $code }) { id name groups { nodes { id name } } nodes { id path hierarchy { name } } }
}"""
CREATE = """mutation ($input: CreateCustomerGroupInput!) {
  createCustomerGroup(input: $input) { group { id code name } node { id depth } userErrors { message } }
}"""
MOVE = """mutation ($input: MoveNodeInput!) { moveNode(input: $input) { node { id depth } userErrors { message } } }"""


@dataclass(frozen=True, slots=True)
class Middle:
    """Places in the middle of a display order: Grove's cursors, and for the yardstick the paths of positions."""

    cursors: Sequence[str]
    paths: Sequence[str]


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing to do: a document with variables, and beside it a statement with arguments, each in turn."""

    name: str
    title: str
    document: str
    variables: Sequence[dict[str, Any]]
    statement: str
    arguments: Sequence[Sequence[Any]]
    # The plan that is right for all arguments (True), or one for each of them.
    generic: bool = True
    writes: bool = False
    # Moves change places with what came before them, so they go one after another.
    connections: Sequence[int] = (16, 1)
    # What an even number of requests does and undoes.
    step: int = 1
    # The share of the yardstick that is promised.
    wanted: float | None = None
    peer: str = field(default="")

    def bodies(self) -> list[bytes]:
        """Grove's requests, one line each."""
        document = " ".join(self.document.split())
        return [orjson.dumps({"query": document, "variables": values}) for values in self.variables]

    def bare_bodies(self) -> list[bytes]:
        """The yardstick's requests."""
        return [orjson.dumps(values) for values in self.arguments]


def workloads(places: Places, medium: Middle, large: Middle) -> list[Workload]:
    """All of them; W4's pages in the middle go on behind the given places."""
    return [*_reads(places, medium, large), *_writes(places)]


def _reads(places: Places, medium: Middle, large: Middle) -> list[Workload]:
    def node(name: str, title: str, document: str, keys: Sequence[int], statement: str, **more: Any) -> Workload:
        variables = [{"id": encode(Kind.NODE, key)} for key in keys]
        return Workload(name, title, document, variables, statement, [[key] for key in keys], **more)

    def display(name: str, title: str, top: int, middle: Middle | None) -> Workload:
        cursors, paths = (middle.cursors, middle.paths) if middle else ([None], [""])
        variables = [{"id": encode(Kind.NODE, top), "after": cursor} for cursor in cursors]
        arguments = [[top, path] for path in paths]
        return Workload(
            *(name, title, DESCENDANTS, variables, reads.DESCENDANTS, arguments),
            generic=False,
            wanted=2.0,
            peer="0.56",
        )

    few, many = places.few_customers, places.many_customers
    codes = [[code.lower()] for code in places.codes]
    named = [{"code": code} for code in places.codes]
    return [
        node("W1", "node with its ancestors", ANCESTORS, places.deep, reads.ANCESTORS, wanted=0.65, peer="0.29"),
        node("W2", "first 50 children", CHILDREN, places.hundreds, reads.CHILDREN, wanted=0.65, peer="0.40"),
        node("W3", "three levels, 1,110 nodes", NESTED, places.cubes, reads.NESTED, wanted=1.1, peer="0.69"),
        display("W4a", "1,000 of 10,000 descendants", places.medium, None),
        display("W4b", "1,000 of 10,000, in the middle", places.medium, medium),
        display("W4c", "1,000 of 90,000 descendants", places.large, None),
        display("W4d", "1,000 of 90,000, in the middle", places.large, large),
        node("W5a", "100 of 5,000 customers", CUSTOMERS, few, reads.CUSTOMERS, generic=False, wanted=1.5, peer="1.07"),
        node(
            "W5b", "100 of 50,000 customers", CUSTOMERS, many, reads.CUSTOMERS, generic=False, wanted=1.5, peer="1.04"
        ),
        Workload(
            *("W6", "customer with groups and paths", CUSTOMER, named, reads.CUSTOMER, codes),
            wanted=0.65,
            peer="0.57",
        ),
    ]


def _writes(places: Places) -> list[Workload]:
    hierarchy = encode(Kind.HIERARCHY, FIRST_KEY)

    def moves(name: str, title: str, top: int, statement: str, wanted: float | None, peer: str) -> Workload:
        ways = [places.homes[1], places.homes[0]]
        variables = [
            {"input": {"nodeId": encode(Kind.NODE, top), "parentId": encode(Kind.NODE, parent)}} for parent in ways
        ]
        arguments = [[top, parent] for parent in ways]
        return Workload(
            *(name, title, MOVE, variables, statement, arguments, False, True, (1,), 2, wanted, peer),
        )

    created = [
        {"input": {"name": "New @NUMBER@", "place": {"hierarchyId": hierarchy, "parentId": encode(Kind.NODE, parent)}}}
        for parent in places.spare
    ]
    named = [[parent, "Bare @NUMBER@"] for parent in places.spare]
    reordered = [
        {"input": {"nodeId": encode(Kind.NODE, node), "position": {"after": encode(Kind.NODE, beside)}}}
        for node, beside in places.pairs
    ]
    pairs = [list(pair) for pair in places.pairs]
    return [
        Workload(
            *("W7a", "create a child", CREATE, created, writes.CREATE, named),
            writes=True,
            wanted=0.5,
            peer="0.84",
        ),
        Workload(
            *("W7b", "re-order among 100 siblings", MOVE, reordered, writes.REORDER, pairs),
            writes=True,
            wanted=0.6,
            peer="0.78",
        ),
        moves("W7c", "move 1,000 nodes", places.thousand, writes.MOVE, 1.5, "1.4"),
        moves("W7d", "move 10,000 nodes", places.ten_thousand, writes.MOVE, 2.6, "2.5"),
        # For information: beside a statement that leaves what both places share.
        moves("W7e", "move 1,000, sharing", places.thousand, writes.MOVE_SHARING, None, ""),
        moves("W7f", "move 10,000, sharing", places.ten_thousand, writes.MOVE_SHARING, None, ""),
    ]


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────


def grove_content(answer: bytes, writes: bool) -> Any:
    """What Grove's answer says, with keys in place of ids. Raises ValueError for errors in it."""
    found = orjson.loads(answer)
    if "errors" in found:
        raise ValueError(answer[:500].decode())
    (content,) = found["data"].values()
    if writes and content.pop("userErrors"):
        raise ValueError(answer[:500].decode())
    return _plain(content)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _key(item) if name == "id" else _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _key(text: str) -> Any:
    try:
        return decode_any(text)[1]
    except GroveError:
        return text


def without_new(content: Any) -> Any:
    """The answer to creating without what is new each time: ids, codes and names."""
    if isinstance(content, dict):
        return {name: without_new(item) for name, item in content.items() if name not in ("id", "code", "name")}
    return content
