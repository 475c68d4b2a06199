"""Curves as an SVG picture that refers to nothing outside: no fonts, scripts or style sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from flowtui import format as fmt
from flowtui.store.metrics.values import Series, SeriesColumn
from flowtui.widgets.cells import fit
from flowtui.widgets.charts.chart import Window
from flowtui.widgets.charts.curve import Curve, XAxis, others, parts_of_a_second, x_axes
from flowtui.widgets.charts.curve_axes import ticks_across, ticks_up
from flowtui.widgets.charts.placing import is_odd, stretches, window_of
from flowtui.widgets.charts.ticks import Ticks

WIDTH, PLOT_HEIGHT = 960.0, 420.0
TOP, RIGHT, MARGIN = 78.0, 40.0, 24.0
BELOW_AXIS, LINE_HEIGHT = 74.0, 22.0
DIGIT_WIDTH = 7.5
"""The width of a digit in the widest usual sans-serif fonts, and a little more."""
TITLE_CELLS, KEY_CELLS = 76, 52
TICKS_ACROSS, TICKS_UP, LOG_TICKS_UP = 8, 7, 10
LABEL_CELLS = 13
"""The greatest width of a label; even the greatest number of labels across do not meet."""
MARK_SPACING = 150.0
"""How far apart the marks along a curve stand."""
INK, QUIET, GRID, ATTENTION = "#1a1d21", "#5c6570", "#e6e9ed", "#b42318"

COLOURS = ("#0068b5", "#c8500a", "#008062", "#a83a86", "#8a6d00", "#5b5fc7", "#333b44", "#2a8fbd")
"""Dark enough to read on white, and distinct for people with colour blindness."""
MARKS = (
    "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z",
    "M-3.6 -3.6H3.6V3.6H-3.6Z",
    "M0 -4.8L4.6 3.4H-4.6Z",
    "M0 -5.2L5.2 0L0 5.2L-5.2 0Z",
    "M0 4.8L4.6 -3.4H-4.6Z",
    "M-4 -4L4 4M-4 4L4 -4",
    "M0 -5V5M-5 0H5",
)
"""Marks along the curves, one fewer than colours: with as many, the ninth curve would look like the
first."""

Pixels = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Plot:
    """The place of the data in the picture."""

    window: Window
    left: float
    is_log: bool

    @property
    def right(self) -> float:
        return WIDTH - RIGHT

    @property
    def bottom(self) -> float:
        return TOP + PLOT_HEIGHT

    def x(self, step: float) -> float:
        share = _share(step, self.window.left, self.window.right)
        return self.left + share * (self.right - self.left)

    def y(self, scaled: float) -> float:
        """Return the place of a value, which on a logarithmic axis is given as its logarithm."""
        return self.bottom - _share(scaled, self.window.bottom, self.window.top) * PLOT_HEIGHT


def _share(value: float, low: float, high: float) -> float:
    # Quarters, because the range itself may be too wide for a float.
    whole = high / 4 - low / 4
    return min(max((value / 4 - low / 4) / whole, 0.0), 1.0) if whole > 0 else 0.5


def chart_svg(series: Sequence[Series], title: str, *, is_log: bool = False) -> str:
    """Return a picture of curves over steps as an SVG document.

    Args:
        series: The series, one for each curve; none for an empty picture.
        title: The title of the picture.
        is_log: Whether the vertical axis is logarithmic; a note then counts values not above 0.
    """
    curves = [Curve(one, is_log=is_log) for one in series]
    x_axis = x_axes(series)[0]
    window, up, across = _axes(series, is_log, x_axis)
    plot = _Plot(window, MARGIN + up.cells * DIGIT_WIDTH + 12, is_log)
    notes = _notes(curves)
    rows = len(series) + len(notes)
    height = plot.bottom + BELOW_AXIS + max(rows, 1) * LINE_HEIGHT
    parts = [
        *_heading(title, curves, x_axis, up.offset),
        *_grid(plot, up, across, x_axis),
        *_curves(plot, curves),
        *_odd_marks(plot, series),
        *_legend(plot, curves, notes),
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}" height="{height:g}" '
            f'viewBox="0 0 {WIDTH:g} {height:g}" font-family="sans-serif" font-size="13" '
            f'fill="{INK}" role="img">',
            f"<title>{_safe(title, TITLE_CELLS)}</title>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _safe(text: str, cells: int) -> str:
    """Return text that is safe on a line and in XML, cut to a width."""
    return escape(fit(fmt.plain(text), cells).rstrip())


def _text(x: float, y: float, text: str, **attributes: str | int) -> str:
    """Return a text element; `text` must be escaped."""
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{text}</text>'


def _heading(title: str, curves: Sequence[Curve], x_axis: XAxis, offset: str) -> Iterator[str]:
    yield _text(MARGIN, 36, _safe(title, TITLE_CELLS), font_size=19, font_weight="bold")
    if not curves:
        yield _text(MARGIN, 58, "no metric", fill=QUIET)
        return
    start = min(curve.series.start for curve in curves)
    end = max(curve.series.end for curve in curves)
    words = [f"step {start:,}" if start == end else f"steps {start:,} to {end:,}"]
    parts = parts_of_a_second(curve.series for curve in curves)
    if x_axis is XAxis.STEP_TIME and parts is not None:
        # The labels of the axis have no date and no zone.
        ends = (datetime.fromtimestamp(end // parts, UTC) for end in (start, end))
        words.append(" to ".join(map(fmt.when, ends)))
    words += ["part of the run"] if any(not curve.series.is_whole for curve in curves) else []
    words += ["logarithmic axis"] if curves[0].is_log else []
    words += [f"value = {offset} + …"] if offset else []
    yield _text(MARGIN, 58, " · ".join(words), fill=QUIET)


# Axes ----------------------------------------------------------------------------------------


def _axes(series: Sequence[Series], is_log: bool, x_axis: XAxis) -> tuple[Window, Ticks, Ticks]:
    """Return the window of a picture, and the ticks of its vertical and its horizontal axis."""
    if not series:
        return Window(0.0, 1.0, 0.0, 1.0), Ticks(), Ticks()
    curve = Curve(series[0], is_log=is_log, x_axis=x_axis, others=others(series[1:]))
    window = window_of(curve)
    up = ticks_up(curve, window, LOG_TICKS_UP if is_log else TICKS_UP, LABEL_CELLS)
    return window, up, ticks_across(curve, window, TICKS_ACROSS, LABEL_CELLS)


def _grid(plot: _Plot, up: Ticks, across: Ticks, x_axis: XAxis) -> Iterator[str]:
    for tick, label in zip(up.places, up.labels, strict=True):
        y = plot.y(tick)
        yield f'<path d="M{plot.left:.1f} {y:.1f}H{plot.right:.1f}" stroke="{GRID}"/>'
        yield _text(plot.left - 10, y + 4.5, escape(label), text_anchor="end", fill=QUIET)
    for tick, label in zip(across.places, across.labels, strict=True):
        x = plot.x(tick)
        yield f'<path d="M{x:.1f} {plot.bottom:.1f}v6" stroke="{QUIET}"/>'
        yield _text(x, plot.bottom + 23, escape(label), text_anchor="middle", fill=QUIET)
    edges = f"M{plot.left:.1f} {TOP:.1f}V{plot.bottom:.1f}H{plot.right:.1f}"
    yield f'<path d="{edges}" fill="none" stroke="{QUIET}"/>'
    title = f"{x_axis} = {across.offset} + …" if across.offset else str(x_axis)
    yield _text(plot.right, plot.bottom + 42, escape(title), text_anchor="end", fill=QUIET)


def _odd_marks(plot: _Plot, series: Sequence[Series]) -> Iterator[str]:
    """Yield a mark on the horizontal axis for each column with a NaN or an infinity."""
    for one in series:
        for column in filter(is_odd, one.columns):
            at = f"{plot.x(column.first.step):.1f} {plot.bottom:.1f}"
            said = f"{one.key}: {' · '.join(_odd_words(column))} at step {column.first.step:,}"
            tooltip = f"<title>{_safe(said, TITLE_CELLS)}</title>"
            yield f'<path d="M{at}l5 9h-10z" fill="{ATTENTION}">{tooltip}</path>'


# Curves --------------------------------------------------------------------------------------


def _look(index: int) -> tuple[str, str]:
    return COLOURS[index % len(COLOURS)], MARKS[index % len(MARKS)]


def _curves(plot: _Plot, curves: Sequence[Curve]) -> Iterator[str]:
    marked: list[Pixels] = []
    for index, curve in enumerate(curves):
        lines: list[Pixels] = [
            [(plot.x(step), plot.y(value)) for step, value in stretch]
            for stretch in stretches(curve)
        ]
        yield from _lines(lines, _look(index)[0])
        # The marks of each curve start at another place: otherwise those of curves that run
        # together would hide one another.
        start = plot.left + MARK_SPACING * (0.25 + index % len(MARKS) / len(MARKS))
        marked.append(_spread([point for line in lines for point in line], start))
    if len(curves) > 1:
        # Marks are drawn over all lines: a noisy curve would hide them.
        for index, points in enumerate(marked):
            for x, y in points:
                yield _mark(x, y, index)


def _lines(lines: Sequence[Pixels], colour: str) -> Iterator[str]:
    yield f'<g fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round">'
    for line in lines:
        if len(line) == 1:
            # A polyline of one point would be invisible.
            ((x, y),) = line
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>'
        else:
            yield f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in line)}"/>'
    yield "</g>"


def _mark(x: float, y: float, index: int) -> str:
    colour, mark = _look(index)
    look = f'fill="#ffffff" stroke="{colour}" stroke-width="1.6"'
    return f'<path class="mark" d="{mark}" transform="translate({x:.1f} {y:.1f})" {look}/>'


def _spread(points: Pixels, start: float) -> Pixels:
    """Return some of the points, at least `MARK_SPACING` apart; the first if there are few."""
    chosen: Pixels = []
    after = start
    for x, y in points:
        if x >= after:
            chosen.append((x, y))
            after = x + MARK_SPACING
    return chosen or points[:1]


# Words ---------------------------------------------------------------------------------------


def _odd_words(of: SeriesColumn | Series) -> list[str]:
    counts = (of.nan_count, "NaN"), (of.pos_inf_count, "Inf"), (of.neg_inf_count, "-Inf")
    return fmt.counted(counts)


def _legend(plot: _Plot, curves: Sequence[Curve], notes: Sequence[str]) -> Iterator[str]:
    """Yield a row below the axis for each curve, then the notes."""
    y = plot.bottom + BELOW_AXIS
    for index, curve in enumerate(curves):
        colour, _ = _look(index)
        line = f"M{MARGIN:.1f} {y - 4.5:.1f}h34"
        yield f'<path d="{line}" stroke="{colour}" stroke-width="1.6"/>'
        if len(curves) > 1:
            yield _mark(MARGIN + 17, y - 4.5, index)
        figures = f'<tspan dx="14" fill="{QUIET}">{escape(" · ".join(_figures(curve)))}</tspan>'
        odd = " · ".join(_odd_words(curve.series))
        if odd:
            figures += f'<tspan dx="14" fill="{ATTENTION}">▲ {escape(odd)}</tspan>'
        yield _text(MARGIN + 46, y, f"{_safe(curve.series.key, KEY_CELLS)}{figures}")
        y += LINE_HEIGHT
    for note in notes:
        yield _text(MARGIN, y, escape(note), fill=ATTENTION)
        y += LINE_HEIGHT


def _figures(curve: Curve) -> list[str]:
    series = curve.series
    low, high = series.minimum, series.maximum
    points = fmt.count(series.count, "point")
    if low is None or high is None:
        return [points, "none finite"]
    lowest, highest = fmt.distinct([low.value, high.value])
    return [points, f"min {lowest}", f"max {highest}"]


def _notes(curves: Sequence[Curve]) -> list[str]:
    """Return notes about values that the picture does not show as a line."""
    notes = []
    if any(_odd_words(curve.series) for curve in curves):
        notes.append("▲ on the axis: the value there is NaN or infinite")
    hidden = sum(curve.hidden_count for curve in curves)
    if hidden:
        # A column keeps only the extremes of its points, so the count is a lower bound.
        is_thinned = any(curve.is_thinned for curve in curves)
        values = f"{'at least ' if is_thinned else ''}{fmt.count(hidden, 'value')}"
        notes.append(f"{values} not above 0 cannot be shown on a logarithmic axis")
    return notes
