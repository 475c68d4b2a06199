"""The columns of the list of runs: their titles, and their cells for a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from flowtui import format as fmt
from flowtui.screens.runs.column_plan import CURVE
from flowtui.screens.runs.marks import marked_name
from flowtui.store.compare.directions import Direction
from flowtui.store.leaderboard import ParamShape
from flowtui.store.liveness.standing import Standing
from flowtui.store.run_bests import best_in
from flowtui.store.runs import BEST
from flowtui.store.values import Figures, JsonValue, MetricSummary, Run
from flowtui.widgets.cells import Align, Piece
from flowtui.widgets.frame.frame import state_role
from flowtui.widgets.lists.virtual_table import Cells, Column

FIXED = (
    Column("name", "  name", 24, stretch=2),
    Column("status", "status", 11),
    Column("created", "created", 16),
    Column("duration", "duration", 10, "right"),
    Column("group", "group", 12),
    Column("tags", "tags", 16, stretch=1),
    Column("id", "id", 8),
    Column("source", "source", 20),
    Column("description", "description", 24, stretch=2),
    Column("upload", "registry", 12),
)
FIELDS = tuple(known.key for known in FIXED)
TITLE_CHARS = 300
"""How much of a title is kept: more than fits, because long titles may differ only at the end."""
SPARK_CELLS = 14
"""The width of a column with a curve."""
BEST_SIGN = "★"
"""Stands before the best value of a column, and before the title of a column of best values."""
_FORMS = {"best": "best", "curve": "curve"}
FIGURE_CELLS = (9, 14)
"""The narrowest and the widest column of a metric; the name's length decides."""
POINT_CELLS = len(".1234")
"""What most numbers of four digits take from their decimal points on."""
PARAM_CELLS = (6, 16)
"""The same of a parameter, where the values decide too."""


def column(key: str, is_sorted: bool = False, shape: ParamShape | None = None) -> Column:
    """Return a column by its key: of FIXED, `param.`, `metric.`, `best.` or `curve.` and a name.

    That of the order has room for the arrow beside its title; the shape is that of a parameter.
    """
    for known in FIXED:
        if known.key == key:
            return known
    prefix, _, name = key.partition(".")
    title = fmt.plain(name, TITLE_CHARS)
    if prefix == "curve":
        return Column(key, title, SPARK_CELLS)
    if prefix == "best":
        title = f"{BEST_SIGN} {title}"
    is_number = prefix in ("metric", "best") or (shape is not None and shape.is_number)
    align: Align = "right" if is_number else "left"
    least, most = FIGURE_CELLS if shape is None else PARAM_CELLS
    wanted = max(len(title), 0 if shape is None else shape.chars)
    return Column(key, title, max(least, min(wanted, most)) + 2 * is_sorted, align)


def title(key: str) -> str:
    """Return the whole title of a column, with the form in which it shows a metric."""
    found = column(key).title.strip()
    return f"{found} ({_FORMS[form]})" if (form := key.partition(".")[0]) in _FORMS else found


def needs_figures(columns: Sequence[Column]) -> bool:
    return any(column.key.startswith(("param.", "metric.")) for column in columns)


def summarized(keys: Iterable[str]) -> list[str]:
    """Return the metrics of which columns show more than the last value, each once."""
    found = (key.partition(".")[2] for key in keys if key.startswith((BEST, CURVE)))
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class ListedFigures:
    """What is known of the parameters and metrics of one listed run."""

    figures: Figures = field(default_factory=Figures)
    summaries: Mapping[str, MetricSummary] | None = None
    """The metrics that are shown as best values or curves; None before they are read."""
    is_broken: bool = False
    """Whether these could not be read."""


@dataclass(frozen=True, slots=True)
class Bests:
    """How metrics are better, and the best values of all listed runs, as far as those are known."""

    better: Mapping[str, Direction] = field(default_factory=dict)
    """By the metrics that are columns."""
    values: Mapping[str, float] = field(default_factory=dict)
    """By the key of a column."""


def cells(
    run: Run,
    figures: ListedFigures,
    standing: Standing,
    columns: Sequence[Column],
    bests: Bests,
    letter: str = "",
) -> Cells:
    """Return the cells of a run in these columns; the letter is that of its mark, if it has one."""
    found = [_cell(run, figures, standing, column, bests) for column in columns]
    for place, column in enumerate(columns if letter else ()):
        if column.key == "name":
            found[place] = marked_name(letter, found[place].text.strip())
    return tuple(found)


def _cell(
    run: Run, known: ListedFigures, standing: Standing, column: Column, bests: Bests
) -> Piece:
    key = column.key
    prefix, _, name = key.partition(".")
    figures = known.figures
    if prefix == "metric":
        return _metric_piece(figures.metrics.get(name), column.width, bests.values.get(key))
    if prefix == "param":
        return Piece(
            _param_text(figures.params[name], column.width) if name in figures.params else ""
        )
    if prefix in ("best", "curve"):
        if known.summaries is None:
            return Piece("▲ unread", "attention") if known.is_broken else Piece("…", "muted")
        summary = known.summaries.get(name)
        if prefix == "curve":
            bars = fmt.sparkline(summary.buckets, column.width) if summary is not None else []
            return Piece("".join(bar for bar, _ in bars), "curve-1")
        best = best_in(summary, bests.better.get(name))
        return _metric_piece(best, column.width, bests.values.get(key))
    if key == "status":
        return Piece(fmt.run_state_short(run.status, standing), state_role(run, standing))
    if key == "duration":
        return Piece(fmt.elapsed(standing))
    if run.problems and key in ("tags", "created"):
        return Piece("▲ broken", "attention")
    muted = {
        "created": "" if run.created_at is None else fmt.when_short(run.created_at),
        "group": fmt.plain(run.group_name or "", 60),
        "id": fmt.short_id(run.id),
        "source": fmt.plain(run.source or "", 200),
        "description": fmt.plain(run.description or "", 200),
        "upload": fmt.plain((run.upload_status or "").replace("_", " "), 20),
        "tags": "  ".join(fmt.plain(tag, 40) for tag in run.tags),
    }
    if key in muted:
        return Piece(muted[key], "muted")
    return Piece("  " + fmt.plain(run.name or run.id, 200), "text")


def _param_text(value: JsonValue, cells: int) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # If a number were cut like a text, it would lose its exponent and look like another number.
        return fmt.fitted(value, cells)
    return fmt.json_text(value, 60)


def _metric_piece(value: float | None, cells: int, best: float | None) -> Piece:
    """Return a value, with a sign before it if it is the best of all that are listed."""
    if value is None:
        return Piece("")
    if value == best:
        text = fmt.number(value, 4, keep_zeros=True, cells=cells - len(BEST_SIGN))
        return Piece(_on_point(f"{BEST_SIGN}{text}", cells), "ok")
    text = fmt.number(value, 4, keep_zeros=True, cells=cells)
    return Piece(_on_point(text, cells), "text" if value - value == 0 else "attention")


def _on_point(text: str, cells: int) -> str:
    """Return a number with its point where those of the rows around it have theirs, if it fits.

    The place is the same for all rows, so that no row that comes into sight moves the others.
    """
    whole, point, decimals = text.partition(".")
    if "e" in text or not whole[-1:].isdigit():
        return text
    padded = text + " " * (POINT_CELLS - len(point + decimals))
    return padded if len(padded) <= cells else text
