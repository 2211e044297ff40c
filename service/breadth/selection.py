"""What is selected below a field, for resolvers that fetch it in the same go."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

T = TypeVar("T")


class Selection:
    """The fields below some nodes of one field, whatever types the fragments are on.

    It may tell of more than is asked for: conditions of types and directives are passed over.
    """

    def __init__(self, nodes: Sequence[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._nodes = nodes
        self._fragments = fragments

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the fields right below."""
        return frozenset(self._fields)

    def below(self, name: str) -> "Selection":
        """What is selected below the field of this name; nothing where the field is not selected."""
        if name not in self._below:
            self._below[name] = Selection(self._fields.get(name, ()), self._fragments)
        return self._below[name]

    def kept(self, make: "Callable[[Selection], T]") -> T:
        """What the function makes of this selection, made once: plans outlive requests."""
        if make not in self._kept:
            self._kept[make] = make(self)
        made: T = self._kept[make]
        return made

    @cached_property
    def _kept(self) -> dict[Any, Any]:
        return {}

    @cached_property
    def _below(self) -> dict[str, "Selection"]:
        return {}

    @cached_property
    def _fields(self) -> dict[str, list[FieldNode]]:
        found: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        waiting: list[SelectionSetNode | None] = [node.selection_set for node in self._nodes]
        for selection_set in waiting:
            for selection in _selections(selection_set):
                if isinstance(selection, FieldNode):
                    found.setdefault(selection.name.value, []).append(selection)
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in spread:
                    spread.add(selection.name.value)
                    waiting.append(self._fragments[selection.name.value].selection_set)
        return found


def _selections(selection_set: SelectionSetNode | None) -> Iterable[object]:
    return selection_set.selections if selection_set else ()
