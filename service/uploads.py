"""Files that are uploaded to be imported, and what came of them.

POST /imports                    multipart/form-data: `file`, `kind` and options; 202, and the job's id
GET  /imports/ID                 how far the job has come, for scripts; GraphQL's importJob(id:) tells more
GET  /imports/ID/rejected.csv    the rows that were rejected, each with what is wrong with it

A file goes into the database before it is accepted, so no crash loses it. What is wrong with a request raises
HTTPException or a GroveError, which the application turns into an answer.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from service import ids, names, transaction
from service.db import Database
from service.errors import InvalidInput
from service.ids import Kind
from service.imported import Asked
from service.jobs import Runner
from service.logs import current_line, shortened
from service.requests import read_caller
from service.resolvers import job
from service.settings import Settings
from service.store.job import JobRow
from service.transaction import Mutation

MULTIPART = "multipart/form-data"
# What may stand around the file: boundaries, headers, the other fields.
ROOM_AROUND = 64 * 1024
LONGEST_FIELD = 8 * 1024
LONGEST_FILE_NAME = 200

# The kinds of files, and which options each of them takes.
OPTIONS = {
    "HIERARCHY": ("hierarchyId", "name", "mode", "duplicateNames", "dryRun"),
    "CUSTOMERS": ("dryRun",),
    "MEMBERS": ("group", "mode", "dryRun"),
    "GROUPS": ("dryRun",),
}


class Form(MultiPartParser):
    """Starlette's parser, which takes a form that breaks off for one that has ended, and forgets the file in it."""

    ended = False

    def on_end(self) -> None:
        self.ended = True

    async def parse(self) -> FormData:
        """The fields and files. Raises MultiPartException."""
        data = await super().parse()
        if not self.ended:
            self.close()
            raise MultiPartException("It breaks off before its end.")
        return data

    def close(self) -> None:
        """Throws the files away."""
        for file in self._files_to_close_on_error:
            file.close()


class Uploads:
    """The endpoints; the lifespan's state holds the database and the runner of jobs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/imports", self.take, methods=["POST"]),
            Route("/imports/{id}", self.show),
            Route("/imports/{id}/rejected.csv", self.rejected),
        ]

    async def take(self, request: Request) -> Response:
        """Takes a file in, as a job."""
        self._refuse_foreign_pages(request)
        caller = read_caller(request.headers.raw, self.settings.actor_header)
        current_line.get().actor = caller.actor
        try:
            fields, upload = await self._read(request)
        except ClientDisconnect:
            # Nobody is left to be answered.
            return Response(status_code=400)
        try:
            asked = asked_of(fields)

            async def work(_: Mutation) -> int:
                return await job.create(asked, _file_name(upload), upload.file, caller.actor)

            key = await transaction.run(request.state.database, caller.actor, work)
        finally:
            await upload.close()
        runner: Runner = request.state.jobs
        runner.wake()
        id = ids.encode(Kind.JOB, key)
        # Relative, so that it holds behind a proxy that serves the service under a path.
        return _json({"id": id, "state": "QUEUED"}, 202, {"Location": f"imports/{id}"})

    def _refuse_foreign_pages(self, request: Request) -> None:
        """Any web page may send a form, which makes its reader's browser ours to be misused: only our own may."""
        headers = request.headers
        origin = headers.get("origin")
        site = headers.get("sec-fetch-site")
        if origin in self.settings.allowed_origins:
            return
        own = (
            site in {"same-origin", "none"}
            if site
            else origin is None or urlsplit(origin).netloc == headers.get("host")
        )
        if not own:
            message = f"Pages of {shortened(origin or 'another site', 100)} may not send files here."
            raise HTTPException(403, f"{message} GROVE_ALLOWED_ORIGINS can allow it.")

    async def _read(self, request: Request) -> tuple[Mapping[str, str], UploadFile]:
        """The fields of a form, and the file in it, to be closed by the caller."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MULTIPART:
            raise HTTPException(415, f"Send the file as {MULTIPART}, in a field named «file».")
        form = Form(request.headers, self._body(request), max_files=1, max_fields=20, max_part_size=LONGEST_FIELD)
        try:
            return self._parts_of(await form.parse())
        except MultiPartException as problem:
            raise HTTPException(400, f"The form cannot be read: {problem.message}") from None
        except BaseException:
            form.close()
            raise

    def _parts_of(self, data: FormData) -> tuple[Mapping[str, str], UploadFile]:
        fields: dict[str, str] = {}
        uploads: dict[str, UploadFile] = {}
        for name, value in data.multi_items():
            if name in fields or name in uploads:
                raise HTTPException(400, f"The form has «{shortened(name, 100)}» more than once.")
            if isinstance(value, UploadFile):
                uploads[name] = value
            else:
                fields[name] = value
        if "file" not in uploads or not (uploads["file"].filename or uploads["file"].size):
            raise HTTPException(400, "The form has no file in a field named «file».")
        if (uploads["file"].size or 0) > self.settings.largest_upload:
            raise self._too_large()
        return fields, uploads["file"]

    async def _body(self, request: Request) -> AsyncGenerator[bytes, None]:
        """The body, chunk by chunk, within the limits of size and patience."""
        most, seconds = self.settings.largest_upload + ROOM_AROUND, self.settings.request_seconds
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > most):
            raise self._too_large()
        taken = 0
        stream = request.stream()
        while True:
            try:
                async with asyncio.timeout(seconds):
                    chunk = await anext(stream, None)
            except TimeoutError:
                raise HTTPException(408, f"Nothing more of the upload arrived within {seconds:g} seconds.") from None
            if chunk is None:
                return
            taken += len(chunk)
            if taken > most:
                raise self._too_large()
            yield chunk

    def _too_large(self) -> HTTPException:
        most = self.settings.largest_upload
        return HTTPException(413, f"An upload has at most {most:,} bytes; split the file, or use `grove import`.")

    async def show(self, request: Request) -> Response:
        """How far a job has come."""
        row = await _job(request)
        shown = {
            "id": ids.encode(Kind.JOB, row.id),
            "kind": row.kind,
            "state": row.state,
            "fileName": row.file_name,
            "dryRun": row.asked.dry_run,
            "phase": row.phase or None,
            "done": row.done,
            "total": row.total or None,
            "errorCount": row.error_count,
            "message": row.message or None,
        }
        return _json(shown, headers={"Cache-Control": "no-store"})

    async def rejected(self, request: Request) -> Response:
        """The rejected rows of a job."""
        row = await _job(request)
        if row.state != "REJECTED":
            raise HTTPException(404, f"This job is {row.state}; only one that is REJECTED has rejected rows.")
        return StreamingResponse(
            _rejected_rows(request.state.database, row.id),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="rejected-{ids.encode(Kind.JOB, row.id)}.csv"',
                "Cache-Control": "no-store",
            },
        )


def asked_of(fields: Mapping[str, str]) -> Asked:
    """What the fields of a form ask for. Raises HTTPException and InvalidInput, which name the field."""
    if any("\0" in text for pair in fields.items() for text in pair):
        raise InvalidInput("A field of the form holds the character NUL (\\u0000), which cannot be stored.")
    kind = _word(fields, "kind", OPTIONS)
    if kind is None:
        raise InvalidInput(f"The form must say in «kind» what the file is about: {_listed(OPTIONS)}.")
    options = OPTIONS[kind]
    for name in fields:
        if name not in options and name != "kind":
            shown = shortened(name, 100)
            raise InvalidInput(f"«{shown}» is no option for a file of {kind}; there are {_listed(options)}.")
    id, name = fields.get("hierarchyId"), names.cleaned(fields.get("name", ""))
    if kind == "HIERARCHY" and (id is None) is (not name):
        raise InvalidInput(
            "Say which hierarchy is meant: either by «hierarchyId», or by «name», which makes one where there is none."
        )
    return Asked(
        kind,
        hierarchy=None if id is None else ids.decode(id, Kind.HIERARCHY),
        name=name or None,
        mode=_word(fields, "mode", ("MERGE", "REPLACE")) or "MERGE",
        duplicate_names=_word(fields, "duplicateNames", ("REFUSE", "QUALIFY")) or "REFUSE",
        group=fields.get("group", "").strip() or None,
        dry_run=_word(fields, "dryRun", ("TRUE", "FALSE")) == "TRUE",
    )


def _word(fields: Mapping[str, str], name: str, words: Collection[str]) -> str | None:
    """One of the words, whatever its case; None where the field is not there."""
    if name not in fields:
        return None
    word = fields[name].strip().upper()
    if word not in words:
        raise InvalidInput(f"«{name}» is «{shortened(fields[name], 100)}»; it must be one of {_listed(words)}.")
    return word


def _listed(words: Collection[str]) -> str:
    return ", ".join(words)


def _file_name(upload: UploadFile) -> str:
    """The file's own name, of which some clients send the whole path."""
    name = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    return shortened("".join(letter for letter in name if letter.isprintable()), LONGEST_FILE_NAME)


async def _job(request: Request) -> JobRow:
    """The job that the address names."""
    try:
        key = ids.decode(request.path_params["id"], Kind.JOB)
    except ids.BadId as problem:
        raise HTTPException(404, str(problem)) from None
    database: Database = request.state.database
    async with database.snapshot():
        (row,) = await job.by_key([key])
    if row is None:
        raise HTTPException(404, "There is no import job with this id; jobs are kept for 30 days.")
    return row


async def _rejected_rows(database: Database, key: int) -> AsyncIterator[bytes]:
    """Each piece in a snapshot of its own, since a slow client would keep one; they never change."""
    number = 0
    while True:
        async with database.snapshot():
            piece = await job.piece(key, number)
        if piece is None:
            return
        yield piece
        number += 1


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
