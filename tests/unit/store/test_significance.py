"""Tests of significance against scipy, and against plain Python that tries every outcome.

The values of scipy were recorded with scipy 1.17.1 on Python 3.11, which the tests need not have:
McNemar's test as `binomtest(worse, worse + better, 0.5).pvalue`; Wilcoxon's without zeros, as
`wilcoxon(d, method="exact")`, where differences are equal as `wilcoxon(d,
method=PermutationMethod(n_resamples=inf))`, which tries all signs, and from 25 differences on as
`wilcoxon(d, method="asymptotic", correction=False)`.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.compare.significance import PairedTest, SignedRanks, mcnemar, p_words

OF_MCNEMAR = [
    (3, 2, 1.0),
    (5, 0, 0.0625),
    (6, 0, 0.03125),
    (7, 1, 0.0703125),
    (12, 20, 0.21532714972272515),
    (0, 9, 0.00390625),
    (40, 22, 0.030015864349067285),
    (300, 250, 0.036578745549102676),
    (5100, 4900, 0.04658552770494645),
]
# fmt: off
OF_WILCOXON = [
    ([1], 1.0),
    ([1, 2, 3, 4, 5, 6], 0.03125),
    ([-1, 2, 3, 4, 5, 6], 0.0625),
    ([0.5, -0.25, 1, -2, 3, 0.75, 0.1], 0.375),
    ([1, 1, 1, -1, 2, 2], 0.15625),
    ([0, 0, 1, -1, 1, 1, 1], 0.375),
    ([0.25, 0.25, 0.25, 0.25, 0.25, -0.25, -0.25, 0.5, -0.75], 0.6171875),
    ([-2, -1, 0, 2, 1, 1, -1, 1, -1, 1, 2, 1, 1, -1, 1, 1, -2, 0, -1, 0, -1, 3, 2, -1],
     0.427581787109375),
    ([0.539, -0.778, 1.509, 1.143, 0.236, -0.804, -0.259, -0.507, 1.83, -0.765, 0.847, -2.195,
      0.335, 1.448, -0.01, -1.586, -0.221, 0.547, -0.13, -0.135, 0.167, 0.086, -0.897, 0.522],
     0.8115357160568237),
    ([1.035, 0.982, -0.76, 0.2, 1.794, -1.016, 0.779, -0.276, 1.159, 0.357, 1.381, 1.224, 0.157,
      0.722, -0.014, 1.194, 0.098, -0.907, -0.275, 1.627, 0.858, 0.393, -0.439, -1.343, 0.498],
     0.04220715353440861),
    ([1, 1, 2, -2, -1, 1, 2, 0, -2, -2, -1, -1, 1, 0, 1, 3, -2, -1, 1, 1, 2, 3, -2, 1, 2, 2, -1,
      -2, 1, 1, 2, 0, 2, -2, 1, 1, 1, 0, 0, -1], 0.241963398648947),
    ([0.25] * 45 + [-0.25] * 15, 0.00010751117672950024),
]
# fmt: on


@pytest.mark.parametrize(("worse", "better", "p"), OF_MCNEMAR)
def test_mcnemar_is_that_of_scipy(worse: int, better: int, p: float) -> None:
    assert mcnemar(worse, better) == pytest.approx(p, rel=1e-10)
    assert mcnemar(better, worse) == mcnemar(worse, better)


@given(st.integers(0, 150), st.integers(0, 150))
def test_mcnemar_is_the_binomial_sum(worse: int, better: int) -> None:
    count = worse + better
    tail = sum(comb(count, k) for k in range(min(worse, better) + 1))
    expected = min(Fraction(2 * tail, 2**count), Fraction(1))
    assert mcnemar(worse, better) == pytest.approx(float(expected), rel=1e-14)


def wilcoxon(differences: list[float]) -> float:
    return SignedRanks.of(differences).wilcoxon()


@pytest.mark.parametrize(("differences", "p"), OF_WILCOXON)
def test_wilcoxon_is_that_of_scipy(differences: list[float], p: float) -> None:
    assert wilcoxon(differences) == pytest.approx(p, rel=1e-10)
    assert wilcoxon([-one for one in differences]) == pytest.approx(p, rel=1e-10)


@given(st.lists(st.sampled_from([-2.0, -1.5, -1.0, 0.0, 1.0, 1.5, 2.0, 5.0]), max_size=9))
def test_below_25_wilcoxon_is_what_trying_all_signs_gives(differences: list[float]) -> None:
    sizes = [abs(one) for one in differences if one]
    ranks = [
        Fraction(sum(other < one for other in sizes))
        + Fraction(sum(other == one for other in sizes) + 1, 2)
        for one in sizes
    ]
    signs = [one > 0 for one in differences if one]
    above = sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
    sums = [
        sum(rank for rank, sign in zip(ranks, tried, strict=True) if sign)
        for tried in product((False, True), repeat=len(ranks))
    ]
    tails = sum(one <= above for one in sums), sum(one >= above for one in sums)
    expected = min(Fraction(2 * min(tails), len(sums)), Fraction(1))
    assert wilcoxon(differences) == pytest.approx(float(expected), rel=1e-14)


def test_differences_that_only_rounding_makes_unequal_share_a_rank() -> None:
    rounded = [0.8 - 0.6, 0.5 - 0.3, 0.1 - 0.3, 0.9 - 0.7, 0.4, 0.6]
    assert wilcoxon(rounded) == wilcoxon([0.2, 0.2, -0.2, 0.2, 0.4, 0.6])


def test_infinite_differences_have_the_highest_ranks_and_nan_none() -> None:
    assert wilcoxon([1, 2, -3, float("inf"), float("nan")]) == wilcoxon([1, 2, -3, 4])


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (PairedTest(0, 0, 0, 1.0), "no pair to compare"),
        (PairedTest(0, 0, 1200, 1.0), "none of 1,200 differ"),
        (
            PairedTest(3, 2, 50, mcnemar(3, 2)),
            "3 worse, 2 better of 50: could be chance, p = 1.0; too few to tell",
        ),
        (
            PairedTest(5, 0, 50, mcnemar(5, 0)),
            "5 worse, 0 better of 50: could be chance, p = 0.062; too few to tell",
        ),
        (
            PairedTest(4, 2, 59, mcnemar(4, 2)),
            "4 worse, 2 better of 59: could be chance, p = 0.69",
        ),
        (
            PairedTest(6, 0, 50, mcnemar(6, 0), -1),
            "6 worse, 0 better of 50: more got worse than better; unlikely to be chance, p = 0.031",
        ),
        (
            PairedTest(20, 8, 50, 0.01, 1),
            "20 worse, 8 better of 50: what got better changed further; unlikely to be chance,"
            " p = 0.010",
        ),
    ],
)
def test_a_test_is_said_in_words(test: PairedTest, words: str) -> None:
    assert test.words == words


def test_the_signed_ranks_say_which_way_numbers_lean() -> None:
    assert SignedRanks.of([-0.1, -0.2, -0.3, 5.0, 6.0, 0.0]).leaning == 1
    assert SignedRanks.of([1.0, -1.0]).leaning == 0
    assert SignedRanks.of([1.0, -2.0]).leaning == -1
    assert SignedRanks.of([]).leaning == 0


def test_p_values_have_two_digits() -> None:
    told = [p_words(p) for p in (1.0, 0.996, 0.99, 0.5, 0.0996, 0.05, 0.0123, 0.00012, 0.00001)]
    assert told == [
        "p = 1.0", "p = 1.0", "p = 0.99", "p = 0.50", "p = 0.10", "p = 0.050", "p = 0.012",
        "p = 0.00012", "p < 0.0001",
    ]  # fmt: skip
