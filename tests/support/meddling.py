"""What others do between two pages: a few things come and a few go, at places that chance picks."""

import random
from collections.abc import Sequence
from typing import Protocol

from service.positions import LONGEST
from tests.support.catalogue import NAMES, TYPES, Node
from tests.support.client import Grove
from tests.support.sql import fetch

AT_ONCE = 2


class Meddling(Protocol):
    """Called once after each page."""

    async def __call__(self) -> None: ...


class Meddler:
    """Makes `come` and `go` happen; what it does depends on its number alone."""

    def __init__(self, grove: Grove, number: int) -> None:
        self.grove = grove
        self.number = number
        self.chance = random.Random(number)
        self.count = 0

    def name(self) -> str:
        """A new name anywhere in the alphabet."""
        self.count += 1
        return f"{self.chance.choice(NAMES)} {self.number}-{self.count}"

    async def __call__(self) -> None:
        for _ in range(AT_ONCE):
            await self.come()
            await self.go()

    async def come(self) -> None:
        raise NotImplementedError

    async def go(self) -> None:
        raise NotImplementedError

    async def any_of(self, field: str) -> str:
        """The id of anything in a list."""
        data = await self.grove.query(f"{{ {field}(first: 1000) {{ nodes {{ id }} }} }}")
        id: str = self.chance.choice(data[field]["nodes"])["id"]
        return id


class GroupMeddling(Meddler):
    async def come(self) -> None:
        customers = [f"C-{number:03}" for number in self.chance.sample(range(90), self.chance.randrange(4))]
        status = self.chance.choice(["ACTIVE", "INACTIVE"])
        code = f"{self.chance.choice('gG_')}-{self.number}-{self.chance.random()}"
        input = {"name": self.name(), "code": code, "status": status, "customerCodes": customers}
        await self.grove.mutate("createCustomerGroup", input)

    async def go(self) -> None:
        input = {"id": await self.any_of("customerGroups"), "children": "UNASSIGN"}
        await self.grove.mutate("deleteCustomerGroup", input)


class CustomerMeddling(Meddler):
    async def come(self) -> None:
        code = f"{self.chance.choice('cCz')}-{self.number}-{self.chance.random()}"
        input = {"code": code, "name": self.name(), "type": self.chance.choice(TYPES)}
        await self.grove.mutate("createCustomer", input)

    async def go(self) -> None:
        await self.grove.mutate("deleteCustomer", {"id": await self.any_of("customers")})


class HierarchyMeddling(Meddler):
    async def come(self) -> None:
        await self.grove.mutate("createHierarchy", {"name": self.name(), "levels": ["Only"], "placeholders": False})

    async def go(self) -> None:
        await self.grove.mutate("deleteHierarchy", {"id": await self.any_of("hierarchies")})


class TreeMeddling(Meddler):
    """In «Sales»: a new group under any node but one of the lowest level, and any node leaves."""

    def __init__(self, grove: Grove, number: int, policy: str) -> None:
        super().__init__(grove, number)
        self.policy = policy

    async def nodes(self) -> tuple[str, list[tuple[str, int]]]:
        """The id of the hierarchy, and each node with its depth."""
        data = await self.grove.query(
            '{ hierarchy(by: { name: "Sales" }) { id nodes(first: 1000) { nodes { id depth } } } }'
        )
        found = data["hierarchy"]
        return found["id"], [(node["id"], node["depth"]) for node in found["nodes"]["nodes"]]

    async def come(self) -> None:
        hierarchy, nodes = await self.nodes()
        parent = self.chance.choice([None, *(id for id, depth in nodes if depth < 6)])
        position = {"index": self.chance.randrange(6)}
        place = {"hierarchyId": hierarchy, "parentId": parent, "position": position}
        await self.grove.mutate("createCustomerGroup", {"name": self.name(), "place": place})

    async def go(self) -> None:
        _, nodes = await self.nodes()
        # Not from too high up, or little would be left to be read.
        low = [id for id, depth in nodes if depth >= (2 if self.policy == "PROMOTE" else 4)]
        await self.grove.mutate("unassignNode", {"nodeId": self.chance.choice(low), "children": self.policy})


class SpreadMeddling:
    """Siblings come to stand where there is hardly room for a key any more, and all of them are spread anew."""

    def __init__(self, grove: Grove, url: str, siblings: Sequence[Node]) -> None:
        self.grove = grove
        self.url = url
        self.siblings = siblings
        self.spread = 0

    async def __call__(self) -> None:
        # As after hundreds of moves to this very place: the second stands right behind the first.
        first, second = self.siblings[:2]
        [(position,)] = await fetch(self.url, "SELECT position FROM node WHERE id = $1", first.key)
        crowded = position + "V" * (LONGEST + 1 - len(position))
        await fetch(self.url, "UPDATE node SET position = $1 WHERE id = $2", crowded, second.key)
        name = f"Spread {self.siblings[0].key} {random.random()}"
        hierarchy = (await self.grove.query('{ hierarchy(by: { name: "Sales" }) { id } }'))["hierarchy"]["id"]
        parent = await self.grove.query(f'{{ hierarchyNode(id: "{first.id}") {{ parent {{ id }} }} }}')
        place = {
            "hierarchyId": hierarchy,
            "parentId": parent["hierarchyNode"]["parent"]["id"],
            "position": {"after": first.id},
        }
        await self.grove.mutate("createCustomerGroup", {"name": name, "place": place})
        [(position,)] = await fetch(self.url, "SELECT position FROM node WHERE id = $1", second.key)
        assert len(position) < LONGEST
        self.spread += 1
