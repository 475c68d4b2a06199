"""The table of eval sets: a row for each set, and a column for each score that is summed up."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from flowtui import format as fmt
from flowtui.store.samples.score_values import ScoreSet, ScoreSummary
from flowtui.store.samples.values import Dataset
from flowtui.widgets.cells import Piece
from flowtui.widgets.lists.score_cells import histogram_text, summary_cells
from flowtui.widgets.lists.virtual_table import Cells, Column

NAME, COUNT = "set", "samples"
MAX_CELLS = 36
"""The widest column of a score."""
GAP = "  "


def columns(every: ScoreSet | None, sets: Sequence[ScoreSet]) -> list[Column]:
    """Return the columns for the scores of all sets, as wide as their contents.

    Args:
        every: All sets together; None if they were not added up.
        sets: The sets of the rows.
    """
    scores = () if every is None else every.scores
    texts: dict[str, list[str]] = {}
    for one in sets:
        for summary in one.scores:
            texts.setdefault(summary.key, []).append(_score(summary).text)
    names = [one.dataset or "all sets" for one in sets]
    return [
        Column(NAME, " set", max([12, *(min(cell_len(name) + 2, 30) for name in names)])),
        Column(COUNT, "samples", 9, "right"),
        *(
            Column(f"scores.{one.key}", _title(one), _cells_of([_title(one), *texts[one.key]]))
            for one in scores
        ),
    ]


def counted(datasets: Sequence[Dataset]) -> list[ScoreSet]:
    """Return the sets without scores, with their numbers of samples, until scores are added up."""
    sets = [ScoreSet(one.id, one.sample_count, (), 0) for one in datasets]
    return [ScoreSet(None, sum(one.sample_count for one in datasets), (), 0), *sets]


def _title(summary: ScoreSummary) -> str:
    name = fmt.plain(summary.key, 300)
    numbers = summary.numbers
    return name if numbers is None else f"{name} {histogram_text(numbers)}"


def _cells_of(texts: Sequence[str]) -> int:
    return min(max(map(cell_len, texts)), MAX_CELLS)


def cells(scores: ScoreSet, shown: Sequence[Column]) -> Cells:
    """Return the cells of a set in these columns."""
    by_key = {f"scores.{one.key}": one for one in scores.scores}
    name = "all sets" if scores.dataset is None else fmt.plain(scores.dataset, 60)
    fixed = {NAME: Piece(f" {name}"), COUNT: Piece(f"{scores.sample_count:,}", "muted")}
    return tuple(
        fixed[column.key] if column.key in fixed else _score(by_key.get(column.key))
        for column in shown
    )


def _score(summary: ScoreSummary | None) -> Piece:
    if summary is None:
        return Piece("absent", "muted")
    # The summary has one colour; failures are coloured in the samples.
    text = GAP.join(piece.text for piece in summary_cells(summary))
    return Piece(text, "text" if summary.count else "muted")
