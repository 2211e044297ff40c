"""The `grove` command: its help, what it says when something is wrong, how it serves and stops."""

import asyncio
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
import structlog
from click.testing import CliRunner, Result

from service import __version__
from service.__main__ import main
from service.logs import set_up_logs
from service.server import address, listen
from service.settings import Settings, variable
from tests.support.databases import Databases, fresh
from tests.support.service import Service

SECRET = "swordfish"
COMMANDS = ["serve", "import", "migrate", "demo", "check", "export", "schema", "settings"]
pytestmark = pytest.mark.usefixtures("logs_as_before")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a .env."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def grove(*words: str, **environment: str) -> Result:
    """Runs the command in this process, where no event loop is needed or wanted."""
    return CliRunner().invoke(main, words, env=environment)


def process(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as one process, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "service", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """What a command that failed said: a single line, and no traceback."""
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


# ── help and settings ───────────────────────────────────────────────────────────────────────────────────────


def test_help_teaches() -> None:
    said = grove("--help").output
    for command in COMMANDS:
        assert command in said
    assert "grove serve --demo" in said
    assert ".env" in said
    serve = grove("serve", "--help").output
    for word in ("--host", "--port", "--workers", "--database", "--demo", "GROVE_DATABASE", "PostgreSQL"):
        assert word in serve


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str) -> None:
    result = grove(command, "-h")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


def test_version() -> None:
    assert grove("--version").output == f"grove, version {__version__}\n"


def test_all_settings_are_listed(folder: Path) -> None:
    said = grove("settings", GROVE_DATABASE=f"postgres://grove:{SECRET}@db/grove").output
    for name in Settings.model_fields:
        assert f"{variable(name)}=" in said
    assert SECRET not in said


def test_wrong_settings_are_a_usage_error(folder: Path) -> None:
    result = grove("serve", "--port", "http", GROVE_LOG_LEVEL="loud")
    assert result.exit_code == 2
    assert "--port is 'http'. Set it to" in result.output
    assert "GROVE_LOG_LEVEL is 'loud'. Set it to" in result.output


def test_an_unknown_kind_of_database_is_a_usage_error(folder: Path) -> None:
    result = grove("migrate", "--database", f"mysql://grove:{SECRET}@db/grove")
    assert result.exit_code == 2
    assert "mysql://" in result.output
    assert SECRET not in result.output


def test_workers_on_sqlite_are_refused_with_the_reason(folder: Path) -> None:
    result = grove("serve", "--workers", "4", "--database", "sqlite://grove.sqlite3")
    assert result.exit_code == 2
    assert "SQLite lets one process write at a time" in result.output
    assert "--database postgres://" in result.output
    assert not list(folder.iterdir())


# ── the database ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_database_that_cannot_be_reached(folder: Path) -> None:
    url = f"postgres://grove:{SECRET}@127.0.0.1:9/grove"
    for command in ("migrate", "check", "serve"):
        words = ["--port", "0"] if command == "serve" else []
        result = process(command, "--database", url, *words, folder=folder)
        assert result.returncode == 1
        assert "cannot be reached" in one_line(result)
        assert SECRET not in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["migrate", "check"])
def test_an_address_with_a_parameter_that_there_is_not(folder: Path, server_url: str, command: str) -> None:
    url = server_url + ("&" if "?" in server_url else "?") + "colour=red"
    result = process(command, "--database", url, folder=folder)
    assert result.returncode == 1
    assert "colour" in one_line(result)


@pytest.mark.parametrize("command", ["migrate", "serve"])
def test_a_file_that_cannot_be_written(folder: Path, command: str) -> None:
    words = ["--port", "0"] if command == "serve" else []
    result = process(command, "--database", "sqlite://missing/grove.sqlite3", *words, folder=folder)
    assert result.returncode == 1
    assert "missing/grove.sqlite3" in one_line(result)


def test_a_file_that_is_no_database(folder: Path) -> None:
    (folder / "letter").write_text("Dear Sir or Madam, " * 100)
    result = process("migrate", "--database", "sqlite://letter", folder=folder)
    assert result.returncode == 1
    assert "letter" in one_line(result)


async def test_from_nothing_to_a_checked_demo(databases: Databases, folder: Path) -> None:
    async with fresh(databases, migrated=False) as url:
        for words in (["migrate"], ["migrate"], ["demo"], ["demo"], ["check"], ["check", "--repair"]):
            result = await asyncio.to_thread(process, *words, folder=folder, GROVE_DATABASE=url)
            assert result.returncode == 0, result.stderr
            assert ("All is as it should be." in result.stdout) is (words[0] == "check")


def test_the_schema_is_printed(folder: Path) -> None:
    printed = grove("schema").output
    assert "type Query {" in printed
    assert "type Mutation {" in printed


# ── serving ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_taken_port(folder: Path) -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = process("serve", "--port", port, folder=folder)
    assert result.returncode == 1
    assert f"Cannot listen at 127.0.0.1, port {port}" in one_line(result)
    assert "--port" in one_line(result)
    assert not list(folder.iterdir())


def test_a_name_that_is_no_address(folder: Path) -> None:
    result = process("serve", "--host", "no.such.host.invalid", folder=folder)
    assert result.returncode == 1
    assert "no.such.host.invalid" in one_line(result)


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://localhost:"), ("::1", "http://[::1]:")],
)
def test_the_address_that_is_shown(host: str, shown: str) -> None:
    try:
        listener = listen(host, 0)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with closing(listener):
        assert address(listener) == f"{shown}{listener.getsockname()[1]}"


class Serving:
    """`grove serve` in a folder of its own, at a port of its choosing."""

    def __init__(self, folder: Path, *words: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", "--port", "0", *words],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])} | environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def address(self) -> str:
        """Where it serves, as soon as it says so."""
        assert self.process.stderr
        for line in self.process.stderr:
            self.lines.append(line)
            if found := re.search(r"(http://\S+)/graphql", line):
                return found[1]
        raise AssertionError("".join(self.lines))

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """Its exit code and all it said."""
        self.process.send_signal(how)
        _, rest = self.process.communicate(timeout=30)
        return self.process.returncode, "".join(self.lines) + rest

    def __enter__(self) -> "Serving":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_in_an_empty_folder_and_stops_well(folder: Path, how: signal.Signals) -> None:
    with Serving(folder, GROVE_LOG_FORMAT="json") as serving:
        url = serving.address()
        answer = httpx.post(f"{url}/graphql", json={"query": "query Who { __typename }"}, timeout=30)
        assert answer.json() == {"data": {"__typename": "Query"}}
        assert httpx.get(f"{url}/readyz").json() == {"status": "ok"}
        code, said = serving.end(how)
    assert code == 0, said
    assert "Traceback" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert any(url in line["event"] for line in lines)
    (request,) = (line for line in lines if line["event"] == "request")
    assert request["operation"] == "Who"
    assert request["request_id"] == answer.headers["x-request-id"]
    assert (folder / "grove.sqlite3").exists()


def test_the_demo_is_there_at_once(folder: Path) -> None:
    with Serving(folder, "--demo") as serving:
        url = serving.address()
        document = "{ hierarchies { nodes { name levels { name } } } }"
        answer = httpx.post(f"{url}/graphql", json={"query": document}, timeout=30).json()
        (sales,) = answer["data"]["hierarchies"]["nodes"]
        assert sales["name"] == "Sales"
        assert [level["name"] for level in sales["levels"]] == ["Division", "State", "Distributor"]
        assert serving.end(signal.SIGINT)[0] == 0


def test_a_client_that_stays_connected_does_not_keep_it_from_stopping(folder: Path) -> None:
    with Serving(folder, GROVE_SHUTDOWN_SECONDS="1") as serving:
        host, port = serving.address().removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as idle:
            idle.sendall(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n")
            idle.sendall(b"Content-Type: application/json\r\n\r\n{")
            assert httpx.get(f"http://{host}:{port}/healthz", timeout=30).status_code == 200
            code, said = serving.end(signal.SIGTERM)
    assert code == 0, said


async def test_several_workers_on_postgres(server_url: str, databases: Databases, tmp_path: Path) -> None:
    async with fresh(databases, migrated=False) as url, Service(url, tmp_path, "--workers", "2") as service:
        answers = await asyncio.gather(
            *(service.get("/graphql", params={"query": "{ __typename }"}) for _ in range(20))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert await service.stop() == 0
        assert "Traceback" not in service.tail()


# ── logs ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_word_forges_a_line_or_sends_codes_to_a_terminal(capsys: pytest.CaptureFixture[str], form: str) -> None:
    set_up_logs(form, "info")
    structlog.get_logger("test").info("request", operation="a\n\x1b[31m\x9b1m\u2028b" + "x" * 1_000)
    logging.getLogger("uvicorn.error").warning("Invalid \x1b[2J\r\nHTTP\n")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() and len(line) < 400 for line in lines)
    if form == "json":
        assert [json.loads(line)["level"] for line in lines] == ["info", "warning"]


@pytest.mark.parametrize("form", ["console", "json"])
def test_tracebacks_hold_neither_values_nor_passwords(capsys: pytest.CaptureFixture[str], form: str) -> None:
    set_up_logs(form, "info", secrets=(SECRET, ""))
    log = structlog.get_logger("test")
    confidential = "the price of " + "tea"
    try:
        raise ValueError(f"cannot connect with {SECRET}")
    except ValueError:
        log.exception(f"failed with {SECRET}")
    said = capsys.readouterr().err
    assert "cannot connect with ***" in said
    assert "Traceback" in said
    assert SECRET not in said
    assert confidential not in said


def test_levels(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("console", "warning")
    structlog.get_logger("test").info("unheard")
    structlog.get_logger("test").warning("heard")
    said = capsys.readouterr().err
    assert "unheard" not in said
    assert "heard" in said
