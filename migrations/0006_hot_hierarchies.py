"""Hierarchies without an index on when they changed, which each change of a tree would have to write.

A row that changes in no column of an index stays where it is for the indexes, and PostgreSQL clears its old versions
away in passing; else they pile up between two runs of VACUUM, and whoever locks the hierarchy reads past all of them.
There are few hierarchies, so that to put them in order of their last change takes no index. Half of each page is
left free for the versions to come.
"""

from tortoise.migrations.migration import Migration as TortoiseMigration

from migrations._tables import RunStatements

INDEX = "CREATE INDEX IF NOT EXISTS hierarchy_by_updated ON hierarchy (updated_at, id)"
NO_INDEX = "DROP INDEX IF EXISTS hierarchy_by_updated"
ROOM = ["ALTER TABLE hierarchy SET (fillfactor = 50)", "ALTER TABLE level SET (fillfactor = 50)"]
NO_ROOM = ["ALTER TABLE hierarchy RESET (fillfactor)", "ALTER TABLE level RESET (fillfactor)"]


class Migration(TortoiseMigration):
    """What makes the commonest write of all cheap."""

    dependencies = [("grove", "0005_shared_memberships")]
    operations = [
        RunStatements(
            forward={"postgres": [NO_INDEX, *ROOM], "sqlite": [NO_INDEX]},
            backward={"postgres": [INDEX, *NO_ROOM], "sqlite": [INDEX]},
        )
    ]
