"""Saves what the zoom of the Metrics tab shows: its points, or its chart."""

from __future__ import annotations

from typing import Literal, TextIO

from flowtui import format as fmt
from flowtui.reports.saving import write_atomically
from flowtui.reports.series import write_series
from flowtui.screens.dialogs.export import Export, ExportFormat
from flowtui.screens.metrics.reading import Zoomed
from flowtui.store.open_run import OpenRun
from flowtui.widgets.charts.curve import Curve
from flowtui.widgets.charts.curve_lines import curve_lines
from flowtui.widgets.charts.svg import chart_svg

TEXT_CELLS, TEXT_LINES = 100, 30
FORMATS = (
    ExportFormat("csv", "CSV, all points", "csv"),
    ExportFormat("json", "JSON, all points", "json"),
    ExportFormat("svg", "SVG, the chart", "svg"),
    ExportFormat("text", "Text, the chart", "txt"),
)


def write_chart(curve: Curve, out: TextIO) -> None:
    """Write a chart as text, in `TEXT_LINES` lines of at most `TEXT_CELLS` cells."""
    lines = curve_lines(curve, TEXT_CELLS, TEXT_LINES)
    out.writelines("".join(piece.text for piece in line).rstrip() + "\n" for line in lines)


def save(run: OpenRun, shown: Zoomed, curve: Curve, chosen: Export) -> str:
    """Write a file and return a sentence about it.

    Args:
        run: The run.
        shown: The metrics and their window.
        curve: How they are drawn.
        chosen: The format and the path.

    Raises:
        SaveFailed: The file cannot be written.
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more; no file is left.
    """
    all_series = (shown.series, *shown.others)

    def write(out: TextIO) -> str:
        if chosen.format_key in ("csv", "json"):
            style: Literal["csv", "json"] = "csv" if chosen.format_key == "csv" else "json"
            keys = [series.key for series in all_series]
            window = shown.series.window
            written = write_series(run, keys, window, style, out)
            count = sum(written.stepless.values())
            left_out = f", without {fmt.count(count, 'row')} that have no step," if count else ""
            return fmt.count(written.point_count, "point") + left_out
        if chosen.format_key == "svg":
            out.write(chart_svg(all_series, f"{run.name} · {shown.series.key}", curve.look))
        else:
            write_chart(curve, out)
        return "the chart"

    what = write_atomically(chosen.path, write)
    return f"{what} to {fmt.plain(str(chosen.path), 200)}"
