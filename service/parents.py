"""The form by parent of a hierarchy's file: each row is a node that names its parent (see outline.py). Pure."""

from collections.abc import Collection, Iterator, Sequence

from service.errors import UserErrorCode
from service.names import CODE_LENGTH, NAME_LENGTH, cleaned, description_mistakes, key, mistakes
from service.sheets import Header, Line
from service.wanted import MOST_LEVELS, Columns, Outline, Wanted, again

Code = UserErrorCode
REQUIRED = ("Code", "Name", "Parent Code")
OPTIONAL = ("Description", "Level")


def outline_of_parents(
    header: Header, lines: Iterator[Line], levels: Sequence[str] | None, qualify: bool, standing: Collection[str]
) -> Outline:
    """What the file wants of a hierarchy with these levels; None: of a new one.

    `standing` are the codes, as keys, of groups that may be parents although no row names them. The levels of a new
    hierarchy are called as the column Level says, or else «Level 1» and so on. Raises RejectedFile for a header
    that is not understood.
    """
    places = header.places(REQUIRED, OPTIONAL)
    rows = _Rows(Outline(list(levels or ())), header, places, qualify)
    for line in rows.outline.read(lines):
        header.check(line, rows.outline.mistakes)
        rows.take(line)
    depths = rows.arrange(standing)
    if levels is None:
        rows.name_levels(depths)
    return rows.outline


class _Rows:
    """The nodes of the rows read so far, and the codes of their parents."""

    def __init__(self, outline: Outline, header: Header, places: dict[str, int], qualify: bool) -> None:
        self.outline = outline
        self._qualify = qualify
        self._parent, self._level = places["Parent Code"], places.get("Level")
        texts = {column: header.text(place) for column, place in places.items()}
        self._columns = Columns(
            places["Name"],
            places["Code"],
            places.get("Description"),
            texts["Name"],
            texts["Code"],
            texts.get("Description", ""),
            texts["Parent Code"],
            texts.get("Level", ""),
        )
        self._nodes: list[Wanted] = []
        # The code of each node's parent as it is written; empty for a root.
        self._parents: list[str] = []
        self._by_code: dict[str, int] = {}
        self._by_name: dict[str, Wanted] = {}

    def take(self, line: Line) -> None:
        """The node of one row."""
        columns, row, tell = self._columns, line.number, self.outline.tell
        name, code = cleaned(line.cell(columns.name)), cleaned(line.cell(columns.code))
        description = line.cell(columns.description).strip()
        node = Wanted(name, key(name), code, key(code), description or None, None, None, row, columns)
        node.level, node.described = cleaned(line.cell(self._level)), row
        coded = tell(mistakes(f"«{columns.code_text}»", code, CODE_LENGTH), row, columns.code_text)
        named = tell(mistakes(f"«{columns.name_text}»", name, NAME_LENGTH), row, columns.name_text)
        tell(description_mistakes(description), row, columns.description_text)
        node.sound = coded and named
        if node.code_key and (first := self._by_code.setdefault(node.code_key, len(self._nodes))) != len(self._nodes):
            message = f"The code «{code}» stands in row {self._nodes[first].row} already; a group has one row."
            self.outline.mistakes.add(Code.CODE_TAKEN, message, row, columns.code_text)
            node.sound = False
        elif named and (namesake := self._by_name.setdefault(node.name_key, node)) is not node and not self._qualify:
            self.outline.mistakes.add(Code.NAME_TAKEN, again(node, namesake), row, columns.name_text)
        self._nodes.append(node)
        self._parents.append(cleaned(line.cell(self._parent)))

    def arrange(self, standing: Collection[str]) -> list[int]:
        """Finds all parents, and gives the outline the nodes that hang together with the top, from there down.

        Returns the depth of each, counted from the first one of its ancestors that the file names. Left out are
        nodes below a parent that there is not or in a circle, and what is below them: that much is told.
        """
        tops: list[int] = []
        children: dict[int, list[int]] = {}
        for number, node in enumerate(self._nodes):
            parent = key(self._parents[number])
            if not parent:
                tops.append(number)
            elif parent in self._by_code:
                node.parent = self._by_code[parent]
                children.setdefault(node.parent, []).append(number)
            elif parent in standing:
                node.above = parent
                tops.append(number)
            else:
                message = (
                    f"There is no group with the code «{self._parents[number]}» in this hierarchy or in this file."
                )
                self.outline.mistakes.add(Code.NOT_FOUND, message, node.row, node.columns.place_text)
        self._tell_circles()
        order, depths = list(tops), [1] * len(tops)
        for place, number in enumerate(order):
            below = children.get(number, ())
            order.extend(below)
            depths.extend([depths[place] + 1] * len(below))
        new_numbers = {number: place for place, number in enumerate(order)}
        for number in order:
            node = self._nodes[number]
            node.parent = None if node.parent is None else new_numbers[node.parent]
            self.outline.nodes.append(node)
        self._find_namesakes()
        return depths

    def _tell_circles(self) -> None:
        """Each circle once, at the first of its rows."""
        # Node → the walk that came by it.
        seen: dict[int, int] = {}
        for start in range(len(self._nodes)):
            walk: list[int] = []
            number: int | None = start
            while number is not None and number not in seen:
                seen[number] = start
                walk.append(number)
                number = self._nodes[number].parent
            if number is not None and seen[number] == start:
                circle = walk[walk.index(number) :]
                first = circle.index(min(circle))
                members = [self._nodes[one] for one in [*circle[first:], *circle[: first + 1]]]
                message = (
                    f"These stand below one another in a circle: {' below '.join(map(str, _few(members)))}."
                    " Give one of them another parent."
                )
                self.outline.mistakes.add(Code.CYCLE, message, members[0].row, members[0].columns.place_text)

    def _find_namesakes(self) -> None:
        found: dict[str, list[int]] = {}
        for number, node in enumerate(self.outline.nodes):
            found.setdefault(node.name_key, []).append(number)
        self.outline.namesakes = {
            name: sorted(numbers, key=lambda number: self.outline.nodes[number].row)
            for name, numbers in found.items()
            if len(numbers) > 1
        }

    def name_levels(self, depths: Sequence[int]) -> None:
        """The levels of a new hierarchy, each called as the first row of its depth that says so calls it."""
        deepest = min(max(depths, default=1), MOST_LEVELS)
        told: dict[int, Wanted] = {}
        for node, depth in sorted(zip(self.outline.nodes, depths, strict=True), key=lambda pair: pair[0].row):
            if node.level and depth <= deepest:
                told.setdefault(depth, node)
        levels = [told[depth].level if depth in told else f"Level {depth}" for depth in range(1, deepest + 1)]
        first: dict[str, int] = {}
        for depth, level in enumerate(levels, 1):
            other = first.setdefault(key(level), depth)
            if depth in told:
                column, row = self._columns.level_text, told[depth].row
                self.outline.tell(mistakes(f"«{column}»", level, NAME_LENGTH), row, column)
            if other != depth:
                teller = told.get(depth) or told[other]
                message = f"«{level}» would be the level of depth {other} and of depth {depth}; call one otherwise."
                self.outline.mistakes.add(Code.BAD_ROW, message, teller.row, self._columns.level_text)
        self.outline.levels = levels


def _few(members: Sequence[Wanted]) -> list[object]:
    """Of a long circle only its beginning and its end."""
    return list(members) if len(members) <= 8 else [*members[:4], "…", *members[-3:]]
