"""The explorer in a browser that reaches nothing but the service: an example runs, the documentation shows.

GROVE_TEST_SCREENSHOTS names a folder that the screenshots are also written to.
"""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from service.schema import schema
from tests.conftest import DATABASE
from tests.support.service import Service

# The page does not depend on the database.
pytestmark = pytest.mark.skipif(DATABASE != "sqlite", reason="once is enough, on SQLite")

HOST = "127.0.0.1"
WORDS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No name leads anywhere: whatever is not shipped with the service is missing.
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {HOST}",
)
MILLISECONDS_TO_APPEAR = 30_000
WATCH_POLICY = """
    document.addEventListener("securitypolicyviolation", (event) =>
        console.error(`the content security policy forbids ${event.violatedDirective}: ${event.blockedURI}`));
"""


@dataclass
class Watch:
    """What a page must not do: ask other hosts, complain, fail."""

    faults: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("request", lambda request: self.ask(request.url))
        page.on("websocket", lambda socket: self.ask(socket.url))
        page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: self.faults.append(f"raised: {error}"))
        page.on("console", lambda line: self.hear(line.type, line.text))

    def ask(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != HOST:
            self.faults.append(f"asked {url}")

    def hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.faults.append(f"{kind}: {text}")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on this machine (Debian: apt-get install chromium)")
    expect.set_options(timeout=MILLISECONDS_TO_APPEAR)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=WORDS)
        yield browser
        await browser.close()


async def test_the_explorer_works_without_a_network(browser: Browser, database_url: str, tmp_path: Path) -> None:
    async with Service(database_url, tmp_path, "--demo") as service:
        page = await browser.new_page(viewport={"width": 1600, "height": 1000})
        watch = Watch()
        watch.over(page)
        await page.add_init_script(WATCH_POLICY)
        await page.goto(f"{service.base_url}/graphql")

        await run_the_first_example(page)
        await take(page, tmp_path, "example")
        await read_the_documentation(page)
        await take(page, tmp_path, "documentation")
        await open_the_pane_to_tick_fields(page)
        await take(page, tmp_path, "fields")

        assert watch.faults == []


async def run_the_first_example(page: Page) -> None:
    await expect(page.get_by_role("tab", name="TheTree")).to_have_attribute("aria-selected", "true")
    # The button does nothing before the editor has its text.
    await expect(page.locator(".graphiql-query-editor")).to_contain_text("TheTree")
    await page.get_by_role("button", name="Execute query").click()
    await expect(page.locator(".result-window")).to_contain_text('"East"')
    await expect(page.locator(".result-window")).to_contain_text('"Distributor"')


async def read_the_documentation(page: Page) -> None:
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    pane = page.locator(".graphiql-doc-explorer")
    await pane.get_by_role("link", name="Query", exact=True).click()
    query = schema._schema.query_type
    assert query
    for name, declared in query.fields.items():
        await expect(pane.get_by_role("link", name=name, exact=True)).to_be_visible()
        await expect(pane).to_contain_text(declared.description or "?")


async def open_the_pane_to_tick_fields(page: Page) -> None:
    await page.get_by_role("button", name="Show GraphiQL Explorer").click()
    await expect(page.locator(".graphiql-explorer-root")).to_contain_text("customerGroups")


async def take(page: Page, directory: Path, name: str) -> None:
    """A screenshot, to be looked at."""
    picture = await page.screenshot()
    for folder in {str(directory), os.environ.get("GROVE_TEST_SCREENSHOTS", str(directory))}:
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, f"explorer-{name}.png").write_bytes(picture)
