"""The story that Grove was made for, told over HTTP, step by step.

First the «Customer Groups» of a company that sells wine through distributors: a hierarchy, its placeholders,
groups that are created, assigned, moved and unassigned. Then the «Customer Group» as a set of customers.
"""

from collections.abc import AsyncIterator

import pytest

from tests.support.client import Grove, Json
from tests.support.company import outline, unassigned, version_of
from tests.support.service import Service

PLACE = "node { id index depth path level { name } parent { group { name } } }"


@pytest.fixture
async def http(service: Service) -> AsyncIterator[Grove]:
    async with service.client() as grove:
        yield grove


async def test_the_customer_groups_of_a_company(http: Grove) -> None:
    grove = http

    # A hierarchy with three levels starts with one placeholder a level, one below the other.
    payload = await grove.mutate(
        "createHierarchy",
        {"name": "Sales", "description": "Who sells where", "levels": ["Division", "State", "Distributor"]},
        """
        hierarchy {
          id version nodeCount
          levels { depth name nodeCount }
          nodes { nodes { id depth level { name } group { id name code status } } }
        }
        """,
    )
    sales = payload["hierarchy"]
    hierarchy = {"hierarchyId": sales["id"]}
    assert sales["version"] == 1
    assert sales["levels"] == [
        {"depth": 1, "name": "Division", "nodeCount": 1},
        {"depth": 2, "name": "State", "nodeCount": 1},
        {"depth": 3, "name": "Distributor", "nodeCount": 1},
    ]
    placeholders = sales["nodes"]["nodes"]
    assert [node["level"]["name"] for node in placeholders] == ["Division", "State", "Distributor"]
    assert [node["group"]["code"] for node in placeholders] == ["CG-000001", "CG-000002", "CG-000003"]
    assert all(node["group"]["status"] == "ACTIVE" for node in placeholders)

    # The first is renamed, the other two are deleted.
    top, *others = [node["group"]["id"] for node in placeholders]
    await grove.mutate("updateCustomerGroup", {"id": top, "name": "Central"})
    for group in reversed(others):
        deleted = await grove.mutate("deleteCustomerGroup", {"id": group}, "deletedId")
        assert deleted["deletedId"] == group
    assert await outline(grove) == ["Central"]
    await grove.mutate("deleteCustomerGroup", {"id": top})
    assert await outline(grove) == []

    # «East» is created beside the tree, and shows among the groups that are not assigned.
    east = await created(grove, "East", description="Eastern division")
    assert east["code"] == "CG-000004"
    assert await unassigned(grove) == ["East"]

    # Assigned at the top, it stands on the level Division.
    payload = await grove.mutate("assignGroup", {**hierarchy, "group": {"name": "East"}}, PLACE)
    nodes = {"East": payload["node"]["id"]}
    assert payload["node"]["level"] == {"name": "Division"}
    assert payload["node"]["path"] == ["East"]
    assert await unassigned(grove) == []

    # «West» is created beside it in one step, and so is «FL» under East.
    placed = await place(grove, "West", hierarchy)
    nodes["West"] = placed["id"]
    assert (placed["index"], placed["level"]) == (1, {"name": "Division"})
    placed = await place(grove, "FL", hierarchy, nodes["East"], description="Florida")
    nodes["FL"] = placed["id"]
    assert placed["path"] == ["East", "FL"]
    assert placed["level"] == {"name": "State"}
    assert placed["parent"] == {"group": {"name": "East"}}

    # The rest of the company.
    for name, parent in (
        ("IL", "East"),
        ("TX", "West"),
        ("CA", "West"),
        ("Palm Tree Distribution", "FL"),
        ("Chi-town Distribution", "IL"),
        ("Lone Star Drinks", "TX"),
        ("Rio Grande Wines", "TX"),
        ("Bay Area Beverages", "CA"),
    ):
        nodes[name] = (await place(grove, name, hierarchy, nodes[parent]))["id"]
    company = [
        "East",
        "  FL",
        "    Palm Tree Distribution",
        "  IL",
        "    Chi-town Distribution",
        "West",
        "  TX",
        "    Lone Star Drinks",
        "    Rio Grande Wines",
        "  CA",
        "    Bay Area Beverages",
    ]
    assert await outline(grove) == company

    # States are re-ordered: one by one, and all at once.
    await grove.mutate("moveNode", {"nodeId": nodes["IL"], "position": {"before": nodes["FL"]}})
    await grove.mutate(
        "reorderChildren",
        {**hierarchy, "parentId": nodes["West"], "childIds": [nodes["CA"], nodes["TX"]]},
    )
    company = [
        "East",
        "  IL",
        "    Chi-town Distribution",
        "  FL",
        "    Palm Tree Distribution",
        "West",
        "  CA",
        "    Bay Area Beverages",
        "  TX",
        "    Lone Star Drinks",
        "    Rio Grande Wines",
    ]
    assert await outline(grove) == company

    # California moves under East with its distributor, and back.
    moved = await grove.mutate(
        "moveNode",
        {"nodeId": nodes["CA"], "parentId": nodes["East"]},
        f"{PLACE} previousParent {{ group {{ name }} }}",
    )
    assert moved["node"]["path"] == ["East", "CA"]
    assert moved["previousParent"] == {"group": {"name": "West"}}
    assert (await outline(grove))[5:7] == ["  CA", "    Bay Area Beverages"]
    await grove.mutate("moveNode", {"nodeId": nodes["CA"], "parentId": nodes["West"], "position": {"first": True}})
    assert await outline(grove) == company

    # It cannot move to where it, or its distributor, would be too deep. Nothing has changed then.
    version = await version_of(grove)
    for parent in ("FL", "Palm Tree Distribution"):
        refused = await grove.mutate(
            "moveNode",
            {"nodeId": nodes["CA"], "parentId": nodes[parent]},
            "node { id } hierarchy { id } previousParent { id }",
            errors=["TOO_DEEP"],
        )
        assert refused["userErrors"][0]["path"] == ["input", "parentId"]
        assert "«CA»" in refused["userErrors"][0]["message"]
        assert (refused["node"], refused["hierarchy"], refused["previousParent"]) == (None, None, None)
    assert await outline(grove) == company
    assert await version_of(grove) == version

    # Texas is unassigned with its distributors, who wait among the unassigned groups.
    left = await grove.mutate(
        "unassignNode",
        {"nodeId": nodes["TX"], "expectedVersion": version},
        "groups { name nodes { id } } hierarchy { version nodeCount }",
    )
    assert [gone["name"] for gone in left["groups"]] == ["TX", "Lone Star Drinks", "Rio Grande Wines"]
    assert all(gone["nodes"] == [] for gone in left["groups"])
    assert left["hierarchy"] == {"version": version + 1, "nodeCount": 8}
    assert await outline(grove) == company[:-3]
    assert await unassigned(grove) == ["Lone Star Drinks", "Rio Grande Wines", "TX"]

    # A second hierarchy holds the same groups in another order: the states above the divisions.
    payload = await grove.mutate(
        "createHierarchy",
        {"name": "Markets", "levels": ["State", "Division"], "placeholders": False},
        "hierarchy { id }",
    )
    markets = {"hierarchyId": payload["hierarchy"]["id"]}
    payload = await grove.mutate(
        "assignGroups",
        {**markets, "groups": [{"name": "CA"}, {"name": "FL"}, {"name": "TX"}]},
        "nodes { id } hierarchy { nodeCount }",
    )
    assert payload["hierarchy"] == {"nodeCount": 3}
    florida = payload["nodes"][1]["id"]
    await grove.mutate("assignGroup", {**markets, "group": {"name": "East"}, "parentId": florida})
    assert await outline(grove, "Markets") == ["CA", "FL", "  East", "TX"]
    assert await outline(grove) == company[:-3]
    data = await grove.query(
        '{ customerGroup(by: { name: "East" }) { nodes { path depth hierarchy { name } level { name } } } }'
    )
    assert data["customerGroup"]["nodes"] == [
        {
            "path": ["FL", "East"],
            "depth": 2,
            "hierarchy": {"name": "Markets"},
            "level": {"name": "Division"},
        },
        {"path": ["East"], "depth": 1, "hierarchy": {"name": "Sales"}, "level": {"name": "Division"}},
    ]


async def test_a_group_as_a_set_of_customers(http: Grove) -> None:
    grove = http

    # Customers of several types.
    for code, name, type in (
        ("K-01", "Corner Shop", "RETAILER"),
        ("K-02", "Grand Hotel", "HOTEL"),
        ("K-03", "Wine Bar", "BAR"),
        ("K-04", "Night Club", "BAR"),
    ):
        await grove.mutate("createCustomer", {"code": code, "name": name, "type": type})
    assert (await grove.query("{ customerTypes }"))["customerTypes"] == ["BAR", "HOTEL", "RETAILER"]

    # A group with two of them; its unique code is generated.
    vip = await created(grove, "Key accounts", customerCodes=["K-02", "K-03"])
    assert vip["code"] == "CG-000001"
    assert await members(grove, "CG-000001") == ["K-02", "K-03"]

    # A code can be given, too; it is as unique, and the next generated one passes it over.
    assert (await created(grove, "Bars", code="CG-000002"))["code"] == "CG-000002"
    await grove.mutate("createCustomerGroup", {"name": "Others", "code": "cg-000002"}, errors=["CODE_TAKEN"])
    await grove.mutate("createCustomerGroup", {"name": "key ACCOUNTS"}, errors=["NAME_TAKEN"])
    assert (await created(grove, "Hotels"))["code"] == "CG-000003"

    # Customers chosen by type are added, and one is in already.
    data = await grove.query('{ customers(filter: { type: ["BAR"] }) { nodes { id } } }')
    bars = [node["id"] for node in data["customers"]["nodes"]]
    payload = await grove.mutate(
        "addCustomersToGroup",
        {"group": {"id": vip["id"]}, "customerIds": bars},
        "added alreadyIn group { customerCount version }",
    )
    assert (payload["added"], payload["alreadyIn"]) == (1, 1)
    assert payload["group"] == {"customerCount": 3, "version": 2}

    # Two are removed by their codes; one was never in.
    payload = await grove.mutate(
        "removeCustomersFromGroup",
        {"group": {"code": "CG-000001"}, "customerCodes": ["K-02", "K-01"]},
        "removed notIn group { customerCount version }",
    )
    assert (payload["removed"], payload["notIn"]) == (1, 1)
    assert payload["group"] == {"customerCount": 2, "version": 3}
    assert await members(grove, "CG-000001") == ["K-03", "K-04"]

    # Inactive, it keeps its members, but it cannot be assigned any more.
    payload = await grove.mutate(
        "updateCustomerGroup", {"id": vip["id"], "status": "INACTIVE"}, "group { status customerCount }"
    )
    assert payload["group"] == {"status": "INACTIVE", "customerCount": 2}
    made = await grove.mutate(
        "createHierarchy",
        {"name": "Sales", "levels": ["Division"], "placeholders": False},
        "hierarchy { id }",
    )
    assign = {"hierarchyId": made["hierarchy"]["id"], "group": {"code": "CG-000001"}}
    refused = await grove.mutate("assignGroup", assign, errors=["GROUP_INACTIVE"])
    assert "«Key accounts» (CG-000001)" in refused["userErrors"][0]["message"]

    # It is found by code, name, status and number of customers.
    for condition in (
        '{ code: { startsWith: "cg-000001" } }',
        '{ name: { contains: "ACC" } }',
        "{ status: INACTIVE }",
        "{ customerCount: { min: 1 } }",
        '{ containsCustomer: { code: "K-04" } }',
        '{ search: "key", status: INACTIVE, customerCount: { min: 2, max: 2 } }',
    ):
        data = await grove.query(f"{{ customerGroups(filter: {condition}) {{ totalCount nodes {{ name }} }} }}")
        assert data["customerGroups"] == {"totalCount": 1, "nodes": [{"name": "Key accounts"}]}

    # All of it stands in the log, newest first.
    data = await grove.query('{ customerGroup(by: { name: "Key accounts" }) { changes { nodes { action summary } } } }')
    assert data["customerGroup"]["changes"]["nodes"] == [
        {
            "action": "GROUP_UPDATED",
            "summary": "changed the status of «Key accounts» (CG-000001)",
        },
        {"action": "CUSTOMERS_REMOVED", "summary": "removed «Grand Hotel» (K-02) from «Key accounts»"},
        {"action": "CUSTOMERS_ADDED", "summary": "added «Night Club» (K-04) to «Key accounts»"},
        {"action": "CUSTOMERS_ADDED", "summary": "added 2 customers to «Key accounts»"},
        {"action": "GROUP_CREATED", "summary": "created «Key accounts» (CG-000001)"},
    ]


async def created(grove: Grove, name: str, **input: object) -> Json:
    """A new group that stands nowhere yet."""
    payload = await grove.mutate("createCustomerGroup", {"name": name, **input}, "group { id code }")
    made: Json = payload["group"]
    return made


async def place(grove: Grove, name: str, hierarchy: Json, parent: str | None = None, description: str = "") -> Json:
    """The node of a new group that is created right in the tree."""
    input = {"name": name, "description": description, "place": {**hierarchy, "parentId": parent}}
    node: Json = (await grove.mutate("createCustomerGroup", input, PLACE))["node"]
    return node


async def members(grove: Grove, code: str) -> list[str]:
    """The codes of a group's customers."""
    data = await grove.query(
        "query ($code: String!) { customerGroup(by: { code: $code }) { customers { nodes { code } } } }",
        {"code": code},
    )
    return [node["code"] for node in data["customerGroup"]["customers"]["nodes"]]
