"""Objects in lists, in lists of lists, or missing: laid out flat for the scope below, and put back afterwards."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from graphql import GraphQLOutputType, is_list_type, is_non_null_type

from service.breadth.fields import Unplanned

# None: they are in their places.
Restore = Callable[[Sequence[Any]], Sequence[Any]] | None
LISTS = frozenset({list, tuple})
# The objects without holes and lists, and what puts their answers back into the places of the values.
Flat = tuple[Sequence[Any], Restore]
Flatten = Callable[[Sequence[Any]], Flat]


def flattening(kind: GraphQLOutputType) -> Flatten:
    """What lays out the values of a field of this composite type. It raises Unplanned."""
    if is_non_null_type(kind):
        return _required(_flattening(kind.of_type))
    return _optional(_flattening(kind))


def _flattening(kind: GraphQLOutputType) -> Flatten:
    return _lists(flattening(kind.of_type)) if is_list_type(kind) else _objects


def _objects(values: Sequence[Any]) -> Flat:
    return values, None


def _objects_all(values: Sequence[Any]) -> Flat:
    if None in values:
        raise Unplanned("a null where none may be")
    return values, None


def _required(flatten: Flatten) -> Flatten:
    if flatten is _objects:
        return _objects_all

    def required(values: Sequence[Any]) -> Flat:
        if None in values:
            raise Unplanned("a null where none may be")
        return flatten(values)

    return required


def _optional(flatten: Flatten) -> Flatten:
    def optional(values: Sequence[Any]) -> Flat:
        if None not in values:
            return (values, None) if flatten is _objects else flatten(values)
        flat, restore = flatten([value for value in values if value is not None])

        def with_holes(answers: Sequence[Any]) -> Sequence[Any]:
            rest = iter(answers if restore is None else restore(answers))
            return [None if value is None else next(rest) for value in values]

        return flat, with_holes

    return optional


def _lists(flatten: Flatten) -> Flatten:
    def lists(values: Sequence[Any]) -> Flat:
        found = values if LISTS.issuperset(map(type, values)) else [*map(listed, values)]
        if len(found) == 1:
            flat, restore = flatten(found[0])
            return flat, lambda answers: [answers if restore is None else restore(answers)]
        flat, restore = flatten([*chain.from_iterable(found)])
        lengths = [*map(len, found)]
        return flat, lambda answers: regrouped(answers if restore is None else restore(answers), lengths)

    return lists


def listed(value: Any) -> Sequence[Any]:
    """A list's value as something that has a length. Raises Unplanned for what graphql-core takes for no list."""
    if type(value) is list or type(value) is tuple:
        return value
    if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Iterable):
        raise Unplanned("a list field has a value that is no list")
    return [*value]


def regrouped(flat: Sequence[Any], lengths: Sequence[int]) -> list[list[Any]]:
    """Lists of these lengths, in order."""
    rest = iter(flat)
    return [[*islice(rest, length)] for length in lengths]
