"""Turns: who of this process may change a hierarchy next. Waiting for a turn costs no connection.

The lock that keeps a tree sound is the row lock in the database (store/hierarchy.py). Those who wait for it keep a
connection each, though, and a crowd at one hierarchy would take them all from readers and from writers of others.
So the writers of one process line up here, and at most one of them waits in the database.
"""

import asyncio
from collections.abc import Iterable
from weakref import WeakValueDictionary

from service.errors import GroveError, Unavailable


class NotOurTurn(GroveError):
    """The transaction is to end, wait for the turns of these hierarchies, and begin again; no client sees it."""

    def __init__(self, keys: Iterable[int]) -> None:
        super().__init__("another writer has the turn")
        self.keys = frozenset(keys)


class Turns:
    """The lines of one process, one for each hierarchy that somebody is changing."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._lines: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def line(self, key: int) -> asyncio.Lock:
        """The line for a hierarchy."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = asyncio.Lock()
        return line


class Turn:
    """The turns that one mutation has."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._held: dict[int, asyncio.Lock] = {}

    async def take(self, keys: Iterable[int]) -> None:
        """Takes the turns that are free. Raises NotOurTurn where one is not."""
        wanted = set(keys) - self._held.keys()
        if any(self._turns.line(key).locked() for key in wanted):
            raise NotOurTurn(wanted)
        for key in sorted(wanted):
            line = self._turns.line(key)
            await line.acquire()
            self._held[key] = line

    async def wait(self, keys: Iterable[int]) -> None:
        """Waits for turns, always in the order of the keys. Raises Unavailable when that takes too long."""
        wanted = sorted(set(keys) | self._held.keys())
        self.give_back()
        try:
            async with asyncio.timeout(self._turns.seconds):
                for key in wanted:
                    line = self._turns.line(key)
                    await line.acquire()
                    self._held[key] = line
        except TimeoutError:
            self.give_back()
            message = "Other changes to the same hierarchy are taking long; try again."
            raise Unavailable(message) from None

    def give_back(self) -> None:
        """Others may go on."""
        for line in self._held.values():
            line.release()
        self._held = {}
