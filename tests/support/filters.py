"""Filters as GraphQL text, each with its meaning in Python, for the rows of tests/support/catalogue.py."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from tests.support.catalogue import CATALOGUE, Change, Customer, Group, Item, Node, Reservation, folded
from tests.support.sowing import START

T = TypeVar("T")
Filters = list[tuple[str, Callable[[T], bool]]]

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
FULL, BUSY = CATALOGUE.group, CATALOGUE.customer
MIDDLE = START + timedelta(seconds=10)


def quoted(text: str) -> str:
    """A GraphQL string."""
    return json.dumps(text, ensure_ascii=False)


def string_matches(name: str, value: Callable[[Any], str], texts: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Every form of StringMatch on a field."""

    def contains(text: str, row: Any) -> bool:
        return folded(text) in folded(value(row))

    def starts_with(text: str, row: Any) -> bool:
        return folded(value(row)).startswith(folded(text))

    def equals(texts: Sequence[str], row: Any) -> bool:
        return folded(value(row)) in map(folded, texts)

    for text in texts:
        yield f"{name}: {{ contains: {quoted(text)} }}", partial(contains, text)
        yield f"{name}: {{ startsWith: {quoted(text)} }}", partial(starts_with, text)
        yield f"{name}: {{ equals: {quoted(text)} }}", partial(equals, [text])
    yield f"{name}: {{ in: [{', '.join(map(quoted, texts))}] }}", partial(equals, texts)
    yield f"{name}: {{ in: [] }}", lambda _: False
    yield f"{name}: null", lambda _: True


def searches(texts: Sequence[str], has: Callable[[str, Any], bool]) -> Iterator[tuple[str, Any]]:
    return ((f"search: {quoted(text)}", partial(has, text)) for text in texts)


GROUP_FILTERS: Filters[Group] = [
    ("", lambda _: True),
    *string_matches("name", lambda row: row.name, [*TEXTS, *(group.name for group in CATALOGUE.groups[:50:7])]),
    *string_matches("code", lambda row: row.code, ["g", "G-0", "é-", "E", "%", "_-", "\\", "g-004", "1"]),
    *searches(
        [*TEXTS, "wein & BIER", "biere", "g-1", "  Wine ", "vin, bière", ""], lambda text, group: group.has(text)
    ),
    ("status: ACTIVE", lambda group: group.status == "ACTIVE"),
    ("status: INACTIVE", lambda group: group.status == "INACTIVE"),
    ("customerCount: { min: 2 }", lambda group: len(group.customers) >= 2),
    ("customerCount: { max: 0 }", lambda group: not group.customers),
    ("customerCount: { min: 1, max: 2 }", lambda group: 1 <= len(group.customers) <= 2),
    ("customerCount: { min: 3, max: 2 }", lambda _: False),
    ("customerCount: { min: -2147483648, max: 2147483647 }", lambda _: True),
    ("customerCount: {}", lambda _: True),
    ("customerCount: { min: null, max: 1 }", lambda group: len(group.customers) <= 1),
    (f"containsCustomer: {{ code: {quoted(BUSY.code.lower())} }}", lambda group: BUSY.key in group.customers),
    (f"containsCustomer: {{ id: {quoted(BUSY.id)} }}", lambda group: BUSY.key in group.customers),
    ('containsCustomer: { code: "nobody" }', lambda _: False),
    (
        f'containsCustomer: {{ code: {quoted(BUSY.code)} }}, status: ACTIVE, customerCount: {{ min: 2 }}, search: "1"',
        lambda group: (
            BUSY.key in group.customers and group.status == "ACTIVE" and len(group.customers) >= 2 and group.has("1")
        ),
    ),
]
CUSTOMER_FILTERS: Filters[Customer] = [
    ("", lambda _: True),
    *string_matches("name", lambda row: row.name, TEXTS[::3]),
    *string_matches("code", lambda row: row.code, ["c-00", "C-012", "c", "%"]),
    *searches(
        [*TEXTS[1::3], "c-01"], lambda text, row: folded(text) in folded(row.code) or folded(text) in folded(row.name)
    ),
    ('type: ["retailer"]', lambda customer: customer.type.casefold() == "retailer"),
    ('type: ["BAR", "HÔTEL"]', lambda customer: customer.type in ("BAR", "Hôtel")),
    ('type: ["hotel"]', lambda customer: customer.type == "hotel"),
    ('type: [""]', lambda customer: customer.type == ""),
    ("type: []", lambda _: False),
    ("type: null", lambda _: True),
    (f"inGroup: {{ name: {quoted(FULL.name.upper())} }}", lambda customer: customer.key in FULL.customers),
    (f"inGroup: {{ id: {quoted(FULL.id)} }}", lambda customer: customer.key in FULL.customers),
    (f"notInGroup: {{ code: {quoted(FULL.code)} }}", lambda customer: customer.key not in FULL.customers),
    (
        f"inGroup: {{ name: {quoted(FULL.name)} }}, notInGroup: {{ name: {quoted(FULL.name)} }}",
        lambda _: False,
    ),
    ('inGroup: { code: "nowhere" }', lambda _: False),
    ('notInGroup: { code: "nowhere" }', lambda _: True),
]


def on_level(level: str, node: Node) -> bool:
    return folded(level) == f"level {node.depth}"


NODE_FILTERS: Filters[Node] = [
    ("", lambda _: True),
    *searches(["%", "_", "e", "wine", "bière", "g-0", "zzz"], lambda text, node: node.group.has(text)),
    *((f"depth: {depth}", lambda node, depth=depth: node.depth == depth) for depth in range(-1, 8)),
    *(
        (f"level: {quoted(level)}", partial(on_level, level))
        for level in ("Level 1", " level 3", "LEVEL 6", "Level 7", "")
    ),
    ("status: ACTIVE", lambda node: node.group.status == "ACTIVE"),
    ("status: INACTIVE", lambda node: node.group.status == "INACTIVE"),
    (
        'status: INACTIVE, depth: 4, search: "e"',
        lambda node: node.depth == 4 and node.group.status == "INACTIVE" and node.group.has("e"),
    ),
    (
        'depth: 3, level: "Level 3", status: ACTIVE',
        lambda node: node.depth == 3 and node.group.status == "ACTIVE",
    ),
    ('depth: 3, level: "Level 4"', lambda _: False),
]
ITEM_FILTERS: Filters[Item] = [
    ("", lambda _: True),
    *string_matches("sku", lambda row: row.sku, [*TEXTS[::4], *(item.sku for item in CATALOGUE.items[:3])]),
    ('location: "ŁÓDŹ"', lambda item: item.location == "Łódź"),
    ('location: "Lodz"', lambda _: False),
    ('sku: { contains: "1" }, location: "main"', lambda item: "1" in item.sku and item.location == "MAIN"),
]
RESERVED = CATALOGUE.item
SKU = folded(RESERVED.sku, accents=True)
RESERVATION_FILTERS: Filters[Reservation] = [
    ("", lambda _: True),
    *(
        (f"status: [{status}]", lambda row, status=status: row.status == status)
        for status in ("OPEN", "CONSUMED", "RELEASED", "EXPIRED")
    ),
    ("status: [OPEN, EXPIRED]", lambda row: row.status in ("OPEN", "EXPIRED")),
    ("status: []", lambda _: False),
    ("status: null", lambda _: True),
    (f"sku: {quoted(RESERVED.sku.upper())}", lambda row: folded(row.item.sku, accents=True) == SKU),
    ('location: "main"', lambda row: row.item.location == "MAIN"),
    (
        f'sku: {quoted(RESERVED.sku)}, location: "main", status: [OPEN, CONSUMED]',
        lambda row: (
            folded(row.item.sku, accents=True) == SKU
            and row.item.location == "MAIN"
            and row.status in ("OPEN", "CONSUMED")
        ),
    ),
    (f"group: {{ id: {quoted(FULL.id)} }}", lambda row: row.group == FULL),
    (
        f"group: {{ name: {quoted(FULL.name.lower())} }}, status: [OPEN]",
        lambda row: row.group == FULL and row.status == "OPEN",
    ),
    (f"group: {{ code: {quoted(FULL.code)} }}", lambda row: row.group == FULL),
    ('group: { name: "nobody" }', lambda _: False),
]
CHANGE_FILTERS: Filters[Change] = [
    ("", lambda _: True),
    ("action: [GROUP_CREATED]", lambda change: change.action == "GROUP_CREATED"),
    ("action: [GROUP_UPDATED, NODE_MOVED]", lambda change: change.action in ("GROUP_UPDATED", "NODE_MOVED")),
    ("action: []", lambda _: False),
    ("action: null", lambda _: True),
    ('actor: "ann"', lambda change: change.actor == "ann"),
    ('actor: "nobody"', lambda _: False),
    (f'since: "{MIDDLE.isoformat()}"', lambda change: change.at >= MIDDLE),
    (f'until: "{MIDDLE.isoformat()}"', lambda change: change.at < MIDDLE),
    # The same instant elsewhere on earth, and to the microsecond.
    (
        f'since: "{(MIDDLE + timedelta(hours=5, minutes=30)).replace(tzinfo=None).isoformat()}+05:30"',
        lambda change: change.at >= MIDDLE,
    ),
    (f'since: "{(MIDDLE + timedelta(microseconds=1)).isoformat()}"', lambda change: change.at > MIDDLE),
    ('since: "0001-01-02T00:00:00Z", until: "9999-12-31T00:00:00Z"', lambda _: True),
    (
        f'action: [NODE_MOVED], actor: "Ann", since: "{START.isoformat()}", until: "{MIDDLE.isoformat()}"',
        lambda change: change.action == "NODE_MOVED" and change.actor == "Ann" and change.at < MIDDLE,
    ),
]
