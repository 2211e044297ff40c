"""Requests that are none: bodies of every shape, random ones, and clients that misbehave at the socket."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.client import Grove
from tests.support.service import Service
from tests.support.stub import LEGACY, MODERN, codes, post, run, stub

pytestmark = pytest.mark.usefixtures("executor")


@pytest.fixture(scope="module")
async def http(executor: str) -> AsyncIterator[httpx.AsyncClient]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with stub(monkeypatch) as client:
            yield client


# ── malformed requests ──────────────────────────────────────────────────────────────────────────────────────

MALFORMED = [
    b"",
    b"null",
    b"true",
    b"5",
    b'"x"',
    b"[]",
    b"[5]",
    b'[{"query": "{ hello }"}]',
    b"{}",
    b"{",
    b"nonsense",
    b'{"query": "{ hello }"} and more',
    b"\xff\xfe\xfd",
    b'{"query": "\xff"}',
    b'\xef\xbb\xbf{"query": "{ hello }"}',
    '{"query": "{ hello }"}'.encode("utf-16"),
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"query": "{ hello }", "variables": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    b"1" * 100_000,
    b'{"query": "{ hello }", "variables": {"a": ' + b"1" * 100_000 + b"}}",
    b'{"query": "{ hello }", "variables": {"a": 1e999}}',
    b'{"query": NaN}',
    b'{"query": "{ hello }", "variables": {"a": NaN}}',
    b'{"query": "\\ud800"}',
    b'{"query": "{ hello }", "variables": {"a": "\\udc00"}}',
    b'{"query": "{ hello }\x00"}',
    b'{"query": "{ hello }", "query": "{ actor }"}',
    b'{"query": "{ hello }", "variables": {}, "variables": {"a": 1}}',
    b'{"query": null}',
    b'{"query": 5}',
    b'{"query": ["{ hello }"]}',
    b'{"query": {"hello": 1}}',
    b'{"qeury": "{ hello }"}',
    b'{"query": "{ hello }", "variables": [7]}',
    b'{"query": "{ hello }", "variables": "{}"}',
    b'{"query": "{ hello }", "variables": 0}',
    b'{"query": "{ hello }", "operationName": 0}',
    b'{"query": "{ hello }", "operationName": {}}',
    b'{"query": "{ hello }", "extensions": []}',
    b'{"query": "{ hello }", "extensions": "x"}',
]


@pytest.mark.parametrize("accept", [MODERN, LEGACY])
@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:30]))
async def test_malformed_bodies_are_400(http: httpx.AsyncClient, body: bytes, accept: str) -> None:
    response = await post(http, body, accept)
    assert response.status_code == 400
    assert codes(response) == ["BAD_REQUEST"]
    assert len(response.content) < 1_000


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "{ hello }", "variables": null, "operationName": null, "extensions": null}',
        b'{"query": "{ hello }", "extensions": {"query": "query"}, "anything": [1]}',
        b'{"query": "query q { hello }", "operationName": "q", "variables": {"unknown": {"query": 1}}}',
        b'  {"query"\t:\n"{ hello }"}  ',
        '{"query": "{ hello(name: \\"Zoë 🌳 \\ud83c\\udf33\\") }"}'.encode(),
    ],
)
async def test_well_formed_bodies_are_200(http: httpx.AsyncClient, body: bytes) -> None:
    response = await post(http, body)
    assert response.status_code == 200, response.text
    assert "errors" not in response.json()


async def test_compressed_bodies_are_415(http: httpx.AsyncClient) -> None:
    response = await post(http, gzip.compress(b'{"query": "{ hello }"}'), content_encoding="gzip")
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "identity"


async def test_a_body_that_is_too_large_is_413(monkeypatch: pytest.MonkeyPatch) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 1_000

    async with stub(monkeypatch, max_body_bytes=2_000) as http:
        announced = await post(http, b" " * 2_001)
        headers = {"Content-Type": "application/json"}
        streamed = await http.post("/graphql", content=chunks(), headers=headers)
        assert (announced.status_code, streamed.status_code) == (413, 413)
        assert codes(announced) == codes(streamed) == ["LIMIT_EXCEEDED"]
        assert "2,000 bytes" in announced.json()["errors"][0]["message"]


async def test_a_body_that_does_not_arrive_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    async with stub(monkeypatch, request_seconds=0.1) as http:
        response = await http.post("/graphql", content=chunks(), headers={"Content-Type": "application/json"})
        assert response.status_code == 408
        assert codes(response) == ["TIMEOUT"]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LIKE_A_REQUEST = st.fixed_dictionaries(
    {"query": ANY_JSON | st.sampled_from(["{ hello }", "query ($a: String!) { hello(name: $a) }"])},
    optional={"variables": ANY_JSON, "operationName": ANY_JSON, "extensions": ANY_JSON},
)
FUZZ = hypothesis_settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FUZZ
@given(body=st.binary(max_size=200))
async def test_any_bytes_are_no_fault_of_ours(http: httpx.AsyncClient, body: bytes) -> None:
    assert (await post(http, body)).status_code == 400


@FUZZ
@given(body=ANY_JSON | LIKE_A_REQUEST)
async def test_any_json_is_no_fault_of_ours(http: httpx.AsyncClient, body: Any) -> None:
    response = await post(http, body)
    assert response.status_code in {200, 400}
    assert response.json().keys() <= {"data", "errors"}


DOCUMENT_PIECES = st.sampled_from(
    [
        *("{", "}", "(", ")", "[", "]", ":", "!", "$", "@", "...", "=", "|", "&"),
        *(
            "query",
            "mutation",
            "subscription",
            "fragment",
            "on",
            "null",
            "true",
            "hello",
            "by",
            "leaves",
            "nodes",
        ),
        *(
            "edges",
            "node",
            "children",
            "name",
            "first",
            "id",
            "Query",
            "Leaf",
            "LeafConnection",
            "skip",
            "if",
            "By",
        ),
        *(
            "__typename",
            "__schema",
            "__type",
            "$a",
            "$by",
            "@skip(if: true)",
            "1",
            "-1",
            "1.5",
            '"x"',
            '"""y"""',
        ),
        *("#c\n", "\\u0000", "é", "\ufeff", "query ($a: ID!)", "{ leaves { nodes { name } } }", "...f"),
        *("fragment f on Query { hello ...f }", "fragment g on Leaf { name }", "by(by: {id: $a})"),
    ]
)


@FUZZ
@given(pieces=st.lists(DOCUMENT_PIECES, max_size=25))
async def test_any_document_is_no_fault_of_ours(http: httpx.AsyncClient, pieces: list[str]) -> None:
    response = await run(http, " ".join(pieces), variables={"a": "1"})
    assert response.status_code in {200, 400}
    assert "INTERNAL" not in codes(response) if "errors" in response.json() else True


# ── over a socket ───────────────────────────────────────────────────────────────────────────────────────────


async def exchange(service: Service, sent: bytes, *, wait: bool = True) -> bytes:
    """Sends raw bytes; the answer, or nothing where the client hangs up at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(sent)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(4_096), 30) if wait else b""
    writer.close()
    return answer


async def test_hostile_clients(service: Service) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    assert b" 400 " in await exchange(service, b"nonsense\r\n\r\n")
    assert b" 400 " in await exchange(service, head + b"Content-Length: nonsense\r\n\r\n")
    assert b" 413 " in await exchange(service, head + b"Content-Length: 99999999999\r\n\r\n")
    assert b" 400 " in await exchange(service, head + b"Content-Length: 2\r\n\r\n{}")
    assert b" 400 " in await exchange(service, b"GET /" + b"a" * 1_000_000)
    assert b" 400 " in await exchange(service, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
    # A large body is no large head, and neither are many requests at once.
    large = b'{"query": "{ __typename }", "extensions": {"a": "' + b"x" * 1_000_000 + b'"}}'
    length = str(len(large)).encode()
    assert b" 200 " in await exchange(service, head + b"Content-Length: " + length + b"\r\n\r\n" + large)
    assert b" 200 " in await exchange(service, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3_000)
    upgrade = b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert b"HTTP/1.1 4" in await exchange(service, upgrade)
    # Clients that hang up: in the middle of a body, and before their answer.
    query = b'{"query": "{ __typename }"}'
    for _ in range(20):
        await exchange(service, head + b"Content-Length: 1000\r\n\r\n{", wait=False)
        length = str(len(query)).encode()
        await exchange(service, head + b"Content-Length: " + length + b"\r\n\r\n" + query, wait=False)
    async with service.client() as client:
        assert (await client.query("{ __typename }")) == {"__typename": "Query"}
    assert "fault" not in service.tail()
    assert "Traceback" not in service.tail()


async def test_the_real_schema_is_served(grove: Grove) -> None:
    data = await grove.query("{ __schema { queryType { name } mutationType { name } } }")
    assert data["__schema"] == {"queryType": {"name": "Query"}, "mutationType": {"name": "Mutation"}}
