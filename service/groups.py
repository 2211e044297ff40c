"""What may happen to groups and their members: the rules that hierarchies, groups and customers share."""

from collections.abc import Collection, Sequence

from service import db, ids, transaction
from service.errors import UserError, UserErrorCode, user_error
from service.names import key
from service.store import customer, group
from service.store.change import NewChange
from service.store.customer import CustomerRow
from service.store.group import GroupRow, NewGroup

Code = UserErrorCode
MOST_CUSTOMERS = 10_000


async def free_codes(count: int, taken: Collection[str] = ()) -> list[str]:
    """The next generated codes that no group has; `taken`, as keys, are about to be given to others.

    Two statements, more where clients took codes of that form. A dry run on PostgreSQL only looks at the sequence,
    which would not go back; see `Mutation.codes_peeked`.
    """
    mutation = transaction.current()
    found: list[str] = []
    while len(found) < count:
        missing = count - len(found)
        if mutation.dry_run and db.current().engine.dialect == "postgres":
            codes = await group.peek_codes(mutation.codes_peeked, missing)
            mutation.codes_peeked += missing
        else:
            codes = await group.next_codes(missing)
        held = await group.by_codes(codes)
        found += [code for code in codes if key(code) not in held and key(code) not in taken]
    return found


async def found(name: str, code: str | None, description: str, status: str) -> GroupRow:
    """Makes a group, whose values the caller has found fit, and logs it. Three statements, two more for a code."""
    row = NewGroup(ids.new_key(), code or (await free_codes(1))[0], name, description, status)
    await group.insert([row], transaction.current().at)
    after = {"code": row.code, "name": name, "description": description, "status": status}
    await transaction.log([NewChange("GROUP_CREATED", f"created «{name}» ({row.code})", group=row.id, after=after)])
    return (await group.by_keys([row.id]))[row.id]


async def customers_named(keys: Sequence[int], codes: Sequence[str]) -> tuple[list[CustomerRow], list[UserError]]:
    """The customers meant, each once, and an error for each that there is not. At most two statements."""
    count = len(keys) + len(codes)
    if count > MOST_CUSTOMERS:
        message = f"At most {MOST_CUSTOMERS:,} customers at once; {count:,} were named."
        return [], [user_error(Code.OUT_OF_RANGE, message, "customerCodes" if codes else "customerIds")]
    keyed = await customer.by_keys(keys) if keys else {}
    coded = await customer.by_codes(codes) if codes else {}
    errors = [
        user_error(Code.NOT_FOUND, "There is no customer with this id.", "customerIds", place)
        for place, wanted in enumerate(keys)
        if wanted not in keyed
    ]
    errors += [
        user_error(Code.NOT_FOUND, f"There is no customer with the code «{code}».", "customerCodes", place)
        for place, code in enumerate(codes)
        if key(code) not in coded
    ]
    rows = {row.id: row for row in (*keyed.values(), *coded.values())}
    return list(rows.values()), errors


async def add_members(row: GroupRow, customers: Sequence[CustomerRow]) -> int:
    """Puts customers into a locked group, passes over those in it, and logs it; returns how many were new.

    The caller counts the group's version and members. Three statements.
    """
    present = await customer.already_in(row.id, [one.id for one in customers])
    new = [one for one in customers if one.id not in present]
    if new:
        await customer.add(row.id, [one.id for one in new])
        await transaction.log([member_change("CUSTOMERS_ADDED", "added", "to", row, new)])
    return len(new)


async def remove_members(row: GroupRow, customers: Sequence[CustomerRow]) -> int:
    """Takes customers out of a locked group, passes over those not in it, and logs it; returns how many left.

    The caller counts the group's version and members. Three statements.
    """
    present = await customer.already_in(row.id, [one.id for one in customers])
    old = [one for one in customers if one.id in present]
    if old:
        await customer.remove(row.id, [one.id for one in old])
        await transaction.log([member_change("CUSTOMERS_REMOVED", "removed", "from", row, old)])
    return len(old)


def member_change(action: str, verb: str, word: str, row: GroupRow, customers: Collection[CustomerRow]) -> NewChange:
    """Who came or went, for the log: all their codes, and the name of one who came or went alone."""
    one = next(iter(customers))
    who = f"«{one.name}» ({one.code})" if len(customers) == 1 else f"{len(customers):,} customers"
    codes = {"customers": [customer.code for customer in customers]}
    return NewChange(
        action,
        f"{verb} {who} {word} «{row.name}»",
        group=row.id,
        customer=one.id if len(customers) == 1 else None,
        before=codes if action == "CUSTOMERS_REMOVED" else None,
        after=codes if action == "CUSTOMERS_ADDED" else None,
    )
