"""What the spans of each name took in the compared runs, as text, Markdown, CSV and JSON lines.

The documents are described in docs/json.md and stable. Durations are nanoseconds in them, cost is
in US dollars.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from flowtui import format as fmt
from flowtui.reports.escaped import csv_text, json_line, markdown_head, markdown_row, markdown_text
from flowtui.reports.runs import Document, table
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.compare.spans import SpanTotals, span_changes

Totals = Sequence[Mapping[str, SpanTotals]]
"""By run, the baseline first: what the spans of each name add up to."""
_FIGURES = ("count", "errors", "p50_ns", "p95_ns", "total_ns", "tokens", "cost_usd")
NAME_CELLS = 60


def ordered_names(totals: Totals) -> list[str]:
    """Return the names of all runs: the largest change in any candidate first."""
    changes: dict[str, int] = {}
    for candidate in totals[1:]:
        for change in span_changes(totals[0], candidate):
            found = abs(change.total_ns_change)
            changes[change.name] = max(found, changes.get(change.name, 0))
    return sorted(changes, key=lambda name: -changes[name])


def figures(of: SpanTotals | None) -> Document | None:
    """Return the figures of the spans of one name; None where a run has none."""
    if of is None:
        return None
    return {
        "count": of.count,
        "errors": of.error_count,
        "p50_ns": of.percentile_ns(0.5),
        "p95_ns": of.percentile_ns(0.95),
        "total_ns": of.total_ns,
        "tokens": of.tokens,
        "cost_usd": of.cost,
        "unread_span_count": of.unread_count,
    }


def span_documents(totals: Totals) -> list[Document]:
    """Return a document a name."""
    return [
        {
            "name": name,
            "runs": {
                letter: figures(of.get(name)) for letter, of in zip(LETTERS, totals, strict=False)
            },
        }
        for name in ordered_names(totals)
    ]


def text_lines(totals: Totals) -> Iterator[str]:
    """Yield a table with a line for each name and run."""
    yield "Spans by name, the largest change of the time in all first"
    yield from table(
        [("", "", "count", "errors", "p50", "p95", "tokens", "cost $"), *_text_rows(totals)]
    )


def _text_rows(totals: Totals) -> Iterator[tuple[str, ...]]:
    for name in ordered_names(totals):
        for number, (letter, of_run) in enumerate(zip(LETTERS, totals, strict=False)):
            shown = fmt.plain(name, NAME_CELLS) or "(no name)"
            yield ("" if number else shown, letter, *_texts(of_run.get(name)))


def _texts(of: SpanTotals | None) -> tuple[str, ...]:
    if of is None:
        return ("absent", "", "", "", "", "")
    return (
        f"{of.count:,}",
        f"{of.error_count:,}",
        *("" if ns is None else fmt.duration(ns / 1e9)
          for ns in (of.percentile_ns(0.5), of.percentile_ns(0.95))),
        fmt.tokens(of.tokens, of.unread_count),
        "" if of.cost is None else fmt.number(of.cost, 4),
    )  # fmt: skip


def write_markdown(totals: Totals, names: Sequence[str], out: TextIO) -> int:
    """Write a table with a row for each name and run, and return how many names there are."""
    heads = ("span", "run", "count", "errors", "p50", "p95", "tokens", "cost $")
    out.write(markdown_head(heads))
    for name in ordered_names(totals):
        for letter, of_run, run in zip(LETTERS, totals, names, strict=False):
            texts = map(markdown_text, (name, f"{letter} {run}", *_texts(of_run.get(name))))
            out.write(markdown_row(list(texts)))
    return len(ordered_names(totals))


def write_csv(totals: Totals, names: Sequence[str], out: TextIO) -> int:
    """Write a row for each name and run, and return how many names there are."""
    written = csv.writer(out, lineterminator="\n")
    written.writerow(["name", "letter", "run", *_FIGURES])
    for name in ordered_names(totals):
        for letter, of_run, run in zip(LETTERS, totals, names, strict=False):
            found = figures(of_run.get(name)) or {}
            cells = ["" if found.get(key) is None else found[key] for key in _FIGURES]
            written.writerow([csv_text(name), letter, csv_text(run), *cells])
    return len(ordered_names(totals))


def write_lines(totals: Totals, names: Sequence[str], out: TextIO) -> int:
    """Write a JSON line a name, and return how many there are."""
    documents = span_documents(totals)
    for document in documents:
        named = dict(zip(LETTERS, names, strict=False))
        out.write(json_line({**document, "names": named}) + "\n")
    return len(documents)
