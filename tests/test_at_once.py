"""Statements that go to PostgreSQL as one, and what is read together with the lock of a hierarchy."""

import asyncio
from typing import Any

from service import db, engines
from service.dialects import reads_at_once, writes_at_once
from tests.support.client import Grove


def test_parameters_are_numbered_on() -> None:
    texts = ("UPDATE a SET b = $2 WHERE c = $1", "DELETE FROM d WHERE e = $1::bigint", "DELETE FROM f")
    text = writes_at_once(texts, (None, None, None))
    first, second = "UPDATE a SET b = $2 WHERE c = $1", "DELETE FROM d WHERE e = $3::bigint"
    assert text == f"WITH write_0 AS ({first}), write_1 AS ({second}) DELETE FROM f"
    text = writes_at_once(texts, (None, "d.e", None))
    named = f"write_0 AS ({first}), write_1 AS ({second} RETURNING d.e), write_2 AS (DELETE FROM f)"
    assert text == f"WITH {named} SELECT 1, part FROM write_1 AS part"
    at_once = reads_at_once(("SELECT $1, $2", "SELECT $1"), (("int8", "text"), ("text",)))
    assert at_once.text == (
        "SELECT c0, c1, 0 FROM (SELECT $1, $2) AS part(c0, c1) UNION ALL "
        "SELECT NULL::int8, c0, 1 FROM (SELECT $3) AS part(c0)"
    )


def test_rows_of_all_forms_share_slots() -> None:
    types = (("int8",), ("int8", "text", "int8"), ("text", "bool", "text"), ("int4", "int8"))
    at_once = reads_at_once([f"SELECT {place}" for place in range(4)], types)
    first, second, third, fourth = at_once.text.split(" UNION ALL ")
    assert first.startswith("SELECT c0, NULL::text, NULL::int8, NULL::bool, NULL::text, NULL::int4, 0 FROM ")
    assert second.startswith("SELECT c0, c1, c2, NULL::bool, NULL::text, NULL::int4, 1 FROM ")
    assert third.startswith("SELECT NULL::int8, c0, NULL::int8, c1, c2, NULL::int4, 2 FROM ")
    assert fourth.startswith("SELECT c1, NULL::text, NULL::int8, NULL::bool, NULL::text, c0, 3 FROM ")
    rows: list[tuple[Any, ...]] = [(1, None, None, None, None, None, 0), (2, "two", 3, None, None, None, 1)]
    rows += [(None, "four", None, True, "five", None, 2), (7, None, None, None, None, 6, 3)]
    assert [at_once.makers[row[-1]](row) for row in rows] == [(1,), (2, "two", 3), ("four", True, "five"), (6, 7)]


async def test_who_waited_for_the_lock_knows_what_was_done_meanwhile(grove: Grove, database_url: str) -> None:
    made = await grove.mutate("createHierarchy", {"name": "Sales", "levels": ["Region"]}, "hierarchy { id }")
    place = {"hierarchyId": made["hierarchy"]["id"]}
    group = {"name": "East", "place": place}
    east = (await grove.mutate("createCustomerGroup", group, "node { id }"))["node"]["id"]
    group = {"name": "Florida", "place": place | {"parentId": east}}
    database = await engines.connect(database_url)
    try:
        async with database.transaction():
            await db.fetch("UPDATE hierarchy SET version = version + 1")
            below = "node { id depth level { name } }"
            waiting = asyncio.create_task(grove.mutate("createCustomerGroup", group, below))
            await asyncio.sleep(0.5)
            await db.fetch(
                "INSERT INTO level (id, hierarchy_id, depth, name, name_key, node_count)"
                " SELECT 1, hierarchy.id, 2, 'State', 'state', 0 FROM hierarchy"
            )
        answer = await waiting
    finally:
        await database.close()
    assert answer["node"]["level"] == {"name": "State"}
