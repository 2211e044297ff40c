"""What every request passes, whatever it asks: headers, host names, callers, log; probes and the explorer."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from service.errors import Unavailable
from tests.support.stub import MODERN, NoDatabase, codes, post, run, stub


@pytest.fixture(scope="module")
async def http() -> AsyncIterator[httpx.AsyncClient]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        async with stub(monkeypatch) as client:
            yield client


# ── headers, host names, callers, logs ──────────────────────────────────────────────────────────────────────


async def test_headers_of_an_answer(http: httpx.AsyncClient) -> None:
    headers = (await run(http, "{ hello }")).headers
    assert headers["server-timing"].startswith("total;dur=")
    assert 'statements;desc="0";dur=0.0' in headers["server-timing"]
    assert headers["cache-control"] == "no-store"
    assert headers["vary"] == "Accept"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("offered", "taken"),
    [("abc-123", True), ("a" * 100, True), ("a" * 101, False), ("a b", False), ("<b>", False), ("", False)],
)
async def test_a_plain_request_id_is_taken_over(http: httpx.AsyncClient, offered: str, taken: bool) -> None:
    response = await post(http, {"query": "{ hello }"}, x_request_id=offered)
    assert (response.headers["x-request-id"] == offered) is taken
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:1", "[::1]:8000", "a.localhost", "x.test"])
async def test_local_names_are_answered(http: httpx.AsyncClient, host: str) -> None:
    assert (await post(http, {"query": "{ hello }"}, host=host)).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "[::2]"])
async def test_other_names_are_421(http: httpx.AsyncClient, host: str) -> None:
    response = await post(http, {"query": "{ hello }"}, host=host)
    assert response.status_code == 421
    assert "GROVE_ALLOWED_HOSTS" in response.json()["errors"][0]["message"]
    assert (await http.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("hosts", "status"), [(("localhost", "evil.example"), 200), (("evil.example", "localhost"), 421)]
)
async def test_of_two_names_the_first_counts(http: httpx.AsyncClient, hosts: tuple[str, ...], status: int) -> None:
    headers = [*(("Host", host) for host in hosts), ("Content-Type", "application/json")]
    response = await http.post("/graphql", content=b'{"query": "{ hello }"}', headers=headers)
    assert response.status_code == status


async def test_names_that_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def status(http: httpx.AsyncClient, host: str) -> int:
        return (await post(http, {"query": "{ hello }"}, host=host)).status_code

    async with stub(monkeypatch, allowed_hosts="grove.example.com,*.example.org") as http:
        assert [await status(http, host) for host in ("Grove.Example.com", "a.example.org:80")] == [200, 200]
        assert [await status(http, host) for host in ("localhost", "example.org", "xexample.org")] == [421] * 3
    async with stub(monkeypatch, host="0.0.0.0") as http:
        assert await status(http, "anything.example") == 200


async def test_who_is_calling(monkeypatch: pytest.MonkeyPatch) -> None:
    async def actor(http: httpx.AsyncClient, name: str | bytes) -> Any:
        headers = {
            b"X-Forwarded-User": name.encode() if isinstance(name, str) else name,
            b"Accept": MODERN.encode(),
        }
        response = await http.post("/graphql", json={"query": "{ actor }"}, headers=headers)
        return response.json()["data"]["actor"] if response.status_code == 200 else response.status_code

    async with stub(monkeypatch, actor_header="x-forwarded-user") as http:
        assert await actor(http, "Zoë Müller") == "Zoë Müller"
        assert await actor(http, "") == "anonymous"
        assert await actor(http, "a" * 200) == "a" * 200
        assert await actor(http, "a" * 201) == 400
        assert await actor(http, b"a\x1b[31m") == 400
        assert (await run(http, "{ actor }")).json() == {"data": {"actor": "anonymous"}}
        headers = [("X-Forwarded-User", "a"), ("X-Forwarded-User", "b")]
        assert (await http.post("/graphql", json={"query": "{ actor }"}, headers=headers)).status_code == 400
    async with stub(monkeypatch) as http:
        assert await actor(http, "somebody") == "anonymous"


async def test_one_line_a_request(http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    variables = {"name": "confidential"}
    await run(http, "query Greet($name: String!) { hello(name: $name) mistaken }", variables=variables)
    (line,) = [record.msg for record in caplog.records if record.name == "grove"]
    assert isinstance(line, dict)
    assert line["event"] == "request"
    assert (line["method"], line["path"], line["status"]) == ("POST", "/graphql", 200)
    assert (line["operation"], line["kind"], line["actor"]) == ("Greet", "query", "anonymous")
    assert (line["statements"], line["errors"]) == (0, "BAD_USER_INPUT")
    assert line["ms"] > 0
    assert line["request_id"]
    assert "confidential" not in str(line)
    assert "hello" not in str(line)


async def test_other_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    async with stub(monkeypatch, allowed_origins="https://shop.example") as http:
        allowed = await http.options("/graphql", headers=asked)
        assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
        refused = await http.options("/graphql", headers=asked | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers
    async with stub(monkeypatch) as http:
        assert "access-control-allow-origin" not in (await http.options("/graphql", headers=asked)).headers


# ── probes and the explorer ─────────────────────────────────────────────────────────────────────────────────

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_probes(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).status_code == 200
    monkeypatch.setattr(NoDatabase, "problem", Unavailable("The database is not migrated."))
    response = await http.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "The database is not migrated."}
    assert (await http.get("/healthz")).status_code == 200


async def test_browsers_get_the_explorer(http: httpx.AsyncClient) -> None:
    page = await http.get("/graphql", headers=BROWSER)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'; script-src 'self'; worker-src 'self';" in page.headers["content-security-policy"]
    assert "Accept" in page.headers["vary"]
    redirect = await http.get("/", headers=BROWSER, follow_redirects=True)
    assert redirect.text == page.text
    queried = await http.get("/graphql", params={"query": "{ hello }"}, headers=BROWSER)
    assert queried.json() == {"data": {"hello": "hello world"}}


async def test_hashed_files_are_kept_for_good(http: httpx.AsyncClient) -> None:
    page = (await http.get("/graphql", headers=BROWSER)).text
    script = page.split('src="')[1].split('"')[0]
    file = await http.get(f"/{script}")
    assert file.status_code == 200
    assert file.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await http.get("/static/index.html")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/nothing", "/static/", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/%00"]
)
async def test_what_is_not_there_is_404(http: httpx.AsyncClient, path: str) -> None:
    response = await http.get(path)
    assert response.status_code == 404
    assert codes(response) == ["BAD_REQUEST"]


async def test_without_the_explorer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stub(monkeypatch, explorer=False) as http:
        assert (await http.get("/graphql", headers=BROWSER)).status_code == 400
        assert (await http.get("/static/index.html")).status_code == 404
