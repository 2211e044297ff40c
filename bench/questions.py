"""What is asked of the company in bench/search.py: every filter, every order, and what people combine of them."""

from collections.abc import Iterator, Sequence

from bench.generate import NAME

GROUP_ORDERS = ("CODE", "NAME", "STATUS", "CUSTOMER_COUNT", "CREATED_AT", "UPDATED_AT")
CUSTOMER_ORDERS = ("CODE", "NAME", "TYPE", "CREATED_AT")
# A group with a fifth of all customers, one with a fiftieth, one with a few, and one with the last 10,000 by code; a
# customer in a hundredth of all groups and one in a few; a hierarchy with nearly all groups.
LARGE, MIDDLING, SMALL = '{ name: "Harbour 0000000" }', '{ code: "B-0000001" }', '{ code: "B-0000017" }'
LAST = '{ code: "B-0000002" }'
BUSY, QUIET = '{ code: "K-0000000" }', '{ code: "K-0000017" }'
TREE = f'{{ name: "{NAME}" }}'
# Of customers' names: in all of them, in a tenth, a hundredth, some, one, none; and one too short for trigrams.
TEXTS = {
    "in every name": "wines",
    "in 1 of 10": "harbour",
    "in 1 of 100": "harbour wines 00",
    "in some hundred": "01234",
    "in one": "0654321",
    "in none": "xyzzy",
    "two letters, in none": "qz",
}

FILTERS = {
    "customers": {
        "code equals": 'code: { equals: "k-0123456" }',
        "code in": 'code: { in: ["K-0000001", "K-0500000", "K-0999999", "nobody"] }',
        "code startsWith, 100": 'code: { startsWith: "K-01234" }',
        "code startsWith, 10,000": 'code: { startsWith: "K-012" }',
        "code startsWith, all": 'code: { startsWith: "k-" }',
        "code contains": 'code: { contains: "54321" }',
        "name equals": 'name: { equals: "Summit Wines 0000004" }',
        "name in": 'name: { in: ["Summit Wines 0000004", "Harbour Wines 0000010"] }',
        "name startsWith": 'name: { startsWith: "harbour wines 001" }',
        **{f"name contains, {title}": f'name: {{ contains: "{text}" }}' for title, text in TEXTS.items()},
        **{f"search, {title}": f'search: "{text}"' for title, text in TEXTS.items()},
        "type, a quarter": 'type: ["retailer"]',
        "type, 100": 'type: ["EMBASSY"]',
        "types": 'type: ["EMBASSY", "HOTEL"]',
        "inGroup, a fifth": f"inGroup: {LARGE}",
        "inGroup, a fiftieth": f"inGroup: {MIDDLING}",
        "inGroup, a few": f"inGroup: {SMALL}",
        "inGroup, the last 10,000 by code": f"inGroup: {LAST}",
        "notInGroup, a fifth": f"notInGroup: {LARGE}",
        "notInGroup, a few": f"notInGroup: {SMALL}",
        "type and search": 'type: ["RETAILER"], search: "harbour"',
        "type and rare search": 'type: ["RETAILER"], search: "01234"',
        "inGroup and search": f'inGroup: {LARGE}, search: "01234"',
        "inGroup and type": f'inGroup: {LARGE}, type: ["HOTEL"]',
        "notInGroup, type and search": f'notInGroup: {LARGE}, type: ["HOTEL"], search: "wines"',
        "inGroup and notInGroup": f"inGroup: {MIDDLING}, notInGroup: {LARGE}",
    },
    "customerGroups": {
        "code equals": 'code: { equals: "b-0012345" }',
        "code in": 'code: { in: ["B-0000001", "B-0099999", "none"] }',
        "code startsWith": 'code: { startsWith: "B-001" }',
        "code contains": 'code: { contains: "4321" }',
        "name equals": 'name: { equals: "harbour 0000010" }',
        "name in": 'name: { in: ["Harbour 0000010", "Meadow 0000011"] }',
        "name startsWith": 'name: { startsWith: "harbour 00" }',
        "name contains": 'name: { contains: "54321" }',
        "search, in 1 of 10": 'search: "harbour"',
        "search, in some": 'search: "0123"',
        "search, in none": 'search: "xyzzy"',
        "status, most": "status: ACTIVE",
        "status, 1 of 20": "status: INACTIVE",
        "customerCount, most": "customerCount: { min: 1 }",
        "customerCount, few": "customerCount: { min: 100 }",
        "customerCount, both": "customerCount: { min: 60, max: 70 }",
        "customerCount, none": "customerCount: { max: 0 }",
        "containsCustomer, in 1 of 100": f"containsCustomer: {BUSY}",
        "containsCustomer, in a few": f"containsCustomer: {QUIET}",
        "inHierarchy": f"inHierarchy: {TREE}",
        "notInHierarchy": f"notInHierarchy: {TREE}",
        "status and search": 'status: INACTIVE, search: "harbour"',
        "status, search and customerCount": 'status: ACTIVE, search: "0123", customerCount: { min: 1 }',
        "containsCustomer and status": f"containsCustomer: {BUSY}, status: INACTIVE",
        "inHierarchy and search": f'inHierarchy: {TREE}, search: "0123"',
    },
}
NODE_FILTERS = {
    "search, in some": 'search: "0123"',
    "search, in none": 'search: "xyzzy"',
    "status": "status: ACTIVE",
    "level": 'level: "Level 2"',
    "depth": "depth: 3",
    "level and search": 'level: "Level 6", search: "0123"',
}

# Filters in another order than their field's own.
ORDERED: Sequence[tuple[str, str, Sequence[str]]] = (
    ("customers", "CREATED_AT", ("search, in 1 of 10", "type, a quarter", "inGroup, a fifth", "type, 100")),
    (
        "customers",
        "NAME",
        ("search, in 1 of 100", "type, a quarter", "inGroup, a fiftieth", "code startsWith, 10,000"),
    ),
    ("customerGroups", "CUSTOMER_COUNT", ("search, in 1 of 10", "status, 1 of 20", "notInHierarchy")),
    ("customerGroups", "UPDATED_AT", ("status, most", "customerCount, few", "containsCustomer, in 1 of 100")),
)


def _questions() -> Iterator[tuple[str, str]]:
    """(title, GraphQL field) of each; a page of fifty, in the default order unless the title tells another."""
    for field, orders in (("customers", CUSTOMER_ORDERS), ("customerGroups", GROUP_ORDERS)):
        for order in orders:
            yield f"{field} by {order}", f"{field}(orderBy: {{ field: {order} }}) {{ nodes {{ id }} }}"
        yield (
            f"{field} by {orders[1]}, last page",
            f"{field}(last: 50, orderBy: {{ field: {orders[1]} }}) {{ nodes {{ id }} }}",
        )
    for field, filters in FILTERS.items():
        for title, filter in filters.items():
            yield f"{field}: {title}", f"{field}(filter: {{ {filter} }}) {{ nodes {{ id }} }}"
    for field, order, titles in ORDERED:
        for title in titles:
            asked = f"filter: {{ {FILTERS[field][title]} }}, orderBy: {{ field: {order}, direction: DESC }}"
            yield f"{field}: {title}, by {order} DESC", f"{field}({asked}) {{ nodes {{ id }} }}"
    for title, group in (
        ("a fifth", LARGE),
        ("a fiftieth", MIDDLING),
        ("a few", SMALL),
        ("the last 10,000 by code", LAST),
    ):
        inside = 'customers(filter: { search: "harbour" }) { nodes { id } }'
        yield f"customers of a group: {title}", f"customerGroup(by: {group}) {{ customers {{ nodes {{ id }} }} }}"
        yield f"customers of a group: {title}, search", f"customerGroup(by: {group}) {{ {inside} }}"
    for title, customer in (("in 1 of 100", BUSY), ("in a few", QUIET)):
        yield f"groups of a customer: {title}", f"customer(by: {customer}) {{ groups {{ nodes {{ id }} }} }}"
    for title, filter in (("all", ""), ("search", '(filter: { search: "00" })')):
        inside = f"unassignedGroups{filter} {{ nodes {{ id }} }}"
        yield f"groups unassigned in a hierarchy: {title}", f"hierarchy(by: {TREE}) {{ {inside} }}"
    for title, filter in NODE_FILTERS.items():
        inside = f"nodes(filter: {{ {filter} }}) {{ nodes {{ id }} }}"
        yield f"nodes of a hierarchy: {title}", f"hierarchy(by: {TREE}) {{ {inside} }}"


QUESTIONS = list(_questions())
