"""The columns of the list of runs: their titles, and their cells for a run."""

from __future__ import annotations

from collections.abc import Sequence

from flowtui import format as fmt
from flowtui.screens.runs.marks import marked_name
from flowtui.store.liveness.standing import Standing
from flowtui.store.metrics.listing import goal
from flowtui.store.values import Figures, JsonValue, Run
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
DEFAULT = ("name", "status", "created", "duration")
DEFAULT_METRICS = 3
"""How many metrics are columns by default."""
TITLE_CHARS = 300
"""How much of a title is kept: more than fits, because long titles may differ only at the end."""
FIGURE_CELLS = (9, 14)
"""The narrowest and the widest column of a parameter or metric; the name's length decides."""


def column(key: str) -> Column:
    """Return a column by its key: a key of FIXED, `param.KEY` or `metric.KEY`."""
    for known in FIXED:
        if known.key == key:
            return known
    prefix, _, name = key.partition(".")
    title = fmt.plain(name, TITLE_CHARS)
    align: Align = "right" if prefix == "metric" else "left"
    least, most = FIGURE_CELLS
    return Column(key, title, max(least, min(len(title), most)), align)


def default_keys(metric_keys: Sequence[str], has_groups: bool) -> list[str]:
    """Return the keys of the default columns; metrics to be minimized or maximized come first."""
    shown = sorted(metric_keys, key=lambda key: goal(key) is None)[:DEFAULT_METRICS]
    last = ["group"] if has_groups else []
    return [*DEFAULT, *(f"metric.{key}" for key in shown), "tags", *last]


def needs_figures(columns: Sequence[Column]) -> bool:
    return any(column.key.startswith(("param.", "metric.")) for column in columns)


def cells(
    run: Run,
    figures: Figures | None,
    standing: Standing,
    columns: Sequence[Column],
    letter: str = "",
) -> Cells:
    """Return the cells of a run in these columns; the letter is that of its mark, if it has one."""
    found = [_cell(run, figures or Figures(), standing, column) for column in columns]
    for place, column in enumerate(columns if letter else ()):
        if column.key == "name":
            found[place] = marked_name(letter, found[place].text.strip())
    return tuple(found)


def _cell(run: Run, figures: Figures, standing: Standing, column: Column) -> Piece:
    key = column.key
    prefix, _, name = key.partition(".")
    if prefix == "metric":
        return _metric_piece(figures.metrics.get(name), column.width)
    if prefix == "param":
        return Piece(
            _param_text(figures.params[name], column.width) if name in figures.params else ""
        )
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


def _metric_piece(value: float | None, cells: int) -> Piece:
    if value is None:
        return Piece("")
    text = fmt.number(value, 4, keep_zeros=True, cells=cells)
    return Piece(text, "text" if value - value == 0 else "attention")
