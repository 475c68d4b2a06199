"""The table of measurements in docs/measured.md, which `make bench` writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.bench.measure import Measure

PAGE = Path(__file__).parents[2] / "docs" / "measured.md"
BEGIN = "<!-- made by make bench -->\n"
END = "<!-- end -->\n"


def table(measured: Iterable[tuple[Measure, float | None]], of: str) -> str:
    """Return the table.

    Args:
        measured: Each measure, with what the rival takes where that is known.
        of: On which machine, and of what.
    """
    told = list(measured)
    columns = ["", "measured", "beside", "ratio", "budget"]
    if any(rival is not None for _, rival in told):
        columns.append("`lumlflow tui`")
    lines = [
        f"{of}:",
        "",
        f"| {' | '.join(columns)} |".replace("|  |", "| |"),
        f"{'|---' * len(columns)}|",
    ]
    for measure, rival in told:
        unit = f" {measure.unit}".rstrip()
        has_base = measure.baseline is not None
        cells = [
            measure.what,
            f"{_number(measure.measured)}{unit}",
            "" if measure.baseline is None else f"{_number(measure.baseline)}{unit}",
            f"{measure.value:.2f}" if has_base else "",
            _number(measure.budget) + ("" if has_base else unit),
            "" if rival is None else f"{_number(rival)}{unit}",
        ]
        lines.append(f"| {' | '.join(cells[: len(columns)])} |")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def write(made: str) -> None:
    """Put a table in the place of the one on the page."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{made}{END}{rest.partition(END)[2]}", "utf-8")
