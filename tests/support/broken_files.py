"""Files of a hierarchy with something wrong in them, and what exactly: made from a sound tree and chosen faults."""

import csv
import io
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

LEVELS = ("Division", "State", "Distributor")
PATH_HEADER = [f"{level} {word}" for level in LEVELS for word in ("Name", "Description", "Code")]
PARENT_HEADER = ["Code", "Name", "Description", "Parent Code", "Level"]
# (row, column, code).
Mistake = tuple[int, str, str]


class Broken(NamedTuple):
    """A file, and what is wrong with it in the order of the rows."""

    rows: list[list[str]]
    mistakes: list[Mistake]

    @property
    def text(self) -> str:
        return written(self.rows)


def written(rows: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\n") -> str:
    """The rows as CSV."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    return file.getvalue()


class Maker:
    """Sound rows, to which each fault adds rows of its own, so that none hides another."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0
        # Each row with what is wrong in it.
        self.rows: list[tuple[list[str], list[tuple[str, str]]]] = []
        # The codes of the groups on each level, and of each the names of its path.
        self.codes: tuple[list[str], ...] = ([], [], [])
        self.path: dict[str, list[tuple[str, str]]] = {}

    def new(self, word: str) -> tuple[str, str]:
        """A name and a code that nothing else has."""
        self.number += 1
        return f"{word} {self.number}", f"{word[:2]}-{self.number}"

    def grow(self) -> None:
        """Every group with what it takes for its row, by path: its name and code, and those above."""
        for _ in range(self.random.randint(1, 3)):
            division = self.new("Division")
            self.stand([division])
            for _ in range(self.random.randint(1, 3)):
                state = self.new("State")
                self.stand([division, state])
                for _ in range(self.random.randint(1, 3)):
                    self.stand([division, state, self.new("Distributor")])

    def stand(self, path: list[tuple[str, str]]) -> None:
        code = path[-1][1]
        self.codes[len(path) - 1].append(code)
        self.path[code] = path

    def any(self, depth: int) -> str:
        return self.random.choice(self.codes[depth - 1])

    def add(self, row: list[str], *wrong: tuple[str, str]) -> None:
        self.rows.append((row, list(wrong)))


def broken_paths(seed: int) -> Broken:
    """A file by level: its faults are in the rows behind the sound ones, since what comes later is what is refused."""
    maker = Maker(seed)
    maker.grow()
    for code in maker.codes[2]:
        maker.add(path_row(maker.path[code]))
    for _ in range(maker.random.randint(1, 8)):
        maker.random.choice(PATH_FAULTS)(maker)
    rows = [PATH_HEADER, *(row for row, _ in maker.rows)]
    return Broken(rows, found(maker))


def broken_parents(seed: int) -> Broken:
    """A file by parent: its rows stand in any order, but those of a fault keep theirs."""
    maker = Maker(seed)
    maker.grow()
    for path in maker.path.values():
        maker.add(parent_row(path))
    maker.random.shuffle(maker.rows)
    for _ in range(maker.random.randint(1, 8)):
        maker.random.choice(PARENT_FAULTS)(maker)
    rows = [PARENT_HEADER, *(row for row, _ in maker.rows)]
    return Broken(rows, found(maker))


def found(maker: Maker) -> list[Mistake]:
    return [(number, column, code) for number, (_, wrong) in enumerate(maker.rows, 2) for column, code in wrong]


def path_row(path: Sequence[tuple[str, str]], *descriptions: str) -> list[str]:
    row = [""] * len(PATH_HEADER)
    for depth, (name, code) in enumerate(path):
        row[3 * depth], row[3 * depth + 2] = name, code
    for depth, description in enumerate(descriptions):
        row[3 * depth + 1] = description
    return row


def parent_row(path: Sequence[tuple[str, str]], description: str = "", level: str | None = None) -> list[str]:
    name, code = path[-1]
    parent = path[-2][1] if len(path) > 1 else ""
    return [code, name, description, parent, LEVELS[len(path) - 1] if level is None else level]


# ── by level ────────────────────────────────────────────────────────────────────────────────────────────────


def gap(maker: Maker) -> None:
    """A distributor without a state."""
    row = path_row([maker.new("Division"), ("", ""), maker.new("Distributor")])
    maker.add(row, ("State Name", "BAD_ROW"))


def two_gaps(maker: Maker) -> None:
    row = path_row([("", ""), ("", ""), maker.new("Distributor")])
    maker.add(row, ("Division Name", "BAD_ROW"), ("State Name", "BAD_ROW"))


def no_name(maker: Maker) -> None:
    """Something is said of a group that is not named."""
    row = path_row([maker.new("Division")])
    row[maker.random.choice([4, 5])] = "stray"
    maker.add(row, ("State Name", "BAD_ROW"))


def name_elsewhere(maker: Maker) -> None:
    """Each row that repeats it is told of."""
    name = maker.path[maker.any(2)][-1][0]
    division = maker.new("Division")
    for _ in range(maker.random.randint(1, 3)):
        row = path_row([division, (name, ""), maker.new("Distributor")])
        maker.add(row, ("State Name", "NAME_TAKEN"))


def name_beside(maker: Maker) -> None:
    """Two groups of one name under one parent, told apart by their codes."""
    path = maker.path[maker.any(3)]
    maker.add(path_row([*path[:2], (path[2][0], maker.new("Distributor")[1])]), ("Distributor Name", "NAME_TAKEN"))


def code_elsewhere(maker: Maker) -> None:
    name, code = maker.path[maker.any(2)][-1]
    row = path_row([maker.new("Division"), (name, code), maker.new("Distributor")])
    maker.add(row, ("State Code", "CODE_TAKEN"))


def two_names(maker: Maker) -> None:
    path = maker.path[maker.any(3)]
    maker.add(path_row([*path[:2], (maker.new("Distributor")[0], path[2][1])]), ("Distributor Name", "BAD_ROW"))


def two_descriptions(maker: Maker) -> None:
    path = [maker.new("Division"), maker.new("State")]
    maker.add(path_row([*path, maker.new("Distributor")], "", "One"))
    maker.add(path_row([*path, maker.new("Distributor")], "", "One"))
    maker.add(path_row([*path, maker.new("Distributor")], "", "Another"), ("State Description", "BAD_ROW"))


def unfit(maker: Maker) -> tuple[str, str]:
    """A name that nothing else has and that cannot be, and what is said of it."""
    maker.number += 1
    choices = [
        ("N" * 201 + str(maker.number), "TOO_LONG"),
        (f"two\nlines {maker.number}", "INVALID"),
        ("\u200b" * maker.number, "REQUIRED"),
    ]
    return maker.random.choice(choices)


def unfit_name_in_paths(maker: Maker) -> None:
    """Told once, however many rows repeat it."""
    name, code = unfit(maker)
    path = [(name, maker.new("Division")[1]), maker.new("State")]
    maker.add(path_row([*path, maker.new("Distributor")]), ("Division Name", code))
    maker.add(path_row([*path, maker.new("Distributor")]))


def unfit_code_in_path(maker: Maker) -> None:
    name, code = maker.new("Division")
    maker.add(path_row([(name, code + "c" * 64)]), ("Division Code", "TOO_LONG"))


def unfit_description_in_path(maker: Maker) -> None:
    maker.add(path_row([maker.new("Division")], "d" * 2_001), ("Division Description", "TOO_LONG"))


def cell_too_many(maker: Maker) -> None:
    maker.add([*path_row([maker.new("Division")]), "", "stray"], ("11", "BAD_ROW"))


PATH_FAULTS: list[Callable[[Maker], None]] = [
    gap,
    two_gaps,
    no_name,
    name_elsewhere,
    name_beside,
    code_elsewhere,
    two_names,
    two_descriptions,
    unfit_name_in_paths,
    unfit_code_in_path,
    unfit_description_in_path,
    cell_too_many,
]


# ── by parent ───────────────────────────────────────────────────────────────────────────────────────────────


def no_code(maker: Maker) -> None:
    maker.add(parent_row([(maker.new("Division")[0], "")]), ("Code", "REQUIRED"))


def empty_name(maker: Maker) -> None:
    maker.add(parent_row([("", maker.new("Division")[1])]), ("Name", "REQUIRED"))


def unfit_name(maker: Maker) -> None:
    name, code = unfit(maker)
    maker.add(parent_row([(name, maker.new("Division")[1])]), ("Name", code))


def unfit_code(maker: Maker) -> None:
    name, code = maker.new("Division")
    maker.add(parent_row([(name, code + "c" * 64)]), ("Code", "TOO_LONG"))


def unfit_description(maker: Maker) -> None:
    maker.add(parent_row([maker.new("Division")], "d" * 2_001), ("Description", "TOO_LONG"))


def unknown_parent(maker: Maker) -> None:
    """What is below it is told of with it."""
    path = [maker.new("Nowhere"), maker.new("State"), maker.new("Distributor")]
    maker.add(parent_row(path[:2]), ("Parent Code", "NOT_FOUND"))
    maker.add(parent_row(path))


def repeated_code(maker: Maker) -> None:
    code = maker.any(maker.random.randint(1, 3)).lower()
    maker.add(parent_row([(maker.new("Division")[0], code)]), ("Code", "CODE_TAKEN"))


def repeated_name(maker: Maker) -> None:
    name = maker.path[maker.any(3)][-1][0].upper()
    path = maker.path[maker.any(1)]
    maker.add(parent_row([*path, (name, maker.new("State")[1])]), ("Name", "NAME_TAKEN"))


def circle(maker: Maker) -> None:
    """Told once, at the first of its rows; what hangs on it is not told of."""
    members = [maker.new("State") for _ in range(maker.random.randint(1, 4))]
    wrong = [("Parent Code", "CYCLE")]
    for place, member in enumerate(members):
        maker.add(parent_row([members[place - 1], member]), *wrong)
        wrong = []
    maker.add(parent_row([members[0], maker.new("State")]))


def too_deep(maker: Maker) -> None:
    """Each row of its own."""
    path = [*maker.path[maker.any(3)], maker.new("Shop"), maker.new("Shelf")]
    maker.add(parent_row(path[:4], level=""), ("Parent Code", "TOO_DEEP"))
    maker.add(parent_row(path, level="Distributor"), ("Parent Code", "TOO_DEEP"))


def wrong_level(maker: Maker) -> None:
    path = [*maker.path[maker.any(1)], maker.new("State")]
    maker.add(parent_row(path, level=maker.random.choice(["Division", "Nonsense"])), ("Level", "BAD_ROW"))


def cell_too_many_by_parent(maker: Maker) -> None:
    maker.add([*parent_row([maker.new("Division")]), "stray"], ("6", "BAD_ROW"))


PARENT_FAULTS: list[Callable[[Maker], None]] = [
    no_code,
    empty_name,
    unfit_name,
    unfit_code,
    unfit_description,
    unknown_parent,
    repeated_code,
    repeated_name,
    circle,
    too_deep,
    wrong_level,
    cell_too_many_by_parent,
]
