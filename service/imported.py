"""What comes of importing a file, in words that fit every kind of file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

# Told while a file is worked on: what is being done, how much of it is done, and how much there is (0: unknown).
Progress = Callable[[str, int, int], None]


def silent(phase: str, done: int, total: int) -> None:
    """For whoever does not want to be told."""


@dataclass(frozen=True, slots=True)
class FileChange:
    """One thing that a file changed: what, by which of its rows (none: because no row named it), from what to what."""

    action: str
    row: int | None
    code: str
    name: str
    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """The answer to every import: how many rows were read, and what became of the things that they name."""

    rows: int
    created: int = 0
    updated: int = 0
    moved: int = 0
    removed: int = 0
    unchanged: int = 0
    hierarchy: int | None = None
    changes: tuple[FileChange, ...] = ()

    @classmethod
    def restored(cls, changes: Iterable[Mapping[str, Any]] = (), **counts: Any) -> Self:
        """The same again from what `dataclasses.asdict` made of it."""
        return cls(changes=tuple(FileChange(**change) for change in changes), **counts)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to become of a file, in the contract's words. A hierarchy is meant by its key or by its name.

    A name that no hierarchy has yet is that of a new one. `group` is the code of the group for members.
    """

    kind: str
    hierarchy: int | None = None
    name: str | None = None
    mode: str = "MERGE"
    duplicate_names: str = "REFUSE"
    group: str | None = None
    dry_run: bool = False


@dataclass(slots=True)
class Standing:
    """How far an import has come. The thread that imports tells; others look."""

    phase: str = ""
    done: int = 0
    total: int = 0
    # Which run of its job it is; 0 before it is known to be ours.
    attempt: int = 0

    def tell(self, phase: str, done: int, total: int) -> None:
        """Takes in what an import says of itself: the function `Progress`."""
        self.phase, self.done, self.total = phase, done, total
