"""GraphQL over HTTP as its specification wants it: media types, status codes, GET, errors."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from service.answers import FAULT, MOST_ERRORS
from service.requests import preferred
from tests.support.stub import LEGACY, MODERN, SECRET, codes, post, run, stub

pytestmark = pytest.mark.usefixtures("executor")


@pytest.fixture(scope="module")
async def http(executor: str) -> AsyncIterator[httpx.AsyncClient]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with stub(monkeypatch) as client:
            yield client


# ── media types ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (MODERN, MODERN),
        (LEGACY, LEGACY),
        (None, MODERN),
        ("*/*", MODERN),
        ("application/*", MODERN),
        ("application/json;q=0.9, application/graphql-response+json", MODERN),
        ("application/graphql-response+json;q=0.5, application/json;q=0.6", LEGACY),
        ("application/json, application/graphql-response+json", LEGACY),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", MODERN),
        ("APPLICATION/JSON", LEGACY),
        ("text/html, application/json;q=0.1", LEGACY),
        ("application/graphql-response+json;q=0, */*", LEGACY),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", MODERN),
        ("application/json;q=oops, */*;q=0.1", MODERN),
    ],
)
async def test_the_best_accepted_media_type_is_answered(
    http: httpx.AsyncClient, accept: str | None, answered: str
) -> None:
    response = await post(http, {"query": "{ hello }"}, accept)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{answered}; charset=utf-8"
    assert response.json() == {"data": {"hello": "hello world"}}


@pytest.mark.parametrize("accept", ["text/plain", "", "image/*", "application/json;q=0", "application/json;charset=x"])
async def test_nothing_acceptable_is_406(http: httpx.AsyncClient, accept: str) -> None:
    response = await post(http, {"query": "{ hello }"}, accept)
    assert response.status_code == 406
    assert codes(response) == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON; Charset="UTF-8"', 200),
        ("application/json; charset=iso-8859-1", 415),
        ("application/jsonx", 415),
        ("application/graphql-response+json", 415),
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_only_json_in_utf8_is_read(http: httpx.AsyncClient, content_type: str, status: int) -> None:
    response = await post(http, {"query": "{ hello }"}, content_type=content_type)
    assert response.status_code == status


async def test_a_body_without_a_content_type_is_415(http: httpx.AsyncClient) -> None:
    request = http.build_request("POST", "/graphql", content=b'{"query": "{ hello }"}')
    request.headers.pop("content-type", None)
    assert (await http.send(request)).status_code == 415


def test_preferences() -> None:
    assert preferred("text/html;q=0, */*", ("text/html", "a/b")) == "a/b"
    assert preferred("a/*;q=0.5, a/b;q=0.4", ("a/b", "a/c")) == "a/c"
    assert preferred("nonsense;;;,,=", ("a/b",)) is None


# ── status codes ────────────────────────────────────────────────────────────────────────────────────────────

NOT_EXECUTED: list[tuple[dict[str, Any], str]] = [
    ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ hello"}, "GRAPHQL_PARSE_FAILED"),
    ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "{ by(by: {}) }"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "{ by(by: {id: $missing}) }"}, "GRAPHQL_VALIDATION_FAILED"),
    (
        {"query": "fragment f on Query { by(by: {id: $id}) } query ($id: ID!) { ...f }"},
        "BAD_USER_INPUT",
    ),
    ({"query": "query a { hello } query b { hello }"}, "BAD_REQUEST"),
    ({"query": "query a { hello }", "operationName": "b"}, "BAD_REQUEST"),
    ({"query": "query ($value: Int!) { number(value: $value) }"}, "BAD_USER_INPUT"),
    ({"query": "query ($v: Int!) { number(value: $v) }", "variables": {"v": 10**15}}, "BAD_USER_INPUT"),
    ({"query": "query ($v: Int!) { number(value: $v) }", "variables": {"v": 1.5}}, "BAD_USER_INPUT"),
    ({"query": "query ($by: By!) { by(by: $by) }", "variables": {"by": {}}}, "BAD_USER_INPUT"),
    ({"query": "query ($n: String!) { hello(name: $n) }", "variables": {"n": "a\0"}}, "BAD_USER_INPUT"),
    ({"query": "query ($b: By!) { by(by: $b) }", "variables": {"b": {"\0": 1}}}, "BAD_USER_INPUT"),
    ({"query": '{ hello(name: "\\u0000") }'}, "BAD_USER_INPUT"),
    ({"query": "subscription { ticks }"}, "BAD_REQUEST"),
    ({"query": f"{{ number(value: {'1' * 100_000}) }}"}, "GRAPHQL_VALIDATION_FAILED"),
    ({"query": "{ number(value: 1e999) }"}, "GRAPHQL_VALIDATION_FAILED"),
]


@pytest.mark.parametrize(("request_body", "code"), NOT_EXECUTED)
async def test_what_was_not_executed_has_no_data(
    http: httpx.AsyncClient, request_body: dict[str, Any], code: str
) -> None:
    modern = await post(http, request_body)
    legacy = await post(http, request_body, LEGACY)
    assert (modern.status_code, legacy.status_code) == (400, 200)
    assert codes(modern) == codes(legacy) == [code]
    assert "data" not in modern.json()
    assert "data" not in legacy.json()


@pytest.mark.parametrize("accept", [MODERN, LEGACY])
async def test_what_was_executed_is_200_even_without_any_data(http: httpx.AsyncClient, accept: str) -> None:
    partial = await post(http, {"query": "{ hello mistaken }"}, accept)
    assert partial.status_code == 200
    assert partial.json()["data"] == {"hello": "hello world", "mistaken": None}
    nothing = await post(http, {"query": "{ brokenForAll }"}, accept)
    assert nothing.status_code == 200
    assert nothing.json()["data"] is None


async def test_one_of_several_operations_is_run_by_its_name(http: httpx.AsyncClient) -> None:
    document = 'query a { hello(name: "a") } query b { hello(name: "b") }'
    assert (await run(http, document, operationName="b")).json() == {"data": {"hello": "hello b"}}
    assert codes(await run(http, document, operationName="")) == ["BAD_REQUEST"]


TWICE = [
    b'{"query": "{ hello }", "query": "{ number }"}',
    # A body means the same however its keys are spelled.
    b'{"query": "{ hello }", "\\u0071uery": "{ number }"}',
    b'{"qu\\u0065ry": "{ hello }", "qu\\u0065ry": "{ hello }"}',
    b'{"query": "{ hello }", "v\\u0061riables": {}, "variables": {}}',
]


@pytest.mark.parametrize("body", TWICE)
async def test_a_key_that_is_given_twice(http: httpx.AsyncClient, body: bytes) -> None:
    response = await http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, codes(response)) == (400, ["BAD_REQUEST"])
    assert "more than once" in response.json()["errors"][0]["message"]


async def test_a_word_in_the_variables_is_no_key(http: httpx.AsyncClient) -> None:
    body = b'{"query": "query ($name: String) { hello(name: $name) }", "variables": {"name": "\\u0022query\\u0022: x"}}'
    response = await http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert response.json() == {"data": {"hello": 'hello "query": x'}}


# ── GET and other methods ───────────────────────────────────────────────────────────────────────────────────


async def get(http: httpx.AsyncClient, **parameters: str) -> httpx.Response:
    return await http.get("/graphql", params=parameters, headers={"Accept": MODERN})


async def test_queries_by_get(http: httpx.AsyncClient) -> None:
    document = "query q($name: String!) { hello(name: $name) } query r { actor }"
    response = await get(http, query=document, operationName="q", variables='{"name": "Zoë"}', extensions="{}")
    assert response.json() == {"data": {"hello": "hello Zoë"}}
    assert (await get(http, query="{ hello }", operationName="", variables="", extensions="")).status_code == 200
    assert (await http.head("/graphql", params={"query": "{ hello }"})).status_code == 200


async def test_mutations_by_get_are_405(http: httpx.AsyncClient) -> None:
    response = await get(http, query='mutation { change(name: "x") }')
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "address",
    [
        "/graphql",
        "/graphql?query={hello",
        "/graphql?query=",
        "/graphql?query={hello}&query={actor}",
        "/graphql?query={hello}&variables=5",
        "/graphql?query={hello}&variables={",
        "/graphql?query={hello}&variables=[]",
        "/graphql?query={hello}&extensions=x",
        "/graphql?query=%00",
        "/graphql?query=%ff",
        '/graphql?query={hello}&variables={"a":"\\u0000"}',
    ],
)
async def test_malformed_addresses_are_400(http: httpx.AsyncClient, address: str) -> None:
    assert (await http.get(address, headers={"Accept": MODERN})).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_other_methods_are_405(http: httpx.AsyncClient, method: str) -> None:
    response = await http.request(method, "/graphql")
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST"


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_known_problems_keep_their_words(http: httpx.AsyncClient) -> None:
    response = await run(http, "{ mistaken unavailable }")
    told = [(error["message"], error["path"], error["extensions"]) for error in response.json()["errors"]]
    assert told == [
        ("This is no id.", ["mistaken"], {"code": "BAD_USER_INPUT"}),
        ("The database is away.", ["unavailable"], {"code": "UNAVAILABLE"}),
    ]


@pytest.mark.parametrize("field", ["broken", "brokenForAll", "tooLarge"])
async def test_faults_tell_nothing_but_a_number(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    response = await run(http, f"{{ {field} }}")
    number = response.headers["x-request-id"]
    (error,) = response.json()["errors"]
    assert error["message"] == FAULT
    assert error["extensions"] == {"code": "INTERNAL", "correlationId": number}
    assert error["path"] == [field]
    assert SECRET not in response.text
    logged = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(logged) == 1
    assert number in str(logged[0].msg)


async def test_an_error_comes_for_each_path_of_a_list(http: httpx.AsyncClient) -> None:
    response = await run(http, "{ listOfLeaves { name broken } }")
    assert response.json()["data"] == {"listOfLeaves": [None, None, None]}
    assert [error["path"] for error in response.json()["errors"]] == [
        ["listOfLeaves", place, "broken"] for place in range(3)
    ]


async def test_lists_of_errors_are_bounded(http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    executed = await run(http, "{ listOfLeaves(count: 1000) { broken } }")
    assert len(executed.json()["errors"]) == MOST_ERRORS + 1
    assert executed.json()["errors"][-1]["message"] == "900 more errors are not listed."
    assert len(caplog.records) < 20
    invalid = await run(
        http, "{" + "".join(f" nothing{number}" for number in range(90)) + " leaf {" + "x " * 100 + "} }"
    )
    assert len(invalid.json()["errors"]) == MOST_ERRORS + 1
    variables = " ".join(f"$v{number}: Int!" for number in range(300))
    used = " ".join(f"n{number}: number(value: $v{number})" for number in range(90))
    assert len((await run(http, f"query ({variables}) {{ {used} }}")).json()["errors"]) <= MOST_ERRORS + 1


async def test_long_messages_are_cut(http: httpx.AsyncClient) -> None:
    response = await run(http, "{ " + "x" * 100_000 + " }")
    assert len(response.content) < 1_000


@pytest.mark.parametrize(("accept", "status"), [(MODERN, 504), (LEGACY, 200)])
async def test_slow_requests_are_stopped(monkeypatch: pytest.MonkeyPatch, accept: str, status: int) -> None:
    async with stub(monkeypatch, request_seconds=0.1) as http:
        query = await post(http, {"query": "{ slow(seconds: 60) hello }"}, accept)
        assert query.status_code == status
        assert query.json() == {
            "errors": [{"message": "The request was stopped after 0.1 seconds.", "extensions": {"code": "TIMEOUT"}}]
        }
        mutation = await post(http, {"query": "mutation { slowChange(seconds: 60) }"}, accept)
        assert "may have been made" in mutation.json()["errors"][0]["message"]


async def test_a_fault_outside_the_execution_is_500(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    async with stub(monkeypatch) as http:
        monkeypatch.setattr("service.documents.validate", fail)
        response = await run(http, "{ hello }")
        assert response.status_code == 500
        assert codes(response) == ["INTERNAL"]
        assert SECRET not in response.text
        assert SECRET in caplog.text


async def test_a_directive_without_a_value_is_the_clients_mistake(http: httpx.AsyncClient) -> None:
    document = "query ($if: Boolean = false) { hello ... @include(if: $if) { actor } }"
    response = await run(http, document, variables={"if": None})
    assert codes(response) == ["BAD_USER_INPUT"]
    assert "Argument 'if'" in response.json()["errors"][0]["message"]
