"""How a mutation is answered: one transaction for each root field, its answer read inside, then kept or not.

The executor opens the transaction around the whole root field, the payload and all that is selected below it:
so an answer shows what the change left, a dry run can show it too, and an error anywhere means that nothing
was kept. `answer` is the one way from a mutation field to its resolver.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar

import orjson
import structlog
from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationType,
    SelectionSetNode,
    print_ast,
)
from graphql.execution.executor import CollectedErrors, Executor
from graphql.pyutils import Path

from service import transaction
from service.breadth import Plan
from service.breadth.scopes import Field
from service.db import current
from service.errors import Refused, TimedOut, Unavailable
from service.schema.connection import given
from service.schema.context import Info, LevelContext
from service.schema.payloads import MutationInput, Payload
from service.transaction import Mutation

P = TypeVar("P", bound=Payload)

log = structlog.get_logger("grove")


class Replayed(Exception):
    """Stands for the very answer that was given before under an idempotency key."""

    def __init__(self, data: Any) -> None:
        super().__init__("replayed")
        self.data = data


class MutationExecutor(Executor[Any]):
    """graphql-core's executor, with a transaction around each root field of a mutation.

    Where there is a plan, the root fields are called here, and what they answer is read breadth-first.
    """

    def execute_operation(self, serially: bool | None = None) -> Any:
        plan = self.context_value.plan
        return super().execute_operation(serially) if plan is None else self._by_plan(plan)

    def execute_field(self, parent_type: Any, source: Any, field_details_list: Any, path: Any, *rest: Any) -> Any:
        execute = super().execute_field
        if self.operation.operation is not OperationType.MUTATION or path.prev is not None:
            return execute(parent_type, source, field_details_list, path, *rest)
        return self._in_transaction(lambda: execute(parent_type, source, field_details_list, path, *rest))

    async def _by_plan(self, plan: Plan) -> Any:
        """The response; as in graphql-core's, an error leaves it without data, and the fields behind it undone."""
        data: dict[str, Any] = {}
        for field in plan.top.fields:
            if field.constant is not None:
                data[field.key] = field.constant
                continue
            try:
                data[field.key] = await self._in_transaction(partial(self._root_field, plan, field))
            except GraphQLError as error:
                self.collected_errors.add(error, None)
                return self.build_response(None)
        return self.build_response(data)

    async def _root_field(self, plan: Plan, field: Field) -> Any:
        """What is selected of a payload. Raises GraphQLError, which tells where in the document it went wrong."""
        path = Path(None, field.key, plan.top.kind.name)
        definition, details = field.definition, field.details
        info = self.build_resolve_info(definition, [detail.node for detail in details], plan.top.kind, path)
        try:
            payload = await definition.resolve(None, info, **field.arguments(self.variable_values))
            context = LevelContext(self.context_value.database, self.context_value.caller)
            try:
                return await plan.run_below(field.key, payload, self.variable_values, context, current().together)
            except (Unavailable, TimedOut):
                raise
            except Exception as reason:
                if transaction.is_transient(self.context_value.database, reason):
                    # The transaction is broken and is to be run again.
                    raise
                log.debug("a payload is left to graphql-core", why=type(reason).__name__, reason=str(reason))
            data = self.complete_value(definition.type, details, info, path, payload, None)
            return await data if self.is_awaitable(data) else data
        except Exception as error:
            return self.handle_field_error(error, definition.type, details, path)

    async def _in_transaction(self, execute: Callable[[], Any]) -> Any:
        context = self.context_value
        errors = list(self.collected_errors.errors)

        async def work(mutation: Mutation) -> Any:
            # A transaction that is run again starts without what the run before has read and found wrong.
            context.forget()
            self.collected_errors = CollectedErrors()
            data = execute()
            if self.is_awaitable(data):
                data = await data
            if self.collected_errors.errors or mutation.dry_run:
                mutation.roll_back()
            elif mutation.key is not None and mutation.answer is not None:
                kept = mutation.answer | {"data": data}
                await transaction.keep(orjson.dumps(kept).decode())
            return data

        try:
            return await transaction.run(context.database, context.caller.actor, work)
        except GraphQLError as error:
            if isinstance(error.original_error, Replayed):
                return error.original_error.data
            raise
        finally:
            self.collected_errors.errors[:0] = errors


async def answer(info: Info, input: MutationInput, payload: type[P], work: Callable[[], Awaitable[Any]]) -> P:
    """The payload of what `work` did, or of why it was refused. Runs in the executor's transaction.

    Under an idempotency key whose answer is kept: the same answer again, read anew only where the selection is
    another one.
    """
    mutation, client_mutation_id = transaction.current(), given(input.client_mutation_id)
    mutation.dry_run = input.dry_run
    try:
        key = given(input.idempotency_key)
        if key is not None:
            selection = _digest(info)
            kept = await transaction.claim(key, _fingerprint(payload, input))
            if kept is not None:
                return _again(info, orjson.loads(kept), selection, payload, client_mutation_id)
            outcome = await work()
            mutation.answer = {"outcome": asdict(outcome), "selection": selection}
        else:
            outcome = await work()
        return payload.of(outcome, client_mutation_id)
    except Refused as refused:
        mutation.key = None
        mutation.roll_back()
        return payload.refusal(refused, client_mutation_id)


def _again(info: Info, kept: dict[str, Any], selection: str, payload: type[P], client_mutation_id: str | None) -> P:
    if kept["selection"] == selection:
        # The client's own id is no part of the input: it is returned as it came this time.
        data = kept["data"]
        own = [name for name in _names_of_own_id(info) if name in data]
        raise Replayed(data | dict.fromkeys(own, client_mutation_id))
    return payload.of(payload.outcome_type(**kept["outcome"]), client_mutation_id)


def _names_of_own_id(info: Info) -> list[str]:
    """The names under which the selection asks for the client's own id, by any fragment."""
    raw = info._raw_info
    names = []
    waiting: list[SelectionSetNode | None] = [field.selection_set for field in raw.field_nodes]
    for selection_set in waiting:
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FieldNode):
                if selection.name.value == "clientMutationId":
                    names.append((selection.alias or selection.name).value)
            elif isinstance(selection, FragmentSpreadNode):
                waiting.append(raw.fragments[selection.name.value].selection_set)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
    return names


def _fingerprint(payload: type[Payload], input: MutationInput) -> str:
    """What makes two inputs the same: all but the client's own id and the key itself."""
    bare = replace(input, client_mutation_id=None, idempotency_key=None)
    return hashlib.sha256(f"{payload.__name__} {bare!r}".encode()).hexdigest()


def _digest(info: Info) -> str:
    """What makes two selections the same: their text, that of all fragments, and the variables in them.

    The input, and with it the variables that make it up, is compared by its fingerprint.
    """
    raw = info._raw_info
    text = "".join(print_ast(field.selection_set) for field in raw.field_nodes if field.selection_set)
    text += "".join(print_ast(fragment) for fragment in raw.fragments.values())
    used = {name: value for name, value in info.variable_values.items() if f"${name}" in text}
    return hashlib.sha256(f"{text} {used!r}".encode()).hexdigest()
