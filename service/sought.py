"""Keys that are yet to be found, so that what hangs on them can be read with what they are of."""

from typing import Any


class Sought:
    """Stands for the key of a row until that is found: `statement` finds it, by the value of `$1`.

    In a list by itself it may be an argument of a statement that is run together with the one that finds the row; the
    search is then sent in the place of the list. From when the key is known it is as good as the key. Before that it
    is no key of a dictionary (TypeError), and where there is no such row it never will be (LookupError).
    """

    __slots__ = ("_found", "_negated", "_statement", "value")

    def __init__(
        self, statement: str, value: Any, found: list[int | None] | None = None, *, negated: bool = False
    ) -> None:
        self._statement = statement
        self.value = value
        self._found: list[int | None] = [] if found is None else found
        self._negated = negated

    @property
    def statement(self) -> str:
        """What finds the key."""
        return f"SELECT -sought.id FROM ({self._statement}) AS sought" if self._negated else self._statement

    def found(self, key: int | None) -> None:
        """The key is known, or that there is no such row."""
        self._found.append(key)

    def _key(self) -> int:
        if not self._found:
            raise TypeError("the key is yet to be found")
        key = self._found[0]
        if key is None:
            raise LookupError("there is no such row")
        return -key if self._negated else key

    def __neg__(self) -> "Sought":
        return Sought(self._statement, self.value, self._found, negated=not self._negated)

    def __lt__(self, other: int) -> bool:
        # Keys are positive.
        return self._negated if other == 0 else self._key() < other

    def __gt__(self, other: int) -> bool:
        return not self._negated if other == 0 else self._key() > other

    def __eq__(self, other: object) -> bool:
        if self is other or not self._found:
            return self is other
        key = self._found[0]
        return key is not None and (-key if self._negated else key) == other

    def __hash__(self) -> int:
        return hash(self._key())
