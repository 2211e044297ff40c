"""A company as rows in a database, and as the lists that Python makes of the same rows: what pages must hold."""

import random
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from tests.support.sowing import (
    START,
    Sowing,
    change_id,
    customer_id,
    group_id,
    hierarchy_id,
    job_id,
    node_id,
    reservation_id,
    stock_item_id,
)

# Names that are easy to confuse: by case, accents, blanks, and what LIKE takes for a pattern.
NAMES = [
    *("100% Wine", "100x Wine", "100%% Wine", "50_50", "50x50", "50\\50", "%", "_", "\\", "\\%"),
    *(
        "Étoile",
        "étoile 2",
        "ETOILE 3",
        "Etoile\u0301 4",
        "Łódź",
        "Lodz Outlet",
        "Straße",
        "STRASSE 2",
        "ﬁsh",
        "Fish 2",
    ),
    *("Ångström", "Zebra", "zebra 2", "Ärger", "ärger 2", "Øl", "Œuvre", "oeuvre 2", "İzmir", "Izmir 2"),
    *("ΣΊΣΥΦΟΣ", "σίσυφος 2", "日本酒", "日本酒 2", "🍷 Bar", "🍷🍷", "O'Neill", 'Quoted "Name"', "Semi; colon"),
    *("-- comment", "a b", "a  c", "ａ ｄ"),
]
TYPES = ["RETAILER", "Retailer", "BAR", "", "Hôtel", "hotel"]
ACTIONS = ["GROUP_CREATED", "GROUP_UPDATED", "GROUP_ASSIGNED", "NODE_MOVED"]
# Letters that lose a stroke rather than an accent, and signs that a keyboard has otherwise.
STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "œ": "oe", "æ": "ae", "ı": "i"} | {"’": "'", "“": '"', "”": '"', "–": "-", "—": "-"}
)
# What cannot be seen: the selector of emoji, a joiner, a space of no width, a soft hyphen.
UNSEEN = dict.fromkeys(map(ord, "\ufe0f\u200d\u200b\u00ad"))


def folded(text: str, *, accents: bool = False) -> str:
    """What is compared: without regard to case, forms of letters, blanks and, unless told otherwise, accents."""
    text = unicodedata.normalize("NFKC", text.translate(UNSEEN))
    text = unicodedata.normalize("NFKC", text.casefold())
    if not accents:
        bare = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
        text = unicodedata.normalize("NFKC", "".join(bare).translate(STROKES))
    return " ".join(text.split())


@dataclass(frozen=True)
class Customer:
    """Keys count up with age, here and below."""

    key: int
    code: str
    name: str
    type: str
    created_at: datetime

    @property
    def id(self) -> str:
        return customer_id(self.key)


@dataclass(frozen=True)
class Group:
    key: int
    code: str
    name: str
    description: str
    status: str
    customers: frozenset[int]
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> str:
        return group_id(self.key)

    def has(self, text: str) -> bool:
        """Whether `search` finds it."""
        return any(folded(text) in folded(value) for value in (self.code, self.name, self.description))


@dataclass(frozen=True)
class Hierarchy:
    key: int
    name: str
    description: str
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> str:
        return hierarchy_id(self.key)


@dataclass(frozen=True)
class Node:
    key: int
    group: Group
    parent: int | None
    depth: int

    @property
    def id(self) -> str:
        return node_id(self.key)


@dataclass(frozen=True)
class Change:
    key: int
    action: str
    actor: str
    at: datetime
    hierarchy: int | None
    group: int

    @property
    def id(self) -> str:
        return change_id(self.key)


@dataclass(frozen=True)
class Item:
    key: int
    sku: str
    location: str

    @property
    def id(self) -> str:
        return stock_item_id(self.key)


@dataclass(frozen=True)
class Reservation:
    """`status` is what it is for everybody; for the database some that have expired are still open."""

    key: int
    item: Item
    group: Group
    status: str

    @property
    def id(self) -> str:
        return reservation_id(self.key)


@dataclass(frozen=True)
class Job:
    key: int

    @property
    def id(self) -> str:
        return job_id(self.key)


Any_ = Customer | Group | Hierarchy | Node | Change | Job
T = TypeVar("T", Customer, Group, Hierarchy)


class Catalogue:
    """Some 120 groups, 90 customers, and the 100 nodes of «Sales», with many that are equal in one order or another.

    All in the order of their age, but for the nodes, which are in display order.
    """

    def __init__(self) -> None:
        self.sown = Sowing()
        self.chance = random.Random(4_711)
        self.customers = [self._customer(number) for number in range(90)]
        self.groups = [self._group(number) for number in range(120)]
        self.levels = [f"Level {depth}" for depth in range(1, 7)]
        self.nodes: list[Node] = []
        self.hierarchies = [self._sales(), *(self._hierarchy(number) for number in range(12))]
        # One of each to look at closely: with much below it, or with many around it.
        self.node = max(
            (node for node in self.nodes if node.parent is not None and len(node.group.customers) > 2),
            key=lambda node: len(self.children(node)),
        )
        self.group = max(self.groups, key=lambda group: len(group.customers))
        self.customer = max(self.customers, key=lambda customer: len(self.groups_of(customer)))
        self.changes = [self._change(number) for number in range(80)]
        self.items: list[Item] = []
        self.reservations: list[Reservation] = []
        self._stock()
        self.item = max(self.items, key=lambda item: len(self.reservations_of(item)))
        self.jobs = [Job(self.sown.job(f"{number}.csv")) for number in range(60)]

    def _later(self, microseconds: int) -> datetime:
        return START + timedelta(microseconds=self.chance.randrange(microseconds))

    def _customer(self, number: int) -> Customer:
        code, name, type = f"C-{number:03}", self.chance.choice(NAMES), self.chance.choice(TYPES)
        at = self._later(30)
        return Customer(self.sown.customer(code, name, type, at), code, name, type, at)

    def _group(self, number: int) -> Group:
        code = f"{self.chance.choice('gGé%_')}-{number:03}"
        name = NAMES[number] if number < len(NAMES) else f"{self.chance.choice(NAMES)} {number}"
        description = self.chance.choice(["", "Wein & Bier", "Vin,\nbière"])
        status = self.chance.choice(["ACTIVE", "ACTIVE", "INACTIVE"])
        members = sorted(row.key for row in self.chance.sample(self.customers, self.chance.choice([0, 0, 1, 2, 2, 9])))
        created, updated = self._later(40), self._later(40)
        key = self.sown.group(code, name, description, status, members, created, updated)
        return Group(key, code, name, description, status, frozenset(members), created, updated)

    def _sales(self) -> Hierarchy:
        placed = self.chance.sample(self.groups, 100)
        parents: list[int | None] = [None] * 4
        depths = [1] * 4
        for place in range(4, 100):
            parent = self.chance.choice([at for at in range(place) if depths[at] < 6])
            parents.append(parent)
            depths.append(depths[parent] + 1)
        key, nodes = self.sown.hierarchy("Sales", self.levels, [group.key for group in placed], parents)
        rows = [
            Node(nodes[place], group, None if parent is None else nodes[parent], depth)
            for place, (group, parent, depth) in enumerate(zip(placed, parents, depths, strict=True))
        ]
        self.nodes = list(in_display_order(rows, None))
        return Hierarchy(key, "Sales", "The hierarchy Sales", START, START)

    def _hierarchy(self, number: int) -> Hierarchy:
        name, at = f"{self.chance.choice(NAMES)} hierarchy {number}", self._later(5)
        key, _ = self.sown.hierarchy(name, ["Only"], [self.groups[0].key], [None], at)
        return Hierarchy(key, name, f"The hierarchy {name}", at, at)

    def _change(self, number: int) -> Change:
        action, actor = self.chance.choice(ACTIONS), self.chance.choice(["ann", "Ann", "bob"])
        at = START + timedelta(seconds=number // 3)
        hierarchy = self.hierarchies[0].key if number % 2 else None
        group = (self.group, self.groups[1], self.groups[2])[number % 3].key
        key = self.sown.change(action, f"change {number}", hierarchy, group, actor=actor, at=at)
        return Change(key, action, actor, at, hierarchy, group)

    def _stock(self) -> None:
        """24 items, with 90 reservations of every kind for a few groups; what is LATE nobody has closed yet."""
        kinds = ["OPEN", "OPEN", "LATE", "CONSUMED", "RELEASED", "EXPIRED"]
        groups = [self.group, *(group for group in self.groups[:3] if group != self.group)]
        planned = [
            (self.chance.randrange(24), self.chance.choice(groups), self.chance.choice(kinds)) for _ in range(90)
        ]
        for number in range(24):
            sku = f"{self.chance.choice(NAMES)} {number // 2}"
            location = ("MAIN", "Łódź")[number % 2]
            held = sum(place == number and kind in ("OPEN", "LATE") for place, _, kind in planned)
            self.items.append(Item(self.sown.stock_item(sku, location, held + 5, held), sku, location))
        for place, group, kind in planned:
            item = self.items[place]
            key = self.sown.reservation(
                item.key,
                group.key,
                consumed=int(kind == "CONSUMED"),
                status="OPEN" if kind == "LATE" else kind,
                expires_at=START if kind in ("LATE", "EXPIRED") else None,
            )
            self.reservations.append(Reservation(key, item, group, "EXPIRED" if kind == "LATE" else kind))

    def reservations_of(self, item: Item) -> list[Reservation]:
        return [reservation for reservation in self.reservations if reservation.item == item]

    @property
    def roots(self) -> list[Node]:
        return [node for node in self.nodes if node.parent is None]

    def children(self, node: Node) -> list[Node]:
        return [other for other in self.nodes if other.parent == node.key]

    def below(self, node: Node) -> list[Node]:
        """In display order."""
        known, found = {node.key}, []
        for other in self.nodes:
            if other.parent in known:
                known.add(other.key)
                found.append(other)
        return found

    def above(self, node: Node) -> list[Node]:
        """From the root down to the parent."""
        by_key = {other.key: other for other in self.nodes}
        found: list[Node] = []
        while (up := (found[0] if found else node).parent) is not None:
            found.insert(0, by_key[up])
        return found

    def members(self, node: Node, *, direct: bool = False) -> list[Customer]:
        """The customers of the groups at a node and, unless direct, below it; each once."""
        nodes = [node] if direct else [node, *self.below(node)]
        keys = {key for other in nodes for key in other.group.customers}
        return [customer for customer in self.customers if customer.key in keys]

    def members_of(self, group: Group) -> list[Customer]:
        return [customer for customer in self.customers if customer.key in group.customers]

    def groups_of(self, customer: Customer) -> list[Group]:
        return [group for group in self.groups if customer.key in group.customers]

    @property
    def unassigned(self) -> list[Group]:
        placed = {node.group.key for node in self.nodes}
        return [group for group in self.groups if group.key not in placed]


def in_display_order(nodes: Sequence[Node], parent: int | None) -> Iterator[Node]:
    """Each parent before its children; siblings were sown in their order."""
    for node in nodes:
        if node.parent == parent:
            yield node
            yield from in_display_order(nodes, node.key)


GROUP_ORDERS: dict[str, Callable[[Group], Any]] = {
    "CODE": lambda row: folded(row.code),
    "NAME": lambda row: folded(row.name),
    "STATUS": lambda row: row.status,
    "CUSTOMER_COUNT": lambda row: len(row.customers),
    "CREATED_AT": lambda row: row.created_at,
    "UPDATED_AT": lambda row: row.updated_at,
}
CUSTOMER_ORDERS: dict[str, Callable[[Customer], Any]] = {
    "CODE": lambda row: folded(row.code),
    "NAME": lambda row: folded(row.name),
    "TYPE": lambda row: folded(row.type, accents=True),
    "CREATED_AT": lambda row: row.created_at,
}
HIERARCHY_ORDERS: dict[str, Callable[[Hierarchy], Any]] = {
    "NAME": lambda row: folded(row.name),
    "CREATED_AT": lambda row: row.created_at,
    "UPDATED_AT": lambda row: row.updated_at,
}


def ordered(rows: Sequence[T], key: Callable[[T], Any], *, descending: bool = False) -> list[T]:
    """Equal ones by age, the other way round where the order is."""
    return sorted(rows, key=lambda row: (key(row), row.key), reverse=descending)


CATALOGUE = Catalogue()
