"""Valid documents out of any schema, made at random from a seed, with variables that fit them, or do not quite.

A `Shape` keeps account of what stands under which response key, so that fields are merged often and never conflict.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from tests.support.merging import Composite, Field, Key, Shape, agree, merge
from tests.support.values import Lexicon, Slot, Values, has_default, written

PAGING = ("first", "after", "last", "before")
INTROSPECTION = (
    "__schema { queryType { name } }",
    '__type(name: "Query") { kind name fields { name } }',
    '__type(name: "Nothing") { name }',
)


@dataclass
class Part:
    """A definition in the making: what it uses, and how deep it goes."""

    on: Composite
    text: str = ""
    shape: Shape = field(default_factory=dict)
    variables: dict[str, None] = field(default_factory=dict)
    fragments: dict[str, None] = field(default_factory=dict)
    depth: int = 0


@dataclass
class Asked:
    """A document and what is sent with it."""

    text: str
    operations: Sequence[str | None]
    # The variables that each operation declares.
    slots: Mapping[str | None, Mapping[str, Slot]]
    # Whether something wrong was put into it on purpose, and whether it asks for the schema as well.
    flawed: bool
    introspective: bool


class Documents:
    """Makes one document after another; the same seed makes the same ones."""

    def __init__(self, schema: GraphQLSchema, random: Random, lexicon: Lexicon, *, deepest: int = 40) -> None:
        assert schema.query_type
        self.schema = schema
        self.query = schema.query_type
        self.random = random
        self.values = Values(random, lexicon)
        self.chance = self.values.chance
        self.deepest = deepest
        self.composites = [
            kind
            for kind in schema.type_map.values()
            if isinstance(kind, Composite) and not kind.name.startswith("__") and self._is_read(kind)
        ]
        self.fragments: dict[str, Part] = {}
        self.part = Part(self.query)
        # How many more fields the document may have, and how many fields deep it may go.
        self.left = 0
        self.most_depth = 0

    def _is_read(self, kind: Composite) -> bool:
        return kind not in {self.schema.query_type, self.schema.mutation_type, self.schema.subscription_type}

    def make(self) -> Asked:
        """The next document."""
        flawed = self.chance(0.25)
        self.values.begin(self.random.choice((0.0, 0.3, 0.6)), 0.15 if flawed else 0.0)
        deep = self.chance(0.03)
        self.most_depth = self.deepest + (flawed and self.chance(0.2)) if deep else self.random.randint(3, 7)
        self.fragments = {}
        for fragment in "FGHI"[: self.random.choice((0, 0, 1, 2, 3, 4))]:
            self.left = self.random.randint(2, 7)
            self.fragments[fragment] = self._define(self.random.choice(self.composites), 6)
        several = [*"ABC"[: self.random.choice((2, 3))]]
        names: list[str | None] = [*several] if self.chance(0.12) else [self._name()]
        introspective = self.chance(0.04)
        operations: dict[str | None, Part] = {}
        for name in names:
            self.left = self.random.choice((4, 8, 14, 24))
            operations[name] = self._define(self.query, 40, deep=deep)
            if introspective:
                operations[name].text += f" {self.random.choice(INTROSPECTION)}"
        return self._assembled(operations, flawed, introspective)

    def variables(self, asked: Asked, operation: str | None) -> dict[str, Any]:
        """Values for the variables of an operation of the document made last; others each time."""
        return self.values.variables([*asked.slots[operation]])

    def _name(self) -> str | None:
        return self.random.choice((None, None, "Read"))

    def _assembled(self, operations: Mapping[str | None, Part], flawed: bool, introspective: bool) -> Asked:
        slots, reached, texts = {}, set[str](), []
        for name, part in operations.items():
            spread = self._reached(part)
            reached.update(spread)
            used = dict(part.variables)
            for fragment in spread:
                used |= self.fragments[fragment].variables
            slots[name] = {variable: self.values.slots[variable] for variable in used}
            declared = ", ".join(slot.declared(variable) for variable, slot in slots[name].items())
            head = f"query {name or ''}{f'({declared})' if declared else ''} " if name or declared else ""
            texts.append(f"{head}{{ {part.text} }}")
        texts += [
            f"fragment {name} on {part.on.name} {{ {part.text} }}"
            for name, part in self.fragments.items()
            if name in reached
        ]
        self.random.shuffle(texts)
        return Asked("\n".join(texts), [*operations], slots, flawed, introspective)

    def _reached(self, part: Part) -> list[str]:
        """The names of the fragments that are spread in a part, and in those."""
        names = list(part.fragments)
        for name in names:
            names += [inner for inner in self.fragments[name].fragments if inner not in names]
        return names

    # ── Selections ──────────────────────────────────────────────────────────────────────────────────────────

    def _define(self, on: Composite, room: int, deep: bool = False) -> Part:
        self.part = part = Part(on)
        part.text = self._selections(on, part.shape, 1, room, deep)
        return part

    def _selections(self, parent: Composite, shape: Shape, depth: int, room: int, deep: bool = False) -> str:
        """What is selected of objects at this depth; below each there may be some `room` more."""
        self.part.depth = max(self.part.depth, depth)
        chosen: list[str] = []
        if deep and depth < self.most_depth:
            chosen += self._field(parent, shape, depth, 1, self._inward(parent), deep=True)
        for _ in range(1 if deep else self.random.randint(1, 5)):
            chosen += self._selection(parent, shape, depth, room)
        return " ".join(chosen or [self._typename(parent, shape)])

    def _selection(self, parent: Composite, shape: Shape, depth: int, room: int) -> Iterator[str]:
        if self.left <= 0:
            return
        fields = {} if isinstance(parent, GraphQLUnionType) else parent.fields
        what = self.random.random()
        # Of an interface's own fields there are few.
        if what < (0.6 if isinstance(parent, GraphQLObjectType) else 0.2) and fields:
            yield from self._field(parent, shape, depth, room, self._outward(fields, depth))
        elif 0.6 < what < 0.67:
            yield self._typename(parent, shape)
        elif 0.67 < what < 0.77 and shape:
            yield from self._again(parent, shape, depth, room)
        elif 0.77 < what < 0.87:
            yield from self._spread(parent, shape, depth)
        else:
            yield from self._inline(parent, shape, depth, room)

    def _outward(self, fields: Mapping[str, GraphQLField], depth: int) -> str:
        """Any field, of one kind as often as of the other; plain ones alone at the greatest depth."""
        plain = [name for name, found in fields.items() if is_leaf_type(get_named_type(found.type))]
        others = [name for name in fields if name not in plain]
        share = 1 if depth >= self.most_depth else 0.45 if len(plain) > 2 else 0.1
        return self.random.choice((plain if self.chance(share) else others) or [*fields])

    def _inward(self, parent: Composite) -> str:
        """A field of this type that leads on."""
        assert not isinstance(parent, GraphQLUnionType)
        fields = [name for name, found in parent.fields.items() if not is_leaf_type(get_named_type(found.type))]
        on = [name for name in fields if name != "pageInfo" and self._leads_on(parent.fields[name])]
        name: str = self.random.choice(on or [*parent.fields])
        return name

    def _leads_on(self, found: GraphQLField) -> bool:
        named = get_named_type(found.type)
        return isinstance(named, GraphQLObjectType) and any(
            not is_leaf_type(get_named_type(inner.type)) for inner in named.fields.values()
        )

    def _typename(self, parent: Composite, shape: Shape) -> str:
        alias = self.random.choice(("", "", "kind", "type"))
        here = Field(parent, "__typename", "", "String!")
        if not self._take(shape, alias or "__typename", here):
            alias, _ = "", self._take(shape, "__typename", here)
        return f"{alias}: __typename" if alias else f"__typename{self._directives()}"

    def _field(
        self, parent: Composite, shape: Shape, depth: int, room: int, name: str, deep: bool = False
    ) -> Iterator[str]:
        assert not isinstance(parent, GraphQLUnionType)
        found = parent.fields[name]
        leaf = is_leaf_type(get_named_type(found.type))
        if not leaf and depth >= self.most_depth:
            return
        arguments, size = self._arguments(parent, name, found, room)
        if not leaf and size > room and not deep:
            return
        here = Field(parent, name, arguments, str(found.type))
        wanted = self.random.choice((name, name, "a", "b", f"{name}2"))
        key = next((key for key in (wanted, name, f"z{self.left}") if self._take(shape, key, here)), None)
        if key is None:
            return
        self.left -= 1
        text = f"{name if key == name else f'{key}: {name}'}{arguments}{self._directives()}"
        if not leaf:
            named: Any = get_named_type(found.type)
            text += f" {{ {self._selections(named, shape[key].below, depth + 1, max(room // size, 1), deep)} }}"
        yield text

    def _again(self, parent: Composite, shape: Shape, depth: int, room: int) -> Iterator[str]:
        """A field that there is already, with more below it: both are merged."""
        key = self.random.choice([*shape])
        found = next((one for one in shape[key].fields if one.parent is parent), None)
        if found is None or found.name == "__typename" or isinstance(parent, GraphQLUnionType):
            return
        named: Any = get_named_type(parent.fields[found.name].type)
        # The variables in its arguments are noted already: for this part, or for the fragment that it came from.
        text = f"{found.name if key == found.name else f'{key}: {found.name}'}{found.arguments}{self._directives()}"
        self._note(found.arguments)
        if not is_leaf_type(named):
            if depth >= self.most_depth:
                return
            text += f" {{ {self._selections(named, shape[key].below, depth + 1, max(room // 4, 1))} }}"
        self.left -= 1
        yield text

    def _spread(self, parent: Composite, shape: Shape, depth: int) -> Iterator[str]:
        for name, part in self.fragments.items():
            lowest = depth + part.depth - 1
            fits = self._overlap(parent, part.on) and lowest <= self.deepest
            if fits and agree(shape, part.shape) and self.chance(0.6):
                merge(shape, part.shape)
                self.part.fragments[name] = None
                self.part.depth = max(self.part.depth, lowest)
                yield f"...{name}{self._directives()}"
                return

    def _inline(self, parent: Composite, shape: Shape, depth: int, room: int) -> Iterator[str]:
        """An inline fragment: on the same type, on one that it may turn out to be, or on one that it is."""
        fitting: list[Composite] = [kind for kind in self.composites if self._overlap(parent, kind)]
        on = self.random.choice([parent, *fitting])
        self.left -= 1
        condition = "" if on is parent and self.chance(0.5) else f" on {on.name}"
        yield f"...{condition}{self._directives()} {{ {self._selections(on, shape, depth, room)} }}"

    def _directives(self) -> str:
        if not self.chance(0.12):
            return ""
        text = ""
        for name in self.random.choice((("skip",), ("include",), ("include", "skip"))):
            directive = self.schema.get_directive(name)
            assert directive
            text += f" @{name}(if: {self._written(directive.args['if'], f'@{name}(if:)')})"
        self._note(text)
        return text

    # ── Arguments ───────────────────────────────────────────────────────────────────────────────────────────

    def _arguments(self, parent: Composite, name: str, found: GraphQLField, room: int) -> tuple[str, int]:
        """The arguments of a field, and about how many objects it yields with them."""
        texts: dict[str, str] = {}
        # The rows of a page are reckoned with where its size is written.
        paged = isinstance(parent, GraphQLObjectType) and "pageInfo" in parent.fields
        size = 3 if "[" in str(found.type) and not paged else 1
        if "first" in found.args and "last" in found.args:
            texts, size = self._paging(f"{parent.name}.{name}", found, room)
        for argument, place in found.args.items():
            optional = not isinstance(place.type, GraphQLNonNull) or has_default(place)
            # A cursor belongs to one order.
            unlikely = argument == "orderBy" and ("after" in texts or "before" in texts)
            if argument in PAGING or (optional and not self.chance(0.05 if unlikely else 0.35)):
                continue
            texts[argument] = self._written(place, f"{parent.name}.{name}({argument}:)")
        given = [f"{argument}: {text}" for argument, text in texts.items()]
        self.random.shuffle(given)
        self._note(" ".join(given))
        return (f"({', '.join(given)})" if given else ""), size

    def _paging(self, coordinate: str, found: GraphQLField, room: int) -> tuple[dict[str, str], int]:
        texts: dict[str, str] = {}
        number, cursor = self.random.choice((("first", "after"), ("first", "after"), ("last", "before")))
        size = 10
        if room > 10 and self.chance(0.4):
            texts[number], size = self._written(found.args[number], f"{coordinate}({number}:)"), 3
        elif room < 10 or self.chance(0.8):
            size = min(self.random.choice((0, 1, 1, 2, 2, 3, 4, 5)), room)
            texts[number] = str(size)
        if self.chance(0.25):
            texts[cursor] = self._written(found.args[cursor], f"{coordinate}({cursor}:)")
        if self.chance(self.values.share_of_wrong / 2):
            texts |= self.random.choice(({number: "-1"}, {number: "1001"}, {"first": "1", "last": "1"}))
        return texts, max(size, 1)

    def _written(self, place: GraphQLArgument, coordinate: str) -> str:
        return written(self.values.given(place, coordinate))

    def _note(self, text: str) -> None:
        """The definition that is being made uses the variables in this text."""
        self.part.variables |= dict.fromkeys(re.findall(r"\$(\w+)", text))

    # ── Which types and keys go together ────────────────────────────────────────────────────────────────────

    def _overlap(self, one: Composite, two: Composite) -> bool:
        def possible(kind: Composite) -> set[str]:
            found = [kind] if isinstance(kind, GraphQLObjectType) else self.schema.get_possible_types(kind)
            return {inner.name for inner in found}

        return bool(possible(one) & possible(two))

    def _take(self, shape: Shape, key: str, here: Field) -> bool:
        """Fills a key, if it may be filled so."""
        if not all(here.stands_beside(other) for other in (shape[key].fields if key in shape else ())):
            return False
        shape.setdefault(key, Key()).fields.append(here)
        return True
