"""The curves of a comparison as CSV and JSON lines: one value a line, of one curve after another.

Numbers are in full precision; NaN and infinities are `NaN`, `Infinity` and `-Infinity`, in JSON as
strings. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from typing import TextIO

from flowtui.reports.escaped import csv_text, json_line
from flowtui.reports.runs import time_text
from flowtui.store.metrics.source import CurveSource, Window
from flowtui.store.metrics.steps import HIGHEST, LOWEST, reach
from flowtui.store.metrics.values import FoldedPoint
from flowtui.store.values import LoggedPoint

COLUMNS = ("letters", "name", "key", "step", "value", "lowest", "highest", "runs", "logged_at")


def write_curves(
    curves: Sequence[tuple[str, str, CurveSource]],
    windows: Sequence[Window],
    out: TextIO,
    *,
    is_csv: bool,
) -> int:
    """Write all values of curves inside their windows, and return how many there are.

    Args:
        curves: For each the letters of its runs, what it is called, and where its points are.
        windows: The first and the last step of each; None for all of it.
        out: Where values are written as they are read.
        is_csv: Whether they are written as CSV, with a header, or as JSON lines.

    Raises:
        DatabaseError: A run's database cannot be read.
        ReadCancelled: Nobody waits any more; part of the text is written then.
    """
    rows = csv.writer(out, lineterminator="\n")
    if is_csv:
        rows.writerow(COLUMNS)
    count = 0
    for (letters, name, source), window in zip(curves, windows, strict=True):
        start, end = (LOWEST, HIGHEST) if window is None else (window[0], reach(window[1]))
        safe = [csv_text(text) for text in (name, source.key)]
        for point in source.points(start, end):
            if is_csv:
                rows.writerow((letters, *safe, *_cells(point)))
            else:
                values = dict(zip(COLUMNS[3:], _values(point), strict=True))
                record = {"letters": letters, "name": name, "key": source.key, **values}
                out.write(json_line(record) + "\n")
            count += 1
    return count


def _values(point: LoggedPoint) -> tuple[object, ...]:
    spread: tuple[object, ...] = (None, None, 1)
    if isinstance(point, FoldedPoint):
        spread = _number(point.low), _number(point.high), point.run_count
    return point.step, _number(point.value), *spread, time_text(point.logged_at)


def _cells(point: LoggedPoint) -> list[object]:
    return ["" if value is None else value for value in _values(point)]


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else json.dumps(value)
