"""A small company to test on, arranged through the API, and what a test asks of it again and again.

«Sales»: Division > State > Distributor        «Markets»: Region > Market
    East            C-1, C-2                       FL
      FL                                             East
        Palm Tree   C-2, C-3
        Sol Family  C-4
      IL
        Chi-town
    West
      CA
South (C-5) and TX are unassigned in both; Closed is inactive, and unassigned too.

100 of WINE are on hand at MAIN, of which 10 are reserved for South («@reservation open»); 5 for TX were released
(«@reservation released»).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from service.app import create_app
from service.settings import Settings
from tests.support.client import Grove, Json, running

ACTOR_HEADER = "X-Forwarded-User"
ACTOR = "ann@example.com"
LEVELS = ("Division", "State", "Distributor")
# Each node with those below it.
Shape = Mapping[str, "Shape"]
TREE: Shape = {
    "East": {"FL": {"Palm Tree": {}, "Sol Family": {}}, "IL": {"Chi-town": {}}},
    "West": {"CA": {}},
}
MEMBERS = {
    "East": ["C-1", "C-2"],
    "Palm Tree": ["C-2", "C-3"],
    "Sol Family": ["C-4"],
    "South": ["C-5"],
}
TYPES = {
    "C-1": "RETAILER",
    "C-2": "RETAILER",
    "C-3": "DISTRIBUTOR",
    "C-4": "distributor",
    "C-5": "",
    "C-6": "BAR",
}


@dataclass
class Company:
    """The ids of all that was arranged: of hierarchies, groups and nodes of «Sales» by name, customers by code."""

    grove: Grove
    hierarchies: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    customers: dict[str, str] = field(default_factory=dict)
    reservations: dict[str, str] = field(default_factory=dict)

    def filled(self, value: Any) -> Any:
        """The value with «@node FL», «@group FL», «@hierarchy Sales» and «@customer C-1» turned into ids."""
        if isinstance(value, Mapping):
            return {name: self.filled(inner) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.filled(inner) for inner in value]
        if isinstance(value, str) and value.startswith("@"):
            kind, _, name = value[1:].partition(" ")
            kinds = {
                "hierarchy": self.hierarchies,
                "group": self.groups,
                "node": self.nodes,
                "customer": self.customers,
                "reservation": self.reservations,
            }
            return kinds[kind][name]
        return value

    async def mutate(self, name: str, input: Mapping[str, Any], selection: str = "", **options: Any) -> Json:
        """`Grove.mutate` with an input that names things as `filled` has it."""
        return await self.grove.mutate(name, self.filled(input), selection, **options)


@asynccontextmanager
async def application(url: str, **settings: Any) -> AsyncIterator[Grove]:
    """A client of the application on this database, which is told who is calling: ACTOR, unless told otherwise."""
    async with running(create_app(Settings(database=url, actor_header=ACTOR_HEADER, **settings))) as grove:
        grove.http.headers[ACTOR_HEADER] = ACTOR
        yield grove


async def arrange(grove: Grove) -> Company:
    """Makes the company on an empty database."""
    company = Company(grove)
    for code, type in TYPES.items():
        company.customers[code] = await new_customer(grove, code, f"Customer {code[-1]}", type)
    sales = await new_hierarchy(grove, "Sales", LEVELS)
    company.hierarchies["Sales"] = sales
    await plant(company, sales, TREE)
    for name in ("South", "TX"):
        company.groups[name] = await new_group(grove, name, customerCodes=MEMBERS.get(name, []))
    company.groups["Closed"] = await new_group(grove, "Closed", status="INACTIVE")
    markets = await new_hierarchy(grove, "Markets", ("Region", "Market"))
    company.hierarchies["Markets"] = markets
    top = await assigned(grove, markets, company.groups["FL"])
    await assigned(grove, markets, company.groups["East"], top)
    await grove.mutate("setStock", {"sku": "WINE", "onHand": 100})
    company.reservations["open"] = await reserved(grove, "South", 10)
    company.reservations["released"] = await reserved(grove, "TX", 5)
    await grove.mutate("releaseReservation", {"id": company.reservations["released"]})
    return company


async def plant(company: Company, hierarchy: str, shape: Shape, parent: str | None = None) -> None:
    """Creates a group and its node for each entry of the shape, in its order."""
    for name, below in shape.items():
        place = {"hierarchyId": hierarchy, "parentId": parent}
        payload = await company.grove.mutate(
            "createCustomerGroup",
            {"name": name, "customerCodes": MEMBERS.get(name, []), "place": place},
            "group { id } node { id }",
        )
        company.groups[name] = payload["group"]["id"]
        company.nodes[name] = payload["node"]["id"]
        await plant(company, hierarchy, below, payload["node"]["id"])


async def new_hierarchy(grove: Grove, name: str, levels: Sequence[str] = LEVELS) -> str:
    """The id of a new hierarchy without placeholders."""
    input = {"name": name, "levels": list(levels), "placeholders": False}
    id: str = (await grove.mutate("createHierarchy", input, "hierarchy { id }"))["hierarchy"]["id"]
    return id


async def new_group(grove: Grove, name: str, **input: Any) -> str:
    """The id of a new group."""
    payload = await grove.mutate("createCustomerGroup", {"name": name, **input}, "group { id }")
    id: str = payload["group"]["id"]
    return id


async def new_customer(grove: Grove, code: str, name: str, type: str = "") -> str:
    """The id of a new customer."""
    payload = await grove.mutate("createCustomer", {"code": code, "name": name, "type": type}, "customer { id }")
    id: str = payload["customer"]["id"]
    return id


async def assigned(grove: Grove, hierarchy: str, group: str, parent: str | None = None, **input: Any) -> str:
    """The id of the node that a group gets."""
    payload = await grove.mutate(
        "assignGroup",
        {"hierarchyId": hierarchy, "group": {"id": group}, "parentId": parent, **input},
        "node { id }",
    )
    id: str = payload["node"]["id"]
    return id


async def reserved(grove: Grove, group: str, quantity: int, **input: Any) -> str:
    """The id of a new reservation of WINE, unless told otherwise."""
    payload = await grove.mutate(
        "reserveStock",
        {"sku": "WINE", "group": {"name": group}, "quantity": quantity, **input},
        "reservation { id }",
    )
    id: str = payload["reservation"]["id"]
    return id


async def outline(grove: Grove, hierarchy: str = "Sales") -> list[str]:
    """The names of a whole tree in display order, each behind two blanks for every level above it."""
    data = await grove.query(
        """
        query ($name: String!) {
          hierarchy(by: { name: $name }) { nodes(first: 1000) { nodes { depth group { name } } } }
        }
        """,
        {"name": hierarchy},
    )
    return ["  " * (node["depth"] - 1) + node["group"]["name"] for node in data["hierarchy"]["nodes"]["nodes"]]


async def unassigned(grove: Grove, hierarchy: str = "Sales") -> list[str]:
    """The names of the groups that do not stand in a hierarchy, in alphabetical order."""
    data = await grove.query(
        """
        query ($name: String!) {
          hierarchy(by: { name: $name }) { unassignedGroups(first: 1000) { nodes { name } } }
        }
        """,
        {"name": hierarchy},
    )
    return [group["name"] for group in data["hierarchy"]["unassignedGroups"]["nodes"]]


async def version_of(grove: Grove, hierarchy: str = "Sales") -> int:
    """The version of a hierarchy."""
    data = await grove.query(
        "query ($name: String!) { hierarchy(by: { name: $name }) { version } }", {"name": hierarchy}
    )
    version: int = data["hierarchy"]["version"]
    return version


async def latest_changes(grove: Grove, number: int) -> list[Json]:
    """The latest changes, oldest of them first."""
    data = await grove.query(
        """
        query ($number: Int!) {
          changes(first: $number) {
            nodes {
              actor action summary before after
              hierarchy { name } group { name } customer { code }
            }
          }
        }
        """,
        {"number": number},
    )
    changes: list[Json] = data["changes"]["nodes"]
    return changes[::-1]
