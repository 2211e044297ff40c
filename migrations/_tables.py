"""Operations that write their SQL themselves, since CreateModel drops checks, collations and expression indexes.

`CreateTable` tells the migration state of a model as CreateModel does, and runs the given statements instead
of generated ones. In the statements, {key} is a text column that compares bytewise, {at} an instant,
{json} a JSON value and {bytes} a string of bytes, in the words of the database at hand.
"""

from typing import Any

from tortoise.migrations.operations import CreateModel, TortoiseOperation

WORDS = {
    "postgres": {
        "key": 'text COLLATE "C"',
        "at": "timestamptz",
        "json": "jsonb",
        "bytes": "bytea",
        "clustered": "",
    },
    "sqlite": {"key": "text", "at": "TIMESTAMP", "json": "text", "bytes": "blob", "clustered": "WITHOUT ROWID"},
}


async def run(state_editor: Any, statements: list[str]) -> None:
    """Runs the statements one by one in the words of the database at hand."""
    words = WORDS[state_editor.client.capabilities.dialect]
    for statement in statements:
        text = statement.format(**words)
        if state_editor.collect_sql:
            state_editor.collected_sql.append(text)
        else:
            # Not execute_script: on SQLite that commits the migration's transaction halfway.
            await state_editor.client.execute_query(text)


class CreateTable(CreateModel):
    """A model's table, made by these statements, the first of which creates it."""

    def __init__(self, name: str, fields: list[tuple[str, Any]], table: str, statements: list[str]) -> None:
        super().__init__(name, fields, {"table": table, "app": "grove", "pk_attr": "id"})
        self.table = table
        self.statements = statements

    async def database_forward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        await run(state_editor, self.statements)

    async def database_backward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        await run(state_editor, [f"DROP TABLE {self.table}"])


class RunStatements(TortoiseOperation):
    """Statements for what no model speaks of: the tables with keys of two columns, and a sequence."""

    def __init__(self, forward: dict[str, list[str]], backward: dict[str, list[str]]) -> None:
        self.forward = forward
        self.backward = backward

    def describe(self) -> str:
        return "Run statements"

    async def database_forward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        await run(state_editor, self.forward[state_editor.client.capabilities.dialect])

    async def database_backward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        await run(state_editor, self.backward[state_editor.client.capabilities.dialect])
