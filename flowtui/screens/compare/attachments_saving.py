"""Saves the list of the attachments of compared runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from flowtui import format as fmt
from flowtui.reports.comparison.files import markdown_lines, write_csv, write_json_lines
from flowtui.reports.saving import write_atomically
from flowtui.screens.dialogs.export import Export, ExportFormat
from flowtui.store.compare.files import ComparedFile

FORMATS = (
    ExportFormat("csv", "CSV, one row a file", "csv"),
    ExportFormat("jsonl", "JSON lines, one object a file", "jsonl"),
    ExportFormat("markdown", "Markdown, a table for a pull request", "md"),
)


def save(files: Sequence[ComparedFile], names: Sequence[str], chosen: Export) -> str:
    """Write a file and return a sentence about it.

    Args:
        files: The files that are seen.
        names: The names of the runs, the baseline first.
        chosen: The format and the path.

    Raises:
        SaveFailed: The file cannot be written.
    """

    def write(out: TextIO) -> None:
        if chosen.format_key == "csv":
            write_csv(files, names, out)
        elif chosen.format_key == "jsonl":
            write_json_lines(files, out)
        else:
            out.writelines(markdown_lines(files, names))

    write_atomically(chosen.path, write)
    return f"{fmt.count(len(files), 'file')} to {fmt.plain(str(chosen.path), 200)}"
