"""Large files over HTTP: taken in, imported in the background, once and whole or not at all."""

import asyncio
import csv
import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service import jobs
from service.app import create_app
from service.errors import Unavailable
from service.ids import Kind, decode, encode
from service.settings import Settings
from service.writing_workbooks import write_xlsx
from tests.conftest import DATABASE
from tests.support import sql
from tests.support.client import Grove, Json, running
from tests.support.company import ACTOR, ACTOR_HEADER
from tests.support.imports import (
    OVER,
    csv_of,
    customers_csv,
    ended,
    imported,
    look,
    nodes_of_tree,
    send,
    tree_csv,
    until,
    upload,
)
from tests.support.service import Service
from tests.support.soundness import check

LEAVES = 3_000
MISSING = 4_711
NO_HIERARCHY = encode(Kind.HIERARCHY, MISSING)
TREE = "{ hierarchies { nodes { name nodeCount version } } customerGroups { totalCount } changes { totalCount } }"
CUSTOMERS = "{ customers { totalCount } changes { totalCount } }"


def counts(job: Json) -> dict[str, int]:
    """What came of a job's file, without what is nought."""
    return {name: value for name, value in job["result"].items() if name != "changes" and value}


# ── each kind of file ───────────────────────────────────────────────────────────────────────────────────────


async def test_customers(grove: Grove) -> None:
    job = await imported(grove, customers_csv(30), kind="CUSTOMERS", file_name="all customers.csv")
    assert (job["kind"], job["fileName"], job["dryRun"]) == ("CUSTOMERS", "all customers.csv", False)
    assert counts(job) == {"rows": 30, "created": 30}
    assert (job["errors"], job["errorCount"], job["message"], job["rejectedRowsUrl"]) == ([], 0, None, None)
    assert job["createdAt"] < job["startedAt"] < job["finishedAt"]
    assert (await grove.query(CUSTOMERS))["customers"]["totalCount"] == 30
    again = await imported(grove, customers_csv(30), kind="customers")
    assert counts(again) == {"rows": 30, "unchanged": 30}


async def test_a_hierarchy_by_name_and_by_id(grove: Grove) -> None:
    made = await imported(grove, tree_csv(45), kind="HIERARCHY", name=" Sales ")
    assert made["hierarchy"]["name"] == "Sales"
    assert made["hierarchy"]["nodeCount"] == counts(made)["created"] == nodes_of_tree(45)
    # There is one of that name by now.
    again = await imported(grove, tree_csv(45), kind="HIERARCHY", name="sales")
    assert again["hierarchy"] == made["hierarchy"]
    assert "created" not in counts(again)
    id = made["hierarchy"]["id"]
    less = await imported(grove, tree_csv(40), kind="HIERARCHY", hierarchyId=id, mode="replace")
    assert counts(less)["removed"] == nodes_of_tree(45) - nodes_of_tree(40)
    assert less["hierarchy"]["nodeCount"] == nodes_of_tree(40)


async def test_duplicate_names(grove: Grove) -> None:
    header = ["State Name", "City Name"]
    content = csv_of(header, [["Illinois", "Springfield"], ["Ohio", "Springfield"]])
    refused = await ended(grove, await upload(grove, content, kind="HIERARCHY", name="Sales"))
    assert refused["state"] == "REJECTED"
    job = await imported(grove, content, kind="HIERARCHY", name="Sales", duplicateNames="qualify")
    assert job["hierarchy"]["nodeCount"] == 4


async def test_groups_and_members(grove: Grove) -> None:
    await imported(grove, customers_csv(5), kind="CUSTOMERS")
    groups = csv_of(["Code", "Name"], [["KEY", "Key Accounts"], ["OLD", "Old Partners"]])
    assert counts(await imported(grove, groups, kind="GROUPS")) == {"rows": 2, "created": 2}
    codes = csv_of(["Customer Code"], [["C-0"], ["C-1"], ["C-2"]])
    await imported(grove, codes, kind="MEMBERS", group="KEY")
    fewer = csv_of(["Customer Code"], [["C-2"]])
    await imported(grove, fewer, kind="MEMBERS", group="KEY", mode="REPLACE")
    both = csv_of(["Customer Code", "Group Code"], [["C-3", "OLD"], ["C-4", "OLD"]])
    await imported(grove, both, kind="MEMBERS")
    found = (await grove.query("{ customerGroups { nodes { code customerCount } } }"))["customerGroups"]["nodes"]
    assert {row["code"]: row["customerCount"] for row in found} == {"KEY": 1, "OLD": 2}


async def test_an_excel_file(grove: Grove, tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsx"
    write_xlsx(path, [["Code", "Name", "Type"], ["C-1", "=Palm Tree", "BAR"], ["C-2", "Łódź 🍷", ""]])
    job = await imported(grove, path.read_bytes(), kind="CUSTOMERS", file_name="customers.xlsx")
    assert counts(job) == {"rows": 2, "created": 2}
    found = (await grove.query("{ customers { nodes { name } } }"))["customers"]["nodes"]
    assert [row["name"] for row in found] == ["=Palm Tree", "Łódź 🍷"]


async def test_a_dry_run_tells_and_keeps_nothing(grove: Grove) -> None:
    before = await grove.query(TREE)
    job = await imported(grove, tree_csv(45), kind="HIERARCHY", name="Sales", dryRun="true")
    assert job["dryRun"]
    assert counts(job)["created"] == nodes_of_tree(45)
    assert job["result"]["changes"]["totalCount"] == nodes_of_tree(45)
    assert job["hierarchy"] is None
    assert await grove.query(TREE) == before


async def test_a_job_keeps_the_first_thousand_changes(grove: Grove) -> None:
    job = await imported(grove, customers_csv(1_200), kind="CUSTOMERS")
    assert counts(job) == {"rows": 1_200, "created": 1_200}
    assert job["result"]["changes"]["totalCount"] == 1_000
    assert job["result"]["changes"]["nodes"][0]["code"] == "C-0"


async def test_changes_page_by_page(grove: Grove) -> None:
    job = await imported(grove, customers_csv(7), kind="CUSTOMERS")
    document = """
        query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
          importJob(id: $id) { result { changes(first: $first, after: $after, last: $last, before: $before) {
            totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { code }
          } } }
        }
    """
    for size, near, far, more in (
        ("first", "after", "endCursor", "Next"),
        ("last", "before", "startCursor", "Previous"),
    ):
        codes: list[str] = []
        cursor = None
        while True:
            data = await grove.query(document, {"id": job["id"], size: 3, near: cursor})
            page = data["importJob"]["result"]["changes"]
            assert page["totalCount"] == 7
            found = [row["code"] for row in page["nodes"]]
            codes = codes + found if size == "first" else found + codes
            cursor = page["pageInfo"][far]
            if not page["pageInfo"][f"has{more}Page"]:
                break
        assert codes == [f"C-{number}" for number in range(7)]


# ── a job ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_answer_to_an_upload(database_url: str) -> None:
    async with running(create_app(Settings(database=database_url, actor_header=ACTOR_HEADER))) as grove:
        grove.http.headers[ACTOR_HEADER] = ACTOR
        answer = await send(grove, customers_csv(3), "C:\\My Files\\new\u200b.csv", kind="CUSTOMERS")
        assert answer.status_code == 202
        assert answer.json().keys() == {"id", "state"}
        id = answer.json()["id"]
        job = await ended(grove, id)
        # By the address that the answer names, resolved as a browser does.
        shown = await grove.http.get(str(answer.request.url.join(answer.headers["Location"])))
        assert shown.json() == {
            name: job[name]
            for name in ("id", "kind", "state", "fileName", "dryRun", "phase", "done", "total", "errorCount", "message")
        }
        assert job["fileName"] == "new.csv"
        assert job["actor"] == ACTOR
        log = await grove.query("query ($id: ID!) { changes { nodes { actor } } node(id: $id) { id } }", {"id": id})
        assert {row["actor"] for row in log["changes"]["nodes"]} == {ACTOR}
        assert log["node"] == {"id": id}


async def test_what_is_not_there(grove: Grove) -> None:
    id = encode(Kind.JOB, MISSING)
    assert await grove.query(f'{{ importJob(id: "{id}") {{ id }} node(id: "{id}") {{ id }} }}') == {
        "importJob": None,
        "node": None,
    }
    for path in (
        f"/imports/{id}",
        f"/imports/{id}/rejected.csv",
        "/imports/x",
        f"/imports/{encode(Kind.NODE, MISSING)}",
    ):
        answer = await grove.http.get(path)
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["message"]
    done = await imported(grove, customers_csv(1), kind="CUSTOMERS")
    answer = await grove.http.get(f"/imports/{done['id']}/rejected.csv")
    assert answer.status_code == 404
    assert "DONE" in answer.json()["errors"][0]["message"]
    assert (await grove.http.get("/imports")).status_code == 405


async def test_a_file_goes_when_its_job_is_over_and_the_job_after_thirty_days(grove: Grove, database_url: str) -> None:
    done = await imported(grove, customers_csv(3), kind="CUSTOMERS")
    assert await sql.fetch(database_url, "SELECT number FROM import_piece") == []
    old = await ended(grove, await upload(grove, b"Code\n", kind="HIERARCHY", hierarchyId=NO_HIERARCHY))
    assert len(await sql.fetch(database_url, "SELECT number FROM import_piece")) == 1
    day = (datetime.now(UTC) - timedelta(days=31)).isoformat(" ", "microseconds")
    await sql.fetch(database_url, f"UPDATE import_job SET created_at = '{day}' WHERE state = 'REJECTED'")
    new = await imported(grove, customers_csv(3), kind="CUSTOMERS")
    assert await sql.fetch(database_url, "SELECT number FROM import_piece") == []
    found = await grove.query("{ importJobs { nodes { id } } }")
    assert [row["id"] for row in found["importJobs"]["nodes"]] == [new["id"], done["id"]]
    assert (await grove.http.get(f"/imports/{old['id']}")).status_code == 404


# ── a file with mistakes ────────────────────────────────────────────────────────────────────────────────────


async def test_the_rejected_rows_can_be_mended_and_sent_again(grove: Grove) -> None:
    rows = [["C-1", "One", "BAR"], ["", "=Two", "BAR"], ["C-3", "Three", ""], ["C-4", "", 'Łódź, "4"']]
    before = await grove.query(CUSTOMERS)
    id = await upload(grove, csv_of(["Code", "Name", "Type"], rows), kind="CUSTOMERS")
    job = await ended(grove, id)
    assert (job["state"], job["errorCount"], job["result"]) == ("REJECTED", 2, None)
    assert [error["path"] for error in job["errors"]] == [["csv", "3", "Code"], ["csv", "5", "Name"]]
    assert await grove.query(CUSTOMERS) == before
    answer = await grove.http.get(job["rejectedRowsUrl"])
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="rejected-{id}.csv"'
    header, *found = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert header == ["Error Row", "Error Column", "Error Code", "Error", "Code", "Name", "Type"]
    messages = [error["message"] for error in job["errors"]]
    codes = [error["code"] for error in job["errors"]]
    # What a spreadsheet would run as a formula is harmless.
    assert found == [
        ["3", "Code", codes[0], messages[0], "", "'=Two", "BAR"],
        ["5", "Name", codes[1], messages[1], "C-4", "", 'Łódź, "4"'],
    ]
    mended = [["C-2", *found[0][5:]], ["C-4", "Four", found[1][6]]]
    done = await imported(grove, csv_of(header[4:], mended), kind="CUSTOMERS")
    assert counts(done) == {"rows": 2, "created": 2}
    names = await grove.query("{ customers { nodes { name type } } }")
    assert {"name": "=Two", "type": "BAR"} in names["customers"]["nodes"]


async def test_many_mistakes(grove: Grove) -> None:
    rows = [["", f"Customer {number}", ""] for number in range(2_500)]
    job = await ended(grove, await upload(grove, csv_of(["Code", "Name", "Type"], rows), kind="CUSTOMERS"))
    assert (job["errorCount"], len(job["errors"])) == (2_500, 100)
    answer = await grove.http.get(job["rejectedRowsUrl"])
    found = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row[0] for row in found[1:]] == [str(number) for number in range(2, 2_502)]


UNREADABLE = {
    "nothing": b"",
    "another header": b"What,Ever\n1,2\n",
    "no text": bytes(range(256)) * 10,
    "a torn Excel file": b"PK\x03\x04" + bytes(2_000),
    "an old Excel file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000),
    "NUL in a cell": b"Code,Name,Type\nC-1,a\x00b,\n",
    "half a surrogate": b"Code,Name,Type\nC-1,\xed\xa0\x80,\n",
    "an open quotation mark": b'Code,Name,Type\nC-1,"One,\nC-2,Two,\n',
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_a_file_that_cannot_be_read_is_rejected(grove: Grove, what: str) -> None:
    job = await ended(grove, await upload(grove, UNREADABLE[what], kind="CUSTOMERS"))
    assert job["state"] == "REJECTED", job
    assert job["errors"]
    assert (await grove.http.get(job["rejectedRowsUrl"])).text.startswith("\ufeffError Row,")


async def test_a_mistake_about_no_row(grove: Grove) -> None:
    job = await ended(grove, await upload(grove, tree_csv(3), kind="HIERARCHY", hierarchyId=NO_HIERARCHY))
    assert [error["code"] for error in job["errors"]] == ["NOT_FOUND"]
    (_, row) = csv.reader(io.StringIO((await grove.http.get(job["rejectedRowsUrl"])).content.decode("utf-8-sig")))
    assert row == ["", "", "NOT_FOUND", job["errors"][0]["message"]]


# ── uploads that cannot be taken ────────────────────────────────────────────────────────────────────────────

FILE = {"file": ("c.csv", b"Code,Name,Type\n")}
MISTAKES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no file": ({"kind": "CUSTOMERS"}, {"other": ("c.csv", b"x")}, "«file»"),
    "no kind": ({}, FILE, "«kind»"),
    "another kind": ({"kind": "NODES"}, FILE, "HIERARCHY, CUSTOMERS, MEMBERS, GROUPS"),
    "an unknown option": ({"kind": "CUSTOMERS", "dry_run": "true"}, FILE, "«dry_run» is no option"),
    "an option of another kind": ({"kind": "CUSTOMERS", "mode": "MERGE"}, FILE, "«mode» is no option"),
    "no hierarchy": ({"kind": "HIERARCHY"}, FILE, "«hierarchyId»"),
    "a blank name": ({"kind": "HIERARCHY", "name": "  "}, FILE, "«name»"),
    "two hierarchies": ({"kind": "HIERARCHY", "name": "S", "hierarchyId": NO_HIERARCHY}, FILE, "either"),
    "another thing's id": (
        {"kind": "HIERARCHY", "hierarchyId": encode(Kind.NODE, MISSING)},
        FILE,
        "the id of a hierarchy",
    ),
    "another mode": ({"kind": "MEMBERS", "mode": "SYNC"}, FILE, "MERGE, REPLACE"),
    "no boolean": ({"kind": "CUSTOMERS", "dryRun": "yes"}, FILE, "TRUE, FALSE"),
    "NUL": ({"kind": "HIERARCHY", "name": "a\0b"}, FILE, "NUL"),
    "an option twice": ({"kind": ["CUSTOMERS", "CUSTOMERS"]}, FILE, "more than once"),
    "a long option": ({"kind": "HIERARCHY", "name": "x" * 10_000}, FILE, "maximum size"),
    "many options": ({"kind": "CUSTOMERS", **{f"o{n}": "" for n in range(30)}}, FILE, "Too many fields"),
    "a file as an option": ({}, FILE | {"kind": ("k", b"CUSTOMERS")}, "Too many files"),
}


@pytest.mark.parametrize("what", MISTAKES)
async def test_a_form_that_is_not_understood(grove: Grove, what: str) -> None:
    fields, files, said = MISTAKES[what]
    answer = await grove.http.post("/imports", data=fields, files=files)
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()["errors"]
    assert said in error["message"]
    assert error["extensions"]["code"] in {"BAD_REQUEST", "BAD_USER_INPUT"}
    assert await no_jobs(grove)


async def no_jobs(grove: Grove) -> bool:
    return bool((await grove.query("{ importJobs { totalCount } }"))["importJobs"]["totalCount"] == 0)


WHOLE = (
    b'--b\r\nContent-Disposition: form-data; name="kind"\r\n\r\nCUSTOMERS\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="c.csv"\r\n\r\nCode,Name,Type\n\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("content", "type", "status"),
    [
        (WHOLE, "application/json", 415),
        (WHOLE, None, 415),
        (WHOLE, "multipart/form-data", 400),
        (WHOLE, "multipart/form-data; boundary=", 400),
        (WHOLE, "multipart/form-data; boundary=other", 400),
        (WHOLE[:-20], "multipart/form-data; boundary=b", 400),
        (b"", "multipart/form-data; boundary=b", 400),
        (WHOLE.replace(b"name=", b"nome="), "multipart/form-data; boundary=b", 400),
        (WHOLE, "multipart/form-data; boundary=" + "b" * 5_000, 400),
        (WHOLE, "multipart/form-data; charset=none; boundary=b", 202),
        (WHOLE, "Multipart/Form-Data; boundary=b", 202),
    ],
)
async def test_bodies_that_are_no_forms(grove: Grove, content: bytes, type: str | None, status: int) -> None:
    headers = {} if type is None else {"Content-Type": type}
    answer = await grove.http.post("/imports", content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert status == 202 or answer.json()["errors"][0]["message"]


async def test_no_mangled_form_is_a_fault(grove: Grove) -> None:
    chance = random.Random(4_711)
    for _ in range(60):
        mangled = bytearray(WHOLE)
        for _ in range(chance.randrange(1, 5)):
            place = chance.randrange(len(mangled))
            mangled[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = await grove.http.post("/imports", content=bytes(mangled), headers=headers)
        assert answer.status_code in {202, 400}, (answer.status_code, bytes(mangled))


async def test_the_limit_of_size(database_url: str) -> None:
    async with running(create_app(Settings(database=database_url, largest_upload=100_000))) as grove:
        fits = b"Code,Name,Type\n".ljust(100_000, b"x")
        assert (await send(grove, fits, kind="CUSTOMERS")).status_code == 202

        for answer in (
            await send(grove, fits + b"\n", kind="CUSTOMERS"),
            await send(grove, fits * 3, kind="CUSTOMERS"),
        ):
            assert answer.status_code == 413
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
            assert "100,000 bytes" in error["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"Origin": "http://grove.test"}, 202),
        ({"Origin": "https://grove.test", "Sec-Fetch-Site": "same-origin"}, 202),
        ({"Origin": "https://shop.example.com", "Sec-Fetch-Site": "cross-site"}, 202),
        ({"Origin": "https://evil.example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://grove.test:81"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://grove.test", "Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_pages_of_others_may_not_send_files(database_url: str, headers: dict[str, str], status: int) -> None:
    settings = Settings(database=database_url, allowed_origins=("https://shop.example.com",))
    async with running(create_app(settings)) as grove:
        answer = await grove.http.post("/imports", data={"kind": "CUSTOMERS"}, files=FILE, headers=headers)
        assert answer.status_code == status, answer.text
        assert await no_jobs(grove) is (status == 403)


async def test_an_upload_that_breaks_off_leaves_nothing(service: Service) -> None:
    head = (
        "POST /imports HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(WHOLE)}\r\n\r\n"
    ).encode()
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(head + WHOLE[:-15])
        await writer.drain()
        writer.transport.abort()
    async with service.client() as grove:
        assert await no_jobs(grove)
        assert (await imported(grove, customers_csv(1), kind="CUSTOMERS"))["state"] == "DONE"
    assert "Traceback" not in service.tail()


# ── running ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_fault_is_told_by_its_number(
    grove: Grove, database_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the price of tea")

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_load", broken)
        job = await ended(grove, await upload(grove, customers_csv(3), kind="CUSTOMERS"))
    assert job["state"] == "FAILED"
    number = job["message"].removesuffix(".").rpartition(" ")[2]
    assert len(number) == 32
    assert any(number in str(record.msg) for record in caplog.records)
    assert "tea" not in job["message"]
    assert (await imported(grove, customers_csv(3), kind="CUSTOMERS"))["state"] == "DONE"
    assert await sql.fetch(database_url, "SELECT number FROM import_piece") == []


async def test_what_another_writer_hinders_is_tried_again(grove: Grove, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without counting as an attempt."""
    load, hindered = jobs._load, list[bool]()

    async def hindering(*arguments: Any) -> Any:
        if len(hindered) < 2:
            hindered.append(True)
            raise Unavailable("Another change is taking long.")
        return await load(*arguments)

    monkeypatch.setattr(jobs, "_load", hindering)
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.05)
    await imported(grove, customers_csv(3), kind="CUSTOMERS")
    assert len(hindered) == 2


async def test_a_file_that_brings_processes_down_does_so_a_limited_number_of_times(
    grove: Grove, database_url: str
) -> None:
    # The runner of this process looks again while it waits for the other's lock.
    done = await imported(grove, customers_csv(3), kind="CUSTOMERS")
    await sql.fetch(database_url, "UPDATE import_job SET state = 'RUNNING', attempts = 20")
    job = await until(grove, done["id"], lambda job: job["state"] in OVER)
    assert job["state"] == "FAILED"
    assert "20 times" in job["message"]


async def test_progress_is_told_and_readers_see_the_old_tree_until_it_is_done(service: Service) -> None:
    async with service.client() as grove:
        await imported(grove, tree_csv(20), kind="HIERARCHY", name="Sales")
        old = await grove.query(TREE)
        id = await upload(grove, tree_csv(LEAVES), kind="HIERARCHY", name="Sales")
        seen: list[Json] = []
        while True:
            tree = await grove.query(TREE)
            job = await look(grove, id)
            if job["state"] in OVER:
                break
            # It was not over yet when the tree was read.
            assert tree == old
            assert job["result"] is None
            seen.append(job)
        assert job["state"] == "DONE"
        running = [job for job in seen if job["state"] == "RUNNING"]
        assert any(job["phase"] for job in running)
        assert all(job["total"] is None or 0 <= job["done"] <= job["total"] for job in running)
        new = await grove.query(TREE)
        assert new["hierarchies"]["nodes"][0]["nodeCount"] == nodes_of_tree(LEAVES)


async def test_two_files_for_one_hierarchy_at_once(database_url: str, tmp_path: Path) -> None:
    """On PostgreSQL by two processes; the second begins where the first has ended."""
    services = [Service(database_url, tmp_path) for _ in range(2 if DATABASE == "postgres" else 1)]
    try:
        for service in services:
            await service.start()
        async with services[0].client() as one, services[-1].client() as other:
            await imported(one, tree_csv(1), kind="HIERARCHY", name="Sales")
            ids = [
                await upload(one, tree_csv(400, "A"), kind="HIERARCHY", name="Sales"),
                await patiently(other, tree_csv(400, "B"), kind="HIERARCHY", name="Sales"),
            ]
            for id in ids:
                job = await ended(one, id)
                assert (job["state"], counts(job)["created"]) == ("DONE", nodes_of_tree(400))
            found = (await one.query(TREE))["hierarchies"]["nodes"]
            assert [(row["name"], row["nodeCount"], row["version"]) for row in found] == [
                ("Sales", nodes_of_tree(1) + 2 * nodes_of_tree(400), 3)
            ]
    finally:
        for service in services:
            await service.close()
    await check(database_url)


async def patiently(grove: Grove, content: bytes, **fields: str) -> str:
    """As `upload`; on SQLite an import that is being written keeps others waiting, and they are told so."""
    while (answer := await send(grove, content, **fields)).status_code == 503:
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert answer.status_code == 202, answer.text
    id: str = answer.json()["id"]
    return id


# ── crashes ─────────────────────────────────────────────────────────────────────────────────────────────────

CRASHES = 10
GROUPS = "SELECT count(*) FROM customer_group"
LOGGED = "SELECT count(*) FROM change"


async def test_kill_9_at_any_instant_leaves_nothing_and_the_job_goes_on(database_url: str, tmp_path: Path) -> None:
    async with Service(database_url, tmp_path) as service:
        async with service.client() as grove:
            instants = await observe(grove, await upload(grove, tree_csv(LEAVES, "0"), kind="HIERARCHY", name="Sales"))
        ((logged,),) = await sql.fetch(database_url, LOGGED)
        files, id, killed = 1, None, 0
        while killed < CRASHES:
            async with service.client() as grove:
                if id is None:
                    id = await upload(grove, tree_csv(LEAVES, str(files)), kind="HIERARCHY", name="Sales")
                    files += 1
                if await over_before(grove, id, random.choice(instants)):
                    id = None
                    continue
            await service.kill()
            killed += 1
            ((state,),) = await sql.fetch(
                database_url, "SELECT state FROM import_job WHERE id = $1", decode(id, Kind.JOB)
            )
            # It may have been done at the very last moment; else nothing of it is there.
            whole = files if state == "DONE" else files - 1
            assert await sql.fetch(database_url, GROUPS) == [(whole * nodes_of_tree(LEAVES),)]
            await asyncio.gather(check(database_url), service.start())
        async with service.client() as grove:
            if id is not None:
                job = await ended(grove, id)
                assert (job["state"], counts(job)["created"]) == ("DONE", nodes_of_tree(LEAVES))
        # Each file once: as many changes in the log for each as for the first, the one that nobody disturbed.
        assert await sql.fetch(database_url, GROUPS) == [(files * nodes_of_tree(LEAVES),)]
        print(f"{files} files, {logged} changes for the first")
        await check(database_url)


async def observe(grove: Grove, id: str) -> list[tuple[str, int]]:
    """How an import goes: what it has told, again and again, until it was over."""
    seen: list[tuple[str, int]] = []
    while (job := await look(grove, id))["state"] not in OVER:
        if job["phase"]:
            seen.append((job["phase"], job["done"]))
    assert job["state"] == "DONE", job
    assert seen
    return seen


async def over_before(grove: Grove, id: str, instant: tuple[str, int]) -> bool:
    """Waits until an import has come as far; whether it was over without being seen there."""
    phase, done = instant
    job = await until(grove, id, lambda job: job["state"] in OVER or (job["phase"] == phase and job["done"] >= done))
    return job["state"] in OVER


async def test_a_service_that_is_stopped_gives_its_job_back(database_url: str, tmp_path: Path) -> None:
    async with Service(database_url, tmp_path) as service:
        async with service.client() as grove:
            id = await upload(grove, tree_csv(LEAVES), kind="HIERARCHY", name="Sales")
            await until(grove, id, lambda job: bool(job["phase"]))
        assert await service.stop() == 0
        assert "Traceback" not in service.tail()
        assert await sql.fetch(database_url, "SELECT state, attempts FROM import_job") == [("QUEUED", 0)]
        assert await sql.fetch(database_url, GROUPS) == [(0,)]
        await service.start()
        async with service.client() as grove:
            assert (await ended(grove, id))["state"] == "DONE"
    await check(database_url)
