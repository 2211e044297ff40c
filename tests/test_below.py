"""The customers below a node: every way to a page of them."""

from collections.abc import AsyncIterator
from itertools import product

import pytest

from service.store import below
from service.store.below import GATHERED, LOOKED_UP, Walk, walk_for
from tests.support.catalogue import CATALOGUE, CUSTOMER_ORDERS, ordered
from tests.support.client import Grove
from tests.support.company import application
from tests.support.databases import Databases, fresh
from tests.support.listed import Listed

NODE = f'hierarchyNode(id: "{CATALOGUE.node.id}") {{ %s }}'
MEMBERS = CATALOGUE.members(CATALOGUE.node)


@pytest.fixture(scope="module")
async def grove(databases: Databases) -> AsyncIterator[Grove]:
    async with fresh(databases) as url:
        await CATALOGUE.sown.write(url)
        async with application(url) as client:
            yield client


@pytest.mark.parametrize("longest", [0, 30, 10_000])
@pytest.mark.parametrize("test", [LOOKED_UP, GATHERED], ids=["looked up", "gathered"])
async def test_page_by_page(grove: Grove, monkeypatch: pytest.MonkeyPatch, test: str, longest: int) -> None:
    """However far a walk may go, and whatever is tested on it: all rows, each once, in their order."""
    monkeypatch.setattr(below, "walk_for", lambda *_: Walk(test, longest))
    for order, direction in product(CUSTOMER_ORDERS, ("ASC", "DESC")):
        listed = Listed("customers", NODE, f"orderBy: {{ field: {order}, direction: {direction} }}")
        wanted = [row.id for row in ordered(MEMBERS, CUSTOMER_ORDERS[order], descending=direction == "DESC")]
        for size in (7, len(wanted)):
            assert await listed.all(grove, size) == wanted
            assert await listed.all(grove, size, backward=True) == wanted


def test_which_way() -> None:
    """To a hundred customers in a hierarchy of 100,000 nodes: by gathering, half so, by looking up."""
    tests = [walk.test if (walk := walk_for(nodes, 100_000, 101)) else None for nodes in (1, 299, 300, 1_000, 10_000)]
    assert tests == [None, None, None, GATHERED, LOOKED_UP]
    for nodes, wanted in product((300, 1_000, 10_000, 100_000), (1, 101, 1_001)):
        walk = walk_for(nodes, 100_000, wanted)
        # Far enough for what is wanted, were all customers spread evenly.
        assert walk is None or walk.longest >= wanted * 100_000 / nodes
