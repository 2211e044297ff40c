"""Values for the arguments and variables of generated documents, right ones and wrong ones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
)

WRONG_BY_TYPE: Mapping[str, Sequence[Any]] = {
    "Int": ("three", 1.5, 2**31, -(2**31) - 1, True, []),
    "Float": ("a lot", False),
    "String": (7, True, {}),
    "ID": (1.5, False, {}),
    "Boolean": ("true", 1),
}
RIGHT_BY_TYPE: Mapping[str, Sequence[Any]] = {
    "Int": (0, 1, 2, 3, 7),
    "Float": (0, 1.5, -2.25),
    "String": ("", "a", "Ł«»"),
    "ID": ("1", 2),
    "Boolean": (True, False),
}


class Word(str):
    """A value of an enumeration: bare in a document, a string among the variables."""


@dataclass(frozen=True, slots=True)
class Use:
    """A variable where a value would stand."""

    name: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A variable: the type that it is declared with, what it stands for first, and its default if it has one."""

    type: GraphQLInputType
    coordinate: str
    default: Any = Undefined

    def declared(self, name: str) -> str:
        return f"${name}: {self.type}" + ("" if self.default is Undefined else f" = {written(self.default)}")


@dataclass
class Lexicon:
    """Values by the coordinate that they are meant for (`Query.node(id:)`, `CustomerBy.code`), or else by its name.

    The wrong ones fit the type in GraphQL's eyes; what refuses them is the resolver.
    """

    right: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    wrong: Mapping[str, Sequence[Any]] = field(default_factory=dict)


class Values:
    """Draws values and, where they may stand, variables."""

    def __init__(self, random: Random, lexicon: Lexicon) -> None:
        self.random = random
        self.lexicon = lexicon
        # Of the document that is being made.
        self.slots: dict[str, Slot] = {}
        self.share_of_variables = 0.0
        self.share_of_wrong = 0.0

    def begin(self, share_of_variables: float, share_of_wrong: float) -> None:
        """Forgets the variables: another document begins."""
        self.slots = {}
        self.share_of_variables, self.share_of_wrong = share_of_variables, share_of_wrong

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def given(self, place: GraphQLArgument | GraphQLInputField, coordinate: str) -> Any:
        """What an argument or a field of an input object is given: a value that may hold variables."""
        return self._given(place.type, coordinate, has_default(place))

    def _given(self, kind: GraphQLInputType, coordinate: str, defaulted: bool = False) -> Any:
        if self.chance(self.share_of_variables):
            return self._variable(kind, coordinate, defaulted)
        return self._value(kind, coordinate, variables=True)

    def _variable(self, kind: GraphQLInputType, coordinate: str, defaulted: bool = False, one_of: bool = False) -> Use:
        """A variable that may stand there by the rules, a new one or one that there is."""
        slot = self._slot(kind, coordinate, defaulted, one_of)
        for name, known in self.slots.items():
            same = str(known.type) == str(slot.type) and known.coordinate == coordinate
            if same and known.default is Undefined and slot.default is Undefined and self.chance(0.5):
                return Use(name)
        name = f"{re.split('[.(]', coordinate)[-1].rstrip(':)')}{len(self.slots) or ''}"
        self.slots[name] = slot
        return Use(name)

    def _slot(self, kind: GraphQLInputType, coordinate: str, defaulted: bool, one_of: bool) -> Slot:
        bare: Any = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if one_of:
            return Slot(GraphQLNonNull(bare), coordinate)
        if self.chance(0.25):
            default = self._value(bare, coordinate)
            # Where null may not stand, a nullable variable may all the same, once it has a default.
            if default is not None or not isinstance(kind, GraphQLNonNull):
                return Slot(bare, coordinate, default)
        if isinstance(kind, GraphQLNonNull):
            return Slot(bare if defaulted and self.chance(0.5) else kind, coordinate)
        return Slot(GraphQLNonNull(bare) if self.chance(0.2) else bare, coordinate)

    def variables(self, used: Sequence[str]) -> dict[str, Any]:
        """A value for each of these variables of the document, but for some that may be left out."""
        values = {}
        for name in used:
            slot = self.slots[name]
            optional = not isinstance(slot.type, GraphQLNonNull) or slot.default is not Undefined
            left_out = self.chance(0.3) if optional else self.chance(self.share_of_wrong / 2)
            if not left_out:
                values[name] = self._of_variable(slot)
        return values

    def _of_variable(self, slot: Slot) -> Any:
        if self.chance(self.share_of_wrong / 2):
            named = str(slot.type).strip("![]")
            return self.random.choice([None, *WRONG_BY_TYPE.get(named, (5, "what", [None]))])
        return self._value(slot.type, slot.coordinate)

    def _value(self, kind: GraphQLInputType, coordinate: str, variables: bool = False) -> Any:
        """A value of the type as JSON would have it, with variables in it if they may be."""
        if isinstance(kind, GraphQLNonNull):
            return self._present(kind.of_type, coordinate, variables)
        return None if self.chance(0.1) else self._present(kind, coordinate, variables)

    def _present(self, kind: Any, coordinate: str, variables: bool) -> Any:
        if isinstance(kind, GraphQLList):
            if self.chance(0.2):
                # A single value counts as a list of one.
                return self._present(getattr(kind.of_type, "of_type", kind.of_type), coordinate, variables)
            draw = self._given if variables else self._value
            return [draw(kind.of_type, coordinate) for _ in range(self.random.choice((0, 1, 1, 2, 2, 3)))]
        if isinstance(kind, GraphQLEnumType):
            return Word(self.random.choice([*kind.values]))
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind, variables)
        return self._plain(kind.name, coordinate)

    def _object(self, kind: GraphQLInputObjectType, variables: bool) -> dict[str, Any]:
        names = [*kind.fields]
        if kind.is_one_of:
            names = [self.random.choice(names)]
            if self.chance(self.share_of_wrong / 4) and not variables:
                names = [*kind.fields][: self.random.choice((0, 2))]
        values = {}
        for name in names:
            place, coordinate = kind.fields[name], f"{kind.name}.{name}"
            if kind.is_one_of:
                variable = variables and self.chance(self.share_of_variables)
                values[name] = (
                    self._variable(place.type, coordinate, one_of=True)
                    if variable
                    else self._present(place.type, coordinate, variables)
                )
            elif (isinstance(place.type, GraphQLNonNull) and not has_default(place)) or self.chance(0.35):
                values[name] = self.given(place, coordinate) if variables else self._value(place.type, coordinate)
        return values

    def _plain(self, type_name: str, coordinate: str) -> Any:
        name = re.split("[.(]", coordinate)[-1].rstrip(":)")
        words = self.lexicon.wrong if self.chance(self.share_of_wrong) else self.lexicon.right
        for key in (coordinate, name, type_name):
            if words.get(key):
                return self.random.choice(words[key])
        fallback = self.lexicon.right.get(coordinate) or self.lexicon.right.get(name)
        return self.random.choice(fallback or RIGHT_BY_TYPE.get(type_name, ("",)))


def has_default(place: GraphQLArgument | GraphQLInputField) -> bool:
    return place.default_value is not Undefined or place.default is not None


def written(value: Any) -> str:
    """The value as it stands in a document."""
    if isinstance(value, Use):
        return f"${value.name}"
    if isinstance(value, Word):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {written(inner)}' for name, inner in value.items())}}}"
    return orjson.dumps(value).decode()
