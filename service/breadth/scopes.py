"""Scopes and their fields, and how the objects of a scope are read.

A scope is one object type at one place of the document. What is to be done for its objects depends on their class as
well, which tells what they have at hand: so a scope has a reading for each class of objects that has come there.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values

from service.breadth.fields import BREADTH, Batch, Unplanned, resolver_of
from service.breadth.leaves import completion
from service.breadth.selection import Selection
from service.breadth.shapes import flattening

Column = Callable[[Sequence[Any]], Sequence[Any]]
TYPENAME = "__typename"
# So many readings of a scope are kept: there are few classes, but nobody promises it.
MOST_READINGS = 50


class Decided(NamedTuple):
    """An operation whose directives are decided."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    details: dict[str, FragmentDetails]
    operation: OperationDefinitionNode
    deciding: VariableValues
    type_name: Callable[[Any], str]


class Scope:
    """One object type at one place of the document."""

    def __init__(self, decided: Decided, kind: GraphQLObjectType, grouped: Mapping[str, list[FieldDetails]]) -> None:
        self.kind = kind
        self.fields = [Field(decided, kind, key, details) for key, details in grouped.items()]
        # Those whose values do not follow from the objects alone, as a rule: what is along with some need not be asked.
        self.asked = [field for field in self.fields if field.constant is None and field.plain is None]
        self._readings: dict[type | None, Reading] = {}

    def reading(self, kind: type | None) -> "Reading":
        """How objects of this class are read; None: of any classes."""
        reading = self._readings.get(kind)
        if reading is None:
            if kind is not None:
                no_error(kind)
            reading = Reading(self.fields, kind)
            if len(self._readings) < MOST_READINGS:
                self._readings[kind] = reading
        return reading


class Field:
    """One key of the response in a scope; the nodes that ask for it under this key are merged."""

    def __init__(self, decided: Decided, parent: GraphQLObjectType, key: str, details: list[FieldDetails]) -> None:
        self.decided = decided
        self.key = key
        self.details = details
        nodes = [detail.node for detail in details]
        self.node = nodes[0]
        self.selection = Selection(nodes, decided.fragments)
        self.scopes: dict[str, Scope] = {}
        name = self.node.name.value
        # Classes of stand-ins that do not have what it takes to ask for this field.
        self.too_early_for: set[type] = set()
        # What is the same for all objects of the scope.
        self.constant = parent.name if name == TYPENAME else None
        if self.constant is not None:
            return
        if name.startswith("__"):
            raise Unplanned("it asks for the schema")
        self.definition = parent.fields[name]
        # What a root field of a mutation does is not asked here.
        self.resolve: Any = None if parent is decided.schema.mutation_type else resolver_of(name, self.definition)
        self._arguments: Mapping[str, Any] | None = None
        if not _has_variables(self.node):
            self._arguments = get_argument_values(self.definition, self.node)
        self._variables = _variables_alone(self.definition, self.node)
        self.kind = get_named_type(self.definition.type)
        self.bare = get_nullable_type(self.definition.type)
        self.abstract = is_abstract_type(self.kind)
        # What makes the values of a leaf that are at hand: made of the objects alone.
        self.plain: Column | None = None
        self.complete: Column | None = None
        declared = self.definition.extensions.get(BREADTH)
        asked = isinstance(declared, Batch)
        self.part = declared.part if asked else None
        if not is_leaf_type(self.kind):
            self.flatten = flattening(self.definition.type)
            return
        self.complete = completion(self.definition.type)
        if not asked:
            self.plain = _plain(self.resolve, self.complete)

    def arguments(self, variables: VariableValues) -> Mapping[str, Any]:
        """The coerced arguments, once for all objects."""
        if self._arguments is not None:
            return self._arguments
        coerced = variables.coerced
        if self._variables and all(coerced.get(name) is not None for name in self._variables.values()):
            return {argument: coerced[name] for argument, name in self._variables.items()}
        return get_argument_values(self.definition, self.node, variables)

    def scope(self, name: str) -> Scope:
        """The scope below for objects of the type of this name. Raises Unplanned where none can be there."""
        scope = self.scopes.get(name)
        if scope is None:
            decided = self.decided
            kind = decided.schema.get_type(name)
            if not isinstance(kind, GraphQLObjectType) or (
                kind is not self.kind and not decided.schema.is_sub_type(self.kind, kind)
            ):
                raise Unplanned(f"an object of type {name} stands where none may be")
            collected = collect_subfields(
                decided.schema, decided.details, decided.deciding, decided.operation, kind, self.details
            )
            if collected.new_defer_usages:
                raise Unplanned("parts of it are deferred")
            scope = self.scopes[name] = Scope(decided, kind, collected.grouped_field_set)
        return scope

    def maker_of(self, kind: type | None) -> Callable[[Any], Any] | None:
        """What makes the value of an object of this class, which has it along."""
        return getattr(kind, self.part, None) if self.part is not None else None

    def column_of(self, kind: type | None) -> Column | None:
        """What makes the values of a leaf, ready for JSON, of objects of this class alone."""
        make, complete = self.maker_of(kind), self.complete
        if make is None or complete is None:
            return self.plain
        return lambda objects: complete([*map(make, objects)])

    def part_of(self, kind: type | None) -> "tuple[Callable[[Any], Any], Sequence[Field]] | None":
        """What makes the value of an object of this class, and the fields below, where all of that is at hand."""
        make = self.maker_of(kind)
        if make is None or self.abstract or self.complete is not None or is_list_type(self.bare):
            return None
        inside = self.scope(self.kind.name).fields
        if any(field.constant is None and field.plain is None for field in inside):
            return None
        return make, inside

    def scopes_of(self, objects: Sequence[Any]) -> Sequence[str] | None:
        """The name of each object's type where they may differ."""
        return [*map(self.decided.type_name, objects)] if self.abstract else None


def _plain(resolve: Any, complete: Column) -> Column:
    return lambda parents: complete(resolve(parents))


class Source(NamedTuple):
    """Columns that are made of the objects themselves (`make` is None), or of one part of each."""

    place: int
    make: Callable[[Any], Any] | None
    columns: list[Column]


class Reading:
    """How objects of one class are read in a scope: what they have at hand, what is asked, and what is made of both.

    A part of an object, such as the row of another table that came with its own, is read with it.
    """

    def __init__(self, fields: Sequence[Field], kind: type | None) -> None:
        self.sources: list[Source] = []
        # Fields whose values are to be asked for, or found otherwise.
        self.asked: list[Field] = []
        template = self._object(fields, kind, None)
        at_hand = [f"v{place}_{number}" for place, _, own in self.sources for number in range(len(own))]
        self.build = builder(template, (*at_hand, *(f"a{number}" for number in range(len(self.asked)))))

    def _object(self, fields: Sequence[Field], kind: type | None, make: Callable[[Any], Any] | None) -> str:
        """The source text of an object of the response; it names the columns that it is made of."""
        source = Source(len(self.sources), make, [])
        self.sources.append(source)
        items = []
        for field in fields:
            if field.constant is not None:
                value = repr(field.constant)
            elif (column := field.column_of(kind)) is not None:
                value = f"v{source.place}_{len(source.columns)}"
                source.columns.append(column)
            elif (part := field.part_of(kind)) is not None:
                value = self._object(part[1], None, part[0])
            else:
                value = f"a{len(self.asked)}"
                self.asked.append(field)
            # The keys are names of GraphQL, which hold letters, digits and underscores alone.
            items.append(f"{field.key!r}: {value}")
        return f"{{{', '.join(items)}}}"

    def at_hand(self, objects: Sequence[Any]) -> list[Sequence[Any]]:
        """The columns that are made of the objects alone."""
        columns: list[Sequence[Any]] = []
        for _, make, own in self.sources:
            parts = objects if make is None or not own else [*map(make, objects)]
            columns += [column(parts) for column in own]
        return columns


def no_error(kind: type) -> None:
    """Raises Unplanned where objects of this class are errors."""
    if issubclass(kind, Exception):
        raise Unplanned("an error stands for an object")


@lru_cache(maxsize=1_000)
def builder(template: str, names: tuple[str, ...]) -> Callable[[int, Sequence[Sequence[Any]]], list[dict[str, Any]]]:
    """The function that makes objects of as many columns as there are names: code made for the selection."""
    rows = f"{', '.join(names)}, in zip(*columns, strict=True)" if names else "_ in range(count)"
    made: Callable[[int, Sequence[Sequence[Any]]], list[dict[str, Any]]]
    made = eval(f"lambda count, columns: [{template} for {rows}]")
    return made


def _has_variables(node: FieldNode) -> bool:
    waiting: list[Any] = [argument.value for argument in node.arguments or ()]
    for value in waiting:
        if isinstance(value, VariableNode):
            return True
        waiting.extend(getattr(value, "values", None) or ())
        waiting.extend(field.value for field in getattr(value, "fields", None) or ())
    return False


def _variables_alone(field: GraphQLField, node: FieldNode) -> dict[str, str] | None:
    """Argument → variable, where all arguments are variables and there is no default to be filled in.

    Such arguments, where they are given, are the coerced variables as they are.
    """
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    found = {}
    for name, definition in field.args.items():
        value = given.get(name)
        if isinstance(value, VariableNode):
            found[definition.out_name or name] = value.name.value
        elif name in given or definition.default is not None or definition.default_value is not Undefined:
            return None
    return found
