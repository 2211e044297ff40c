"""Logs: lines on stderr, for people (console) or machines (JSON), uvicorn's own among them.

A request is one line, which holds neither its document nor its variables: both may be confidential.
"""

import logging
import logging.config
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

# Longer words are cut, and control characters escaped: no client forges lines or sends codes to a terminal.
LONGEST_WORD = 200
UNPRINTABLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    code: f"\\u{code:04x}" for code in (0x2028, 0x2029)
}
UNPRINTABLE_IN_TEXT = {code: shown for code, shown in UNPRINTABLE.items() if chr(code) not in "\t\n"}

Event = MutableMapping[str, Any]


@dataclass(slots=True)
class RequestLine:
    """What is known of the current request; the view fills it in, and it is logged when all is over."""

    request_id: str
    operation: str | None = None
    kind: str | None = None
    actor: str | None = None
    executor: str | None = None
    statements: int = 0
    errors: list[str] = field(default_factory=list)

    def known(self) -> dict[str, Any]:
        """What there is to log."""
        line: dict[str, Any] = {"operation": self.operation, "kind": self.kind, "actor": self.actor}
        if self.kind is not None:
            line |= {"executor": self.executor, "statements": self.statements}
        if self.errors:
            line["errors"] = ",".join(dict.fromkeys(self.errors))
        return {name: value for name, value in line.items() if value is not None}


current_line: ContextVar[RequestLine] = ContextVar("current_line")


def _of_request(_logger: Any, _method: str, event: Event) -> Event:
    """Adds the id of the request during which something was logged."""
    if (line := current_line.get(None)) is not None:
        event["request_id"] = line.request_id
    return event


# What our lines and those of libraries have in common. Tracebacks are plain: others would show the values of
# all variables around, with every password among them.
STEPS: list[Any] = [
    _of_request,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]
# Until `set_up_logs` says where to, our lines go the way of Python's own logging.
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *STEPS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


def set_up_logs(form: str, level: str, secrets: tuple[str, ...] = ()) -> None:
    """Sends everything that is logged to stderr in one form, without the `secrets`."""
    renderer = (
        _json
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    processors = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _Blot(secrets),
        _printable,
        renderer,
    ]
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "lines": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": STEPS,
                    "processors": processors,
                }
            },
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": "lines",
                    "stream": "ext://sys.stderr",
                }
            },
            "root": {"handlers": ["stderr"], "level": level.upper()},
            # What uvicorn tells at «info» (process numbers, each start and stop) is no news to an operator.
            "loggers": {
                "uvicorn": {"level": "DEBUG" if level == "debug" else "WARNING"},
                "uvicorn.access": {"level": "CRITICAL"},
                "asyncio": {"level": "WARNING"},
            },
        }
    )
    logging.captureWarnings(True)


def _printable(_logger: Any, _method: str, event: Event) -> Event:
    """Cuts and escapes what was logged; a traceback keeps its lines."""
    for name, value in event.items():
        if name == "exception":
            event[name] = value.translate(UNPRINTABLE_IN_TEXT)
        elif isinstance(value, str):
            event[name] = shortened(value.strip(), 2_000 if name == "event" else LONGEST_WORD).translate(UNPRINTABLE)
    return event


def shortened(text: str, longest: int) -> str:
    """The text, cut where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _json(_logger: Any, _method: str, event: Event) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Blot:
    """Takes the secrets out of messages and tracebacks: a driver's error may name what it was given."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self.secrets = [secret for secret in secrets if secret]

    def __call__(self, _logger: Any, _method: str, event: Event) -> Event:
        for name in ("event", "exception"):
            for secret in self.secrets:
                if isinstance(event.get(name), str):
                    event[name] = event[name].replace(secret, "***")
        return event
