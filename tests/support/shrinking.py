"""Cuts a document down to what it takes to show something, so that a person sees the cause."""

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import (
    REMOVE,
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionNode,
    VariableDefinitionNode,
    Visitor,
    parse,
    print_ast,
    validate,
    visit,
)

REMOVABLE = (
    FragmentDefinitionNode,
    OperationDefinitionNode,
    FieldNode,
    InlineFragmentNode,
    FragmentSpreadNode,
    DirectiveNode,
    ArgumentNode,
    ObjectFieldNode,
    VariableDefinitionNode,
)
MOST_TRIALS = 1_000


class Without(Visitor):
    """Removes the nodes that it is told to."""

    def __init__(self, nodes: list[Node]) -> None:
        super().__init__()
        self.nodes = nodes

    def enter(self, node: Node, *_: Any) -> Any:
        return REMOVE if any(node is unwanted for unwanted in self.nodes) else None


class Removable(Visitor):
    """Lists what can be tried without, the outermost first."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: list[Node] = []

    def enter(self, node: Node, _: Any, siblings: Any, *rest: Any) -> None:
        # graphql-core takes empty selections, the specification does not.
        alone = isinstance(node, SelectionNode) and len(siblings) == 1
        if isinstance(node, REMOVABLE) and not alone:
            self.nodes.append(node)


async def shrink(schema: GraphQLSchema, text: str, shows: Callable[[str], Awaitable[bool]]) -> str:
    """The shortest valid document found that still shows it; the text as it is where it is not valid itself."""
    if validate(schema, parse(text)):
        return text
    place, changed = 0, False
    for _ in range(MOST_TRIALS):
        tree = parse(text)
        found = Removable()
        visit(tree, found)
        if place >= len(found.nodes):
            if not changed:
                break
            # What could not be left out at first may be by now.
            place, changed = 0, False
            continue
        shorter = _valid(schema, visit(tree, Without([found.nodes[place]])))
        if shorter is not None and await shows(shorter):
            text, changed = shorter, True
        else:
            place += 1
    return text


def _valid(schema: GraphQLSchema, tree: DocumentNode) -> str | None:
    """The document without variables and fragments that are now used by nobody; None where it is not valid."""
    while True:
        try:
            tree = parse(print_ast(tree))
        except GraphQLError:
            return None
        errors = validate(schema, tree)
        unused = [error.nodes[0] for error in errors if error.nodes and "is never used" in error.message]
        if not errors:
            return print_ast(tree)
        if len(unused) < len(errors):
            return None
        tree = visit(tree, Without(unused))
