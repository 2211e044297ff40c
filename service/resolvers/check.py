"""Looks for damage: recomputes every derived thing, names each difference, and mends it where asked to.

`node.parent_id` is the truth. What contradicts it in the closure table and in the kept numbers is mended; what
is wrong with the truth itself (a circle, a parent in another hierarchy, a node without a level) is only named.
"""

from collections.abc import Callable
from dataclasses import dataclass

from service.names import fold, key, searchable
from service.store import soundness
from service.store.soundness import DERIVED_TEXTS


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between what is there and what should be."""

    table: str
    key: str
    message: str
    repaired: bool = False


DERIVATIONS: dict[str, Callable[..., dict[str, str]]] = {
    "hierarchy": lambda name, description: {
        "name_key": key(name),
        "name_fold": fold(name),
        "search_fold": searchable(name, description),
    },
    "level": lambda name: {"name_key": key(name)},
    "customer_group": lambda code, name, description: {
        "code_key": key(code),
        "code_fold": fold(code),
        "name_key": key(name),
        "name_fold": fold(name),
        "search_fold": searchable(code, name, description),
    },
    "customer": lambda code, name, type: {
        "code_key": key(code),
        "code_fold": fold(code),
        "name_fold": fold(name),
        "search_fold": searchable(code, name),
        "type_key": key(type),
    },
    "stock_item": lambda sku, location: {
        "sku_key": key(sku),
        "sku_fold": fold(sku),
        "location_key": key(location),
    },
}


async def check(repair: bool) -> list[Finding]:
    """Everything that is not as it should be, mended if `repair`; then inside a transaction, else a snapshot.

    Reads every table. While it mends, all hierarchies, groups and stock items are locked; what it has mended counts as
    a change of every hierarchy.
    """
    if repair:
        await soundness.find(soundness.LOCK_HIERARCHIES)
        await soundness.find(soundness.LOCK_GROUPS)
        await soundness.find(soundness.LOCK_STOCK_ITEMS)
    findings = [
        *await _truth(),
        *await _pairs(repair),
        *await _depths(repair),
        *await _counts(repair),
        *await _shared(repair),
        *await _held(repair),
        *await _texts(repair),
    ]
    if any(finding.repaired for finding in findings):
        await soundness.mend(soundness.TOUCH_HIERARCHIES)
    return findings


async def advice() -> list[str]:
    """What is sound but could be quicker, with what to do about it."""
    missing = await soundness.missing_indexes()
    if not missing:
        return []
    names = " and ".join(row[0] for row in missing)
    what = f"The indexes {names} are missing: `search` and `contains` read whole tables."
    if missing[0][1]:
        return [
            f"{what} The server has pg_trgm, so `grove migrate` makes them. Where it does not, Grove's user may not: "
            "let an administrator run CREATE EXTENSION pg_trgm in this database first."
        ]
    return [
        f"{what} They need the extension pg_trgm, which this server lacks (Debian: postgresql-contrib); install it, "
        "then run `grove migrate`."
    ]


async def _truth() -> list[Finding]:
    circles = await soundness.find(soundness.CIRCLES)
    foreign = await soundness.find(soundness.FOREIGN_PARENTS)
    deep = await soundness.find(soundness.TOO_DEEP)
    levels = await soundness.find(soundness.BROKEN_LEVELS)
    return [
        *(Finding("node", str(row[0]), "stands below itself; set its parent_id anew") for row in circles),
        *(
            Finding("node", str(row[0]), "its parent is gone or in another hierarchy; set its parent_id anew")
            for row in foreign
        ),
        *(
            Finding("node", str(row[0]), f"stands at depth {row[1]}, for which its hierarchy has no level")
            for row in deep
        ),
        *(Finding("hierarchy", str(row[0]), f"has {row[1]} levels, the last one at depth {row[2]}") for row in levels),
    ]


async def _pairs(repair: bool) -> list[Finding]:
    findings: list[Finding] = []
    stray = await soundness.find(soundness.STRAY_PAIRS)
    missing = await soundness.find(soundness.MISSING_PAIRS)
    for ancestor, descendant, distance in stray:
        message = f"the pair is there, at distance {distance}, but should not be"
        findings.append(Finding("closure", f"{ancestor} > {descendant}", message, repair))
    for ancestor, descendant, distance, found in missing:
        message = f"should be at distance {distance}, but is {'missing' if found is None else f'at {found}'}"
        findings.append(Finding("closure", f"{ancestor} > {descendant}", message, repair))
    if repair:
        # All that is wrong goes first, so that no two ancestors are ever at one distance.
        for ancestor, descendant, *_ in (*stray, *missing):
            await soundness.mend(soundness.DELETE_PAIR, ancestor, descendant)
        for ancestor, descendant, distance, _ in missing:
            await soundness.mend(soundness.INSERT_PAIR, ancestor, descendant, distance)
    return findings


async def _depths(repair: bool) -> list[Finding]:
    findings: list[Finding] = []
    for node, found, expected in await soundness.find(soundness.WRONG_DEPTHS):
        findings.append(Finding("node", str(node), f"its depth is {expected}, not {found}", repair))
        if repair:
            await soundness.mend(soundness.SET_DEPTH, node, expected)
    return findings


async def _counts(repair: bool) -> list[Finding]:
    findings: list[Finding] = []
    for node, children, right_children, below, right_below in await soundness.find(soundness.WRONG_COUNTS):
        message = f"has {right_children} children and {right_below} descendants, not {children} and {below}"
        findings.append(Finding("node", str(node), message, repair))
        if repair:
            await soundness.mend(soundness.SET_COUNTS, node, int(right_children), right_below)
    for statement, mending, table, things in (
        (soundness.WRONG_LEVEL_COUNTS, soundness.SET_LEVEL_COUNT, "level", "nodes"),
        (soundness.WRONG_CUSTOMER_COUNTS, soundness.SET_CUSTOMER_COUNT, "customer_group", "customers"),
    ):
        for owner, found, expected in await soundness.find(statement):
            findings.append(Finding(table, str(owner), f"has {expected} {things}, not {found}", repair))
            if repair:
                await soundness.mend(mending, owner, expected)
    return findings


async def _shared(repair: bool) -> list[Finding]:
    findings: list[Finding] = []
    for statement, mending, message in (
        (soundness.STRAY_SHARED, soundness.DELETE_SHARED, "should not be kept as one of several memberships, but is"),
        (soundness.MISSING_SHARED, soundness.INSERT_SHARED, "should be kept as one of several memberships, but is not"),
    ):
        for customer, group in await soundness.find(statement):
            findings.append(Finding("shared_membership", f"{customer} in {group}", message, repair))
            if repair:
                await soundness.mend(mending, customer, group)
    return findings


async def _held(repair: bool) -> list[Finding]:
    findings: list[Finding] = []
    for item, found, expected, on_hand in await soundness.find(soundness.WRONG_HELD):
        if expected > on_hand:
            message = f"its open reservations hold {expected}, more than the {on_hand} on hand; release some"
            findings.append(Finding("stock_item", str(item), message))
            continue
        findings.append(Finding("stock_item", str(item), f"holds {expected} back, not {found}", repair))
        if repair:
            await soundness.mend(soundness.SET_HELD, item, int(expected))
    return findings


async def _texts(repair: bool) -> list[Finding]:
    """The keys and folded texts, made anew from what they are derived from."""
    findings: list[Finding] = []
    for table, (sources, derived) in DERIVED_TEXTS.items():
        last = 0
        while rows := await soundness.texts(table, last):
            for owner, *values in rows:
                expected = DERIVATIONS[table](*values[: len(sources)])
                found = dict(zip(derived, values[len(sources) :], strict=True))
                for column, value in expected.items():
                    if found[column] != value:
                        message = f"its {column} is «{value}», not «{found[column]}»"
                        findings.append(Finding(table, str(owner), message, repair))
                        if repair:
                            await soundness.set_text(table, column, owner, value)
            last = rows[-1][0]
    return findings
