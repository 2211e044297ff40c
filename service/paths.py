"""The form by level of a hierarchy's file: each row is a path from the top (see outline.py). Pure."""

from collections.abc import Iterator, Sequence

from service.errors import UserErrorCode
from service.names import CODE_LENGTH, NAME_LENGTH, cleaned, description_mistakes, key, mistakes
from service.sheets import Header, Line, Mistakes
from service.wanted import MOST_LEVELS, Columns, Outline, Wanted, again

Code = UserErrorCode
# What no level is called that is taken from a header: more likely columns are missing beside it.
NO_LEVELS = {"name", "description", "code", "level", "parent code"}


def outline_of_paths(header: Header, lines: Iterator[Line], levels: Sequence[str] | None, qualify: bool) -> Outline:
    """What the file wants of a hierarchy with these levels; None: of a new one, whose levels the header names.

    Raises RejectedFile for a header that is not understood.
    """
    wrong = Mistakes()
    names = _levels_named(header, wrong) if levels is None else list(levels)
    columns = _Columns(header, names, wrong).found()
    wrong.check()
    paths = _Paths(Outline(names), columns, qualify)
    for line in paths.outline.read(lines):
        header.check(line, paths.outline.mistakes)
        paths.take(line)
    return paths.outline


def _levels_named(header: Header, wrong: Mistakes) -> list[str]:
    """The levels that a header names, in its order, each once."""
    found: dict[str, str] = {}
    for place, cell in enumerate(header.line.cells):
        text = cleaned(cell)
        words = text.rsplit(maxsplit=1)
        last = key(words[-1]) if words else ""
        if not words or key(text) in NO_LEVELS or (len(words) == 2 and last in ("description", "code")):
            continue
        level = words[0] if len(words) == 2 and last == "name" else text
        if key(level) not in found:
            found[key(level)] = level
            for error in mistakes("The name of a level", level, NAME_LENGTH):
                wrong.add(error.code, error.message, header.line.number, header.text(place))
            if len(found) == MOST_LEVELS + 1:
                message = f"A hierarchy has at most {MOST_LEVELS} levels; this column would be of one more."
                wrong.add(Code.OUT_OF_RANGE, message, header.line.number, header.text(place))
    return list(found.values())


class _Columns:
    """The columns of a header, each found to be of a level: its names, its descriptions or its codes."""

    def __init__(self, header: Header, levels: Sequence[str], wrong: Mistakes) -> None:
        self._header = header
        self._levels = levels
        self._wrong = wrong
        # (depth from 0, word) → place.
        self._places: dict[tuple[int, str], int] = {}

    def found(self) -> list[Columns]:
        """Those of each level that the header has, top first; what is wrong with it is gathered."""
        meanings = self._meanings()
        for place, cell in enumerate(self._header.line.cells):
            if not cell.strip():
                continue
            meaning = meanings.get(key(cleaned(cell)))
            if meaning is None:
                self._refuse(place, f"«{cell.strip()[:80]}» is no column of such a file; {self._advice()}")
            elif meaning in self._places:
                self._refuse(place, "This column stands there twice; keep one of them.")
            else:
                self._places[meaning] = place
        named = [depth for depth, word in self._places if word == "name"]
        for expected, depth in enumerate(named):
            if depth != expected:
                message = (
                    f"Here «{self._levels[expected]} Name» should stand: the levels come in their order, from the top,"
                    " and none is left out."
                )
                self._refuse(self._places[depth, "name"], message)
                break
        for (depth, word), place in self._places.items():
            if depth not in named:
                level = self._levels[depth]
                self._refuse(place, f"There is a {word} for the level «{level}», but no column «{level} Name».")
        if not self._places and not self._wrong:
            self._refuse(0, f"There is no column of a level; {self._advice()}")
        return [self._columns(depth) for depth in sorted(named)]

    def _meanings(self) -> dict[str, tuple[int, str]]:
        """What a column may be called, as a key → what it then holds."""
        found: dict[str, tuple[int, str]] = {}
        for word in ("name", "description", "code"):
            for depth, level in enumerate(self._levels):
                found.setdefault(key(f"{level} {word}"), (depth, word))
        for depth, level in enumerate(self._levels):
            found.setdefault(key(level), (depth, "name"))
        return found

    def _advice(self) -> str:
        level = self._levels[0] if self._levels else "State"
        return (
            f"for each level there are «{level} Name» and, if you like, «{level} Description» and «{level} Code»."
            " A file with one group a row has the columns Code, Name, Description and Parent Code."
        )

    def _refuse(self, place: int, message: str) -> None:
        self._wrong.add(Code.BAD_HEADER, message, self._header.line.number, self._header.text(place))

    def _columns(self, depth: int) -> Columns:
        code, description = self._places.get((depth, "code")), self._places.get((depth, "description"))
        name = self._places[depth, "name"]
        texts = ["" if place is None else self._header.text(place) for place in (name, code, description, name)]
        return Columns(name, code, description, *texts)


class _Paths:
    """The nodes of the rows read so far."""

    def __init__(self, outline: Outline, columns: Sequence[Columns], qualify: bool) -> None:
        self.outline = outline
        self._columns = columns
        self._qualify = qualify
        # The cells of the last row with the nodes that they name: most rows repeat most of the row before.
        self._trail: list[tuple[object, int] | None] = [None] * len(columns)
        self._by_code: dict[str, int] = {}
        self._by_place: dict[tuple[int | None, str], int] = {}
        self._by_name: dict[str, int] = {}
        # Siblings of one name that differ by code.
        self._alike: set[tuple[int | None, str]] = set()
        # A code at a second place → the node made there all the same, so that the rest can be read.
        self._misplaced: dict[tuple[int | None, str], int] = {}
        # What is told of a node in each row that names it.
        self._repeated: dict[int, tuple[UserErrorCode, str, str]] = {}

    def take(self, line: Line) -> None:
        """The nodes along one row."""
        parent, lost = None, False
        for depth in range(self._depth(line)):
            columns = self._columns[depth]
            cells = (line.cell(columns.name), line.cell(columns.code), line.cell(columns.description))
            if not cells[0].strip():
                message = "There is no name here, but something of this level or below it; a path has no gap."
                self.outline.mistakes.add(Code.BAD_ROW, message, line.number, columns.name_text)
                lost = True
            elif not lost:
                parent = self._node(depth, parent, cells, line.number)

    def _depth(self, line: Line) -> int:
        """How many levels of the row there are down to the last that says anything."""
        for depth in range(len(self._columns), 0, -1):
            name, code, description, *_ = self._columns[depth - 1]
            if line.cell(name).strip() or line.cell(code).strip() or line.cell(description).strip():
                return depth
        return 0

    def _node(self, depth: int, parent: int | None, cells: tuple[str, str, str], row: int) -> int:
        trail, seen = self._trail[depth], (parent, cells)
        if trail is not None and trail[0] == seen:
            number = trail[1]
        else:
            number = self._found(depth, parent, cells, row)
            self._trail[depth] = (seen, number)
        if number in self._repeated:
            code, message, column = self._repeated[number]
            self.outline.mistakes.add(code, message, row, column)
        return number

    def _found(self, depth: int, parent: int | None, cells: tuple[str, str, str], row: int) -> int:
        """The node that these cells mean: one that is there, or a new one."""
        name, code, description = cleaned(cells[0]), cleaned(cells[1]), cells[2].strip()
        columns, name_key, code_key = self._columns[depth], key(name), key(code)
        number = self._known(parent, name, name_key, code, code_key, row, columns)
        if number is None:
            number = len(self.outline.nodes)
            node = Wanted(name, name_key, code or None, code_key or None, None, parent, None, row, columns)
            self.outline.nodes.append(node)
            fine = self.outline.tell(mistakes(f"«{columns.name_text}»", name, NAME_LENGTH), row, columns.name_text)
            node.sound = fine and self._code_is_fine(code, row, columns)
            self._enter(number, node)
        if description:
            self._describe(self.outline.nodes[number], description, row)
        return number

    def _known(
        self, parent: int | None, name: str, name_key: str, code: str, code_key: str, row: int, columns: Columns
    ) -> int | None:
        nodes, namesake = self.outline.nodes, self._by_place.get((parent, name_key))
        if not code_key:
            if (parent, name_key) in self._alike:
                message = f"Several groups are called «{name}» here; say by its code which one this is."
                self.outline.mistakes.add(Code.BAD_ROW, message, row, columns.name_text)
            return namesake
        number = self._by_code.get(code_key)
        if number is not None and nodes[number].parent != parent:
            number = self._misplaced.get((parent, code_key))
        elif number is None and namesake is not None and nodes[namesake].code is None:
            number, node = namesake, nodes[namesake]
            node.code, node.code_key = code, code_key
            node.sound = self._code_is_fine(code, row, columns) and node.sound
            self._by_code[code_key] = number
        if number is not None and nodes[number].name_key != name_key:
            message = f"In row {nodes[number].row} this code belongs to {nodes[number]}; a group has one name."
            self.outline.mistakes.add(Code.BAD_ROW, message, row, columns.name_text)
        return number

    def _code_is_fine(self, code: str, row: int, columns: Columns) -> bool:
        found = mistakes(f"«{columns.code_text}»", code, CODE_LENGTH, required=False)
        return self.outline.tell(found, row, columns.code_text)

    def _enter(self, number: int, node: Wanted) -> None:
        """A new node takes its code and its name, or is noted as one that repeats what another one has."""
        nodes = self.outline.nodes
        if node.code_key is not None:
            first = self._by_code.setdefault(node.code_key, number)
            if first != number:
                message = f"{node} stands in row {nodes[first].row} already, at another place; a group stands once."
                self._repeated[number] = (Code.CODE_TAKEN, message, node.columns.code_text)
                self._misplaced[node.parent, node.code_key] = number
                node.sound = False
                return
        if self._by_place.setdefault((node.parent, node.name_key), number) != number:
            self._alike.add((node.parent, node.name_key))
        first = self._by_name.setdefault(node.name_key, number)
        if first == number:
            return
        self.outline.namesakes.setdefault(node.name_key, [first]).append(number)
        if not self._qualify:
            self._repeated[number] = (Code.NAME_TAKEN, again(node, nodes[first]), node.columns.name_text)

    def _describe(self, node: Wanted, description: str, row: int) -> None:
        column = node.columns.description_text
        if node.description is None:
            self.outline.tell(description_mistakes(description), row, column)
            node.description, node.described = description, row
        elif node.description != description:
            message = f"Row {node.described} describes {node} otherwise; a group has one description."
            self.outline.mistakes.add(Code.BAD_ROW, message, row, column)
