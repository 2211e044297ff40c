"""Import jobs are run: by `grove serve` as they come, by `grove import` at once, by either after a crash.

A job is claimed, which makes it RUNNING, in a short transaction. Its import is one transaction more, which holds the
job's lock (store/job.py) and in which the job becomes DONE: so a file is applied once and whole, however often it is
begun. What else may come of it (REJECTED, FAILED, a dry run) is written after that transaction was rolled back.

An import runs in a thread with an event loop and connections of its own. Planning a large file takes Python seconds
at a time, and requests are to be answered meanwhile; and no time limit of requests is to end it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar
from uuid import uuid4

import structlog

from service import engines, ids, transaction
from service.db import Database
from service.dialects import sqlite_path
from service.errors import GroveError, Refused, RejectedFile, TimedOut, Unavailable
from service.ids import Kind
from service.imported import Asked, Imported, Progress, Standing
from service.matching import Reference
from service.rejected import rejected_csv
from service.resolvers import hierarchy, job, list_files, tree_file
from service.resolvers.job import NotOurs, under_way
from service.sheets import Line, lines_of_file
from service.store.job import JobRow
from service.transaction import Mutation

T = TypeVar("T")

# How often a process that is not told of a job looks for one.
POLL_SECONDS = 3.0
# How often a running import tells the others how far it is: each time costs a transaction.
TELL_SECONDS = 1.0
# How long an import waits for another one of the same hierarchy. On SQLite a thread that waits cannot be stopped.
LOCK_SECONDS = 300.0
SQLITE_LOCK_SECONDS = 15.0
# No statement of an import takes as long; a connection that stays silent for twice as long is given up.
STATEMENT_SECONDS = 3_600.0

log = structlog.get_logger("grove")


class Runner:
    """Runs the jobs of one process, one at a time, oldest first."""

    def __init__(self, url: str, database: Database) -> None:
        self.url = url
        self.database = database
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """There is a new job."""
        self._wanted.set()

    async def live(self) -> None:
        """Takes job after job until it is cancelled; the one under way is then rolled back, and waits again."""
        while True:
            self._wanted.clear()
            if not await self._run_those_waiting():
                # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the news.
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._wanted.wait()

    async def _run_those_waiting(self) -> bool:
        """Whether there was one to be run."""
        try:
            async with self.database.snapshot():
                waiting = await job.waiting(job.WAITING)
            for key in waiting:
                if await run(self.url, self.database, key, job.WAITING):
                    await self._log(key)
                    return True
        except (Unavailable, TimedOut) as problem:
            log.warning("no import can be run at the moment", reason=str(problem))
        except Exception:
            log.exception("fault")
        return False

    async def _log(self, key: int) -> None:
        """One line for each job, as for each request."""
        async with self.database.snapshot():
            (row,) = await job.by_key([key])
        if row is not None and row.started_at is not None and row.finished_at is not None:
            seconds = round((row.finished_at - row.started_at).total_seconds(), 1)
            id = ids.encode(Kind.JOB, key)
            log.info("import", job=id, kind=row.kind, state=row.state, actor=row.actor, seconds=seconds)


@asynccontextmanager
async def running(url: str, database: Database) -> AsyncIterator[Runner]:
    """A runner at work for as long as the block lasts."""
    runner = Runner(url, database)
    task = asyncio.create_task(runner.live())
    try:
        yield runner
    finally:
        task.cancel()
        await asyncio.wait([task])


async def run(url: str, database: Database, key: int, states: Sequence[str], *, stopped: str = "QUEUED") -> bool:
    """Runs a job that is in one of these states; what came of it stands in the job afterwards.

    False where somebody else runs it, or has ended it. `database` is where it is told how far the job has come. A
    job that is cancelled changes nothing, and waits on as `stopped` says. Raises Unavailable where the database does
    not answer, or another writer is long in the way; the job then waits again.
    """
    standing = under_way[key] = Standing()
    telling = asyncio.create_task(_tell(database, key, standing))
    try:
        return await _in_a_thread(lambda: _attempt(url, key, states, stopped, standing))
    finally:
        telling.cancel()
        await asyncio.wait([telling])
        del under_way[key]


async def _tell(database: Database, key: int, standing: Standing) -> None:
    """Lets other processes know how far the job has come; not on SQLite, where the import is the one writer."""
    told = None
    while database.engine.dialect == "postgres":
        await asyncio.sleep(TELL_SECONDS)
        now = (standing.phase, standing.done, standing.total)
        if standing.attempt and now != told:
            told = now
            with suppress(GroveError):
                async with database.transaction():
                    await job.tell(key, standing)


async def _in_a_thread(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What comes of the work, done in a thread with an event loop of its own.

    Cancelled, it is cancelled there, and waited for.
    """
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = Future()

    async def begin() -> T:
        begun.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        return await work()

    thread = asyncio.create_task(asyncio.to_thread(asyncio.run, begin()))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        loop, task = await asyncio.wrap_future(begun)
        assert task is not None
        # The loop may have ended in between.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
        await asyncio.wait([thread])
        raise


async def _attempt(url: str, key: int, states: Sequence[str], stopped: str, standing: Standing) -> bool:
    database = await _connect(url)
    try:
        async with database.transaction():
            row = await job.claim(key, states)
        if row is None:
            return False
        standing.attempt = row.attempts
        try:
            await _import(database, row, standing.tell)
        except (asyncio.CancelledError, Unavailable) as reason:
            async with database.transaction():
                await job.give_back(row, "QUEUED" if isinstance(reason, Unavailable) else stopped)
            raise
        return True
    except NotOurs:
        return False
    finally:
        await database.close()


async def _connect(url: str) -> Database:
    """Connections for an import; cancelled meanwhile, none is left open."""
    connecting = asyncio.ensure_future(
        engines.connect(
            url,
            pool_size=2,
            lock_seconds=SQLITE_LOCK_SECONDS if sqlite_path(url) else LOCK_SECONDS,
            statement_seconds=STATEMENT_SECONDS,
        )
    )
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        await (await connecting).close()
        raise


async def _import(database: Database, row: JobRow, progress: Progress) -> None:
    """Brings a claimed job to its end. Raises NotOurs and Unavailable."""
    with NamedTemporaryFile(prefix="grove-import-") as file:
        async with database.snapshot():
            async for piece in pieces(row.id):
                file.write(piece)
        file.flush()
        path = Path(file.name)

        async def work(mutation: Mutation) -> Imported:
            mutation.dry_run = row.asked.dry_run
            await job.hold(row)
            imported = await _load(row.asked, lines_of_file(path), progress)
            if mutation.dry_run:
                mutation.roll_back()
            else:
                await job.finish(row, imported)
            return imported

        try:
            imported = await transaction.run(database, row.actor, work)
            if row.asked.dry_run:
                async with database.transaction():
                    await job.finish(row, imported)
            return
        except Refused as refused:
            every = refused.every if isinstance(refused, RejectedFile) else refused.errors
            async with database.transaction():
                await job.reject(row, refused, rejected_csv(path, every))
            return
        except (NotOurs, Unavailable):
            raise
        except TimedOut as problem:
            message = str(problem)
        except Exception:
            number = uuid4().hex
            log.exception("fault", job=ids.encode(Kind.JOB, row.id), correlationId=number)
            message = (
                f"Something went wrong on our side. The service's log tells more under this correlation id: {number}."
            )
        async with database.transaction():
            await job.fail(row, message)


async def pieces(key: int) -> AsyncIterator[bytes]:
    """What is kept of a job's file, piece by piece, within a snapshot or transaction of the caller's."""
    for number in count():
        piece = await job.piece(key, number)
        if piece is None:
            return
        yield piece


async def _load(asked: Asked, lines: Iterator[Line], progress: Progress) -> Imported:
    """The import itself, in the current transaction. Raises Refused."""
    if asked.kind == "CUSTOMERS":
        return await list_files.load_customers(lines, progress)
    if asked.kind == "GROUPS":
        return await list_files.load_groups(lines, progress)
    if asked.kind == "MEMBERS":
        group = None if asked.group is None else Reference(code=asked.group)
        return await list_files.load_members(lines, group, asked.mode, progress)
    key, new = asked.hierarchy, asked.name
    if new is not None and (found := (await hierarchy.by_reference([Reference(name=new)]))[0]) is not None:
        key, new = found.id, None
    return await tree_file.load(lines, key, new, asked.mode, asked.duplicate_names, progress)
