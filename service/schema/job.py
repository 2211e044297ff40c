"""Import jobs: large files, uploaded to /imports or given to `grove import`."""

import strawberry
from strawberry import ID

from service.ids import Kind, encode
from service.resolvers import hierarchy as hierarchies
from service.resolvers import job as jobs
from service.schema.importing import ImportResult
from service.schema.payloads import UserError
from service.schema.relations import attribute, each, load, relation
from service.schema.thing import Node, id_of
from service.schema.types import HIERARCHY, ROW, Hierarchy
from service.schema.words import DateTime, ImportKind, ImportState
from service.store.job import JobRow


@strawberry.type(
    description=(
        "A file that is imported, or was: uploaded to /imports, or given to `grove import`. Jobs are kept for 30 days."
    )
)
class ImportJob(Node):
    row = JobRow

    id: ID = id_of(Kind.JOB)
    kind: ImportKind = attribute("What the file is about.")
    state: ImportState = attribute("How far it has come.")
    file_name: str = attribute("The file's name, as it was sent; empty where it has none.")
    dry_run: bool = each(
        "Whether it only finds out what would change, and keeps nothing.", lambda row: row.asked.dry_run
    )
    phase: str | None = each(
        "What is being done, in a word or two; null while nothing is.", lambda row: row.phase or None
    )
    done: int = attribute("How much of that is done, mostly in rows.")
    total: int | None = each("How much of it there is; null where that is not known.", lambda row: row.total or None)

    @relation("What came of the file, with the first 1,000 of its changes; null unless the job is DONE.")
    def result(self) -> ImportResult | None:
        return load(jobs.outcomes, ROW)

    @relation("The hierarchy that the file was imported into, while there is one; null before.")
    def hierarchy(self) -> Hierarchy | None:
        return load(hierarchies.by_key, HIERARCHY)

    @relation('The first 100 mistakes in the file; `path` is ["csv", row, column] as for importHierarchy.')
    def errors(self) -> list[UserError]:
        return load(jobs.errors, ROW)

    error_count: int = attribute("How many mistakes there are in all.")
    rejected_rows_url: str | None = each(
        "Where the rejected rows can be downloaded, as CSV, from this service; null unless REJECTED.",
        lambda row: f"/imports/{encode(Kind.JOB, row.id)}/rejected.csv" if row.state == "REJECTED" else None,
    )
    message: str | None = each(
        "Why it could not be done, for people; null unless FAILED.", lambda row: row.message or None
    )
    actor: str = attribute("Who asked for it.")
    created_at: DateTime = attribute("When the file was taken in.")
    started_at: DateTime | None = attribute("When it was first begun; null before.")
    finished_at: DateTime | None = attribute("When it was over; null before.")
