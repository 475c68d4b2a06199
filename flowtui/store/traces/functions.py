"""What traces and spans say in their attributes, as functions in SQL: for filters and orders.

They are Python's, so that a filter finds what the list shows, whatever dialect it is written in.
Only those are made that the SQL at hand calls.
"""

from __future__ import annotations

import sqlite3

from flowtui.store import cancelling
from flowtui.store.bounded_json import sql_too_long
from flowtui.store.genai.belonging import BELONGINGS
from flowtui.store.genai.dialects import Meaning, names
from flowtui.store.traces.belongings import belongings
from flowtui.store.traces.exchange import exchange
from flowtui.store.traces.spans import own_title

_ANY_BYTES = 1 << 40
"""A filter reads whatever is stored: what it did not read, it could not rightly leave out."""
INPUT_SQL = "trace_input(trace.rowid)"
OUTPUT_SQL = "trace_output(trace.rowid)"
BELONGING_SQL = {what: f"trace_{what}(trace.rowid)" for what in BELONGINGS}
"""SQL for what a row of the list of traces says and belongs to."""
_TITLED = " or ".join(f"instr({{row}}.attributes, '{key}')" for key in names(Meaning.TITLE))


def title_sql(row: str, present: frozenset[str]) -> str:
    """Return SQL for what a span is called where it is shown; `row` is the name of its table."""
    if "attributes" not in present:
        return f"{row}.name"
    return (
        f"case when {sql_too_long('spans', 'attributes', row)} then {row}.name"
        f" when {_TITLED.format(row=row)} then span_title({row}.attributes, {row}.name)"
        f" else {row}.name end"
    )


def register_said(connection: sqlite3.Connection, sql: str) -> None:
    """Make the functions known that some SQL calls; reading what traces belong to takes a pass."""
    if "span_title(" in sql:
        connection.create_function("span_title", 2, own_title, deterministic=True)
    if INPUT_SQL in sql or OUTPUT_SQL in sql:
        said = _Exchanges(connection)
        connection.create_function("trace_input", 1, cancelling.not_lost(said.input))
        connection.create_function("trace_output", 1, cancelling.not_lost(said.output))
    for what, call in BELONGING_SQL.items():
        if call in sql:
            connection.create_function(f"trace_{what}", 1, belongings(connection, what).get)


class _Exchanges:
    """Reads what a trace says when a filter asks for it; a condition asks for one several times."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._last: tuple[int, str | None, str | None] | None = None

    def input(self, rowid: int) -> str | None:
        return self._of(rowid)[1]

    def output(self, rowid: int) -> str | None:
        return self._of(rowid)[2]

    def _of(self, rowid: int) -> tuple[int, str | None, str | None]:
        if self._last is None or self._last[0] != rowid:
            row = self._connection.execute(
                "select cast(trace_id as blob) from spans where rowid = ?", [rowid]
            ).fetchone()
            said = None if row is None else exchange(self._connection, row[0], _ANY_BYTES)
            self._last = (rowid, None, None) if said is None else (rowid, said.input, said.output)
        return self._last
