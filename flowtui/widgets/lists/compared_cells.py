"""Scores of two runs as short texts: what a score was and is, and what samples add up to."""

from __future__ import annotations

from flowtui import format as fmt
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
from flowtui.widgets.cells import Piece, Role
from flowtui.widgets.lists.score_cells import nested_text

ABSENT = "–"
TEXT_CHARS = 24
NUMBER_CELLS = 8
_ABSENT = (int(ScoreType.ABSENT), 0.0)
OUTCOME_ROLES: dict[Outcome, Role] = {
    Outcome.SAME: "muted",
    Outcome.IMPROVED: "ok",
    Outcome.REGRESSED: "error",
    Outcome.CHANGED: "attention",
    Outcome.ONLY_BASELINE: "muted",
    Outcome.ONLY_CANDIDATE: "muted",
}


def score_outcome(
    one: Sample | None, other: Sample | None, name: str, higher: HigherIsBetter
) -> Outcome | None:
    """Return what became of a score of a sample; None if neither run has it."""
    pair = _coded(one, name), _coded(other, name)
    return None if pair == (_ABSENT, _ABSENT) else outcome(*pair, Better.of(name, higher))


def score_change(
    one: Sample | None, other: Sample | None, name: str, higher: HigherIsBetter
) -> Piece:
    """Return a score of a sample in two runs as a cell: `✓ → ✗`, `1.0 → 0.25`, or what both have.

    Args:
        one: The sample in the baseline; None if it lacks it.
        other: The sample in the candidate.
        name: The name of the score.
        higher: Says what is better.
    """
    what = score_outcome(one, other, name, higher)
    if what is None:
        return Piece("")
    before, after = short_score(one, name), short_score(other, name)
    text = after if what is Outcome.SAME and before == after else f"{before} → {after}"
    return Piece(text, OUTCOME_ROLES[what])


def score_delta(one: Sample | None, other: Sample | None, name: str) -> str:
    """Return by how much a number differs: `+0.25`; empty for what is no number in both."""
    values = [of.scores.get(name) if of is not None and isinstance(of.scores, dict) else None
              for of in (one, other)]  # fmt: skip
    before, after = values
    if not is_number(before) or not is_number(after):
        return ""
    try:
        return signed(float(after) - float(before))
    except OverflowError:
        return ""


def short_score(sample: Sample | None, name: str) -> str:
    """Return a score of a sample as a short text."""
    scores = None if sample is None else sample.scores
    if not isinstance(scores, dict) or name not in scores:
        return ABSENT
    return _short(scores[name])


def _short(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if value is None:
        return "null"
    if is_number(value):
        return fmt.number(value, 3, cells=NUMBER_CELLS)
    if isinstance(value, str):
        text = fmt.plain(value[: TEXT_CHARS + 1])
        return f"{text[: TEXT_CHARS - 1]}…" if len(value) > TEXT_CHARS else text or '""'
    return nested_text(value)


def _coded(sample: Sample | None, name: str) -> tuple[int, float]:
    scores = None if sample is None else sample.scores
    return coded(scores[name]) if isinstance(scores, dict) and name in scores else _ABSENT


def signed(delta: float) -> str:
    """Return a difference with its sign; `=` if there is none."""
    if delta == 0:
        return "="
    return f"{'+' if delta > 0 else ''}{fmt.number(delta, 3, cells=NUMBER_CELLS)}"


# What samples add up to ----------------------------------------------------------------------


def mean_text(score: ComparedScore, mean: float | None) -> str:
    """Return the mean of numbers, or the share of true."""
    if mean is None:
        return ABSENT
    if score.kind is ScoreKind.PASS_FAIL:
        return fmt.percent(mean)
    return fmt.number(mean, 3, cells=NUMBER_CELLS)


def delta_piece(score: ComparedScore) -> Piece:
    """Return by how much a mean differs; for pass-fail in hundredths, as its shares are."""
    delta = score.delta
    if delta is None:
        return Piece(ABSENT, "muted")
    if score.kind is ScoreKind.PASS_FAIL:
        points = round(delta * 100, 1)
        text = "=" if not points else f"{points:+,.1f}".removesuffix(".0")
        if not points and delta:
            text = "+0.0" if delta > 0 else "-0.0"
    else:
        text = signed(delta)
    if not delta:
        return Piece(text, "muted")
    if score.higher is None:
        return Piece(text, "attention")
    return Piece(text, "ok" if (delta > 0) is score.higher else "error")


def same_text(score: ComparedScore) -> str:
    """Return how many samples have the same score; of pass-fail, how many pass and fail in both."""
    same = score.outcomes[Outcome.SAME]
    if score.kind is not ScoreKind.PASS_FAIL or not same:
        return f"{same:,}"
    return f"{same:,} ({score.both_pass:,} ✓ {score.both_fail:,} ✗)"


def odd_words(score: ComparedScore) -> list[str]:
    """Return what else is to be said of a score: values that are missing, NaN, of another type."""
    return fmt.counted(
        (
            (score.lost, "missing in the candidate"),
            (score.became_nan, "became NaN"),
            (score.retyped, "of another type"),
            (score.infinite, "infinite"),
        )
    )
