"""What mutations refuse, as a table: the input, and each user error with its place and words of its message.

Inputs name things of tests/support/company.py as its `filled` has it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from service.ids import Kind, encode

# The code, the path below `input` with dots, and words that the message holds.
Mistake = tuple[str, str, str]


class Refusal(NamedTuple):
    mutation: str
    input: Mapping[str, Any]
    mistakes: Sequence[Mistake]

    def __str__(self) -> str:
        """The name of the test case."""
        return f"{self.mutation}: {', '.join(f'{code} {path}'.strip() for code, path, _ in self.mistakes[:3])}"


# Well-formed ids of things that do not exist.
NO_HIERARCHY = encode(Kind.HIERARCHY, 4_711)
NO_GROUP = encode(Kind.GROUP, 4_711)
NO_NODE = encode(Kind.NODE, 4_711)
NO_CUSTOMER = encode(Kind.CUSTOMER, 4_711)
NO_RESERVATION = encode(Kind.RESERVATION, 4_711)

SALES = {"hierarchyId": "@hierarchy Sales"}
LONG_NAME = "N" * 201
LONG_CODE = "c" * 65
LONG_TEXT = "d" * 2_001


def wrong_ids(mutation: str, field: str, kind: str, missing: str, **rest: Any) -> list[Refusal]:
    """What every mutation refuses that takes the id of one thing: mangled and foreign ones, and one of nothing."""
    stranger = "@customer C-1" if kind != "customer" else "@group East"
    strange_kind = "the id of a customer" if kind != "customer" else "the id of a customer group"
    return [
        Refusal(mutation, {field: "", **rest}, [("INVALID", field, "«» is not an id")]),
        Refusal(mutation, {field: "nonsense", **rest}, [("INVALID", field, "«nonsense» is not an id")]),
        Refusal(mutation, {field: f"{missing}0", **rest}, [("INVALID", field, "not an id, or not a whole one")]),
        Refusal(mutation, {field: missing.upper(), **rest}, [("INVALID", field, "not an id")]),
        Refusal(mutation, {field: f" {missing}", **rest}, [("INVALID", field, "not an id")]),
        Refusal(mutation, {field: stranger, **rest}, [("INVALID", field, strange_kind)]),
        Refusal(mutation, {field: missing, **rest}, [("NOT_FOUND", field, f"no {kind} with the id «{missing}»")]),
    ]


def bad_names(mutation: str, field: str = "name", longest: int = 200, **rest: Any) -> list[Refusal]:
    """What every mutation refuses that takes a name or a code."""
    cases = [
        ("", "REQUIRED", "must not be empty"),
        (" \t\n\u3000", "REQUIRED", "must not be empty"),
        # What is left of it when compatibility forms are made one: nothing.
        ("x" * (longest + 1), "TOO_LONG", f"at most {longest} characters; this one has {longest + 1}"),
        # One letter that stands for eighteen, of two bytes each but for the blanks.
        ("\ufdfa" * 64, "TOO_LONG", "takes 2,112 bytes and may take at most 2,000. Use plainer letters"),
        ("two\nlines", "INVALID", "single line"),
        ("a\u0007bell", "INVALID", "control characters"),
        ("a\u2028separator", "INVALID", "single line"),
    ]
    return [Refusal(mutation, {**rest, field: text}, [(code, field, words)]) for text, code, words in cases]


def taken(mutation: str, field: str, code: str, texts: Sequence[str], words: str, **rest: Any) -> list[Refusal]:
    """The same name or code again, in disguise."""
    return [Refusal(mutation, {**rest, field: text}, [(code, field, words)]) for text in texts]


# Case, blanks around and within, and forms of letters do not make a name another one.
SALES_AGAIN = ("Sales", "sales", "SALES", "  Sales\t", "ＳＡＬＥＳ", "Sa\u200dles".replace("\u200d", ""), "ſaleſ")
PALM_TREE_AGAIN = ("palm tree", "Palm  Tree", "PALM\u00a0TREE", "Ｐａｌｍ　Ｔｒｅｅ")
CODE_AGAIN = ("CG-000001", "cg-000001", " CG-000001 ", "ＣＧ－０００００１")

HIERARCHIES = [
    *bad_names("createHierarchy", levels=["A"]),
    *taken("createHierarchy", "name", "NAME_TAKEN", SALES_AGAIN, "«Sales»", levels=["A"]),
    Refusal(
        "createHierarchy",
        {"name": "New", "levels": ["A"], "description": LONG_TEXT},
        [("TOO_LONG", "description", "at most 2000 characters; this one has 2001")],
    ),
    Refusal(
        "createHierarchy",
        {"name": "New", "levels": ["A"], "description": "a\u0007bell"},
        [("INVALID", "description", "control characters")],
    ),
    Refusal("createHierarchy", {"name": "New", "levels": []}, [("OUT_OF_RANGE", "levels", "1 to 128 levels; 0")]),
    Refusal(
        "createHierarchy",
        {"name": "New", "levels": [f"L{depth}" for depth in range(129)]},
        [("OUT_OF_RANGE", "levels", "1 to 128 levels; 129")],
    ),
    # Everything that is wrong at once.
    Refusal(
        "createHierarchy",
        {
            "name": "markets",
            "description": LONG_TEXT,
            "levels": ["Top", " ", "TOP", LONG_NAME, "two\nlines", "top\u00a0"],
        },
        [
            ("TOO_LONG", "description", "2001"),
            ("REQUIRED", "levels.1", "must not be empty"),
            ("NAME_TAKEN", "levels.2", "«TOP» is named twice"),
            ("TOO_LONG", "levels.3", "201"),
            ("INVALID", "levels.4", "single line"),
            ("NAME_TAKEN", "levels.5", "«top» is named twice"),
            ("NAME_TAKEN", "name", "«Markets»"),
        ],
    ),
    *wrong_ids("updateHierarchy", "id", "hierarchy", NO_HIERARCHY, name="New"),
    *bad_names("updateHierarchy", id="@hierarchy Sales"),
    *taken("updateHierarchy", "name", "NAME_TAKEN", SALES_AGAIN, "«Sales»", id="@hierarchy Markets"),
    Refusal(
        "updateHierarchy",
        {"id": "@hierarchy Sales", "name": "", "description": LONG_TEXT},
        [("REQUIRED", "name", "must not be empty"), ("TOO_LONG", "description", "2001")],
    ),
    *wrong_ids("deleteHierarchy", "id", "hierarchy", NO_HIERARCHY),
    *wrong_ids("addLevel", "hierarchyId", "hierarchy", NO_HIERARCHY, name="New"),
    *bad_names("addLevel", hierarchyId="@hierarchy Sales"),
    *taken(
        "addLevel", "name", "NAME_TAKEN", ("State", "sTATE", " ｓｔａｔｅ "), "«Sales» has a level «State»", **SALES
    ),
    *(
        Refusal(
            "addLevel",
            {**SALES, "name": "New", "depth": depth},
            [("OUT_OF_RANGE", "depth", f"«Sales» has 3 levels, so a new one can be put at depth 1 to 4, not {depth}")],
        )
        for depth in (0, -1, 5, 2_147_483_647)
    ),
    # Everything that is wrong at once.
    Refusal(
        "addLevel",
        {**SALES, "name": "STATE", "depth": 5},
        [("NAME_TAKEN", "name", "«State»"), ("OUT_OF_RANGE", "depth", "not 5")],
    ),
    *wrong_ids("renameLevel", "hierarchyId", "hierarchy", NO_HIERARCHY, depth=1, name="New"),
    *bad_names("renameLevel", depth=2, hierarchyId="@hierarchy Sales"),
    *taken("renameLevel", "name", "NAME_TAKEN", ("State", "sTATE"), "«Sales» has a level «State»", depth=1, **SALES),
    *wrong_ids("removeLevel", "hierarchyId", "hierarchy", NO_HIERARCHY, depth=3),
    Refusal("removeLevel", {**SALES, "depth": 1}, [("OUT_OF_RANGE", "depth", "Only the last level, «Distributor»")]),
    Refusal(
        "removeLevel", {**SALES, "depth": 2, "mode": "REFUSE"}, [("OUT_OF_RANGE", "depth", "with `mode: MERGE_UP`")]
    ),
    Refusal(
        "removeLevel", {**SALES, "depth": 3}, [("LEVEL_IN_USE", "depth", "3 nodes stand on the level «Distributor»")]
    ),
    Refusal(
        "removeLevel",
        {"hierarchyId": "@hierarchy Markets", "depth": 2},
        [("LEVEL_IN_USE", "depth", "1 node stands on the level «Market»; move or unassign them first, or remove")],
    ),
    *(
        Refusal(mutation, {**SALES, "depth": depth, **rest}, [("OUT_OF_RANGE", "depth", f"no level {depth}")])
        for mutation, rest in (
            ("renameLevel", {"name": "New"}),
            ("removeLevel", {}),
            ("removeLevel", {"mode": "MERGE_UP"}),
        )
        for depth in (0, -1, 4, 2_147_483_647)
    ),
]

GROUPS = [
    *bad_names("createCustomerGroup"),
    *bad_names("createCustomerGroup", "code", 64, name="New"),
    *taken("createCustomerGroup", "name", "NAME_TAKEN", PALM_TREE_AGAIN, "«Palm Tree» (CG-000003)"),
    *taken("createCustomerGroup", "code", "CODE_TAKEN", CODE_AGAIN, "«CG-000001» belongs to «East»", name="New"),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "customerIds": ["@customer C-1", NO_CUSTOMER], "customerCodes": ["C-2", "C-99", "C-98"]},
        [
            ("NOT_FOUND", "customerIds.1", f"no customer with the id «{NO_CUSTOMER}»"),
            ("NOT_FOUND", "customerCodes.1", "«C-99»"),
            ("NOT_FOUND", "customerCodes.2", "«C-98»"),
        ],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "customerIds": ["oops", "@customer C-1", "@group East"]},
        [("INVALID", "customerIds.0", "«oops»"), ("INVALID", "customerIds.2", "the id of a customer group")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "place": {"hierarchyId": NO_HIERARCHY}},
        [("NOT_FOUND", "place.hierarchyId", f"no hierarchy with the id «{NO_HIERARCHY}»")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "place": {"hierarchyId": "@node East"}},
        [("INVALID", "place.hierarchyId", "the id of a hierarchy node")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "place": {**SALES, "parentId": NO_NODE}},
        [("NOT_FOUND", "place.parentId", f"no parent node with the id «{NO_NODE}»")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "place": {"hierarchyId": "@hierarchy Markets", "parentId": "@node East"}},
        [
            (
                "WRONG_HIERARCHY",
                "place.parentId",
                "«East» stands at the top in «Sales», not in «Markets»; choose a parent in «Markets»",
            )
        ],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "place": {**SALES, "parentId": "@node Palm Tree"}},
        [
            (
                "TOO_DEEP",
                "place.parentId",
                "«New» would stand at depth 4, but «Sales» has 3 levels, down to «Distributor»",
            )
        ],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "EAST", "place": {**SALES, "parentId": "@node East"}},
        [("NAME_TAKEN", "name", "«East» (CG-000001)")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "description": LONG_TEXT, "place": SALES},
        [("TOO_LONG", "description", "2001")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "status": "INACTIVE", "place": SALES},
        [("GROUP_INACTIVE", "status", "«New»")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "place": {**SALES, "position": {"after": "@node FL"}}},
        [("NOT_CHILDREN", "place.position.after", "«FL» stands under «East» in «Sales»")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "place": {**SALES, "position": {"index": -1}}},
        [("OUT_OF_RANGE", "place.position.index", "from 0")],
    ),
    Refusal(
        "createCustomerGroup",
        {"name": "New", "place": {**SALES, "position": {"first": False}}},
        [("INVALID", "place.position.first", "`first: true`")],
    ),
    Refusal(
        "createCustomerGroup",
        {
            "name": "east",
            "code": "cg-000002",
            "description": LONG_TEXT,
            "status": "INACTIVE",
            "customerCodes": ["C-99"],
            "place": {**SALES, "parentId": "@node Chi-town"},
        },
        [
            ("TOO_LONG", "description", "2001"),
            ("NAME_TAKEN", "name", "«East» (CG-000001)"),
            ("CODE_TAKEN", "code", "«CG-000002» belongs to «FL»"),
            ("NOT_FOUND", "customerCodes.0", "«C-99»"),
            ("GROUP_INACTIVE", "status", "«east»"),
            ("TOO_DEEP", "place.parentId", "«Sales»"),
        ],
    ),
    *wrong_ids("updateCustomerGroup", "id", "customer group", NO_GROUP, name="New"),
    *bad_names("updateCustomerGroup", id="@group West"),
    *bad_names("updateCustomerGroup", "code", 64, id="@group West"),
    *taken("updateCustomerGroup", "name", "NAME_TAKEN", PALM_TREE_AGAIN, "«Palm Tree» (CG-000003)", id="@group West"),
    *taken("updateCustomerGroup", "code", "CODE_TAKEN", CODE_AGAIN, "belongs to «East»", id="@group West"),
    Refusal(
        "updateCustomerGroup",
        {"id": "@group West", "name": "east", "code": "", "description": LONG_TEXT},
        [
            ("TOO_LONG", "description", "2001"),
            ("NAME_TAKEN", "name", "«East» (CG-000001)"),
            ("REQUIRED", "code", "must not be empty"),
        ],
    ),
    *wrong_ids("deleteCustomerGroup", "id", "customer group", NO_GROUP),
    Refusal(
        "deleteCustomerGroup",
        {"id": "@group IL"},
        [("CONFLICT", "children", "«IL» has 1 child in «Sales»")],
    ),
    # It has children in both of its hierarchies: each is told.
    Refusal(
        "deleteCustomerGroup",
        {"id": "@group FL", "children": "REFUSE"},
        [
            ("CONFLICT", "children", "«FL» has 1 child in «Markets»"),
            ("CONFLICT", "children", "«FL» has 2 children in «Sales»"),
        ],
    ),
]

MEMBERS = [
    refusal
    for mutation in ("addCustomersToGroup", "removeCustomersFromGroup")
    for refusal in (
        Refusal(
            mutation,
            {"group": {"id": NO_GROUP}, "customerCodes": ["C-1"]},
            [("NOT_FOUND", "group", f"no customer group with the id «{NO_GROUP}»")],
        ),
        Refusal(
            mutation,
            {"group": {"code": "CG-9"}, "customerCodes": ["C-1"]},
            [("NOT_FOUND", "group", "«CG-9»")],
        ),
        Refusal(
            mutation,
            {"group": {"name": "Nowhere"}, "customerCodes": ["C-1"]},
            [("NOT_FOUND", "group", "«Nowhere»")],
        ),
        Refusal(
            mutation,
            {"group": {"name": ""}, "customerCodes": ["C-1"]},
            [("NOT_FOUND", "group", "no customer group")],
        ),
        Refusal(
            mutation,
            {"group": {"id": "@node East"}, "customerCodes": ["C-1"]},
            [("INVALID", "group.id", "the id of a hierarchy node")],
        ),
        Refusal(
            mutation,
            {"group": {"id": ""}, "customerCodes": ["C-1"]},
            [("INVALID", "group.id", "not an id")],
        ),
        Refusal(mutation, {"group": {"name": "East"}}, [("REQUIRED", "customerIds", "at least one customer")]),
        Refusal(
            mutation,
            {"group": {"name": "East"}, "customerIds": [], "customerCodes": []},
            [("REQUIRED", "customerIds", "at least one customer")],
        ),
        Refusal(
            mutation,
            {
                "group": {"name": "East"},
                "customerIds": ["@customer C-1", NO_CUSTOMER],
                "customerCodes": ["C-99", "C-3", ""],
            },
            [
                ("NOT_FOUND", "customerIds.1", f"no customer with the id «{NO_CUSTOMER}»"),
                ("NOT_FOUND", "customerCodes.0", "«C-99»"),
                ("NOT_FOUND", "customerCodes.2", "«»"),
            ],
        ),
        Refusal(
            mutation,
            {"group": {"name": "East"}, "customerIds": ["@customer C-1", "x", "@node East"]},
            [("INVALID", "customerIds.1", "«x»"), ("INVALID", "customerIds.2", "the id of a hierarchy node")],
        ),
        # Each is named, however many.
        Refusal(
            mutation,
            {"group": {"name": "East"}, "customerCodes": [f"X-{number}" for number in range(150)]},
            [("NOT_FOUND", f"customerCodes.{number}", f"«X-{number}»") for number in range(150)],
        ),
        Refusal(
            mutation,
            {"group": {"name": "East"}, "customerCodes": ["C-1"] * 10_001},
            [("OUT_OF_RANGE", "customerCodes", "At most 10,000 customers at once; 10,001")],
        ),
        Refusal(
            mutation,
            {"group": {"name": "East"}, "customerIds": ["@customer C-1"] * 9_000, "customerCodes": ["C-1"] * 1_001},
            [("OUT_OF_RANGE", "customerCodes", "10,001")],
        ),
    )
]

CUSTOMERS = [
    *bad_names("createCustomer", code="N-1"),
    *bad_names("createCustomer", "code", 64, name="New"),
    *taken(
        "createCustomer",
        "code",
        "CODE_TAKEN",
        ("C-1", "c-1", " C-1", "Ｃ－１"),
        "«C-1» belongs to «Customer 1»",
        name="New",
    ),
    Refusal(
        "createCustomer",
        {"code": "N-1", "name": "New", "type": LONG_CODE},
        [("TOO_LONG", "type", "at most 64 characters")],
    ),
    Refusal("createCustomer", {"code": "N-1", "name": "New", "type": "a\nb"}, [("INVALID", "type", "single line")]),
    Refusal(
        "createCustomer",
        {"code": "", "name": LONG_NAME, "type": "\u0007x"},
        [
            ("REQUIRED", "code", "must not be empty"),
            ("TOO_LONG", "name", "201"),
            ("INVALID", "type", "control characters"),
        ],
    ),
    *wrong_ids("updateCustomer", "id", "customer", NO_CUSTOMER, name="New"),
    *bad_names("updateCustomer", id="@customer C-2"),
    *bad_names("updateCustomer", "code", 64, id="@customer C-2"),
    *taken("updateCustomer", "code", "CODE_TAKEN", ("C-1", "c-1"), "«C-1» belongs to «Customer 1»", id="@customer C-2"),
    Refusal(
        "updateCustomer",
        {"id": "@customer C-2", "code": "c-1", "name": " ", "type": LONG_CODE},
        [
            ("REQUIRED", "name", "must not be empty"),
            ("TOO_LONG", "type", "65"),
            ("CODE_TAKEN", "code", "«C-1» belongs to «Customer 1»"),
        ],
    ),
    *wrong_ids("deleteCustomer", "id", "customer", NO_CUSTOMER),
]

SOUTH = {"name": "South"}
ASSIGNING = [
    *wrong_ids("assignGroup", "hierarchyId", "hierarchy", NO_HIERARCHY, group=SOUTH),
    *wrong_ids("assignGroups", "hierarchyId", "hierarchy", NO_HIERARCHY, groups=[SOUTH]),
    Refusal("assignGroup", {**SALES, "group": {"id": NO_GROUP}}, [("NOT_FOUND", "group", f"with the id «{NO_GROUP}»")]),
    Refusal("assignGroup", {**SALES, "group": {"id": ""}}, [("INVALID", "group.id", "not an id")]),
    Refusal("assignGroup", {**SALES, "group": {"code": "CG-9"}}, [("NOT_FOUND", "group", "«CG-9»")]),
    Refusal("assignGroup", {**SALES, "group": {"name": "Nowhere"}}, [("NOT_FOUND", "group", "«Nowhere»")]),
    Refusal(
        "assignGroup", {**SALES, "group": {"id": "@customer C-1"}}, [("INVALID", "group.id", "the id of a customer")]
    ),
    Refusal(
        "assignGroup",
        {**SALES, "group": {"name": "closed"}},
        [("GROUP_INACTIVE", "group", "«Closed» (CG-000011) is inactive")],
    ),
    Refusal(
        "assignGroup",
        {**SALES, "group": {"id": "@group FL"}},
        [("ALREADY_ASSIGNED", "group", "«FL» (CG-000002) already stands in «Sales»")],
    ),
    Refusal(
        "assignGroup",
        {**SALES, "group": SOUTH, "parentId": "nonsense"},
        [("INVALID", "parentId", "«nonsense» is not an id")],
    ),
    Refusal(
        "assignGroup", {**SALES, "group": SOUTH, "parentId": "@group FL"}, [("INVALID", "parentId", "a customer group")]
    ),
    Refusal(
        "assignGroup", {**SALES, "group": SOUTH, "parentId": NO_NODE}, [("NOT_FOUND", "parentId", "no parent node")]
    ),
    Refusal(
        "assignGroup",
        {"hierarchyId": "@hierarchy Markets", "group": SOUTH, "parentId": "@node FL"},
        [("WRONG_HIERARCHY", "parentId", "«FL» stands under «East» in «Sales», not in «Markets»")],
    ),
    Refusal(
        "assignGroup",
        {**SALES, "group": SOUTH, "parentId": "@node Palm Tree"},
        [("TOO_DEEP", "parentId", "«South» would stand at depth 4, but «Sales» has 3 levels")],
    ),
    # The sibling is one of another hierarchy.
    Refusal(
        "assignGroup",
        {"hierarchyId": "@hierarchy Markets", "group": SOUTH, "position": {"after": "@node CA"}},
        [("NOT_CHILDREN", "position.after", "«CA» stands under «West» in «Sales», which is not where")],
    ),
    # Whatever is wrong with the group, what is wrong with the parent is told as well.
    Refusal(
        "assignGroup",
        {**SALES, "group": {"name": "Closed"}, "parentId": NO_NODE},
        [("GROUP_INACTIVE", "group", "«Closed»"), ("NOT_FOUND", "parentId", "no parent node")],
    ),
    Refusal(
        "assignGroup",
        {**SALES, "group": {"name": "FL"}, "parentId": "@node Palm Tree"},
        [("ALREADY_ASSIGNED", "group", "«FL»"), ("TOO_DEEP", "parentId", "«Sales»")],
    ),
    Refusal("assignGroups", {**SALES, "groups": []}, [("REQUIRED", "groups", "at least one")]),
    Refusal(
        "assignGroups",
        {**SALES, "groups": [{"name": f"G {number}"} for number in range(1_001)]},
        [("OUT_OF_RANGE", "groups", "At most 1,000 at once; 1,001")],
    ),
    Refusal(
        "assignGroups",
        {
            **SALES,
            "groups": [
                SOUTH,
                {"code": "cg-000009"},
                {"name": "Closed"},
                {"name": "FL"},
                {"name": "?"},
                {"id": "@group South"},
            ],
        },
        [
            ("INVALID", "groups.1", "«South» (CG-000009) is named twice"),
            ("GROUP_INACTIVE", "groups.2", "«Closed» (CG-000011)"),
            ("ALREADY_ASSIGNED", "groups.3", "«FL» (CG-000002)"),
            ("NOT_FOUND", "groups.4", "«?»"),
            ("INVALID", "groups.5", "«South» (CG-000009) is named twice"),
        ],
    ),
    Refusal(
        "assignGroups",
        {**SALES, "groups": [SOUTH, {"id": "x"}, {"id": "@node FL"}]},
        [("INVALID", "groups.1.id", "«x»"), ("INVALID", "groups.2.id", "a hierarchy node")],
    ),
]

POSITIONS = [
    Refusal(mutation, {**target, "position": position}, [mistake])
    for mutation, target in (
        ("assignGroup", {**SALES, "group": SOUTH, "parentId": "@node East"}),
        ("assignGroups", {**SALES, "groups": [SOUTH], "parentId": "@node East"}),
        ("moveNode", {"nodeId": "@node CA", "parentId": "@node East"}),
        ("moveNodes", {"nodeIds": ["@node CA"], "parentId": "@node East"}),
    )
    for position, mistake in (
        ({"first": False}, ("INVALID", "position.first", "`first: true`")),
        ({"last": False}, ("INVALID", "position.last", "`last: true`")),
        ({"index": -1}, ("OUT_OF_RANGE", "position.index", "from 0")),
        ({"before": ""}, ("INVALID", "position.before", "not an id")),
        ({"after": "@group FL"}, ("INVALID", "position.after", "a customer group")),
        ({"before": NO_NODE}, ("NOT_CHILDREN", "position.before", f"no node with the id «{NO_NODE}»")),
        # Its parent, a cousin, a root.
        ({"after": "@node East"}, ("NOT_CHILDREN", "position.after", "«East» stands at the top in «Sales», which is")),
        (
            {"before": "@node Palm Tree"},
            (
                "NOT_CHILDREN",
                "position.before",
                "«Palm Tree» stands under «FL» in «Sales», which is not where the node is to go; choose a sibling to"
                " stand before.",
            ),
        ),
        ({"after": "@node West"}, ("NOT_CHILDREN", "position.after", "«West» stands at the top in «Sales»")),
    )
]

MOVING = [
    *wrong_ids("moveNode", "nodeId", "node", NO_NODE),
    Refusal("moveNodes", {"nodeIds": []}, [("REQUIRED", "nodeIds", "at least one")]),
    Refusal("moveNodes", {"nodeIds": ["@node FL"] * 1_001}, [("OUT_OF_RANGE", "nodeIds", "1,001")]),
    Refusal(
        "moveNodes",
        {"nodeIds": ["@node FL", "x", "@group FL"]},
        [("INVALID", "nodeIds.1", "«x»"), ("INVALID", "nodeIds.2", "a customer group")],
    ),
    Refusal(
        "moveNodes",
        {"nodeIds": ["@node FL", NO_NODE]},
        [("NOT_FOUND", "nodeIds.1", f"no node with the id «{NO_NODE}»")],
    ),
    Refusal("moveNodes", {"nodeIds": [NO_NODE]}, [("NOT_FOUND", "nodeIds.0", f"no node with the id «{NO_NODE}»")]),
    *(
        refusal
        for mutation, target in (("moveNode", {"nodeId": "@node IL"}), ("moveNodes", {"nodeIds": ["@node IL"]}))
        for refusal in (
            Refusal(mutation, {**target, "parentId": "?"}, [("INVALID", "parentId", "«?» is not an id")]),
            Refusal(mutation, {**target, "parentId": NO_NODE}, [("NOT_FOUND", "parentId", "no parent node")]),
            Refusal(
                mutation,
                {**target, "parentId": "@node IL"},
                [("CYCLE", "parentId", "«IL» cannot be moved under itself; choose a parent outside of its subtree.")],
            ),
            Refusal(
                mutation,
                {**target, "parentId": "@node Chi-town"},
                [
                    (
                        "CYCLE",
                        "parentId",
                        "«IL» cannot be moved under «Chi-town», which stands below it; choose a parent outside of the"
                        " subtree of «IL», or move «Chi-town» out of it first.",
                    )
                ],
            ),
            Refusal(
                mutation,
                {**target, "parentId": "@node FL"},
                [
                    (
                        "TOO_DEEP",
                        "parentId",
                        "«IL» would stand at depth 4, but «Sales» has 3 levels, down to «Distributor»",
                    )
                ],
            ),
            Refusal(
                mutation,
                {**target, "position": {"before": "@node IL"}},
                [("NOT_CHILDREN", "position.before", "«IL» moves itself")],
            ),
        )
    ),
    # Those of one hierarchy at once only, and under one parent unless told which.
    Refusal(
        "moveNodes",
        {"nodeIds": ["@node FL", "@node CA"]},
        [("INVALID", "parentId", "different parents")],
    ),
    Refusal(
        "moveNodes",
        {"nodeIds": ["@node CA", "@node FL", "@node IL"], "parentId": "@node West", "position": {"after": "@node FL"}},
        [("NOT_CHILDREN", "position.after", "«FL» moves itself, so that nothing can stand after it")],
    ),
    Refusal(
        "moveNodes",
        {"nodeIds": ["@node FL", "@node CA", "@node IL"], "parentId": "@node Sol Family"},
        [("CYCLE", "parentId", "«FL» cannot be moved under «Sol Family»")],
    ),
    Refusal(
        "moveNodes",
        {"nodeIds": ["@node West", "@node FL", "@node Chi-town"], "parentId": "@node IL"},
        [("TOO_DEEP", "parentId", "«West»"), ("TOO_DEEP", "parentId", "«FL»")],
    ),
]

REORDERING = [
    *wrong_ids("reorderChildren", "hierarchyId", "hierarchy", NO_HIERARCHY, childIds=["@node East"]),
    Refusal("reorderChildren", {**SALES, "childIds": []}, [("NOT_CHILDREN", "childIds", "2 nodes stand at the top")]),
    Refusal(
        "reorderChildren",
        {**SALES, "childIds": ["@node West"]},
        [("NOT_CHILDREN", "childIds", "2 nodes stand at the top, but childIds names 1")],
    ),
    Refusal(
        "reorderChildren",
        {**SALES, "childIds": ["@node West", "@node West", "@node FL", NO_NODE]},
        [
            ("NOT_CHILDREN", "childIds.1", "named twice"),
            ("NOT_CHILDREN", "childIds.2", "does not stand at the top in «Sales»"),
            ("NOT_CHILDREN", "childIds.3", "does not stand at the top in «Sales»"),
        ],
    ),
    Refusal(
        "reorderChildren",
        {**SALES, "parentId": "@node East", "childIds": ["@node FL", "@node CA"]},
        [("NOT_CHILDREN", "childIds.1", "under «East»")],
    ),
    Refusal(
        "reorderChildren",
        {**SALES, "childIds": ["@node East", "x", "@group FL"]},
        [("INVALID", "childIds.1", "«x»"), ("INVALID", "childIds.2", "a customer group")],
    ),
    Refusal(
        "reorderChildren", {**SALES, "parentId": NO_NODE, "childIds": []}, [("NOT_FOUND", "parentId", "no parent node")]
    ),
    Refusal("reorderChildren", {**SALES, "parentId": "", "childIds": []}, [("INVALID", "parentId", "not an id")]),
    Refusal(
        "reorderChildren",
        {"hierarchyId": "@hierarchy Markets", "parentId": "@node East", "childIds": ["@node FL", "@node IL"]},
        [("WRONG_HIERARCHY", "parentId", "«East» stands at the top in «Sales», not in «Markets»")],
    ),
]

UNASSIGNING = [
    *wrong_ids("unassignNode", "nodeId", "node", NO_NODE),
    Refusal(
        "unassignNode",
        {"nodeId": "@node FL", "children": "REFUSE"},
        [("CONFLICT", "children", "«FL» has 2 children in «Sales»")],
    ),
    Refusal("unassignNodes", {"nodeIds": []}, [("REQUIRED", "nodeIds", "at least one")]),
    Refusal("unassignNodes", {"nodeIds": ["@node FL"] * 1_001}, [("OUT_OF_RANGE", "nodeIds", "1,001")]),
    Refusal(
        "unassignNodes",
        {"nodeIds": ["@node FL", NO_NODE, "@node IL"]},
        [("NOT_FOUND", "nodeIds.1", f"no node with the id «{NO_NODE}»")],
    ),
    Refusal(
        "unassignNodes",
        {"nodeIds": ["@node FL", "@customer C-1"]},
        [("INVALID", "nodeIds.1", "the id of a customer")],
    ),
    Refusal(
        "unassignNodes",
        {"nodeIds": ["@node Palm Tree", "@node FL", "@node West"], "children": "REFUSE"},
        [("CONFLICT", "children", "«FL» has 2 children"), ("CONFLICT", "children", "«West» has 1 child in")],
    ),
]

CSV = "Division Name,State Name\nEast,FL\n"
# What is wrong in the files themselves stands in tests/test_outline.py and tests/test_import_hierarchy.py.
IMPORTING = [
    *wrong_ids("importHierarchy", "hierarchyId", "hierarchy", NO_HIERARCHY, csv=CSV),
    *bad_names("importHierarchy", "createName", csv=CSV),
    *taken("importHierarchy", "createName", "NAME_TAKEN", SALES_AGAIN, "«Sales»", csv=CSV),
    Refusal("importHierarchy", {"csv": CSV}, [("REQUIRED", "hierarchyId", "for which hierarchy")]),
    Refusal("importHierarchy", {**SALES, "createName": "New", "csv": CSV}, [("INVALID", "createName", "not both")]),
]

WINE: dict[str, Any] = {"sku": "WINE", "group": {"name": "East"}, "quantity": 1}
OPEN: dict[str, Any] = {"id": "@reservation open", "quantity": 1, "customer": {"code": "C-5"}}
PAST = "2020-01-01T00:00:00+00:00"

STOCK = [
    *bad_names("setStock", "sku", longest=64, onHand=1),
    *bad_names("setStock", "location", longest=64, sku="WINE", onHand=1),
    Refusal("setStock", {"sku": "BEER", "onHand": -1}, [("OUT_OF_RANGE", "onHand", "0 or more, not -1")]),
    Refusal(
        "setStock",
        {"sku": "wine", "onHand": 9},
        [("INSUFFICIENT_STOCK", "onHand", "10 of «WINE» at «MAIN» are reserved")],
    ),
    Refusal("reserveStock", {**WINE, "sku": "BEER"}, [("NOT_FOUND", "sku", "no stock item «BEER» at «MAIN»")]),
    Refusal("reserveStock", {**WINE, "location": "PORT"}, [("NOT_FOUND", "sku", "no stock item «WINE» at «PORT»")]),
    Refusal("reserveStock", {**WINE, "group": {"name": "Nobody"}}, [("NOT_FOUND", "group", "«Nobody»")]),
    Refusal("reserveStock", {**WINE, "group": {"id": NO_GROUP}}, [("NOT_FOUND", "group", f"with the id «{NO_GROUP}»")]),
    Refusal("reserveStock", {**WINE, "group": {"id": "@customer C-1"}}, [("INVALID", "group.id", "of a customer")]),
    Refusal("reserveStock", {**WINE, "group": {"name": "Closed"}}, [("GROUP_INACTIVE", "group", "«Closed»")]),
    Refusal("reserveStock", {**WINE, "hierarchy": {"name": "None"}}, [("NOT_FOUND", "hierarchy", "«None»")]),
    Refusal(
        "reserveStock",
        {**WINE, "hierarchy": {"id": NO_HIERARCHY}},
        [("NOT_FOUND", "hierarchy", f"the id «{NO_HIERARCHY}»")],
    ),
    Refusal("reserveStock", {**WINE, "hierarchy": {"id": "x"}}, [("INVALID", "hierarchy.id", "not an id")]),
    Refusal(
        "reserveStock",
        {**WINE, "group": {"name": "West"}, "hierarchy": {"name": "Markets"}},
        [("CONFLICT", "hierarchy", "«West» does not stand in «Markets»")],
    ),
    Refusal("reserveStock", {**WINE, "quantity": 0}, [("OUT_OF_RANGE", "quantity", "At least 1 is reserved, not 0")]),
    Refusal("reserveStock", {**WINE, "quantity": -5}, [("OUT_OF_RANGE", "quantity", "not -5")]),
    Refusal(
        "reserveStock",
        {**WINE, "quantity": 91},
        [
            (
                "INSUFFICIENT_STOCK",
                "quantity",
                "91 of «WINE» at «MAIN» were asked for, but 90 are free: 100 are on hand and 10",
            )
        ],
    ),
    Refusal("reserveStock", {**WINE, "quantity": 2_147_483_647}, [("INSUFFICIENT_STOCK", "quantity", "90 are free")]),
    Refusal("reserveStock", {**WINE, "expiresAt": PAST}, [("INVALID", "expiresAt", "has passed")]),
    Refusal("reserveStock", {**WINE, "reference": LONG_NAME}, [("TOO_LONG", "reference", "at most 200 characters")]),
    Refusal("reserveStock", {**WINE, "reference": "two\nlines"}, [("INVALID", "reference", "single line")]),
    # Everything that is wrong at once.
    Refusal(
        "reserveStock",
        {
            "sku": "BEER",
            "group": {"code": "none"},
            "hierarchy": {"name": "none"},
            "quantity": 0,
            "expiresAt": PAST,
            "reference": LONG_NAME,
        },
        [
            ("TOO_LONG", "reference", "201"),
            ("NOT_FOUND", "sku", "«BEER»"),
            ("NOT_FOUND", "group", "«none»"),
            ("NOT_FOUND", "hierarchy", "«none»"),
            ("OUT_OF_RANGE", "quantity", "not 0"),
            ("INVALID", "expiresAt", "has passed"),
        ],
    ),
    *wrong_ids("consumeReservation", "id", "reservation", NO_RESERVATION, quantity=1, customer={"code": "C-5"}),
    Refusal("consumeReservation", {**OPEN, "customer": {"code": "none"}}, [("NOT_FOUND", "customer", "«none»")]),
    Refusal(
        "consumeReservation",
        {**OPEN, "customer": {"id": NO_CUSTOMER}},
        [("NOT_FOUND", "customer", f"the id «{NO_CUSTOMER}»")],
    ),
    Refusal("consumeReservation", {**OPEN, "customer": {"id": "x"}}, [("INVALID", "customer.id", "not an id")]),
    Refusal(
        "consumeReservation",
        {**OPEN, "customer": {"code": "C-1"}},
        [("CONFLICT", "customer", "«Customer 1» (C-1) is not in «South», for which this is reserved.")],
    ),
    Refusal(
        "consumeReservation", {**OPEN, "quantity": 0}, [("OUT_OF_RANGE", "quantity", "At least 1 is consumed, not 0")]
    ),
    Refusal(
        "consumeReservation",
        {**OPEN, "quantity": 11},
        [
            ("INSUFFICIENT_STOCK", "quantity", "10 of 10 remain"),
        ],
    ),
    Refusal(
        "consumeReservation",
        {**OPEN, "id": "@reservation released"},
        [("RESERVATION_CLOSED", "id", "«WINE» at «MAIN» is closed: it was released when 5 of 5 remained")],
    ),
    *wrong_ids("releaseReservation", "id", "reservation", NO_RESERVATION),
    Refusal("releaseReservation", {"id": "@reservation released"}, [("RESERVATION_CLOSED", "id", "it was released")]),
    Refusal(
        "deleteCustomerGroup",
        {"id": "@group South"},
        [
            (
                "GROUP_IN_USE",
                "id",
                "holds stock for «South» (CG-000009), such as «WINE» at «MAIN»; consume or release it",
            )
        ],
    ),
]

# The same for everything that has a version, which each message names.
VERSIONED: dict[str, list[tuple[str, Mapping[str, Any]]]] = {
    "«Sales»": [
        ("updateHierarchy", {"id": "@hierarchy Sales", "name": "New"}),
        ("deleteHierarchy", {"id": "@hierarchy Sales"}),
        ("addLevel", {**SALES, "name": "New"}),
        ("renameLevel", {**SALES, "depth": 1, "name": "New"}),
        ("removeLevel", {**SALES, "depth": 3}),
        ("assignGroup", {**SALES, "group": SOUTH}),
        ("assignGroups", {**SALES, "groups": [SOUTH]}),
        ("moveNode", {"nodeId": "@node CA", "parentId": None}),
        ("moveNodes", {"nodeIds": ["@node CA"], "parentId": None}),
        ("reorderChildren", {**SALES, "childIds": ["@node West", "@node East"]}),
        ("unassignNode", {"nodeId": "@node CA"}),
        ("unassignNodes", {"nodeIds": ["@node CA"]}),
    ],
    "«East» (CG-000001)": [
        ("updateCustomerGroup", {"id": "@group East", "name": "New"}),
        ("deleteCustomerGroup", {"id": "@group East", "children": "PROMOTE"}),
        ("addCustomersToGroup", {"group": {"name": "East"}, "customerCodes": ["C-6"]}),
        ("removeCustomersFromGroup", {"group": {"name": "East"}, "customerCodes": ["C-1"]}),
    ],
    "«Customer 1» (C-1)": [
        ("updateCustomer", {"id": "@customer C-1", "name": "New"}),
        ("deleteCustomer", {"id": "@customer C-1"}),
    ],
}
STALE = [
    Refusal(mutation, {**input, "expectedVersion": version}, [("STALE", "expectedVersion", words)])
    for words, mutations in VERSIONED.items()
    for mutation, input in mutations
    for version in (0, 1_000_000)
]

LISTS = [
    Refusal("importCustomers", {"csv": ""}, [("BAD_HEADER", "csv.1.1", "must name the columns")]),
    Refusal(
        "importCustomers",
        {"csv": "Code,Name\nC-1,New\nN-1,\nN-2,Two,three\n"},
        [("REQUIRED", "csv.3.Name", "«N-1» needs a name"), ("BAD_ROW", "csv.4.3", "«three» stands in no column")],
    ),
    Refusal("importGroupMembers", {"csv": "Customer Code\nC-1\n"}, [("REQUIRED", "group", "«Group Code»")]),
    Refusal(
        "importGroupMembers",
        {"csv": "Customer Code\nC-1\n", "group": {"name": "North"}},
        [("NOT_FOUND", "group", "«North»")],
    ),
    Refusal(
        "importGroupMembers",
        {"csv": "Customer Code\nC-1\n", "group": {"id": "x"}},
        [("INVALID", "group.id", "«x» is not an id")],
    ),
    Refusal(
        "importGroupMembers",
        {"csv": "Customer Code,Group Code\nC-1,CG-9\nC-9,CG-000001\n", "mode": "REPLACE"},
        [("NOT_FOUND", "csv.2.Group Code", "«CG-9»"), ("NOT_FOUND", "csv.3.Customer Code", "«C-9»")],
    ),
    Refusal(
        "importCustomerGroups",
        {"csv": "Code,Name,Status\nN-1,EAST,active\nN-2,,\nN-3,New,open\n"},
        [
            ("NAME_TAKEN", "csv.2.Name", "«East» (CG-000001)"),
            ("REQUIRED", "csv.3.Name", "«N-2»"),
            ("BAD_ROW", "csv.4.Status", "ACTIVE or INACTIVE"),
        ],
    ),
]

REFUSALS = [
    *HIERARCHIES,
    *GROUPS,
    *MEMBERS,
    *CUSTOMERS,
    *ASSIGNING,
    *POSITIONS,
    *MOVING,
    *REORDERING,
    *UNASSIGNING,
    *IMPORTING,
    *STOCK,
    *LISTS,
    *STALE,
]
