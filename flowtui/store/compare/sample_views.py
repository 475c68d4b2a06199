"""Which joined samples are listed, and in what order.

A sample that got worse comes the earlier the more it did: each pass-fail score that broke counts
4, and each number that fell the part of its name's whole range that it fell by, at most 1. Likewise
for samples that got better. After them come samples that changed in another way, and then the rest.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flowtui.store.compare.joined_samples import NONE, JoinedSamples
from flowtui.store.compare.score_pairs import Outcome, ScorePairs
from flowtui.store.natural import sort_key

PASS_FAIL_WEIGHT = 4.0
ID_COLUMN = "id"
DELTA = "delta."
"""What a column that sorts by the delta of a score begins with."""


class ComparedView(StrEnum):
    """The views of joined samples that one key switches between."""

    ALL = "all"
    REGRESSED_FIRST = "worse first"
    IMPROVED_FIRST = "better first"
    OUTPUTS_DIFFER = "outputs differ"
    ONLY_IN_ONE = "only in one"


@dataclass(frozen=True, slots=True)
class ComparedOrder:
    """What joined samples are sorted by, in place of the order of a view."""

    column: str = ""
    """`id`, `delta.<score>`, or empty for the order of the view."""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class SampleOutcomes:
    """What became of each joined sample, all its scores together; by number."""

    worse: array[float]
    """How much worse it got; 0 if no score regressed."""
    better: array[float]
    changed: bytearray
    """Whether a score changed that is not known to be better or worse, or is in one run only."""

    def regressed_count(self) -> int:
        return sum(one > 0 for one in self.worse)

    def improved_count(self) -> int:
        return sum(one > 0 for one in self.better)


def sample_outcomes(samples: JoinedSamples, pairs: Mapping[str, ScorePairs]) -> SampleOutcomes:
    """Add the outcomes of all scores up for each joined sample."""
    worse, better = (array("d", bytes(8 * samples.count)) for _ in range(2))
    changed = bytearray(samples.count)
    weights = {Outcome.REGRESSED: worse, Outcome.IMPROVED: better}
    for of_score in pairs.values():
        scale = _range(of_score)
        for number, what, types, one, other in zip(
            of_score.numbers, of_score.outcomes, of_score.types, of_score.baseline,
            of_score.candidate, strict=True,
        ):  # fmt: skip
            if what in (Outcome.REGRESSED, Outcome.IMPROVED):
                is_number = types == _BOTH_NUMBERS
                weight = _share(one, other, scale) if is_number else PASS_FAIL_WEIGHT
                weights[Outcome(what)][number] += weight
            elif what != Outcome.SAME:
                changed[number] = 1
    return SampleOutcomes(worse, better, changed)


_BOTH_NUMBERS = 0x33


def _range(pairs: ScorePairs) -> float:
    low, high = math.inf, -math.inf
    for types, one, other in zip(pairs.types, pairs.baseline, pairs.candidate, strict=True):
        if types == _BOTH_NUMBERS:
            for value in (one, other):
                if math.isfinite(value):
                    low, high = min(low, value), max(high, value)
    return high / 2 - low / 2 if low < high else 0.0


def _share(one: float, other: float, half_range: float) -> float:
    """Return which part of the range a number moved by: more than 0, and at most 1."""
    moved = abs(other / 2 - one / 2)
    if not half_range or not math.isfinite(moved):
        return 1.0
    return max(moved / half_range, 1e-12)


def listed(
    samples: JoinedSamples,
    candidate: int,
    outcomes: SampleOutcomes,
    pairs: Mapping[str, ScorePairs],
    view: ComparedView = ComparedView.REGRESSED_FIRST,
    order: ComparedOrder = ComparedOrder(),
    dataset: str | None = None,
    matching: Container[int] | None = None,
    differing: Container[int] | None = None,
) -> array[int]:
    """Return the numbers of the joined samples of a view, in its order or in another.

    Args:
        samples: The joined samples.
        candidate: Which run is compared with the baseline; samples of neither are not listed.
        outcomes: What became of each sample.
        pairs: The outcomes of each score, for sorting by a delta.
        view: The view.
        order: The order; samples without a value of the sorted score come last.
        dataset: The id of an eval set; None for all.
        matching: The samples that meet a filter; None for all.
        differing: The samples whose outputs differ; for the view that shows these alone.
    """
    first, second = samples.places[0], samples.places[candidate]
    found: list[int] = []
    for number in range(samples.count):
        has, has_other = first[number] != NONE, second[number] != NONE
        if not has and not has_other:
            continue
        if view is ComparedView.ONLY_IN_ONE and has and has_other:
            continue
        if (
            view is ComparedView.OUTPUTS_DIFFER
            and differing is not None
            and number not in differing
        ):
            continue
        if matching is not None and number not in matching:
            continue
        if dataset is not None and samples.key(number)[0] != dataset:
            continue
        found.append(number)
    return array("i", _sorted(found, samples, outcomes, pairs, view, order))


def _sorted(
    found: list[int],
    samples: JoinedSamples,
    outcomes: SampleOutcomes,
    pairs: Mapping[str, ScorePairs],
    view: ComparedView,
    order: ComparedOrder,
) -> list[int]:
    if order.column == ID_COLUMN:
        keys = {number: sort_key(samples.key(number)[1]) for number in found}
        return sorted(found, key=keys.__getitem__, reverse=order.descending)
    if order.column.startswith(DELTA):
        of_score = pairs.get(order.column.removeprefix(DELTA))
        deltas = {} if of_score is None else dict(of_score.deltas())
        have = [number for number in found if number in deltas]
        lack = [number for number in found if number not in deltas]
        return sorted(have, key=deltas.__getitem__, reverse=order.descending) + lack
    ranked = {
        ComparedView.REGRESSED_FIRST: outcomes.worse,
        ComparedView.IMPROVED_FIRST: outcomes.better,
    }.get(view)
    if ranked is None:
        return found
    changed = outcomes.changed
    return sorted(found, key=lambda number: (-ranked[number], not changed[number]))


def with_differing_values(
    samples: JoinedSamples,
    candidate: int,
    baseline_digests: array[int],
    candidate_digests: array[int],
) -> frozenset[int]:
    """Return the joined samples that both runs have and whose values are not equal."""
    first, second = samples.places[0], samples.places[candidate]
    return frozenset(
        number
        for number in range(samples.count)
        if first[number] != NONE
        and second[number] != NONE
        and baseline_digests[first[number]] != candidate_digests[second[number]]
    )
