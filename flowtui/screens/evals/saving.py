"""Saving the samples of a view, in its order and with its columns.

JSON lines keep every value as it is; `flowtui/reports/escaped.py` says what CSV and Markdown do.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from flowtui import format as fmt
from flowtui.reports.escaped import csv_text, json_line, markdown_head, markdown_row, markdown_text
from flowtui.reports.runs import time_text
from flowtui.reports.saving import write_atomically
from flowtui.screens.dialogs.export import Export, ExportFormat
from flowtui.store import cancelling
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.values import Annotation
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.orders import SampleOrder
from flowtui.store.samples.values import JSON_COLUMNS, Sample
from flowtui.store.values import JsonValue

if TYPE_CHECKING:
    from flowtui.store.filters import Condition

PAGE_SAMPLES = 200
"""How many samples are read at a time."""
FORMATS = (
    ExportFormat("csv", "CSV, one row a sample", "csv"),
    ExportFormat("jsonl", "JSON lines, one object a sample", "jsonl"),
    ExportFormat("markdown", "Markdown, a table for an issue", "md"),
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _SampleRow:
    sample: Sample
    annotations: tuple[Annotation, ...]


def save(
    run: OpenRun,
    dataset: str | None,
    condition: Condition | None,
    order: SampleOrder,
    columns: Sequence[str],
    chosen: Export,
    progress: Progress,
) -> str:
    """Write samples to a file, and return what was written where, in words.

    Args:
        run: The run of the samples.
        dataset: The id of an eval set; None for all sets.
        condition: Which samples to write; None for all.
        order: The order of the samples.
        columns: `id`, `dataset`, `created`, `updated`, `traces`, `annotations`, a JSON column, or
            one of its keys such as `scores.accuracy`.
        chosen: The format and the path.
        progress: Is called in this thread with (rows read, all rows), before each page and at the
            end.

    Raises:
        SaveFailed: The file cannot be written.
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more; then no file is left behind.
    """
    keys = run.ask(sample_rows.ordered, dataset, condition, order)

    def pages() -> Iterator[_SampleRow]:
        has_notes = "annotations" in columns
        for start in range(0, len(keys), PAGE_SAMPLES):
            cancelling.check()
            progress(start, len(keys))
            page = keys[start : start + PAGE_SAMPLES]
            samples = run.ask(sample_rows.at, page, sample_rows.WHOLE)
            for key in page:
                if key in samples:
                    sample = samples.pop(key)
                    is_annotated = has_notes and sample.annotation_count
                    notes = (
                        run.ask(annotation_rows.of_target, sample.target) if is_annotated else ()
                    )
                    yield _SampleRow(sample, notes)
        progress(len(keys), len(keys))

    write = {"csv": _write_csv, "jsonl": _write_lines, "markdown": _write_markdown}
    written = write[chosen.format_key]
    count = write_atomically(chosen.path, lambda out: written(pages(), columns, out))
    return f"{fmt.count(count, 'sample')} to {fmt.plain(str(chosen.path), 200)}"


def value_of(sample: Sample, column: str) -> JsonValue:
    """Return the value of a sample in a column; None if it has no value there.

    `a.b` means the key `a.b` if there is one, and otherwise the key `b` in the object `a`.
    """
    match column:
        case "id":
            return sample.id
        case "dataset":
            return sample.dataset_id
        case "created":
            return time_text(sample.created_at)
        case "updated":
            return time_text(sample.updated_at)
        case "traces":
            return list(sample.trace_ids)
    name, _, key = column.partition(".")
    if name not in JSON_COLUMNS:
        return None
    value = sample.value(name)
    return _inside(value, key) if key else value


def _inside(value: JsonValue, path: str) -> JsonValue:
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    first, _, rest = path.partition(".")
    return _inside(value.get(first), rest) if rest else None


def _cell(row: _SampleRow, column: str) -> JsonValue:
    if column != "annotations":
        return value_of(row.sample, column)
    return [
        {
            "name": note.name,
            "kind": note.kind,
            "value": note.value,
            "rationale": note.rationale,
            "user": note.user,
            "created_at": time_text(note.created_at),
        }
        for note in row.annotations
    ]


def _write_lines(rows: Iterator[_SampleRow], columns: Sequence[str], out: TextIO) -> int:
    count = 0
    for row in rows:
        out.write(json_line({column: _cell(row, column) for column in columns}) + "\n")
        count += 1
    return count


def _write_csv(rows: Iterator[_SampleRow], columns: Sequence[str], out: TextIO) -> int:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_text(column) for column in columns])
    count = 0
    for row in rows:
        writer.writerow([_csv_cell(_cell(row, column)) for column in columns])
        count += 1
    return count


def _csv_cell(value: JsonValue) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, str):
        return csv_text(value)
    text = json_line(value)
    # NaN and infinities are JSON strings here, and lose their quotes.
    return text.strip('"') if isinstance(value, float) else text


def _write_markdown(rows: Iterator[_SampleRow], columns: Sequence[str], out: TextIO) -> int:
    out.write(markdown_head([markdown_text(column) for column in columns]))
    count = 0
    for row in rows:
        out.write(markdown_row([_markdown_cell(row, column) for column in columns]))
        count += 1
    return count


def _markdown_cell(row: _SampleRow, column: str) -> str:
    if column == "annotations":
        notes = (f"{note.name} {fmt.json_text(note.value)} ({note.user})"
                 for note in row.annotations)  # fmt: skip
        return markdown_text("; ".join(notes))
    value = value_of(row.sample, column)
    if value is None or value == []:
        return ""
    if column == "traces":
        return markdown_text(" ".join(row.sample.trace_ids))
    if isinstance(value, (list, dict)):
        return markdown_text(json.dumps(value, ensure_ascii=False))
    return markdown_text(value if isinstance(value, str) else fmt.json_text(value))
