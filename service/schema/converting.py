"""How what was sent becomes instances of the input classes: by strawberry's rules, worked out once for each class."""

from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from graphql import GraphQLInputObjectType
from strawberry import ID
from strawberry.schema import Schema
from strawberry.types.arguments import InputContext
from strawberry.types.base import StrawberryMaybe, StrawberryOptional
from strawberry.types.enum import has_enum_definition

PLAIN = (str, int, bool, float, ID)


class Maker:
    """Makes an instance of an input class of its coerced fields, by their names in GraphQL."""

    def __init__(self, schema: Schema, definition: Any) -> None:
        self.schema = schema
        self.definition = definition
        self._known: tuple[dict[str, tuple[str, Any]], dict[str, None]] | None = None

    def __call__(self, kind: type, values: Mapping[str, Any], context: InputContext) -> Any:
        if self._known is None:
            # The types can be told only when all of them are declared.
            self._known = self._fields()
        fields, needed = self._known
        made: dict[str, Any] = needed.copy()
        for name, value in values.items():
            python_name, converted = fields[name]
            made[python_name] = value if converted is None else context.convert(value, converted, name)
        return kind(**made)

    def _fields(self) -> tuple[dict[str, tuple[str, Any]], dict[str, None]]:
        """The name in GraphQL → the name in Python, and the type of what has to be converted; the fields that have
        no default."""
        name = self.schema.config.name_converter.from_field
        fields: dict[str, tuple[str, Any]] = {}
        needed: dict[str, None] = {}
        for field in self.definition.fields:
            kind = field.resolve_type(type_definition=self.definition)
            fields[name(field)] = (field.python_name, None if is_plain(kind) else kind)
            if field.default_value is MISSING and field.default_factory is MISSING:
                needed[field.python_name] = None
        return fields, needed


def declare_inputs(schema: Schema) -> None:
    """Tells strawberry how the input classes of a schema are made."""
    for kind in schema._schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            definition = kind.extensions["strawberry-definition"]
            definition.from_input = Maker(schema, definition)


def is_plain(kind: Any) -> bool:
    """Whether the values of an argument's type stay as they were coerced."""
    if isinstance(kind, StrawberryMaybe):
        return False
    inner = kind.of_type if isinstance(kind, StrawberryOptional) else kind
    return inner in PLAIN or has_enum_definition(inner)
