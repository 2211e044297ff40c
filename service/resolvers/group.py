"""Customer groups and their members."""

from collections.abc import Sequence
from dataclasses import dataclass

from service import db, groups, leaving, names, placing, stock, transaction, tree
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.matching import CustomerFilter, GroupFilter, Order, Reference
from service.paging import Page, Slice, cut
from service.positions import FIRST, LAST, Position
from service.sessions import Record, Statement
from service.sought import Sought
from service.store import customer, group, listing, node
from service.store.change import NewChange
from service.store.customer import CustomerRow
from service.store.group import GroupRow, NewGroup
from service.tree import Goal

Code = UserErrorCode


async def by_key(keys: Sequence[int]) -> list[GroupRow | None]:
    """The group with each key."""
    found = await group.by_keys(keys)
    return [found.get(key) for key in keys]


async def by_reference(references: Sequence[Reference]) -> list[GroupRow | None]:
    """The group that each reference means."""
    return await group.by_references(references)


def sought(reference: Reference) -> Sought:
    """What stands for the key of the one that is meant, until it is found."""
    return listing.sought("customer_group", reference)


async def page(_: Sequence[int], page: Page, filter: GroupFilter, order: Order) -> list[Slice[GroupRow]]:
    """A page of all groups."""
    return await group.page(group.ALL, [0], page, filter, order)


async def total(_: Sequence[int], filter: GroupFilter) -> list[int]:
    """How many groups meet the filter."""
    return await group.totals(group.ALL, [0], filter)


async def members(keys: Sequence[int], page: Page, filter: CustomerFilter, order: Order) -> list[Slice[CustomerRow]]:
    """A page of the customers in each group."""
    return await customer.page(customer.OF_GROUP, keys, page, filter, order)


async def all_members(key: int, page: Page) -> list[Slice[CustomerRow]]:
    """A page of a group's customers by their keys, forward: for whoever reads them all, however many there are."""
    rows = await customer.members_behind(key, int(page.after or 0), page.size + 1)
    return [cut(page, rows, lambda row: str(row.id))]


async def member_total(keys: Sequence[int], filter: CustomerFilter) -> list[int]:
    """How many customers of each group meet the filter."""
    if filter == CustomerFilter():
        rows = await group.by_keys(keys)
        return [rows[key].customer_count for key in keys]
    return await customer.totals(customer.OF_GROUP, keys, filter)


# ───────────────────────────────────────────── writing ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new group is to stand."""

    hierarchy: int
    parent: int | None
    position: Position


@dataclass(frozen=True, slots=True)
class Created:
    """The answer to creating a group, by keys."""

    group: int
    node: int | None


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer to every other change of a group, by key.

    Of members: how many came or went, how many had done so before, and how often one was named once more.
    """

    group: int
    changed: int = 0
    passed_over: int = 0
    repeated: int = 0


async def create(
    name: str,
    code: str | None,
    description: str,
    status: str,
    customer_keys: Sequence[int],
    customer_codes: Sequence[str],
    place: Place | None,
) -> Created:
    """A new group, with its customers and its place in the same step where they are given.

    Refuses with REQUIRED, TOO_LONG, INVALID, NAME_TAKEN, CODE_TAKEN, NOT_FOUND, GROUP_INACTIVE,
    WRONG_HIERARCHY, TOO_DEEP, NOT_CHILDREN and OUT_OF_RANGE.
    """
    locked = parent = None
    keys: Sequence[str] = []
    errors: list[UserError] = []
    name, description = names.cleaned(name), description.strip()
    code = names.cleaned(code) if code is not None else None
    generated = code is None and not (customer_keys or customer_codes)
    along = _code_along(name, description, status, place) if generated else []
    questions = [*group.namesakes(name, code), *along]
    found = None
    if place is not None:
        try:
            goal = Goal(place.parent if place.parent is not None else -place.hierarchy, place.position)
            locked = await tree.lock(place.hierarchy, None, "place", "hierarchyId", goal=goal, others=questions)
            found = locked.others
            parent = await tree.parent_of(locked, place.parent, "place", "parentId")
            keys = await placing.positions_at(locked, locked.scope(parent), place.position, 1, [], "place", "position")
        except Refused as refused:
            errors += refused.errors
    found = found or await db.fetch_each(*questions)
    errors += _mistakes(name, code, description, None, found)
    customers, unknown = await groups.customers_named(customer_keys, customer_codes)
    errors += unknown
    if place is not None and status != "ACTIVE":
        message = f"«{name}» would be inactive; only an active group can be assigned."
        errors.append(user_error(Code.GROUP_INACTIVE, message, "status"))
    depth = parent.depth + 1 if parent is not None else 1
    if locked is not None and depth > len(locked.levels):
        errors.append(tree.too_deep(locked, name, depth, "place", "parentId"))
    if errors:
        raise Refused(errors)
    # From here on nothing is refused, unless somebody takes the name at this very moment: a generated code, taken from
    # PostgreSQL's sequence, would not go back.
    taken = group.code_taken(found[-1]) if along else None
    row = await groups.planned(name, code or taken, description, status)
    made, change = groups.founding(row)
    if customers or locked is None:
        await db.write(made, *transaction.logged([change]))
        count = await groups.add_members(row, customers) if customers else 0
        if count:
            await group.count_members(row.id, count)
    else:
        locked.writes.append(made)
        locked.changes.append(change)
    if locked is None:
        return Created(row.id, None)
    nodes = await placing.assign(locked, [row], parent, keys)
    await locked.finish()
    return Created(row.id, nodes[0])


def _code_along(name: str, description: str, status: str, place: Place | None) -> list[Statement]:
    """What takes a code for a new group, where nothing but its name and its place can be refused yet."""
    if names.mistakes("", name, names.NAME_LENGTH) or names.description_mistakes(description):
        return []
    if place is None:
        return groups.code_along(name, None, None)
    if status != "ACTIVE" or place.position not in (FIRST, LAST):
        return []
    return groups.code_along(name, place.hierarchy, place.parent)


def _mistakes(
    name: str, code: str | None, description: str, own: GroupRow | None, found: Sequence[Sequence[Record]]
) -> list[UserError]:
    """What is wrong with the values of a group; `own` is the group itself where it exists, `found` its namesakes."""
    namesakes = group.keyed(found[0])
    errors = names.mistakes("The name", name, names.NAME_LENGTH, "name")
    errors += names.description_mistakes(description, "description")
    namesake = namesakes.get(names.key(name))
    if namesake is not None and (own is None or namesake.id != own.id):
        message = f"There is a group «{namesake.name}» ({namesake.code}) already; choose another name."
        errors.append(user_error(Code.NAME_TAKEN, message, "name"))
    if code is None:
        return errors
    errors += names.mistakes("The code", code, names.CODE_LENGTH, "code")
    holder = group.keyed(found[1]).get(names.key(code))
    if holder is not None and (own is None or holder.id != own.id):
        message = f"The code «{holder.code}» belongs to «{holder.name}» already; choose another."
        errors.append(user_error(Code.CODE_TAKEN, message, "code"))
    return errors


async def update(
    key: int,
    name: str | None,
    code: str | None,
    description: str | None,
    status: str | None,
    expected_version: int | None,
) -> Changed:
    """New values; what is None stays. Refuses as `create` does, with NOT_FOUND and STALE."""
    row = await _lock(Reference(key), expected_version, "id")
    new_name = row.name if name is None else names.cleaned(name)
    new_code = row.code if code is None else names.cleaned(code)
    new_description = row.description if description is None else description.strip()
    found = await db.fetch_each(*group.namesakes(new_name, new_code))
    errors = _mistakes(new_name, new_code, new_description, row, found)
    if errors:
        raise Refused(errors)
    before = {"code": row.code, "name": row.name, "description": row.description, "status": row.status}
    after = {
        "code": new_code,
        "name": new_name,
        "description": new_description,
        "status": status or row.status,
    }
    if before != after:
        await group.update([NewGroup(row.id, **after)], transaction.current().at)
        changed = {word for word in before if before[word] != after[word]}
        summary = f"changed the {', '.join(sorted(changed))} of «{row.name}» ({row.code})"
        if changed == {"name"}:
            summary = f"renamed «{row.name}» to «{new_name}»"
        await transaction.log([NewChange("GROUP_UPDATED", summary, group=row.id, before=before, after=after)])
    return Changed(row.id)


async def delete(key: int, policy: str, expected_version: int | None) -> Changed:
    """Deletes a group; its nodes go as the policy says, its members stay customers.

    Its closed reservations go with it. Refuses with NOT_FOUND, STALE, GROUP_IN_USE and CONFLICT. Some twenty
    statements for each hierarchy that it stands in.
    """
    # Hierarchies are locked before groups. One in which the group comes to stand in between is found out by
    # the reference of its node to the group: the whole transaction then runs again.
    standing = await node.hierarchies_of_group(key)
    await tree.lock_all(standing)
    row = await _lock(Reference(key), expected_version, "id")
    errors: list[UserError] = await stock.let_group_go(row)
    for place in (await node.of_groups([key]))[key]:
        if place.hierarchy_id not in standing:
            # To lock it now, after the group, would be a deadlock with whoever assigns the group there.
            continue
        locked = await tree.lock(place.hierarchy_id, None)
        try:
            await leaving.unassign(locked, [place], policy, "children")
        except Refused as refused:
            errors += refused.errors
        else:
            await locked.finish()
    if errors:
        raise Refused(errors)
    await customer.empty(key)
    await group.delete(key)
    before = {
        "code": row.code,
        "name": row.name,
        "description": row.description,
        "status": row.status,
        "customerCount": row.customer_count,
    }
    await transaction.log([NewChange("GROUP_DELETED", f"deleted «{row.name}» ({row.code})", group=key, before=before)])
    return Changed(key)


async def add_customers(
    reference: Reference, keys: Sequence[int], codes: Sequence[str], expected_version: int | None
) -> Changed:
    """Puts customers into a group; those in it are passed over.

    Refuses with NOT_FOUND (each customer that there is not), STALE, REQUIRED and OUT_OF_RANGE. Nine
    statements, however many customers.
    """
    row, customers = await _for_members(reference, keys, codes, expected_version)
    count = await groups.add_members(row, customers)
    if count:
        await group.touch({row.id: count}, transaction.current().at)
    return Changed(row.id, count, len(customers) - count, len(keys) + len(codes) - len(customers))


async def remove_customers(
    reference: Reference, keys: Sequence[int], codes: Sequence[str], expected_version: int | None
) -> Changed:
    """Takes customers out of a group; those not in it are passed over. Refuses as `add_customers` does."""
    row, customers = await _for_members(reference, keys, codes, expected_version)
    count = await groups.remove_members(row, customers)
    if count:
        await group.touch({row.id: -count}, transaction.current().at)
    return Changed(row.id, count, len(customers) - count, len(keys) + len(codes) - len(customers))


async def _for_members(
    reference: Reference, keys: Sequence[int], codes: Sequence[str], expected_version: int | None
) -> tuple[GroupRow, list[CustomerRow]]:
    row = await _lock(reference, expected_version, "group")
    if not keys and not codes:
        raise refuse(Code.REQUIRED, "Name at least one customer, in customerIds or customerCodes.", "customerIds")
    customers, errors = await groups.customers_named(keys, codes)
    if errors:
        raise Refused(errors)
    return row, customers


async def _lock(reference: Reference, expected_version: int | None, path: str) -> GroupRow:
    found = await group.by_reference(reference)
    row = (await group.lock([found.id])).get(found.id) if found is not None else None
    if row is None:
        raise refuse(Code.NOT_FOUND, groups.unknown(reference), path)
    tree.check_version(expected_version, row.version, f"The group «{row.name}» ({row.code})")
    return row
