"""What a hierarchy's file wants: nodes with their places, and what is wrong with it. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from service.errors import RejectedFile, UserError
from service.sheets import Line, Mistakes

MOST_LEVELS = 128


class Columns(NamedTuple):
    """Where in a row a node is told of (None: nowhere), and what mistakes call these columns."""

    name: int
    code: int | None
    description: int | None
    name_text: str
    code_text: str
    description_text: str
    # What says where the node stands: by level its own name, by parent the parent's code.
    place_text: str
    level_text: str = ""


@dataclass(slots=True)
class Wanted:
    """A node that the file wants, and the row that names it first.

    Its parent is another one of the file, by its number there; or a group that stands in the tree and not in the
    file, by its code as a key (`above`); or there is none.
    """

    name: str
    name_key: str
    code: str | None
    code_key: str | None
    description: str | None
    parent: int | None
    above: str | None
    row: int
    columns: Columns
    # What the column Level says.
    level: str = ""
    # The row that the description is from.
    described: int = 0
    # Whether it may be looked for and kept; not so where its name or code cannot be, or stands elsewhere.
    sound: bool = True

    def __str__(self) -> str:
        return f"«{self.name}» ({self.code})" if self.code else f"«{self.name}»"


@dataclass(slots=True)
class Outline:
    """What a file wants: nodes, parents before children, siblings in the order of their rows."""

    levels: list[str]
    nodes: list[Wanted] = field(default_factory=list)
    rows: int = 0
    mistakes: Mistakes = field(default_factory=Mistakes)
    # Each name that several nodes have → their numbers, in the order of the rows.
    namesakes: dict[str, list[int]] = field(default_factory=dict)

    def read(self, lines: Iterator[Line]) -> Iterator[Line]:
        """The lines, counted; what is wrong with the file as such joins the other mistakes, and ends it."""
        try:
            for line in lines:
                self.rows += 1
                yield line
        except RejectedFile as rejected:
            self.mistakes.include(rejected)

    def tell(self, found: Iterable[UserError], row: int, column: str) -> bool:
        """Gathers what is wrong with one cell; whether nothing is."""
        fine = True
        for error in found:
            self.mistakes.add(error.code, error.message, row, column)
            fine = False
        return fine


def again(node: Wanted, first: Wanted) -> str:
    """Why a name that the file gives to two nodes is refused."""
    return (
        f"{node} stands in row {first.row} already, at another place; in a hierarchy a group stands once, and groups"
        " have different names. Give this one another name, or import with `duplicateNames: QUALIFY`."
    )
