"""How an operation is run: a query breadth-first, as long as all goes well, and everything else by graphql-core.

What the breadth-first plan does not cover, and a query in which anything went wrong, is run (again) by graphql-core,
whose answer is the canonical one. A query changes nothing, so it may be run twice; it gets a new snapshot then.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import orjson
import structlog
from graphql import ExecutionResult, GraphQLSchema, OperationType, default_field_resolver, default_type_resolver
from graphql.execution import Executor
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from strawberry.execution.is_awaitable import optimized_is_awaitable

from service.answers import MOST_ERRORS, RequestErrors, request_error
from service.breadth import Plan, Unplanned
from service.caller import Caller
from service.db import Database
from service.documents import Document, Operation
from service.errors import Busy, TimedOut
from service.logs import current_line
from service.requests import GraphQLRequest
from service.sessions import NeedsTransaction, ReadAgain
from service.settings import Settings

# Asked three times for each field; with graphql-core's own, a large answer takes a twentieth longer.
IS_AWAITABLE: Any = optimized_is_awaitable

log = structlog.get_logger("grove")


@dataclass(frozen=True, slots=True)
class Served:
    """A schema with what it takes to run its operations.

    `executor` and `context` are graphql-core's, `level_context` is that of a plan. `type_name` tells the name of the
    type of an object that a plan finds under an interface.
    """

    schema: GraphQLSchema
    executor: type[Executor[Any]]
    context: Callable[[Database, Caller, Plan | None], Any]
    level_context: Callable[[Database, Caller], Any]
    type_name: Callable[[Any], str]


class Execution:
    """Runs the operations of one schema, within the limits of the settings."""

    def __init__(self, served: Served, settings: Settings) -> None:
        self.served = served
        self.settings = settings
        self.breadth = settings.executor == "breadth"

    async def run(
        self, asked: GraphQLRequest, document: Document, operation: Operation, database: Database, caller: Caller
    ) -> bytes | ExecutionResult:
        """The response's body, ready to be sent, or what graphql-core made of it. Raises RequestErrors and TimedOut."""
        variables = self._variables(asked, operation)
        self._limit(document, operation, variables.coerced)
        mutation = operation.kind is OperationType.MUTATION
        if self.breadth and not mutation:
            body = await self._breadth_first(operation, variables, database, caller)
            if body is not None:
                return body
        plan = self._plan(operation, variables) if self.breadth and mutation else None
        return await self._by_graphql_core(operation, variables, plan, database, caller)

    async def _breadth_first(
        self, operation: Operation, variables: VariableValues, database: Database, caller: Caller
    ) -> bytes | None:
        """The response's body; None where graphql-core is to answer."""
        try:
            plan, data = operation.compiled.plan(variables), None
            # A plan that took one statement can do without a transaction.
            for alone in (True, False) if plan.alone else (False,):
                try:
                    async with database.read(alone=alone) as reader:
                        context = self.served.level_context(database, caller)
                        data = await plan.run(None, variables, context, reader.together)
                        if plan.alone is None:
                            plan.alone = reader.one_statement
                        break
                except NeedsTransaction as needed:
                    if not isinstance(needed, ReadAgain):
                        plan.alone = False
            body = orjson.dumps({"data": data})
        except (Busy, TimedOut):
            # It has waited long enough; graphql-core would only wait again.
            raise
        except Exception as reason:
            # Whatever it is, graphql-core comes to it as well, and tells it as it is to be told.
            kind = "not covered" if isinstance(reason, Unplanned) else type(reason).__name__
            log.debug("a query is left to graphql-core", why=kind, reason=str(reason))
            return None
        current_line.get().executor = "breadth"
        return body

    def _plan(self, operation: Operation, variables: VariableValues) -> Plan | None:
        """By which what a mutation answers is read; None where that is left to graphql-core."""
        try:
            return operation.compiled.plan(variables)
        except Unplanned as reason:
            log.debug("payloads are left to graphql-core", reason=str(reason))
            return None

    async def _by_graphql_core(
        self,
        operation: Operation,
        variables: VariableValues,
        plan: Plan | None,
        database: Database,
        caller: Caller,
    ) -> ExecutionResult:
        """Runs a query within one snapshot; a mutation's executor opens a transaction for each root field."""
        current_line.get().executor = "graphql-core"
        compiled = operation.compiled
        # Its `build` would coerce the variables once more.
        executor = self.served.executor(
            self.served.schema,
            dict(compiled.fragments),
            compiled.details,
            None,
            self.served.context(database, caller, plan),
            operation.node,
            variables,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=IS_AWAITABLE,
        )
        mutation = operation.kind is OperationType.MUTATION
        session: AbstractAsyncContextManager[Any] = nullcontext() if mutation else database.snapshot()
        async with session:
            outcome: Any = executor.execute_operation()
            result: ExecutionResult = await outcome if isawaitable(outcome) else outcome
            return result

    def _variables(self, asked: GraphQLRequest, operation: Operation) -> VariableValues:
        """The coerced variables. Raises RequestErrors."""
        given, texts = asked.variables, operation.texts
        if texts is not None:
            sources, plain = {}, {}
            for name, signature in texts.items():
                value = given.get(name)
                if type(value) is not str:
                    break
                sources[name] = VariableValueSource(signature, value)
                plain[name] = value
            else:
                return VariableValues(sources, plain)
        definitions = operation.node.variable_definitions or ()
        coerced = get_variable_values(self.served.schema, definitions, asked.variables, max_errors=MOST_ERRORS)
        if isinstance(coerced, list):
            raise RequestErrors.of(coerced, "BAD_USER_INPUT")
        return coerced

    def _limit(self, document: Document, operation: Operation, variables: Mapping[str, Any]) -> None:
        objects = document.scale.objects(operation.weight, variables)
        most = self.settings.max_objects
        if objects > most:
            raise request_error(
                "LIMIT_EXCEEDED",
                f"The document asks for up to {objects:,} objects; the limit is {most:,}. "
                "Ask for smaller pages or fewer levels.",
            )
