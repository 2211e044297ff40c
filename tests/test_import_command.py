"""`grove import`: what it does, what it tells, how it ends, and that it can be resumed however it was ended."""

import asyncio
import csv
import os
import pty
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from service.__main__ import main
from service.ids import Kind, encode
from tests.support import sql
from tests.support.imports import csv_of, customers_csv, nodes_of_tree, tree_csv
from tests.support.service import Service
from tests.support.soundness import check

pytestmark = pytest.mark.usefixtures("folder", "logs_as_before")
LEAVES = 3_000
SECONDS = 120
GROUPS = "SELECT count(*) FROM customer_group"
STATE = "SELECT state, attempts FROM import_job"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a .env."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Ended(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    def counts(self) -> dict[str, int]:
        """The table of results, without what is nought."""
        rows = (line.split() for line in self.out.splitlines() if line.startswith("  ") and len(line.split()) == 2)
        return {name: int(number.replace(",", "")) for name, number in rows if number != "0"}


async def run(url: str, *words: str, sent: bytes = b"") -> Ended:
    """The command, brought to its end in this process, in a thread with an event loop of its own."""
    words = ("import", *words, "--database", url)
    result = await asyncio.to_thread(CliRunner().invoke, main, words, input=sent)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


@asynccontextmanager
async def begun(url: str, folder: Path, *words: str, err: int = PIPE) -> AsyncIterator[Process]:
    """The command as a process of its own, which is killed at the end of the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "import", *words, "--database", url),
        cwd=folder,
        stdin=PIPE,
        stdout=PIPE,
        stderr=err,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def file(folder: Path, name: str, content: bytes) -> str:
    """A file in the folder; returns its name."""
    (folder / name).write_bytes(content)
    return name


# ── what it tells ───────────────────────────────────────────────────────────────────────────────────────────


async def test_each_kind_of_file(database_url: str, tmp_path: Path) -> None:
    tree = file(tmp_path, "tree.csv", tree_csv(45))
    made = await run(database_url, "hierarchy", tree, "--name", " Sales ")
    assert (made.code, made.err) == (0, "")
    assert made.out.startswith("tree.csv is imported into the hierarchy «Sales».\n")
    assert made.counts() == {"rows": 45, "created": nodes_of_tree(45)}
    less = file(tmp_path, "less.csv", tree_csv(40))
    replaced = await run(database_url, "hierarchy", less, "--name", "sales", "--mode", "replace")
    assert replaced.counts()["removed"] == nodes_of_tree(45) - nodes_of_tree(40)
    customers = await run(database_url, "customers", "-", sent=customers_csv(3))
    assert customers.out.startswith("The file is imported.\n")
    assert customers.counts() == {"rows": 3, "created": 3}
    groups = file(tmp_path, "groups.csv", csv_of(["Code", "Name"], [["KEY", "Key Accounts"]]))
    assert (await run(database_url, "groups", groups)).counts() == {"rows": 1, "created": 1}
    codes = csv_of(["Customer Code"], [["C-0"], ["C-2"]])
    assert (await run(database_url, "members", "-", "--group", "KEY", sent=codes)).code == 0
    found = await sql.fetch(database_url, "SELECT customer_count FROM customer_group WHERE code = 'KEY'")
    assert found == [(2,)]
    assert await sql.fetch(database_url, "SELECT DISTINCT actor FROM change") == [("grove import",)]
    await check(database_url)


async def test_a_dry_run_lists_what_would_change(database_url: str, tmp_path: Path) -> None:
    name = file(tmp_path, "tree.csv", tree_csv(45))
    ended = await run(database_url, "hierarchy", name, "--name", "Sales", "--dry-run")
    assert ended.code == 0
    assert "dry run" in ended.out.splitlines()[0]
    assert ended.counts() == {"rows": 45, "created": nodes_of_tree(45)}
    listed = [line for line in ended.out.splitlines() if "CREATED" in line]
    assert len(listed) == 20
    assert "row 2 " in listed[0]
    assert "«N 0»" in listed[0]
    assert ended.out.splitlines()[-1] == f"  … and {nodes_of_tree(45) - 20} more."
    assert await sql.fetch(database_url, GROUPS) == [(0,)]


async def test_a_file_with_mistakes(database_url: str, tmp_path: Path) -> None:
    rows = [["C-1", "One", ""], *(["", f"Customer {number}", "BAR"] for number in range(150))]
    name = file(tmp_path, "customers.csv", csv_of(["Code", "Name", "Type"], rows))
    ended = await run(database_url, "customers", name, "--rejected", "mistakes.csv")
    assert (ended.code, ended.out) == (3, "")
    lines = ended.err.splitlines()
    assert lines[0] == "customers.csv was rejected, and nothing has changed:"
    assert lines[1].startswith("  row 3, «Code»: ")
    assert len(lines) == 102
    assert lines[-1].startswith("  … and 50 more;")
    with (tmp_path / "mistakes.csv").open(encoding="utf-8-sig", newline="") as written:
        header, *rejected = csv.reader(written)
    assert header[4:] == ["Code", "Name", "Type"]
    assert [row[4:] for row in rejected] == rows[1:]
    assert await sql.fetch(database_url, "SELECT count(*) FROM customer") == [(0,)]
    # A file without mistakes leaves none behind.
    assert (await run(database_url, "customers", "-", "--rejected", "none.csv", sent=customers_csv(1))).code == 0
    assert not (tmp_path / "none.csv").exists()


async def test_what_is_asked_for_wrongly(database_url: str, tmp_path: Path) -> None:
    name = file(tmp_path, "customers.csv", customers_csv(1))
    wrong: list[Sequence[str]] = [
        ("customers", "missing.csv"),
        ("customers",),
        ("customers", name, "--mode", "merge"),
        ("hierarchy", name),
        ("hierarchy", name, "--name", "  "),
        ("hierarchy", name, "--name", "Sales", "--mode", "sync"),
        ("nodes", name),
        ("resume", "job_1"),
        ("resume", encode(Kind.NODE, 4_711)),
    ]
    for words in wrong:
        ended = await run(database_url, *words)
        assert ended.code == 2, (words, ended.err)
        assert "Error: " in ended.err
    assert await sql.fetch(database_url, STATE) == []


async def test_what_cannot_be_done(database_url: str) -> None:
    away = await run("postgres://grove:swordfish@127.0.0.1:9/grove", "customers", "-", sent=customers_csv(1))
    assert away.code == 1
    assert "cannot be reached" in away.err
    assert "swordfish" not in away.err
    unknown = await run(database_url, "resume", encode(Kind.JOB, 4_711))
    assert (unknown.code, "no import job" in unknown.err) == (1, True)
    nothing = await run(database_url, "resume")
    assert (nothing.code, nothing.out) == (0, "There is no import to be resumed.\n")


async def test_a_terminal_shows_how_far_it_has_come(database_url: str, tmp_path: Path) -> None:
    name = file(tmp_path, "tree.csv", tree_csv(LEAVES))
    ours, its = pty.openpty()
    async with begun(database_url, tmp_path, "hierarchy", name, "--name", "Sales", err=its) as process:
        os.close(its)
        drawn = await asyncio.to_thread(everything, ours)
        out, _ = await process.communicate()
    assert process.returncode == 0, drawn
    assert "█" in drawn
    assert f"of {nodes_of_tree(LEAVES):,}" in drawn
    # Nothing of it is left standing.
    assert drawn.endswith("\r\x1b[2K")
    assert "\x1b" not in out.decode()


def everything(terminal: int) -> str:
    """What is written to a terminal until its other end is closed."""
    written = b""
    while True:
        try:
            piece = os.read(terminal, 4_096)
        except OSError:
            piece = b""
        if not piece:
            os.close(terminal)
            return written.decode()
        written += piece


# ── interrupted ─────────────────────────────────────────────────────────────────────────────────────────────


async def under_way(url: str, attempt: int = 1) -> None:
    """Returns as soon as a job is run for the so-manieth time."""
    async with asyncio.timeout(SECONDS):
        while True:
            if await sql.fetch(url, STATE) == [("RUNNING", attempt)]:
                return
            await asyncio.sleep(0.01)


async def test_killed_it_changes_nothing_and_can_be_resumed(database_url: str, tmp_path: Path) -> None:
    name = file(tmp_path, "tree.csv", tree_csv(LEAVES))
    async with begun(database_url, tmp_path, "hierarchy", name, "--name", "Sales") as process:
        await under_way(database_url)
        process.kill()
        await process.wait()
    for attempt in (1, 2, 3):
        assert await sql.fetch(database_url, STATE) == [("RUNNING", attempt)]
        assert await sql.fetch(database_url, GROUPS) == [(0,)]
        async with begun(database_url, tmp_path, "resume") as process:
            await under_way(database_url, attempt + 1)
            await asyncio.sleep(random.uniform(0, 0.1))
            process.kill()
            await process.wait()
    await check(database_url)
    ended = await run(database_url, "resume")
    assert (ended.code, ended.counts()) == (0, {"rows": LEAVES, "created": nodes_of_tree(LEAVES)})
    assert await sql.fetch(database_url, GROUPS) == [(nodes_of_tree(LEAVES),)]
    await check(database_url)


async def test_ctrl_c_stops_it_until_a_person_goes_on(database_url: str, tmp_path: Path) -> None:
    name = file(tmp_path, "tree.csv", tree_csv(LEAVES))
    async with begun(database_url, tmp_path, "hierarchy", name, "--name", "Sales") as process:
        await under_way(database_url)
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
    assert process.returncode == 1, said
    assert "Traceback" not in said.decode()
    assert await sql.fetch(database_url, STATE) == [("STOPPED", 0)]
    ((key,),) = await sql.fetch(database_url, "SELECT id FROM import_job")
    id = encode(Kind.JOB, key)
    assert f"`grove import resume {id}`" in said.decode()
    # A server does not go on with it.
    async with Service(database_url, tmp_path) as service, service.client() as grove:
        assert (await grove.query(f'{{ importJob(id: "{id}") {{ state }} }}')) == {"importJob": {"state": "STOPPED"}}
    assert await sql.fetch(database_url, GROUPS) == [(0,)]
    assert (await run(database_url, "resume", id)).code == 0
    # Asked again, it tells what came of it.
    assert (await run(database_url, "resume", id)).counts()["created"] == nodes_of_tree(LEAVES)
    assert await sql.fetch(database_url, GROUPS) == [(nodes_of_tree(LEAVES),)]


async def test_a_server_takes_over_what_was_killed_and_the_command_can_watch(database_url: str, tmp_path: Path) -> None:
    name = file(tmp_path, "tree.csv", tree_csv(LEAVES))
    async with begun(database_url, tmp_path, "hierarchy", name, "--name", "Sales") as process:
        await under_way(database_url)
        process.kill()
        await process.wait()
    ((key,),) = await sql.fetch(database_url, "SELECT id FROM import_job")
    async with Service(database_url, tmp_path):
        watched = await run(database_url, "resume", encode(Kind.JOB, key))
    assert (watched.code, watched.counts()["created"]) == (0, nodes_of_tree(LEAVES))
    assert await sql.fetch(database_url, GROUPS) == [(nodes_of_tree(LEAVES),)]
    await check(database_url)
