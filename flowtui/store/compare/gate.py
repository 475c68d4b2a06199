"""Whether a score or a metric of a candidate is worse than the baseline's, for use in CI.

A gate must not pass by mistake, so whatever cannot be compared fails: a value that is missing or
NaN in the candidate, a sample that has lost its score, too few samples in common.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from flowtui.failures import Failure
from flowtui.store.closest import closest
from flowtui.store.compare.directions import Direction
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.compare.samples import ComparedSamples, SampleReader, compared
from flowtui.store.compare.score_pairs import USABLE, ComparedScore, ScoreKind
from flowtui.store.metrics import points as metric_points
from flowtui.store.values import LoggedPoint

SCORE, METRIC = "scores.", "metric."
"""What stands before a name that is both a score and a metric, as in the filter language."""
LEAST_SHARE = 0.5
"""The share of the samples of either run that must be joined for their mean to say anything."""
WITHIN = 1e-9
"""Of a loss and the tolerance: 0.8 - 0.75 is no more than 0.05, whatever floats say."""

DirectionOf = Callable[[str, bool], Direction | None]
"""Says of a name, and whether it is pass-fail, which direction is better."""


class GateMisused(Failure):
    """The gate cannot judge what it was asked to; `str()` says why and what to do."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one score or metric of one candidate."""

    name: str
    letter: str
    has_regressed: bool
    said: str
    """The verdict as a sentence: the values, and why it fails."""
    baseline: float | None = None
    candidate: float | None = None


def verdicts(
    runs: RunSet, names: Sequence[str], direction_of: DirectionOf, tolerance: float = 0.0
) -> list[Verdict]:
    """Return the verdict on each name for each candidate.

    Args:
        runs: The runs, the baseline first.
        names: Scores and metrics, with `SCORE` or `METRIC` before a name that is both.
        direction_of: Which direction is better.
        tolerance: By how much a value may be worse.

    Raises:
        GateMisused: A name is that of neither or of both, or its direction is not known.
        StoreError: A run cannot be read.
    """
    reader = SampleReader(runs)
    read = reader.read()
    for problem in read.problems.values():
        raise problem
    points = [_last_points(run) for run in runs.runs]
    candidates = [
        compared(runs, read.samples, run.letter, partial(_is_higher_better, direction_of))
        for run in runs.candidates
    ]
    scores = {score.name for of in candidates for score in of.scores}
    metrics = {key for of in points for key in of}
    found: list[Verdict] = []
    for name in names:
        bare, is_score = _kind(name, scores, metrics)
        for at, candidate in enumerate(candidates, start=1):
            if is_score:
                verdict = _of_score(bare, candidate, direction_of, tolerance)
                if other := _identity_problem(reader, candidate):
                    verdict = replace(verdict, has_regressed=True, said=other)
                found.append(verdict)
            else:
                found.append(
                    _of_metric(bare, runs.runs[at], points[0], points[at], direction_of, tolerance)
                )
    return found


def _is_higher_better(direction_of: DirectionOf, name: str, is_pass_fail: bool) -> bool | None:
    found = direction_of(name, is_pass_fail)
    return None if found is None else found is Direction.HIGHER


def _kind(name: str, scores: set[str], metrics: set[str]) -> tuple[str, bool]:
    """Return a name without its prefix, and whether it is a score's.

    Raises:
        GateMisused: No run has such a score or metric, or it is the name of both.
    """
    for prefix, known in ((SCORE, scores), (METRIC, metrics)):
        if name not in scores | metrics and name.startswith(prefix):
            bare = name.removeprefix(prefix)
            if bare in known:
                return bare, prefix == SCORE
    if name in scores and name in metrics:
        raise GateMisused(f"{name} is a score and a metric: give {SCORE}{name} or {METRIC}{name}")
    if name not in scores and name not in metrics:
        near = closest(name, [*scores, *metrics])
        more = f"; closest: {', '.join(near)}" if near else ""
        raise GateMisused(f"no run has a score or a metric {name}{more}")
    return name, name in scores


# Scores --------------------------------------------------------------------------------------


def _identity_problem(reader: SampleReader, of: ComparedSamples) -> str:
    """Return why samples with one id are not one sample, empty if most of them are."""
    differing = len(reader.differing_inputs(of.samples, of.candidate))
    joined = of.samples.shared(of.candidate)
    if differing <= joined * (1 - LEAST_SHARE):
        return ""
    return f"the inputs of {differing:,} of {joined:,} samples with one id differ"


def _of_score(
    name: str, samples: ComparedSamples, direction_of: DirectionOf, tolerance: float
) -> Verdict:
    score = samples.score(name)
    if score is None:
        return Verdict(name, samples.letter, True, "neither run has this score")
    problem = _score_problem(score, samples.letter) or _coverage_problem(score, samples)
    if problem:
        return Verdict(name, samples.letter, True, problem, score.baseline, score.candidate)
    direction = direction_of(name, score.kind is ScoreKind.PASS_FAIL)
    assert score.baseline is not None
    assert score.candidate is not None
    over = f" over {score.compared:,} {'sample' if score.compared == 1 else 'samples'}"
    if broken := sum(0 if of is None else len(of.unreadable) for of in samples.samples.runs):
        over += f" ({broken:,} more have scores that cannot be read)"
    return _judged(
        name, samples.letter, score.baseline, score.candidate, direction, tolerance, over
    )


def _score_problem(score: ComparedScore, letter: str) -> str:
    """Return why a score cannot be compared in full, empty if it can."""
    joined, most = score.joined_count, max(score.baseline_count, score.candidate_count)
    if joined < most * LEAST_SHARE:
        return f"only {joined:,} of {most:,} samples are in both runs"
    for count, what in (
        (score.lost, f"have no value in {letter}"),
        (score.became_nan, f"are NaN in {letter}"),
        (score.retyped, f"have a value of another type in {letter}"),
        (score.infinite, "are infinite in one of the two"),
        (score.mixed, "have numbers where others have true or false"),
    ):
        if count:
            return f"{count:,} of {joined:,} samples {what}"
    if score.baseline is None or score.candidate is None:
        return f"no sample has a number, true or false in both A and {letter}"
    return ""


def _coverage_problem(score: ComparedScore, samples: ComparedSamples) -> str:
    """Return why the pairs that are compared are too few of the values of either run."""
    types = samples.pairs[score.name].types
    values = max(sum(one >> 4 in USABLE for one in types), sum(one & 15 in USABLE for one in types))
    if score.compared >= values * LEAST_SHARE:
        return ""
    return f"only {score.compared:,} of {values:,} samples with a value have one in both runs"


# Metrics -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _LastPoints:
    """The last point of a metric, and the last one that is finite."""

    last: LoggedPoint | None
    finite: LoggedPoint | None


def _last_points(run: ComparedRun) -> dict[str, _LastPoints]:
    metrics = run.run.metrics
    return {
        key: _LastPoints(last, last if _is_finite(last) else _last_finite(run, key))
        for key, last in metrics.last_points().items()
    }


def _last_finite(run: ComparedRun, key: str) -> LoggedPoint | None:
    question = metric_points.next_point
    return run.run.metrics.ask(key, question, key, math.inf, "before", "finite")


def _is_finite(point: LoggedPoint | None) -> bool:
    return point is not None and math.isfinite(point.value)


def _of_metric(
    name: str,
    run: ComparedRun,
    before: dict[str, _LastPoints],
    after: dict[str, _LastPoints],
    direction_of: DirectionOf,
    tolerance: float,
) -> Verdict:
    one, other = before.get(name), after.get(name)
    baseline = None if one is None or one.finite is None else one.finite.value
    if other is None or other.last is None:
        return Verdict(name, run.letter, True, f"{run.letter} has no such metric", baseline)
    if not _is_finite(other.last):
        said = f"it ends with {other.last.value} at step {other.last.step} in {run.letter}"
        return Verdict(name, run.letter, True, said, baseline, other.last.value)
    if baseline is None:
        said = "A has no finite value to compare with"
        return Verdict(name, run.letter, True, said, None, other.last.value)
    direction = direction_of(name, False)
    return _judged(name, run.letter, baseline, other.last.value, direction, tolerance, "")


def _judged(
    name: str,
    letter: str,
    baseline: float,
    candidate: float,
    direction: Direction | None,
    tolerance: float,
    over: str,
) -> Verdict:
    if direction is None:
        raise GateMisused(
            f"whether {name} is better higher or lower is not known by its name: give --better"
        )
    loss = baseline - candidate if direction is Direction.HIGHER else candidate - baseline
    is_within = loss <= tolerance or math.isclose(loss, tolerance, rel_tol=WITHIN)
    has_regressed = not is_within
    what = "fell" if candidate < baseline else "rose" if candidate > baseline else "is the same"
    allowed = f", {tolerance:.6g} is allowed" if tolerance else ""
    said = f"{what} from {baseline:.6g} to {candidate:.6g}{over}{allowed}"
    if what == "is the same":
        said = f"{what}, {candidate:.6g}{over}"
    return Verdict(name, letter, has_regressed, said, baseline, candidate)
