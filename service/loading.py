"""Bringing in the rows of a file, many at a time: read in a thread, looked up, locked, written and told of."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from itertools import islice
from typing import TypeVar

from service import transaction
from service.errors import UserErrorCode, refuse
from service.imported import FileChange, Imported, Progress
from service.store.change import NewChange

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
# Rows in one statement: enough that its own cost does not count, few enough that others need not wait for it.
BATCH = 2_000


async def understood(parsed: Iterator[T], progress: Progress) -> list[T]:
    """All that a file says. A thread reads it, so that others go on meanwhile."""
    found: list[T] = []
    while batch := await asyncio.to_thread(lambda: list(islice(parsed, BATCH))):
        found += batch
        progress("reading", len(found), 0)
    return found


async def batches(items: Collection[T], phase: str, progress: Progress) -> AsyncIterator[list[T]]:
    """The items, BATCH at a time; tells how far it is."""
    waiting, done = iter(items), 0
    while batch := list(islice(waiting, BATCH)):
        progress(phase, done, len(items))
        yield batch
        done += len(batch)
        # The work on a batch is a while of computing; others come in between.
        await asyncio.sleep(0)


async def gathered(
    fetch: Callable[[list[K]], Awaitable[dict[K, V]]], items: Collection[K], phase: str, progress: Progress
) -> dict[K, V]:
    """What `fetch` finds for all items. One statement a batch."""
    found: dict[K, V] = {}
    async for batch in batches(items, phase, progress):
        found |= await fetch(batch)
    return found


async def locked(
    lock: Callable[[list[int]], Awaitable[dict[int, T]]], keys: Collection[int], progress: Progress
) -> dict[int, T]:
    """Locks things in the order of their keys, one statement a batch. Refuses with CONFLICT where one is gone."""
    found = await gathered(lock, sorted(keys), "locking", progress)
    if len(found) < len(keys):
        message = "Something that the file names was deleted while the file was read; import it again."
        raise refuse(UserErrorCode.CONFLICT, message, "csv")
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> str:
    """The words of what is not the same any more."""
    return ", ".join(sorted(word for word in before if before[word] != after[word]))


def in_words(before: dict[str, str], after: dict[str, str]) -> tuple[str, str]:
    """What was there and what is there now, of what has changed."""
    changed = [word for word in before if before[word] != after[word]]
    old, new = (", ".join(f"{word} «{values[word]}»" for word in changed) for values in (before, after))
    return old, new


def in_order(changes: list[FileChange]) -> tuple[FileChange, ...]:
    """In the order of the rows, each of which says one thing."""
    return tuple(sorted(changes, key=lambda change: change.row or 0))


async def logged(what: str, imported: Imported, home: int | None = None) -> Imported:
    """Logs the import as such, if it has changed anything."""
    if imported.changes:
        words = ("created", "updated", "removed", "unchanged")
        counts = {"rows": imported.rows} | {word: getattr(imported, word) for word in words}
        told = ", ".join(f"{counts[word]:,} {word}" for word in words if counts[word])
        await transaction.log([NewChange("IMPORTED", f"imported {what}: {told}", group=home, after=counts)])
    return imported
