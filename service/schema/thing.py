"""What every thing with an id has."""

from operator import attrgetter
from typing import Any, ClassVar

import strawberry
from strawberry import ID

from service.ids import Kind, encode_all
from service.schema.relations import column


@strawberry.interface(description="Anything that has an id of its own.")
class Node:
    # The rows of the store that are things of this type.
    row: ClassVar[type]

    id: ID = strawberry.field(description="Opaque, unique among all things, and never given to another.")

    @classmethod
    def is_type_of(cls, source: object, _: Any) -> bool:
        return isinstance(source, cls.row)


def id_of(kind: Kind) -> Any:
    """The field with the id of a thing."""
    return column("Opaque, unique among all things.", lambda rows: encode_all(kind, map(KEY, rows)))


KEY = attrgetter("id")
