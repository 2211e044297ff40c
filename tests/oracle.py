"""What Grove should do, as a slow model of plain dictionaries that is right because it is simple.

It knows things by their names alone, never by an id: a group stands at most once in a hierarchy, so the two
names are a node (`Spot`). Every mutation either gives back what it did (`Done`) or raises `Refused` with the
codes of the user errors, in any order, and has then changed nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.support.plain_tree import Tree

# (hierarchy, group). One that stands nowhere is a node that is gone, or never was.
Spot = tuple[str, str]
# A position by the names it has in GraphQL; the value is true, a number from 0, or a spot. None: last.
Position = tuple[str, bool | int | Spot]


class Stay(Enum):
    """The parent of a node that is to stay under the one it has."""

    STAY = "stay"


STAY = Stay.STAY
Parent = Spot | None


class Refused(Exception):
    def __init__(self, *codes: str) -> None:
        super().__init__(*codes)
        self.codes = list(codes)


@dataclass
class Done:
    """What a mutation did: what the log will say, and what its answer will name."""

    actions: list[str] = field(default_factory=list)
    # The nodes that got a place, in their order.
    spots: list[Spot] = field(default_factory=list)
    # Under which the first of them stood before.
    previous: Spot | None = None
    # The groups that left a tree: those of the nodes that were named, in their order, and those below them.
    named: list[str] = field(default_factory=list)
    others: set[str] = field(default_factory=set)
    # The nodes that were given another place: moved, re-ordered, or risen to where their parent stood.
    disturbed: set[Spot] = field(default_factory=set)
    # What the answer says of the nodes of a hierarchy whose levels have changed.
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Group:
    status: str = "ACTIVE"
    customers: set[str] = field(default_factory=set)
    version: int = 1


class Oracle:
    def __init__(self, customers: Iterable[str]) -> None:
        self.customers = set(customers)
        self.groups: dict[str, Group] = {}
        self.trees: dict[str, Tree] = {}

    # ── hierarchies and levels ──────────────────────────────────────────────────────────────────────────────

    def create_hierarchy(self, name: str, levels: Sequence[str], placeholders: Sequence[str]) -> Done:
        """`placeholders` are the names that were given to the groups, one a level, or nothing."""
        codes = ["OUT_OF_RANGE"] if not levels else []
        codes += ["NAME_TAKEN" for place, level in enumerate(levels) if _among(level, levels[:place])]
        codes += ["NAME_TAKEN"] if _among(name, self.trees) else []
        _refuse(codes)
        self.trees[name] = tree = Tree(name, levels)
        parent = None
        for group in placeholders:
            self.groups[group] = Group()
            tree.put([group], parent, 0)
            parent = group
        return Done(["HIERARCHY_CREATED", *["GROUP_CREATED", "GROUP_ASSIGNED"] * len(placeholders)])

    def update_hierarchy(self, name: str, description: str, version: int | None) -> Done:
        tree = self._tree(name, version)
        if tree.description == description:
            return Done()
        tree.description = description
        tree.version += 1
        return Done(["HIERARCHY_UPDATED"])

    def delete_hierarchy(self, name: str, version: int | None) -> Done:
        self._tree(name, version)
        del self.trees[name]
        return Done(["HIERARCHY_DELETED"])

    def add_level(self, hierarchy: str, name: str, depth: int | None, version: int | None) -> Done:
        tree = self._tree(hierarchy, version)
        depth = len(tree.levels) + 1 if depth is None else depth
        codes = ["NAME_TAKEN"] if _among(name, tree.levels) else []
        codes += ["OUT_OF_RANGE"] if not 1 <= depth <= len(tree.levels) + 1 else []
        _refuse(codes)
        sinking = [group for group in tree.parents if tree.depth(group) >= depth]
        children = tree.at(depth)
        made = tree.insert_level(depth, name, lambda parent: self._free_name(f"New {name} ({parent or hierarchy})"))
        self.groups |= {group: Group() for group in made}
        tree.version += 1
        return Done(
            ["LEVEL_ADDED", *["GROUP_CREATED", "GROUP_ASSIGNED"] * len(made), *["NODE_MOVED"] * len(children)],
            disturbed={(hierarchy, group) for group in children},
            counts={"movedCount": len(sinking), "createdCount": len(made)},
        )

    def _free_name(self, wanted: str) -> str:
        """A name that no group has, with the smallest number behind it that it needs."""
        assert len(wanted) < 190, "Grove would shorten it."
        number, name = 1, wanted
        while _among(name, self.groups):
            number += 1
            name = f"{wanted} {number}"
        return name

    def rename_level(self, hierarchy: str, depth: int, name: str, version: int | None) -> Done:
        tree = self._tree(hierarchy, version)
        if not 1 <= depth <= len(tree.levels):
            raise Refused("OUT_OF_RANGE")
        if _among(name, tree.levels[: depth - 1] + tree.levels[depth:]):
            raise Refused("NAME_TAKEN")
        if tree.levels[depth - 1] == name:
            return Done()
        tree.levels[depth - 1] = name
        tree.version += 1
        return Done(["LEVEL_RENAMED"])

    def remove_level(self, hierarchy: str, depth: int, mode: str, version: int | None) -> Done:
        tree = self._tree(hierarchy, version)
        if not 1 <= depth <= len(tree.levels) or len(tree.levels) == 1:
            raise Refused("OUT_OF_RANGE")
        leaving = tree.at(depth)
        if mode == "REFUSE" and depth != len(tree.levels):
            raise Refused("OUT_OF_RANGE")
        if mode == "REFUSE" and leaving:
            raise Refused("LEVEL_IN_USE")
        rising = [group for group in tree.parents if tree.depth(group) > depth]
        risen = [child for group in leaving for child in tree.promote(group)]
        del tree.levels[depth - 1]
        tree.version += 1
        return Done(
            ["LEVEL_REMOVED", *["GROUP_UNASSIGNED"] * len(leaving), *["NODE_MOVED"] * len(risen)],
            disturbed={(hierarchy, group) for group in risen},
            counts={"movedCount": len(rising), "removedCount": len(leaving)},
        )

    # ── groups and their members ────────────────────────────────────────────────────────────────────────────

    def create_group(
        self,
        name: str,
        status: str,
        customers: Sequence[str],
        place: tuple[str, Parent, Position | None] | None,
    ) -> Done:
        codes: list[str] = []
        tree, above, index = None, None, 0
        if place is not None:
            hierarchy, parent, position = place
            _check_form(position)
            try:
                tree = self._tree(hierarchy, None)
                above = self._parent(tree, parent)
                index = _index(tree, above, position, [])
            except Refused as refused:
                codes += refused.codes
        codes += ["NAME_TAKEN"] if _among(name, self.groups) else []
        codes += ["NOT_FOUND" for customer in customers if customer not in self.customers]
        if place is not None and status == "INACTIVE":
            codes.append("GROUP_INACTIVE")
        if tree is not None and tree.depth(above) == len(tree.levels):
            codes.append("TOO_DEEP")
        _refuse(codes)
        self.groups[name] = Group(status, set(customers))
        done = Done(["GROUP_CREATED", *["CUSTOMERS_ADDED"] * bool(customers)])
        if tree is not None:
            tree.put([name], above, index)
            tree.version += 1
            done.actions.append("GROUP_ASSIGNED")
            done.spots = [(tree.name, name)]
        return done

    def set_status(self, name: str, status: str, version: int | None) -> Done:
        group = self._group(name, version)
        if group.status == status:
            return Done()
        group.status = status
        group.version += 1
        return Done(["GROUP_UPDATED"])

    def add_customers(self, name: str, customers: Sequence[str], version: int | None) -> Done:
        group = self._group_for_members(name, customers, version)
        if group.customers >= set(customers):
            return Done()
        group.customers |= set(customers)
        group.version += 1
        return Done(["CUSTOMERS_ADDED"])

    def remove_customers(self, name: str, customers: Sequence[str], version: int | None) -> Done:
        group = self._group_for_members(name, customers, version)
        if not group.customers & set(customers):
            return Done()
        group.customers -= set(customers)
        group.version += 1
        return Done(["CUSTOMERS_REMOVED"])

    def delete_group(self, name: str, policy: str, version: int | None) -> Done:
        self._group(name, version)
        trees = [tree for tree in self.trees.values() if name in tree.parents]
        _refuse(["CONFLICT" for tree in trees if tree.children[name] and policy == "REFUSE"])
        done = Done()
        for tree in trees:
            left = self._leave(tree, [name], policy)
            done.actions += left.actions
            done.disturbed |= left.disturbed
        del self.groups[name]
        done.actions.append("GROUP_DELETED")
        return done

    # ── nodes ───────────────────────────────────────────────────────────────────────────────────────────────

    def assign(
        self,
        hierarchy: str,
        groups: Sequence[str],
        parent: Parent,
        position: Position | None,
        version: int | None,
    ) -> Done:
        _check_form(position)
        _refuse(["REQUIRED"] if not groups else [])
        tree = self._tree(hierarchy, version)
        codes = [code for place, group in enumerate(groups) for code in self._unfit(tree, groups[:place], group)]
        above, index = None, 0
        try:
            above = self._parent(tree, parent)
            index = _index(tree, above, position, [])
        except Refused as refused:
            codes += refused.codes
        if tree.depth(above) == len(tree.levels) and groups[0] in self.groups:
            codes.append("TOO_DEEP")
        _refuse(codes)
        tree.put(groups, above, index)
        tree.version += 1
        return Done(["GROUP_ASSIGNED"] * len(groups), [(hierarchy, group) for group in groups])

    def _unfit(self, tree: Tree, before: Sequence[str], name: str) -> Iterator[str]:
        if name not in self.groups:
            yield "NOT_FOUND"
            return
        if name in before:
            yield "INVALID"
        if self.groups[name].status == "INACTIVE":
            yield "GROUP_INACTIVE"
        if name in tree.parents:
            yield "ALREADY_ASSIGNED"

    def move(
        self, spots: Sequence[Spot], parent: Parent | Stay, position: Position | None, version: int | None
    ) -> Done:
        _check_form(position)
        tree, named = self._named(spots, version)
        moving = [group for group in named if not set(tree.above(group)) & set(named)]
        if parent is STAY:
            _refuse(["INVALID"] if len({tree.parents[group] for group in moving}) > 1 else [])
            above = tree.parents[moving[0]]
        else:
            above = self._parent(tree, parent)
        if above in moving or set(tree.above(above)) & set(moving):
            raise Refused("CYCLE")
        depth = tree.depth(above) + 1
        _refuse(["TOO_DEEP" for group in moving if depth + tree.height(group) > len(tree.levels)])
        index = _index(tree, above, position, moving)
        actions = ["NODES_REORDERED" if tree.parents[group] == above else "NODE_MOVED" for group in moving]
        previous = tree.parents[moving[0]]
        for group in moving:
            tree.take(group)
        tree.put(moving, above, index)
        tree.version += 1
        moved = [(tree.name, group) for group in moving]
        return Done(actions, moved, (tree.name, previous) if previous else None, disturbed=set(moved))

    def reorder(self, hierarchy: str, parent: Parent, children: Sequence[Spot], version: int | None) -> Done:
        tree = self._tree(hierarchy, version)
        above = self._parent(tree, parent)
        siblings = tree.children[above]
        wanted = [group if where == hierarchy else "" for where, group in children]
        wrong = [group for place, group in enumerate(wanted) if group not in siblings or group in wanted[:place]]
        _refuse(["NOT_CHILDREN"] * len(wrong))
        _refuse(["NOT_CHILDREN"] if len(wanted) != len(siblings) else [])
        # Which of them keep their places in a new order, nobody is told.
        disturbed = set(children) if siblings != wanted else set()
        tree.children[above] = wanted
        tree.version += 1
        return Done(["NODES_REORDERED"], disturbed=disturbed)

    def unassign(self, spots: Sequence[Spot], policy: str, version: int | None) -> Done:
        tree, named = self._named(spots, version)
        if policy == "REFUSE":
            _refuse(["CONFLICT" for group in named if tree.children[group]])
        return self._leave(tree, named, policy)

    def _leave(self, tree: Tree, named: Sequence[str], policy: str) -> Done:
        risen: set[str] = set()
        gone = set(named)
        for group in named:
            if policy == "PROMOTE":
                risen |= set(tree.promote(group))
            elif group in tree.parents:
                gone |= set(tree.remove(group))
        disturbed = {(tree.name, group) for group in risen if group in tree.parents}
        tree.version += 1
        actions = ["GROUP_UNASSIGNED"] * len(gone) + ["NODE_MOVED"] * len(disturbed)
        return Done(actions, named=list(named), others=gone - set(named), disturbed=disturbed)

    # ── what must be so before anything changes ─────────────────────────────────────────────────────────────

    def stands(self, spot: Spot) -> bool:
        return spot[0] in self.trees and spot[1] in self.trees[spot[0]].parents

    def _tree(self, name: str, version: int | None) -> Tree:
        if name not in self.trees:
            raise Refused("NOT_FOUND")
        if version not in (None, self.trees[name].version):
            raise Refused("STALE")
        return self.trees[name]

    def _group(self, name: str, version: int | None) -> Group:
        if name not in self.groups:
            raise Refused("NOT_FOUND")
        if version not in (None, self.groups[name].version):
            raise Refused("STALE")
        return self.groups[name]

    def _group_for_members(self, name: str, customers: Sequence[str], version: int | None) -> Group:
        group = self._group(name, version)
        _refuse(["REQUIRED"] if not customers else [])
        _refuse(["NOT_FOUND" for customer in customers if customer not in self.customers])
        return group

    def _parent(self, tree: Tree, parent: Parent) -> str | None:
        if parent is None:
            return None
        if not self.stands(parent):
            raise Refused("NOT_FOUND")
        if parent[0] != tree.name:
            raise Refused("WRONG_HIERARCHY")
        return parent[1]

    def _named(self, spots: Sequence[Spot], version: int | None) -> tuple[Tree, list[str]]:
        """The one tree in which nodes stand that were named, and their groups, each once."""
        _refuse(["REQUIRED"] if not spots else [])
        hierarchies = {spot[0] for spot in spots if self.stands(spot)}
        _refuse(["NOT_FOUND"] * len(spots) if not hierarchies else [])
        _refuse(["WRONG_HIERARCHY"] if len(hierarchies) > 1 else [])
        tree = self._tree(hierarchies.pop(), version)
        _refuse(["NOT_FOUND" for spot in dict.fromkeys(spots) if not self.stands(spot)])
        return tree, [group for _, group in dict.fromkeys(spots)]


def _refuse(codes: Sequence[str]) -> None:
    if codes:
        raise Refused(*codes)


def _among(name: str, names: Iterable[str]) -> bool:
    """Whether it is one of these, whatever its case."""
    return name.lower() in [other.lower() for other in names]


def _check_form(position: Position | None) -> None:
    if position is not None and position[1] is False:
        raise Refused("INVALID")


def _index(tree: Tree, parent: str | None, position: Position | None, leaving: Sequence[str]) -> int:
    """Where among the children that stay the place is."""
    staying = [child for child in tree.children[parent] if child not in leaving]
    word, value = position or ("last", True)
    if word == "first":
        return 0
    if word == "last":
        return len(staying)
    if word == "index":
        assert isinstance(value, int)
        if value < 0:
            raise Refused("OUT_OF_RANGE")
        return min(value, len(staying))
    assert isinstance(value, tuple)
    hierarchy, group = value
    if hierarchy != tree.name or group not in staying:
        raise Refused("NOT_CHILDREN")
    return staying.index(group) + (word == "after")
