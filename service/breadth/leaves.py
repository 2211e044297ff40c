"""Scalars and enumerations: the values of one field of all objects, made ready for JSON together.

Values whose types show that nothing is to be done pass as they are, at the speed of C; any other value goes through
its type's own `serialize`, as in graphql-core, so that the answer is the same and what it refuses is refused here.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from math import isfinite
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)

from service.breadth.fields import Unplanned
from service.breadth.shapes import listed, regrouped

Complete = Callable[[Sequence[Any]], Sequence[Any]]
LARGEST_INT, SMALLEST_INT = 2**31 - 1, -(2**31)
NULL = type(None)


def completion(kind: GraphQLOutputType) -> Complete:
    """What turns the values of a field of this type into those of the response. It raises Unplanned, and errors
    of `serialize`."""
    if is_non_null_type(kind):
        return _required(kind.of_type)
    if is_list_type(kind):
        return _lists(completion(kind.of_type))
    return _leaf(kind)  # type: ignore[arg-type]


def types_that_pass(kind: GraphQLOutputType) -> frozenset[type] | None:
    """The types of values that stay as they are in a field of this type; None where more must be looked at."""
    bare = kind.of_type if is_non_null_type(kind) else kind
    types, also = _PASSES.get(bare.name, (None, None)) if is_leaf_type(bare) else (None, None)
    return None if types is None or also is not None else types if is_non_null_type(kind) else types | {NULL}


def _required(kind: GraphQLOutputType) -> Complete:
    complete = completion(kind)

    def required(values: Sequence[Any]) -> Sequence[Any]:
        completed = complete(values)
        if None in completed:
            raise Unplanned("a null where none may be")
        return completed

    passes = _PASSES.get(kind.name) if is_leaf_type(kind) else None
    if passes is None:
        return required
    types, also = passes

    def passing(values: Sequence[Any]) -> Sequence[Any]:
        return values if types.issuperset(map(type, values)) and (also is None or also(values)) else required(values)

    return passing


def _lists(complete: Complete) -> Complete:
    def lists(values: Sequence[Any]) -> Sequence[Any]:
        if None in values:
            rest = iter(lists([value for value in values if value is not None]))
            return [None if value is None else next(rest) for value in values]
        found = [*map(listed, values)]
        flat = [*chain.from_iterable(found)]
        return regrouped(complete(flat), [*map(len, found)])

    return lists


def _leaf(kind: GraphQLLeafType) -> Complete:
    serialize = _serialize(kind)
    if isinstance(kind, GraphQLEnumType):
        return lambda values: _by_value(values, serialize)
    types, also = _PASSES.get(kind.name, (frozenset(), None))
    if types and also is None:
        types |= {NULL}

    def leaf(values: Sequence[Any]) -> Sequence[Any]:
        if types.issuperset(map(type, values)) and (also is None or also(values)):
            return values
        return [None if value is None else serialize(value) for value in values]

    return leaf


def _serialize(kind: GraphQLLeafType) -> Callable[[Any], Any]:
    # graphql-core 3.3 calls it by this name for both scalars and enumerations.
    own = kind.coerce_output_value

    def serialize(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        serialized = own(value)
        if serialized is None or serialized is Undefined:
            raise Unplanned(f"a value of {kind.name} has no serialized form")
        return serialized

    return serialize


def _by_value(values: Sequence[Any], serialize: Callable[[Any], Any]) -> Sequence[Any]:
    known = {value: None if value is None else serialize(value) for value in set(values)}
    return [known[value] for value in values]


def _small(values: Sequence[int]) -> bool:
    return not values or (min(values) >= SMALLEST_INT and max(values) <= LARGEST_INT)


def _finite(values: Sequence[float]) -> bool:
    return all(map(isfinite, values))


# Scalar → the type whose values stay as they are, and what else must hold of them.
_PASSES: dict[str, tuple[frozenset[type], Callable[[Sequence[Any]], bool] | None]] = {
    GraphQLString.name: (frozenset({str}), None),
    GraphQLID.name: (frozenset({str}), None),
    GraphQLInt.name: (frozenset({int}), _small),
    GraphQLFloat.name: (frozenset({float}), _finite),
    GraphQLBoolean.name: (frozenset({bool}), None),
}
