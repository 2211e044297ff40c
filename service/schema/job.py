"""Import jobs: large files, uploaded to /imports or given to `grove import`."""

import strawberry
from strawberry import ID, Private

from service import ids
from service.ids import Kind
from service.resolvers import hierarchy as hierarchies
from service.resolvers import job as jobs
from service.schema.context import Info
from service.schema.finding import FINDERS
from service.schema.importing import ImportResult
from service.schema.payloads import UserError
from service.schema.thing import Node, maybe
from service.schema.types import Hierarchy, hierarchy
from service.schema.words import DateTime, ImportKind, ImportState
from service.store.job import JobRow

field = strawberry.field


@strawberry.type(
    description=(
        "A file that is imported, or was: uploaded to /imports, or given to `grove import`. Jobs are kept for 30 days."
    )
)
class ImportJob(Node):
    row: Private[JobRow]

    @field(description="Opaque, unique among all things.")
    def id(self) -> ID:
        return ID(ids.encode(Kind.JOB, self.row.id))

    @field(description="What the file is about.")
    def kind(self) -> ImportKind:
        return ImportKind(self.row.kind)

    @field(description="How far it has come.")
    def state(self) -> ImportState:
        return ImportState(self.row.state)

    @field(description="The file's name, as it was sent; empty where it has none.")
    def file_name(self) -> str:
        return self.row.file_name

    @field(description="Whether it only finds out what would change, and keeps nothing.")
    def dry_run(self) -> bool:
        return self.row.asked.dry_run

    @field(description="What is being done, in a word or two; null while nothing is.")
    def phase(self) -> str | None:
        return self.row.phase or None

    @field(description="How much of that is done, mostly in rows.")
    def done(self) -> int:
        return self.row.done

    @field(description="How much of it there is; null where that is not known.")
    def total(self) -> int | None:
        return self.row.total or None

    @field(description="What came of the file, with the first 1,000 of its changes; null unless the job is DONE.")
    async def result(self, info: Info) -> ImportResult | None:
        outcome = await info.context.load(jobs.outcomes, self.row.id)
        return None if outcome is None else ImportResult(imported=outcome)

    @field(description="The hierarchy that the file was imported into, while there is one; null before.")
    async def hierarchy(self, info: Info) -> Hierarchy | None:
        row = await maybe(info, hierarchies.by_key, self.row.hierarchy_id)
        return hierarchy(row) if row else None

    @field(description='The first 100 mistakes in the file; `path` is ["csv", row, column] as for importHierarchy.')
    async def errors(self, info: Info) -> list[UserError]:
        return [UserError.of(mistake) for mistake in await info.context.load(jobs.errors, self.row.id)]

    @field(description="How many mistakes there are in all.")
    def error_count(self) -> int:
        return self.row.error_count

    @field(description="Where the rejected rows can be downloaded, as CSV, from this service; null unless REJECTED.")
    def rejected_rows_url(self) -> str | None:
        return f"/imports/{self.id()}/rejected.csv" if self.row.state == "REJECTED" else None

    @field(description="Why it could not be done, for people; null unless FAILED.")
    def message(self) -> str | None:
        return self.row.message or None

    @field(description="Who asked for it.")
    def actor(self) -> str:
        return self.row.actor

    @field(description="When the file was taken in.")
    def created_at(self) -> DateTime:
        return DateTime(self.row.created_at)

    @field(description="When it was first begun; null before.")
    def started_at(self) -> DateTime | None:
        return None if self.row.started_at is None else DateTime(self.row.started_at)

    @field(description="When it was over; null before.")
    def finished_at(self) -> DateTime | None:
        return None if self.row.finished_at is None else DateTime(self.row.finished_at)


def import_job(row: JobRow) -> ImportJob:
    """A job as GraphQL shows it."""
    return ImportJob(row=row)


# Told here, as finding.py cannot ask for it: what came of a job is read by way of finding.py.
FINDERS[Kind.JOB] = (jobs.by_key, import_job)
