"""Files that list customers, the customers of groups, and groups: what they change, and what is wrong with them."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from service import engines
from service.loading import BATCH
from service.resolvers.check import check
from tests.support.client import Grove, Json
from tests.support.company import Company, application, latest_changes
from tests.support.contents import contents
from tests.support.copies import Standing, copied, standing
from tests.support.databases import Databases, fresh
from tests.support.sowing import Sowing

RESULT = """
    result {
      rows created updated moved removed unchanged
      changes(first: 100) { totalCount nodes { action row code name before after } }
    }
    errorCount
"""
NOTHING = {"rows": 0, "created": 0, "updated": 0, "moved": 0, "removed": 0, "unchanged": 0}


@pytest.fixture(scope="module")
async def original(databases: Databases) -> AsyncIterator[Standing]:
    async with standing(databases) as arranged:
        yield arranged


@pytest.fixture
async def copy(databases: Databases, original: Standing) -> AsyncIterator[Standing]:
    async with copied(databases, original) as arranged:
        yield arranged


@pytest.fixture
def company(copy: Standing) -> Company:
    return copy.company


async def imported(company: Company, mutation: str, csv: str, **input: Any) -> tuple[dict[str, int], list[Json]]:
    """The counts that are not 0, and the changes one by one."""
    payload = await company.mutate(mutation, {"csv": csv, **input}, RESULT)
    assert payload["errorCount"] == 0
    result = payload["result"]
    changes = result.pop("changes")
    assert changes["totalCount"] == len(changes["nodes"])
    assert set(result) == set(NOTHING)
    return {word: count for word, count in result.items() if count}, changes["nodes"]


def told(changes: list[Json]) -> list[tuple[Any, ...]]:
    return [tuple(change[word] for word in ("action", "row", "code", "before", "after")) for change in changes]


async def customers(grove: Grove) -> dict[str, tuple[str, str, int]]:
    data = await grove.query("{ customers(first: 1000) { nodes { code name type version } } }")
    return {row["code"]: (row["name"], row["type"], row["version"]) for row in data["customers"]["nodes"]}


async def groups(grove: Grove) -> dict[str, tuple[str, str, str]]:
    data = await grove.query("{ customerGroups(first: 1000) { nodes { code name description status } } }")
    return {row["code"]: (row["name"], row["description"], row["status"]) for row in data["customerGroups"]["nodes"]}


async def members(grove: Grove, group: str) -> tuple[list[str], int, int]:
    """The codes of a group's customers, its count of them, and its version."""
    data = await grove.query(
        """
        query ($name: String!) {
          customerGroup(by: { name: $name }) {
            customerCount version customers(first: 1000, orderBy: { field: CODE }) { nodes { code } }
          }
        }
        """,
        {"name": group},
    )
    row = data["customerGroup"]
    return [one["code"] for one in row["customers"]["nodes"]], row["customerCount"], row["version"]


# ── customers ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_customers_are_created_and_updated(company: Company) -> None:
    before = await customers(company.grove)
    csv = "\ufeffcode;NAME;Type\r\nc-1;Erste;\r\n\r\nC-2;Customer 2;RETAILER\r\nN-1;'=Neu;BAR\r\nC-3;;Bar\r\n"
    counts, changes = await imported(company, "importCustomers", csv)
    assert counts == {"rows": 4, "created": 1, "updated": 2, "unchanged": 1}
    assert told(changes) == [
        ("UPDATED", 2, "C-1", "name «Customer 1»", "name «Erste»"),
        ("CREATED", 5, "N-1", None, None),
        ("UPDATED", 6, "C-3", "type «DISTRIBUTOR»", "type «Bar»"),
    ]
    assert await customers(company.grove) == before | {
        "C-1": ("Erste", "RETAILER", 2),
        "N-1": ("=Neu", "BAR", 1),
        "C-3": ("Customer 3", "Bar", 2),
    }
    log = await latest_changes(company.grove, 4)
    assert [(change["action"], change["summary"]) for change in log] == [
        ("CUSTOMER_CREATED", "created the customer «=Neu» (N-1)"),
        ("CUSTOMER_UPDATED", "changed the name of the customer «Customer 1» (C-1)"),
        ("CUSTOMER_UPDATED", "changed the type of the customer «Customer 3» (C-3)"),
        ("IMPORTED", "imported customers: 1 created, 2 updated, 1 unchanged"),
    ]
    assert log[1]["before"] == {"code": "C-1", "name": "Customer 1", "type": "RETAILER"}
    assert log[1]["after"] == {"code": "C-1", "name": "Erste", "type": "RETAILER"}
    data = await company.grove.query('{ customers(filter: { search: "erste" }) { nodes { code } } }')
    assert data["customers"]["nodes"] == [{"code": "C-1"}]


async def test_a_file_again_changes_nothing(copy: Standing) -> None:
    files: list[tuple[str, dict[str, Any]]] = [
        ("importCustomers", {"csv": "Code,Name,Type\nC-1,New,X\nN-1,Neu,Y\n"}),
        ("importGroupMembers", {"csv": "Customer Code\nC-1\nC-6\n", "group": {"name": "TX"}, "mode": "REPLACE"}),
        ("importCustomerGroups", {"csv": "Code,Name,Description\n,North,N\nCG-000001,Orient,E\nN-1,Neu,\n"}),
    ]
    for mutation, input in files:
        first, _ = await imported(copy.company, mutation, **input)
        before = await contents(copy.url)
        again, changes = await imported(copy.company, mutation, **input)
        assert again == {"rows": first["rows"], "unchanged": first["rows"]}
        assert changes == []
        assert await contents(copy.url) == before


async def test_a_header_alone_changes_nothing(copy: Standing) -> None:
    before = await contents(copy.url)
    for mutation, csv in (("importCustomers", "Code\n"), ("importCustomerGroups", "Name")):
        assert await imported(copy.company, mutation, csv) == ({}, [])
    assert await imported(copy.company, "importGroupMembers", "Customer Code", group={"name": "East"}) == ({}, [])
    assert await contents(copy.url) == before


# ── the customers of groups ─────────────────────────────────────────────────────────────────────────────────


async def test_members_are_added(company: Company) -> None:
    _, _, version = await members(company.grove, "East")
    csv = "Customer Code\nc-6\nC-1\nC-3\nC-6\n"
    counts, changes = await imported(company, "importGroupMembers", csv, group={"code": "cg-000001"})
    assert counts == {"rows": 4, "created": 2, "unchanged": 2}
    assert told(changes) == [("ADDED", 2, "C-6", None, "East"), ("ADDED", 4, "C-3", None, "East")]
    assert await members(company.grove, "East") == (["C-1", "C-2", "C-3", "C-6"], 4, version + 1)
    log = await latest_changes(company.grove, 2)
    assert [(change["action"], change["summary"], change["group"]) for change in log] == [
        ("CUSTOMERS_ADDED", "added 2 customers to «East»", {"name": "East"}),
        ("IMPORTED", "imported customers of groups: 2 created, 2 unchanged", {"name": "East"}),
    ]
    assert log[0]["after"] == {"customers": ["C-6", "C-3"]}


async def test_members_are_replaced(company: Company) -> None:
    csv = "Group Code,Customer Code,Customer Name,Type\nCG-000001,C-2,whoever,\nCG-000003,C-1,,\n,C-6,,\n"
    before = {name: await members(company.grove, name) for name in ("East", "Palm Tree", "South", "Sol Family")}
    counts, changes = await imported(
        company, "importGroupMembers", csv, group={"id": company.groups["South"]}, mode="REPLACE"
    )
    assert counts == {"rows": 3, "created": 2, "removed": 4, "unchanged": 1}
    assert told(changes[:2]) == [("ADDED", 3, "C-1", None, "Palm Tree"), ("ADDED", 4, "C-6", None, "South")]
    assert sorted(told(changes[2:])) == [
        ("REMOVED", None, "C-1", "East", None),
        ("REMOVED", None, "C-2", "Palm Tree", None),
        ("REMOVED", None, "C-3", "Palm Tree", None),
        ("REMOVED", None, "C-5", "South", None),
    ]
    assert {name: await members(company.grove, name) for name in before} == {
        "East": (["C-2"], 1, before["East"][2] + 1),
        "Palm Tree": (["C-1"], 1, before["Palm Tree"][2] + 1),
        "South": (["C-6"], 1, before["South"][2] + 1),
        "Sol Family": before["Sol Family"],
    }
    log = await latest_changes(company.grove, 6)
    assert sorted((change["action"], change["summary"]) for change in log) == [
        ("CUSTOMERS_ADDED", "added «Customer 1» (C-1) to «Palm Tree»"),
        ("CUSTOMERS_ADDED", "added «Customer 6» (C-6) to «South»"),
        ("CUSTOMERS_REMOVED", "removed 2 customers from «Palm Tree»"),
        ("CUSTOMERS_REMOVED", "removed «Customer 1» (C-1) from «East»"),
        ("CUSTOMERS_REMOVED", "removed «Customer 5» (C-5) from «South»"),
        ("IMPORTED", "imported customers of groups: 2 created, 4 removed, 1 unchanged"),
    ]


async def test_a_group_without_rows_is_emptied_only_where_the_file_is_about_it(company: Company) -> None:
    east = {"group": {"name": "East"}, "mode": "REPLACE"}
    # With a column for groups, only those that it names are meant.
    assert await imported(company, "importGroupMembers", "Customer Code,Group Code\n", **east) == ({}, [])
    counts, _ = await imported(company, "importGroupMembers", "Customer Code\n", **east)
    assert counts == {"removed": 2}
    assert (await members(company.grove, "East"))[:2] == ([], 0)


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_groups_are_created_and_updated(company: Company) -> None:
    before = await groups(company.grove)
    # One of the file's own codes is what would be generated next.
    csv = (
        "Code,Name,Description,Status,Customers\n"
        'cg-000001,,"Two\nlines",\n'
        ",fl,,Inactive,7\n"
        ",North,The north,\n"
        "CG-000012,Northwest,,INACTIVE\n"
        ",Northeast,,active\n"
        ",South,,\n"
    )
    counts, changes = await imported(company, "importCustomerGroups", csv)
    assert counts == {"rows": 6, "created": 3, "updated": 2, "unchanged": 1}
    assert told(changes) == [
        ("UPDATED", 2, "CG-000001", "description «»", "description «Two\nlines»"),
        ("UPDATED", 3, "CG-000002", "name «FL», status «ACTIVE»", "name «fl», status «INACTIVE»"),
        ("CREATED", 4, "CG-000013", None, None),
        ("CREATED", 5, "CG-000012", None, None),
        ("CREATED", 6, "CG-000014", None, None),
    ]
    assert await groups(company.grove) == before | {
        "CG-000001": ("East", "Two\nlines", "ACTIVE"),
        "CG-000002": ("fl", "", "INACTIVE"),
        "CG-000012": ("Northwest", "", "INACTIVE"),
        "CG-000013": ("North", "The north", "ACTIVE"),
        "CG-000014": ("Northeast", "", "ACTIVE"),
    }
    log = await latest_changes(company.grove, 6)
    assert [change["action"] for change in log] == ["GROUP_UPDATED"] * 2 + ["GROUP_CREATED"] * 3 + ["IMPORTED"]
    payload = await company.mutate("createCustomerGroup", {"name": "Next"}, "group { code }")
    assert payload["group"]["code"] == "CG-000015"


async def test_groups_exchange_their_names(company: Company) -> None:
    csv = "Code,Name\nCG-000001,fl\nCG-000002,West\nCG-000006,East\nN-1,Palm Tree\nCG-000003,Palm\n"
    before = await groups(company.grove)
    assert {before[code][0] for code in ("CG-000001", "CG-000002", "CG-000006")} != {"East", "FL", "West"}
    west = next(code for code, row in before.items() if row[0] == "West")
    counts, _ = await imported(company, "importCustomerGroups", csv.replace("CG-000006", west))
    assert counts == {"rows": 5, "created": 1, "updated": 4}
    after = await groups(company.grove)
    assert [after[code][0] for code in ("CG-000001", "CG-000002", west, "N-1", "CG-000003")] == [
        *("fl", "West", "East", "Palm Tree", "Palm")
    ]
    for name, code in (("FL", "CG-000001"), ("palm tree", "N-1")):
        data = await company.grove.query(
            "query ($name: String!) { customerGroup(by: { name: $name }) { code } }", {"name": name}
        )
        assert data["customerGroup"]["code"] == code


async def test_a_name_that_its_group_keeps_is_taken(company: Company) -> None:
    refused = await company.mutate(
        "importCustomerGroups",
        {"csv": "Code,Name,Status\nCG-000001,FL,\nCG-000002,,INACTIVE\nCG-000003,west,\n"},
        errors=["NAME_TAKEN", "NAME_TAKEN"],
    )
    assert [error["path"] for error in refused["userErrors"]] == [["csv", "2", "Name"], ["csv", "4", "Name"]]


# ── files that are wrong ────────────────────────────────────────────────────────────────────────────────────


class Kind(NamedTuple):
    """A sound file, how each of its cells can be wrong (text and code), and what goes with it."""

    mutation: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    faults: Mapping[str, tuple[tuple[str, str], ...]]
    input: Mapping[str, Any] = {}


LONG = "x" * 201
KINDS = (
    Kind(
        "importCustomers",
        ("Code", "Name", "Type"),
        (("C-1", "One", "BAR"), ("C-2", "", ""), ("N-1", "New", ""), ("N-2", "Newer", "X"), ("N-3", "Newest", "")),
        {
            "Code": (
                ("", "REQUIRED"),
                (LONG, "TOO_LONG"),
                ("a\nb", "INVALID"),
                ("a\x1fb", "INVALID"),
                ("c-2", "BAD_ROW"),
            ),
            "Name": ((LONG, "TOO_LONG"), ("a\u2028b", "INVALID")),
            "Type": (("x" * 65, "TOO_LONG"), ("a\rb", "INVALID")),
        },
    ),
    Kind(
        "importGroupMembers",
        ("Group Code", "Customer Code"),
        (("CG-000001", "C-1"), ("", "C-6"), ("CG-000002", "C-4"), ("cg-000001", "C-3"), ("CG-000003", "C-6")),
        {
            "Group Code": (("CG-999999", "NOT_FOUND"), ("\a", "NOT_FOUND"), (LONG, "NOT_FOUND")),
            "Customer Code": (("", "REQUIRED"), ("C-99", "NOT_FOUND"), ("C-1\nC-2", "NOT_FOUND")),
        },
        {"group": {"name": "South"}, "mode": "REPLACE"},
    ),
    Kind(
        "importCustomerGroups",
        ("Code", "Name", "Description", "Status"),
        (
            ("CG-000001", "Orient", "", ""),
            ("", "FL", "Sunny", "active"),
            ("N-1", "New", "", "INACTIVE"),
            ("N-3", "Newer", "", ""),
            ("N-2", "Newest", "Text", "ACTIVE"),
        ),
        {
            "Code": ((LONG, "TOO_LONG"), ("a\tb", "INVALID"), ("a\x1fb", "INVALID"), ("CG-000002", "BAD_ROW")),
            "Name": ((LONG, "TOO_LONG"), ("a\nb", "INVALID"), ("West", "NAME_TAKEN"), ("Sol  family", "NAME_TAKEN")),
            "Description": (("x" * 2_001, "TOO_LONG"), ("bell\a", "INVALID")),
            "Status": (("OPEN", "BAD_ROW"), ("1", "BAD_ROW")),
        },
    ),
)


class Broken(NamedTuple):
    mutation: str
    input: Mapping[str, Any]
    # The code, row and column of each mistake.
    mistakes: tuple[tuple[str, str, str], ...]


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[",;\r\n]', cell) else cell


def text(header: tuple[str, ...], rows: list[list[str]]) -> str:
    return "\r\n".join(",".join(map(quoted, row)) for row in [list(header), *rows]) + "\r\n"


def with_faults(kind: Kind, chance: random.Random) -> Broken:
    """The sound file with some cells that are wrong, in rows that the others do not depend on."""
    rows = [list(row) for row in kind.rows]
    mistakes = []
    # The first rows are those that a repeated code or name repeats.
    places = chance.sample(range(2, len(rows)), chance.choice([1, 1, 2, 3]))
    repeated = False
    for place in sorted(places):
        column = chance.choice(list(kind.faults))
        cell, code = chance.choice(kind.faults[column])
        if (cell in ("c-2", "CG-000002", "West")) and repeated:
            continue
        repeated = repeated or cell in ("c-2", "CG-000002", "West")
        rows[place][kind.header.index(column)] = cell
        mistakes.append((code, str(place + 2), column))
    return Broken(kind.mutation, {"csv": text(kind.header, rows), **kind.input}, tuple(mistakes))


def with_a_broken_form(kind: Kind, chance: random.Random) -> Broken:
    """The sound file with something wrong with it as a file."""
    rows = [list(row) for row in kind.rows]
    sound = text(kind.header, rows)
    place = chance.randrange(len(rows))
    column = chance.randrange(len(kind.header))
    title, row = kind.header[column], str(place + 2)
    forms = [
        (text((*kind.header, "Colour"), rows), ("BAD_HEADER", "1", "Colour")),
        (text((*kind.header, title.lower()), rows), ("BAD_HEADER", "1", title.lower())),
        (sound.replace("Code", "Cold", 1), ("BAD_HEADER", "1", kind.header[0].replace("Code", "Cold"))),
        (sound + '"open', ("BAD_ROW", str(len(rows) + 2), kind.header[0])),
    ]
    longer = [list(cells) for cells in rows]
    longer[place].append("more")
    forms.append((text(kind.header, longer), ("BAD_ROW", row, str(len(kind.header) + 1))))
    csv, mistake = chance.choice(forms)
    found = [mistake]
    if "Cold" in csv and kind.mutation == "importCustomers":
        found.append(("BAD_HEADER", "1", "Code"))
    return Broken(kind.mutation, {"csv": csv, **kind.input}, tuple(found))


def broken_files() -> Iterator[Broken]:
    chance = random.Random(2_026)
    for number in range(150):
        kind = KINDS[number % 3]
        yield with_faults(kind, chance) if number % 5 else with_a_broken_form(kind, chance)


async def test_broken_files(copy: Standing) -> None:
    """Each mistake with its row and column, all of them, and nothing changes."""
    before = await contents(copy.url)
    for number, broken in enumerate(broken_files()):
        for rehearsal in (True, False):
            payload = await copy.company.mutate(
                broken.mutation, {**broken.input, "dryRun": rehearsal}, RESULT, errors=None
            )
            found = [(error["code"], *error["path"][1:]) for error in payload["userErrors"]]
            assert sorted(found) == sorted(broken.mistakes), (number, broken, payload)
            assert all(error["path"][0] == "csv" for error in payload["userErrors"])
            assert (payload["result"], payload["errorCount"]) == (None, len(found))
    assert await contents(copy.url) == before


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.mutation)
async def test_the_sound_files_behind_the_broken_ones(company: Company, kind: Kind) -> None:
    counts, _ = await imported(
        company, kind.mutation, text(kind.header, [list(row) for row in kind.rows]), **kind.input
    )
    assert counts["rows"] == 5


async def test_a_hundred_mistakes_are_shown_and_all_are_counted(copy: Standing) -> None:
    before = await contents(copy.url)
    csv = "Code,Name\n" + "".join(f"N-{number},\n" for number in range(250))
    payload = await copy.company.mutate("importCustomers", {"csv": csv}, RESULT, errors=["REQUIRED"] * 100)
    assert payload["errorCount"] == 250
    assert [error["path"] for error in payload["userErrors"]] == [["csv", str(row), "Name"] for row in range(2, 102)]
    assert await contents(copy.url) == before


# ── what was exported ───────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_exported_is_imported_again(copy: Standing) -> None:
    """And changes nothing, whatever its texts begin with."""
    company = copy.company
    for name in ("=1+1", "'-1", '@home, "quoted"', "+49\u00a01"):
        await company.grove.mutate("createCustomerGroup", {"name": name, "description": f"{name}\n\n=more"})
        await company.grove.mutate("createCustomer", {"code": f"{name}", "name": name, "type": name})
    codes = ["=1+1", "'-1"]
    await company.mutate("addCustomersToGroup", {"group": {"name": "East"}, "customerCodes": codes})
    before = await contents(copy.url)
    for mutation, path, input in (
        ("importCustomers", "customers", {}),
        ("importCustomerGroups", "groups", {}),
        ("importGroupMembers", f"groups/{company.groups['East']}/members", {"mode": "REPLACE"}),
    ):
        response = await company.grove.http.get(f"/exports/{path}.csv")
        assert response.status_code == 200
        counts, changes = await imported(company, mutation, response.content.decode(), **input)
        assert changes == []
        assert counts["rows"] == counts["unchanged"] > 3
    assert await contents(copy.url) == before


# ── among others ────────────────────────────────────────────────────────────────────────────────────────────


async def test_imports_at_once(copy: Standing) -> None:
    """Files that name the same things in other orders come one after another, and lose nothing."""
    grove = copy.company.grove
    chance = random.Random(3)

    def shuffled(header: str, rows: list[str]) -> str:
        return "\n".join([header, *chance.sample(rows, len(rows))])

    files = []
    for number in range(4):
        people = [f"N-{one},Name {one} {number}" for one in range(60)]
        sets = [f"G-{one},Set {one} {number}" for one in range(60)]
        pairs = [f"CG-00000{home},C-{one}" for home in range(1, 10) for one in range(1, 7)]
        files += [
            ("importCustomers", {"csv": shuffled("Code,Name", people)}),
            ("importCustomerGroups", {"csv": shuffled("Code,Name", sets)}),
            ("importGroupMembers", {"csv": shuffled("Group Code,Customer Code", pairs)}),
        ]
    await asyncio.gather(*(grove.mutate(mutation, input) for mutation, input in files))
    assert len(await customers(grove)) == 6 + 60
    after = await groups(grove)
    assert len([code for code in after if code.startswith("G-")]) == 60
    # Each file was kept whole: the names are those of the one that came last.
    assert len({row[0].split()[-1] for code, row in after.items() if code.startswith("G-")}) == 1
    for name in ("East", "Palm Tree", "South"):
        assert (await members(grove, name))[:2] == ([f"C-{one}" for one in range(1, 7)], 6)
    database = await engines.connect(copy.url)
    try:
        async with database.snapshot():
            assert await check(repair=False) == []
    finally:
        await database.close()


# ── many rows ───────────────────────────────────────────────────────────────────────────────────────────────


async def cost(grove: Grove, mutation: str, **input: Any) -> tuple[Json, int]:
    """The result, and how many statements it took."""
    document = f"""
        mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
          {mutation}(input: $input) {{ result {{ {" ".join(NOTHING)} }} userErrors {{ message path }} }}
        }}
    """
    response = await grove.http.post("/graphql", json={"query": document, "variables": {"input": input}}, timeout=300)
    payload = response.json()["data"][mutation]
    assert payload["userErrors"] == []
    found = re.search(r'statements;desc="(\d+)"', response.headers["Server-Timing"])
    assert found
    return {word: count for word, count in payload["result"].items() if count}, int(found[1])


async def test_the_cost_of_twenty_thousand_rows(databases: Databases) -> None:
    """As many statements as batches of rows, a few times over."""
    sown = Sowing()
    for number in range(100):
        sown.group(f"G-{number}", f"Group {number}")
    size = 20_000
    batches = size // BATCH
    async with fresh(databases) as url:
        await sown.write(url)
        async with application(url, request_seconds=280) as grove:
            csv = "Code,Name,Type\n" + "".join(f"C-{n},Customer {n},{'ABC'[n % 3]}\n" for n in range(size))
            result, statements = await cost(grove, "importCustomers", csv=csv)
            assert result == {"rows": size, "created": size}
            assert statements <= 4 * batches + 5
            result, statements = await cost(grove, "importCustomers", csv=csv.replace("Customer", "Client"))
            assert result == {"rows": size, "updated": size}
            assert statements <= 5 * batches + 5
            csv = "Group Code,Customer Code\n" + "".join(f"G-{n % 100},C-{n}\n" for n in range(size))
            result, statements = await cost(grove, "importGroupMembers", csv=csv)
            assert result == {"rows": size, "created": size}
            assert statements <= 4 * batches + 10
            csv = csv.replace("\nG-1,", "\nG-2,")
            result, statements = await cost(grove, "importGroupMembers", csv=csv, mode="REPLACE")
            assert result == {"rows": size, "created": 200, "unchanged": size - 200}
            assert statements <= 4 * batches + 10
            csv = "Customer Code\n"
            result, statements = await cost(grove, "importGroupMembers", csv=csv, group={"code": "G-2"}, mode="REPLACE")
            assert result == {"removed": 400}
            assert statements <= 15
            csv = "Name,Description\n" + "".join(f"Group {n},The group {n}\n" for n in range(size // 2))
            result, statements = await cost(grove, "importCustomerGroups", csv=csv)
            assert result == {"rows": size // 2, "created": size // 2 - 100, "updated": 100}
            assert statements <= 4 * batches // 2 + 20
            data = await grove.query('{ customerGroup(by: { name: "group 9999" }) { code description } }')
            assert data["customerGroup"]["description"] == "The group 9999"
