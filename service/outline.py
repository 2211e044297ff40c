"""A hierarchy's file understood: which nodes it wants, and where. Pure; what is wrong is told by row and column.

By level, a row is a path from the top, with columns «<Level> Name» (or just «<Level>»), «<Level> Description» and
«<Level> Code»; rows repeat what is above them, and levels at the end may be empty (paths.py). By parent, a row is a
node, with columns Code, Name, Description, Parent Code and Level, rows and columns in any order (parents.py).

In both an empty description leaves the description as it is.
"""

from collections.abc import Collection, Iterator, Sequence

from service.names import key
from service.parents import outline_of_parents
from service.paths import outline_of_paths
from service.sheets import Line, header_of
from service.wanted import Outline


def understand(
    lines: Iterator[Line], levels: Sequence[str] | None, *, qualify: bool, standing: Collection[str] = ()
) -> Outline:
    """What the file wants of a hierarchy with these levels; None: of a new one, whose levels it names itself.

    `standing` are the codes, as keys, of groups that may be parents although the file does not name them. Unless
    `qualify`, a name that the file gives to different groups is a mistake. Raises RejectedFile for a header that is
    not understood; mistakes in rows are gathered in the outline.
    """
    header = header_of(lines)
    columns = {key(cell) for cell in header.line.cells}
    if "parent code" in columns and columns & {"code", "name"}:
        return outline_of_parents(header, lines, levels, qualify, standing)
    return outline_of_paths(header, lines, levels, qualify)
