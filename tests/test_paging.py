"""Every connection, page by page, against the lists that Python makes of the same rows."""

import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from itertools import cycle, islice, product
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type

from tests.support.catalogue import (
    CATALOGUE,
    CUSTOMER_ORDERS,
    GROUP_ORDERS,
    HIERARCHY_ORDERS,
    Customer,
    Group,
    folded,
    ordered,
)
from tests.support.client import Grove
from tests.support.company import application
from tests.support.databases import Databases, fresh
from tests.support.filters import (
    CHANGE_FILTERS,
    CUSTOMER_FILTERS,
    GROUP_FILTERS,
    ITEM_FILTERS,
    NODE_FILTERS,
    RESERVATION_FILTERS,
    quoted,
)
from tests.support.listed import Listed
from tests.support.meddling import (
    CustomerMeddling,
    GroupMeddling,
    HierarchyMeddling,
    Meddling,
    SpreadMeddling,
    TreeMeddling,
)
from tests.support.payloads import SCHEMA
from tests.support.sowing import customer_id, node_id

NODE_IN_FOCUS, GROUP_IN_FOCUS, CUSTOMER_IN_FOCUS = CATALOGUE.node, CATALOGUE.group, CATALOGUE.customer
SALES = 'hierarchy(by: { name: "Sales" }) { %s }'
NODE = f'hierarchyNode(id: "{NODE_IN_FOCUS.id}") {{ %s }}'
GROUP = f'customerGroup(by: {{ id: "{GROUP_IN_FOCUS.id}" }}) {{ %s }}'
OTHER_NODE = NODE.replace(NODE_IN_FOCUS.id, CATALOGUE.above(NODE_IN_FOCUS)[-1].id)
CUSTOMER = f'customer(by: {{ id: "{CUSTOMER_IN_FOCUS.id}" }}) {{ %s }}'
ITEM = f'node(id: "{CATALOGUE.item.id}") {{ ... on StockItem {{ %s }} }}'
OWNERS = {
    "%s": "Query",
    SALES: "Hierarchy",
    NODE: "HierarchyNode",
    GROUP: "CustomerGroup",
    CUSTOMER: "Customer",
    ITEM: "StockItem",
}


@pytest.fixture(scope="module")
async def grove(databases: Databases) -> AsyncIterator[Grove]:
    async with fresh(databases) as url:
        await CATALOGUE.sown.write(url)
        async with application(url) as client:
            yield client


# ── every connection in every order ─────────────────────────────────────────────────────────────────────────


def in_all_orders(
    field: str,
    around: str,
    orders: Mapping[str, Callable[[Any], Any]],
    default: str,
    rows: Sequence[Any],
    arguments: str = "",
) -> dict[Listed, list[str]]:
    """A connection in its default order, and in each one in both directions: with the ids that it must have."""
    found = {Listed(field, around, arguments): [row.id for row in ordered(rows, orders[default])]}
    for order, direction in product(orders, ("ASC", "DESC")):
        order_by = f"orderBy: {{ field: {order}, direction: {direction} }}"
        listed = Listed(field, around, ", ".join(filter(None, (order_by, arguments))))
        found[listed] = [row.id for row in ordered(rows, orders[order], descending=direction == "DESC")]
    return found


def ids(rows: Sequence[Any]) -> list[str]:
    return [row.id for row in rows]


NEWEST = CATALOGUE.changes[::-1]
LATEST = CATALOGUE.reservations[::-1]
BY_SKU = sorted(CATALOGUE.items, key=lambda item: (folded(item.sku), item.key))
BELOW = CATALOGUE.members(NODE_IN_FOCUS)
HERE = CATALOGUE.members(NODE_IN_FOCUS, direct=True)
LISTS: dict[Listed, list[str]] = {
    **in_all_orders("hierarchies", "%s", HIERARCHY_ORDERS, "NAME", CATALOGUE.hierarchies),
    **in_all_orders("customerGroups", "%s", GROUP_ORDERS, "NAME", CATALOGUE.groups),
    **in_all_orders("customers", "%s", CUSTOMER_ORDERS, "CODE", CATALOGUE.customers),
    **in_all_orders("unassignedGroups", SALES, GROUP_ORDERS, "NAME", CATALOGUE.unassigned),
    **in_all_orders("groups", CUSTOMER, GROUP_ORDERS, "NAME", CATALOGUE.groups_of(CUSTOMER_IN_FOCUS)),
    **in_all_orders("customers", NODE, CUSTOMER_ORDERS, "CODE", BELOW),
    **in_all_orders("customers", NODE, CUSTOMER_ORDERS, "CODE", HERE, "scope: DIRECT"),
    **in_all_orders("customers", GROUP, CUSTOMER_ORDERS, "CODE", CATALOGUE.members_of(GROUP_IN_FOCUS)),
    Listed("changes"): ids(NEWEST),
    Listed("importJobs"): ids(CATALOGUE.jobs[::-1]),
    Listed("changes", SALES): ids([change for change in NEWEST if change.hierarchy is not None]),
    Listed("changes", GROUP): ids([change for change in NEWEST if change.group == GROUP_IN_FOCUS.key]),
    Listed("stockItems"): ids(BY_SKU),
    Listed("reservations"): ids(LATEST),
    Listed("reservations", GROUP): ids([row for row in LATEST if row.group == GROUP_IN_FOCUS]),
    Listed("reservations", ITEM): ids([row for row in LATEST if row.item == CATALOGUE.item]),
    Listed("roots", SALES): ids(CATALOGUE.roots),
    Listed("nodes", SALES): ids(CATALOGUE.nodes),
    Listed("children", NODE): ids(CATALOGUE.children(NODE_IN_FOCUS)),
    Listed("descendants", NODE): ids(CATALOGUE.below(NODE_IN_FOCUS)),
}
# Each connection once, in its default order.
PLAIN = [listed for listed in LISTS if "orderBy" not in listed.arguments]


IN_A_TREE = [
    Listed("nodes", SALES),
    Listed("nodes", SALES, "filter: { status: ACTIVE }"),
    Listed("nodes", SALES, 'filter: { search: "e" }'),
    Listed("nodes", SALES, 'filter: { search: "e", status: ACTIVE }'),
]


def test_every_connection_is_tried() -> None:
    there = {
        f"{type.name}.{name}"
        for type in SCHEMA.type_map.values()
        if isinstance(type, GraphQLObjectType)
        for name, field in type.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    }
    # What a file has changed is no list of the database: test_import_hierarchy.py pages through it.
    assert {f"{OWNERS[listed.around]}.{listed.field}" for listed in LISTS} | {"ImportResult.changes"} == there


def test_every_order_is_tried() -> None:
    for name, orders in (
        ("CustomerGroupOrderField", set(GROUP_ORDERS)),
        ("CustomerOrderField", set(CUSTOMER_ORDERS)),
        ("HierarchyOrderField", set(HIERARCHY_ORDERS)),
    ):
        assert set(getattr(SCHEMA.type_map[name], "values", ())) == orders


@pytest.mark.parametrize("listed", LISTS, ids=str)
async def test_page_by_page(grove: Grove, listed: Listed) -> None:
    """Forward and backward, in pages of any size: all rows, each once, in their order; the total is their number."""
    wanted = LISTS[listed]
    assert len(wanted) >= 3
    for size in (1_000, len(wanted), 2 if len(wanted) < 20 else 19) if listed in PLAIN else (len(wanted) // 3 + 1,):
        assert await listed.all(grove, size) == wanted
        assert await listed.all(grove, size, backward=True) == wanted
    whole = await listed.page(grove)
    assert whole.ids == wanted[:50]
    assert (whole.total, whole.has_next, whole.has_previous) == (len(wanted), len(wanted) > 50, False)


async def test_one_by_one(grove: Grove) -> None:
    for listed in (Listed("nodes", SALES), Listed("hierarchies")):
        assert await listed.all(grove, 1) == LISTS[listed]
        assert await listed.all(grove, 1, backward=True) == LISTS[listed]


COMBINED = [*PLAIN, *(listed for listed in LISTS if listed.around == "%s" and "T, direction: DESC" in str(listed))]


@pytest.mark.parametrize("listed", COMBINED, ids=str)
async def test_combinations_of_the_page_arguments(grove: Grove, listed: Listed) -> None:
    """after and before narrow the list down, then first or last takes its part of what is left."""
    wanted = LISTS[listed]
    cursors = (await listed.page(grove, first=1_000)).cursors
    last = len(wanted) - 1
    edges = [(None, None), (0, None), (last, None), (None, last), (last // 2, last), (1, 1), (last, 0)]
    for (after, before), size in product(edges, (0, 2, 1_000)):
        start = 0 if after is None else after + 1
        rest = wanted[start : len(wanted) if before is None else max(before, start)]
        arguments = {
            "after": None if after is None else cursors[after],
            "before": None if before is None else cursors[before],
        }
        page = await listed.page(grove, first=size, **arguments)
        assert page.ids == rest[:size]
        assert (page.has_next, page.total) == (len(rest) > size, len(wanted))
        page = await listed.page(grove, last=size, **arguments)
        assert page.ids == rest[max(len(rest) - size, 0) :]
        assert (page.has_previous, page.total) == (len(rest) > size, len(wanted))


@pytest.mark.parametrize("listed", PLAIN, ids=str)
async def test_pages_that_are_refused(grove: Grove, listed: Listed) -> None:
    for page, words in (
        ({"first": 1_001}, "at most 1,000"),
        ({"last": 1_001}, "at most 1,000"),
        ({"first": -1}, "negative"),
        ({"last": -1}, "negative"),
        ({"last": -2_147_483_648}, "negative"),
        ({"first": 1, "last": 1}, "both"),
        ({"first": 0, "last": 0}, "both"),
    ):
        answer = await listed.ask(grove, **page)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]
        assert words in answer["errors"][0]["message"]
    # So many would be refused before anything is read.
    answer = await listed.ask(grove, first=2_147_483_647)
    assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


# ── cursors ─────────────────────────────────────────────────────────────────────────────────────────────────


def packed(value: Any) -> str:
    """A cursor that holds any JSON value."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unpacked(cursor: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))


ODD_VALUES: list[Any] = [None, 1, "text", [], {}, [[]], [None], {"a": 1}, [1, 2], ["group.name"]]
MANGLED = [
    *("", " ", "x", "☃", "====", "not a cursor", "null", "\n", "a" * 100_000),
    *(packed(value) for value in ODD_VALUES),
    base64.urlsafe_b64encode(b"[" * 50_000).decode(),
    base64.urlsafe_b64encode(b"\xff\xfe").decode(),
]


@pytest.mark.parametrize("listed", PLAIN, ids=str)
async def test_mangled_cursors(grove: Grove, listed: Listed) -> None:
    cursor = (await listed.page(grove, first=1)).cursors[0]
    cut = [cursor[:-3], cursor[1:], f"{cursor}A", cursor.swapcase(), f"{cursor} "]
    for wrong, side in zip([*MANGLED, *cut], cycle(("after", "before")), strict=False):
        answer = await listed.ask(grove, **{side: wrong})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], wrong[:100]
        assert "cursor" in answer["errors"][0]["message"]


HOSTILE: list[Any] = [
    *(None, True, 1.5, -1, 0, 2**31, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 10**30),
    *("", "x", "\0", "a\0b", "~", "~~", "9" * 5_000, "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+23:59"),
    *("9999-12-31T23:59:59.999999-23:59", "2026-13-45T00:00:00+00:00", [], [[]], {}, [[1, "a"]], [["a", 1]]),
    *(
        [[2**64 - 1, "a"]],
        [[1, "a"]] * 1_000,
        [[1, "\0"]],
        [[1]],
        [[1, "a", 2]],
        [[True, "a"]],
        [[1, "a"], [2, "b"], [3, "c"]],
    ),
]


# One for each kind of cursor, and for each way in which nodes are filtered.
KINDS = [listed for listed in LISTS if listed.around == "%s" and re.search("(NT|AT|NAME), .*ASC", listed.arguments)]
KINDS += [
    Listed("changes"),
    Listed("stockItems"),
    Listed("reservations"),
    Listed("roots", SALES),
    Listed("nodes", SALES),
    Listed("descendants", NODE),
]
KINDS += [Listed("nodes", SALES, 'filter: { search: "e" }'), Listed("nodes", SALES, "filter: { status: ACTIVE }")]


@pytest.mark.parametrize("listed", KINDS, ids=str)
async def test_forged_cursors(grove: Grove, listed: Listed) -> None:
    """Whatever somebody puts into a cursor: a page of the list, or a clear error, never a fault."""
    held = unpacked((await listed.page(grove, first=1)).cursors[0])
    forged = [[*held[:place], value, *held[place + 1 :]] for place in range(1, len(held)) for value in HOSTILE]
    forged += [held[:-1], [*held, 1], [*held, *held], [held]]
    for place, value in enumerate(forged):
        side = ("after", "before")[place % 2]
        answer = await listed.ask(grove, first=2, **{side: packed(value)})
        codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
        assert codes in ([], ["BAD_USER_INPUT"]), (value, answer["errors"])


async def test_cursors_of_another_list_or_order(grove: Grove) -> None:
    """They are refused, except where the very same order can be read on from there."""
    lists = [listed for listed in LISTS if listed.around == "%s" and "orderBy" in listed.arguments]
    lists += [Listed("changes"), Listed("roots", SALES), *IN_A_TREE]
    cursors = {listed: (await listed.page(grove, first=1)).cursors[0] for listed in lists}
    kinds = {kind_of(cursor): cursor for cursor in cursors.values()}
    assert (
        len({name for name, _ in kinds}) == 2 * (len(GROUP_ORDERS) + len(CUSTOMER_ORDERS) + len(HIERARCHY_ORDERS)) + 3
    )
    for place, (listed, own) in enumerate(cursors.items()):
        # Its own, the same order the other way round, and some others.
        for kind, cursor in islice(cycle(kinds.items()), place - place % 2, place + 8):
            answer = await listed.ask(grove, first=1, after=cursor)
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            assert codes == ([] if kind == kind_of(own) else ["BAD_USER_INPUT"]), (listed, kind)


def kind_of(cursor: str) -> tuple[str, int | None]:
    """The order that a cursor belongs to and, in display order, the listing."""
    name, *values = unpacked(cursor)
    return name, values[1] if name == "preorder" else None


async def test_cursors_of_another_tree(grove: Grove) -> None:
    """Display order has its beginning and its end in each listing."""
    lists = [Listed("nodes", SALES), Listed("descendants", NODE), Listed("descendants", OTHER_NODE)]
    cursors = [(await listed.page(grove, first=1)).cursors[0] for listed in lists]
    for listed, own in zip(lists, cursors, strict=True):
        for cursor, side in product(cursors, ("after", "before")):
            answer = await listed.ask(grove, first=1, **{side: cursor})
            codes = [error["extensions"]["code"] for error in answer.get("errors", ())]
            assert codes == ([] if cursor == own else ["BAD_USER_INPUT"])


# ── filters ─────────────────────────────────────────────────────────────────────────────────────────────────


def by_name(groups: Sequence[Group]) -> list[Group]:
    return ordered(groups, GROUP_ORDERS["NAME"])


def by_code(customers: Sequence[Customer]) -> list[Customer]:
    return ordered(customers, CUSTOMER_ORDERS["CODE"])


def filtered(
    field: str, around: str, rows: Sequence[Any], filters: Sequence[tuple[str, Callable[[Any], bool]]]
) -> list[Any]:
    """Test cases: a connection with a filter, and the ids that it must have."""
    return [
        pytest.param(
            Listed(field, around, f"filter: {{ {text} }}"), ids(list(filter(holds, rows))), id=f"{field} {text}"
        )
        for text, holds in filters
    ]


@pytest.mark.parametrize(
    ("listed", "wanted"),
    [
        *filtered("customerGroups", "%s", by_name(CATALOGUE.groups), GROUP_FILTERS),
        *filtered("unassignedGroups", SALES, by_name(CATALOGUE.unassigned), GROUP_FILTERS[::9]),
        *filtered("groups", CUSTOMER, by_name(CATALOGUE.groups_of(CUSTOMER_IN_FOCUS)), GROUP_FILTERS[::9]),
        *filtered("customers", "%s", by_code(CATALOGUE.customers), CUSTOMER_FILTERS),
        *filtered("customers", NODE, by_code(BELOW), CUSTOMER_FILTERS[::9]),
        *filtered("customers", GROUP, by_code(CATALOGUE.members_of(GROUP_IN_FOCUS)), CUSTOMER_FILTERS[::9]),
        *filtered("nodes", SALES, CATALOGUE.nodes, NODE_FILTERS),
        *filtered("changes", "%s", NEWEST, CHANGE_FILTERS),
        *filtered("stockItems", "%s", BY_SKU, ITEM_FILTERS),
        *filtered("reservations", "%s", LATEST, RESERVATION_FILTERS),
    ],
)
async def test_filters(grove: Grove, listed: Listed, wanted: list[str]) -> None:
    """All given conditions hold together; the total is what paging yields, either way."""
    half = len(wanted) // 2 + 1
    assert await listed.all(grove, half) == wanted
    assert await listed.all(grove, half, backward=True) == wanted
    assert (await listed.page(grove, first=1)).total == len(wanted)


@pytest.mark.parametrize("depth", [1, 2, 3, 10, 2_147_483_647])
async def test_descendants_down_to_a_depth(grove: Grove, depth: int) -> None:
    below = CATALOGUE.below(NODE_IN_FOCUS)
    wanted = [node.id for node in below if node.depth <= NODE_IN_FOCUS.depth + depth]
    listed = Listed("descendants", NODE, f"maxDepth: {depth}")
    for size, backward in product((1_000, 5), (False, True)):
        assert await listed.all(grove, size, backward=backward) == wanted
    assert (await listed.page(grove, first=0)).total == len(wanted)


async def test_hierarchies_found(grove: Grove) -> None:
    for text in ("%", "etoile", "THE hierarchy sal", "hierarchy 1", "zzz", ""):
        wanted = [
            row.id
            for row in ordered(CATALOGUE.hierarchies, HIERARCHY_ORDERS["NAME"])
            if folded(text) in folded(row.name) or folded(text) in folded(row.description)
        ]
        listed = Listed("hierarchies", "%s", f"filter: {{ search: {quoted(text)} }}")
        assert await listed.all(grove, 4) == wanted
        assert (await listed.page(grove, first=0)).total == len(wanted)


async def test_the_types_in_use(grove: Grove) -> None:
    types = {customer.type for customer in CATALOGUE.customers} - {""}
    found = (await grove.query("{ customerTypes }"))["customerTypes"]
    assert set(found) == types
    assert [folded(type) for type in found] == sorted(map(folded, types))


@pytest.mark.parametrize(
    "text",
    ["x" * 100_000, "%" * 60_000, "é" * 50_000, "\u0301", "\u200b", "q\nq", "\u0085", "\ud7ff", "\uffff", "\U0010ffff"],
    ids=["long", "many %", "long é", "accent", "no width", "two lines", "next line", "d7ff", "ffff", "10ffff"],
)
async def test_odd_texts_to_look_for(grove: Grove, text: str) -> None:
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
          j: stockItem(sku: $text, location: $text) { id }
          k: stockItems(filter: { sku: { startsWith: $text }, location: $text }) { totalCount }
          l: reservations(filter: { sku: $text, location: $text, group: { name: $text } }) { totalCount }
          m: availability(sku: $text, customer: { code: $text }) { available }
        }
    """
    data = await grove.query(document, {"text": text})
    assert (data["d"]["totalCount"], data["g"], data["h"], data["f"]["node"]) == (0, None, None, None)


# ── nodes and ids ───────────────────────────────────────────────────────────────────────────────────────────


async def test_listings_of_nodes_and_hierarchies_side_by_side(grove: Grove) -> None:
    """What looks alike in both is not mixed up where both are asked for at once."""
    inside = "(first: 1000) { totalCount nodes { id } }"
    first = CATALOGUE.nodes[0]
    data = await grove.query(
        f"""
        query ($ids: [ID!]!) {{
          nodes(ids: $ids) {{
            ... on Hierarchy {{ all: nodes{inside} below: roots{inside} }}
            ... on HierarchyNode {{ all: descendants{inside} below: children{inside} }}
          }}
        }}
        """,
        {"ids": [CATALOGUE.hierarchies[0].id, NODE_IN_FOCUS.id, first.id]},
    )
    expected = [
        (CATALOGUE.nodes, CATALOGUE.roots),
        *((CATALOGUE.below(node), CATALOGUE.children(node)) for node in (NODE_IN_FOCUS, first)),
    ]
    for found, (all, below) in zip(data["nodes"], expected, strict=True):
        for name, rows in (("all", all), ("below", below)):
            assert [node["id"] for node in found[name]["nodes"]] == ids(rows)
            assert found[name]["totalCount"] == len(rows)


async def test_nodes_know_where_they_stand(grove: Grove) -> None:
    """index, depth, level, parent, ancestors, path and counts of every node of the tree."""
    data = await grove.query(
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
    for node, found in zip(CATALOGUE.nodes, data["hierarchy"]["nodes"]["nodes"], strict=True):
        above = CATALOGUE.above(node)
        siblings = CATALOGUE.children(above[-1]) if above else CATALOGUE.roots
        assert found == {
            "id": node.id,
            "index": siblings.index(node),
            "depth": node.depth,
            "level": {"depth": node.depth, "name": f"Level {node.depth}"},
            "parent": {"id": above[-1].id} if above else None,
            "ancestors": [{"id": other.id} for other in above],
            "path": [other.group.name for other in [*above, node]],
            "childCount": len(CATALOGUE.children(node)),
            "descendantCount": len(CATALOGUE.below(node)),
            "customerCount": len(CATALOGUE.members(node)),
            "direct": len(CATALOGUE.members(node, direct=True)),
        }


async def test_who_is_a_member(grove: Grove) -> None:
    """Of the group itself or, where the hierarchy is named, of any group below it there."""
    group = NODE_IN_FOCUS.group
    for within, members in (("", HERE), (', hierarchy: { name: "Sales" }', BELOW)):
        data = await grove.query(
            f'{{ customers(first: 1000) {{ nodes {{ id isMember(group: {{ id: "{group.id}" }}{within}) }} }} }}'
        )
        found = {customer["id"] for customer in data["customers"]["nodes"] if customer["isMember"]}
        assert found == set(ids(members))


async def test_the_nodes_of_customers(grove: Grove) -> None:
    """Those of the groups that it was put into itself."""
    data = await grove.query(
        """
        {
          customers(first: 1000) {
            nodes { all: nodes { id hierarchy { name } } sales: nodes(hierarchy: { name: "SALES" }) { id } }
          }
        }
        """
    )
    for customer, found in zip(by_code(CATALOGUE.customers), data["customers"]["nodes"], strict=True):
        wanted = {node.id for node in CATALOGUE.nodes if customer.key in node.group.customers}
        assert {node["id"] for node in found["sales"]} == wanted
        assert {node["id"] for node in found["all"] if node["hierarchy"]["name"] == "Sales"} == wanted
        names = [folded(node["hierarchy"]["name"]) for node in found["all"]]
        assert names == sorted(names)


async def test_ids_in_the_order_asked(grove: Grove) -> None:
    """Up to 1,000 at once, null where nothing has that id, twice what is asked for twice."""
    node, group, change = CATALOGUE.nodes[3].id, CATALOGUE.groups[0].id, CATALOGUE.changes[0].id
    wanted = [node, group, node_id(1), node, change, customer_id(1)]
    ask = "query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }"
    data = await grove.query(ask, {"ids": wanted})
    assert [thing and thing["id"] for thing in data["nodes"]] == [node, group, None, node, change, None]
    assert len((await grove.query(ask, {"ids": [node] * 1_000}))["nodes"]) == 1_000
    assert (await grove.query(ask, {"ids": []}))["nodes"] == []
    answer = await grove.execute(ask, {"ids": [node] * 1_001})
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
async def test_ids_that_are_none(grove: Grove, field: str) -> None:
    """A mangled id, or one of another type, is a clear error wherever it is asked for."""
    good = NODE_IN_FOCUS.id
    wrong = [
        "",
        "x",
        "node_",
        good[:-1],
        good.upper(),
        f"{good} ",
        "node_٠٠",
        "node_" + "f" * 30,
        "node_-1",
        "node_0x1",
    ]
    if not field.startswith(("node(", "nodes(")):
        wrong.append(CATALOGUE.changes[0].id)
    for id in wrong:
        answer = await grove.execute(f"query ($id: ID!) {{ {field} }}", {"id": id})
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], id
        assert "id" in answer["errors"][0]["message"]


# ── while others insert and delete ──────────────────────────────────────────────────────────────────────────


async def read_while(listed: Listed, grove: Grove, size: int, meddle: Meddling, *, backward: bool) -> list[str]:
    """The ids of all rows, read page by page, with some changes made by others between any two pages."""
    found: list[str] = []
    async for page in listed.pages(grove, size, backward=backward):
        found = [*page.ids, *found] if backward else [*found, *page.ids]
        await meddle()
    return found


def assert_stable(found: Sequence[str], before: Sequence[str], after: Sequence[str]) -> None:
    """Each row that was there all the time was read exactly once, in its order; none was read twice."""
    assert len(set(found)) == len(found), "A row was read twice."
    throughout = set(before) & set(after)
    assert [id for id in found if id in throughout] == [id for id in before if id in throughout]


@pytest.fixture
async def meddled(database_url: str) -> AsyncIterator[Grove]:
    await CATALOGUE.sown.write(database_url)
    async with application(database_url) as client:
        yield client


@pytest.mark.parametrize(
    ("field", "around", "orders", "meddling"),
    [
        ("customerGroups", "%s", GROUP_ORDERS, GroupMeddling),
        ("unassignedGroups", SALES, {"NAME": None, "CUSTOMER_COUNT": None}, GroupMeddling),
        ("customers", "%s", CUSTOMER_ORDERS, CustomerMeddling),
        ("hierarchies", "%s", HIERARCHY_ORDERS, HierarchyMeddling),
    ],
    ids=["customerGroups", "unassignedGroups", "customers", "hierarchies"],
)
async def test_lists_that_change(
    meddled: Grove,
    field: str,
    around: str,
    orders: Mapping[str, Any],
    meddling: Callable[[Grove, int], Meddling],
) -> None:
    """In every order, up and down, to and fro, while things with names anywhere in it come and go."""
    ways = list(product(orders, ("ASC", "DESC")))
    for seed, (order, direction) in enumerate(ways):
        listed = Listed(field, around, f"orderBy: {{ field: {order}, direction: {direction} }}")
        before = await listed.all(meddled, 1_000)
        # Up and on, down and back; in the next order up and back, down and on.
        backward = (seed + seed // 2) % 2 == 1
        size = max(1, len(before) // 5)
        found = await read_while(listed, meddled, size, meddling(meddled, seed), backward=backward)
        assert_stable(found, before, await listed.all(meddled, 1_000))


@pytest.mark.parametrize("policy", ["UNASSIGN", "PROMOTE"])
@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("nodes", ""),
        ("roots", ""),
        ("nodes", "filter: { status: ACTIVE }"),
        ("nodes", 'filter: { level: "Level 3" }'),
        ("nodes", 'filter: { search: "e" }'),
    ],
)
async def test_trees_that_change(meddled: Grove, field: str, arguments: str, policy: str) -> None:
    """In display order, while groups are assigned anywhere and nodes leave, with their children or without them."""
    listed = Listed(field, SALES, arguments)
    for seed, backward in enumerate((False, True)):
        before = await listed.all(meddled, 1_000)
        meddle = TreeMeddling(meddled, seed, policy)
        found = await read_while(listed, meddled, max(1, len(before) // 9), meddle, backward=backward)
        assert_stable(found, before, await listed.all(meddled, 1_000))


BACKWARD = pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])


async def read_around(listed: Listed, grove: Grove, act: Meddling, *, backward: bool) -> None:
    """Two pages that meet among the children of the node in focus, with something done in between."""
    before = await listed.all(grove, 1_000)
    children = [id for id in ids(CATALOGUE.children(NODE_IN_FOCUS)) if id in before]
    meeting = before.index(children[len(children) // 2])
    if backward:
        last = await listed.page(grove, last=len(before) - meeting)
        await act()
        found = [*(await listed.page(grove, last=1_000, before=last.cursors[0])).ids, *last.ids]
    else:
        first = await listed.page(grove, first=meeting + 1)
        await act()
        found = [*first.ids, *(await listed.page(grove, first=1_000, after=first.cursors[-1])).ids]
    assert_stable(found, before, await listed.all(grove, 1_000))


@BACKWARD
@pytest.mark.parametrize("listed", [*IN_A_TREE, Listed("children", NODE), Listed("descendants", NODE)], ids=str)
async def test_siblings_that_are_spread_anew(meddled: Grove, database_url: str, listed: Listed, backward: bool) -> None:
    """When the keys that order siblings have grown long, all get new ones: no page notices."""
    meddle = SpreadMeddling(meddled, database_url, *CATALOGUE.children(NODE_IN_FOCUS)[:2])
    await meddle.crowd()
    await read_around(listed, meddled, meddle, backward=backward)


@BACKWARD
@pytest.mark.parametrize("listed", IN_A_TREE, ids=str)
async def test_children_that_take_the_place_of_their_parent(meddled: Grove, listed: Listed, backward: bool) -> None:
    async def promote() -> None:
        await meddled.mutate("unassignNode", {"nodeId": NODE_IN_FOCUS.id, "children": "PROMOTE"})

    await read_around(listed, meddled, promote, backward=backward)


async def test_the_log_grows_while_it_is_read(meddled: Grove) -> None:
    """Newest first: what comes later stands before the first page, and moves nothing."""
    for seed, listed in enumerate((Listed("changes"), Listed("changes", SALES))):
        before = await listed.all(meddled, 1_000)
        found = await read_while(listed, meddled, 9, TreeMeddling(meddled, seed, "PROMOTE"), backward=False)
        assert found == before
        # From the oldest on, what comes meanwhile is read as well, in the end.
        before = await listed.all(meddled, 1_000)
        meddle = TreeMeddling(meddled, 10 + seed, "PROMOTE")
        found = await read_while(listed, meddled, len(before) // 6, meddle, backward=True)
        after = await listed.all(meddled, 1_000)
        assert_stable(found, before, after)
        assert set(before) <= set(found)
