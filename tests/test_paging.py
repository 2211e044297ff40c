"""Every connection, page by page: against lists that Python makes of the same rows, and while others change them."""

import base64
import json
import random
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from tests.support.client import Grove, Json
from tests.support.company import application
from tests.support.databases import Databases, fresh
from tests.support.listed import Listed
from tests.support.payloads import SCHEMA
from tests.support.sowing import START, Sowing, change_id, customer_id, group_id, hierarchy_id, node_id

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
    *(
        "Ångström",
        "Zebra",
        "zebra 2",
        "Ärger",
        "ärger 2",
        "Øl",
        "Œuvre",
        "oeuvre 2",
        "İzmir",
        "Izmir 2",
        "ΣΊΣΥΦΟΣ",
        "σίσυφος 2",
    ),
    *(
        "日本酒",
        "日本酒 2",
        "🍷 Bar",
        "🍷🍷",
        "O'Neill",
        'Quoted "Name"',
        "Semi; colon",
        "-- comment",
        "a b",
        "a  c",
        "ａ ｄ",
    ),
]
TYPES = ["RETAILER", "Retailer", "BAR", "", "Hôtel", "hotel"]
ACTIONS = ["GROUP_CREATED", "GROUP_UPDATED", "GROUP_ASSIGNED", "NODE_MOVED"]
# Letters that lose a stroke rather than an accent.
STROKES = str.maketrans({"ł": "l", "ø": "o", "œ": "oe", "ı": "i"})


def folded(text: str, *, accents: bool = False) -> str:
    """What is compared: without regard to case, forms of letters, blanks and, unless told otherwise, accents."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    if not accents:
        bare = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
        text = unicodedata.normalize("NFKC", "".join(bare).translate(STROKES))
    return " ".join(text.split())


@dataclass
class Row:
    """Something in the list that Python makes; `key` counts up with age."""

    key: int
    id: str
    code: str = ""
    name: str = ""
    description: str = ""
    status: str = "ACTIVE"
    type: str = ""
    customers: set[int] = field(default_factory=set)
    created_at: datetime = START
    updated_at: datetime = START
    parent: int | None = None
    depth: int = 0
    action: str = ""
    actor: str = ""


@dataclass
class World:
    """All rows, as Python knows them, oldest first; the nodes are those of «Sales» in display order."""

    grove: Grove
    groups: list[Row]
    customers: list[Row]
    hierarchies: list[Row]
    nodes: list[Row]
    changes: list[Row]
    ids: dict[str, str]

    def below(self, key: int) -> list[Row]:
        """The nodes below one, in display order."""
        known = {key}
        found = []
        for node in self.nodes:
            if node.parent in known:
                known.add(node.key)
                found.append(node)
        return found

    def group_of(self, node: Row) -> Row:
        return next(group for group in self.groups if group.code == node.code)


@pytest.fixture(scope="module")
async def world(databases: Databases) -> AsyncIterator[World]:
    async with fresh(databases) as url:
        world, sown = sow_world()
        await sown.write(url)
        async with application(url) as grove:
            world.grove = grove
            yield world


def sow_world() -> tuple[World, Sowing]:
    """Some 120 groups, 90 customers and 100 nodes with names from NAMES, many of them equal in one order or another."""
    chance = random.Random(4_711)
    sown = Sowing()
    customers = []
    for number in range(90):
        code, name = f"C-{number:03}", chance.choice(NAMES)
        type, at = chance.choice(TYPES), START + timedelta(microseconds=chance.randrange(30))
        key = sown.customer(code, name, type, at)
        customers.append(Row(key, customer_id(key), code, name, type=type, created_at=at))
    groups = []
    for number in range(120):
        code = f"{chance.choice('gGé%_')}-{number:03}"
        name = NAMES[number] if number < len(NAMES) else f"{chance.choice(NAMES)} {number}"
        description, status = (
            chance.choice(["", "Wein & Bier", "Vin,\nbière"]),
            chance.choice(["ACTIVE", "ACTIVE", "INACTIVE"]),
        )
        members = sorted(row.key for row in chance.sample(customers, chance.choice([0, 0, 1, 2, 2, 5])))
        created, updated = (START + timedelta(microseconds=chance.randrange(40)) for _ in range(2))
        key = sown.group(code, name, description, status, members, created, updated)
        groups.append(
            Row(
                key,
                group_id(key),
                code,
                name,
                description,
                status,
                customers=set(members),
                created_at=created,
                updated_at=updated,
            )
        )
    placed, parents = chance.sample(groups, 100), [None] * 4 + [None] * 96
    depths = [1] * 4
    for place in range(4, 100):
        parent = chance.choice([at for at in range(place) if depths[at] < 6])
        parents[place] = parent  # type: ignore[call-overload]
        depths.append(depths[parent] + 1)
    levels = [f"Level {depth}" for depth in range(1, 7)]
    hierarchy, keys = sown.hierarchy("Sales", levels, [group.key for group in placed], parents)
    nodes = {
        place: Row(
            keys[place],
            node_id(keys[place]),
            group.code,
            parent=None if parents[place] is None else keys[parents[place]],
            depth=depths[place],
        )
        for place, group in enumerate(placed)
    }
    hierarchies = [Row(hierarchy, hierarchy_id(hierarchy), name="Sales", description="The hierarchy Sales")]
    for number in range(12):
        at = START + timedelta(microseconds=chance.randrange(5))
        name = f"{chance.choice(NAMES)} hierarchy {number}"
        key, _ = sown.hierarchy(name, ["Only"], [placed[0].key], [None], at)
        description = f"The hierarchy {name}"
        hierarchies.append(
            Row(key, hierarchy_id(key), name=name, description=description, created_at=at, updated_at=at)
        )
    changes = []
    for number in range(80):
        action, actor = chance.choice(ACTIONS), chance.choice(["ann", "Ann", "bob"])
        at = START + timedelta(seconds=number // 3)
        key = sown.change(
            action, f"change {number}", hierarchy if number % 2 else None, placed[number % 3].key, actor=actor, at=at
        )
        changes.append(
            Row(
                key,
                change_id(key),
                action=action,
                actor=actor,
                created_at=at,
                code=placed[number % 3].code,
                depth=number % 2,
            )
        )
    top = max(nodes.values(), key=lambda node: sum(1 for other in nodes.values() if other.parent == node.key))
    ids = {
        "node": top.id,
        "group": placed[0].id,
        "customer": max(customers, key=lambda row: sum(row.key in group.customers for group in groups)).id,
    }
    display = list(in_display_order(list(nodes.values()), None))
    return World(None, groups, customers, hierarchies, display, changes, ids), sown  # type: ignore[arg-type]


def in_display_order(nodes: Sequence[Row], parent: int | None) -> Iterator[Row]:
    """Each parent before its children; siblings were sown in their order."""
    for node in nodes:
        if node.parent == parent:
            yield node
            yield from in_display_order(nodes, node.key)


# ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────

Key = Callable[[Row], Any]
GROUP_ORDERS: dict[str, Key] = {
    "CODE": lambda row: folded(row.code),
    "NAME": lambda row: folded(row.name),
    "STATUS": lambda row: row.status,
    "CUSTOMER_COUNT": lambda row: len(row.customers),
    "CREATED_AT": lambda row: row.created_at,
    "UPDATED_AT": lambda row: row.updated_at,
}
CUSTOMER_ORDERS: dict[str, Key] = {
    "CODE": lambda row: folded(row.code),
    "NAME": lambda row: folded(row.name),
    "TYPE": lambda row: folded(row.type, accents=True),
    "CREATED_AT": lambda row: row.created_at,
}
HIERARCHY_ORDERS: dict[str, Key] = {
    "NAME": lambda row: folded(row.name),
    "CREATED_AT": lambda row: row.created_at,
    "UPDATED_AT": lambda row: row.updated_at,
}


def ordered(rows: Sequence[Row], key: Key, *, descending: bool = False) -> list[Row]:
    """Equal ones by age, the other way round where the order is."""
    return sorted(rows, key=lambda row: (key(row), row.key), reverse=descending)


def test_every_order_is_tried() -> None:
    for name, orders in (
        ("CustomerGroupOrderField", GROUP_ORDERS),
        ("CustomerOrderField", CUSTOMER_ORDERS),
        ("HierarchyOrderField", HIERARCHY_ORDERS),
    ):
        assert set(getattr(SCHEMA.type_map[name], "values", ())) == set(orders)


SALES = 'hierarchy(by: { name: "Sales" }) { %s }'
NODE = 'hierarchyNode(id: "@node") { %s }'
GROUP = 'customerGroup(by: { id: "@group" }) { %s }'
CUSTOMER = 'customer(by: { id: "@customer" }) { %s }'

# Each connection with the rows that it must have, in their order.
Rows = Callable[[World], list[Row]]
LISTS: dict[Listed, Rows] = {}


def lists(field: str, around: str, orders: Mapping[str, Key], default: str, rows: Rows, arguments: str = "") -> None:
    """A connection in its default order, and in every other one in both directions."""
    more = f", {arguments}" if arguments else ""
    LISTS[Listed(field, around, arguments)] = lambda world: ordered(rows(world), orders[default])
    for order, direction in product(orders, ("ASC", "DESC")):
        listed = Listed(field, around, f"orderBy: {{ field: {order}, direction: {direction} }}{more}")
        LISTS[listed] = lambda world, key=orders[order], down=direction == "DESC": ordered(
            rows(world), key, descending=down
        )  # type: ignore[misc]


def members_below(world: World, *, direct: bool) -> list[Row]:
    """The customers of the groups at a node and, unless direct, below it; each once."""
    top = next(node for node in world.nodes if node.id == world.ids["node"])
    nodes = [top] if direct else [top, *world.below(top.key)]
    members = {key for node in nodes for key in world.group_of(node).customers}
    return [row for row in world.customers if row.key in members]


def group_at(world: World) -> Row:
    return next(group for group in world.groups if group.id == world.ids["group"])


def groups_of(world: World) -> list[Row]:
    customer = next(row for row in world.customers if row.id == world.ids["customer"])
    return [group for group in world.groups if customer.key in group.customers]


def unassigned(world: World) -> list[Row]:
    placed = {node.code for node in world.nodes}
    return [group for group in world.groups if group.code not in placed]


def node_at(world: World) -> Row:
    return next(node for node in world.nodes if node.id == world.ids["node"])


lists("hierarchies", "%s", HIERARCHY_ORDERS, "NAME", lambda world: world.hierarchies)
lists("customerGroups", "%s", GROUP_ORDERS, "NAME", lambda world: world.groups)
lists("customers", "%s", CUSTOMER_ORDERS, "CODE", lambda world: world.customers)
lists("unassignedGroups", SALES, GROUP_ORDERS, "NAME", unassigned)
lists("groups", CUSTOMER, GROUP_ORDERS, "NAME", groups_of)
lists("customers", NODE, CUSTOMER_ORDERS, "CODE", lambda world: members_below(world, direct=False))
lists("customers", NODE, CUSTOMER_ORDERS, "CODE", lambda world: members_below(world, direct=True), "scope: DIRECT")
lists(
    "customers",
    GROUP,
    CUSTOMER_ORDERS,
    "CODE",
    lambda world: [row for row in world.customers if row.key in group_at(world).customers],
)
LISTS |= {
    Listed("changes"): lambda world: world.changes[::-1],
    Listed("changes", SALES): lambda world: [row for row in world.changes[::-1] if row.depth == 1],
    Listed("changes", GROUP): lambda world: [row for row in world.changes[::-1] if row.code == group_at(world).code],
    Listed("roots", SALES): lambda world: [node for node in world.nodes if node.parent is None],
    Listed("nodes", SALES): lambda world: world.nodes,
    Listed("children", NODE): lambda world: [node for node in world.nodes if node.parent == node_at(world).key],
    Listed("descendants", NODE): lambda world: world.below(node_at(world).key),
}


def test_every_connection_is_tried() -> None:
    owners = {SALES: "Hierarchy", NODE: "HierarchyNode", GROUP: "CustomerGroup", CUSTOMER: "Customer", "%s": "Query"}
    tried = {f"{owners[listed.around]}.{listed.field}" for listed in LISTS}
    there = {
        f"{type.name}.{name}"
        for type in SCHEMA.type_map.values()
        if isinstance(type, GraphQLObjectType)
        for name, field in type.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    }
    assert tried == there


def there(world: World, listed: Listed) -> Listed:
    """The connection with the ids of this world in it."""
    around = listed.around
    for name, id in world.ids.items():
        around = around.replace(f'"@{name}"', f'"{id}"')
    return Listed(listed.field, around, listed.arguments)


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_page_by_page(world: World, listed: Listed) -> None:
    """Forward and backward, in pages of any size: all rows, each once, in their order; the total is their number."""
    wanted = [row.id for row in LISTS[listed](world)]
    assert len(wanted) >= 3
    listed = there(world, listed)
    for size in (1_000, 7, 3 if len(wanted) < 30 else 49):
        assert await listed.all(world.grove, size) == wanted
        assert await listed.all(world.grove, size, backward=True) == wanted
    whole = await listed.page(world.grove)
    assert whole.ids == wanted[:50]
    assert (whole.total, whole.has_next, whole.has_previous) == (len(wanted), len(wanted) > 50, False)


@pytest.mark.parametrize("listed", [listed for listed in LISTS if "DESC" not in listed.arguments], ids=str)
async def test_combinations_of_the_page_arguments(world: World, listed: Listed) -> None:
    """after and before narrow the list down, then first or last takes its part of what is left."""
    wanted = [row.id for row in LISTS[listed](world)]
    listed = there(world, listed)
    cursors = (await listed.page(world.grove, first=1_000)).cursors
    last = len(wanted) - 1
    edges = [
        (None, None),
        (0, None),
        (last, None),
        (None, 0),
        (None, last),
        (0, last),
        (last // 2, last),
        (1, 1),
        (last, 0),
    ]
    for (after, before), size in product(edges, (0, 1, 2, 1_000)):
        start = 0 if after is None else after + 1
        rest = wanted[start : len(wanted) if before is None else max(before, start)]
        arguments = {
            "after": None if after is None else cursors[after],
            "before": None if before is None else cursors[before],
        }
        page = await listed.page(world.grove, first=size, **arguments)
        assert page.ids == rest[:size]
        assert page.has_next is (len(rest) > size)
        assert page.total == len(wanted)
        page = await listed.page(world.grove, last=size, **arguments)
        assert page.ids == rest[max(len(rest) - size, 0) :]
        assert page.has_previous is (len(rest) > size)
        assert page.total == len(wanted)


@pytest.mark.parametrize("listed", [listed for listed in LISTS if "orderBy" not in listed.arguments], ids=str)
@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({"first": 1_001}, "at most 1,000"),
        ({"last": 1_001}, "at most 1,000"),
        ({"first": 2_147_483_647}, "at most 1,000"),
        ({"first": -1}, "negative"),
        ({"last": -1}, "negative"),
        ({"last": -2_147_483_648}, "negative"),
        ({"first": 1, "last": 1}, "both"),
        ({"first": 0, "last": 0}, "both"),
    ],
    ids=str,
)
async def test_pages_that_are_refused(world: World, listed: Listed, page: Mapping[str, int], words: str) -> None:
    answer = await there(world, listed).ask(world.grove, **page)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
    assert words in answer["errors"][0]["message"]


# ── cursors ─────────────────────────────────────────────────────────────────────────────────────────────────


def packed(value: Any) -> str:
    """A cursor that holds any JSON value."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unpacked(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


MANGLED = [
    *("", " ", "x", "☃", "====", "not a cursor", "null", "\n", "a" * 100_000),
    *(packed(value) for value in (None, 1, "text", [], {}, [[]], [None], {"a": 1}, [1, 2], ["group.name"])),
    base64.urlsafe_b64encode(b"[" * 50_000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]


@pytest.mark.parametrize("listed", [listed for listed in LISTS if "orderBy" not in listed.arguments], ids=str)
async def test_mangled_cursors(world: World, listed: Listed) -> None:
    listed = there(world, listed)
    cursors = (await listed.page(world.grove, first=3)).cursors
    cut = [cursors[0][:-1], cursors[0][1:], cursors[0] + "A", cursors[0].swapcase(), f"{cursors[0]} "]
    for cursor, side in product([*MANGLED, *cut], ("after", "before")):
        answer = await listed.ask(world.grove, **{side: cursor})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], cursor[:100]
        assert "cursor" in answer["errors"][0]["message"]


HOSTILE: list[Any] = [
    *(None, True, 1.5, -1, 0, 2**31, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 10**30),
    *("", "x", "\0", "a\0b", "~", "~~", "9" * 5_000, "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:59"),
    *(
        "9999-12-31T23:59:59.999999-23:59",
        "2026-13-45T00:00:00+00:00",
        [],
        [[]],
        {},
        [[1, "a"]],
        [["a", 1]],
        [[2**64 - 1, "a"]],
    ),
    *([[1, "\0"]], [[1]], [[1, "a", 2]], [[True, "a"]]),
]


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_forged_cursors(world: World, listed: Listed) -> None:
    """Whatever somebody puts into a cursor: a page of the list, or a clear error, never a fault."""
    listed = there(world, listed)
    cursor = (await listed.page(world.grove, first=2)).cursors[0]
    held = unpacked(cursor)
    assert packed(held) or cursor
    forged = [[*held[:place], value, *held[place + 1 :]] for place in range(1, len(held)) for value in HOSTILE]
    forged += [held[:-1], [*held, 1], [*held, *held], [held]]
    for value, side in product(forged, ("after", "before")):
        answer = await listed.ask(world.grove, first=2, **{side: packed(value)})
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        assert codes in ([], ["BAD_USER_INPUT"]), (value, answer["errors"])


async def test_cursors_of_another_list_or_order(world: World) -> None:
    """They are refused where they could not be told from the list's own."""
    kinds: dict[str, str] = {}
    for listed in LISTS:
        cursor = (await there(world, listed).page(world.grove, first=2)).cursors[0]
        kinds.setdefault(str(unpacked(cursor)[0]), cursor)
    assert len(kinds) >= 2 * len(GROUP_ORDERS) + 2 * len(CUSTOMER_ORDERS) + 2 * len(HIERARCHY_ORDERS) + 3
    for listed in LISTS:
        listed = there(world, listed)
        own = unpacked((await listed.page(world.grove, first=1)).cursors[0])[0]
        for kind, cursor in kinds.items():
            answer = await listed.ask(world.grove, first=1, after=cursor)
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            assert codes == ([] if kind == own else ["BAD_USER_INPUT"]), (own, kind)


# ── filters ─────────────────────────────────────────────────────────────────────────────────────────────────

Condition = Callable[[World, Row], bool]
TEXTS = ["%", "_", "\\", "\\%", "0%", "50_", "etoile", "ÉTOILE", "e\u0301toile", "lodz", "ŁÓDŹ", "strasse", "ß", "ﬁ"]
TEXTS += [
    "fish",
    "a",
    "A B",
    "a\u00a0b",
    "日本",
    "酒",
    "🍷",
    "'",
    '"',
    "--",
    "σίσυφος",
    "ΣΙΣΥΦΟΣ",
    "izmir",
    "zzz",
    "wine",
]


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def string_matches(name: str, value: Callable[[Row], str], texts: Sequence[str]) -> Iterator[tuple[str, Condition]]:
    """Every form of StringMatch on a field, with its meaning."""
    for text in texts:
        part = folded(text)
        yield f"{name}: {{ contains: {quoted(text)} }}", lambda _, row, part=part: part in folded(value(row))
        yield f"{name}: {{ startsWith: {quoted(text)} }}", lambda _, row, part=part: folded(value(row)).startswith(part)
        yield f"{name}: {{ equals: {quoted(text)} }}", lambda _, row, part=part: folded(value(row)) == part
    whole = [folded(text) for text in texts]
    yield f"{name}: {{ in: [{', '.join(map(quoted, texts))}] }}", lambda _, row: folded(value(row)) in whole
    yield f"{name}: {{ in: [] }}", lambda _, row: False
    yield f"{name}: null", lambda _, row: True


def customer_named(world: World, code: str) -> int:
    return next(row.key for row in world.customers if row.code == code)


def members_of(world: World, name: str) -> set[int]:
    return next(row.customers for row in world.groups if row.name == name)


# A group's name with two members at the least, and a customer's code; the sowing is always the same.
FULL_GROUP = next(row.name for row in sow_world()[0].groups if len(row.customers) == 5)
BUSY_CUSTOMER = next(
    row.code
    for world in [sow_world()[0]]
    for row in world.customers
    if sum(row.key in group.customers for group in world.groups) >= 4
)

GROUP_FILTERS: list[tuple[str, Condition]] = [
    *string_matches("name", lambda row: row.name, [*TEXTS, *NAMES[::7]]),
    *string_matches("code", lambda row: row.code, ["g", "G-0", "é-", "E", "%", "_-", "\\", "g-004", "1"]),
    *(
        (
            f"search: {quoted(text)}",
            lambda _, row, part=folded(text): any(
                part in folded(value) for value in (row.code, row.name, row.description)
            ),
        )
        for text in [*TEXTS, "wein & BIER", "biere", "g-1", "  Wine ", "vin, bière", ""]
    ),
    ("status: ACTIVE", lambda _, row: row.status == "ACTIVE"),
    ("status: INACTIVE", lambda _, row: row.status == "INACTIVE"),
    ("customerCount: { min: 2 }", lambda _, row: len(row.customers) >= 2),
    ("customerCount: { max: 0 }", lambda _, row: not row.customers),
    ("customerCount: { min: 1, max: 2 }", lambda _, row: 1 <= len(row.customers) <= 2),
    ("customerCount: { min: 3, max: 2 }", lambda _, row: False),
    ("customerCount: { min: -2147483648, max: 2147483647 }", lambda _, row: True),
    ("customerCount: {}", lambda _, row: True),
    ("customerCount: { min: null, max: 1 }", lambda _, row: len(row.customers) <= 1),
    (
        f"containsCustomer: {{ code: {quoted(BUSY_CUSTOMER.lower())} }}",
        lambda world, row: customer_named(world, BUSY_CUSTOMER) in row.customers,
    ),
    ('containsCustomer: { code: "nobody" }', lambda _, row: False),
    (
        f'containsCustomer: {{ code: "{BUSY_CUSTOMER}" }}, status: ACTIVE, customerCount: {{ min: 2 }}, search: "a"',
        lambda world, row: (
            customer_named(world, BUSY_CUSTOMER) in row.customers
            and row.status == "ACTIVE"
            and len(row.customers) >= 2
            and any("a" in folded(value) for value in (row.code, row.name, row.description))
        ),
    ),
    ("", lambda _, row: True),
]
CUSTOMER_FILTERS: list[tuple[str, Condition]] = [
    *string_matches("name", lambda row: row.name, TEXTS),
    *string_matches("code", lambda row: row.code, ["c-00", "C-012", "c", "%"]),
    *(
        (
            f"search: {quoted(text)}",
            lambda _, row, part=folded(text): part in folded(row.code) or part in folded(row.name),
        )
        for text in [*TEXTS, "c-01"]
    ),
    ('type: ["retailer"]', lambda _, row: row.type.casefold() == "retailer"),
    ('type: ["BAR", "HÔTEL"]', lambda _, row: row.type in ("BAR", "Hôtel")),
    ('type: ["hotel"]', lambda _, row: row.type == "hotel"),
    ('type: [""]', lambda _, row: row.type == ""),
    ("type: []", lambda _, row: False),
    ("type: null", lambda _, row: True),
    (
        f"inGroup: {{ name: {quoted(FULL_GROUP.upper())} }}",
        lambda world, row: row.key in members_of(world, FULL_GROUP),
    ),
    (
        f"notInGroup: {{ name: {quoted(FULL_GROUP)} }}",
        lambda world, row: row.key not in members_of(world, FULL_GROUP),
    ),
    (
        f"inGroup: {{ name: {quoted(FULL_GROUP)} }}, notInGroup: {{ name: {quoted(FULL_GROUP)} }}",
        lambda _, row: False,
    ),
    ('inGroup: { code: "nowhere" }', lambda _, row: False),
    ('notInGroup: { code: "nowhere" }', lambda _, row: True),
]
NODE_FILTERS: list[tuple[str, Condition]] = [
    *(
        (
            f"search: {quoted(text)}",
            lambda world, row, part=folded(text): any(
                part in folded(value)
                for group in [world.group_of(row)]
                for value in (group.code, group.name, group.description)
            ),
        )
        for text in ["%", "_", "e", "wine", "bière", "g-0", "zzz"]
    ),
    *((f"depth: {depth}", lambda _, row, depth=depth: row.depth == depth) for depth in (-1, 0, 1, 2, 3, 4, 5, 6, 7)),
    *(
        (f"level: {quoted(level)}", lambda _, row, level=level: f"level {row.depth}" == level.strip().lower())
        for level in ("Level 1", " level 3", "LEVEL 6", "Level 7", "")
    ),
    ("status: ACTIVE", lambda world, row: world.group_of(row).status == "ACTIVE"),
    ("status: INACTIVE", lambda world, row: world.group_of(row).status == "INACTIVE"),
    (
        'status: INACTIVE, depth: 4, search: "e"',
        lambda world, row: (
            row.depth == 4
            and world.group_of(row).status == "INACTIVE"
            and any("e" in folded(getattr(world.group_of(row), name)) for name in ("code", "name", "description"))
        ),
    ),
    (
        'depth: 3, level: "Level 3", status: ACTIVE',
        lambda world, row: row.depth == 3 and world.group_of(row).status == "ACTIVE",
    ),
    ('depth: 3, level: "Level 4"', lambda _, row: False),
    ("", lambda _, row: True),
]
MIDDLE = START + timedelta(seconds=10)
CHANGE_FILTERS: list[tuple[str, Condition]] = [
    ("action: [GROUP_CREATED]", lambda _, row: row.action == "GROUP_CREATED"),
    ("action: [GROUP_UPDATED, NODE_MOVED]", lambda _, row: row.action in ("GROUP_UPDATED", "NODE_MOVED")),
    ("action: []", lambda _, row: False),
    ("action: null", lambda _, row: True),
    ('actor: "ann"', lambda _, row: row.actor == "ann"),
    ('actor: "nobody"', lambda _, row: False),
    (f'since: "{MIDDLE.isoformat()}"', lambda _, row: row.created_at >= MIDDLE),
    (f'until: "{MIDDLE.isoformat()}"', lambda _, row: row.created_at < MIDDLE),
    # The same instant elsewhere on earth, and to the microsecond.
    (
        f'since: "{(MIDDLE + timedelta(hours=5, minutes=30)).replace(tzinfo=None).isoformat()}+05:30"',
        lambda _, row: row.created_at >= MIDDLE,
    ),
    (
        f'since: "{(MIDDLE + timedelta(microseconds=1)).isoformat()}"',
        lambda _, row: row.created_at > MIDDLE,
    ),
    ('since: "0001-01-02T00:00:00Z", until: "9999-12-31T00:00:00Z"', lambda _, row: True),
    (
        f'action: [NODE_MOVED], actor: "Ann", since: "{START.isoformat()}", until: "{MIDDLE.isoformat()}"',
        lambda _, row: row.action == "NODE_MOVED" and row.actor == "Ann" and row.created_at < MIDDLE,
    ),
]


def filtered(field: str, around: str, filters: Sequence[tuple[str, Condition]], rows: Rows) -> list[Any]:
    return [pytest.param(field, around, text, condition, rows, id=f"{field} {text}") for text, condition in filters]


@pytest.mark.parametrize(
    ("field", "around", "text", "condition", "rows"),
    [
        *filtered("customerGroups", "%s", GROUP_FILTERS, lambda world: ordered(world.groups, GROUP_ORDERS["NAME"])),
        *filtered(
            "unassignedGroups",
            SALES,
            GROUP_FILTERS[::9],
            lambda world: ordered(unassigned(world), GROUP_ORDERS["NAME"]),
        ),
        *filtered(
            "groups", CUSTOMER, GROUP_FILTERS[::9], lambda world: ordered(groups_of(world), GROUP_ORDERS["NAME"])
        ),
        *filtered("customers", "%s", CUSTOMER_FILTERS, lambda world: ordered(world.customers, CUSTOMER_ORDERS["CODE"])),
        *filtered(
            "customers",
            NODE,
            CUSTOMER_FILTERS[::9],
            lambda world: ordered(members_below(world, direct=False), CUSTOMER_ORDERS["CODE"]),
        ),
        *filtered("nodes", SALES, NODE_FILTERS, lambda world: world.nodes),
        *filtered("changes", "%s", CHANGE_FILTERS, lambda world: world.changes[::-1]),
    ],
)
async def test_filters(world: World, field: str, around: str, text: str, condition: Condition, rows: Rows) -> None:
    """All given conditions hold together; the total is what paging yields, either way."""
    wanted = [row.id for row in rows(world) if condition(world, row)]
    listed = there(world, Listed(field, around, f"filter: {{ {text} }}"))
    for size, backward in ((1_000, False), (max(2, len(wanted) // 3), False), (max(2, len(wanted) // 3), True)):
        assert await listed.all(world.grove, size, backward=backward) == wanted
    assert (await listed.page(world.grove, first=0)).total == len(wanted)


@pytest.mark.parametrize("depth", [1, 2, 3, 10, 2_147_483_647])
async def test_descendants_down_to_a_depth(world: World, depth: int) -> None:
    top = node_at(world)
    wanted = [node.id for node in world.below(top.key) if node.depth <= top.depth + depth]
    listed = there(world, Listed("descendants", NODE, f"maxDepth: {depth}"))
    for size, backward in product((1_000, 5), (False, True)):
        assert await listed.all(world.grove, size, backward=backward) == wanted
    assert (await listed.page(world.grove, first=0)).total == len(wanted)


async def test_hierarchies_found(world: World) -> None:
    for text in ("%", "etoile", "THE hierarchy sal", "hierarchy 1", "zzz", ""):
        rows = [
            row
            for row in ordered(world.hierarchies, HIERARCHY_ORDERS["NAME"])
            if folded(text) in folded(row.name) or folded(text) in folded(row.description)
        ]
        listed = Listed("hierarchies", "%s", f"filter: {{ search: {quoted(text)} }}")
        assert await listed.all(world.grove, 4) == [row.id for row in rows]
        assert (await listed.page(world.grove, first=0)).total == len(rows)


@pytest.mark.parametrize(
    "text",
    ["x" * 100_000, "%" * 60_000, "é" * 50_000, "\u0301", "\u200b", "a\nb", "\u0085", "\ud7ff", "\uffff", "\U0010ffff"],
    ids=["long", "many %", "long é", "accent", "no width", "two lines", "next line", "d7ff", "ffff", "10ffff"],
)
async def test_odd_texts_to_look_for(world: World, text: str) -> None:
    """Both databases take them, and there is no fault, however long they are."""
    document = """
        query ($text: String!) {
          a: customerGroups(filter: { search: $text }) { totalCount }
          b: customerGroups(filter: { name: { contains: $text } }) { totalCount }
          c: customerGroups(filter: { name: { startsWith: $text } }) { totalCount nodes { id } }
          d: customers(filter: { code: { in: [$text] } }) { totalCount }
          e: customers(filter: { name: { equals: $text }, type: [$text] }) { totalCount }
          f: hierarchy(by: { name: "Sales" }) {
            nodes(filter: { search: $text, level: $text }) { totalCount nodes { id } }
            node(group: { name: $text }) { id }
          }
          g: customerGroup(by: { code: $text }) { id }
          h: customer(by: { code: $text }) { id }
          i: changes(filter: { actor: $text }) { totalCount }
        }
    """
    data = await world.grove.query(document, {"text": text})
    assert (data["d"]["totalCount"], data["g"], data["h"], data["f"]["node"]) == (0, None, None, None)


async def test_listings_of_nodes_and_hierarchies_side_by_side(world: World) -> None:
    """What looks alike in both is not mixed up where both are asked for at once."""
    top = node_at(world)
    inside = "(first: 1000) { totalCount nodes { id } }"
    ids = [world.hierarchies[0].id, top.id, world.nodes[0].id]
    data = await world.grove.query(
        f"""
        query ($ids: [ID!]!) {{
          nodes(ids: $ids) {{
            ... on Hierarchy {{ all: nodes{inside} below: roots{inside} }}
            ... on HierarchyNode {{ all: descendants{inside} below: children{inside} }}
          }}
        }}
        """,
        {"ids": ids},
    )
    expected = [
        (world.nodes, [node for node in world.nodes if node.parent is None]),
        *(
            (world.below(key), [node for node in world.nodes if node.parent == key])
            for key in (top.key, world.nodes[0].key)
        ),
    ]
    for found, (all, below) in zip(data["nodes"], expected, strict=True):
        assert [node["id"] for node in found["all"]["nodes"]] == [node.id for node in all]
        assert found["all"]["totalCount"] == len(all)
        assert [node["id"] for node in found["below"]["nodes"]] == [node.id for node in below]
        assert found["below"]["totalCount"] == len(below)


async def test_nodes_know_where_they_stand(world: World) -> None:
    """index, depth, level, parent, ancestors, path and counts of every node of the tree."""
    data = await world.grove.query(
        """
        {
          hierarchy(by: { name: "Sales" }) {
            nodes(first: 1000) {
              nodes {
                id index depth level { depth name } parent { id } ancestors { id } path
                childCount descendantCount customerCount direct: customerCount(scope: DIRECT)
              }
            }
          }
        }
        """
    )
    by_key = {node.key: node for node in world.nodes}
    for node, found in zip(world.nodes, data["hierarchy"]["nodes"]["nodes"], strict=True):
        above: list[Row] = []
        while (up := (above[0] if above else node).parent) is not None:
            above.insert(0, by_key[up])
        siblings = [other.id for other in world.nodes if other.parent == node.parent]
        below = world.below(node.key)
        members = [world.group_of(other).customers for other in [node, *below]]
        assert found == {
            "id": node.id,
            "index": siblings.index(node.id),
            "depth": node.depth,
            "level": {"depth": node.depth, "name": f"Level {node.depth}"},
            "parent": {"id": above[-1].id} if above else None,
            "ancestors": [{"id": other.id} for other in above],
            "path": [world.group_of(other).name for other in [*above, node]],
            "childCount": sum(other.parent == node.key for other in world.nodes),
            "descendantCount": len(below),
            "customerCount": len(set().union(*members)),
            "direct": len(members[0]),
        }


async def test_ids_in_the_order_asked(world: World) -> None:
    """Up to 1,000 at once, null where nothing has that id, twice what is asked for twice."""
    ids = [world.nodes[3].id, world.groups[0].id, node_id(1), world.nodes[3].id, world.changes[0].id, customer_id(1)]
    ask = "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"
    data = await world.grove.query(ask, {"ids": ids})
    assert [node and node["id"] for node in data["nodes"]] == [*ids[:2], None, *ids[3:5], None]
    data = await world.grove.query(ask, {"ids": [id for id in ids for _ in range(200)][:1_000]})
    assert len(data["nodes"]) == 1_000
    assert (await world.grove.query(ask, {"ids": []}))["nodes"] == []
    answer = await world.grove.execute(ask, {"ids": ids[:1] * 1_001})
    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "field",
    [
        "node(id: $id) { id }",
        "nodes(ids: [$id]) { id }",
        "hierarchyNode(id: $id) { id }",
        "hierarchy(by: { id: $id }) { id }",
        "customerGroup(by: { id: $id }) { id }",
        "customer(by: { id: $id }) { id }",
        "customers(filter: { inGroup: { id: $id } }) { totalCount }",
        "customers(filter: { notInGroup: { id: $id } }) { totalCount }",
        "customerGroups(filter: { containsCustomer: { id: $id } }) { totalCount }",
        'hierarchy(by: { name: "Sales" }) { node(group: { id: $id }) { id } }',
        "customers(first: 1) { nodes { isMember(group: { id: $id }) } }",
        "customers(first: 1) { nodes { nodes(hierarchy: { id: $id }) { id } } }",
    ],
)
async def test_ids_that_are_none(world: World, field: str) -> None:
    """A mangled id, or one of another type, is a clear error wherever it is asked for."""
    change = world.changes[0].id
    wrong = ["", "x", "node_", world.nodes[0].id[:-1], world.nodes[0].id.upper(), "\u0660" * 9, "node_" + "f" * 30]
    if not field.startswith(("node(", "nodes(")):
        wrong.append(change)
    for id in wrong:
        answer = await world.grove.execute(f"query ($id: ID!) {{ {field} }}", {"id": id})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], id
        assert "id" in answer["errors"][0]["message"]
