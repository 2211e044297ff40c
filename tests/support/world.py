"""Grove and the oracle side by side: each mutation goes to both, and then they must tell the same.

After each mutation all rows of the database are compared; `look` compares all that GraphQL tells.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from service import db, dialects, ids
from service.db import Database
from service.ids import Kind
from service.positions import spread
from service.resolvers.check import check
from service.store import group, hierarchy
from service.store.group import NewGroup
from tests.oracle import Done, Group, Oracle, Refused, Spot
from tests.support.client import Grove, Json
from tests.support.plain_tree import Standing, Tree

GONE = "gone"

HIERARCHIES = "SELECT name, id, version, description, spread FROM hierarchy"
LEVELS = """
    SELECT hierarchy.name, level.name, level.node_count
    FROM level JOIN hierarchy ON hierarchy.id = level.hierarchy_id ORDER BY level.depth
"""
NODES = """
    SELECT hierarchy.name, customer_group.name, node.id, node.parent_id, node.depth, node.child_count,
        node.descendant_count
    FROM node
    JOIN hierarchy ON hierarchy.id = node.hierarchy_id
    JOIN customer_group ON customer_group.id = node.group_id
    ORDER BY node.position
"""
PAIRS = "SELECT ancestor_id, descendant_id, distance FROM closure"
GROUPS = "SELECT name, id, code, status, version, customer_count FROM customer_group"
MEMBERS = """
    SELECT customer_group.name, customer.code FROM membership
    JOIN customer_group ON customer_group.id = membership.group_id
    JOIN customer ON customer.id = membership.customer_id
"""
MEMBERSHIPS = ("membership", "shared_membership")
SHARED = MEMBERS.replace("membership", "shared_membership")
CHANGES = "SELECT id, action FROM change WHERE id > $1 ORDER BY id"

COLUMNS = ("id", "group_id", "parent_id", "position", "depth", "child_count", "descendant_count")
PLANT_NODES = f"""
    INSERT INTO node (hierarchy_id, {", ".join(COLUMNS)}) SELECT $1, {", ".join(COLUMNS)}
    FROM rows($2: id bigint, group_id bigint, parent_id bigint, position text, depth int, child_count int, descendant_count int) AS item
"""  # noqa: E501
PAIR = ("ancestor_id", "descendant_id", "distance")
PLANT_PAIRS = f"""
    INSERT INTO closure ({", ".join(PAIR)})
    SELECT {", ".join(PAIR)} FROM rows($1: ancestor_id bigint, descendant_id bigint, distance int) AS item
"""

EVERYTHING = """
    { hierarchies(first: 10) { nodes {
        id name description version nodeCount
        levels { depth name nodeCount }
        nodes(first: 100) { totalCount nodes {
            id depth index childCount descendantCount path customerCount direct: customerCount(scope: DIRECT)
            parent { id } level { name }
        } }
        unassignedGroups(first: 100) { totalCount nodes { name status } }
    } } }
"""


class World:
    def __init__(self, grove: Grove, database: Database, customers: Sequence[str]) -> None:
        self.grove = grove
        self.database = database
        self.oracle = Oracle(customers)
        # Which keys go with the names of the oracle; groups have a code as well.
        self.hierarchies: dict[str, int] = {}
        # How often siblings were spread anew, in each hierarchy.
        self.spread: dict[str, int] = {}
        self.nodes: dict[Spot, int] = {}
        self.groups: dict[str, tuple[int, str]] = {}
        # Nodes that have left, named by the keys that they had; the first there never was.
        self.gone: list[Spot] = [(GONE, "1")]
        self.last_change = 0
        self.rehearsed = False
        # The mutations so far, for people.
        self.history: list[str] = []

    async def begin(self, groups: Sequence[str], trees: Sequence[Tree]) -> None:
        """Leaves nothing in the database but the customers, these groups, and these trees of them."""
        at = datetime.now(UTC)
        self.oracle.groups = {name: Group() for name in groups}
        self.oracle.trees = {tree.name: tree for tree in trees}
        async with self.database.transaction():
            for table in ("closure", "node", "level", "hierarchy", *MEMBERSHIPS, "customer_group", "change"):
                await db.fetch(f"DELETE FROM {table}")
            keys = dict(zip(groups, ids.new_keys(len(groups)), strict=True))
            await group.insert([NewGroup(key, f"K-{name}", name, "", "ACTIVE") for name, key in keys.items()], at)
            for tree in trees:
                await self.plant(tree, keys, at)
        await self.compare([])

    async def plant(self, tree: Tree, groups: Mapping[str, int], at: datetime) -> None:
        """The rows of a tree."""
        key = ids.new_key()
        await hierarchy.insert(key, tree.name, tree.description, at)
        depths = enumerate(tree.levels, 1)
        await hierarchy.insert_levels(key, [(ids.new_key(), depth, level) for depth, level in depths])
        await hierarchy.count_levels(key, dict(enumerate((count for _, count in level_counts(tree)), 1)))
        keys = dict(zip(tree.parents, ids.new_keys(len(tree.parents)), strict=True))
        nodes = []
        for name, (parent, depth, child_count, descendant_count) in tree.standing().items():
            siblings = tree.children[parent]
            values = keys[name], groups[name], keys[parent] if parent else None
            position = spread(len(siblings))[siblings.index(name)]
            nodes.append([*values, position, depth, child_count, descendant_count])
        await db.fetch(PLANT_NODES, key, dialects.rows([dict(zip(COLUMNS, node, strict=True)) for node in nodes]))
        pairs = [(keys[above], keys[below], distance) for above, below, distance in tree.pairs()]
        await db.fetch(PLANT_PAIRS, dialects.rows([dict(zip(PAIR, pair, strict=True)) for pair in pairs]))

    # ── ids ─────────────────────────────────────────────────────────────────────────────────────────────────

    def id_of(self, spot: Spot) -> str:
        key = int(spot[1]) if spot[0] == GONE else self.nodes[spot]
        return ids.encode(Kind.NODE, key)

    def id_of_hierarchy(self, name: str) -> str:
        """Also of one that there is not."""
        return ids.encode(Kind.HIERARCHY, self.hierarchies.get(name, 1))

    def id_of_group(self, name: str) -> str:
        """Also of one that there is not."""
        return ids.encode(Kind.GROUP, self.groups[name][0] if name in self.groups else 1)

    # ── mutations ───────────────────────────────────────────────────────────────────────────────────────────

    async def mutate(
        self, mutation: str, input: Json, selection: str, predict: Callable[..., Done], *arguments: Any
    ) -> Done | None:
        """What was done, None if it was refused, on which both must agree. `predict` is the oracle's word for it."""
        self.history.append(f"{predict.__name__}{arguments}")
        rehearsal = None
        if self.rehearsed:
            rehearsal = await self.grove.mutate(mutation, {**input, "dryRun": True}, selection, errors=None)
            await self.compare([])
        payload = await self.grove.mutate(mutation, input, selection, errors=None)
        done: Done | None = None
        expected = []
        try:
            done = predict(*arguments)
        except Refused as refused:
            expected = refused.codes
        codes = [error["code"] for error in payload["userErrors"]]
        assert sorted(codes) == sorted(expected), f"{predict.__name__}{arguments}: {payload['userErrors']}"
        assert rehearsal is None or rehearsal["userErrors"] == payload["userErrors"]
        await self.compare(done.actions if done else [])
        if done is not None:
            self.check_answer(input, payload, done)
        return done

    def check_answer(self, input: Json, payload: Json, done: Done) -> None:
        """What is selected names the right things, as they are now."""
        if "node" in payload or "nodes" in payload:
            nodes = payload["nodes"] if "nodes" in payload else [node for node in [payload["node"]] if node]
            assert [node["id"] for node in nodes] == [self.id_of(spot) for spot in done.spots]
        if "previousParent" in payload:
            assert payload["previousParent"] == ({"id": self.id_of(done.previous)} if done.previous else None)
        if "groups" in payload:
            names = [group["name"] for group in payload["groups"]]
            assert names[: len(done.named)] == done.named
            assert sorted(names[len(done.named) :]) == sorted(done.others)
        if "hierarchy" in payload:
            shown = payload["hierarchy"]
            assert shown["version"] == self.oracle.trees[shown["name"]].version
        for name, count in done.counts.items():
            assert payload[name] == count
        if "deletedId" in payload:
            assert payload["deletedId"] == input["id"]

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────

    async def compare(self, actions: Sequence[str]) -> None:
        """Every row is as the oracle has it, the log has these actions more, and `check` finds nothing."""
        async with self.database.snapshot():
            hierarchies = await db.fetch(HIERARCHIES)
            levels = await db.fetch(LEVELS)
            nodes = await db.fetch(NODES)
            pairs = await db.fetch(PAIRS)
            groups = await db.fetch(GROUPS)
            members = await db.fetch(MEMBERS)
            shared = await db.fetch(SHARED)
            changes = await db.fetch(CHANGES, self.last_change)
            # Where nothing was done, nothing else than these rows can have changed either.
            findings = await check(repair=False) if actions else []
        self.compare_hierarchies(hierarchies, levels)
        self.compare_groups(groups, members)
        groups_of = Counter(code for _, code in members)
        assert sorted(map(tuple, shared)) == sorted(tuple(row) for row in members if groups_of[row[1]] > 1)
        self.compare_nodes(nodes)
        self.compare_pairs(pairs)
        assert sorted(action for _, action in changes) == sorted(actions)
        self.last_change = max((key for key, _ in changes), default=self.last_change)
        assert findings == []

    def compare_hierarchies(self, rows: Sequence[Any], levels: Sequence[Any]) -> None:
        found = {name: (version, description) for name, _, version, description, _ in rows}
        trees = self.oracle.trees.items()
        assert found == {name: (tree.version, tree.description) for name, tree in trees}
        standing: dict[str, list[tuple[str, int]]] = {name: [] for name in found}
        for name, level, count in levels:
            standing[name].append((level, count))
        assert standing == {name: list(level_counts(tree)) for name, tree in trees}
        self.hierarchies = {name: key for name, key, *_ in rows}
        self.spread = {name: spread for name, *_, spread in rows}

    def compare_groups(self, rows: Sequence[Any], members: Sequence[Any]) -> None:
        found = {name: (status, version, count) for name, _, _, status, version, count in rows}
        groups = self.oracle.groups.items()
        assert found == {name: (one.status, one.version, len(one.customers)) for name, one in groups}
        customers: dict[str, set[str]] = {name: set() for name in found}
        for name, code in members:
            customers[name].add(code)
        assert customers == {name: one.customers for name, one in groups}
        self.groups = {name: (key, code) for name, key, code, *_ in rows}

    def compare_nodes(self, rows: Sequence[Any]) -> None:
        """Each tree in display order, which follows from the parents and positions; and no node changes its key."""
        children = defaultdict(list)
        for row in rows:
            children[row[0] if row[3] is None else row[3]].append(row)

        def walk(scope: int | str, parent: str | None) -> Iterator[tuple[str, Standing]]:
            for _, name, key, _, depth, child_count, descendant_count in children[scope]:
                yield name, (parent, depth, child_count, descendant_count)
                yield from walk(key, name)

        for name, tree in self.oracle.trees.items():
            assert list(walk(name, None)) == list(tree.standing().items()), name
        nodes = {(row[0], row[1]): row[2] for row in rows}
        assert {spot: self.nodes[spot] for spot in nodes if spot in self.nodes} == {
            spot: key for spot, key in nodes.items() if spot in self.nodes
        }
        self.gone += [(GONE, str(key)) for spot, key in self.nodes.items() if spot not in nodes]
        self.nodes = nodes

    def compare_pairs(self, rows: Sequence[Any]) -> None:
        expected = [
            (self.nodes[name, above], self.nodes[name, below], distance)
            for name, tree in self.oracle.trees.items()
            for above, below, distance in tree.pairs()
        ]
        assert sorted(map(tuple, rows)) == sorted(expected)

    # ── what GraphQL tells ──────────────────────────────────────────────────────────────────────────────────

    async def look(self) -> None:
        """All that GraphQL tells of hierarchies, their nodes and their unassigned groups."""
        found = (await self.grove.query(EVERYTHING))["hierarchies"]["nodes"]
        assert [shown["name"] for shown in found] == sorted(self.oracle.trees)
        for shown in found:
            assert shown == self.picture(self.oracle.trees[shown["name"]])

    def picture(self, tree: Tree) -> Json:
        """What `EVERYTHING` should tell of a hierarchy."""
        nodes = [self.picture_of_node(tree, name) for name in tree.below(None)]
        unassigned = sorted(self.oracle.groups.keys() - tree.parents.keys(), key=str.lower)
        levels = enumerate(level_counts(tree), 1)
        return {
            "id": self.id_of_hierarchy(tree.name),
            "name": tree.name,
            "description": tree.description,
            "version": tree.version,
            "nodeCount": len(nodes),
            "levels": [{"depth": depth, "name": name, "nodeCount": count} for depth, (name, count) in levels],
            "nodes": {"totalCount": len(nodes), "nodes": nodes},
            "unassignedGroups": {
                "totalCount": len(unassigned),
                "nodes": [{"name": name, "status": self.oracle.groups[name].status} for name in unassigned],
            },
        }

    def picture_of_node(self, tree: Tree, name: str) -> Json:
        parent, depth, child_count, descendant_count = tree.standing_of(name)
        customers = [self.oracle.groups[one].customers for one in (name, *tree.below(name))]
        return {
            "id": self.id_of((tree.name, name)),
            "depth": depth,
            "index": tree.children[parent].index(name),
            "childCount": child_count,
            "descendantCount": descendant_count,
            "path": [*reversed(tree.above(name)), name],
            "customerCount": len(set().union(*customers)),
            "direct": len(customers[0]),
            "parent": None if parent is None else {"id": self.id_of((tree.name, parent))},
            "level": {"name": tree.levels[depth - 1]},
        }


def level_counts(tree: Tree) -> Iterator[tuple[str, int]]:
    """The levels from the top, and how many nodes stand on each."""
    depths = [tree.depth(name) for name in tree.parents]
    for depth, level in enumerate(tree.levels, 1):
        yield level, depths.count(depth)
