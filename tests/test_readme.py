"""The README's walk is run, block by block, on the demo company."""

import json
import re
from pathlib import Path
from typing import Any

from tests.support.client import Grove

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.compile(r"```graphql\n(.*?)```(?:\s*```json\n(.*?)```)?", re.DOTALL)

IDS = """
    {
      hierarchy(by: { name: "Sales" }) { id nodes(first: 100) { nodes { id group { name } } } }
    }
"""


async def ids_by_name(grove: Grove) -> dict[str, str]:
    hierarchy = (await grove.query(IDS))["hierarchy"]
    return {"Sales": hierarchy["id"]} | {node["group"]["name"]: node["id"] for node in hierarchy["nodes"]["nodes"]}


async def test_the_walk(demo_grove: Grove) -> None:
    answers: list[dict[str, Any]] = []
    blocks = BLOCKS.findall(README.read_text(encoding="utf-8"))
    assert len(blocks) >= 9
    for document, variables in blocks:
        known = await ids_by_name(demo_grove)
        filled = re.sub(r"<the id of (\w+)>", lambda match: known[match[1]], variables or "{}")  # noqa: B023
        answers.append(await demo_grove.query(document, json.loads(filled)))
    tree, unassigned, assigned, created, moved, impossible, left, added, customer, held, promised, changes = answers
    assert [root["group"]["name"] for root in tree["hierarchy"]["roots"]["nodes"]] == ["East", "West"]
    assert "NV" in [group["name"] for group in unassigned["hierarchy"]["unassignedGroups"]["nodes"]]
    assert assigned["assignGroup"]["node"]["path"] == ["West", "NV"]
    assert created["createCustomerGroup"]["node"]["path"] == ["East", "GA"]
    assert moved["moveNode"]["node"] == {"path": ["West", "FL"], "index": 0, "descendantCount": 3}
    assert [error["code"] for error in impossible["moveNode"]["userErrors"]] == ["CYCLE"]
    assert left["unassignNode"]["groups"][0] == {"name": "TX"}
    assert len(left["unassignNode"]["groups"]) == 4
    assert added["addCustomersToGroup"] == {
        "added": 1,
        "alreadyIn": 1,
        "group": {"customerCount": 4},
        "userErrors": [],
    }
    assert customer["customer"]["isMember"] is True
    assert held["reserveStock"]["reservation"]["stockItem"] == {"onHand": 1_200, "reserved": 24, "free": 1_176}
    assert promised["availability"]["available"] == 1_200
    assert promised["availability"]["reservations"] == [{"remaining": 24, "expiresAt": None, "group": {"name": "FL"}}]
    assert len(changes["changes"]["nodes"]) == 5
