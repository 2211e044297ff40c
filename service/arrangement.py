"""What a hierarchy's file makes of a tree: its groups met, its nodes placed, the difference to what stands. Pure.

Only what is at the end counts, no order of single moves: parent and child may change places. In MERGE, nodes that
keep their parent keep their place among its children, and those that come stand behind them, in the order of the
file; in REPLACE siblings stand exactly as in the file.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service import ids, positions
from service.errors import UserErrorCode
from service.names import key
from service.sheets import Mistakes
from service.store.group import GroupRow
from service.store.node import NodeRow
from service.store.tree_file import Standing
from service.wanted import Outline, Wanted

Code = UserErrorCode


def meet(
    nodes: Sequence[Wanted], coded: Mapping[str, GroupRow], named: Mapping[str, GroupRow]
) -> list[GroupRow | None]:
    """The group that each node means, by its code or else by its name; None: a new one. Each only once."""
    met: list[GroupRow | None] = [
        coded.get(node.code_key) if node.sound and node.code_key is not None else None for node in nodes
    ]
    claimed = {row.id for row in met if row is not None}
    for number, node in enumerate(nodes):
        if node.sound and node.code_key is None:
            row = named.get(node.name_key)
            if row is not None and row.id not in claimed:
                met[number] = row
                claimed.add(row.id)
    return met


def values(node: Wanted, row: GroupRow | None) -> tuple[str, str]:
    """The name and description that a node's group will have. One met by its name keeps its way to write it."""
    name = node.name if row is None or node.code_key is not None else row.name
    if node.description is not None:
        return name, node.description
    return name, "" if row is None else row.description


def concerned(
    nodes: Sequence[Wanted], met: Sequence[GroupRow | None], standing: Mapping[int, Standing]
) -> list[GroupRow]:
    """The groups that change, or that get a place in the hierarchy: they must not change otherwise meanwhile."""
    placed = {row.group_id for row in standing.values()}
    return [
        row
        for node, row in zip(nodes, met, strict=True)
        if row is not None and (row.id not in placed or values(node, row) != (row.name, row.description))
    ]


@dataclass(slots=True)
class Arrangement:
    """The tree as it will be, by the difference to what stands. Nodes of the file go by their numbers there."""

    # Of each node of the file: its key, and that of its group.
    nodes: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    # Every node of the tree to be → its parent, roots to None; and → its depth.
    parents: dict[int, int | None] = field(default_factory=dict)
    depths: dict[int, int] = field(default_factory=dict)

    created: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    # Groups that there were and that come into the hierarchy; nodes under another parent; in another order.
    assigned: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    reordered: list[int] = field(default_factory=list)
    removed: list[Standing] = field(default_factory=list)

    # Rows, parents before children: new ones, and standing ones of which anything changes.
    inserted: list[NodeRow] = field(default_factory=list)
    settled: list[NodeRow] = field(default_factory=list)
    # Those of the settled that change their place among siblings.
    parked: list[int] = field(default_factory=list)
    # Nodes whose ancestors are others than before, level by level from the top; without those that leave.
    regrown: list[list[int]] = field(default_factory=list)
    level_counts: Counter[int] = field(default_factory=Counter)
    # Whether siblings were spread anew.
    spread: bool = False

    @property
    def changes_anything(self) -> bool:
        return bool(self.created or self.updated or self.assigned or self.moved or self.reordered or self.removed)


def arrange(
    hierarchy: int,
    levels: Sequence[str],
    outline: Outline,
    met: Sequence[GroupRow | None],
    named: Mapping[str, GroupRow],
    standing: Mapping[int, Standing],
    *,
    replace: bool,
) -> Arrangement:
    """The tree that the file makes. What stands against it joins the outline's mistakes; then nothing is to be done.

    `named`: name, as a key → group, for the names that the file gives; `standing`: by node.
    """
    work = _Arranging(hierarchy, levels, outline, met, standing, replace)
    work.look_at_groups(named)
    work.place()
    if not outline.mistakes:
        work.order_siblings()
        work.compare()
    return work.result


class _Arranging:
    """The work of `arrange`, step by step."""

    def __init__(
        self,
        hierarchy: int,
        levels: Sequence[str],
        outline: Outline,
        met: Sequence[GroupRow | None],
        standing: Mapping[int, Standing],
        replace: bool,
    ) -> None:
        self.result = Arrangement()
        self._hierarchy = hierarchy
        self._levels = levels
        self._wanted = outline.nodes
        self._mistakes: Mistakes = outline.mistakes
        self._met = met
        self._standing = standing
        self._replace = replace
        self._node_of_group = {row.group_id: row.id for row in standing.values()}
        self._positions: dict[int, str] = {}

    # ── groups ──────────────────────────────────────────────────────────────────────────────────────────────

    def look_at_groups(self, named: Mapping[str, GroupRow]) -> None:
        """A name belongs to another group that keeps it; and a group that is inactive cannot come in."""
        owner = {row.id: number for number, row in enumerate(self._met) if row is not None}
        for number, (node, row) in enumerate(zip(self._wanted, self._met, strict=True)):
            if not node.sound:
                continue
            holder = named.get(node.name_key)
            # One that the file names as well either gets another name or has been told of as a namesake.
            if holder is not None and owner.get(holder.id, number) == number and (row is None or holder.id != row.id):
                message = (
                    f"There is a group «{holder.name}» already, with the code {holder.code}; give this one another"
                    " name, or that code."
                )
                self._mistakes.add(Code.NAME_TAKEN, message, node.row, node.columns.name_text)
            if row is not None and row.status != "ACTIVE" and row.id not in self._node_of_group:
                message = f"«{row.name}» ({row.code}) is inactive; activate it, or leave it out."
                self._mistakes.add(Code.GROUP_INACTIVE, message, node.row, node.columns.name_text)

    # ── places ──────────────────────────────────────────────────────────────────────────────────────────────

    def place(self) -> None:
        """Every node under its parent, at its depth; circles and depths without a level are mistakes."""
        result = self.result
        new_groups = iter(ids.new_keys(sum(row is None for row in self._met)))
        result.groups = [next(new_groups) if row is None else row.id for row in self._met]
        new_nodes = iter(ids.new_keys(len(result.groups)))
        result.nodes = [self._node_of_group.get(group) or next(new_nodes) for group in result.groups]
        if not self._replace:
            result.parents = {row.id: row.parent_id for row in self._standing.values()}
        by_code = {row.code_key: row.id for row in self._standing.values()}
        for number, node in enumerate(self._wanted):
            above = None if node.above is None else by_code[node.above]
            result.parents[result.nodes[number]] = above if node.parent is None else result.nodes[node.parent]
        self._measure()
        self._tell_depths()

    def _measure(self) -> None:
        """The depth of each node; 0 in a circle, and counted from there below one."""
        parents, depths = self.result.parents, self.result.depths
        number_of = {node: number for number, node in enumerate(self.result.nodes)}
        for start in parents:
            walk: list[int] = []
            node: int | None = start
            while node is not None and node not in depths:
                depths[node] = 0
                walk.append(node)
                node = parents[node]
            if node is not None and node in walk:
                circle = walk[walk.index(node) :]
                self._tell_circle([number_of[one] for one in circle if one in number_of])
                walk = walk[: walk.index(node)]
            depth = 0 if node is None else depths[node]
            for one in reversed(walk):
                depth += 1
                depths[one] = depth

    def _tell_circle(self, members: Sequence[int]) -> None:
        node = self._wanted[min(members, key=lambda number: self._wanted[number].row)]
        message = (
            f"{node} would stand below a group that stands below it itself, and that no row moves elsewhere."
            " Choose another parent."
        )
        self._mistakes.add(Code.CYCLE, message, node.row, node.columns.place_text)

    def _tell_depths(self) -> None:
        result, last = self.result, len(self._levels)
        lowest: Counter[int] = Counter()
        if max(result.depths.values(), default=0) > last:
            number_of = {node: number for number, node in enumerate(result.nodes)}
            for key_of_node, depth in result.depths.items():
                node: int | None = key_of_node
                while depth > last and node is not None and node not in number_of:
                    node = result.parents[node]
                if depth > last and node is not None:
                    number = number_of[node]
                    lowest[number] = max(lowest[number], depth)
        for number, wanted in enumerate(self._wanted):
            depth = result.depths[result.nodes[number]]
            if number in lowest:
                who = f"{wanted}" if depth > last else f"The lowest node below {wanted}"
                message = (
                    f"{who} would stand at depth {depth if depth > last else lowest[number]}, but there are {last}"
                    f" levels, down to «{self._levels[-1]}». Choose a higher parent or add a level."
                )
                self._mistakes.add(Code.TOO_DEEP, message, wanted.row, wanted.columns.place_text)
            elif wanted.level and depth and key(wanted.level) != key(self._levels[depth - 1]):
                message = f"{wanted} stands on the level «{self._levels[depth - 1]}», not on «{wanted.level}»."
                self._mistakes.add(Code.BAD_ROW, message, wanted.row, wanted.columns.level_text)

    # ── order ───────────────────────────────────────────────────────────────────────────────────────────────

    def order_siblings(self) -> None:
        """A position for each node that comes, and for those that the file puts in another order."""
        siblings: dict[int, list[int]] = {}
        for number, node in enumerate(self.result.nodes):
            siblings.setdefault(self._scope(node), []).append(number)
        if self._replace:
            for numbers in siblings.values():
                self._order_anew(numbers)
        else:
            self._append({scope: [n for n in numbers if not self._stays(n)] for scope, numbers in siblings.items()})

    def _scope(self, node: int) -> int:
        parent = self.result.parents[node]
        return -self._hierarchy if parent is None else parent

    def _stays(self, number: int) -> bool:
        """Whether a node of the file keeps its parent."""
        node = self.result.nodes[number]
        row = self._standing.get(node)
        return row is not None and row.parent_id == self.result.parents[node]

    def _order_anew(self, numbers: Sequence[int]) -> None:
        nodes = [self.result.nodes[number] for number in numbers]
        old = [
            self._standing[self.result.nodes[number]].position if self._stays(number) else None for number in numbers
        ]
        new = positions.rearranged(old)
        self.result.reordered += [
            number for number, before, after in zip(numbers, old, new, strict=True) if before not in (None, after)
        ]
        self._keep(nodes, new)

    def _append(self, coming: Mapping[int, Sequence[int]]) -> None:
        """Puts nodes behind those that stay in their scopes."""
        last: dict[int, str] = {}
        scopes = {scope for scope, numbers in coming.items() if numbers}
        for scope, row in self._staying(scopes):
            last[scope] = max(last.get(scope, ""), row.position)
        for scope in scopes:
            nodes = [self.result.nodes[number] for number in coming[scope]]
            new = positions.between(last.get(scope), None, len(nodes))
            if positions.too_long(new):
                rows = sorted((row.position, row.id) for _, row in self._staying({scope}))
                nodes = [*(node for _, node in rows), *nodes]
            self._keep(nodes, new)

    def _staying(self, scopes: Collection[int]) -> Iterator[tuple[int, Standing]]:
        """The standing nodes that stay in these scopes."""
        for row in self._standing.values():
            scope = -self._hierarchy if row.parent_id is None else row.parent_id
            if scope in scopes and self.result.parents[row.id] == row.parent_id:
                yield scope, row

    def _keep(self, nodes: Sequence[int], keys: Sequence[str]) -> None:
        """These positions for all nodes of a scope, or for those that come last; spread anew where they are long."""
        if positions.too_long(keys):
            keys = positions.spread(len(nodes))
            self.result.spread = True
        self._positions.update(zip(nodes, keys, strict=True))

    # ── the difference ──────────────────────────────────────────────────────────────────────────────────────

    def compare(self) -> None:
        """What there is to do."""
        self._compare_groups()
        by_depth: list[list[int]] = [[] for _ in range(1 + max(self.result.depths.values(), default=0))]
        for node, depth in self.result.depths.items():
            by_depth[depth].append(node)
        self._compare_rows(by_depth)
        self._compare_chains(by_depth)
        self.result.removed = [row for row in self._standing.values() if row.id not in self.result.parents]

    def _compare_groups(self) -> None:
        result = self.result
        for number, (node, row) in enumerate(zip(self._wanted, self._met, strict=True)):
            if row is None:
                result.created.append(number)
                continue
            if values(node, row) != (row.name, row.description):
                result.updated.append(number)
            if result.nodes[number] not in self._standing:
                result.assigned.append(number)
            elif not self._stays(number):
                result.moved.append(number)

    def _compare_rows(self, by_depth: Sequence[Sequence[int]]) -> None:
        result = self.result
        group_of = dict(zip(result.nodes, result.groups, strict=True))
        children: Counter[int] = Counter()
        descendants: Counter[int] = Counter()
        for nodes in reversed(by_depth):
            for node in nodes:
                parent = result.parents[node]
                if parent is not None:
                    children[parent] += 1
                    descendants[parent] += 1 + descendants[node]
        for depth, nodes in enumerate(by_depth):
            result.level_counts[depth] += len(nodes)
            for node in nodes:
                old = self._standing.get(node)
                row = NodeRow(
                    node,
                    self._hierarchy,
                    group_of[node] if old is None else old.group_id,
                    result.parents[node],
                    self._positions[node] if old is None else self._positions.get(node, old.position),
                    depth,
                    children[node],
                    descendants[node],
                )
                if old is None:
                    result.inserted.append(row)
                elif row[3:] != old[2:7]:
                    result.settled.append(row)
                    if (row.parent_id, row.position) != (old.parent_id, old.position):
                        result.parked.append(node)
        for old in self._standing.values():
            result.level_counts[old.depth] -= 1

    def _compare_chains(self, by_depth: Sequence[Sequence[int]]) -> None:
        changed: set[int] = set()
        for nodes in by_depth:
            found = []
            for node in nodes:
                old, parent = self._standing.get(node), self.result.parents[node]
                if old is None or old.parent_id != parent or parent in changed:
                    found.append(node)
            changed.update(found)
            self.result.regrown.append(found)
