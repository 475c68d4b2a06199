"""Bars of spans on a scale of time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.traces.tree import SpanTree
from flowtui.store.traces.values import Span
from flowtui.widgets.cells import width_of
from flowtui.widgets.trees.waterfall import TimeWindow, bar, bar_role, scale, whole_window
from tests.unit.span_columns import tree_of
from tests.unit.store import test_span_tree

MS = 1_000_000
ORIGIN = 10**15
TIMES = st.integers(0, 10**6)


def span(span_id: str, parent: str | None, start: int, end: int) -> Span:
    return test_span_tree.span(span_id, parent, ORIGIN + start, ORIGIN + end)


def window_of(start: int, end: int) -> TimeWindow:
    return TimeWindow(ORIGIN + start, ORIGIN + end)


def bars(tree: SpanTree, cells: int, window: TimeWindow | None = None) -> list[str]:
    shown = window or whole_window(tree)
    return ["".join(p.text for p in bar(tree, at, shown, cells)) for at in range(len(tree))]


def test_a_bar_is_solid_where_the_span_itself_worked_and_thin_where_a_child_did() -> None:
    tree = tree_of([span("r", None, 0, 100), span("a", "r", 20, 50)])
    assert bars(tree, 10) == ["██━━━█████", "  ███     "]


def test_bars_start_and_end_on_half_cells() -> None:
    tree = tree_of([span("r", None, 0, 100), span("a", "r", 5, 25)])
    assert bars(tree, 10)[1] == "▐█▌       "


def test_gaps_between_many_short_children_do_not_hide_that_they_fill_the_time() -> None:
    children = [span(f"c{at:03}", "r", at, at + 1) for at in range(10, 90)]
    tree = tree_of([span("r", None, 0, 100), *children])
    assert bars(tree, 10)[0] == "█━━━━━━━━█"


def test_however_short_a_span_in_the_window_has_a_mark() -> None:
    tree = tree_of([span("r", None, 0, 10**9), span("a", "r", 10**9, 10**9)])
    assert bars(tree, 20)[1].strip() == "▐"


def test_what_lies_outside_the_window_is_pointed_to() -> None:
    tree = tree_of([span("r", None, 0, 100), span("a", "r", 0, 10), span("b", "r", 90, 100)])
    before, after = bars(tree, 10, window_of(40, 60))[1:]
    assert (before, after) == ("‹         ", "         ›")


def test_a_child_outside_its_parent_is_drawn_where_its_clock_says() -> None:
    tree = tree_of([span("r", None, 50, 80), span("a", "r", 0, 100)])
    parent, child = bars(tree, 10)
    assert child == "██████████"
    assert parent == "     ━━━  "


def test_a_span_that_has_not_ended_runs_on_to_the_end_of_the_window() -> None:
    pending = span("p", "r", 50, 50)._replace(is_pending=True)
    tree = tree_of([pending, span("q", None, 0, 100)])
    index = next(at for at, node in enumerate(tree) if node.id == "r")
    assert bars(tree, 10)[index] == "     ┄┄┄┄▸"
    assert bar_role(tree[index]) == "accent"


def test_an_error_and_the_critical_path_show_in_the_role() -> None:
    failed = span("b", "r", 60, 100)._replace(status_code=2)
    tree = tree_of([span("r", None, 0, 100), span("a", "r", 0, 90), failed])
    assert [bar_role(node) for node in tree] == ["text", "muted", "error"]


@given(st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=8), TIMES, TIMES, st.integers(1, 60))
def test_a_bar_fills_its_cells_whatever_the_times(
    times: list[tuple[int, int]], start: int, end: int, cells: int
) -> None:
    spans = [span(str(at), "0" if at else None, *pair) for at, pair in enumerate(times)]
    tree = tree_of(spans)
    window = window_of(min(start, end), max(start, end) + 1)
    for at in range(len(tree)):
        assert width_of(bar(tree, at, window, cells)) == cells
    assert len(scale(window, tree.start_ns or 0, cells)) == cells


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), max_size=30),
    st.integers(0, 300),
    st.integers(1, 100),
    st.integers(1, 30),
)
def test_a_cell_is_thin_where_children_fill_it(
    times: list[tuple[int, int]], start: int, length: int, cells: int
) -> None:
    children = [span(f"c{at}", "r", *sorted(pair)) for at, pair in enumerate(times)]
    tree = tree_of([span("r", None, 0, 400), *children])
    text = bars(tree, cells, window_of(start, start + length))[0]
    # In units of the time of half a cell, times the length, so that all of them are whole.
    ran = [((a - ORIGIN) * 2 * cells, (b - ORIGIN) * 2 * cells) for a, b in tree.covered(0)]
    for cell, glyph in enumerate(text):
        halves = [start * 2 * cells + half * length for half in (2 * cell, 2 * cell + 1)]
        filled = [any(a <= at and at + length <= b for a, b in ran) for at in halves]
        assert (glyph == "━") is all(filled)


@pytest.mark.parametrize(
    ("length_ns", "expected"),
    [
        (9_000 * MS, ["0 s", "2 s", "4 s", "6 s", "8 s"]),
        (400 * MS, ["0 ms", "100 ms", "200 ms", "300 ms"]),
        (7_200_000 * MS, ["0", "30 m", "1 h", "1 h 30 m"]),
    ],
)
def test_the_scale_is_of_round_times_since_the_start(length_ns: int, expected: list[str]) -> None:
    origin = 1_700_000_000 * 1_000 * MS
    window = TimeWindow(origin, origin + length_ns)
    assert re.split(r" {2,}", scale(window, origin, 52).strip()) == expected


def test_a_zoomed_scale_tells_its_ticks_apart() -> None:
    labels = scale(TimeWindow(1_234 * MS, 1_236 * MS), 0, 48).split(" s")
    assert len({label.strip() for label in labels if label.strip()}) >= 3


@pytest.mark.parametrize("start_ns", [1_234 * MS, 3_600_000 * MS])
@pytest.mark.parametrize("length_ns", [5, 500, 70_000, 3 * MS])
def test_times_of_a_narrow_window_far_from_the_start_differ(start_ns: int, length_ns: int) -> None:
    shown = scale(TimeWindow(start_ns, start_ns + length_ns), 0, 100)
    labels = re.findall(r"[\d.,]+ s", shown)
    assert len(set(labels)) == len(labels) > 1


def test_zooming_and_panning_stay_inside_the_trace() -> None:
    whole = TimeWindow(0, 1_000)
    part = whole.scaled(0.5, 100, whole)
    assert part == TimeWindow(0, 500)
    assert part.shifted(0.5, whole) == TimeWindow(250, 750)
    assert part.shifted(10, whole) == TimeWindow(500, 1_000)
    assert part.scaled(4, 0, whole) == whole
    assert whole.around(100, 300) == TimeWindow(90, 310)


def test_a_window_never_becomes_empty() -> None:
    whole = TimeWindow(0, 3)
    part = whole
    for _ in range(10):
        part = part.scaled(0.5, 1, whole)
    assert part.length_ns == 1
