"""What became of each score of each sample from the baseline to a candidate.

Whether higher numbers are better, or true, has to be known by name; where it is not, a score that
differs has *changed*. A score whose type differs between the
runs, and one that became null or NaN, has changed and is never said to have improved. Numbers that
differ by less than a billionth of their size are the same.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from flowtui.store.compare.joined_samples import NONE, JoinedSamples
from flowtui.store.compare.run_samples import ScoreColumn, ScoreType
from flowtui.store.compare.significance import PairedTest, SignedRanks, mcnemar
from flowtui.store.natural import sort_key

HigherIsBetter = Callable[[str, bool], bool | None]
"""Says of a score's name whether higher numbers are better or, where the second argument is true,
whether true is better than false; None where that is not known."""
SAME_WITHIN = 1e-9
USABLE = (ScoreType.BOOLEAN, ScoreType.NUMBER)
"""The types of values that are compared."""


class Outcome(IntEnum):
    """What became of a score of one sample."""

    SAME = 0
    IMPROVED = 1
    REGRESSED = 2
    CHANGED = 3
    """It differs, but is neither known to be better nor worse."""
    ONLY_BASELINE = 4
    ONLY_CANDIDATE = 5


class ScoreKind(IntEnum):
    """What the pairs of a score are tested as."""

    OTHER = 0
    """There is no pair of numbers, nor of true and false."""
    PASS_FAIL = 1
    NUMBERS = 2


@dataclass(frozen=True, slots=True)
class Better:
    """What is better of one score; None is not known."""

    higher: bool | None
    """Whether higher numbers are."""
    true: bool | None
    """Whether true is."""

    @classmethod
    def of(cls, name: str, higher: HigherIsBetter) -> Better:
        return cls(higher(name, False), higher(name, True))


@dataclass(slots=True)
class ScorePairs:
    """The outcomes of one score, for the samples with a value in either run."""

    better: Better
    numbers: array[int] = field(default_factory=lambda: array("i"))
    """Which joined sample each belongs to."""
    outcomes: bytearray = field(default_factory=bytearray)
    types: bytearray = field(default_factory=bytearray)
    """16 times the `ScoreType` in the baseline, and the one in the candidate."""
    baseline: array[float] = field(default_factory=lambda: array("d"))
    candidate: array[float] = field(default_factory=lambda: array("d"))

    def add(self, number: int, one: tuple[int, float], other: tuple[int, float]) -> None:
        self.numbers.append(number)
        self.outcomes.append(outcome(one, other, self.better))
        self.types.append(one[0] << 4 | other[0])
        self.baseline.append(one[1])
        self.candidate.append(other[1])

    def deltas(self) -> Iterator[tuple[int, float]]:
        """Yield the samples with two numbers, or twice true or false, and candidate - baseline."""
        for number, types, one, other in zip(
            self.numbers, self.types, self.baseline, self.candidate, strict=True
        ):
            if types in _COMPARED:
                yield number, 0.0 if one == other else other - one


_COMPARED = {type_ << 4 | type_: type_ for type_ in USABLE}
_ABSENT = (int(ScoreType.ABSENT), 0.0)


@dataclass(frozen=True, slots=True)
class ComparedScore:
    """One score of one eval set in the baseline and in a candidate."""

    dataset: str | None
    """None for all eval sets together."""
    name: str
    kind: ScoreKind
    higher: bool | None
    """Whether higher numbers, or true, are better; None if it is not known."""
    baseline: float | None
    """The mean, or the share of true, over the pairs that are compared; None if there is none."""
    candidate: float | None
    compared: int
    """The pairs with finite numbers in both runs, or with true or false in both."""
    outcomes: Mapping[Outcome, int]
    """How many samples have each outcome; all outcomes are there."""
    both_pass: int
    both_fail: int
    same_otherwise: int
    """Of the samples with the same score those that are not compared: with null or NaN in both
    runs, or equal numbers where most are true or false. 0 for `ScoreKind.OTHER`."""
    broken: int
    """Pass-fail scores that were true and are false."""
    mended: int
    """Pass-fail scores that were false and are true."""
    test: PairedTest | None
    """None if no pair can be compared, or numbers have no known direction."""
    lost: int
    """Joined samples with a number, true or false in the baseline and nothing in the candidate."""
    became_nan: int
    """Joined samples with a number, true or false in the baseline and NaN in the candidate."""
    retyped: int
    """Joined samples whose score has another type in the candidate; null and NaN, which are no
    values, are none in the baseline."""
    infinite: int
    """Pairs of numbers that are not compared, since one of them is infinite."""
    mixed: int
    """Pairs that are not compared, since they are numbers where most are true or false, or the
    other way round."""
    baseline_nan: int
    """Joined samples with NaN in the baseline."""
    joined_count: int
    """The samples of the set that both runs have."""
    baseline_count: int
    """The samples of the set in the baseline."""
    candidate_count: int

    @property
    def delta(self) -> float | None:
        if self.baseline is None or self.candidate is None:
            return None
        return self.candidate - self.baseline

    @property
    def differing(self) -> int:
        """How many samples have this score in both runs, and not the same."""
        outcomes = self.outcomes
        return sum(outcomes[one] for one in (Outcome.IMPROVED, Outcome.REGRESSED, Outcome.CHANGED))


def outcome(one: tuple[int, float], other: tuple[int, float], better: Better) -> Outcome:
    """Return what became of a score, given its type and number in both runs."""
    (type_, value), (other_type, other_value) = one, other
    if type_ == ScoreType.ABSENT:
        return Outcome.ONLY_CANDIDATE
    if other_type == ScoreType.ABSENT:
        return Outcome.ONLY_BASELINE
    if type_ != other_type:
        return Outcome.CHANGED
    is_number = type_ == ScoreType.NUMBER
    if value == other_value or type_ in (ScoreType.NULL, ScoreType.NAN):
        return Outcome.SAME
    if is_number and math.isclose(value, other_value, rel_tol=SAME_WITHIN):
        return Outcome.SAME
    higher = better.higher if is_number else better.true
    if type_ not in USABLE or higher is None:
        return Outcome.CHANGED
    return Outcome.IMPROVED if (other_value > value) is higher else Outcome.REGRESSED


def score_pairs(
    samples: JoinedSamples, candidate: int, higher: HigherIsBetter
) -> dict[str, ScorePairs]:
    """Return the outcomes of all scores by name, in natural order.

    Args:
        samples: The joined samples.
        candidate: Which run is compared with the baseline, counted from 0.
        higher: Says what is better.
    """
    one, other = samples.runs[0], samples.runs[candidate]
    names = {*(() if one is None else one.scores), *(() if other is None else other.scores)}
    return {name: _pairs(samples, candidate, name, Better.of(name, higher)) for name in
            sorted(names, key=sort_key)}  # fmt: skip


def _pairs(samples: JoinedSamples, candidate: int, name: str, better: Better) -> ScorePairs:
    one, other = samples.runs[0], samples.runs[candidate]
    left = {} if other is None else _by_number(other.scores.get(name), samples.numbers[candidate])
    found = ScorePairs(better)
    if one is not None and name in one.scores:
        column, numbers = one.scores[name], samples.numbers[0]
        for row, type_, value in zip(column.rows, column.types, column.values, strict=True):
            number = numbers[row]
            found.add(number, (type_, value), left.pop(number, _ABSENT))
    for number, scored in left.items():
        found.add(number, _ABSENT, scored)
    return found


def _by_number(column: ScoreColumn | None, numbers: Sequence[int]) -> dict[int, tuple[int, float]]:
    if column is None:
        return {}
    rows = zip(column.rows, column.types, column.values, strict=True)
    return {numbers[row]: (type_, value) for row, type_, value in rows}


# Adding up -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tally:
    """The pairs of one score in one eval set, as they are added up."""

    better: Better
    outcomes: list[int] = field(default_factory=lambda: [0] * len(Outcome))
    passed: list[int] = field(default_factory=lambda: [0] * 4)
    """By 2 if it was true in the baseline, and 1 if it is in the candidate."""
    baseline: array[float] = field(default_factory=lambda: array("d"))
    candidate: array[float] = field(default_factory=lambda: array("d"))
    differences: array[float] = field(default_factory=lambda: array("d"))
    """Of all pairs of numbers, infinite ones too."""
    same_numbers: int = 0
    lost: int = 0
    became_nan: int = 0
    retyped: int = 0
    infinite: int = 0
    baseline_nan: int = 0

    def add(self, types: int, found: int, one: float, other: float, is_joined: bool) -> None:
        self.outcomes[found] += 1
        type_, other_type = types >> 4, types & 15
        if types == _BOTH_NUMBERS:
            if math.isfinite(one) and math.isfinite(other):
                self.baseline.append(one)
                self.candidate.append(other)
            else:
                self.infinite += 1
            self.same_numbers += found == Outcome.SAME
            self.differences.append(0.0 if found == Outcome.SAME else other - one)
        elif types == _BOTH_BOOLEANS:
            self.passed[(2 if one else 0) + (1 if other else 0)] += 1
        elif is_joined and type_ in USABLE:
            self.lost += other_type in (ScoreType.ABSENT, ScoreType.NULL)
            self.became_nan += other_type == ScoreType.NAN
            self.retyped += other_type not in (ScoreType.ABSENT, ScoreType.NULL, ScoreType.NAN)
        elif is_joined and type_ != other_type and type_ not in _NOTHING:
            self.retyped += other_type != ScoreType.ABSENT
        self.baseline_nan += is_joined and type_ == ScoreType.NAN


_NOTHING = (ScoreType.ABSENT, ScoreType.NULL, ScoreType.NAN)
_BOTH_NUMBERS = ScoreType.NUMBER << 4 | ScoreType.NUMBER
_BOTH_BOOLEANS = ScoreType.BOOLEAN << 4 | ScoreType.BOOLEAN


def compared_scores(
    samples: JoinedSamples, candidate: int, pairs: Mapping[str, ScorePairs]
) -> tuple[ComparedScore, ...]:
    """Return all scores of each eval set; first of all sets together, if there are several.

    Of each set those that could be tested come first.

    Args:
        samples: The joined samples.
        candidate: The run that the pairs are of.
        pairs: The outcomes, as `score_pairs` gives them.
    """
    sets = _set_of_each(samples, candidate)
    counts = _counts(samples, candidate, sets)
    names = [name for name in samples.datasets() if name in counts]
    found: list[ComparedScore] = []
    for name, of_score in pairs.items():
        tallies: dict[str | None, _Tally] = {}
        for number, types, what, one, other in zip(
            of_score.numbers, of_score.types, of_score.outcomes, of_score.baseline,
            of_score.candidate, strict=True,
        ):  # fmt: skip
            dataset = sets[number]
            is_joined = (
                samples.places[0][number] != NONE and samples.places[candidate][number] != NONE
            )
            for which in (dataset, None) if len(names) > 1 else (dataset,):
                tally = tallies.get(which)
                if tally is None:
                    tally = tallies[which] = _Tally(of_score.better)
                tally.add(types, what, one, other, is_joined)
        found += [_compared(which, name, tally, counts) for which, tally in tallies.items()]
    order: dict[str | None, int] = {None: -1, **{name: at for at, name in enumerate(names)}}
    return tuple(sorted(found, key=lambda one: (order[one.dataset], one.test is None)))


def _set_of_each(samples: JoinedSamples, candidate: int) -> dict[int, str]:
    """Return the eval set of each joined sample that the baseline or the candidate has."""
    found: dict[int, str] = {}
    for run in (candidate, 0):
        of_run = samples.runs[run]
        if of_run is not None:
            keys = zip(samples.numbers[run], of_run.keys, strict=True)
            found.update((number, key[0]) for number, key in keys)
    return found


def _counts(
    samples: JoinedSamples, candidate: int, sets: Mapping[int, str]
) -> dict[str | None, list[int]]:
    """Return how many samples the baseline, the candidate and both have, by eval set."""
    found: dict[str | None, list[int]] = {None: [0, 0, 0]}
    for number, dataset in sets.items():
        has = samples.places[0][number] != NONE
        has_other = samples.places[candidate][number] != NONE
        for which in (dataset, None):
            counts = found.setdefault(which, [0, 0, 0])
            counts[0] += has
            counts[1] += has_other
            counts[2] += has and has_other
    return found


def _compared(
    dataset: str | None, name: str, tally: _Tally, counts: Mapping[str | None, Sequence[int]]
) -> ComparedScore:
    both_fail, mended, broken, both_pass = tally.passed
    booleans = sum(tally.passed)
    numbers = len(tally.baseline)
    kind = ScoreKind.OTHER
    means: tuple[float | None, float | None] = (None, None)
    if booleans and booleans >= numbers + tally.infinite:
        kind = ScoreKind.PASS_FAIL
        means = (both_pass + broken) / booleans, (both_pass + mended) / booleans
    elif numbers or tally.infinite:
        kind = ScoreKind.NUMBERS
        means = _mean(tally.baseline), _mean(tally.candidate)
    same_compared = {
        ScoreKind.PASS_FAIL: both_pass + both_fail,
        ScoreKind.NUMBERS: tally.same_numbers,
        ScoreKind.OTHER: tally.outcomes[Outcome.SAME],
    }[kind]
    better = tally.better
    higher = better.true if kind is ScoreKind.PASS_FAIL else better.higher
    of_baseline, of_candidate, of_both = counts[dataset]
    return ComparedScore(
        dataset=dataset,
        name=name,
        kind=kind,
        higher=higher,
        baseline=means[0],
        candidate=means[1],
        compared=booleans if kind is ScoreKind.PASS_FAIL else numbers,
        outcomes={one: tally.outcomes[one] for one in Outcome},
        both_pass=both_pass,
        both_fail=both_fail,
        same_otherwise=tally.outcomes[Outcome.SAME] - same_compared,
        broken=broken,
        mended=mended,
        test=_test(kind, higher, tally),
        lost=tally.lost,
        became_nan=tally.became_nan,
        retyped=tally.retyped,
        infinite=0 if kind is ScoreKind.PASS_FAIL else tally.infinite,
        mixed=numbers + tally.infinite if kind is ScoreKind.PASS_FAIL else booleans,
        baseline_nan=tally.baseline_nan,
        joined_count=of_both,
        baseline_count=of_baseline,
        candidate_count=of_candidate,
    )


def _test(kind: ScoreKind, higher: bool | None, tally: _Tally) -> PairedTest | None:
    if higher is None or kind is ScoreKind.OTHER:
        return None
    if kind is ScoreKind.PASS_FAIL:
        _, above, below, _ = tally.passed
        count, p = sum(tally.passed), mcnemar(below, above)
        leaning = (above > below) - (above < below)
    else:
        differences = tally.differences
        above, below = sum(one > 0 for one in differences), sum(one < 0 for one in differences)
        ranks = SignedRanks.of(differences)
        count, p, leaning = len(differences), ranks.wilcoxon(), ranks.leaning
    worse, better = (below, above) if higher else (above, below)
    return PairedTest(worse, better, count, p, leaning if higher else -leaning)


def _mean(numbers: Sequence[float]) -> float | None:
    if not numbers:
        return None
    try:
        return math.fsum(numbers) / len(numbers)
    except OverflowError:
        return 2 * math.fsum(number / 2 / len(numbers) for number in numbers)
