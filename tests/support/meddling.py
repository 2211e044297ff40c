"""What others do between two pages: something comes and something goes, at places that chance picks."""

import random
from typing import Protocol

from service.positions import LONGEST, spread
from tests.support.catalogue import CATALOGUE, NAMES, TYPES, Node
from tests.support.client import Grove
from tests.support.sql import fetch


class Meddling(Protocol):
    """Called once after each page."""

    async def __call__(self) -> None: ...


class Meddler:
    """What `come` and `go` do depends on the seed alone; what is there at first is in `ids`."""

    def __init__(self, grove: Grove, seed: int, ids: list[str]) -> None:
        self.grove = grove
        self.seed = seed
        self.chance = random.Random(seed)
        self.ids = self.chance.sample(ids, len(ids))
        self.count = 0

    def word(self) -> str:
        """A new word anywhere in the alphabet."""
        self.count += 1
        return f"{self.chance.choice(NAMES)} {self.seed}-{self.count}"

    async def __call__(self) -> None:
        await self.come()
        await self.go()

    async def come(self) -> None:
        raise NotImplementedError

    async def go(self) -> None:
        raise NotImplementedError

    async def there_is(self, id: str) -> bool:
        data = await self.grove.query("query ($id: ID!) { node(id: $id) { id } }", {"id": id})
        return data["node"] is not None

    async def next_id(self) -> str:
        """Something that is still there."""
        while not await self.there_is(id := self.ids.pop()):
            pass
        return id


class GroupMeddling(Meddler):
    def __init__(self, grove: Grove, seed: int) -> None:
        # A group for which stock is held cannot be deleted.
        held = {row.group for row in CATALOGUE.reservations if row.status == "OPEN"}
        super().__init__(grove, seed, [group.id for group in CATALOGUE.groups if group not in held])

    async def come(self) -> None:
        customers = [f"C-{number:03}" for number in self.chance.sample(range(90), self.chance.randrange(4))]
        status = self.chance.choice(["ACTIVE", "INACTIVE"])
        input = {"name": self.word(), "code": self.word(), "status": status, "customerCodes": customers}
        await self.grove.mutate("createCustomerGroup", input)

    async def go(self) -> None:
        input = {"id": await self.next_id(), "children": "UNASSIGN"}
        await self.grove.mutate("deleteCustomerGroup", input)


class CustomerMeddling(Meddler):
    def __init__(self, grove: Grove, seed: int) -> None:
        super().__init__(grove, seed, [customer.id for customer in CATALOGUE.customers])

    async def come(self) -> None:
        input = {"code": self.word(), "name": self.word(), "type": self.chance.choice(TYPES)}
        await self.grove.mutate("createCustomer", input)

    async def go(self) -> None:
        await self.grove.mutate("deleteCustomer", {"id": await self.next_id()})


class HierarchyMeddling(Meddler):
    def __init__(self, grove: Grove, seed: int) -> None:
        super().__init__(grove, seed, [hierarchy.id for hierarchy in CATALOGUE.hierarchies])

    async def come(self) -> None:
        await self.grove.mutate("createHierarchy", {"name": self.word(), "levels": ["Only"], "placeholders": False})

    async def go(self) -> None:
        if self.chance.random() < 0.3:
            await self.grove.mutate("deleteHierarchy", {"id": await self.next_id()})


class TreeMeddling(Meddler):
    """In «Sales»: a new group anywhere, and any node leaves."""

    def __init__(self, grove: Grove, seed: int, policy: str) -> None:
        # Not from too high up, or little would be left to be read.
        highest = 2 if policy == "PROMOTE" else 4
        super().__init__(grove, seed, [node.id for node in CATALOGUE.nodes if node.depth >= highest])
        self.parents = self.chance.choices([node.id for node in CATALOGUE.nodes if node.depth < 6], k=1_000)
        self.policy = policy

    async def come(self) -> None:
        while not await self.there_is(parent := self.parents.pop()):
            pass
        place = {
            "hierarchyId": CATALOGUE.hierarchies[0].id,
            "parentId": self.chance.choice([parent, parent, parent, None]),
            "position": {"index": self.chance.randrange(6)},
        }
        await self.grove.mutate("createCustomerGroup", {"name": self.word(), "code": self.word(), "place": place})

    async def go(self) -> None:
        await self.grove.mutate("unassignNode", {"nodeId": await self.next_id(), "children": self.policy})


class SpreadMeddling:
    """A sibling comes to stand where there is no room any more for a key, and all of them are spread anew."""

    def __init__(self, grove: Grove, url: str, first: Node, second: Node) -> None:
        """`first` and `second` stand right behind one another."""
        self.grove = grove
        self.url = url
        self.first, self.second = first, second

    async def crowd(self) -> None:
        """As after hundreds of moves to this very place, and others away. To be called before anything is read."""
        siblings = CATALOGUE.children(CATALOGUE.above(self.first)[-1])
        keys = list(spread(len(siblings) + 9)[9:])
        crowded = keys[0] + "V" * (LONGEST - len(keys[0]))
        keys[:2] = [crowded, f"{crowded[:-1]}W"]
        # From the last on, so that no two are ever the same.
        for node, key in zip(reversed(siblings), reversed(keys), strict=True):
            await fetch(self.url, "UPDATE node SET position = $1 WHERE id = $2", key, node.key)

    async def __call__(self) -> None:
        place = {
            "hierarchyId": CATALOGUE.hierarchies[0].id,
            "parentId": CATALOGUE.above(self.first)[-1].id,
            "position": {"after": self.first.id},
        }
        before = await self.spread()
        await self.grove.mutate("createCustomerGroup", {"name": "No room", "place": place})
        assert await self.spread() == before + 1

    async def spread(self) -> int:
        """How often siblings of the hierarchy were spread anew."""
        key = CATALOGUE.hierarchies[0].key
        [(count,)] = await fetch(self.url, "SELECT spread FROM hierarchy WHERE id = $1", key)
        return int(count)
