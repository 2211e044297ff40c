"""Import jobs, and their files in pieces: an upload that was accepted is as durable as any other change.

IF NOT EXISTS throughout, as in the first migration: a process killed before a migration was recorded runs it again.
"""

from tortoise import fields
from tortoise.migrations.migration import Migration as TortoiseMigration

from migrations._tables import CreateTable, RunStatements

IMPORT_JOB = CreateTable(
    "ImportJob",
    [
        ("id", fields.BigIntField(primary_key=True, generated=False)),
        ("kind", fields.TextField()),
        ("state", fields.TextField()),
        ("asked", fields.JSONField()),
        ("file_name", fields.TextField()),
        ("phase", fields.TextField()),
        ("done", fields.IntField()),
        ("total", fields.IntField()),
        ("attempts", fields.IntField()),
        ("hierarchy_key", fields.BigIntField(null=True)),
        ("outcome", fields.JSONField(null=True)),
        ("error_count", fields.IntField()),
        ("errors", fields.JSONField(null=True)),
        ("message", fields.TextField()),
        ("actor", fields.TextField()),
        ("created_at", fields.DatetimeField()),
        ("started_at", fields.DatetimeField(null=True)),
        ("finished_at", fields.DatetimeField(null=True)),
    ],
    "import_job",
    [
        """
        CREATE TABLE IF NOT EXISTS import_job (
            id bigint PRIMARY KEY,
            kind {key} NOT NULL CHECK (kind IN ('HIERARCHY', 'CUSTOMERS', 'MEMBERS', 'GROUPS')),
            state {key} NOT NULL CHECK (state IN ('QUEUED', 'RUNNING', 'STOPPED', 'DONE', 'REJECTED', 'FAILED')),
            asked {json} NOT NULL,
            file_name text NOT NULL,
            phase text NOT NULL,
            done int NOT NULL CHECK (done >= 0),
            total int NOT NULL CHECK (total >= 0),
            attempts int NOT NULL CHECK (attempts >= 0),
            hierarchy_key bigint,
            outcome {json},
            error_count int NOT NULL CHECK (error_count >= 0),
            errors {json},
            message text NOT NULL,
            actor {key} NOT NULL,
            created_at {at} NOT NULL,
            started_at {at},
            finished_at {at}
        )
        """,
        # Serves the search for work; the jobs that are over are many, the others few.
        """
        CREATE INDEX IF NOT EXISTS import_job_waiting ON import_job (id)
        WHERE state IN ('QUEUED', 'RUNNING', 'STOPPED')
        """,
        "CREATE INDEX IF NOT EXISTS import_job_by_created ON import_job (created_at)",
    ],
)

# The bytes of a job's file while it waits or runs, and those of its rejected rows afterwards.
IMPORT_PIECE = """
    CREATE TABLE IF NOT EXISTS import_piece (
        job_id bigint NOT NULL REFERENCES import_job (id) ON DELETE CASCADE,
        number int NOT NULL CHECK (number >= 0),
        content {bytes} NOT NULL,
        PRIMARY KEY (job_id, number)
    )
"""


class Migration(TortoiseMigration):
    """Adds import jobs."""

    dependencies = [("grove", "0002_stock")]
    operations = [
        IMPORT_JOB,
        RunStatements(
            forward={"postgres": [IMPORT_PIECE], "sqlite": [IMPORT_PIECE]},
            backward={"postgres": ["DROP TABLE import_piece"], "sqlite": ["DROP TABLE import_piece"]},
        ),
    ]
