"""A curve with its axes, legend and crosshair, as lines of pieces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flowtui import format as fmt
from flowtui.store.metrics.steps import Step
from flowtui.store.values import LoggedPoint, Point
from flowtui.told_apart import told_apart
from flowtui.widgets.cells import Line, Piece, Role, clipped, justified, width_of
from flowtui.widgets.charts.chart import EMPTY_CELLS, Window, blended, canvas
from flowtui.widgets.charts.curve import MAIN_ROLE, Curve, Overlay, XAxis, parts_of_a_second
from flowtui.widgets.charts.curve_axes import ticks_across, ticks_up
from flowtui.widgets.charts.outside import LEFT_OUT, beyond_layers, count_beyond
from flowtui.widgets.charts.placing import (
    cell_of,
    is_odd,
    smooth_stretches,
    smoothed_at,
    stretches,
    window_of,
)
from flowtui.widgets.charts.run_curves import run_layers, run_legend, run_place
from flowtui.widgets.charts.ticks import Ticks
from flowtui.widgets.step_text import step_texts

LABEL_CELLS, MOST_LABEL_CELLS = 9, 12
"""The least and the greatest width of vertical labels; the least lets most charts line up."""
AROUND = 4
"""How many lines are not the canvas: title, axis, its labels, and the point at the crosshair."""
MIN_COLUMNS, MIN_ROWS = 4, 2
"""The smallest canvas; with less room there is none."""
CELLS_A_LABEL = 12
"""How much room each label of the horizontal axis needs."""
LINES_A_LABEL = 3
"""How much room each label of the vertical axis needs."""
LINES_A_DOT = 4
"""How far apart the dots of the crosshair stand."""
CELLS_A_MARK = 18
"""How far apart the marks of another curve stand."""
MAX_LEGEND_LINES = 3
MAX_NAME_CELLS = 40


@dataclass(frozen=True, slots=True)
class Drawn:
    """The part of a curve's lines that stays the same while the crosshair moves."""

    window: Window
    across: Ticks
    up: Ticks
    size: tuple[int, int]
    """The width and height that this was drawn for, without the legend."""
    canvas: list[Line]
    outside: str = ""
    """How many points the vertical axis leaves out, as text."""

    @property
    def margin(self) -> int:
        """The number of cells left of the vertical axis."""
        return max(self.up.cells, LABEL_CELLS)

    @property
    def offset(self) -> list[Line]:
        """A line with the offsets that are to be added to labels; nothing if there are none."""
        axes = (("y", self.up.offset), ("x", self.across.offset))
        said = "   ".join(f"{name} = {offset} + …" for name, offset in axes if offset)
        return [[Piece(f" {said}", "muted")]] if said else []


def drawn(curve: Curve, width: int, height: int) -> Drawn | None:
    """Return the canvas of a curve with its ticks; None if there is no room for one."""
    size = width, height - len(_legend(curve, width))
    window = window_of(curve)
    rows = size[1] - AROUND
    across_at_most = max((width - LABEL_CELLS - 1) // CELLS_A_LABEL, 1)
    across = ticks_across(curve, window, across_at_most, CELLS_A_LABEL - 1)
    made = Drawn(window, across, _ticks_up(curve, window, rows), size, [])
    if made.offset:
        rows -= 1
        made = replace(made, up=_ticks_up(curve, window, rows))
    columns = width - made.margin - 1
    if columns < MIN_COLUMNS or rows < MIN_ROWS:
        return None
    layers = [*beyond_layers(curve, window, columns, rows), *_layers(curve, columns, rows, window)]
    return replace(made, canvas=blended(layers, columns), outside=count_beyond(curve, window))


def _ticks_up(curve: Curve, window: Window, rows: int) -> Ticks:
    return ticks_up(curve, window, max(rows // LINES_A_LABEL, 2), MOST_LABEL_CELLS)


def curve_lines(curve: Curve, width: int, height: int, known: Drawn | None = None) -> list[Line]:
    """Return `height` lines of at most `width` cells that show a curve.

    Args:
        curve: The curve.
        width: The width in cells.
        height: The height in lines.
        known: Its canvas at this size, if that was drawn before.
    """
    # Values at the crosshair may make the legend a line longer or shorter.
    legend = _legend(curve, width)
    fits = known is not None and known.size == (width, height - len(legend))
    made = known if fits else drawn(curve, width, height)
    if made is None:
        return [_title(curve, width), _under_crosshair(curve, width)][:height]
    window, margin = made.window, made.margin
    columns, rows = width - margin - 1, len(made.canvas)
    across, crossed = _crosshair(curve, window, columns, rows)
    labels = {
        _row_of(place, window, rows): label
        for place, label in zip(made.up.places, made.up.labels, strict=True)
    }
    return [
        _title(curve, width, made.outside),
        *(clipped(line, width) for line in made.offset),
        *(
            _row(labels.get(index), margin, cells, across if index in crossed else None)
            for index, cells in enumerate(made.canvas)
        ),
        _axis_line(curve, made, columns),
        _axis_labels(made, columns),
        _under_crosshair(curve, width),
        *legend,
    ]


def _crosshair(
    curve: Curve, window: Window, columns: int, rows: int
) -> tuple[int | None, set[int]]:
    """Return the column of the crosshair, and the rows that show it.

    It is a dotted line, because each of its cells costs bytes on the wire at every step.
    """
    point = curve.crosshair
    if point is None:
        return None, set()
    crossed = set(range(0, rows, LINES_A_DOT))
    if curve.is_drawn(point.value):
        crossed.add(_row_of(curve.scaled(point.value), window, rows))
    return cell_of(curve.x(point), window, columns), crossed


def _row_of(scaled: float, window: Window, rows: int) -> int:
    """Return the row of cells, from the top, for a value on the vertical axis."""
    tall = window.top / 2 - window.bottom / 2
    share = (scaled / 2 - window.bottom / 2) / tall
    return rows - 1 - min(max(int(share * rows), 0), rows - 1)


def _layers(
    curve: Curve, columns: int, rows: int, window: Window
) -> list[tuple[Sequence[str], Role]]:
    """Return the canvases of all lines, with the top one first."""
    if curve.is_of_runs:
        return run_layers(curve, columns, rows, window)
    layers: list[tuple[Sequence[str], Role]] = []
    if smooth := smooth_stretches(curve, curve.smoothed):
        layers.append((canvas(smooth, columns, rows, window, curve.marker), MAIN_ROLE))
    raw: Role = "muted" if smooth else MAIN_ROLE
    layers.append((canvas(stretches(curve), columns, rows, window, curve.marker), raw))
    for index, other in enumerate(curve.others):
        lines = canvas(stretches(curve, other.series), columns, rows, window, curve.marker)
        layers.append((_marked(lines, other.mark, index), other.role))
    return layers


def _marked(lines: list[str], mark: str, index: int) -> list[str]:
    """Return a canvas with marks along its line."""
    marked = [list(line) for line in lines]
    width = len(lines[0]) if lines else 0
    start = (CELLS_A_MARK // 3 * (index + 1)) % CELLS_A_MARK
    for column in range(start, width, CELLS_A_MARK):
        row = next((row for row in marked if row[column] not in EMPTY_CELLS), None)
        if row is not None:
            row[column] = mark
    return ["".join(line) for line in marked]


# Axes ----------------------------------------------------------------------------------------


def _row(label: str | None, margin: int, cells: Line, across: int | None) -> Line:
    edge = "│" if label is None else "┤"
    start = [Piece(f"{label or '':>{margin}}", "muted"), Piece(edge, "muted")]
    return [*start, *(cells if across is None else _crossed(cells, across))]


def _crossed(cells: Line, across: int) -> list[Piece]:
    """Return a row of the canvas with the crosshair in one of its cells."""
    pieces: list[Piece] = []
    left = 0
    for piece in cells:
        # Each character of the canvas takes one cell.
        inside = across - left
        left += len(piece.text)
        if not 0 <= inside < len(piece.text):
            pieces.append(piece)
            continue
        middle = piece.text[inside]
        pieces += [
            Piece(piece.text[:inside], piece.role),
            Piece("┊" if middle in EMPTY_CELLS else middle, "accent"),
            Piece(piece.text[inside + 1 :], piece.role),
        ]
    return [piece for piece in pieces if piece.text]


def _axis_line(curve: Curve, made: Drawn, columns: int) -> Line:
    """Return the horizontal axis, with a mark at each NaN or infinity."""
    odd = {
        cell_of(curve.x(column.first, series), made.window, columns)
        for series in curve.counted
        for column in series.columns
        if is_odd(column)
    }
    ticked = {cell_of(place, made.window, columns) for place in made.across.places}
    pieces = [Piece(" " * made.margin), Piece("└", "muted")]
    for cell in range(columns):
        role: Role = "attention" if cell in odd else "muted"
        text = "▲" if cell in odd else "┬" if cell in ticked else "─"
        if pieces[-1].role == role:
            pieces[-1] = Piece(pieces[-1].text + text, role)
        else:
            pieces.append(Piece(text, role))
    return pieces


def _axis_labels(made: Drawn, columns: int) -> Line:
    left = made.margin + 1
    line = [" "] * (left + columns)
    for place, text in zip(made.across.places, made.across.labels, strict=True):
        cell = cell_of(place, made.window, columns)
        if cell is not None:
            start = min(left + cell - len(text) // 2, len(line) - len(text))
            # A label that would meet another is left out: in part it would be a wrong number.
            if start >= 0 and all(
                char == " " for char in line[max(start - 1, 0) : start + len(text) + 1]
            ):
                line[start : start + len(text)] = text
    return [Piece("".join(line), "muted")]


# Words ---------------------------------------------------------------------------------------


def _title(curve: Curve, width: int, outside: str = "") -> Line:
    series = curve.series
    # Points that the columns leave out may be hidden too, so the count is only a lower bound.
    least = "at least " if curve.is_thinned else ""
    odd = fmt.odd_points(
        sum(one.nan_count for one in curve.counted),
        sum(one.inf_count for one in curve.counted),
        sum(one.unreadable_count for one in curve.counted),
    )
    hidden = fmt.counted(
        ((curve.hidden_count, "not above 0"), (curve.timeless_count, "without a time"))
    )
    odd += [f"{least}{text}" for text in hidden]
    odd += [outside] if outside else []
    left = [
        Piece(" "),
        Piece(fmt.plain(series.key, 200), "title"),
        Piece(f"   {curve.heading or fmt.count(series.count, 'point')}", "muted"),
        Piece(f"  ▲ {' · '.join(odd)}" if odd else "", "attention"),
    ]
    if curve.view is not None:
        left[2:] = [Piece("   reading…", "muted")]
    return justified(left, [*_how(curve), Piece(" ")], width)


def _how(curve: Curve) -> list[Piece]:
    """Return how the curve is shown, as far as that is not the default."""
    words = []
    if not curve.series.is_whole:
        words.append("part")
    if curve.x_axis is not XAxis.STEP:
        words.append(f"x {curve.x_axis}")
    if curve.is_log:
        words.append("y log")
    if curve.look.leaves_out:
        words.append(LEFT_OUT)
    pieces = [Piece("  ".join(words), "muted")]
    if curve.follows:
        pieces.append(Piece("  ● following", "ok"))
    elif curve.new_count:
        pieces.append(Piece(f"  {curve.new_count:,} new ▸ End", "attention"))
    return pieces


def _under_crosshair(curve: Curve, width: int) -> Line:
    """Return the point at the crosshair; parts without room are left out, and no number is cut."""
    point = curve.crosshair
    if point is None:
        return []
    role: Role = "text" if math.isfinite(point.value) else "attention"
    pieces = [Piece(" step ", "muted"), Piece(f"{point.step:,}", "accent")]
    if curve.is_of_runs:
        # The values are in the legend: it is the point of any of the runs.
        return clipped([*pieces, *run_place(curve, point)], width)
    pieces += [Piece("   "), Piece(fmt.exact(point.value), role)]
    near = _near(curve)
    more = [
        *_smoothed_pieces(curve, point.step, near),
        *_time_pieces(curve, point),
        *_extreme_pieces(curve, near),
    ]
    for piece in more:
        if width_of([*pieces, piece]) <= width:
            pieces.append(piece)
    return clipped(pieces, width)


def _time_pieces(curve: Curve, point: LoggedPoint) -> list[Piece]:
    made = []
    if curve.x_axis is XAxis.STEP_TIME and (parts := parts_of_a_second(curve.all_series)):
        made.append(Piece(f"   {fmt.when_exactly(point.step, parts)}", "muted"))
    start = curve.series.first.logged_at
    if point.logged_at is not None:
        when = f"{point.logged_at.astimezone():%H:%M:%S}"
        if start is not None:
            when = f"{fmt.duration((point.logged_at - start).total_seconds())} in · {when}"
        made.append(Piece(f"   {when}", "muted"))
    return made


def _extreme_pieces(curve: Curve, near: Mapping[Step, str]) -> list[Piece]:
    low, high = curve.series.minimum, curve.series.maximum
    if low is None or high is None:
        return []
    said = zip(("min", "max"), fmt.distinct([low.value, high.value]), (low, high), strict=True)
    return [Piece(f"   {name} {text} @ {near[point.step]}", "muted") for name, text, point in said]


def _near(curve: Curve) -> dict[Step, str]:
    """Return the other steps in this line as short text: in full they could fill the line."""
    points: list[Point | None] = [curve.series.minimum, curve.series.maximum]
    points += [other.at_crosshair for other in curve.others]
    if curve.smoothed is not None and curve.crosshair is not None:
        points.append(smoothed_at(curve.smoothed, curve.crosshair.step))
    steps = [point.step for point in points if point is not None]
    parts = parts_of_a_second(curve.all_series) if curve.x_axis is XAxis.STEP_TIME else None
    ends = [curve.series.first.step, curve.series.last.step]
    return dict(zip(steps, step_texts(steps, parts, ends), strict=True))


def _smoothed_pieces(curve: Curve, step: Step, near: Mapping[Step, str]) -> list[Piece]:
    if curve.smoothed is None:
        return []
    point = smoothed_at(curve.smoothed, step)
    if point is None:
        return []
    # Between the points that the smoothed line keeps, the step of the last one is shown with it.
    where = "" if point.step == step else f" @ {near[point.step]}"
    value = f"   ema {curve.smoothed.weight:g} {fmt.number(point.value)}{where}"
    return [Piece(value, MAIN_ROLE)]


def _legend(curve: Curve, width: int) -> list[Line]:
    """Return the other curves, each with its mark and its value at the crosshair."""
    if curve.is_of_runs:
        return run_legend(curve, width)
    lines: list[list[Piece]] = []
    crossed = [*(other.at_crosshair for other in curve.others), curve.crosshair]
    values = [point.value for point in crossed if point is not None]
    texts = dict(zip(values, fmt.distinct(values), strict=True))
    near = _near(curve) if curve.others else {}
    names = told_apart([other.series.key for other in curve.others], MAX_NAME_CELLS)
    for other, name in zip(curve.others, names, strict=True):
        entry = _entry(curve, other, name, texts, near)
        if not lines or width_of([*lines[-1], *entry]) > width:
            lines.append([])
        lines[-1] += entry
    if len(lines) > MAX_LEGEND_LINES:
        more = len(curve.others)
        lines = [*lines[: MAX_LEGEND_LINES - 1], [Piece(f" … {more} curves in all", "muted")]]
    return [clipped(line, width) for line in lines]


def _entry(
    curve: Curve, other: Overlay, name: str, texts: Mapping[float, str], near: Mapping[Step, str]
) -> list[Piece]:
    point = other.at_crosshair
    pieces = [Piece(f" {other.mark} {name} ", other.role)]
    if point is None:
        return [*pieces, Piece("no point here  ", "muted")]
    pieces.append(Piece(texts.get(point.value) or fmt.number(point.value)))
    if curve.crosshair is None or point.step != curve.crosshair.step:
        pieces.append(Piece(f" @ {near[point.step]}", "muted"))
    return [*pieces, Piece("  ")]
