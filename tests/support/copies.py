"""Copies of a company that is arranged already: a fraction of the time that arranging it takes."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

from service.dialects import sqlite_path
from tests.support.company import Company, application, arrange
from tests.support.databases import Databases, PostgresDatabases, fresh


class Standing(NamedTuple):
    """A company and its database."""

    company: Company
    url: str


@asynccontextmanager
async def standing(databases: Databases) -> AsyncIterator[Standing]:
    """A company to be copied; its application is stopped, since nobody may be connected to it then."""
    async with fresh(databases) as url:
        async with application(url) as grove:
            company = await arrange(grove)
        yield Standing(company, url)


@asynccontextmanager
async def copied(databases: Databases, original: Standing) -> AsyncIterator[Standing]:
    """A copy with an application of its own, which a test may change; the ids are those of the original."""
    url = await copy(databases, original.url)
    try:
        async with application(url, migrate=False) as grove:
            yield Standing(replace(original.company, grove=grove), url)
    finally:
        await databases.drop(url)


async def copy(databases: Databases, original: str) -> str:
    path = sqlite_path(original)
    if path is not None:
        target = path.with_name(f"{uuid4().hex}.db")
        with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
        return f"sqlite://{target}"
    assert isinstance(databases, PostgresDatabases)
    template = urlsplit(original).path.removeprefix("/")
    name = f"grove_test_{uuid4().hex}"
    await databases.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return databases.url(name)
