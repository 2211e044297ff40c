"""Ordering keys: there is always room between two, and as few as possible change."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.positions import LONGEST, PARKED, between, rearranged, spread
from tests.support.client import Grove


def ascending(keys: list[str]) -> bool:
    return all(left < right for left, right in pairwise(keys))


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(1, 5)), max_size=60))
def test_there_is_always_room(inserts: list[tuple[int, int]]) -> None:
    keys: list[str] = []
    for number, count in inserts:
        place = number % (len(keys) + 1)
        lower = keys[place - 1] if place else None
        upper = keys[place] if place < len(keys) else None
        keys[place:place] = between(lower, upper, count)
        assert ascending(keys)
    assert all(key.encode() < PARKED.encode() for key in keys)


@given(st.permutations(list(spread(12))))
def test_rearranging_keeps_all_that_can_stay(keys: list[str]) -> None:
    after = rearranged(keys)
    assert ascending(after)
    assert len(after) == len(keys)
    kept = sum(old == new for old, new in zip(keys, after, strict=True))
    assert kept == longest_ascending(keys)


def longest_ascending(keys: list[str]) -> int:
    """The length of a longest ascending subsequence, by trying every end."""
    best: list[int] = []
    for place, key in enumerate(keys):
        best.append(1 + max((best[earlier] for earlier in range(place) if keys[earlier] < key), default=0))
    return max(best, default=0)


def test_one_moved_among_ten_thousand_changes_one_key() -> None:
    keys = list(spread(10_000))
    keys.insert(17, keys.pop(9_000))
    changed = [new for old, new in zip(keys, rearranged(keys), strict=True) if old != new]
    assert len(changed) == 1


async def test_inserts_at_one_place_never_make_long_keys(grove: Grove) -> None:
    """Keys that have grown are spread anew, and a cursor from before still stands where it stood."""
    created = await grove.mutate(
        "createHierarchy", {"name": "Row", "levels": ["Only"], "placeholders": False}, "hierarchy { id }"
    )
    hierarchy = created["hierarchy"]["id"]
    place: dict[str, object] = {"hierarchyId": hierarchy}
    ends = [
        await grove.mutate("createCustomerGroup", {"name": name, "place": place}, "node { id }")
        for name in ("first", "last")
    ]
    first = ends[0]["node"]["id"]
    document = """
        query ($id: ID!, $before: String) {
          hierarchy(by: { id: $id }) {
            list: FIELD(last: 1000, before: $before) { edges { cursor node { group { name } } } }
          }
        }
    """
    documents = [document.replace("FIELD", field) for field in ("roots", "nodes")]
    cursors = []
    for one in documents:
        edges = (await grove.query(one, {"id": hierarchy}))["hierarchy"]["list"]["edges"]
        cursors.append(edges[-1]["cursor"])
    # Without the spreading, so many inserts would make keys longer than this.
    assert LONGEST == 64
    names = [f"{number:03}" for number in range(400)]
    for name in names:
        beside = {**place, "position": {"after": first}}
        await grove.mutate("createCustomerGroup", {"name": name, "place": beside}, "node { id }")
    # The last node has another key by now, behind which the old one would show nobody.
    for one, cursor in zip(documents, cursors, strict=True):
        found = (await grove.query(one, {"id": hierarchy, "before": cursor}))["hierarchy"]["list"]["edges"]
        assert [edge["node"]["group"]["name"] for edge in found] == ["first", *reversed(names)]
