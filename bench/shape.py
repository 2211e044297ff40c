"""The shape of a tree to be measured: who stands under whom, the same for the same numbers and seed.

Most of the tree is grown at random, level by level, so that each level is some times larger than the one
above it. Into it are put a few landmarks, whose sizes are exact: what is measured is measured on these.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

ROOT = -1
FEWEST_NODES = 100
# The subtree of 1,000 nodes has three storeys and is moved between the depths 3 and 4.
FEWEST_LEVELS = 6
WIDE, HUNDRED, SUBTREE = 10_000, 100, 1_000
NODES_A_HUNDRED = 20_000


@dataclass(slots=True)
class Shape:
    """A tree by places in a list: `parents[place]` is the parent's place or ROOT, and always comes earlier."""

    parents: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    # The children of each place, and of ROOT, in their order.
    children: dict[int, list[int]] = field(default_factory=dict)
    # A parent of 10,000, some of 100 and the top of 1,000 nodes; all fewer in a small tree (see `limited`).
    wide: int = 0
    hundreds: list[int] = field(default_factory=list)
    subtree: int = 0
    # Where the subtree stands, and a place one deeper under another root, to which it can be moved.
    home: int = 0
    away: int = 0

    def add(self, parent: int) -> int:
        """The place of a new node."""
        self.parents.append(parent)
        self.depths.append(1 if parent == ROOT else self.depths[parent] + 1)
        return len(self.parents) - 1

    def add_many(self, parent: int, count: int) -> list[int]:
        return [self.add(parent) for _ in range(count)]

    def descendant_counts(self) -> list[int]:
        counts = [0] * len(self.parents)
        for place in range(len(self.parents) - 1, -1, -1):
            if self.parents[place] != ROOT:
                counts[self.parents[place]] += 1 + counts[place]
        return counts

    def ancestors(self, place: int) -> list[int]:
        """From the parent up to the root."""
        above = []
        while (place := self.parents[place]) != ROOT:
            above.append(place)
        return above


def limited(nodes: int, wanted: int) -> int:
    """A landmark takes at most a tenth of the tree."""
    return min(wanted, nodes // 10)


def grow(nodes: int, levels: int, seed: int) -> Shape:
    """A tree of so many nodes."""
    if nodes < FEWEST_NODES or levels < FEWEST_LEVELS:
        raise ValueError(f"a tree to be measured has {FEWEST_NODES} nodes and {FEWEST_LEVELS} levels at least")
    random = Random(seed)
    shape = Shape()
    trunk = _put_landmarks(shape, nodes)
    _fill(shape, trunk, nodes, levels, random)
    put_in_order(shape, random)
    return shape


def _put_landmarks(shape: Shape, nodes: int) -> list[int]:
    """Makes the landmarks, and two roots with what they hang on below; returns all but the landmarks."""
    left, right = shape.add_many(ROOT, 2)
    shape.home, below_right = shape.add(left), shape.add(right)
    shape.away = shape.add(below_right)
    shape.wide = shape.add(below_right)
    shape.add_many(shape.wide, limited(nodes, WIDE))
    for _ in range(max(1, nodes // NODES_A_HUNDRED)):
        shape.hundreds.append(shape.add(shape.home))
        shape.add_many(shape.hundreds[-1], limited(nodes, HUNDRED))
    _put_subtree(shape, limited(nodes, SUBTREE))
    return [left, right, shape.home, below_right, shape.away]


def _put_subtree(shape: Shape, size: int) -> None:
    """A node, its children, and so many of theirs that it is `size` nodes in all."""
    shape.subtree = shape.add(shape.home)
    children = shape.add_many(shape.subtree, max(1, int(size**0.5 * 0.9)))
    for number in range(size - 1 - len(children)):
        shape.add(children[number % len(children)])


def _fill(shape: Shape, trunk: Sequence[int], nodes: int, levels: int, random: Random) -> None:
    """Grows the rest on what is no landmark, each node under a random one of the level above."""
    free: defaultdict[int, list[int]] = defaultdict(list)
    for place in trunk:
        free[shape.depths[place]].append(place)
    for depth, count in enumerate(level_sizes(nodes - len(shape.parents), levels), start=1):
        for _ in range(count):
            parent = random.choice(free[depth - 1]) if depth > 1 else ROOT
            free[depth].append(shape.add(parent))


def level_sizes(nodes: int, levels: int) -> list[int]:
    """How many nodes each level gets, each level some times larger than the one above it."""
    low, high = 1.0, float(max(nodes, 2))
    for _ in range(100):
        factor = (low + high) / 2
        low, high = (low, factor) if sum(factor**depth for depth in range(1, levels + 1)) > nodes else (factor, high)
    sizes = [int(low**depth) for depth in range(1, levels)]
    return [*sizes, nodes - sum(sizes)]


def put_in_order(shape: Shape, random: Random) -> None:
    """Puts siblings into a random order, so that the landmarks do not all stand first."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for place, parent in enumerate(shape.parents):
        children[parent].append(place)
    for siblings in children.values():
        random.shuffle(siblings)
    shape.children = dict(children)
