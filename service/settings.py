"""What can be set: by environment variables `GROVE_…`, by a file `.env` beside them, and by the command line.

Each field's description says what it must be, and is used three times: in `grove --help`, in the complaint
about a wrong value, and by whoever reads this page.
"""

import difflib
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "GROVE_"
DOTENV = ".env"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Names that only this machine gives a meaning to (RFC 6761), which no stranger's DNS can point here.
LOCAL_NAMES = ("localhost", "*.localhost", "127.0.0.1", "[::1]", "testserver", "*.test")


class SettingsError(ValueError):
    """A setting that will not do; the message names it and says what to set it to, one line each."""


def _words(value: object) -> object:
    if isinstance(value, str):
        return tuple(word for word in re.split(r"[,\s]+", value) if word)
    return value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class Settings(BaseSettings):
    """All settings, checked. What is passed by name goes before the environment, and that before `.env`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=DOTENV,
        env_file_encoding="utf-8",
        # `GROVE_ACTOR_HEADER=` takes a setting back that `.env` makes.
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database: str = Field(
        default="sqlite://grove.sqlite3",
        # The password must not get into a log by way of repr(settings).
        repr=False,
        description=(
            "the database's address: sqlite:///absolute/path, sqlite://relative/path, "
            "or postgres://user:password@host:5432/name"
        ),
    )
    pool_size: int = Field(
        default=10,
        ge=1,
        le=1_000,
        description="a number: the connections to PostgreSQL that a worker may open",
    )
    lock_wait_seconds: float = Field(
        default=10,
        gt=0,
        le=3_600,
        description="seconds that a change waits for another one in the same hierarchy",
    )
    migrate: bool = Field(default=True, description="true or false: bring the database up to date at start")

    host: str = Field(default="127.0.0.1", min_length=1, description="the address to listen at; 0.0.0.0 for all")
    port: int = Field(
        default=8000, ge=0, le=65_535, description="the port to listen at, up to 65535; 0 for any free one"
    )
    workers: int = Field(default=1, ge=1, le=256, description="a number of processes; more than 1 needs PostgreSQL")
    shutdown_seconds: int = Field(
        default=10,
        ge=0,
        le=3_600,
        description="seconds that requests under way get to end when the service stops",
    )
    allowed_hosts: Words = Field(
        default=(),
        description=(
            "names that clients may call the service by, separated by commas, such as "
            "grove.example.com,*.example.org; "
            "by default, local names where it listens at a local address, and any name elsewhere"
        ),
    )
    allowed_origins: Words = Field(
        default=(),
        description=(
            "web origins whose pages may call the service, separated by commas, such as "
            "https://shop.example.com; by default none but its own"
        ),
    )
    actor_header: str | None = Field(
        default=None,
        pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
        description=(
            "the request header in which an authenticating proxy says who is calling, such as "
            "X-Forwarded-User; by default everybody is «anonymous»"
        ),
    )
    explorer: bool = Field(
        default=True, description="true or false: show the GraphiQL explorer to browsers at /graphql"
    )

    log_format: Literal["console", "json"] = Field(default="console", description="console or json")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="debug, info, warning or error"
    )

    executor: Literal["breadth", "graphql-core"] = Field(
        default="breadth",
        description=(
            "breadth or graphql-core: what runs queries; breadth is many times faster on large answers, and leaves to"
            " graphql-core what it does not cover"
        ),
    )
    request_seconds: float = Field(default=30, gt=0, le=3_600, description="seconds that one request may take")
    max_body_bytes: int = Field(
        default=4 * 1024 * 1024, ge=1_024, description="a number from 1024: bytes of a request body"
    )
    largest_upload: int = Field(
        default=200 * 1024 * 1024, ge=1_024, description="a number from 1024: bytes of an upload to /imports"
    )
    max_document_characters: int = Field(
        default=200_000, ge=1, description="a number: characters of a GraphQL document"
    )
    max_tokens: int = Field(default=5_000, ge=1, description="a number: tokens (words and signs) in a GraphQL document")
    max_depth: int = Field(
        default=40,
        ge=1,
        le=200,
        description="a number up to 200: how deep fields of a document may be nested",
    )
    max_aliases: int = Field(
        default=200,
        ge=0,
        description="a number: fields of a document that are aliased, or repeated in one selection",
    )
    max_root_fields: int = Field(
        default=100, ge=1, description="a number: fields, so mutations too, at the top of one operation"
    )
    max_directives: int = Field(default=10, ge=0, description="a number: directives at one place of a document")
    max_objects: int = Field(
        default=250_000, ge=1, description="a number: objects that one request may ask for at most"
    )
    cached_document_characters: int = Field(
        default=500_000,
        ge=0,
        description=(
            "a number: characters of checked documents that are kept, at some 150 bytes of memory each; "
            "a document longer than a tenth of it is not"
        ),
    )

    @field_validator("database")
    @classmethod
    def _known_database(cls, value: str) -> str:
        # The complaints name the scheme at most: what follows it may hold a password.
        scheme, separator, rest = value.partition("://")
        if not separator:
            raise ValueError("does not begin with a kind of database")
        if scheme not in {"sqlite", "postgres", "postgresql"}:
            raise ValueError(f"begins with {scheme}://, which Grove does not know")
        if not rest:
            raise ValueError("names no file" if scheme == "sqlite" else "names no server")
        if rest == ":memory:":
            raise ValueError("would be a database in memory, which each connection would have for itself alone")
        try:
            urlsplit(value).port  # noqa: B018
        except ValueError:
            raise ValueError(
                "cannot be read; in a password, write %40 for @, %3A for :, %2F for / and %23 for #"
            ) from None
        return value

    @property
    def on_sqlite(self) -> bool:
        return self.database.startswith("sqlite://")

    @property
    def password(self) -> str:
        """The database's password, to be kept out of what is shown; empty where there is none."""
        url = urlsplit(self.database)
        return unquote(url.password or "") or "".join(parse_qs(url.query).get("password", ()))

    @property
    def database_shown(self) -> str:
        """The database's address without its password, for people and logs."""
        shown = re.sub(r"(?<=://)([^:@/?]*):.*@", r"\1:***@", self.database)
        return re.sub(r"(?i)([?&](?:password|passfile|sslpassword)=)[^&]*", r"\1***", shown)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names that are answered; empty means any."""
        if not self.allowed_hosts and self.host in LOOPBACK:
            return LOCAL_NAMES
        return () if "*" in self.allowed_hosts else self.allowed_hosts

    def as_environment(self) -> dict[str, str]:
        """The environment variables that give another process these settings; unset ones are empty."""
        return {variable(name): _as_text(getattr(self, name)) for name in type(self).model_fields}


def load_settings(**overrides: Any) -> Settings:
    """The settings of this environment; an override that is not None goes before it.

    Raises SettingsError, which tells all that is wrong at once.
    """
    chosen = {name: value for name, value in overrides.items() if value is not None}
    complaints = misspelt({**dotenv_values(DOTENV), **os.environ})
    try:
        settings = Settings(**chosen)
    except ValidationError as error:
        complaints += [_complaint(problem, chosen) for problem in error.errors()]
    else:
        if not complaints:
            return settings
    raise SettingsError("\n".join(complaints))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def misspelt(environment: Mapping[str, str | None]) -> list[str]:
    """A complaint for each variable that is nearly one of ours.

    Others that begin with GROVE_ are passed over: Kubernetes makes some for a service called grove.
    """
    known = {variable(name) for name in Settings.model_fields}
    complaints = []
    for name in sorted(name.upper() for name in environment if name.upper().startswith(PREFIX)):
        if name in known:
            continue
        if near := difflib.get_close_matches(name, known, n=1, cutoff=0.85):
            complaints.append(f"{name} is not a setting. Did you mean {near[0]}?")
    return complaints


def _complaint(problem: Mapping[str, Any], overrides: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0])
    said = f"--{name.replace('_', '-')}" if name in overrides else variable(name)
    field: FieldInfo = Settings.model_fields[name]
    if problem["type"] == "value_error":
        return f"{said} {problem['ctx']['error']}. Set it to {field.description}."
    return f"{said} is {str(problem['input'])[:100]!r}. Set it to {field.description}."


def _as_text(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
