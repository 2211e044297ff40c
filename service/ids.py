"""Integer keys inside, opaque typed ids outside.

A key is a positive 63-bit integer made here, not by a database sequence: milliseconds since 2020, then 22
bits that start at random and count up. Keys of one process so stand in the order of their making, a batch
knows its keys before it is inserted, and a transaction that is rolled back leaves no trace (a sequence would
have moved on).

An id is a word for the type, the key in sixteen hexadecimal digits and a check character:
`node_0c6f3a09c1e00001h`. The check character is the key modulo 31, which a single mistyped digit or two
exchanged neighbours always change; what was cut off, or copied twice, the length tells.
"""

import secrets
import struct
import threading
import time
from collections.abc import Iterable, Sequence
from enum import StrEnum

from service.errors import GroveError

EPOCH_MILLISECONDS = 1_577_836_800_000
COUNTER_BITS = 22
CHECK = "0123456789abcdefghjkmnpqrstuvwx"
LARGEST_KEY = 2**63 - 1


class Kind(StrEnum):
    """The types of things that have an id; the value is the word that the id begins with."""

    HIERARCHY = "hierarchy"
    NODE = "node"
    GROUP = "group"
    CUSTOMER = "customer"
    CHANGE = "change"
    STOCK_ITEM = "stock"
    RESERVATION = "reservation"
    JOB = "job"


KINDS: dict[str, Kind] = {kind.value: kind for kind in Kind}
NAMES = {
    Kind.HIERARCHY: "a hierarchy",
    Kind.NODE: "a hierarchy node",
    Kind.GROUP: "a customer group",
    Kind.CUSTOMER: "a customer",
    Kind.CHANGE: "a change",
    Kind.STOCK_ITEM: "a stock item",
    Kind.RESERVATION: "a reservation",
    Kind.JOB: "an import job",
}


class BadId(GroveError):
    """An id that is mangled or of another type than the place asks for; the message says which."""

    code = "BAD_USER_INPUT"


_lock = threading.Lock()
_last = 0


def new_key() -> int:
    """A key greater than every key that this process has made before."""
    return new_keys(1)[0]


def new_keys(count: int) -> Sequence[int]:
    """`count` ascending keys, greater than every key that this process has made before."""
    global _last
    with _lock:
        now = (time.time_ns() // 1_000_000 - EPOCH_MILLISECONDS) << COUNTER_BITS
        # The random start keeps two processes apart that make keys in the same millisecond.
        start = max(_last + 1, now + secrets.randbelow(1 << (COUNTER_BITS - 1)))
        _last = start + count
        return range(start, start + count)


def encode(kind: Kind, key: int) -> str:
    """The id of the thing of this kind with this key."""
    return f"{kind}_{key:016x}{CHECK[key % 31]}"


def encode_all(kind: Kind, keys: Iterable[int]) -> list[str]:
    """The ids of many things of one kind."""
    word, known = f"{kind}_", [*keys]
    # In C, all at once: formatting each by itself takes twice as long.
    digits = struct.pack(f">{len(known)}q", *known).hex(" ", 8).split()
    return [f"{word}{text}{CHECK[key % 31]}" for text, key in zip(digits, known, strict=True)]


def unknown(kind: Kind, key: int) -> str:
    """What is said of a thing that there is not, with the id that the client gave."""
    return f"There is no {NAMES[kind].partition(' ')[2]} with the id «{encode(kind, key)}»."


def decode(text: str, kind: Kind) -> int:
    """The key behind the id of a thing of this kind. Raises BadId for any other text."""
    found, key = decode_any(text)
    if found is not kind:
        raise BadId(f"«{text}» is the id of {NAMES[found]}; the id of {NAMES[kind]} is needed here.")
    return key


def decode_any(text: str) -> tuple[Kind, int]:
    """The kind and key behind any id. Raises BadId for text that is none, or a mangled one."""
    word, _, rest = text.partition("_")
    try:
        kind = KINDS[word]
        digits, check = rest[:-1], rest[-1:]
        key = int(digits, 16)
        # int() takes signs, blanks and underscores, which no id holds.
        if f"{key:016x}" != digits or not 0 < key <= LARGEST_KEY or CHECK[key % 31] != check:
            raise ValueError
    except (KeyError, ValueError):
        shown = text if len(text) <= 80 else text[:80] + "…"
        raise BadId(f"«{shown}» is not an id, or not a whole one; copy it as Grove gave it.") from None
    return kind, key
