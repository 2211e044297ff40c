"""Hierarchies, levels, groups, nodes, customers, members, the change log and the idempotency keys.

What the database can forbid by itself it forbids here. IF NOT EXISTS throughout: Tortoise records a migration
after its transaction, so a process killed in between must find its way when it starts again.

Two constraints are left out on purpose. The closure table has no foreign keys: their checks would be most of
what a subtree move costs; `grove check` stands in. The change log has none: it outlives what it speaks of.
"""

from typing import Any

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.migrations.migration import Migration as TortoiseMigration

from migrations._tables import CreateTable, RunStatements


def key() -> Any:
    return fields.BigIntField(primary_key=True, generated=False)


def reference(column: str, model: str, related_name: str, on_delete: OnDelete, *, null: bool = False) -> Any:
    foreign_key: Any = fields.ForeignKeyField
    return foreign_key(
        f"grove.{model}",
        source_field=column,
        to_field="id",
        db_constraint=True,
        related_name=related_name,
        null=null,
        on_delete=on_delete,
    )


HIERARCHY = CreateTable(
    "Hierarchy",
    [
        ("id", key()),
        ("name", fields.TextField()),
        ("name_key", fields.TextField()),
        ("name_fold", fields.TextField()),
        ("description", fields.TextField()),
        ("search_fold", fields.TextField()),
        ("version", fields.IntField()),
        ("spread", fields.IntField()),
        ("created_at", fields.DatetimeField()),
        ("updated_at", fields.DatetimeField()),
    ],
    "hierarchy",
    [
        """
        CREATE TABLE IF NOT EXISTS hierarchy (
            id bigint PRIMARY KEY,
            name text NOT NULL CHECK (name <> ''),
            name_key {key} NOT NULL CHECK (name_key <> '') UNIQUE,
            name_fold {key} NOT NULL,
            description text NOT NULL,
            search_fold {key} NOT NULL,
            version int NOT NULL CHECK (version >= 1),
            spread int NOT NULL DEFAULT 0,
            created_at {at} NOT NULL,
            updated_at {at} NOT NULL
        )
        """,
        "CREATE INDEX IF NOT EXISTS hierarchy_by_name ON hierarchy (name_fold, id)",
        "CREATE INDEX IF NOT EXISTS hierarchy_by_created ON hierarchy (created_at, id)",
        "CREATE INDEX IF NOT EXISTS hierarchy_by_updated ON hierarchy (updated_at, id)",
    ],
)

LEVEL = CreateTable(
    "Level",
    [
        ("id", key()),
        ("hierarchy", reference("hierarchy_id", "Hierarchy", "levels", OnDelete.CASCADE)),
        ("depth", fields.IntField()),
        ("name", fields.TextField()),
        ("name_key", fields.TextField()),
        ("node_count", fields.IntField()),
    ],
    "level",
    [
        """
        CREATE TABLE IF NOT EXISTS level (
            id bigint PRIMARY KEY,
            hierarchy_id bigint NOT NULL REFERENCES hierarchy (id) ON DELETE CASCADE,
            depth int NOT NULL CHECK (depth BETWEEN 1 AND 128),
            name text NOT NULL CHECK (name <> ''),
            name_key {key} NOT NULL CHECK (name_key <> ''),
            node_count int NOT NULL DEFAULT 0 CHECK (node_count >= 0),
            UNIQUE (hierarchy_id, depth),
            UNIQUE (hierarchy_id, name_key)
        )
        """,
    ],
)

CUSTOMER_GROUP = CreateTable(
    "CustomerGroup",
    [
        ("id", key()),
        ("code", fields.TextField()),
        ("code_key", fields.TextField()),
        ("code_fold", fields.TextField()),
        ("name", fields.TextField()),
        ("name_key", fields.TextField()),
        ("name_fold", fields.TextField()),
        ("description", fields.TextField()),
        ("search_fold", fields.TextField()),
        ("status", fields.TextField()),
        ("customer_count", fields.IntField()),
        ("version", fields.IntField()),
        ("created_at", fields.DatetimeField()),
        ("updated_at", fields.DatetimeField()),
    ],
    "customer_group",
    [
        """
        CREATE TABLE IF NOT EXISTS customer_group (
            id bigint PRIMARY KEY,
            code text NOT NULL CHECK (code <> ''),
            code_key {key} NOT NULL CHECK (code_key <> '') UNIQUE,
            code_fold {key} NOT NULL,
            name text NOT NULL CHECK (name <> ''),
            name_key {key} NOT NULL CHECK (name_key <> '') UNIQUE,
            name_fold {key} NOT NULL,
            description text NOT NULL,
            search_fold {key} NOT NULL,
            status {key} NOT NULL CHECK (status IN ('ACTIVE', 'INACTIVE')),
            customer_count int NOT NULL DEFAULT 0 CHECK (customer_count >= 0),
            version int NOT NULL CHECK (version >= 1),
            created_at {at} NOT NULL,
            updated_at {at} NOT NULL
        )
        """,
        "CREATE INDEX IF NOT EXISTS customer_group_by_code ON customer_group (code_fold, id)",
        "CREATE INDEX IF NOT EXISTS customer_group_by_name ON customer_group (name_fold, id)",
        "CREATE INDEX IF NOT EXISTS customer_group_by_status ON customer_group (status, id)",
        "CREATE INDEX IF NOT EXISTS customer_group_by_count ON customer_group (customer_count, id)",
        "CREATE INDEX IF NOT EXISTS customer_group_by_created ON customer_group (created_at, id)",
        "CREATE INDEX IF NOT EXISTS customer_group_by_updated ON customer_group (updated_at, id)",
    ],
)

NODE = CreateTable(
    "Node",
    [
        ("id", key()),
        ("hierarchy", reference("hierarchy_id", "Hierarchy", "nodes", OnDelete.RESTRICT)),
        ("group", reference("group_id", "CustomerGroup", "nodes", OnDelete.RESTRICT)),
        ("parent", reference("parent_id", "Node", "children", OnDelete.RESTRICT, null=True)),
        ("position", fields.TextField()),
        ("depth", fields.IntField()),
        ("child_count", fields.IntField()),
        ("descendant_count", fields.IntField()),
    ],
    "node",
    [
        # The reference to parent and hierarchy together keeps parent and child in one hierarchy.
        """
        CREATE TABLE IF NOT EXISTS node (
            id bigint PRIMARY KEY,
            hierarchy_id bigint NOT NULL REFERENCES hierarchy (id),
            group_id bigint NOT NULL REFERENCES customer_group (id),
            parent_id bigint,
            position {key} NOT NULL CHECK (position <> ''),
            depth int NOT NULL CHECK (depth >= 1),
            child_count int NOT NULL DEFAULT 0 CHECK (child_count >= 0),
            descendant_count int NOT NULL DEFAULT 0 CHECK (descendant_count >= child_count),
            CHECK ((parent_id IS NULL) = (depth = 1)),
            CHECK (parent_id <> id),
            UNIQUE (id, hierarchy_id),
            UNIQUE (group_id, hierarchy_id),
            FOREIGN KEY (parent_id, hierarchy_id) REFERENCES node (id, hierarchy_id)
        )
        """,
        # Siblings share a scope: their parent's key or, for roots, minus their hierarchy's. One index so
        # keeps the positions of roots as distinct as all others, and serves every page of children.
        """
        CREATE UNIQUE INDEX IF NOT EXISTS node_sibling_position
        ON node (COALESCE(parent_id, -hierarchy_id), position)
        """,
        "CREATE INDEX IF NOT EXISTS node_by_parent ON node (parent_id, hierarchy_id)",
        "CREATE INDEX IF NOT EXISTS node_by_depth ON node (hierarchy_id, depth)",
    ],
)

CUSTOMER = CreateTable(
    "Customer",
    [
        ("id", key()),
        ("code", fields.TextField()),
        ("code_key", fields.TextField()),
        ("code_fold", fields.TextField()),
        ("name", fields.TextField()),
        ("name_fold", fields.TextField()),
        ("search_fold", fields.TextField()),
        ("type", fields.TextField()),
        ("type_key", fields.TextField()),
        ("version", fields.IntField()),
        ("created_at", fields.DatetimeField()),
        ("updated_at", fields.DatetimeField()),
    ],
    "customer",
    [
        """
        CREATE TABLE IF NOT EXISTS customer (
            id bigint PRIMARY KEY,
            code text NOT NULL CHECK (code <> ''),
            code_key {key} NOT NULL CHECK (code_key <> '') UNIQUE,
            code_fold {key} NOT NULL,
            name text NOT NULL CHECK (name <> ''),
            name_fold {key} NOT NULL,
            search_fold {key} NOT NULL,
            type {key} NOT NULL,
            type_key {key} NOT NULL,
            version int NOT NULL CHECK (version >= 1),
            created_at {at} NOT NULL,
            updated_at {at} NOT NULL
        )
        """,
        "CREATE INDEX IF NOT EXISTS customer_by_code ON customer (code_fold, id)",
        "CREATE INDEX IF NOT EXISTS customer_by_name ON customer (name_fold, id)",
        "CREATE INDEX IF NOT EXISTS customer_by_type ON customer (type_key, id)",
        "CREATE INDEX IF NOT EXISTS customer_types ON customer (type)",
        "CREATE INDEX IF NOT EXISTS customer_by_created ON customer (created_at, id)",
    ],
)

CHANGE = CreateTable(
    "Change",
    [
        ("id", key()),
        ("at", fields.DatetimeField()),
        ("actor", fields.TextField()),
        ("action", fields.TextField()),
        ("hierarchy_key", fields.BigIntField(null=True)),
        ("group_key", fields.BigIntField(null=True)),
        ("customer_key", fields.BigIntField(null=True)),
        ("summary", fields.TextField()),
        ("before", fields.JSONField(null=True)),
        ("after", fields.JSONField(null=True)),
    ],
    "change",
    [
        """
        CREATE TABLE IF NOT EXISTS change (
            id bigint PRIMARY KEY,
            at {at} NOT NULL,
            actor {key} NOT NULL,
            action {key} NOT NULL,
            hierarchy_key bigint,
            group_key bigint,
            customer_key bigint,
            summary text NOT NULL,
            before {json},
            after {json}
        )
        """,
        "CREATE INDEX IF NOT EXISTS change_by_hierarchy ON change (hierarchy_key, id)",
        "CREATE INDEX IF NOT EXISTS change_by_group ON change (group_key, id)",
        "CREATE INDEX IF NOT EXISTS change_by_action ON change (action, id)",
        "CREATE INDEX IF NOT EXISTS change_by_actor ON change (actor, id)",
        "CREATE INDEX IF NOT EXISTS change_by_at ON change (at, id)",
    ],
)

IDEMPOTENCY = CreateTable(
    "Idempotency",
    [
        ("id", key()),
        ("actor", fields.TextField()),
        ("key", fields.TextField()),
        ("fingerprint", fields.TextField()),
        ("answer", fields.TextField()),
        ("created_at", fields.DatetimeField()),
    ],
    "idempotency",
    [
        """
        CREATE TABLE IF NOT EXISTS idempotency (
            id bigint PRIMARY KEY,
            actor {key} NOT NULL,
            key {key} NOT NULL,
            fingerprint text NOT NULL,
            answer text NOT NULL,
            created_at {at} NOT NULL,
            UNIQUE (actor, key)
        )
        """,
        "CREATE INDEX IF NOT EXISTS idempotency_by_created ON idempotency (created_at)",
    ],
)

CLOSURE = [
    # At most one ancestor at each distance: at distance 1 that is the one parent. The two indexes serve both
    # directions: down from an ancestor, up from a descendant.
    """
    CREATE TABLE IF NOT EXISTS closure (
        ancestor_id bigint NOT NULL,
        descendant_id bigint NOT NULL,
        distance int NOT NULL CHECK (distance >= 0),
        CHECK ((distance = 0) = (ancestor_id = descendant_id)),
        PRIMARY KEY (ancestor_id, descendant_id)
    ) {clustered}
    """,
    "CREATE UNIQUE INDEX IF NOT EXISTS closure_upward ON closure (descendant_id, distance)",
]

MEMBERSHIP = [
    """
    CREATE TABLE IF NOT EXISTS membership (
        group_id bigint NOT NULL REFERENCES customer_group (id),
        customer_id bigint NOT NULL REFERENCES customer (id),
        PRIMARY KEY (group_id, customer_id)
    ) {clustered}
    """,
    "CREATE INDEX IF NOT EXISTS membership_by_customer ON membership (customer_id, group_id)",
]

# The number of the next generated group code. On PostgreSQL a sequence, so that writers of different
# hierarchies do not wait for one another; SQLite has one writer anyway.
GROUP_CODE = {
    "postgres": ["CREATE SEQUENCE IF NOT EXISTS customer_group_code"],
    "sqlite": [
        "CREATE TABLE IF NOT EXISTS customer_group_code (last_value integer NOT NULL)",
        "INSERT INTO customer_group_code SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM customer_group_code)",
    ],
}


class Migration(TortoiseMigration):
    """The first migration."""

    initial = True
    operations = [
        HIERARCHY,
        LEVEL,
        CUSTOMER_GROUP,
        NODE,
        CUSTOMER,
        CHANGE,
        IDEMPOTENCY,
        RunStatements(
            forward={
                "postgres": [*CLOSURE, *MEMBERSHIP, *GROUP_CODE["postgres"]],
                "sqlite": [*CLOSURE, *MEMBERSHIP, *GROUP_CODE["sqlite"]],
            },
            backward={
                "postgres": [
                    "DROP SEQUENCE customer_group_code",
                    "DROP TABLE membership",
                    "DROP TABLE closure",
                ],
                "sqlite": ["DROP TABLE customer_group_code", "DROP TABLE membership", "DROP TABLE closure"],
            },
        ),
    ]
