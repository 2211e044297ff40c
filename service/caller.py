"""Who is calling: kept for the length of a request, and written into each change."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The person or program behind a request, by the name that goes into the change log."""

    actor: str


ANONYMOUS = Caller("anonymous")

# The caller of the current request; outside of one, such as in a command, nobody in particular.
current_caller: ContextVar[Caller] = ContextVar("current_caller", default=ANONYMOUS)
