"""Import jobs and the pieces of their files.

Who runs a job holds a lock for as long as its import's transaction lasts: on PostgreSQL an advisory lock under the
job's key, on SQLite the one there is for writing. It goes with the process that holds it, however that ends. So a
job that is RUNNING while nobody holds its lock was abandoned, and anybody may run it again.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from service import db
from service.dialects import Forms
from service.imported import Asked
from service.paging import Page, Slice
from service.store.listing import Conditions, Listing, Sorting

KEPT = timedelta(days=30)
COLUMNS = (
    "{0}.id, {0}.kind, {0}.state, {0}.asked, {0}.file_name, {0}.phase, {0}.done, {0}.total, {0}.attempts, "
    "{0}.hierarchy_key, {0}.error_count, {0}.message, {0}.actor, {0}.created_at, {0}.started_at, {0}.finished_at"
)
JOB = COLUMNS.format("import_job")


class JobRow(NamedTuple):
    """A job as it is read, without what came of its file; see `ended`."""

    id: int
    kind: str
    state: str
    asked: Asked
    file_name: str
    phase: str
    done: int
    total: int
    attempts: int
    hierarchy_id: int | None
    error_count: int
    message: str
    actor: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Ended(NamedTuple):
    """What came of a job's file: JSON texts, None where there is nothing."""

    outcome: str | None
    errors: str | None


BY_KEYS = f"""
    SELECT {JOB} FROM import_job WHERE import_job.id = ANY($1::bigint[])
"""

ENDED = """
    SELECT id, outcome, errors FROM import_job WHERE id = ANY($1::bigint[])
"""

# The advisory lock of a job, as pg_locks shows it: a key of 64 bits in two halves. On SQLite whoever runs a job has
# the file to itself, and the claim waits for that.
ABANDONED = Forms(
    postgres="""
        NOT EXISTS (
            SELECT 1 FROM pg_locks
            WHERE locktype = 'advisory' AND objsubid = 1
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32) + objid::bigint = import_job.id
        )
    """,
    sqlite="1 = 1",
)
WAITING = Forms(
    *(
        f"""
        -- The jobs that somebody should run, oldest first.
        SELECT id FROM import_job
        WHERE state IN ('QUEUED', 'RUNNING', 'STOPPED') AND state = ANY($1::text[])
            AND (state <> 'RUNNING' OR {abandoned})
        ORDER BY id
        """
        for abandoned in ABANDONED
    )
)

TRY_LOCK = Forms(
    postgres="SELECT pg_try_advisory_xact_lock($1)",
    sqlite="SELECT ?1 IS NOT NULL",
)
LOCK = Forms(
    postgres="SELECT pg_advisory_xact_lock($1)",
    sqlite="SELECT ?1 IS NOT NULL",
)

INSERT = """
    INSERT INTO import_job (id, kind, state, asked, file_name, phase, done, total, attempts, error_count, message,
        actor, created_at)
    VALUES ($1, $2, 'QUEUED', $3::text::jsonb, $4, '', 0, 0, 0, 0, '', $5, $6)
"""

FORGET = """
    -- A few of the jobs that have been over for long, with what is left of their files.
    DELETE FROM import_job WHERE id IN (
        SELECT id FROM import_job
        WHERE created_at < $1 AND state IN ('DONE', 'REJECTED', 'FAILED') ORDER BY created_at LIMIT 20
        FOR NO KEY UPDATE SKIP LOCKED
    )
"""

CLAIM = """
    UPDATE import_job
    SET state = 'RUNNING', attempts = attempts + 1, phase = '', done = 0, total = 0,
        started_at = COALESCE(started_at, $3)
    WHERE id = $1 AND state = ANY($2::text[])
    RETURNING id
"""

OURS = """
    SELECT 1 FROM import_job WHERE id = $1 AND attempts = $2 AND state = 'RUNNING'
"""

TELL = """
    UPDATE import_job SET phase = $3, done = $4, total = $5
    WHERE id = $1 AND attempts = $2 AND state = 'RUNNING'
"""

GIVE_BACK = """
    -- It counts as never begun.
    UPDATE import_job SET state = $3, attempts = attempts - 1, phase = '', done = 0, total = 0
    WHERE id = $1 AND attempts = $2 AND state = 'RUNNING'
"""

END = """
    -- Answers a row if the job was still ours.
    UPDATE import_job
    SET state = $3, phase = '', done = 0, total = 0, hierarchy_key = $4, outcome = $5::text::jsonb, error_count = $6,
        errors = $7::text::jsonb, message = $8, finished_at = $9
    WHERE id = $1 AND attempts = $2 AND state = 'RUNNING'
    RETURNING id
"""

INSERT_PIECE = """
    INSERT INTO import_piece (job_id, number, content) VALUES ($1, $2, $3)
"""

PIECE = """
    SELECT content FROM import_piece WHERE job_id = $1 AND number = $2
"""

DELETE_PIECES = """
    DELETE FROM import_piece WHERE job_id = $1
"""

LISTING_ALL = Listing(columns=COLUMNS.format("item"), table="import_job", link="parent.id = 0")
NEWEST = Sorting("imports", "id", distinct=True)


def _row(values: Sequence[Any]) -> JobRow:
    row = JobRow._make(values)
    return row._replace(asked=Asked(**orjson.loads(values[3])))


async def by_keys(keys: Collection[int]) -> dict[int, JobRow]:
    """The jobs that there are of these. One statement."""
    return {row[0]: _row(row) for row in await db.fetch(BY_KEYS, list(keys))}


async def page(parents: Sequence[int], page: Page) -> list[Slice[JobRow]]:
    """A page of all jobs, newest first. One statement."""
    return await LISTING_ALL.page(parents, page, NEWEST, True, Conditions(), lambda record: _row(record[:-2]))


async def totals(parents: Sequence[int]) -> list[int]:
    """How many jobs there are. One statement."""
    return await LISTING_ALL.totals(parents, Conditions())


async def ended(keys: Collection[int]) -> dict[int, Ended]:
    """What came of the files of these jobs. One statement."""
    return {row[0]: Ended(row[1], row[2]) for row in await db.fetch(ENDED, list(keys))}


async def waiting(states: Sequence[str]) -> list[int]:
    """The jobs in these states that nobody runs, oldest first. One statement."""
    return [row[0] for row in await db.fetch(WAITING, list(states))]


async def insert(key: int, asked: Asked, file_name: str, actor: str, at: datetime) -> None:
    """A new job, without its file yet; some that have been over for long go. Two statements."""
    await db.fetch(FORGET, at - KEPT)
    await db.fetch(INSERT, key, asked.kind, orjson.dumps(asked).decode(), file_name, actor, at)


async def claim(key: int, states: Sequence[str], at: datetime) -> JobRow | None:
    """Makes the job RUNNING for one more attempt; None where it is in none of these states, or somebody runs it.

    Three statements. The lock that keeps others away ends with this transaction; that of the import takes it anew.
    """
    if not await db.fetch_value(TRY_LOCK, key) or not await db.fetch(CLAIM, key, list(states), at):
        return None
    return (await by_keys([key]))[key]


async def hold(key: int, attempt: int) -> bool:
    """Takes the job's lock until the transaction ends; whether it is still this attempt's. Two statements."""
    await db.fetch(LOCK, key)
    return bool(await db.fetch(OURS, key, attempt))


async def tell(key: int, attempt: int, phase: str, done: int, total: int) -> None:
    """Writes down how far an attempt has come. One statement."""
    await db.fetch(TELL, key, attempt, phase, done, total)


async def give_back(key: int, attempt: int, state: str) -> None:
    """The attempt was broken off; the job waits in this state. One statement."""
    await db.fetch(GIVE_BACK, key, attempt, state)


async def end(
    key: int,
    attempt: int,
    state: str,
    at: datetime,
    *,
    hierarchy: int | None = None,
    outcome: str | None = None,
    error_count: int = 0,
    errors: str | None = None,
    message: str = "",
) -> bool:
    """The job is over, and its file goes; False, and nothing is done, where it is no longer this attempt's.

    Two statements.
    """
    if not await db.fetch(END, key, attempt, state, hierarchy, outcome, error_count, errors, message, at):
        return False
    await db.fetch(DELETE_PIECES, key)
    return True


async def put_piece(key: int, number: int, content: bytes) -> None:
    """Adds the piece with this number, from 0, to what is kept of a job's file. One statement."""
    await db.fetch(INSERT_PIECE, key, number, content)


async def piece(key: int, number: int) -> bytes | None:
    """The piece with this number; None behind the last one. One statement."""
    found: bytes | None = await db.fetch_value(PIECE, key, number)
    return found
