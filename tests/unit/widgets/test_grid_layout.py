"""Where the charts of a grid stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowtui.widgets.charts.grid_layout import (
    MIN_CARD_LINES,
    PINNED,
    bands,
    card_size,
    grouped,
    neighbour_key,
    prefix,
)

KEYS = st.lists(st.text("ab/", min_size=1, max_size=6), unique=True, max_size=40)


def test_a_prefix_ends_at_the_first_slash() -> None:
    assert [prefix(key) for key in ("train/loss", "train/layer/1", "lr", "/x")] == [
        "train", "train", "", "",
    ]  # fmt: skip


def test_pinned_metrics_come_first_and_leave_their_group() -> None:
    groups = grouped(["a/x", "a/y", "b/x"], pinned={"b/x", "gone"}, folded={"a"})
    assert [(group.name, group.keys, group.is_folded) for group in groups] == [
        (PINNED, ("b/x",), False),
        ("a", ("a/x", "a/y"), True),
    ]


@given(KEYS, st.sets(st.text("ab/", min_size=1, max_size=6)), st.integers(1, 6))
def test_every_metric_has_one_place(keys: list[str], pinned: set[str], columns: int) -> None:
    made = bands(grouped(keys, pinned), columns, 8)
    placed = [key for band in made for key in band.keys]
    assert sorted(placed) == sorted(keys)
    ends = [band.y + band.height for band in made]
    assert [band.y for band in made] == [0, *ends][: len(made)]


def test_a_single_group_without_a_name_has_no_header() -> None:
    assert all(band.keys for band in bands(grouped(["loss", "lr"]), 2, 8))
    assert not bands(grouped(["a/loss", "lr"]), 2, 8)[0].keys


def test_a_folded_group_is_its_header() -> None:
    made = bands(grouped(["a/x", "a/y", "lr"], folded={"a"}), 2, 8)
    assert [(band.group.name, band.keys) for band in made] == [("a", ()), ("", ()), ("", ("lr",))]


@given(
    st.dictionaries(st.text(max_size=3), st.integers(1, 50), max_size=8),
    st.integers(1, 300),
    st.integers(1, 100),
)
def test_cards_fit_the_width_and_are_never_too_low(
    sizes: dict[str, int], width: int, height: int
) -> None:
    size = card_size(sizes, width, height)
    assert size.columns >= 1
    assert size.columns * size.cells <= width
    assert size.lines >= MIN_CARD_LINES


def test_few_charts_take_the_room_there_is() -> None:
    assert card_size({"": 2}, 200, 50).cells == 100
    assert card_size({"": 2}, 200, 50).lines > MIN_CARD_LINES


def test_neighbours_follow_the_order_of_the_grid_and_stop_at_its_ends() -> None:
    groups = grouped(["a/x", "b/x", "a/y"])
    assert neighbour_key(groups, "a/y", 1) == "b/x"
    assert neighbour_key(groups, "b/x", 1) == "b/x"
    assert neighbour_key(groups, "gone", 1) == "a/x"
    assert neighbour_key([], "gone", 1) == "gone"
