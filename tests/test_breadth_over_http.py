"""Where breadth-first execution would first differ from graphql-core, one by one, on Grove's schema over HTTP."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson
import pytest

from service import ids
from service.ids import Kind
from tests.support.databases import Databases
from tests.support.oddities import odd_company
from tests.support.twins import JSON, Answer, Request, Twins, twins

Variables = Mapping[str, Any]
NONE: Sequence[Variables] = ({},)
LOST = ids.encode(Kind.GROUP, 12_345)

# Each with the variables of several requests. All goes well: nothing is left to graphql-core.
ANSWERED: dict[str, tuple[str, Sequence[Variables]]] = {
    "key order of merged fields": (
        "{ ...F hierarchies { totalCount nodes { name } } } "
        "fragment F on Query { customerTypes hierarchies { nodes { id levels { name } } pageInfo { endCursor } } }",
        NONE,
    ),
    "one key from two fragments": (
        "{ changes(first: 30) { nodes { ...F ...G } } } "
        "fragment F on Change { x: group { name } } fragment G on Change { x: group { id name customerCount } }",
        NONE,
    ),
    "a typename with an alias in an interface": (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { a: __typename ... on Node { __typename id }"
        " ... on Customer { b: __typename code } ... on Hierarchy { code: name } } }",
        ({"ids": "@all"}, {"ids": []}, {"ids": "@"}),
    ),
    "directives by variables that differ": (
        "query ($a: Boolean!, $b: Boolean = false) { customers(first: 2) { nodes { code @skip(if: $a) name"
        " groups @include(if: $b) { totalCount } } totalCount @include(if: $a) @skip(if: $b) } }",
        ({"a": True}, {"a": False}, {"a": True, "b": True}, {"a": False, "b": True}, {"a": True}),
    ),
    "defaults against null and absent": (
        'query ($size: Int = 2, $at: String! = "MAIN", $filter: CustomerFilter = { type: "RETAILER" })'
        " { customers(first: $size, filter: $filter) { totalCount nodes { code } }"
        ' stockItem(sku: "WINE", location: $at) { free } }',
        (
            {},
            {"size": None},
            {"filter": None},
            {"size": 1, "filter": {}},
            {"at": "nowhere"},
            {"filter": {"type": None}},
        ),
    ),
    "custom scalars": (
        "query ($since: DateTime, $until: DateTime) { changes(first: 3, filter: { since: $since, until: $until })"
        " { nodes { at before after } totalCount } reservations { nodes { expiresAt createdAt } } }",
        ({}, {"since": None}, {"since": "2020-01-01T00:00:00+02:00"}, {"until": "2020-01-01T00:00:00Z"}),
    ),
    "enumerations": (
        "query ($status: [ReservationStatus!], $field: CustomerOrderField!) {"
        " reservations(filter: { status: $status }) { nodes { status } }"
        " customers(first: 3, orderBy: { field: $field, direction: DESC }) { nodes { type code } }"
        " changes(filter: { action: NODE_MOVED }) { nodes { action } } }",
        ({"status": "OPEN", "field": "NAME"}, {"status": ["EXPIRED", "CONSUMED"], "field": "TYPE"}, {"field": "CODE"}),
    ),
    "an object at two places": (
        '{ a: customerGroup(by: { name: "FL" }) { ...F customers(first: 2) { nodes { groups { nodes { ...F } } } } }'
        ' b: customerGroup(by: { name: "FL" }) { nodes { group { ...F } } } } '
        "fragment F on CustomerGroup { id name version }",
        NONE,
    ),
    "an operation among several": (
        "query Other { customerTypes } query Asked($n: Int) { customers(first: $n) { nodes { ...F } } } "
        "fragment F on Customer { code }",
        ({"n": 1}, {"n": 0}),
    ),
    "directives on fragments": (
        "query ($a: Boolean!) { customers(first: 2) { ...F @skip(if: $a) ... @include(if: $a) { totalCount } } } "
        "fragment F on CustomerConnection { edges { cursor ... @skip(if: $a) { node { code } } } }",
        ({"a": True}, {"a": False}),
    ),
    "empty lists all the way down": (
        '{ nodes(ids: []) { id } hierarchy(by: { name: "Nothing yet" }) { nodes { nodes { children { nodes { id } } } }'
        " roots { edges { node { ancestors { id } } } pageInfo { startCursor hasNextPage } totalCount } }"
        ' customerGroup(by: { name: "Empty" }) { customers { nodes { groups { nodes { id } } } totalCount } } }',
        NONE,
    ),
    "empty selections": ("{ hierarchies { nodes { levels {} } } customers {} }", NONE),
    "nulls where they may be": (
        f'{{ node(id: "{LOST}") {{ id }} customer(by: {{ code: "none" }}) {{ groups {{ totalCount }} }}'
        " changes(first: 40) { nodes { hierarchy { name } group { nodes { parent { path } } } customer { code } } } }",
        NONE,
    ),
}
# Each request has errors, which are graphql-core's to tell.
REFUSED: dict[str, tuple[str, Sequence[Variables]]] = {
    "errors at several places under aliases": (
        "query ($n: Int) { z: customers(first: -1) { totalCount } hierarchies {"
        " nodes { a: nodes(first: $n) { nodes { id } }"
        ' b: changes(after: "mangled") { nodes { id } } } } a: node(id: "mangled") { id } customerTypes }',
        ({"n": 5_000}, {"n": -1}, {"n": 1}),
    ),
    "an error in the middle of a list": (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } ok: customerTypes }",
        ({"ids": ["@", "mangled", "@"]},),
    ),
    "a number beyond 32 bits": (
        "query ($n: Int) { customers(first: $n) { totalCount } }",
        ({"n": 2**31}, {"n": 1.5}, {"n": "1"}, {"n": True}),
    ),
    "variables that do not fit": (
        "query ($by: CustomerBy!, $at: DateTime, $location: String = null) { customer(by: $by) { code }"
        ' changes(filter: { since: $at }) { totalCount } stockItem(sku: "WINE", location: "MAIN") { sku }'
        " stockItems(filter: { location: $location }) { totalCount } }",
        (
            {},
            {"by": None},
            {"by": {}},
            {"by": {"code": "a", "id": "b"}},
            {"by": {"code": None}},
            {"by": {"code": "a"}, "at": "?"},
        ),
    ),
    "null for what has a default": (
        'query ($at: String) { stockItem(sku: "WINE", location: $at) { free } customerTypes }',
        ({"at": None},),
    ),
    "introspection beside errors": ('{ __schema { queryType { name } } node(id: "x") { id } }', NONE),
}


@pytest.fixture(scope="module")
async def odd_twins(databases: Databases) -> AsyncIterator[Twins]:
    """Both applications on a database with the demo company and what it lacks."""
    async with odd_company(databases) as url, twins(url) as both:
        yield both


async def answers(both: Twins, text: str, variables: Variables) -> Answer:
    """What both answer, with «@all» and «@» among the variables turned into ids; the same in both media types."""
    found = await both.send(
        Request("{ changes(first: 9) { nodes { id } } hierarchies { nodes { id } } }"), "graphql-core"
    )
    data = orjson.loads(found.body)["data"]
    known = [node["id"] for nodes in data.values() for node in nodes["nodes"]]

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(inner) for inner in value]
        return {"@all": [*known, LOST], "@": known[0]}.get(value, value) if isinstance(value, str) else value

    values = {name: filled(value) for name, value in variables.items()}
    operation = "Asked" if "Asked" in text else None
    one, two = await both.answers(Request(text, values, operation, JSON))
    assert one == two
    one, two = await both.answers(Request(text, values, operation))
    assert one == two
    return one


@pytest.mark.parametrize("name", ANSWERED)
async def test_both_answer_the_same(odd_twins: Twins, name: str) -> None:
    text, requests = ANSWERED[name]
    # Twice, since what is kept of a document must serve requests with other variables.
    for variables in [*requests, *requests]:
        answer = await answers(odd_twins, text, variables)
        assert answer.body.startswith(b'{"data":'), answer.body
        assert odd_twins.ran == {"breadth": "breadth", "graphql-core": "graphql-core"}


@pytest.mark.parametrize("name", REFUSED)
async def test_both_tell_the_same_errors(odd_twins: Twins, name: str) -> None:
    text, requests = REFUSED[name]
    told = [(await answers(odd_twins, text, variables)).body for variables in requests]
    assert all(b'"errors":[' in body for body in told), told
