"""The steps of a run: every mutation of hierarchies, groups and nodes, and reading in between."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st

from tests.oracle import STAY, Done, Spot
from tests.support.choosing import (
    ANY,
    Chooser,
    Chosen,
    Drawn,
    DrawnPlace,
    choices,
    lists,
    numbers,
    pick,
    places,
    policies,
    selections,
    some,
    statuses,
    versions,
)
from tests.support.client import Json
from tests.support.plain_tree import Tree
from tests.support.readers import Reader, leaf_through

CUSTOMERS = ["C1", "C2", "C3", "C4"]
MOST_HIERARCHIES = 4
# From here on no level is put in between, which can make nearly as many groups as there are.
MOST_GROUPS = 40
HIERARCHY = "hierarchy { name version }"


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


class Run(Chooser):
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

    @operation(
        1, depth=st.sampled_from([3, 4, 5, 1, 0]), twice=st.integers(0, 9), taken=numbers, placeholders=st.booleans()
    )
    async def create_hierarchy(self, depth: int, twice: int, taken: int, placeholders: bool) -> None:
        if len(self.oracle.trees) >= MOST_HIERARCHIES:
            return
        levels = [f"L{number}" for number in range(1, depth + 1)] + ["l1"] * (twice == 9)
        name = self.new_name("T", taken, list(self.oracle.trees))
        groups = [f"New {level} ({name})" for level in levels] if placeholders else []
        await self.mutate(
            "createHierarchy",
            {"name": name, "levels": levels, "placeholders": placeholders},
            HIERARCHY,
            self.oracle.create_hierarchy,
            name,
            levels,
            groups,
        )

    @operation(1, number=numbers, description=st.sampled_from(["", "one", "two"]), version=versions)
    async def update_hierarchy(self, number: int, description: str, version: Drawn) -> None:
        name, expected = self.hierarchy(self.tree(number), number, version)
        input = {"id": self.world.id_of_hierarchy(name), "description": description, **given_version(expected)}
        predict = self.oracle.update_hierarchy
        await self.mutate("updateHierarchy", input, HIERARCHY, predict, name, description, expected)

    @operation(1, number=numbers, sure=st.booleans(), version=versions)
    async def delete_hierarchy(self, number: int, sure: bool, version: Drawn) -> None:
        if len(self.oracle.trees) < 2 or not sure:
            return
        name, expected = self.hierarchy(self.tree(number), number, version)
        input = {"id": self.world.id_of_hierarchy(name), **given_version(expected)}
        await self.mutate("deleteHierarchy", input, "deletedId", self.oracle.delete_hierarchy, name, expected)

    @operation(
        3,
        number=numbers,
        level=st.integers(1, 9),
        depth=st.sampled_from([None, None, 1, 2, 2, 3, 3, 4, 0, 10]),
        version=versions,
    )
    async def add_level(self, number: int, level: int, depth: Drawn, version: Drawn) -> None:
        tree = self.grown_tree(number)
        if depth is not None and len(self.oracle.groups) > MOST_GROUPS:
            return
        name, expected = self.hierarchy(tree, number, version)
        new = f"l{level}"
        input = {"hierarchyId": self.world.id_of_hierarchy(name), "name": new, **given_version(expected)}
        await self.mutate(
            "addLevel",
            input | ({} if depth is None else {"depth": depth}),
            f"{HIERARCHY} movedCount createdCount",
            self.oracle.add_level,
            name,
            new,
            depth,
            expected,
        )

    @operation(1, number=numbers, depth=st.sampled_from([1, 2, 3, 4, 0, 9]), level=st.integers(1, 9), version=versions)
    async def rename_level(self, number: int, depth: int, level: int, version: Drawn) -> None:
        name, expected = self.hierarchy(self.tree(number), number, version)
        new = f"l{level}"
        input = {"hierarchyId": self.world.id_of_hierarchy(name), "depth": depth, "name": new}
        predict = self.oracle.rename_level
        await self.mutate(
            "renameLevel", input | given_version(expected), HIERARCHY, predict, name, depth, new, expected
        )

    @operation(
        3,
        number=numbers,
        higher=st.sampled_from([0, 0, 0, 1, 1, 2, 3, 9]),
        mode=st.sampled_from([None, "REFUSE", "MERGE_UP", "MERGE_UP"]),
        version=versions,
    )
    async def remove_level(self, number: int, higher: int, mode: str | None, version: Drawn) -> None:
        tree = self.tree(number)
        name, expected = self.hierarchy(tree, number, version)
        depth = len(tree.levels) - higher
        input = {"hierarchyId": self.world.id_of_hierarchy(name), "depth": depth, **given_version(expected)}
        await self.mutate(
            "removeLevel",
            input | ({} if mode is None else {"mode": mode}),
            f"{HIERARCHY} movedCount removedCount",
            self.oracle.remove_level,
            name,
            depth,
            mode or "REFUSE",
            expected,
        )

    # ── groups and their members ────────────────────────────────────────────────────────────────────────────

    @operation(
        3,
        taken=numbers,
        status=st.sampled_from(["ACTIVE"] * 9 + ["INACTIVE"]),
        customers=st.lists(st.sampled_from(CUSTOMERS), max_size=2),
        number=st.one_of(st.none(), numbers, st.integers(0, ANY)),
        place=places,
    )
    async def create_group(
        self, taken: int, status: str, customers: list[str], number: Drawn, place: DrawnPlace
    ) -> None:
        name = self.new_name("N", taken, list(self.oracle.groups))
        input: Json = {"name": name, "status": status, "customerCodes": customers}
        goal = None
        if number is not None:
            tree = self.tree(number)
            hierarchy, _ = self.hierarchy(tree, number, None)
            above, position, given = self.place(tree, place)
            input["place"] = {"hierarchyId": self.world.id_of_hierarchy(hierarchy), **given}
            goal = hierarchy, above, position
        predict = self.oracle.create_group
        await self.mutate(
            "createCustomerGroup", input, "group { id } node { id }", predict, name, status, customers, goal
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

    @operation(3, number=numbers, group=numbers, place=places, version=versions)
    async def assign_group(self, number: int, group: int, place: DrawnPlace, version: Drawn) -> None:
        (name,) = self.groups(self.tree(number), [group])
        input = {"group": self.named(name, group)}
        await self.assign("assignGroup", input, "node", number, [name], place, version)

    @operation(3, number=numbers, groups=selections, place=places, version=versions)
    async def assign_groups(self, number: int, groups: list[int], place: DrawnPlace, version: Drawn) -> None:
        names = self.groups(self.tree(number), groups)
        input = {"groups": [self.named(name, group) for name, group in zip(names, groups, strict=True)]}
        await self.assign("assignGroups", input, "nodes", number, names, place, version)

    async def assign(
        self,
        mutation: str,
        input: Json,
        answer: str,
        number: int,
        names: list[str],
        place: DrawnPlace,
        version: Drawn,
    ) -> None:
        tree = self.tree(number)
        name, expected = self.hierarchy(tree, number, version)
        above, position, given = self.place(tree, place)
        input = {**input, **given, "hierarchyId": self.world.id_of_hierarchy(name), **given_version(expected)}
        predict = self.oracle.assign
        await self.mutate(
            mutation, input, f"{answer} {{ id }} {HIERARCHY}", predict, name, names, above, position, expected
        )

    @operation(6, number=numbers, node=numbers, place=places, version=versions)
    async def move_node(self, number: int, node: int, place: DrawnPlace, version: Drawn) -> None:
        tree = self.grown_tree(number)
        (spot,) = self.nodes(tree, [node])
        selection = "previousParent { id } node"
        await self.move("moveNode", {"nodeId": self.world.id_of(spot)}, selection, tree, [spot], place, version)

    @operation(4, number=numbers, nodes=selections, place=places, version=versions)
    async def move_nodes(self, number: int, nodes: list[int], place: DrawnPlace, version: Drawn) -> None:
        tree = self.grown_tree(number)
        spots = self.nodes(tree, nodes)
        if place[0] is STAY and number < ANY:
            spots = [spot for spot in spots if self.parent_of(spot) == self.parent_of(spots[0])]
        input = {"nodeIds": [self.world.id_of(spot) for spot in spots]}
        await self.move("moveNodes", input, "nodes", tree, spots, place, version)

    async def move(
        self,
        mutation: str,
        input: Json,
        answer: str,
        tree: Tree,
        spots: list[Spot],
        place: DrawnPlace,
        version: Drawn,
    ) -> None:
        _, expected = self.hierarchy(tree, 0, version)
        above, position, given = self.place(tree, place, spots)
        input = {**input, **given, **given_version(expected)}
        parent = STAY if place[0] is STAY else above
        predict = self.oracle.move
        await self.mutate(mutation, input, f"{answer} {{ id }} {HIERARCHY}", predict, spots, parent, position, expected)

    @operation(
        3,
        number=numbers,
        parent=st.one_of(st.none(), numbers),
        order=some,
        mistake=st.sampled_from([None] * 12 + ["missing", "twice", "stray"]),
        version=versions,
    )
    async def reorder_children(
        self, number: int, parent: Drawn, order: list[int], mistake: str | None, version: Drawn
    ) -> None:
        tree = self.grown_tree(number)
        name, expected = self.hierarchy(tree, number, version)
        above = None if parent is None else self.parent_with_children(tree, parent)
        siblings = self.children_of(tree, above)
        spots = [siblings.pop(pick(order, place) % len(siblings)) for place in range(len(siblings))]
        if mistake == "missing":
            del spots[-1:]
        elif mistake is not None:
            spots += spots[:1] if mistake == "twice" else [self.stray(tree, order[0])]
        input = {
            "hierarchyId": self.world.id_of_hierarchy(name),
            "parentId": None if above is None else self.world.id_of(above),
            "childIds": [self.world.id_of(spot) for spot in spots],
            **given_version(expected),
        }
        await self.mutate("reorderChildren", input, HIERARCHY, self.oracle.reorder, name, above, spots, expected)

    @operation(2, number=numbers, node=numbers, policy=policies, version=versions)
    async def unassign_node(self, number: int, node: int, policy: str, version: Drawn) -> None:
        tree = self.grown_tree(number)
        (spot,) = self.nodes(tree, [node])
        await self.unassign("unassignNode", {"nodeId": self.world.id_of(spot)}, tree, [spot], policy, version)

    @operation(2, number=numbers, nodes=selections, policy=policies, version=versions)
    async def unassign_nodes(self, number: int, nodes: list[int], policy: str, version: Drawn) -> None:
        tree = self.grown_tree(number)
        spots = self.nodes(tree, nodes)
        input = {"nodeIds": [self.world.id_of(spot) for spot in spots]}
        await self.unassign("unassignNodes", input, tree, spots, policy, version)

    async def unassign(
        self, mutation: str, input: Json, tree: Tree, spots: list[Spot], policy: str, version: Drawn
    ) -> None:
        _, expected = self.hierarchy(tree, 0, version)
        input = {**input, "children": policy, **given_version(expected)}
        predict = self.oracle.unassign
        await self.mutate(mutation, input, f"groups {{ name }} {HIERARCHY}", predict, spots, policy, expected)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    @operation(1)
    async def look(self) -> None:
        await self.world.look()

    @operation(
        7,
        number=numbers,
        kind=lists,
        node=numbers,
        max_depth=st.sampled_from([None, 1, 2]),
        chosen=choices,
        size=st.sampled_from([1, 2, 1, 3]),
        backward=st.booleans(),
    )
    async def begin_to_read(
        self, number: int, kind: str, node: int, max_depth: Drawn, chosen: Chosen, size: int, backward: bool
    ) -> None:
        listing = self.listing(self.grown_tree(number), kind, node, max_depth, chosen)
        if listing is not None and len(listing.spots(self.oracle)) > size:
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


def given_version(expected: int | None) -> Json:
    return {} if expected is None else {"expectedVersion": expected}


step = st.sampled_from(weighted).flatmap(operations.__getitem__)
