"""The laws of the tree: random mutations, through GraphQL, on Grove and on an oracle of plain dictionaries.

A run is up to fifty steps, each an operation of `Run` with numbers that stand for things by their place among
those that there are at the moment, so that any step can be left out of a run. After each mutation every row is
compared with the oracle; now and then, and at the end, all that GraphQL tells is too. In between somebody reads
lists page by page, and has at the end seen each node that stood still, once and in order.

GROVE_TEST_RUNS sets another number of runs than 500.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from service.app import create_app
from service.engines import connect
from service.settings import Settings
from tests.oracle import STAY, Done, Parent, Position, Spot, Stay, Tree
from tests.support.client import Json, running
from tests.support.databases import Databases, fresh
from tests.support.readers import Listing, Reader, leaf_through
from tests.support.world import World

RUNS = int(os.environ.get("GROVE_TEST_RUNS", "500"))
STEPS = 50
GROUPS = [f"G{number:02}" for number in range(1, 13)]
CUSTOMERS = ["C1", "C2", "C3", "C4"]
MOST_HIERARCHIES = 4

# ── what is drawn ───────────────────────────────────────────────────────────────────────────────────────────

# The place of a thing among others, counted round and round; from READ on nodes that somebody has just read, and
# the highest are kept for things that don't belong.
READ, ANY, FOREIGN, GONE, HIGHEST = 70, 94, 96, 98, 99
numbers = st.integers(0, HIGHEST)
selections = st.lists(numbers, min_size=1, max_size=5)
# STAY: left out; None: the top.
parents = st.one_of(st.just(STAY), st.none(), numbers, st.integers(0, ANY))
positions = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(["first", "last"]), st.sampled_from([True] * 9 + [False])),
    st.tuples(st.sampled_from(["before", "after"]), numbers),
    st.tuples(st.sampled_from(["before", "after"]), st.integers(0, ANY)),
    st.tuples(st.just("index"), st.sampled_from([0, 1, 2, 3, 4, 99] * 3 + [-1])),
)
# How far off the expected version is; None: none is given.
versions = st.sampled_from([None] * 24 + [0, 0, 0, 0, -1, 1])
# Which nodes of a hierarchy are read.
CHOICES = [None, None, ("depth", 2), ("level", "L2"), ("status", "ACTIVE"), ("status", "INACTIVE"), ("search", "g1")]
policies = st.sampled_from(["PROMOTE", "PROMOTE", "UNASSIGN", "REFUSE"])
statuses = st.sampled_from(["ACTIVE", "INACTIVE"])

T = TypeVar("T")
Drawn = int | None
DrawnParent = int | None | Stay
DrawnPosition = tuple[str, Any] | None


# How many levels a tree has, and where its groups stand.
Plant = tuple[int, list[int]]


class Step(NamedTuple):
    """An operation of `Run` by name, its arguments, and whether it is tried as a dry run first."""

    name: str
    arguments: dict[str, Any]
    rehearsed: bool

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.name}({arguments}){' rehearsed' * self.rehearsed}"


# By name; and the names, each as often as its weight says.
operations: dict[str, st.SearchStrategy[Step]] = {}
weighted: list[str] = []
Operation = TypeVar("Operation", bound=Callable[..., Awaitable[None]])


def operation(weight: int, **arguments: st.SearchStrategy[Any]) -> Callable[[Operation], Operation]:
    """Makes a method of `Run` a step, as often as its weight says, with what is drawn for its arguments."""

    def register(method: Operation) -> Operation:
        rehearsed = st.sampled_from([False] * 9 + [True])
        name = method.__name__
        operations[name] = st.builds(Step, st.just(name), st.fixed_dictionaries(arguments), rehearsed)
        weighted.extend([name] * weight)
        return method

    return register


def pick(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


# ── a run ───────────────────────────────────────────────────────────────────────────────────────────────────


class Run:
    def __init__(self, world: World) -> None:
        self.world = world
        self.oracle = world.oracle
        self.readers: list[Reader] = []
        self.names = 0

    async def do(self, step: Step) -> None:
        self.world.rehearsed = step.rehearsed
        await getattr(self, step.name)(**step.arguments)

    async def mutate(
        self, mutation: str, input: Json, selection: str, predict: Callable[..., Done], *arguments: Any
    ) -> None:
        done = await self.world.mutate(mutation, input, selection, predict, *arguments)
        if done is not None:
            for reader in self.readers:
                reader.notice(done.disturbed)

    # ── hierarchies and levels ──────────────────────────────────────────────────────────────────────────────

    @operation(1, depth=st.integers(0, 5), twice=st.integers(0, 9), taken=numbers, placeholders=st.booleans())
    async def create_hierarchy(self, depth: int, twice: int, taken: int, placeholders: bool) -> None:
        if len(self.oracle.trees) >= MOST_HIERARCHIES:
            return
        levels = [f"L{number}" for number in range(1, depth + 1)] + ["l1"] * (twice == 9)
        name = self.new_name("T", taken, list(self.oracle.trees))
        groups = [f"New {level} ({name})" for level in levels] if placeholders else []
        await self.mutate(
            "createHierarchy",
            {"name": name, "levels": levels, "placeholders": placeholders},
            "hierarchy { name version }",
            self.oracle.create_hierarchy,
            name,
            levels,
            groups,
        )

    @operation(1, tree=numbers, description=st.sampled_from(["", "one", "two"]), version=versions)
    async def update_hierarchy(self, tree: int, description: str, version: Drawn) -> None:
        name, expected = self.hierarchy(tree, version)
        await self.mutate(
            "updateHierarchy",
            {"id": self.world.id_of_hierarchy(name), "description": description, **given_version(expected)},
            "hierarchy { name version }",
            self.oracle.update_hierarchy,
            name,
            description,
            expected,
        )

    @operation(1, tree=numbers, sure=st.booleans(), version=versions)
    async def delete_hierarchy(self, tree: int, sure: bool, version: Drawn) -> None:
        if len(self.oracle.trees) < 2 or not sure:
            return
        name, expected = self.hierarchy(tree, version)
        input = {"id": self.world.id_of_hierarchy(name), **given_version(expected)}
        await self.mutate("deleteHierarchy", input, "deletedId", self.oracle.delete_hierarchy, name, expected)

    @operation(1, tree=numbers, level=st.integers(1, 9), version=versions)
    async def add_level(self, tree: int, level: int, version: Drawn) -> None:
        name, expected = self.hierarchy(tree, version)
        await self.mutate(
            "addLevel",
            {"hierarchyId": self.world.id_of_hierarchy(name), "name": f"l{level}", **given_version(expected)},
            "hierarchy { name version }",
            self.oracle.add_level,
            name,
            f"l{level}",
            expected,
        )

    @operation(1, tree=numbers, depth=st.sampled_from([1, 2, 3, 4, 0, 9]), level=st.integers(1, 9), version=versions)
    async def rename_level(self, tree: int, depth: int, level: int, version: Drawn) -> None:
        name, expected = self.hierarchy(tree, version)
        input = {"hierarchyId": self.world.id_of_hierarchy(name), "depth": depth, "name": f"l{level}"}
        await self.mutate(
            "renameLevel",
            {**input, **given_version(expected)},
            "hierarchy { name version }",
            self.oracle.rename_level,
            name,
            depth,
            f"l{level}",
            expected,
        )

    @operation(1, tree=numbers, higher=st.sampled_from([0, 0, 0, 1, 9]), version=versions)
    async def remove_level(self, tree: int, higher: int, version: Drawn) -> None:
        name, expected = self.hierarchy(tree, version)
        depth = len(self.oracle.trees[name].levels) - higher if name in self.oracle.trees else 1
        await self.mutate(
            "removeLevel",
            {"hierarchyId": self.world.id_of_hierarchy(name), "depth": depth, **given_version(expected)},
            "hierarchy { name version }",
            self.oracle.remove_level,
            name,
            depth,
            expected,
        )

    # ── groups and their members ────────────────────────────────────────────────────────────────────────────

    @operation(
        3,
        taken=numbers,
        status=st.sampled_from(["ACTIVE"] * 9 + ["INACTIVE"]),
        customers=st.lists(st.sampled_from(CUSTOMERS), max_size=2),
        tree=st.one_of(st.none(), numbers, st.integers(0, ANY)),
        parent=parents,
        position=positions,
    )
    async def create_group(
        self,
        taken: int,
        status: str,
        customers: list[str],
        tree: Drawn,
        parent: DrawnParent,
        position: DrawnPosition,
    ) -> None:
        name = self.new_name("N", taken, list(self.oracle.groups))
        input: Json = {"name": name, "status": status, "customerCodes": customers}
        place = None
        if tree is not None:
            hierarchy, _ = self.hierarchy(tree, None)
            above, where, given = self.place(tree, parent, position)
            input["place"] = {"hierarchyId": self.world.id_of_hierarchy(hierarchy), **given}
            place = hierarchy, above, where
        selection = "group { id } node { id }"
        await self.mutate(
            "createCustomerGroup", input, selection, self.oracle.create_group, name, status, customers, place
        )

    @operation(1, group=numbers, status=statuses, version=versions)
    async def set_status(self, group: int, status: str, version: Drawn) -> None:
        name, expected = self.group(group, version)
        input = {"id": self.world.id_of_group(name), "status": status, **given_version(expected)}
        await self.mutate("updateCustomerGroup", input, "group { id }", self.oracle.set_status, name, status, expected)

    @operation(
        2,
        group=numbers,
        customers=st.lists(st.sampled_from([*CUSTOMERS, *CUSTOMERS, "C9"]), max_size=3, unique=True),
        adding=st.booleans(),
        version=versions,
    )
    async def change_members(self, group: int, customers: list[str], adding: bool, version: Drawn) -> None:
        name, expected = self.group(group, version)
        input = {"group": self.named(name, group), "customerCodes": customers, **given_version(expected)}
        await self.mutate(
            "addCustomersToGroup" if adding else "removeCustomersFromGroup",
            input,
            "group { id }",
            self.oracle.add_customers if adding else self.oracle.remove_customers,
            name,
            customers,
            expected,
        )

    @operation(1, group=numbers, policy=policies, version=versions)
    async def delete_group(self, group: int, policy: str, version: Drawn) -> None:
        name, expected = self.group(group, version)
        input = {"id": self.world.id_of_group(name), "children": policy, **given_version(expected)}
        await self.mutate("deleteCustomerGroup", input, "deletedId", self.oracle.delete_group, name, policy, expected)

    # ── nodes ───────────────────────────────────────────────────────────────────────────────────────────────

    @operation(3, tree=numbers, group=numbers, parent=parents, position=positions, version=versions)
    async def assign_group(
        self, tree: int, group: int, parent: DrawnParent, position: DrawnPosition, version: Drawn
    ) -> None:
        (name,) = self.groups(tree, [group])
        input = {"group": self.named(name, group)}
        await self.assign("assignGroup", input, "node", tree, [name], parent, position, version)

    @operation(3, tree=numbers, groups=selections, parent=parents, position=positions, version=versions)
    async def assign_groups(
        self, tree: int, groups: list[int], parent: DrawnParent, position: DrawnPosition, version: Drawn
    ) -> None:
        names = self.groups(tree, groups)
        input = {"groups": [self.named(name, number) for name, number in zip(names, groups, strict=True)]}
        await self.assign("assignGroups", input, "nodes", tree, names, parent, position, version)

    async def assign(
        self,
        mutation: str,
        input: Json,
        answer: str,
        tree: int,
        names: list[str],
        parent: DrawnParent,
        position: DrawnPosition,
        version: Drawn,
    ) -> None:
        hierarchy, expected = self.hierarchy(tree, version)
        above, where, given = self.place(tree, parent, position)
        input = {**input, **given, "hierarchyId": self.world.id_of_hierarchy(hierarchy)}
        await self.mutate(
            mutation,
            {**input, **given_version(expected)},
            f"{answer} {{ id }} hierarchy {{ name version }}",
            self.oracle.assign,
            hierarchy,
            names,
            above,
            where,
            expected,
        )

    @operation(6, tree=numbers, node=numbers, parent=parents, position=positions, version=versions)
    async def move_node(
        self, tree: int, node: int, parent: DrawnParent, position: DrawnPosition, version: Drawn
    ) -> None:
        (spot,) = self.nodes(tree, [node])
        input = {"nodeId": self.world.id_of(spot)}
        await self.move("moveNode", input, "node", tree, [spot], parent, position, version)

    @operation(4, tree=numbers, nodes=selections, parent=parents, position=positions, version=versions)
    async def move_nodes(
        self, tree: int, nodes: list[int], parent: DrawnParent, position: DrawnPosition, version: Drawn
    ) -> None:
        spots = self.nodes(tree, nodes)
        if parent is STAY and nodes[0] < ANY:
            spots = [spot for spot in spots if self.parent_of(spot) == self.parent_of(spots[0])]
        input = {"nodeIds": [self.world.id_of(spot) for spot in spots]}
        await self.move("moveNodes", input, "nodes", tree, spots, parent, position, version)

    async def move(
        self,
        mutation: str,
        input: Json,
        answer: str,
        tree: int,
        spots: list[Spot],
        parent: DrawnParent,
        position: DrawnPosition,
        version: Drawn,
    ) -> None:
        _, expected = self.hierarchy(tree, version)
        above, where, given = self.place(tree, parent, position, spots)
        await self.mutate(
            mutation,
            {**input, **given, **given_version(expected)},
            f"{answer} {{ id }} hierarchy {{ name version }}",
            self.oracle.move,
            spots,
            STAY if parent is STAY else above,
            where,
            expected,
        )

    @operation(
        3,
        tree=numbers,
        parent=st.one_of(st.none(), numbers),
        order=selections,
        mistake=st.sampled_from([None] * 8 + ["missing", "twice", "stray"]),
        version=versions,
    )
    async def reorder_children(
        self, tree: int, parent: Drawn, order: list[int], mistake: str | None, version: Drawn
    ) -> None:
        found = self.tree(tree)
        hierarchy, expected = self.hierarchy(tree, version)
        above = None if parent is None else self.parent_with_children(found, parent)
        siblings = self.children_of(found, above)
        spots = [siblings.pop(pick(order, place) % len(siblings)) for place in range(len(siblings))]
        if mistake == "missing":
            del spots[-1:]
        elif mistake is not None:
            spots += spots[:1] if mistake == "twice" else self.nodes(tree, [HIGHEST - order[0] % 12])
        input = {
            "hierarchyId": self.world.id_of_hierarchy(hierarchy),
            "parentId": None if above is None else self.world.id_of(above),
            "childIds": [self.world.id_of(spot) for spot in spots],
        }
        await self.mutate(
            "reorderChildren",
            {**input, **given_version(expected)},
            "hierarchy { name version }",
            self.oracle.reorder,
            hierarchy,
            above,
            spots,
            expected,
        )

    @operation(2, tree=numbers, node=numbers, policy=policies, version=versions)
    async def unassign_node(self, tree: int, node: int, policy: str, version: Drawn) -> None:
        (spot,) = self.nodes(tree, [node])
        input = {"nodeId": self.world.id_of(spot)}
        await self.unassign("unassignNode", input, tree, [spot], policy, version)

    @operation(2, tree=numbers, nodes=selections, policy=policies, version=versions)
    async def unassign_nodes(self, tree: int, nodes: list[int], policy: str, version: Drawn) -> None:
        spots = self.nodes(tree, nodes)
        input = {"nodeIds": [self.world.id_of(spot) for spot in spots]}
        await self.unassign("unassignNodes", input, tree, spots, policy, version)

    async def unassign(
        self, mutation: str, input: Json, tree: int, spots: list[Spot], policy: str, version: Drawn
    ) -> None:
        _, expected = self.hierarchy(tree, version)
        input = {**input, "children": policy, **given_version(expected)}
        selection = "groups { name } hierarchy { name version }"
        await self.mutate(mutation, input, selection, self.oracle.unassign, spots, policy, expected)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    @operation(1)
    async def look(self) -> None:
        await self.world.look()

    @operation(
        4,
        tree=numbers,
        kind=st.sampled_from(["nodes", "nodes", "roots", "children", "descendants"]),
        node=numbers,
        max_depth=st.sampled_from([None, 1, 2]),
        chosen=st.sampled_from(CHOICES),
        size=st.sampled_from([1, 2, 1, 3]),
        backward=st.booleans(),
    )
    async def begin_to_read(
        self,
        tree: int,
        kind: str,
        node: int,
        max_depth: Drawn,
        chosen: tuple[str, str | int] | None,
        size: int,
        backward: bool,
    ) -> None:
        listing = self.listing(tree, kind, node, max_depth, chosen)
        if listing is not None:
            reader = Reader(self.world, listing, size, backward=backward)
            self.readers.append(reader)
            await reader.read()

    @operation(5, number=numbers)
    async def read_on(self, number: int) -> None:
        reading = [reader for reader in self.readers if not reader.over]
        if reading:
            await pick(reading, number).read()

    async def end(self) -> None:
        """Everybody reads to the end; then all is looked at once more."""
        for reader in self.readers:
            await reader.finish()
            if reader.listing.id_in(self.world) is not None:
                await leaf_through(self.world, reader.listing, reader.size)
        await self.world.look()

    # ── what the numbers stand for ──────────────────────────────────────────────────────────────────────────

    def new_name(self, letter: str, number: int, taken: list[str]) -> str:
        """A name that was never there; at times one that is taken, in another case."""
        if number >= FOREIGN and taken:
            return pick(taken, number).swapcase()
        self.names += 1
        return f"{letter}{self.names}"

    def tree(self, number: int) -> Tree:
        return pick(list(self.oracle.trees.values()), number)

    def hierarchy(self, number: int, version: Drawn) -> tuple[str, int | None]:
        """The name of a tree, rarely of one that there is not, and the version that is expected."""
        tree = self.tree(number)
        expected = None if version is None else tree.version + version
        return ("nowhere" if number == HIGHEST else tree.name), expected

    def group(self, number: int, version: Drawn) -> tuple[str, int | None]:
        name = "nobody" if number >= GONE else pick(list(self.oracle.groups), number)
        known = self.oracle.groups.get(name)
        return name, None if version is None else version + (known.version if known else 1)

    def groups(self, tree: int, chosen: list[int]) -> list[str]:
        """Mostly different groups that the hierarchy does not have yet."""
        free = [name for name in self.oracle.groups if name not in self.tree(tree).parents]
        return [
            free.pop(number % len(free)) if number < ANY and free else self.group(number, None)[0] for number in chosen
        ]

    def named(self, name: str, number: int) -> Json:
        """One of the ways to name a group."""
        _, code = self.world.groups.get(name, (1, "nothing"))
        forms = [{"id": self.world.id_of_group(name)}, {"name": name.swapcase()}, {"code": code}]
        return pick(forms, number)

    def nodes(self, tree: int, chosen: list[int]) -> list[Spot]:
        """Mostly different nodes of the hierarchy."""
        found = self.tree(tree)
        own = [(found.name, name) for name in found.below(None)]
        read = [spot for reader in self.readers if (spot := reader.last_read()) in own]
        nodes = []
        for number in chosen:
            if number >= ANY or not own:
                nodes.append(self.stray(found, number))
            else:
                nodes.append(pick(read if read and number >= READ else own, number))
                own = [spot for spot in own if spot not in nodes]
                read = [spot for spot in read if spot not in nodes]
        return nodes

    def stray(self, tree: Tree, number: int) -> Spot:
        """Any node of the hierarchy, of another one, or one that is gone."""
        foreign = [spot for spot in self.world.nodes if (spot[0] == tree.name) == (number < FOREIGN)]
        return pick(foreign, number) if foreign and number < GONE else pick(self.world.gone, number)

    def parent_of(self, spot: Spot) -> str | None:
        return self.oracle.trees[spot[0]].parents[spot[1]] if self.oracle.stands(spot) else None

    def parent_with_children(self, tree: Tree, number: int) -> Spot:
        wide = [name for name in tree.parents if tree.children[name]]
        return (tree.name, pick(wide, number)) if wide and number < ANY else self.stray(tree, number)

    def children_of(self, tree: Tree, parent: Spot | None) -> list[Spot]:
        if parent is not None and parent[0] != tree.name:
            return []
        return [(tree.name, name) for name in tree.children[parent[1] if parent else None]]

    def place(
        self, tree: int, parent: DrawnParent, position: DrawnPosition, moving: Sequence[Spot] = ()
    ) -> tuple[Parent, Position | None, Json]:
        """A parent and a position, for the oracle and as input; mostly such as these moving nodes can have."""
        found = self.tree(tree)
        leaving = [name for name in found.parents if (found.name, name) in moving]
        above: Spot | None = None
        given: Json = {}
        if isinstance(parent, int):
            outside = [name for name in found.below(None) if not {name, *found.above(name)} & set(leaving)]
            above = (found.name, pick(outside, parent)) if outside and parent < ANY else self.stray(found, parent)
            given["parentId"] = self.world.id_of(above)
        elif parent is None:
            given["parentId"] = None
        elif leaving and (name := found.parents[leaving[0]]) is not None:
            above = found.name, name
        if position is None:
            return above, None, given
        word, value = position
        if word not in ("before", "after"):
            return above, position, {**given, "position": {word: value}}
        siblings = [spot for spot in self.children_of(found, above) if spot not in moving]
        if not siblings and value < ANY:
            return above, None, given
        beside = pick(siblings, value) if value < ANY else self.stray(found, value)
        return above, (word, beside), {**given, "position": {word: self.world.id_of(beside)}}

    def listing(
        self, tree: int, kind: str, node: int, max_depth: Drawn, chosen: tuple[str, str | int] | None
    ) -> Listing | None:
        found = self.tree(tree)
        if kind == "nodes":
            return Listing(kind, found.name, chosen=chosen)
        if kind == "roots":
            return Listing(kind, found.name)
        wide = [name for name in found.below(None) if found.children[name]]
        depth = max_depth if kind == "descendants" else None
        return Listing(kind, found.name, pick(wide, node), depth) if wide else None


def given_version(expected: int | None) -> Json:
    return {} if expected is None else {"expectedVersion": expected}


# ── the test ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
async def make_world(databases: Databases) -> AsyncIterator[Callable[[], World]]:
    """Makes a world for each run, all on one database."""
    async with fresh(databases) as url:
        app = create_app(Settings(database=url))
        database = await connect(url)
        try:
            async with running(app) as grove:
                for code in CUSTOMERS:
                    await grove.mutate("createCustomer", {"code": code, "name": code})
                yield lambda: World(grove, database, CUSTOMERS)
        finally:
            await database.close()


step = st.sampled_from(weighted).flatmap(operations.__getitem__)
plants = st.tuples(st.integers(2, 6), st.lists(numbers, max_size=10))


@settings(
    max_examples=RUNS,
    deadline=None,
    database=None,
    verbosity=Verbosity.quiet,
    # What fails is made smaller below, in a hundredth of the time that Hypothesis would take: it does not know
    # that any step can be left out.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    plants=st.tuples(plants, plants),
    steps=st.integers(1, STEPS).flatmap(lambda count: st.lists(step, min_size=count, max_size=count)),
)
async def test_laws(make_world: Callable[[], World], plants: tuple[Plant, Plant], steps: list[Step]) -> None:
    if await failure(make_world(), plants, steps):
        steps = await fewest(make_world, plants, steps)
        error = await failure(make_world(), plants, steps)
        if error:
            error.add_note("\n".join(map(repr, [*plants, *steps])))
            raise error


async def failure(world: World, plants: Sequence[Plant], steps: Sequence[Step]) -> Exception | None:
    """What a run fails with."""
    try:
        run = Run(world)
        await world.begin(GROUPS, [planted(f"T{number}", *plant) for number, plant in enumerate(plants)])
        for step in steps:
            await run.do(step)
        await run.end()
    except Exception as error:
        error.add_note("\n".join(world.history))
        return error
    return None


async def fewest(make_world: Callable[[], World], plants: Sequence[Plant], steps: list[Step]) -> list[Step]:
    """The steps of a run that fails, without those that it fails without as well."""
    size = len(steps)
    while size := size // 2:
        start = 0
        while start < len(steps):
            fewer = steps[:start] + steps[start + size :]
            if await failure(make_world(), plants, fewer):
                steps = fewer
            else:
                start += size
    return steps


def planted(name: str, depth: int, parents: list[int]) -> Tree:
    """A tree of so many levels; each group stands at the top or under one before it."""
    tree = Tree(name, [f"L{number}" for number in range(1, depth + 1)])
    for group, number in zip(GROUPS, parents, strict=False):
        parent = pick([*(one for one in reversed(tree.parents) if tree.depth(one) < depth), None], number)
        tree.put([group], parent, number % (1 + len(tree.children[parent])))
    return tree
