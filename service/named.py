"""Things that are named by a code or a name, read from one snapshot although it takes two statements to find them.

The first is a hint: it tells the key to look at, and need not be part of the snapshot, for the second finds out whether
the thing still bears the name.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from service import db
from service.matching import Reference
from service.names import key
from service.store import listing


class Named(NamedTuple):
    """The things in a table, by their names."""

    table: str
    by_key: Callable[[Sequence[int]], Awaitable[Sequence[Any]]]

    async def hint(self, reference: Reference) -> int | None:
        """The key of what is named so, or was a moment ago. One statement, none where the key is given."""
        return reference.key or await listing.hint(self.table, reference) or None

    async def rows(self, keys: Sequence[int], reference: Reference) -> Sequence[Any]:
        """The rows with the keys that `hint` gave. Raises WrongHint where they are no longer named so."""
        found = await self.by_key(keys)
        if reference.key is None and not all(_bears(row, reference) for row in found):
            raise db.read_again()
        return found


def _bears(row: Any, reference: Reference) -> bool:
    if row is None:
        return False
    if reference.code is not None:
        return key(row.code) == key(reference.code)
    return key(row.name) == key(str(reference.name))
