"""`grove export`: files and standard output, what is refused and with which exit code, and never half a file."""

import asyncio
import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service import demo, engines
from service.__main__ import main
from service.sheets import lines_of_file
from tests.support.client import Grove

pytestmark = pytest.mark.usefixtures("folder", "logs_as_before")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with nothing in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(*words: str) -> Result:
    """Runs the command in this process, where no event loop runs."""
    return CliRunner().invoke(main, ["export", *words])


def rows(output: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(output.decode("utf-8-sig"), newline="")))


@pytest.fixture
async def company(database_url: str) -> str:
    """A database with the demo company in it."""
    database = await engines.connect(database_url)
    try:
        await demo.load(database)
    finally:
        await database.close()
    return database_url


@pytest.mark.parametrize("command", ["hierarchy", "groups", "members", "customers"])
def test_help_teaches(command: str) -> None:
    assert f"grove export {command}" in CliRunner().invoke(main, ["export", "--help"]).output
    said = CliRunner().invoke(main, ["export", command, "--help"])
    assert said.exit_code == 0
    assert f"grove export {command} " in said.output
    assert "--database" in said.output


async def test_it_writes_what_is_downloaded(company: str, grove: Grove) -> None:
    found = await grove.query(
        '{ hierarchy(by: {name: "Sales"}) { id } customerGroup(by: {name: "Key Accounts"}) { id code } }'
    )
    sales, accounts = found["hierarchy"]["id"], found["customerGroup"]
    for words, path in (
        (["hierarchy", "sales"], f"hierarchies/{sales}.csv"),
        (["hierarchy", "Sales", "--form", "parent"], f"hierarchies/{sales}.csv?form=parent"),
        (
            ["groups", "--search", "o", "--code-in", "CG-000003", "--code-in", "cg-000004", "--order-by", "CODE"],
            "groups.csv?search=o&codeIn=CG-000003&codeIn=CG-000004&orderBy=CODE",
        ),
        (["customers", "--type", "RETAILER", "--type", "ONLINE"], "customers.csv?type=RETAILER&type=ONLINE"),
        (["members", accounts["code"]], f"groups/{accounts['id']}/members.csv"),
    ):
        # In a thread of its own, where it can have an event loop of its own.
        done = await asyncio.to_thread(export, *words, "-", "--database", company)
        assert done.exit_code == 0, done.output
        assert done.stderr == ""
        assert done.stdout_bytes == (await grove.http.get(f"/exports/{path}")).content
        assert len(rows(done.stdout_bytes)) > 1


def test_the_ending_chooses_the_kind_of_file(company: str, folder: Path) -> None:
    for file in ("sales.csv", "Sales.XLSX"):
        done = export("hierarchy", "Sales", file, "--database", company)
        assert (done.exit_code, done.stdout) == (0, ""), done.stderr
        assert done.stderr == f"Wrote {file}.\n"
    csv_lines, excel_lines = (
        [[cell for cell in line.cells if cell] for line in lines_of_file(folder / file)]
        for file in ("sales.csv", "Sales.XLSX")
    )
    assert (folder / "Sales.XLSX").read_bytes().startswith(b"PK")
    assert csv_lines == excel_lines
    assert len(csv_lines) > 15


def test_what_cannot_be_done_is_1_and_leaves_the_file_as_it_was(company: str, folder: Path) -> None:
    (folder / "old.csv").write_text("as it was")
    for words, said in (
        (["hierarchy", "Sails", "old.csv"], "There is no hierarchy «Sails»."),
        (["members", "CG-999999", "old.csv"], "There is no customer group with the code «CG-999999»."),
        (["groups", "nowhere/groups.csv"], "Cannot write nowhere/groups.csv: No such file or directory."),
    ):
        done = export(*words, "--database", company)
        assert done.exit_code == 1
        assert done.stdout_bytes == b""
        (line,) = done.stderr.splitlines()
        assert line == f"Error: {said}"
    assert [path.name for path in folder.iterdir()] == ["old.csv"]
    assert (folder / "old.csv").read_text() == "as it was"
    done = export("groups", "old.csv", "--database", company)
    assert done.exit_code == 0
    assert len(rows((folder / "old.csv").read_bytes())) == 30


def test_what_was_asked_for_wrongly_is_2(company: str, folder: Path) -> None:
    for words, said in (
        (["groups", "groups.pdf"], "groups.pdf must end in .csv or .xlsx, or be - for standard output."),
        (["groups", "-", "--min-customers", "few"], "--min-customers is 'few'; set it to a whole number."),
        (["groups", "-", "--code", "A", "--code-in", "B"], "--code-in cannot be given together with «code»"),
        (["customers", "-", "--order-by", "STATUS"], "--order-by is 'STATUS'; set it to one of CODE,"),
        (["hierarchy", "Sales", "-", "--form", "tree"], "'tree' is not one of 'levels', 'parent'"),
        (["members", "-"], "Missing argument 'FILE'"),
    ):
        done = export(*words, "--database", company)
        assert done.exit_code == 2
        assert done.stdout_bytes == b""
        assert said in " ".join(done.stderr.split())
    assert not list(folder.iterdir())


def test_a_database_that_is_not_there_is_not_made(folder: Path) -> None:
    done = export("groups", "-", "--database", "sqlite://nothing.db")
    assert done.exit_code == 1
    assert "There is no database" in done.stderr
    assert not list(folder.iterdir())


def test_a_reader_that_has_had_enough(company: str, folder: Path) -> None:
    """As `| head -0` does."""
    command = [sys.executable, "-m", "service", "export", "groups", "-", "--database", company]
    read, write = os.pipe()
    os.close(read)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, stdout=write, stderr=subprocess.PIPE, timeout=60, check=False
        )
    finally:
        os.close(write)
    assert done.returncode == 1
    assert done.stderr == b""
