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


def everything_in(type: GraphQLObjectType, depth: int, first: int = 20) -> str:
    """All fields of a type that can be asked for without arguments, with so many levels of objects below them."""
    return " ".join(filter(None, (selected(name, field, depth, first) for name, field in type.fields.items())))


def selected(name: str, field: GraphQLField, depth: int, first: int = 20, arguments: str = "") -> str:
    """The selection of a field with everything below it, so many levels of objects down; "" where it cannot be.

    Pages have `first` rows.
    """
    type = get_named_type(field.type)
    if not arguments and any(is_required_argument(argument) for argument in field.args.values()):
        return ""
    if isinstance(type, GraphQLScalarType | GraphQLEnumType):
        return name + arguments
    if depth == 0 or not isinstance(type, GraphQLObjectType):
        return ""
    # A page's rows are one level; what wraps them is none.
    below = depth if "pageInfo" in type.fields or name in ("edges", "pageInfo") else depth - 1
    if not arguments and "first" in field.args:
        arguments = f"(first: {first})"
    inside = everything_in(type, below, first)
    return f"{name}{arguments} {{ {inside} }}" if inside else ""
