"""Lists of nodes read page by page: what they should hold, and a reader who goes on while the tree changes."""

from typing import Any, NamedTuple

from tests.oracle import Oracle, Spot
from tests.support.client import Json
from tests.support.plain_tree import Tree
from tests.support.world import World

PAGE = """(first: $first, after: $after, last: $last, before: $before) {
    totalCount edges { cursor } nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
}"""
ARGUMENTS = "$id: ID!, $first: Int, $after: String, $last: Int, $before: String"
HIERARCHY, NODE = "hierarchy(by: {id: $id})", "hierarchyNode(id: $id)"
DEPTH, FILTER = "maxDepth: $maxDepth, ", "filter: $filter, "
DOCUMENTS = {
    "nodes": f"query ({ARGUMENTS}, $filter: HierarchyNodeFilter) {{ top: {HIERARCHY} {{"
    f" list: nodes{PAGE.replace('(', '(' + FILTER, 1)} }} }}",
    "roots": f"query ({ARGUMENTS}) {{ top: {HIERARCHY} {{ list: roots{PAGE} }} }}",
    "children": f"query ({ARGUMENTS}) {{ top: {NODE} {{ list: children{PAGE} }} }}",
    "descendants": f"query ({ARGUMENTS}, $maxDepth: Int) {{ top: {NODE} {{"
    f" list: descendants{PAGE.replace('(', '(' + DEPTH, 1)} }} }}",
}


class Listing(NamedTuple):
    """All nodes or the roots of a hierarchy, or the descendants or children of a node, its `top`.

    Of all nodes, those with this depth, level, status, or text in the name may be chosen.
    """

    kind: str
    hierarchy: str
    top: str | None = None
    max_depth: int | None = None
    chosen: tuple[str, str | int] | None = None

    def spots(self, oracle: Oracle) -> list[Spot]:
        """What is in it, in its order."""
        tree = oracle.trees[self.hierarchy]
        if self.kind in ("roots", "children"):
            found = tree.children[self.top]
        else:
            deepest = tree.depth(self.top) + (self.max_depth or len(tree.levels))
            found = [one for one in tree.below(self.top) if tree.depth(one) <= deepest]
        return [(self.hierarchy, one) for one in found if self.chooses(oracle, tree, one)]

    def chooses(self, oracle: Oracle, tree: Tree, name: str) -> bool:
        if self.chosen is None:
            return True
        word, wanted = self.chosen
        if word == "search":
            return str(wanted).lower() in name.lower()
        if word == "status":
            return oracle.groups[name].status == wanted
        depth = tree.depth(name)
        return wanted == (depth if word == "depth" else tree.levels[depth - 1])

    def id_in(self, world: World) -> str | None:
        """The id of what the list is of; None if it is gone."""
        if self.hierarchy not in world.oracle.trees:
            return None
        if self.top is None:
            return world.id_of_hierarchy(self.hierarchy)
        spot = self.hierarchy, self.top
        return world.id_of(spot) if spot in world.nodes else None

    async def page(self, world: World, **arguments: Any) -> Json:
        variables = {"id": self.id_in(world), **arguments}
        if self.kind == "descendants":
            variables["maxDepth"] = self.max_depth
        if self.chosen is not None:
            variables["filter"] = dict([self.chosen])
        answer = await world.grove.query(DOCUMENTS[self.kind], variables)
        page: Json = answer["top"]["list"]
        return page


class Reader:
    """Somebody who reads a list page by page, in either direction."""

    def __init__(self, world: World, listing: Listing, size: int, *, backward: bool) -> None:
        self.world = world
        self.listing = listing
        self.size = size
        self.backward = backward
        self.id = listing.id_in(world)
        self.cursor: str | None = None
        self.seen: list[str] = []
        self.over = False
        # What has stood where it stands ever since, below the top of the list.
        self.steady = {spot: world.id_of(spot) for spot in listing.spots(world.oracle)}
        # The node at which the next page begins and those above it, whether they still stand there, and how often
        # siblings had been spread anew.
        self.place: dict[Spot, str] = {}
        self.unsettled = False
        self.spread = world.spread[listing.hierarchy]

    def notice(self, disturbed: set[Spot]) -> None:
        """The tree has changed: these nodes, if they still stand, were given another place."""
        if self.id != self.listing.id_in(self.world):
            self.over, self.steady = True, {}
            return
        listed = self.listing.spots(self.world.oracle)
        self.steady = {
            spot: id
            for spot, id in self.steady.items()
            if spot in listed and self.stands(spot, id) and not disturbed & self.chain(spot)
        }
        self.unsettled |= any(spot in disturbed or not self.stands(spot, id) for spot, id in self.place.items())
        if self.unsettled and self.spread != self.world.spread[self.listing.hierarchy]:
            # Where it stood before all positions changed, nobody knows any more.
            self.steady = {}

    def stands(self, spot: Spot, id: str) -> bool:
        return spot in self.world.nodes and self.world.id_of(spot) == id

    def chain(self, spot: Spot) -> set[Spot]:
        """A node of the list, and those above it that are in the list as well."""
        hierarchy, name = spot
        above = self.world.oracle.trees[hierarchy].above(name)
        if self.listing.top is not None:
            above = above[: above.index(self.listing.top)]
        return {(hierarchy, one) for one in (name, *above)}

    async def read(self) -> None:
        """One page more."""
        size, edge = ("last", "before") if self.backward else ("first", "after")
        page = await self.listing.page(self.world, **{size: self.size, edge: self.cursor})
        found = [row["id"] for row in page["nodes"]]
        info = page["pageInfo"]
        self.seen += reversed(found) if self.backward else found
        self.cursor = info["startCursor" if self.backward else "endCursor"] or self.cursor
        self.over = not info["hasPreviousPage" if self.backward else "hasNextPage"]
        self.unsettled = False
        self.spread = self.world.spread[self.listing.hierarchy]
        last = [spot for spot in self.world.nodes if found and self.stands(spot, self.seen[-1])]
        if last:
            self.place = {spot: self.world.id_of(spot) for spot in self.chain(last[0])}

    async def finish(self) -> None:
        """Reads the rest; what stood still has then been seen once, in its order."""
        while not self.over:
            await self.read()
        if not self.steady:
            return
        spots = [spot for spot in self.listing.spots(self.world.oracle) if spot in self.steady]
        expected = [self.steady[spot] for spot in spots]
        found = [id for id in self.seen if id in expected]
        assert found == (expected[::-1] if self.backward else expected), (
            f"{self.listing} by {self.size}{' backward' * self.backward}"
        )


async def leaf_through(world: World, listing: Listing, size: int) -> None:
    """Read to and fro, and between any two places, a list that nobody changes is what it should be."""
    expected = [world.id_of(spot) for spot in listing.spots(world.oracle)]
    for backward in (False, True):
        reader = Reader(world, listing, size, backward=backward)
        while not reader.over:
            await reader.read()
        assert reader.seen == (expected[::-1] if backward else expected), f"{listing} by {size}"
    whole = await listing.page(world, first=100)
    cursors = [edge["cursor"] for edge in whole["edges"]]
    assert whole["totalCount"] == len(cursors) == len(expected)
    for start, end in ((0, len(expected) // 2), (len(expected) // 3, len(expected) - 1)):
        between = expected[start + 1 : end]
        edges = {"after": cursors[start], "before": cursors[end]} if expected else {}
        for arguments, part in (({"first": size}, between[:size]), ({"last": size}, between[-size:])):
            page = await listing.page(world, **arguments, **edges)
            assert [row["id"] for row in page["nodes"]] == part, f"{listing} {arguments} from {start} to {end}"
