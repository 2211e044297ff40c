"""What may happen to groups and their members: the rules that hierarchies, groups and customers share."""

from collections import Counter
from collections.abc import Collection, Sequence

from service import db, ids, names, transaction
from service.errors import UserError, UserErrorCode, user_error
from service.ids import Kind
from service.matching import Reference
from service.names import key
from service.sessions import Statement
from service.store import customer, group
from service.store.change import NewChange
from service.store.customer import CustomerRow
from service.store.group import GroupRow, NewGroup
from service.transaction import Mutation

Code = UserErrorCode
MOST_CUSTOMERS = 10_000


async def free_codes(count: int, taken: Collection[str] = ()) -> list[str]:
    """The next generated codes that no group has; `taken`, as keys, are about to be given to others.

    Two statements, one for a single code, more where clients took codes of that form. A dry run on PostgreSQL only
    looks at the sequence, which would not go back; see `Mutation.codes_peeked`.
    """
    mutation = transaction.current()
    if count == 1 and not taken and not _only_looks(mutation):
        return [await group.next_free_code()]
    found: list[str] = []
    while len(found) < count:
        missing = count - len(found)
        if _only_looks(mutation):
            codes = await group.peek_codes(mutation.codes_peeked, missing)
            mutation.codes_peeked += missing
        else:
            codes = await group.next_codes(missing)
        held = await group.by_codes(codes)
        found += [code for code in codes if key(code) not in held and key(code) not in taken]
    return found


def _only_looks(mutation: Mutation) -> bool:
    return mutation.dry_run and db.current().engine.dialect == "postgres"


def code_along(name: str, hierarchy: int | None, parent: int | None) -> list[Statement]:
    """What takes a code for a new group together with what is read of it; nothing for who only looks.

    Nothing may stand against the group but what `group.code_taken_for` looks at itself.
    """
    return [] if _only_looks(transaction.current()) else [group.code_taken_for(name, hierarchy, parent)]


async def planned(name: str, code: str | None, description: str, status: str) -> NewGroup:
    """A group to be made, with a key and a code of its own. One statement where it has no code yet."""
    return NewGroup(ids.new_key(), code or (await free_codes(1))[0], name, description, status)


def founding(row: NewGroup) -> tuple[Statement, NewChange]:
    """What makes a group whose values the caller has found fit, and what is logged of it."""
    return group.inserted([row], transaction.current().at), _creation(row)


async def found_placeholders(wanted: Sequence[str]) -> list[NewGroup]:
    """Makes an active group for each name, or for the next free one like it, and logs them.

    Four statements, however many; one more for each tenfold of numbers that names like it have taken.
    """
    free = await _free_names(wanted)
    keys, codes = ids.new_keys(len(free)), await free_codes(len(free))
    made = [NewGroup(key, code, name, "", "ACTIVE") for key, code, name in zip(keys, codes, free, strict=True)]
    await _insert(made)
    return made


async def _insert(made: Sequence[NewGroup]) -> None:
    await db.write(
        group.inserted(made, transaction.current().at), *transaction.logged([_creation(row) for row in made])
    )


def _creation(row: NewGroup) -> NewChange:
    values = {"code": row.code, "name": row.name, "description": row.description, "status": row.status}
    return NewChange("GROUP_CREATED", f"created «{row.name}» ({row.code})", group=row.id, after=values)


async def _free_names(wanted: Sequence[str]) -> list[str]:
    """Names for new groups, with a number behind those that are taken.

    One statement, one more for each tenfold of numbers that are taken. Those who want the same name are counted
    on together, so that many of them cost as little as one.
    """
    families: dict[str, list[int]] = {}
    for place, text in enumerate(wanted):
        families.setdefault(names.fitting(text), []).append(place)
    free: dict[int, str] = {}
    taken: set[str] = set()
    offered: Counter[str] = Counter()
    factor = 1
    while families:
        offers: dict[str, list[str]] = {}
        for base, places in families.items():
            count = factor * len(places)
            offers[base] = [_numbered(base, offered[base] + number) for number in range(1, count + 1)]
            offered[base] += count
        taken |= (await group.by_names([name for texts in offers.values() for name in texts])).keys()
        for base, texts in offers.items():
            for name in texts:
                if families[base] and key(name) not in taken:
                    taken.add(key(name))
                    free[families[base].pop(0)] = name
        families = {base: places for base, places in families.items() if places}
        factor *= 10
    return [free[place] for place in range(len(wanted))]


def _numbered(base: str, number: int) -> str:
    return base if number == 1 else names.fitting(base, f" {number}")


def unknown(reference: Reference) -> str:
    """What is said of a group that there is not, with the id, code or name that the client gave."""
    if reference.key is not None:
        return ids.unknown(Kind.GROUP, reference.key)
    return f"There is no customer group «{reference}»."


async def customers_named(keys: Sequence[int], codes: Sequence[str]) -> tuple[list[CustomerRow], list[UserError]]:
    """The customers meant, each once, and an error for each that there is not. At most two statements."""
    count = len(keys) + len(codes)
    if count > MOST_CUSTOMERS:
        message = f"At most {MOST_CUSTOMERS:,} customers at once; {count:,} were named."
        return [], [user_error(Code.OUT_OF_RANGE, message, "customerCodes" if codes else "customerIds")]
    keyed = await customer.by_keys(keys) if keys else {}
    coded = await customer.by_codes(codes) if codes else {}
    errors = [
        user_error(Code.NOT_FOUND, ids.unknown(Kind.CUSTOMER, wanted), "customerIds", place)
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


async def add_members(row: GroupRow | NewGroup, customers: Sequence[CustomerRow]) -> int:
    """Puts customers into a locked group, passes over those in it, and logs it; returns how many were new.

    Locks the customers. The caller counts the group's version and members. Five statements.
    """
    await customer.hold([one.id for one in customers])
    present = await customer.already_in(row.id, [one.id for one in customers])
    new = [one for one in customers if one.id not in present]
    if new:
        await customer.add(row.id, [one.id for one in new])
        await transaction.log([member_change("CUSTOMERS_ADDED", "added", "to", row, new)])
    return len(new)


async def remove_members(row: GroupRow, customers: Sequence[CustomerRow]) -> int:
    """Takes customers out of a locked group, passes over those not in it, and logs it; returns how many left.

    Locks the customers. The caller counts the group's version and members. Five statements.
    """
    await customer.hold([one.id for one in customers])
    present = await customer.already_in(row.id, [one.id for one in customers])
    old = [one for one in customers if one.id in present]
    if old:
        await customer.remove(row.id, [one.id for one in old])
        await transaction.log([member_change("CUSTOMERS_REMOVED", "removed", "from", row, old)])
    return len(old)


def member_change(
    action: str, verb: str, word: str, row: GroupRow | NewGroup, customers: Collection[CustomerRow]
) -> NewChange:
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
