"""Customers, and their membership in groups."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from service import db
from service.dialects import Forms, rows
from service.matching import CustomerFilter, Order, Reference
from service.names import fold, key, searchable
from service.paging import Page, Slice
from service.store.columns import Columns, some
from service.store.listing import Conditions, Listing, Sorting, key_of, row_of

# A group and a customer, by key.
Pair = tuple[int, int]
COLUMNS = "{0}.id, {0}.code, {0}.name, {0}.type, {0}.version, {0}.created_at, {0}.updated_at"
CUSTOMER = COLUMNS.format("customer")


class CustomerRow(NamedTuple):
    """A customer as it is read."""

    id: int
    code: str
    name: str
    type: str
    version: int
    created_at: datetime
    updated_at: datetime


class NewCustomer(NamedTuple):
    """A customer's values, to be written."""

    id: int
    code: str
    name: str
    type: str


BY_KEYS = f"""
    SELECT {CUSTOMER} FROM customer WHERE customer.id = ANY($1::bigint[])
"""

BY_CODES = f"""
    SELECT {CUSTOMER}, customer.code_key FROM customer WHERE customer.code_key = ANY($1::text[])
"""

LOCK = f"""
    SELECT {CUSTOMER} FROM customer WHERE customer.id = $1 FOR NO KEY UPDATE
"""

LOCK_ALL = f"""
    SELECT {CUSTOMER} FROM customer WHERE customer.id = ANY($1::bigint[]) ORDER BY customer.id FOR NO KEY UPDATE
"""

INSERT = """
    INSERT INTO customer (
        id, code, code_key, code_fold, name, name_fold, search_fold, type, type_key, version, created_at, updated_at
    )
    SELECT item.id, item.code, item.code_key, item.code_fold, item.name, item.name_fold, item.search_fold,
        item.type, item.type_key, 1, $2, $2
    FROM rows($1: id bigint, code text, code_key text, code_fold text, name text, name_fold text, search_fold text, type text, type_key text) AS item
"""  # noqa: E501  rows(…) names its columns on one line

UPDATE = """
    UPDATE customer SET code = item.code, code_key = item.code_key, code_fold = item.code_fold, name = item.name,
        name_fold = item.name_fold, search_fold = item.search_fold, type = item.type, type_key = item.type_key,
        version = version + 1, updated_at = $2
    FROM rows($1: id bigint, code text, code_key text, code_fold text, name text, name_fold text, search_fold text, type text, type_key text) AS item
    WHERE customer.id = item.id
"""  # noqa: E501  rows(…) names its columns on one line

DELETE = """
    DELETE FROM customer WHERE id = $1
"""

TYPES = """
    -- The distinct types, one index look-up each: a walk from each to the next greater one.
    WITH RECURSIVE found (type) AS (
        SELECT min(type) FROM customer
        UNION ALL
        SELECT (SELECT min(customer.type) FROM customer WHERE customer.type > found.type)
        FROM found WHERE found.type IS NOT NULL
    )
    SELECT type FROM found WHERE type <> ''
"""

HOLD = """
    -- For a change of the groups that they are in: whether those are one or several is kept.
    SELECT customer.id FROM customer WHERE customer.id = ANY($1::bigint[]) ORDER BY customer.id FOR NO KEY UPDATE
"""

HOLD_MEMBERS = """
    -- The same for all customers of a group.
    SELECT customer.id FROM membership JOIN customer ON customer.id = membership.customer_id
    WHERE membership.group_id = $1 ORDER BY customer.id FOR NO KEY UPDATE OF customer
"""

GROUPS_OF = """
    SELECT group_id FROM membership WHERE customer_id = $1 ORDER BY group_id
"""

MEMBERS_BEHIND = f"""
    -- By key: the membership's own order, so that a page reads its own rows alone.
    SELECT {CUSTOMER} FROM membership JOIN customer ON customer.id = membership.customer_id
    WHERE membership.group_id = $1 AND membership.customer_id > $2
    ORDER BY membership.customer_id LIMIT $3
"""

ALREADY_IN = """
    SELECT customer_id FROM membership WHERE group_id = $1 AND customer_id = ANY($2::bigint[])
"""

ADD = """
    INSERT INTO membership (group_id, customer_id)
    SELECT $1, item.id FROM unnest($2::bigint[]) AS item(id)
"""

REMOVE = """
    DELETE FROM membership WHERE group_id = $1 AND customer_id = ANY($2::bigint[])
"""

REMOVE_FROM = """
    DELETE FROM membership WHERE customer_id = $1 AND group_id = ANY($2::bigint[])
"""

EMPTY_GROUP = """
    DELETE FROM membership WHERE group_id = $1
"""

AMONG_PAIRS = """
    SELECT membership.group_id, membership.customer_id
    FROM rows($1: group_id bigint, customer_id bigint) AS item
    JOIN membership ON membership.group_id = item.group_id AND membership.customer_id = item.customer_id
"""

MEMBERS_AFTER = """
    -- The next customers of these groups, in the order of the primary key.
    SELECT membership.group_id, membership.customer_id FROM membership
    WHERE membership.group_id = ANY($1::bigint[]) AND (membership.group_id, membership.customer_id) > ($2, $3)
    ORDER BY membership.group_id, membership.customer_id LIMIT $4
"""

ADD_PAIRS = """
    INSERT INTO membership (group_id, customer_id)
    SELECT item.group_id, item.customer_id FROM rows($1: group_id bigint, customer_id bigint) AS item
"""

REMOVE_PAIRS = """
    DELETE FROM membership WHERE (group_id, customer_id) IN (
        SELECT item.group_id, item.customer_id FROM rows($1: group_id bigint, customer_id bigint) AS item
    )
"""

IS_MEMBER = Forms(
    # $2 the group, $3 the hierarchy or NULL for the group alone.
    postgres="""
        SELECT membership.customer_id FROM membership
        WHERE membership.customer_id = ANY($1::bigint[]) AND membership.group_id IN (
            SELECT $2::bigint
            UNION
            SELECT below.group_id
            FROM node AS top
            JOIN closure ON closure.ancestor_id = top.id
            JOIN node AS below ON below.id = closure.descendant_id
            WHERE top.group_id = $2 AND top.hierarchy_id = $3::bigint
        )
    """,
    # From the few groups of the customers upward: SQLite would otherwise list the whole subtree.
    sqlite="""
        SELECT membership.customer_id FROM membership
        WHERE membership.customer_id = ANY($1::bigint[]) AND (
            membership.group_id = $2 OR EXISTS (
                SELECT 1 FROM node AS below
                JOIN closure ON closure.descendant_id = below.id
                JOIN node AS top ON top.id = closure.ancestor_id
                WHERE below.group_id = membership.group_id AND below.hierarchy_id = $3 AND top.group_id = $2
            )
        )
    """,
)

SHARE = """
    -- What of these customers' memberships has become one of several.
    INSERT INTO shared_membership (customer_id, group_id)
    SELECT membership.customer_id, membership.group_id FROM membership
    WHERE membership.customer_id IN (
        SELECT several.customer_id FROM membership AS several
        WHERE several.customer_id = ANY($1::bigint[])
        GROUP BY several.customer_id HAVING count(*) > 1
    )
    AND NOT EXISTS (
        SELECT 1 FROM shared_membership AS kept
        WHERE kept.customer_id = membership.customer_id AND kept.group_id = membership.group_id
    )
    ON CONFLICT DO NOTHING
"""

UNSHARE = """
    -- What of these customers' memberships is gone, or has become the only one. It costs the memberships of these
    -- customers, where looking for another of each would cost their square.
    DELETE FROM shared_membership
    WHERE customer_id = ANY($1::bigint[]) AND (
        customer_id NOT IN (
            SELECT several.customer_id FROM membership AS several
            WHERE several.customer_id = ANY($1::bigint[])
            GROUP BY several.customer_id HAVING count(*) > 1
        )
        OR NOT EXISTS (
            SELECT 1 FROM membership AS own
            WHERE own.customer_id = shared_membership.customer_id AND own.group_id = shared_membership.group_id
        )
    )
"""

ITEM = COLUMNS.format("item")
ALL = Listing(columns=ITEM, table="customer", link="parent.id = 0")
OF_GROUP = Listing(
    columns=ITEM,
    table="customer",
    linked="membership JOIN customer AS item ON item.id = membership.customer_id",
    link="membership.group_id = parent.id",
)
OF_NODE = Listing(
    columns=ITEM,
    table="customer",
    linked=(
        "node AS place JOIN membership ON membership.group_id = place.group_id"
        " JOIN customer AS item ON item.id = membership.customer_id"
    ),
    link="place.id = parent.id",
)
BELOW_NODE = Listing(
    columns=ITEM,
    table="customer",
    link="""item.id IN (
        SELECT membership.customer_id
        FROM closure
        JOIN node AS place ON place.id = closure.descendant_id
        JOIN membership ON membership.group_id = place.group_id
        WHERE closure.ancestor_id = parent.id
    )""",
)
SORTINGS = {
    "CODE": Sorting("customer.code", "code_fold"),
    "NAME": Sorting("customer.name", "name_fold"),
    "TYPE": Sorting("customer.type", "type_key"),
    "CREATED_AT": Sorting("customer.created", "created_at"),
}


async def by_keys(keys: Collection[int]) -> dict[int, CustomerRow]:
    """The customers that there are of these. One statement."""
    return {row[0]: CustomerRow._make(row) for row in await db.fetch(BY_KEYS, list(keys))}


async def by_codes(codes: Collection[str]) -> dict[str, CustomerRow]:
    """Code, as a key, → customer, where there is one. One statement."""
    found = await db.fetch(BY_CODES, [key(code) for code in codes])
    return {row[-1]: CustomerRow._make(tuple(row)[:-1]) for row in found}


async def by_reference(reference: Reference, columns: Columns | None = None) -> CustomerRow | None:
    """The one customer that is meant, with these columns (None: all). One statement."""
    if reference.key is not None:
        found = await db.fetch(_by("id", columns), reference.key)
    else:
        found = await db.fetch(_by("code_key", columns), key(str(reference.code)))
    return some(CustomerRow, columns).make(found[0]) if found else None


@lru_cache(maxsize=500)
def _by(column: str, columns: Columns | None) -> str:
    return f"SELECT {some(CustomerRow, columns).columns.format('customer')} FROM customer WHERE customer.{column} = $1"


async def lock(customer: int) -> CustomerRow | None:
    """Locks a customer until the transaction ends. One statement."""
    found = await db.fetch(LOCK, customer)
    return CustomerRow._make(found[0]) if found else None


async def lock_all(customers: Collection[int]) -> dict[int, CustomerRow]:
    """Locks the customers that there are of these, by key, until the transaction ends. One statement."""
    return {row[0]: CustomerRow._make(row) for row in await db.fetch(LOCK_ALL, sorted(customers))}


async def page(
    listing: Listing, parents: Sequence[int], page: Page, filter: CustomerFilter, order: Order
) -> list[Slice[CustomerRow]]:
    """A page for each parent of one of the listings above.

    One statement, and one for each group that the filter names by code or name.
    """
    conditions = await _conditions(filter)
    return await listing.page(parents, page, SORTINGS[order.field], order.descending, conditions, row_of(CustomerRow))


async def totals(listing: Listing, parents: Sequence[int], filter: CustomerFilter) -> list[int]:
    """How many customers each parent has that meet the filter. As many statements as `page`."""
    return await listing.totals(parents, await _conditions(filter))


async def _conditions(filter: CustomerFilter) -> Conditions:
    found = Conditions()
    found.contains("item.search_fold", filter.search)
    found.match("item.code_fold", filter.code, within="item.search_fold")
    found.match("item.name_fold", filter.name, within="item.search_fold")
    if filter.types is not None:
        found.one_of("item.type_key", [key(type) for type in filter.types])
    for reference, word in ((filter.in_group, "EXISTS"), (filter.not_in_group, "NOT EXISTS")):
        if reference is not None:
            found.add(
                f"{word} (SELECT 1 FROM membership AS wanted"
                " WHERE wanted.customer_id = item.id AND wanted.group_id = {}::bigint)",
                await key_of("customer_group", reference),
            )
    return found


async def types() -> list[str]:
    """The distinct types in use, bytewise. One statement, one index look-up a type."""
    return [row[0] for row in await db.fetch(TYPES)]


async def members_among(customers: Collection[int], group: int, hierarchy: int | None) -> set[int]:
    """Those of the customers that are in a group or, with a hierarchy, in one below it there. One statement."""
    return {row[0] for row in await db.fetch(IS_MEMBER, list(customers), group, hierarchy)}


async def insert(customers: Sequence[NewCustomer], at: datetime) -> None:
    """New customers at version 1. One statement."""
    await db.fetch(INSERT, rows([_values(customer) for customer in customers]), at)


async def update(customers: Sequence[NewCustomer], at: datetime) -> None:
    """New values for customers, each one version further. One statement."""
    await db.fetch(UPDATE, rows([_values(customer) for customer in customers]), at)


def _values(customer: NewCustomer) -> dict[str, Any]:
    return {
        **customer._asdict(),
        "code_key": key(customer.code),
        "code_fold": fold(customer.code),
        "name_fold": fold(customer.name),
        "search_fold": searchable(customer.code, customer.name),
        "type_key": key(customer.type),
    }


async def delete(customer: int) -> None:
    """Deletes a customer, who is in no group any more. One statement."""
    await db.fetch(DELETE, customer)


async def members_behind(group: int, customer: int, count: int) -> list[CustomerRow]:
    """So many customers of a group, by key, behind that of one of them. One statement; costs what it returns."""
    return [CustomerRow._make(row) for row in await db.fetch(MEMBERS_BEHIND, group, customer, count)]


async def hold(customers: Collection[int]) -> None:
    """Locks customers, of whom some may be gone, for a change of their groups, until the transaction ends.

    To be done before `add`, `remove` and their like, of all the customers, in the order of their keys. Without it
    of two writers who put one customer into a group each neither would see that it is in both. One statement.
    """
    await db.fetch(HOLD, sorted(customers))


async def groups_of(customer: int) -> list[int]:
    """The groups that a customer was put into, by key. One statement."""
    return [row[0] for row in await db.fetch(GROUPS_OF, customer)]


async def already_in(group: int, customers: Collection[int]) -> set[int]:
    """Those of the customers that are in the group itself. One statement."""
    return {row[0] for row in await db.fetch(ALREADY_IN, group, list(customers))}


async def add(group: int, customers: Collection[int]) -> None:
    """Puts held customers, none of whom is in it, into a group. Two statements; the group's count is the caller's."""
    await db.fetch(ADD, group, list(customers))
    await db.fetch(SHARE, list(customers))


async def remove(group: int, customers: Collection[int]) -> None:
    """Takes held customers out of a group. Two statements; the group's count is the caller's."""
    await db.fetch(REMOVE, group, list(customers))
    await db.fetch(UNSHARE, list(customers))


async def pairs_among(pairs: Collection[Pair]) -> set[Pair]:
    """Those of the pairs of a group and a customer where the customer is in the group. One statement."""
    return {(row[0], row[1]) for row in await db.fetch(AMONG_PAIRS, _pairs(pairs))}


async def pairs_after(groups: Collection[int], last: Pair, limit: int) -> list[Pair]:
    """The next pairs of one of these groups and a customer in it, behind the last one. One statement."""
    return [(row[0], row[1]) for row in await db.fetch(MEMBERS_AFTER, list(groups), *last, limit)]


async def add_pairs(pairs: Collection[Pair]) -> None:
    """Puts held customers into groups that they are not in; `settle` follows. One statement, counts as above."""
    await db.fetch(ADD_PAIRS, _pairs(pairs))


async def remove_pairs(pairs: Collection[Pair]) -> None:
    """Takes held customers out of groups; `settle` follows. One statement, counts as above."""
    await db.fetch(REMOVE_PAIRS, _pairs(pairs))


async def settle(customers: Collection[int]) -> None:
    """Keeps anew which memberships of these held customers are one of several. Two statements."""
    await db.fetch(UNSHARE, list(customers))
    await db.fetch(SHARE, list(customers))


def _pairs(pairs: Collection[Pair]) -> str:
    return rows([{"group_id": group, "customer_id": customer} for group, customer in pairs])


async def remove_from(customer: int, groups: Collection[int]) -> None:
    """Takes a locked customer out of these groups. Two statements; the groups' counts are the caller's."""
    await db.fetch(REMOVE_FROM, customer, list(groups))
    await db.fetch(UNSHARE, [customer])


async def empty(group: int) -> None:
    """Takes every customer out of a locked group. Locks them. Three statements; the group's count is the caller's."""
    members = [row[0] for row in await db.fetch(HOLD_MEMBERS, group)]
    await db.fetch(EMPTY_GROUP, group)
    await db.fetch(UNSHARE, members)
