"""What a field does for all objects of a scope at once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from graphql import GraphQLField

from service.breadth.selection import Selection

# The key of a field's extensions under which one of the classes below stands.
BREADTH = "breadth"

Values = Sequence[Any]
Resolve = Callable[[Values, Any, Any, Selection], "Values | Awaitable[Values] | Coming"]


class Unplanned(Exception):
    """The query is to be run by graphql-core; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """The value is the object's attribute of this name."""

    name: str

    @property
    def function(self) -> Callable[[Any], Any]:
        """What makes the value of an object."""
        return attrgetter(self.name)

    def resolver(self) -> Resolve:
        function = self.function
        return lambda parents, *_: [*map(function, parents)]


@dataclass(frozen=True, slots=True)
class Each:
    """The value is what the function makes of the object."""

    function: Callable[[Any], Any]

    def resolver(self) -> Resolve:
        function = self.function
        return lambda parents, *_: [*map(function, parents)]


@dataclass(frozen=True, slots=True)
class Column:
    """The values are what the function makes of the objects, their number and order kept."""

    function: Callable[[Values], Values]

    def resolver(self) -> Resolve:
        function = self.function
        return lambda parents, *_: function(parents)


@dataclass(slots=True)
class Coming:
    """Values that `work` has yet to find, with objects that stand for them meanwhile.

    A stand-in has what is known of its value beforehand, such as the key, and no other attribute. The resolvers of the
    fields below that make do with it are asked ahead, while `work` is at it, for whatever they remember: what they
    answer is thrown away, and they are asked again with the values. A resolver that does not make do with it finds out
    by an AttributeError or a TypeError, and is not asked ahead any more; a LookupError says that there is no value.
    """

    work: Awaitable[Values]
    stand_ins: Values


def as_they_are(arguments: Mapping[str, Any]) -> Any:
    """Arguments that need no preparation."""
    return arguments


@dataclass(frozen=True, slots=True)
class Batch:
    """The values are what the function answers for the objects, their number and order kept.

    `prepare`: what makes of the coerced arguments what the function is given; where they are the same each time, it is
    asked once, and what it has made must not be changed.
    `part`: the name of the attribute by which a class of objects tells that each of them has the value along, and what
    makes the value of the object; True, where the object itself stands for it. Where all objects are of one such class,
    the function is not asked; nor is it asked ahead, since the objects may be.
    """

    function: Resolve
    part: str | None = None
    prepare: Callable[[Mapping[str, Any]], Any] = as_they_are

    def resolver(self) -> Resolve:
        return self.function


Declared = Attribute | Each | Column | Batch


def declared(name: str, field: GraphQLField) -> Declared:
    """What a field does. Raises Unplanned where that is not known for many objects."""
    found: Declared | None = field.extensions.get(BREADTH)
    if found is not None:
        return found
    if field.resolve is not None:
        raise Unplanned(f"the field {name} has a resolver for single objects only")
    return Each(lambda source: _default(source, name))


def _default(source: Any, name: str) -> Any:
    """What graphql-core's own resolver answers, but for methods."""
    value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    if callable(value):
        raise Unplanned(f"the field {name} is a method")
    return value
