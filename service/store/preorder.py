"""Display order: each parent before its children, siblings in their own order, a page at a time.

A page costs what the page costs, wherever it lies: the walk starts at the cursor's place and steps over whole
subtrees by their kept numbers of descendants. Every row has a rank, its distance in rows from the page's near
end, known before the row is read; nothing with a rank beyond the page is visited.

A cursor holds the chain of nodes from the listing's top down to its row, each with its position. The page
behind it is made of the row's own descendants, then of the siblings that follow it, then of those that follow
its parent, and so on up: each a `Step`. The page before it goes the same way backward and takes the parents in.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

from service import db
from service.dialects import Forms, rows
from service.errors import InvalidInput
from service.paging import MANGLED, Page, Slice, cut, decode_cursor, encode_cursor
from service.sessions import Statement
from service.store.along import NOTHING, Along
from service.store.node import SCOPE, NodeRow
from service.store.steps import Step, statement, walked
from service.wanted import MOST_LEVELS

# Before every position, and behind every one (a parked position begins with a single tilde).
LOWEST, HIGHEST = "", "~~"

Link = tuple[int, str]


class Held(NamedTuple):
    """What a cursor holds: how often siblings had been spread anew, the listing, and the chain down to its row."""

    spread: int
    listing: int
    chain: list[Link]


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

    One statement, one more backward, and one more where the cursor's place has changed. Costs the page, times the
    depth at most.
    """
    after, before = _held(page.after, listings), _held(page.before, listings)
    near, far = (before, after) if page.backward else (after, before)
    chained, single = along.cursors or far is not None, len(listings) == 1
    make = walked(along, chained=chained).make
    walk = statement(along, backward=page.backward, chained=chained, single=single)
    read = partial(_read, listings, page, walk)
    # The page behind the place that the cursor holds, as a rule the right one: how that stands is asked with it.
    asked = [read(near.chain if near else None)]
    if along.cursors:
        asked.append(Statement(SPREADS, (listings,)))
    if near or far:
        asked.append(_look(near, far))
    records, *looked = await db.fetch_each(*asked)
    spreads = {row[0]: row[1] for row in looked[0]} if along.cursors else {}
    now = _standing(looked[-1]) if near or far else {}
    after_now, before_now = _chain_now(after, now), _chain_now(before, now)
    near_now, far_now = (before_now, after_now) if page.backward else (after_now, before_now)
    if near and near_now != near.chain:
        db.guessed_wrong()
        (records,) = await db.fetch_each(read(near_now))
    found: dict[int, list[NodeRow]] = {listing: [] for listing in listings}
    if single:
        found[listings[0]] = [*map(make, records)]
    else:
        for row in records:
            found[row[-1]].append(make(row))
    farthest = [nodes[-1].id for nodes in found.values() if nodes] if page.backward else []
    above = await _chains(farthest)
    slices: list[Slice[NodeRow]] = []
    for listing, nodes in found.items():
        known = {listing: ()} | _links(after_now or ())
        if page.backward and nodes:
            known |= _links(_below(listing, above[nodes[-1].id]))
        chains = Chains(listing, nodes, known)
        # The far edge, where there is one, ends the page early.
        if far_now:
            nodes = [node for node in nodes if within(chains.of(node), far_now, backward=page.backward)]
        slices.append(cut(page, nodes, _cursor(spreads.get(listing, 0), listing, chains)))
    return slices


def _read(listings: Sequence[int], page: Page, walk: Forms, chain: Sequence[Link] | None) -> Statement:
    """What reads the page behind a chain."""
    steps = _steps_back if page.backward else _steps_on
    every = [step._asdict() for listing in listings for step in steps(listing, chain)]
    return Statement(walk, (rows(every), page.size + 1))


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
    """The chain that a cursor stands for now: see `_chain_now`. One statement, none without a cursor."""
    held = _held(cursor, listings)
    if held is None:
        return None
    (looked,) = await db.fetch_each(_look(held))
    return _chain_now(held, _standing(looked))


def _look(*held: Held | None) -> Statement:
    """What looks how the chains of cursors stand now."""
    return Statement(CHAIN_NOW, ([node for cursor in held if cursor for node, _ in cursor.chain],))


def _standing(looked: Sequence[Sequence[Any]]) -> dict[int, Standing]:
    return {row[0]: Standing._make(row[1:]) for row in looked}


def _chain_now(held: Held | None, now: Mapping[int, Standing]) -> list[Link] | None:
    """The chain that a cursor stands for now.

    The chain is the one it holds, but with positions of today where siblings were spread anew since. Where a
    node above the row is gone and the one below that has taken its place, it has the position of today as well.
    Where a node has gone or was moved otherwise, the chain ends at the place that it had, with the key 0.
    """
    if held is None:
        return None
    spread, listing, chain = held
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


def _held(cursor: str | None, listings: Sequence[int]) -> Held | None:
    """What a cursor of these listings holds. Raises InvalidInput."""
    if cursor is None:
        return None
    spread, listing, raw = decode_cursor(cursor, "preorder", (int, int, list))
    # What it holds is read before anybody has looked whether it stands: no more than can be.
    if not 0 < len(raw) <= MOST_LEVELS:
        raise InvalidInput(MANGLED)
    if not all(isinstance(link, list) and list(map(type, link)) == [int, str] for link in raw):
        raise InvalidInput(MANGLED)
    if any(listing != other for other in listings):
        raise InvalidInput("This cursor belongs to another list; start again without it.")
    return Held(spread, listing, [(node, position) for node, position in raw])
