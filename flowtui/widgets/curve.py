"""One metric as a curve with its axes and a crosshair, as lines of pieces."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from flowtui import format as fmt
from flowtui.store.values import LoggedPoint, Series
from flowtui.widgets import axis
from flowtui.widgets.cells import Line, Piece, Role, clipped, justified
from flowtui.widgets.chart import BRAILLE, Stretch, Window, canvas, padded

LABEL_CELLS = 9
AROUND = 4
"""Lines that are not the canvas: title, axis, its labels, what is under the crosshair."""
CELLS_A_LABEL = 12
LINES_A_LABEL = 3


@dataclass(frozen=True, slots=True)
class Curve:
    """What is drawn: a series, how, and where the crosshair stands."""

    series: Series
    crosshair: LoggedPoint | None = None
    is_log: bool = False
    marker: str = BRAILLE

    @property
    def points(self) -> list[LoggedPoint]:
        """All points that the columns keep, in order of steps."""
        return [point for column in self.series.columns for point in column.points]

    def is_drawn(self, value: float) -> bool:
        return math.isfinite(value) and (value > 0 or not self.is_log)

    @property
    def hidden_count(self) -> int:
        """How many of the kept points a logarithmic axis has no place for."""
        kept = (point.value for point in self.points)
        return sum(math.isfinite(value) and value <= 0 for value in kept) if self.is_log else 0


def neighbour(points: Sequence[LoggedPoint], step: int | None, by: int) -> LoggedPoint | None:
    """Return the point so many places after the one at or before a step; the last for no step."""
    if not points:
        return None
    if step is None:
        return points[-1]
    steps = [point.step for point in points]
    index = bisect_left(steps, step)
    if index == len(steps) or (steps[index] != step and by > 0):
        index -= 1
    return points[max(0, min(index + by, len(points) - 1))]


def curve_lines(curve: Curve, width: int, height: int) -> list[Line]:
    """Return `height` lines of at most `width` cells that show a curve."""
    columns, rows = width - LABEL_CELLS - 1, height - AROUND
    if columns < 4 or rows < 2:
        return [_title(curve, width), _under_crosshair(curve, width)][:height]
    left, right = padded_steps(curve.series)
    bottom, top = _range(curve)
    window = Window(left, right, bottom, top)
    drawn = canvas(stretches(curve), columns, rows, window, curve.marker)
    across = None if curve.crosshair is None else _cell(curve.crosshair.step, window, columns)
    labels = _row_labels(window, rows, curve.is_log)
    return [
        _title(curve, width),
        *(_row(labels.get(index), cells, across) for index, cells in enumerate(drawn)),
        _axis_line(curve, window, columns),
        _axis_labels(window, columns),
        _under_crosshair(curve, width),
    ]


def stretches(curve: Curve) -> list[Stretch]:
    """Return the lines to draw: a curve ends where a NaN or an infinity is and starts anew."""
    made: list[list[tuple[float, float]]] = [[]]
    for column in curve.series.columns:
        has_gap = column.nan_count + column.pos_inf_count + column.neg_inf_count > 0
        drawn = [point for point in column.points if curve.is_drawn(point.value)]
        if has_gap and not drawn:
            made.append([])
        made[-1] += [(point.step, _scaled(point.value, curve.is_log)) for point in drawn]
    return [stretch for stretch in made if stretch]


def padded_steps(series: Series) -> tuple[float, float]:
    """Return the ends of the axis of steps; one step alone gets some room on both sides."""
    if series.end > series.start:
        return float(series.start), float(series.end)
    return series.start - 1.0, series.end + 1.0


def _scaled(value: float, is_log: bool) -> float:
    return math.log10(value) if is_log else value


def _range(curve: Curve) -> tuple[float, float]:
    values = [
        _scaled(point.value, curve.is_log) for point in curve.points if curve.is_drawn(point.value)
    ]
    return padded(min(values), max(values)) if values else (0.0, 1.0)


def _cell(step: float, window: Window, columns: int) -> int | None:
    share = (step / 2 - window.left / 2) / (window.right / 2 - window.left / 2)
    return min(int(share * columns), columns - 1) if 0 <= share <= 1 else None


def _row_labels(window: Window, rows: int, is_log: bool) -> dict[int, str]:
    at_most = max(rows // LINES_A_LABEL, 2)
    if is_log:
        ticks = axis.log_ticks(window.bottom, window.top, at_most)
        texts = [fmt.number(tick, 3) for tick in ticks]
    else:
        ticks = axis.ticks(window.bottom, window.top, at_most)
        texts = axis.labels(ticks)
    placed: dict[int, str] = {}
    tall = window.top / 2 - window.bottom / 2
    for tick, text in zip(ticks, texts, strict=True):
        share = (_scaled(tick, is_log) / 2 - window.bottom / 2) / tall
        placed[rows - 1 - min(max(int(share * rows), 0), rows - 1)] = text
    return placed


def _row(label: str | None, cells: str, across: int | None) -> Line:
    edge = "│" if label is None else "┤"
    start = [Piece(f"{(label or '')[:LABEL_CELLS]:>{LABEL_CELLS}}", "muted"), Piece(edge, "muted")]
    if across is None:
        return [*start, Piece(cells)]
    middle = cells[across]
    # plotext leaves a space or an empty braille cell where nothing is drawn.
    is_empty = middle in (" ", "\u2800")
    return [
        *start,
        Piece(cells[:across]),
        Piece("┊" if is_empty else middle, "accent"),
        Piece(cells[across + 1 :]),
    ]


def _axis_line(curve: Curve, window: Window, columns: int) -> Line:
    """Return the axis of steps, marked where a NaN or an infinity is."""
    odd: set[int] = set()
    for column in curve.series.columns:
        if column.nan_count + column.pos_inf_count + column.neg_inf_count:
            cell = _cell(column.first.step, window, columns)
            odd |= set() if cell is None else {cell}
    ticks = {_cell(tick, window, columns) for tick in _step_ticks(window, columns)}
    pieces = [Piece(" " * LABEL_CELLS), Piece("└", "muted")]
    for cell in range(columns):
        role: Role = "attention" if cell in odd else "muted"
        text = "▲" if cell in odd else "┬" if cell in ticks else "─"
        if pieces[-1].role == role:
            pieces[-1] = Piece(pieces[-1].text + text, role)
        else:
            pieces.append(Piece(text, role))
    return pieces


def _axis_labels(window: Window, columns: int) -> Line:
    ticks = _step_ticks(window, columns)
    line = [" "] * (columns + LABEL_CELLS + 1)
    for tick, text in zip(ticks, axis.labels(ticks), strict=True):
        cell = _cell(tick, window, columns)
        if cell is not None:
            start = min(LABEL_CELLS + 1 + cell - len(text) // 2, len(line) - len(text))
            if all(char == " " for char in line[max(start - 1, 0) : start + len(text) + 1]):
                line[start : start + len(text)] = text
    return [Piece("".join(line), "muted")]


def _step_ticks(window: Window, columns: int) -> list[float]:
    return axis.ticks(window.left, window.right, max(columns // CELLS_A_LABEL, 1), whole=True)


def _title(curve: Curve, width: int) -> Line:
    series = curve.series
    nan = sum(column.nan_count for column in series.columns)
    inf = sum(column.pos_inf_count + column.neg_inf_count for column in series.columns)
    broken = sum(column.unreadable_count for column in series.columns)
    odd = fmt.counted(
        ((nan, "NaN"), (inf, "Inf"), (broken, "broken"), (curve.hidden_count, "not above 0"))
    )
    left = [
        Piece(" "),
        Piece(fmt.plain(series.key, 200), "title"),
        Piece(f"   {fmt.count(series.count, 'point')}", "muted"),
        Piece(f"  ▲ {' · '.join(odd)}" if odd else "", "attention"),
    ]
    part = "" if series.is_whole else "part  "
    right = [Piece(f"{part}{'y log' if curve.is_log else ''} ", "muted")]
    return justified(left, right, width)


def _under_crosshair(curve: Curve, width: int) -> Line:
    point = curve.crosshair
    if point is None:
        return []
    role: Role = "text" if math.isfinite(point.value) else "attention"
    pieces = [
        Piece(" step ", "muted"),
        Piece(f"{point.step:,}", "accent"),
        Piece("   "),
        Piece(fmt.exact(point.value), role),
    ]
    start = curve.series.first.logged_at
    if point.logged_at is not None and start is not None:
        since = fmt.duration((point.logged_at - start).total_seconds())
        pieces.append(Piece(f"   {since} in", "muted"))
    values = [other for other in curve.points if math.isfinite(other.value)]
    for name, choose in (("min", min), ("max", max)):
        if values:
            best = choose(values, key=lambda other: other.value)
            pieces.append(Piece(f"   {name} {fmt.number(best.value)} @ {best.step:,}", "muted"))
    return clipped(pieces, width)
