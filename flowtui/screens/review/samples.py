"""The samples of a review: those of the table that the author has not annotated."""

from __future__ import annotations

from array import array

from flowtui import format as fmt
from flowtui.screens.evals.reading import SamplesQuery
from flowtui.screens.review.queue import ReviewItem
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import listing as sample_rows
from flowtui.widgets.documents.sample_sections import judged_sections


class SampleReview:
    """A source of samples; its items are rowids of the samples table."""

    noun = "sample"

    def __init__(self, run: OpenRun, wanted: SamplesQuery, user: str) -> None:
        """Make the source.

        Args:
            run: The run of the samples.
            wanted: The samples of the table, in its order.
            user: The author who judges them.
        """
        self._run = run
        self._wanted = wanted
        self._user = user

    def items(self) -> array[int]:
        wanted = self._wanted
        keys = self._run.ask(
            sample_rows.ordered, wanted.dataset, wanted.whole_condition, wanted.whole_order
        )
        done = self._run.ask(sample_rows.annotated_by, self._user)
        return array("q", (key for key in keys if key not in done))

    def read(self, item: int) -> ReviewItem | None:
        listed = self._run.ask(sample_rows.at, [item]).get(item)
        sample = None if listed is None else self._run.ask(sample_rows.detail, listed.target)
        if sample is None:
            return None
        title = fmt.plain(sample.id, 200)
        return ReviewItem(
            sample.target, title, judged_sections(sample), fmt.plain(sample.dataset_id, 60)
        )
