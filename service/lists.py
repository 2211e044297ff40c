"""What a file says that lists customers, the customers of groups, or groups: a thing a row. Pure.

An empty cell leaves what is there as it is, and so does a column that the file does not have.
"""

from collections.abc import Iterator
from typing import NamedTuple

from service import names
from service.errors import RejectedFile, UserError, UserErrorCode
from service.names import cleaned, key
from service.sheets import Line, Mistakes, header_of

Code = UserErrorCode
STATUSES = ("ACTIVE", "INACTIVE")


class CustomerLine(NamedTuple):
    """A customer and the row that it stands in; None is what the row does not say."""

    row: int
    code: str
    code_key: str
    name: str | None
    type: str | None


class MemberLine(NamedTuple):
    """The codes of a customer and of the group that it belongs to, and the row; None is what the row does not say."""

    row: int
    customer: str
    customer_key: str
    group: str | None
    group_key: str | None


class GroupLine(NamedTuple):
    """A group and the row that it stands in; None is what the row does not say. It has a code or a name."""

    row: int
    code: str | None
    code_key: str | None
    name: str | None
    name_key: str | None
    description: str | None
    status: str | None


class ListFile:
    """A file on its way in: its columns by their names, its rows, and what is wrong with them."""

    def __init__(
        self,
        lines: Iterator[Line],
        required: tuple[str, ...],
        optional: tuple[str, ...] = (),
        known: tuple[str, ...] = (),
    ) -> None:
        """Takes the header off the lines. Raises RejectedFile."""
        self.mistakes = Mistakes()
        self._lines = lines
        self._header = header_of(lines)
        self._places = self._header.places(required, optional, known)

    def __contains__(self, column: str) -> bool:
        return column in self._places

    def lines(self) -> Iterator[Line]:
        """The rows. What cannot be read joins the other mistakes, and ends the file."""
        try:
            for line in self._lines:
                self._header.check(line, self.mistakes)
                yield line
        except RejectedFile as rejected:
            self.mistakes.include(rejected)

    def cell(self, line: Line, column: str) -> str | None:
        """The cleaned text of a column, None where it is empty."""
        return cleaned(line.cell(self._places.get(column))) or None

    def prose(self, line: Line, column: str) -> str | None:
        """The text of a column letter by letter, without the blanks around it; None where it is empty."""
        return line.cell(self._places.get(column)).strip() or None

    def wrong(self, code: UserErrorCode, message: str, row: int, column: str) -> None:
        """One mistake in a column, which the file may not have."""
        place = self._places.get(column)
        self.mistakes.add(code, message, row, column if place is None else self._header.text(place))

    def fits(self, errors: list[UserError], row: int, column: str) -> bool:
        """Whether there are none of these errors in a column; otherwise they join the others."""
        for error in errors:
            self.wrong(error.code, error.message, row, column)
        return not errors

    def fresh(self, seen: dict[str, int], text: str, what: str, row: int, column: str) -> bool:
        """Whether no row before has the same text in this column, by its key; `seen` holds those that were."""
        first = seen.setdefault(key(text), row)
        if first != row:
            message = f"{what} «{text}» stands in row {first} already; keep one of the two rows."
            self.wrong(Code.BAD_ROW, message, row, column)
        return first == row


def customer_file(lines: Iterator[Line]) -> ListFile:
    """A file of customers. Raises RejectedFile."""
    return ListFile(lines, ("Code",), ("Name", "Type"))


def member_file(lines: Iterator[Line]) -> ListFile:
    """A file of the customers of groups. Raises RejectedFile."""
    return ListFile(lines, ("Customer Code",), ("Group Code",), ("Customer Name", "Group Name", "Type"))


def group_file(lines: Iterator[Line]) -> ListFile:
    """A file of groups. Raises RejectedFile, also where it has neither codes nor names."""
    file = ListFile(lines, (), ("Code", "Name", "Description", "Status"), ("Customers",))
    if "Code" not in file and "Name" not in file:
        message = "The columns «Code» and «Name» are missing; the first row must have one of them."
        file.wrong(Code.BAD_HEADER, message, 1, "Name")
        file.mistakes.check()
    return file


def customers(file: ListFile) -> Iterator[CustomerLine]:
    """The customers that a file lists; rows whose code is wrong are told and left out."""
    seen: dict[str, int] = {}
    for line in file.lines():
        row, code = line.number, file.cell(line, "Code") or ""
        name, type = file.cell(line, "Name"), file.cell(line, "Type")
        sound = file.fits(names.mistakes("The code", code, names.CODE_LENGTH), row, "Code")
        if name is not None:
            file.fits(names.mistakes("The name", name, names.NAME_LENGTH), row, "Name")
        file.fits(names.mistakes("The type", type or "", names.TYPE_LENGTH, required=False), row, "Type")
        if sound and file.fresh(seen, code, "The code", row, "Code"):
            yield CustomerLine(row, code, key(code), name, type)


def members(file: ListFile) -> Iterator[MemberLine]:
    """The customers, and their groups, that a file lists; rows without a customer are told and left out."""
    for line in file.lines():
        customer, group = file.cell(line, "Customer Code"), file.cell(line, "Group Code")
        if customer is None:
            file.wrong(Code.REQUIRED, "The customer's code must not be empty.", line.number, "Customer Code")
        else:
            yield MemberLine(line.number, customer, key(customer), group, group and key(group))


def groups(file: ListFile) -> Iterator[GroupLine]:
    """The groups that a file lists; rows whose code or name is wrong are told and left out."""
    codes, titles = dict[str, int](), dict[str, int]()
    for line in file.lines():
        row, code, name = line.number, file.cell(line, "Code"), file.cell(line, "Name")
        description, written = file.prose(line, "Description"), file.cell(line, "Status")
        status = written and written.upper()
        file.fits(names.description_mistakes(description or ""), row, "Description")
        if status is not None and status not in STATUSES:
            message = f"«{str(written)[:80]}» is no status; write ACTIVE or INACTIVE."
            file.wrong(Code.BAD_ROW, message, row, "Status")
        if code is None and name is None:
            file.wrong(Code.REQUIRED, "A group needs a name, or the code of one that there is.", row, "Name")
            continue
        sound = True
        if code is not None:
            sound = file.fits(names.mistakes("The code", code, names.CODE_LENGTH), row, "Code")
            sound = sound and file.fresh(codes, code, "The code", row, "Code")
        if name is not None:
            fine = file.fits(names.mistakes("The name", name, names.NAME_LENGTH), row, "Name")
            sound = fine and file.fresh(titles, name, "The name", row, "Name") and sound
        if sound:
            yield GroupLine(row, code, code and key(code), name, name and key(name), description, status)
