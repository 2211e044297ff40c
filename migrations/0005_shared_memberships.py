"""The memberships of customers who are in more than one group, kept beside all memberships and derived from them.

A table of its own: the rows are few, are found without an index on what all rows have, and cost nothing where a
customer is in one group only. Without foreign keys, as the closure table is; `grove check` stands in.
"""

from tortoise.migrations.migration import Migration as TortoiseMigration

from migrations._tables import RunStatements

FORWARD = [
    """
    CREATE TABLE IF NOT EXISTS shared_membership (
        customer_id bigint NOT NULL,
        group_id bigint NOT NULL,
        PRIMARY KEY (customer_id, group_id)
    ) {clustered}
    """,
    """
    INSERT INTO shared_membership (customer_id, group_id)
    SELECT customer_id, group_id FROM membership
    WHERE customer_id IN (SELECT customer_id FROM membership GROUP BY customer_id HAVING count(*) > 1)
    ON CONFLICT DO NOTHING
    """,
]
BACKWARD = ["DROP TABLE shared_membership"]


class Migration(TortoiseMigration):
    """What the number of customers below a node is counted by."""

    dependencies = [("grove", "0004_search")]
    operations = [
        RunStatements(
            forward={"postgres": FORWARD, "sqlite": FORWARD}, backward={"postgres": BACKWARD, "sqlite": BACKWARD}
        )
    ]
