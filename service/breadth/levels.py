"""A plan run level by level.

What a scope does with a batch of objects: what they have at hand is read off, the resolver of each other field is
called once, and the objects that it leads to are laid out flat and become batches of the scopes below, which are the
next level. What the fields of a level wait for is awaited together. When there is no level below any more, the objects
of the response are built from the last batch to the first, so that what is below a batch is there when it is built.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import CoroutineType
from typing import Any

from graphql.execution.values import VariableValues

from service.breadth.fields import Coming, Unplanned
from service.breadth.scopes import NOT_YET, Field, Scope, no_error, parts
from service.breadth.shapes import Restore

LISTS = (list, tuple)
# From so many objects on it is worth a look whether some are the same.
MANY = 20
# Awaits works, in whatever way, and answers with their results in their order.
Together = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]


async def objects(
    scope: Scope, root: Any, variables: VariableValues, context: Any, together: Together | None
) -> dict[str, Any]:
    """The object of the response that is made of one object, and of all below it."""
    top = Batch(scope, [root])
    done: list[Batch] = []
    level = [top] if top.reading.asked else []
    while level:
        done += level
        level = await _below(level, Level(variables, context), together or _in_turn)
    for batch in reversed(done):
        batch.build()
    data: dict[str, Any] = top.objects[0]
    return data


async def _in_turn(works: Sequence[Awaitable[Any]]) -> list[Any]:
    return [await work for work in works]


async def _below(batches: "Sequence[Batch]", level: "Level", together: Together) -> "list[Batch]":
    """The batches below these, whose fields have all got their values, as far as they have anything to ask."""
    asked: list[tuple[Batch, int, Field, Sequence[Any] | int]] = []
    try:
        for batch in batches:
            for place, (field, make) in enumerate(batch.reading.asked):
                answer = level.ask(field, batch.parents) if make is None else parts(make, batch.parents)
                asked.append((batch, place, field, answer))
        found = await together(level.works) if level.works else ()
    finally:
        for work in level.begun:
            # One that was never begun, for the one beside it went wrong, would be complained about.
            if isinstance(work, CoroutineType):
                work.close()
    below: list[Batch] = []
    for batch, place, field, answer in asked:
        values = found[answer] if isinstance(answer, int) else answer
        if len(values) != len(batch.parents):
            raise Unplanned(f"the field {field.key} has not one value for each object")
        below += batch.take(place, field, values)
    return below


class Level:
    """What the fields of one level of the response are asked, and what is to be waited for."""

    def __init__(self, variables: VariableValues, context: Any) -> None:
        self.variables = variables
        self.context = context
        # What is to be awaited together, and all that must have come to an end when the level has.
        self.works: list[Awaitable[Any]] = []
        self.begun: list[Awaitable[Any]] = []

    def ask(self, field: Field, parents: Sequence[Any]) -> Sequence[Any] | int:
        """The values of a field for these objects, or the place of the work that finds them."""
        prepared = field.prepared
        if prepared is NOT_YET:
            prepared = field.arguments(self.variables)
        values = field.resolve(parents, prepared, self.context, field.selection)
        if isinstance(values, LISTS):
            return values
        place = len(self.works)
        if not isinstance(values, Coming):
            self.begun.append(values)
            self.works.append(values)
            return place
        self.begun.append(values.work)
        self.works.append(values.work)
        if not field.abstract:
            self._ask_ahead(field.scope(field.kind.name), values.stand_ins)
        return place

    def _ask_ahead(self, scope: Scope, stand_ins: Sequence[Any], *, alike: bool = False) -> None:
        """Asks the fields that make do with what stands for their objects, but for those that may come with them.

        `alike`: the objects will be of the same class.
        """
        kind = type(stand_ins[0])
        for field in scope.asked:
            comes_along = field.part is not None and (not alike or hasattr(kind, field.part))
            if comes_along or kind in field.too_early_for:
                continue
            try:
                values = field.resolve(stand_ins, field.arguments(self.variables), self.context, field.selection)
            except (AttributeError, TypeError):
                field.too_early_for.add(kind)
                continue
            if isinstance(values, LISTS):
                if field.complete is None and not field.abstract:
                    self._ask_ahead(field.scope(field.kind.name), field.flatten(values)[0], alike=True)
                continue
            work = values.work if isinstance(values, Coming) else values
            ahead = _try(field, kind, work)
            self.begun += (work, ahead)
            self.works.append(ahead)


async def _try(field: Field, kind: type, work: Awaitable[Any]) -> None:
    """Lets a field do what it can with what stands for its objects."""
    try:
        await work
    except (AttributeError, TypeError):
        field.too_early_for.add(kind)
    except LookupError:
        # There is no object that it stands for.
        pass


class Batch:
    """All objects of the response in one scope that one field has led to."""

    __slots__ = ("columns", "objects", "parents", "reading", "scope", "waiting")

    def __init__(self, scope: Scope, parents: Sequence[Any]) -> None:
        kinds = {*map(type, parents)}
        # Of one class, as a rule, which the reading looks at once.
        kind = kinds.pop() if len(kinds) == 1 else None
        for other in kinds:
            no_error(other)
        self.scope = scope
        self.parents = parents
        self.reading = reading = scope.readings.get(kind) or scope.reading(kind)
        if reading.asked:
            # What is at hand, and behind it what the fields that are asked have answered.
            self.columns: list[Any] = [*reading.at_hand(parents), *reading.asked]
            # Which of them are made of the objects of which batch below, and how.
            self.waiting: list[tuple[int, Batch | Mixed, Restore]] = []
        else:
            self._made(reading.at_hand(parents))

    def take(self, place: int, field: Field, values: Sequence[Any]) -> "Iterable[Batch]":
        """Takes in the values of a field that was asked; the batches that they lead to and that have more to ask."""
        place -= len(self.reading.asked)
        if field.complete is not None:
            self.columns[place] = field.complete(values)
            return ()
        flat, restore = field.flatten(values)
        if field.abstract:
            names = field.type_names(flat)
            sorted_out: dict[str, list[Any]] = {}
            for name, value in zip(names, flat, strict=True):
                sorted_out.setdefault(name, []).append(value)
            below = {name: Batch(field.scope(name), objects) for name, objects in sorted_out.items()}
            self.waiting.append((place, Mixed(below, names), restore))
            return [batch for batch in below.values() if batch.reading.asked]
        if not flat:
            self.columns[place] = [] if restore is None else restore([])
            return ()
        if len(flat) >= MANY:
            flat, restore = _shared(flat, restore)
        batch = Batch(field.scope(field.kind.name), flat)
        self.waiting.append((place, batch, restore))
        return (batch,) if batch.reading.asked else ()

    def build(self) -> None:
        """Makes the objects of the response, once those below are made."""
        for place, below, restore in self.waiting:
            self.columns[place] = below.objects if restore is None else restore(below.objects)
        self._made(self.reading.build(self.columns))

    def _made(self, objects: list[dict[str, Any]]) -> None:
        if len(objects) != len(self.parents):
            raise Unplanned(f"a field of {self.scope.kind.name} has not one value for each object")
        self.objects = objects


def _shared(objects: Sequence[Any], restore: Restore) -> tuple[Sequence[Any], Restore]:
    """Each object once, such as the one level of a thousand nodes: what is made of it stands for all its places."""
    # Those that are shared are seldom far apart.
    if len({*map(id, objects[:MANY])}) * 2 > MANY:
        return objects, restore
    keys = [*map(id, objects)]
    distinct = dict(zip(keys, objects, strict=True))

    def repeated(answers: Sequence[Any]) -> Sequence[Any]:
        answer_of = dict(zip(distinct, answers, strict=True))
        found = [*map(answer_of.__getitem__, keys)]
        return found if restore is None else restore(found)

    return [*distinct.values()], repeated


class Mixed:
    """The batches that a field of objects of several types has led to."""

    __slots__ = ("below", "names")

    def __init__(self, below: Mapping[str, Batch], names: Sequence[str]) -> None:
        self.below = below
        self.names = names

    @property
    def objects(self) -> Sequence[Any]:
        """Their objects in the order of the field's values."""
        rest = {name: iter(batch.objects) for name, batch in self.below.items()}
        return [next(rest[name]) for name in self.names]
