"""A small schema that has what Grove's has not, for both executors: each field is one plain function of its object.

Unions, lists of lists, enumerations and scalars whose values inside are others than outside, numbers too large for
Int, lists that are tuples and generators, and nulls where none may be.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
)

from service.breadth import BREADTH, Attribute, Batch, Each

required = GraphQLNonNull
many = GraphQLList


@dataclass
class Character:
    id: str
    name: str
    friends: list[str] = field(default_factory=list)
    # As the enumeration has them inside.
    appears_in: list[int] = field(default_factory=list)
    credits: int | None = 0


@dataclass
class Human(Character):
    height: float = 1.7
    home: str | None = None
    starships: list[str] = field(default_factory=list)


@dataclass
class Droid(Character):
    function: str = "Protocol"
    made: tuple[int, str] = (32, "BBY")


@dataclass
class Starship:
    id: str
    name: str
    captain: str | None = None
    coordinates: list[list[float]] = field(default_factory=list)


@dataclass
class Planet:
    name: str
    ruler: str | None = None


Thing = Human | Droid | Starship
LUKE = Human("1", "Luke", ["2", "4", "3"], [4, 5, 6], 100, 1.72, "Tatooine", ["20", "21"])
LEIA = Human("2", "Leia", ["1", "3"], [4, 5, 6], None, 1.5, "Alderaan")
HAN = Human("3", "Han", ["1", "2", "5"], [4, 6], -(2**31), 1.8, None, ["20"])
R2D2 = Droid("4", "R2-D2", ["1", "5"], [4, 5, 6], 2**31 - 1, "Astromech")
C3PO = Droid("5", "C-3PO", [], [], 0, "Protocol", (112, "BBY"))
JABBA = Human("6", "Jabba", ["6"], [6], 2**31, 3.9, "Nal Hutta")
FALCON = Starship("20", "Falcon", "3", [[1, 2.5], [], [-0.25]])
XWING = Starship("21", "X-Wing")
THINGS: dict[str, Thing] = {thing.id: thing for thing in (LUKE, LEIA, HAN, R2D2, C3PO, JABBA, FALCON, XWING)}
PLANETS = {planet.name: planet for planet in (Planet("Tatooine", "6"), Planet("Alderaan", "2"), Planet("Nal Hutta"))}


def type_name(thing: object) -> str:
    return type(thing).__name__


def plain(
    kind: GraphQLOutputType, function: Callable[..., Any], args: dict[str, GraphQLArgument] | None = None
) -> GraphQLField:
    """A field that is `function(object, **arguments)`, for one object and for many."""

    def batch(parents: Any, arguments: Mapping[str, Any], *_: object) -> list[Any]:
        return [function(parent, **arguments) for parent in parents]

    extensions = {BREADTH: Batch(batch) if args else Each(function)}
    return GraphQLField(kind, args, lambda source, _, **given: function(source, **given), extensions=extensions)


def attribute(kind: GraphQLOutputType, name: str) -> GraphQLField:
    return GraphQLField(kind, resolve=lambda source, _: getattr(source, name), extensions={BREADTH: Attribute(name)})


def found(id: str | None) -> Any:
    return THINGS.get(id or "")


def stardate(text: object) -> tuple[int, str]:
    year, _, era = str(text).partition(" ")
    if not year.isdigit() or era not in {"BBY", "ABY"}:
        raise GraphQLError("A stardate looks like «32 BBY».")
    return int(year), era


EPISODE = GraphQLEnumType("Episode", {"NEWHOPE": 4, "EMPIRE": GraphQLEnumValue(5), "JEDI": GraphQLEnumValue(6)})
UNIT = GraphQLEnumType("Unit", {"METER": 1.0, "FOOT": 3.28})
STARDATE = GraphQLScalarType(
    "Stardate",
    coerce_output_value=lambda value: f"{value[0]} {value[1]}",
    coerce_input_value=stardate,
)
CHARACTER: GraphQLInterfaceType = GraphQLInterfaceType(
    "Character",
    lambda: {
        "id": GraphQLField(required(GraphQLID)),
        "name": GraphQLField(required(GraphQLString)),
        "friends": GraphQLField(many(CHARACTER)),
        "appearsIn": GraphQLField(required(many(required(EPISODE)))),
        "credits": GraphQLField(GraphQLInt),
    },
    resolve_type=lambda thing, *_: type_name(thing),
)


def of_every_character() -> dict[str, GraphQLField]:
    return {
        "id": attribute(required(GraphQLID), "id"),
        "name": attribute(required(GraphQLString), "name"),
        "friends": plain(many(CHARACTER), lambda thing: map(found, thing.friends)),
        "appearsIn": plain(required(many(required(EPISODE))), lambda thing: tuple(thing.appears_in)),
        "credits": attribute(GraphQLInt, "credits"),
    }


HUMAN: GraphQLObjectType = GraphQLObjectType(
    "Human",
    lambda: (
        of_every_character()
        | {
            "height": plain(
                GraphQLFloat,
                lambda human, unit=1.0: human.height * unit,
                {"unit": GraphQLArgument(UNIT, default_value=1.0)},
            ),
            "home": plain(PLANET, lambda human: PLANETS.get(human.home)),
            "starships": plain(required(many(required(STARSHIP))), lambda human: [found(id) for id in human.starships]),
        }
    ),
    [CHARACTER],
)
DROID: GraphQLObjectType = GraphQLObjectType(
    "Droid",
    lambda: (
        of_every_character()
        | {"function": attribute(required(GraphQLString), "function"), "made": attribute(required(STARDATE), "made")}
    ),
    [CHARACTER],
)
STARSHIP: GraphQLObjectType = GraphQLObjectType(
    "Starship",
    lambda: {
        "id": attribute(required(GraphQLID), "id"),
        "name": attribute(required(GraphQLString), "name"),
        "captain": plain(required(CHARACTER), lambda ship: found(ship.captain)),
        "coordinates": attribute(many(required(many(required(GraphQLFloat)))), "coordinates"),
    },
)
PLANET: GraphQLObjectType = GraphQLObjectType(
    "Planet",
    lambda: {
        "name": attribute(required(GraphQLString), "name"),
        "ruler": plain(required(CHARACTER), lambda planet: found(planet.ruler)),
    },
)
SEARCHED = GraphQLUnionType("Searched", [HUMAN, DROID, STARSHIP], resolve_type=lambda thing, *_: type_name(thing))
WISH = GraphQLInputObjectType(
    "Wish",
    {
        "text": GraphQLInputField(GraphQLString, default_value="none"),
        "episodes": GraphQLInputField(many(required(EPISODE))),
        "since": GraphQLInputField(STARDATE),
        "again": GraphQLInputField(GraphQLBoolean),
    },
)


def things(*ids: str) -> Iterator[Any]:
    """A generator, which can be read once."""
    return (found(id) for id in ids)


def shown(_: object, **given: Any) -> str:
    """What arrived, exactly: what is missing in it was left out."""
    return repr(sorted(given.items()))


def failing(_: object) -> str:
    raise GraphQLError("It is secret.")


# Each field goes wrong, if not by itself then by what is selected below it.
TROUBLE = GraphQLObjectType(
    "Trouble",
    {
        "gaps": plain(many(required(CHARACTER)), lambda _: [LUKE, None]),
        "ship": plain(STARSHIP, lambda _: XWING),
        "hutt": plain(HUMAN, lambda _: JABBA),
        "planet": plain(PLANET, lambda _: PLANETS["Nal Hutta"]),
        "secret": plain(GraphQLString, failing),
        "returned": plain(GraphQLString, lambda _: GraphQLError("It was returned, not raised.")),
        "nameless": plain(required(GraphQLString), lambda _: None),
        "holes": plain(many(required(GraphQLInt)), lambda _: (1, None)),
        "single": plain(many(GraphQLString), lambda _: "no list"),
        "stranger": plain(CHARACTER, lambda _: FALCON),
        "unknown": plain(EPISODE, lambda _: 7),
    },
)
OPTIONAL = many(CHARACTER)
QUERY = GraphQLObjectType(
    "Query",
    {
        "hero": plain(
            CHARACTER,
            lambda _, episode=None: {5: LUKE, 6: C3PO}.get(episode, R2D2),
            {"episode": GraphQLArgument(EPISODE)},
        ),
        "character": plain(CHARACTER, lambda _, id: found(id), {"id": GraphQLArgument(required(GraphQLID))}),
        "searched": plain(many(SEARCHED), lambda _: things("20", "1", "4", "nobody", "2", "21", "5")),
        "humans": plain(required(many(required(HUMAN))), lambda _: (LUKE, LEIA, HAN)),
        "droids": plain(many(required(DROID)), lambda _: things("4", "5")),
        "nobody": plain(required(many(required(CHARACTER))), lambda _: []),
        "squads": plain(many(OPTIONAL), lambda _: ((LUKE, R2D2), None, [], [None, HAN], things("5", "2"))),
        "numbers": plain(many(many(GraphQLInt)), lambda _: ((1, None), None, [], (2, 3))),
        "shown": plain(
            GraphQLString,
            shown,
            {
                "text": GraphQLArgument(GraphQLString),
                "number": GraphQLArgument(required(GraphQLInt), default_value=7),
                "numbers": GraphQLArgument(many(GraphQLInt)),
                "episode": GraphQLArgument(EPISODE),
                "since": GraphQLArgument(STARDATE),
                "wish": GraphQLArgument(WISH),
            },
        ),
        "trouble": plain(TROUBLE, lambda _: "trouble"),
    },
)
SCHEMA = GraphQLSchema(QUERY, types=[HUMAN, DROID])
