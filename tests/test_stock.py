"""Stock: what is on hand, what is reserved of it and for whom, and what becomes of a reservation.

What is refused for its input alone stands in tests/support/refusals.py.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service import db, ids
from service.engines import connect
from service.ids import Kind
from service.resolvers.check import check
from tests.support import sql
from tests.support.client import Json
from tests.support.company import ACTOR, Company, latest_changes, reserved
from tests.support.copies import Standing, copied, standing
from tests.support.databases import Databases

RESERVATION = "reservation { id quantity consumed remaining status stockItem { onHand reserved free } }"
FUTURE = "2999-01-01T00:00:00.000000+00:00"


@pytest.fixture(scope="module")
async def original(databases: Databases) -> AsyncIterator[Standing]:
    async with standing(databases) as arranged:
        yield arranged


@pytest.fixture
async def copy(databases: Databases, original: Standing) -> AsyncIterator[Standing]:
    """WINE: 100 on hand, of which 10 are reserved for South; 5 for TX were released."""
    async with copied(databases, original) as arranged:
        yield arranged
        await sound(arranged.url)


@pytest.fixture
def company(copy: Standing) -> Company:
    return copy.company


async def sound(url: str) -> None:
    """`grove check` finds nothing."""
    database = await connect(url)
    try:
        async with database.snapshot():
            assert await check(repair=False) == []
    finally:
        await database.close()


async def stock(company: Company, sku: str = "WINE", location: str = "MAIN") -> tuple[int, int, int]:
    """What is on hand, reserved and free."""
    data = await company.grove.query(
        "query ($sku: String!, $location: String!)"
        " { stockItem(sku: $sku, location: $location) { onHand reserved free } }",
        {"sku": sku, "location": location},
    )
    item = data["stockItem"]
    return item["onHand"], item["reserved"], item["free"]


async def look(company: Company, id: str) -> Json:
    """A reservation as it is."""
    data = await company.grove.query(
        "query ($id: ID!) { node(id: $id) { ... on Reservation { status quantity consumed remaining } } }", {"id": id}
    )
    found: Json = data["node"]
    return found


async def expire(copy: Standing, id: str, ago: timedelta = timedelta(seconds=1)) -> None:
    """Moves the end of a reservation into the past, behind the service's back."""
    instant: Any = datetime.now(UTC) - ago
    if copy.url.startswith("sqlite"):
        # In its own way of writing an instant down.
        instant = instant.isoformat(" ", "microseconds")
    key = ids.decode(id, Kind.RESERVATION)
    await sql.fetch(copy.url, "UPDATE reservation SET expires_at = $1 WHERE id = $2", instant, key)


async def available(company: Company, customer: str | None, sku: str = "WINE") -> tuple[int, list[str]]:
    """What may be promised to a customer, and the groups of the reservations that cover it."""
    data = await company.grove.query(
        """
        query ($sku: String!, $customer: CustomerBy) {
          availability(sku: $sku, customer: $customer) { onHand reserved free available reservations {
            remaining status group { name }
          } }
        }
        """,
        {"sku": sku, "customer": None if customer is None else {"code": customer}},
    )
    found = data["availability"]
    assert found["free"] == found["onHand"] - found["reserved"]
    assert found["available"] == found["free"] + sum(one["remaining"] for one in found["reservations"])
    assert {one["status"] for one in found["reservations"]} <= {"OPEN"}
    return found["available"], [one["group"]["name"] for one in found["reservations"]]


# ── setting stock ───────────────────────────────────────────────────────────────────────────────────────────


async def test_setting_stock(company: Company) -> None:
    selection = "stockItem { id sku location onHand reserved free reservations { totalCount } }"
    made = await company.mutate("setStock", {"sku": " Beer 0,5 l ", "onHand": 7}, selection)
    item = made["stockItem"]
    assert {**item, "id": ""} == {
        "id": "",
        "sku": "Beer 0,5 l",
        "location": "MAIN",
        "onHand": 7,
        "reserved": 0,
        "free": 7,
        "reservations": {"totalCount": 0},
    }
    # The same item, whatever the case; it keeps the name that it was given first.
    again = await company.mutate("setStock", {"sku": "BEER 0,5 L", "location": "main", "onHand": 0}, selection)
    assert again["stockItem"] == {**item, "onHand": 0, "free": 0}
    other = await company.mutate("setStock", {"sku": "Beer 0,5 l", "location": "PORT", "onHand": 3}, selection)
    assert other["stockItem"]["id"] != item["id"]
    assert await stock(company, "beer 0,5 L", "port") == (3, 0, 3)
    assert await stock(company, "beer 0,5 l") == (0, 0, 0)
    changes = await latest_changes(company.grove, 3)
    assert [change["summary"] for change in changes] == [
        "set the stock of «Beer 0,5 l» at «MAIN» to 7",
        "set the stock of «Beer 0,5 l» at «MAIN» to 0, from 7",
        "set the stock of «Beer 0,5 l» at «PORT» to 3",
    ]
    assert {change["action"] for change in changes} == {"STOCK_SET"}
    thing = {"sku": "Beer 0,5 l", "location": "MAIN"}
    assert changes[1]["before"] == {**thing, "onHand": 7}
    assert changes[1]["after"] == {**thing, "onHand": 0}
    # What stays as it is is no change.
    await company.mutate("setStock", {"sku": "Beer 0,5 l", "onHand": 0})
    assert await latest_changes(company.grove, 3) == changes


async def test_stock_may_fall_to_what_is_reserved(company: Company) -> None:
    await company.mutate("setStock", {"sku": "WINE", "onHand": 10})
    assert await stock(company) == (10, 10, 0)
    await company.mutate("setStock", {"sku": "WINE", "onHand": 9}, errors=["INSUFFICIENT_STOCK"])
    await company.mutate("setStock", {"sku": "WINE", "onHand": 2_147_483_647})
    assert await stock(company) == (2_147_483_647, 10, 2_147_483_637)


async def test_an_item_that_there_is_not(company: Company) -> None:
    data = await company.grove.query(
        """
        {
          item: stockItem(sku: "NONE") { id }
          elsewhere: stockItem(sku: "WINE", location: "PORT") { id }
          availability(sku: "None", location: "Port", customer: { code: "C-5" }) {
            sku location onHand reserved free available reservations { id }
          }
          nonsense: stockItem(sku: "", location: "") { id }
        }
        """
    )
    assert data == {
        "item": None,
        "elsewhere": None,
        "nonsense": None,
        "availability": {
            "sku": "None",
            "location": "Port",
            "onHand": 0,
            "reserved": 0,
            "free": 0,
            "available": 0,
            "reservations": [],
        },
    }


# ── reserving, consuming, releasing ─────────────────────────────────────────────────────────────────────────


async def test_reserving(company: Company) -> None:
    payload = await company.mutate(
        "reserveStock",
        {
            "sku": "wine",
            "group": {"code": "cg-000001"},
            "hierarchy": {"name": "sales"},
            "quantity": 30,
            "expiresAt": "2999-01-01T01:00:00+01:00",
            "reference": " PO 4711 ",
        },
        """
        reservation {
          id quantity consumed remaining status expiresAt reference
          group { name version } hierarchy { name } stockItem { sku location onHand reserved free }
        }
        """,
    )
    made = payload["reservation"]
    assert made == {
        "id": made["id"],
        "quantity": 30,
        "consumed": 0,
        "remaining": 30,
        "status": "OPEN",
        "expiresAt": FUTURE,
        "reference": "PO 4711",
        # It is no change of the group.
        "group": {"name": "East", "version": 1},
        "hierarchy": {"name": "Sales"},
        "stockItem": {"sku": "WINE", "location": "MAIN", "onHand": 100, "reserved": 40, "free": 60},
    }
    assert (await latest_changes(company.grove, 1))[0] == {
        "actor": ACTOR,
        "action": "RESERVATION_CREATED",
        "summary": "reserved 30 of «WINE» at «MAIN» for «East» and those below it in «Sales»",
        "before": None,
        "after": {
            "reservationId": made["id"],
            "sku": "WINE",
            "location": "MAIN",
            "quantity": 30,
            "expiresAt": FUTURE,
            "reference": "PO 4711",
        },
        "hierarchy": {"name": "Sales"},
        "group": {"name": "East"},
        "customer": None,
    }
    # To the last, and no further.
    await reserved(company.grove, "West", 60)
    assert await stock(company) == (100, 100, 0)
    refused = await company.mutate(
        "reserveStock", {"sku": "WINE", "group": {"name": "West"}, "quantity": 1}, errors=["INSUFFICIENT_STOCK"]
    )
    assert "0 are free: 100 are on hand and 100 reserved" in refused["userErrors"][0]["message"]


async def test_consuming(company: Company) -> None:
    input = {"id": "@reservation open", "quantity": 4, "customer": {"code": "c-5"}}
    first = await company.mutate("consumeReservation", input, RESERVATION)
    assert first["reservation"] == {
        "id": company.reservations["open"],
        "quantity": 10,
        "consumed": 4,
        "remaining": 6,
        "status": "OPEN",
        "stockItem": {"onHand": 96, "reserved": 6, "free": 90},
    }
    change = (await latest_changes(company.grove, 1))[0]
    assert change["action"] == "RESERVATION_CONSUMED"
    assert change["summary"] == "«Customer 5» (C-5) consumed 4 of «WINE» at «MAIN», reserved for «South»"
    assert change["customer"] == {"code": "C-5"}
    assert change["group"] == {"name": "South"}
    thing = {"reservationId": company.reservations["open"], "sku": "WINE", "location": "MAIN"}
    assert change["before"] == {**thing, "remaining": 10, "status": "OPEN", "onHand": 100}
    assert change["after"] == {**thing, "remaining": 6, "status": "OPEN", "onHand": 96}
    await company.mutate("consumeReservation", {**input, "quantity": 7}, errors=["INSUFFICIENT_STOCK"])
    last = await company.mutate("consumeReservation", {**input, "quantity": 6}, RESERVATION)
    assert last["reservation"]["status"] == "CONSUMED"
    assert last["reservation"]["stockItem"] == {"onHand": 90, "reserved": 0, "free": 90}
    for mutation, again in (
        ("consumeReservation", {**input, "quantity": 1}),
        ("releaseReservation", {"id": input["id"]}),
    ):
        refused = await company.mutate(mutation, again, errors=["RESERVATION_CLOSED"])
        assert "all 10 were consumed" in refused["userErrors"][0]["message"]
        assert refused["userErrors"][0]["path"] == ["input", "id"]


async def test_releasing(company: Company) -> None:
    await company.mutate("consumeReservation", {"id": "@reservation open", "quantity": 4, "customer": {"code": "C-5"}})
    payload = await company.mutate("releaseReservation", {"id": "@reservation open"}, RESERVATION)
    assert payload["reservation"]["status"] == "RELEASED"
    assert payload["reservation"]["consumed"] == 4
    assert payload["reservation"]["remaining"] == 6
    assert payload["reservation"]["stockItem"] == {"onHand": 96, "reserved": 0, "free": 96}
    change = (await latest_changes(company.grove, 1))[0]
    assert change["action"] == "RESERVATION_RELEASED"
    assert change["summary"] == "released 6 of «WINE» at «MAIN», reserved for «South»"
    await company.mutate("releaseReservation", {"id": "@reservation open"}, errors=["RESERVATION_CLOSED"])


async def test_an_inactive_group_keeps_its_reservations(company: Company) -> None:
    await company.mutate("updateCustomerGroup", {"id": "@group South", "status": "INACTIVE"})
    wine = {"sku": "WINE", "group": {"name": "South"}, "quantity": 1}
    await company.mutate("reserveStock", wine, errors=["GROUP_INACTIVE"])
    await company.mutate("consumeReservation", {"id": "@reservation open", "quantity": 1, "customer": {"code": "C-5"}})
    await company.mutate("releaseReservation", {"id": "@reservation open"})


# ── expiry ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_expired_reservation_holds_nothing_back(copy: Standing) -> None:
    """Wherever one looks, and without anything that makes it so."""
    company, id = copy.company, copy.company.reservations["open"]
    assert await available(company, "C-5") == (100, ["South"])
    await expire(copy, id)
    assert await look(company, id) == {"status": "EXPIRED", "quantity": 10, "consumed": 0, "remaining": 10}
    assert await stock(company) == (100, 0, 100)
    assert await available(company, "C-5") == (100, [])
    data = await company.grove.query(
        """
        {
          open: reservations(filter: { status: [OPEN] }) { totalCount nodes { id } }
          expired: reservations(filter: { status: [EXPIRED] }) { totalCount nodes { id } }
          closed: reservations(filter: { status: [EXPIRED, RELEASED] }) { totalCount nodes { status } }
        }
        """
    )
    assert data["open"] == {"totalCount": 0, "nodes": []}
    assert data["expired"] == {"totalCount": 1, "nodes": [{"id": id}]}
    assert data["closed"] == {"totalCount": 2, "nodes": [{"status": "RELEASED"}, {"status": "EXPIRED"}]}
    for mutation, input in (
        ("consumeReservation", {"id": id, "quantity": 1, "customer": {"code": "C-5"}}),
        ("releaseReservation", {"id": id}),
    ):
        refused = await company.mutate(mutation, input, errors=["RESERVATION_CLOSED"])
        assert "has expired" in refused["userErrors"][0]["message"]


async def test_what_has_expired_is_free_again(copy: Standing) -> None:
    company, id = copy.company, copy.company.reservations["open"]
    await expire(copy, id)
    updated = await sql.fetch(copy.url, "SELECT updated_at FROM reservation WHERE status = 'OPEN'")
    made = await company.mutate(
        "reserveStock", {"sku": "WINE", "group": {"name": "West"}, "quantity": 100}, RESERVATION
    )
    assert made["reservation"]["stockItem"] == {"onHand": 100, "reserved": 100, "free": 0}
    # The next change of the item has written it down; what is told of it stays the same.
    key = ids.decode(id, Kind.RESERVATION)
    found = await sql.fetch(copy.url, "SELECT status, updated_at FROM reservation WHERE id = $1", key)
    assert found == [("EXPIRED", updated[0][0])]
    assert (await look(company, id))["status"] == "EXPIRED"
    assert await stock(company) == (100, 100, 0)


async def test_stock_can_be_set_below_what_has_expired(copy: Standing) -> None:
    await expire(copy, copy.company.reservations["open"])
    await copy.company.mutate("setStock", {"sku": "WINE", "onHand": 0})
    assert await stock(copy.company) == (0, 0, 0)


async def test_a_short_reservation(company: Company) -> None:
    """It ends by itself, by the clock of the database, which here is the same as ours."""
    ends = datetime.now(UTC) + timedelta(seconds=1.5)
    id = await reserved(company.grove, "East", 5, expiresAt=ends.isoformat())
    # Far from the end on a machine that keeps up; where it does not, there is nothing to be seen.
    opened = await look(company, id)
    if datetime.now(UTC) < ends:
        assert opened["status"] == "OPEN"
    while datetime.now(UTC) <= ends:
        await look(company, id)
    assert (await look(company, id))["status"] == "EXPIRED"
    assert await stock(company) == (100, 10, 90)


async def test_the_clock_is_the_databases(copy: Standing) -> None:
    """Within a transaction time stands still, and agrees with what the statements compare."""
    database = await connect(copy.url)
    try:
        async with database.snapshot():
            first = await db.fetch_value("SELECT now()")
            assert await db.fetch_value("SELECT now()") == first
        async with database.transaction():
            later = await db.fetch_value("SELECT now()")
            assert later > first
            assert await db.fetch_value("SELECT statement_timestamp()") >= later
    finally:
        await database.close()


# ── whom it covers ──────────────────────────────────────────────────────────────────────────────────────────


async def test_coverage_without_a_hierarchy(company: Company) -> None:
    await reserved(company.grove, "East", 20)
    assert await available(company, None) == (70, [])
    # In East themselves: C-1 and C-2.
    assert await available(company, "C-1") == (90, ["East"])
    assert await available(company, "C-3") == (70, [])
    assert await available(company, "C-5") == (80, ["South"])
    assert await available(company, "C-6") == (70, [])
    # As elsewhere, what there is not is in no group.
    assert await available(company, "nobody") == (70, [])


async def test_coverage_as_the_tree_stands(company: Company) -> None:
    """C-3 and C-4 are below FL, which is moved about; C-5 is in South, which comes to stand below it."""
    id = await reserved(company.grove, "East", 20, hierarchy={"name": "Sales"})
    consume = {"id": id, "quantity": 1}

    async def covered(*codes: str) -> None:
        for code in ("C-3", "C-4", "C-5", "C-6"):
            found = (await available(company, code))[1]
            assert ("East" in found) is (code in codes), code
            rehearsal = {**consume, "customer": {"code": code}, "dryRun": True}
            payload = await company.mutate(
                "consumeReservation", rehearsal, errors=[] if code in codes else ["CONFLICT"]
            )
            if code not in codes:
                words = "is not in «East», for which this is reserved, nor in a group below it in «Sales»."
                assert words in payload["userErrors"][0]["message"]
                assert payload["userErrors"][0]["path"] == ["input", "customer"]

    await covered("C-3", "C-4")
    await company.mutate("moveNode", {"nodeId": "@node FL", "parentId": "@node West"})
    await covered()
    await company.mutate("moveNode", {"nodeId": "@node Sol Family", "parentId": "@node IL"})
    await covered("C-4")
    await company.mutate(
        "assignGroup", {"hierarchyId": "@hierarchy Sales", "group": {"name": "South"}, "parentId": "@node IL"}
    )
    await covered("C-4", "C-5")
    await company.mutate("addCustomersToGroup", {"group": {"name": "Chi-town"}, "customerCodes": ["C-6"]})
    await covered("C-4", "C-5", "C-6")
    # Where the group itself stands in the tree no longer, it covers its own members alone.
    await company.mutate("unassignNode", {"nodeId": "@node East", "children": "PROMOTE"})
    await covered()
    assert (await available(company, "C-1"))[1] == ["East"]


async def test_coverage_in_another_hierarchy(company: Company) -> None:
    """In «Markets» East stands below FL, so that FL covers C-1, who is only in East."""
    await reserved(company.grove, "FL", 20, hierarchy={"name": "Markets"})
    assert (await available(company, "C-1"))[1] == ["FL"]
    assert (await available(company, "C-4"))[1] == []


async def test_availability_is_in_the_order_of_expiry(company: Company) -> None:
    for group, expires_at in (("FL", None), ("East", FUTURE), ("Palm Tree", "2998-01-01T00:00:00Z"), ("East", None)):
        await reserved(company.grove, group, 1, hierarchy={"name": "Sales"}, expiresAt=expires_at)
    # C-2 is in East and in Palm Tree, which is below FL.
    assert await available(company, "C-2") == (90, ["Palm Tree", "East", "FL", "East"])


# ── what it is bound to ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_group_with_open_reservations_cannot_be_deleted(copy: Standing) -> None:
    company = copy.company
    await reserved(company.grove, "South", 1)
    refused = await company.mutate("deleteCustomerGroup", {"id": "@group South"}, errors=["GROUP_IN_USE"])
    words = "2 open reservations hold stock for «South» (CG-000009), such as «WINE» at «MAIN»; consume or release them"
    assert words in refused["userErrors"][0]["message"]
    # In East's place, with its children.
    await reserved(company.grove, "East", 1)
    refused = await company.mutate("deleteCustomerGroup", {"id": "@group East"}, errors=["GROUP_IN_USE", "CONFLICT"])
    assert [error["path"] for error in refused["userErrors"]] == [["input", "id"], ["input", "children"]]


async def test_closed_reservations_go_with_their_group(copy: Standing) -> None:
    """However they came to be closed; the log remembers them."""
    company = copy.company
    consumed, expired = [await reserved(company.grove, "East", 3, hierarchy={"name": "Sales"}) for _ in range(2)]
    await company.mutate("consumeReservation", {"id": consumed, "quantity": 3, "customer": {"code": "C-1"}})
    await expire(copy, expired)
    await company.mutate("deleteCustomerGroup", {"id": "@group East", "children": "PROMOTE"})
    data = await company.grove.query("{ reservations { nodes { group { name } } } }")
    assert [row["group"]["name"] for row in data["reservations"]["nodes"]] == ["TX", "South"]
    assert await stock(company) == (97, 10, 87)
    data = await company.grove.query("{ changes(filter: { action: [RESERVATION_CONSUMED] }) { nodes { summary } } }")
    assert len(data["changes"]["nodes"]) == 1
    gone = {"id": consumed, "quantity": 1, "customer": {"code": "C-1"}}
    await company.mutate("consumeReservation", gone, errors=["NOT_FOUND"])


async def test_a_hierarchy_that_open_reservations_name_cannot_be_deleted(copy: Standing) -> None:
    company = copy.company
    ids = [await reserved(company.grove, "East", 3, hierarchy={"name": "Markets"}) for _ in range(3)]
    refused = await company.mutate("deleteHierarchy", {"id": "@hierarchy Markets"}, errors=["CONFLICT"])
    assert "3 open reservations name «Markets»; consume or release them" in refused["userErrors"][0]["message"]
    assert refused["userErrors"][0]["path"] == ["input", "id"]
    await company.mutate("releaseReservation", {"id": ids[0]})
    await company.mutate("consumeReservation", {"id": ids[1], "quantity": 3, "customer": {"code": "C-1"}})
    await company.mutate("deleteHierarchy", {"id": "@hierarchy Markets"}, errors=["CONFLICT"])
    await expire(copy, ids[2])
    await company.mutate("deleteHierarchy", {"id": "@hierarchy Markets"})
    data = await company.grove.query(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Reservation { status hierarchy { id } } } }", {"ids": ids}
    )
    assert data["nodes"] == [{"status": status, "hierarchy": None} for status in ("RELEASED", "CONSUMED", "EXPIRED")]
    assert await stock(company) == (97, 10, 87)


async def test_the_group_tells_of_its_reservations_and_their_changes(company: Company) -> None:
    await company.mutate("consumeReservation", {"id": "@reservation open", "quantity": 1, "customer": {"code": "C-5"}})
    data = await company.grove.query(
        """
        {
          customerGroup(by: { name: "South" }) {
            version
            reservations { totalCount nodes { remaining } }
            closed: reservations(filter: { status: [RELEASED] }) { totalCount }
            changes(first: 2) { nodes { action } }
          }
          customer(by: { code: "C-5" }) { version }
        }
        """
    )
    assert data["customerGroup"] == {
        "version": 1,
        "reservations": {"totalCount": 1, "nodes": [{"remaining": 9}]},
        "closed": {"totalCount": 0},
        "changes": {"nodes": [{"action": "RESERVATION_CONSUMED"}, {"action": "RESERVATION_CREATED"}]},
    }
    assert data["customer"] == {"version": 1}


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_pages_of_stock_items(company: Company) -> None:
    for sku, location in (("beer", "MAIN"), ("Äpfel", "MAIN"), ("BEER", "PORT"), ("Cider_1", "port")):
        await company.mutate("setStock", {"sku": sku, "location": location, "onHand": 1})
    expected = [("Äpfel", "MAIN"), ("beer", "MAIN"), ("BEER", "PORT"), ("Cider_1", "port"), ("WINE", "MAIN")]

    async def listed(filter: str = "", page: str = "first: 10") -> list[tuple[str, str]]:
        data = await company.grove.query(f"{{ stockItems({page} {filter}) {{ totalCount nodes {{ sku location }} }} }}")
        return [(row["sku"], row["location"]) for row in data["stockItems"]["nodes"]]

    assert await listed() == expected
    assert await listed(page="last: 2") == expected[-2:]
    assert await listed('filter: { location: "Port" }') == expected[2:4]
    assert await listed('filter: { sku: { startsWith: "b" } }') == expected[1:3]
    assert await listed('filter: { sku: { equals: "apfel" } }') == expected[:1]
    assert await listed('filter: { sku: { contains: "_" } }') == [("Cider_1", "port")]
    assert await listed('filter: { sku: { in: ["wine", "beer"] }, location: "MAIN" }') == [expected[1], expected[4]]
    found: list[tuple[str, str]] = []
    after = ""
    while True:
        data = await company.grove.query(
            f"{{ stockItems(first: 2 {after}) {{ nodes {{ sku location }} pageInfo {{ hasNextPage endCursor }} }} }}"
        )
        page = data["stockItems"]
        found += [(row["sku"], row["location"]) for row in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = f'after: "{page["pageInfo"]["endCursor"]}"'
    assert found == expected


async def test_pages_of_reservations(company: Company) -> None:
    await company.mutate("setStock", {"sku": "BEER", "location": "PORT", "onHand": 9})
    for number in range(1, 4):
        await reserved(company.grove, "East", number, reference=f"East {number}")
    await reserved(company.grove, "South", 4, sku="BEER", location="PORT", reference="South 4")
    everything = ["South 4", "East 3", "East 2", "East 1", "", ""]

    async def listed(arguments: str) -> list[str]:
        data = await company.grove.query(f"{{ reservations({arguments}) {{ totalCount nodes {{ reference }} }} }}")
        return [row["reference"] for row in data["reservations"]["nodes"]]

    assert await listed("first: 9") == everything
    assert await listed("last: 4") == everything[2:]
    assert await listed('filter: { group: { name: "east" } }') == everything[1:4]
    assert await listed('filter: { group: { code: "none" } }') == []
    assert await listed('filter: { sku: "beer" }') == everything[:1]
    assert await listed('filter: { location: "main", status: [OPEN] }') == [*everything[1:4], ""]
    assert await listed("filter: { status: [] }") == []
    assert await listed("filter: { status: [OPEN, RELEASED, OPEN] }") == everything
    data = await company.grove.query(
        '{ stockItem(sku: "WINE") { reservations(first: 2) {'
        " totalCount nodes { reference } pageInfo { endCursor } } } }"
    )
    page = data["stockItem"]["reservations"]
    assert page["totalCount"] == 5
    assert [row["reference"] for row in page["nodes"]] == everything[1:3]
    # A cursor of one list of reservations is one of any other: they are in one order.
    assert await listed(f'first: 2, after: "{page["pageInfo"]["endCursor"]}"') == everything[3:5]
    for arguments in ("first: -1", "first: 1001", "first: 1, last: 1", 'after: "x"', 'filter: { group: { id: "x" } }'):
        answer = await company.grove.execute(f"{{ reservations({arguments}) {{ totalCount nodes {{ id }} }} }}")
        assert [error["extensions"]["code"] for error in answer["errors"]][:1] == ["BAD_USER_INPUT"], arguments


async def test_things_of_stock_by_their_ids(company: Company) -> None:
    data = await company.grove.query('{ stockItem(sku: "WINE") { id } }')
    wanted = [data["stockItem"]["id"], company.reservations["open"], ids.encode(Kind.STOCK_ITEM, 4_711)]
    data = await company.grove.query(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on StockItem { sku createdAt updatedAt } } }",
        {"ids": wanted},
    )
    item, reservation, nothing = data["nodes"]
    assert (item["__typename"], item["id"], item["sku"]) == ("StockItem", wanted[0], "WINE")
    assert item["createdAt"] == item["updatedAt"]
    assert (reservation["__typename"], reservation["id"]) == ("Reservation", wanted[1])
    assert nothing is None


# ── soundness ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_check_finds_and_mends_what_is_held(databases: Databases, original: Standing) -> None:
    async with copied(databases, original) as copy:
        await sql.fetch(copy.url, "UPDATE stock_item SET held = 3, sku_key = 'other'")
        database = await connect(copy.url)
        try:
            async with database.transaction():
                found = {(one.table, one.message, one.repaired) for one in await check(repair=True)}
            assert found == {
                ("stock_item", "holds 10 back, not 3", True),
                ("stock_item", "its sku_key is «wine», not «other»", True),
            }
            await sql.fetch(copy.url, "UPDATE stock_item SET held = 0, on_hand = 9")
            async with database.transaction():
                (one,) = await check(repair=True)
            assert one.message == "its open reservations hold 10, more than the 9 on hand; release some"
            assert not one.repaired
        finally:
            await database.close()
