"""The plans of all searches: every filter and order of a large company, and how PostgreSQL answers a page of it.

Each is asked once in GraphQL, as a client asks it. The statement that the service sent for the page is then
explained with the same arguments, on a connection of the service's own.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import asyncpg
import orjson

from bench.generate import FIRST_KEY, generate
from bench.questions import QUESTIONS
from service import db, engines, migrating, sessions, trigrams
from service.app import create_app
from service.dialects import Forms, render
from service.settings import Settings
from tests.support.client import Grove, running

# What makes a generated tree a company in which there is something to be found: inactive groups; a rare type; a
# group with a fifth of all customers, one with a fiftieth, one with those whose codes are the last; a customer who is
# in a hundredth of all groups.
COMPANY = f"""
    UPDATE customer_group SET status = 'INACTIVE', created_at = created_at + random() * interval '300 days'
    WHERE id % 20 = 0;
    UPDATE customer SET type = 'EMBASSY', type_key = 'embassy' WHERE id % 10000 = 0;
    INSERT INTO membership
    SELECT {FIRST_KEY}, id FROM customer WHERE hashint8extended(id, 1) % 5 = 0 ON CONFLICT DO NOTHING;
    INSERT INTO membership
    SELECT {FIRST_KEY + 1}, id FROM customer WHERE hashint8extended(id, 2) % 50 = 0 ON CONFLICT DO NOTHING;
    INSERT INTO membership
    SELECT {FIRST_KEY + 2}, id FROM customer ORDER BY code_fold DESC LIMIT 10000 ON CONFLICT DO NOTHING;
    INSERT INTO membership
    SELECT id, {FIRST_KEY} FROM customer_group WHERE hashint8extended(id, 3) % 100 = 0 ON CONFLICT DO NOTHING;
    INSERT INTO shared_membership
    SELECT customer_id, group_id FROM membership
    WHERE customer_id IN (SELECT customer_id FROM membership GROUP BY customer_id HAVING count(*) > 1)
    ON CONFLICT DO NOTHING;
    UPDATE customer_group SET customer_count = counted.members
    FROM (SELECT group_id, count(*) AS members FROM membership GROUP BY group_id) AS counted
    WHERE counted.group_id = customer_group.id AND customer_count <> counted.members
"""
# Tables of which a page may read no more than an index tells.
LARGE = {"customer", "customer_group", "membership", "node", "closure"}
# So many rows may be put in order for a page: those that a narrow filter leaves, never a part of the whole worth
# the name.
LARGEST_SORT = 25_000
# What looks at more rows than these is said to go far.
LONGEST_WALK = 50_000
SIZED = ("customer", "customer_group", "membership", "node")
# The statement of a page among those of a request: it alone has a limit.
PAGE = re.compile(r"LIMIT \$2|<=? \$2")

Statement = tuple[str | Forms, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How one question was answered."""

    title: str
    question: str
    milliseconds: float
    planning: float
    indexes: Sequence[str]
    # Tables read from end to end, rows looked at, and the most rows that one step put in order.
    scanned: Sequence[str]
    read: int
    sorted: int
    text: str

    @property
    def complaint(self) -> str:
        """What is wrong with it, or nothing."""
        if self.scanned:
            return f"reads {', '.join(self.scanned)} from end to end"
        return f"sorts {self.sorted:,} rows" if self.sorted > LARGEST_SORT else ""

    @property
    def remark(self) -> str:
        """The complaint, or that it goes far."""
        if self.complaint:
            return f"**{self.complaint}**"
        return "goes far" if self.read > LONGEST_WALK else ""


def table(found: Sequence[Plan], about: str) -> str:
    """All plans in a table, a line each, as a page of Markdown; `about` says what they were taken on."""
    lines = [
        "# How searches are answered",
        "",
        "Made by `make bench ARGS='search --server URL'`; bench/README.md says how to read it. The plans stand in "
        "search-plans.txt.",
        "",
        about,
        "",
        "| question | index | ms | planning, ms | rows read | rows sorted | |",
        "|---|---|--:|--:|--:|--:|---|",
    ]
    for plan in found:
        numbers = [f"{plan.milliseconds:.1f}", f"{plan.planning:.1f}", f"{plan.read:,}", f"{plan.sorted:,}"]
        lines.append(f"| {' | '.join([plan.title, ', '.join(plan.indexes), *numbers, plan.remark])} |")
    return "\n".join(lines) + "\n"


def texts(found: Sequence[Plan]) -> str:
    """All plans in PostgreSQL's words, each below its question."""
    return "\n\n".join(f"── {plan.title}\n{plan.question}\n\n{plan.text}" for plan in found) + "\n"


async def sizes(url: str) -> str:
    """What there is in this database, in a sentence."""
    connection = await asyncpg.connect(url)
    try:
        counts = [f"{await connection.fetchval(f'SELECT count(*) FROM {table}'):,}" for table in SIZED]
        version = await connection.fetchval("SELECT split_part(current_setting('server_version'), ' ', 1)")
        trigrams = await connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
    finally:
        await connection.close()
    what = ", ".join(f"{number} {name.replace('_', ' ')}s" for number, name in zip(counts, SIZED, strict=True))
    return f"PostgreSQL {version}, {'with' if trigrams else 'without'} pg_trgm, and in it {what}."


async def make(url: str, groups: int, customers: int) -> None:
    """Makes a company of this size in a migrated, empty database."""
    connection = await asyncpg.connect(url)
    try:
        # They would be most of what it takes; made at the end, as by a later `grove migrate`, they are quick.
        await connection.execute(f"DROP INDEX IF EXISTS {', '.join(trigrams.INDEXES)}")
        await generate(url, groups, customers=customers)
        await connection.execute(COMPANY)
        await migrating.migrate(url)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def plans(url: str) -> AsyncIterator[Plan]:
    """The plan of each question, on the company in this database."""
    database = await engines.connect(url)
    try:
        async with running(create_app(Settings(database=url, migrate=False)), compared=False) as grove:
            for title, question in QUESTIONS:
                statement, arguments = await _asked(grove, question)
                async with database.snapshot():
                    yield await _explained(title, question, render(statement, "postgres"), arguments)
    finally:
        await database.close()


async def _asked(grove: Grove, question: str) -> Statement:
    """Asks a question, and returns the statement of its page."""
    with noted() as statements:
        await grove.query(f"{{ {question} }}")
    pages = [one for one in statements if PAGE.search(render(one[0], "postgres"))]
    assert pages, f"No page is read for {question}"
    return pages[0]


@contextmanager
def noted() -> Iterator[list[Statement]]:
    """The statements that are sent inside the block."""
    statements: list[Statement] = []
    send = sessions.Reader._run

    async def note(self: sessions.Reader, reads: Sequence[sessions.Statement]) -> Any:
        statements.extend((read.text, read.arguments) for read in reads)
        return await send(self, reads)

    with patch.object(sessions.Reader, "_run", note):
        yield statements


async def _explained(title: str, question: str, text: str, arguments: Sequence[Any]) -> Plan:
    """What PostgreSQL tells of a statement, which has run before and so finds in memory what stays there."""
    explain = "EXPLAIN (ANALYZE, BUFFERS{})\n" + text
    found = await db.fetch_planned(explain.format(", FORMAT JSON"), *arguments)
    whole = orjson.loads(found[0][0])[0]
    shown = await db.fetch_planned(explain.format(""), *arguments)
    steps = list(_steps(whole["Plan"]))
    return Plan(
        title=title,
        question=question,
        milliseconds=whole["Execution Time"],
        planning=whole["Planning Time"],
        indexes=list(dict.fromkeys(step["Index Name"] for step in steps if "Index Name" in step)),
        scanned=sorted({step["Relation Name"] for step in steps if _is_scan(step)}),
        read=sum(_read(step) for step in steps if "Relation Name" in step),
        sorted=max((_rows(step["Plans"][0]) for step in steps if step["Node Type"].endswith("Sort")), default=0),
        text="\n".join(row[0] for row in shown),
    )


def _steps(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for below in step.get("Plans", ()):
        yield from _steps(below)


def _is_scan(step: dict[str, Any]) -> bool:
    return step["Node Type"] == "Seq Scan" and step["Relation Name"] in LARGE


def _rows(step: dict[str, Any]) -> int:
    """How many rows a step has given, in all its runs."""
    return int(step["Actual Rows"] * step["Actual Loops"])


def _read(step: dict[str, Any]) -> int:
    """How many rows a step has looked at."""
    removed = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0)
    return _rows(step) + int(removed * step["Actual Loops"])
