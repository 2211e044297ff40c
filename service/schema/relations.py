"""How the fields of output types are declared: once, for both executors.

An object of the response is the row itself, as the store gives it. What a field does with one follows from a
declaration that says it for any number of them:

    name: str = attribute("…")                    the row's attribute of that name
    status: Status = each("…", lambda row: …)     what is made of the row, without asking anybody
    id: ID = column("…", lambda rows: …)          the same, for many rows at once
    @relation("…") def children(self, …)          what is loaded: the method says what and by which key

A relation's method is called once for all rows that ask for the field with the same arguments. `self` is any one of
them, and stands only for what they have in common; what differs between them comes by the key. graphql-core, which
goes from object to object, calls it for each, and gathers their keys in loaders (service/schema/context.py).
"""

import dis
import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import strawberry
from graphql import GraphQLObjectType
from strawberry.schema import Schema
from strawberry.types.arguments import InputContext, convert_argument
from strawberry.types.base import StrawberryOptional, has_object_definition
from strawberry.types.field import StrawberryField

from service.breadth import BREADTH, Attribute, Batch, Column, Coming, Each, Selection
from service.errors import Unavailable
from service.matching import Reference
from service.schema.context import Context, Info
from service.schema.converting import is_plain
from service.sought import Sought

Method = TypeVar("Method", bound=Callable[..., Any])
Key = Callable[[Any], Any]


def _nothing(_: Any) -> None:
    return None


class Relation(Protocol):
    """What a relation's method answers."""

    def one(self, context: Context, row: Any) -> Any:
        """The value for one row, or an awaitable of it."""

    def many(self, context: Context, rows: Sequence[Any], selection: Selection) -> Any:
        """The values for all rows, or an awaitable of them."""


@dataclass(slots=True, eq=False)
class Load:
    """What `resolve(keys, *arguments)` answers for the key of each row.

    `needed`: it must be there. `finish` makes the value of the row and of what was found. A row without a key (None)
    has what `keyless` says: null. `asks` makes of the selection one argument more, which tells the resolver what to
    bring along. `stand_in` makes of a key what stands for the row until it is found: Known, where the key is the
    row's own.
    """

    resolve: Callable[..., Awaitable[Sequence[Any]]]
    key: Key
    arguments: tuple[Any, ...] = ()
    needed: bool = False
    finish: Callable[[Any, Any], Any] | None = None
    keyless: Key = _nothing
    asks: Callable[[Selection], Any] | None = None
    stand_in: Callable[[Any], Any] | None = None

    async def one(self, context: Context, row: Any) -> Any:
        key = self.key(row)
        if key is None:
            return self.keyless(row)
        found = await context.load(self.resolve, key, *self.arguments)
        if self.needed:
            present(found)
        return self.finish(row, found) if self.finish else found

    def many(self, context: Context, rows: Sequence[Any], selection: Selection) -> Any:
        keys = [*map(self.key, rows)]
        arguments = (*self.arguments, selection.kept(self.asks)) if self.asks else self.arguments
        known = context.known(self.resolve, keys, *arguments)
        if known is not None:
            return self._finished(rows, known)
        if None in keys or self.needed or self.finish is not None:
            work = self._load(context, rows, keys, arguments)
        else:
            work = context.many(self.resolve, keys, *arguments)
        return Coming(work, [*map(self.stand_in, keys)]) if self.stand_in else work

    async def _load(self, context: Context, rows: Sequence[Any], keys: list[Any], arguments: tuple[Any, ...]) -> Any:
        if None not in keys:
            return self._finished(rows, await context.many(self.resolve, keys, *arguments))
        pairs = [*zip(rows, keys, strict=True)]
        rest = [(row, key) for row, key in pairs if key is not None]
        found = await context.many(self.resolve, [key for _, key in rest], *arguments) if rest else ()
        values = iter(self._finished([row for row, _ in rest], found))
        return [self.keyless(row) if key is None else next(values) for row, key in pairs]

    def _finished(self, rows: Sequence[Any], found: Sequence[Any]) -> Sequence[Any]:
        if self.needed and None in found:
            present(None)
        return found if self.finish is None else [*map(self.finish, rows, found)]


class Known(NamedTuple):
    """What stands for a row of which only the key is known."""

    id: int


class Unknown(NamedTuple):
    """What stands for a row whose key is yet to be found."""

    id: Sought


@dataclass(slots=True, eq=False)
class Find:
    """What a reference means, for the root: a row, or null where there is none.

    `resolve(references)` finds it; meanwhile what `sought(reference)` answers stands for its key. `asks` as for Load.
    """

    reference: Reference
    resolve: Callable[..., Awaitable[Sequence[Any]]]
    sought: Callable[[Reference], Sought]
    asks: Callable[[Selection], Any] | None = None

    def one(self, context: Context, row: Any) -> Any:
        return context.load(self.resolve, self.reference)

    def many(self, context: Context, rows: Sequence[Any], selection: Selection) -> Any:
        arguments = (selection.kept(self.asks),) if self.asks else ()
        if self.reference.key is not None:
            return Coming(context.many(self.resolve, [self.reference], *arguments), [Known(self.reference.key)])
        sought = self.sought(self.reference)
        return Coming(self._find(context, sought, arguments), [Unknown(sought)])

    async def _find(self, context: Context, sought: Sought, arguments: tuple[Any, ...]) -> Sequence[Any]:
        found = await context.many(self.resolve, [self.reference], *arguments)
        sought.found(None if found[0] is None else found[0].id)
        return found


@dataclass(slots=True, eq=False)
class Look:
    """What one piece of work finds out; for the root, of which there is one."""

    work: Callable[[Context], Awaitable[Any]]

    def one(self, context: Context, row: Any) -> Any:
        return self.work(context)

    async def many(self, context: Context, rows: Sequence[Any], selection: Selection) -> Sequence[Any]:
        found = await self.work(context)
        return [found] * len(rows)


# A relation's method is annotated with what GraphQL shows, not with what it answers.
load: Callable[..., Any] = Load
find: Callable[..., Any] = Find
look: Callable[..., Any] = Look


def constant(value: Any) -> Key:
    """The key of the root, which is the same for all."""
    return lambda _: value


def present(row: Any) -> Any:
    """A row that must be there; it is missing only where somebody deleted it meanwhile. Raises Unavailable."""
    if row is None:
        raise Unavailable("Something was deleted while it was being read; try again.")
    return row


def attribute(description: str) -> Any:
    """A field whose value is the row's attribute of the same name."""
    return strawberry.field(description=description)


def each(description: str, function: Key) -> Any:
    """A field whose value is made of the row alone."""

    def resolve(self: Any) -> Any:
        return function(self)

    return strawberry.field(resolver=resolve, description=description, metadata={BREADTH: Each(function)})


def column(description: str, function: Callable[[Sequence[Any]], Sequence[Any]]) -> Any:
    """A field whose values are made of the rows alone, all at once."""

    def resolve(self: Any) -> Any:
        return function([self])[0]

    return strawberry.field(resolver=resolve, description=description, metadata={BREADTH: Column(function)})


def relation(description: str, part: str | None = None) -> Callable[[Method], Any]:
    """A field whose value is loaded as the method says. Its signature is that of the field.

    `part`: what a class of rows that have the value along calls what makes it of a row.
    """

    def declare(method: Method) -> Any:
        @functools.wraps(method)
        async def resolve(self: Any, info: Info, **arguments: Any) -> Any:
            value = method(self, **arguments).one(info.context, self)
            return await value if inspect.isawaitable(value) else value

        own = inspect.signature(method)
        first, *rest = own.parameters.values()
        info = inspect.Parameter("info", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Info)
        resolve.__signature__ = own.replace(parameters=[first, info, *rest])  # type: ignore[attr-defined]
        return strawberry.field(resolver=resolve, description=description, metadata={BREADTH: (method, part)})

    return declare


def declare_for_breadth(schema: Schema) -> None:
    """Tells the breadth-first executor what the fields of a schema do."""
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and "strawberry-definition" in kind.extensions:
            for field in kind.fields.values():
                declared = _declared(schema, field.extensions["strawberry-definition"])
                if declared is not None:
                    field.extensions[BREADTH] = declared


def _declared(schema: Schema, field: StrawberryField) -> Attribute | Each | Column | Batch | None:
    if field.is_basic_field:
        return Attribute(field.python_name)
    metadata: Mapping[Any, Any] = field.metadata or {}
    how = metadata.get(BREADTH)
    if how is None:
        return None
    if isinstance(how, Each | Column):
        return how
    method, part = how

    @functools.cache
    def conversions() -> list[tuple[str, str, Any]]:
        # The types can be told only when all of them are declared.
        name = schema.config.name_converter.from_argument
        return [
            (name(argument), argument.python_name, _conversion(schema, argument.type)) for argument in field.arguments
        ]

    def convert(arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by their Python names, input objects as instances of their classes."""
        return {
            python_name: arguments[name] if conversion is None else conversion(arguments[name])
            for name, python_name, conversion in conversions()
            if name in arguments
        }

    if looks_at_rows(method):

        def resolve(rows: Sequence[Any], given: dict[str, Any], context: Context, selection: Selection) -> Any:
            found: Relation = method(rows[0], **given)
            return found.many(context, rows, selection)

        return Batch(resolve, part, convert)

    def relation_of(arguments: Mapping[str, Any]) -> Any:
        return method(None, **convert(arguments)) if arguments else method(None)

    def resolve_alike(rows: Sequence[Any], found: Relation, context: Context, selection: Selection) -> Any:
        return found.many(context, rows, selection)

    return Batch(resolve_alike, part, relation_of)


def looks_at_rows(method: Callable[..., Any]) -> bool:
    """Whether a relation's method makes any use of its `self`."""
    return any("self" in str(step.argval) for step in dis.get_instructions(method))


def _conversion(schema: Schema, kind: Any) -> Callable[[Any], Any] | None:
    """What makes the value of an argument of a coerced one of this type; None where it stays as it is."""
    if is_plain(kind):
        return None
    registry = schema.schema_converter.scalar_registry
    bare: Any = kind.of_type if isinstance(kind, StrawberryOptional) else kind
    make = bare.__strawberry_definition__.from_input if has_object_definition(bare) else None
    if make is not None:
        context = InputContext(None, schema.config, registry, ())
        return lambda value: None if value is None else make(bare, value, context)
    return lambda value: convert_argument(value, kind, registry, schema.config)
