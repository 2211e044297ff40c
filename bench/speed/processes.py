"""What processes have used of the processors and hold of memory, from /proc (Linux)."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def family(top: int) -> set[int]:
    """A process and all that it and its children have started."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _fields(int(entry.name))):
            parents[int(entry.name)] = int(fields[1])
    found = {top}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def parent(process: int) -> int | None:
    """The process that has started this one; None where there is no such process."""
    fields = _fields(process)
    return int(fields[1]) if fields else None


def used(processes: Iterable[int]) -> dict[int, float]:
    """Process → seconds of processor time until now, in user and system mode; those that have ended are left out."""
    return {
        process: (int(fields[11]) + int(fields[12])) / TICKS for process in processes if (fields := _fields(process))
    }


def between(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """The seconds used in between, by those that have come as well. What one that has ended used at last is lost."""
    return sum(seconds - before.get(process, 0.0) for process, seconds in after.items())


def resident(process: int) -> int:
    """Bytes of memory that a process holds, shared ones included."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE


def _fields(process: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may hold blanks and brackets; none if it has ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
