"""Ordering keys among siblings: text between any two of which another fits, so that a move writes one row.

The keys are those of the package fractional-indexing (base 62, compared bytewise), after
https://observablehq.com/@dgreensp/implementing-fractional-indexing. Inserting again and again at one place
makes them grow; once one passes LONGEST, the siblings' keys are spread anew, once.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from fractional_indexing import generate_n_keys_between

LONGEST = 64
# Sorts behind every key: rows that change places among themselves are parked there in between.
PARKED = "~"


def between(lower: str | None, upper: str | None, count: int) -> Sequence[str]:
    """`count` ascending keys between two neighbours; None stands for the open end on that side."""
    keys: list[str] = generate_n_keys_between(lower, upper, count)
    return keys


def spread(count: int) -> Sequence[str]:
    """`count` ascending keys of the shortest kind, for all siblings of one parent."""
    return between(None, None, count)


def rearranged(keys: Sequence[str | None]) -> list[str]:
    """Ascending keys for siblings whose keys come in a new order, None for newcomers; as many as possible stay.

    Those that stay are a longest ascending subsequence (found by patience sorting, O(n log n)).
    """
    present = [place for place, key in enumerate(keys) if key is not None]
    staying = [present[place] for place in _longest_ascending([key for key in keys if key is not None])]
    made: list[str] = []
    lower: str | None = None
    start = 0
    for place in [*staying, len(keys)]:
        upper = keys[place] if place < len(keys) else None
        made += between(lower, upper, place - start)
        if upper is not None:
            made.append(upper)
        lower, start = upper, place + 1
    return made


def _longest_ascending(keys: Sequence[str]) -> list[int]:
    """The places of a longest strictly ascending subsequence."""
    tails: list[str] = []
    places: list[int] = []
    previous: list[int] = []
    for place, key in enumerate(keys):
        length = bisect_left(tails, key)
        tails[length : length + 1] = [key]
        places[length : length + 1] = [place]
        previous.append(places[length - 1] if length else -1)
    chain: list[int] = []
    place = places[-1] if places else -1
    while place >= 0:
        chain.append(place)
        place = previous[place]
    return chain[::-1]


def too_long(keys: Sequence[str]) -> bool:
    """Whether a key has grown so long that the siblings should be spread anew."""
    return any(len(key) > LONGEST for key in keys)


@dataclass(frozen=True, slots=True)
class Position:
    """Where among its siblings a node goes: first, last, right before or after one, or at an index from 0."""

    first: bool = False
    before: int | None = None
    after: int | None = None
    index: int | None = None


FIRST = Position(first=True)
LAST = Position()
