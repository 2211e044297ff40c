"""What a hierarchy's file has changed, told twice: to whoever imports it, and to the log. Pure.

Places are told by paths, «East > FL > Palm Tree», of names as they were before and as they are afterwards.
"""

from collections.abc import Iterator, Mapping, Sequence

from service.arrangement import Arrangement, values
from service.ids import Kind, encode
from service.imported import FileChange, Imported
from service.store.change import NewChange
from service.store.group import GroupRow
from service.store.tree_file import Standing
from service.wanted import Outline


class Chronicle:
    """An arrangement with all that there is to tell of it; the codes are those of the file's groups, all given."""

    def __init__(
        self,
        hierarchy: tuple[int, str],
        outline: Outline,
        met: Sequence[GroupRow | None],
        codes: Sequence[str],
        standing: Mapping[int, Standing],
        arrangement: Arrangement,
    ) -> None:
        self._hierarchy, self._title = hierarchy
        self._outline = outline
        self._met = met
        self._codes = codes
        self._standing = standing
        self._arrangement = arrangement
        self._values = [values(node, row) for node, row in zip(outline.nodes, met, strict=True)]
        self._number_of = {node: number for number, node in enumerate(arrangement.nodes)}
        self._old_paths: dict[int, str] = {}
        self._new_paths: dict[int, str] = {}

    # ── to whoever imports ──────────────────────────────────────────────────────────────────────────────────

    def imported(self) -> Imported:
        """The answer: how many things became of what kind, and each of them, in the order of the rows."""
        result = self._arrangement
        places = [*result.assigned, *result.moved, *result.reordered]
        changed = {*result.created, *result.updated, *places}
        return Imported(
            rows=self._outline.rows,
            created=len(result.created),
            updated=len(result.updated),
            moved=len(places),
            removed=len(result.removed),
            unchanged=len(self._outline.nodes) - len(changed),
            hierarchy=self._hierarchy,
            changes=tuple(self._changes()),
        )

    def _changes(self) -> Iterator[FileChange]:
        result = self._arrangement
        created, updated, assigned = set(result.created), set(result.updated), set(result.assigned)
        moved, reordered = set(result.moved), set(result.reordered)
        nodes = self._outline.nodes
        for number in sorted(created | updated | assigned | moved | reordered, key=lambda number: nodes[number].row):
            if number in created:
                yield self._change("CREATED", number, None, self._new_path(result.nodes[number]))
            if number in updated:
                yield from self._updates(number)
            if number in assigned:
                yield self._change("ASSIGNED", number, None, self._new_path(result.nodes[number]))
            if number in moved:
                node = result.nodes[number]
                yield self._change("MOVED", number, self._old_path(node), self._new_path(node))
            if number in reordered:
                path = self._new_path(result.nodes[number])
                yield self._change("MOVED", number, path, path)
        for row in result.removed:
            yield FileChange("UNASSIGNED", None, row.code, row.name, self._old_path(row.id), None)

    def _change(self, action: str, number: int, before: str | None, after: str | None) -> FileChange:
        row, name = self._outline.nodes[number].row, self._values[number][0]
        return FileChange(action, row, self._codes[number], name, before, after)

    def _updates(self, number: int) -> Iterator[FileChange]:
        """The name and the description, each by itself."""
        old = self._met[number]
        if old is not None:
            for before, after in zip((old.name, old.description), self._values[number], strict=True):
                if before != after:
                    yield self._change("UPDATED", number, before, after)

    def _name(self, node: int) -> str:
        number = self._number_of.get(node)
        return self._standing[node].name if number is None else self._values[number][0]

    def _new_path(self, node: int) -> str:
        path = self._new_paths.get(node)
        if path is None:
            parent = self._arrangement.parents[node]
            above = "" if parent is None else f"{self._new_path(parent)} > "
            path = self._new_paths[node] = f"{above}{self._name(node)}"
        return path

    def _old_path(self, node: int) -> str:
        path = self._old_paths.get(node)
        if path is None:
            row = self._standing[node]
            above = "" if row.parent_id is None else f"{self._old_path(row.parent_id)} > "
            path = self._old_paths[node] = f"{above}{row.name}"
        return path

    # ── to the log ──────────────────────────────────────────────────────────────────────────────────────────

    def log(self) -> Iterator[NewChange]:
        """One change for each thing that became of a group or a node, as if each had been done by itself."""
        result = self._arrangement
        for number in result.created:
            name, description = self._values[number]
            after = {"code": self._codes[number], "name": name, "description": description, "status": "ACTIVE"}
            summary = f"created «{name}» ({self._codes[number]})"
            yield NewChange("GROUP_CREATED", summary, group=result.groups[number], after=after)
        for number in result.updated:
            yield self._update(number)
        for number in (*result.created, *result.assigned):
            yield self._assignment(number)
        for number in result.moved:
            yield self._move(number)
        for number in result.reordered:
            yield self._move(number)
        for row in result.removed:
            summary = f"unassigned «{row.name}» in «{self._title}»"
            yield NewChange("GROUP_UNASSIGNED", summary, self._hierarchy, row.group_id)

    def _update(self, number: int) -> NewChange:
        old, (name, description) = self._met[number], self._values[number]
        assert old is not None
        before = {"code": old.code, "name": old.name, "description": old.description, "status": old.status}
        after = before | {"name": name, "description": description}
        changed = sorted(word for word in before if before[word] != after[word])
        summary = f"changed the {', '.join(changed)} of «{old.name}» ({old.code})"
        if changed == ["name"]:
            summary = f"renamed «{old.name}» to «{name}»"
        return NewChange("GROUP_UPDATED", summary, group=old.id, before=before, after=after)

    def _assignment(self, number: int) -> NewChange:
        node = self._arrangement.nodes[number]
        parent = self._arrangement.parents[node]
        where = "at the top" if parent is None else f"under «{self._name(parent)}»"
        summary = f"assigned «{self._values[number][0]}» {where} in «{self._title}»"
        after = {"nodeId": encode(Kind.NODE, node), **self._place_after(node)}
        return NewChange("GROUP_ASSIGNED", summary, self._hierarchy, self._arrangement.groups[number], after=after)

    def _move(self, number: int) -> NewChange:
        node, name = self._arrangement.nodes[number], self._values[number][0]
        old, parent = self._standing[node], self._arrangement.parents[node]
        if parent == old.parent_id:
            where = "at the top" if parent is None else f"under «{self._name(parent)}»"
            action, summary = "NODES_REORDERED", f"re-ordered «{name}» {where}"
        else:
            origin = "the top" if old.parent_id is None else f"«{self._standing[old.parent_id].name}»"
            goal = "the top" if parent is None else f"«{self._name(parent)}»"
            action, summary = "NODE_MOVED", f"moved «{name}» from {origin} to {goal}"
        parent_name = None if old.parent_id is None else self._standing[old.parent_id].name
        return NewChange(
            action,
            f"{summary} in «{self._title}»",
            self._hierarchy,
            self._arrangement.groups[number],
            before=_place(old.parent_id, parent_name, old.depth),
            after=self._place_after(node),
        )

    def _place_after(self, node: int) -> dict[str, object]:
        parent = self._arrangement.parents[node]
        name = None if parent is None else self._name(parent)
        return _place(parent, name, self._arrangement.depths[node])


def _place(parent: int | None, name: str | None, depth: int) -> dict[str, object]:
    return {"parentId": None if parent is None else encode(Kind.NODE, parent), "parent": name, "depth": depth}


def entry(title: str, hierarchy: int, mode: str, imported: Imported) -> NewChange:
    """The file itself, for the log."""
    counts = {
        "rows": imported.rows,
        "created": imported.created,
        "updated": imported.updated,
        "moved": imported.moved,
        "removed": imported.removed,
        "unchanged": imported.unchanged,
    }
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count and word != "rows")
    summary = f"imported {imported.rows:,} rows into «{title}»: {told or 'nothing changed'}"
    return NewChange("IMPORTED", summary, hierarchy, after={"mode": mode, **counts})
