"""Mutations that import files, and the answer that they share."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Self

import strawberry
from strawberry import ID, UNSET

from service.errors import Refused
from service.ids import Kind
from service.imported import FileChange, Imported
from service.paging import Page, Slice, page_of_list
from service.resolvers import tree_file
from service.schema.answering import answer
from service.schema.connection import After, Before, Connection, First, Last, connect, given, page_of
from service.schema.context import Info
from service.schema.finding import FINDERS
from service.schema.naming import optional_key_of
from service.schema.payloads import MutationInput, Payload, outcome
from service.schema.relations import attribute, each, load, relation
from service.schema.types import Hierarchy
from service.schema.words import DuplicateNames, ImportAction, ImportMode
from service.sheets import lines_of_text

field = strawberry.field


@strawberry.input(
    description=(
        "CSV text, UTF-8 with or without a byte-order mark, comma, semicolon or tab. Header: for each level, top first,"
        " «<Level> Name» (or just «<Level>») and «<Level> Description»; optionally «<Level> Code». Each row is one path"
        " from the top; trailing levels may be empty. Or the header Code, Name, Description, Parent Code (empty: at the"
        " top) and, if you like, Level: each row is one group, in any order. A group that exists (by code, else by"
        " name) is used, and updated where its description differs, or the name of its code; one that already stands"
        " elsewhere in this hierarchy is moved. An empty description leaves the description as it is. All or nothing."
    )
)
class ImportHierarchyInput(MutationInput):
    hierarchy_id: ID | None = field(
        default=UNSET,
        description="An existing hierarchy; or `createName`, and its levels are taken from the header.",
    )
    create_name: str | None = field(default=UNSET, description="The name of a new hierarchy, made of the file.")
    csv: str = field(description="The file's text.")
    mode: ImportMode = field(default=ImportMode.MERGE, description="What becomes of that which the file does not name.")
    duplicate_names: DuplicateNames = field(
        default=DuplicateNames.REFUSE,
        description=(
            "What becomes of one name that the file gives to different groups (real hierarchies do: Springfield in six"
            " states)."
        ),
    )


@strawberry.type(description="One thing that a file changed.")
class ImportChange:
    action: ImportAction = attribute("What was done.")
    row: int | None = attribute(
        "The row that says so, as a spreadsheet shows it (the header is 1); null where no row names it."
    )
    code: str = attribute("The code of the group or customer.")
    name: str = attribute("Its name, as it is afterwards.")
    before: str | None = attribute("What was there before, in words: a name, a place; null where nothing was.")
    after: str | None = attribute("What is there now, likewise.")


@strawberry.type(description="What came of a file.")
class ImportResult:
    rows: int = attribute("How many rows were read, the header and empty ones left out.")
    created: int = attribute("How many groups or customers were created; how many customers came into a group.")
    updated: int = attribute(
        "How many groups or customers that there were already got another name, description or type."
    )
    moved: int = attribute(
        "How many groups that there were already came to another place in the hierarchy, or got one, or stand in"
        " another order among their siblings."
    )
    removed: int = attribute("How many groups lost their place in the hierarchy; how many customers left a group.")
    unchanged: int = attribute("How many of the things that the file names were as it says already.")

    @relation(
        "Everything that was changed, one by one: first what the rows name, in their order, then what no row names."
        " After a dry run: what would be."
    )
    def changes(
        self, first: First = UNSET, after: After = UNSET, last: Last = UNSET, before: Before = UNSET
    ) -> Connection[ImportChange]:
        return connect(_page_of_changes, _count_of_changes, CHANGES, page_of(first, after, last, before))


# They hang on themselves: the whole list is at hand.
CHANGES = attrgetter("changes")


async def _page_of_changes(lists: Sequence[Sequence[FileChange]], page: Page) -> list[Slice[FileChange]]:
    return [page_of_list(page, changes, "imported") for changes in lists]


async def _count_of_changes(lists: Sequence[Sequence[FileChange]]) -> list[int]:
    return [len(changes) for changes in lists]


@strawberry.type(description="The answer to every import.")
class ImportPayload(Payload):
    outcome_type = Imported.restored
    error_count: int = field(default=0, description="How many errors there were in all.")

    @classmethod
    def refusal(cls, refused: Refused, client_mutation_id: str | None) -> Self:
        payload = super().refusal(refused, client_mutation_id)
        payload.error_count = refused.count
        return payload

    result: ImportResult | None = each("Null where userErrors is not empty.", lambda payload: payload.outcome)

    @relation("The hierarchy as it is now; null where the file is about none, and where there are user errors.")
    def hierarchy(self) -> Hierarchy | None:
        return load(FINDERS[Kind.HIERARCHY], outcome("hierarchy"))


@strawberry.type
class ImportMutations:
    """The part of the mutation root that imports files."""

    @field(description="Brings a hierarchy to what a file says, or creates one of it.")
    async def import_hierarchy(self, info: Info, input: ImportHierarchyInput) -> ImportPayload:
        return await answer(
            info,
            input,
            ImportPayload,
            lambda: tree_file.load(
                lines_of_text(input.csv),
                optional_key_of(input.hierarchy_id, Kind.HIERARCHY, "hierarchyId"),
                given(input.create_name),
                input.mode.value,
                input.duplicate_names.value,
            ),
        )
