"""Importing hierarchies from CSV, through GraphQL: what is done, what is told of it, and what is refused."""

import asyncio
import csv as comma_separated
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import service
from service import engines, names
from service.app import create_app
from service.resolvers.check import check
from service.settings import Settings
from service.sheets import harmless
from tests.support.broken_files import Broken, broken_parents, broken_paths, written
from tests.support.client import Grove, Json, running
from tests.support.company import (
    Company,
    latest_changes,
    new_group,
    new_hierarchy,
    outline,
    unassigned,
    version_of,
)
from tests.support.contents import contents, dump
from tests.support.copies import Standing, copied, standing
from tests.support.databases import Databases, fresh

RUNS = int(os.environ.get("GROVE_TEST_RUNS", "100"))
SALES = {"hierarchyId": "@hierarchy Sales"}
ZYMOENO = (Path(service.__file__).parent / "data" / "zymoeno.csv").read_text(encoding="utf-8")
COUNTS = "result { rows created updated moved removed unchanged }"
CHANGES = "result { changes(first: 1000) { totalCount nodes { action row code name before after } } }"
# The tree of tests/support/company.py as a file.
COMPANY = """Division,State,Distributor
East,FL,Palm Tree
East,FL,Sol Family
East,IL,Chi-town
West,CA,
"""


@pytest.fixture(scope="module")
async def original(databases: Databases) -> AsyncIterator[Standing]:
    async with standing(databases) as arranged:
        yield arranged


@pytest.fixture
async def copy(databases: Databases, original: Standing) -> AsyncIterator[Standing]:
    async with copied(databases, original) as arranged:
        yield arranged
        await look_for_damage(arranged.url)


@pytest.fixture
def company(copy: Standing) -> Company:
    return copy.company


async def look_for_damage(url: str) -> None:
    database = await engines.connect(url)
    try:
        async with database.snapshot():
            assert await check(False) == []
    finally:
        await database.close()


async def load(company: Company, csv: str, selection: str = COUNTS, **input: Any) -> Json:
    """The payload of an import; into «Sales» unless told otherwise."""
    given = input if "createName" in input else {**SALES, **input}
    return await company.mutate("importHierarchy", {"csv": csv, **given}, selection)


def counts(payload: Json) -> dict[str, int]:
    """What is not nought."""
    return {name: count for name, count in payload["result"].items() if count}


async def changes(company: Company, csv: str, **input: Any) -> list[tuple[Any, ...]]:
    payload = await load(company, csv, CHANGES, **input)
    listed = payload["result"]["changes"]
    assert listed["totalCount"] == len(listed["nodes"])
    return [tuple(change.values()) for change in listed["nodes"]]


async def refused(company: Company, csv: str, **input: Any) -> list[tuple[str, ...]]:
    """(code, row, column) of each error; there is nothing else in the payload."""
    given = input if "createName" in input else {**SALES, **input}
    payload = await company.mutate(
        "importHierarchy", {"csv": csv, **given}, f"{COUNTS} hierarchy {{ id }} errorCount", errors=None
    )
    errors = payload["userErrors"]
    assert errors
    assert payload["result"] is payload["hierarchy"] is None
    assert payload["errorCount"] >= len(errors)
    assert all(error["path"][0] == "csv" for error in errors), errors
    return [(error["code"], *error["path"][1:]) for error in errors]


# ── the whole of it ─────────────────────────────────────────────────────────────────────────────────────────


async def test_the_demos_file(demo_grove: Grove) -> None:
    """It gives the demo's tree, in every form in which such a file may come, and then changes nothing again."""
    expected = await outline(demo_grove)
    assert len(expected) == 25
    for number, text in enumerate(
        [
            ZYMOENO,
            "\ufeff" + ZYMOENO.replace("\n", "\r\n"),
            written([line.split("|") for line in piped(ZYMOENO)], ";"),
            written([line.split("|") for line in piped(ZYMOENO)], "\t", "\r"),
        ]
    ):
        name = f"Sales {number}"
        payload = await demo_grove.mutate("importHierarchy", {"createName": name, "csv": text}, COUNTS)
        # The demo's groups are used.
        assert counts(payload) == {"rows": 17, "moved": 25}
        assert await outline(demo_grove, name) == expected
        assert await version_of(demo_grove, name) == 1


def piped(text: str) -> list[str]:
    """The lines of a file without line breaks in its cells, parted by bars."""
    return ["|".join(row) for row in comma_separated.reader(text.splitlines())]


async def test_a_new_company(grove: Grove, database_url: str) -> None:
    payload = await grove.mutate(
        "importHierarchy",
        {"createName": " Sales ", "csv": ZYMOENO},
        "result { rows created updated moved removed unchanged changes(first: 2) { nodes { action row code name before"
        " after } } } hierarchy { name version nodeCount levels { name nodeCount } }",
    )
    shown = payload["result"].pop("changes")["nodes"]
    assert counts(payload) == {"rows": 17, "created": 25}
    assert payload["hierarchy"] == {
        "name": "Sales",
        "version": 1,
        "nodeCount": 25,
        "levels": [
            {"name": "Division", "nodeCount": 2},
            {"name": "State", "nodeCount": 6},
            {"name": "Distributor", "nodeCount": 17},
        ],
    }
    assert [tuple(change.values()) for change in shown] == [
        ("CREATED", 2, "CG-000001", "East", None, "East"),
        ("CREATED", 2, "CG-000002", "FL", None, "East > FL"),
    ]
    described = await grove.query('{ customerGroup(by: { name: "FL" }) { description status version } }')
    assert described["customerGroup"] == {"description": "Florida", "status": "ACTIVE", "version": 1}
    log = await latest_changes(grove, 1_000)
    assert [change["action"] for change in log] == [
        *("HIERARCHY_CREATED", *["GROUP_CREATED"] * 25, *["GROUP_ASSIGNED"] * 25, "IMPORTED"),
    ]
    assert log[-1]["summary"] == "imported 17 rows into «Sales»: 25 created"
    await look_for_damage(database_url)


async def test_by_parent(company: Company) -> None:
    """The same tree, its rows upside down."""
    rows = [
        *(["P-1", "Palm Two", "", "S-1"], ["S-1", "GA", "Georgia", "D-1"], ["P-2", "Sol Two", "", "S-1"]),
        *(["D-1", "North", "", ""], ["S-2", "AK", "", "D-1"]),
    ]
    csv = written([["Code", "Name", "Description", "Parent Code"], *rows])
    assert counts(await load(company, csv, createName="North America")) == {"rows": 5, "created": 5}
    assert await outline(company.grove, "North America") == ["North", "  GA", "    Palm Two", "    Sol Two", "  AK"]
    # Below what stands in the tree and not in the file.
    csv = "Code,Name,Parent Code\nX-1,Xanadu,cg-000002\n"
    assert await changes(company, csv) == [("CREATED", 2, "X-1", "Xanadu", None, "East > FL > Xanadu")]
    assert await refused(company, csv.replace("Xanadu", "Yonder").replace("X-1", "Y-1"), mode="REPLACE") == [
        ("NOT_FOUND", "2", "Parent Code")
    ]


async def test_merging(company: Company) -> None:
    """What the file does not name stays; what comes stands behind it, in the file's order."""
    csv = (
        "Division Name,Division Description,State Name,Distributor Name\n"
        "North,Up there,AK,Bear\nWest,,IL,\nEast,The east,TX,Palm Tree\nEast,,FL,New\n"
    )
    payload = await load(company, csv)
    # FL, East's old one, stands where it stood; AK, Bear, North and New are new; TX was unassigned.
    assert counts(payload) == {"rows": 4, "created": 4, "updated": 1, "moved": 3, "unchanged": 2}
    assert await outline(company.grove) == [
        *("East", "  FL", "    Sol Family", "    New", "  TX", "    Palm Tree"),
        *("West", "  CA", "  IL", "    Chi-town", "North", "  AK", "    Bear"),
    ]
    log = await latest_changes(company.grove, 13)
    assert [change["summary"] for change in log] == [
        *("created «North» (CG-000012)", "created «AK» (CG-000013)", "created «Bear» (CG-000014)"),
        *("created «New» (CG-000015)", "changed the description of «East» (CG-000001)"),
        *("assigned «North» at the top in «Sales»", "assigned «AK» under «North» in «Sales»"),
        *("assigned «Bear» under «AK» in «Sales»", "assigned «New» under «FL» in «Sales»"),
        *("assigned «TX» under «East» in «Sales»", "moved «IL» from «East» to «West» in «Sales»"),
        "moved «Palm Tree» from «FL» to «TX» in «Sales»",
        "imported 4 rows into «Sales»: 4 created, 1 updated, 3 moved, 2 unchanged",
    ]


async def test_replacing(company: Company) -> None:
    """The tree is exactly the file: order, too. Parent and child may change places."""
    csv = "Division,State,Distributor\nWest,,\nFL,East,Sol Family\nFL,East,Palm Tree\nFL,CA,\n"
    before = await version_of(company.grove)
    assert await changes(company, csv, mode="REPLACE") == [
        ("MOVED", 3, "CG-000002", "FL", "East > FL", "FL"),
        ("MOVED", 3, "CG-000001", "East", "East", "FL > East"),
        ("MOVED", 3, "CG-000004", "Sol Family", "East > FL > Sol Family", "FL > East > Sol Family"),
        ("MOVED", 4, "CG-000003", "Palm Tree", "East > FL > Palm Tree", "FL > East > Palm Tree"),
        ("MOVED", 5, "CG-000008", "CA", "West > CA", "FL > CA"),
        ("UNASSIGNED", None, "CG-000005", "IL", "East > IL", None),
        ("UNASSIGNED", None, "CG-000006", "Chi-town", "East > IL > Chi-town", None),
    ]
    assert await outline(company.grove) == ["West", "FL", "  East", "    Sol Family", "    Palm Tree", "  CA"]
    assert {"IL", "Chi-town"} < set(await unassigned(company.grove))
    assert await version_of(company.grove) == before + 1


async def test_reordering(company: Company) -> None:
    """As few as possible count as moved."""
    csv = COMPANY.replace("East,FL,Palm Tree\n", "") + "East,FL,Palm Tree\n"
    csv = "\n".join([csv.splitlines()[0], "East,IL,", *csv.splitlines()[1:]]) + "\n"
    assert await changes(company, csv) == []
    found = await changes(company, csv, mode="REPLACE")
    assert [change[0] for change in found] == ["MOVED", "MOVED"]
    assert await outline(company.grove) == [
        *("East", "  IL", "    Chi-town", "  FL", "    Sol Family", "    Palm Tree", "West", "  CA"),
    ]
    log = await latest_changes(company.grove, 3)
    assert [change["action"] for change in log] == ["NODES_REORDERED", "NODES_REORDERED", "IMPORTED"]


async def test_an_empty_file_replaces_all(company: Company) -> None:
    assert counts(await load(company, "Division\n")) == {}
    assert counts(await load(company, "Division\n", mode="REPLACE")) == {"removed": 8}
    assert await outline(company.grove) == []


async def test_renaming_by_code(company: Company) -> None:
    """Two groups exchange their names, a third one takes one that becomes free."""
    csv = (
        "Code,Name,Description,Parent Code\ncg-000001,West,Was East,\nCG-000007,East,,\nCG-000002,Floridá,,CG-000001\n"
    )
    found = await changes(company, csv)
    assert found == [
        ("UPDATED", 2, "CG-000001", "West", "East", "West"),
        ("UPDATED", 2, "CG-000001", "West", "", "Was East"),
        ("UPDATED", 3, "CG-000007", "East", "West", "East"),
        ("UPDATED", 4, "CG-000002", "Floridá", "FL", "Floridá"),
    ]
    assert await outline(company.grove) == [
        *("West", "  Floridá", "    Palm Tree", "    Sol Family", "  IL", "    Chi-town", "East", "  CA"),
    ]
    data = await company.grove.query('{ customerGroup(by: { name: "East" }) { code version } }')
    assert data["customerGroup"] == {"code": "CG-000007", "version": 2}
    # FL is free now, so that this is another group.
    assert [change[:4] for change in await changes(company, "Division,Division Code\nFL,N-1\n")] == [
        ("CREATED", 2, "N-1", "FL")
    ]


async def test_a_name_met_keeps_its_writing_and_what_is_empty_stays(company: Company) -> None:
    await load(company, "Division,Division Description\nEast,The east\n")
    before = await version_of(company.grove)
    assert await changes(company, "Division,Division Description\n EAST ,\n") == []
    assert await version_of(company.grove) == before


async def test_generated_codes_avoid_those_of_the_file(company: Company) -> None:
    csv = "Division,Division Code\nOne,\nTwo,CG-000012\nThree,\n"
    assert [change[2] for change in await changes(company, csv)] == ["CG-000013", "CG-000012", "CG-000014"]


# ── refused ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_stands_against_it(copy: Standing) -> None:
    """What only the database tells, all of it at once with what is wrong in the file itself."""
    company = copy.company
    before = await contents(copy.url)
    csv = (
        "Division,Division Code,State\n"
        "Closed,,\n"  # inactive
        "East,E-9,\n"  # a name that another code has
        ",,FL\n"
        "New,CG-000003,\n"  # a group's new name
        "South,CG-000007,\n"  # a name of a group that the file does not name
    )
    assert await refused(company, csv) == [
        ("GROUP_INACTIVE", "2", "Division"),
        ("NAME_TAKEN", "3", "Division"),
        ("BAD_ROW", "4", "Division"),
        ("NAME_TAKEN", "6", "Division"),
    ]
    # East with its three levels below Chi-town; FL below its own child, which no row moves.
    csv = "Code,Name,Parent Code\nCG-000001,East,CG-000007\nCG-000002,FL,CG-000003\n"
    assert await refused(company, csv) == [("TOO_DEEP", "2", "Parent Code"), ("CYCLE", "3", "Parent Code")]
    # A sound file: IL moves with what is below it.
    assert await refused(company, "Code,Name,Parent Code,Level\nCG-000005,IL,CG-000008,\n") == [
        ("TOO_DEEP", "2", "Parent Code")
    ]
    assert await refused(company, "Code,Name,Parent Code,Level\nCG-000005,IL,,State\n") == [("BAD_ROW", "2", "Level")]
    # An inactive group that stands there already is no mistake.
    await company.mutate("updateCustomerGroup", {"id": "@group CA", "status": "INACTIVE"})
    assert await refused(company, "Division,State\nEast,FL\n,IL\n") == [("BAD_ROW", "3", "Division")]
    assert counts(await load(company, "Division,State\nEast,CA\n")) == {"rows": 1, "moved": 1, "unchanged": 1}
    assert await contents(copy.url) != before


@pytest.mark.parametrize(("mode", "seeds"), [("MERGE", range(50)), ("REPLACE", range(50, 100))], ids=str)
async def test_broken_files_change_nothing(copy: Standing, mode: str, seeds: range) -> None:
    """Two hundred files in all, half of them in each form."""
    company = copy.company
    sales = await new_hierarchy(company.grove, "Plain")
    before = await contents(copy.url)
    for seed in seeds:
        for broken in (broken_paths(seed), broken_parents(seed)):
            found = await refused_all(company, broken, hierarchyId=sales, mode=mode)
            assert sorted(found) == sorted(broken.mistakes), broken.text
    assert await contents(copy.url) == before


async def refused_all(company: Company, broken: Broken, **input: Any) -> list[tuple[int, str, str]]:
    return [(int(row), column, code) for code, row, column in await refused(company, broken.text, **input)]


async def test_many_mistakes(copy: Standing) -> None:
    """The first hundred are told, and how many there are."""
    csv = written([["Division", "State"], *(["", f"S{number}"] for number in range(250))])
    payload = await copy.company.mutate(
        "importHierarchy", {**SALES, "csv": csv}, "errorCount result { rows }", errors=["BAD_ROW"] * 100
    )
    assert (payload["errorCount"], payload["result"]) == (250, None)
    assert [error["path"] for error in payload["userErrors"][:2]] == [
        ["csv", "2", "Division"],
        ["csv", "3", "Division"],
    ]


# ── tried, repeated ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("mode", ["MERGE", "REPLACE"])
async def test_a_dry_run_tells_what_would_change(copy: Standing, mode: str) -> None:
    csv = "Division,Division Description,State\nWest,Far,IL\nNew,,CA\nSouth,,\n"
    before = await dump(copy.url)
    rehearsed = await changes(copy.company, csv, mode=mode, dryRun=True)
    assert await dump(copy.url) == before
    assert {change[0] for change in rehearsed} >= {"CREATED", "UPDATED", "MOVED", "ASSIGNED"}
    assert await changes(copy.company, csv, mode=mode) == rehearsed


async def test_pages_of_changes(company: Company) -> None:
    csv = written([["Division"], *([f"D{number:02}"] for number in range(25))])

    async def page(arguments: str) -> tuple[list[int], bool, bool, str, str]:
        found = await load(
            company,
            csv,
            f"result {{ changes({arguments}) {{ totalCount nodes {{ row }} edges {{ cursor node {{ row }} }}"
            " pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }",
            dryRun=True,
        )
        listed = found["result"]["changes"]
        info = listed["pageInfo"]
        rows = [node["row"] for node in listed["nodes"]]
        assert listed["totalCount"] == 25
        assert [edge["node"]["row"] for edge in listed["edges"]] == rows
        return rows, info["hasNextPage"], info["hasPreviousPage"], info["startCursor"], info["endCursor"]

    first = await page("first: 10")
    assert first[:3] == (list(range(2, 12)), True, False)
    second = await page(f'first: 10, after: "{first[4]}"')
    assert second[:3] == (list(range(12, 22)), True, True)
    third = await page(f'first: 10, after: "{second[4]}"')
    assert third[:3] == (list(range(22, 27)), False, True)
    assert (await page(f'last: 10, before: "{second[3]}"'))[:3] == (list(range(2, 12)), True, False)
    assert (await page("last: 3"))[:3] == ([24, 25, 26], False, True)
    wrong = await company.grove.execute(
        "mutation ($input: ImportHierarchyInput!) { importHierarchy(input: $input)"
        ' { result { changes(after: "x") { totalCount nodes { row } } } } }',
        {"input": company.filled({**SALES, "csv": csv})},
    )
    assert [error["extensions"]["code"] for error in wrong["errors"]] == ["BAD_USER_INPUT"]
    assert "D00" not in await unassigned(company.grove)


async def test_the_same_key_again(copy: Standing) -> None:
    """The first answer, changes and all, also to another selection."""
    csv = "Division,State\nNew,CA\n"
    first = await load(copy.company, csv, CHANGES, idempotencyKey="k")
    after = await contents(copy.url)
    assert await load(copy.company, csv, CHANGES, idempotencyKey="k") == first
    other = await load(copy.company, csv, f"{COUNTS} hierarchy {{ name }} {CHANGES}", idempotencyKey="k")
    assert other["result"]["changes"] == first["result"]["changes"]
    assert (other["result"]["created"], other["hierarchy"]) == (1, {"name": "Sales"})
    assert await contents(copy.url) == after


async def test_a_file_that_changes_nothing(copy: Standing) -> None:
    before = await contents(copy.url)
    for mode in ("MERGE", "REPLACE"):
        assert counts(await load(copy.company, COMPANY, mode=mode)) == {"rows": 4, "unchanged": 8}
    assert await contents(copy.url) == before


# ── one name for several ────────────────────────────────────────────────────────────────────────────────────


async def test_namesakes(copy: Standing) -> None:
    company = copy.company
    csv = "Division,State,State Description\nIllinois,Springfield,\nMissouri,Springfield,The other\nOhio,Springfield,\n"
    assert await refused(company, csv) == [("NAME_TAKEN", "3", "State"), ("NAME_TAKEN", "4", "State")]
    assert counts(await load(company, csv, createName="States", duplicateNames="QUALIFY")) == {"rows": 3, "created": 6}
    expected = [
        *("Illinois", "  Springfield", "Missouri", "  Springfield (Missouri)", "Ohio", "  Springfield (Ohio)"),
    ]
    assert await outline(company.grove, "States") == expected
    data = await company.grove.query('{ hierarchy(by: { name: "States" }) { id } }')
    states = {"hierarchyId": data["hierarchy"]["id"], "duplicateNames": "QUALIFY"}
    before = await contents(copy.url)
    for mode in ("MERGE", "REPLACE"):
        assert counts(await load(company, csv, mode=mode, **states)) == {"rows": 3, "unchanged": 6}
    assert await contents(copy.url) == before
    # One more comes first: nobody loses the name, and with it the customers.
    more = csv.replace("\nIllinois", "\nAlabama,Springfield,\nIllinois")
    assert await changes(company, more, **states) == [
        ("CREATED", 2, "CG-000018", "Alabama", None, "Alabama"),
        ("CREATED", 2, "CG-000019", "Springfield (Alabama)", None, "Alabama > Springfield (Alabama)"),
    ]


# ── at once ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_imports_at_once(copy: Standing) -> None:
    """Into one hierarchy and into others, of the same new groups: each as if it were alone."""
    grove = copy.company.grove
    files = [
        "Division,State\nOne,Two\nThree,Four\nEast,FL\n",
        "Division,State\nThree,Two\nOne,Four\nWest,FL\n",
        "Division,State\nFour,TX\nTwo,South\nThree,\nOne,\n",
    ]
    inputs = [{**SALES, "csv": csv} for csv in files] * 2
    inputs += [{"createName": f"New {number}", "csv": csv} for number, csv in enumerate(files)]
    payloads = await asyncio.gather(*(copy.company.mutate("importHierarchy", input, COUNTS) for input in inputs))
    assert all(payload["result"]["rows"] in (3, 4) for payload in payloads)
    created = sum(payload["result"]["created"] for payload in payloads)
    assert created == 4
    for number, csv in enumerate(files):
        pairs = [line.split(",") for line in csv.splitlines()[1:]]
        lines = await outline(grove, f"New {number}")
        assert lines == [line for top, below in pairs for line in (top, f"  {below}") if line.strip()]


# ── costs ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_statements_do_not_grow_with_the_rows(company: Company) -> None:
    """Within one batch; by batches and pages beyond."""
    spent = []
    for count in (2, 200):
        rows = [[f"D{number % 5}", f"S{number % 20}", f"X{number}"] for number in range(0, count * 5, 5)]
        rows = [[f"{division} of {count}", f"{state} of {count}", name] for division, state, name in rows]
        csv = written([["Division", "State", "Distributor"], *rows])
        document = "mutation ($i: ImportHierarchyInput!) { importHierarchy(input: $i) { userErrors { message } } }"
        response = await company.grove.http.post(
            "/graphql",
            json={"query": document, "variables": {"i": company.filled({**SALES, "csv": csv, "dryRun": True})}},
        )
        assert response.json() == {"data": {"importHierarchy": {"userErrors": []}}}
        spent.append(response.headers["Server-Timing"].split('statements;desc="')[1].split('"')[0])
    assert spent[0] == spent[1]


# ── whatever the tree, whatever the names ───────────────────────────────────────────────────────────────────

# Places as numbers: each node goes below one of those before it, or to the top.
shapes = st.lists(st.integers(0, 1_000), min_size=0, max_size=14)
letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
texts = st.text(letters | st.sampled_from(" ,;\"'=+-@\t…ÅéﬁİıŁ❤️"), min_size=1, max_size=12)
DEPTH = 4


def is_name(text: str) -> bool:
    return not names.mistakes("", names.cleaned(text), 64)


unicode_names = st.lists(
    texts.filter(is_name).map(names.cleaned), min_size=14, max_size=14, unique_by=lambda text: names.key(text)
)


def grown(shape: Sequence[int], count: int) -> list[tuple[int, int | None]]:
    """(node, parent) with parents first, none deeper than DEPTH, in the order in which they come."""
    depths: dict[int | None, int] = {None: 0}
    tree: list[tuple[int, int | None]] = []
    for node, number in enumerate(shape[:count]):
        places: list[int | None] = [place for place in depths if depths[place] < DEPTH]
        parent = places[number % len(places)]
        depths[node] = depths[parent] + 1
        tree.append((node, parent))
    return tree


def display(tree: Sequence[tuple[int, int | None]], texts: Sequence[str]) -> list[str]:
    """What `outline` tells of such a tree."""

    def walk(parent: int | None, depth: int) -> list[str]:
        return [
            line
            for node, above in tree
            if above == parent
            for line in ("  " * depth + texts[node], *walk(node, depth + 1))
        ]

    return walk(None, 0)


def by_path(tree: Sequence[tuple[int, int | None]], texts: Sequence[str]) -> str:
    """The file by level, a row for every node, in display order."""
    parents = dict(tree)

    def path(node: int | None) -> list[str]:
        return [] if node is None else [*path(parents[node]), harmless(texts[node])]

    def walk(parent: int | None) -> list[int]:
        return [one for node, above in tree if above == parent for one in (node, *walk(node))]

    rows = [path(node) for node in walk(None)]
    return written([[f"L{depth}" for depth in range(1, DEPTH + 1)], *rows])


def by_parent(tree: Sequence[tuple[int, int | None]], texts: Sequence[str], *, turned: bool) -> str:
    """The file by parent; turned, children go before their parents, and siblings keep their order."""
    rows = [[f"n-{node}", harmless(texts[node]), "" if parent is None else f"n-{parent}"] for node, parent in tree]
    if turned:
        depths: dict[int | None, int] = {None: 0}
        for node, parent in tree:
            depths[node] = depths[parent] + 1
        order = sorted(range(len(tree)), key=lambda place: -depths[tree[place][0]])
        rows = [rows[place] for place in order]
    return written([["Code", "Name", "Parent Code"], *rows])


@pytest.fixture(scope="module")
async def ground(databases: Databases) -> AsyncIterator[tuple[Grove, str]]:
    """One database for all runs, which clear it up behind themselves."""
    async with fresh(databases) as url, running(create_app(Settings(database=url))) as grove:
        yield grove, url


async def clear(grove: Grove) -> None:
    data = await grove.query("{ hierarchies { nodes { id } } customerGroups(first: 1000) { nodes { id } } }")
    for hierarchy in data["hierarchies"]["nodes"]:
        await grove.mutate("deleteHierarchy", {"id": hierarchy["id"]})
    for group in data["customerGroups"]["nodes"]:
        await grove.mutate("deleteCustomerGroup", {"id": group["id"]})


def runs(count: int) -> settings:
    return settings(
        max_examples=max(1, count),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


@runs(RUNS)
@given(shape=shapes, texts=unicode_names, form=st.sampled_from(["path", "parent", "turned"]))
async def test_any_tree_with_any_names(
    ground: tuple[Grove, str], shape: list[int], texts: list[str], form: str
) -> None:
    """Written into a file and imported into an empty database it is the same, order included."""
    grove, _ = ground
    tree = grown(shape, len(texts))
    csv = by_path(tree, texts) if form == "path" else by_parent(tree, texts, turned=form == "turned")
    payload = await grove.mutate("importHierarchy", {"createName": "Any", "csv": csv}, f"{COUNTS} hierarchy {{ id }}")
    try:
        assert payload["result"]["created"] == len(tree)
        assert await outline(grove, "Any") == display(tree, texts)
        again = {"hierarchyId": payload["hierarchy"]["id"], "csv": csv, "mode": "REPLACE"}
        assert counts(await grove.mutate("importHierarchy", again, COUNTS)) == {
            name: count for name, count in (("rows", len(tree)), ("unchanged", len(tree))) if count
        }
    finally:
        await clear(grove)


# Few names for many, some of them as if they had been made.
few_names = st.lists(st.sampled_from(["A", "b", "B (A)", "A (B)", "A (A)", "A 2", "A (B) 2"]), min_size=14, max_size=14)


@runs(RUNS // 2)
@given(shape=shapes, texts=few_names, coded=st.booleans(), data=st.data())
async def test_any_names_that_repeat(
    ground: tuple[Grove, str], shape: list[int], texts: list[str], coded: bool, data: st.DataObject
) -> None:
    """Each gets a name of its own, and keeps it when the file comes again, in whatever order."""
    grove, url = ground
    tree = grown(shape, len(texts))
    csv = by_parent(tree, texts, turned=False) if coded else by_path(tree, texts)
    input = {"csv": csv, "duplicateNames": "QUALIFY"}
    payload = await grove.mutate(
        "importHierarchy", {"createName": "Any", **input}, "result { created } hierarchy { id }"
    )
    try:
        lines = await outline(grove, "Any")
        shown = [line.strip() for line in lines]
        assert len(shown) == len({text.lower() for text in shown}) == payload["result"]["created"]
        assert all(any(text.startswith(name) for name in texts) for text in shown)
        assert coded is False or len(shown) == len(tree)
        header, *rows = csv.splitlines()
        turned = "\n".join([header, *data.draw(st.permutations(rows))]) + "\n"
        for text, mode in ((csv, "MERGE"), (turned, "MERGE"), (csv, "REPLACE")):
            again = {"hierarchyId": payload["hierarchy"]["id"], **input, "csv": text, "mode": mode}
            found = await grove.mutate("importHierarchy", again, CHANGES)
            assert found["result"]["changes"]["nodes"] == []
        await look_for_damage(url)
    finally:
        await clear(grove)


# ── against plain dictionaries ──────────────────────────────────────────────────────────────────────────────

Plain = dict[str, str | None]
GROUPS = [f"G{number:02}" for number in range(10)]


def plain_lines(children: dict[str | None, list[str]], parent: str | None = None, depth: int = 0) -> list[str]:
    return [
        line
        for child in children.get(parent, [])
        for line in ("  " * depth + child, *plain_lines(children, child, depth + 1))
    ]


def merged(old: dict[str | None, list[str]], rows: Sequence[tuple[str, str | None]]) -> dict[str | None, list[str]]:
    """What a file by parent makes of a tree, moved one by one: those that keep their parent stay where they are."""
    above = {child: parent for parent, children in old.items() for child in children}
    children = {parent: list(below) for parent, below in old.items()}
    for name, parent in rows:
        if name in above and above[name] == parent:
            continue
        if name in above:
            children[above[name]].remove(name)
        children.setdefault(parent, []).append(name)
    return children


def is_tree(children: dict[str | None, list[str]], levels: int) -> bool:
    reached = plain_lines_safely(children)
    return len(reached) == sum(map(len, children.values())) and all(depth <= levels for depth in reached.values())


def plain_lines_safely(children: dict[str | None, list[str]]) -> dict[str, int]:
    """Node → depth, of all that hang together with the top."""
    depths: dict[str, int] = {}
    waiting = [(child, 1) for child in children.get(None, [])]
    while waiting:
        node, depth = waiting.pop()
        depths[node] = depth
        waiting += [(child, depth + 1) for child in children.get(node, [])]
    return depths


@runs(RUNS)
@given(old=shapes, new=shapes, picked=st.permutations(range(len(GROUPS))), replace=st.booleans(), data=st.data())
async def test_any_file_into_any_tree(
    ground: tuple[Grove, str], old: list[int], new: list[int], picked: list[int], replace: bool, data: st.DataObject
) -> None:
    """As plain dictionaries have it, or refused where that would be no tree; and `check` finds nothing."""
    grove, url = ground
    standing_tree = grown(old, len(GROUPS))
    wanted = [
        (GROUPS[picked[node]], None if parent is None else GROUPS[picked[parent]])
        for node, parent in grown(new, len(GROUPS))
    ]
    before: dict[str | None, list[str]] = {}
    for node, parent in standing_tree:
        before.setdefault(None if parent is None else GROUPS[parent], []).append(GROUPS[node])
    if not replace:
        # Some hang below what stands there and is not in the file.
        outside = sorted({GROUPS[node] for node, _ in standing_tree} - {name for name, _ in wanted})
        if outside:
            wanted = [
                (name, data.draw(st.sampled_from(outside)) if parent is None and data.draw(st.booleans()) else parent)
                for name, parent in wanted
            ]
    after = merged({} if replace else before, wanted)
    header = ["L1", "L2", "L3", "L4"]
    hierarchy = await new_hierarchy(grove, "Any", header)
    try:
        for name in GROUPS:
            await new_group(grove, name, code=name)
        first = written(
            [
                ["Code", "Name", "Parent Code"],
                *([GROUPS[n], GROUPS[n], "" if p is None else GROUPS[p]] for n, p in standing_tree),
            ]
        )
        await grove.mutate("importHierarchy", {"hierarchyId": hierarchy, "csv": first})
        assert await outline(grove, "Any") == plain_lines(before)
        csv = written([["Code", "Name", "Parent Code"], *([name, name, parent or ""] for name, parent in wanted)])
        input = {"hierarchyId": hierarchy, "csv": csv, "mode": "REPLACE" if replace else "MERGE"}
        payload = await grove.mutate("importHierarchy", input, COUNTS, errors=None)
        if is_tree(after, DEPTH):
            assert payload["userErrors"] == []
            assert await outline(grove, "Any") == plain_lines(after)
            named = {name for name, _ in wanted}
            gone = set(plain_lines_safely(before)) - named if replace else set()
            assert payload["result"]["removed"] == len(gone)
            places = {child: parent for parent, children in before.items() for child in children}
            moved = [name for name, parent in wanted if name not in places or places[name] != parent]
            assert payload["result"]["moved"] >= len(moved)
            assert replace or payload["result"]["moved"] == len(moved)
        else:
            assert {error["code"] for error in payload["userErrors"]} <= {"CYCLE", "TOO_DEEP"}
            assert payload["userErrors"] != []
            assert await outline(grove, "Any") == plain_lines(before)
        await look_for_damage(url)
    finally:
        await clear(grove)
