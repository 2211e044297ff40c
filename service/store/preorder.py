"""Display order: each parent before its children, siblings in their own order, a page at a time.

A page costs what the page costs, wherever it lies: the walk starts at the cursor's place and steps over whole
subtrees by their kept numbers of descendants. Every row has a rank, its distance in rows from the page's near
end, known before the row is read; nothing with a rank beyond the page is visited.

A cursor holds the chain of nodes from the listing's top down to its row, each with its position. The page
behind it is made of the row's own descendants, then of the siblings that follow it, then of those that follow
its parent, and so on up: each a `Step`. The page before it goes the same way backward and takes the parents in.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from service import db
from service.dialects import rows
from service.errors import InvalidInput
from service.paging import MANGLED, Page, Slice, cut, decode_cursor, encode_cursor
from service.store.along import NOTHING, Along
from service.store.node import SCOPE, NodeRow
from service.store.steps import Step, statement, walked

# Before every position, and behind every one (a parked position begins with a single tilde).
LOWEST, HIGHEST = "", "~~"

Link = tuple[int, str]


class Standing(NamedTuple):
    """Where a node of a cursor's chain stands now, and how often siblings were spread anew in its hierarchy."""

    scope: int
    position: str
    spread: int


CHAIN_NOW = f"""
    -- The nodes of a cursor's chain that there still are: where they stand, and how often siblings were
    -- spread anew in their hierarchy.
    SELECT node.id, {SCOPE.format("node")}, node.position, hierarchy.spread
    FROM node JOIN hierarchy ON hierarchy.id = node.hierarchy_id
    WHERE node.id = ANY($1::bigint[])
"""

CHAINS = """
    -- The nodes above each node with their positions, from the root down.
    SELECT up.descendant_id, node.id, node.position
    FROM closure AS up JOIN node ON node.id = up.ancestor_id
    WHERE up.descendant_id = ANY($1::bigint[]) AND up.distance > 0
    ORDER BY up.descendant_id, up.distance DESC
"""

SPREADS = """
    -- How often siblings were spread anew in the hierarchies of these listings (keys of nodes, or minus
    -- those of hierarchies).
    SELECT listing.id, hierarchy.spread
    FROM unnest($1::bigint[]) AS listing(id)
    LEFT JOIN node ON node.id = listing.id
    JOIN hierarchy ON hierarchy.id = COALESCE(node.hierarchy_id, -listing.id)
"""


async def page(listings: Sequence[int], page: Page, along: Along = NOTHING) -> list[Slice[NodeRow]]:
    """A page in display order for each listing: all below a node (its key), or a hierarchy (minus its key).

    One statement, one more where cursors are made, one or two for a cursor, one backward. Costs the page, times the
    depth at most.
    """
    spreads = {row[0]: row[1] for row in await db.fetch(SPREADS, listings)} if along.cursors else {}
    after, before = await chain(page.after, listings), await chain(page.before, listings)
    steps = [
        step._asdict()
        for listing in listings
        for step in (_steps_back(listing, before) if page.backward else _steps_on(listing, after))
    ]
    # The far edge, where there is one, ends the page early.
    far = after if page.backward else before
    chained = along.cursors or far is not None
    make = walked(along, chained=chained).make
    read = statement(along, backward=page.backward, chained=chained)
    found: dict[int, list[NodeRow]] = {listing: [] for listing in listings}
    for row in await db.fetch(read, rows(steps), page.size + 1):
        found[row[-1]].append(make(row))
    farthest = [nodes[-1].id for nodes in found.values() if nodes] if page.backward else []
    above = await _chains(farthest)
    slices: list[Slice[NodeRow]] = []
    for listing, nodes in found.items():
        known = {listing: ()} | _links(after or ())
        if page.backward and nodes:
            known |= _links(_below(listing, above[nodes[-1].id]))
        chains = Chains(listing, nodes, known)
        if far:
            nodes = [node for node in nodes if within(chains.of(node), far, backward=page.backward)]
        slices.append(cut(page, nodes, _cursor(spreads.get(listing, 0), listing, chains)))
    return slices


def _cursor(spread: int, listing: int, chains: "Chains") -> Callable[[NodeRow], str]:
    return lambda node: encode_cursor("preorder", [spread, listing, chains.of(node)])


class Chains:
    """The chains of the nodes of a page, each made when it is asked for: most pages are asked for two of them."""

    def __init__(self, listing: int, nodes: Sequence[NodeRow], known: dict[int, tuple[Link, ...]]) -> None:
        self._listing = listing
        self._nodes = nodes
        self._known = known

    @cached_property
    def _by_key(self) -> dict[int, NodeRow]:
        return {node.id: node for node in self._nodes}

    def of(self, node: NodeRow) -> tuple[Link, ...]:
        """The links from the listing's top down to the node; above those on the page they are known."""
        chain = self._known.get(node.id)
        if chain is None:
            parent = node.parent_id if node.parent_id is not None else self._listing
            above = self._known.get(parent, ())
            if not above and parent in self._by_key:
                above = self.of(self._by_key[parent])
            chain = self._known[node.id] = (*above, (node.id, node.position))
        return chain


def _links(chain: Sequence[Link]) -> dict[int, tuple[Link, ...]]:
    """Every node of a chain with the part of the chain down to it."""
    return {node: tuple(chain[: place + 1]) for place, (node, _) in enumerate(chain)}


def _below(listing: int, chain: Sequence[Link]) -> Sequence[Link]:
    """The part of a chain of ancestors that is below the top of the listing."""
    nodes = [node for node, _ in chain]
    return chain[nodes.index(listing) + 1 :] if listing in nodes else chain


def _steps_on(listing: int, chain: Sequence[Link] | None) -> list[Step]:
    if not chain:
        return [Step(listing, 0, listing, LOWEST, None)]
    scopes = [listing, *(node for node, _ in chain)]
    positions = [*(position for _, position in chain), LOWEST]
    return [
        Step(listing, number, scopes[place], positions[place], None)
        for number, place in enumerate(reversed(range(len(scopes))))
    ]


def _steps_back(listing: int, chain: Sequence[Link] | None) -> list[Step]:
    if not chain:
        return [Step(listing, 0, listing, HIGHEST, None)]
    scopes = [listing, *(node for node, _ in chain[:-1])]
    return [
        Step(listing, number, scopes[place], chain[place][1], scopes[place] if place else None)
        for number, place in enumerate(reversed(range(len(scopes))))
    ]


async def chain(cursor: str | None, listings: Sequence[int]) -> list[Link] | None:
    """The chain that a cursor stands for now.

    The chain is the one it holds, but with positions of today where siblings were spread anew since. Where a
    node above the row is gone and the one below that has taken its place, it has the position of today as well.
    Where a node has gone or was moved otherwise, the chain ends at the place that it had, with the key 0.
    """
    if cursor is None:
        return None
    spread, listing, chain = _decoded(cursor)
    if any(listing != other for other in listings):
        raise InvalidInput("This cursor belongs to another list; start again without it.")
    now = {row[0]: Standing._make(row[1:]) for row in await db.fetch(CHAIN_NOW, [node for node, _ in chain])}
    chain = [
        (node, now[node].position if node in now and now[node].spread != spread else position)
        for node, position in chain
    ]
    left = _left(listing, chain, now)
    if left is None:
        return chain
    risen = [
        (node, position if place == 0 or chain[place - 1][0] in now else now[node].position)
        for place, (node, position) in enumerate(chain)
        if node in now
    ]
    if chain[-1][0] in now and _left(listing, risen, now) is None:
        return risen
    return [*chain[:left], (0, chain[left][1])]


def _left(listing: int, chain: Sequence[Link], now: Mapping[int, Standing]) -> int | None:
    """The place in a chain of the first node that no longer stands there; None if all do."""
    scope = listing
    for place, (node, position) in enumerate(chain):
        if node not in now or now[node][:2] != (scope, position):
            return place
        scope = node
    return None


async def _chains(nodes: Sequence[int]) -> dict[int, list[Link]]:
    found: dict[int, list[Link]] = {node: [] for node in nodes}
    if nodes:
        for node, above, position in await db.fetch(CHAINS, nodes):
            found[node].append((above, position))
    return found


def within(chain: Sequence[Link], far: Sequence[Link] | None, *, backward: bool) -> bool:
    """Whether a row is on this side of the cursor at the far end of the page, where there is one."""
    if far is None:
        return True
    path, edge = [position for _, position in chain], [position for _, position in far]
    return path > edge if backward else path < edge


async def beside(listing: int, chain: Sequence[Link], *, backward: bool) -> NodeRow | None:
    """The row before the place that a chain ends in or, forward, the one behind it and all below it. One statement."""
    steps = _steps_back(listing, chain) if backward else _steps_on(listing, chain)[1:]
    found = await db.fetch(statement(NOTHING, backward=backward), rows([step._asdict() for step in steps]), 1)
    return walked(NOTHING).make(found[0]) if found else None


async def above_at(node: NodeRow, depth: int) -> int:
    """The node itself or, where it is deeper, the one above it at this depth. At most one statement."""
    return node.id if node.depth <= depth else (await _chains([node.id]))[node.id][depth - 1][0]


async def chains_of(found: Mapping[int, Sequence[NodeRow]]) -> dict[int, tuple[int, int, list[Link]]]:
    """What the cursors of nodes hold, listing → nodes: count of spreadings and chain. Two statements."""
    spreads = {row[0]: row[1] for row in await db.fetch(SPREADS, list(found))}
    above = await _chains([node.id for nodes in found.values() for node in nodes])
    return {
        node.id: (spreads[listing], listing, [*_below(listing, above[node.id]), (node.id, node.position)])
        for listing, nodes in found.items()
        for node in nodes
    }


def _decoded(cursor: str) -> tuple[int, int, list[Link]]:
    spread, listing, raw = decode_cursor(cursor, "preorder", (int, int, list))
    if not raw or not all(isinstance(link, list) and list(map(type, link)) == [int, str] for link in raw):
        raise InvalidInput(MANGLED)
    return spread, listing, [(node, position) for node, position in raw]
