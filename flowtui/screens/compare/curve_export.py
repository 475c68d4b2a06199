"""Saves what the Metrics tab of a comparison shows: its values, or its chart."""

from __future__ import annotations

from typing import TextIO

from flowtui import format as fmt
from flowtui.reports.comparison.curves import write_curves
from flowtui.reports.saving import write_atomically
from flowtui.screens.compare.curve_plan import CurvePlan
from flowtui.screens.dialogs.export import Export, ExportFormat
from flowtui.screens.metrics.export import write_chart
from flowtui.screens.metrics.reading import Zoomed
from flowtui.widgets.charts.curve import Curve
from flowtui.widgets.charts.svg import curve_svg

FORMATS = (
    ExportFormat("csv", "CSV, all values", "csv"),
    ExportFormat("jsonl", "JSON lines, all values", "jsonl"),
    ExportFormat("svg", "SVG, the chart", "svg"),
    ExportFormat("text", "Text, the chart", "txt"),
)


def save(plan: CurvePlan, shown: Zoomed, curve: Curve, chosen: Export) -> str:
    """Write a file and return a sentence about it.

    Args:
        plan: Which curves are drawn, and what they are called.
        shown: What was read of them, with the window.
        curve: How they are drawn.
        chosen: The format and the path.

    Raises:
        SaveFailed: The file cannot be written.
        DatabaseError: A run's database cannot be read.
        ReadCancelled: Nobody waits any more; no file is left.
    """

    def write(out: TextIO) -> str:
        if chosen.format_key in ("csv", "jsonl"):
            named = {of.letters: of.text for of in plan.overlays(shown)}
            curves = [(one.name, named[one.name], one.source) for one in shown.curves]
            windows = [one.series.window for one in shown.curves]
            is_csv = chosen.format_key == "csv"
            return fmt.count(write_curves(curves, windows, out, is_csv=is_csv), "value")
        if chosen.format_key == "svg":
            out.write(curve_svg(curve, f"{shown.series.key} · {plan.heading(shown)}"))
        else:
            write_chart(curve, out)
        return "the chart"

    what = write_atomically(chosen.path, write)
    lost = " ".join(one.letters for one in plan.lost(shown))
    without = f", without {lost}, which cannot be read" if lost else ""
    return f"{what} to {fmt.plain(str(chosen.path), 200)}{without}"
