"""Each section of the pages in docs/ is run, from the demo company on, and comes out as it says."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.support import pages
from tests.support.client import Grove
from tests.support.pages import Section

STEP = re.compile(r"^\| (?!step)(.+?) \| (`.+?`) \| (\w+: \d+\.) \|$", re.MULTILINE)


@pytest.mark.parametrize("section", pages.sections(), ids=str)
async def test_a_section(section: Section, demo_grove: Grove, database_url: str, tmp_path: Path) -> None:
    await asyncio.wait_for(pages.run(section, demo_grove, database_url, tmp_path), 120)


def test_each_step_is_shown_where_the_table_says() -> None:
    shown = {re.match(r"\w+: \d+\.", str(section))[0]: section for section in pages.sections()}  # type: ignore[index]
    text = (pages.DOCS / "README.md").read_text(encoding="utf-8")
    steps = STEP.findall(text)
    assert len(steps) == text.count("\n| ") - 2
    assert {place for *_, place in steps} == shown.keys()
    for step, operations, place in steps:
        blocks = "\n".join(block.text for block in shown[place].blocks)
        for operation in re.findall(r"`(.+?)`", operations):
            assert re.search(rf"{re.escape(operation)}\b", blocks), f"{step}: {place} does not use {operation}"
