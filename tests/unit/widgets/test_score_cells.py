"""Scores as cells of a table, and what they add up to as a few short texts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.store.samples.score_values import (
    ScoreSummary,
    TextSummary,
    as_float,
    is_number,
    value_type,
)
from flowtui.store.samples.scores import number_summary
from flowtui.store.samples.values import KeyType
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Piece
from flowtui.widgets.lists.score_cells import (
    cells_of_numbers,
    histogram_text,
    score_piece,
    summary_cells,
)


def summary(values: Sequence[JsonValue], key: str = "score", missing: int = 0) -> ScoreSummary:
    numbers = [as_float(value) for value in values if is_number(value)]
    finite = [number for number in numbers if math.isfinite(number)]
    texts = [value for value in values if isinstance(value, str)]
    top = tuple((text, texts.count(text)) for text in dict.fromkeys(texts))
    types = [value_type(value) for value in values]
    return ScoreSummary(
        key=key,
        sample_count=len(values) + missing,
        types={type_: types.count(type_) for type_ in KeyType if type_ in types},
        numbers=number_summary(finite) if finite else None,
        nan_count=sum(math.isnan(number) for number in numbers),
        inf_count=sum(math.isinf(number) for number in numbers),
        pass_count=sum(value is True for value in values),
        texts=TextSummary(len(texts), top, 0) if texts else None,
    )


def column(values: Sequence[JsonValue]) -> list[str]:
    whole = summary(values)
    return [score_piece(value, whole).text for value in values]


def test_each_type_reads_without_its_colour() -> None:
    assert score_piece(True) == Piece("✓ true", "ok")
    assert score_piece(False) == Piece("✗ false", "error")
    assert score_piece(None) == Piece("–", "muted")
    assert score_piece(math.nan) == Piece("NaN", "attention")
    assert score_piece(-math.inf) == Piece("-Inf", "attention")
    assert score_piece("fair") == Piece("fair", "text")
    assert score_piece("late", summary(["late"], "__error__slow")).role == "error"
    assert score_piece({"a": 1, "b": [1, 2]}).text == '{"a": 1, "b": "[2]"}'
    assert score_piece(list(range(20))).text == "[20]"
    assert score_piece(0.00031) == Piece("0.00031", "text")


def test_numbers_of_a_key_have_their_points_in_line_and_a_bar() -> None:
    shown = column([0.0, 0.5, 0.725, 1.0, math.nan])
    assert shown == ["0.000 ▁", "0.500 ▄", "0.725 ▆", "1.000 ▇", "NaN  "]
    assert column([1, 3, 5]) == ["1 ▁", "3 ▄", "5 ▇"]
    mixed = column([2, 2.25, 7.5])
    assert len({text.index(".") - len(text) for text in mixed if "." in text}) == 1
    assert mixed[0] == "2    ▁"


def test_a_number_that_is_not_one_does_not_read_as_one() -> None:
    assert column([0.9996, 1.0, 0.0]) == ["0.9996 ▇", "1.000 ▇", "0.000 ▁"]
    assert column([0.9999982, 0.5]) == ["0.999998 ▇", "0.500 ▁"]


def test_a_number_too_large_for_its_column_is_not_cut() -> None:
    values = [10**15, 10**15 + 1, -(10**18) - 7]
    assert column(values) == ["1.0e+15 ▇", "1.0e+15 ▇", "-1.0e+18 ▁"]


def test_a_column_of_numbers_is_as_wide_as_its_widest() -> None:
    values = [-123_456.5, 7.25, 0.5]
    numbers = summary(values).numbers
    assert numbers is not None
    assert cells_of_numbers(numbers) == max(map(len, column(values)))


def test_a_tiny_number_is_not_shown_as_none_and_a_huge_one_is_short() -> None:
    assert column([1e-9, 1.0]) == ["1.0e-09 ▁", "1.000 ▇"]
    assert column([10**400, 1.0]) == ["Inf  ", "1.000 ▇"]
    assert len(column([1e300, -1e300])[0]) < 14


def test_low_numbers_call_for_attention_unless_all_are_the_same() -> None:
    whole = summary([0.0, 1.0])
    assert [score_piece(n, whole).role for n in (0.1, 0.5)] == ["attention", "text"]
    assert score_piece(0.0, summary([0.0, 0.0])).role == "text"


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    ),
    st.lists(st.floats() | st.integers(-(10**6), 10**6), max_size=5),
)
def test_any_score_is_one_short_plain_line(value: JsonValue, others: list[float]) -> None:
    for whole in (None, summary([*others, value])):
        text = score_piece(value, whole).text
        assert text == fmt.plain(text)
        assert cell_len(text) < 1_000
    for piece in summary_cells(summary([*others, value])):
        assert piece.text == fmt.plain(piece.text)
        assert piece.text


def test_a_summary_says_of_each_type_what_matters() -> None:
    def said(values: Sequence[JsonValue], missing: int = 0) -> list[str]:
        return [piece.text for piece in summary_cells(summary(values, missing=missing))]

    assert said([True] * 50 + [False] * 10) == ["83 % (10 ✗)"]
    assert said([True, True]) == ["100 %"]
    assert said([True] * 999 + [False]) == ["99.9 % (1 ✗)"]
    assert said([True] * 2499 + [False]) == ["99.96 % (1 ✗)"]
    assert said([False] * 2499 + [True]) == ["0.04 % (2,499 ✗)"]
    assert said([0.5, 0.95]) == ["0.725", "0.50–0.95"]
    assert said([-1.5, 2.5]) == ["0.50", "-1.5 – 2.5"]
    assert said([3, 3]) == ["3"]
    assert said([0.9992, 1.0]) == ["0.9996", "0.9992–1.0000"]
    assert said([0.9992, 0.9994]) == ["0.9993", "0.9992–0.9994"]
    assert said([0.8312, 0.8313]) == ["0.83125", "0.83120–0.83130"]
    assert said([1e12, 1e12 + 1]) == ["min+0.5", "1.0e+12–min+1"]
    assert said(["good"] * 12 + ["bad"] * 3) == ["good 12 · bad 3"]
    assert said([], missing=4) == ["absent"]
    assert said([None], missing=4) == ["absent"]
    assert said([True, math.nan, [1], "x"], missing=2) == [
        "100 %",
        "▲ 1 NaN",
        "x 1",
        "1 nested",
        "2 missing",
    ]


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([0.0, 0.0, 1.0], "▇▁▁▁▁▁▁▁▁▄"),
        ([2.0, 2.0], "▇"),
        ([0.0] * 1_000 + [1.0], "▇▁▁▁▁▁▁▁▁▂"),
    ],
)
def test_a_histogram_shows_even_the_rarest_bin(values: list[float], bars: str) -> None:
    assert histogram_text(number_summary(values)) == bars
