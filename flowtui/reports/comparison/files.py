"""The attachments of compared runs as CSV, JSON lines and Markdown."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TextIO

from flowtui import format as fmt
from flowtui.reports.escaped import csv_text, json_line, markdown_head, markdown_row, markdown_text
from flowtui.reports.runs import Document
from flowtui.store.compare.files import ComparedFile, HeldFile, count_words
from flowtui.store.compare.run_set import LETTERS


def file_document(one: ComparedFile) -> Document:
    """Return files of one path as a value for JSON."""
    return {
        "path": one.path,
        "sameness": one.sameness.value,
        "runs": [
            None
            if held is None
            else {
                "letter": letter,
                "size_bytes": held.size_bytes,
                "sha256": held.digest or None,
                "problem": held.problem or None,
            }
            for letter, held in zip(LETTERS, one.held, strict=False)
        ],
    }


def write_json_lines(files: Sequence[ComparedFile], out: TextIO) -> None:
    """Write one object a file."""
    out.writelines(f"{json_line(file_document(one))}\n" for one in files)


def write_csv(files: Sequence[ComparedFile], names: Sequence[str], out: TextIO) -> None:
    """Write one row a file, with size and digest of each run."""
    rows = csv.writer(out, lineterminator="\n")
    heads = [f"{letter} {name}" for letter, name in zip(LETTERS, names, strict=False)]
    titles = (f"{head} {what}" for head in heads for what in ("bytes", "sha256"))
    rows.writerow(["path", "sameness", *map(csv_text, titles)])
    for one in files:
        cells = (cell for held in one.held for cell in _csv_cells(held))
        rows.writerow([csv_text(one.path), one.sameness.value, *cells])


def _csv_cells(held: HeldFile | None) -> tuple[object, str]:
    if held is None:
        return "", ""
    return "" if held.size_bytes is None else held.size_bytes, held.problem or held.digest


def markdown_lines(files: Sequence[ComparedFile], names: Sequence[str]) -> Iterator[str]:
    """Yield a table with a line a file, after the counts."""
    counts = " · ".join(count_words(Counter(one.sameness for one in files)))
    yield f"{counts or 'no files'}\n\n"
    heads = [f"{letter} {name}" for letter, name in zip(LETTERS, names, strict=False)]
    yield markdown_head(["", "path", *map(markdown_text, heads)])
    for one in files:
        cells = [_markdown_cell(held) for held in one.held]
        state = one.sameness.value
        if len(one.letters) < len(one.held):
            state = f"only in {' '.join(one.letters)}"
        yield markdown_row([state, markdown_text(one.path), *cells])


def _markdown_cell(held: HeldFile | None) -> str:
    if held is None:
        return "–"
    size = "" if held.size_bytes is None else fmt.size(held.size_bytes)
    return markdown_text(held.problem) if held.problem else size
