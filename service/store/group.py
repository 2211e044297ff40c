"""Customer groups."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from service import db
from service.dialects import Forms, render, rows
from service.matching import GroupFilter, Order, Reference
from service.names import fold, key, searchable
from service.paging import Page, Slice
from service.sessions import Record, Returned, Statement
from service.store.columns import Columns, some
from service.store.listing import Conditions, Listing, Sorting, key_of, row_of

COLUMNS = (
    "{0}.id, {0}.code, {0}.name, {0}.description, {0}.status, {0}.customer_count, {0}.version, "
    "{0}.created_at, {0}.updated_at"
)
GROUP = COLUMNS.format("customer_group")
WRITTEN = Returned("customer_group", GROUP)


class GroupRow(NamedTuple):
    """A customer group as it is read."""

    id: int
    code: str
    name: str
    description: str
    status: str
    customer_count: int
    version: int
    created_at: datetime
    updated_at: datetime


class NewGroup(NamedTuple):
    """A group's values, to be written."""

    id: int
    code: str
    name: str
    description: str
    status: str


BY_KEYS = f"""
    SELECT {GROUP} FROM customer_group WHERE customer_group.id = ANY($1::bigint[])
"""

BY_CODES = f"""
    SELECT {GROUP}, customer_group.code_key FROM customer_group
    WHERE customer_group.code_key = ANY($1::text[])
"""

BY_NAMES = f"""
    SELECT {GROUP}, customer_group.name_key FROM customer_group
    WHERE customer_group.name_key = ANY($1::text[])
"""

LOCK = f"""
    -- For a change of the groups themselves or of their members.
    SELECT {GROUP} FROM customer_group WHERE customer_group.id = ANY($1::bigint[]) ORDER BY customer_group.id
    FOR NO KEY UPDATE
"""

HOLD = f"""
    -- For putting the groups into a tree: they stay as they are meanwhile. Writers of other hierarchies may
    -- hold them at the same time.
    SELECT {GROUP} FROM customer_group WHERE customer_group.id = ANY($1::bigint[]) ORDER BY customer_group.id
    FOR SHARE
"""

STANDING = """
    -- Those of the groups that stand in a hierarchy.
    SELECT node.group_id FROM node WHERE node.group_id = ANY($1::bigint[]) AND node.hierarchy_id = $2
"""

INSERT = """
    INSERT INTO customer_group (
        id, code, code_key, code_fold, name, name_key, name_fold, description, search_fold, status,
        customer_count, version, created_at, updated_at
    )
    SELECT item.id, item.code, item.code_key, item.code_fold, item.name, item.name_key, item.name_fold,
        item.description, item.search_fold, item.status, 0, 1, $2, $2
    FROM rows($1: id bigint, code text, code_key text, code_fold text, name text, name_key text, name_fold text, description text, search_fold text, status text) AS item
"""  # noqa: E501  rows(…) names its columns on one line

UPDATE = """
    UPDATE customer_group SET code = item.code, code_key = item.code_key, code_fold = item.code_fold,
        name = item.name, name_key = item.name_key, name_fold = item.name_fold, description = item.description,
        search_fold = item.search_fold, status = item.status, version = version + 1, updated_at = $2
    FROM rows($1: id bigint, code text, code_key text, code_fold text, name text, name_key text, name_fold text, description text, search_fold text, status text) AS item
    WHERE customer_group.id = item.id
"""  # noqa: E501  rows(…) names its columns on one line

FREE_NAMES = """
    -- Names are unique row by row: groups that exchange theirs let go of them first. No name begins as these do.
    UPDATE customer_group SET name_key = $2 || customer_group.id::text WHERE customer_group.id = ANY($1::bigint[])
"""

TOUCH = """
    -- One committed change more, and with it so many members more or less.
    UPDATE customer_group
    SET version = version + 1, updated_at = $2, customer_count = customer_count + item.members
    FROM rows($1: id bigint, members int) AS item
    WHERE customer_group.id = item.id
"""

COUNT_MEMBERS = """
    UPDATE customer_group SET customer_count = customer_count + $2 WHERE id = $1
"""

DELETE = """
    DELETE FROM customer_group WHERE id = $1
"""

EVERY_GROUP = GroupFilter()

NEXT_CODES = Forms(
    # Writers of other hierarchies may take some in between.
    postgres="SELECT nextval('customer_group_code') FROM generate_series(1, $1::bigint)",
    # There is one writer at a time, so the last number tells the others.
    sqlite="UPDATE customer_group_code SET last_value = last_value + ?1 RETURNING last_value",
)


def _next_code(condition: str) -> Forms:
    """With whether a group has the code already; `_generated` writes it, and its key is that in small letters."""
    return Forms(
        postgres=f"""
            SELECT next.number, EXISTS (
                SELECT 1 FROM customer_group
                WHERE code_key = 'cg-' || repeat('0', 6 - length(next.number::text)) || next.number::text
            )
            FROM (SELECT nextval('customer_group_code') AS number WHERE {condition}) AS next
        """,
        sqlite=f"""
            UPDATE customer_group_code SET last_value = last_value + 1 WHERE {render(condition, "sqlite")}
            RETURNING last_value, EXISTS (
                SELECT 1 FROM customer_group WHERE code_key = printf('cg-%06d', last_value)
            )
        """,
    )


NEXT_CODE = _next_code("true")

NEXT_CODE_FOR = _next_code(
    # Nobody has the group's name and, where it is to have a place, there is a level for it below that parent.
    """NOT EXISTS (SELECT 1 FROM customer_group WHERE name_key = $1) AND ($2::bigint IS NULL OR EXISTS (
        SELECT 1 FROM level
        WHERE level.hierarchy_id = $2 AND level.depth = CASE WHEN $3::bigint IS NULL THEN 1 ELSE (
            SELECT node.depth + 1 FROM node WHERE node.id = $3 AND node.hierarchy_id = $2
        ) END
    ))"""
)

PEEK_CODE = """
    -- PostgreSQL only: what NEXT_CODES would give after $1 more, without taking it.
    SELECT $1::bigint + CASE WHEN is_called THEN last_value + 1 ELSE last_value END FROM customer_group_code
"""

ITEM = COLUMNS.format("item")
ALL = Listing(columns=ITEM, table="customer_group", link="parent.id = 0")
OF_CUSTOMER = Listing(
    columns=ITEM,
    table="customer_group",
    linked="membership JOIN customer_group AS item ON item.id = membership.group_id",
    link="membership.customer_id = parent.id",
    steady=True,
)
UNASSIGNED = Listing(
    columns=ITEM,
    table="customer_group",
    link="""NOT EXISTS (
        SELECT 1 FROM node AS place WHERE place.group_id = item.id AND place.hierarchy_id = parent.id
    )""",
    wary=False,
)
SORTINGS = {
    "CODE": Sorting("group.code", "code_fold"),
    "NAME": Sorting("group.name", "name_fold"),
    "STATUS": Sorting("group.status", "status"),
    "CUSTOMER_COUNT": Sorting("group.customers", "customer_count"),
    "CREATED_AT": Sorting("group.created", "created_at"),
    "UPDATED_AT": Sorting("group.updated", "updated_at"),
}


async def by_keys(keys: Collection[int]) -> dict[int, GroupRow]:
    """The groups that there are of these. One statement, none where they were just written."""
    found: Sequence[Record] | None = db.written("customer_group", keys)
    if found is None:
        found = await db.fetch(BY_KEYS, list(keys))
    return {row[0]: GroupRow._make(row) for row in found}


def namesakes(name: str, code: str | None) -> list[Statement]:
    """What finds the groups that have a name and, if there is one, a code, for `keyed`."""
    by_name = Statement(BY_NAMES, ([key(name)],))
    return [by_name] if code is None else [by_name, Statement(BY_CODES, ([key(code)],))]


async def by_codes(codes: Collection[str]) -> dict[str, GroupRow]:
    """Code, as a key, → group, where there is one. One statement."""
    return keyed(await db.fetch(BY_CODES, [key(code) for code in codes]))


async def by_names(names: Collection[str]) -> dict[str, GroupRow]:
    """Name, as a key, → group, where there is one. One statement."""
    return keyed(await db.fetch(BY_NAMES, [key(name) for name in names]))


def keyed(found: Sequence[Sequence[object]]) -> dict[str, GroupRow]:
    """Rows of groups by the key that stands last in them."""
    return {str(row[-1]): GroupRow._make(tuple(row)[:-1]) for row in found}


async def by_references(references: Sequence[Reference]) -> list[GroupRow | None]:
    """The group meant by each reference, or None. At most three statements, one a kind of reference."""
    keys = [reference.key for reference in references if reference.key is not None]
    codes = [reference.code for reference in references if reference.code is not None]
    names = [reference.name for reference in references if reference.name is not None]
    keyed = await by_keys(keys) if keys else {}
    coded = await by_codes(codes) if codes else {}
    named = await by_names(names) if names else {}
    return [
        keyed.get(reference.key)
        if reference.key is not None
        else coded.get(key(reference.code))
        if reference.code is not None
        else named.get(key(str(reference.name)))
        for reference in references
    ]


async def by_reference(reference: Reference) -> GroupRow | None:
    """The one group that is meant. One statement."""
    return (await by_references([reference]))[0]


async def lock(keys: Collection[int]) -> dict[int, GroupRow]:
    """Locks the groups that there are of these, by key, for a change of theirs. One statement."""
    return {row[0]: GroupRow._make(row) for row in await db.fetch(LOCK, sorted(keys))}


async def hold(keys: Collection[int]) -> dict[int, GroupRow]:
    """Keeps the groups that there are of these, by key, as they are until the transaction ends. One statement."""
    return {row[0]: GroupRow._make(row) for row in await db.fetch(HOLD, sorted(keys))}


async def hold_for(hierarchy: int, keys: Collection[int]) -> tuple[dict[int, GroupRow], set[int]]:
    """The same, and which of them stand in a hierarchy, which the caller has locked. One statement."""
    held, standing = await db.fetch_each(Statement(HOLD, (sorted(keys),)), Statement(STANDING, (list(keys), hierarchy)))
    return {row[0]: GroupRow._make(row) for row in held}, {row[0] for row in standing}


async def page(
    listing: Listing,
    parents: Sequence[int],
    page: Page,
    filter: GroupFilter,
    order: Order,
    columns: Columns | None = None,
) -> list[Slice[GroupRow]]:
    """A page for each parent of one of the listings above, of rows with these `columns` (None: all).

    One statement, and one for each thing that the filter names by code or name.
    """
    conditions = await _conditions(filter)
    listing, make = _with(listing, columns)
    return await listing.page(parents, page, SORTINGS[order.field], order.descending, conditions, make)


@lru_cache(maxsize=500)
def _with(listing: Listing, columns: Columns | None) -> tuple[Listing, Callable[[Sequence[Any]], GroupRow]]:
    if columns is None:
        return listing, row_of(GroupRow)
    few = some(GroupRow, columns)
    return listing._replace(columns=few.columns.format("item")), few.make


async def totals(listing: Listing, parents: Sequence[int], filter: GroupFilter) -> list[int]:
    """How many groups each parent has that meet the filter. As many statements as `page`."""
    return await listing.totals(parents, await _conditions(filter))


async def _conditions(filter: GroupFilter) -> Conditions:
    found = Conditions()
    if filter == EVERY_GROUP:
        return found
    found.contains("item.search_fold", filter.search)
    found.match("item.code_fold", filter.code, within="item.search_fold")
    found.match("item.name_fold", filter.name, within="item.search_fold")
    if filter.status is not None:
        found.add("item.status = {}", filter.status)
    if filter.fewest_customers is not None:
        found.add("item.customer_count >= {}", filter.fewest_customers)
    if filter.most_customers is not None:
        found.add("item.customer_count <= {}", filter.most_customers)
    if filter.contains_customer is not None:
        found.add(
            "EXISTS (SELECT 1 FROM membership AS wanted"
            " WHERE wanted.group_id = item.id AND wanted.customer_id = {}::bigint)",
            await key_of("customer", filter.contains_customer),
        )
    for reference, word in ((filter.in_hierarchy, "EXISTS"), (filter.not_in_hierarchy, "NOT EXISTS")):
        if reference is not None:
            found.add(
                f"{word} (SELECT 1 FROM node AS spot"
                " WHERE spot.group_id = item.id AND spot.hierarchy_id = {}::bigint)",
                await key_of("hierarchy", reference),
            )
    found.wary = filter.not_in_hierarchy is None
    return found


async def insert(groups: Sequence[NewGroup], at: datetime) -> None:
    """New groups at version 1, without members. One statement."""
    await db.write(inserted(groups, at))


def inserted(groups: Sequence[NewGroup], at: datetime) -> Statement:
    """What `insert` runs."""
    returned = WRITTEN if len(groups) == 1 else None
    return Statement(INSERT, (rows([_values(group) for group in groups]), at), returned)


async def update(groups: Sequence[NewGroup], at: datetime) -> None:
    """New values for groups, each one version further; none may have the name of another one. One statement."""
    await db.fetch(UPDATE, rows([_values(group) for group in groups]), at)


def _values(group: NewGroup) -> dict[str, Any]:
    return {
        **group._asdict(),
        "code_key": key(group.code),
        "code_fold": fold(group.code),
        "name_key": key(group.name),
        "name_fold": fold(group.name),
        "search_fold": searchable(group.code, group.name, group.description),
    }


async def free_names(groups: Collection[int]) -> None:
    """Takes groups' names away, which `update` gives anew in the same transaction. One statement."""
    await db.fetch(FREE_NAMES, list(groups), "\x01")


async def touch(members: Mapping[int, int], at: datetime) -> None:
    """One committed change more of each group: group → how many members more. One statement."""
    values = [{"id": group, "members": count} for group, count in members.items()]
    await db.fetch(TOUCH, rows(values), at)


async def delete(group: int) -> None:
    """Deletes a group that has no members and stands in no hierarchy. One statement."""
    await db.fetch(DELETE, group)


async def next_codes(count: int) -> list[str]:
    """The next generated codes, CG-000001 and so on. One statement."""
    found = [row[0] for row in await db.fetch(NEXT_CODES, count)]
    numbers = found if len(found) == count else range(found[0] - count + 1, found[0] + 1)
    return [_generated(number) for number in numbers]


async def next_free_code() -> str:
    """The next generated code that no group has. One statement, more where clients took codes of that form."""
    while True:
        ((number, taken),) = await db.fetch(NEXT_CODE)
        if not taken:
            return _generated(number)


def code_taken_for(name: str, hierarchy: int | None, parent: int | None) -> Statement:
    """What takes the next generated code for a group of this name below this parent, for `code_taken`.

    It takes none where the name has gone, or where there is no such place: a number would not go back.
    """
    return Statement(NEXT_CODE_FOR, (key(name), hierarchy, parent))


def code_taken(found: Sequence[Record]) -> str | None:
    """The code that was taken; None where there is none, or where a group has it already."""
    return next((_generated(number) for number, held in found if not held), None)


async def peek_codes(ahead: int, count: int) -> list[str]:
    """The codes that `next_codes` would give after so many others, on PostgreSQL. One statement."""
    first = await db.fetch_value(PEEK_CODE, ahead)
    return [_generated(number) for number in range(first, first + count)]


def _generated(number: int) -> str:
    return f"CG-{number:06d}"


async def count_members(group: int, members: int) -> None:
    """So many members more, as part of a change whose version is counted already. One statement."""
    await db.fetch(COUNT_MEMBERS, group, members)
