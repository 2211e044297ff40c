"""Files that list customers, the customers of groups, or groups.

A file is read and understood whole, in a thread, before the first statement; then looked up, checked, locked and
written, BATCH rows a statement: the number of statements grows with the number of batches, and with nothing else.
Everything wrong with it is told at once (RejectedFile), and nothing is changed then.
"""

import asyncio
from collections.abc import Collection, Iterator, Sequence

from service import groups, ids, lists, loading, transaction
from service.errors import UserErrorCode, refuse
from service.imported import FileChange, Imported, Progress, silent
from service.lists import CustomerLine, GroupLine, ListFile, MemberLine
from service.matching import Reference
from service.sheets import Line
from service.store import customer, group
from service.store.change import NewChange
from service.store.customer import CustomerRow, NewCustomer, Pair
from service.store.group import GroupRow, NewGroup

Code = UserErrorCode


# ──────────────────────────────────────────── customers ────────────────────────────────────────────


async def load_customers(lines: Iterator[Line], progress: Progress = silent) -> Imported:
    """Creates the customers that a file lists, and updates those that there are, by code.

    Locks the customers that change, in the order of their keys. Raises RejectedFile, with REQUIRED for a new customer
    without a name. Statements: one for each BATCH of rows, and of those two more for what is created, three more for
    what is updated.
    """
    file = await asyncio.to_thread(lists.customer_file, lines)
    listed = await loading.understood(lists.customers(file), progress)
    present = await loading.gathered(customer.by_codes, [line.code_key for line in listed], "checking", progress)
    for line in listed:
        if line.code_key not in present and line.name is None:
            file.wrong(Code.REQUIRED, f"The new customer «{line.code}» needs a name.", line.row, "Name")
    file.mistakes.check()
    differing = {
        row.id: line for line in listed if (row := present.get(line.code_key)) and _renewed(line, row) != _values(row)
    }
    locked = await loading.locked(customer.lock_all, differing, progress)
    changing = [
        (line, locked[id]) for id, line in differing.items() if _renewed(line, locked[id]) != _values(locked[id])
    ]
    new = [line for line in listed if line.code_key not in present]
    changes = await _create_customers(new, progress)
    changes += await _update_customers(changing, progress)
    imported = Imported(
        rows=len(listed),
        created=len(new),
        updated=len(changing),
        unchanged=len(listed) - len(new) - len(changing),
        changes=loading.in_order(changes),
    )
    return await loading.logged("customers", imported)


def _values(row: CustomerRow) -> NewCustomer:
    return NewCustomer(row.id, row.code, row.name, row.type)


def _renewed(line: CustomerLine, row: CustomerRow) -> NewCustomer:
    """A customer as a row of the file wants it; what the row does not say stays."""
    return NewCustomer(row.id, row.code, line.name or row.name, line.type or row.type)


async def _create_customers(new: Sequence[CustomerLine], progress: Progress) -> list[FileChange]:
    at = transaction.current().at
    told: list[FileChange] = []
    async for batch in loading.batches(new, "creating", progress):
        made = [
            NewCustomer(id, line.code, str(line.name), line.type or "")
            for id, line in zip(ids.new_keys(len(batch)), batch, strict=True)
        ]
        await customer.insert(made, at)
        changes = []
        for line, one in zip(batch, made, strict=True):
            summary = f"created the customer «{one.name}» ({one.code})"
            changes.append(NewChange("CUSTOMER_CREATED", summary, customer=one.id, after=_words(one)))
            told.append(FileChange("CREATED", line.row, one.code, one.name))
        await transaction.log(changes)
    return told


async def _update_customers(
    changing: Sequence[tuple[CustomerLine, CustomerRow]], progress: Progress
) -> list[FileChange]:
    at = transaction.current().at
    told: list[FileChange] = []
    async for batch in loading.batches(changing, "updating", progress):
        await customer.update([_renewed(line, row) for line, row in batch], at)
        changes = []
        for line, row in batch:
            before, after = _words(_values(row)), _words(_renewed(line, row))
            summary = f"changed the {loading.changed(before, after)} of the customer «{row.name}» ({row.code})"
            changes.append(NewChange("CUSTOMER_UPDATED", summary, customer=row.id, before=before, after=after))
            told.append(FileChange("UPDATED", line.row, row.code, after["name"], *loading.in_words(before, after)))
        await transaction.log(changes)
    return told


# ────────────────────────────────────── the customers of groups ──────────────────────────────────────


async def load_members(
    lines: Iterator[Line], reference: Reference | None, mode: str, progress: Progress = silent
) -> Imported:
    """Puts the customers that a file lists into their groups; with REPLACE, each group has no others afterwards.

    A row without a group's code means the group of `reference`. A row that repeats another counts as unchanged.
    Locks the groups, then the customers who come or go, in the order of their keys. Raises RejectedFile; refuses with
    REQUIRED and NOT_FOUND. Statements: one for each BATCH of rows, groups and customers in each of some seven steps.
    """
    file = await asyncio.to_thread(lists.member_file, lines)
    if reference is None and "Group Code" not in file:
        message = "Say with `group` whose customers these are, or give the file a column «Group Code»."
        raise refuse(Code.REQUIRED, message, "group")
    listed = await loading.understood(lists.members(file), progress)
    own = await group.by_reference(reference) if reference is not None else None
    if own is None and reference is not None:
        raise refuse(Code.NOT_FOUND, groups.unknown(reference), "group")
    homes, customers = await _named(file, listed, own, progress)
    named = {homes[line.group_key].id for line in listed}
    if own is not None and "Group Code" not in file:
        named.add(own.id)
    locked = await loading.locked(group.lock, named, progress)
    wanted: dict[Pair, int] = {}
    for line in listed:
        wanted.setdefault((homes[line.group_key].id, customers[line.customer_key].id), line.row)
    present = await (_all_members(locked, progress) if mode == "REPLACE" else _members(wanted, progress))
    added = [pair for pair in wanted if pair not in present]
    removed = sorted(present - wanted.keys())
    people = {row.id: row for row in customers.values()}
    leaving = {id for _, id in removed} - people.keys()
    people |= await loading.gathered(customer.by_keys, leaving, "checking", progress)
    moving = {id for _, id in (*added, *removed)}
    await customer.hold(moving)
    async for batch in loading.batches(removed, "removing", progress):
        await customer.remove_pairs(batch)
    async for batch in loading.batches(added, "adding", progress):
        await customer.add_pairs(batch)
    await customer.settle(moving)
    await _log_members(locked, people, added, removed, progress)
    changes = [
        FileChange("ADDED", wanted[home, id], people[id].code, people[id].name, None, locked[home].name)
        for home, id in added
    ]
    changes += [
        FileChange("REMOVED", None, people[id].code, people[id].name, locked[home].name) for home, id in removed
    ]
    imported = Imported(
        rows=len(listed),
        created=len(added),
        removed=len(removed),
        unchanged=len(listed) - len(added),
        changes=tuple(changes),
    )
    return await loading.logged("customers of groups", imported, next(iter(locked)) if len(locked) == 1 else None)


async def _named(
    file: ListFile, listed: Sequence[MemberLine], own: GroupRow | None, progress: Progress
) -> tuple[dict[str | None, GroupRow], dict[str, CustomerRow]]:
    """The groups and the customers that the rows name, by their codes as keys. Raises RejectedFile."""
    keys = {line.group_key for line in listed if line.group_key is not None}
    coded = await loading.gathered(group.by_codes, keys, "checking", progress)
    homes: dict[str | None, GroupRow] = dict(coded.items())
    if own is not None:
        homes[None] = own
    customers = await loading.gathered(customer.by_codes, {line.customer_key for line in listed}, "checking", progress)
    for line in listed:
        if line.group_key is None and own is None:
            file.wrong(Code.REQUIRED, "The group's code must not be empty.", line.row, "Group Code")
        elif line.group_key not in homes:
            message = f"There is no customer group with the code «{line.group}»."
            file.wrong(Code.NOT_FOUND, message, line.row, "Group Code")
        if line.customer_key not in customers:
            message = f"There is no customer with the code «{line.customer}»."
            file.wrong(Code.NOT_FOUND, message, line.row, "Customer Code")
    file.mistakes.check()
    return homes, customers


async def _members(pairs: Collection[Pair], progress: Progress) -> set[Pair]:
    """Those of the pairs of a group and a customer where the customer is in the group."""
    found: set[Pair] = set()
    async for batch in loading.batches(pairs, "checking", progress):
        found |= await customer.pairs_among(batch)
    return found


async def _all_members(homes: Collection[int], progress: Progress) -> set[Pair]:
    """All pairs of one of the groups and a customer in it."""
    found: set[Pair] = set()
    async for batch in loading.batches(sorted(homes), "checking", progress):
        last = (0, 0)
        while page := await customer.pairs_after(batch, last, loading.BATCH):
            found.update(page)
            last = page[-1]
    return found


async def _log_members(
    homes: dict[int, GroupRow],
    people: dict[int, CustomerRow],
    added: Sequence[Pair],
    removed: Sequence[Pair],
    progress: Progress,
) -> None:
    """One committed change more of each group whose customers changed, and a row in the log for each way."""
    coming: dict[int, list[CustomerRow]] = {}
    going: dict[int, list[CustomerRow]] = {}
    for pairs, found in ((added, coming), (removed, going)):
        for home, id in pairs:
            found.setdefault(home, []).append(people[id])
    async for batch in loading.batches(sorted(coming.keys() | going.keys()), "logging", progress):
        counts = {home: len(coming.get(home, ())) - len(going.get(home, ())) for home in batch}
        await group.touch(counts, transaction.current().at)
        changes = []
        for home in batch:
            if home in going:
                changes.append(groups.member_change("CUSTOMERS_REMOVED", "removed", "from", homes[home], going[home]))
            if home in coming:
                changes.append(groups.member_change("CUSTOMERS_ADDED", "added", "to", homes[home], coming[home]))
        await transaction.log(changes)


# ───────────────────────────────────────────── groups ─────────────────────────────────────────────


async def load_groups(lines: Iterator[Line], progress: Progress = silent) -> Imported:
    """Creates the groups that a file lists, and updates those that there are, by code, else by name.

    Groups may exchange their names. Locks the groups that change, in the order of their keys. Raises RejectedFile,
    with REQUIRED for a new group without a name and NAME_TAKEN for a name that another group keeps. Statements:
    two for each BATCH of rows, and of those two more for what is created, four more for what is updated.
    """
    file = await asyncio.to_thread(lists.group_file, lines)
    listed = await loading.understood(lists.groups(file), progress)
    codes = {line.code_key for line in listed if line.code_key is not None}
    titles = {line.name_key for line in listed if line.name_key is not None}
    coded = await loading.gathered(group.by_codes, codes, "checking", progress)
    called = await loading.gathered(group.by_names, titles, "checking", progress)
    met = [coded.get(line.code_key) if line.code_key else called.get(str(line.name_key)) for line in listed]
    _check_groups(file, listed, met, called)
    differing = {row.id: line for line, row in zip(listed, met, strict=True) if row and _wanted(line, row) != _own(row)}
    locked = await loading.locked(group.lock, differing, progress)
    changing = [(line, locked[id]) for id, line in differing.items() if _wanted(line, locked[id]) != _own(locked[id])]
    new = [line for line, row in zip(listed, met, strict=True) if row is None]
    changes = await _update_groups(changing, called, progress)
    changes += await _create_groups(new, codes, progress)
    imported = Imported(
        rows=len(listed),
        created=len(new),
        updated=len(changing),
        unchanged=len(listed) - len(new) - len(changing),
        changes=loading.in_order(changes),
    )
    return await loading.logged("groups", imported)


def _check_groups(
    file: ListFile, listed: Sequence[GroupLine], met: Sequence[GroupRow | None], called: dict[str, GroupRow]
) -> None:
    """Raises RejectedFile where a group would be without a name, or share one, or is meant by two rows.

    `met` holds the group that each row means, `called` those that have one of the file's names now.
    """
    rows = {row.id: line for line, row in zip(reversed(listed), reversed(met), strict=True) if row is not None}
    for line, row in zip(listed, met, strict=True):
        if row is None and line.name is None:
            file.wrong(Code.REQUIRED, f"There is no group «{line.code}»; a new one needs a name.", line.row, "Name")
        if row is not None and rows[row.id] is not line:
            message = f"Row {rows[row.id].row} means the group «{row.name}» ({row.code}) already; keep one of the two."
            file.wrong(Code.BAD_ROW, message, line.row, "Name" if line.code is None else "Code")
        holder = called.get(line.name_key) if line.name_key else None
        if holder is None or (row is not None and holder.id == row.id):
            continue
        # Its holder may get another name by this same file.
        if holder.id not in rows or rows[holder.id].name_key in (None, line.name_key):
            message = f"There is a group «{holder.name}» ({holder.code}) already; choose another name."
            file.wrong(Code.NAME_TAKEN, message, line.row, "Name")
    file.mistakes.check()


def _own(row: GroupRow) -> NewGroup:
    return NewGroup(row.id, row.code, row.name, row.description, row.status)


def _wanted(line: GroupLine, row: GroupRow) -> NewGroup:
    """A group as a row of the file wants it; what the row does not say stays."""
    return NewGroup(
        row.id, row.code, line.name or row.name, line.description or row.description, line.status or row.status
    )


async def _create_groups(new: Sequence[GroupLine], taken: Collection[str], progress: Progress) -> list[FileChange]:
    at = transaction.current().at
    free = iter(await groups.free_codes(sum(line.code is None for line in new), taken))
    told: list[FileChange] = []
    async for batch in loading.batches(new, "creating", progress):
        made = [
            NewGroup(id, line.code or next(free), str(line.name), line.description or "", line.status or "ACTIVE")
            for id, line in zip(ids.new_keys(len(batch)), batch, strict=True)
        ]
        await group.insert(made, at)
        await transaction.log(
            [
                NewChange("GROUP_CREATED", f"created «{one.name}» ({one.code})", group=one.id, after=_words(one))
                for one in made
            ]
        )
        told += [FileChange("CREATED", line.row, one.code, one.name) for line, one in zip(batch, made, strict=True)]
    return told


async def _update_groups(
    changing: Sequence[tuple[GroupLine, GroupRow]], called: dict[str, GroupRow], progress: Progress
) -> list[FileChange]:
    at = transaction.current().at
    # Groups whose names the file gives to others: those let go of them before anybody gets a new one.
    handed = [called[key] for line, row in changing if (key := line.name_key) in called and called[key].id != row.id]
    async for freed in loading.batches([row.id for row in handed], "updating", progress):
        await group.free_names(freed)
    told: list[FileChange] = []
    async for batch in loading.batches(changing, "updating", progress):
        await group.update([_wanted(line, row) for line, row in batch], at)
        changes = []
        for line, row in batch:
            before, after = _words(_own(row)), _words(_wanted(line, row))
            summary = f"changed the {loading.changed(before, after)} of «{row.name}» ({row.code})"
            changes.append(NewChange("GROUP_UPDATED", summary, group=row.id, before=before, after=after))
            told.append(FileChange("UPDATED", line.row, row.code, after["name"], *loading.in_words(before, after)))
        await transaction.log(changes)
    return told


def _words(values: NewGroup | NewCustomer) -> dict[str, str]:
    """What the log holds of a thing: its values without the key."""
    return {word: value for word, value in values._asdict().items() if word != "id"}
