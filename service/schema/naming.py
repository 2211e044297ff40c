"""From the ids and names of an input to keys and references; what is wrong with one is refused with its path."""

from collections.abc import Sequence

from strawberry import ID, UNSET

from service import ids
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.ids import BadId, Kind
from service.matching import Reference
from service.schema.inputs import CustomerBy, CustomerGroupBy, HierarchyBy


def key_of(id: ID, kind: Kind, *path: str | int) -> int:
    """The key behind an id. Refuses with INVALID."""
    try:
        return ids.decode(id, kind)
    except BadId as error:
        raise refuse(UserErrorCode.INVALID, str(error), *path) from None


def optional_key_of(id: ID | None, kind: Kind, *path: str) -> int | None:
    """The key behind an id that may be null or left out. Refuses with INVALID."""
    return None if id is None or id is UNSET else key_of(id, kind, *path)


def keys_of(wanted: Sequence[ID], kind: Kind, path: str, most: int | None = None) -> list[int]:
    """The keys behind a list of ids. Refuses with INVALID, naming each that is wrong, up to a hundred.

    With OUT_OF_RANGE, before it reads any, where there are more than `most`.
    """
    keys: list[int] = []
    errors: list[UserError] = []
    if most is not None and len(wanted) > most:
        raise refuse(UserErrorCode.OUT_OF_RANGE, f"At most {most:,} at once; {len(wanted):,} were named.", path)
    for place, id in enumerate(wanted):
        try:
            keys.append(ids.decode(id, kind))
        except BadId as error:
            errors.append(user_error(UserErrorCode.INVALID, str(error), path, place))
    if errors:
        raise Refused(errors[:100])
    return keys


def groups_of(wanted: Sequence[CustomerGroupBy], path: str) -> list[Reference]:
    """The groups that are meant. Refuses with INVALID, naming each that is wrong, up to a hundred."""
    references: list[Reference] = []
    errors: list[UserError] = []
    for place, by in enumerate(wanted):
        try:
            references.append(by.reference())
        except BadId as error:
            errors.append(user_error(UserErrorCode.INVALID, str(error), path, place, "id"))
    if errors:
        raise Refused(errors[:100])
    return references


def named(by: CustomerGroupBy | CustomerBy | HierarchyBy, *path: str | int) -> Reference:
    """The one thing that is meant. Refuses with INVALID."""
    try:
        return by.reference()
    except BadId as error:
        raise refuse(UserErrorCode.INVALID, str(error), *path, "id") from None
