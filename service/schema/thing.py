"""What every thing with an id has, and how one is found that may be gone."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import strawberry
from strawberry import ID

from service.errors import Unavailable
from service.schema.context import Info

T = TypeVar("T")
field = strawberry.field


async def maybe(info: Info, resolve: Callable[..., Awaitable[Sequence[T | None]]], key: int | None) -> T | None:
    """What `resolve` answers for a key that there may be."""
    return None if key is None else await info.context.load(resolve, key)


def present(row: T | None) -> T:
    """A row that must be there; it is missing only where somebody deleted it between two statements."""
    if row is None:
        raise Unavailable("Something was deleted while it was being read; try again.")
    return row


@strawberry.interface(description="Anything that has an id of its own.")
class Node:
    @field(description="Opaque, unique among all things, and never given to another.")
    def id(self) -> ID:
        raise NotImplementedError
