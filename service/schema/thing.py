"""What every thing with an id has."""

from typing import Any, ClassVar

import strawberry
from strawberry import ID

from service.ids import Kind, encode
from service.schema.relations import each


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
    return each("Opaque, unique among all things.", lambda row: encode(kind, row.id))
