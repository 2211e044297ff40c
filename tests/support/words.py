"""What generated documents may ask Grove for: ids, names, codes and cursors of what is in the database, and others."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, get_named_type, is_leaf_type, is_required_argument

from service import ids
from service.ids import Kind
from service.limits import is_connection
from tests.support.values import Lexicon

# How many rows of each list are looked at, and how many lists within one another.
ROWS = 6
LEVELS = 2
INSTANTS = ("2026-01-31T12:00:00+00:00", "2000-01-01T00:00:00Z", "2999-12-31T23:59:59.999999+02:00")
# What is passed by name, and whose it is; ids are those of any object.
TAKEN_FROM = {
    "HierarchyBy.id": "Hierarchy.id",
    "HierarchyBy.name": "Hierarchy.name",
    "CustomerGroupBy.id": "CustomerGroup.id",
    "CustomerGroupBy.code": "CustomerGroup.code",
    "CustomerGroupBy.name": "CustomerGroup.name",
    "CustomerBy.id": "Customer.id",
    "CustomerBy.code": "Customer.code",
    "CustomerFilter.type": "Customer.type",
    "ChangeFilter.actor": "Change.actor",
    "Query.hierarchyNode(id:)": "HierarchyNode.id",
    "Query.importJob(id:)": "ImportJob.id",
    "HierarchyNodeFilter.level": "HierarchyLevel.name",
    "sku": "StockItem.sku",
    "location": "StockItem.location",
}
Found = dict[str, list[Any]]


async def lexicon(schema: GraphQLSchema, ask: Callable[[str], Awaitable[Any]]) -> Lexicon:
    """Words out of the database that `ask` reads; the same for the same contents, but for their ids."""
    assert schema.query_type
    found: Found = defaultdict(list)
    _gather(schema.query_type, await ask(f"{{ {' '.join(_lists(schema.query_type, LEVELS))} }}"), found)
    found = {name: [*dict.fromkeys(values)] for name, values in found.items()}
    right = {place: found[source] for place, source in TAKEN_FROM.items()}
    every_id = [id for name, values in found.items() if name.endswith(".id") for id in values[:5]]
    unknown = [ids.encode(kind, 12_345) for kind in Kind]
    texts = [*found["CustomerGroup.name"], *found["Customer.code"], *found["Customer.name"]]
    right |= {name: values for name, values in found.items() if name.endswith(":)")}
    right |= {
        "id": [*every_id, *unknown],
        "ids": [*every_id, unknown[0]],
        "first": [0, 1, 2, 3, 5],
        "last": [0, 1, 2, 3, 5],
        "depth": [0, 1, 2, 3],
        "maxDepth": [0, 1, 2, 5],
        "DateTime": [*found["Change.at"][:5], *INSTANTS],
        "String": ["", "no such thing", "%", *texts, *(text.upper()[:3] for text in texts)],
    }
    for place in ("HierarchyBy", "CustomerGroupBy", "CustomerBy"):
        right[f"{place}.id"] = [*right[f"{place}.id"], *unknown[:1]]
    cursors = [cursor for name, values in found.items() if name.endswith("(after:)") for cursor in values[:2]]
    wrong = {
        "ID": [*every_id, "", "x", every_id[0][:-1], every_id[0] + "0", "group_000000000000303"],
        "after": [*cursors, "", "mangled", cursors[0][:-2]],
        "before": [*cursors, "", "mangled", cursors[0][:-2]],
        "first": [-1, 1_001, 2_147_483_647],
        "last": [-1, 1_001],
        "maxDepth": [-1, 2_147_483_647],
        "DateTime": ["2026-01-31T12:00:00", "yesterday", ""],
        "String": ["no such thing", "x" * 300],
    }
    return Lexicon(right, wrong)


def _lists(parent: GraphQLObjectType, levels: int) -> Iterator[str]:
    """Selects the first rows of each list of a type, and plain fields."""
    for name, field in parent.fields.items():
        named = get_named_type(field.type)
        if any(map(is_required_argument, field.args.values())):
            continue
        if is_leaf_type(named):
            yield name
        elif is_connection(named) and levels:
            assert isinstance(named, GraphQLObjectType)
            row: Any = get_named_type(named.fields["nodes"].type)
            yield f"{name}(first: {ROWS}) {{ edges {{ cursor node {{ {' '.join(_lists(row, levels - 1))} }} }} }}"
        elif name == "levels" and isinstance(named, GraphQLObjectType):
            yield f"{name} {{ {' '.join(_lists(named, 0))} }}"


def _gather(parent: GraphQLObjectType, data: dict[str, Any], found: Found) -> None:
    for name, value in data.items():
        named = get_named_type(parent.fields[name].type)
        coordinate = f"{parent.name}.{name}"
        if isinstance(value, dict) and isinstance(named, GraphQLObjectType):
            row: Any = get_named_type(named.fields["nodes"].type)
            for edge in value["edges"]:
                found[f"{coordinate}(after:)"].append(edge["cursor"])
                found[f"{coordinate}(before:)"].append(edge["cursor"])
                _gather(row, edge["node"], found)
        elif isinstance(value, list) and isinstance(named, GraphQLObjectType):
            for item in value:
                _gather(named, item, found)
        elif isinstance(value, str):
            found[coordinate].append(value)
