"""Curves as an SVG picture that refers to nothing outside: no fonts, scripts or style sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from flowtui import format as fmt
from flowtui.store.compare.run_set import LETTERS
from flowtui.store.metrics.values import Series, SeriesColumn
from flowtui.store.values import Point
from flowtui.widgets.cells import fit
from flowtui.widgets.charts.chart import Stretch, Window, clipped_up
from flowtui.widgets.charts.curve import (
    PLAIN,
    Curve,
    Look,
    Overlay,
    XAxis,
    others,
    parts_of_a_second,
    x_axes,
)
from flowtui.widgets.charts.curve_axes import ticks_across, ticks_up
from flowtui.widgets.charts.outside import beyond, count_beyond
from flowtui.widgets.charts.placing import (
    CurvePlaces,
    is_odd,
    smooth_stretches,
    stretches,
    window_of,
)
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


def chart_svg(series: Sequence[Series], title: str, look: Look = PLAIN) -> str:
    """Return a picture of curves over steps as an SVG document.

    Args:
        series: The series, one for each curve; none for an empty picture.
        title: The title of the picture.
        look: How the values are placed; notes count those that have no place.
    """
    if not series:
        return _picture(None, title)
    drawn = others(series[1:])
    return curve_svg(Curve(series[0], look=look, x_axis=x_axes(series)[0], others=drawn), title)


def curve_svg(curve: Curve, title: str) -> str:
    """Return a picture of curves over the axes that they are drawn with."""
    return _picture(curve, title)


def _picture(curve: Curve | None, title: str) -> str:
    inks = [] if curve is None else _inks(curve)
    window, up, across = _axes(curve)
    plot = _Plot(window, MARGIN + up.cells * DIGIT_WIDTH + 12)
    curves = [] if curve is None else [Curve(ink.series, look=curve.look) for ink in inks]
    notes = _notes(curves)
    if curve is not None and (outside := count_beyond(curve, window)):
        notes.append(f"▲ at an edge: {outside}, since the axis leaves out the extreme percent")
    rows = len(inks) + len(notes)
    height = plot.bottom + BELOW_AXIS + max(rows, 1) * LINE_HEIGHT
    parts = [*_heading(title, curve, up.offset)]
    if curve is not None:
        parts += [
            *_grid(plot, up, across, curve.x_axis),
            *_bands(plot, curve, inks),
            *_curves(plot, curve, inks),
            *_odd_marks(plot, curve, inks),
            *_beyond_marks(plot, curve),
        ]
    else:
        parts += _grid(plot, up, across, XAxis.STEP)
    parts += _legend(plot, inks, curves, notes)
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


@dataclass(frozen=True, slots=True)
class _Ink:
    """One curve of a picture, and how it looks."""

    series: Series
    name: str
    look: int
    """Which of the colours and marks it has."""
    of: Overlay | None = None

    @property
    def letters(self) -> str:
        return "" if self.of is None else self.of.letters


def _inks(curve: Curve) -> list[_Ink]:
    if not curve.is_of_runs:
        return [_Ink(one, one.key, index) for index, one in enumerate(curve.all_series)]
    # A run has its colour whichever other runs are switched off.
    return [
        _Ink(of.series, of.text or of.series.key, LETTERS.index(of.letters[0]), of)
        for of in curve.overlays
    ]


def _safe(text: str, cells: int) -> str:
    """Return text that is safe on a line and in XML, cut to a width."""
    return escape(fit(fmt.plain(text), cells).rstrip())


def _text(x: float, y: float, text: str, **attributes: str | int) -> str:
    """Return a text element; `text` must be escaped."""
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{text}</text>'


def _heading(title: str, curve: Curve | None, offset: str) -> Iterator[str]:
    yield _text(MARGIN, 36, _safe(title, TITLE_CELLS), font_size=19, font_weight="bold")
    if curve is None:
        yield _text(MARGIN, 58, "no metric", fill=QUIET)
        return
    series = curve.all_series
    start = min(one.start for one in series)
    end = max(one.end for one in series)
    words = [f"step {start:,}" if start == end else f"steps {start:,} to {end:,}"]
    parts = parts_of_a_second(series)
    if curve.x_axis is XAxis.STEP_TIME and parts is not None:
        # The labels of the axis have no date and no zone.
        ends = (datetime.fromtimestamp(end // parts, UTC) for end in (start, end))
        words.append(" to ".join(map(fmt.when, ends)))
    words += ["part of the run"] if any(not one.is_whole for one in series) else []
    words += ["logarithmic axis"] if curve.is_log else []
    words += [f"value = {offset} + …"] if offset else []
    yield _text(MARGIN, 58, " · ".join(words), fill=QUIET)


# Axes ----------------------------------------------------------------------------------------


def _axes(curve: Curve | None) -> tuple[Window, Ticks, Ticks]:
    """Return the window of a picture, and the ticks of its vertical and its horizontal axis."""
    if curve is None:
        return Window(0.0, 1.0, 0.0, 1.0), Ticks(), Ticks()
    window = window_of(curve)
    up = ticks_up(curve, window, LOG_TICKS_UP if curve.is_log else TICKS_UP, LABEL_CELLS)
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


def _odd_marks(plot: _Plot, curve: Curve, inks: Sequence[_Ink]) -> Iterator[str]:
    """Yield a mark on the horizontal axis for each column with a NaN or an infinity."""
    for ink in inks:
        for column in filter(is_odd, ink.series.columns):
            x = curve.x(column.first, ink.series)
            if x is None:
                continue
            at = f"{plot.x(x):.1f} {plot.bottom:.1f}"
            said = f"{ink.name}: {' · '.join(_odd_words(column))} at step {column.first.step:,}"
            tooltip = f"<title>{_safe(said, TITLE_CELLS)}</title>"
            yield f'<path d="M{at}l5 9h-10z" fill="{ATTENTION}">{tooltip}</path>'


def _beyond_marks(plot: _Plot, curve: Curve) -> Iterator[str]:
    """Yield a mark at the upper or the lower edge for each point that is beyond the axis."""
    for one in beyond(curve, plot.window):
        x = curve.x(one.point, one.series)
        if x is None:
            continue
        said = f"{one.series.key}: {fmt.exact(one.point.value)} at step {one.point.step:,}"
        tooltip = f"<title>{_safe(said, TITLE_CELLS)}</title>"
        edge, away = (TOP, -9) if one.is_above else (plot.bottom, 9)
        path = f"M{plot.x(x):.1f} {edge + away:.1f}l5 {-away}h-10z"
        yield f'<path d="{path}" fill="{ATTENTION}">{tooltip}</path>'


# Curves --------------------------------------------------------------------------------------


def _look(index: int) -> tuple[str, str]:
    return COLOURS[index % len(COLOURS)], MARKS[index % len(MARKS)]


def _bands(plot: _Plot, curve: Curve, inks: Sequence[_Ink]) -> Iterator[str]:
    """Yield the range between the lowest and the highest run behind each mean."""
    for ink in inks:
        if ink.of is None or not ink.of.band:
            continue
        place = CurvePlaces(curve, ink.series)
        upper: Pixels = []
        lower: Pixels = []
        for part in ink.of.band:
            for step in dict.fromkeys((part.start, part.end)):
                x = place(Point(step, part.low))
                if x is not None and curve.is_drawn(part.high):
                    low = curve.scaled(part.low) if curve.is_drawn(part.low) else plot.window.bottom
                    upper.append((plot.x(x), plot.y(curve.scaled(part.high))))
                    lower.append((plot.x(x), plot.y(low)))
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (*upper, *reversed(lower)))
        yield f'<polygon points="{points}" fill="{_look(ink.look)[0]}" fill-opacity="0.15"/>'


def _curves(plot: _Plot, curve: Curve, inks: Sequence[_Ink]) -> Iterator[str]:
    marked: list[tuple[int, Pixels]] = []
    letters: list[str] = []
    for index, ink in enumerate(inks):
        colour, _ = _look(ink.look)
        lines = _pixels(plot, stretches(curve, ink.series))
        smoothed = None if ink.of is None else ink.of.smoothed
        if smooth := smooth_stretches(curve, smoothed, ink.series):
            yield from _lines(lines, colour, opacity=0.3)
            lines = _pixels(plot, smooth)
        yield from _lines(lines, colour)
        # The marks of each curve start at another place: otherwise those of curves that run
        # together would hide one another.
        start = plot.left + MARK_SPACING * (0.25 + index % len(MARKS) / len(MARKS))
        points = [point for line in lines for point in line]
        marked.append((ink.look, _spread(points, start)))
        if ink.letters and points:
            x, y = points[-1]
            letter = _safe(ink.letters, LABEL_CELLS)
            letters.append(_text(x + 6, y + 4.5, letter, fill=colour, font_weight="bold"))
    if len(inks) > 1:
        # Marks are drawn over all lines: a noisy curve would hide them.
        for look, points in marked:
            for x, y in points:
                yield _mark(x, y, look)
    yield from letters


def _pixels(plot: _Plot, drawn: Sequence[Stretch]) -> list[Pixels]:
    window = plot.window
    return [
        [(plot.x(x), plot.y(value)) for x, value in part]
        for stretch in drawn
        for part in clipped_up(stretch, window.bottom, window.top)
    ]


def _lines(lines: Sequence[Pixels], colour: str, opacity: float = 1.0) -> Iterator[str]:
    faint = "" if opacity == 1 else f' stroke-opacity="{opacity:g}"'
    yield f'<g fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round"{faint}>'
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


def _legend(
    plot: _Plot, inks: Sequence[_Ink], curves: Sequence[Curve], notes: Sequence[str]
) -> Iterator[str]:
    """Yield a row below the axis for each curve, then the notes."""
    y = plot.bottom + BELOW_AXIS
    for ink, curve in zip(inks, curves, strict=True):
        colour, _ = _look(ink.look)
        line = f"M{MARGIN:.1f} {y - 4.5:.1f}h34"
        yield f'<path d="{line}" stroke="{colour}" stroke-width="1.6"/>'
        if len(curves) > 1:
            yield _mark(MARGIN + 17, y - 4.5, ink.look)
        figures = f'<tspan dx="14" fill="{QUIET}">{escape(" · ".join(_figures(curve)))}</tspan>'
        odd = " · ".join(_odd_words(curve.series))
        if odd:
            figures += f'<tspan dx="14" fill="{ATTENTION}">▲ {escape(odd)}</tspan>'
        name = f"{ink.letters} {ink.name}" if ink.letters else ink.name
        yield _text(MARGIN + 46, y, f"{_safe(name, KEY_CELLS)}{figures}")
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
