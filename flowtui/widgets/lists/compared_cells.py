"""Scores of two runs as cells of a table."""

from __future__ import annotations

from flowtui.reports.comparison.sample_texts import delta_text, score_outcome, short_score
from flowtui.store.compare.score_pairs import ComparedScore, HigherIsBetter, Outcome
from flowtui.store.samples.values import Sample
from flowtui.widgets.cells import Piece, Role

OUTCOME_ROLES: dict[Outcome, Role] = {
    Outcome.SAME: "muted",
    Outcome.IMPROVED: "ok",
    Outcome.REGRESSED: "error",
    Outcome.CHANGED: "attention",
    Outcome.ONLY_BASELINE: "muted",
    Outcome.ONLY_CANDIDATE: "muted",
}


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


def delta_piece(score: ComparedScore) -> Piece:
    """Return by how much a mean differs, in the colour of what became of it."""
    text = delta_text(score)
    if not score.delta:
        return Piece(text, "muted")
    if score.higher is None:
        return Piece(text, "attention")
    return Piece(text, "ok" if (score.delta > 0) is score.higher else "error")
