"""The generator of the benchmark, and what its tree tells about plans. How fast anything is, no test says."""

import csv
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench import importing, search
from bench.generate import LEVELS, SEED, Landmarks, NotEmpty, generate
from bench.questions import QUESTIONS
from bench.shape import FEWEST_NODES, ROOT, grow
from bench.tree import BREADCRUMB, CHILDREN_PAGE, DISPLAY_ORDER, DISPLAY_PAGE, PLACE
from service import engines
from service.dialects import sqlite_argument
from service.resolvers.check import check
from service.sqlite import SqliteConnection
from tests.conftest import DATABASE
from tests.support.client import Grove
from tests.support.databases import Databases, fresh
from tests.support.sql import contents

NODES = 300

COUNTS = """query ($hierarchy: ID!, $wide: ID!, $hundred: ID!, $subtree: ID!) {
  hierarchy(by: { id: $hierarchy }) { nodeCount levels { nodeCount } unassignedGroups { totalCount } }
  wide: hierarchyNode(id: $wide) { childCount children(first: 1000) { nodes { index childCount } } }
  hundred: hierarchyNode(id: $hundred) { childCount }
  subtree: hierarchyNode(id: $subtree) { descendantCount depth }
  customers { totalCount }
}"""


@pytest.fixture
async def landmarks(database_url: str) -> Landmarks:
    """Those of a small tree in the test's database."""
    return await generate(database_url, NODES)


async def test_check_finds_nothing_in_a_generated_tree(database_url: str, landmarks: Landmarks) -> None:
    database = await engines.connect(database_url)
    try:
        async with database.snapshot():
            assert await check(False) == []
    finally:
        await database.close()


async def test_a_generated_tree_is_as_large_as_asked(landmarks: Landmarks, grove: Grove) -> None:
    found = await grove.query(
        COUNTS,
        {
            "hierarchy": landmarks.hierarchy,
            "wide": landmarks.wide,
            "hundred": landmarks.hundreds[0],
            "subtree": landmarks.subtree,
        },
    )
    assert found["hierarchy"]["nodeCount"] == NODES
    assert [level["nodeCount"] > 0 for level in found["hierarchy"]["levels"]] == [True] * LEVELS
    assert found["hierarchy"]["unassignedGroups"]["totalCount"] == NODES // 100
    assert found["wide"]["childCount"] == landmarks.wide_children == 30
    assert [node["index"] for node in found["wide"]["children"]["nodes"]] == list(range(30))
    assert found["hundred"]["childCount"] == landmarks.hundred_children == 30
    assert found["subtree"] == {"descendantCount": landmarks.subtree_nodes - 1, "depth": 3}
    assert landmarks.subtree_nodes == 30
    assert found["customers"]["totalCount"] == NODES // 2


async def test_only_an_empty_database_is_filled(database_url: str, landmarks: Landmarks) -> None:
    with pytest.raises(NotEmpty):
        await generate(database_url, NODES)


def test_a_large_tree_has_its_landmarks() -> None:
    shape = grow(100_000, LEVELS, SEED)
    descendants = shape.descendant_counts()
    assert len(shape.parents) == sum(len(children) for children in shape.children.values()) == 100_000
    assert sum(1 + descendants[root] for root in shape.children[ROOT]) == 100_000
    assert max(shape.depths) == LEVELS
    assert len(shape.children[shape.wide]) == 10_000
    assert {len(shape.children[parent]) for parent in shape.hundreds} == {100}
    assert 1 + descendants[shape.subtree] == 1_000
    assert shape.subtree in shape.children[shape.home]
    # Moved there, the whole subtree comes one deeper and still has its levels.
    assert shape.depths[shape.away] == shape.depths[shape.home] + 1 == 3


def test_the_same_seed_makes_the_same_tree() -> None:
    assert grow(FEWEST_NODES, LEVELS, 1) == grow(FEWEST_NODES, LEVELS, 1)
    assert grow(FEWEST_NODES, LEVELS, 1) != grow(FEWEST_NODES, LEVELS, 2)


async def test_a_file_is_imported_and_compared(databases: Databases, tmp_path: Path) -> None:
    """As the benchmark does it, in processes of their own."""
    path = tmp_path / "hierarchy.csv"
    importing.write_file(path, 200)
    with path.open(encoding="utf-8", newline="") as file:
        _, *rows = list(csv.reader(file))
    assert len(rows) == 200
    assert all(all(row[::2]) for row in rows)
    nodes = {tuple(row[: 2 * depth]) for row in rows for depth in range(1, len(importing.LEVELS) + 1)}
    async with fresh(databases) as source, fresh(databases) as target:
        measured = await importing.measure([source, target], path)
        assert await contents(target, ["node", "closure"]) == await contents(source, ["node", "closure"])
    assert (measured.new.rows, measured.new.created, measured.again.unchanged) == (200, len(nodes), len(nodes))
    assert measured.findings == 0
    text = importing.page({"SQLite": measured}, path.stat().st_size, 0.5)
    assert "| SQLite: into an empty database |" in text


@pytest.mark.skipif(DATABASE != "postgres", reason="about PostgreSQL's plans")
async def test_every_question_of_the_search_has_a_plan(database_url: str) -> None:
    """On a small company; what the plans are like there says nothing of a large one."""
    await search.make(database_url, groups=1_000, customers=1_000)
    plans = [plan async for plan in search.plans(database_url)]
    assert [plan.title for plan in plans] == [title for title, _ in QUESTIONS]
    assert all("Execution Time" in plan.text for plan in plans)
    assert len(search.table(plans, await search.sizes(database_url)).splitlines()) == 8 + len(plans)


# ── plans ───────────────────────────────────────────────────────────────────────────────────────────────────

# SQLite plans by what indexes there are, not by how many rows: what holds here holds for a million. PostgreSQL
# would read a small table as a whole, and rightly so.
only_sqlite = pytest.mark.skipif(DATABASE != "sqlite", reason="about SQLite's plans")


@only_sqlite
async def test_nothing_that_is_measured_reads_a_whole_table(
    database_url: str, landmarks: Landmarks, grove: Grove, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: dict[str, Sequence[Any]] = {}
    fetch = SqliteConnection.fetch

    async def noted(self: SqliteConnection, statement: str, arguments: Sequence[Any]) -> Any:
        statements[statement] = arguments
        return await fetch(self, statement, arguments)

    monkeypatch.setattr(SqliteConnection, "fetch", noted)
    await do_what_is_measured(grove, landmarks)
    path = database_url.removeprefix("sqlite://")
    with closing(sqlite3.connect(path)) as connection:
        scans = {
            " ".join(statement.split())[:100]: found
            for statement, arguments in statements.items()
            if (found := tables_scanned(connection, statement, arguments))
        }
    # One row, the number of the last generated code, has no need of an index; and the index of the jobs that wait
    # holds no others.
    short = {"SCAN customer_group_code", "SCAN import_job USING INDEX import_job_waiting"}
    assert [found for found in scans.values() if not short.issuperset(found)] == [], scans


async def do_what_is_measured(grove: Grove, landmarks: Landmarks) -> None:
    hierarchy, wide = landmarks.hierarchy, landmarks.wide
    page = (await grove.query(CHILDREN_PAGE, {"id": wide, "first": 10}))["hierarchyNode"]["children"]
    first, second = page["nodes"][0]["id"], page["nodes"][1]["id"]
    await grove.query(CHILDREN_PAGE, {"id": wide, "first": 10, "after": page["pageInfo"]["endCursor"]})
    page = (await grove.query(DISPLAY_PAGE, {"id": hierarchy, "first": 100}))["hierarchy"]["nodes"]
    cursor = page["pageInfo"]["endCursor"]
    await grove.query(DISPLAY_PAGE, {"id": hierarchy, "first": 100, "after": cursor})
    backward = DISPLAY_ORDER.replace("first", "last").replace("after", "before")
    await grove.query(backward.format(fields=f"nodes {{ {PLACE} }}"), {"id": hierarchy, "last": 9, "before": cursor})
    await grove.query(BREADCRUMB, {"id": page["nodes"][-1]["id"]})
    await grove.mutate("moveNode", {"nodeId": first, "position": {"after": second}})
    await grove.mutate("moveNode", {"nodeId": landmarks.subtree, "parentId": landmarks.away})
    await grove.mutate(
        "createCustomerGroup", {"name": "New", "place": {"hierarchyId": hierarchy, "parentId": landmarks.hundreds[0]}}
    )


def tables_scanned(connection: sqlite3.Connection, statement: str, arguments: Sequence[Any]) -> list[str]:
    """The steps of the plan that read a table from end to end; tables that the statement itself makes don't count."""
    values = [sqlite_argument(argument) for argument in arguments]
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    made = re.findall(r"(\w+)(?: \([^()]*\))? AS \(", statement) + re.findall(r"\) AS (\w+)", statement)
    passing = re.compile(rf"SCAN (json_each|CONSTANT|\(|({'|'.join(made) or '-'})\b)")
    return [step for step in plan if step.startswith("SCAN") and not passing.match(step)]
