"""The log of changes, and the answers kept for idempotency keys."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from service import db
from service.dialects import rows
from service.ids import new_key, new_keys
from service.matching import ChangeFilter
from service.paging import Page, Slice
from service.sessions import Statement
from service.store.listing import Conditions, Listing, Sorting, row_of

KEPT = timedelta(hours=24)
COLUMNS = (
    "{0}.id, {0}.at, {0}.actor, {0}.action, {0}.hierarchy_key, {0}.group_key, {0}.customer_key, {0}.summary, "
    "{0}.before, {0}.after"
)
CHANGE = COLUMNS.format("change")


class ChangeRow(NamedTuple):
    """A change as it is read; `before` and `after` are JSON text."""

    id: int
    at: datetime
    actor: str
    action: str
    hierarchy_id: int | None
    group_id: int | None
    customer_id: int | None
    summary: str
    before: str | None
    after: str | None


class NewChange(NamedTuple):
    """A change to be logged."""

    action: str
    summary: str
    hierarchy: int | None = None
    group: int | None = None
    customer: int | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


BY_KEYS = f"""
    SELECT {CHANGE} FROM change WHERE change.id = ANY($1::bigint[])
"""

INSERT = """
    INSERT INTO change (id, at, actor, action, hierarchy_key, group_key, customer_key, summary, before, after)
    SELECT item.id, $2, $3, item.action, item.hierarchy, item.group_key, item.customer, item.summary,
        item.before::jsonb, item.after::jsonb
    FROM rows($1: id bigint, action text, hierarchy bigint, group_key bigint, customer bigint, summary text, before text, after text) AS item
"""  # noqa: E501  rows(…) names its columns on one line

FORGET = """
    -- A few of the answers that are no longer kept; a few, so that no mutation pays for all of them. Those that
    -- another transaction is removing are passed over, or writers of different hierarchies would wait here.
    DELETE FROM idempotency WHERE id IN (
        SELECT id FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT 20
        FOR NO KEY UPDATE SKIP LOCKED
    )
"""

CLAIM = """
    -- Waits while another transaction holds the same key; answers a row if the key is now ours.
    INSERT INTO idempotency (id, actor, key, fingerprint, answer, created_at) VALUES ($1, $2, $3, $4, '', $5)
    ON CONFLICT (actor, key) DO UPDATE
        SET fingerprint = excluded.fingerprint, answer = '', created_at = excluded.created_at
        WHERE idempotency.created_at < $6
    RETURNING id
"""

ANSWER = """
    SELECT fingerprint, answer FROM idempotency WHERE actor = $1 AND key = $2
"""

KEEP = """
    UPDATE idempotency SET answer = $3 WHERE actor = $1 AND key = $2
"""

LISTING_ALL = Listing(columns=COLUMNS.format("item"), table="change", link="parent.id = 0")
LISTING_HIERARCHY = Listing(columns=COLUMNS.format("item"), table="change", link="item.hierarchy_key = parent.id")
LISTING_GROUP = Listing(columns=COLUMNS.format("item"), table="change", link="item.group_key = parent.id")
NEWEST = Sorting("changes", "id", distinct=True)


async def by_keys(keys: Collection[int]) -> dict[int, ChangeRow]:
    """The changes that there are of these. One statement."""
    return {row[0]: ChangeRow._make(row) for row in await db.fetch(BY_KEYS, list(keys))}


async def page(listing: Listing, parents: Sequence[int], page: Page, filter: ChangeFilter) -> list[Slice[ChangeRow]]:
    """A page for each parent, newest first. One statement."""
    return await listing.page(parents, page, NEWEST, True, _conditions(filter), row_of(ChangeRow))


async def totals(listing: Listing, parents: Sequence[int], filter: ChangeFilter) -> list[int]:
    """How many changes each parent has that meet the filter. One statement."""
    return await listing.totals(parents, _conditions(filter))


def _conditions(filter: ChangeFilter) -> Conditions:
    found = Conditions()
    if filter.actions is not None:
        found.add("item.action = ANY({}::text[])", list(filter.actions))
    if filter.actor is not None:
        found.add("item.actor = {}", filter.actor)
    if filter.since is not None:
        found.add("item.at >= {}", filter.since)
    if filter.until is not None:
        found.add("item.at < {}", filter.until)
    return found


def logged(changes: Sequence[NewChange], actor: str, at: datetime) -> Statement:
    """What writes changes into the log, in their order."""
    values = [
        {
            "id": key,
            "action": change.action,
            "hierarchy": change.hierarchy,
            "group_key": change.group,
            "customer": change.customer,
            "summary": change.summary,
            "before": None if change.before is None else orjson.dumps(change.before).decode(),
            "after": None if change.after is None else orjson.dumps(change.after).decode(),
        }
        for key, change in zip(new_keys(len(changes)), changes, strict=True)
    ]
    return Statement(INSERT, (rows(values), at, actor))


async def claim(actor: str, key: str, fingerprint: str, at: datetime) -> tuple[str, str] | None:
    """Takes an idempotency key for the current transaction, which keeps an answer under it at its end.

    Returns None, or the (fingerprint, answer) of the mutation that has the key already. Waits for one that is
    still under way. Two statements, three where the key is taken.
    """
    await db.fetch(FORGET, at - KEPT)
    if await db.fetch(CLAIM, new_key(), actor, key, fingerprint, at, at - KEPT):
        return None
    found = (await db.fetch(ANSWER, actor, key))[0]
    return found[0], found[1]


async def keep(actor: str, key: str, answer: str) -> None:
    """Keeps the answer of the current transaction under the key that it has claimed. One statement."""
    await db.fetch(KEEP, actor, key, answer)
