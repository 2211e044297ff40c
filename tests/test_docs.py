"""Each section of the pages in docs/ is run, from the demo company on, and comes out as it says."""

import asyncio
from pathlib import Path

import pytest

from tests.support import pages
from tests.support.client import Grove
from tests.support.pages import Section


@pytest.mark.parametrize("section", pages.sections(), ids=str)
async def test_a_section(section: Section, demo_grove: Grove, database_url: str, tmp_path: Path) -> None:
    await asyncio.wait_for(pages.run(section, demo_grove, database_url, tmp_path), 120)
