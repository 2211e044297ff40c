"""Every mutation: what it does, what it answers, what it writes into the log, and what it refuses."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from tests.support.client import Grove, Json
from tests.support.company import ACTOR, Company, application, arrange, latest_changes, outline, unassigned, version_of
from tests.support.contents import contents
from tests.support.copies import Standing, copied, standing
from tests.support.databases import Databases, fresh
from tests.support.payloads import MUTATIONS, selection_of
from tests.support.refusals import REFUSALS, VERSIONED, Refusal
from tests.support.sowing import Sowing, customer_id

SALES = {"hierarchyId": "@hierarchy Sales"}
SHOWN = "id name description version nodeCount levels { depth name nodeCount } createdAt updatedAt"
GROUP = "id code name description status version customerCount createdAt updatedAt customers { nodes { code } }"
CUSTOMER = "id code name type version createdAt updatedAt groups { nodes { name } }"
NODE = """
    id index depth path level { name } group { name } childCount descendantCount customerCount
    parent { group { name } childCount descendantCount }
"""


class Untouched(NamedTuple):
    """A company that refusals leave as it is, its database, and what that held at first."""

    company: Company
    url: str
    contents: str


@pytest.fixture(scope="module")
async def untouched(databases: Databases) -> AsyncIterator[Untouched]:
    async with fresh(databases) as url, application(url) as grove:
        company = await arrange(grove)
        yield Untouched(company, url, await contents(url))


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


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
async def test_refused(untouched: Untouched, refusal: Refusal) -> None:
    """The mistakes with their places, all at once; nothing else in the payload; and nothing has changed."""
    payload = await untouched.company.mutate(
        refusal.mutation,
        {**refusal.input, "clientMutationId": "mine"},
        selection_of(refusal.mutation),
        errors=None,
    )
    found = payload.pop("userErrors")
    assert payload.pop("clientMutationId") == "mine"
    assert [(error["code"], error["path"]) for error in found] == [
        (code, place_of(path)) for code, path, _ in refusal.mistakes
    ]
    for error, (_, _, words) in zip(found, refusal.mistakes, strict=True):
        assert words in error["message"]
    assert payload.pop("errorCount", len(found)) == len(found)
    assert all(not value for value in payload.values()), payload
    assert await contents(untouched.url) == untouched.contents


def place_of(path: str) -> list[str]:
    """Below the input, or in a file."""
    return path.split(".") if path.startswith("csv.") else ["input", *path.split(".")]


def test_every_mutation_refuses_something() -> None:
    assert {refusal.mutation for refusal in REFUSALS} == set(MUTATIONS)


def test_every_mutation_of_something_with_a_version_expects_it() -> None:
    versioned = {mutation for mutations in VERSIONED.values() for mutation, _ in mutations}
    # A file says all that it wants, so that what has changed meanwhile does not stand against it.
    imports = {mutation for mutation in MUTATIONS if mutation.startswith("import")}
    creating = {"createHierarchy", "createCustomerGroup", "createCustomer"}
    stock = {"setStock", "reserveStock", "consumeReservation", "releaseReservation"}
    assert set(MUTATIONS) - versioned - imports == creating | stock


@pytest.mark.parametrize(
    ("name", "mutation", "input"),
    [(name, mutation, input) for name, mutations in VERSIONED.items() for mutation, input in mutations],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
async def test_the_expected_version(company: Company, name: str, mutation: str, input: Mapping[str, Any]) -> None:
    """At the version that was read it is done, and then the version is another one."""
    if mutation == "removeLevel":
        nodes = ["@node Palm Tree", "@node Sol Family", "@node Chi-town"]
        await company.mutate("unassignNodes", {"nodeIds": nodes})
    before = await version(company, name)
    assert before is not None
    await company.mutate(mutation, {**input, "expectedVersion": before})
    after = await version(company, name)
    assert after == (None if mutation.startswith("delete") else before + 1)


async def version(company: Company, name: str) -> int | None:
    """The version of the one thing that VERSIONED names so, None where it is gone."""
    data = await company.grove.query(
        """
        query ($sales: ID!, $east: ID!, $first: ID!) {
          sales: hierarchy(by: { id: $sales }) { version }
          east: customerGroup(by: { id: $east }) { version }
          first: customer(by: { id: $first }) { version }
        }
        """,
        company.filled({"sales": "@hierarchy Sales", "east": "@group East", "first": "@customer C-1"}),
    )
    key = {"«Sales»": "sales", "«East» (CG-000001)": "east", "«Customer 1» (C-1)": "first"}[name]
    return data[key]["version"] if data[key] else None


async def logged(company: Company, number: int) -> list[tuple[str, str]]:
    """The action and summary of the latest changes, oldest first; all by ACTOR."""
    changes = await latest_changes(company.grove, number)
    assert {change["actor"] for change in changes} == {ACTOR}
    return [(change["action"], change["summary"]) for change in changes]


async def total_changes(company: Company) -> int:
    total: int = (await company.grove.query("{ changes { totalCount } }"))["changes"]["totalCount"]
    return total


# ── hierarchies ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_create_hierarchy(company: Company) -> None:
    payload = await company.mutate(
        "createHierarchy",
        {
            # What is stored is trimmed and composed.
            "name": "  Cafe\u0301s ",
            "description": " Who pours what,\nand where ",
            "levels": [" Top", "Middle", "BOTTOM "],
            "placeholders": False,
            "clientMutationId": "mine",
        },
        f"hierarchy {{ {SHOWN} roots {{ totalCount }} }} clientMutationId",
    )
    made = payload["hierarchy"]
    assert payload["clientMutationId"] == "mine"
    assert made["name"] == "Cafés"
    assert made["description"] == "Who pours what,\nand where"
    assert [level["name"] for level in made["levels"]] == ["Top", "Middle", "BOTTOM"]
    assert [level["depth"] for level in made["levels"]] == [1, 2, 3]
    assert (made["version"], made["nodeCount"], made["roots"]["totalCount"]) == (1, 0, 0)
    assert made["createdAt"] == made["updatedAt"]
    assert await latest_changes(company.grove, 1) == [
        {
            "actor": ACTOR,
            "action": "HIERARCHY_CREATED",
            "summary": "created the hierarchy «Cafés»",
            "before": None,
            "after": {
                "name": "Cafés",
                "description": "Who pours what,\nand where",
                "levels": ["Top", "Middle", "BOTTOM"],
            },
            "hierarchy": {"name": "Cafés"},
            "group": None,
            "customer": None,
        }
    ]


async def test_create_hierarchy_with_placeholders(company: Company) -> None:
    # The name that the second placeholder would get is taken, whatever its case.
    await company.mutate("createCustomerGroup", {"name": "NEW middle (PLAN)"})
    before = await total_changes(company)
    payload = await company.mutate(
        "createHierarchy",
        {"name": "Plan", "levels": ["Top", "Middle"]},
        f"hierarchy {{ {SHOWN} nodes {{ nodes {{ path group {{ code status version }} }} }} }}",
    )
    first, second = payload["hierarchy"]["nodes"]["nodes"]
    assert payload["hierarchy"]["version"] == 1
    assert [level["nodeCount"] for level in payload["hierarchy"]["levels"]] == [1, 1]
    assert first["path"] == ["New Top (Plan)"]
    assert second["path"] == ["New Top (Plan)", "New Middle (Plan) 2"]
    assert [node["group"]["code"] for node in (first, second)] == ["CG-000013", "CG-000014"]
    assert [action for action, _ in await logged(company, await total_changes(company) - before)] == [
        "HIERARCHY_CREATED",
        "GROUP_CREATED",
        "GROUP_CREATED",
        "GROUP_ASSIGNED",
        "GROUP_ASSIGNED",
    ]


@pytest.mark.parametrize(
    "levels",
    [
        [f"L{depth}" for depth in range(1, 129)],
        # They differ only where a placeholder's name has no room for them.
        ["L" * 199 + "a", "L" * 199 + "b", "L" * 198 + " c"],
        # 33 bytes each, once compatibility forms are made one.
        ["\ufdfa" * 60, "\ufdfa" * 59],
    ],
    ids=["128 levels", "long names", "wide letters"],
)
async def test_placeholders_of_hard_levels(company: Company, levels: Sequence[str]) -> None:
    payload = await company.mutate(
        "createHierarchy",
        {"name": "\ufdfa" * 60, "levels": levels},
        "hierarchy { nodeCount nodes(first: 200) { nodes { depth path } } }",
    )
    assert payload["hierarchy"]["nodeCount"] == len(levels)
    last = payload["hierarchy"]["nodes"]["nodes"][-1]
    assert (last["depth"], len(set(last["path"]))) == (len(levels), len(levels))


async def test_update_hierarchy(company: Company) -> None:
    async def update(**input: Any) -> Json:
        payload = await company.mutate(
            "updateHierarchy", {"id": "@hierarchy Sales", **input}, "hierarchy { name description version }"
        )
        hierarchy: Json = payload["hierarchy"]
        return hierarchy

    first = await version_of(company.grove)
    # Its own name in another case is not taken.
    assert await update(name="SALES") == {"name": "SALES", "description": "", "version": first + 1}
    assert await update(description=" All ") == {"name": "SALES", "description": "All", "version": first + 2}
    assert await latest_changes(company.grove, 2) == [
        {
            "actor": ACTOR,
            "action": "HIERARCHY_UPDATED",
            "summary": "renamed the hierarchy «Sales» to «SALES»",
            "before": {"name": "Sales", "description": ""},
            "after": {"name": "SALES", "description": ""},
            "hierarchy": {"name": "SALES"},
            "group": None,
            "customer": None,
        },
        {
            "actor": ACTOR,
            "action": "HIERARCHY_UPDATED",
            "summary": "described the hierarchy «SALES»",
            "before": {"name": "SALES", "description": ""},
            "after": {"name": "SALES", "description": "All"},
            "hierarchy": {"name": "SALES"},
            "group": None,
            "customer": None,
        },
    ]
    # Null as what is left out stays; what stays as it was is no change.
    changes = await total_changes(company)
    for nothing in ({}, {"name": None, "description": None}, {"name": " SALES "}):
        assert await update(**nothing) == {"name": "SALES", "description": "All", "version": first + 2}
    assert await total_changes(company) == changes
    assert await update(description="", name="Sales") == {"name": "Sales", "description": "", "version": first + 3}


async def test_delete_hierarchy(company: Company) -> None:
    payload = await company.mutate("deleteHierarchy", {"id": "@hierarchy Sales"}, "deletedId")
    assert payload["deletedId"] == company.hierarchies["Sales"]
    gone = [company.hierarchies["Sales"], *company.nodes.values()]
    assert (await company.grove.query("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": gone}))["nodes"] == [
        None
    ] * len(gone)
    # The groups remain, with their members and their other places.
    data = await company.grove.query(
        '{ customerGroups { totalCount } customerGroup(by: { name: "East" }) { version customerCount nodes { path } } }'
    )
    assert data["customerGroups"]["totalCount"] == 11
    assert data["customerGroup"] == {"version": 1, "customerCount": 2, "nodes": [{"path": ["FL", "East"]}]}
    assert await latest_changes(company.grove, 1) == [
        {
            "actor": ACTOR,
            "action": "HIERARCHY_DELETED",
            "summary": "deleted the hierarchy «Sales»",
            "before": {
                "name": "Sales",
                "description": "",
                "levels": ["Division", "State", "Distributor"],
                "nodeCount": 8,
            },
            "after": None,
            "hierarchy": None,
            "group": None,
            "customer": None,
        }
    ]
    # The name is free again.
    await company.mutate("createHierarchy", {"name": "Sales", "levels": ["A"]})


async def test_levels(company: Company) -> None:
    first = await version_of(company.grove)
    added = await company.mutate("addLevel", {**SALES, "name": " Outlet "}, f"hierarchy {{ {SHOWN} }}")
    assert added["hierarchy"]["version"] == first + 1
    assert added["hierarchy"]["levels"][3] == {"depth": 4, "name": "Outlet", "nodeCount": 0}
    # Its own name in another case is not taken.
    await company.mutate("renameLevel", {**SALES, "depth": 4, "name": "OUTLET"})
    renamed = await company.mutate("renameLevel", {**SALES, "depth": 4, "name": "Shop"}, f"hierarchy {{ {SHOWN} }}")
    assert renamed["hierarchy"]["version"] == first + 3
    assert [level["name"] for level in renamed["hierarchy"]["levels"]] == ["Division", "State", "Distributor", "Shop"]
    # Now there is room below the distributors.
    await company.mutate("assignGroup", {**SALES, "group": {"name": "TX"}, "parentId": "@node Palm Tree"})
    await company.mutate("removeLevel", {**SALES, "depth": 4}, errors=["LEVEL_IN_USE"])
    await company.mutate("moveNode", {"nodeId": "@node Palm Tree", "parentId": None})
    removed = await company.mutate("removeLevel", {**SALES, "depth": 4}, f"hierarchy {{ {SHOWN} }}")
    assert [level["nodeCount"] for level in removed["hierarchy"]["levels"]] == [3, 4, 2]
    changes = await latest_changes(company.grove, 6)
    assert [(change["action"], change["summary"], change["before"], change["after"]) for change in changes][:3] == [
        ("LEVEL_ADDED", "added the level «Outlet» to «Sales»", None, {"depth": 4, "name": "Outlet"}),
        (
            "LEVEL_RENAMED",
            "renamed the level «Outlet» to «OUTLET» in «Sales»",
            {"depth": 4, "name": "Outlet"},
            {"depth": 4, "name": "OUTLET"},
        ),
        (
            "LEVEL_RENAMED",
            "renamed the level «OUTLET» to «Shop» in «Sales»",
            {"depth": 4, "name": "OUTLET"},
            {"depth": 4, "name": "Shop"},
        ),
    ]
    assert changes[-1] == {
        "actor": ACTOR,
        "action": "LEVEL_REMOVED",
        "summary": "removed the level «Shop» from «Sales»",
        "before": {"depth": 4, "name": "Shop"},
        "after": None,
        "hierarchy": {"name": "Sales"},
        "group": None,
        "customer": None,
    }
    # A name that is as it was is no change.
    await company.mutate("renameLevel", {**SALES, "depth": 1, "name": " Division"})
    assert await latest_changes(company.grove, 1) == changes[-1:]


async def test_a_hierarchy_has_1_to_128_levels(company: Company) -> None:
    levels = [f"L{depth}" for depth in range(1, 129)]
    input = {"name": "Deep", "levels": levels, "placeholders": False}
    deep = await company.mutate("createHierarchy", input, "hierarchy { id levels { depth } }")
    assert len(deep["hierarchy"]["levels"]) == 128
    id = {"hierarchyId": deep["hierarchy"]["id"]}
    refused = await company.mutate("addLevel", {**id, "name": "L129"}, errors=["OUT_OF_RANGE"])
    assert "at most 128 levels" in refused["userErrors"][0]["message"]
    for depth in range(128, 1, -1):
        await company.mutate("removeLevel", {**id, "depth": depth})
    refused = await company.mutate("removeLevel", {**id, "depth": 1}, errors=["OUT_OF_RANGE"])
    assert "keeps at least one level" in refused["userErrors"][0]["message"]


async def add_level(company: Company, name: str, depth: int, **input: Any) -> Json:
    return await company.mutate(
        "addLevel",
        {**SALES, "name": name, "depth": depth, **input},
        f"movedCount createdCount hierarchy {{ {SHOWN} }}",
    )


async def test_a_level_in_between(company: Company) -> None:
    # The name that the first placeholder would get is taken, whatever its case.
    await company.mutate("createCustomerGroup", {"name": "NEW region (east)"})
    version = await version_of(company.grove)
    payload = await add_level(company, "Region", 2)
    assert (payload["movedCount"], payload["createdCount"]) == (6, 2)
    assert payload["hierarchy"]["version"] == version + 1
    assert payload["hierarchy"]["levels"] == [
        {"depth": 1, "name": "Division", "nodeCount": 2},
        {"depth": 2, "name": "Region", "nodeCount": 2},
        {"depth": 3, "name": "State", "nodeCount": 3},
        {"depth": 4, "name": "Distributor", "nodeCount": 3},
    ]
    assert await outline(company.grove) == [
        "East",
        "  New Region (East) 2",
        "    FL",
        "      Palm Tree",
        "      Sol Family",
        "    IL",
        "      Chi-town",
        "West",
        "  New Region (West)",
        "    CA",
    ]
    data = await company.grove.query(
        f"""
        query ($fl: ID!, $palm: ID!) {{
          fl: hierarchyNode(id: $fl) {{ {NODE} }}
          palm: hierarchyNode(id: $palm) {{ id path level {{ name }} ancestors {{ group {{ name }} }} }}
          customerGroup(by: {{ name: "New Region (West)" }}) {{ code status version description customerCount }}
        }}
        """,
        company.filled({"fl": "@node FL", "palm": "@node Palm Tree"}),
    )
    assert (data["fl"]["depth"], data["fl"]["index"], data["fl"]["descendantCount"]) == (3, 0, 2)
    assert data["fl"]["parent"] == {"group": {"name": "New Region (East) 2"}, "childCount": 2, "descendantCount": 5}
    assert data["palm"]["path"] == ["East", "New Region (East) 2", "FL", "Palm Tree"]
    assert data["palm"]["level"] == {"name": "Distributor"}
    assert data["customerGroup"] == {
        "code": "CG-000014",
        "status": "ACTIVE",
        "version": 1,
        "description": "",
        "customerCount": 0,
    }
    assert await logged(company, 8) == [
        ("GROUP_CREATED", "created «New Region (East) 2» (CG-000013)"),
        ("GROUP_CREATED", "created «New Region (West)» (CG-000014)"),
        ("LEVEL_ADDED", "added the level «Region» to «Sales», above «State»"),
        ("GROUP_ASSIGNED", "assigned «New Region (East) 2» under «East» in «Sales»"),
        ("GROUP_ASSIGNED", "assigned «New Region (West)» under «West» in «Sales»"),
        ("NODE_MOVED", "moved «FL» from «East» to «New Region (East) 2» in «Sales»"),
        ("NODE_MOVED", "moved «IL» from «East» to «New Region (East) 2» in «Sales»"),
        ("NODE_MOVED", "moved «CA» from «West» to «New Region (West)» in «Sales»"),
    ]
    changes = await latest_changes(company.grove, 6)
    assert (changes[0]["before"], changes[0]["after"]) == (None, {"depth": 2, "name": "Region"})
    between = changes[1]["after"]["nodeId"]
    assert changes[1]["after"] == {"nodeId": between, "parentId": company.nodes["East"], "parent": "East", "depth": 2}
    assert changes[3]["before"] == {"parentId": company.nodes["East"], "parent": "East", "depth": 2}
    assert changes[3]["after"] == {"parentId": between, "parent": "New Region (East) 2", "depth": 3}
    # The tree works on: a subtree from below one placeholder to below the other, and a level removed again.
    await company.mutate("moveNode", {"nodeId": "@node FL", "parentId": data["fl"]["id"]}, errors=["CYCLE"])
    await company.mutate("moveNode", {"nodeId": "@node IL", "parentId": "@node West"})
    removed = await company.mutate(
        "removeLevel",
        {**SALES, "depth": 2, "mode": "MERGE_UP"},
        f"movedCount removedCount hierarchy {{ {SHOWN} }}",
    )
    # IL stood on the level itself by then.
    assert (removed["movedCount"], removed["removedCount"]) == (5, 3)
    assert await outline(company.grove) == [
        "East",
        "  FL",
        "    Palm Tree",
        "    Sol Family",
        "West",
        "  CA",
        "  Chi-town",
    ]


@pytest.mark.parametrize(
    ("depth", "counts", "levels", "expected"),
    [
        (
            1,
            (8, 1),
            ["New", "Division", "State", "Distributor"],
            ["New New (Sales)", "  East", "    FL", "      Palm Tree"],
        ),
        (
            3,
            (3, 2),
            ["Division", "State", "New", "Distributor"],
            ["East", "  FL", "    New New (FL)", "      Palm Tree", "      Sol Family", "  IL", "    New New (IL)"],
        ),
        (4, (0, 0), ["Division", "State", "Distributor", "New"], ["East", "  FL", "    Palm Tree"]),
        (None, (0, 0), ["Division", "State", "Distributor", "New"], ["East", "  FL", "    Palm Tree"]),
    ],
)
async def test_a_level_at_every_depth(
    company: Company, depth: int | None, counts: tuple[int, int], levels: Sequence[str], expected: Sequence[str]
) -> None:
    """A dry run tells the same numbers beforehand; merged up again, the tree is as it was."""
    before = await outline(company.grove)
    input = {**SALES, "name": "New", "depth": depth}
    for dry in (True, False):
        payload = await company.mutate(
            "addLevel", {**input, "dryRun": dry}, f"movedCount createdCount hierarchy {{ {SHOWN} }}"
        )
        assert (payload["movedCount"], payload["createdCount"]) == counts
        assert [level["name"] for level in payload["hierarchy"]["levels"]] == levels
        assert payload["hierarchy"]["nodeCount"] == 8 + counts[1]
        assert (await outline(company.grove) == before) is (dry or counts == (0, 0))
    assert (await outline(company.grove))[: len(expected)] == expected
    input = {**SALES, "depth": depth or 4, "mode": "MERGE_UP"}
    for dry in (True, False):
        payload = await company.mutate("removeLevel", {**input, "dryRun": dry}, "movedCount removedCount")
        assert (payload["movedCount"], payload["removedCount"]) == counts
    assert await outline(company.grove) == before


async def test_a_level_into_a_tree_without_nodes(company: Company) -> None:
    input = {"name": "Empty", "levels": ["A", "B"], "placeholders": False}
    made = await company.mutate("createHierarchy", input, "hierarchy { id }")
    id = {"hierarchyId": made["hierarchy"]["id"]}
    for depth in (1, 2, 5):
        payload = await company.mutate("addLevel", {**id, "name": f"L{depth}", "depth": depth}, "createdCount")
        assert payload["createdCount"] == 0
    removed = await company.mutate(
        "removeLevel", {**id, "depth": 2, "mode": "MERGE_UP"}, "removedCount hierarchy { levels { name depth } }"
    )
    assert removed["removedCount"] == 0
    assert [level["name"] for level in removed["hierarchy"]["levels"]] == ["L1", "A", "B", "L5"]
    assert [level["depth"] for level in removed["hierarchy"]["levels"]] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("depth", "counts", "expected", "left"),
    [
        (
            1,
            (6, 2),
            ["FL", "  Palm Tree", "  Sol Family", "IL", "  Chi-town", "CA"],
            ["Closed", "East", "South", "TX", "West"],
        ),
        (
            2,
            (3, 3),
            ["East", "  Palm Tree", "  Sol Family", "  Chi-town", "West"],
            ["CA", "Closed", "FL", "IL", "South", "TX"],
        ),
        (
            3,
            (0, 3),
            ["East", "  FL", "  IL", "West", "  CA"],
            ["Chi-town", "Closed", "Palm Tree", "Sol Family", "South", "TX"],
        ),
    ],
)
async def test_a_level_merged_up(
    company: Company, depth: int, counts: tuple[int, int], expected: Sequence[str], left: Sequence[str]
) -> None:
    version = await version_of(company.grove)
    before = await total_changes(company)
    payload = await company.mutate(
        "removeLevel",
        {**SALES, "depth": depth, "mode": "MERGE_UP"},
        f"movedCount removedCount hierarchy {{ {SHOWN} }}",
    )
    assert (payload["movedCount"], payload["removedCount"]) == counts
    assert payload["hierarchy"]["version"] == version + 1
    names = ["Division", "State", "Distributor"]
    del names[depth - 1]
    assert [level["name"] for level in payload["hierarchy"]["levels"]] == names
    assert payload["hierarchy"]["nodeCount"] == len(expected) == 8 - counts[1]
    assert await outline(company.grove) == expected
    assert await unassigned(company.grove) == left
    # East stands in «Markets» as before, and keeps its members.
    assert await outline(company.grove, "Markets") == ["FL", "  East"]
    actions = [action for action, _ in await logged(company, await total_changes(company) - before)]
    assert actions[0] == "LEVEL_REMOVED"
    assert actions.count("GROUP_UNASSIGNED") == counts[1]
    assert actions.count("NODE_MOVED") == {1: 3, 2: 3, 3: 0}[depth]
    assert len(actions) == 1 + counts[1] + actions.count("NODE_MOVED")


async def test_levels_put_in_and_merged_to_the_limits(company: Company) -> None:
    for number in range(125):
        await company.mutate("addLevel", {**SALES, "name": f"L{number}", "depth": 1 + number % 4})
    refused = await add_level_refused(company, depth=2)
    assert "at most 128 levels" in refused["message"]
    deepest = await company.grove.query(
        "query ($id: ID!) { hierarchyNode(id: $id) { depth path } }", {"id": company.nodes["Palm Tree"]}
    )
    assert deepest["hierarchyNode"]["depth"] == len(deepest["hierarchyNode"]["path"]) == 128
    for _ in range(127):
        await company.mutate("removeLevel", {**SALES, "depth": 1, "mode": "MERGE_UP"})
    assert await outline(company.grove) == ["Palm Tree", "Sol Family", "Chi-town"]
    payload = await company.mutate("removeLevel", {**SALES, "depth": 1, "mode": "MERGE_UP"}, errors=["OUT_OF_RANGE"])
    assert "keeps at least one level" in payload["userErrors"][0]["message"]


async def add_level_refused(company: Company, depth: int) -> Json:
    payload = await company.mutate("addLevel", {**SALES, "name": "New", "depth": depth}, errors=["OUT_OF_RANGE"])
    error: Json = payload["userErrors"][0]
    return error


async def test_placeholders_get_free_names_again_and_again(company: Company) -> None:
    """Those that were left over from before keep theirs, as does a code of the generated form."""
    await company.mutate("createCustomerGroup", {"name": "Mine", "code": "CG-000013"})
    for number in range(1, 14):
        await add_level(company, "Region", 2)
        ending = f" {number}" if number > 1 else ""
        names = [f"New Region (East){ending}", f"New Region (West){ending}"]
        assert [name.strip() for name in await outline(company.grove) if "Region" in name] == names
        await company.mutate("removeLevel", {**SALES, "depth": 2, "mode": "MERGE_UP"})
    data = await company.grove.query(
        '{ customerGroups(filter: { search: "New Region" }, first: 50) { nodes { code } totalCount } }'
    )
    assert data["customerGroups"]["totalCount"] == 26
    codes = [group["code"] for group in data["customerGroups"]["nodes"]]
    assert sorted(codes) == [f"CG-{number:06}" for number in range(12, 39) if number != 13]


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_create_customer_group(company: Company) -> None:
    payload = await company.mutate(
        "createCustomerGroup",
        {
            "name": " Cafe\u0301 Group ",
            "code": " café-1 ",
            "description": " Pours\ncoffee ",
            "status": "INACTIVE",
            # Each once, however often it is named, and by whatever.
            "customerIds": ["@customer C-1", "@customer C-2", "@customer C-1"],
            "customerCodes": ["c-2", " C-6", "C-6"],
            "place": None,
        },
        f"group {{ {GROUP} nodes {{ id }} }} node {{ id }}",
    )
    group = payload["group"]
    assert payload["node"] is None
    assert (group["code"], group["name"], group["description"]) == ("café-1", "Café Group", "Pours\ncoffee")
    assert (group["status"], group["version"], group["customerCount"]) == ("INACTIVE", 1, 3)
    assert group["customers"]["nodes"] == [{"code": "C-1"}, {"code": "C-2"}, {"code": "C-6"}]
    assert group["nodes"] == []
    assert group["createdAt"] == group["updatedAt"]
    changes = await latest_changes(company.grove, 2)
    assert changes[0] == {
        "actor": ACTOR,
        "action": "GROUP_CREATED",
        "summary": "created «Café Group» (café-1)",
        "before": None,
        "after": {"code": "café-1", "name": "Café Group", "description": "Pours\ncoffee", "status": "INACTIVE"},
        "hierarchy": None,
        "group": {"name": "Café Group"},
        "customer": None,
    }
    assert changes[1] == {
        "actor": ACTOR,
        "action": "CUSTOMERS_ADDED",
        "summary": "added 3 customers to «Café Group»",
        "before": None,
        "after": {"customers": ["C-1", "C-2", "C-6"]},
        "hierarchy": None,
        "group": {"name": "Café Group"},
        "customer": None,
    }


async def test_generated_codes_pass_over_those_that_are_taken(company: Company) -> None:
    for code in ("cg-000012", "CG-000013", "ＣＧ－００００１５"):
        await company.mutate("createCustomerGroup", {"name": f"Group {code}", "code": code})
    codes = []
    for name in ("One", "Two"):
        # Null is as left out.
        payload = await company.mutate("createCustomerGroup", {"name": name, "code": None}, "group { code }")
        codes.append(payload["group"]["code"])
    assert codes == ["CG-000014", "CG-000016"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (SALES, ["East", "West", "New"]),
        ({**SALES, "parentId": None, "position": None}, ["East", "West", "New"]),
        ({**SALES, "position": {"first": True}}, ["New", "East", "West"]),
        ({**SALES, "position": {"after": "@node East"}}, ["East", "New", "West"]),
        ({**SALES, "parentId": "@node East"}, ["FL", "IL", "New"]),
        ({**SALES, "parentId": "@node East", "position": {"index": 1}}, ["FL", "New", "IL"]),
        ({**SALES, "parentId": "@node East", "position": {"before": "@node FL"}}, ["New", "FL", "IL"]),
        ({**SALES, "parentId": "@node Chi-town"}, None),
    ],
)
async def test_create_a_group_right_in_the_tree(
    company: Company, place: Mapping[str, Any], expected: list[str] | None
) -> None:
    if expected is None:
        await company.mutate("addLevel", {**SALES, "name": "Outlet"})
        expected = ["New"]
    version = await version_of(company.grove)
    payload = await company.mutate(
        "createCustomerGroup",
        {"name": "New", "place": place},
        f"node {{ {NODE} hierarchy {{ version }} }} group {{ nodes {{ id }} }}",
    )
    node = payload["node"]
    assert payload["group"]["nodes"] == [{"id": node["id"]}]
    assert node["index"] == expected.index("New")
    assert node["level"]["name"] == ("Division", "State", "Distributor", "Outlet")[node["depth"] - 1]
    assert node["hierarchy"]["version"] == version + 1
    assert await children(company, place.get("parentId")) == expected
    assert [action for action, _ in await logged(company, 2)] == ["GROUP_CREATED", "GROUP_ASSIGNED"]


async def children(company: Company, parent: Any) -> list[str]:
    """The names of the groups below a node of «Sales», or of its roots."""
    page = "(first: 100) { nodes { group { name } } totalCount }"
    if parent is None:
        data = await company.grove.query(f'{{ hierarchy(by: {{ name: "Sales" }}) {{ found: roots{page} }} }}')
        found = data["hierarchy"]["found"]
    else:
        data = await company.grove.query(
            f"query ($id: ID!) {{ hierarchyNode(id: $id) {{ childCount found: children{page} }} }}",
            {"id": company.filled(parent)},
        )
        found = data["hierarchyNode"]["found"]
        assert data["hierarchyNode"]["childCount"] == found["totalCount"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["group"]["name"] for node in found["nodes"]]


async def test_update_customer_group(company: Company) -> None:
    async def update(**input: Any) -> Json:
        payload = await company.mutate(
            "updateCustomerGroup",
            {"id": "@group East", **input},
            "group { code name description status version customerCount nodes { depth } }",
        )
        group: Json = payload["group"]
        return group

    rest = {"customerCount": 2, "nodes": [{"depth": 2}, {"depth": 1}]}
    east = {"code": "CG-000001", "name": "East", "description": "", "status": "ACTIVE", **rest}
    # Null as what is left out stays; what stays as it was is no change.
    changes = await total_changes(company)
    for nothing in (
        {},
        {"name": None, "code": None, "description": None, "status": None},
        {"name": " East", "code": "CG-000001 ", "status": "ACTIVE"},
    ):
        assert await update(**nothing) == {**east, "version": 1}
    assert await total_changes(company) == changes
    # Its own name and code in another case are not taken.
    assert await update(name="EAST") == {**east, "name": "EAST", "version": 2}
    changed = {"code": "cg-000001", "name": "EAST", "description": "Two\nlines", "status": "INACTIVE"}
    found = await update(code="cg-000001", description=" Two\nlines ", status="INACTIVE")
    # Inactive, it keeps its places and its members.
    assert found == {**changed, **rest, "version": 3}
    assert await update(name="Orient", description="") == {
        **rest,
        "code": "cg-000001",
        "name": "Orient",
        "description": "",
        "status": "INACTIVE",
        "version": 4,
    }
    rows = await latest_changes(company.grove, 3)
    assert [row["summary"] for row in rows] == [
        "renamed «East» to «EAST»",
        "changed the code, description, status of «EAST» (CG-000001)",
        "changed the description, name of «EAST» (cg-000001)",
    ]
    assert rows[1] == {
        "actor": ACTOR,
        "action": "GROUP_UPDATED",
        "summary": "changed the code, description, status of «EAST» (CG-000001)",
        "before": {"code": "CG-000001", "name": "EAST", "description": "", "status": "ACTIVE"},
        "after": changed,
        "hierarchy": None,
        "group": {"name": "Orient"},
        "customer": None,
    }
    # The tree shows the new name at once, and the old one is free again.
    assert (await outline(company.grove))[0] == "Orient"
    await company.mutate("createCustomerGroup", {"name": "East"})


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("UNASSIGN", ["East", "  IL", "    Chi-town", "West", "  CA"]),
        ("PROMOTE", ["East", "  Palm Tree", "  Sol Family", "  IL", "    Chi-town", "West", "  CA"]),
    ],
)
async def test_delete_customer_group(company: Company, policy: str, expected: list[str]) -> None:
    versions = [await version_of(company.grove, name) for name in ("Sales", "Markets")]
    await company.mutate("addCustomersToGroup", {"group": {"name": "FL"}, "customerCodes": ["C-1", "C-6"]})
    payload = await company.mutate("deleteCustomerGroup", {"id": "@group FL", "children": policy}, "deletedId")
    assert payload["deletedId"] == company.groups["FL"]
    assert await outline(company.grove) == expected
    assert await outline(company.grove, "Markets") == ([] if policy == "UNASSIGN" else ["East"])
    assert [await version_of(company.grove, name) for name in ("Sales", "Markets")] == [
        number + 1 for number in versions
    ]
    # Its customers are still there; those that left the tree with it are unassigned.
    data = await company.grove.query(
        """
        query ($id: ID!) {
          customerGroup(by: { id: $id }) { id }
          node(id: $id) { id }
          customer(by: { code: "C-1" }) { version groups { nodes { name } } }
          customers { totalCount }
        }
        """,
        {"id": company.groups["FL"]},
    )
    assert (data["customerGroup"], data["node"]) == (None, None)
    assert data["customer"] == {"version": 1, "groups": {"nodes": [{"name": "East"}]}}
    assert data["customers"]["totalCount"] == len(company.customers)
    lost = ["Palm Tree", "Sol Family"] if policy == "UNASSIGN" else []
    assert await unassigned(company.grove) == sorted(["Closed", "South", "TX", *lost])
    change = (await latest_changes(company.grove, 1))[0]
    assert change["action"] == "GROUP_DELETED"
    assert change["summary"] == "deleted «FL» (CG-000002)"
    assert change["before"] == {
        "code": "CG-000002",
        "name": "FL",
        "description": "",
        "status": "ACTIVE",
        "customerCount": 2,
    }
    assert (change["after"], change["group"]) == (None, None)
    gone = {"GROUP_UNASSIGNED": 4 if policy == "UNASSIGN" else 2, "GROUP_DELETED": 1}
    # Its two children in «Sales» and the one in «Markets» have risen.
    gone |= {"NODE_MOVED": 3} if policy == "PROMOTE" else {}
    actions = [action for action, _ in await logged(company, sum(gone.values()))]
    assert {action: actions.count(action) for action in gone} == gone


async def test_members(company: Company) -> None:
    async def change(mutation: str, selection: str, **input: Any) -> Json:
        return await company.mutate(
            mutation, {"group": {"code": "cg-000009"}, **input}, f"{selection} group {{ {GROUP} }}"
        )

    added = await change(
        "addCustomersToGroup",
        "added alreadyIn repeated",
        # C-5 is in; C-1 comes four times.
        customerIds=["@customer C-1", "@customer C-1", "@customer C-5"],
        customerCodes=["C-1", " c-1 ", "C-3"],
    )
    assert (added["added"], added["alreadyIn"], added["repeated"]) == (2, 1, 3)
    assert added["group"]["customers"]["nodes"] == [{"code": "C-1"}, {"code": "C-3"}, {"code": "C-5"}]
    assert (added["group"]["customerCount"], added["group"]["version"]) == (3, 2)
    # None of them is new: no change.
    again = await change("addCustomersToGroup", "added alreadyIn", customerCodes=["C-1", "C-3"])
    assert (again["added"], again["alreadyIn"], again["group"]["version"]) == (0, 2, 2)
    removed = await change(
        "removeCustomersFromGroup",
        "removed notIn repeated",
        customerIds=["@customer C-1", "@customer C-4", "@customer C-1"],
        customerCodes=["C-2", "c-4", "C-5"],
    )
    assert (removed["removed"], removed["notIn"], removed["repeated"]) == (2, 2, 2)
    assert removed["group"]["customers"]["nodes"] == [{"code": "C-3"}]
    assert (removed["group"]["customerCount"], removed["group"]["version"]) == (1, 3)
    again = await change("removeCustomersFromGroup", "removed notIn", customerCodes=["C-1"])
    assert (again["removed"], again["notIn"], again["group"]["version"]) == (0, 1, 3)
    # One that comes alone is named.
    await change("addCustomersToGroup", "added", customerCodes=["C-6"])
    rows = await latest_changes(company.grove, 3)
    assert rows[0] == {
        "actor": ACTOR,
        "action": "CUSTOMERS_ADDED",
        "summary": "added 2 customers to «South»",
        "before": None,
        "after": {"customers": ["C-1", "C-3"]},
        "hierarchy": None,
        "group": {"name": "South"},
        "customer": None,
    }
    assert rows[1] == {
        "actor": ACTOR,
        "action": "CUSTOMERS_REMOVED",
        "summary": "removed 2 customers from «South»",
        "before": {"customers": ["C-1", "C-5"]},
        "after": None,
        "hierarchy": None,
        "group": {"name": "South"},
        "customer": None,
    }
    assert rows[2] == {
        "actor": ACTOR,
        "action": "CUSTOMERS_ADDED",
        "summary": "added «Customer 6» (C-6) to «South»",
        "before": None,
        "after": {"customers": ["C-6"]},
        "hierarchy": None,
        "group": {"name": "South"},
        "customer": {"code": "C-6"},
    }


async def test_members_of_an_inactive_group(company: Company) -> None:
    input = {"group": {"name": "Closed"}, "customerCodes": ["C-1"]}
    assert (await company.mutate("addCustomersToGroup", input, "added"))["added"] == 1
    assert (await company.mutate("removeCustomersFromGroup", input, "removed"))["removed"] == 1


async def test_ten_thousand_customers_at_once(copy: Standing) -> None:
    company = copy.company
    sown = Sowing()
    keys = [sown.customer(f"M-{number:05}", f"Member {number}") for number in range(10_000)]
    await sown.write(copy.url)
    by_id = {"customerIds": [customer_id(key) for key in keys]}
    half = {"customerIds": by_id["customerIds"][:5_000], "customerCodes": [f"m-{number:05}" for number in range(5_000)]}
    group = {"group": {"name": "East"}}
    payload = await company.mutate("addCustomersToGroup", {**group, **half}, "added alreadyIn")
    assert (payload["added"], payload["alreadyIn"]) == (5_000, 0)
    payload = await company.mutate("addCustomersToGroup", {**group, **by_id}, "added alreadyIn group { customerCount }")
    assert (payload["added"], payload["alreadyIn"]) == (5_000, 5_000)
    assert payload["group"]["customerCount"] == 10_002
    too_many = {**group, "customerIds": [*by_id["customerIds"], "@customer C-1"]}
    for mutation in ("addCustomersToGroup", "removeCustomersFromGroup"):
        await company.mutate(mutation, too_many, errors=["OUT_OF_RANGE"])
    payload = await company.mutate("removeCustomersFromGroup", {**group, **by_id}, "removed group { customerCount }")
    assert (payload["removed"], payload["group"]["customerCount"]) == (10_000, 2)
    payload = await company.mutate("createCustomerGroup", {"name": "All", **by_id}, "group { customerCount }")
    assert payload["group"]["customerCount"] == 10_000
    too_many = {"name": "More", "customerIds": too_many["customerIds"]}
    await company.mutate("createCustomerGroup", too_many, errors=["OUT_OF_RANGE"])


# ── customers ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_create_and_update_customer(company: Company) -> None:
    payload = await company.mutate(
        "createCustomer",
        {"code": " n-1 ", "name": " Cafe\u0301 ", "type": " BAR "},
        f"customer {{ {CUSTOMER} }} clientMutationId",
    )
    made = payload["customer"]
    assert (made["code"], made["name"], made["type"], made["version"]) == ("n-1", "Café", "BAR", 1)
    assert made["createdAt"] == made["updatedAt"]
    assert payload["clientMutationId"] is None

    async def update(**input: Any) -> list[Any]:
        payload = await company.mutate("updateCustomer", {"id": made["id"], **input}, f"customer {{ {CUSTOMER} }}")
        return [payload["customer"][name] for name in ("code", "name", "type", "version")]

    for nothing in ({}, {"code": None, "name": None, "type": None}, {"code": "n-1", "name": "Café "}):
        assert await update(**nothing) == ["n-1", "Café", "BAR", 1]
    assert await update(code="N-1") == ["N-1", "Café", "BAR", 2]
    assert await update(name="Tea Room", type="") == ["N-1", "Tea Room", "", 3]
    customer = {"hierarchy": None, "group": None, "customer": {"code": "N-1"}, "actor": ACTOR}
    assert await latest_changes(company.grove, 3) == [
        {
            **customer,
            "action": "CUSTOMER_CREATED",
            "summary": "created the customer «Café» (n-1)",
            "before": None,
            "after": {"code": "n-1", "name": "Café", "type": "BAR"},
        },
        {
            **customer,
            "action": "CUSTOMER_UPDATED",
            "summary": "changed the code of the customer «Café» (n-1)",
            "before": {"code": "n-1", "name": "Café", "type": "BAR"},
            "after": {"code": "N-1", "name": "Café", "type": "BAR"},
        },
        {
            **customer,
            "action": "CUSTOMER_UPDATED",
            "summary": "changed the name, type of the customer «Café» (N-1)",
            "before": {"code": "N-1", "name": "Café", "type": "BAR"},
            "after": {"code": "N-1", "name": "Tea Room", "type": ""},
        },
    ]


async def test_delete_customer(company: Company) -> None:
    payload = await company.mutate("deleteCustomer", {"id": "@customer C-2"}, "deletedId")
    assert payload["deletedId"] == company.customers["C-2"]
    data = await company.grove.query(
        """
        query ($id: ID!) {
          customer(by: { id: $id }) { id }
          east: customerGroup(by: { name: "East" }) { version customerCount customers { nodes { code } } }
          palm: customerGroup(by: { name: "Palm Tree" }) { version customerCount customers { nodes { code } } }
        }
        """,
        {"id": company.customers["C-2"]},
    )
    assert data["customer"] is None
    assert data["east"] == {"version": 2, "customerCount": 1, "customers": {"nodes": [{"code": "C-1"}]}}
    assert data["palm"] == {"version": 2, "customerCount": 1, "customers": {"nodes": [{"code": "C-3"}]}}
    rows = await latest_changes(company.grove, 3)
    assert sorted(row["summary"] for row in rows[:2]) == [
        "removed «Customer 2» (C-2) from «East»",
        "removed «Customer 2» (C-2) from «Palm Tree»",
    ]
    assert rows[2]["summary"] == "deleted the customer «Customer 2» (C-2)"
    assert rows[2]["before"] == {"code": "C-2", "name": "Customer 2", "type": "RETAILER"}
    assert (rows[2]["after"], rows[2]["customer"]) == (None, None)
    # The code is free again.
    await company.mutate("createCustomer", {"code": "c-2", "name": "Another"})


# ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────

POSITIONS = [
    (None, ["FL", "IL", "New"]),
    ({"last": True}, ["FL", "IL", "New"]),
    ({"first": True}, ["New", "FL", "IL"]),
    ({"before": "@node IL"}, ["FL", "New", "IL"]),
    ({"after": "@node FL"}, ["FL", "New", "IL"]),
    ({"after": "@node IL"}, ["FL", "IL", "New"]),
    ({"index": 0}, ["New", "FL", "IL"]),
    ({"index": 1}, ["FL", "New", "IL"]),
    ({"index": 2}, ["FL", "IL", "New"]),
    ({"index": 2_147_483_647}, ["FL", "IL", "New"]),
]


@pytest.mark.parametrize(("position", "expected"), POSITIONS, ids=str)
async def test_every_position(company: Company, position: Json | None, expected: list[str]) -> None:
    """The same place for a node that is assigned, that comes from elsewhere, and that is there already."""

    def named(name: str) -> list[str]:
        return [name if one == "New" else one for one in expected]

    east = {"parentId": "@node East", "position": position}
    assigned = await company.mutate("assignGroup", {**SALES, "group": {"name": "TX"}, **east}, f"node {{ {NODE} }}")
    assert await children(company, "@node East") == named("TX")
    assert assigned["node"]["index"] == expected.index("New")
    await company.mutate("unassignNode", {"nodeId": assigned["node"]["id"]})
    moved = await company.mutate("moveNode", {"nodeId": "@node CA", **east}, f"node {{ {NODE} }}")
    assert await children(company, "@node East") == named("CA")
    assert moved["node"]["index"] == expected.index("New")
    # From wherever it stands among its siblings.
    for index in range(3):
        await company.mutate("moveNode", {"nodeId": "@node CA", "position": {"index": index}})
        again = await company.mutate("moveNode", {"nodeId": "@node CA", "position": position}, f"node {{ {NODE} }}")
        assert await children(company, "@node East") == named("CA")
        assert again["node"]["index"] == expected.index("New")


async def test_assign_group(company: Company) -> None:
    version = await version_of(company.grove)
    payload = await company.mutate(
        "assignGroup",
        {**SALES, "group": {"code": "cg-000009"}, "parentId": "@node FL", "position": {"first": True}},
        f"node {{ {NODE} }} hierarchy {{ {SHOWN} }}",
    )
    node = payload["node"]
    assert {name: node[name] for name in node if name != "id"} == {
        "index": 0,
        "depth": 3,
        "path": ["East", "FL", "South"],
        "level": {"name": "Distributor"},
        "group": {"name": "South"},
        "childCount": 0,
        "descendantCount": 0,
        "customerCount": 1,
        "parent": {"group": {"name": "FL"}, "childCount": 3, "descendantCount": 3},
    }
    hierarchy = payload["hierarchy"]
    assert (hierarchy["version"], hierarchy["nodeCount"]) == (version + 1, 9)
    assert [level["nodeCount"] for level in hierarchy["levels"]] == [2, 3, 4]
    assert hierarchy["updatedAt"] > hierarchy["createdAt"]
    assert await latest_changes(company.grove, 1) == [
        {
            "actor": ACTOR,
            "action": "GROUP_ASSIGNED",
            "summary": "assigned «South» under «FL» in «Sales»",
            "before": None,
            "after": {"nodeId": node["id"], "parentId": company.nodes["FL"], "parent": "FL", "depth": 3},
            "hierarchy": {"name": "Sales"},
            "group": {"name": "South"},
            "customer": None,
        }
    ]


async def test_assign_groups(company: Company) -> None:
    version = await version_of(company.grove)
    payload = await company.mutate(
        "assignGroups",
        {
            **SALES,
            "groups": [{"name": "TX"}, {"id": "@group South"}],
            "parentId": "@node East",
            "position": {"after": "@node FL"},
        },
        f"nodes {{ {NODE} }} hierarchy {{ {SHOWN} }}",
    )
    assert [node["path"] for node in payload["nodes"]] == [["East", "TX"], ["East", "South"]]
    assert [node["index"] for node in payload["nodes"]] == [1, 2]
    assert (payload["hierarchy"]["version"], payload["hierarchy"]["nodeCount"]) == (version + 1, 10)
    assert await children(company, "@node East") == ["FL", "TX", "South", "IL"]
    assert await logged(company, 2) == [
        ("GROUP_ASSIGNED", "assigned «TX» under «East» in «Sales»"),
        ("GROUP_ASSIGNED", "assigned «South» under «East» in «Sales»"),
    ]


async def test_a_thousand_groups_at_once(copy: Standing) -> None:
    company = copy.company
    sown = Sowing()
    for number in range(1_000):
        sown.group(f"M-{number:04}", f"Many {number:04}")
    await sown.write(copy.url)
    names = [f"Many {number:04}" for number in range(1_000)][::-1]
    payload = await company.mutate(
        "assignGroups",
        {**SALES, "groups": [{"name": name} for name in names], "parentId": "@node IL"},
        "nodes { id index } hierarchy { nodeCount }",
    )
    assert [node["index"] for node in payload["nodes"]] == list(range(1, 1_001))
    assert payload["hierarchy"]["nodeCount"] == 1_008
    ids = [node["id"] for node in payload["nodes"]]
    await company.mutate("moveNodes", {"nodeIds": ids[::-1], "position": {"first": True}})
    data = await company.grove.query(
        "query ($id: ID!) { hierarchyNode(id: $id) { children(first: 1000) { nodes { id } } } }",
        {"id": company.nodes["IL"]},
    )
    assert [node["id"] for node in data["hierarchyNode"]["children"]["nodes"]] == ids[::-1]
    gone = await company.mutate("unassignNodes", {"nodeIds": ids}, "groups { name } hierarchy { nodeCount }")
    assert [group["name"] for group in gone["groups"]] == names
    assert gone["hierarchy"]["nodeCount"] == 8


async def test_move_node(company: Company) -> None:
    version = await version_of(company.grove)
    selection = f"node {{ {NODE} }} previousParent {{ {NODE} }} hierarchy {{ {SHOWN} }}"
    payload = await company.mutate("moveNode", {"nodeId": "@node FL", "parentId": "@node West"}, selection)
    assert payload["node"] == {
        "id": company.nodes["FL"],
        "index": 1,
        "depth": 2,
        "path": ["West", "FL"],
        "level": {"name": "State"},
        "group": {"name": "FL"},
        "childCount": 2,
        "descendantCount": 2,
        "customerCount": 3,
        "parent": {"group": {"name": "West"}, "childCount": 2, "descendantCount": 4},
    }
    old = payload["previousParent"]
    assert (old["group"]["name"], old["childCount"], old["descendantCount"]) == ("East", 1, 2)
    assert payload["hierarchy"]["version"] == version + 1
    assert await latest_changes(company.grove, 1) == [
        {
            "actor": ACTOR,
            "action": "NODE_MOVED",
            "summary": "moved «FL» from «East» to «West» in «Sales»",
            "before": {"parentId": company.nodes["East"], "parent": "East", "depth": 2},
            "after": {"parentId": company.nodes["West"], "parent": "West", "depth": 2},
            "hierarchy": {"name": "Sales"},
            "group": {"name": "FL"},
            "customer": None,
        }
    ]
    # Null makes it a root: it rises, and all below with it.
    payload = await company.mutate("moveNode", {"nodeId": "@node FL", "parentId": None}, selection)
    assert payload["previousParent"]["group"]["name"] == "West"
    assert (payload["node"]["depth"], payload["node"]["parent"]) == (1, None)
    assert [level["nodeCount"] for level in payload["hierarchy"]["levels"]] == [3, 4, 1]
    assert await outline(company.grove) == [
        "East",
        "  IL",
        "    Chi-town",
        "West",
        "  CA",
        "FL",
        "  Palm Tree",
        "  Sol Family",
    ]
    # Left out, it stays a root; there was no parent before.
    payload = await company.mutate("moveNode", {"nodeId": "@node FL", "position": {"first": True}}, selection)
    assert (payload["node"]["index"], payload["previousParent"]) == (0, None)
    # Its own parent, with another position, is a new order.
    payload = await company.mutate(
        "moveNode", {"nodeId": "@node Sol Family", "parentId": "@node FL", "position": {"first": True}}, selection
    )
    assert payload["previousParent"]["group"]["name"] == "FL"
    assert payload["node"]["index"] == 0
    await company.mutate("moveNode", {"nodeId": "@node FL", "parentId": "@node East"}, selection)
    assert await logged(company, 4) == [
        ("NODE_MOVED", "moved «FL» from «West» to the top in «Sales»"),
        ("NODES_REORDERED", "re-ordered «FL» at the top in «Sales»"),
        ("NODES_REORDERED", "re-ordered «Sol Family» under «FL» in «Sales»"),
        ("NODE_MOVED", "moved «FL» from the top to «East» in «Sales»"),
    ]
    assert await version_of(company.grove) == version + 5


async def test_move_nodes(company: Company) -> None:
    version = await version_of(company.grove)
    # Palm Tree goes along with FL; each is named twice.
    payload = await company.mutate(
        "moveNodes",
        {
            "nodeIds": ["@node IL", "@node Palm Tree", "@node FL", "@node IL", "@node Palm Tree"],
            "parentId": "@node West",
            "position": {"before": "@node CA"},
        },
        f"nodes {{ {NODE} }} hierarchy {{ {SHOWN} }}",
    )
    assert [node["path"] for node in payload["nodes"]] == [["West", "IL"], ["West", "FL"]]
    assert payload["hierarchy"]["version"] == version + 1
    assert await outline(company.grove) == [
        "East",
        "West",
        "  IL",
        "    Chi-town",
        "  FL",
        "    Palm Tree",
        "    Sol Family",
        "  CA",
    ]
    assert await logged(company, 2) == [
        ("NODE_MOVED", "moved «IL» from «East» to «West» in «Sales»"),
        ("NODE_MOVED", "moved «FL» from «East» to «West» in «Sales»"),
    ]
    # Left out: they stay under the one parent that they have.
    await company.mutate("moveNodes", {"nodeIds": ["@node CA", "@node IL"], "position": {"first": True}})
    assert await children(company, "@node West") == ["CA", "IL", "FL"]
    # From different depths to the top, one of them a root already.
    await company.mutate(
        "moveNodes", {"nodeIds": ["@node Chi-town", "@node East", "@node Palm Tree"], "parentId": None}
    )
    assert await outline(company.grove) == [
        "West",
        "  CA",
        "  IL",
        "  FL",
        "    Sol Family",
        "Chi-town",
        "East",
        "Palm Tree",
    ]


async def test_reorder_children(company: Company) -> None:
    version = await version_of(company.grove)
    payload = await company.mutate(
        "reorderChildren",
        {**SALES, "parentId": "@node East", "childIds": ["@node IL", "@node FL"]},
        f"parent {{ {NODE} }} hierarchy {{ version }}",
    )
    assert payload["parent"]["group"]["name"] == "East"
    assert payload["hierarchy"]["version"] == version + 1
    payload = await company.mutate(
        "reorderChildren", {**SALES, "parentId": None, "childIds": ["@node West", "@node East"]}, "parent { id }"
    )
    assert payload["parent"] is None
    assert await outline(company.grove) == [
        "West",
        "  CA",
        "East",
        "  IL",
        "    Chi-town",
        "  FL",
        "    Palm Tree",
        "    Sol Family",
    ]
    assert await logged(company, 2) == [
        ("NODES_REORDERED", "re-ordered the 2 nodes under «East» in «Sales»"),
        ("NODES_REORDERED", "re-ordered the 2 nodes at the top in «Sales»"),
    ]
    # There is nothing to be ordered below a leaf.
    await company.mutate("reorderChildren", {**SALES, "parentId": "@node CA", "childIds": []})


@pytest.mark.parametrize(
    ("policy", "left", "expected"),
    [
        (None, ["FL", "Palm Tree", "Sol Family"], ["East", "  IL", "    Chi-town", "West", "  CA"]),
        ("UNASSIGN", ["FL", "Palm Tree", "Sol Family"], ["East", "  IL", "    Chi-town", "West", "  CA"]),
        ("PROMOTE", ["FL"], ["East", "  Palm Tree", "  Sol Family", "  IL", "    Chi-town", "West", "  CA"]),
    ],
)
async def test_unassign_node(company: Company, policy: str | None, left: list[str], expected: list[str]) -> None:
    version = await version_of(company.grove)
    payload = await company.mutate(
        "unassignNode",
        {"nodeId": "@node FL"} | ({"children": policy} if policy else {}),
        f"groups {{ name status nodes {{ hierarchy {{ name }} }} }} hierarchy {{ {SHOWN} }}",
    )
    assert [group["name"] for group in payload["groups"]] == left
    # Its place in the other hierarchy is its own.
    assert payload["groups"][0]["nodes"] == [{"hierarchy": {"name": "Markets"}}]
    assert payload["hierarchy"]["version"] == version + 1
    assert payload["hierarchy"]["nodeCount"] == len(expected)
    assert await outline(company.grove) == expected
    east, fl = ({"parentId": company.nodes[name], "parent": name} for name in ("East", "FL"))
    gone = [
        ("FL", {"nodeId": company.nodes["FL"], **east, "depth": 2}),
        ("Palm Tree", {"nodeId": company.nodes["Palm Tree"], **fl, "depth": 3}),
        ("Sol Family", {"nodeId": company.nodes["Sol Family"], **fl, "depth": 3}),
    ]
    told: list[tuple[str, str, Json, Json | None]] = [
        ("GROUP_UNASSIGNED", f"unassigned «{name}» in «Sales»", before, None) for name, before in gone if name in left
    ]
    if policy == "PROMOTE":
        told += [
            (
                "NODE_MOVED",
                f"moved «{name}» from «FL» to «East» in «Sales»",
                {**fl, "depth": 3},
                {**east, "depth": 2},
            )
            for name in ("Palm Tree", "Sol Family")
        ]
    changes = await latest_changes(company.grove, len(told))
    assert [(row["action"], row["summary"], row["before"], row["after"]) for row in changes] == told
    assert [row["group"]["name"] for row in changes] == ["FL", "Palm Tree", "Sol Family"]
    assert await unassigned(company.grove) == sorted(["Closed", "South", "TX", *left])
    # They can be assigned again, and the same node is not given twice.
    again = await company.mutate("assignGroup", {**SALES, "group": {"name": "FL"}}, "node { id }")
    assert again["node"]["id"] != company.nodes["FL"]


async def test_unassign_a_leaf_or_refuse(company: Company) -> None:
    await company.mutate("unassignNode", {"nodeId": "@node Chi-town", "children": "REFUSE"})
    assert (await outline(company.grove))[4:] == ["  IL", "West", "  CA"]


async def test_promote_roots(company: Company) -> None:
    payload = await company.mutate(
        "unassignNode", {"nodeId": "@node East", "children": "PROMOTE"}, f"hierarchy {{ {SHOWN} }}"
    )
    assert [level["nodeCount"] for level in payload["hierarchy"]["levels"]] == [3, 4, 0]
    assert await outline(company.grove) == [
        "FL",
        "  Palm Tree",
        "  Sol Family",
        "IL",
        "  Chi-town",
        "West",
        "  CA",
    ]
    # Those that rise are named, each with its old place and its new one; what is below them rises along.
    changes = await latest_changes(company.grove, 3)
    top = {"parentId": None, "parent": None, "depth": 1}
    assert [(row["summary"], row["before"], row["after"]) for row in changes] == [
        ("unassigned «East» in «Sales»", {"nodeId": company.nodes["East"], **top}, None),
        *(
            (
                f"moved «{name}» from «East» to the top in «Sales»",
                {"parentId": company.nodes["East"], "parent": "East", "depth": 2},
                top,
            )
            for name in ("FL", "IL")
        ),
    ]
    data = await company.grove.query(
        "query ($id: ID!) { hierarchyNode(id: $id) { depth parent { id } ancestors { id } path } }",
        {"id": company.nodes["Chi-town"]},
    )
    assert data["hierarchyNode"] == {
        "depth": 2,
        "parent": {"id": company.nodes["IL"]},
        "ancestors": [{"id": company.nodes["IL"]}],
        "path": ["IL", "Chi-town"],
    }


@pytest.mark.parametrize(
    ("policy", "left", "expected"),
    [
        ("UNASSIGN", ["Palm Tree", "East", "CA", "FL", "IL", "Sol Family", "Chi-town"], ["West"]),
        ("PROMOTE", ["Palm Tree", "East", "CA"], ["FL", "  Sol Family", "IL", "  Chi-town", "West"]),
    ],
)
async def test_unassign_nodes(company: Company, policy: str, left: list[str], expected: list[str]) -> None:
    """Of a node and its ancestor both named, the ancestor takes the other along; each is named once in the answer."""
    version = await version_of(company.grove)
    payload = await company.mutate(
        "unassignNodes",
        {"nodeIds": ["@node Palm Tree", "@node East", "@node CA", "@node East"], "children": policy},
        "groups { name } hierarchy { version }",
    )
    names = [group["name"] for group in payload["groups"]]
    assert names[:3] == left[:3]
    assert sorted(names) == sorted(left)
    assert payload["hierarchy"]["version"] == version + 1
    assert await outline(company.grove) == expected
    if policy == "PROMOTE":
        # What is below them rises along; Palm Tree, which was named too, has left.
        assert [(row["action"], row["summary"]) for row in await latest_changes(company.grove, 2)] == [
            ("NODE_MOVED", "moved «FL» from «East» to the top in «Sales»"),
            ("NODE_MOVED", "moved «IL» from «East» to the top in «Sales»"),
        ]


async def test_several_mutations_in_one_request(company: Company) -> None:
    """Each is a transaction of its own, in the order written, and sees those before it."""
    data = await company.grove.query(
        """
        mutation ($sales: ID!, $east: ID!) {
          one: createCustomerGroup(input: { name: "One", place: { hierarchyId: $sales, parentId: $east } }) {
            node { index parent { childCount } } userErrors { code }
          }
          wrong: createCustomerGroup(input: { name: "one", place: { hierarchyId: $sales, parentId: $east } }) {
            node { id } userErrors { code }
          }
          two: createCustomerGroup(input: { name: "Two", place: { hierarchyId: $sales, parentId: $east } }) {
            node { index parent { childCount } } userErrors { code }
          }
        }
        """,
        company.filled({"sales": "@hierarchy Sales", "east": "@node East"}),
    )
    assert data == {
        "one": {"node": {"index": 2, "parent": {"childCount": 3}}, "userErrors": []},
        "wrong": {"node": None, "userErrors": [{"code": "NAME_TAKEN"}]},
        "two": {"node": {"index": 3, "parent": {"childCount": 4}}, "userErrors": []},
    }


async def test_the_node_of_an_inactive_group_can_be_moved(company: Company) -> None:
    await company.mutate("updateCustomerGroup", {"id": "@group FL", "status": "INACTIVE"})
    await company.mutate("moveNode", {"nodeId": "@node FL", "parentId": "@node West"})
    assert await children(company, "@node West") == ["CA", "FL"]


@pytest.mark.parametrize(
    ("mutation", "input"),
    [
        ("createCustomerGroup", {"name": None}),
        ("createCustomerGroup", {"name": "New", "status": None}),
        ("createCustomerGroup", {"name": "New", "customerIds": None}),
        ("createCustomerGroup", {"name": "New", "customerCodes": ["C-1", None]}),
        ("createCustomerGroup", {"name": "New", "description": None}),
        ("createCustomerGroup", {"name": "New", "dryRun": None}),
        ("createCustomerGroup", {"name": 5}),
        ("createHierarchy", {"name": "New"}),
        ("createHierarchy", {"name": "New", "levels": ["A", None]}),
        ("assignGroup", {**SALES, "group": {}}),
        ("assignGroup", {**SALES, "group": {"name": None}}),
        ("assignGroup", {**SALES, "group": {"name": "TX", "code": "CG-000010"}}),
        ("assignGroup", {**SALES, "group": {"name": "TX", "code": None}}),
        ("moveNode", {"nodeId": "@node FL", "position": {}}),
        ("moveNode", {"nodeId": "@node FL", "position": {"first": True, "last": True}}),
        ("moveNode", {"nodeId": "@node FL", "position": {"index": None}}),
        ("moveNode", {"nodeId": "@node FL", "position": {"index": 2_147_483_648}}),
        ("moveNode", {"nodeId": "@node FL", "expectedVersion": 1.5}),
        ("moveNodes", {"nodeIds": [None]}),
        ("unassignNode", {"nodeId": "@node FL", "children": "KEEP"}),
        ("unassignNode", {"nodeId": "@node FL", "children": None}),
        ("updateCustomer", {"id": "@customer C-1", "unknown": 1}),
        ("addCustomersToGroup", {"group": {"name": "East"}, "customerIds": [["x"]]}),
    ],
)
async def test_inputs_that_do_not_fit_the_schema(untouched: Untouched, mutation: str, input: Mapping[str, Any]) -> None:
    """A top-level error before anything is done: a person at a form cannot bring it about."""
    document = (
        f"mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ {mutation}(input: $input) {{ __typename }} }}"
    )
    answer = await untouched.company.grove.execute(document, {"input": untouched.company.filled(input)})
    assert "data" not in answer
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert await contents(untouched.url) == untouched.contents


async def test_too_many_are_counted_before_they_are_read(grove: Grove) -> None:
    await grove.mutate("createCustomerGroup", {"name": "East"})
    named = {"group": {"name": "East"}, "customerIds": ["no id"] * 10_001}
    await grove.mutate("addCustomersToGroup", named, errors=["OUT_OF_RANGE"])
    for filter in ({"code": {"in": ["x"] * 10_001}}, {"type": ["x"] * 10_001}):
        answer = await grove.execute(
            "query ($filter: CustomerFilter) { customers(filter: $filter) { totalCount } }", {"filter": filter}
        )
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("key", ["", " "])
async def test_an_idempotency_key_is_not_empty(grove: Grove, key: str) -> None:
    payload = await grove.mutate("createCustomerGroup", {"name": "East", "idempotencyKey": key}, errors=["REQUIRED"])
    assert payload["userErrors"][0]["path"] == ["input", "idempotencyKey"]
