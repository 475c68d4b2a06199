"""The table of facts of a comparison as text, Markdown, CSV, and JSON.

The documents of `fact_documents` are described in docs/json.md and stable, as those of runs are.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from flowtui import format as fmt
from flowtui.reports.comparison.fact_texts import (
    FigureLine,
    by_kind,
    count_words,
    csv_value_text,
    cut_apart,
    delta_text,
    figure_lines,
    figure_texts,
    pair_words,
    point_of,
    sameness_words,
    seen_rows,
    value_texts,
)
from flowtui.reports.escaped import csv_text, markdown_head, markdown_row, markdown_text
from flowtui.reports.runs import Document, table
from flowtui.store.compare.fact_values import (
    Delta,
    FactCell,
    FactValue,
    MetricFigures,
    Missing,
)
from flowtui.store.compare.facts import FactKind, FactRow, FactTable
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.values import Point

NAME_CHARS = 200
TEXT_CELLS = 60
"""The widest column of a run in lines for a person; Markdown has room for more."""
NOTHING = "Nothing differs."
_SECTIONS = {
    FactKind.PARAMETERS: "parameter",
    FactKind.METRICS: "metric",
    FactKind.ABOUT: "run",
    FactKind.FILES: "file",
    FactKind.MODELS: "model",
}


@dataclass(frozen=True, slots=True)
class _TextRow:
    """A line of a table: a name, a text a run, and how each run stands to the baseline."""

    name: str
    texts: Sequence[str]
    changes: Sequence[str]


def text_lines(facts: FactTable, run_count: int, shows_all: bool = False) -> Iterator[str]:
    """Yield the table as lines for a person: what differs, or all.

    Args:
        facts: The table.
        run_count: How many runs are compared.
        shows_all: Whether rows that are equal are lines too.
    """
    yield ", ".join(count_words(facts.counts())) or NOTHING
    yield from (f"▲ {fmt.plain(problem, 2_000)}" for problem in facts.problems)
    letters = LETTERS[:run_count]
    for kind, rows in by_kind(seen_rows(facts, shows_all)).items():
        yield ""
        yield f"{kind}  {' · '.join(count_words(facts.counts(kind)))}"
        heads = ["", letters[0]]
        for letter in letters[1:]:
            heads += [letter, ""]
        lines = [heads]
        for row in rows:
            for line in _text_rows(row):
                texts = cut_apart(line.texts, [TEXT_CELLS] * run_count)
                cells = [line.name, texts[0]]
                for text, change in zip(texts[1:], line.changes[1:], strict=True):
                    cells += [text, change]
                lines.append(cells)
        yield from table(lines)


def markdown_lines(
    rows: Sequence[FactRow], names: Sequence[str], facts: FactTable
) -> Iterator[str]:
    """Yield rows as tables of Markdown, one a section, under how many rows differ.

    Args:
        rows: The rows that are seen.
        names: The names of the runs, the baseline first.
        facts: The whole table, whose rows are counted.
    """
    heads = [f"{letter} {name}" for letter, name in zip(LETTERS, names, strict=False)]
    yield f"{', '.join(count_words(facts.counts())) or NOTHING}\n"
    yield from (f"\n▲ {markdown_text(problem)}\n" for problem in facts.problems)
    for kind, of_kind in by_kind(rows).items():
        yield "\n"
        yield markdown_head([str(kind), *map(markdown_text, heads)])
        for row in of_kind:
            for line in _text_rows(row):
                cells = [markdown_text(line.name), markdown_text(line.texts[0])]
                for text, change in zip(line.texts[1:], line.changes[1:], strict=True):
                    said = f" ({change})" if change and kind is FactKind.METRICS else ""
                    cells.append(markdown_text(text) + said)
                yield markdown_row(cells)


def _text_rows(row: FactRow) -> Iterator[_TextRow]:
    name = fmt.plain(row.name, NAME_CHARS)
    if row.kind is not FactKind.METRICS:
        changes = [pair_words(row, index) if index else "" for index in range(len(row.cells))]
        yield _TextRow(name, value_texts(row), changes)
        return
    for index, line in enumerate(figure_lines(row)):
        changes = [delta_text(change) for change in line.deltas] or [""] * len(row.cells)
        yield _TextRow(f"  {line.what}" if index else name, figure_texts(line), changes)


# For programs --------------------------------------------------------------------------------


def write_csv(rows: Sequence[FactRow], names: Sequence[str], out: TextIO) -> None:
    """Write rows with a column a run, and one a candidate with its difference to the baseline.

    A value that a run does not have is an empty cell. Texts are as they are, except for those that
    read as something else, such as `"1"`; they and all other values are written as in JSON.
    """
    letters = LETTERS[: len(names)]
    heads = [csv_text(f"{letter} {name}") for letter, name in zip(letters, names, strict=True)]
    written = csv.writer(out, lineterminator="\n")
    deltas = [f"{letter} - A" for letter in letters[1:]]
    written.writerow(["section", "name", "figure", "state", *heads, *deltas])
    for row in rows:
        section, name = _SECTIONS[row.kind], csv_text(row.name)
        if row.kind is FactKind.METRICS:
            for line in figure_lines(row):
                values = [_csv_number(value) for value in line.values]
                apart = _csv_deltas(line, len(names))
                written.writerow([section, name, line.what, sameness_words(row), *values, *apart])
        else:
            cells = [_csv_value(cell) for cell in row.cells]
            rest = [""] * len(deltas)
            written.writerow([section, name, "", sameness_words(row), *cells, *rest])


def _csv_number(value: object) -> str:
    return fmt.exact(value) if isinstance(value, float) else ""


def _csv_deltas(line: FigureLine, run_count: int) -> list[str]:
    deltas = line.deltas[1:] or (None,) * (run_count - 1)
    return ["" if one is None or one.value is None else fmt.exact(one.value) for one in deltas]


def _csv_value(cell: FactCell) -> str:
    return csv_value_text(cell.value) if isinstance(cell, FactValue) else ""


def fact_documents(rows: Sequence[FactRow]) -> list[Document]:
    """Return rows as values for JSON, an object a row; a run without a value has none in it."""
    return [_document(row) for row in rows]


def counts_document(facts: FactTable) -> Document:
    """Return how many rows differ and how many do not, by section."""

    def of(kind: FactKind | None) -> Document:
        counts = facts.counts(kind)
        only: Counter[str] = Counter()
        for (having, _lacking), number_of in counts.only.items():
            only[having] += number_of
        return {
            "differ": counts.differ,
            "equal": counts.equal,
            "only": dict(only),
            "not_compared": counts.not_compared,
        }

    return {"all": of(None), **{_SECTIONS[kind]: of(kind) for kind in FactKind}}


def _document(row: FactRow) -> Document:
    cells = dict(zip(LETTERS, row.cells, strict=False))
    made: Document = {
        "section": _SECTIONS[row.kind],
        "name": row.name,
        "path": [
            step.decode("utf-8", "replace") if isinstance(step, bytes) else step
            for step in row.path
        ],
        "state": row.sameness.name.lower(),
        "values": {
            letter: _json_value(row, cell)
            for letter, cell in cells.items()
            if not isinstance(cell, Missing)
        },
        "unread": [letter for letter, cell in cells.items() if cell is Missing.UNREAD],
    }
    problems = {
        letter: cell.problem
        for letter, cell in cells.items()
        if isinstance(cell, FactValue) and cell.problem
    }
    if problems:
        made["problems"] = problems
    if row.kind is FactKind.METRICS:
        made["direction"] = None if row.direction is None else str(row.direction)
        made["deltas"] = {
            letter: {
                "last": _delta_document(row.last_delta(index)),
                "best": _delta_document(row.best_delta(index)),
            }
            for index, letter in enumerate(cells)
            if index
        }
    return made


def _json_value(row: FactRow, cell: FactCell) -> object:
    if isinstance(cell, FactValue):
        return cell.value
    assert isinstance(cell, MetricFigures)
    figures: Document = {
        what: _point_document(point_of(row, cell, what)) for what in ("last", "best", "min", "max")
    }
    if (summary := cell.summary) is not None:
        figures["count"] = summary.count
        figures["nan_count"] = summary.nan_count
        figures["inf_count"] = summary.inf_count
    return figures


def _point_document(point: Point | None) -> Document | None:
    return None if point is None else {"step": point.step, "value": point.value}


def _delta_document(change: Delta | None) -> Document | None:
    return None if change is None else {"change": change.change.value, "value": change.value}
