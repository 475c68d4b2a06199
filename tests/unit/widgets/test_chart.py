"""Curves are drawn inside their window, whole at every size, whatever the numbers are."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.widgets.charts.chart import Window, canvas, padded

UNIT = Window(0, 1, 0, 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def dots(lines: list[str]) -> int:
    return sum(char != " " for line in lines for char in line)


def test_a_line_goes_from_corner_to_corner() -> None:
    lines = canvas([[(0, 0), (1, 1)]], 10, 5, UNIT)
    assert [len(line) for line in lines] == [10] * 5
    assert lines[-1][0] != " "
    assert lines[0][-1] != " "
    assert lines[0][0] == " "


def test_a_chart_may_be_larger_than_the_terminal_of_its_process() -> None:
    lines = canvas([[(0, 0), (1, 1)]], 300, 90, UNIT)
    assert [len(line) for line in lines] == [300] * 90
    assert lines[-1][0] != " "
    assert lines[0][-1] != " "


def test_a_gap_is_not_bridged() -> None:
    lines = canvas([[(0, 0.5), (0.3, 0.5)], [(0.7, 0.5), (1, 0.5)]], 20, 3, UNIT)
    middle = next(line for line in lines if line.strip())
    assert middle[9:11] == "  "


def test_a_line_is_clipped_where_it_leaves_the_window() -> None:
    lines = canvas([[(-1, 0.5), (2, 0.5)]], 10, 3, UNIT)
    assert any(line.strip() and " " not in line for line in lines)


def test_one_point_is_a_dot_and_nothing_is_blank() -> None:
    assert dots(canvas([[(0.5, 0.5)]], 10, 5, UNIT)) == 1
    assert dots(canvas([], 10, 5, UNIT)) == 0
    assert dots(canvas([[(math.nan, 1.0)]], 10, 5, UNIT)) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=8),
    st.integers(1, 40),
    st.integers(1, 12),
)
def test_any_finite_points_fit_their_own_window(
    points: list[tuple[float, float]], width: int, height: int
) -> None:
    points = sorted(points)
    left, right = padded(points[0][0], points[-1][0])
    bottom, top = padded(min(y for _, y in points), max(y for _, y in points))
    if not (left < right and bottom < top):
        return
    lines = canvas([points], width, height, Window(left, right, bottom, top))
    assert [len(line) for line in lines] == [width] * height
    assert dots(lines) > 0
