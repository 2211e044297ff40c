"""A hierarchy as plain dictionaries, in which everything is found by walking: slow, and right because it is simple."""

from collections.abc import Callable, Iterator, Sequence

# (parent, depth, number of children, number of descendants) of a node.
Standing = tuple[str | None, int, int, int]


class Tree:
    """One hierarchy: for each group its parent, and for each parent the list of its children. None is the top."""

    def __init__(self, name: str, levels: Sequence[str]) -> None:
        self.name = name
        self.levels = list(levels)
        self.description = ""
        self.version = 1
        self.parents: dict[str, str | None] = {}
        self.children: dict[str | None, list[str]] = {None: []}

    def above(self, group: str | None) -> list[str]:
        """From the parent up to the root."""
        found: list[str] = []
        while group is not None and (group := self.parents[group]) is not None:
            found.append(group)
        return found

    def depth(self, group: str | None) -> int:
        """0 is above all roots."""
        return 0 if group is None else 1 + len(self.above(group))

    def below(self, group: str | None) -> Iterator[str]:
        """All descendants, each parent before its children."""
        for child in self.children[group]:
            yield child
            yield from self.below(child)

    def height(self, group: str) -> int:
        """How many levels there are below it."""
        return max((self.depth(one) for one in self.below(group)), default=self.depth(group)) - self.depth(group)

    def at(self, depth: int) -> list[str]:
        """All nodes of one level, in display order."""
        return [group for group in self.below(None) if self.depth(group) == depth]

    def standing(self) -> dict[str, Standing]:
        """All nodes in display order."""
        return {group: self.standing_of(group) for group in self.below(None)}

    def standing_of(self, group: str) -> Standing:
        return (
            self.parents[group],
            self.depth(group),
            len(self.children[group]),
            len(list(self.below(group))),
        )

    def pairs(self) -> Iterator[tuple[str, str, int]]:
        """(ancestor, descendant, distance), each node with itself among them."""
        for group in self.parents:
            for distance, ancestor in enumerate([group, *self.above(group)]):
                yield ancestor, group, distance

    def put(self, groups: Sequence[str], parent: str | None, index: int) -> None:
        self.children[parent][index:index] = groups
        for group in groups:
            self.parents[group] = parent
            self.children.setdefault(group, [])

    def take(self, group: str) -> None:
        """Takes a node from among its siblings; what is below it stays below it."""
        self.children[self.parents.pop(group)].remove(group)

    def remove(self, group: str) -> list[str]:
        """Takes a subtree out of the tree; returns its groups."""
        gone = [group, *self.below(group)]
        self.take(group)
        for one in gone:
            self.parents.pop(one, None)
            del self.children[one]
        return gone

    def promote(self, group: str) -> list[str]:
        """Takes a node out of the tree; its children, which are returned, take its place."""
        parent, rising = self.parents[group], self.children[group]
        index = self.children[parent].index(group)
        self.take(group)
        del self.children[group]
        self.put(rising, parent, index)
        return rising

    def insert_level(self, depth: int, level: str, placeholder: Callable[[str | None], str]) -> list[str]:
        """Puts a new node, named by its parent, between every parent above a depth and its children; returns them."""
        made = []
        for parent in dict.fromkeys(self.parents[group] for group in self.at(depth)):
            new = placeholder(parent)
            children, self.children[parent] = self.children[parent], []
            self.put([new], parent, 0)
            self.put(children, new, 0)
            made.append(new)
        self.levels.insert(depth - 1, level)
        return made
