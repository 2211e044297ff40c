"""Search: each filter alone, in pairs, and on names that Hypothesis makes up, against plain Python.

What is equal to whom is the same on both databases, since the folded texts are made in Python (service/names.py).
tests/test_paging.py has the filters in all lists, page by page; here are names that are easy to confuse.

GROVE_TEST_RUNS sets how many made-up sets of names are tried.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, count, product
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from service.names import CODE_LENGTH, NAME_LENGTH, fold, mistakes
from service.store.listing import behind
from tests.support.catalogue import Customer, Group, folded, ordered
from tests.support.client import Grove
from tests.support.company import application
from tests.support.databases import Databases, fresh
from tests.support.filters import quoted
from tests.support.listed import Listed
from tests.support.sowing import START, Sowing

RUNS = int(os.environ.get("GROVE_TEST_RUNS", "100"))

NAMES = [
    *("I ❤️ NY", "I ❤ NY 2", "Satriale's", "Satriale’s 2", "Łódź", "LODZ 2", "lódz 3", "İstanbul", "Istanbul 2"),
    *("ISTANBUL 3", "ıstanbul 4", "Straße", "STRASSE 2", "Ｆｕｌｌ Ｗｉｄｔｈ", "full width 2", "100%", "100x", "10_0"),
    *("10x0", "back\\slash", "backslash", "\\", "%", "_", "'", '"', "“East”", '"East" 2', "North–South"),
    *("north-south 2", "zero\u200bwidth", "zerowidth 2", "soft\u00adhyphen", "Ærø", "aero 2", "Ελλάς", "ΕΛΛΑΣ 2"),
    *("日本酒", "👩‍👩‍👧 Bar", "\U0010ffff", "a\U0010ffffb", "ab", "a", "Ａ 2", "\ud7ffx", "\ue000x", "two  blanks"),
]
TYPES = ["RETAILER", "Retailer ", "BAR", "", "Café"]


class Shop:
    """Customers and groups with these names, some of the groups in a hierarchy; all in the order of their age."""

    def __init__(self) -> None:
        self.sown = Sowing()
        self.customers = [self._customer(number, name) for number, name in enumerate(NAMES)]
        self.groups = [self._group(number, name) for number, name in enumerate(NAMES)]
        self.placed = self.groups[::2]
        self.sown.hierarchy("Łódź", ["Only"], [group.key for group in self.placed], [None] * len(self.placed))
        self.sown.hierarchy("Empty", ["Only"])

    def _customer(self, number: int, name: str) -> Customer:
        code, type = f"C{number % 7}-{name[:9]}", TYPES[number % len(TYPES)]
        return Customer(self.sown.customer(code, name, type), code, name, type, START)

    def _group(self, number: int, name: str) -> Group:
        # Descriptions are names too, those of others: only `search` looks at them.
        code, description = f"G{number % 5}-{NAMES[-number][:9]}", NAMES[number - 5]
        members = [self.customers[place].key for place in range(number % 4 * 3) if place % (number % 3 + 1) == 0]
        status = "INACTIVE" if number % 3 == 0 else "ACTIVE"
        key = self.sown.group(code, name, description, status, members)
        return Group(key, code, name, description, status, frozenset(members), START, START)


SHOP = Shop()


@pytest.fixture(scope="module")
async def grove(databases: Databases) -> AsyncIterator[Grove]:
    async with fresh(databases) as url:
        await SHOP.sown.write(url)
        async with application(url) as client:
            yield client


async def found(grove: Grove, field: str, filter: str) -> list[str]:
    """The ids of all that meet the filter."""
    return await Listed(field, "%s", f"filter: {{ {filter} }}").all(grove, 99)


# ── what people expect ──────────────────────────────────────────────────────────────────────────────────────

HEARTS, SATRIALES = {"I ❤️ NY", "I ❤ NY 2"}, {"Satriale's", "Satriale’s 2"}
CITIES, EASTS = {"İstanbul", "Istanbul 2", "ISTANBUL 3", "ıstanbul 4"}, {"“East”", '"East" 2'}
EXPECTED = {
    "I ❤️ NY": HEARTS,
    "i ❤ ny": HEARTS,
    "❤\ufe0f": HEARTS,
    "satriale's": SATRIALES,
    "SATRIALE’S": SATRIALES,
    "lodz": {"Łódź", "LODZ 2", "lódz 3"},
    "ŁÓDŹ": {"Łódź", "LODZ 2", "lódz 3"},
    "istanbul": CITIES,
    "İSTANBUL": CITIES,
    "strasse": {"Straße", "STRASSE 2"},
    "STRAẞE": {"Straße", "STRASSE 2"},
    "full width": {"Ｆｕｌｌ Ｗｉｄｔｈ", "full width 2"},
    "ＦＵＬＬ": {"Ｆｕｌｌ Ｗｉｄｔｈ", "full width 2"},
    "%": {"100%", "%"},
    "0%": {"100%"},
    "_": {"10_0", "_"},
    "\\": {"back\\slash", "\\"},
    "“east": EASTS,
    '"EAST"': EASTS,
    "north-": {"North–South", "north-south 2"},
    "zerowidth": {"zero\u200bwidth", "zerowidth 2"},
    "zero\u200bwi": {"zero\u200bwidth", "zerowidth 2"},
    "softhyphen": {"soft\u00adhyphen"},
    "aero": {"Ærø", "aero 2"},
    "ελλασ": {"Ελλάς", "ΕΛΛΑΣ 2"},
    "本": {"日本酒"},
    "two blanks": {"two  blanks"},
    "\U0010ffff": {"\U0010ffff", "a\U0010ffffb"},
    "": set(NAMES),
    "  ": set(NAMES),
    "nothing like it": set(),
}


@pytest.mark.parametrize("text", EXPECTED, ids=ascii)
async def test_what_a_name_contains(grove: Grove, text: str) -> None:
    for field in ("customers", "customerGroups"):
        document = f"query ($filter: {field[0].upper()}{field[1:-1]}Filter) {{ {field}(first: 99, filter: $filter)"
        data = await grove.query(document + "{ nodes { name } } }", {"filter": {"name": {"contains": text}}})
        assert {node["name"] for node in data[field]["nodes"]} == EXPECTED[text]


async def test_a_beginning_that_ends_in_the_last_of_all_characters(grove: Grove) -> None:
    """Nothing lies behind it that a range could end at."""
    for start, names in (("a\U0010ffff", {"a\U0010ffffb"}), ("\U0010ffff", {"\U0010ffff"}), ("\ud7ff", {"\ud7ffx"})):
        given = f"name: {{ startsWith: {quoted(start)} }}"
        assert {row.name for row in SHOP.groups if row.id in await found(grove, "customerGroups", given)} == names


@given(st.text(min_size=1), st.text())
def test_where_a_beginning_ends(start: str, rest: str) -> None:
    end = behind(start)
    assert end is None or start + rest < end
    assert end is not None or set(start) == {"\U0010ffff"}
    if end is not None and not rest.startswith(start):
        assert not start <= rest < end


async def test_hierarchies_by_name(grove: Grove) -> None:
    for match, names in (
        ('{ equals: "lodz" }', ["Łódź"]),
        ('{ contains: "ÓD" }', ["Łódź"]),
        ('{ startsWith: "e" }', ["Empty"]),
        ('{ in: ["EMPTY", "lodz", "none"] }', ["Empty", "Łódź"]),
        ('{ contains: "%" }', []),
    ):
        data = await grove.query(f"{{ hierarchies(filter: {{ name: {match} }}) {{ totalCount nodes {{ name }} }} }}")
        assert [node["name"] for node in data["hierarchies"]["nodes"]] == names
        assert data["hierarchies"]["totalCount"] == len(names)


# ── alone and in pairs ──────────────────────────────────────────────────────────────────────────────────────

Choice = tuple[str, Callable[[Any], bool]]


def contains(sought: str, name: str) -> bool:
    return sought in name


def begins(sought: str, name: str) -> bool:
    return name.startswith(sought)


def is_in(wanted: Sequence[str], name: str) -> bool:
    return name in wanted


def equals(sought: str, name: str) -> bool:
    return name == sought


def matches(name: str, texts: Sequence[str]) -> list[Choice]:
    """StringMatch on a field, a form for each text in turn."""

    def choice(form: str, text: str, holds: Callable[[str, str], bool]) -> Choice:
        sought = folded(text)
        return f"{name}: {{ {form}: {quoted(text)} }}", lambda row: holds(sought, folded(getattr(row, name)))

    forms = (("contains", contains), ("startsWith", begins), ("equals", equals))
    wanted = [folded(text) for text in texts]
    return [
        *(choice(form, text, holds) for (form, holds), text in zip(forms, texts, strict=True)),
        (f"{name}: {{ in: {quoted_list(texts)} }}", lambda row: folded(getattr(row, name)) in wanted),
    ]


def quoted_list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, texts))}]"


def searches(texts: Sequence[str], *fields: str) -> list[Choice]:
    def choice(text: str) -> Choice:
        sought = folded(text)
        return f"search: {quoted(text)}", lambda row: any(sought in folded(getattr(row, field)) for field in fields)

    return [choice(text) for text in texts]


def naming(key: str, rows: Sequence[Customer | Group], holds: Callable[[Any, Any], bool]) -> list[Choice]:
    """A filter that names each of these by its id, and by its code."""

    def choice(by: str, value: str, other: Customer | Group) -> Choice:
        return f"{key}: {{ {by}: {quoted(value)} }}", lambda row: holds(row, other)

    return [
        *(choice("id", other.id, other) for other in rows),
        *(choice("code", other.code.lower(), other) for other in rows),
    ]


GROUP_FILTERS: dict[str, list[Choice]] = {
    "search": searches(["lodz", "2", "satriale's", ""], "code", "name", "description"),
    "code": matches("code", ["-", "g1", "G0-I ❤️ NY"]),
    "name": matches("name", ["a", "İ", "strasse"]),
    "status": [
        ("status: ACTIVE", lambda row: row.status == "ACTIVE"),
        ("status: INACTIVE", lambda row: row.status == "INACTIVE"),
    ],
    "customerCount": [
        ("customerCount: { min: 2 }", lambda row: len(row.customers) >= 2),
        ("customerCount: { max: 3 }", lambda row: len(row.customers) <= 3),
        ("customerCount: { min: 1, max: 4 }", lambda row: 1 <= len(row.customers) <= 4),
    ],
    "containsCustomer": naming("containsCustomer", SHOP.customers[2:4], lambda row, of: of.key in row.customers),
    "inHierarchy": [
        ('inHierarchy: { name: "łódź" }', lambda row: row in SHOP.placed),
        ('inHierarchy: { name: "Nowhere" }', lambda _: False),
    ],
    "notInHierarchy": [
        ('notInHierarchy: { name: "ŁÓDŹ" }', lambda row: row not in SHOP.placed),
        ('notInHierarchy: { name: "Empty" }', lambda _: True),
    ],
}
CUSTOMER_FILTERS: dict[str, list[Choice]] = {
    "search": searches(["lodz", "2", "satriale's", "%"], "code", "name"),
    "code": matches("code", ["-", "c1", "C0-I ❤️ NY"]),
    "name": matches("name", ["a", "İ", "strasse"]),
    "type": [
        ('type: ["retailer"]', lambda row: folded(row.type) == "retailer"),
        ('type: ["BAR", ""]', lambda row: row.type in ("BAR", "")),
        ('type: ["café"]', lambda row: row.type == "Café"),
        ('type: ["cafe"]', lambda _: False),
    ],
    "inGroup": naming("inGroup", SHOP.groups[3:8:4], lambda row, of: row.key in of.customers),
    "notInGroup": naming("notInGroup", SHOP.groups[6:8], lambda row, of: row.key not in of.customers),
}


def pairs(filters: dict[str, list[Choice]]) -> Iterator[tuple[Choice, ...]]:
    """Each filter alone, then every two of different fields."""
    for choices in filters.values():
        yield from ((choice,) for choice in choices)
    for one, other in combinations(filters.values(), 2):
        yield from product(one, other)


async def compare(grove: Grove, field: str, rows: Sequence[Any], filters: dict[str, list[Choice]]) -> None:
    met = 0
    for choices in pairs(filters):
        filter = ", ".join(text for text, _ in choices)
        wanted = [row.id for row in rows if all(holds(row) for _, holds in choices)]
        assert await found(grove, field, filter) == wanted, filter
        met += 0 < len(wanted) < len(rows)
    # Most of them tell some from others.
    assert met > len(list(pairs(filters))) / 2


async def test_filters_of_groups(grove: Grove) -> None:
    await compare(grove, "customerGroups", ordered(SHOP.groups, lambda row: folded(row.name)), GROUP_FILTERS)


async def test_filters_of_customers(grove: Grove) -> None:
    await compare(grove, "customers", ordered(SHOP.customers, lambda row: folded(row.code)), CUSTOMER_FILTERS)


async def test_every_filter_is_tried(grove: Grove) -> None:
    for type, filters in (("CustomerGroupFilter", GROUP_FILTERS), ("CustomerFilter", CUSTOMER_FILTERS)):
        data = await grove.query(f'{{ __type(name: "{type}") {{ inputFields {{ name }} }} }}')
        assert {field["name"] for field in data["__type"]["inputFields"]} == set(filters)


# ── names that Hypothesis makes up ──────────────────────────────────────────────────────────────────────────

TRICKY = (
    "aAäÄßſıİiIłŁøØée\u0301\u030a\u0327ﬁΣςσ%_\\'’\"“-–—❤\ufe0f\u200b\u200d\u00ad\u034f　 \u00a0．Ａ①ⅷ日가각\U0010ffff"
)
letters = st.one_of(st.sampled_from(TRICKY), st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]))
made_up_names = st.text(letters, min_size=1, max_size=12).filter(
    lambda name: not mistakes("", name.strip(), NAME_LENGTH)
)
numbers = count(1)


@st.composite
def names_and_texts(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Some names, and texts to look for: parts of them, in any case, or something else."""
    names = draw(st.lists(made_up_names, min_size=1, max_size=5))
    texts = []
    for _ in range(3):
        name = draw(st.sampled_from(names))
        start = draw(st.integers(0, len(name)))
        part = name[start : start + draw(st.integers(0, len(name)))]
        texts.append(draw(st.sampled_from([part, part.upper(), part.lower(), draw(st.text(letters, max_size=3))])))
    return names, texts


@given(names_and_texts())
@settings(
    max_examples=RUNS,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
async def test_made_up_names(grove: Grove, example: tuple[list[str], list[str]]) -> None:
    """Looked for by each form of match, they are found where plain Python finds them, in plain Python's order."""
    names, texts = example
    mark = f"made up {next(numbers)}:"
    assert len(mark) < CODE_LENGTH
    for place, name in enumerate(names):
        await grove.mutate("createCustomer", {"code": f"{mark} {place}", "name": name})
    rows = sorted(enumerate(names), key=lambda row: (fold(row[1]), row[0]))
    document = """
        query ($search: String, $name: StringMatch, $mark: String!) {
          customers(
            filter: { search: $search, name: $name, code: { startsWith: $mark } }, orderBy: { field: NAME }, first: 9
          ) { nodes { code } }
        }
    """

    async def look(holds: Callable[[str], bool], **conditions: Any) -> None:
        data = await grove.query(document, {"mark": mark, **conditions})
        codes = [node["code"] for node in data["customers"]["nodes"]]
        assert codes == [f"{mark} {place}" for place, name in rows if holds(fold(name))], conditions

    for text in texts:
        sought = fold(text)
        await look(partial(contains, sought), name={"contains": text})
        await look(partial(begins, sought), name={"startsWith": text})
        await look(partial(equals, sought), name={"equals": text})
        # The code ends in a number, which a text may be as well.
        if sought and not any(sought in fold(f"{mark} {place}") for place in range(len(names))):
            await look(partial(contains, sought), search=text)
    await look(partial(is_in, list(map(fold, texts))), name={"in": texts})
