"""Ticks at round numbers: where they stand, and that their labels are what they are."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from flowtui.widgets.charts.ticks import Ticks, even, upward

FINITE = st.floats(allow_nan=False, allow_infinity=False)
CELLS = st.integers(11, 16)
AT_MOST = st.integers(1, 20)


def read(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))


def assert_labels_are_true(made: Ticks, cells: int) -> None:
    """Compare what the labels say, with the offset, with where they stand."""
    assert made.cells <= cells
    assert len(set(made.labels)) == len(made.labels) == len(made.places)
    said = [read(label) + read(made.offset or "0") for label in made.labels]
    assert [float(number) for number in said] == list(made.places)
    assert len({later - earlier for earlier, later in pairwise(said)}) <= 1


@settings(deadline=None)
@given(FINITE, FINITE, AT_MOST, CELLS, st.booleans())
def test_labels_are_what_ticks_are_and_whole(
    one: float, other: float, at_most: int, cells: int, whole: bool
) -> None:
    low, high = min(one, other), max(one, other)
    assume(low < high)
    made = even(low, high, at_most, cells, whole)
    assert_labels_are_true(made, cells)
    assert 1 <= len(made.labels) <= max(at_most + 1, 12)
    assert all(low <= place <= high for place in made.places)


@settings(deadline=None)
@given(FINITE, st.integers(1, 10**6), AT_MOST, CELLS, st.booleans())
def test_floats_next_to_each_other_have_labels_that_differ(
    low: float, floats: int, at_most: int, cells: int, whole: bool
) -> None:
    high = low + floats * math.ulp(low)
    assume(low < high < math.inf)
    made = even(low, high, at_most, cells, whole)
    assert_labels_are_true(made, cells)
    assert len(set(made.places)) == len(made.places)


@settings(deadline=None)
@given(st.floats(-324, 308), st.floats(1e-9, 632), AT_MOST, CELLS)
@example(-319.0, 0.5, 1, 11)
def test_a_logarithmic_axis_has_labels_that_differ(
    bottom: float, height: float, at_most: int, cells: int
) -> None:
    top = min(bottom + height, 308.25)
    assume(bottom < top)
    made = upward(bottom, top, True, at_most, cells)
    assert len(set(made.labels)) == len(made.labels) == len(made.places)
    assert made.cells <= cells
    for place, label in zip(made.places, made.labels, strict=True):
        said = read(label) + read(made.offset or "0")
        # A logarithm of the parts, since the number itself need not be a float.
        logarithm = math.log10(said.numerator) - math.log10(said.denominator)
        assert place == pytest.approx(logarithm, abs=1e-6, rel=1e-9)
        assert bottom - 1e-6 <= place <= top + 1e-6


@pytest.mark.parametrize(
    ("low", "high", "at_most", "labels", "offset"),
    [
        (0, 1, 5, "0.0 0.2 0.4 0.6 0.8 1.0", ""),
        (0, 5000, 6, "0 1,000 2,000 3,000 4,000 5,000", ""),
        (0, 2e8, 4, "0 50,000,000 100,000,000 150,000,000 200,000,000", ""),
        (0.9999, 0.99996, 4, "0.99990 0.99992 0.99994 0.99996", ""),
        (0, 1e-5, 5, "0 2.0e-06 4.0e-06 6.0e-06 8.0e-06 1.0e-05", ""),
        (1e9, 1e9 + 1e-3, 3, "0.0000 0.0005 0.0010", "1.0e+09"),
        (-1e9 - 1e-3, -1e9, 3, "-0.0010 -0.0005 0.0000", "-1.0e+09"),
        (
            999_999_999.9995,
            1_000_000_000.0005,
            5,
            "-0.0004 -0.0002 0.0000 0.0002 0.0004",
            "1.0e+09",
        ),
        (1.78e18, 1.78e18 + 4096, 4, "0 4,000", "1.78e+18"),
        (-1.7e308, 1.7e308, 3, "-1.0e+308 0 1.0e+308", ""),
        (0, 1e-322, 2, "0 5.0e-323 1.0e-322", ""),
        (0.55, 0.95, 1, "0.6 0.8", ""),
    ],
)
def test_ticks_stand_at_round_numbers_and_say_so(
    low: float, high: float, at_most: int, labels: str, offset: str
) -> None:
    made = even(low, high, at_most, 12)
    assert (" ".join(made.labels), made.offset) == (labels, offset)


def test_whole_steps_have_whole_ticks() -> None:
    assert even(0, 3, 10, 11, whole=True).labels == ("0", "1", "2", "3")
    assert even(4.5, 5.5, 10, 11, whole=True).labels == ("5",)
    assert even(0, 1.5, 3, 11).labels == ("0.0", "0.5", "1.0", "1.5")
    first = 1_780_000_000_123_456_789
    made = even(float(first), float(first + 10**12), 5, 11, whole=True)
    assert_labels_are_true(made, 11)


@settings(deadline=None)
@given(FINITE, st.integers(1, 10**4))
def test_labels_of_hundreds_of_ticks_are_whole_too(low: float, floats: int) -> None:
    high = low + floats * math.ulp(low)
    assume(low < high < math.inf)
    assert_labels_are_true(even(low, high, 500, 11), 40)


def test_what_is_no_range_has_no_ticks() -> None:
    for low, high in ((5.0, 5.0), (5.0, 4.0), (5.0, math.inf), (math.nan, 1.0)):
        assert even(low, high, 4, 12) == Ticks()


def test_a_logarithmic_axis_stands_at_powers_or_between_two_at_round_numbers() -> None:
    assert upward(-2, 2, True, 10, 12).labels == ("0.01", "0.1", "1", "10", "100")
    assert upward(-2, 2, True, 10, 12).places == (-2, -1, 0, 1, 2)
    assert upward(0, 1, True, 10, 12).labels == ("1", "2", "5", "10")
    between = upward(math.log10(2.05), math.log10(2.45), True, 4, 12)
    assert between.labels == ("2.1", "2.2", "2.3", "2.4")
    assert upward(-323, -320, True, 3, 12).labels == (
        "1.0e-323", "1.0e-322", "1.0e-321", "1.0e-320",
    )  # fmt: skip
