"""Saving the list of runs as it is seen: its runs in their order, and its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from flowtui import format as fmt
from flowtui.reports.run_table import table_rows, write_table
from flowtui.reports.saving import write_atomically
from flowtui.screens.dialogs.export import Export, ExportFormat
from flowtui.store.compare.directions import Direction
from flowtui.store.runs import RunOrder
from flowtui.store.store import Store

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

FORMATS = (
    ExportFormat("csv", "CSV, one row a run", "csv"),
    ExportFormat("jsonl", "JSON lines, one object a run", "jsonl"),
    ExportFormat("markdown", "Markdown, a table for an issue", "md"),
)


def save(
    store: Store,
    condition: Condition | None,
    order: RunOrder,
    columns: Sequence[str],
    better: Mapping[str, Direction],
    chosen: Export,
) -> str:
    """Write the runs that meet a condition, and return what was written where, in words.

    Raises:
        SaveFailed: The file cannot be written.
        DatabaseError: meta.db cannot be read.
        ReadCancelled: Nobody waits any more; then no file is left behind.
    """
    unread: list[str] = []
    rowids = store.list.ordered(condition, order)
    rows = table_rows(store, rowids, columns, unread)
    count = write_atomically(
        chosen.path, lambda out: write_table(rows, columns, better, chosen.format_key, out)
    )
    lacks = f" ({fmt.count(len(unread), 'run')} could not be read in full)" if unread else ""
    return f"{fmt.count(count, 'run')} to {fmt.plain(str(chosen.path), 200)}{lacks}"
