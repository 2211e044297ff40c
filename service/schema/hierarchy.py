"""Mutations of hierarchies and their levels."""

import strawberry
from strawberry import ID, UNSET

from service.ids import Kind
from service.resolvers import hierarchy, level
from service.schema.answering import answer
from service.schema.connection import given
from service.schema.context import Info
from service.schema.naming import key_of
from service.schema.payloads import (
    AddLevelPayload,
    CreateHierarchyPayload,
    DeleteHierarchyPayload,
    MutationInput,
    RemoveLevelPayload,
    RenameLevelPayload,
    UpdateHierarchyPayload,
)
from service.schema.words import RemoveLevelMode

field = strawberry.field
VERSION = "Refused with STALE unless the hierarchy is still at this version."


@strawberry.input(description="A hierarchy to be created.")
class CreateHierarchyInput(MutationInput):
    name: str = field(description="Unique, whatever its case; at most 200 characters.")
    description: str = field(default="", description="Free text; at most 2,000 characters.")
    levels: list[str] = field(description="Top level first; 1 to 128 names, distinct whatever their case.")
    placeholders: bool = field(
        default=True,
        description=(
            "Starts the tree with one placeholder group a level, one below the other, to be renamed or deleted."
        ),
    )


@strawberry.input(description="New values of a hierarchy; what is left out stays.")
class UpdateHierarchyInput(MutationInput):
    id: ID = field(description="Which hierarchy.")
    name: str | None = field(default=UNSET, description="Unique, whatever its case.")
    description: str | None = field(default=UNSET, description="Free text.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(
    description="The groups remain, unassigned in it. Refused with CONFLICT while open reservations name it."
)
class DeleteHierarchyInput(MutationInput):
    id: ID = field(description="Which hierarchy.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(description="Adds a level, below the last one or anywhere above it.")
class AddLevelInput(MutationInput):
    hierarchy_id: ID = field(description="Which hierarchy.")
    name: str = field(description="Unique in the hierarchy, whatever its case.")
    depth: int | None = field(
        default=UNSET,
        description=(
            "Where it is to be; 1 is the top. What stands there or deeper sinks by one level, and each parent above"
            " it gets one placeholder, a new group to be renamed or deleted, under which its children go; so do all"
            " roots together. Left out: below the last level, where nothing sinks."
        ),
    )
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(description="A new name for a level.")
class RenameLevelInput(MutationInput):
    hierarchy_id: ID = field(description="Which hierarchy.")
    depth: int = field(description="Which level; 1 is the top.")
    name: str = field(description="Unique in the hierarchy, whatever its case.")
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.input(
    description=(
        "Only the last level, and only while no node stands on it (LEVEL_IN_USE), unless the mode is MERGE_UP. One"
        " level always remains."
    )
)
class RemoveLevelInput(MutationInput):
    hierarchy_id: ID = field(description="Which hierarchy.")
    depth: int = field(description="Which level; 1 is the top.")
    mode: RemoveLevelMode = field(
        default=RemoveLevelMode.REFUSE, description="What becomes of the nodes on it and below it."
    )
    expected_version: int | None = field(default=UNSET, description=VERSION)


@strawberry.type
class HierarchyMutations:
    """The part of the mutation root that changes hierarchies."""

    @field(description="Creates a hierarchy with its levels.")
    async def create_hierarchy(self, info: Info, input: CreateHierarchyInput) -> CreateHierarchyPayload:
        return await answer(
            info,
            input,
            CreateHierarchyPayload,
            lambda: hierarchy.create(input.name, input.description, input.levels, input.placeholders),
        )

    @field(description="Gives a hierarchy another name or description.")
    async def update_hierarchy(self, info: Info, input: UpdateHierarchyInput) -> UpdateHierarchyPayload:
        return await answer(
            info,
            input,
            UpdateHierarchyPayload,
            lambda: hierarchy.update(
                key_of(input.id, Kind.HIERARCHY, "id"),
                given(input.name),
                given(input.description),
                given(input.expected_version),
            ),
        )

    @field(description="Deletes a hierarchy with its levels and nodes; the groups remain.")
    async def delete_hierarchy(self, info: Info, input: DeleteHierarchyInput) -> DeleteHierarchyPayload:
        return await answer(
            info,
            input,
            DeleteHierarchyPayload,
            lambda: hierarchy.delete(key_of(input.id, Kind.HIERARCHY, "id"), given(input.expected_version)),
        )

    @field(
        description="Adds a level, below the last one or, with `depth`, anywhere. A dry run shows how many nodes move."
    )
    async def add_level(self, info: Info, input: AddLevelInput) -> AddLevelPayload:
        return await answer(
            info,
            input,
            AddLevelPayload,
            lambda: level.add(
                key_of(input.hierarchy_id, Kind.HIERARCHY, "hierarchyId"),
                input.name,
                given(input.depth),
                given(input.expected_version),
            ),
        )

    @field(description="Gives a level another name.")
    async def rename_level(self, info: Info, input: RenameLevelInput) -> RenameLevelPayload:
        return await answer(
            info,
            input,
            RenameLevelPayload,
            lambda: level.rename(
                key_of(input.hierarchy_id, Kind.HIERARCHY, "hierarchyId"),
                input.depth,
                input.name,
                given(input.expected_version),
            ),
        )

    @field(
        description=(
            "Removes the last level, on which no node stands, or, with `mode: MERGE_UP`, any. A dry run shows how"
            " many nodes leave and how many rise."
        )
    )
    async def remove_level(self, info: Info, input: RemoveLevelInput) -> RemoveLevelPayload:
        return await answer(
            info,
            input,
            RemoveLevelPayload,
            lambda: level.remove(
                key_of(input.hierarchy_id, Kind.HIERARCHY, "hierarchyId"),
                input.depth,
                input.mode.value,
                given(input.expected_version),
            ),
        )
