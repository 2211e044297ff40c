"""The schema is what was promised: tests/contract.graphql, to the letter, and schema.graphql is its print.

What the contract does not hold may be added to the schema: optional arguments and input fields, fields, types,
enum values. What it holds may not be renamed, dropped or made looser.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    Undefined,
    ast_from_value,
    build_schema,
    is_introspection_type,
    is_required_argument,
    is_required_input_field,
    is_specified_directive,
    is_specified_scalar_type,
    print_ast,
)

from service import parameters
from service.__main__ import main
from service.schema import schema

CONTRACT = Path(__file__).with_name("contract.graphql")
SNAPSHOT = Path(__file__).parents[1] / "schema.graphql"
# Read back from its print, which tells of @oneOf where the schema in memory does not.
BUILT = build_schema(schema.as_str())

# Relay's, which the contract takes for granted.
PAGE_INFO = """
    type PageInfo { hasNextPage: Boolean!  hasPreviousPage: Boolean!  startCursor: String  endCursor: String }
"""


def promised() -> GraphQLSchema:
    """The contract as a schema, with the types that its comments describe."""
    text = CONTRACT.read_text(encoding="utf-8")
    return with_common_inputs(build_schema(text + PAGE_INFO + connections(text)))


def connections(text: str) -> str:
    """The types XConnection and XEdge, out of the comment that describes them."""
    comment = " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))
    described = re.search(
        r"Each XConnection is (\{.*?\}), each XEdge (\{.*?\})\. ([\w, ]+) and (\w+) have one\.", comment
    )
    assert described, "The contract no longer describes its connections as it did."
    connection, edge, names, last = described.groups()
    return "".join(
        f"type {name}Connection {connection}\ntype {name}Edge {edge}\n".replace("XEdge", f"{name}Edge").replace(
            "X!", f"{name}!"
        )
        for name in [*names.split(", "), last]
    )


def with_common_inputs(contract: GraphQLSchema) -> GraphQLSchema:
    """The contract with what every mutation's input takes, which it writes out for MoveNodeInput alone."""
    common = ("clientMutationId", "idempotencyKey", "dryRun")
    written = contract.type_map["MoveNodeInput"]
    assert isinstance(written, GraphQLInputObjectType)
    for input in mutation_inputs(contract):
        for name in common:
            input.fields.setdefault(name, written.fields[name])
    return contract


def mutation_inputs(of: GraphQLSchema) -> Iterator[GraphQLInputObjectType]:
    """The input of each mutation."""
    assert of.mutation_type
    for field in of.mutation_type.fields.values():
        input = getattr(field.args["input"].type, "of_type", None)
        assert isinstance(input, GraphQLInputObjectType)
        yield input


def lines(of: GraphQLSchema) -> dict[str, str]:
    """A schema, one line for each thing that a client can name: its path → what holds of it."""
    found: dict[str, str] = {}
    for name, type in of.type_map.items():
        if is_introspection_type(type) or is_specified_scalar_type(type):
            continue
        found[name] = kind(type)
        if isinstance(type, GraphQLEnumType):
            found |= {f"{name}.{value}": "value" for value in type.values}
        elif isinstance(type, GraphQLInputObjectType):
            found |= {f"{name}.{key}": taken(field) for key, field in type.fields.items()}
        elif isinstance(type, GraphQLObjectType | GraphQLInterfaceType):
            for key, field in type.fields.items():
                found[f"{name}.{key}"] = f"{field.type}"
                found |= {f"{name}.{key}({arg}:)": taken(given) for arg, given in field.args.items()}
    return found


def kind(type: GraphQLNamedType) -> str:
    """What a type is, the interfaces that it has, and whether it takes one field only."""
    words = (
        (GraphQLEnumType, "enum"),
        (GraphQLInputObjectType, "input"),
        (GraphQLInterfaceType, "interface"),
        (GraphQLObjectType, "type"),
        (GraphQLScalarType, "scalar"),
    )
    word = next(word for class_, word in words if isinstance(type, class_))
    interfaces = sorted(interface.name for interface in getattr(type, "interfaces", ()))
    one_of = " @oneOf" if getattr(type, "is_one_of", False) else ""
    return " ".join([word, *interfaces]) + one_of


def taken(given: GraphQLArgument | GraphQLInputField) -> str:
    """The type of an argument or input field, and its default."""
    if given.default is None and given.default_value is Undefined:
        return f"{given.type}"
    default = default_of(given)
    return f"{given.type} = {print_ast(default) if default else 'null'}"


def default_of(given: GraphQLArgument | GraphQLInputField) -> Any:
    if given.default is not None and given.default.literal is not None:
        return given.default.literal
    value = given.default_value if given.default is None else given.default.value
    return ast_from_value(value, given.type)


def test_what_is_promised_is_built() -> None:
    built = lines(BUILT)
    wanted = lines(promised())
    assert {path: built.get(path) for path in wanted} == wanted


def test_what_is_added_asks_nothing_of_clients() -> None:
    """An argument or input field beyond the contract is optional where the contract knows its owner."""
    known = lines(promised())
    demanded = []
    for name, type in BUILT.type_map.items():
        if isinstance(type, GraphQLInputObjectType) and name in known:
            demanded += [f"{name}.{key}" for key, field in type.fields.items() if is_required_input_field(field)]
        elif isinstance(type, GraphQLObjectType | GraphQLInterfaceType):
            for key, field in type.fields.items():
                if f"{name}.{key}" in known:
                    demanded += [
                        f"{name}.{key}({arg}:)" for arg, given in field.args.items() if is_required_argument(given)
                    ]
    assert [path for path in demanded if path not in known] == []


def test_every_mutation_takes_the_common_input_fields() -> None:
    common = {"clientMutationId": "String", "idempotencyKey": "String", "dryRun": "Boolean! = false"}
    for input in mutation_inputs(BUILT):
        assert {name: taken(input.fields[name]) for name in common} == common, input.name


def test_everything_is_described() -> None:
    bare = []
    for name, type in BUILT.type_map.items():
        if is_introspection_type(type) or is_specified_scalar_type(type):
            continue
        parts: dict[str, Any] = {name: type}
        if isinstance(type, GraphQLEnumType):
            parts |= {f"{name}.{value}": described for value, described in type.values.items()}
        elif isinstance(type, GraphQLInputObjectType | GraphQLObjectType | GraphQLInterfaceType):
            for key, field in type.fields.items():
                parts[f"{name}.{key}"] = field
                parts |= {f"{name}.{key}({arg}:)": given for arg, given in getattr(field, "args", {}).items()}
        bare += [path for path, part in parts.items() if not (part.description or "").strip()]
    bare += [
        f"@{directive.name}"
        for directive in BUILT.directives
        if not is_specified_directive(directive) and not directive.description
    ]
    assert bare == []


def test_the_printed_schema_is_in_the_repository() -> None:
    printed = CliRunner().invoke(main, ["schema"]).output
    assert printed == SNAPSHOT.read_text(encoding="utf-8"), "Run `make schema`, and look at the difference."


def test_the_print_leaves_nothing_out() -> None:
    """What the comparison above reads is what is executed."""
    executed = lines(schema._schema)
    printed = {path: line.removesuffix(" @oneOf") for path, line in lines(BUILT).items()}
    assert executed == printed


def test_one_of_is_told_to_clients() -> None:
    answer = schema.execute_sync("{ __schema { types { name isOneOf } } }").data
    assert answer
    told = {type["name"] for type in answer["__schema"]["types"] if type["isOneOf"]}
    assert told == {name for name, line in lines(BUILT).items() if line.endswith("@oneOf")}


@pytest.mark.parametrize(
    ("words", "enumeration"),
    [
        (parameters.STATUSES, "GroupStatus"),
        (parameters.DIRECTIONS, "OrderDirection"),
        (parameters.GROUP_ORDERS, "CustomerGroupOrderField"),
        (parameters.CUSTOMER_ORDERS, "CustomerOrderField"),
    ],
)
def test_downloads_take_the_words_of_graphql(words: Sequence[str], enumeration: str) -> None:
    known = BUILT.type_map[enumeration]
    assert isinstance(known, GraphQLEnumType)
    assert list(words) == list(known.values)
