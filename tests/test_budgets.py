"""What a document costs: as many statements for much data as for little, and no field is N+1.

The number of statements of a request stands in its Server-Timing header.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from graphql import GraphQLField, GraphQLInputObjectType, GraphQLObjectType, get_named_type, is_required_argument

import service
from tests.support.client import Grove, Json
from tests.support.company import application
from tests.support.company_rows import UNASSIGNED, sow_company
from tests.support.databases import Databases, fresh
from tests.support.payloads import SCHEMA, everything_in, payload_of, selected
from tests.support.sowing import (
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

OPERATIONS = sorted((Path(service.__file__).parent / "static" / "operations").glob("*.graphql"))
SIZES = (10, 10_000)
SALES = {"hierarchyId": "<id of the hierarchy Sales>"}


class Answer(NamedTuple):
    data: Json
    statements: int


async def ask(grove: Grove, document: str, variables: Mapping[str, Any] | None = None) -> Answer:
    """The data of a document, in which there is no error, and the number of statements that it took."""
    response = await grove.http.post("/graphql", json={"query": document, "variables": dict(variables or {})})
    answer = response.json()
    assert "errors" not in answer, answer["errors"]
    found = re.search(r'statements;desc="(\d+)"', response.headers["Server-Timing"])
    assert found
    return Answer(answer["data"], int(found[1]))


class Sized(NamedTuple):
    grove: Grove
    # The ids of what has a name, such as «node FL».
    ids: dict[str, str]


@pytest.fixture(scope="module")
async def sizes(databases: Databases) -> AsyncIterator[list[Sized]]:
    """The same company with 10 nodes and with 10,000."""
    async with AsyncExitStack() as stack:
        companies = []
        for size in SIZES:
            sown, keys = sow_company(size)
            url = await stack.enter_async_context(fresh(databases))
            await sown.write(url)
            grove = await stack.enter_async_context(application(url))
            ids = {name: node_id(key) if name.startswith("node") else hierarchy_id(key) for name, key in keys.items()}
            companies.append(Sized(grove, ids))
        yield companies


async def same_cost(sizes: list[Sized], document: str, variables: Mapping[str, Any] | None = None) -> list[Answer]:
    answers = [await ask(sized.grove, document, filled(variables or {}, sized.ids)) for sized in sizes]
    costs = [answer.statements for answer in answers]
    assert len(set(costs)) == 1, dict(zip(SIZES, costs, strict=True))
    return answers


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """The variables of an example, with the ids that it asks people to put in."""
    text = re.sub(r"<id of the ([^>]+)>", lambda found: ids[found[1]], json.dumps(value, ensure_ascii=False))
    return json.loads(text)


# ── with 10 nodes and with 10,000 ───────────────────────────────────────────────────────────────────────────


async def test_the_explorers_examples(sizes: list[Sized]) -> None:
    """Each runs without errors, user errors included, in the order of the tabs, and costs the same."""
    assert len(OPERATIONS) >= 7
    for path in OPERATIONS:
        variables_path = path.with_suffix(".json")
        variables = json.loads(variables_path.read_text()) if variables_path.exists() else {}
        for answer in await same_cost(sizes, path.read_text(encoding="utf-8"), variables):
            assert '"userErrors": [{' not in json.dumps(answer.data), (path.name, answer.data)
            assert all(value is not None for value in answer.data.values()), path.name
        if path.stem == "4-create":
            # What the next tab assigns, as its comment says: without the dry run.
            for sized in sizes:
                await sized.grove.mutate("createCustomerGroup", variables["input"] | {"dryRun": False})


async def test_a_nested_tree(sizes: list[Sized]) -> None:
    """Three levels with groups, counts and paths: a statement for each relation of each level, and no more."""
    answers = await same_cost(
        sizes,
        """
        {
          hierarchy(by: { name: "Sales" }) {
            name version nodeCount
            levels { name nodeCount }
            roots(first: 2) { totalCount nodes { ...Place
              children(first: 2) { totalCount nodes { ...Place
                children(first: 2) { totalCount nodes { ...Place } }
              } }
            } }
          }
        }
        fragment Place on HierarchyNode {
          id index depth path level { name } childCount descendantCount customerCount
          direct: customerCount(scope: DIRECT)
          group { code name description status customerCount }
          parent { id }
          ancestors { id group { name } }
        }
        """,
    )
    # The hierarchy and its levels; for each level of nodes: the page, index, path, parent, ancestors, group and
    # customers, and for all but the first the groups of the ancestors and the total.
    assert answers[0].statements <= 32
    roots = answers[0].data["hierarchy"]["roots"]["nodes"]
    assert roots[0]["children"]["nodes"][0]["children"]["nodes"][0]["path"] == ["East", "FL", "Palm Tree Distribution"]


@pytest.mark.parametrize(
    "document",
    [
        '{ hierarchy(by: { name: "Sales" }) { nodes(first: 8) { nodes { path } pageInfo { hasNextPage } } } }',
        '{ hierarchy(by: { name: "Sales" }) { nodes(last: 8) { nodes { path } pageInfo { hasPreviousPage } } } }',
        '{ hierarchy(by: { name: "Sales" }) { nodes(first: 8, filter: { level: "State" }) { totalCount } } }',
        '{ hierarchy(by: { name: "Sales" }) { unassignedGroups(first: 2) { totalCount nodes { name } } } }',
        '{ customerGroups(first: 5, filter: { search: "e", customerCount: { min: 1 } }) { totalCount } }',
        '{ customers(first: 5, filter: { inGroup: { name: "IL" } }) { totalCount nodes { groups { totalCount } } } }',
        "{ changes(first: 5) { totalCount nodes { summary group { name } hierarchy { name } } } }",
        "{ customerTypes }",
        '{ stockItem(sku: "WINE") { onHand reserved free reservations(first: 3) { totalCount } } }',
        '{ stockItems(first: 5, filter: { sku: { contains: "i" }, location: "main" }) { totalCount nodes { free } } }',
        '{ reservations(first: 5, filter: { status: [OPEN, EXPIRED], sku: "WINE", group: { name: "East" } })'
        " { totalCount nodes { group { name } hierarchy { name } stockItem { sku free } } } }",
        '{ availability(sku: "WINE", customer: { code: "K-000005" }) { available reservations { group { name } } } }',
    ],
)
async def test_other_reads(sizes: list[Sized], document: str) -> None:
    await same_cost(sizes, document)


async def test_pages_far_in_cost_the_same(sizes: list[Sized]) -> None:
    """Behind a cursor in the middle of a tree, and before it."""
    page = "pageInfo { startCursor endCursor } nodes { path }"
    document = f"""
        query ($after: String, $before: String, $first: Int, $last: Int) {{
          hierarchy(by: {{ name: "Sales" }}) {{
            nodes(first: $first, last: $last, after: $after, before: $before) {{ {page} }}
          }}
        }}
    """
    costs = []
    for sized in sizes:
        start = await ask(sized.grove, document, {"first": 6})
        cursor = start.data["hierarchy"]["nodes"]["pageInfo"]["endCursor"]
        on = await ask(sized.grove, document, {"first": 3, "after": cursor})
        back = await ask(sized.grove, document, {"last": 3, "before": cursor})
        costs.append((on.statements, back.statements))
    assert costs[0] == costs[1]


@pytest.mark.parametrize(
    ("name", "input"),
    [
        ("moveNode", {"nodeId": "<id of the node IL>", "parentId": "<id of the node West>"}),
        ("moveNode", {"nodeId": "<id of the node East>", "position": {"last": True}}),
        ("unassignNode", {"nodeId": "<id of the node FL>", "children": "PROMOTE"}),
        ("unassignNode", {"nodeId": "<id of the node East>"}),
        ("deleteHierarchy", {"id": "<id of the hierarchy Sales>"}),
        ("createCustomerGroup", {"name": "New", "place": {"hierarchyId": "<id of the hierarchy Sales>"}}),
        ("setStock", {"sku": "WINE", "onHand": 50_000}),
        ("setStock", {"sku": "new", "onHand": 1}),
        ("reserveStock", {"sku": "WINE", "group": {"name": "East"}, "hierarchy": {"name": "Sales"}, "quantity": 1}),
        *(("addLevel", {**SALES, "name": "New", "depth": depth}) for depth in (1, 2, 3, 4)),
        *(("removeLevel", {**SALES, "mode": "MERGE_UP", "depth": depth}) for depth in (1, 2, 3)),
    ],
)
async def test_changes_cost_the_same(sizes: list[Sized], name: str, input: Mapping[str, Any]) -> None:
    """Whatever stands around and below."""
    type = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {type}!) {{ {name}(input: $input) {{ userErrors {{ message }} }} }}"
    for answer in await same_cost(sizes, document, {"input": {**input, "dryRun": True}}):
        assert answer.data[name]["userErrors"] == []


# ── with 2 parents and with 20 ──────────────────────────────────────────────────────────────────────────────

FEW, MANY = 2, 20
LATER = datetime(2999, 1, 1, tzinfo=UTC)
# What is given for each kind of argument that is not about the page.
EXAMPLES = {
    "CustomerGroupBy": '{ name: "Hub" }',
    "HierarchyBy": '{ name: "Hierarchy 3" }',
    "CustomerBy": '{ code: "C-3" }',
    "MemberScope": "DIRECT",
    "String": '"MAIN"',
    "Int": "1",
    "CustomerGroupFilter": (
        '{ search: "sown", code: { startsWith: "g" }, name: { contains: "u" }, status: ACTIVE,'
        ' customerCount: { min: 1, max: 99 }, containsCustomer: { code: "C-3" },'
        ' inHierarchy: { name: "Elsewhere" }, notInHierarchy: { name: "none" } }'
    ),
    "CustomerFilter": (
        '{ search: "customer", code: { startsWith: "C" }, name: { contains: "c" }, type: ["BAR"],'
        ' inGroup: { name: "Hub" }, notInGroup: { code: "none" } }'
    ),
    "HierarchyFilter": '{ search: "hierarchy", name: { startsWith: "H" } }',
    "HierarchyNodeFilter": '{ search: "sown", depth: 2, level: "Second", status: ACTIVE }',
    "ChangeFilter": '{ action: [GROUP_ASSIGNED], actor: "sower", since: "2020-01-01T00:00:00Z" }',
    "StockItemFilter": '{ sku: { startsWith: "S" }, location: "MAIN" }',
    # For one group, or of one SKU, there is nothing to be read in most of its parents.
    "ReservationFilter": '{ status: [OPEN, CONSUMED], location: "MAIN" }',
    "CustomerGroupOrder": "{ field: CUSTOMER_COUNT, direction: DESC }",
    "CustomerOrder": "{ field: TYPE, direction: DESC }",
    "HierarchyOrder": "{ field: CREATED_AT, direction: DESC }",
}
# Examples that leave out some of the fields.
PARTIAL = ("ChangeFilter", "ReservationFilter")
PAGING = ("first", "after", "last", "before")


@pytest.fixture(scope="module")
async def related(databases: Databases) -> AsyncIterator[tuple[Grove, dict[str, list[str]]]]:
    """Twenty things of each type, each with something in each of its relations, and their ids by type.

    Each hierarchy has a chain of three nodes, a leaf beside its end, and one root more, which is that of the
    group «Hub». What EXAMPLES name is related to everything: Hub; C-3, who is in every group; and Hierarchy 3,
    in which stands a group with all customers.
    """
    sown = Sowing()
    customers = [sown.customer(f"C-{number}", f"Customer {number}", "BAR") for number in range(MANY)]
    hub = sown.group("G-HUB", "Hub", "sown", customers=[customers[3]])
    club = sown.group("G-CLUB", "Club", "sown", customers=customers)
    groups = []
    for number in range(MANY):
        members = sorted({customers[3], customers[number], customers[number - 1]})
        groups.append(sown.group(f"G-{number}", f"Group {number}", "sown", customers=members))
    unassigned = [
        sown.group(f"G-U{number}", f"Group without place {number}", "sown", customers=[customers[3]])
        for number in range(3)
    ]
    sown.hierarchy("Elsewhere", ("Only",), [*groups, *unassigned], [None] * (MANY + 3))
    hierarchies, nodes = [], []
    for number in range(MANY):
        placed = [*(groups[(number + step) % MANY] for step in range(4)), hub, *([club] if number == 3 else [])]
        parents = [None, 0, 1, 1, None, None][: len(placed)]
        key, below = sown.hierarchy(f"Hierarchy {number}", ("First", "Second", "Third"), placed, parents)
        hierarchies.append(key)
        nodes.append(below[1])
    changes = [
        sown.change("GROUP_ASSIGNED", "assigned", hierarchies[number], groups[number], customers[number])
        for number in range(MANY)
    ]
    items = [sown.stock_item(f"S-{number}", "MAIN", 10, 2) for number in range(MANY)]
    reservations = [
        sown.reservation(item, groups[number], hierarchies[number], 3, 1, expires_at=LATER, reference="sown")
        for number, item in enumerate(items)
    ]
    jobs = [sown.job(f"{number}.csv", hierarchies[number]) for number in range(MANY)]
    ids = {
        "StockItem": [stock_item_id(key) for key in items],
        "Reservation": [reservation_id(key) for key in reservations],
        "Hierarchy": [hierarchy_id(key) for key in hierarchies],
        "HierarchyNode": [node_id(key) for key in nodes],
        "CustomerGroup": [group_id(key) for key in groups],
        "Customer": [customer_id(key) for key in customers],
        "Change": [change_id(key) for key in changes],
        "ImportJob": [job_id(key) for key in jobs],
    }
    async with fresh(databases) as url:
        await sown.write(url)
        async with application(url) as grove:
            yield grove, ids


def types_with_ids() -> list[GraphQLObjectType]:
    """The types that can be reached from a list of ids."""
    return [
        type
        for type in SCHEMA.type_map.values()
        if isinstance(type, GraphQLObjectType) and any(interface.name == "Node" for interface in type.interfaces)
    ]


def arguments(field: GraphQLField, *, optional: bool) -> str:
    """The arguments of a field: those that it must have, or all but those of the page."""
    given = [
        f"{name}: {EXAMPLES[get_named_type(argument.type).name]}"
        for name, argument in field.args.items()
        if is_required_argument(argument) or (optional and name not in PAGING)
    ]
    given += ["first: 3"] if "first" in field.args else []
    return f"({', '.join(given)})" if given else ""


def relations() -> list[tuple[str, str, bool]]:
    """(type, field, with all arguments) for every field of every type with ids, once more where it takes arguments."""
    found = []
    for type in types_with_ids():
        for name, field in type.fields.items():
            found.append((type.name, name, False))
            if any(argument not in PAGING for argument in field.args):
                found.append((type.name, name, True))
    return found


def test_every_type_with_ids_has_parents(related: tuple[Grove, dict[str, list[str]]]) -> None:
    assert {type.name for type in types_with_ids()} == set(related[1])


def test_there_is_an_example_for_every_argument() -> None:
    for type in SCHEMA.type_map.values():
        if isinstance(type, GraphQLObjectType) and type is not SCHEMA.mutation_type and type.name[0] != "_":
            for field in type.fields.values():
                for name, argument in field.args.items():
                    kind = get_named_type(argument.type)
                    assert name in PAGING or kind.name in {*EXAMPLES, "ID"}, f"{type.name}: {name} {kind.name}"
    for name, example in EXAMPLES.items():
        kind = SCHEMA.type_map[name]
        if isinstance(kind, GraphQLInputObjectType) and not kind.is_one_of and name not in PARTIAL:
            assert all(f"{field}:" in example for field in kind.fields), name


@pytest.mark.parametrize(("type", "field", "optional"), relations())
async def test_no_field_is_n_plus_1(
    related: tuple[Grove, dict[str, list[str]]], type: str, field: str, optional: bool
) -> None:
    """What it costs does not depend on the number of parents; nor does any one field of what it answers."""
    grove, ids = related
    definition = object_type(type).fields[field]
    given = arguments(definition, optional=optional)
    selections = [selected(field, definition, 1, 3, given)]
    if not optional:
        selections += [f"{field}{given} {inner}" for inner in one_by_one(definition)]
    for selection in selections:
        document = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {type} {{ {selection} }} }} }}"
        answers = [await ask(grove, document, {"ids": ids[type][:number]}) for number in (FEW, MANY)]
        if selection is selections[0]:
            for node in answers[1].data["nodes"]:
                assert something(node[field]), f"There is nothing to be read in {type}.{field}: {node}"
        few, many = (answer.statements for answer in answers)
        assert few == many, f"{few} statements for {FEW} parents, {many} for {MANY}: {document}"


def object_type(name: str) -> GraphQLObjectType:
    type = SCHEMA.type_map[name]
    assert isinstance(type, GraphQLObjectType)
    return type


def one_by_one(field: GraphQLField) -> list[str]:
    """A selection for each field of what a field answers: one at a time, since those beside one another share reads."""
    type = get_named_type(field.type)
    if not isinstance(type, GraphQLObjectType):
        return []
    before, after = "{", "}"
    if "pageInfo" in type.fields:
        type = get_named_type(type.fields["nodes"].type)
        assert isinstance(type, GraphQLObjectType)
        before, after = "{ nodes {", "} }"
    return [
        f"{before} {selected(name, inner, 1, 3, arguments(inner, optional=False))} {after}"
        for name, inner in type.fields.items()
    ]


def something(value: Any) -> bool:
    """Whether there is anything in an answer, so that its cost tells something."""
    if isinstance(value, dict):
        return bool(value["nodes"]) and value["totalCount"] > 0 if "totalCount" in value else bool(value)
    return value is not None and value != []


@pytest.mark.parametrize(
    "name", ["hierarchies", "customerGroups", "customers", "changes", "stockItems", "reservations", "importJobs"]
)
async def test_the_lists_of_all(related: tuple[Grove, dict[str, list[str]]], name: str) -> None:
    """A page of 20 costs as much as one of 2, with any field of its rows."""
    grove, _ = related
    field = object_type("Query").fields[name]
    for optional in (False, True):
        given = [arguments(field, optional=optional).replace("first: 3", f"first: {number}") for number in (FEW, MANY)]
        for selection in one_by_one(field):
            few, many = [await ask(grove, f"{{ {name}{rows} {selection} }}") for rows in given]
            assert few.statements == many.statements, selection
            assert few.data[name]["nodes"] != []
            assert optional or len(many.data[name]["nodes"]) == MANY


async def test_many_references_in_one_document(related: tuple[Grove, dict[str, list[str]]]) -> None:
    """Things of every type, asked for by id at once, are read by one statement for each type."""
    grove, ids = related
    for number in (FEW, MANY):
        mixed = [id for kind in ids.values() for id in kind[:number]]
        answer = await ask(grove, "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": mixed})
        assert [node["id"] for node in answer.data["nodes"]] == mixed
        assert answer.statements == len(ids)


MANY_AT_ONCE = {
    "assignGroups": lambda ids, number: {
        "hierarchyId": ids["Hierarchy"][0],
        "groups": [{"name": f"Group {place}"} for place in range(5, 5 + number)],
    },
    "addCustomersToGroup": lambda ids, number: {
        "group": {"name": "Group without place 1"},
        "customerIds": ids["Customer"][4 : 4 + number],
    },
    "removeCustomersFromGroup": lambda ids, number: {
        "group": {"name": "Group without place 1"},
        "customerIds": ids["Customer"][4 - number % 3 : 4 + number],
    },
    "createCustomerGroup": lambda ids, number: {"name": "New", "customerIds": ids["Customer"][:number]},
}


@pytest.mark.parametrize("name", MANY_AT_ONCE)
async def test_many_at_once_cost_as_much_as_few(related: tuple[Grove, dict[str, list[str]]], name: str) -> None:
    """Their payload, with everything in its rows, included."""
    grove, ids = related
    payload = payload_of(name)
    type = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {type}!) {{ {name}(input: $input) {{ {everything_in(payload, 1, 3)} }} }}"
    counts = []
    for number in (FEW, 14):
        input = {**MANY_AT_ONCE[name](ids, number), "dryRun": True}
        answer = await ask(grove, document, {"input": input})
        assert answer.data[name]["userErrors"] == []
        counts.append(answer.statements)
    assert counts[0] == counts[1]


async def test_ten_thousand_members_cost_as_much_as_two(sizes: list[Sized]) -> None:
    """Named by id, by code, and some of them twice; counted beside what is named, with the payload."""
    grove, _ = sizes[1]
    customers: list[Json] = []
    after = None
    while after is None or len(customers) % 1_000 == 0:
        page = (
            await grove.query(
                "query ($after: String) { customers(first: 1000, after: $after)"
                " { nodes { id code } pageInfo { endCursor } } }",
                {"after": after},
            )
        )["customers"]
        customers += page["nodes"]
        after = page["pageInfo"]["endCursor"]
    ids, codes = [one["id"] for one in customers], [one["code"] for one in customers]
    assert len(customers) > 9_000
    inputs = [
        {"customerIds": ids[:1], "customerCodes": codes[1:2]},
        {"customerIds": ids[:5_000], "customerCodes": [*codes[5_000:], *codes][:5_000]},
    ]
    for name, field, other in (
        ("addCustomersToGroup", "added", "alreadyIn"),
        ("removeCustomersFromGroup", "removed", "notIn"),
    ):
        type = f"{name[0].upper()}{name[1:]}Input"
        counts, repeated = [], []
        for input in inputs:
            document = (
                f"mutation ($input: {type}!) {{ {name}(input: $input)"
                f" {{ group {{ customerCount }} {field} {other} repeated userErrors {{ message }} }} }}"
            )
            answer = await ask(grove, document, {"input": {"group": {"name": "TX"}, **input}})
            payload = answer.data[name]
            assert payload["userErrors"] == []
            named = len(input["customerIds"]) + len(input["customerCodes"])
            assert payload[field] + payload[other] + payload["repeated"] == named
            counts.append(answer.statements)
            repeated.append(payload["repeated"])
        # The group found and locked, customers by id and by code, they held, who is in, the rows, whose memberships
        # are several, the count, the log, the payload.
        assert counts == [11, 11]
        assert repeated == [0, 10_000 - len(customers)]


async def test_moving_and_unassigning_many_cost_as_much_as_few(sizes: list[Sized]) -> None:
    """Among 10,000 nodes: 2 siblings and all 20 of them, in one order or another, away and gone."""
    grove, ids = sizes[1]
    data = await grove.query(
        "query ($id: ID!) { hierarchyNode(id: $id) { children(first: 20) { nodes { id } } } }", {"id": ids["node FL"]}
    )
    children = [node["id"] for node in data["hierarchyNode"]["children"]["nodes"]]
    assert len(children) >= 15
    inputs: list[tuple[str, Mapping[str, Any]]] = [
        ("moveNodes", {"parentId": ids["node CA"]}),
        ("moveNodes", {"position": {"first": True}}),
        ("unassignNodes", {"children": "UNASSIGN"}),
        ("unassignNodes", {"children": "PROMOTE"}),
    ]
    for name, rest in inputs:
        rows = "nodes { id path group { name } }" if name == "moveNodes" else "groups { name nodes { id } }"
        type = f"{name[0].upper()}{name[1:]}Input"
        document = f"mutation ($input: {type}!) {{ {name}(input: $input) {{ {rows} userErrors {{ message }} }} }}"
        counts = []
        for number in (2, len(children)):
            input = {"nodeIds": children[:number], "dryRun": True, **rest}
            answer = await ask(grove, document, {"input": input})
            assert answer.data[name]["userErrors"] == []
            counts.append(answer.statements)
        assert all(few == many for few, many in pairwise(counts)), (name, rest, counts)


async def test_the_sown_company_is_sound(sizes: list[Sized]) -> None:
    """What the budgets are measured on is what the service itself would have made."""
    for sized, size in zip(sizes, SIZES, strict=True):
        answer = await ask(
            sized.grove,
            """
            {
              hierarchy(by: { name: "Sales" }) {
                nodeCount levels { nodeCount } nodes { totalCount } unassignedGroups { totalCount }
                roots(first: 1000) { nodes { descendantCount } }
              }
            }
            """,
        )
        hierarchy = answer.data["hierarchy"]
        assert hierarchy["nodeCount"] == sum(level["nodeCount"] for level in hierarchy["levels"]) == size
        assert sum(1 + root["descendantCount"] for root in hierarchy["roots"]["nodes"]) == size
        assert hierarchy["unassignedGroups"]["totalCount"] >= len(UNASSIGNED)
