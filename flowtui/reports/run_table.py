"""The list of runs as a table: printed for a person, as CSV, JSON lines or Markdown.

A column is a key as the list of runs has it: a field of a run, `param.KEY`, `metric.KEY` (its last
value), `best.KEY` (the best value of the whole run), or any other name that a filter takes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, TextIO

from flowtui import clock
from flowtui import format as fmt
from flowtui.reports.data_output import data_out
from flowtui.reports.escaped import csv_text, json_line, markdown_head, markdown_row, markdown_text
from flowtui.reports.filter_remarks import sorted_field, tell, under
from flowtui.reports.runs import dumps, listed_document, table, time_text
from flowtui.reports.usage import WrongUsage, raise_if_in_part
from flowtui.store import leaderboard
from flowtui.store import runs as run_rows
from flowtui.store.cancelling import check
from flowtui.store.compare.directions import Direction, direction
from flowtui.store.liveness.standing import Standing
from flowtui.store.run_bests import best_in
from flowtui.store.runs import BEST, SORTABLE, RunOrder
from flowtui.store.store import Store
from flowtui.store.values import Figures, JsonValue, MetricSummary, Run

if TYPE_CHECKING:
    pass

PAGE_RUNS = 200
"""How many runs are read at a time."""
CURVE, METRIC, PARAM = "curve.", "metric.", "param."
CURVE_CELLS = 14
FIELDS = (
    "id", "name", "status", "created", "duration", "group", "tags", "source", "description",
    "upload",
)  # fmt: skip
"""The columns that every run has."""
DEFAULT_FIGURES = 4
"""How many parameters, and how many metrics, are printed by default."""
CELL_CHARACTERS = 40
BEST_MARK = "★"
_CALLED = {"created_at": "created", "group_name": "group"}
"""Columns to which the filter language gives another name."""
Style = Literal["text", "csv", "json"]
Directions = Mapping[str, str]
"""The directions that a person has chosen, by name."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """What is known of one run, for the cells of its row."""

    run: Run
    standing: Standing
    figures: Figures
    summaries: Mapping[str, MetricSummary]
    """The metrics of which more than the last value is shown."""

    def value(self, column: str, better: Mapping[str, Direction]) -> JsonValue:
        """Return the value in a column, None for none."""
        prefix, _, name = column.partition(".")
        run = self.run
        if column.startswith(BEST):
            return best_in(self.summaries.get(name), better.get(name))
        if column.startswith(CURVE):
            summary = self.summaries.get(name)
            bars = fmt.sparkline(summary.buckets, CURVE_CELLS) if summary is not None else []
            return "".join(bar for bar, _ in bars) or None
        if column in FIELDS:
            known: dict[str, JsonValue] = {
                "created": time_text(run.created_at),
                "duration": run.duration_s,
                "group": run.group_name,
                "tags": list(run.tags),
                "upload": run.upload_status,
            }
            return known[column] if column in known else getattr(run, column)
        if prefix == "metric":
            return self.figures.metrics.get(name)
        return field_value(run, self.figures, column)


def field_value(run: Run, figures: Figures, name: str) -> JsonValue:
    """Return what a run has under a name of the filter language, None for nothing."""
    from flowtui.store.filters import RUN_FIELDS

    for of_run in RUN_FIELDS.resolve(name):
        key = of_run.name.partition(".")[2]
        value: JsonValue = None
        if of_run.what == "metric":
            value = figures.metrics.get(key)
        elif of_run.what == "parameter":
            value = under(figures.params, key)
        elif not of_run.what:
            value = getattr(run, of_run.name, None)
        if value is not None:
            return value
    return None


def table_rows(
    store: Store, rowids: Sequence[int], columns: Sequence[str], unread: list[str] | None = None
) -> Iterator[TableRow]:
    """Yield the rows of runs in order, page by page; runs that are gone are left out.

    Args:
        store: The store.
        rowids: The runs.
        columns: The columns, which decide what is read of a run.
        unread: Gets a sentence for each run of which something could not be read.

    Raises:
        DatabaseError: meta.db cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    metrics = [key.partition(".")[2] for key in columns if key.startswith((BEST, CURVE))]
    needs_figures = any(key not in FIELDS for key in columns)
    problems = unread if unread is not None else []
    for start in range(0, len(rowids), PAGE_RUNS):
        check()
        page = rowids[start : start + PAGE_RUNS]
        by_rowid = store.ask(run_rows.at, page)
        runs = [by_rowid[rowid] for rowid in page if rowid in by_rowid]
        known = store.standings(runs, clock.now())
        figures = store.list.figures([run.id for run in runs]) if needs_figures else {}
        for run in runs:
            of_run = figures.get(run.id, Figures())
            summaries = store.list.bests.summaries(run.id, metrics) if metrics else {}
            if of_run.problem:
                problems.append(of_run.problem)
            elif summaries is None:
                problems.append(f"the metrics of {run.id} cannot be read")
            yield TableRow(run, known[run.id], of_run, summaries or {})


# Files and CSV -------------------------------------------------------------------------------


def write_table(
    rows: Iterator[TableRow],
    columns: Sequence[str],
    better: Mapping[str, Direction],
    form: str,
    out: TextIO,
) -> int:
    """Write runs as `csv`, `jsonl` or `markdown`, and return how many."""
    writer = csv.writer(out, lineterminator="\n")
    if form == "csv":
        writer.writerow([csv_text(column) for column in columns])
    elif form == "markdown":
        out.write(markdown_head([markdown_text(column) for column in columns]))
    count = 0
    for row in rows:
        values = [row.value(column, better) for column in columns]
        if form == "csv":
            writer.writerow([_csv_value(value) for value in values])
        elif form == "markdown":
            out.write(markdown_row([markdown_text(_text(value)) for value in values]))
        else:
            out.write(json_line(dict(zip(columns, values, strict=True))) + "\n")
        count += 1
    return count


def _csv_value(value: JsonValue) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return csv_text(" ".join(map(str, value)))
    if isinstance(value, str):
        return csv_text(value)
    text = json_line(value)
    # NaN and infinities are JSON strings here, and lose their quotes.
    return text.strip('"') if isinstance(value, float) else text


def _text(value: JsonValue) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return " ".join(map(str, value))
    return value if isinstance(value, str) else fmt.json_text(value)


# Printing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which runs are printed, in which order, and with which columns."""

    filter_text: str = ""
    """As on the list's filter line; blank for all."""
    sort: str = "-created"
    """A column, with a minus before it for descending order."""
    limit: int | None = None
    """How many runs at most; None for all."""
    columns: str = ""
    """Columns with commas between them; empty for the usual ones."""
    usual: tuple[str, ...] = ()
    """The columns of the person's settings, of which a store may lack some; none for what matters.
    """
    style: Style = "text"
    chosen: Directions | None = None
    """The directions of metrics that a person has chosen."""


def print_runs(store: Store, wanted: ListRequest) -> None:
    """Print the runs that a filter leaves, as text, CSV, or a JSON array.

    Raises:
        WrongUsage: There is no such column.
        FilterError: The filter is not understood.
        PrintedInPart: Parameters or metrics that were asked for could not be read for some run.
    """
    condition = None
    if wanted.filter_text.strip():
        from flowtui.store.filters import run_condition

        condition = run_condition(wanted.filter_text)
    is_descending = wanted.sort.startswith("-")
    sorted_by = _column(store, wanted.sort.removeprefix("-"), "--sort")
    asked = [_column(store, name, "--columns") for name in _names(wanted.columns)]
    usual = [] if asked else _usual(store, wanted)
    better = _better(store, [sorted_by, *asked, *usual], wanted.chosen)
    order = RunOrder(sorted_by, is_descending, better.get(sorted_by.removeprefix(BEST)))
    listed = store.list.ordered(condition, order)
    tell(store.list.remarks(condition))
    rowids = listed[: wanted.limit]
    unread: list[str] = []
    rows = partial(table_rows, store, rowids, unread=unread)
    if wanted.style == "json" and not asked:
        documents = [
            listed_document(row.run, row.standing, row.figures) for row in rows(("metrics",))
        ]
        print(dumps(documents))
    else:
        columns = asked or usual or _default(store, listed, wanted.chosen)
        # Runs can be sorted by metadata, which is not part of what is read of them.
        if sorted_by not in columns and not sorted_by.startswith("metadata."):
            columns.insert(2 if not asked else len(columns), sorted_by)
        if wanted.style == "csv":
            write_table(rows(columns), columns, better, "csv", data_out())
        elif wanted.style == "json":
            values = [{key: row.value(key, better) for key in columns} for row in rows(columns)]
            print(dumps(values))
        else:
            bests = _bests(store, listed, columns, wanted.chosen)
            arrow = (sorted_by, is_descending)
            for line in table_text(rows(columns), columns, better, bests, arrow):
                print(line)
    raise_if_in_part(dict.fromkeys((*store.list.unread(condition, order), *unread)))


def _names(columns: str) -> list[str]:
    """Return the names of columns with commas between them; a name in backquotes may have one."""
    parts: list[str] = []
    is_quoted = False
    name = ""
    for char in columns:
        is_quoted ^= char == "`"
        if char == "," and not is_quoted:
            parts.append(name)
            name = ""
        else:
            name += char
    return list(dict.fromkeys(part.strip() for part in (*parts, name) if part.strip()))


def _column(store: Store, name: str, option: str) -> str:
    """Return the key of a column by the name that a person typed.

    Raises:
        WrongUsage: There is none.
    """
    if name in SORTABLE or (option == "--columns" and name in FIELDS):
        return name
    if name.startswith(BEST) and name not in store.ask(run_rows.figure_keys)[1]:
        metric = _column(store, f"metric.{name.removeprefix(BEST)}", option)
        return f"{BEST}{metric.removeprefix('metric.')}"
    from flowtui.store.filters import RUN_FIELDS

    found = sorted_field(name, RUN_FIELDS, SORTABLE, _CALLED, store.list.remarks, option)
    if option == "--columns" and found.startswith("metadata."):
        raise WrongUsage(f"--columns {name!r}: metadata cannot be a column; filter or sort by it")
    return found


def _better(
    store: Store, columns: Sequence[str], chosen: Directions | None
) -> dict[str, Direction]:
    """Return in which direction the metrics of columns of best values are better.

    Raises:
        WrongUsage: Nobody knows it of one of them.
    """
    found = {}
    for name in (key.removeprefix(BEST) for key in columns if key.startswith(BEST)):
        way = direction(name, chosen)
        if way is None:
            raise WrongUsage(
                f"which value of {name!r} is best is not known: sort by it in the list, press b, "
                "and choose whether it is better higher or lower"
            )
        found[name] = way
    return found


def _usual(store: Store, wanted: ListRequest) -> list[str]:
    if not wanted.usual:
        return []
    params, metrics = store.ask(run_rows.figure_keys)
    known = [name for name in metrics if direction(name, wanted.chosen) is not None]
    found = leaderboard.named_columns(wanted.usual, params, metrics, FIELDS)
    return [key for key in found if not key.startswith(BEST) or key.removeprefix(BEST) in known]


def _default(store: Store, listed: Sequence[int], chosen: Directions | None) -> list[str]:
    telling = store.ask(leaderboard.telling_keys, listed, chosen)
    metrics = [f"{METRIC}{key}" for key in telling.metrics[:DEFAULT_FIGURES]]
    params = [f"{PARAM}{key}" for key in telling.columns[:DEFAULT_FIGURES]]
    return ["id", "name", *metrics, *params, "status", "created", "duration", "group", "tags"]


def _bests(
    store: Store, listed: Sequence[int], columns: Sequence[str], chosen: Directions | None
) -> dict[str, float]:
    """Return the best of the last values by column, of all listed runs."""
    names = [key.removeprefix(METRIC) for key in columns if key.startswith(METRIC)]
    better = {name: way for name in names if (way := direction(name, chosen)) is not None}
    found = store.list.best_runs(listed, better)
    return {f"{METRIC}{name}": value for name, value in found.items()}


def table_text(
    rows: Iterator[TableRow],
    columns: Sequence[str],
    better: Mapping[str, Direction],
    bests: Mapping[str, float],
    sorted_by: tuple[str, bool],
) -> Iterator[str]:
    """Yield a table of runs, a line a run; what it is sorted by has an arrow.

    Args:
        rows: The runs in order.
        columns: The columns.
        better: In which direction metrics are better whose best values are shown.
        bests: The best values of columns, which get a mark.
        sorted_by: The sorted column, and whether it is descending.
    """
    arrow = "↓" if sorted_by[1] else "↑"
    heads = [f"{_title(key)} {arrow}" if key == sorted_by[0] else _title(key) for key in columns]
    lines: list[Sequence[str]] = [heads]
    for row in rows:
        lines.append([_cell(row, key, better, bests) for key in columns])
    return table(lines)


def _title(column: str) -> str:
    name = column.removeprefix(METRIC).removeprefix(PARAM)
    return fmt.plain(name, 60)


def _cell(
    row: TableRow, column: str, better: Mapping[str, Direction], bests: Mapping[str, float]
) -> str:
    run = row.run
    shown: dict[str, Callable[[], str]] = {
        "id": lambda: fmt.short_id(run.id),
        "name": lambda: fmt.plain(run.name, 60),
        "status": lambda: fmt.run_state(run.status, row.standing),
        "created": lambda: "" if run.created_at is None else fmt.when_short(run.created_at),
        "duration": lambda: fmt.elapsed(row.standing),
        "tags": lambda: " ".join(fmt.plain(tag, 40) for tag in run.tags),
    }
    if column in shown:
        return shown[column]()
    value = row.value(column, better)
    if value is None:
        return ""
    text = fmt.number(value) if isinstance(value, float) else fmt.json_text(value, CELL_CHARACTERS)
    return f"{BEST_MARK}{text}" if value == bests.get(column, None) else text
