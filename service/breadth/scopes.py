"""Scopes and their fields, and how the objects of a scope are read.

A scope is one object type at one place of the document. What is to be done for its objects depends on their class as
well, which tells what they have at hand: so a scope has a reading for each class of objects that has come there.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values

from service.breadth.fields import Batch, Column, Unplanned, as_they_are, declared
from service.breadth.leaves import completion, types_that_pass
from service.breadth.selection import Selection
from service.breadth.shapes import flattening

Make = Callable[[Sequence[Any]], Sequence[Any]]
# What makes a part of an object; True, where the object stands for it.
Maker = Callable[[Any], Any] | Literal[True]
Fill = Callable[[Mapping[str, Any]], Mapping[str, Any]]
TYPENAME = "__typename"
NOT_YET: Any = object()
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
        self.readings: dict[type | None, Reading] = {}

    def reading(self, kind: type | None) -> "Reading":
        """How objects of this class are read; None: of any classes."""
        reading = self.readings.get(kind)
        if reading is None:
            if kind is not None:
                no_error(kind)
            reading = Reading(self.fields, kind)
            if len(self.readings) < MOST_READINGS:
                self.readings[kind] = reading
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
        does = None if parent is decided.schema.mutation_type else declared(name, self.definition)
        self.resolve: Any = does and does.resolver()
        self._prepare = does.prepare if isinstance(does, Batch) else as_they_are
        # The arguments where they are the same each time, and what they are when they are prepared.
        self._arguments: Mapping[str, Any] | None = None
        self.prepared: Any = NOT_YET
        if not _has_variables(self.node):
            self._arguments = get_argument_values(self.definition, self.node)
        self._filled = None if self._arguments is not None else _filled(self.definition, self.node)
        self.kind = get_named_type(self.definition.type)
        self.bare = get_nullable_type(self.definition.type)
        self.abstract = is_abstract_type(self.kind)
        # How the values of a leaf are made that are at hand: made of the objects alone.
        self.plain: Leaf | None = None
        self.complete: Make | None = None
        self.part = does.part if isinstance(does, Batch) else None
        if not is_leaf_type(self.kind):
            self.flatten = flattening(self.definition.type)
            return
        self.complete = completion(self.definition.type)
        if does is not None and not isinstance(does, Batch):
            self.plain = self._leaf(does.function, each=not isinstance(does, Column))

    def arguments(self, variables: VariableValues) -> Any:
        """The arguments as the resolver takes them, prepared once for all objects."""
        if self._arguments is None:
            return self._prepare(self._coerced(variables))
        if self.prepared is NOT_YET:
            self.prepared = self._prepare(self._arguments)
        return self.prepared

    def _coerced(self, variables: VariableValues) -> Mapping[str, Any]:
        if self._filled is not None:
            names, fill = self._filled
            coerced = variables.coerced
            if None not in map(coerced.get, names):
                return fill(coerced)
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

    def maker_of(self, kind: type | None) -> "Maker | None":
        """What makes the value of an object of this class, which has it along."""
        return getattr(kind, self.part, None) if self.part is not None else None

    def leaf_of(self, kind: type | None) -> "Leaf | None":
        """How the values of a leaf are made of objects of this class alone."""
        make = self.maker_of(kind)
        return self.plain if make is None or self.complete is None else self._leaf(make, each=True)

    def _leaf(self, make: "Maker", each: bool) -> "Leaf":
        assert self.complete is not None
        return Leaf(_same if make is True else make, each, types_that_pass(self.definition.type), self.complete)

    def part_of(self, kind: type | None) -> "tuple[Maker, Sequence[Field]] | None":
        """What makes the value of an object of this class, and the fields below, where all of that is at hand."""
        make = self.maker_of(kind)
        if make is None or self.abstract or self.complete is not None or is_list_type(self.bare):
            return None
        inside = self.scope(self.kind.name).fields
        if any(field.constant is None and field.plain is None for field in inside):
            return None
        return make, inside

    def type_names(self, objects: Sequence[Any]) -> Sequence[str]:
        """The name of each object's type, which may differ."""
        return [*map(self.decided.type_name, objects)]


class Leaf(NamedTuple):
    """How values are made of objects: of `each`, or of all at once.

    Values of these types are ready for JSON; `complete` makes the others so, or all where there are no such types.
    """

    make: Callable[[Any], Any]
    each: bool
    types: frozenset[type] | None
    complete: Make


class Reading:
    """How objects of one class are read in a scope: what they have at hand, what is asked, and what is made of both.

    A part of an object, such as the row of another table that came with its own, is read with it. All this is done by
    two functions, written for the selection:

        at_hand(objects)   the columns that are made of the objects alone; where nothing is asked, what is made of them
        build(columns)     the objects of the response, of those columns and of what was answered
    """

    def __init__(self, fields: Sequence[Field], kind: type | None) -> None:
        # Fields whose values are to be asked for, or made by a function of each object.
        self.asked: list[tuple[Field, Maker | None]] = []
        self._kind = kind
        self._given: list[Any] = []
        self._lines: list[str] = []
        self._columns = 0
        template = self._object(fields, kind, "objects")
        names = [f"v{number}" for number in range(self._columns)]
        columns = ", ".join(f"c{number}" for number in range(self._columns))
        rows = f"for {', '.join(names)}, in zip({columns}, strict=True)" if names else "for _ in objects"
        last = f"[{columns}]" if self.asked else f"[{template} {rows}]"
        names += [f"a{number}" for number in range(len(self.asked))]
        build = f"[{template} for {', '.join(names)}, in zip(*columns, strict=True)]" if self.asked else "columns"
        written = _written(tuple(self._lines), last, build, len(self._given))
        self.at_hand: Callable[[Sequence[Any]], Any]
        self.build: Callable[[Sequence[Any]], list[dict[str, Any]]]
        self.at_hand, self.build = written(*self._given)

    def _object(self, fields: Sequence[Field], kind: type | None, objects: str) -> str:
        """The source text of an object of the response, made of objects that go by this name."""
        items = []
        for field in fields:
            if field.constant is not None:
                value = repr(field.constant)
            elif (leaf := field.leaf_of(kind)) is not None:
                value = self._column(leaf, objects)
            elif (part := field.part_of(kind)) is not None:
                make, inside = part
                name = objects
                if make is not True:
                    name = f"p{len(self._given)}"
                    self._lines.append(f"{name} = [*map({self._given_as(make)}, {objects})]")
                value = self._object(inside, None, name)
            else:
                value = f"a{len(self.asked)}"
                self.asked.append((field, field.maker_of(kind)))
            # The keys are names of GraphQL, which hold letters, digits and underscores alone.
            items.append(f"{field.key!r}: {value}")
        return f"{{{', '.join(items)}}}"

    def _column(self, leaf: Leaf, objects: str) -> str:
        """The name of a value of a leaf in an object's text."""
        column = f"c{self._columns}"
        make, complete = self._given_as(leaf.make), self._given_as(leaf.complete)
        values = f"[*map({make}, {objects})]" if leaf.each else f"{make}({objects})"
        if leaf.types is None:
            self._lines.append(f"{column} = {complete}({values})")
        else:
            self._lines.append(f"{column} = {values}")
            types = self._given_as(leaf.types)
            self._lines.append(f"if not {types}.issuperset(map(type, {column})): {column} = {complete}({column})")
        self._columns += 1
        return f"v{self._columns - 1}"

    def _given_as(self, value: Any) -> str:
        """The name by which the text knows something that it is given."""
        self._given.append(value)
        return f"g{len(self._given) - 1}"


def parts(make: Maker, objects: Sequence[Any]) -> Sequence[Any]:
    """The parts of objects that they have along."""
    return objects if make is True else [*map(make, objects)]


def _same(value: Any) -> Any:
    return value


def no_error(kind: type) -> None:
    """Raises Unplanned where objects of this class are errors."""
    if issubclass(kind, Exception):
        raise Unplanned("an error stands for an object")


@lru_cache(maxsize=1_000)
def _written(lines: tuple[str, ...], last: str, build: str, given: int) -> Callable[..., Any]:
    """What makes the two functions of a reading, of what their text is given."""
    text = [
        f"def make({', '.join(f'g{number}' for number in range(given))}):",
        " def at_hand(objects):",
        *(f"  {line}" for line in lines),
        f"  return {last}",
        f" return at_hand, lambda columns: {build}",
    ]
    names: dict[str, Any] = {}
    exec("\n".join(text), names)
    made: Callable[..., Any] = names["make"]
    return made


def _has_variables(node: FieldNode) -> bool:
    return bool(_variables_in([argument.value for argument in node.arguments or ()]))


def _variables_in(values: Sequence[Any]) -> set[str]:
    found: set[str] = set()
    waiting = [*values]
    for value in waiting:
        if isinstance(value, VariableNode):
            found.add(value.name.value)
        waiting.extend(getattr(value, "values", None) or ())
        waiting.extend(field.value for field in getattr(value, "fields", None) or ())
    return found


class _Hole(str):
    """Stands for the value of the variable of this name."""


def _filled(field: GraphQLField, node: FieldNode) -> tuple[Sequence[str], Fill] | None:
    """The variables of a field's arguments and what makes those of coerced variables, where none of these is missing
    or null: then coerced arguments are always of one form. None where their types have something to say about values.
    """
    names = sorted(_variables_in([argument.value for argument in node.arguments or ()]))
    holes = {name: _Hole(name) for name in names}
    try:
        form = get_argument_values(field, node, VariableValues({}, holes))
    except Exception:
        return None
    given: list[Any] = []
    used: set[str] = set()

    def text(value: Any) -> str:
        if type(value) is _Hole:
            used.add(value)
            return f"variables[{str(value)!r}]"
        if type(value) is dict:
            return f"{{{', '.join(f'{key!r}: {text(inner)}' for key, inner in value.items())}}}"
        if type(value) is list:
            return f"[{', '.join(map(text, value))}]"
        given.append(value)
        return f"given[{len(given) - 1}]"

    made = text(form)
    return (names, eval(f"lambda variables: {made}", {"given": given})) if used == {*names} else None
