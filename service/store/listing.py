"""Pages of lists, for many parents at once, by keys: never an offset, one statement whatever the parents.

A `Listing` says where the rows come from and what ties them to a parent. In its texts `item` is the row that
is listed and `parent.id` the parent's key; a list without parents has the one parent 0.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from service import db
from service.dialects import Forms
from service.errors import InvalidInput
from service.matching import Match, MatchKind, Reference
from service.names import fold, key
from service.paging import MANGLED, Page, Slice, cut_each, decode_cursor, encode_cursor
from service.sought import Sought

# SQLite takes no LIKE pattern of more than 50,000 bytes; nothing is found by a text that long.
LONGEST_PATTERN = 40_000
# The value that a record of a page is ordered by, and the same with its key among equals.
VALUE, ORDER = itemgetter(-2), itemgetter(-2, 0)
WHOLE, PARENT = itemgetter(slice(None)), itemgetter(-1)
# A key that nothing has.
NOTHING = 0
PARENTS = "unnest($1::bigint[]) AS parent(id)"
ONLY_PARENT = "($1::bigint[])[1]"
# PostgreSQL plans a page as if it had so many rows at least. It takes what is wanted to be spread evenly over the
# order, and for a small page would soon walk the order's index in search of it: to its end, where the codes of a
# group's members are alike. So it finds some ten thousand rows by what is wanted, puts them in order, and walks for
# more.
WARY = 1_000


class Sorting(NamedTuple):
    """A column of `item` that a list can be ordered by, and whether its values differ among siblings."""

    name: str
    column: str
    distinct: bool = False


class Conditions:
    """Conditions and their arguments, numbered as they come; the text depends on the kinds of filters alone.

    `wary` as for a Listing.
    """

    def __init__(self) -> None:
        self.wary = True
        self.texts: list[str] = []
        self.arguments: list[Any] = []

    def argument(self, value: Any) -> str:
        """The placeholder for a value. The first two numbers belong to the parents and the limit."""
        self.arguments.append(value)
        return f"${len(self.arguments) + 2}"

    def add(self, text: str, *values: Any) -> None:
        """A condition in whose text each {} stands for the next value."""
        self.texts.append(text.format(*(self.argument(value) for value in values)))

    def one_of(self, column: str, values: Sequence[str]) -> None:
        """A text column has one of the values. A single one is told apart: only then can an index keep the order."""
        if len(values) == 1:
            self.add(f"{column} = {{}}", values[0])
        else:
            self.add(f"{column} = ANY({{}}::text[])", values)

    def match(self, column: str, match: Match | None, within: str | None = None) -> None:
        """Matches a folded column; `within` is that of all folded texts of the row. None is no condition."""
        if match is None:
            return
        if match.kind is MatchKind.IN or match.kind is MatchKind.EQUALS:
            self.one_of(column, [fold(value) for value in match.values])
        elif match.kind is MatchKind.CONTAINS:
            self.contains(column, match.values[0])
            if within is not None:
                # It follows from the first, and lets the one trigram index of a table serve all its columns.
                self.contains(within, match.values[0])
        elif start := fold(match.values[0]):
            # A range, not LIKE: it can use the index on the folded column in both databases.
            self.add(f"{column} >= {{}}", start)
            if (end := behind(start)) is not None:
                self.add(f"{column} < {{}}", end)

    def contains(self, column: str, text: str | None) -> None:
        """A folded column contains the text, in which % and _ are plain characters; None is no condition."""
        if text is None or not fold(text):
            return
        pattern = fold(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        if len(pattern.encode()) > LONGEST_PATTERN:
            self.add("1 = 0")
        else:
            self.add(f"{column} LIKE {{}} ESCAPE '\\'", f"%{pattern}%")


def row_of(kind: Any) -> Callable[[Sequence[Any]], Any]:
    """What makes a row of this kind of a record of a page: its own columns, without the two behind them."""
    make = kind._make
    return lambda record: make(record[:-2])


def behind(start: str) -> str | None:
    """The least text, by code points, behind all that begin with this one; None where there is none."""
    start = start.rstrip("\U0010ffff")
    if not start:
        return None
    # Surrogates are no characters: no database holds one.
    last = ord(start[-1]) + 1
    return start[:-1] + chr(0xE000 if last == 0xD800 else last)


async def key_of(table: str, reference: Reference) -> int:
    """The key of what is meant in a table, or NOTHING. One statement, none for what is named by its key.

    The page's own statement could look it up; but only a key that is known beforehand tells PostgreSQL whether
    a group is one of the large ones.
    """
    if reference.key is not None:
        return reference.key
    found = await db.fetch(*_looked_up(table, reference))
    return int(found[0][0]) if found else NOTHING


def sought(table: str, reference: Reference) -> Sought:
    """What stands for the key of what is meant by its code or name, until it is found."""
    return Sought(*_looked_up(table, reference))


def _looked_up(table: str, reference: Reference) -> tuple[str, str]:
    """The statement that looks for a code or a name, and its argument."""
    column, value = ("code_key", reference.code) if reference.code is not None else ("name_key", reference.name)
    return f"SELECT id FROM {table} WHERE {column} = $1", key(str(value))


class Reading(NamedTuple):
    """How a page is read: from its near end, by the sort value and, where that is not `distinct`, the key."""

    page: Page
    sorting: Sorting
    descending: bool

    @property
    def order(self) -> str:
        """What the list's cursors begin with."""
        return self.sorting.name + (":desc" if self.descending else "")

    @property
    def keys(self) -> tuple[str, ...]:
        return _keys(self.sorting)

    @property
    def down(self) -> bool:
        return self.descending != self.page.backward

    def edges(self) -> list[list[Any] | None]:
        """The sort values that the page's cursors stand for. Raises InvalidInput."""
        return [sort_values(text, self.order, self.sorting) for text in (self.page.after, self.page.before)]

    def bound(self, conditions: Conditions, after: Sequence[Any] | None, before: Sequence[Any] | None) -> None:
        """Adds that the rows lie between these sort values."""
        for edge, operator in ((after, "<" if self.descending else ">"), (before, ">" if self.descending else "<")):
            if edge is not None:
                placeholders = ", ".join(["{}"] * len(self.keys))
                conditions.add(f"({', '.join(self.keys)}) {operator} ({placeholders})", *edge[: len(self.keys)])

    def slices(
        self,
        parents: Sequence[int],
        found: Sequence[Sequence[Any]],
        make: Callable[[Sequence[Any]], Any],
        cursor: Callable[[Sequence[Any]], str] | None = None,
    ) -> list[Slice[Any]]:
        """One slice a parent, of records that are each the listing's columns, its sort value, and its parent."""
        rows_of: dict[int, list[Sequence[Any]]] = {parent: [] for parent in parents}
        # Plain tuples are quicker to look into, and to copy, than what the driver of PostgreSQL answers.
        for parent, records in groupby(map(WHOLE, found), PARENT):
            rows_of[parent] += records
        key, down = VALUE if self.sorting.distinct else ORDER, self.down
        for rows in rows_of.values():
            # Neither database promises an order here: bytes in C order are code points in Python's.
            rows.sort(key=key, reverse=down)
        lists = [rows_of[parent] for parent in parents]
        return cut_each(self.page, lists, cursor or (lambda row: _cursor(self.order, row)), make)


class Listing(NamedTuple):
    """Where rows come from: `columns`, the key first, of `table AS item` and what is `joined` to it.

    `source` and `link` tie the items to a parent; `source` defaults to the table with what is joined. `steady`:
    one plan is right for all parents, as long as nothing is filtered. Not `wary`: what is wanted is found by walking
    alone, see WARY.
    """

    columns: str
    table: str
    link: str
    joined: str = ""
    linked: str = ""
    steady: bool = False
    wary: bool = True

    @property
    def source(self) -> str:
        return f"{self.linked or self.table + ' AS item'} {self.joined}"

    async def page(
        self,
        parents: Sequence[int],
        page: Page,
        sorting: Sorting,
        descending: bool,
        conditions: Conditions,
        make: Callable[[Sequence[Any]], Any],
        cursor: Callable[[Sequence[Any]], str] | None = None,
        after: Sequence[Any] | None = None,
        before: Sequence[Any] | None = None,
    ) -> list[Slice[Any]]:
        """One slice a parent, in the order of the parents. One statement.

        `make` makes a row of a record: of the listing's columns, behind which two more stand.

        A list with cursors of its own gives `cursor`, which makes one of the columns, and the sort values
        that the page's cursors stand for as `after` and `before`.
        """
        reading = Reading(page, sorting, descending)
        steady = self.steady and not conditions.texts
        if page.after is not None or page.before is not None:
            if cursor is None:
                after, before = reading.edges()
            reading.bound(conditions, after, before)
        where = " AND ".join([self.link, *conditions.texts])
        wary = self.wary and conditions.wary
        statement = _page(self, where, sorting, reading.down, len(parents) == 1 and not steady, wary)
        fetch = db.fetch if steady else db.fetch_planned
        found = await fetch(statement, parents, page.size + 1, *conditions.arguments)
        return reading.slices(parents, found, make, cursor)

    async def walk(
        self,
        parent: int,
        page: Page,
        sorting: Sorting,
        descending: bool,
        make: Callable[[Sequence[Any]], Any],
        test: str,
        longest: int,
    ) -> Slice[Any] | None:
        """The page of one parent by going through the table in the list's order, each row put to the test.

        `test` stands for `link`, and has {} for the parent's key; of `item` it knows the key and the sort value.
        None where `longest` rows did not bring a whole page: there may be more of it. One statement. PostgreSQL
        reads the order's index alone until it has the page; SQLite would put all the rows in order first.
        """
        reading, conditions = Reading(page, sorting, descending), Conditions()
        reading.bound(conditions, *reading.edges())
        where = " AND ".join(conditions.texts) or "1 = 1"
        walked, key = conditions.argument(longest), "$1::bigint"
        statement = f"""
            SELECT {self.columns}, item.{sorting.column} AS sort_value, {key} FROM {self.table} AS item
            WHERE item.id IN (
                SELECT item.id FROM (
                    SELECT item.id, item.{sorting.column} FROM {self.table} AS item
                    WHERE {where} ORDER BY {_ordering(sorting, reading.down)} LIMIT {walked}
                ) AS item
                WHERE {test.format(key)} ORDER BY {_ordering(sorting, reading.down)} LIMIT $2
            )
        """
        found = await db.fetch_planned(statement, parent, page.size + 1, *conditions.arguments)
        if len(found) <= page.size:
            return None
        return reading.slices([parent], found, make)[0]

    async def totals(self, parents: Sequence[int], conditions: Conditions) -> list[int]:
        """How many rows each parent's whole list has, in the order of the parents. One statement."""
        where = " AND ".join([self.link, *conditions.texts])
        # $2 is the limit in `page`; it is named here so that the numbers agree.
        statement = f"""
            SELECT parent.id, (SELECT count(*) FROM {self.source} WHERE {where} AND $2::int = 0)
            FROM {PARENTS}
        """
        fetch = db.fetch if self.steady and not conditions.texts else db.fetch_planned
        counted = await fetch(statement, parents, 0, *conditions.arguments)
        found = {record[0]: record[1] for record in counted}
        return [found[parent] for parent in parents]


@lru_cache(maxsize=1_000)
def _page(listing: Listing, where: str, sorting: Sorting, down: bool, single: bool, wary: bool) -> Forms:
    """The statement of a page; `single`: planned for its one parent."""
    ordering = _ordering(sorting, down)
    columns = f"{listing.columns}, item.{sorting.column} AS sort_value"
    return Forms(
        postgres=f"""
            -- Of a single parent PostgreSQL sees the key, and so knows how much hangs on it. MATERIALIZED makes
            -- it plan for the inner limit; what it then reads is what the outer one asks for.
            WITH item AS MATERIALIZED (
                SELECT {columns} FROM {listing.source} WHERE {where.replace("parent.id", ONLY_PARENT)}
                ORDER BY {ordering} LIMIT greatest($2::bigint, {WARY if wary else 0})
            )
            SELECT item.*, {ONLY_PARENT} FROM item LIMIT $2
        """
        if single
        else f"""
            SELECT item.*, parent.id FROM {PARENTS}
            CROSS JOIN LATERAL (
                SELECT {columns} FROM {listing.source} WHERE {where} ORDER BY {ordering} LIMIT $2
            ) AS item
        """,
        sqlite=f"""
            SELECT {columns}, parent.id FROM {PARENTS}
            JOIN {listing.table} AS item ON item.id IN (
                SELECT item.id FROM {listing.source} WHERE {where} ORDER BY {ordering} LIMIT $2
            ) {listing.joined}
        """,
    )


def _ordering(sorting: Sorting, down: bool) -> str:
    return ", ".join(f"{key} {'DESC' if down else 'ASC'}" for key in _keys(sorting))


def _keys(sorting: Sorting) -> tuple[str, ...]:
    column = f"item.{sorting.column}"
    return (column,) if sorting.distinct else (column, "item.id")


def _cursor(order: str, row: Sequence[Any]) -> str:
    value = row[-2].isoformat() if isinstance(row[-2], datetime) else row[-2]
    return encode_cursor(order, [value, row[0]])


def sort_values(cursor: str | None, order: str, sorting: Sorting) -> list[Any] | None:
    """The sort value and key behind a cursor of this order. Raises InvalidInput."""
    if cursor is None:
        return None
    wanted = int if sorting.column in ("customer_count", "id") else str
    value, key = decode_cursor(cursor, order, (wanted, int))
    try:
        return [_sort_value(sorting.column, value), key]
    except (ValueError, OverflowError):
        raise InvalidInput(MANGLED) from None


def _sort_value(column: str, value: Any) -> Any:
    """The value as the column has it. Raises ValueError and OverflowError for what it cannot have."""
    if column == "customer_count" and not -(2**31) <= value < 2**31:
        raise ValueError
    if not column.endswith("_at"):
        return value
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError
    return instant.astimezone(UTC)
