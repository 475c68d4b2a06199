"""Saving the tables of a comparison into files."""

from __future__ import annotations

from collections.abc import Sequence

from flowtui import format as fmt
from flowtui.reports.comparison import spans as span_report
from flowtui.reports.saving import file_stem, write_atomically
from flowtui.screens.dialogs.export import Export, ExportFormat

FORMATS = (
    ExportFormat("csv", "CSV, a row for each of them", "csv"),
    ExportFormat("jsonl", "JSON lines, an object for each of them", "jsonl"),
    ExportFormat("markdown", "Markdown, a table for a pull request", "md"),
)


def compared_stem(names: Sequence[str], what: str) -> str:
    """Return the stem of a file about compared runs: two names, and how many there are more."""
    others = len(names) - 2
    return file_stem(*names[:2], *([f"and-{others}-more"] if others > 0 else []), what)


def save_spans(totals: span_report.Totals, names: Sequence[str], chosen: Export) -> str:
    """Write what the spans of each name took in the compared runs, and say what was written where.

    Args:
        totals: What was read of the runs, the baseline first.
        names: The names of the runs.
        chosen: The format and the path.

    Raises:
        SaveFailed: The file cannot be written.
    """
    write = {
        "csv": span_report.write_csv,
        "jsonl": span_report.write_lines,
        "markdown": span_report.write_markdown,
    }[chosen.format_key]
    count = write_atomically(chosen.path, lambda out: write(totals, names, out))
    return f"{fmt.count(count, 'name')} to {fmt.plain(str(chosen.path), 200)}"
