"""The demo company: ZymOeno's hierarchy «Sales», some customers, groups that stand nowhere yet, and some stock."""

import csv
from pathlib import Path

from service import transaction
from service.db import Database
from service.matching import Reference
from service.positions import LAST
from service.resolvers import customer, group, hierarchy, reservation, stock
from service.transaction import Mutation

FILE = Path(__file__).parent / "data" / "zymoeno.csv"
NAME = "Sales"
ACTOR = "demo"

# Code, name, type, and the group that the customer is put into, if any.
CUSTOMERS = [
    ("ZY-1001", "Palm Tree Distribution", "DISTRIBUTOR", "Palm Tree Distribution"),
    ("ZY-1002", "Ocean Drive Liquors", "RETAILER", "Palm Tree Distribution"),
    ("ZY-1003", "Bar Calle Ocho", "ON_PREMISE", "Palm Tree Distribution"),
    ("ZY-1004", "Sol Family Distributors", "DISTRIBUTOR", "Sol Family Distributors"),
    ("ZY-1005", "Key West Cellars", "RETAILER", "Sol Family Distributors"),
    ("ZY-1006", "Rubix, Inc.", "DISTRIBUTOR", "Rubix, Inc."),
    ("ZY-1007", "Chi-town Distribution", "DISTRIBUTOR", "Chi-town Distribution"),
    ("ZY-1008", "Loop Tap Room", "ON_PREMISE", "Chi-town Distribution"),
    ("ZY-1009", "Lakeside Groceries", "RETAILER", "Lakeside, Co."),
    ("ZY-1010", "Broadway Wholesalers", "WHOLESALER", "Broadway Wholesalers"),
    ("ZY-1011", "Café Łódź", "ON_PREMISE", "I ❤️ NY Distribution, Co."),
    ("ZY-1012", "Bada Bing", "ON_PREMISE", "Satriale's Beer & Wine"),
    ("ZY-1013", "Desert Bottle Shop", "RETAILER", "Greater AZ Wholesalers"),
    ("ZY-1014", "Left Coast Distributor", "DISTRIBUTOR", "Left Coast Distributor, Inc"),
    ("ZY-1015", "Golden Gate Wines", "RETAILER", "To the Bay Wine Sellers"),
    ("ZY-1016", "Lone Star Saloon", "ON_PREMISE", "Big Distributors"),
    ("ZY-1017", "Alamo Wholesalers", "WHOLESALER", "Alamo Wholesalers"),
    ("ZY-1018", "Web Shop", "ONLINE", None),
]
# Groups that stand in no hierarchy: name, description, status, codes of customers.
UNASSIGNED = [
    ("South", "A division to come", "ACTIVE", []),
    ("NV", "Nevada", "ACTIVE", []),
    ("Key Accounts", "Customers with prices of their own", "ACTIVE", ["ZY-1001", "ZY-1010", "ZY-1014"]),
    ("Old Partners", "No longer served", "INACTIVE", ["ZY-1018"]),
]
# SKU, location, how many there are.
STOCK = [
    ("ZY-ROSE", "MAIN", 1_200),
    ("ZY-STOUT", "MAIN", 480),
    ("ZY-STOUT", "EAST COAST", 96),
    ("ZY-CIDER", "MAIN", 0),
]


async def load(database: Database) -> None:
    """Loads the company in one transaction, unless there is a hierarchy «Sales» already."""

    async def work(_: Mutation) -> None:
        if (await hierarchy.by_reference([Reference(name=NAME)]))[0] is None:
            await _load()

    await transaction.run(database, ACTOR, work)


async def _load() -> None:
    with FILE.open(encoding="utf-8", newline="") as file:
        header, *lines = list(csv.reader(file))
    levels = [column.removesuffix(" Name") for column in header[::2]]
    sales = (await hierarchy.create(NAME, "How ZymOeno sells", levels, False)).hierarchy
    for code, name, type, _ in CUSTOMERS:
        await customer.create(code, name, type)
    nodes: dict[str, int | None] = {}
    for line in lines:
        parent = None
        for name, description in zip(line[::2], line[1::2], strict=True):
            if name not in nodes:
                members = [code for code, _, _, home in CUSTOMERS if home == name]
                place = group.Place(sales, parent, LAST)
                created = await group.create(name, None, description, "ACTIVE", [], members, place)
                nodes[name] = created.node
            parent = nodes[name]
    for name, description, status, members in UNASSIGNED:
        await group.create(name, None, description, status, [], members, None)
    for sku, location, on_hand in STOCK:
        await stock.set_stock(sku, location, on_hand)
    await reservation.reserve("ZY-STOUT", "MAIN", Reference(name="Palm Tree Distribution"), None, 48, None, "Tasting")
