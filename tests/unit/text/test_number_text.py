"""Numbers as text: none reads as what it is not, whatever numbers they are."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from flowtui import format as fmt

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NEAR = st.tuples(FINITE, st.integers(-40, 40)).map(
    lambda pair: pair[0] + pair[1] * math.ulp(pair[0])
)
"""A number, and others that are a few floats away: drawn more than once, they differ little."""


def read(text: str) -> Fraction:
    return Fraction(text.replace(",", ""))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0, "0"),
        (-0.0, "0"),
        (7, "7"),
        (-1234567, "-1,234,567"),
        (10**15, "1.0e+15"),
        (0.25, "0.25"),
        (0.98765432, "0.98765"),
        (12345.678, "12,346"),
        (1234567.0, "1,234,567"),
        (3e-4, "0.0003"),
        (0.00012345, "1.2345e-04"),
        (3e-12, "3.0e-12"),
        (2.5e9, "2.5e+09"),
        (-1.5, "-1.5"),
        (math.nan, "NaN"),
        (math.inf, "Inf"),
        (-math.inf, "-Inf"),
        (True, "1"),
        (10**15 + 1, "1,000,000,000,000,001"),
        (1_780_000_000_123_456_789, "1,780,000,000,123,456,789"),
        (10**400 + 1, "1.0e+400"),
        (0.9999982, "0.999998"),
        (1.0000004, "1.0000004"),
        (-0.99999994, "-0.9999999"),
        (99_999.7, "99,999.7"),
        (200_000.3, "200,000.3"),
        (0.250004, "0.250004"),
        (3.00002e-7, "3.00002e-07"),
        (999_999_999.6, "1.0e+09"),
        # What 32 bits make of 0.1, and what 64 bits make of 0.1 + 0.2.
        (0.10000000149011612, "0.1"),
        (0.30000000000000004, "0.3"),
        (5e-324, "4.9407e-324"),
        (1.7976931348623157e308, "1.7977e+308"),
    ],
)
def test_a_number_shows_its_significant_digits(value: float, text: str) -> None:
    assert fmt.number(value) == text


@given(st.floats(-1e308, 1e308))
def test_a_number_as_shown_is_the_number(value: float) -> None:
    shown = float(fmt.number(value).replace(",", ""))
    assert math.isclose(shown, value, rel_tol=6e-5)
    assert len(fmt.number(value)) <= len("-1.2345e-308")


@given(st.floats())
def test_an_exact_number_loses_nothing(value: float) -> None:
    shown = float(fmt.exact(value))
    assert shown == value or (math.isnan(shown) and math.isnan(value))


def test_aligned_numbers_have_their_points_in_one_column() -> None:
    padded = fmt.aligned(["0.25", "12.5", "3", "1,204.125", "NaN", "3.0e-12"])
    assert [text.rjust(10) for text in padded] == [
        "     0.25 ",
        "    12.5  ",
        "     3    ",
        " 1,204.125",
        "   NaN    ",
        "   3.0e-12",
    ]
    assert fmt.aligned([]) == []


@given(
    rounded=st.sampled_from([1.0, 0.5, 100.0, -1.0, 0.02, 2e5, 40.0]),
    apart=st.floats(1e-7, 1e-3) | st.floats(-1e-3, -1e-7),
    digits=st.integers(2, 6),
)
def test_what_is_not_a_round_number_does_not_read_as_one(
    rounded: float, apart: float, digits: int
) -> None:
    value = rounded * (1 + apart)
    assert fmt.number(value, digits) != fmt.number(rounded, digits)
    shown = float(fmt.number(value, digits).replace(",", ""))
    assert math.isclose(shown, value, rel_tol=10.0 ** (1 - digits))


@given(st.integers(1, 999), st.integers(-4, 4))
def test_what_32_bits_make_of_a_round_number_reads_as_it(whole: int, power: int) -> None:
    rounded = float(f"{whole}e{power}")
    (as_32_bits,) = struct.unpack("f", struct.pack("f", rounded))
    assert read(fmt.number(as_32_bits)) == read(fmt.number(rounded))


@given(FINITE | st.integers(-(10**25), 10**25), st.integers(2, 8), st.integers(9, 14))
def test_a_number_fits_where_it_has_to(value: float, digits: int, cells: int) -> None:
    text = fmt.number(value, digits, cells=cells)
    assert len(text) <= cells
    # With one digit of it, at worst.
    assert abs(read(text) - Fraction(value)) <= abs(Fraction(value)) * Fraction(1, 2)


@given(st.lists(FINITE | st.integers(-(10**18), 10**18), min_size=2, max_size=5), st.integers(2, 6))
@example([0.0, 1.0, -1.75e308, -1.7500000000000002e308], 2)
def test_numbers_that_differ_read_differently(values: list[float], digits: int) -> None:
    texts = fmt.distinct(values, digits)
    assert len(set(texts)) == len({Fraction(value) for value in values})


@given(FINITE, st.lists(st.integers(-40, 40), min_size=2, max_size=5))
def test_neighbours_among_floats_read_differently(value: float, steps: list[int]) -> None:
    values = [value + step * math.ulp(value) for step in steps]
    assume(all(map(math.isfinite, values)))
    assert len(set(fmt.distinct(values))) == len(set(values))


def test_not_a_number_is_one_of_those_that_differ() -> None:
    assert fmt.distinct([math.nan, 1.0, math.nan]) == ["NaN", "1", "NaN"]
    assert fmt.distinct([]) == []


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.4, 0.1, 2.5), ("0.4", "0.1", "2.5")),
        ((0.9999982, 0.9, 0.9999982), ("0.999998", "0.9", "0.999998")),
        ((0.98124, 0.98123, 0.98125), ("0.98124", "0.98123", "0.98125")),
        ((1e9 + 5e-4, 1e9, 1e9 + 1e-3), ("min+0.0005", "1.0e+09", "min+0.001")),
        ((1e9, 1e9, 1e9 + 1e-3), ("1.0e+09", "1.0e+09", "min+0.001")),
        ((1e16 + 16, 1e16, 1e16 + 18), ("max-2", "1.0e+16", "min+18")),
        ((math.nan, 1e9, 1e9 + 1e-3), ("NaN", "1.0e+09", "min+0.001")),
        ((-math.inf, 3.0, 3.0), ("-Inf", "3", "3")),
    ],
)
def test_extremes_are_told_apart(
    values: tuple[float, float, float], texts: tuple[str, str, str]
) -> None:
    assert fmt.extremes(*values, 4, 11) == texts


@given(FINITE, st.lists(st.integers(0, 60), min_size=3, max_size=3), st.integers(10, 14))
def test_extremes_have_room_and_differ(value: float, steps: list[int], cells: int) -> None:
    values = sorted(value + step * math.ulp(value) for step in steps)
    assume(all(map(math.isfinite, values)))
    low, last, high = values
    texts = fmt.extremes(last, low, high, 4, cells)
    assert max(map(len, texts)) <= cells
    assert len(set(texts)) == len(set(values))


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"), (1.0, "100 %"), (0.834, "83 %"), (0.9996, "99.96 %"), (0.0004, "0.04 %"),
        (0.996, "99.6 %"), (0.999999, "99.9999 %"), (1e-30, "1.0e-28 %"),
    ],
)  # fmt: skip
def test_a_share_is_a_percentage(share: float, text: str) -> None:
    assert fmt.percent(share) == text


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_only_all_of_it_is_a_hundred_percent(some: int, more: int) -> None:
    share = read(fmt.percent(some / (some + more)).removesuffix(" %"))
    assert share < 100
    assert (share == 0) == (some == 0)


@given(FINITE.filter(lambda value: abs(value) < 1e9), st.integers(0, 6))
@example(100000.99999999999, 1)
def test_decimals_grow_only_where_a_number_would_read_as_a_round_one(
    value: float, decimals: int
) -> None:
    text = fmt.with_decimals(value, decimals, 9)
    plain = f"{value:,.{decimals}f}"
    assert text == plain or float(plain.replace(",", "")).is_integer()
    assert (read(text.removeprefix("<").removeprefix(">")) == 0) == (value == 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (1.2345678901234e-05, "1.235e-05"),
        (0.12345678901234567, "0.12346"),
        (123_456_789, "123456789"),
        (1_234_567_890, "1.235e+09"),
    ],
)
def test_a_number_is_shown_in_full_or_as_it_fits(value: float, text: str) -> None:
    assert fmt.fitted(value, 9) == text


def test_zeros_that_are_kept_say_how_far_a_number_was_rounded() -> None:
    assert fmt.number(1.40004, 4, keep_zeros=True) == "1.400"
    assert fmt.number(0.9999982, 4, keep_zeros=True) == "0.999998"
    assert fmt.number(99_999.7, 4, keep_zeros=True) == "99,999.7"


def test_decimals_tell_a_number_from_one() -> None:
    assert fmt.with_decimals(0.9996, 3, 9) == "0.9996"
    assert fmt.with_decimals(0.9999982, 3, 9) == "0.999998"
    assert fmt.with_decimals(0.0304, 3, 9) == "0.030"
    assert fmt.with_decimals(12.0004, 2, 9) == "12.0004"
    assert fmt.with_decimals(1234.4, 0, 9) == "1,234"
    assert fmt.with_decimals(999.6, 0, 9) == "999.6"
    assert fmt.with_decimals(1.0, 3, 9) == "1.000"
    assert fmt.with_decimals(1e-9, 3, 9) == "1.0e-09"
    assert fmt.with_decimals(0.99999999, 3, 9) == "<1.000"
    assert fmt.with_decimals(-0.99999999, 3, 9) == ">-1.000"
    assert fmt.with_decimals(1.00000001, 3, 9) == ">1.000"
