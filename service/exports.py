"""Downloads over HTTP: lists and hierarchies as CSV or Excel files.

/exports/groups.csv|.xlsx                  the groups that a filter lets through
/exports/customers.csv|.xlsx               the customers, likewise
/exports/groups/{id}/members.csv|.xlsx     the customers of one group
/exports/hierarchies/{id}.csv|.xlsx        a tree in display order, ?form=levels or ?form=parent

A file is one snapshot. CSV is sent while it is read, so that its size is nobody's memory. Whatever goes wrong before
the first byte is answered in JSON; a file that breaks off later is cut: the connection is closed before the body
has ended, so that no client takes a part for the whole.
"""

import asyncio
import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from service import ids, parameters, tables
from service.answers import STATUS, Error, error
from service.db import Counting, Database
from service.errors import GroveError, TimedOut, Unavailable
from service.ids import Kind
from service.logs import current_line
from service.matching import Reference
from service.parameters import BadParameters
from service.requests import read_caller
from service.settings import Settings
from service.tables import PIECE, Table

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# Seconds after which a client that was turned away may try again.
RETRY_AFTER = 5
# What no file system, or not every one, takes in a name; nor would anybody like to see it there.
UNFIT = re.compile(r'[/\\:*?"<>|]')
LONGEST_TITLE_BYTES = 180

# Makes the table, in a snapshot; None: there is no such thing.
Make = Callable[[], Awaitable[Table | None]]


def routes(settings: Settings) -> list[BaseRoute]:
    """All downloads; they share the number of those that may be under way at once."""
    places = Places()
    asked = {
        "/exports/groups.{suffix}": groups,
        "/exports/customers.{suffix}": customers,
        "/exports/groups/{id}/members.{suffix}": members,
        "/exports/hierarchies/{id}.{suffix}": hierarchy,
    }
    return [Route(path, Export(make, settings, places), methods=["GET"]) for path, make in asked.items()]


def groups(request: Request) -> Make:
    filter, order = parameters.groups(request.query_params.multi_items())
    return lambda: tables.groups(filter, order)


def customers(request: Request) -> Make:
    filter, order = parameters.customers(request.query_params.multi_items())
    return lambda: tables.customers(filter, order)


def members(request: Request) -> Make:
    parameters.none(request.query_params.multi_items())
    group = Reference(ids.decode(request.path_params["id"], Kind.GROUP))
    return lambda: tables.members(group)


def hierarchy(request: Request) -> Make:
    form = parameters.form(request.query_params.multi_items())
    named = Reference(ids.decode(request.path_params["id"], Kind.HIERARCHY))
    return lambda: tables.hierarchy(named, form)


class Places:
    """How many downloads are under way: as many as half of the connections, so that others keep theirs."""

    def __init__(self) -> None:
        self.taken = 0

    @contextmanager
    def take(self, most: int) -> Iterator[None]:
        """A place for as long as the block. Raises Unavailable where there is none."""
        if self.taken >= most:
            raise Unavailable(f"{self.taken} downloads are under way, and there cannot be more; try again soon.")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class Export:
    """An ASGI application that sends one kind of table; the lifespan's state holds the database."""

    def __init__(self, asked: Callable[[Request], Make], settings: Settings, places: Places) -> None:
        self.asked = asked
        self.settings = settings
        self.places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        line = current_line.get()
        line.kind = "export"
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        with Counting() as count:
            try:
                await unless_hung_up(self.export(request, send_on), receive)
            except ClientDisconnect:
                # Nobody is left to be answered.
                return
            except GroveError as problem:
                response = _refusal(problem)
            except HTTPException as problem:
                response = _json([error("BAD_REQUEST", problem.detail)], problem.status_code)
            else:
                return
            finally:
                line.statements = count.statements
        if not started:
            await response(scope, receive, send)
        # Otherwise the body has not been ended, and the server closes the connection.

    async def export(self, request: Request, send: Send) -> None:
        """Sends the table that is asked for. Raises HTTPException and GroveError."""
        current_line.get().actor = read_caller(request.headers.raw, self.settings.actor_header).actor
        suffix = request.path_params["suffix"]
        if suffix not in MEDIA_TYPES:
            raise HTTPException(404, "Downloads end in .csv or .xlsx.")
        make = self.asked(request)
        database: Database = request.state.database
        seconds = self.settings.request_seconds
        timeout = asyncio.timeout(seconds)
        try:
            async with timeout, AsyncExitStack() as stack:
                stack.enter_context(self.places.take(max(1, database.engine.readers // 2)))
                await self._send(request, make, suffix, send, Pace(timeout, seconds), stack)
        except TimeoutError:
            if not timeout.expired():
                raise
            raise TimedOut(f"Nothing could be read or sent for {seconds:g} seconds.") from None

    async def _send(
        self, request: Request, make: Make, suffix: str, send: Send, pace: "Pace", stack: AsyncExitStack
    ) -> None:
        database: Database = request.state.database
        snapshot = await stack.enter_async_context(database.snapshot())
        table = await make()
        if table is None:
            raise HTTPException(404, "There is nothing with this id.")
        headers = {
            "Content-Type": MEDIA_TYPES[suffix],
            "Content-Disposition": disposition(table.title, suffix),
            "Cache-Control": "no-store",
        }
        if request.method == "HEAD":
            await _start(send, headers)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        if suffix == "csv" and request.scope["http_version"] != "1.0":
            pieces: AsyncIterator[bytes] = tables.csv_pieces(table)
        else:
            # In HTTP/1.0 the end of the connection is the end of the body, unless its length is told beforehand:
            # a file that breaks off would pass for a whole one.
            file = Path(stack.enter_context(TemporaryDirectory(prefix="grove-"))) / "table"
            await tables.write(table, suffix, file, pace.step)
            await snapshot.end(commit=False)
            headers["Content-Length"] = str(file.stat().st_size)
            pieces = await stack.enter_async_context(aclosing(_pieces_of(file)))
        # What goes wrong with the first page is still answered in JSON.
        piece = await anext(pieces, b"")
        await _start(send, headers)
        while piece:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            pace.step()
            piece = await anext(pieces, b"")
        # All is read: what is still to be sent holds no connection.
        await snapshot.end(commit=False)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Pace:
    """Time is limited from piece to piece, not for the whole: a large file takes its time, a slow client may not."""

    def __init__(self, timeout: asyncio.Timeout, seconds: float) -> None:
        self.timeout = timeout
        self.seconds = seconds

    def step(self) -> None:
        """One piece more is done."""
        self.timeout.reschedule(asyncio.get_running_loop().time() + self.seconds)


async def unless_hung_up(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Does the work, or stops it as soon as the client has hung up. Raises ClientDisconnect then."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_hung_up(receive))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        working.cancel()
        watching.cancel()
        # The work gives its connection back before this goes on.
        await asyncio.wait({working, watching})
    if working.cancelled():
        raise ClientDisconnect
    working.result()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, headers: Mapping[str, str]) -> None:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})


async def _pieces_of(file: Path) -> AsyncGenerator[bytes, None]:
    with file.open("rb") as opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


def disposition(title: str, suffix: str) -> str:
    """The header that gives the file a name (RFC 6266): in all its letters, and in ASCII for old clients."""
    fit = "".join("_" if UNFIT.match(letter) or unicodedata.category(letter)[0] == "C" else letter for letter in title)
    # A file name has at most 255 bytes; a letter that is cut in two is left out.
    fit = fit.encode()[:LONGEST_TITLE_BYTES].decode(errors="ignore").strip(" .") or "export"
    decomposed = unicodedata.normalize("NFKD", fit)
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    plain = re.sub(r"[^ -$&-~]", "_", bare)
    return f"attachment; filename=\"{plain}.{suffix}\"; filename*=UTF-8''{quote(fit, safe='')}.{suffix}"


def _refusal(problem: GroveError) -> Response:
    if isinstance(problem, BadParameters):
        errors = [
            error(problem.code, f"«{mistake.parameter}» {mistake.message}", parameter=mistake.parameter)
            for mistake in problem.mistakes
        ]
    else:
        errors = [error(problem.code, str(problem))]
    return _json(errors, STATUS.get(problem.code, 400))


def _json(errors: Sequence[Error], status: int) -> Response:
    for one in errors:
        current_line.get().errors.append(one["extensions"]["code"])
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(RETRY_AFTER)} if status == 503 else {})
    return Response(orjson.dumps({"errors": errors}), status, headers, media_type="application/json")
