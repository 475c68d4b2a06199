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
    leaning: int = 0
    """Which way the pairs that differ weigh: -1 for worse, 1 for better, 0 for neither.

    Of numbers it is that of their signed ranks, where a few large changes outweigh many small ones.
    """

    @property
    def is_unlikely(self) -> bool:
        """Whether chance alone would rarely make such a difference."""
        return self.worse + self.better >= FEWEST_DISCORDANT and self.p < UNLIKELY_BELOW

    @property
    def words(self) -> str:
        """The outcome in words, such as `3 worse, 2 better of 50: could be chance, p = 1.0`."""
        if not self.worse and not self.better:
            return f"none of {self.pairs:,} differ" if self.pairs else "no pair to compare"
        too_few = self.worse + self.better < FEWEST_DISCORDANT
        more = "; too few to tell" if too_few else ""
        said = f"{self._outweighs}unlikely" if self.is_unlikely else "could"
        chance = "to be chance" if self.is_unlikely else "be chance"
        return f"{self._counts}: {said} {chance}, {p_words(self.p)}{more}"

    @property
    def short_words(self) -> str:
        """The counts and p alone, for where there is no room for `words`."""
        if not self.worse and not self.better:
            return self.words
        return f"{self._counts}: {p_words(self.p)}"

    @property
    def _counts(self) -> str:
        return f"{self.worse:,} worse, {self.better:,} better of {self.pairs:,}"

    @property
    def _outweighs(self) -> str:
        """What is unlikely to be chance: a mean may have moved the other way."""
        if not self.leaning:
            return ""
        more, less = ("worse", "better") if self.leaning < 0 else ("better", "worse")
        if (self.worse > self.better) is (self.leaning < 0) and self.worse != self.better:
            return f"more got {more} than {less}; "
        return f"what got {more} changed further; "


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


@dataclass(frozen=True, slots=True)
class SignedRanks:
    """The ranks of paired differences by their size.

    Zeros are dropped, and equal differences share the mean of their ranks.
    """

    doubled: Sequence[int]
    """Twice the rank of each difference, which is whole."""
    above: int
    """The sum of those of the differences above 0."""
    ties: Sequence[int]
    """How many differences share each rank."""

    @classmethod
    def of(cls, differences: Iterable[float]) -> SignedRanks:
        """Rank differences; infinite ones have the highest ranks, and NaN has none."""
        signed = [one for one in differences if one and one == one]
        doubled, ties = _doubled_ranks([abs(one) for one in signed])
        above = sum(rank for rank, one in zip(doubled, signed, strict=True) if one > 0)
        return cls(doubled, above, ties)

    @property
    def leaning(self) -> int:
        """Whether those above 0 weigh more, 1, or less, -1; 0 if they weigh the same."""
        below = sum(self.doubled) - self.above
        return (self.above > below) - (self.above < below)

    def wilcoxon(self) -> float:
        """Return the p-value of Wilcoxon's signed-rank test.

        With fewer than `EXACT_BELOW` differences the p-value is exact, also where ranks are shared;
        otherwise it comes from the normal form, whose variance is corrected for shared ranks.
        """
        count = len(self.doubled)
        if not count:
            return 1.0
        if count < EXACT_BELOW:
            return _exact(self.doubled, self.above)
        mean = count * (count + 1) / 2
        shared = sum(n**3 - n for n in self.ties)
        # The variance of the sum of the doubled ranks is four times that of the ranks.
        variance = (count * (count + 1) * (2 * count + 1) - shared / 2) / 6
        away = abs(self.above - mean)
        return math.erfc(away / math.sqrt(2 * variance)) if variance > 0 else 1.0


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
