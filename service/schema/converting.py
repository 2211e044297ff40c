"""How what was sent becomes instances of the input classes: by strawberry's rules, worked out once for each class."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

from graphql import GraphQLInputObjectType, GraphQLResolveInfo
from strawberry import ID
from strawberry.schema import Schema
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import has_enum_definition

from service.schema.context import Info

PLAIN = (str, int, bool, float, ID)
Conversion = Callable[[Any, InputContext], Any]


class Maker:
    """Makes an instance of an input class of its coerced fields, by their names in GraphQL."""

    def __init__(self, schema: Schema, definition: Any) -> None:
        self.schema = schema
        self.definition = definition
        self._known: tuple[dict[str, tuple[str, Conversion | None]], dict[str, None]] | None = None

    def __call__(self, kind: type, values: Mapping[str, Any], context: InputContext) -> Any:
        if self._known is None:
            # The types can be told only when all of them are declared.
            self._known = self._fields()
        fields, needed = self._known
        made: dict[str, Any] = needed.copy()
        for name, value in values.items():
            python_name, convert = fields[name]
            made[python_name] = value if convert is None or value is None else convert(value, context)
        return kind(**made)

    def _fields(self) -> tuple[dict[str, tuple[str, Conversion | None]], dict[str, None]]:
        """The name in GraphQL → the name in Python, and what converts what has to be converted; the fields that have
        no default."""
        name = self.schema.config.name_converter.from_field
        fields: dict[str, tuple[str, Conversion | None]] = {}
        needed: dict[str, None] = {}
        for field in self.definition.fields:
            kind = field.resolve_type(type_definition=self.definition)
            fields[name(field)] = (field.python_name, _conversion(name(field), kind))
            if field.default_value is MISSING and field.default_factory is MISSING:
                needed[field.python_name] = None
        return fields, needed


def _conversion(name: str, kind: Any) -> Conversion | None:
    """What converts a value that is there; None where it stays as it was coerced."""
    if is_plain(kind):
        return None
    bare = kind.of_type if type(kind) is StrawberryOptional else kind
    if isinstance(bare, StrawberryList) and is_plain(bare.of_type):
        # Each request that leaves a list out is given the same default.
        return lambda value, _: list(value)
    if has_object_definition(bare):
        make: Any = bare.__strawberry_definition__.from_input
        return lambda value, context: make(bare, value, context)
    return lambda value, context: context.convert(value, kind, name)


def declare_inputs(schema: Schema) -> None:
    """Tells strawberry how the input classes of a schema are made, and lets mutations do without it."""
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            definition = kind.extensions["strawberry-definition"]
            definition.from_input = Maker(schema, definition)
    mutations = schema._schema.mutation_type
    assert mutations is not None
    for field in mutations.fields.values():
        field.resolve = _resolver(schema, field.extensions["strawberry-definition"])


def _resolver(schema: Schema, field: Any) -> Callable[..., Any]:
    """What calls the method of a mutation, which has one argument, `input`."""
    method = field.base_resolver.wrapped_func
    kind = next(argument.type for argument in field.arguments)
    context = InputContext(None, schema.config, schema.schema_converter.scalar_registry, ("input",))

    def resolve(source: Any, info: GraphQLResolveInfo[Any], input: Mapping[str, Any]) -> Any:
        made = kind.__strawberry_definition__.from_input(kind, input, context)
        return method(source, info=Info(_raw_info=info, _field=field), input=made)

    return resolve


def is_plain(kind: Any) -> bool:
    """Whether the values of an argument's type stay as they were coerced."""
    if isinstance(kind, StrawberryMaybe):
        return False
    inner = kind.of_type if isinstance(kind, StrawberryOptional) else kind
    return inner in PLAIN or has_enum_definition(inner)
