"""The pages of docs/: their sections, and the blocks of each, to be run as a reader would run them.

```graphql        a document; after it, if there are any, ```json variables and ```json answer
```csv NAME       a file of that name, in the folder where the commands run
```console        commands that begin with «$ », each with all that it prints: grove, curl, cat
"""

import argparse
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.client import Grove, Json
from tests.support.command import grove as run_grove

DOCS = Path(__file__).parents[2] / "docs"
SECTION = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"<(node|group|hierarchy|reservation of) ([^>]+)>")
# What stands for a part of an output that differs from run to run.
ANYTHING = "…"


class Block(NamedTuple):
    kind: str
    title: str
    text: str


class Section(NamedTuple):
    page: str
    title: str
    blocks: list[Block]

    def __str__(self) -> str:
        return f"{self.page}: {self.title}"


def sections() -> list[Section]:
    """Every section of every page that has blocks to run."""
    found = [
        Section(page.stem, title, [Block(kind, rest.strip(), text) for kind, rest, text in BLOCK.findall(body)])
        for page in sorted(DOCS.glob("*.md"))
        for title, body in SECTION.findall(page.read_text(encoding="utf-8"))
    ]
    return [section for section in found if section.blocks]


async def run(section: Section, grove: Grove, database: str, folder: Path) -> None:
    """Runs the blocks one after another; each must come out as the page says."""
    blocks, known = list(section.blocks), dict[str, str]()
    while blocks:
        block = blocks.pop(0)
        if block.kind == "graphql":
            given: dict[str, str] = {}
            while blocks and blocks[0].kind == "json":
                following = blocks.pop(0)
                given[following.title] = following.text
            assert given.keys() <= {"variables", "answer"}
            assert "answer" in given, f"{section} does not show what comes of\n{block.text}"
            await ask(grove, block.text, given.get("variables", "{}"), given["answer"], known)
        elif block.kind == "csv":
            (folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.kind == "console":
            await look_up(grove, block.text, known)
            await type_in(filled(block.text, known), grove, database, folder)
        else:
            raise AssertionError(f"{section} has a block of {block.kind}, which nobody runs")


async def ask(grove: Grove, document: str, variables: str, answer: str, known: dict[str, str]) -> None:
    """`known` holds the ids that the section has spoken of, some of things that are gone by now."""
    await look_up(grove, document + variables + answer, known)
    data = await grove.query(filled(document, known), json.loads(filled(variables, known)))
    expected = json.loads(filled(answer, known))
    assert same(data, expected), f"{document}\nis answered by\n{json.dumps(data, indent=2, ensure_ascii=False)}"


async def look_up(grove: Grove, text: str, known: dict[str, str]) -> None:
    """Adds the ids that a text speaks of."""
    for kind, name in PLACEHOLDER.findall(text):
        if f"<{kind} {name}>" not in known:
            known[f"<{kind} {name}>"] = await id_of(grove, kind, name)


def filled(text: str, known: dict[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: known[match[0]], text)


async def id_of(grove: Grove, kind: str, name: str) -> str:
    """The id of the thing that a page speaks of by its name; a node's in the hierarchy «Sales»."""
    asked = {
        "node": 'hierarchy(by: { name: "Sales" }) { thing: node(group: { name: $name }) { id } }',
        "group": "thing: customerGroup(by: { name: $name }) { id }",
        "hierarchy": "thing: hierarchy(by: { name: $name }) { id }",
        "reservation of": "group: customerGroup(by: { name: $name }) { reservations(first: 1) { nodes { id } } }",
    }[kind]
    data = await grove.query(f"query ($name: String!) {{ {asked} }}", {"name": name})
    if kind == "reservation of":
        data["thing"] = data["group"]["reservations"]["nodes"][0]
    thing: Json | None = data["hierarchy"]["thing"] if kind == "node" else data["thing"]
    assert thing is not None, f"there is no {kind} {name}"
    identity: str = thing["id"]
    return identity


def same(found: object, expected: object) -> bool:
    """Whether an answer is as the page says; «…» stands for any text."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same(found[name], expected[name]) for name in expected)
        )
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(same, found, expected))
    if isinstance(expected, str) and ANYTHING in expected:
        return isinstance(found, str) and matches(found, expected)
    return found == expected


def matches(found: str, expected: str) -> bool:
    pattern = ".*".join(map(re.escape, expected.split(ANYTHING)))
    return re.fullmatch(pattern, found, re.DOTALL) is not None


async def type_in(text: str, grove: Grove, database: str, folder: Path) -> None:
    """Runs each command of a console block; what it prints must be what the page shows."""
    for command, expected in commands(text):
        # A terminal shows neither a byte-order mark nor the carriage returns that Excel wants.
        output = (await output_of(command, grove, database, folder)).removeprefix("\ufeff").replace("\r\n", "\n")
        assert matches(output.strip(), expected.strip()), f"$ {command}\n{output}"


async def output_of(command: str, grove: Grove, database: str, folder: Path) -> str:
    program, *words = shlex.split(command)
    if program == "grove":
        _, output = await run_grove(*words, "--database", database, folder=folder)
        return output
    if program == "curl":
        return await curl(grove, words, folder)
    assert program == "cat", f"nobody runs {command}"
    return (folder / words[0]).read_text(encoding="utf-8-sig")


CURL = argparse.ArgumentParser(prog="curl", exit_on_error=False)
CURL.add_argument("url")
CURL.add_argument("-s", "--silent", action="store_true")
CURL.add_argument("-o", "--output")
CURL.add_argument("-H", "--header", action="append", default=[])
CURL.add_argument("-F", "--form", action="append", default=[])


async def curl(grove: Grove, words: Sequence[str], folder: Path) -> str:
    """What curl would do with these words, to the service at hand in place of the one at port 8000."""
    given = CURL.parse_args(words)
    address = given.url.removeprefix("http://127.0.0.1:8000")
    headers = dict(header.split(": ", 1) for header in given.header)
    fields = dict(field.split("=", 1) for field in given.form)
    files = {
        name: (value[1:], (folder / value[1:]).read_bytes()) for name, value in fields.items() if value.startswith("@")
    }
    data = {name: value for name, value in fields.items() if name not in files}
    method = "POST" if given.form else "GET"
    response = await grove.http.request(method, address, headers=headers, data=data or None, files=files or None)
    if given.output is None:
        return response.text
    (folder / given.output).write_bytes(response.content)
    return ""


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command with what follows it; a command goes on behind a backslash at the end of its line."""
    parts: Sequence[str] = re.split(r"^\$ ", text.replace("\\\n", " "), flags=re.MULTILINE)
    assert not parts[0].strip(), "a console block begins with a command"
    for part in parts[1:]:
        command, _, output = part.partition("\n")
        yield command, output
