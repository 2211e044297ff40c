"""What is done once at the most: dry runs leave no trace, and idempotency keys give the first answer again."""

import logging
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.client import Json
from tests.support.company import ACTOR_HEADER, Company
from tests.support.compared import BY_TWIN
from tests.support.contents import contents, dump
from tests.support.copies import Standing, copied, standing
from tests.support.databases import Databases
from tests.support.payloads import MUTATIONS, selection_of
from tests.support.refusals import REFUSALS, VERSIONED, Refusal
from tests.support.sql import fetch

SALES = {"hierarchyId": "@hierarchy Sales"}

# Something for each mutation to do, more than one where there is more than one way.
DEEDS: list[tuple[str, Mapping[str, Any]]] = [
    ("createHierarchy", {"name": "Plan", "levels": ["Top", "Middle", "Bottom"]}),
    ("createHierarchy", {"name": "Plan", "levels": ["Top"], "placeholders": False, "description": "Bare"}),
    ("createCustomerGroup", {"name": "New", "customerCodes": ["C-1", "C-6"], "description": "All at once"}),
    (
        "createCustomerGroup",
        {
            "name": "New",
            "code": "N-1",
            "customerIds": ["@customer C-1"],
            "place": {**SALES, "parentId": "@node FL", "position": {"after": "@node Palm Tree"}},
        },
    ),
    ("createCustomerGroup", {"name": "New", "place": {**SALES, "parentId": "@node FL"}}),
    ("createCustomer", {"code": "N-1", "name": "New", "type": "BAR"}),
    *(deed for mutations in VERSIONED.values() for deed in mutations if deed[0] != "removeLevel"),
    # The last level of «Markets» is free when its node is gone: see `prepared`.
    ("removeLevel", {"hierarchyId": "@hierarchy Markets", "depth": 2}),
    ("removeLevel", {**SALES, "depth": 2, "mode": "MERGE_UP"}),
    ("addLevel", {**SALES, "depth": 2, "name": "Region"}),
    ("addLevel", {**SALES, "depth": 1, "name": "Region"}),
    ("moveNode", {"nodeId": "@node FL", "parentId": "@node West", "position": {"first": True}}),
    ("moveNode", {"nodeId": "@node IL", "position": {"index": 0}}),
    ("moveNodes", {"nodeIds": ["@node IL", "@node FL", "@node Palm Tree"], "parentId": None}),
    ("assignGroups", {**SALES, "groups": [{"name": "TX"}, {"name": "South"}], "parentId": "@node East"}),
    ("unassignNode", {"nodeId": "@node East", "children": "PROMOTE"}),
    ("unassignNodes", {"nodeIds": ["@node East", "@node Palm Tree", "@node CA"], "children": "PROMOTE"}),
    ("unassignNodes", {"nodeIds": ["@node FL", "@node Palm Tree", "@node CA"]}),
    ("deleteCustomerGroup", {"id": "@group FL", "children": "UNASSIGN"}),
    ("importHierarchy", {**SALES, "csv": "Division,State,Distributor\nEast,CA,New\nTX,,\nNewer,Newest,\n"}),
    ("importHierarchy", {**SALES, "mode": "REPLACE", "csv": "Division Name,Division Description\nWest,The far one\n"}),
    ("importHierarchy", {"createName": "Plan", "csv": "Code,Name,Parent Code\nN-2,New,N-1\nN-1,East of it,\n"}),
    # With its reservation, which is closed.
    ("deleteCustomerGroup", {"id": "@group TX"}),
    ("setStock", {"sku": "BEER", "location": "PORT", "onHand": 7}),
    ("setStock", {"sku": "WINE", "onHand": 10}),
    (
        "reserveStock",
        {
            "sku": "WINE",
            "group": {"name": "East"},
            "hierarchy": {"name": "Sales"},
            "quantity": 90,
            "expiresAt": "2999-01-01T00:00:00+00:00",
            "reference": "PO 4711",
        },
    ),
    ("consumeReservation", {"id": "@reservation open", "quantity": 3, "customer": {"code": "C-5"}}),
    ("consumeReservation", {"id": "@reservation open", "quantity": 10, "customer": {"code": "C-5"}}),
    ("releaseReservation", {"id": "@reservation open"}),
    ("importCustomers", {"csv": "Code,Name,Type\nC-1,Renamed,\nC-2,Customer 2,RETAILER\nN-1,New,BAR\n"}),
    ("importGroupMembers", {"csv": "Customer Code\nC-1\nC-6\n", "group": {"name": "East"}, "mode": "REPLACE"}),
    ("importGroupMembers", {"csv": "Group Code,Customer Code\nCG-000001,C-3\nCG-000002,C-3\n"}),
    ("importCustomerGroups", {"csv": "Code,Name\nCG-000001,Orient\n,New\n,Newer\n"}),
    ("importCustomerGroups", {"csv": "Name,Status\nFL,inactive\nEast,ACTIVE\n"}),
]


def named(value: object) -> str:
    return value if isinstance(value, str) else ""


@pytest.fixture(scope="module")
async def original(databases: Databases) -> AsyncIterator[Standing]:
    async with standing(databases) as arranged:
        yield arranged


@pytest.fixture
async def copy(databases: Databases, original: Standing) -> AsyncIterator[Standing]:
    async with copied(databases, original) as arranged:
        yield arranged


@pytest.fixture
def company(copy: Standing) -> Company:
    return copy.company


def test_every_mutation_is_tried() -> None:
    assert {mutation for mutation, _ in DEEDS} == set(MUTATIONS)


# ── dry runs ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("mutation", "input"), DEEDS, ids=named)
async def test_a_dry_run(
    copy: Standing, caplog: pytest.LogCaptureFixture, mutation: str, input: Mapping[str, Any]
) -> None:
    """It answers as the real run will, by either executor, and leaves the database byte for byte as it was."""
    company = await prepared(copy.company)
    known = {
        id
        for ids in (company.hierarchies, company.groups, company.nodes, company.customers, company.reservations)
        for id in ids.values()
    }
    selection = selection_of(mutation, depth=2)
    caplog.set_level(logging.DEBUG, "grove")
    before = await dump(copy.url)
    started = datetime.now(UTC).isoformat()
    # Twice: the first run has not even moved a counter on. A key is not used up either.
    rehearsal = {**input, "dryRun": True, "idempotencyKey": "once"}
    dry = [await company.mutate(mutation, rehearsal, selection, headers=headers) for headers in (None, BY_TWIN)]
    assert await dump(copy.url) == before
    real = await company.mutate(mutation, {**input, "idempotencyKey": "once"}, selection)
    assert [settled(answer, known, started) for answer in dry] == [settled(real, known, started)] * 2
    assert await contents(copy.url) != before
    # What it answers has been read breadth-first indeed.
    assert "left to graphql-core" not in caplog.text


async def prepared(company: Company) -> Company:
    """Some changes to look at, and a level without nodes."""
    data = await company.grove.query('{ hierarchy(by: { name: "Markets" }) { node(group: { name: "East" }) { id } } }')
    await company.mutate("unassignNode", {"nodeId": data["hierarchy"]["node"]["id"]})
    return company


def settled(value: Any, known: set[str], started: str) -> Any:
    """An answer in which generated ids are told by the order of their coming, and instants of now by that word."""
    names: dict[str, str] = {}

    def settle(value: Any) -> Any:
        if isinstance(value, list):
            return [settle(inner) for inner in value]
        if isinstance(value, dict):
            # Cursors hold keys and instants.
            return {key: settle(inner) for key, inner in value.items() if "ursor" not in key}
        if not isinstance(value, str):
            return value
        if (
            re.fullmatch(r"(hierarchy|node|group|customer|change|stock|reservation)_[0-9a-z]+", value)
            and value not in known
        ):
            return names.setdefault(value, f"{value.split('_')[0]} {len(names)}")
        if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", value) and value >= started:
            return "now"
        return value

    return settle(value)


async def test_several_mutations_of_which_one_fails(copy: Standing) -> None:
    """Those before it are kept, those behind it are not done; either executor says the same."""
    document = """
        mutation ($node: ID!, $dry: Boolean!) {
          kind: __typename
          one: createCustomer(input: { code: "N-1", name: "One", dryRun: $dry }) { customer { name } }
          two: createCustomer(input: { code: "N-2", name: "Two", dryRun: $dry }) {
            customer { groups(first: 1, last: 1) { totalCount } }
          }
          three: unassignNode(input: { nodeId: $node, dryRun: $dry }) {
            groups { customers(first: 1, last: 1) { totalCount } }
          }
          four: createCustomer(input: { code: "N-4", name: "Four", dryRun: $dry }) { customer { name } }
        }
    """
    before = await dump(copy.url)
    execute, variables = copy.company.grove.execute, copy.company.filled({"node": "@node East"})
    dry = [await execute(document, {**variables, "dry": True}, headers=headers) for headers in (None, BY_TWIN)]
    assert await dump(copy.url) == before
    assert dry[0] == dry[1] == await execute(document, {**variables, "dry": False})
    # The second one has room for a null, the third has none.
    assert dry[0]["data"] is None
    assert [error["path"] for error in dry[0]["errors"]] == [
        ["two", "customer", "groups"],
        ["three", "groups", 0, "customers"],
    ]
    data = await copy.company.grove.query('{ customers(filter: { code: { startsWith: "N-" } }) { nodes { name } } }')
    assert data["customers"]["nodes"] == [{"name": "One"}]


FIRST_REFUSALS = {refusal.mutation: refusal for refusal in reversed(REFUSALS)}.values()


@pytest.mark.parametrize("refusal", FIRST_REFUSALS, ids=str)
async def test_a_dry_run_that_is_refused(copy: Standing, refusal: Refusal) -> None:
    before = await dump(copy.url)
    answers = [
        await copy.company.mutate(
            refusal.mutation, {**refusal.input, "dryRun": dry}, selection_of(refusal.mutation), errors=None
        )
        for dry in (True, False)
    ]
    assert answers[0] == answers[1]
    assert [error["code"] for error in answers[0]["userErrors"]] == [code for code, _, _ in refusal.mistakes]
    assert await dump(copy.url) == before


async def test_a_dry_run_among_others(company: Company) -> None:
    """Of several mutations in one request each keeps, or does not keep, its own."""
    data = await company.grove.query(
        """
        mutation {
          one: createCustomerGroup(input: { name: "One" }) { group { code } }
          dry: createCustomerGroup(input: { name: "Two", dryRun: true }) { group { code } }
          two: createCustomerGroup(input: { name: "Two" }) { group { code } userErrors { code } }
        }
        """
    )
    codes = [data[name]["group"]["code"] for name in ("one", "dry", "two")]
    assert codes == ["CG-000012", "CG-000013", "CG-000013"]


# ── idempotency ─────────────────────────────────────────────────────────────────────────────────────────────

KEY = {"idempotencyKey": "a key"}
NEW = {"name": "New", **KEY}


@pytest.mark.parametrize(("mutation", "input"), DEEDS, ids=named)
async def test_a_repeated_mutation(copy: Standing, mutation: str, input: Mapping[str, Any]) -> None:
    """The first answer again, to the letter, and nothing changes again."""
    company = await prepared(copy.company)
    selection = selection_of(mutation)
    first = await company.mutate(mutation, {**input, **KEY}, selection)
    after = await contents(copy.url)
    assert await company.mutate(mutation, {**input, **KEY}, selection) == first
    # A null is no other input than a field that was left out; nor is a default that is spelt out.
    assert (
        await company.mutate(mutation, {**input, **KEY, "clientMutationId": None, "dryRun": False}, selection) == first
    )
    assert await contents(copy.url) == after


async def test_the_first_answer_after_later_changes(company: Company) -> None:
    selection = "group { id name version customerCount }"
    first = await company.mutate("createCustomerGroup", NEW, selection)
    id = first["group"]["id"]
    await company.mutate("updateCustomerGroup", {"id": id, "name": "Newer"})
    assert await company.mutate("createCustomerGroup", NEW, selection) == first
    # Another selection of the same is answered from what is there now.
    other = await company.mutate("createCustomerGroup", NEW, "group { id name code }")
    assert other["group"] == {"id": id, "name": "Newer", "code": "CG-000012"}
    await company.mutate("deleteCustomerGroup", {"id": id})
    assert await company.mutate("createCustomerGroup", NEW, selection) == first
    gone = await company.mutate("createCustomerGroup", NEW, "group { id name code }")
    assert gone["group"] is None
    # Although the name is free again, nothing was created anew.
    data = await company.grove.query('{ customerGroup(by: { name: "New" }) { id } }')
    assert data["customerGroup"] is None


async def test_the_first_answer_in_another_form(company: Company) -> None:
    """Blanks in the document do not matter; aliases and fragments are answered as they ask."""
    first = await company.mutate("createCustomerGroup", NEW, "group { id }")
    again = await company.mutate("createCustomerGroup", NEW, "group\n{\n  id,\n}")
    assert again == first
    aliased = await company.mutate("createCustomerGroup", NEW, "mine: group { key: id }")
    assert aliased["mine"] == {"key": first["group"]["id"]}
    data = await company.grove.query(
        """
        mutation ($input: CreateCustomerGroupInput!) { made: createCustomerGroup(input: $input) { ...Made } }
        fragment Made on CreateCustomerGroupPayload { group { __typename id } }
        """,
        {"input": NEW},
    )
    assert data["made"] == {"group": {"__typename": "CustomerGroup", "id": first["group"]["id"]}}


async def test_the_clients_own_id_is_returned_as_it_came(company: Company) -> None:
    """It is no part of what was asked for, even though the answer is the first one."""
    for mine in ("one", "two", None, "one"):
        payload = await company.mutate(
            "createCustomerGroup", {**NEW, "clientMutationId": mine}, "clientMutationId group { name version }"
        )
        assert payload == {"clientMutationId": mine, "group": {"name": "New", "version": 1}, "userErrors": []}
        data = await company.grove.execute(
            """
            mutation ($input: CreateCustomerGroupInput!) {
              createCustomerGroup(input: $input) {
                ... on CreateCustomerGroupPayload { ...Own second: clientMutationId }
                third: clientMutationId @skip(if: true)
              }
            }
            fragment Own on CreateCustomerGroupPayload { first: clientMutationId }
            """,
            {"input": {**NEW, "clientMutationId": mine}},
        )
        assert data["data"]["createCustomerGroup"] == {"first": mine, "second": mine}
        await company.mutate("updateCustomerGroup", {"id": await new_id(company), "description": f"after {mine}"})


async def new_id(company: Company) -> str:
    data = await company.grove.query('{ customerGroup(by: { name: "New" }) { id } }')
    id: str = data["customerGroup"]["id"]
    return id


@pytest.mark.parametrize(
    ("mutation", "input"),
    [
        ("createCustomerGroup", {"name": "Newer"}),
        ("createCustomerGroup", {"name": "new"}),
        ("createCustomerGroup", {"name": "New", "description": "x"}),
        ("createCustomerGroup", {"name": "New", "customerCodes": ["C-1"]}),
        ("createCustomerGroup", {"name": "New", "place": SALES}),
        ("createCustomerGroup", {"name": "New", "dryRun": True}),
        ("createCustomer", {"code": "N-1", "name": "New"}),
        ("deleteCustomerGroup", {"id": "@group CA"}),
    ],
)
async def test_the_same_key_with_another_input(copy: Standing, mutation: str, input: Mapping[str, Any]) -> None:
    await copy.company.mutate("createCustomerGroup", NEW)
    before = await contents(copy.url)
    refused = await copy.company.mutate(mutation, {**input, **KEY}, errors=["IDEMPOTENCY_MISMATCH"])
    assert refused["userErrors"][0]["path"] == ["input", "idempotencyKey"]
    assert "«a key»" in refused["userErrors"][0]["message"]
    assert await contents(copy.url) == before
    # The key still gives the first answer.
    await copy.company.mutate("createCustomerGroup", NEW)


async def test_keys_are_per_actor(company: Company) -> None:
    await company.mutate("createCustomerGroup", NEW)
    other = {ACTOR_HEADER: "bob"}
    # For somebody else it is a new mutation, with a name that is taken by now.
    await company.mutate("createCustomerGroup", NEW, errors=["NAME_TAKEN"], headers=other)
    made = await company.mutate("createCustomerGroup", {**NEW, "name": "Bob's"}, "group { name }", headers=other)
    assert made["group"]["name"] == "Bob's"
    again = await company.mutate("createCustomerGroup", NEW, "group { name }")
    assert again["group"]["name"] == "New"


async def test_a_refused_mutation_does_not_use_up_its_key(copy: Standing) -> None:
    company = copy.company
    before = await contents(copy.url)
    for _ in range(2):
        await company.mutate("createCustomerGroup", {**NEW, "name": "East"}, errors=["NAME_TAKEN"])
        await company.mutate("moveNode", {**KEY, "nodeId": "nonsense"}, errors=["INVALID"])
    assert await contents(copy.url) == before
    payload = await company.mutate("createCustomerGroup", NEW, "group { name }")
    assert payload["group"]["name"] == "New"


async def test_an_answer_that_fails_does_not_use_up_its_key(copy: Standing) -> None:
    """Nothing was kept, so nothing is repeated."""
    company = copy.company
    before = await contents(copy.url)
    failed = await company.grove.execute(
        """
        mutation ($input: CreateCustomerInput!) {
          createCustomer(input: $input) { customer { groups(first: 1, last: 1) { totalCount } } }
        }
        """,
        {"input": {"code": "N-1", "name": "New", **KEY}},
    )
    assert [error["extensions"]["code"] for error in failed["errors"]] == ["BAD_USER_INPUT"]
    assert await contents(copy.url) == before
    await company.mutate("createCustomer", {"code": "N-1", "name": "Another", **KEY})


@pytest.mark.parametrize(
    ("age", "free"), [(timedelta(hours=24, minutes=1), True), (timedelta(hours=23, minutes=59), False)]
)
async def test_a_key_is_kept_for_24_hours(copy: Standing, age: timedelta, free: bool) -> None:
    company = copy.company
    await company.mutate("createCustomerGroup", NEW)
    aged = datetime.now(UTC) - age
    # Each database in its own way of writing an instant down.
    instant: Any = aged.isoformat(" ", "microseconds") if copy.url.startswith("sqlite") else aged
    await fetch(copy.url, "UPDATE idempotency SET created_at = $1", instant)
    # The same input does the same again, which the name does not allow any more.
    await company.mutate("createCustomerGroup", NEW, errors=["NAME_TAKEN"] if free else [])
    other = {**NEW, "name": "Newer"}
    payload = await company.mutate(
        "createCustomerGroup", other, "group { name }", errors=[] if free else ["IDEMPOTENCY_MISMATCH"]
    )
    assert (payload["group"] is not None) is free
    if free:
        # From now on the key is the new one's.
        assert await company.mutate("createCustomerGroup", other, "group { name }") == payload
        await company.mutate("createCustomerGroup", NEW, errors=["IDEMPOTENCY_MISMATCH"])


async def test_old_keys_are_forgotten(copy: Standing) -> None:
    company = copy.company
    for number in range(5):
        await company.mutate("createCustomer", {"code": f"N-{number}", "name": "New", "idempotencyKey": f"{number}"})
    instant: Any = datetime(2020, 1, 1, tzinfo=UTC)
    await fetch(
        copy.url,
        "UPDATE idempotency SET created_at = $1",
        instant.isoformat(" ", "microseconds") if copy.url.startswith("sqlite") else instant,
    )
    await company.mutate("createCustomer", {"code": "N-9", "name": "New", **KEY})
    assert await fetch(copy.url, "SELECT key FROM idempotency") == [("a key",)]


async def test_keys_are_told_apart_to_the_letter(company: Company) -> None:
    keys = ["k", "K", " k", "k ", "ｋ", "é", "e\u0301", "%", "'; --", "k" * 200, "🌳" * 200]
    for number, key in enumerate(keys):
        await company.mutate("createCustomer", {"code": f"N-{number}", "name": "New", "idempotencyKey": key})
    for number, key in enumerate(keys):
        input = {"code": f"N-{number}", "name": "New", "idempotencyKey": key}
        payload = await company.mutate("createCustomer", input, "customer { code }")
        assert payload["customer"]["code"] == f"N-{number}"


async def test_a_key_that_is_too_long(copy: Standing) -> None:
    before = await contents(copy.url)
    for length in (201, 10_000, 1_000_000):
        key = "".join(chr(0x4E00 + number % 20_000) for number in range(length))
        refused = await copy.company.mutate("createCustomerGroup", {**NEW, "idempotencyKey": key}, errors=["TOO_LONG"])
        assert refused["userErrors"][0]["path"] == ["input", "idempotencyKey"]
    assert await contents(copy.url) == before


async def test_without_a_key_nothing_is_kept(copy: Standing) -> None:
    for code in ("N-1", "N-2"):
        await copy.company.mutate("createCustomer", {"code": code, "name": "New", "idempotencyKey": None})
    assert await fetch(copy.url, "SELECT key FROM idempotency") == []


async def test_the_same_key_twice_in_one_request(company: Company) -> None:
    input = 'input: { code: "N-1", name: "New", idempotencyKey: "k" }'
    data: Json = await company.grove.query(
        f"""
        mutation {{
          one: createCustomer({input}) {{ customer {{ id version }} userErrors {{ code }} }}
          two: createCustomer({input}) {{ customer {{ id version }} userErrors {{ code }} }}
        }}
        """
    )
    assert data["one"]["userErrors"] == []
    assert data["two"] == data["one"]
