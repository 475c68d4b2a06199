"""Scores of two runs as cells of a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.reports.comparison.fact_texts import cut_apart
from flowtui.reports.comparison.sample_texts import (
    NUMBER_CELLS,
    delta_text,
    score_of,
    score_outcome,
    short_score,
)
from flowtui.store.compare.score_pairs import ComparedScore, HigherIsBetter, Outcome
from flowtui.store.samples.score_values import is_number
from flowtui.store.samples.values import Sample
from flowtui.widgets.cells import Piece, Role

ARROW = " → "
OUTCOME_ROLES: dict[Outcome, Role] = {
    Outcome.SAME: "muted",
    Outcome.IMPROVED: "ok",
    Outcome.REGRESSED: "error",
    Outcome.CHANGED: "attention",
    Outcome.ONLY_BASELINE: "muted",
    Outcome.ONLY_CANDIDATE: "muted",
}


def score_change(
    one: Sample | None, other: Sample | None, name: str, higher: HigherIsBetter, cells: int
) -> Piece:
    """Return a score of a sample in two runs as a cell: `✓ → ✗`, `1.0 → 0.25`, or what both have.

    Both values are seen: numbers have fewer digits where there is no room, and texts are cut alike.

    Args:
        one: The sample in the baseline; None if it lacks it.
        other: The sample in the candidate.
        name: The name of the score.
        higher: Says what is better.
        cells: The width of the cell, 9 or more.
    """
    what = score_outcome(one, other, name, higher)
    if what is None:
        return Piece("")
    before, after = short_score(one, name), short_score(other, name)
    if what is Outcome.SAME and before == after:
        return Piece(after, OUTCOME_ROLES[what])
    values = score_of(one, name)[1], score_of(other, name)[1]
    numbers = [value for value in values if is_number(value)]
    is_of_numbers = len(numbers) == len(values)
    text = _numbers(numbers, cells) if is_of_numbers else _cut(before, after, cells)
    return Piece(text, OUTCOME_ROLES[what])


def _numbers(values: Sequence[float], cells: int) -> str:
    """Return two numbers as `0.913 → 0.352` in so many cells, as far apart as there is room."""
    text = ""
    for room in range(NUMBER_CELLS, 2, -1):
        # Those that read alike may still be told apart by more digits.
        before, after = fmt.distinct(values, 3, cells=room)
        text = f"{before}{ARROW}{after}"
        if len(text) <= cells:
            break
    return text


def _cut(before: str, after: str, cells: int) -> str:
    """Return two texts in so many cells; the shorter one leaves the longer one what is over."""
    room = cells - len(ARROW)
    left = min(cell_len(before), max(room // 2, room - cell_len(after)))
    return ARROW.join(cut_apart([before, after], [left, room - left]))


def delta_piece(score: ComparedScore) -> Piece:
    """Return by how much a mean differs, in the colour of what became of it."""
    text = delta_text(score)
    if not score.delta:
        return Piece(text, "muted")
    if score.higher is None:
        return Piece(text, "attention")
    return Piece(text, "ok" if (score.delta > 0) is score.higher else "error")
