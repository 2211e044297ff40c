"""What a client is told when something went wrong: the one place where errors become GraphQL errors.

Each has a stable `extensions.code`:

    BAD_REQUEST                 the HTTP request is not one that can be answered
    GRAPHQL_PARSE_FAILED        the document is not GraphQL
    GRAPHQL_VALIDATION_FAILED   the document does not fit the schema
    BAD_USER_INPUT              a variable or an argument does not fit its type, or cannot be understood
    LIMIT_EXCEEDED              more was asked for than one request may cost
    TIMEOUT                     it took longer than it may
    UNAVAILABLE                 the database cannot be reached, or is too busy
    INTERNAL                    a fault of ours; the client gets a number under which the log tells it
"""

from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from graphql import GraphQLError, ValueNode
from graphql.validation.validate import ValidationAbortedError
from strawberry.exceptions import StrawberryInputCoercionError

from service.errors import GroveError
from service.logs import shortened

Error = dict[str, Any]

# As many errors are listed, and their messages are as long, at most.
MOST_ERRORS = 100
LONGEST_MESSAGE = 500
# So many faults of one request go to the log with their traceback.
MOST_TRACEBACKS = 5

FAULT = "Something went wrong on our side. The service's log tells more under this correlation id."
TOO_INTRICATE = "The document is too intricate to be checked: too many fields of one name, or fragments within another."

# What an answer without data is sent with, where the client's media type allows for more than 200.
STATUS = {"TIMEOUT": 504, "UNAVAILABLE": 503, "INTERNAL": 500}

log = structlog.get_logger("grove")


class RequestErrors(Exception):
    """The document was not executed; holds the errors as the client gets them."""

    def __init__(self, errors: Sequence[Error]) -> None:
        super().__init__(errors)
        self.errors = errors

    @classmethod
    def of(cls, errors: Iterable[GraphQLError], code: str) -> "RequestErrors":
        """Errors of GraphQL itself, all of the same kind unless one says otherwise."""
        return cls([_described(error, code) for error in errors])

    @property
    def status(self) -> int:
        """The HTTP status that fits the first of them."""
        return STATUS.get(self.errors[0]["extensions"]["code"], 400)


def request_error(code: str, message: str) -> RequestErrors:
    """A single error about the request as a whole."""
    return RequestErrors([error(code, message)])


def grove_error(problem: GroveError) -> RequestErrors:
    """A problem of ours that came up before the execution."""
    return request_error(problem.code, str(problem))


def error(code: str, message: str, **extensions: str) -> Error:
    """A GraphQL error without a place."""
    return {"message": shortened(message, LONGEST_MESSAGE), "extensions": {"code": code, **extensions}}


def fault(request_id: str) -> Error:
    """The only thing that a client is told of a fault."""
    return error("INTERNAL", FAULT, correlationId=request_id)


def execution_errors(errors: Sequence[GraphQLError], request_id: str) -> list[Error]:
    """The errors of an execution; faults go to the log and are masked."""
    described = []
    faults = 0
    for problem in errors[:MOST_ERRORS]:
        code, message = _explained(problem)
        if code == "INTERNAL":
            faults += 1
            if faults <= MOST_TRACEBACKS:
                cause = problem.original_error or problem
                log.error("fault", path=_dotted(problem.path), exc_info=cause)
            masked = fault(request_id)
            described.append(_placed(problem, masked["message"], masked["extensions"]))
        else:
            described.append(_placed(problem, message, {"code": code}))
    if faults > MOST_TRACEBACKS:
        log.error("more faults in the same request", number=faults - MOST_TRACEBACKS)
    if len(errors) > MOST_ERRORS:
        described.append(error("LIMIT_EXCEEDED", f"{len(errors) - MOST_ERRORS:,} more errors are not listed."))
    return described


def _explained(problem: GraphQLError) -> tuple[str, str]:
    """The code and message of an error that came up while executing."""
    cause = problem.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, GroveError):
        return cause.code, str(cause)
    if isinstance(cause, StrawberryInputCoercionError):
        return "BAD_USER_INPUT", cause.message
    # Of graphql-core's own errors, those about an argument point at it, those about a result at nothing.
    if isinstance(cause, GraphQLError) and cause.nodes:
        return "BAD_USER_INPUT", cause.message
    # Those about the argument of @skip or @include come as they are.
    if cause is None and problem.nodes and isinstance(problem.nodes[0], ValueNode):
        return "BAD_USER_INPUT", problem.message
    return "INTERNAL", FAULT


def _described(problem: GraphQLError, code: str) -> Error:
    """An error that came up before the execution."""
    if isinstance(problem, ValidationAbortedError) and problem.message == "Validation aborted.":
        return _placed(problem, TOO_INTRICATE, {"code": "LIMIT_EXCEEDED"})
    return _placed(problem, problem.message, {"code": (problem.extensions or {}).get("code", code)})


def _placed(problem: GraphQLError, message: str, extensions: dict[str, Any]) -> Error:
    """An error with its place in the document and in the answer."""
    placed: Error = {"message": shortened(message, LONGEST_MESSAGE)}
    if problem.locations:
        placed["locations"] = [location.formatted for location in problem.locations]
    if problem.path:
        placed["path"] = problem.path
    return placed | {"extensions": extensions}


def _dotted(path: Sequence[str | int] | None) -> str:
    return ".".join(map(str, path or ()))
