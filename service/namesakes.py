"""One name for several groups of a file: the later ones get their parent's name in brackets. Pure.

«Springfield», «Springfield (Illinois)»; where that repeats too, their code or a number, «Springfield (Illinois) 2».
A name that a group has already stays with it: whichever row comes first in the file of tomorrow, the Springfield of
today keeps its customers, and the same file again changes nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import islice

from service.names import cleaned, fitting, key
from service.wanted import Outline, Wanted

# What a parent's name, or a code, may take of a name: characters, and bytes as a key.
LONGEST_PART = 80
MOST_BYTES = 600
# How many of its names a group of today is looked for under.
FORMS_TRIED = 5

# Base → the number last tried behind it.
Numbers = Counter[str]


def qualify(outline: Outline, named: Mapping[str, str], standing: Collection[tuple[str | None, str]]) -> None:
    """Gives all but one of each name another, in an outline without mistakes.

    `named`: code, as a key → name, of the groups that there are. `standing`: the names, as keys, of parent and child
    for each node of the hierarchy as it is; None above a root.
    """
    repeated = {number for numbers in outline.namesakes.values() for number in numbers}
    taken = {node.name_key for number, node in enumerate(outline.nodes) if number not in repeated}
    given = _given_already(outline, repeated, taken, named, standing)
    for name, numbers in outline.namesakes.items():
        # The plain name goes to the first one that has none, unless another one has it.
        first = next((number for number in numbers if number not in given), None)
        if first is not None and name not in taken:
            given[first] = outline.nodes[first].name
            taken.add(name)
    taken.update(outline.namesakes)
    tried: Numbers = Counter()
    for number, node in enumerate(outline.nodes):
        if number in repeated:
            if number not in given:
                parent = _name_above(node, named, outline.nodes[node.parent].name if node.parent is not None else None)
                given[number] = next(form for form in _qualified(node, parent, tried) if key(form) not in taken)
            node.name, node.name_key = given[number], key(given[number])
            taken.add(node.name_key)


def _given_already(
    outline: Outline,
    repeated: Collection[int],
    taken: set[str],
    named: Mapping[str, str],
    standing: Collection[tuple[str | None, str]],
) -> dict[int, str]:
    """The nodes among the repeated whose group is there already under a name that fits → that name, now taken.

    It is the group that has the node's code or, where it has none, that stands below the same parent.
    """
    given: dict[int, str] = {}
    # What each node's group is called as yet, where it is known.
    today: list[str | None] = []
    for number, node in enumerate(outline.nodes):
        name = node.name if node.code_key is None else named.get(node.code_key)
        if number in repeated:
            root = node.parent is None and node.above is None
            parent = _name_above(node, named, today[node.parent] if node.parent is not None else None)
            forms = [node.name, *islice(_qualified(node, parent, Counter()), FORMS_TRIED)]
            if node.code_key is not None:
                fitting_ones = [name] if name is not None and key(name) in map(key, forms) else []
            elif root or parent is not None:
                place = None if parent is None else key(parent)
                fitting_ones = [form for form in forms if (place, key(form)) in standing]
            else:
                fitting_ones = []
            free = next((form for form in fitting_ones if key(form) not in taken), None)
            if free is not None:
                given[number] = free
                taken.add(key(free))
            if node.code_key is None:
                name = free
        today.append(name)
    return given


def _name_above(node: Wanted, named: Mapping[str, str], parent: str | None) -> str | None:
    return parent if node.above is None else named.get(node.above)


def _qualified(node: Wanted, parent: str | None, tried: Numbers) -> Iterator[str]:
    """The names other than the plain one that a node may have below a parent of this name."""
    place = "" if parent is None else f" ({_part(parent)})"
    if place:
        yield cleaned(fitting(node.name, place))
    if node.code:
        yield cleaned(fitting(node.name, f"{place} {_part(node.code)}"))
    base = f"{node.name_key}{place}"
    while True:
        tried[base] += 1
        yield cleaned(fitting(node.name, f"{place} {tried[base] + 1}"))


def _part(text: str) -> str:
    """As much of a text as may stand in another name."""
    part = text[:LONGEST_PART]
    while len(key(part).encode()) > MOST_BYTES:
        part = part[:-1]
    return part.strip()
