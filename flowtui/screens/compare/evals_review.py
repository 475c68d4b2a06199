"""The samples of a review in a comparison: those that got worse, and are not annotated yet."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from flowtui import format as fmt
from flowtui.screens.compare.evals_reading import ReadComparison
from flowtui.screens.review.queue import ReviewItem
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.compare.sample_page import in_full
from flowtui.store.compare.score_pairs import HigherIsBetter
from flowtui.store.samples import listing as sample_rows
from flowtui.widgets.documents.compared_sections import LetteredRun, compared_sections


class RegressedReview:
    """A source of samples; its items are the numbers of joined samples."""

    noun = "sample that got worse"

    def __init__(
        self,
        runs: RunSet,
        judged: ComparedRun,
        listed: ReadComparison,
        regressed: Sequence[int],
        higher: HigherIsBetter,
        user: str,
    ) -> None:
        """Make the source.

        Args:
            runs: The runs of the comparison.
            judged: The run whose samples are annotated.
            listed: The joined samples.
            regressed: The samples that got worse, in the order of the review.
            higher: Says of each score what is better.
            user: The author who judges them.
        """
        self.judged = judged
        self._runs = runs
        self._listed = listed
        self._regressed = regressed
        self._higher = higher
        self._user = user

    def items(self) -> Sequence[int]:
        done = self.judged.run.ask(sample_rows.annotated_by, self._user)
        at = self._runs.runs.index(self.judged)
        rowids = ((number, self._listed.samples.rowid(at, number)) for number in self._regressed)
        return array(
            "i", (number for number, rowid in rowids if rowid is not None and rowid not in done)
        )

    def read(self, item: int) -> ReviewItem | None:
        runs = self._runs.runs
        sample, problems = in_full(self._runs, self._listed.samples, item, self._listed.problems)
        judged = sample.samples[runs.index(self.judged)]
        if judged is None:
            return None
        named = [LetteredRun(run.letter, run.run.name) for run in runs]
        return ReviewItem(
            judged.target,
            fmt.plain(judged.id, 200),
            compared_sections(sample, named, self._higher, problems),
            f"annotated in {self.judged.letter}   set {fmt.plain(judged.dataset_id, 60)}",
        )
