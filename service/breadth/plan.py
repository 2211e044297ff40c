"""Plans: an operation, understood once, and run level by level for each request.

A scope is one object type at one place of the document; it is understood when the first object comes there. What it
does with a batch of objects: the resolver of each field is called once, leaf values are made ready at once, objects
are laid out flat and become batches of the scopes below, which are the next level. What the fields of a level wait for
is awaited together. When there is no level below any more, the objects of the response are built from the last batch
to the first, so that what is below a batch is there when it is built.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import CoroutineType
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values

from service.breadth import fields
from service.breadth.fields import BREADTH, Coming, Unplanned, resolver_of
from service.breadth.leaves import completion
from service.breadth.selection import Selection
from service.breadth.shapes import Restore, flattening

# So many plans of one operation are kept, one for each combination of what @skip and @include say.
MOST_PLANS = 16
TYPENAME = "__typename"
LISTS = (list, tuple)
# From so many objects on it is worth a look whether some are the same.
MANY = 20
TypeName = Callable[[Any], str]
# Awaits works, in whatever way, and answers with their results in their order.
Together = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]


class Compiled:
    """One operation of a valid document, with a plan for each combination of what its directives say.

    `type_name` tells the name of an object's type, where a field's type is an interface or a union.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
        type_name: TypeName,
    ) -> None:
        self.schema = schema
        self.fragments = fragments
        self.operation = operation
        self.type_name = type_name
        self.details = {name: FragmentDetails(fragment) for name, fragment in fragments.items()}
        self._deciding = sorted({*_deciding_variables(operation.selection_set, fragments)})
        self._plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()

    def plan(self, variables: VariableValues) -> "Plan":
        """The plan for these coerced variables. Raises Unplanned where there is none for the operation."""
        key = tuple(variables.coerced.get(name) for name in self._deciding)
        plan = self._plans.get(key)
        if plan is None:
            # A plan outlives the request: it keeps of the variables only what directives ask for.
            deciding = VariableValues(
                {name: variables.sources[name] for name in self._deciding if name in variables.sources},
                {name: variables.coerced[name] for name in self._deciding if name in variables.coerced},
            )
            plan = self._plans[key] = Plan(self, deciding)
            if len(self._plans) > MOST_PLANS:
                self._plans.popitem(last=False)
        return plan


class Plan:
    """What is done for one operation, its directives decided."""

    def __init__(self, compiled: Compiled, deciding: VariableValues) -> None:
        self.compiled = compiled
        self.deciding = deciding
        operation = compiled.operation
        kind = compiled.schema.get_root_type(operation.operation)
        if kind is None or operation.operation is OperationType.SUBSCRIPTION:
            raise Unplanned("only queries and mutations are planned")
        collected = collect_fields(compiled.schema, compiled.details, deciding, kind, operation)
        if collected.new_defer_usages:
            raise Unplanned("parts of it are deferred")
        self.top = Scope(self, kind, collected.grouped_field_set)

    async def run(
        self, root: Any, variables: VariableValues, context: Any, together: "Together | None" = None
    ) -> dict[str, Any]:
        """The data of a query. Raises Unplanned, and whatever resolvers raise: then graphql-core is to run it."""
        if self.compiled.operation.operation is not OperationType.QUERY:
            raise Unplanned("the fields of a mutation have an order, and are run by graphql-core")
        return await _objects(self.top, root, variables, context, together)

    async def run_below(
        self, key: str, value: Any, variables: VariableValues, context: Any, together: "Together | None" = None
    ) -> dict[str, Any]:
        """What is selected below a root field, given by its key in the response, of the one object that it led to.

        So a mutation's field is run by graphql-core and what it answers is read breadth-first. Raises as `run` does.
        """
        (field,) = (field for field in self.top.fields if field.key == key)
        return await _objects(field.scope(field.kind.name), value, variables, context, together)


async def _objects(
    scope: "Scope", root: Any, variables: VariableValues, context: Any, together: "Together | None"
) -> dict[str, Any]:
    """The object of the response that is made of one object, and of all below it."""
    top = Batch(scope, [root])
    done, level = [], [top]
    while level:
        done += level
        level = await _below(level, Level(variables, context), together or _in_turn)
    for batch in reversed(done):
        batch.build()
    data: dict[str, Any] = top.objects[0]
    return data


async def _in_turn(works: Sequence[Awaitable[Any]]) -> list[Any]:
    return [await work for work in works]


async def _below(batches: "Sequence[Batch]", level: "Level", together: Together) -> "list[Batch]":
    """The batches below these, whose fields have all got their values."""
    asked: list[tuple[Batch, int, Field, Any]] = []
    try:
        for batch in batches:
            for place, field in enumerate(batch.scope.fields):
                if field.plain is not None:
                    batch.columns[place] = field.plain(batch.parents)
                else:
                    asked.append((batch, place, field, level.ask(field, batch.parents)))
        found = await together(level.works) if level.works else ()
    finally:
        for work in level.works:
            # One that was never begun, for the one beside it went wrong, would be complained about.
            if isinstance(work, CoroutineType):
                work.close()
    below: list[Batch] = []
    for batch, place, field, answer in asked:
        values = found[answer] if isinstance(answer, int) else answer
        if len(values) != len(batch.parents):
            raise Unplanned(f"the field {field.key} has not one value for each object")
        below.extend(batch.take(place, field, values))
    return below


class Level:
    """What the fields of one level of the response are asked, and what is to be waited for."""

    def __init__(self, variables: VariableValues, context: Any) -> None:
        self.variables = variables
        self.context = context
        self.works: list[Awaitable[Any]] = []

    def ask(self, field: "Field", parents: Sequence[Any]) -> Sequence[Any] | int:
        """The values of a field for these objects, or the place of the work that finds them."""
        values = self._resolve(field, parents)
        if isinstance(values, LISTS):
            return values
        place = len(self.works)
        self.works.append(values.work if isinstance(values, Coming) else values)
        if isinstance(values, Coming) and not field.abstract:
            self._ask_ahead(field.scope(field.kind.name), values.stand_ins)
        return place

    def _ask_ahead(self, scope: "Scope", stand_ins: Sequence[Any]) -> None:
        """Asks the fields that make do with what stands for their objects."""
        for field in scope.fields:
            if field.plain is not None:
                continue
            try:
                values = self._resolve(field, stand_ins)
            except AttributeError:
                continue
            if not isinstance(values, LISTS):
                self.works.append(values.work if isinstance(values, Coming) else values)
            elif field.complete is None and not field.abstract:
                self._ask_ahead(field.scope(field.kind.name), field.flatten(values)[0])

    def _resolve(self, field: "Field", parents: Sequence[Any]) -> Any:
        return field.resolve(parents, field.arguments(self.variables), self.context, field.selection)


class Scope:
    """One object type at one place of the document."""

    def __init__(self, plan: Plan, kind: GraphQLObjectType, grouped: Mapping[str, list[FieldDetails]]) -> None:
        self.kind = kind
        self.fields = [Field(plan, kind, key, details) for key, details in grouped.items()]
        self.builder = builder(tuple(field.key for field in self.fields))


class Field:
    """One key of the response in a scope; the nodes that ask for it under this key are merged."""

    def __init__(self, plan: Plan, parent: GraphQLObjectType, key: str, details: list[FieldDetails]) -> None:
        self.plan = plan
        self.key = key
        self.details = details
        nodes = [detail.node for detail in details]
        self.node = nodes[0]
        self.selection = Selection(nodes, plan.compiled.fragments)
        self.scopes: dict[str, Scope] = {}
        name = self.node.name.value
        if name == TYPENAME:
            self.plain: Any = lambda parents: [parent.name] * len(parents)
            self._arguments: Mapping[str, Any] | None = {}
            return
        if name.startswith("__"):
            raise Unplanned("it asks for the schema")
        self.definition = parent.fields[name]
        # What a root field of a mutation does is not asked here.
        self.resolve: Any = None if parent is plan.compiled.schema.mutation_type else resolver_of(name, self.definition)
        self._arguments = None if _has_variables(self.node) else get_argument_values(self.definition, self.node)
        self.kind = get_named_type(self.definition.type)
        self.abstract = is_abstract_type(self.kind)
        # What makes the values of a leaf that are at hand: made of the objects alone.
        self.plain = None
        self.complete = None
        if not is_leaf_type(self.kind):
            self.flatten = flattening(self.definition.type)
            return
        self.complete = completion(self.definition.type)
        if not isinstance(self.definition.extensions.get(BREADTH), fields.Batch):
            self.plain = _plain(self.resolve, self.complete)

    def arguments(self, variables: VariableValues) -> Mapping[str, Any]:
        """The coerced arguments, once for all objects."""
        if self._arguments is not None:
            return self._arguments
        return get_argument_values(self.definition, self.node, variables)

    def scope(self, name: str) -> Scope:
        """The scope below for objects of the type of this name. Raises Unplanned where none can be there."""
        scope = self.scopes.get(name)
        if scope is None:
            compiled = self.plan.compiled
            kind = compiled.schema.get_type(name)
            if not isinstance(kind, GraphQLObjectType) or (
                kind is not self.kind and not compiled.schema.is_sub_type(self.kind, kind)
            ):
                raise Unplanned(f"an object of type {name} stands where none may be")
            collected = collect_subfields(
                compiled.schema, compiled.details, self.plan.deciding, compiled.operation, kind, self.details
            )
            if collected.new_defer_usages:
                raise Unplanned("parts of it are deferred")
            scope = self.scopes[name] = Scope(self.plan, kind, collected.grouped_field_set)
        return scope

    def scopes_of(self, objects: Sequence[Any]) -> Sequence[str] | None:
        """The name of each object's type where they may differ."""
        return [*map(self.plan.compiled.type_name, objects)] if self.abstract else None


class Batch:
    """All objects of the response in one scope that one field has led to."""

    def __init__(self, scope: Scope, parents: Sequence[Any]) -> None:
        self.scope = scope
        self.parents = parents
        # A column a field: its values, or what makes them of the batches below.
        self.columns: list[Any] = [None] * len(scope.fields)
        self.objects: list[dict[str, Any]] = []

    def take(self, place: int, field: Field, values: Sequence[Any]) -> "Iterable[Batch]":
        """Takes in the values of a field; the batches below that they lead to."""
        if field.complete is not None:
            self.columns[place] = field.complete(values)
            return ()
        flat, restore = field.flatten(values)
        names = field.scopes_of(flat)
        if names is None:
            if len(flat) > MANY:
                flat, restore = _shared(flat, restore)
            below = {field.kind.name: Batch(field.scope(field.kind.name), flat)} if flat else {}
        else:
            sorted_out: dict[str, list[Any]] = {}
            for name, value in zip(names, flat, strict=True):
                sorted_out.setdefault(name, []).append(value)
            below = {name: Batch(field.scope(name), objects) for name, objects in sorted_out.items()}
        self.columns[place] = Pending(below, names, restore)
        return below.values()

    def build(self) -> None:
        """Makes the objects of the response, once those below are made."""
        columns = [column.values() if isinstance(column, Pending) else column for column in self.columns]
        self.objects = self.scope.builder(len(self.parents), columns)
        if len(self.objects) != len(self.parents):
            raise Unplanned(f"a field of {self.scope.kind.name} has not one value for each object")


def _shared(objects: Sequence[Any], restore: Restore) -> tuple[Sequence[Any], Restore]:
    """Each object once, such as the one level of a thousand nodes: what is made of it stands for all its places."""
    keys = [*map(id, objects)]
    distinct = dict(zip(keys, objects, strict=True))
    if len(distinct) * 2 > len(keys):
        return objects, restore

    def repeated(answers: Sequence[Any]) -> Sequence[Any]:
        answer_of = dict(zip(distinct, answers, strict=True))
        return restore([answer_of[key] for key in keys])

    return [*distinct.values()], repeated


class Pending:
    """A column that waits for the batches below."""

    __slots__ = ("below", "names", "restore")

    def __init__(self, below: Mapping[str, Batch], names: Sequence[str] | None, restore: Restore) -> None:
        self.below = below
        self.names = names
        self.restore = restore

    def values(self) -> Sequence[Any]:
        if len(self.below) == 1:
            (batch,) = self.below.values()
            return self.restore(batch.objects)
        rest = {name: iter(batch.objects) for name, batch in self.below.items()}
        return self.restore([next(rest[name]) for name in self.names or ()])


@lru_cache(maxsize=1_000)
def builder(keys: tuple[str, ...]) -> Callable[[int, Sequence[Sequence[Any]]], list[dict[str, Any]]]:
    """The function that makes objects with these keys of as many columns: code made for the selection."""
    if not keys:
        return lambda count, columns: [{} for _ in range(count)]
    # The keys are names of GraphQL, which hold letters, digits and underscores alone.
    names = ", ".join(f"v{place}" for place in range(len(keys)))
    items = ", ".join(f"{key!r}: v{place}" for place, key in enumerate(keys))
    made: Any = eval(f"lambda count, columns: [{{{items}}} for {names}, in zip(*columns, strict=True)]")
    return made  # type: ignore[no-any-return]


def _plain(resolve: Any, complete: Callable[[Sequence[Any]], Sequence[Any]]) -> Callable[[Sequence[Any]], Any]:
    return lambda parents: complete(resolve(parents))


def _has_variables(node: FieldNode) -> bool:
    waiting: list[Any] = [argument.value for argument in node.arguments or ()]
    for value in waiting:
        if isinstance(value, VariableNode):
            return True
        waiting.extend(getattr(value, "values", None) or ())
        waiting.extend(field.value for field in getattr(value, "fields", None) or ())
    return False


def _deciding_variables(
    selection_set: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[str]:
    """The variables by which directives of an operation decide."""
    spread: set[str] = set()
    waiting = [selection_set]
    for current in waiting:
        for selection in current.selections:
            for directive in selection.directives or ():
                for argument in directive.arguments or ():
                    if isinstance(argument.value, VariableNode):
                        yield argument.value.name.value
            if isinstance(selection, FragmentSpreadNode):
                if selection.name.value not in spread:
                    spread.add(selection.name.value)
                    waiting.append(fragments[selection.name.value].selection_set)
            elif isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                waiting.append(selection.selection_set)
