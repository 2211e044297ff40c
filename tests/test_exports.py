"""Downloads: each file, its columns and rows, its name, what narrows it, and what is said of a wrong address."""

import csv
import io
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from graphql import GraphQLInputObjectType, get_named_type

from service.parameters import CUSTOMERS, GROUPS
from service.schema import schema
from service.sheets import lines_of_file
from tests.support.client import Grove

CSV = "text/csv; charset=utf-8; header=present"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Rows = list[list[str]]


async def sales(grove: Grove) -> str:
    found = await grove.query('{ hierarchy(by: { name: "Sales" }) { id } }')
    id: str = found["hierarchy"]["id"]
    return id


async def group_id(grove: Grove, name: str) -> str:
    found = await grove.query("query ($name: String!) { customerGroup(by: { name: $name }) { id } }", {"name": name})
    id: str = found["customerGroup"]["id"]
    return id


async def got(grove: Grove, path: str, **parameters: Any) -> Rows:
    """The rows of a CSV file, just as they stand there."""
    response = await grove.http.get(path, params=parameters)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == CSV
    # The mark tells a spreadsheet that it is UTF-8.
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))


async def names(grove: Grove, path: str, **parameters: Any) -> list[str]:
    """The names in a list of groups or customers, in its order."""
    _, *rows = await got(grove, path, **parameters)
    return [row[1] for row in rows]


def workbook(response: httpx.Response, folder: Path) -> Rows:
    """The rows of an Excel file, as an import would read them."""
    assert response.status_code == 200
    assert response.headers["content-type"] == EXCEL
    assert int(response.headers["content-length"]) == len(response.content)
    file = folder / "download"
    file.write_bytes(response.content)
    return [line.cells for line in lines_of_file(file)]


def mistakes(response: httpx.Response) -> list[tuple[str, str | None]]:
    """The code of each error and the parameter that it names."""
    assert response.headers["content-type"] == "application/json"
    return [(error["extensions"]["code"], error["extensions"].get("parameter")) for error in response.json()["errors"]]


# ── the files ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_groups(demo_grove: Grove) -> None:
    header, *rows = await got(demo_grove, "/exports/groups.csv")
    assert header == ["Code", "Name", "Description", "Status", "Customers"]
    told = await demo_grove.query(
        "{ customerGroups(first: 1000) { nodes { code name description status customerCount } } }"
    )
    assert rows == [[str(value) for value in group.values()] for group in told["customerGroups"]["nodes"]]
    assert len(rows) == 29


async def test_customers(demo_grove: Grove) -> None:
    header, *rows = await got(demo_grove, "/exports/customers.csv")
    assert header == ["Code", "Name", "Type"]
    told = await demo_grove.query("{ customers(first: 1000) { nodes { code name type } } }")
    assert rows == [[*customer.values()] for customer in told["customers"]["nodes"]]
    assert ["ZY-1011", "Café Łódź", "ON_PREMISE"] in rows


async def test_members(demo_grove: Grove) -> None:
    id = await group_id(demo_grove, "Key Accounts")
    told = await demo_grove.query('{ customerGroup(by: { name: "Key Accounts" }) { code } }')
    code = told["customerGroup"]["code"]
    assert await got(demo_grove, f"/exports/groups/{id}/members.csv") == [
        ["Group Code", "Customer Code", "Customer Name", "Type"],
        [code, "ZY-1001", "Palm Tree Distribution", "DISTRIBUTOR"],
        [code, "ZY-1010", "Broadway Wholesalers", "WHOLESALER"],
        [code, "ZY-1014", "Left Coast Distributor", "DISTRIBUTOR"],
    ]
    empty = await group_id(demo_grove, "South")
    assert len(await got(demo_grove, f"/exports/groups/{empty}/members.csv")) == 1


NODES = """
    query ($id: ID!) { hierarchy(by: { id: $id }) { nodes(first: 1000) { nodes {
        childCount group { code name description } ancestors { group { code name description } } level { name }
    } } } }
"""


async def test_a_row_a_leaf(demo_grove: Grove) -> None:
    id = await sales(demo_grove)
    header, *rows = await got(demo_grove, f"/exports/hierarchies/{id}.csv")
    levels = ["Division", "State", "Distributor"]
    assert header == [f"{level} {column}" for level in levels for column in ("Code", "Name", "Description")]
    nodes = (await demo_grove.query(NODES, {"id": id}))["hierarchy"]["nodes"]["nodes"]
    expected = []
    for node in nodes:
        if not node["childCount"]:
            path = [cell for spot in [*node["ancestors"], node] for cell in spot["group"].values()]
            expected.append(path + [""] * (9 - len(path)))
    assert rows == expected
    assert await got(demo_grove, f"/exports/hierarchies/{id}.csv", form="levels") == [header, *rows]


async def test_a_row_a_node(demo_grove: Grove) -> None:
    id = await sales(demo_grove)
    header, *rows = await got(demo_grove, f"/exports/hierarchies/{id}.csv", form="parent")
    assert header == ["Code", "Name", "Description", "Parent Code", "Level"]
    nodes = (await demo_grove.query(NODES, {"id": id}))["hierarchy"]["nodes"]["nodes"]
    assert rows == [
        [
            *node["group"].values(),
            node["ancestors"][-1]["group"]["code"] if node["ancestors"] else "",
            node["level"]["name"],
        ]
        for node in nodes
    ]


async def test_a_leaf_above_the_last_level_leaves_the_rest_of_its_row_empty(grove: Grove) -> None:
    input = {"name": "Sales", "levels": ["Division", "State"], "placeholders": False}
    made = await grove.mutate("createHierarchy", input, "hierarchy { id }")
    id = made["hierarchy"]["id"]
    assert [len(row) for row in await got(grove, f"/exports/hierarchies/{id}.csv")] == [6]
    place = {"hierarchyId": id}
    east = await grove.mutate("createCustomerGroup", {"name": "East", "code": "E", "place": place}, "node { id }")
    below = place | {"parentId": east["node"]["id"]}
    await grove.mutate("createCustomerGroup", {"name": "FL", "code": "F", "description": "Florida", "place": below})
    await grove.mutate("createCustomerGroup", {"name": "West", "code": "W", "place": place})
    _, *rows = await got(grove, f"/exports/hierarchies/{id}.csv")
    assert rows == [["E", "East", "", "F", "FL", "Florida"], ["W", "West", "", "", "", ""]]


async def test_excel_holds_what_csv_holds(demo_grove: Grove, tmp_path: Path) -> None:
    id, group = await sales(demo_grove), await group_id(demo_grove, "Key Accounts")
    for path, parameters in (
        ("/exports/groups", {"search": "distribut", "orderBy": "CODE", "direction": "DESC"}),
        ("/exports/customers", {}),
        (f"/exports/groups/{group}/members", {}),
        (f"/exports/hierarchies/{id}", {}),
        (f"/exports/hierarchies/{id}", {"form": "parent"}),
    ):
        response = await demo_grove.http.get(f"{path}.xlsx", params=parameters)
        rows = workbook(response, tmp_path)
        wanted = await got(demo_grove, f"{path}.csv", **parameters)
        assert len(rows) > 1
        # An import takes a row that is short for one that ends in empty cells.
        assert [row + [""] * (len(wanted[0]) - len(row)) for row in rows] == wanted


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "'=1", "''=1"]


async def test_nothing_is_a_formula_to_a_spreadsheet(grove: Grove, tmp_path: Path) -> None:
    for number, name in enumerate(FORMULAS):
        await grove.mutate("createCustomer", {"code": f"={number}", "name": name, "type": "-"})
    _, *rows = await got(grove, "/exports/customers.csv", orderBy="CREATED_AT")
    assert rows == [[f"'={number}", f"'{name}", "'-"] for number, name in enumerate(FORMULAS)]
    response = await grove.http.get("/exports/customers.xlsx", params={"orderBy": "CREATED_AT"})
    _, *restored = workbook(response, tmp_path)
    assert restored == [[f"={number}", name, "-"] for number, name in enumerate(FORMULAS)]


# ── filters and orders ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("parameters", "filter", "order"),
    [
        ({"search": "DISTRIBUTION"}, 'filter: {search: "distribution"}', ""),
        ({"code": "cg-000003"}, 'filter: {code: {equals: "CG-000003"}}', ""),
        ({"codeStartsWith": "CG-00001"}, 'filter: {code: {startsWith: "CG-00001"}}', ""),
        ({"codeIn": ["CG-000003", "CG-000005"]}, 'filter: {code: {in: ["CG-000003", "CG-000005"]}}', ""),
        ({"nameContains": "inc"}, 'filter: {name: {contains: "inc"}}', ""),
        ({"name": "east"}, 'filter: {name: {equals: "East"}}', ""),
        ({"nameStartsWith": "o"}, 'filter: {name: {startsWith: "o"}}', ""),
        ({"nameIn": ["East", "West", "%"]}, 'filter: {name: {in: ["East", "West"]}}', ""),
        ({"status": "INACTIVE"}, "filter: {status: INACTIVE}", ""),
        ({"minCustomers": "1", "maxCustomers": 2}, "filter: {customerCount: {min: 1, max: 2}}", ""),
        ({"containsCustomer": "zy-1018"}, 'filter: {containsCustomer: {code: "ZY-1018"}}', ""),
        ({"inHierarchy": "SALES"}, 'filter: {inHierarchy: {name: "Sales"}}', ""),
        ({"notInHierarchy": "sales"}, 'filter: {notInHierarchy: {name: "Sales"}}', ""),
        ({"orderBy": "CODE"}, "", "orderBy: {field: CODE}"),
        ({"orderBy": "CUSTOMER_COUNT", "direction": "DESC"}, "", "orderBy: {field: CUSTOMER_COUNT, direction: DESC}"),
        ({"direction": "DESC"}, "", "orderBy: {field: NAME, direction: DESC}"),
        (
            {"search": "a", "status": "ACTIVE", "orderBy": "CREATED_AT"},
            'filter: {search: "a", status: ACTIVE}',
            "orderBy: {field: CREATED_AT}",
        ),
    ],
)
async def test_groups_as_graphql_lists_them(
    demo_grove: Grove, parameters: dict[str, Any], filter: str, order: str
) -> None:
    told = await demo_grove.query(f"{{ customerGroups(first: 1000 {filter} {order}) {{ nodes {{ name }} }} }}")
    wanted = [group["name"] for group in told["customerGroups"]["nodes"]]
    assert wanted
    assert await names(demo_grove, "/exports/groups.csv", **parameters) == wanted


@pytest.mark.parametrize(
    ("parameters", "filter", "order"),
    [
        ({"search": "łodz"}, 'filter: {search: "łodz"}', ""),
        ({"codeContains": "-101"}, 'filter: {code: {contains: "-101"}}', ""),
        ({"type": "online"}, 'filter: {type: "ONLINE"}', ""),
        ({"type": ["ONLINE", "WHOLESALER"]}, 'filter: {type: ["ONLINE", "WHOLESALER"]}', ""),
        ({"orderBy": "TYPE", "direction": "ASC"}, "", "orderBy: {field: TYPE}"),
    ],
)
async def test_customers_as_graphql_lists_them(
    demo_grove: Grove, parameters: dict[str, Any], filter: str, order: str
) -> None:
    told = await demo_grove.query(f"{{ customers(first: 1000 {filter} {order}) {{ nodes {{ name }} }} }}")
    wanted = [customer["name"] for customer in told["customers"]["nodes"]]
    assert wanted
    assert await names(demo_grove, "/exports/customers.csv", **parameters) == wanted


@pytest.mark.parametrize(("name", "known"), [("CustomerGroupFilter", GROUPS), ("CustomerFilter", CUSTOMERS)])
def test_there_is_a_parameter_for_every_filter(name: str, known: dict[str, str]) -> None:
    wanted = {"orderBy", "direction"}
    kind = schema._schema.type_map[name]
    assert isinstance(kind, GraphQLInputObjectType)
    for field, definition in kind.fields.items():
        if get_named_type(definition.type).name == "StringMatch":
            wanted |= {field, f"{field}Contains", f"{field}StartsWith", f"{field}In"}
        else:
            wanted |= {"minCustomers", "maxCustomers"} if field == "customerCount" else {field}
    assert wanted == set(known)


async def test_things_are_named_by_code_or_id(demo_grove: Grove) -> None:
    told = await demo_grove.query(
        '{ customerGroup(by: {name: "Key Accounts"}) { id code } customer(by: {code: "ZY-1018"}) { id code } }'
    )
    members = ["Palm Tree Distribution", "Broadway Wholesalers", "Left Coast Distributor"]
    for named in told["customerGroup"].values():
        assert await names(demo_grove, "/exports/customers.csv", inGroup=named) == members
        rest = await names(demo_grove, "/exports/customers.csv", notInGroup=named)
        assert len(rest) == 15
        assert not set(rest) & set(members)
    for named in told["customer"].values():
        assert await names(demo_grove, "/exports/groups.csv", containsCustomer=named) == ["Old Partners"]
    assert await names(demo_grove, "/exports/customers.csv", inGroup="no such group") == []


# ── what comes with the file ────────────────────────────────────────────────────────────────────────────────


async def test_headers(demo_grove: Grove) -> None:
    id = await sales(demo_grove)
    for path in ("/exports/groups", "/exports/customers", f"/exports/hierarchies/{id}"):
        for suffix, media_type in (("csv", CSV), ("xlsx", EXCEL)):
            response = await demo_grove.http.get(f"{path}.{suffix}")
            assert response.headers["content-type"] == media_type
            assert response.headers["cache-control"] == "no-store"
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["x-request-id"]
            head = await demo_grove.http.head(f"{path}.{suffix}")
            assert head.status_code == 200
            assert head.content == b""
            for name in ("content-type", "content-disposition", "cache-control"):
                assert head.headers[name] == response.headers[name]


@pytest.mark.parametrize(
    ("name", "plain", "whole"),
    [
        ("Sales", "Sales", "Sales"),
        ("Łódź & 100 % 日本", "_odz & 100 _ __", "Łódź & 100 % 日本"),
        ('a/b\\c:"d"*?<e>|f', "a_b_c__d____e__f", "a_b_c__d____e__f"),
        ("..secret", "secret", "secret"),
        ("exe.\u202egpj", "exe._gpj", "exe._gpj"),
        ("漢" * 200, "_" * 60, "漢" * 60),
    ],
)
async def test_the_file_is_named_after_the_hierarchy(grove: Grove, name: str, plain: str, whole: str) -> None:
    input = {"name": name, "levels": ["Level"], "placeholders": False}
    made = await grove.mutate("createHierarchy", input, "hierarchy { id }")
    response = await grove.http.get(f"/exports/hierarchies/{made['hierarchy']['id']}.csv")
    match = re.fullmatch(
        r"attachment; filename=\"([ -~]+)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)",
        response.headers["content-disposition"],
    )
    assert match
    assert match[1] == f"{plain}.csv"
    assert unquote(match[2]) == f"{whole}.csv"


async def test_one_line_in_the_log(demo_grove: Grove, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await demo_grove.http.get("/exports/groups.csv", headers={"X-Request-Id": "abc-123"})
    (line,) = [record.msg for record in caplog.records if record.name == "grove"]
    assert isinstance(line, dict)
    assert (line["method"], line["path"], line["status"]) == ("GET", "/exports/groups.csv", 200)
    assert (line["kind"], line["statements"], line["actor"], line["request_id"]) == (
        "export",
        1,
        "anonymous",
        "abc-123",
    )
    assert "errors" not in line


# ── wrong addresses ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "parameters", "wrong"),
    [
        ("groups", {"serach": "x"}, ["serach"]),
        ("groups", {"status": "active"}, ["status"]),
        ("groups", {"orderBy": "SIZE", "direction": "UP"}, ["orderBy", "direction"]),
        ("groups", {"minCustomers": "many", "maxCustomers": "4e3"}, ["minCustomers", "maxCustomers"]),
        ("groups", {"minCustomers": "99999999999"}, ["minCustomers"]),
        ("groups", {"minCustomers": "٣"}, ["minCustomers"]),
        ("groups", {"minCustomers": ""}, ["minCustomers"]),
        ("groups", {"code": "A", "codeContains": "B", "codeIn": "C"}, ["codeContains", "codeIn"]),
        ("groups", {"search": ["a", "b"]}, ["search"]),
        ("groups", {"search": "a\0b"}, ["search"]),
        ("groups", {"form": "parent"}, ["form"]),
        ("groups", {"type": "RETAILER"}, ["type"]),
        ("customers", {"status": "ACTIVE"}, ["status"]),
        ("customers", {"orderBy": "STATUS"}, ["orderBy"]),
        ("hierarchies/{hierarchy}", {"form": "tree"}, ["form"]),
        ("hierarchies/{hierarchy}", {"search": "x"}, ["search"]),
        ("groups/{group}/members", {"search": "x"}, ["search"]),
        ("groups", {"containsCustomer": "{group}"}, ["containsCustomer"]),
        ("customers", {"inGroup": "{hierarchy}", "notInGroup": "{hierarchy}"}, ["inGroup", "notInGroup"]),
    ],
)
async def test_each_wrong_parameter_is_named(
    demo_grove: Grove, path: str, parameters: dict[str, Any], wrong: list[str]
) -> None:
    known = {"{hierarchy}": await sales(demo_grove), "{group}": await group_id(demo_grove, "East")}
    for word, id in known.items():
        path = path.replace(word, id)
    parameters = {name: known.get(str(value), value) for name, value in parameters.items()}
    for suffix in ("csv", "xlsx"):
        response = await demo_grove.http.get(f"/exports/{path}.{suffix}", params=parameters)
        assert response.status_code == 400
        assert mistakes(response) == [("BAD_USER_INPUT", name) for name in wrong]
        for error, name in zip(response.json()["errors"], wrong, strict=True):
            assert f"«{name}»" in error["message"]
        assert (await demo_grove.http.head(f"/exports/{path}.{suffix}", params=parameters)).status_code == 400


async def test_ids(demo_grove: Grove) -> None:
    group, hierarchy = await group_id(demo_grove, "East"), await sales(demo_grove)

    async def status(path: str) -> int:
        response = await demo_grove.http.get(f"/exports/{path}")
        assert response.json()["errors"]
        return response.status_code

    assert await status(f"hierarchies/{group}.csv") == 400
    assert await status(f"groups/{hierarchy}/members.csv") == 400
    assert await status("hierarchies/Sales.csv") == 400
    assert await status(f"hierarchies/{hierarchy[:-1]}.csv") == 400
    assert await status(f"hierarchies/{hierarchy}.pdf") == 404
    assert await status("groups.CSV") == 404
    assert await status("members.csv") == 404
    await demo_grove.mutate("deleteHierarchy", {"id": hierarchy})
    await demo_grove.mutate("deleteCustomerGroup", {"id": group})
    for suffix in ("csv", "xlsx"):
        assert await status(f"hierarchies/{hierarchy}.{suffix}") == 404
        assert await status(f"groups/{group}/members.{suffix}") == 404
        assert (await demo_grove.http.head(f"/exports/hierarchies/{hierarchy}.{suffix}")).status_code == 404


async def test_downloads_are_got(demo_grove: Grove) -> None:
    for method in ("POST", "PUT", "DELETE"):
        response = await demo_grove.http.request(method, "/exports/groups.csv")
        assert response.status_code == 405
        assert {word.strip() for word in response.headers["allow"].split(",")} == {"GET", "HEAD"}
