"""The company that is measured: its tree with a place for each workload, its customers, and what is asked of them.

The same for the same number of nodes. What is asked is kept beside the data, so that a filled database can be
measured again without growing the tree anew.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from bench.generate import LEVELS, SEED, key_of
from bench.shape import ROOT, Shape, level_sizes, put_in_order

CHOICES = 200
# Nearly all of the tree stands below one root.
SHARE_OF_LARGE = 0.9
HUNDRED, HUNDREDS = 100, 30
# Places with three levels of ten each below them.
SIDE, CUBES = 10, 5


@dataclass(slots=True)
class Places:
    """Keys of nodes (and codes of customers) that the workloads choose from."""

    nodes: int
    deep: list[int] = field(default_factory=list)
    hundreds: list[int] = field(default_factory=list)
    # (node, the sibling to stand after); the last child of each parent is in none, and so stays the last.
    pairs: list[tuple[int, int]] = field(default_factory=list)
    cubes: list[int] = field(default_factory=list)
    medium: int = 0
    large: int = 0
    # Nodes with about 5,000 and about 50,000 customers below.
    few_customers: list[int] = field(default_factory=list)
    many_customers: list[int] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    # Where children are created: below a root of their own, so that what is read stays as it was.
    spare: list[int] = field(default_factory=list)
    thousand: int = 0
    ten_thousand: int = 0
    # The two stand below the first and are moved to the second, which has the same parent, and back.
    homes: tuple[int, int] = (0, 0)

    def text(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def read(cls, text: str) -> "Places":
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Company:
    shape: Shape
    # (group, customer), by number: each customer in one leaf's group.
    members: list[tuple[int, int]]
    places: Places


def company(nodes: int, customers: int, seed: int = SEED) -> Company:
    """A company of so many nodes, of which there must be 1,000 at least."""
    random = Random(seed)
    shape = Shape()
    places = Places(nodes)
    _put_spare(shape, places)
    large = places.large = shape.add(ROOT)
    _put_hundreds(shape, places, large)
    _put_cubes(shape, places, large)
    _put_moved(shape, places, large)
    places.medium = shape.add(large)
    _grow(shape, places.medium, min(10_000, nodes // 10), random)
    _grow(shape, large, int(nodes * SHARE_OF_LARGE) - shape.descendant_counts()[large], random)
    _grow(shape, shape.add(ROOT), nodes - len(shape.parents), random)
    put_in_order(shape, random)
    _choose_pairs(shape, places, random)
    members = list(_members(shape, customers, random))
    _choose(shape, places, members, random)
    return Company(shape, members, _keyed(places))


def _put_spare(shape: Shape, places: Places) -> None:
    above = shape.add(shape.add(shape.add(ROOT)))
    places.spare = shape.add_many(above, 64)


def _put_hundreds(shape: Shape, places: Places, large: int) -> None:
    above = shape.add(large)
    places.hundreds = shape.add_many(above, max(1, min(HUNDREDS, len_of(places, 3_000))))
    for parent in places.hundreds:
        shape.add_many(parent, HUNDRED)


def len_of(places: Places, nodes: int) -> int:
    """One for every so many nodes of the tree."""
    return places.nodes // nodes


def _put_cubes(shape: Shape, places: Places, large: int) -> None:
    above = shape.add(large)
    places.cubes = shape.add_many(above, max(1, min(CUBES, len_of(places, 20_000))))
    side = SIDE if places.nodes >= 10_000 else 4
    for top in places.cubes:
        for child in shape.add_many(top, side):
            for grandchild in shape.add_many(child, side):
                shape.add_many(grandchild, side)


def _put_moved(shape: Shape, places: Places, large: int) -> None:
    """Subtrees of three levels at the depth 4, which move between two parents of one grandparent."""
    above = shape.add(large)
    home, away = places.homes = (shape.add(above), shape.add(above))
    for parent in places.homes:
        shape.add_many(parent, 10)
    assert home < away
    places.thousand = _put_subtree(shape, home, min(1_000, len_of(places, 100)))
    places.ten_thousand = _put_subtree(shape, home, min(10_000, len_of(places, 10)))


def _put_subtree(shape: Shape, parent: int, size: int) -> int:
    top = shape.add(parent)
    children = shape.add_many(top, max(1, int(size**0.5 * 0.9)))
    for number in range(size - 1 - len(children)):
        shape.add(children[number % len(children)])
    return top


def _grow(shape: Shape, top: int, count: int, random: Random) -> None:
    """So many nodes below one, each level some times larger than the one above it, under random parents."""
    above = [top]
    for size in level_sizes(count, LEVELS - shape.depths[top]):
        above = [shape.add(random.choice(above)) for _ in range(size)]


def _choose_pairs(shape: Shape, places: Places, random: Random) -> None:
    for number in range(CHOICES):
        siblings = shape.children[places.hundreds[number % len(places.hundreds)]][:-1]
        node, beside = random.sample(siblings, 2)
        places.pairs.append((node, beside))


def _members(shape: Shape, customers: int, random: Random) -> Iterator[tuple[int, int]]:
    # The spare parents are leaves for now only, and the siblings that change their order stay alike.
    leaves = [place for place in range(len(shape.parents)) if place not in shape.children]
    for customer in range(customers):
        yield random.choice(leaves), customer


def _choose(shape: Shape, places: Places, members: Sequence[tuple[int, int]], random: Random) -> None:
    counts = [0] * len(shape.parents)
    for group, _ in members:
        counts[group] += 1
    for place in range(len(counts) - 1, -1, -1):
        if shape.parents[place] != ROOT:
            counts[shape.parents[place]] += counts[place]
    few, many = len(members) // 100, len(members) // 10
    places.few_customers = _nearest(counts, few)
    places.many_customers = _nearest(counts, many)
    deepest = [place for place, depth in enumerate(shape.depths) if depth == LEVELS]
    places.deep = random.sample(deepest, min(CHOICES, len(deepest)))
    places.codes = [f"K-{random.randrange(len(members)):07}" for _ in range(CHOICES)]


def _nearest(counts: Sequence[int], wanted: int) -> list[int]:
    """The places with about so many customers at and below them, five at most."""
    found = sorted(range(len(counts)), key=lambda place: abs(counts[place] - wanted))
    return [place for place in found[:5] if abs(counts[place] - wanted) <= wanted / 4] or found[:1]


def _keyed(places: Places) -> Places:
    """Keys in place of numbers."""
    keys = {
        name: [key_of(number) for number in getattr(places, name)]
        for name in ("deep", "hundreds", "cubes", "few_customers", "many_customers", "spare")
    }
    for name, numbers in keys.items():
        setattr(places, name, numbers)
    places.pairs = [(key_of(node), key_of(beside)) for node, beside in places.pairs]
    for name in ("medium", "large", "thousand", "ten_thousand"):
        setattr(places, name, key_of(getattr(places, name)))
    places.homes = (key_of(places.homes[0]), key_of(places.homes[1]))
    return places
