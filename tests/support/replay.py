"""Whether what was acknowledged is in the change log and in the tree, each thing once and nothing else.

The log is read in the order in which the changes were committed. Each mutation in it raised the hierarchy's
version by one, so its place in the log is its version. Everything acknowledged is looked up there, then done
again, in that order, to a simple tree of plain dictionaries, which must come out as the service's tree.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service import ids
from service.ids import Kind
from tests.support import sql
from tests.support.client import Grove, Json
from tests.support.crowd import Acknowledged, read_tree, version_of

Tree = dict[str, tuple[str, str | None]]
ASSIGNING = {"createCustomerGroup", "assignGroup", "assignGroups"}
MOVING = {"moveNode", "moveNodes"}
UNASSIGNING = {"unassignNode", "unassignNodes"}

LOG = """
    SELECT actor, CAST(at AS text), action, group_key FROM change
    WHERE id > $2 AND (hierarchy_key = $1 OR action IN ('GROUP_CREATED', 'GROUP_DELETED')) ORDER BY id
"""


@dataclass(frozen=True)
class Logged:
    """What one mutation left in the log: the groups of each of its actions."""

    actor: str
    actions: dict[str, list[str]]

    @property
    def in_hierarchy(self) -> bool:
        return bool(self.actions.keys() - {"GROUP_CREATED", "GROUP_DELETED"})


@dataclass(frozen=True)
class Start:
    """How the hierarchy stood before a run."""

    hierarchy: str
    version: int
    tree: Tree
    last_change: int


async def start_of(grove: Grove, url: str, hierarchy: str) -> Start:
    last = (await sql.fetch(url, "SELECT max(id) FROM change"))[0][0]
    return Start(hierarchy, await version_of(grove, hierarchy), await read_tree(grove, hierarchy), last)


async def logged_since(url: str, start: Start) -> list[Logged]:
    """What the log holds of each mutation since, in the order of the commits.

    A client does one thing at a time, so its name and the instant stand for one mutation.
    """
    key = ids.decode(start.hierarchy, Kind.HIERARCHY)
    found: dict[tuple[str, str], Logged] = {}
    for actor, at, action, owner in await sql.fetch(url, LOG, key, start.last_change):
        # The last of its rows was written under the hierarchy's lock, and says when it was its turn.
        entry = found.pop((actor, at), Logged(actor, {}))
        entry.actions.setdefault(action, []).append(ids.encode(Kind.GROUP, owner) if owner else "")
        found[actor, at] = entry
    return list(found.values())


async def verify(grove: Grove, url: str, start: Start, acknowledged: Sequence[Acknowledged]) -> None:
    """All that was acknowledged since the start is there, nothing else, and the tree is what it makes.

    `acknowledged` holds all that anybody was told, of other hierarchies too, as a deletion reaches into each.
    """
    log = await logged_since(url, start)
    matched, left = match(log, start, acknowledged)
    assert not left, f"{len(left)} changes are in the log that nobody was told of, such as {left[0]}"
    version = await version_of(grove, start.hierarchy)
    assert version == start.version + sum(entry.in_hierarchy for entry in log)
    replica = Replica(start.tree)
    for entry, made in matched:
        if entry.in_hierarchy:
            replica.do(made)
    assert await read_tree(grove, start.hierarchy) == replica.tree()


def match(
    log: Sequence[Logged], start: Start, acknowledged: Iterable[Acknowledged]
) -> tuple[list[tuple[Logged, Acknowledged]], list[Logged]]:
    """Each mutation in the log with what was acknowledged of it, in the order of the log, and what is left."""
    in_hierarchy = [place for place, entry in enumerate(log) if entry.in_hierarchy]
    by_group = {
        (action, owner): place
        for place, entry in enumerate(log)
        for action in ("GROUP_CREATED", "GROUP_DELETED")
        for owner in entry.actions.get(action, ())
    }
    matched: dict[int, Acknowledged] = {}
    for made in acknowledged:
        name, here = made.asked.mutation, made.hierarchy == start.hierarchy
        if here and made.version is not None:
            rank = made.version - start.version - 1
            assert rank < len(in_hierarchy), f"lost: {made}"
            place = in_hierarchy[rank]
        elif name == "createCustomerGroup":
            place = by_group.get(("GROUP_CREATED", made.payload["group"]["id"]), -1)
        elif name == "deleteCustomerGroup":
            place = by_group.get(("GROUP_DELETED", made.payload["deletedId"]), -1)
        else:
            # A change of another hierarchy.
            continue
        assert place >= 0, f"lost: {made}"
        assert place not in matched, f"{made} and {matched[place]} have one version"
        check_entry(log[place], made, here)
        matched[place] = made
    pairs = [(log[place], matched[place]) for place in sorted(matched)]
    return pairs, [entry for place, entry in enumerate(log) if place not in matched]


def check_entry(entry: Logged, made: Acknowledged, here: bool) -> None:
    """The log says of a mutation what its answer said; of another hierarchy's, it tells of the group alone."""
    payload, actions = made.payload, entry.actions
    assert entry.actor == made.actor, f"{made} is logged as {entry}"
    logged = {action: Counter(groups) for action, groups in actions.items()}
    name = made.asked.mutation
    if name in ASSIGNING:
        rows = payload.get("nodes") or ([payload["node"]] if payload["node"] else [])
        groups = [row["group"]["id"] if "group" in row else payload["group"]["id"] for row in rows]
        expected = {"GROUP_ASSIGNED": Counter(groups)} if groups and here else {}
        if name == "createCustomerGroup":
            expected["GROUP_CREATED"] = Counter([payload["group"]["id"]])
        assert logged == expected, f"{made} is logged as {entry}"
    elif name in MOVING:
        count = len(payload.get("nodes") or [payload["node"]])
        assert logged.keys() <= {"NODE_MOVED", "NODES_REORDERED"}, f"{made} is logged as {entry}"
        assert sum(found.total() for found in logged.values()) == count, f"{made} is logged as {entry}"
    elif name in UNASSIGNING:
        expected = {"GROUP_UNASSIGNED": Counter(row["id"] for row in payload["groups"])}
        if made.asked.input["children"] == "PROMOTE":
            # Those that have risen.
            logged.pop("NODE_MOVED", None)
        assert logged == expected, f"{made} is logged as {entry}"
    elif name == "reorderChildren":
        assert logged.keys() == {"NODES_REORDERED"}, f"{made} is logged as {entry}"
    else:
        assert logged["GROUP_DELETED"] == Counter([payload["deletedId"]]), f"{made} is logged as {entry}"
        allowed = {"GROUP_DELETED", "GROUP_UNASSIGNED"}
        allowed |= {"NODE_MOVED"} if made.asked.input["children"] == "PROMOTE" else set()
        assert logged.keys() <= allowed, f"{made} is logged as {entry}"


class Replica:
    """A slow tree, simple enough to be right: for each parent the list of its children."""

    def __init__(self, tree: Tree) -> None:
        self.groups = {node: group for node, (group, _) in tree.items()}
        self.parents = {node: parent for node, (_, parent) in tree.items()}
        self.children: dict[str | None, list[str]] = {None: [], **{node: [] for node in tree}}
        for node, parent in self.parents.items():
            self.children[parent].append(node)

    def tree(self) -> Tree:
        """In display order."""
        found: Tree = {}
        waiting = self.children[None][::-1]
        while waiting:
            node = waiting.pop()
            found[node] = self.groups[node], self.parents[node]
            waiting += self.children[node][::-1]
        return found

    def do(self, made: Acknowledged) -> None:
        """What an acknowledged mutation did to the tree."""
        given, payload, name = made.asked.input, made.payload, made.asked.mutation
        if name in ASSIGNING:
            rows = payload.get("nodes") or [payload["node"]]
            for row in rows:
                self.groups[row["id"]] = row["group"]["id"] if "group" in row else payload["group"]["id"]
                self.children[row["id"]] = []
            self.place([row["id"] for row in rows], given.get("place") or given)
        elif name in MOVING:
            self.move(given.get("nodeIds") or [given["nodeId"]], given)
        elif name == "reorderChildren":
            self.children[given["parentId"]] = list(given["childIds"])
        elif name in UNASSIGNING:
            self.unassign(given.get("nodeIds") or [given["nodeId"]], given["children"])
        else:
            owner = payload["deletedId"]
            self.unassign([node for node, group in self.groups.items() if group == owner], given["children"])

    def move(self, nodes: Sequence[str], given: Json) -> None:
        tops = [node for node in nodes if not self.above(node) & set(nodes)]
        place = {"parentId": self.parents[tops[0]], **given}
        for node in tops:
            self.children[self.parents[node]].remove(node)
        self.place(tops, place)

    def place(self, nodes: Sequence[str], given: Json) -> None:
        """Puts nodes that stand nowhere next to one another."""
        parent, position = given["parentId"], given.get("position")
        siblings = self.children[parent]
        match position:
            case {"first": True}:
                index = 0
            case {"index": int(wanted)}:
                index = min(wanted, len(siblings))
            case {"before": str(beside)}:
                index = siblings.index(beside)
            case {"after": str(beside)}:
                index = siblings.index(beside) + 1
            case _:
                index = len(siblings)
        siblings[index:index] = nodes
        for node in nodes:
            self.parents[node] = parent

    def above(self, node: str) -> set[str]:
        found = set()
        parent = self.parents[node]
        while parent is not None:
            found.add(parent)
            parent = self.parents[parent]
        return found

    def unassign(self, nodes: Sequence[str], policy: str) -> None:
        for node in nodes:
            if node not in self.parents:
                # It left together with one above it, named before it.
                continue
            siblings = self.children[self.parents[node]]
            index = siblings.index(node)
            siblings[index : index + 1] = self.children[node] if policy == "PROMOTE" else []
            if policy == "PROMOTE":
                for child in self.children[node]:
                    self.parents[child] = self.parents[node]
                self.children[node] = []
            self.forget(node)

    def forget(self, top: str) -> None:
        """The node and all below it are gone."""
        for child in self.children.pop(top):
            self.forget(child)
        del self.parents[top], self.groups[top]
