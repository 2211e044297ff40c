"""Mutations that import files of customers, of the customers of groups, and of groups."""

import strawberry
from strawberry import UNSET

from service.resolvers import list_files
from service.schema.answering import answer
from service.schema.context import Info
from service.schema.importing import ImportPayload
from service.schema.inputs import CustomerGroupBy
from service.schema.naming import named
from service.schema.payloads import MutationInput
from service.schema.words import ImportMode
from service.sheets import lines_of_text

field = strawberry.field
CSV = "The file's text: its rows parted by line breaks, its cells by commas, semicolons or tabs."
KEPT = "An empty cell, like a column that is left out, leaves what is there."


@strawberry.input(
    description=(
        "Header: Code, Name, Type. Existing codes are updated, others created, for which Name is needed."
        f" {KEPT} All or nothing."
    )
)
class ImportCustomersInput(MutationInput):
    csv: str = field(description=CSV)


@strawberry.input(
    description=(
        "Header: Customer Code; optionally Group Code, without which every row goes into `group`. A row that repeats"
        " another is passed over. All or nothing."
    )
)
class ImportGroupMembersInput(MutationInput):
    group: CustomerGroupBy | None = field(default=UNSET, description="The group of the rows that name none.")
    csv: str = field(description=CSV)
    mode: ImportMode = field(
        default=ImportMode.MERGE,
        description="With REPLACE each group that the file names, or `group`, has no other customers afterwards.",
    )


@strawberry.input(
    description=(
        "Header: Code, Name, Description, Status, of which one of the first two is needed. Groups that exist, by code,"
        " else by name, are updated; others are created, with a code where the row has none. Groups may exchange"
        f" their names. {KEPT} All or nothing."
    )
)
class ImportCustomerGroupsInput(MutationInput):
    csv: str = field(description=CSV)


@strawberry.type
class ListImportMutations:
    """The part of the mutation root that imports lists."""

    @field(description="Creates and updates the customers that a file lists.")
    async def import_customers(self, info: Info, input: ImportCustomersInput) -> ImportPayload:
        return await answer(info, input, ImportPayload, lambda: list_files.load_customers(lines_of_text(input.csv)))

    @field(description="Puts the customers that a file lists into their groups.")
    async def import_group_members(self, info: Info, input: ImportGroupMembersInput) -> ImportPayload:
        return await answer(
            info,
            input,
            ImportPayload,
            lambda: list_files.load_members(
                lines_of_text(input.csv), named(input.group, "group") if input.group else None, input.mode.value
            ),
        )

    @field(description="Creates and updates the customer groups that a file lists.")
    async def import_customer_groups(self, info: Info, input: ImportCustomerGroupsInput) -> ImportPayload:
        return await answer(info, input, ImportPayload, lambda: list_files.load_groups(lines_of_text(input.csv)))
