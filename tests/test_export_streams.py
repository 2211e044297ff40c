"""How downloads are sent: one snapshot, little memory, few statements, a place each, and a cut where they break off."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from service import tables
from service.resolvers import group
from tests.support.client import Json
from tests.support.downloading import Download, served
from tests.support.rest import at_rest, lent, without_noise
from tests.support.sowing import Sowing, group_id, hierarchy_id

PAGE = 1_000
LEVELS = [f"Level {depth}" for depth in range(1, 11)]


async def sow_groups(url: str, count: int, description: str = "") -> None:
    sown = Sowing()
    for number in range(count):
        sown.group(f"G-{number:06}", f"Group {number:06}", description)
    await sown.write(url)


def parents_of(count: int) -> list[int | None]:
    """For each of so many nodes the place of its parent: a tenth are roots, each with nine others below it."""
    return [None if number % 10 == 0 else number - 1 - number % 3 % (number % 10) for number in range(count)]


async def sow_tree(url: str, count: int) -> str:
    """The id of a hierarchy of so many nodes."""
    sown = Sowing()
    groups = [sown.group(f"G-{number:06}", f"Group {number:06}", "so described") for number in range(count)]
    key, _ = sown.hierarchy("Sales", LEVELS, groups, parents_of(count))
    await sown.write(url)
    return hierarchy_id(key)


def line_of(caplog: pytest.LogCaptureFixture) -> Json:
    """The line that the last request left in the log."""
    lines = [record.msg for record in caplog.records if record.name == "grove"]
    found = [line for line in lines if isinstance(line, dict) and line["event"] == "request"]
    return found[-1]


# ── what it costs ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
async def test_statements_are_few_a_page(database_url: str, caplog: pytest.LogCaptureFixture, suffix: str) -> None:
    caplog.set_level("INFO")
    id = await sow_tree(database_url, 2 * PAGE + 500)
    async with served(database_url) as grove:
        for path, query, most in (
            (f"/exports/groups.{suffix}", "", 3),
            (f"/exports/groups.{suffix}", "codeStartsWith=G-0000", 1),
            (f"/exports/customers.{suffix}", "", 1),
            # The hierarchy and its levels; then each page, the place of its cursor, and the groups.
            (f"/exports/hierarchies/{id}.{suffix}", "", 2 + 3 * 4),
            (f"/exports/hierarchies/{id}.{suffix}", "form=parent", 2 + 3 * 4),
        ):
            download = await grove.download(path, query).run()
            assert download.status == 200
            assert download.whole
            statements = line_of(caplog)["statements"]
            assert 0 < statements <= most, f"{path}?{query}: {statements} statements"


async def test_members_cost_a_statement_a_page(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    sown = Sowing()
    customers = [sown.customer(f"C-{number:05}", f"Customer {number}", "RETAILER") for number in range(2 * PAGE)]
    id = group_id(sown.group("G", "Group", customers=customers))
    await sown.write(database_url)
    async with served(database_url) as grove:
        download = await grove.download(f"/exports/groups/{id}/members.csv").run()
        assert [row[1] for row in download.rows[1:]] == [f"C-{number:05}" for number in range(2 * PAGE)]
        assert line_of(caplog)["statements"] == 3


async def test_ten_times_the_rows_take_no_more_memory(database_url: str) -> None:
    sown, hierarchies = Sowing(), {}
    groups = [
        sown.group(f"G-{number}", f"{'few' if number < 2 * PAGE else 'more'} {number}") for number in range(20_000)
    ]
    for count in (2 * PAGE, 20 * PAGE):
        key, _ = sown.hierarchy(f"Of {count}", LEVELS, groups[:count], parents_of(count))
        hierarchies[count] = hierarchy_id(key)
    await sown.write(database_url)
    few, many = hierarchies.values()
    async with served(database_url) as grove:

        async def peak(path: str, query: str) -> int:
            tracemalloc.start()
            try:
                download = await grove.download(path, query).run(keep=False)
                assert download.whole
                assert path.endswith("xlsx") or download.largest <= 2 * tables.PIECE
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        for of_few, of_many in (
            (("/exports/groups.csv", "nameStartsWith=few"), ("/exports/groups.csv", "")),
            (("/exports/groups.xlsx", "nameStartsWith=few"), ("/exports/groups.xlsx", "")),
            ((f"/exports/hierarchies/{few}.csv", ""), (f"/exports/hierarchies/{many}.csv", "")),
            ((f"/exports/hierarchies/{few}.xlsx", ""), (f"/exports/hierarchies/{many}.xlsx", "")),
        ):
            # The first makes what is made only once.
            _, small, large = [await peak(*call) for call in (of_few, of_few, of_many)]
            # Not to the byte: what is garbage goes when it goes. Rows that are held would take ten times as much.
            assert large < 2 * small, f"{of_few[0]}: {small:,} bytes for 2,000 rows, {large:,} for 20,000"


# ── one snapshot ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["levels", "parent"])
async def test_a_file_is_one_state_whoever_writes_meanwhile(database_url: str, form: str) -> None:
    id = await sow_tree(database_url, 4 * PAGE)
    async with served(database_url) as grove, grove.client() as client:
        before = await grove.download(f"/exports/hierarchies/{id}.csv", f"form={form}").run()
        assert before.messages > 4
        roots = await client.query(
            "query ($id: ID!) { hierarchy(by: { id: $id }) { roots(last: 20) { nodes { id } } } }", {"id": id}
        )
        nodes = [node["id"] for node in roots["hierarchy"]["roots"]["nodes"]]
        written = 0

        async def write(download: Download) -> None:
            nonlocal written
            if nodes:
                written += 1
                await client.mutate("moveNode", {"nodeId": nodes.pop(), "position": {"first": True}})
                await client.mutate("unassignNode", {"nodeId": nodes.pop()})

        during = await grove.download(f"/exports/hierarchies/{id}.csv", f"form={form}").run(write)
        after = await grove.download(f"/exports/hierarchies/{id}.csv", f"form={form}").run()
        assert written > 2
        assert during.rows == before.rows
        assert after.rows != before.rows


# ── what is bounded ─────────────────────────────────────────────────────────────────────────────────────────


async def test_no_more_at_once_than_half_of_the_connections(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await sow_groups(database_url, 5 * PAGE)
    async with without_noise(), served(database_url, pool_size=4) as grove, grove.client() as client:
        begun, go_on = [asyncio.Event(), asyncio.Event()], asyncio.Event()

        def hold(number: int) -> Callable[[Download], Awaitable[None]]:
            async def wait(_: Download) -> None:
                begun[number].set()
                await go_on.wait()

            return wait

        downloads = [grove.download("/exports/groups.csv") for _ in begun]
        running = [asyncio.create_task(one.run(hold(number))) for number, one in enumerate(downloads)]
        await asyncio.gather(*(event.wait() for event in begun))
        for path in ("/exports/groups.csv", "/exports/customers.xlsx"):
            refused = await client.http.get(path)
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
            assert [error["extensions"]["code"] for error in refused.json()["errors"]] == ["UNAVAILABLE"]
            assert line_of(caplog)["errors"] == "UNAVAILABLE"
        # Others go on meanwhile.
        await client.query("{ customerGroups { totalCount } }")
        go_on.set()
        await asyncio.gather(*running)
        assert [len(one.rows) for one in downloads] == [5 * PAGE + 1] * 2
        assert (await client.http.get("/exports/groups.csv")).status_code == 200
        await at_rest(database_url, grove.database)


async def test_a_client_that_takes_nothing_loses_its_connection(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await sow_groups(database_url, 5 * PAGE)
    async with without_noise(), served(database_url, request_seconds=1) as grove:

        async def never(_: Download) -> None:
            await asyncio.Event().wait()

        for path in ("/exports/groups.csv", "/exports/groups.xlsx"):
            download = await grove.download(path).run(never)
            assert download.status == 200
            assert not download.whole
            assert line_of(caplog)["errors"] == "TIMEOUT"
            assert not await lent(grove.database)


async def test_a_slow_client_may_take_longer_than_a_request(database_url: str) -> None:
    await sow_groups(database_url, 5 * PAGE, "x" * 100)
    async with served(database_url, request_seconds=1) as grove:

        async def slowly(_: Download) -> None:
            await asyncio.sleep(0.2)

        download = await grove.download("/exports/groups.csv").run(slowly)
        assert download.messages > 6
        assert download.whole
        assert len(download.rows) == 5 * PAGE + 1


async def test_a_client_that_hangs_up_leaves_nothing_behind(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    await sow_groups(database_url, 5 * PAGE)
    async with without_noise(), served(database_url) as grove:
        for suffix in ("csv", "xlsx"):
            for _ in range(10):

                async def hang_up(download: Download) -> None:
                    download.hung_up.set()
                    await asyncio.Event().wait()

                download = await grove.download(f"/exports/groups.{suffix}").run(hang_up)
                assert not download.whole
                assert "errors" not in line_of(caplog)
                assert not await lent(grove.database)
        assert (await grove.download("/exports/groups.csv").run()).whole
        await at_rest(database_url, grove.database)


# ── over HTTP ───────────────────────────────────────────────────────────────────────────────────────────────


async def raw(port: int, path: str, version: str = "1.1", most: int | None = None) -> bytes:
    """All that a server sends, or the first bytes of it, whereupon the client hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/{version}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return await (reader.read() if most is None else reader.readexactly(most))
    finally:
        writer.close()


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third page of groups cannot be read."""
    read, pages = group.page, 0

    async def page(*arguments: Any) -> Any:
        nonlocal pages
        pages += 1
        if pages == 3:
            raise RuntimeError("the disk is on fire")
        return await read(*arguments)

    monkeypatch.setattr(group, "page", page)


@pytest.mark.usefixtures("breaking")
async def test_a_file_that_breaks_off_is_cut(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await sow_groups(database_url, 5 * PAGE, "x" * 100)
    async with served(database_url) as grove, grove.over_http() as port:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            async with http.stream("GET", "/exports/groups.csv") as response:
                assert response.status_code == 200
                # The last chunk, of no bytes, never comes: no client takes this for the whole.
                with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
                    await response.aread()
                assert response.num_bytes_downloaded > 0
            assert line_of(caplog)["errors"] == "INTERNAL"
            assert "the disk is on fire" in caplog.text
            assert "G-004999" in (await http.get("/exports/groups.csv")).text
        await at_rest(database_url, grove.database)


@pytest.mark.usefixtures("breaking")
@pytest.mark.parametrize(("suffix", "version"), [("xlsx", "1.1"), ("csv", "1.0")])
async def test_what_is_written_first_breaks_off_before_the_first_byte(
    database_url: str, suffix: str, version: str
) -> None:
    await sow_groups(database_url, 5 * PAGE)
    async with served(database_url) as grove, grove.over_http() as port:
        answer = await raw(port, f"/exports/groups.{suffix}", version)
        assert answer.startswith(b"HTTP/1.1 500")
        assert b"disk" not in answer
        assert b"correlationId" in answer


async def test_http_1_0_is_told_the_length(database_url: str) -> None:
    await sow_groups(database_url, 3 * PAGE)
    async with served(database_url) as grove, grove.over_http() as port:
        head, _, body = (await raw(port, "/exports/groups.csv", "1.0")).partition(b"\r\n\r\n")
        assert f"content-length: {len(body)}".encode() in head
        assert b"chunked" not in head
        assert len(body.splitlines()) == 3 * PAGE + 1


async def test_hanging_up_over_http(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    await sow_groups(database_url, 6 * PAGE, "x" * 1_000)
    async with without_noise(), served(database_url) as grove, grove.over_http() as port:
        for _ in range(12):
            await raw(port, "/exports/groups.csv", most=100_000)
            # A place is free again as soon as the server has heard of it.
            await at_rest(database_url, grove.database)
        async with httpx.AsyncClient() as http:
            whole = await http.get(f"http://127.0.0.1:{port}/exports/groups.csv")
        assert len(whole.text.splitlines()) == 6 * PAGE + 1
        assert "Traceback" not in caplog.text
