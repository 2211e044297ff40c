"""One text for both databases: statements are written for PostgreSQL, and these rules make SQLite's form.

    $1                              ?1
    = ANY($1::bigint[])             IN (SELECT value FROM json_each(?1))
    unnest($1::bigint[]) AS a(id)   (SELECT value AS id FROM json_each(?1)) AS a
    rows($1: id bigint, name text)  a table of the objects of a JSON array, with these columns
    ::bigint                        left out
    FOR NO KEY UPDATE, FOR SHARE    left out: SQLite has one writer at a time
    json_agg(name)                  json_group_array(name)
    statement_timestamp()           now(), which service/sqlite.py makes mean what it means in PostgreSQL: the
                                    instant at which the transaction began; there a writer has its lock by then

Nothing else is translated. A statement that must differ has its two forms side by side, in a `Forms`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson

Dialect = Literal["postgres", "sqlite"]

_ROWS = re.compile(r"\brows\(\$(\d+): ([^)]+)\)")
_ANY = re.compile(r"= ANY\(\$(\d+)::\w+\[\]\)")
_UNNEST = re.compile(r"\bunnest\(\$(\d+)::\w+\[\]\) AS (\w+)\((\w+)\)")
_CAST = re.compile(r"::\w+(\[\])?")
_LOCK = re.compile(r"\bFOR (NO KEY UPDATE|SHARE)( OF \w+)?( SKIP LOCKED)?")
_FUNCTIONS = (("statement_timestamp()", "now()"), ("json_agg(", "json_group_array("))
_WRITE = re.compile(r"\b(INSERT|UPDATE|DELETE)\b")
_PARAMETER = re.compile(r"\$(\d+)")


class Forms(NamedTuple):
    """A statement in its two forms; both take the same arguments and answer the same rows."""

    postgres: str
    sqlite: str


def rows(values: Sequence[dict[str, Any]]) -> str:
    """The argument for `rows($n: …)`: objects with a key for each of its columns."""
    return orjson.dumps(values).decode()


@lru_cache(maxsize=2_000)
def may_write(statement: str | Forms) -> bool:
    """Whether a statement may change rows."""
    text = statement.postgres if isinstance(statement, Forms) else statement
    return _WRITE.search(text) is not None


@lru_cache(maxsize=2_000)
def render(statement: str | Forms, dialect: Dialect) -> str:
    """The text to send to a database of this dialect."""
    if isinstance(statement, Forms):
        statement = statement.postgres if dialect == "postgres" else statement.sqlite
    if dialect == "postgres":
        return _ROWS.sub(r"(SELECT * FROM jsonb_to_recordset($\1::text::jsonb) AS item(\2))", statement)
    text = _ROWS.sub(_sqlite_rows, statement)
    text = _ANY.sub(r"IN (SELECT value FROM json_each(?\1))", text)
    text = _UNNEST.sub(r"(SELECT value AS \3 FROM json_each(?\1)) AS \2", text)
    for here, there in _FUNCTIONS:
        text = text.replace(here, there)
    return _PARAMETER.sub(r"?\1", _LOCK.sub("", _CAST.sub("", text)))


@lru_cache(maxsize=1_000)
def seeking(text: str, number: int, search: str) -> str | None:
    """A statement for PostgreSQL that searches for the keys that are its parameter of this number, by `$1`.

    None where it does not take them as a list of keys throughout.
    """
    keys = f"${number}::bigint[]"
    if text.count(keys) != [*_PARAMETER.findall(text)].count(str(number)):
        return None
    return text.replace(keys, f"ARRAY({search.replace('$1', f'${number}')})")


class AtOnce(NamedTuple):
    """One statement for PostgreSQL that reads what several read, and what makes of its rows those of each.

    The last column of a row tells the place of the statement that it is of.
    """

    text: str
    makers: Sequence[Callable[[Sequence[Any]], Sequence[Any]]]


def reads_at_once(texts: Sequence[str], types: Sequence[Sequence[str]]) -> AtOnce:
    """What reads what these texts read, whose columns are of these types.

    All rows are of one form: a slot for each column of the widest, which the others use as far as types allow.
    A row within a row would do as well, but takes three times as long to make and to read.
    """
    widest = max(range(len(texts)), key=lambda place: len(types[place]))
    slots = [*types[widest]]
    used = [
        range(len(columns)) if place == widest else _slots_for(columns, slots) for place, columns in enumerate(types)
    ]
    parts = []
    for place, text in enumerate(_numbered_on(texts)):
        names = [f"c{number}" for number in range(len(types[place]))]
        filled = dict(zip(used[place], names, strict=True))
        columns = [filled.get(slot, f"NULL::{kind}") for slot, kind in enumerate(slots)]
        parts.append(f"SELECT {', '.join(columns)}, {place} FROM ({text}) AS part({', '.join(names)})")
    return AtOnce(" UNION ALL ".join(parts), [*map(_picking, used)])


def _slots_for(columns: Sequence[str], slots: list[str]) -> list[int]:
    """A slot of its type for each column; slots are added where there are too few."""
    taken: list[int] = []
    for kind in columns:
        free = (slot for slot, other in enumerate(slots) if other == kind and slot not in taken)
        slot = next(free, len(slots))
        if slot == len(slots):
            slots.append(kind)
        taken.append(slot)
    return taken


def _picking(slots: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What takes these of a row."""
    if [*slots] == [*range(len(slots))]:
        return itemgetter(slice(len(slots)))
    return itemgetter(*slots) if len(slots) > 1 else lambda row: (row[slots[0]],)


@lru_cache(maxsize=500)
def writes_at_once(texts: tuple[str | Forms, ...], returned: tuple[str | None, ...]) -> str:
    """One statement for PostgreSQL that writes what these write, each as if the others were yet to come.

    It answers rows of the place of each one and a row that it wrote, with the columns that are `returned` of it.
    """
    parts = [
        f"{text} RETURNING {columns}" if columns else text
        for text, columns in zip(_numbered_on(texts), returned, strict=True)
    ]
    answers = [f"SELECT {place}, part FROM write_{place} AS part" for place, columns in enumerate(returned) if columns]
    last = " UNION ALL ".join(answers) if answers else parts.pop()
    named = ", ".join(f"write_{place} AS ({text})" for place, text in enumerate(parts))
    return f"WITH {named} {last}" if named else last


def _numbered_on(texts: Sequence[str | Forms]) -> list[str]:
    """The texts for PostgreSQL, the parameters of each numbered on from those of the ones before it."""
    numbered, count = [], 0
    for text in texts:
        text = render(text, "postgres")
        numbers = {int(number) for number in _PARAMETER.findall(text)}
        moved = {f"${number}": f"${number + count}" for number in numbers}
        numbered.append(_PARAMETER.sub(partial(_renamed, moved), text))
        count += max(numbers, default=0)
    return numbered


def _renamed(names: Mapping[str, str], match: re.Match[str]) -> str:
    return names[match[0]]


def _sqlite_rows(match: re.Match[str]) -> str:
    names = [column.split()[0] for column in match[2].split(", ")]
    columns = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in names)
    return f"(SELECT {columns} FROM json_each(?{match[1]}))"


def sqlite_argument(value: Any) -> Any:
    """The value as SQLite takes it: lists as JSON, instants as text of a fixed length that sorts."""
    if isinstance(value, list | tuple | range):
        return orjson.dumps(list(value)).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(" ", "microseconds")
    return value


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite address: `sqlite:///absolute/path` or `sqlite://relative/path`; None for others."""
    return Path(url.removeprefix("sqlite://")) if url.startswith("sqlite://") else None
