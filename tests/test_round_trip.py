"""What was exported imports again: any tree with any names, in every form and kind of file, order included.

Each example is planted in one database, exported, imported into another that is empty, and compared there; imported
once more, it changes nothing. GROVE_TEST_RUNS sets another number of examples.
"""

import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from service import db, demo, ids, names, transaction
from service.app import create_app
from service.db import Database
from service.engines import connect
from service.ids import Kind
from service.imported import Imported
from service.matching import Reference
from service.positions import Position
from service.resolvers import customer, group, hierarchy, list_files, tree_file
from service.resolvers.check import check
from service.settings import Settings
from service.sheets import lines_of_file
from tests.support.client import Grove, running
from tests.support.databases import Databases, fresh

RUNS = int(os.environ.get("GROVE_TEST_RUNS", "60"))
TABLES = (
    "reservation",
    "stock_item",
    "closure",
    "node",
    "level",
    "hierarchy",
    "membership",
    "shared_membership",
    "customer_group",
    "customer",
    "change",
)


def runs(count: int) -> settings:
    return settings(
        max_examples=max(1, count),
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


# ── companies of any shape and any names ────────────────────────────────────────────────────────────────────

letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
# What a file, a spreadsheet or a header might take for something else.
tricky = st.sampled_from(" ,;|\"'=+-@_…ÅéﬁİıŁ❤️漢\u202e\u200b\ufeff\ufffe\uffff")
texts = st.text(letters | tricky, min_size=1, max_size=10)
words = st.sampled_from(
    [
        *("=1+1", "'=1", "''@", "-", "+49", "@home", '"quoted"', "a,b", "a;b", "sep=;", "_x000D_", "_x005F_x0041_"),
        *("<r>x</r>", "1e5", "007", "TRUE", "#REF!", "2026-01-31", "http://x.test", "NULL", "A", "A Name", "A Code"),
        *("Name", "Code", "Level", "Description", "Parent", "Parent Code", "A Name Name", "A Description", "Customers"),
    ]
)
descriptions = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t,;\"'="), max_size=20)


def named(length: int) -> st.SearchStrategy[str]:
    """Any text that may be a name or code of this length at most, just as it is stored."""
    return (words | texts).map(names.cleaned).filter(lambda text: not names.mistakes("", text, length))


def distinct(length: int, least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(named(length), min_size=least, max_size=most, unique_by=names.key)


class Company(NamedTuple):
    """Groups, each at the top or under one before it, and customers, each in some of the groups."""

    levels: list[str]
    names: list[str]
    codes: list[str]
    descriptions: list[str]
    # For each group which of those that it may stand under, and at which place among its siblings.
    parents: list[int]
    customers: list[tuple[str, str, str]]


@st.composite
def companies(draw: st.DrawFn) -> Company:
    found = draw(distinct(names.NAME_LENGTH, 0, 8))
    size = len(found)
    codes = draw(distinct(names.CODE_LENGTH, size, size))
    described = draw(st.lists(descriptions.map(str.strip), min_size=size, max_size=size))
    parents = draw(st.lists(st.integers(0, 1_000), min_size=size, max_size=size))
    customer_codes = draw(distinct(names.CODE_LENGTH, 0, 5))
    types = st.just("") | named(names.TYPE_LENGTH)
    customers = [(code, draw(named(names.NAME_LENGTH)), draw(types)) for code in customer_codes]
    return Company(draw(distinct(names.NAME_LENGTH, 1, 5)), found, codes, described, parents, customers)


@dataclass
class Place:
    """One database with the application on it."""

    grove: Grove
    database: Database
    folder: Path

    async def clear(self) -> None:
        async with self.database.transaction():
            for table in TABLES:
                await db.fetch(f"DELETE FROM {table}")

    async def work(self, work: Any) -> Any:
        """What comes of a transaction."""
        return await transaction.run(self.database, "tester", lambda _: work())

    async def plant(self, company: Company, inactive: Sequence[int] = ()) -> int:
        """Leaves nothing but this company; returns the key of its hierarchy."""
        await self.clear()
        key: int = await self.work(lambda: _planted(company))
        for number in inactive:
            row = (await self.work(lambda: group.by_reference([Reference(code=company.codes[number])])))[0]  # noqa: B023
            await self.work(lambda: group.update(row.id, None, None, None, "INACTIVE", None))  # noqa: B023
        return key

    async def exported(self, path: str, suffix: str = "csv", **parameters: str) -> Path:
        response = await self.grove.http.get(f"/exports/{path}.{suffix}", params=parameters)
        assert response.status_code == 200, response.text
        file = self.folder / "exported"
        file.write_bytes(response.content)
        return file

    async def tree(self, key: int) -> tuple[bytes, bytes]:
        """The whole tree, in both forms."""
        path = f"hierarchies/{ids.encode(Kind.HIERARCHY, key)}"
        by_level = (await self.exported(path, form="levels")).read_bytes()
        return by_level, (await self.exported(path, form="parent")).read_bytes()

    async def look_for_damage(self) -> None:
        async with self.database.snapshot():
            assert await check(False) == []


async def _planted(company: Company) -> int:
    made = await hierarchy.create("Sales", "", company.levels, False)
    spots: list[tuple[int | None, int]] = [(None, 0)]
    siblings: dict[int | None, int] = {}
    keys = []
    for number, name in enumerate(company.names):
        fit = [spot for spot in spots if spot[1] < len(company.levels)]
        parent, depth = fit[company.parents[number] % len(fit)]
        place = company.parents[number] % (siblings.get(parent, 0) + 1)
        siblings[parent] = siblings.get(parent, 0) + 1
        created = await group.create(
            name,
            company.codes[number],
            company.descriptions[number],
            "ACTIVE",
            [],
            [],
            group.Place(made.hierarchy, parent, Position(index=place)),
        )
        spots.append((created.node, depth + 1))
        keys.append(created.group)
    for place, (code, name, type) in enumerate(company.customers):
        await customer.create(code, name, type)
        for key in keys[place % 2 :: 2]:
            await group.add_customers(Reference(key), [], [code], None)
    return made.hierarchy


@pytest.fixture(scope="module")
async def places(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Place, Place]]:
    """Where a company is exported from, and where it is imported to."""
    folder = tmp_path_factory.mktemp("files")
    async with (
        fresh(databases) as one,
        fresh(databases) as other,
        running(create_app(Settings(database=one))) as first,
        running(create_app(Settings(database=other))) as second,
    ):
        here, there = await connect(one), await connect(other)
        try:
            yield Place(first, here, folder), Place(second, there, folder)
        finally:
            await here.close()
            await there.close()


def unchanged(imported: Imported) -> bool:
    return not (imported.created or imported.updated or imported.moved or imported.removed or imported.changes)


def told(imported: Imported) -> Imported:
    assert isinstance(imported, Imported)
    return imported


# ── hierarchies ─────────────────────────────────────────────────────────────────────────────────────────────

AMBIGUOUS = Company(
    ["A", "A Name", "Name", "A Name Name", "Parent"],
    ["x", "=y", "_x0041_", "z"],
    ["1", "2", "=3", "'4"],
    ["", "=1+1\n2", "a\r\nb", "\"'"],
    [0, 1, 2, 3],
    [],
)


@runs(RUNS)
@given(company=companies(), form=st.sampled_from(["levels", "parent"]), suffix=st.sampled_from(["csv", "xlsx"]))
@example(company=AMBIGUOUS, form="levels", suffix="csv")
@example(company=AMBIGUOUS, form="levels", suffix="xlsx")
@example(company=AMBIGUOUS, form="parent", suffix="csv")
async def test_any_tree(places: tuple[Place, Place], company: Company, form: str, suffix: str) -> None:
    here, there = places
    key = await here.plant(company)
    file = await here.exported(f"hierarchies/{ids.encode(Kind.HIERARCHY, key)}", suffix, form=form)
    await there.clear()
    if form == "levels":
        # The header names all levels.
        made = told(await there.work(lambda: tree_file.load(lines_of_file(file), None, "Sales", "MERGE", "REFUSE")))
        assert made.hierarchy is not None
        new = made.hierarchy
    else:
        new = (await there.work(lambda: hierarchy.create("Sales", "", company.levels, False))).hierarchy
        made = told(await there.work(lambda: tree_file.load(lines_of_file(file), new, None, "MERGE", "REFUSE")))
    assert made.created == len(company.names)
    assert await there.tree(new) == await here.tree(key)
    await there.look_for_damage()
    for place, same in ((there, new), (here, key)):
        for mode in ("MERGE", "REPLACE"):
            again = await place.work(lambda: tree_file.load(lines_of_file(file), same, None, mode, "REFUSE"))  # noqa: B023
            assert unchanged(told(again))


async def test_inactive_groups_in_a_tree_change_nothing(places: tuple[Place, Place]) -> None:
    here, _ = places
    key = await here.plant(AMBIGUOUS, inactive=[1, 3])
    for form in ("levels", "parent"):
        file = await here.exported(f"hierarchies/{ids.encode(Kind.HIERARCHY, key)}", form=form)
        again = await here.work(lambda: tree_file.load(lines_of_file(file), key, None, "REPLACE", "REFUSE"))  # noqa: B023
        assert unchanged(told(again))


# ── customers, groups and members ───────────────────────────────────────────────────────────────────────────


@runs(RUNS // 2)
@given(company=companies(), inactive=st.sets(st.integers(0, 7)), suffix=st.sampled_from(["csv", "xlsx"]))
async def test_any_lists(places: tuple[Place, Place], company: Company, inactive: set[int], suffix: str) -> None:
    here, there = places
    await here.plant(company, [number for number in inactive if number < len(company.names)])
    await there.clear()

    async def copied(path: str, load: Any) -> None:
        """What is exported here and imported there is the same there; once more, it changes nothing."""
        file = await here.exported(path, suffix)
        content = file.read_bytes()
        told(await there.work(lambda: load(lines_of_file(file))))
        for place in (there, here):
            file.write_bytes(content)
            assert unchanged(told(await place.work(lambda: load(lines_of_file(file)))))

    await copied("customers", list_files.load_customers)
    await copied("groups", list_files.load_groups)
    found = await here.grove.query("{ customerGroups(first: 100) { nodes { id code } } }")
    for one in found["customerGroups"]["nodes"]:

        async def load(lines: Any) -> Imported:
            reference = Reference(code=one["code"])  # noqa: B023
            return await list_files.load_members(lines, reference, "REPLACE")

        await copied(f"groups/{one['id']}/members", load)
    for path in ("customers", "groups"):
        one, other = [(await place.exported(path, orderBy="CODE")).read_bytes() for place in (here, there)]
        assert one == other


# ── through GraphQL ─────────────────────────────────────────────────────────────────────────────────────────


DEMO = '{ hierarchy(by: { name: "Sales" }) { id nodes(first: 100) { nodes { group { id } } } } }'


@pytest.mark.parametrize("form", ["levels", "parent"])
async def test_the_demo_company(places: tuple[Place, Place], form: str) -> None:
    """Exported with everything in it, imported by mutations, exported again: byte for byte the same files."""
    here, there = places
    await here.clear()
    await there.clear()
    await demo.load(here.database)
    found = await here.grove.query(DEMO)
    sales, groups = found["hierarchy"]["id"], found["hierarchy"]["nodes"]["nodes"]
    members = [f"groups/{node['group']['id']}/members" for node in groups]
    files = {path: (await here.exported(path)).read_bytes().decode() for path in ("customers", *members)}
    tree = (await here.exported(f"hierarchies/{sales}", form=form)).read_bytes().decode()
    counts = "result { created updated moved removed }"
    made = await there.grove.mutate("importHierarchy", {"createName": "Sales", "csv": tree}, "hierarchy { id }")
    copy = made["hierarchy"]["id"]
    inputs = [("importCustomers", {"csv": files["customers"]})]
    inputs += [("importGroupMembers", {"csv": files[path]}) for path in members]
    for name, input in inputs:
        await there.grove.mutate(name, input, counts)
    for name, input in [("importHierarchy", {"hierarchyId": copy, "csv": tree, "mode": "REPLACE"}), *inputs]:
        again = await there.grove.mutate(name, input, counts)
        assert again["result"] == {"created": 0, "updated": 0, "moved": 0, "removed": 0}
    keys = [ids.decode(id, Kind.HIERARCHY) for id in (sales, copy)]
    assert await there.tree(keys[1]) == await here.tree(keys[0])
    copied = (await there.grove.query(DEMO))["hierarchy"]["nodes"]["nodes"]
    paths = ["customers", *(f"groups/{node['group']['id']}/members" for node in copied)]
    assert [(await there.exported(path)).read_bytes().decode() for path in paths] == [*files.values()]
