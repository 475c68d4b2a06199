"""Whether paired scores of two runs differ by more than chance would explain, in words.

Pass-fail scores are tested with McNemar's exact test, numbers with Wilcoxon's signed-rank test;
both are two-sided. Pairs that are the same say nothing about a difference and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

FEWEST_DISCORDANT = 6
"""With fewer pairs that differ, no outcome could have p below 0.05."""
EXACT_BELOW = 25
"""From how many pairs that differ on Wilcoxon's test uses its normal form."""
UNLIKELY_BELOW = 0.05
_DIGITS = 9
"""How many digits of two differences have to be the same for them to share a rank.

In floats 0.8 - 0.6 is not 0.5 - 0.3, though a person takes them for the same.
"""
_BITS = 64
"""A term of a sum that is 2 to this power smaller than the sum does not change it as a float."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """The outcome of a test of paired scores."""

    worse: int
    better: int
    pairs: int
    """All pairs, those that are the same included."""
    p: float
    """The two-sided p-value; 1 if no pair differs."""

    @property
    def is_unlikely(self) -> bool:
        """Whether chance alone would rarely make such a difference."""
        return self.worse + self.better >= FEWEST_DISCORDANT and self.p < UNLIKELY_BELOW

    @property
    def words(self) -> str:
        """The outcome in words, such as `3 worse, 2 better of 50: could be chance, p = 1.0`."""
        if not self.worse and not self.better:
            return f"none of {self.pairs:,} differ" if self.pairs else "no pair to compare"
        said = "unlikely to be chance" if self.is_unlikely else "could be chance"
        too_few = self.worse + self.better < FEWEST_DISCORDANT
        more = "; too few to tell" if too_few else ""
        counts = f"{self.worse:,} worse, {self.better:,} better of {self.pairs:,}"
        return f"{counts}: {said}, {p_words(self.p)}{more}"


def p_words(p: float) -> str:
    """Return a p-value with two digits: `p = 1.0`, `p = 0.69`, `p = 0.012`, `p < 0.0001`."""
    if p < 0.0001:
        return "p < 0.0001"
    if p < 0.1:
        rounded = float(f"{p:.2g}")
        return f"p = {rounded:.{1 - math.floor(math.log10(rounded))}f}"
    text = f"{p:.2f}"
    return "p = 1.0" if text == "1.00" else f"p = {text}"


def mcnemar(worse: int, better: int) -> float:
    """Return the p-value of McNemar's exact test.

    Args:
        worse: How many pairs passed first and failed then.
        better: How many pairs failed first and passed then.
    """
    count, least = worse + better, min(worse, better)
    if worse == better:
        return 1.0
    # Binomial coefficients from the largest down, in whole numbers.
    term = total = math.comb(count, least)
    for k in range(least, 0, -1):
        term = term * k // (count - k + 1)
        if term < total >> _BITS:
            break
        total += term
    return min(2 * total / (1 << count), 1.0)


def wilcoxon(differences: Iterable[float]) -> float:
    """Return the p-value of Wilcoxon's signed-rank test.

    Zeros are dropped, and equal differences share the mean of their ranks. With fewer than
    `EXACT_BELOW` differences the p-value is exact, also where ranks are shared; otherwise it comes
    from the normal form, whose variance is corrected for shared ranks.

    Args:
        differences: The difference of each pair; infinite ones have the highest ranks.
    """
    signed = [one for one in differences if one and one == one]
    if not signed:
        return 1.0
    doubled, ties = _doubled_ranks([abs(one) for one in signed])
    above = sum(rank for rank, one in zip(doubled, signed, strict=True) if one > 0)
    if len(signed) < EXACT_BELOW:
        return _exact(doubled, above)
    count = len(signed)
    mean = count * (count + 1) / 2
    # The variance of the sum of the doubled ranks is four times that of the ranks.
    variance = (count * (count + 1) * (2 * count + 1) - sum(n**3 - n for n in ties) / 2) / 6
    return math.erfc(abs(above - mean) / math.sqrt(2 * variance)) if variance > 0 else 1.0


def _doubled_ranks(sizes: Sequence[float]) -> tuple[list[int], list[int]]:
    """Return twice the mid-rank of each size, which is whole, and how many sizes share each."""
    keys = [float(f"{size:.{_DIGITS}g}") for size in sizes]
    ranks = [0] * len(keys)
    ties: list[int] = []
    before = 0
    for _, group in groupby(sorted(range(len(keys)), key=keys.__getitem__), keys.__getitem__):
        members = list(group)
        for at in members:
            ranks[at] = 2 * before + len(members) + 1
        before += len(members)
        ties.append(len(members))
    return ranks, ties


def _exact(doubled: Sequence[int], above: int) -> float:
    """Return the p-value of a sum of ranks by counting the signs that give each sum."""
    ways = [1]
    for rank in doubled:
        more = [0] * rank + ways
        ways = [one + other for one, other in zip(ways + [0] * rank, more, strict=True)]
    lower, upper = sum(ways[: above + 1]), sum(ways[above:])
    return min(2 * min(lower, upper) / (1 << len(doubled)), 1.0)
