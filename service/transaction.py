"""One mutation, one transaction, opened here and nowhere else.

In this order: the idempotency key is looked up (`claim`) · rows are locked, hierarchies by key, then groups by
key, then customers, then stock items by key · `expectedVersion` is compared · the change is made · versions go up
· one `change` row a change is written (`log`) · the answer is kept under its key (`keep`) · commit, or roll back
for a dry run, for user errors and for faults. The same order of locks everywhere is what keeps deadlocks away;
those that come all the same, and uniqueness that another writer broke, are met by running the whole transaction
again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from service import db
from service.db import Database
from service.errors import GroveError, Unavailable, UserErrorCode, refuse
from service.sessions import Session, Statement
from service.store import change
from service.store.change import NewChange
from service.turns import NotOurTurn, Turn

T = TypeVar("T")
ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.01
# An idempotency key is part of an index entry, which PostgreSQL limits.
LONGEST_KEY = 200


@dataclass(slots=True)
class Mutation:
    """The mutation under way: who, when, and what becomes of it."""

    session: Session
    actor: str
    turn: Turn
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    dry_run: bool = False
    key: str | None = None
    # What will be kept under the key, as far as it is known before the answer is read.
    answer: dict[str, Any] | None = None
    # How many generated codes a dry run has looked at without taking them.
    codes_peeked: int = 0

    async def take_turns(self, keys: Collection[int]) -> None:
        """Takes the turns at hierarchies or stock items. Raises NotOurTurn where it holds a connection already."""
        try:
            await self.turn.take(keys)
        except NotOurTurn:
            if self.session.begun:
                raise
            await self.turn.wait(keys)
            self.at = datetime.now(UTC)

    def roll_back(self) -> None:
        """Nothing of it is to be kept."""
        self.session.discard()


_current: ContextVar[Mutation] = ContextVar("mutation")


def current() -> Mutation:
    """The mutation under way."""
    return _current.get()


async def run(database: Database, actor: str, work: Callable[[Mutation], Awaitable[T]]) -> T:
    """Runs `work` in a transaction, again from the start when another writer was in its way.

    Bounded: after ATTEMPTS with growing random pauses it raises Unavailable. One that has to wait for its turn at
    a hierarchy after its first statement ends, waits without a connection, and begins again with the turn, which is
    no attempt.
    """
    turn = Turn(database.turns)
    attempt = 0
    try:
        while True:
            try:
                return await _once(database, actor, turn, work)
            except Exception as error:
                waiting = _cause(error, lambda cause: isinstance(cause, NotOurTurn))
                if isinstance(waiting, NotOurTurn):
                    await turn.wait(waiting.keys)
                    continue
                if not is_transient(database, error):
                    raise
                attempt += 1
                if attempt == ATTEMPTS:
                    raise Unavailable("Too many changes to the same data at once; try again.") from error
            await asyncio.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2**attempt))
    finally:
        turn.give_back()


async def _once(database: Database, actor: str, turn: Turn, work: Callable[[Mutation], Awaitable[T]]) -> T:
    async with database.transaction() as session:
        mutation = Mutation(session, actor, turn)
        token = _current.set(mutation)
        try:
            return await work(mutation)
        finally:
            _current.reset(token)


def _cause(error: BaseException | None, fits: Callable[[BaseException], bool]) -> BaseException | None:
    """The error itself, or the first of those it stands for, that fits; what Grove raised stands for itself."""
    while error is not None and not fits(error):
        if isinstance(error, GroveError):
            return None
        error = getattr(error, "original_error", None) or error.__cause__
    return error


def is_transient(database: Database, error: BaseException) -> bool:
    """Whether the error, or one that it stands for, may be gone when the transaction is run again."""
    return _cause(error, database.engine.is_transient) is not None


async def claim(key: str, fingerprint: str) -> str | None:
    """Takes an idempotency key for this mutation, or returns the answer that was given under it.

    Refuses with IDEMPOTENCY_MISMATCH where the key was used with another input, with REQUIRED and TOO_LONG. Waits
    for a mutation under way that has the same key.
    """
    mutation = current()
    if not key.strip():
        message = "An idempotency key must not be empty; leave it out, or make one that no other request has."
        raise refuse(UserErrorCode.REQUIRED, message, "idempotencyKey")
    if len(key) > LONGEST_KEY:
        message = f"An idempotency key may have at most {LONGEST_KEY} characters; this one has {len(key)}."
        raise refuse(UserErrorCode.TOO_LONG, message, "idempotencyKey")
    mutation.key = key
    taken = await change.claim(mutation.actor, key, fingerprint, mutation.at)
    if taken is None:
        return None
    if taken[0] != fingerprint:
        message = f"The idempotency key «{key}» was used with another input within 24 hours; choose a new one."
        raise refuse(UserErrorCode.IDEMPOTENCY_MISMATCH, message, "idempotencyKey")
    mutation.key = None
    return taken[1]


async def keep(answer: str) -> None:
    """Keeps the answer of this mutation under the key that it claimed, if it claimed one."""
    mutation = current()
    if mutation.key is not None:
        await change.keep(mutation.actor, mutation.key, answer)


async def log(changes: Sequence[NewChange]) -> None:
    """Writes what this mutation changed into the log, in one statement."""
    await db.write(*logged(changes))


def logged(changes: Sequence[NewChange]) -> list[Statement]:
    """What `log` runs."""
    mutation = current()
    return [change.logged(changes, mutation.actor, mutation.at)] if changes else []
