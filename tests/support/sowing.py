"""Rows by the thousand, written straight into the tables: quick, and without the service's own statements.

sown = Sowing(at)             what is to be there, in memory
sown.customer("C-1", …)       returns the key
await sown.write(url)
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg

from service.dialects import sqlite_argument, sqlite_path
from service.ids import Kind, encode
from service.names import fold, key, searchable
from service.positions import spread

START = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)

COLUMNS = {
    "hierarchy": "id name name_key name_fold description search_fold version spread created_at updated_at",
    "level": "id hierarchy_id depth name name_key node_count",
    "customer_group": (
        "id code code_key code_fold name name_key name_fold description search_fold status customer_count version"
        " created_at updated_at"
    ),
    "node": "id hierarchy_id group_id parent_id position depth child_count descendant_count",
    "closure": "ancestor_id descendant_id distance",
    "customer": ("id code code_key code_fold name name_fold search_fold type type_key version created_at updated_at"),
    "membership": "group_id customer_id",
    "shared_membership": "customer_id group_id",
    "stock_item": "id sku sku_key sku_fold location location_key on_hand held created_at updated_at",
    "reservation": (
        "id stock_item_id group_id hierarchy_id quantity consumed status expires_at reference created_at updated_at"
    ),
    "change": "id at actor action hierarchy_key group_key customer_key summary before after",
    "import_job": (
        "id kind state asked file_name phase done total attempts hierarchy_key outcome error_count errors message actor"
        " created_at started_at finished_at"
    ),
}


@dataclass
class Sowing:
    """Rows to be written; keys count up, so that they stand in the order of their making."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {table: [] for table in COLUMNS})
    last_key: int = 1_000

    def new_key(self) -> int:
        self.last_key += 1
        return self.last_key

    def customer(self, code: str, name: str, type: str = "", at: datetime = START) -> int:
        """A customer; returns its key."""
        new = self.new_key()
        row = (new, code, key(code), fold(code), name, fold(name), searchable(code, name), type, key(type), 1, at, at)
        self.rows["customer"].append(row)
        return new

    def group(
        self,
        code: str,
        name: str,
        description: str = "",
        status: str = "ACTIVE",
        customers: Sequence[int] = (),
        created_at: datetime = START,
        updated_at: datetime = START,
    ) -> int:
        """A group with its members; returns its key."""
        new = self.new_key()
        names = (code, key(code), fold(code), name, key(name), fold(name), description)
        search = searchable(code, name, description)
        row = (new, *names, search, status, len(customers), 1, created_at, updated_at)
        self.rows["customer_group"].append(row)
        self.rows["membership"] += [(new, customer) for customer in customers]
        return new

    def hierarchy(
        self,
        name: str,
        levels: Sequence[str],
        groups: Sequence[int] = (),
        parents: Sequence[int | None] = (),
        at: datetime = START,
    ) -> tuple[int, list[int]]:
        """A hierarchy in which each group stands below the one in the place `parents` names, which comes earlier.

        Siblings stand in the order of the groups. Returns its key and those of the nodes.
        """
        new = self.new_key()
        description = f"The hierarchy {name}"
        search = searchable(name, description)
        self.rows["hierarchy"].append((new, name, key(name), fold(name), description, search, 1, 0, at, at))
        nodes = [self.new_key() for _ in groups]
        above: list[list[int]] = []
        for place, parent in enumerate(parents):
            above.append([] if parent is None else [nodes[parent], *above[parent]])
            chain = [nodes[place], *above[place]]
            self.rows["closure"] += [(up, nodes[place], distance) for distance, up in enumerate(chain)]
        self._nodes(new, nodes, groups, parents, above)
        depths = Counter(len(chain) + 1 for chain in above)
        self.rows["level"] += [
            (self.new_key(), new, depth, level, key(level), depths[depth]) for depth, level in enumerate(levels, 1)
        ]
        return new, nodes

    def _nodes(
        self,
        hierarchy: int,
        nodes: Sequence[int],
        groups: Sequence[int],
        parents: Sequence[int | None],
        above: Sequence[Sequence[int]],
    ) -> None:
        children = Counter(nodes[parent] for parent in parents if parent is not None)
        descendants = Counter(up for chain in above for up in chain)
        siblings = Counter(parents)
        positions = {parent: iter(spread(number)) for parent, number in siblings.items()}
        for place, node in enumerate(nodes):
            parent = parents[place]
            owner = None if parent is None else nodes[parent]
            counts = (children[node], descendants[node])
            depth = len(above[place]) + 1
            row = (node, hierarchy, groups[place], owner, next(positions[parent]), depth, *counts)
            self.rows["node"].append(row)

    def stock_item(self, sku: str, location: str, on_hand: int, held: int = 0, at: datetime = START) -> int:
        """A stock item of which `held` units will be reserved; returns its key."""
        new = self.new_key()
        row = (new, sku, key(sku), fold(sku), location, key(location), on_hand, held, at, at)
        self.rows["stock_item"].append(row)
        return new

    def reservation(
        self,
        item: int,
        group: int,
        hierarchy: int | None = None,
        quantity: int = 1,
        consumed: int = 0,
        status: str = "OPEN",
        expires_at: datetime | None = None,
        reference: str = "",
        at: datetime = START,
    ) -> int:
        """A reservation, counted by its item already; returns its key."""
        new = self.new_key()
        row = (new, item, group, hierarchy, quantity, consumed, status, expires_at, reference, at, at)
        self.rows["reservation"].append(row)
        return new

    def change(
        self,
        action: str,
        summary: str,
        hierarchy: int | None = None,
        group: int | None = None,
        customer: int | None = None,
        actor: str = "sower",
        at: datetime = START,
    ) -> int:
        """A row of the log; returns its key."""
        new = self.new_key()
        values = ('{"sown": false}', '{"sown": true}')
        self.rows["change"].append((new, at, actor, action, hierarchy, group, customer, summary, *values))
        return new

    def job(self, file_name: str, hierarchy: int | None = None, at: datetime = START) -> int:
        """An import job that is over, with something in each of its columns; returns its key."""
        new = self.new_key()
        asked = '{"kind": "HIERARCHY", "name": "Sown"}'
        change = '{"action": "MOVED", "row": 2, "code": "G-1", "name": "Group 1", "before": "a", "after": "b"}'
        outcome = f'{{"rows": 1, "moved": 1, "changes": [{change}]}}'
        errors = '[{"code": "BAD_ROW", "message": "A row is sown.", "path": ["csv", "2", "Code"]}]'
        row = ("HIERARCHY", "REJECTED", asked, file_name, "sowing", 1, 2, 1, hierarchy, outcome, 1, errors, "sown")
        self.rows["import_job"].append((new, *row, "sower", at, at, at))
        return new

    async def write(self, url: str) -> None:
        """Writes all of it, in one transaction."""
        groups_of = Counter(customer for _, customer in self.rows["membership"])
        self.rows["shared_membership"] = [
            (customer, group) for group, customer in self.rows["membership"] if groups_of[customer] > 1
        ]
        path = sqlite_path(url)
        if path is not None:
            with closing(sqlite3.connect(path)) as file, file:
                for table, rows in self.rows.items():
                    columns = COLUMNS[table].split()
                    places = ", ".join("?" * len(columns))
                    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
                    file.executemany(statement, map(_for_sqlite, rows))
            return
        connection = await asyncpg.connect(url)
        try:
            async with connection.transaction():
                for table, rows in self.rows.items():
                    await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table].split())
            await connection.execute("ANALYZE")
        finally:
            await connection.close()


def _for_sqlite(row: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(map(sqlite_argument, row))


def group_id(key: int) -> str:
    """The id of the group with this key."""
    return encode(Kind.GROUP, key)


def node_id(key: int) -> str:
    """The id of the node with this key."""
    return encode(Kind.NODE, key)


def hierarchy_id(key: int) -> str:
    """The id of the hierarchy with this key."""
    return encode(Kind.HIERARCHY, key)


def customer_id(key: int) -> str:
    """The id of the customer with this key."""
    return encode(Kind.CUSTOMER, key)


def job_id(key: int) -> str:
    """The id of the import job with this key."""
    return encode(Kind.JOB, key)


def change_id(key: int) -> str:
    """The id of the change with this key."""
    return encode(Kind.CHANGE, key)


def stock_item_id(key: int) -> str:
    """The id of the stock item with this key."""
    return encode(Kind.STOCK_ITEM, key)


def reservation_id(key: int) -> str:
    """The id of the reservation with this key."""
    return encode(Kind.RESERVATION, key)
