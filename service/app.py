"""The Starlette application: routes, the lifespan with its database, and what every request goes through.

/graphql   the endpoint; for browsers, the explorer
/exports   downloads, as CSV and Excel files
/imports   files to be imported, and what came of them
/static    the explorer's files
/healthz   200 while the process lives
/readyz    200 while the database can be reached and is migrated, 503 otherwise
"""

import asyncio
import gc
import logging
import os
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import orjson
import structlog
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import engines, exports, jobs, migrating, schema
from service.answers import STATUS, error, fault
from service.db import Database
from service.errors import GroveError
from service.execution import Served
from service.logs import RequestLine, current_line, set_up_logs
from service.settings import Settings, load_settings
from service.uploads import Uploads
from service.view import CODES, GraphQLView

STATIC = Path(__file__).parent / "static"
READY_SECONDS = 5

# The explorer's page, its scripts and its workers need no more; nothing comes from elsewhere.
EXPLORER_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# As ASGI has them: bytes, the names in lower case.
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
# A name such as index-B9h2kQHB.js holds a hash of the content.
HASHED = re.compile(r"-[\w-]{8}\.\w+$")
REQUEST_ID = re.compile(r"[\w.:/+=-]{1,100}", re.ASCII)

log = structlog.get_logger("grove")
# Asked beforehand whether there is anything to be logged at all.
logger = logging.getLogger("grove")


def create_app(settings: Settings) -> Starlette:
    """The application. Its lifespan raises Unavailable where the database cannot be used."""
    view = GraphQLView(served(), settings, explorer_page if settings.explorer else None)
    routes: list[BaseRoute] = [
        Route("/graphql", view),
        *exports.routes(settings),
        *Uploads(settings).routes(),
        Route("/", to_the_explorer),
        Route("/healthz", healthy),
        Route("/readyz", ready),
    ]
    if settings.explorer:
        routes.append(Mount("/static", ExplorerFiles(directory=STATIC, check_dir=False)))
    straight: ASGIApp = view
    middleware: list[Middleware] = []
    if settings.allowed_origins:
        across: Any = partial(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "X-Request-Id"],
            expose_headers=["Content-Disposition", "Retry-After", "Server-Timing", "X-Request-Id"],
        )
        straight = across(view)
        middleware.append(Middleware(across))
    porch = Middleware(Porch, known=KnownHosts(settings.hosts), straight={"/graphql": straight})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        if settings.migrate:
            await migrating.migrate(settings.database)
        database = await engines.open_database(settings)
        try:
            async with jobs.running(settings.database, database) as runner:
                yield {"database": database, "jobs": runner}
        finally:
            await database.close()

    return Starlette(
        routes=routes,
        middleware=[porch, *middleware],
        exception_handlers={HTTPException: not_served, GroveError: not_done},
        lifespan=lifespan,
    )


def served() -> Served:
    """Grove's schema, with what runs its operations."""
    return Served(schema.schema._schema, schema.MutationExecutor, schema.Context, schema.LevelContext, schema.type_name)


def app_from_environment() -> Starlette:
    """The application of a worker process, whose settings come with its environment."""
    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level, secrets=(settings.password,))
    app = create_app(settings)
    _spare_the_collector()
    return app


def _spare_the_collector() -> None:
    """What there is by now, the schema above all, stays: searching it for garbage took a third of a large answer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


class Porch:
    """What every request passes: it gets an id, the security headers and one line in the log.

    A fault in the rooms behind is logged in full, and told to the client as a number. To some paths the way goes
    `straight`, without Starlette's router and its handling of errors, of which the endpoint needs none.
    """

    def __init__(self, app: ASGIApp, known: "KnownHosts", straight: Mapping[str, ASGIApp]) -> None:
        self.app = app
        self.known = known
        self.straight = straight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        line = RequestLine(request_id(dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")))
        token = current_line.set(line)
        started = time.perf_counter()
        status: int | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                own = dict(headers)
                headers.append((b"x-request-id", line.request_id.encode()))
                headers += [header for header in HEADERS if header[0] not in own]
            await send(message)

        try:
            if self.known(scope):
                await self.straight.get(scope["path"], self.app)(scope, receive, send_with_headers)
            else:
                await self.known.refuse(scope, receive, send_with_headers)
        except Exception:
            log.exception("fault")
            line.errors.append("INTERNAL")
            if status is None:
                await _json({"errors": [fault(line.request_id)]}, 500)(scope, receive, send_with_headers)
        finally:
            _log_request(scope, line, status, time.perf_counter() - started)
            current_line.reset(token)


def _log_request(scope: Scope, line: RequestLine, status: int | None, seconds: float) -> None:
    """One line; a probe's only at the level «debug»."""
    if status is None:
        level = logging.INFO
    elif status >= 500:
        level = logging.WARNING
    else:
        level = logging.DEBUG if scope["path"] in {"/healthz", "/readyz"} else logging.INFO
    if logger.isEnabledFor(level):
        log.log(
            level,
            "request",
            method=scope["method"],
            path=scope["path"],
            # The client hung up before there was an answer.
            status=status or "none",
            ms=round(seconds * 1000, 1),
            **line.known(),
        )


def request_id(offered: str) -> str:
    """The client's own id for its request, where it is short and plain; otherwise a new one."""
    return offered if offered and REQUEST_ID.fullmatch(offered) else os.urandom(16).hex()


class KnownHosts:
    """Answers to known names only, so that a page elsewhere cannot reach a local service.

    A browser takes a page of evil.example to be of the same origin as this service once the name's owner lets
    it point to 127.0.0.1. Probes are answered under any name.
    """

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self.hosts = {host.lower() for host in hosts if not host.startswith("*")}
        self.endings = tuple(host[1:].lower() for host in hosts if host.startswith("*."))

    def __call__(self, scope: Scope) -> bool:
        if not (self.hosts or self.endings) or scope["path"] in {"/healthz", "/readyz"}:
            return True
        # The first, should there be several, as everywhere.
        host = _name(dict(reversed(scope["headers"])).get(b"host", b""))
        return host in self.hosts or host.endswith(self.endings)

    async def refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers to an unknown name."""
        host = Headers(scope=scope).get("host", "")[:100]
        message = f"This service does not go by the name {host!r}. GROVE_ALLOWED_HOSTS can allow it."
        await _json({"errors": [error("BAD_REQUEST", message)]}, 421)(scope, receive, send)


@lru_cache(maxsize=1_000)
def _name(host: bytes) -> str:
    """What a Host header names, without the port."""
    return re.sub(r":\d*$", "", host.decode("latin-1").lower())


class ExplorerFiles(StaticFiles):
    """The explorer's files; those whose names change with their content are kept by browsers for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        lasting = HASHED.search(path) is not None
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        response.headers["Content-Security-Policy"] = EXPLORER_POLICY
        return response


def explorer_page() -> Response:
    return FileResponse(
        STATIC / "index.html",
        headers={"Cache-Control": "no-cache", "Content-Security-Policy": EXPLORER_POLICY},
    )


async def to_the_explorer(_: Request) -> Response:
    # Relative, so that it holds behind a proxy that serves the service under a path.
    return RedirectResponse("graphql")


async def healthy(_: Request) -> Response:
    return _json({"status": "ok"})


async def ready(request: Request) -> Response:
    database: Database = request.state.database
    try:
        async with asyncio.timeout(READY_SECONDS):
            await engines.check_ready(database)
    except TimeoutError:
        return _json({"status": "unavailable", "reason": "The database does not answer."}, 503)
    except GroveError as problem:
        return _json({"status": "unavailable", "reason": str(problem)}, 503)
    return _json({"status": "ok"})


async def not_served(_: Request, problem: Exception) -> Response:
    """A path or method that does not exist, or a request that cannot be understood."""
    assert isinstance(problem, HTTPException)
    code = CODES.get(problem.status_code, "BAD_REQUEST")
    return _json({"errors": [error(code, problem.detail)]}, problem.status_code, problem.headers)


async def not_done(_: Request, problem: Exception) -> Response:
    """A request outside GraphQL that was understood, but cannot be answered."""
    assert isinstance(problem, GroveError)
    return _json({"errors": [error(problem.code, str(problem))]}, STATUS.get(problem.code, 400))


def _json(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
