"""Plans: an operation, understood once, for all requests.

A scope is one object type at one place of the document; it is understood when the first object comes there.
"""

from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)
from graphql.execution.collect_fields import FragmentDetails, collect_fields
from graphql.execution.values import VariableValues

from service.breadth.fields import Unplanned
from service.breadth.levels import Together, objects
from service.breadth.scopes import Decided, Scope

# So many plans of one operation are kept, one for each combination of what @skip and @include say.
MOST_PLANS = 16


class Compiled:
    """One operation of a valid document, with a plan for each combination of what its directives say.

    `type_name` tells the name of an object's type, where a field's type is an interface or a union.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        operation: OperationDefinitionNode,
        type_name: Callable[[Any], str],
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
        key = tuple([variables.coerced.get(name) for name in self._deciding]) if self._deciding else ()
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
    """What is done for one operation, its directives decided.

    `alone`: for those who run it to remember whether it needs anything around it.
    """

    def __init__(self, compiled: Compiled, deciding: VariableValues) -> None:
        self.alone: bool | None = None
        self.operation = operation = compiled.operation
        kind = compiled.schema.get_root_type(operation.operation)
        if kind is None or operation.operation is OperationType.SUBSCRIPTION:
            raise Unplanned("only queries and mutations are planned")
        collected = collect_fields(compiled.schema, compiled.details, deciding, kind, operation)
        if collected.new_defer_usages:
            raise Unplanned("parts of it are deferred")
        decided = Decided(
            *(compiled.schema, compiled.fragments, compiled.details, operation, deciding, compiled.type_name)
        )
        self.top = Scope(decided, kind, collected.grouped_field_set)

    def run(
        self, root: Any, variables: VariableValues, context: Any, together: Together | None = None
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        """The data of a query. Raises Unplanned, and whatever resolvers raise: then graphql-core is to run it."""
        if self.operation.operation is not OperationType.QUERY:
            raise Unplanned("the fields of a mutation have an order, and are run by graphql-core")
        return objects(self.top, root, variables, context, together)

    def run_below(
        self, key: str, value: Any, variables: VariableValues, context: Any, together: Together | None = None
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        """What is selected below a root field, given by its key in the response, of the one object that it led to.

        So a mutation's field is run by graphql-core and what it answers is read breadth-first. Raises as `run` does.
        """
        (field,) = (field for field in self.top.fields if field.key == key)
        return objects(field.scope(field.kind.name), value, variables, context, together)


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
