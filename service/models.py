"""The Tortoise models, on one page: the entity diagram.

    hierarchy 1 ─── n level                    named, depth 1 at the top
        │ 1
        n
      node n ─── 1 customer_group              a group's place, at most one in a hierarchy
        │                 │ 1
        └ parent          n
                      membership n ─── 1 customer

    stock_item 1 ─── n reservation n ─── 1 customer_group
                             n
                             └────── 0..1 hierarchy

    closure (ancestor, descendant, distance)   derived from node.parent_id; raw SQL only
    shared_membership (customer, group)        derived: the memberships of customers in several groups; raw SQL only
    change                                     the log; it outlives what it speaks of, so it refers by plain keys
    idempotency                                answers to be given again
    import_job 1 ─── n import_piece            files to be imported; the pieces by raw SQL only

What a model cannot say (checks, collations, the tables with keys of two columns: the closure and the memberships)
stands in migrations/. The columns that end in _key and _fold are derived by service/names.py. A model's
docstring would be part of the migrations' state, hence the comments.
"""

from typing import Any

from tortoise import fields
from tortoise.models import Model


# A named tree of customer groups.
class Hierarchy(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    name = fields.TextField()
    name_key = fields.TextField()
    name_fold = fields.TextField()
    description = fields.TextField()
    search_fold = fields.TextField()
    version = fields.IntField()
    # How often the positions of siblings were spread anew: a cursor from before must not trust its positions.
    spread = fields.IntField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "hierarchy"


# A level of a hierarchy; `node_count` is derived.
class Level(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    hierarchy: Any = fields.ForeignKeyField("grove.Hierarchy", related_name="levels", on_delete=fields.CASCADE)
    depth = fields.IntField()
    name = fields.TextField()
    name_key = fields.TextField()
    node_count = fields.IntField()

    class Meta:
        table = "level"


# A set of customers; `customer_count` is derived.
class CustomerGroup(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    code = fields.TextField()
    code_key = fields.TextField()
    code_fold = fields.TextField()
    name = fields.TextField()
    name_key = fields.TextField()
    name_fold = fields.TextField()
    description = fields.TextField()
    search_fold = fields.TextField()
    status = fields.TextField()
    customer_count = fields.IntField()
    version = fields.IntField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "customer_group"


# A group's place in a hierarchy; `depth` and the two counts are derived from the parents.
class Node(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    hierarchy: Any = fields.ForeignKeyField("grove.Hierarchy", related_name="nodes", on_delete=fields.RESTRICT)
    group: Any = fields.ForeignKeyField("grove.CustomerGroup", related_name="nodes", on_delete=fields.RESTRICT)
    parent: Any = fields.ForeignKeyField("grove.Node", related_name="children", null=True, on_delete=fields.RESTRICT)
    position = fields.TextField()
    depth = fields.IntField()
    child_count = fields.IntField()
    descendant_count = fields.IntField()

    class Meta:
        table = "node"


# Somebody whom the company sells to or through.
class Customer(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    code = fields.TextField()
    code_key = fields.TextField()
    code_fold = fields.TextField()
    name = fields.TextField()
    name_fold = fields.TextField()
    search_fold = fields.TextField()
    type = fields.TextField()
    type_key = fields.TextField()
    version = fields.IntField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "customer"


# What is on hand of one SKU at one location; `held` is derived from the reservations that stand as open.
class StockItem(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    sku = fields.TextField()
    sku_key = fields.TextField()
    sku_fold = fields.TextField()
    location = fields.TextField()
    location_key = fields.TextField()
    on_hand = fields.IntField()
    held = fields.IntField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "stock_item"


# Stock set aside for a group and, with a hierarchy, for those below it there. One that has expired stands as
# OPEN until somebody changes its item.
class Reservation(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    stock_item: Any = fields.ForeignKeyField("grove.StockItem", related_name="reservations", on_delete=fields.RESTRICT)
    group: Any = fields.ForeignKeyField("grove.CustomerGroup", related_name="reservations", on_delete=fields.RESTRICT)
    hierarchy: Any = fields.ForeignKeyField(
        "grove.Hierarchy", related_name="reservations", null=True, on_delete=fields.RESTRICT
    )
    quantity = fields.IntField()
    consumed = fields.IntField()
    status = fields.TextField()
    expires_at = fields.DatetimeField(null=True)
    reference = fields.TextField()
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()

    class Meta:
        table = "reservation"


# One committed change; the keys point to things that may be gone by now.
class Change(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    at = fields.DatetimeField()
    actor = fields.TextField()
    action = fields.TextField()
    hierarchy_key = fields.BigIntField(null=True)
    group_key = fields.BigIntField(null=True)
    customer_key = fields.BigIntField(null=True)
    summary = fields.TextField()
    before: Any = fields.JSONField(null=True)
    after: Any = fields.JSONField(null=True)

    class Meta:
        table = "change"


# The answer that was given to a mutation with this key, to be given again.
class Idempotency(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    actor = fields.TextField()
    key = fields.TextField()
    fingerprint = fields.TextField()
    answer = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "idempotency"


# A file that is imported, or was. The hierarchy's key points to what may be gone by now.
class ImportJob(Model):
    id = fields.BigIntField(primary_key=True, generated=False)
    kind = fields.TextField()
    state = fields.TextField()
    asked: Any = fields.JSONField()
    file_name = fields.TextField()
    phase = fields.TextField()
    done = fields.IntField()
    total = fields.IntField()
    attempts = fields.IntField()
    hierarchy_key = fields.BigIntField(null=True)
    outcome: Any = fields.JSONField(null=True)
    error_count = fields.IntField()
    errors: Any = fields.JSONField(null=True)
    message = fields.TextField()
    actor = fields.TextField()
    created_at = fields.DatetimeField()
    started_at = fields.DatetimeField(null=True)
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        table = "import_job"
