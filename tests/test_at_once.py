"""Statements that go to PostgreSQL as one, and what is read together with the lock of a hierarchy."""

import asyncio

from service import db, engines
from service.dialects import reads_at_once, writes_at_once
from tests.support.client import Grove


def test_parameters_are_numbered_on() -> None:
    text = writes_at_once(("UPDATE a SET b = $2 WHERE c = $1", "DELETE FROM d WHERE e = $1::bigint", "DELETE FROM f"))
    first, second = "UPDATE a SET b = $2 WHERE c = $1", "DELETE FROM d WHERE e = $3::bigint"
    assert text == f"WITH write_0 AS ({first}), write_1 AS ({second}) DELETE FROM f"
    text = reads_at_once(("SELECT $1, $2", "SELECT $1"))
    assert text == "SELECT 0, part FROM (SELECT $1, $2) AS part UNION ALL SELECT 1, part FROM (SELECT $3) AS part"


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
