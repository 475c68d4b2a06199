"""Saves the rows of the table of facts that are seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from flowtui import format as fmt
from flowtui.reports.comparison.facts import fact_documents, markdown_lines, write_csv
from flowtui.reports.escaped import json_line
from flowtui.reports.saving import write_atomically
from flowtui.screens.dialogs.export import Export, ExportFormat
from flowtui.store.compare.facts import FactRow, FactTable

FORMATS = (
    ExportFormat("csv", "CSV, one row a value", "csv"),
    ExportFormat("jsonl", "JSON lines, one object a row", "jsonl"),
    ExportFormat("markdown", "Markdown, tables for a pull request", "md"),
)


def save(rows: Sequence[FactRow], names: Sequence[str], facts: FactTable, chosen: Export) -> str:
    """Write a file and return a sentence about it.

    Args:
        rows: The rows that are seen.
        names: The names of the runs, the baseline first.
        facts: The whole table.
        chosen: The format and the path.

    Raises:
        SaveFailed: The file cannot be written.
    """

    def write(out: TextIO) -> None:
        if chosen.format_key == "csv":
            write_csv(rows, names, out)
        elif chosen.format_key == "jsonl":
            out.writelines(f"{json_line(one)}\n" for one in fact_documents(rows))
        else:
            out.writelines(markdown_lines(rows, names, facts))

    write_atomically(chosen.path, write)
    return f"{fmt.count(len(rows), 'row')} to {fmt.plain(str(chosen.path), 200)}"
