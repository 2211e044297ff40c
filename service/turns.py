"""Turns: who of this process may change a hierarchy or stock item next. Waiting for a turn costs no connection.

The lock that keeps a tree sound is the row lock in the database (store/hierarchy.py), as is the one that keeps
stock right (store/stock.py). Those who wait for it keep a connection each, though, and a crowd at one hierarchy or
item would take them all from readers and from writers of others. So the writers of one process line up here, and
at most one of them waits in the database.
"""

import asyncio
from collections.abc import Iterable
from weakref import WeakValueDictionary

from service.errors import GroveError, Unavailable

MOST_HOMES = 10_000


class NotOurTurn(GroveError):
    """The transaction is to end, wait for the turns of these keys, and begin again; no client sees it."""

    def __init__(self, keys: Iterable[int]) -> None:
        super().__init__("another writer has the turn")
        self.keys = frozenset(keys)


class Line:
    """Those who want to change one thing: one has the turn, the others wait in the order in which they came."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0

    @property
    def free(self) -> bool:
        """Whether a newcomer may have the turn at once: nobody has it, and nobody is about to be given it."""
        return not self._waiting and not self._lock.locked()

    async def wait(self) -> None:
        """Takes the turn as soon as it comes; at once where it is free."""
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1

    def give_back(self) -> None:
        """The next one may go on."""
        self._lock.release()


class Turns:
    """The lines of one process, one for each hierarchy or stock item that somebody is changing, by its key."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        # Node → its hierarchy, of nodes that were changed lately: whose turn to wait for before anything is asked.
        self.homes: dict[int, int] = {}
        self._lines: WeakValueDictionary[int, Line] = WeakValueDictionary()

    def remember(self, nodes: Iterable[int], hierarchy: int) -> None:
        """In which hierarchy nodes stand, for good."""
        if len(self.homes) > MOST_HOMES:
            self.homes.clear()
        self.homes.update(dict.fromkeys(nodes, hierarchy))

    def line(self, key: int) -> Line:
        """The line for what has this key."""
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = Line()
        return line


class Turn:
    """The turns that one mutation has."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self._held: dict[int, Line] = {}

    async def take(self, keys: Iterable[int]) -> None:
        """Takes the turns that are free, without waiting. Raises NotOurTurn where one is not."""
        wanted = set(keys) - self._held.keys()
        lines = {key: self.turns.line(key) for key in sorted(wanted)}
        if not all(line.free for line in lines.values()):
            raise NotOurTurn(wanted)
        for key, line in lines.items():
            await line.wait()
            self._held[key] = line

    async def wait(self, keys: Iterable[int]) -> None:
        """Waits for turns, always in the order of the keys. Raises Unavailable when that takes too long."""
        wanted = sorted(set(keys) | self._held.keys())
        self.give_back()
        try:
            async with asyncio.timeout(self.turns.seconds):
                for key in wanted:
                    line = self.turns.line(key)
                    await line.wait()
                    self._held[key] = line
        except TimeoutError:
            self.give_back()
            message = "Other changes to the same hierarchy or stock item are taking long; try again."
            raise Unavailable(message) from None

    def give_back(self) -> None:
        """Others may go on."""
        for line in self._held.values():
            line.give_back()
        self._held = {}
