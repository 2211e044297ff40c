"""What the demo company lacks: empty and doubled things, chains, deletions, reservations of every status, imports."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service import demo, engines, ids
from service.app import create_app
from service.ids import Kind
from service.settings import Settings
from tests.support import imports, sql
from tests.support.client import Grove, running
from tests.support.company import assigned, new_customer, new_group, new_hierarchy, reserved
from tests.support.databases import Databases, fresh

CHAIN = 12


@asynccontextmanager
async def odd_company(databases: Databases) -> AsyncIterator[str]:
    """The URL of a database with the demo company and all that, arranged by the API wherever that can be."""
    async with fresh(databases) as url:
        database = await engines.connect(url)
        try:
            await demo.load(database)
        finally:
            await database.close()
        async with running(create_app(Settings(database=url)), compared=False) as grove:
            await _trees(grove)
            await _members(grove)
            await _stock(grove, url)
            await _deletions(grove)
            await _imports(grove)
        yield url


async def _trees(grove: Grove) -> None:
    """A chain, a hierarchy without nodes, and one in which groups of «Sales» stand the other way round."""
    chain = await new_hierarchy(grove, "Chain", [f"Link {depth}" for depth in range(1, CHAIN + 1)])
    parent = None
    for depth in range(1, CHAIN + 1):
        parent = await assigned(grove, chain, await new_group(grove, f"Link of {depth}"), parent)
    await new_hierarchy(grove, "Nothing yet", ["Only"])
    markets = await new_hierarchy(grove, "Markets", ["Region", "Market", "Shop"])
    groups = await grove.query("{ customerGroups(first: 100) { nodes { id name } } }")
    named = {group["name"]: group["id"] for group in groups["customerGroups"]["nodes"]}
    top = await assigned(grove, markets, named["FL"])
    below = await assigned(grove, markets, named["East"], top)
    await assigned(grove, markets, named["Palm Tree Distribution"], below)
    lone = await assigned(grove, markets, named["Key Accounts"], position={"first": True})
    await grove.mutate("moveNode", {"nodeId": below, "parentId": lone})
    order = {"hierarchyId": markets, "childIds": [top, lone]}
    await grove.mutate("reorderChildren", order)


async def _members(grove: Grove) -> None:
    """Empty groups, customers of several groups and of none, names beyond ASCII."""
    await new_group(grove, "Empty")
    await new_group(grove, 'Ünïcode «%_» \\ "quoted" 🍷', description="Line\nbreak", status="INACTIVE")
    await new_customer(grove, "odd-1", "Ærø <&> 中文")
    await new_customer(grove, "odd-2", "Nobody's", "lower case")
    codes = ["ZY-1001", "ZY-1002", "ZY-1018", "odd-1"]
    for name in ("FL", "East", "Link of 3"):
        await grove.mutate("addCustomersToGroup", {"group": {"name": name}, "customerCodes": codes})
    await grove.mutate("removeCustomersFromGroup", {"group": {"name": "East"}, "customerCodes": codes[:1]})


async def _stock(grove: Grove, url: str) -> None:
    await grove.mutate("setStock", {"sku": "WINE", "onHand": 100})
    markets = {"hierarchy": {"name": "Markets"}}
    await reserved(grove, "FL", 10, reference="Open", **markets)
    await reserved(grove, "Palm Tree Distribution", 7, expiresAt="2999-01-01T00:00:00Z")
    released = await reserved(grove, "FL", 5)
    await grove.mutate("releaseReservation", {"id": released})
    consumed = await reserved(grove, "FL", 3)
    customer = {"code": "ZY-1002"}
    await grove.mutate("consumeReservation", {"id": consumed, "quantity": 3, "customer": customer})
    partly = await reserved(grove, "FL", 4)
    await grove.mutate("consumeReservation", {"id": partly, "quantity": 1, "customer": customer})
    expired = await reserved(grove, "Key Accounts", 2, expiresAt="2999-01-01T00:00:00Z")
    key = ids.decode(expired, Kind.RESERVATION)
    past = "'2020-01-01 00:00:00.000000'" if url.startswith("sqlite") else "'2020-01-01T00:00:00Z'"
    await sql.fetch(url, f"UPDATE reservation SET expires_at = {past} WHERE id = $1", key)


async def _deletions(grove: Grove) -> None:
    """Changes that name what there is no more."""
    group = await new_group(grove, "Short-lived")
    customer = await new_customer(grove, "short-1", "Short-lived")
    hierarchy = await new_hierarchy(grove, "Short-lived", ["Only"])
    await assigned(grove, hierarchy, group)
    await grove.mutate("updateCustomerGroup", {"id": group, "name": "Shorter-lived"})
    await grove.mutate("deleteHierarchy", {"id": hierarchy})
    await grove.mutate("deleteCustomerGroup", {"id": group})
    await grove.mutate("deleteCustomer", {"id": customer})


async def _imports(grove: Grove) -> None:
    """A job that is done, a rehearsal, and one whose file has mistakes."""
    await imports.imported(grove, imports.customers_csv(4, "I"), kind="CUSTOMERS")
    await imports.imported(grove, imports.customers_csv(2, "R"), kind="CUSTOMERS", dryRun="true")
    await imports.imported(grove, imports.tree_csv(5, "T"), kind="HIERARCHY", name="Imported")
    wrong = imports.csv_of(["Code", "Name", "Type"], [["", "No code", "BAR"], ["I-1", "Twice", ""], ["I-1", "", ""]])
    job = await imports.ended(grove, await imports.upload(grove, wrong, kind="CUSTOMERS"))
    assert job["state"] == "REJECTED", job
