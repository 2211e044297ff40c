"""Import jobs: files that wait to be imported, are being imported, or have been.

Each write is to run in a transaction of its own (service/jobs.py), except `hold` and `finish`, which belong to the
import's: what it changes and that it is done are kept together or not at all, so a file is applied exactly once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import BinaryIO

import orjson

from service import ids
from service.errors import Refused, RejectedFile, UserError, UserErrorCode
from service.imported import Asked, Imported, Standing
from service.paging import Page, Slice
from service.store import job
from service.store.job import JobRow

# Somebody should run these; a job that a person has stopped waits for that person.
WAITING = ("QUEUED", "RUNNING")
PIECE = 1024 * 1024
# So many of the things that a file changed are kept with its job.
MOST_CHANGES = 1_000
# A process that dies takes its job with it as often as not because an operator ended it; but a file that itself
# brings processes down must not do so for ever.
MOST_ATTEMPTS = 20

# The jobs that this process runs. What they tell is newer than what the database holds, and on SQLite all there is:
# there the import's transaction is the one writer.
under_way: dict[int, Standing] = {}


class NotOurs(Exception):
    """Somebody else runs the job by now, or has ended it; no client sees it."""


async def by_key(keys: Sequence[int]) -> list[JobRow | None]:
    """The job with each key."""
    found = await job.by_keys(keys)
    return [_up_to_date(found[key]) if key in found else None for key in keys]


async def page(_: Sequence[int], page: Page) -> list[Slice[JobRow]]:
    """A page of all jobs, newest first."""
    slices = await job.page([0], page)
    return [
        Slice([_up_to_date(row) for row in found.rows], found.cursors, found.has_next, found.has_previous)
        for found in slices
    ]


async def total(_: Sequence[int]) -> list[int]:
    """How many jobs there are."""
    return await job.totals([0])


async def outcomes(keys: Sequence[int]) -> list[Imported | None]:
    """What came of each job's file, with the first thousand of its changes; None where nothing did (yet)."""
    found = await job.ended(keys)
    texts = [found[key].outcome if key in found else None for key in keys]
    return [None if text is None else Imported.restored(**orjson.loads(text)) for text in texts]


async def errors(keys: Sequence[int]) -> list[list[UserError]]:
    """The first hundred mistakes in each job's file, in the order of its rows."""
    found = await job.ended(keys)
    texts = [found[key].errors if key in found else None for key in keys]
    return [[] if text is None else [_mistake(**error) for error in orjson.loads(text)] for text in texts]


async def waiting(states: Sequence[str]) -> list[int]:
    """The jobs in these states that nobody runs, oldest first."""
    return await job.waiting(states)


async def piece(key: int, number: int) -> bytes | None:
    """A piece of what is kept of a job's file, from 0; None behind the last one."""
    return await job.piece(key, number)


def _up_to_date(row: JobRow) -> JobRow:
    standing = under_way.get(row.id)
    if standing is None or row.state != "RUNNING":
        return row
    return row._replace(phase=standing.phase, done=standing.done, total=standing.total)


def _mistake(code: str, message: str, path: Sequence[str]) -> UserError:
    return UserError(UserErrorCode(code), message, tuple(path))


# ───────────────────────────────────────────── writing ─────────────────────────────────────────────


async def create(asked: Asked, file_name: str, file: BinaryIO, actor: str) -> int:
    """A new job with its file, read from its start. Returns its key. A statement a MiB, and two more."""
    key = ids.new_key()
    await job.insert(key, asked, file_name, actor, datetime.now(UTC))
    file.seek(0)
    number = 0
    while content := file.read(PIECE):
        await job.put_piece(key, number, content)
        number += 1
    return key


async def claim(key: int, states: Sequence[str]) -> JobRow | None:
    """The job, RUNNING now by us; None where it is in none of these states, or somebody runs it.

    Also None after too many attempts: the job has FAILED then.
    """
    row = await job.claim(key, states, datetime.now(UTC))
    if row is not None and row.attempts > MOST_ATTEMPTS:
        await fail(row, f"It was begun {MOST_ATTEMPTS} times, and each time the process that ran it came to an end.")
        return None
    return row


async def hold(row: JobRow) -> None:
    """Keeps others from running the job until the transaction ends. Raises NotOurs."""
    if not await job.hold(row.id, row.attempts):
        raise NotOurs


async def finish(row: JobRow, imported: Imported) -> None:
    """The file is imported, or would be. Raises NotOurs."""
    kept = asdict(imported) | {"changes": [asdict(change) for change in imported.changes[:MOST_CHANGES]]}
    ours = await job.end(
        row.id,
        row.attempts,
        "DONE",
        datetime.now(UTC),
        # A dry run keeps no hierarchy that it makes; whoever looks for it finds none.
        hierarchy=imported.hierarchy,
        outcome=orjson.dumps(kept).decode(),
    )
    if not ours:
        raise NotOurs


async def reject(row: JobRow, refused: Refused, rejected: Iterable[bytes]) -> None:
    """The file has mistakes; its rejected rows take its place. Raises NotOurs."""
    shown = [asdict(error) for error in refused.errors[: RejectedFile.MOST_SHOWN]]
    ours = await job.end(
        row.id,
        row.attempts,
        "REJECTED",
        datetime.now(UTC),
        error_count=refused.count,
        errors=orjson.dumps(shown).decode(),
    )
    if not ours:
        raise NotOurs
    for number, content in enumerate(rejected):
        await job.put_piece(row.id, number, content)


async def fail(row: JobRow, message: str) -> None:
    """The job cannot be done, for this reason. Raises NotOurs."""
    if not await job.end(row.id, row.attempts, "FAILED", datetime.now(UTC), message=message):
        raise NotOurs


async def give_back(row: JobRow, state: str) -> None:
    """The job was broken off before it changed anything, and waits in this state."""
    await job.give_back(row.id, row.attempts, state)


async def tell(key: int, standing: Standing) -> None:
    """Lets other processes see how far this one has come."""
    await job.tell(key, standing.attempt, standing.phase, standing.done, standing.total)
