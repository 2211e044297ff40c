"""What is drawn for a step, and what the drawn numbers stand for in the world as it is when the step is done.

A number stands for a thing by its place among those that there are, counted round and round. So every number
means something at every moment, and any step can be left out of a run. The highest numbers are kept for things
that don't belong: a mistake to be refused.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.oracle import STAY, Parent, Position, Spot, Stay
from tests.support.client import Json
from tests.support.plain_tree import Tree
from tests.support.readers import Listing, Reader
from tests.support.world import World

T = TypeVar("T")
Drawn = int | None
DrawnParent = int | None | Stay
DrawnPosition = tuple[str, Any] | None
DrawnPlace = tuple[DrawnParent, DrawnPosition]
Chosen = tuple[str, str | int] | None

# From these on a number stands for a node that somebody has just read, any node, one of another hierarchy, and
# one that is gone.
READ, ANY, FOREIGN, GONE, HIGHEST = 70, 94, 96, 98, 99
numbers = st.integers(0, HIGHEST)
some = st.lists(numbers, min_size=1, max_size=5)
selections = st.integers(0, 19).flatmap(lambda number: some if number < 19 else st.just([]))
# STAY: left out; None: the top.
parents = st.one_of(st.just(STAY), st.none(), numbers, st.integers(0, ANY))
positions = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(["first", "last"]), st.sampled_from([True] * 9 + [False])),
    st.tuples(st.sampled_from(["before", "after"]), numbers),
    st.tuples(st.sampled_from(["before", "after"]), st.integers(0, ANY)),
    st.tuples(st.just("index"), st.sampled_from([0, 1, 2, 3, 4, 99] * 3 + [-1])),
)
places = st.tuples(parents, positions)
# How far off the expected version is; None: none is given.
versions = st.sampled_from([None] * 24 + [0, 0, 0, 0, -1, 1])
policies = st.sampled_from(["PROMOTE", "PROMOTE", "UNASSIGN", "REFUSE"])
statuses = st.sampled_from(["ACTIVE", "INACTIVE"])
lists = st.sampled_from(["nodes", "nodes", "roots", "children", "descendants"])
# Which of all nodes are read.
choices = st.sampled_from(
    [None, None, ("depth", 2), ("level", "L2"), ("status", "ACTIVE"), ("status", "INACTIVE"), ("search", "g1")]
)


def pick(things: Sequence[T], number: int) -> T:
    return things[number % len(things)]


class Chooser:
    def __init__(self, world: World) -> None:
        self.world = world
        self.oracle = world.oracle
        self.readers: list[Reader] = []
        self.names = 0

    def new_name(self, letter: str, number: int, taken: list[str]) -> str:
        """A name that was never there; at times one that is taken, in another case."""
        if number >= FOREIGN and taken:
            return pick(taken, number).swapcase()
        self.names += 1
        return f"{letter}{self.names}"

    def tree(self, number: int) -> Tree:
        return pick(list(self.oracle.trees.values()), number)

    def grown_tree(self, number: int) -> Tree:
        """One that has nodes, if there is any."""
        return pick([tree for tree in self.oracle.trees.values() if tree.parents] or [self.tree(number)], number)

    def hierarchy(self, tree: Tree, number: int, version: Drawn) -> tuple[str, int | None]:
        """The name of a tree, rarely of one that there is not, and the version that is expected."""
        expected = None if version is None else tree.version + version
        return ("nowhere" if number == HIGHEST else tree.name), expected

    def group(self, number: int, version: Drawn) -> tuple[str, int | None]:
        name = "nobody" if number >= GONE else pick(list(self.oracle.groups), number)
        known = self.oracle.groups.get(name)
        return name, None if version is None else version + (known.version if known else 1)

    def groups(self, tree: Tree, chosen: list[int]) -> list[str]:
        """Mostly different groups that the hierarchy does not have yet."""
        free = [name for name in self.oracle.groups if name not in tree.parents]
        return [
            free.pop(number % len(free)) if number < ANY and free else self.group(number, None)[0] for number in chosen
        ]

    def named(self, name: str, number: int) -> Json:
        """One of the ways to name a group."""
        _, code = self.world.groups.get(name, (1, "nothing"))
        return pick([{"id": self.world.id_of_group(name)}, {"name": name.swapcase()}, {"code": code}], number)

    def nodes(self, tree: Tree, chosen: list[int]) -> list[Spot]:
        """Mostly different nodes of a hierarchy."""
        own = [(tree.name, name) for name in tree.below(None)]
        read = [spot for reader in self.readers for spot in reader.place if spot in own]
        nodes: list[Spot] = []
        for number in chosen:
            if number >= ANY or not own:
                nodes.append(self.stray(tree, number))
            else:
                nodes.append(pick(read if read and number >= READ else own, number))
                own = [spot for spot in own if spot not in nodes]
                read = [spot for spot in read if spot not in nodes]
        return nodes

    def stray(self, tree: Tree, number: int) -> Spot:
        """Any node of a hierarchy, of another one, or one that is gone."""
        found = [spot for spot in self.world.nodes if (spot[0] == tree.name) == (number < FOREIGN)]
        return pick(found, number) if found and number < GONE else pick(self.world.gone, number)

    def parent_with_children(self, tree: Tree, number: int) -> Spot:
        wide = [name for name in tree.parents if tree.children[name]]
        return (tree.name, pick(wide, number)) if wide and number < ANY else self.stray(tree, number)

    def parent_of(self, spot: Spot) -> str | None:
        return self.oracle.trees[spot[0]].parents[spot[1]] if self.oracle.stands(spot) else None

    def children_of(self, tree: Tree, parent: Spot | None) -> list[Spot]:
        if parent is not None and parent[0] != tree.name:
            return []
        return [(tree.name, name) for name in tree.children[parent[1] if parent else None]]

    def place(self, tree: Tree, drawn: DrawnPlace, moving: Sequence[Spot] = ()) -> tuple[Parent, Position | None, Json]:
        """A parent and a position, for the oracle and as input; mostly such as these moving nodes can have."""
        parent, position = drawn
        leaving = [name for name in tree.parents if (tree.name, name) in moving]
        above: Spot | None = None
        given: Json = {}
        if isinstance(parent, int):
            outside = [name for name in tree.below(None) if not {name, *tree.above(name)} & set(leaving)]
            above = (tree.name, pick(outside, parent)) if outside and parent < ANY else self.stray(tree, parent)
            given["parentId"] = self.world.id_of(above)
        elif parent is None:
            given["parentId"] = None
        elif leaving and (name := tree.parents[leaving[0]]) is not None:
            above = tree.name, name
        if position is None:
            return above, None, given
        word, value = position
        if word not in ("before", "after"):
            return above, position, {**given, "position": {word: value}}
        siblings = [spot for spot in self.children_of(tree, above) if spot not in moving]
        if not siblings and value < ANY:
            return above, None, given
        beside = pick(siblings, value) if value < ANY else self.stray(tree, value)
        return above, (word, beside), {**given, "position": {word: self.world.id_of(beside)}}

    def listing(self, tree: Tree, kind: str, node: int, max_depth: Drawn, chosen: Chosen) -> Listing | None:
        if kind in ("nodes", "roots"):
            return Listing(kind, tree.name, chosen=chosen if kind == "nodes" else None)
        wide = [name for name in tree.below(None) if tree.children[name]]
        depth = max_depth if kind == "descendants" else None
        return Listing(kind, tree.name, pick(wide, node), depth) if wide else None
