"""How much a document asks for, told from its tree alone, in time linear in its length.

`Extent` counts what is written: nesting, aliases, root fields, directives. `Weight` counts the objects that
an operation asks for; that depends on the variables, so the tree is weighed once and the sum made for each
request. Both look at a fragment once, however often it is spread: twenty fragments that each spread the next
one twice (0.7 KB) would otherwise be walked a million times.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from service.paging import DEFAULT_SIZE

# What is reckoned with where nobody says how long a list is: ancestors, levels, nodes of a customer.
USUAL_LIST = 10
# An object with more plain fields than this counts once more for each so many: a name under 200 aliases.
FIELDS_OF_AN_OBJECT = 20


@dataclass(slots=True)
class Extent:
    """What is written in one definition; what its fragments add comes with `measure`."""

    depth: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    # The fragments that are spread, each with the depth of the field around it.
    spreads: list[tuple[str, int]] = field(default_factory=list)

    def add(self, depth: int, other: "Extent") -> None:
        """Takes in a fragment that is spread at this depth."""
        self.depth = max(self.depth, depth + other.depth)
        self.aliases += other.aliases
        self.directives = max(self.directives, other.directives)
        if depth == 0:
            self.root_fields += other.root_fields


def measure(document: DocumentNode) -> Extent:
    """The greatest of each number that an operation of the document reaches, fragments taken in.

    The document need not be valid. A fragment that spreads itself, against the rules, is taken in once.
    """
    operations = []
    fragments = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations.append(_survey(definition))
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = _survey(definition)
    whole: dict[str, Extent] = {}
    for name in _innermost_first(fragments):
        whole[name] = _with_fragments(fragments[name], whole)
    most = Extent()
    for operation in (_with_fragments(operation, whole) for operation in operations):
        most.depth = max(most.depth, operation.depth)
        most.aliases = max(most.aliases, operation.aliases)
        most.root_fields = max(most.root_fields, operation.root_fields)
        most.directives = max(most.directives, operation.directives)
    return most


def _survey(definition: OperationDefinitionNode | FragmentDefinitionNode) -> Extent:
    extent = Extent(directives=_count(definition.directives))
    for variable in definition.variable_definitions or ():
        extent.directives = max(extent.directives, _count(variable.directives))
    # Each selection set with the depth of the field around it and the names taken in it; an inline fragment
    # belongs to the selection set that it stands in.
    stack: list[tuple[SelectionSetNode, int, set[str]]] = [(definition.selection_set, 0, set())]
    while stack:
        selection_set, depth, names = stack.pop()
        for selection in selection_set.selections:
            extent.directives = max(extent.directives, _count(selection.directives))
            if isinstance(selection, FragmentSpreadNode):
                extent.spreads.append((selection.name.value, depth))
            elif isinstance(selection, InlineFragmentNode):
                stack.append((selection.selection_set, depth, names))
            elif isinstance(selection, FieldNode):
                name = selection.name.value
                # A field written again is compared with its twin, as an alias is with its: both cost squares.
                extent.aliases += selection.alias is not None or name in names
                extent.root_fields += depth == 0
                extent.depth = max(extent.depth, depth + 1)
                names.add(name)
                if selection.selection_set:
                    stack.append((selection.selection_set, depth + 1, set()))
    return extent


def _count(directives: Iterable[DirectiveNode] | None) -> int:
    return len(tuple(directives or ()))


def _with_fragments(extent: Extent, whole: Mapping[str, Extent]) -> Extent:
    total = Extent(extent.depth, extent.aliases, extent.root_fields, extent.directives)
    for name, depth in extent.spreads:
        if name in whole:
            total.add(depth, whole[name])
    return total


def _innermost_first(fragments: Mapping[str, Extent]) -> list[str]:
    """The fragments, each after those that it spreads. Without recursion: a document may chain hundreds."""
    order: list[str] = []
    entered: set[str] = set()
    for name in fragments:
        stack = [(name, False)]
        while stack:
            current, left = stack.pop()
            if left:
                order.append(current)
            elif current in fragments and current not in entered:
                entered.add(current)
                stack.append((current, True))
                stack.extend((spread, False) for spread, _ in fragments[current].spreads)
    return order


@dataclass(slots=True)
class Ask:
    """A field that yields objects."""

    # How many for each object around it: a number, the variable that says so, or None for the page's size.
    number: int | str | None
    # Whether they count: a connection and its edges are wrapping.
    counted: bool
    inside: "Weight"
    # The size of the pages inside, where the field is a connection.
    page: int | str = USUAL_LIST


@dataclass(slots=True)
class Weight:
    """What a selection set asks for."""

    asks: list[Ask] = field(default_factory=list)
    plain_fields: int = 0
    fragments: list[str] = field(default_factory=list)
    # How many objects that is, once it was counted and no variable had a say.
    objects: int | None = None


class Scale:
    """Weighs the operations of one valid document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self.fragments: dict[str, Weight] = {}
        for definition in document.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                on = schema.get_type(definition.type_condition.name.value)
                self.fragments[definition.name.value] = self._weigh(definition.selection_set, on)

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        return self._weigh(operation.selection_set, self.schema.get_root_type(operation.operation))

    def objects(self, weight: Weight, variables: Mapping[str, Any]) -> int:
        """How many objects the operation asks for at most, with these coerced variables.

        Directives are passed over: what @skip leaves out counts as well.
        """
        if weight.objects is not None:
            return weight.objects
        count = _Sum(self.fragments, variables)
        objects, _ = count.objects(weight, USUAL_LIST)
        if not count.varies:
            weight.objects = objects
        return objects

    def _weigh(self, selection_set: SelectionSetNode, parent: Any) -> Weight:
        weight = Weight()
        self._add(weight, selection_set, parent)
        return weight

    def _add(self, weight: Weight, selection_set: SelectionSetNode, parent: GraphQLCompositeType) -> None:
        for selection in selection_set.selections:
            if isinstance(selection, FragmentSpreadNode):
                weight.fragments.append(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                on: Any = self.schema.get_type(condition.name.value) if condition else parent
                self._add(weight, selection.selection_set, on)
            elif isinstance(selection, FieldNode):
                definition = self.schema.get_field(parent, selection.name.value)
                if selection.selection_set and definition:
                    weight.asks.append(self._ask(selection, definition, parent))
                else:
                    weight.plain_fields += 1

    def _ask(self, node: FieldNode, definition: GraphQLField, parent: GraphQLCompositeType) -> Ask:
        assert node.selection_set
        named = get_named_type(definition.type)
        inside = self._weigh(node.selection_set, named)
        arguments = {argument.name.value: argument for argument in node.arguments or ()}
        if is_connection(named):
            # Without its rows it is still one object to make, and a count to run.
            return Ask(1, not _has_rows(node.selection_set), inside, _page_size(arguments))
        if is_connection(parent):
            rows = is_list_type(get_nullable_type(definition.type))
            return Ask(None if rows else 1, rows and node.name.value != "edges", inside)
        return Ask(_length(definition.type, definition, arguments), True, inside)


class _Sum:
    """One request's count."""

    def __init__(self, fragments: Mapping[str, Weight], variables: Mapping[str, Any]) -> None:
        self.fragments = fragments
        self.variables = variables
        # Whether variables have a say in it.
        self.varies = False
        self.counted: dict[tuple[str, int], tuple[int, int]] = {}

    def objects(self, weight: Weight, page: int) -> tuple[int, int]:
        """How many objects lie below one object of this selection, and how many plain fields it has."""
        total = 0
        plain_fields = weight.plain_fields
        for ask in weight.asks:
            below, fields = self.objects(ask.inside, self._number(ask.page))
            number = page if ask.number is None else self._number(ask.number)
            more = max(fields - 1, 0) // FIELDS_OF_AN_OBJECT
            total += number * (ask.counted + more + below)
        for name in weight.fragments:
            if (name, page) not in self.counted:
                self.counted[name, page] = self.objects(self.fragments[name], page)
            below, fields = self.counted[name, page]
            total += below
            plain_fields += fields
        return total, plain_fields

    def _number(self, number: int | str) -> int:
        """A number, or what the variable says: a size, or a list by its length."""
        if isinstance(number, int):
            return number
        self.varies = True
        value = self.variables.get(number)
        if isinstance(value, list):
            return len(value)
        return max(value, 0) if isinstance(value, int) else DEFAULT_SIZE


def is_connection(kind: object) -> bool:
    """Whether a type is a page of rows."""
    return isinstance(kind, GraphQLObjectType) and "pageInfo" in kind.fields


def _has_rows(selection_set: SelectionSetNode) -> bool:
    """Whether a connection's rows are selected, or a fragment that may select them."""
    return any(
        not isinstance(selection, FieldNode) or selection.name.value in {"nodes", "edges"}
        for selection in selection_set.selections
    )


def _page_size(arguments: Mapping[str, ArgumentNode]) -> int | str:
    for name in ("first", "last"):
        value = arguments[name].value if name in arguments else None
        if isinstance(value, IntValueNode):
            return max(int(value.value), 0)
        if isinstance(value, VariableNode):
            return value.name.value
    return DEFAULT_SIZE


def _length(kind: GraphQLOutputType, definition: GraphQLField, arguments: Mapping[str, ArgumentNode]) -> int | str:
    """How long a list may be: as long as the list that is given to it, such as `nodes(ids:)`."""
    if not is_list_type(get_nullable_type(kind)):
        return 1
    for name, argument in arguments.items():
        if is_list_type(get_nullable_type(definition.args[name].type)):
            if isinstance(argument.value, ListValueNode):
                return len(argument.value.values)
            if isinstance(argument.value, VariableNode):
                return argument.value.name.value
    return USUAL_LIST
