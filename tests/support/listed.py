"""A connection somewhere in the schema, and the reading of its pages with all that must hold for each of them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.client import Grove, Json

PAGE = """
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id } }
    nodes { id }
"""


@dataclass(frozen=True)
class Listed:
    """`around` is what stands around the connection, with %s in its place; `arguments` are those but of the page."""

    field: str
    around: str = "%s"
    arguments: str = ""

    def __str__(self) -> str:
        """The name of the test case."""
        owner = self.around.split("(")[0].strip(" %s{}") or "query"
        return " ".join(filter(None, (f"{owner}.{self.field}", self.arguments)))

    def document(self) -> str:
        pages = "first: $first, last: $last, after: $after, before: $before"
        arguments = ", ".join(filter(None, (self.arguments, pages)))
        connection = f"page: {self.field}({arguments}) {{ {PAGE} }}"
        return (
            "query ($first: Int, $last: Int, $after: String, $before: String) {"
            f" {self.around.replace('%s', connection)} }}"
        )

    async def ask(self, grove: Grove, **page: Any) -> Json:
        """The whole answer for one page, errors and all."""
        return await grove.execute(self.document(), page)

    async def page(self, grove: Grove, **page: Any) -> "Page":
        """One page, which must be right in itself."""
        answer = await self.ask(grove, **page)
        assert "errors" not in answer, (answer["errors"], page)
        found = innermost(answer["data"])
        ids = [node["id"] for node in found["nodes"]]
        cursors = [edge["cursor"] for edge in found["edges"]]
        assert [edge["node"]["id"] for edge in found["edges"]] == ids
        assert len(set(ids)) == len(ids)
        assert len(set(cursors)) == len(cursors)
        info = found["pageInfo"]
        assert info["startCursor"] == (cursors[0] if cursors else None)
        assert info["endCursor"] == (cursors[-1] if cursors else None)
        size = page.get("first") if page.get("first") is not None else page.get("last")
        assert len(ids) <= (50 if size is None else size)
        return Page(ids, cursors, info["hasNextPage"], info["hasPreviousPage"], found["totalCount"])

    async def pages(self, grove: Grove, size: int, *, backward: bool = False) -> AsyncIterator["Page"]:
        """Page after page, from the start or from the end."""
        cursor = None
        while True:
            page = (
                await self.page(grove, last=size, before=cursor)
                if backward
                else await self.page(grove, first=size, after=cursor)
            )
            yield page
            if not (page.has_previous if backward else page.has_next):
                return
            assert page.cursors, "There is more, but no row to go on from."
            cursor = page.cursors[0] if backward else page.cursors[-1]

    async def all(self, grove: Grove, size: int, *, backward: bool = False) -> list[str]:
        """The ids of all rows in their order, read page by page."""
        pages = [page async for page in self.pages(grove, size, backward=backward)]
        return [id for page in (reversed(pages) if backward else pages) for id in page.ids]


@dataclass(frozen=True)
class Page:
    ids: Sequence[str]
    cursors: Sequence[str]
    has_next: bool
    has_previous: bool
    total: int


def innermost(data: Json) -> Json:
    """The connection in an answer, which has one field at each level."""
    while "page" not in data:
        data = next(iter(data.values()))
    found: Json = data["page"]
    return found
