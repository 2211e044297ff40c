"""Where breadth-first execution would first differ from graphql-core, one by one, on the schema of Star Wars.

`agreed` runs a document both ways. What went wrong is graphql-core's to tell: there the other one must step back.
"""

from collections.abc import Mapping
from random import Random
from typing import Any

import orjson
import pytest
from graphql import (
    ExecutionResult,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    execute,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from service.breadth import Compiled, Unplanned
from tests.support.documents import Documents
from tests.support.starwars import SCHEMA, type_name
from tests.support.values import Lexicon

Variables = Mapping[str, Any]
GENERATED = 500


class Document:
    """A document, which keeps its plans from one run to the next."""

    def __init__(self, text: str, operation: str | None = None) -> None:
        self.tree = parse(text)
        self.problems = validate(SCHEMA, self.tree)
        nodes = self.tree.definitions
        self.fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        operations = [node for node in nodes if isinstance(node, OperationDefinitionNode)]
        names = [node.name.value if node.name else None for node in operations]
        self.name = operation
        self.operation = operations[names.index(operation) if operation else 0]
        self.compiled = Compiled(SCHEMA, self.fragments, self.operation, type_name)

    def by_graphql_core(self, variables: Variables) -> ExecutionResult:
        assert self.problems == []
        result = execute(SCHEMA, self.tree, variable_values=dict(variables), operation_name=self.name)
        assert isinstance(result, ExecutionResult)
        return result

    async def breadth_first(self, variables: Variables) -> Any:
        """The data. Raises whatever it is that keeps it from answering."""
        coerced = get_variable_values(SCHEMA, self.operation.variable_definitions or (), dict(variables))
        assert not isinstance(coerced, list)
        return await self.compiled.plan(coerced).run(None, coerced, None)

    async def agreed(self, variables: Variables | None = None) -> Any:
        """The data, the same either way and with its keys in the same order."""
        expected = self.by_graphql_core(variables or {})
        assert expected.errors is None
        assert orjson.dumps(await self.breadth_first(variables or {})) == orjson.dumps(expected.data)
        return expected.data


async def agreed(text: str, variables: Variables | None = None, operation: str | None = None) -> Any:
    return await Document(text, operation).agreed(variables)


async def left(text: str, variables: Variables | None = None) -> list[tuple[str, list[str | int] | None]]:
    """The messages and paths of the errors in a document that is left to graphql-core."""
    document = Document(text)
    expected = document.by_graphql_core(variables or {})
    with pytest.raises(Exception):  # noqa: B017, PT011
        await document.breadth_first(variables or {})
    return [(error.message, error.path) for error in expected.errors or ()]


async def test_merged_fields_stand_where_the_first_of_them_stood() -> None:
    data = await agreed(
        "{ hero { name id ...F name } ...G hero { friends { id } } } "
        "fragment F on Character { appearsIn friends { name } } fragment G on Query { nobody { id } hero { credits } }"
    )
    assert list(data) == ["hero", "nobody"]
    assert list(data["hero"]) == ["name", "id", "appearsIn", "friends", "credits"]
    assert list(data["hero"]["friends"][0]) == ["name", "id"]


async def test_one_key_out_of_two_fragments() -> None:
    data = await agreed(
        "{ humans { ...F ...G } } fragment F on Human { x: friends { name } } "
        "fragment G on Character { x: friends { id ... on Droid { y: function } ... on Human { y: name } } }"
    )
    assert data["humans"][0]["x"][:2] == [
        {"name": "Leia", "id": "2", "y": "Leia"},
        {"name": "R2-D2", "id": "4", "y": "Astromech"},
    ]


async def test_typename_with_an_alias_in_interfaces_and_unions() -> None:
    data = await agreed(
        "{ kind: __typename searched { a: __typename ... on Character { __typename b: __typename name }"
        " ... on Starship { name coordinates } } hero { friends { c: __typename ... on Human { d: __typename } } } }"
    )
    assert [thing and thing["a"] for thing in data["searched"]] == [
        *("Starship", "Human", "Droid", None, "Human", "Starship", "Droid")
    ]


async def test_directives_differ_between_runs_of_one_document() -> None:
    document = Document(
        "query ($a: Boolean!, $b: Boolean = true) { hero { name @skip(if: $a) id @include(if: $b) __typename } }"
    )
    for _ in range(2):
        for variables, keys in (
            ({"a": False}, ["name", "id", "__typename"]),
            ({"a": True}, ["id", "__typename"]),
            ({"a": False, "b": False}, ["name", "__typename"]),
            ({"a": True, "b": False}, ["__typename"]),
        ):
            assert list((await document.agreed(variables))["hero"]) == keys


async def test_more_combinations_of_directives_than_plans_are_kept() -> None:
    names = "abcdef"
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: name @include(if: ${name})" for name in names)
    document = Document(f"query ({declared}) {{ hero {{ id {fields} }} }}")
    for number in [*range(64), *range(64)]:
        chosen = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        data = await document.agreed(chosen)
        assert list(data["hero"]) == ["id", *(name for name in names if chosen[name])]


@pytest.mark.parametrize(
    ("declared", "variables", "arrived"),
    [
        ("$v: String", {}, "[('number', 7)]"),
        ("$v: String", {"v": None}, "[('number', 7), ('text', None)]"),
        ("$v: String", {"v": "x"}, "[('number', 7), ('text', 'x')]"),
        ('$v: String = "d"', {}, "[('number', 7), ('text', 'd')]"),
        ('$v: String = "d"', {"v": None}, "[('number', 7), ('text', None)]"),
        ("$v: String = null", {}, "[('number', 7), ('text', None)]"),
    ],
)
async def test_defaults_of_variables_against_null_and_absent(declared: str, variables: Variables, arrived: str) -> None:
    document = Document(f"query ({declared}) {{ shown(text: $v) }}")
    # Twice, and with another value between: nothing of one run may be kept for the next.
    assert await document.agreed(variables) == {"shown": arrived}
    await document.agreed({"v": "between"})
    assert await document.agreed(variables) == {"shown": arrived}


async def test_a_nullable_variable_for_an_argument_with_a_default() -> None:
    text = "query ($n: Int) { shown(number: $n) }"
    assert await agreed(text) == {"shown": "[('number', 7)]"}
    assert await agreed(text, {"n": 8}) == {"shown": "[('number', 8)]"}
    assert [path for _, path in await left(text, {"n": None})] == [["shown"]]


async def test_variables_within_lists_and_input_objects() -> None:
    text = (
        "query ($n: Int, $e: Episode!, $w: Boolean)"
        ' { a: shown(numbers: [1, $n]) b: shown(wish: { episodes: [JEDI, $e], since: "3 ABY", again: $w })'
        " c: shown(numbers: 5) d: shown(wish: { episodes: EMPIRE }) e: shown(wish: {}) f: shown(wish: null) }"
    )
    data = await agreed(text, {"e": "NEWHOPE"})
    assert "('numbers', [1, None])" in data["a"]
    assert "'episodes': [6, 4]" in data["b"]
    assert "again" not in data["b"]
    assert "('numbers', [5])" in data["c"]
    assert "'text': 'none'" in data["e"]
    await agreed(text, {"n": 2, "e": "JEDI", "w": None})


async def test_custom_scalars_in_arguments_and_results() -> None:
    data = await agreed(
        'query ($s: Stardate) { a: shown(since: $s) b: shown(since: "0 ABY") droids { made } }', {"s": "32 BBY"}
    )
    assert data == {
        "a": "[('number', 7), ('since', (32, 'BBY'))]",
        "b": "[('number', 7), ('since', (0, 'ABY'))]",
        "droids": [{"made": "32 BBY"}, {"made": "112 BBY"}],
    }


async def test_enumerations_have_other_values_inside() -> None:
    text = (
        "query ($e: Episode) { hero(episode: $e) { name appearsIn } shown(episode: $e) humans { height(unit: FOOT) }}"
    )
    data = await agreed(text, {"e": "EMPIRE"})
    assert data["hero"] == {"name": "Luke", "appearsIn": ["NEWHOPE", "EMPIRE", "JEDI"]}
    assert "('episode', 5)" in data["shown"]
    await agreed(text, {"e": None})
    await agreed(text)


async def test_int_has_32_bits() -> None:
    data = await agreed("{ humans { credits } hero { credits } }")
    assert [human["credits"] for human in data["humans"]] == [100, None, -(2**31)]
    assert data["hero"]["credits"] == 2**31 - 1
    ((message, path),) = await left("{ trouble { hutt { name credits } } }")
    assert "32-bit" in message
    assert path == ["trouble", "hutt", "credits"]


async def test_lists_that_are_tuples_and_generators() -> None:
    data = await agreed("{ droids { id } humans { id appearsIn friends { id } } searched { __typename } }")
    assert data["droids"] == [{"id": "4"}, {"id": "5"}]
    assert data["humans"][1]["friends"] == [{"id": "1"}, {"id": "3"}]


async def test_lists_of_lists() -> None:
    data = await agreed(
        "{ numbers squads { __typename ... on Human { name starships { coordinates } } ... on Droid { id } } }"
    )
    assert data["numbers"] == [[1, None], None, [], [2, 3]]
    assert [squad and [one and one["__typename"] for one in squad] for squad in data["squads"]] == [
        *(["Human", "Droid"], None, [], [None, "Human"], ["Droid", "Human"])
    ]


async def test_one_object_at_two_places() -> None:
    data = await agreed(
        '{ a: character(id: 1) { name } b: character(id: "1") { id friends { friends { id name } } }'
        ' c: character(id: "none") { id } humans { name friends { name } } }'
    )
    assert data["a"] == {"name": "Luke"}
    assert data["b"]["friends"][0]["friends"][0] == {"id": "1", "name": "Luke"}
    assert data["c"] is None


async def test_nulls_in_lists_of_what_must_not_be_null() -> None:
    assert [path for _, path in await left("{ trouble { gaps { name } } hero { name } }")] == [["trouble", "gaps", 1]]


async def test_a_null_that_only_a_nullable_parent_may_take() -> None:
    errors = await left("{ trouble { a: ship { name b: captain { name } } planet { ruler { id } } } hero { name } }")
    assert [path for _, path in errors] == [["trouble", "a", "b"], ["trouble", "planet", "ruler"]]
    data = await agreed("{ trouble { ship { name } planet { name } } humans { home { ruler { name } } } }")
    assert data["trouble"] == {"ship": {"name": "X-Wing"}, "planet": {"name": "Nal Hutta"}}


async def test_the_order_and_paths_of_errors() -> None:
    errors = await left(
        "{ t: trouble { z: secret m: ship { k: captain { id } } secret unknown single }"
        " hero { name } trouble { secret } }"
    )
    assert [path for _, path in errors] == [
        *(["t", "z"], ["t", "m", "k"], ["t", "secret"], ["t", "unknown"], ["t", "single"]),
        ["trouble", "secret"],
    ]


@pytest.mark.parametrize("field", ["secret", "returned", "nameless", "holes", "single", "unknown", "stranger { id }"])
async def test_what_goes_wrong_is_left_to_graphql_core(field: str) -> None:
    assert len(await left(f"{{ hero {{ name }} trouble {{ {field} }} }}")) == 1


@pytest.mark.parametrize("field", ["__schema { queryType { name } }", '__type(name: "Droid") { name }'])
async def test_introspection_is_left_to_graphql_core(field: str) -> None:
    document = Document(f"{{ hero {{ name }} {field} }}")
    with pytest.raises(Unplanned):
        await document.breadth_first({})


async def test_an_operation_among_several() -> None:
    text = "query A { hero { name } } query B($e: Episode) { b: hero(episode: $e) { ...F } } fragment F on Droid { id }"
    assert await agreed(text, {}, "A") == {"hero": {"name": "R2-D2"}}
    assert await agreed(text, {"e": "JEDI"}, "B") == {"b": {"id": "5"}}


async def test_directives_on_fragments() -> None:
    document = Document(
        "query ($a: Boolean!) { hero { ...F @include(if: $a) ... on Droid @skip(if: $a) { function }"
        " ... @include(if: $a) { id } ...F @include(if: $a) @skip(if: true) } } "
        "fragment F on Character { name friends { ...G @skip(if: $a) id } } fragment G on Human { home { name } }"
    )
    for a, keys in ((True, ["name", "friends", "id"]), (False, ["function"]), (True, ["name", "friends", "id"])):
        assert list((await document.agreed({"a": a}))["hero"]) == keys


async def test_nothing_is_selected_after_all() -> None:
    data = await agreed(
        "{ hero { name @skip(if: true) } humans { ... on Character { ... on Droid { id } } } searched { ...F } }"
        " fragment F on Searched { ... on Character { ... on Droid { id } } }"
    )
    assert data["hero"] == {}
    assert data["humans"] == [{}, {}, {}]


async def test_empty_lists_all_the_way_down() -> None:
    data = await agreed("{ nobody { id friends { friends { name } } } character(id: 5) { appearsIn friends { id } } }")
    assert data == {"nobody": [], "character": {"appearsIn": [], "friends": []}}


async def test_generated_documents() -> None:
    """Where graphql-core finds errors the other steps back; everywhere else both give the same bytes."""
    words = Lexicon({"id": ["1", "2", 4, "20", "none"], "Stardate": ["3 ABY", "32 BBY"]}, {"id": [None]})
    documents = Documents(SCHEMA, Random(3), words, deepest=12)
    covered = 0
    for _ in range(GENERATED):
        asked = documents.make()
        document = Document(asked.text, asked.operations[0])
        if document.problems or asked.introspective:
            continue
        for _ in range(3):
            variables = documents.variables(asked, asked.operations[0])
            definitions = document.operation.variable_definitions or ()
            if isinstance(get_variable_values(SCHEMA, definitions, variables), list):
                continue
            expected = document.by_graphql_core(variables)
            if expected.errors:
                with pytest.raises(Exception):  # noqa: B017, PT011
                    await document.breadth_first(variables)
            else:
                told = f"{asked.text}\n{variables}"
                assert orjson.dumps(await document.breadth_first(variables)) == orjson.dumps(expected.data), told
                covered += 1
    assert covered > GENERATED
