"""Scores of two runs as short texts: what a score was and is, and what samples add up to."""

from __future__ import annotations

from flowtui import format as fmt
from flowtui.reports.comparison.fact_texts import json_value_text
from flowtui.store.compare.run_samples import ScoreType, coded
from flowtui.store.compare.score_pairs import (
    Better,
    ComparedScore,
    HigherIsBetter,
    Outcome,
    ScoreKind,
    outcome,
)
from flowtui.store.samples.score_values import is_number
from flowtui.store.samples.values import Sample
from flowtui.store.values import JsonValue

ABSENT = "–"
TEXT_CHARS = 24
NUMBER_CELLS = 8
_IN_BOTH = (Outcome.SAME, Outcome.IMPROVED, Outcome.REGRESSED, Outcome.CHANGED)
_ABSENT = (int(ScoreType.ABSENT), 0.0)


def score_of(sample: Sample | None, name: str) -> tuple[bool, JsonValue]:
    """Return whether a sample has a score, and the score."""
    scores = None if sample is None else sample.scores
    if not isinstance(scores, dict) or name not in scores:
        return False, None
    return True, scores[name]


def score_outcome(
    one: Sample | None, other: Sample | None, name: str, higher: HigherIsBetter
) -> Outcome | None:
    """Return what became of a score of a sample; None if neither run has it."""
    pair = _coded(one, name), _coded(other, name)
    return None if pair == (_ABSENT, _ABSENT) else outcome(*pair, Better.of(name, higher))


def score_delta(one: Sample | None, other: Sample | None, name: str) -> float | None:
    """Return by how much a number differs; None if it is not a number in both runs."""
    before, after = score_of(one, name)[1], score_of(other, name)[1]
    if not is_number(before) or not is_number(after):
        return None
    try:
        return float(after) - float(before)
    except OverflowError:
        return None


def short_score(sample: Sample | None, name: str) -> str:
    """Return a score of a sample as a short text."""
    has, value = score_of(sample, name)
    if not has:
        return ABSENT
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if value is None:
        return "null"
    if is_number(value):
        return fmt.number(value, 3, cells=NUMBER_CELLS)
    text = json_value_text(value)
    return f"{text[: TEXT_CHARS - 1]}…" if len(text) > TEXT_CHARS else text


def _coded(sample: Sample | None, name: str) -> tuple[int, float]:
    has, value = score_of(sample, name)
    return coded(value) if has else _ABSENT


def signed(delta: float) -> str:
    """Return a difference with its sign; `=` if there is none."""
    if delta == 0:
        return "="
    return f"{'+' if delta > 0 else ''}{fmt.number(delta, 3, cells=NUMBER_CELLS)}"


# What samples add up to ----------------------------------------------------------------------


def set_text(score: ComparedScore) -> str:
    return "all sets" if score.dataset is None else fmt.plain(score.dataset, 60)


def mean_text(score: ComparedScore, mean: float | None) -> str:
    """Return the mean of numbers, or the share of true."""
    if mean is None:
        return ABSENT
    if score.kind is ScoreKind.PASS_FAIL:
        return fmt.percent(mean)
    return fmt.number(mean, 3, cells=NUMBER_CELLS)


def delta_text(score: ComparedScore) -> str:
    """Return by how much a mean differs; for pass-fail in hundredths, as its shares are."""
    delta = score.delta
    if delta is None:
        return ABSENT
    if score.kind is not ScoreKind.PASS_FAIL or not delta:
        return signed(delta)
    points = delta * 100
    text = f"{points:+,.1f}"
    # What is not nothing is not rounded to nothing.
    text = f"{points:+.1g}" if float(text.replace(",", "")) == 0 else text
    return text.removesuffix(".0")


def same_text(score: ComparedScore) -> str:
    """Return how many samples have the same score, and what these are, as far as it matters.

    Of pass-fail that is how many pass and fail in both runs. Pairs that are the same but no pair of
    the test, such as null twice, are *other*.
    """
    same, other = score.outcomes[Outcome.SAME], score.same_otherwise
    if not same or (score.kind is not ScoreKind.PASS_FAIL and not other):
        return f"{same:,}"
    parts = [fmt.count(same - other, "number")]
    if score.kind is ScoreKind.PASS_FAIL:
        parts = [f"{score.both_pass:,} ✓", f"{score.both_fail:,} ✗"]
    parts += [f"{other:,} other"] if other else []
    return f"{same:,} ({' '.join(parts)})"


def odd_words(score: ComparedScore) -> list[str]:
    """Return what else is to be said of a score: values that are missing, NaN, of another type."""
    return fmt.counted(
        (
            (score.lost, "missing in the candidate"),
            (score.became_nan, "became NaN"),
            (score.retyped, "of another type"),
            (score.infinite, "infinite"),
            (score.mixed, "numbers among true and false"),
        )
    )


def words_of_test(score: ComparedScore, *, is_short: bool = False) -> str:
    """Return the test of a score in words, and what else is to be said of it."""
    if score.test is not None:
        said = score.test.short_words if is_short else score.test.words
    elif not any(score.outcomes[what] for what in _IN_BOTH):
        said = "no sample has it in both runs"
    elif score.kind is ScoreKind.OTHER:
        said = "no pair of numbers, nor of true and false"
    elif not score.differing:
        said = f"none of {score.outcomes[Outcome.SAME]:,} differ"
    else:
        said = f"neither direction counts as better: {score.differing:,} changed, not tested"
    return " · ".join([said, *odd_words(score)])
