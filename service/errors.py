"""What can go wrong, as one closed tree.

    GroveError                  everything that Grove raises on purpose; its message is meant for people
    ├── InvalidInput            BAD_USER_INPUT   an id, cursor or argument of a query that cannot be understood
    ├── LimitExceeded           LIMIT_EXCEEDED   more was asked for than one request may cost
    ├── TimedOut                TIMEOUT          the request took longer than it may
    ├── Unavailable             UNAVAILABLE      the database cannot be reached, is not migrated, or is too busy
    └── Refused                 (userErrors)     a mutation that a person can mend; carries UserError values
        └── RejectedFile        (userErrors)     the same for a file: the first hundred, and how many there are

The first four become top-level errors with `extensions.code`; `Refused` becomes the payload's `userErrors`
and rolls the transaction back. Anything else is a fault: INTERNAL, masked, with a correlation id in the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class GroveError(Exception):
    """Base of everything that Grove raises on purpose; `str(error)` is safe to show to the client."""

    code = "INTERNAL"


class InvalidInput(GroveError):
    """An argument of a query that cannot be understood."""

    code = "BAD_USER_INPUT"


class LimitExceeded(GroveError):
    """More was asked for than one request may cost."""

    code = "LIMIT_EXCEEDED"


class TimedOut(GroveError):
    """The request took longer than it may."""

    code = "TIMEOUT"


class Unavailable(GroveError):
    """The database cannot be reached, is not migrated, or is too busy; trying again later may help."""

    code = "UNAVAILABLE"


class Busy(Unavailable):
    """Something was waited for as long as anybody should: to ask again at once would be to wait again."""


class UserErrorCode(StrEnum):
    """The kinds of mistake that a mutation answers in `userErrors`."""

    REQUIRED = "REQUIRED"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    NOT_FOUND = "NOT_FOUND"
    NAME_TAKEN = "NAME_TAKEN"
    CODE_TAKEN = "CODE_TAKEN"
    ALREADY_ASSIGNED = "ALREADY_ASSIGNED"
    WRONG_HIERARCHY = "WRONG_HIERARCHY"
    CYCLE = "CYCLE"
    TOO_DEEP = "TOO_DEEP"
    NOT_CHILDREN = "NOT_CHILDREN"
    LEVEL_IN_USE = "LEVEL_IN_USE"
    GROUP_INACTIVE = "GROUP_INACTIVE"
    GROUP_IN_USE = "GROUP_IN_USE"
    INSUFFICIENT_STOCK = "INSUFFICIENT_STOCK"
    RESERVATION_CLOSED = "RESERVATION_CLOSED"
    STALE = "STALE"
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    CONFLICT = "CONFLICT"
    BAD_HEADER = "BAD_HEADER"
    BAD_ROW = "BAD_ROW"


@dataclass(frozen=True, slots=True)
class UserError:
    """One mistake of a person: what, in words that help, and where in the input it lies."""

    code: UserErrorCode
    message: str
    path: tuple[str, ...] = ()


class Refused(GroveError):
    """A mutation that a person can mend: `errors` go to the payload, and nothing is kept."""

    code = "BAD_USER_INPUT"

    def __init__(self, errors: Sequence[UserError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)

    @property
    def count(self) -> int:
        """How many mistakes there are in all."""
        return len(self.errors)


class RejectedFile(Refused):
    """A file that a person can mend: `every` mistake in the order of the rows, the first hundred as `errors`.

    Where there are too many to be kept, `more` says how many others there are.
    """

    MOST_SHOWN = 100

    def __init__(self, every: Sequence[UserError], more: int = 0) -> None:
        super().__init__(every[: self.MOST_SHOWN])
        self.every = tuple(every)
        self.more = more

    @property
    def count(self) -> int:
        return len(self.every) + self.more


def refuse(code: UserErrorCode, message: str, *path: str | int) -> Refused:
    """The refusal of a single mistake at `path` below `input`."""
    return Refused([user_error(code, message, *path)])


def user_error(code: UserErrorCode, message: str, *path: str | int) -> UserError:
    """One mistake at `path` below `input`; numbers are places in a list."""
    return UserError(code, message, ("input", *map(str, path)))
