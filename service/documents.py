"""GraphQL documents: read, checked, weighed, and kept for the next request that sends the same text.

The checks go by their cost: length and tokens while reading, what `service.limits` measures, and only then
GraphQL's own validation, whose comparison of fields grows with the square of the fields of one name. The
slowest documents that the limits' defaults let pass, measured on one core:

    190 fields of one name that each spread a fragment of their own     0.9 s
    200 times the same field under the same alias                       0.7 s
    14 fields of one name that each hold 14 of another                  0.6 s
    5,000 unknown fields behind 5,000 empty lines                       0.5 s
    90 unknown fields with names of 2,000 characters                    0.5 s

Without the limits 3,000 conflicting aliases take 8 s, and 10,000 unused fragments 11 s.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLID,
    GraphQLSchema,
    GraphQLString,
    GraphQLSyntaxError,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    ValidationRule,
    get_nullable_type,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from service.answers import MOST_ERRORS, RequestErrors, request_error
from service.breadth import Compiled
from service.limits import Scale, Weight, measure
from service.settings import Settings

# Comments are no tokens, yet cost as much to read.
MOST_COMMENTS = 1_000
# The text is read, and its lines are counted, anew for the place of each error.
MOST_LINES = 5_000
# Each is compared with each that is spread beside it.
MOST_FRAGMENTS = 200


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a valid document.

    `kind_name`: the name of its kind, which an enumeration takes a while to tell.
    `texts`: the signatures of its variables by name, where all of them are plain texts: those need no coercion.
    """

    node: OperationDefinitionNode
    name: str | None
    kind: OperationType
    kind_name: str
    weight: Weight
    compiled: Compiled
    texts: dict[str, GraphQLVariableSignature] | None


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document."""

    tree: DocumentNode
    operations: dict[str | None, Operation]
    scale: Scale

    def operation(self, name: str | None) -> Operation:
        """The operation of this name, or the only one. Raises RequestErrors where there is none such."""
        if name is not None:
            if name not in self.operations:
                raise request_error("BAD_REQUEST", f"The document has no operation named «{name}».")
            return self.operations[name]
        if len(self.operations) != 1:
            message = "The document has several operations; say which one to run in operationName."
            raise request_error("BAD_REQUEST", message if self.operations else "The document has no operation.")
        return next(iter(self.operations.values()))


class Documents:
    """Reads and checks documents of one schema, and keeps the outcome, good or bad, by their text."""

    def __init__(self, schema: GraphQLSchema, type_name: Callable[[Any], str], settings: Settings) -> None:
        self.schema = schema
        self.type_name = type_name
        self.settings = settings
        self._kept: OrderedDict[str, Document | RequestErrors] = OrderedDict()
        self._kept_characters = 0

    def get(self, text: str) -> Document:
        """The document of this text. Raises RequestErrors where it is not valid, or more than is allowed."""
        outcome = self._kept.get(text)
        if outcome is None:
            outcome = self._check(text)
            self._keep(text, outcome)
        else:
            self._kept.move_to_end(text)
        if isinstance(outcome, RequestErrors):
            # A new one each time, since raising an exception ties it to the frames that it passes.
            raise RequestErrors(outcome.errors)
        return outcome

    def _keep(self, text: str, outcome: Document | RequestErrors) -> None:
        most = self.settings.cached_document_characters
        if len(text) > most // 10:
            return
        self._kept[text] = outcome
        self._kept_characters += len(text)
        while self._kept_characters > most:
            oldest, _ = self._kept.popitem(last=False)
            self._kept_characters -= len(oldest)

    def _check(self, text: str) -> Document | RequestErrors:
        try:
            tree = self._parse(text)
            self._limit(tree)
        except RequestErrors as error:
            return RequestErrors(error.errors)
        if errors := validate(self.schema, tree, RULES, max_errors=MOST_ERRORS):
            return RequestErrors.of(errors, "GRAPHQL_VALIDATION_FAILED")
        scale = Scale(self.schema, tree)
        fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
        operations = [
            Operation(
                node,
                node.name.value if node.name else None,
                node.operation,
                node.operation.value,
                scale.weigh(node),
                Compiled(self.schema, fragments, node, self.type_name),
                self._texts(node),
            )
            for node in tree.definitions
            if isinstance(node, OperationDefinitionNode)
        ]
        return Document(tree, {operation.name: operation for operation in operations}, scale)

    def _texts(self, operation: OperationDefinitionNode) -> dict[str, GraphQLVariableSignature] | None:
        found: dict[str, GraphQLVariableSignature] = {}
        for definition in operation.variable_definitions or ():
            signature = get_variable_signature(self.schema, definition)
            if isinstance(signature, GraphQLError) or get_nullable_type(signature.type) not in (
                GraphQLID,
                GraphQLString,
            ):
                return None
            found[signature.name] = signature
        return found

    def _parse(self, text: str) -> DocumentNode:
        settings = self.settings
        _within("characters", len(text), settings.max_document_characters)
        _within("lines", text.count("\n") + text.count("\r"), MOST_LINES)
        try:
            return parse(text, max_lexical_tokens=settings.max_tokens, max_comments=MOST_COMMENTS)
        except GraphQLSyntaxError as error:
            # The parser gives up with the same class of error where a limit is reached.
            limited = "Parsing aborted" in error.description or "nested too deeply" in error.description
            raise RequestErrors.of([error], "LIMIT_EXCEEDED" if limited else "GRAPHQL_PARSE_FAILED") from None

    def _limit(self, tree: DocumentNode) -> None:
        settings = self.settings
        fragments = sum(isinstance(node, FragmentDefinitionNode) for node in tree.definitions)
        _within("fragments", fragments, MOST_FRAGMENTS)
        extent = measure(tree)
        _within("levels of nested fields", extent.depth, settings.max_depth)
        _within("aliased or repeated fields", extent.aliases, settings.max_aliases)
        _within("fields at the top of an operation", extent.root_fields, settings.max_root_fields)
        _within("directives at one place", extent.directives, settings.max_directives)


def _within(what: str, number: int, most: int) -> None:
    if number > most:
        raise request_error("LIMIT_EXCEEDED", f"The document has {number:,} {what}; the limit is {most:,}.")


class NoNulRule(ValidationRule):
    """Refuses the character NUL, which PostgreSQL cannot store, in the strings of a document."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if "\0" in node.value:
            message = "A string must not hold the character NUL (\\u0000)."
            self.report_error(GraphQLError(message, node, extensions={"code": "BAD_USER_INPUT"}))


class OneOfRule(OneOfInputValidationRule):
    """Strawberry's rule, which breaks on a variable that nobody defines; another rule reports that one."""

    def __init__(self, validation_context: Any) -> None:
        super().__init__(validation_context)
        # A document may begin with a fragment.
        self.variable_definitions = {}

    def enter_object_value(self, node: ObjectValueNode, *arguments: Any) -> None:
        try:
            super().enter_object_value(node, *arguments)
        except KeyError:
            return


# Made once: a new class for each request would be no key to keep anything by.
RULES = (*specified_rules, MaybeNullValidationRule, OneOfRule, NoNulRule)
