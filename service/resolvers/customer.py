"""Customers."""

from collections.abc import Sequence
from dataclasses import dataclass

from service import groups, ids, names, transaction, tree
from service.errors import Refused, UserError, UserErrorCode, refuse, user_error
from service.ids import Kind
from service.matching import CustomerFilter, GroupFilter, Order, Reference
from service.paging import Page, Slice
from service.sought import Sought
from service.store import below as below_nodes
from service.store import customer, group, hierarchy, listing
from service.store.change import NewChange
from service.store.columns import Columns
from service.store.customer import CustomerRow, NewCustomer
from service.store.group import GroupRow

Code = UserErrorCode
EVERYBODY = CustomerFilter()


async def by_key(keys: Sequence[int]) -> list[CustomerRow | None]:
    """The customer with each key."""
    found = await customer.by_keys(keys)
    return [found.get(key) for key in keys]


async def by_reference(references: Sequence[Reference], columns: Columns | None = None) -> list[CustomerRow | None]:
    """The customer that each reference means; one statement each, since a document names few."""
    return [await customer.by_reference(reference, columns) for reference in references]


def sought(reference: Reference) -> Sought:
    """What stands for the key of the one that is meant, until it is found."""
    return listing.sought("customer", reference)


async def page(_: Sequence[int], page: Page, filter: CustomerFilter, order: Order) -> list[Slice[CustomerRow]]:
    """A page of all customers."""
    return await customer.page(customer.ALL, [0], page, filter, order)


async def total(_: Sequence[int], filter: CustomerFilter) -> list[int]:
    """How many customers meet the filter."""
    return await customer.totals(customer.ALL, [0], filter)


async def types(_: Sequence[int]) -> list[list[str]]:
    """The distinct types in use, in alphabetical order whatever the case."""
    found = await customer.types()
    return [sorted(found, key=lambda type: (names.fold(type), type))]


async def of_nodes(
    nodes: Sequence[int], page: Page, below: bool, filter: CustomerFilter, order: Order
) -> list[Slice[CustomerRow]]:
    """A page of the customers at each node or, with `below`, at and below it, each once."""
    if below and len(nodes) == 1 and filter == EVERYBODY:
        return [await below_nodes.page(nodes[0], page, order)]
    listing = customer.BELOW_NODE if below else customer.OF_NODE
    return await customer.page(listing, nodes, page, filter, order)


async def of_nodes_total(nodes: Sequence[int], below: bool, filter: CustomerFilter) -> list[int]:
    """How many customers `of_nodes` has in all for each node."""
    if below and filter == EVERYBODY:
        found = await below_nodes.counts(nodes)
        return [found[key] for key in nodes]
    return await customer.totals(customer.BELOW_NODE if below else customer.OF_NODE, nodes, filter)


async def groups_of(
    customers: Sequence[int], page: Page, filter: GroupFilter, order: Order, columns: Columns | None = None
) -> list[Slice[GroupRow]]:
    """A page of the groups that each customer was put into."""
    return await group.page(group.OF_CUSTOMER, customers, page, filter, order, columns)


async def groups_of_total(customers: Sequence[int], filter: GroupFilter) -> list[int]:
    """How many groups each customer was put into."""
    return await group.totals(group.OF_CUSTOMER, customers, filter)


async def is_member(customers: Sequence[int], of: Reference, within: Reference | None) -> list[bool]:
    """Whether each customer is in a group or, with a hierarchy, in any group below it there."""
    row = await group.by_reference(of)
    if row is None:
        return [False] * len(customers)
    key = None
    if within is not None:
        named = None if within.key is not None else await hierarchy.by_name(str(within.name))
        key = within.key if within.key is not None else named.id if named is not None else None
    found = await customer.members_among(customers, row.id, key)
    return [one in found for one in customers]


# ───────────────────────────────────────────── writing ─────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer to every change of a customer, by key."""

    customer: int


async def create(code: str, name: str, type: str) -> Changed:
    """A new customer. Refuses with REQUIRED, TOO_LONG, INVALID and CODE_TAKEN."""
    code, name, type = names.cleaned(code), names.cleaned(name), names.cleaned(type)
    errors = await _mistakes(code, name, type, None)
    if errors:
        raise Refused(errors)
    key = ids.new_key()
    await customer.insert([NewCustomer(key, code, name, type)], transaction.current().at)
    after = {"code": code, "name": name, "type": type}
    await transaction.log(
        [NewChange("CUSTOMER_CREATED", f"created the customer «{name}» ({code})", customer=key, after=after)]
    )
    return Changed(key)


async def _mistakes(code: str, name: str, type: str, own: int | None) -> list[UserError]:
    errors = names.mistakes("The code", code, names.CODE_LENGTH, "code")
    errors += names.mistakes("The name", name, names.NAME_LENGTH, "name")
    errors += names.mistakes("The type", type, names.TYPE_LENGTH, "type", required=False)
    holder = (await customer.by_codes([code])).get(names.key(code))
    if holder is not None and holder.id != own:
        message = f"The code «{holder.code}» belongs to «{holder.name}» already; choose another."
        errors.append(user_error(Code.CODE_TAKEN, message, "code"))
    return errors


async def update(
    key: int, code: str | None, name: str | None, type: str | None, expected_version: int | None
) -> Changed:
    """New values; what is None stays. Refuses as `create` does, with NOT_FOUND and STALE."""
    row = await _lock(key, expected_version)
    new_code = row.code if code is None else names.cleaned(code)
    new_name = row.name if name is None else names.cleaned(name)
    new_type = row.type if type is None else names.cleaned(type)
    errors = await _mistakes(new_code, new_name, new_type, key)
    if errors:
        raise Refused(errors)
    before = {"code": row.code, "name": row.name, "type": row.type}
    after = {"code": new_code, "name": new_name, "type": new_type}
    if before != after:
        await customer.update([NewCustomer(key, new_code, new_name, new_type)], transaction.current().at)
        changed = sorted(word for word in before if before[word] != after[word])
        summary = f"changed the {', '.join(changed)} of the customer «{row.name}» ({row.code})"
        await transaction.log([NewChange("CUSTOMER_UPDATED", summary, customer=key, before=before, after=after)])
    return Changed(key)


async def delete(key: int, expected_version: int | None) -> Changed:
    """Deletes a customer, taken out of all groups, each of which has so changed. Refuses with NOT_FOUND, STALE."""
    # Groups are locked before customers. A group that the customer comes into in between is found out by the
    # reference of its membership to the customer: the whole transaction then runs again.
    locked = await group.lock(await customer.groups_of(key))
    row = await _lock(key, expected_version)
    members = [one for one in await customer.groups_of(key) if one in locked]
    changes = [groups.member_change("CUSTOMERS_REMOVED", "removed", "from", locked[one], [row]) for one in members]
    await group.touch(dict.fromkeys(members, -1), transaction.current().at)
    await customer.remove_from(key, members)
    await customer.delete(key)
    before = {"code": row.code, "name": row.name, "type": row.type}
    summary = f"deleted the customer «{row.name}» ({row.code})"
    await transaction.log([*changes, NewChange("CUSTOMER_DELETED", summary, customer=key, before=before)])
    return Changed(key)


async def _lock(key: int, expected_version: int | None) -> CustomerRow:
    row = await customer.lock(key)
    if row is None:
        raise refuse(Code.NOT_FOUND, ids.unknown(Kind.CUSTOMER, key), "id")
    tree.check_version(expected_version, row.version, f"The customer «{row.name}» ({row.code})")
    return row
