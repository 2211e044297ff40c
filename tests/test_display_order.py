"""Display order in all its forms, forward and backward, compared with a walk over the whole tree in Python."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.app import create_app
from service.db import Database
from service.settings import Settings
from tests.conftest import DATABASE
from tests.support.client import Grove, running

LEVELS = ["Division", "State", "Distributor", "Shop"]
CREATE = "group { id } node { id depth }"


@dataclass
class Plant:
    """A node as the test knows it."""

    id: str
    name: str
    depth: int
    active: bool = True
    children: list["Plant"] = field(default_factory=list)

    def below(self, most: int | None = None) -> list["Plant"]:
        """All nodes below it, in display order, at most so many levels down."""
        if most == 0:
            return []
        deeper = None if most is None else most - 1
        return [plant for child in self.children for plant in (child, *child.below(deeper))]


async def grow(grove: Grove, seed: int, count: int) -> tuple[str, Plant]:
    """A random tree below an invisible top; returns the hierarchy's id and that top."""
    random_ = random.Random(seed)
    payload = await grove.mutate(
        "createHierarchy", {"name": "Wood", "levels": LEVELS, "placeholders": False}, "hierarchy { id }"
    )
    hierarchy = payload["hierarchy"]["id"]
    top = Plant("", "", 0)
    for number in range(count):
        parent = random_.choice([top, *(plant for plant in top.below() if plant.depth < len(LEVELS))])
        index = random_.randint(0, len(parent.children))
        name = f"{random_.choice(['Oak', 'Elm', 'Ash'])} {number}"
        place = {"hierarchyId": hierarchy, "parentId": parent.id or None, "position": {"index": index}}
        created = await grove.mutate("createCustomerGroup", {"name": name, "place": place}, CREATE)
        plant = Plant(created["node"]["id"], name, parent.depth + 1, random_.random() < 0.7)
        parent.children.insert(index, plant)
        if not plant.active:
            change = {"id": created["group"]["id"], "status": "INACTIVE"}
            await grove.mutate("updateCustomerGroup", change, "group { status }")
    return hierarchy, top


async def leaf_through(grove: Grove, document: str, variables: dict[str, Any], size: int, *, back: bool) -> list[str]:
    """The ids of a whole connection, read page by page from either end; the document's connection is `list`."""
    seen: list[str] = []
    cursor = None
    while True:
        page = {"last": size, "before": cursor} if back else {"first": size, "after": cursor}
        found = (await grove.query(document, {**variables, **page}))["top"]["list"]
        ids = [edge["node"]["id"] for edge in found["edges"]]
        seen = [*ids, *seen] if back else [*seen, *ids]
        info = found["pageInfo"]
        if not (info["hasPreviousPage"] if back else info["hasNextPage"]):
            assert found["totalCount"] == len(seen)
            return seen
        assert len(ids) == size
        cursor = info["startCursor"] if back else info["endCursor"]


def connection(field_: str, top: str) -> str:
    return f"""
        query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {{
          top: {top} {{
            list: {field_} {{
              totalCount
              pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
              edges {{ cursor node {{ id }} }}
            }}
          }}
        }}
    """


PAGE = "first: $first, after: $after, last: $last, before: $before"
FILTERS: dict[str, tuple[str, Callable[[Plant], bool]]] = {
    "all": ("", lambda plant: True),
    "depth": ("filter: { depth: 3 },", lambda plant: plant.depth == 3),
    "too deep": ("filter: { depth: 9 },", lambda plant: False),
    "level": ('filter: { level: "state" },', lambda plant: plant.depth == 2),
    "no level": ('filter: { level: "Planet" },', lambda plant: False),
    "active": ("filter: { status: ACTIVE },", lambda plant: plant.active),
    "inactive": ("filter: { status: INACTIVE },", lambda plant: not plant.active),
    "search": ('filter: { search: "OAK" },', lambda plant: "Oak" in plant.name),
    "both": (
        'filter: { search: "elm", status: ACTIVE, depth: 3 },',
        lambda plant: "Elm" in plant.name and plant.active and plant.depth == 3,
    ),
    "active level": (
        'filter: { status: ACTIVE, level: "Distributor" },',
        lambda plant: plant.active and plant.depth == 3,
    ),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_form_of_display_order(grove: Grove, seed: int) -> None:
    hierarchy, top = await grow(grove, seed, 60)
    random_ = random.Random(seed)
    for filter_, keeps in FILTERS.values():
        document = connection(f"nodes({filter_} {PAGE})", "hierarchy(by: { id: $id })")
        expected = [plant.id for plant in top.below() if keeps(plant)]
        for back in (False, True):
            size = random_.randint(1, 13)
            assert await leaf_through(grove, document, {"id": hierarchy}, size, back=back) == expected
    for most in (None, 1, 2, 3):
        limit = f"maxDepth: {most}," if most else ""
        document = connection(f"descendants({limit} {PAGE})", "hierarchyNode(id: $id)")
        for plant in random_.sample(top.below(), 8):
            expected = [below.id for below in plant.below(most)]
            for back in (False, True):
                size = random_.randint(1, 7)
                assert await leaf_through(grove, document, {"id": plant.id}, size, back=back) == expected


async def test_a_page_between_two_cursors(grove: Grove) -> None:
    hierarchy, top = await grow(grove, 4, 30)
    for filter_, keeps in FILTERS.values():
        expected = [plant.id for plant in top.below() if keeps(plant)]
        if len(expected) < 6:
            continue
        document = connection(f"nodes({filter_} {PAGE})", "hierarchy(by: { id: $id })")
        whole = (await grove.query(document, {"id": hierarchy}))["top"]["list"]["edges"]
        between = {"id": hierarchy, "after": whole[1]["cursor"], "before": whole[-2]["cursor"]}
        for ends, kept in (({"first": 2}, expected[2:4]), ({"last": 2}, expected[-4:-2]), ({}, expected[2:-2])):
            found = (await grove.query(document, {**between, **ends}))["top"]["list"]["edges"]
            assert [edge["node"]["id"] for edge in found] == kept


async def test_several_tops_at_once(grove: Grove) -> None:
    hierarchy, top = await grow(grove, 5, 40)
    document = """
        query ($id: ID!, $back: Int, $on: Int) {
          hierarchy(by: { id: $id }) {
            roots { nodes { id
              all: descendants(first: $on) { nodes { id } }
              last: descendants(last: $back) { nodes { id } }
              some: descendants(maxDepth: 2, first: $on) { nodes { id } }
              end: descendants(maxDepth: 2, last: $back) { nodes { id } }
            } }
          }
        }
    """
    found = (await grove.query(document, {"id": hierarchy, "on": 3, "back": 4}))["hierarchy"]["roots"]["nodes"]
    for plant, answer in zip(top.children, found, strict=True):
        everything, near = [below.id for below in plant.below()], [below.id for below in plant.below(2)]
        ids = {key: [node["id"] for node in answer[key]["nodes"]] for key in ("all", "last", "some", "end")}
        assert ids == {"all": everything[:3], "last": everything[-4:], "some": near[:3], "end": near[-4:]}


@pytest.mark.skipif(DATABASE != "postgres", reason="SQLite reads statement by statement")
async def test_a_cursor_whose_place_has_changed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its page is read with the look at it; where that tells of another place, again, and in a transaction."""
    async with running(create_app(Settings(database=database_url)), compared=False) as grove:
        hierarchy, top = await grow(grove, 6, 40)
        document = """
            query ($id: ID!, $after: String) {
              hierarchy(by: { id: $id }) { nodes(first: 5, after: $after) { edges { cursor node { id } } } }
            }
        """
        alone: list[bool] = []
        read = Database.read

        def watched(self: Database, **options: bool) -> Any:
            alone.append(options.get("alone", False))
            return read(self, **options)

        monkeypatch.setattr(Database, "read", watched)

        async def page(after: str | None) -> list[tuple[str, str]]:
            found = (await grove.query(document, {"id": hierarchy, "after": after}))["hierarchy"]["nodes"]["edges"]
            return [(edge["node"]["id"], edge["cursor"]) for edge in found]

        order = [plant.id for plant in top.below()]
        last, cursor = (await page(None))[-1]
        for _ in range(2):
            assert [id for id, _ in await page(cursor)] == order[5:10]
        assert alone == [False, True, True]
        # It goes to the end: the page behind its cursor is what stood behind it.
        await grove.mutate("moveNode", {"nodeId": last, "parentId": None, "position": {"last": True}}, "node { id }")
        plant = next(plant for plant in top.below() if plant.id == last)
        moved = {below.id for below in (plant, *plant.below())}
        alone.clear()
        rest = [id for id in order[5:] if id not in moved][:5]
        assert [id for id, _ in await page(cursor)] == rest
        assert alone == [True, False]
        alone.clear()
        await page(None)
        assert alone == [True]
