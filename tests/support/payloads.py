"""Selections made from the schema, so that a test sees all that a mutation answers."""

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
    get_named_type,
    is_required_argument,
)

from service.schema import schema

SCHEMA = build_schema(schema.as_str())
MUTATIONS: list[str] = list(SCHEMA.mutation_type.fields) if SCHEMA.mutation_type else []


def payload_of(mutation: str) -> GraphQLObjectType:
    """The type that a mutation answers."""
    assert SCHEMA.mutation_type
    type = get_named_type(SCHEMA.mutation_type.fields[mutation].type)
    assert isinstance(type, GraphQLObjectType)
    return type


def selection_of(mutation: str, depth: int = 1) -> str:
    """Everything in a mutation's payload but its user errors, which the client asks for by itself."""
    fields = payload_of(mutation).fields
    return " ".join(selected(name, field, depth) for name, field in fields.items() if name != "userErrors")


def selected(name: str, field: GraphQLField, depth: int) -> str:
    """The selection of a field with everything below it, so many levels of objects down; "" where it cannot be."""
    type = get_named_type(field.type)
    if any(is_required_argument(argument) for argument in field.args.values()):
        return ""
    if isinstance(type, GraphQLScalarType | GraphQLEnumType):
        return name
    if depth == 0 or not isinstance(type, GraphQLObjectType):
        return ""
    # A page's rows are one level; what wraps them is none.
    below = depth if "pageInfo" in type.fields or name in ("edges", "pageInfo") else depth - 1
    inside = " ".join(filter(None, (selected(key, value, below) for key, value in type.fields.items())))
    return f"{name} {{ {inside} }}" if inside else ""
