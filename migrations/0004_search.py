"""Indexes that have the pages asked for most ready in their order: groups of a status by name, customers of a type
by code. The indexes by trigrams are no migration's: see service/trigrams.py.
"""

from tortoise.migrations.migration import Migration as TortoiseMigration

from migrations._tables import RunStatements

FORWARD = [
    "CREATE INDEX IF NOT EXISTS customer_group_by_status_and_name ON customer_group (status, name_fold, id)",
    "CREATE INDEX IF NOT EXISTS customer_by_type_and_code ON customer (type_key, code_fold, id)",
]
BACKWARD = ["DROP INDEX customer_by_type_and_code", "DROP INDEX customer_group_by_status_and_name"]


class Migration(TortoiseMigration):
    """Indexes for filters together with an order."""

    dependencies = [("grove", "0003_import_jobs")]
    operations = [
        RunStatements(
            forward={"postgres": FORWARD, "sqlite": FORWARD}, backward={"postgres": BACKWARD, "sqlite": BACKWARD}
        )
    ]
