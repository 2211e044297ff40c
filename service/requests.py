"""Requests of GraphQL over HTTP: what the client accepts, who it is, and what it asks to be run.

Every malformed request raises Starlette's HTTPException with a status of 4xx and a message that says what is
wrong with it. The rules are those of the GraphQL-over-HTTP specification (https://http-spec.graphql.org).
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from service.caller import ANONYMOUS, Caller
from service.errors import InvalidInput

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
HTML = "text/html"

LONGEST_ACTOR = 200
PARAMETERS = ("query", "operationName", "variables", "extensions")
KEYS = tuple(f'"{name}"'.encode() for name in PARAMETERS)


@dataclass(slots=True)
class GraphQLRequest:
    """What is to be run."""

    document: str
    operation_name: str | None = None
    variables: dict[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=100)
def preferred(accept: str | None, offers: tuple[str, ...]) -> str | None:
    """The offer that an Accept header likes best; None where it takes none of them.

    Among equals the one that the header names first, then the one that is offered first. Without a header,
    and for `*/*`, that is application/graphql-response+json: since 2025 the specification wants it so.
    """
    if accept is None:
        return offers[0]
    ranges = [*_ranges(accept)]
    best: tuple[float, int] | None = None
    chosen = None
    for offer in offers:
        fitting = [
            (precision, quality, -place)
            for place, (name, quality) in enumerate(ranges)
            if (precision := _precision(name, offer))
        ]
        # The most precise range decides: `*/*, text/html;q=0` takes all but HTML.
        _, quality, place = max(fitting, default=(0, 0.0, 0))
        if quality > 0 and (best is None or (quality, place) > best):
            best, chosen = (quality, place), offer
    return chosen


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """The media ranges of an Accept header with their weights."""
    for part in accept.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        settings = dict(parameter.partition("=")[::2] for parameter in parameters)
        try:
            quality = float(settings.get("q", "1"))
        except ValueError:
            continue
        charset = settings.get("charset", "utf-8").strip('"')
        if name and math.isfinite(quality) and charset in {"utf-8", "utf8"}:
            yield name, min(quality, 1.0)


def _precision(name: str, offer: str) -> int:
    """How exactly a media range names the offer; 0 where it does not."""
    if name == offer:
        return 3
    if name == f"{offer.partition('/')[0]}/*":
        return 2
    return 1 if name == "*/*" else 0


def read_caller(headers: Iterable[tuple[bytes, bytes]], header: str | None) -> Caller:
    """Who is calling, by the header that an authenticating proxy sets; the headers are ASGI's."""
    if header is None:
        return ANONYMOUS
    name = header.lower().encode("latin-1")
    values = [value for other, value in headers if other == name]
    if not values:
        return ANONYMOUS
    if len(values) > 1:
        raise HTTPException(400, f"The header {header} was sent more than once.")
    # Proxies send names in UTF-8.
    actor = values[0].decode("utf-8", "replace").strip()
    if len(actor) > LONGEST_ACTOR:
        raise HTTPException(400, f"The header {header} holds more than {LONGEST_ACTOR} characters.")
    if not actor.isprintable():
        raise HTTPException(400, f"The header {header} holds characters that cannot be printed.")
    return Caller(actor) if actor else ANONYMOUS


# By name, in small letters; of those that came twice the first.
Headers = Mapping[bytes, bytes]


async def read_request(scope: Scope, receive: Receive, headers: Headers, most_bytes: int) -> GraphQLRequest:
    """What the request asks to be run.

    Raises InvalidInput for what no database could keep, and ClientDisconnect.
    """
    if scope["method"] == "POST":
        _require_json(headers)
        body = await _read_body(receive, headers, most_bytes)
        parameters = _parse(body, "The body")
        _refuse_repetitions(body, parameters)
        # In JSON it has no other form; most bodies need not be searched through.
        return _graphql_request(parameters, may_hold_nul=b"\\u0000" in body)
    return _graphql_request(_query_parameters(Request(scope)), may_hold_nul=True)


def _require_json(headers: Headers) -> None:
    """The content type also keeps out the forms of foreign web pages, which cannot send it."""
    name, parameters = _media_type(headers.get(b"content-type", b"").decode("latin-1"))
    if name != JSON:
        said = f"not {name[:100]!r}" if name else "but there is no Content-Type header"
        raise HTTPException(415, f"Send the request as {JSON}, {said}.")
    if parameters.get("charset", "utf-8").strip('"') not in {"utf-8", "utf8"}:
        raise HTTPException(415, "Send the request in UTF-8.")
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise HTTPException(415, "Send the request uncompressed.", {"Accept-Encoding": "identity"})


@lru_cache(maxsize=100)
def _media_type(text: str) -> tuple[str, Mapping[str, str]]:
    """The name and the parameters of a Content-Type header."""
    name, *parameters = (word.strip().lower() for word in text.split(";"))
    return name, dict(parameter.partition("=")[::2] for parameter in parameters)


async def _read_body(receive: Receive, headers: Headers, most: int) -> bytes:
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and (len(announced) > 18 or int(announced) > most):
        raise _too_large(most)
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return body


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"The body of a request has at most {most:,} bytes.")


def _parse(text: bytes | str, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise HTTPException(400, f"{what} is not JSON: {error}.") from None


def _refuse_repetitions(body: bytes, parameters: Any) -> None:
    """A key that stands twice means one thing to us and, maybe, another to a proxy that checks requests."""
    # Only a body that names one twice, anywhere, or may spell one by escapes, is looked at closely.
    if not isinstance(parameters, dict) or (max(map(body.count, KEYS)) < 2 and b"\\u00" not in body):
        return
    try:
        outermost: list[tuple[str, Any]] = json.loads(body, object_pairs_hook=list)
    except RecursionError:
        raise HTTPException(400, "The body is nested too deeply.") from None
    names = [name for name, _ in outermost]
    for name in PARAMETERS:
        if names.count(name) > 1:
            raise HTTPException(400, f"The body gives «{name}» more than once.")


def _query_parameters(request: Request) -> dict[str, Any]:
    """The parameters of a GET request; variables and extensions are JSON, and empty ones are none."""
    parameters: dict[str, Any] = {}
    for name in PARAMETERS:
        values = request.query_params.getlist(name)
        if len(values) > 1:
            raise HTTPException(400, f"The address gives «{name}» more than once.")
        if values and (values[0] or name == "query"):
            text = values[0]
            parameters[name] = _parse(text, f"«{name}»") if name in {"variables", "extensions"} else text
    return parameters


def _graphql_request(parameters: Any, *, may_hold_nul: bool) -> GraphQLRequest:
    if isinstance(parameters, list):
        raise HTTPException(400, "Send one request at a time, as a JSON object; batches are not supported.")
    if not isinstance(parameters, dict):
        raise HTTPException(400, "The request must be a JSON object with the document in «query».")
    if "query" not in parameters:
        raise HTTPException(400, "The request has no «query», which holds the GraphQL document.")
    document = parameters["query"]
    operation_name = parameters.get("operationName")
    variables = parameters.get("variables")
    if not isinstance(document, str):
        raise HTTPException(400, "«query» must be a string: the GraphQL document.")
    if not isinstance(operation_name, str | None):
        raise HTTPException(400, "«operationName» must be a string or null.")
    if not isinstance(variables, dict | None):
        raise HTTPException(400, "«variables» must be an object or null.")
    if not isinstance(parameters.get("extensions"), dict | None):
        raise HTTPException(400, "«extensions» must be an object or null.")
    for name, value in (variables or {}).items():
        if may_hold_nul and _holds_nul(value):
            raise InvalidInput(f"The variable ${name} holds the character NUL (\\u0000), which cannot be stored.")
    return GraphQLRequest(document, operation_name or None, variables or {})


def _holds_nul(value: Any) -> bool:
    """Whether PostgreSQL would refuse a string in the value; found here, it needs no care anywhere else."""
    stack = [value]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            if "\0" in value:
                return True
        elif isinstance(value, list):
            stack.extend(value)
        elif isinstance(value, Mapping):
            stack.extend(value)
            stack.extend(value.values())
    return False
