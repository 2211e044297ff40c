"""What is asked before its object is there, and what is waited for together, on a schema of ships and crews."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLID,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    parse,
)
from graphql.execution.values import get_variable_values

from service.breadth import BREADTH, Attribute, Batch, Coming, Compiled, Unplanned
from service.together import ask, together


class Manned(SimpleNamespace):
    """A ship that came with its captain and motto."""

    captain_of = staticmethod(lambda ship: SimpleNamespace(id=ship.id, name=ship.captain))
    motto_of = staticmethod(lambda ship: ship.motto)
    sign_of = True


FALCON = Manned(id="1", name="Falcon", port="9", captain="Han", motto="Never tell me the odds")
SHIPS: dict[str, Any] = {"1": FALCON, "2": SimpleNamespace(id="2", name="X-Wing", port="8", number="2")}
CAPTAINS = {"2": SimpleNamespace(id="2", name="Luke")}
CREWS = {"1": ["Han", "Chewbacca"], "2": ["Luke"]}
PORTS = {"8": "Yavin", "9": "Tatooine"}


class Memory:
    """The context: what it was asked for it remembers, and what goes to the database at once is one trip."""

    def __init__(self) -> None:
        self.trips: list[list[str]] = []
        self.known: dict[tuple[str, str], Any] = {}

    async def look(self, what: str, keys: Sequence[str], where: Mapping[str, Any]) -> list[Any]:
        missing = [key for key in keys if (what, key) not in self.known]
        if missing:
            found = await ask((what, missing))
            self.known.update({(what, key): where.get(key) for key in found})
        return [self.known[what, key] for key in keys]

    async def together(self, works: Sequence[Any]) -> list[Any]:
        async def answer(questions: Sequence[Any]) -> list[Any]:
            self.trips.append([f"{what} {' '.join(keys)}" for what, keys in questions])
            return [keys for _, keys in questions]

        return await together(works, answer)


def ship(_: Any, arguments: Mapping[str, Any], memory: Memory, __: Any) -> Coming:
    id = arguments["id"]
    return Coming(memory.look("ship", [id], SHIPS), [SimpleNamespace(id=id, number=int(id))])


def captain(ships: Sequence[Any], _: Any, memory: Memory, __: Any) -> Any:
    return memory.look("captain", [ship.id for ship in ships], CAPTAINS)


def motto(ships: Sequence[Any], _: Any, memory: Memory, __: Any) -> Any:
    return memory.look("motto", [ship.id for ship in ships], {})


def sign(ships: Sequence[Any], _: Any, memory: Memory, __: Any) -> Any:
    return memory.look("sign", [ship.id for ship in ships], CAPTAINS)


def crew(ships: Sequence[Any], _: Any, memory: Memory, __: Any) -> Any:
    return memory.look("crew", [ship.id for ship in ships], CREWS)


def port(ships: Sequence[Any], _: Any, memory: Memory, __: Any) -> Any:
    return memory.look("port", [ship.port for ship in ships], PORTS)


def rank(ships: Sequence[Any], _: Any, memory: Memory, __: Any) -> Any:
    async def look() -> list[Any]:
        return await memory.look("rank", [ship.number + "" for ship in ships], {"2": "2nd"})

    return look()


def holds(ships: Sequence[Any], *_: Any) -> list[Any]:
    return [SimpleNamespace(ship=ship.id) for ship in ships]


def cargo(holds: Sequence[Any], _: Any, memory: Memory, __: Any) -> Any:
    return memory.look("cargo", [hold.ship for hold in holds], {"1": "spice"})


def batch(kind: Any, function: Any, part: str | None = None, **arguments: Any) -> GraphQLField:
    given = {name: GraphQLArgument(of) for name, of in arguments.items()}
    return GraphQLField(kind, given, extensions={BREADTH: Batch(function, part)})


NAME = GraphQLField(GraphQLNonNull(GraphQLString), extensions={BREADTH: Attribute("name")})
HOLD = GraphQLObjectType("Hold", {"cargo": batch(GraphQLString, cargo)})
CAPTAIN = GraphQLObjectType("Captain", {"name": NAME, "crew": batch(GraphQLList(GraphQLString), crew)})
SIGN = GraphQLObjectType("Sign", {"name": NAME, "crew": batch(GraphQLList(GraphQLString), crew)})
SHIP = GraphQLObjectType(
    "Ship",
    {
        "name": NAME,
        "crew": batch(GraphQLList(GraphQLString), crew),
        "port": batch(GraphQLString, port),
        "rank": batch(GraphQLString, rank),
        "hold": batch(GraphQLNonNull(HOLD), holds),
        "captain": batch(GraphQLNonNull(CAPTAIN), captain, "captain_of"),
        "motto": batch(GraphQLString, motto, "motto_of"),
        "sign": batch(SIGN, sign, "sign_of"),
    },
)
QUERY = GraphQLObjectType(
    "Query",
    {
        "ship": batch(SHIP, ship, id=GraphQLNonNull(GraphQLID)),
    },
)
# Its resolver is graphql-core's alone.
MUTATION = GraphQLObjectType("Mutation", {"launch": GraphQLField(GraphQLNonNull(SHIP), resolve=lambda *_: SHIPS["1"])})
SCHEMA = GraphQLSchema(QUERY, MUTATION)


def plan_of(text: str) -> tuple[Any, Any]:
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode)
    variables = get_variable_values(SCHEMA, (), {})
    assert not isinstance(variables, list)
    return Compiled(SCHEMA, {}, operation, str).plan(variables), variables


async def run(text: str) -> tuple[Any, list[list[str]]]:
    plan, variables = plan_of(text)
    memory = Memory()
    return await plan.run(None, variables, memory, memory.together), memory.trips


async def test_what_hangs_on_the_key_is_asked_with_the_object() -> None:
    data, trips = await run('{ ship(id: "1") { name crew hold { cargo } } }')
    assert data == {"ship": {"name": "Falcon", "crew": ["Han", "Chewbacca"], "hold": {"cargo": "spice"}}}
    assert trips == [["ship 1", "crew 1", "cargo 1"]]


async def test_what_hangs_on_more_than_the_key_waits_for_the_object() -> None:
    data, trips = await run('{ ship(id: "2") { port crew } }')
    assert data == {"ship": {"port": "Yavin", "crew": ["Luke"]}}
    assert trips == [["ship 2", "crew 2"], ["port 8"]]


async def test_what_cannot_be_asked_by_what_stands_for_an_object_is_asked_again() -> None:
    # The rank of a ship hangs on its number, which what stands for it has not got as a text.
    data, trips = await run('{ ship(id: "2") { rank crew } }')
    assert data == {"ship": {"rank": "2nd", "crew": ["Luke"]}}
    assert trips == [["ship 2", "crew 2"], ["rank 2"]]


async def test_objects_that_there_are_not_have_been_asked_about_in_vain() -> None:
    assert await run('{ ship(id: "3") { crew } }') == ({"ship": None}, [["ship 3", "crew 3"]])


async def test_two_fields_share_each_trip() -> None:
    data, trips = await run('{ one: ship(id: "1") { port } two: ship(id: "2") { port } }')
    assert data == {"one": {"port": "Tatooine"}, "two": {"port": "Yavin"}}
    assert trips == [["ship 1", "ship 2"], ["port 9", "port 8"]]


async def test_what_came_with_an_object_is_not_asked() -> None:
    text = '{ ship(id: "1") { name captain { __typename title: name } again: captain { crew name } motto } }'
    data, trips = await run(text.replace("ship(", "manned: ship("))
    captain = {"__typename": "Captain", "title": "Han"}
    again = {"crew": ["Han", "Chewbacca"], "name": "Han"}
    expected = {"name": "Falcon", "captain": captain, "again": again, "motto": "Never tell me the odds"}
    assert data == {"manned": expected}
    assert list(data["manned"]) == ["name", "captain", "again", "motto"]
    assert trips == [["ship 1"], ["crew 1"]]
    # Without a class that tells of it, each is asked for, once.
    data, trips = await run(text.replace('"1"', '"2"'))
    assert data["ship"]["captain"] == {"__typename": "Captain", "title": "Luke"}
    assert trips == [["ship 2"], ["captain 2", "captain 2", "motto 2"], ["crew 2"]]


async def test_an_object_that_stands_for_its_part() -> None:
    text = '{ ship(id: "1") { name sign { letters: name } again: sign { crew name } } }'
    again = {"crew": ["Han", "Chewbacca"], "name": "Falcon"}
    assert await run(text) == (
        {"ship": {"name": "Falcon", "sign": {"letters": "Falcon"}, "again": again}},
        [["ship 1"], ["crew 1"]],
    )
    data, _ = await run(text.replace('"1"', '"2"'))
    assert data["ship"]["sign"] == {"letters": "Luke"}


async def test_one_after_another_where_nothing_runs_them_together() -> None:
    plan, variables = plan_of('{ ship(id: "1") { hold { __typename } } }')

    class Slow(Memory):
        async def look(self, what: str, keys: Sequence[str], where: Mapping[str, Any]) -> list[Any]:
            return [where.get(key) for key in keys]

    assert await plan.run(None, variables, Slow()) == {"ship": {"hold": {"__typename": "Hold"}}}


async def test_below_the_field_of_a_mutation() -> None:
    plan, variables = plan_of("mutation { again: launch { name crew } }")
    memory = Memory()
    data = await plan.run_below("again", SHIPS["1"], variables, memory, memory.together)
    assert data == {"name": "Falcon", "crew": ["Han", "Chewbacca"]}
    with pytest.raises(Unplanned):
        await plan.run(None, variables, memory, memory.together)


async def test_a_work_that_fails_ends_the_others() -> None:
    closed = []

    async def waiting() -> None:
        try:
            await ask("never answered")
        finally:
            closed.append(True)

    async def failing() -> None:
        raise ValueError("broken")

    async def answer(_: Sequence[Any]) -> list[Any]:
        raise AssertionError("nothing is to be asked")

    works = [waiting(), failing()]
    with pytest.raises(ValueError, match="broken"):
        await together(works, answer)
    for work in works:
        work.close()
    assert closed == [True]
