"""A company like that of the demo, of any size, as rows: what it costs to read must not depend on the size."""

from itertools import cycle

from tests.support.sowing import Sowing

LEVELS = ("Division", "State", "Distributor")
# The part of it that has names of its own: each place with the one above it.
NAMED = {
    "East": None,
    "West": None,
    "FL": "East",
    "IL": "East",
    "CA": "West",
    "Palm Tree Distribution": "FL",
    "Sol Family Distributors": "FL",
    "Chi-town Distribution": "IL",
    "Bay Area Beverages": "CA",
    "Golden Gate Wines": "CA",
}
UNASSIGNED = ("Lone Star Drinks", "Rio Grande Wines", "TX")


def sow_company(size: int) -> tuple[Sowing, dict[str, int]]:
    """The hierarchy «Sales» with so many nodes, ten at least, and the keys of what has a name.

    Each distributor has a customer, and every tenth shares one with its neighbour. Each group has two changes and
    two reservations of «WINE», an open one and a released one.
    """
    sown = Sowing()
    names = list(NAMED)
    parents = [None if above is None else names.index(above) for above in NAMED.values()]
    divisions, states = [0, 1], [2, 3, 4]
    names += [f"Place {number:06}" for number in range(len(names), size)]
    for place in range(len(NAMED), size):
        if place % 500 == 0:
            parents.append(None)
            divisions.append(place)
        elif place % 20 == 0:
            parents.append(divisions[place % len(divisions)])
            states.append(place)
        else:
            parents.append(states[place % len(states)])
    below = {parent for parent in parents if parent is not None}
    shared = cycle([sown.customer("S-1", "Shared customer", "RETAILER")])
    groups = []
    for place, name in enumerate(names):
        members = [] if place in below else [sown.customer(f"K-{place:06}", f"Customer of {name}", "RETAILER")]
        members += [next(shared)] if place % 10 == 6 else []
        groups.append(sown.group(f"G-{place:06}", name, f"Description of {name}", customers=members))
    for name in UNASSIGNED:
        sown.group(f"U-{name[:4]}", name, "Not assigned yet")
    hierarchy, nodes = sown.hierarchy("Sales", LEVELS, groups, parents)
    for group, name in zip(groups, names, strict=True):
        sown.change("GROUP_CREATED", f"created «{name}»", group=group)
        sown.change("GROUP_ASSIGNED", f"assigned «{name}» in «Sales»", hierarchy=hierarchy, group=group)
    item = sown.stock_item("WINE", "MAIN", 2 * size, len(groups))
    for group in groups:
        sown.reservation(item, group)
        # An open one that names it would keep the hierarchy from being deleted.
        sown.reservation(item, group, hierarchy, status="RELEASED")
    keys = {"hierarchy Sales": hierarchy} | {f"node {name}": nodes[names.index(name)] for name in NAMED}
    return sown, keys
