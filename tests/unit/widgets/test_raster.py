"""Dense curves by runs of dots: nothing of the curve is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.widgets.charts.raster import BRAILLE, QUADRANTS, Marker, dots, raster

SHARES = st.floats(0, 1)
LINES = st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=60).map(sorted)
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 20))


def lit(lines: list[str], column: int, row: int, marker: Marker) -> bool:
    """Say whether a dot, counted from the lower left, is set."""
    from_top = len(lines) * marker.rows - 1 - row
    glyph = lines[from_top // marker.rows][column // 2]
    return bool(marker.glyphs.index(glyph) & marker.bits[column % 2][from_top % marker.rows])


@pytest.mark.parametrize("marker", [BRAILLE, QUADRANTS], ids=["braille", "quadrants"])
@given(line=LINES, size=SIZES)
def test_every_point_has_its_dot(
    marker: Marker, line: list[tuple[float, float]], size: tuple[int, int]
) -> None:
    width, height = size
    lines = raster([line], width, height, marker)
    assert [len(row) for row in lines] == [width] * height
    for x, y in line:
        column, row = round(x * (2 * width - 1)), round(y * (marker.rows * height - 1))
        assert lit(lines, column, row, marker)


@given(line=LINES, size=SIZES)
def test_a_line_has_no_hole(line: list[tuple[float, float]], size: tuple[int, int]) -> None:
    width, height = size
    lines = raster([line], width, height, BRAILLE)
    first, last = (round(x * (2 * width - 1)) for x in (line[0][0], line[-1][0]))
    tall = 4 * height
    before: set[int] = set()
    for column in range(first, last + 1):
        rows = {row for row in range(tall) if lit(lines, column, row, BRAILLE)}
        assert rows, "every column between the ends has a dot"
        near = {row + by for row in rows for by in (-1, 0, 1)}
        assert not before or before & near, "and touches the one before"
        before = rows


def test_two_lines_are_not_joined() -> None:
    lines = raster([[(0.0, 0.0), (0.2, 0.0)], [(0.8, 1.0), (1.0, 1.0)]], 20, 4, BRAILLE)
    assert all(row[6:14].strip() == "" for row in lines)


def test_a_noisy_line_has_more_dots_than_a_smooth_one() -> None:
    noisy = [(step / 99, step % 2) for step in range(100)]
    smooth = [(step / 99, step / 99) for step in range(100)]
    assert dots([noisy], 50, 10, BRAILLE) > 10 * dots([smooth], 50, 10, BRAILLE)
