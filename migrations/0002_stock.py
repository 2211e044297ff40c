"""Stock items, and the reservations that hold some of their stock back for a group.

That never more is held than is on hand is a check of the table: no order of statements gets around it.
"""

from typing import Any

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.migrations.migration import Migration as TortoiseMigration

from migrations._tables import CreateTable


def key() -> Any:
    return fields.BigIntField(primary_key=True, generated=False)


def reference(column: str, model: str, *, null: bool = False) -> Any:
    foreign_key: Any = fields.ForeignKeyField
    return foreign_key(
        f"grove.{model}",
        source_field=column,
        to_field="id",
        db_constraint=True,
        related_name="reservations",
        null=null,
        on_delete=OnDelete.RESTRICT,
    )


STOCK_ITEM = CreateTable(
    "StockItem",
    [
        ("id", key()),
        ("sku", fields.TextField()),
        ("sku_key", fields.TextField()),
        ("sku_fold", fields.TextField()),
        ("location", fields.TextField()),
        ("location_key", fields.TextField()),
        ("on_hand", fields.IntField()),
        ("held", fields.IntField()),
        ("created_at", fields.DatetimeField()),
        ("updated_at", fields.DatetimeField()),
    ],
    "stock_item",
    [
        """
        CREATE TABLE IF NOT EXISTS stock_item (
            id bigint PRIMARY KEY,
            sku text NOT NULL CHECK (sku <> ''),
            sku_key {key} NOT NULL CHECK (sku_key <> ''),
            sku_fold {key} NOT NULL,
            location text NOT NULL CHECK (location <> ''),
            location_key {key} NOT NULL CHECK (location_key <> ''),
            on_hand int NOT NULL CHECK (on_hand >= 0),
            held int NOT NULL DEFAULT 0 CHECK (held >= 0),
            created_at {at} NOT NULL,
            updated_at {at} NOT NULL,
            CHECK (held <= on_hand),
            UNIQUE (sku_key, location_key)
        )
        """,
        "CREATE INDEX IF NOT EXISTS stock_item_by_sku ON stock_item (sku_fold, id)",
        "CREATE INDEX IF NOT EXISTS stock_item_by_location ON stock_item (location_key, sku_fold, id)",
    ],
)

RESERVATION = CreateTable(
    "Reservation",
    [
        ("id", key()),
        ("stock_item", reference("stock_item_id", "StockItem")),
        ("group", reference("group_id", "CustomerGroup")),
        ("hierarchy", reference("hierarchy_id", "Hierarchy", null=True)),
        ("quantity", fields.IntField()),
        ("consumed", fields.IntField()),
        ("status", fields.TextField()),
        ("expires_at", fields.DatetimeField(null=True)),
        ("reference", fields.TextField()),
        ("created_at", fields.DatetimeField()),
        ("updated_at", fields.DatetimeField()),
    ],
    "reservation",
    [
        # Nothing is left of a reservation if, and only if, it was consumed.
        """
        CREATE TABLE IF NOT EXISTS reservation (
            id bigint PRIMARY KEY,
            stock_item_id bigint NOT NULL REFERENCES stock_item (id),
            group_id bigint NOT NULL REFERENCES customer_group (id),
            hierarchy_id bigint REFERENCES hierarchy (id),
            quantity int NOT NULL CHECK (quantity >= 1),
            consumed int NOT NULL DEFAULT 0 CHECK (consumed BETWEEN 0 AND quantity),
            status {key} NOT NULL CHECK (status IN ('OPEN', 'CONSUMED', 'RELEASED', 'EXPIRED')),
            expires_at {at},
            reference text NOT NULL,
            created_at {at} NOT NULL,
            updated_at {at} NOT NULL,
            CHECK ((status = 'CONSUMED') = (consumed = quantity)),
            CHECK (status <> 'EXPIRED' OR expires_at IS NOT NULL)
        )
        """,
        "CREATE INDEX IF NOT EXISTS reservation_by_item ON reservation (stock_item_id, id)",
        "CREATE INDEX IF NOT EXISTS reservation_by_group ON reservation (group_id, id)",
        "CREATE INDEX IF NOT EXISTS reservation_by_status ON reservation (status, id)",
        """
        CREATE INDEX IF NOT EXISTS reservation_by_hierarchy
        ON reservation (hierarchy_id) WHERE hierarchy_id IS NOT NULL
        """,
        # Of many reservations of an item a few have expired since somebody last looked, and few are open.
        """
        CREATE INDEX IF NOT EXISTS reservation_by_expiry
        ON reservation (stock_item_id, expires_at) WHERE status = 'OPEN'
        """,
    ],
)


class Migration(TortoiseMigration):
    """Stock and reservations."""

    dependencies = [("grove", "0001_customer_groups")]
    operations = [STOCK_ITEM, RESERVATION]
