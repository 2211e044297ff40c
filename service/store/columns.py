"""Rows with some of their columns.

To read one column out of what PostgreSQL sends takes as long as all else that is done to it: so only those that are
asked for are fetched. A row is then made of the record as it is, by functions of C that look where its values stand.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, NamedTuple

Columns = tuple[str, ...]
Record = Sequence[Any]


class Some(NamedTuple):
    """Columns, the key first, all with {0} for what their table goes by, and what makes rows of such records."""

    columns: str
    make: Callable[[Record], Any]


@lru_cache(maxsize=500)
def some(kind: Any, columns: Columns | None) -> Some:
    """Rows of this class of named tuples, with their keys and these columns (None: all); more may stand behind them."""
    own = tuple(name for name in kind._fields if columns is None or name == "id" or name in columns)
    text = ", ".join(f"{{0}}.{name}" for name in own)
    return Some(text, made(kind, {name: place for place, name in enumerate(own)}))


def made(kind: Any, places: dict[str, int], **more: Any) -> Callable[[Record], Any]:
    """What makes rows of records in which their columns stand at these places; `more` has the class of the rows."""
    names = {"__slots__": (), **at(places), **missing(kind, places), **more}
    return partial(tuple.__new__, type(f"Some{kind.__name__}", (kind,), names))


def at(places: dict[str, int]) -> dict[str, Any]:
    """Attributes that stand at these places."""
    return {name: property(itemgetter(place)) for name, place in places.items()}


def missing(kind: Any, places: dict[str, int]) -> dict[str, Any]:
    """The attributes of a row that do not stand anywhere."""
    return {name: property(_not_fetched) for name in kind._fields if name not in places}


def _not_fetched(_: Any) -> None:
    raise AttributeError("this column was not fetched")
