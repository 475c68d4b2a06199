"""Reads what the Evals tab shows; everything here runs in a thread."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from flowtui.screens.list_query import ListQuery
from flowtui.store.annotations.agreement import Agreement, agreement
from flowtui.store.natural import sort_key
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.orders import SampleOrder
from flowtui.store.samples.score_values import ScoreSet
from flowtui.store.samples.scores import score_sets
from flowtui.store.samples.values import Dataset, Sample, SamplesView
from flowtui.store.samples.views import view_condition, view_order

if TYPE_CHECKING:
    # It takes 20 ms to import, and not every list is filtered.
    from flowtui.store.filters import Condition

IDLE_SHARE = 9
"""Adding up all scores rests so many times as long as it took: a tenth of one core."""
MOST_REST_S = 5.0
"""But no longer, so that sums are never far behind the samples beside them."""


@dataclass(frozen=True, slots=True)
class WantedSamples(ListQuery):
    """Which samples, in which order."""

    dataset: str | None = None
    """None for all eval sets."""
    view: SamplesView = SamplesView.ALL
    order: SampleOrder = field(default_factory=SampleOrder)

    @property
    def whole_condition(self) -> Condition | None:
        return view_condition(self.view, self.condition)

    @property
    def whole_order(self) -> SampleOrder:
        return view_order(self.view) or self.order


@dataclass(frozen=True, slots=True)
class ReadList:
    """The samples that were wanted, by key, and the eval sets that there are."""

    wanted: WantedSamples
    rowids: array[int]
    datasets: tuple[Dataset, ...]
    agreement: tuple[Agreement, ...]
    """Of all who annotated."""
    held_rowid: int | None
    """The key that the sample under the cursor has now: it has another each time it is logged."""
    samples: Mapping[int, Sample]
    """The first of them, where they were wanted with the list."""
    remarks: Sequence[str] = ()
    """About the filter."""


def read_list(
    run: OpenRun,
    wanted: WantedSamples,
    held: Sample | None,
    first_rows: int = 0,
) -> ReadList:
    """Return the keys of the samples that are wanted, in order, and so many of the first of them.

    Raises:
        DatabaseError: the run's database cannot be read.
        ReadCancelled: nobody waits any more.
    """
    rowids = run.ask(
        sample_rows.ordered, wanted.dataset, wanted.whole_condition, wanted.whole_order
    )
    held_rowid = None
    if held is not None:
        found = run.ask(sample_rows.rowid, held.target)
        held_rowid = found if found != held.rowid else None
    return ReadList(
        wanted,
        rowids,
        run.ask(sample_rows.datasets),
        run.ask(agreement, wanted.dataset),
        held_rowid,
        run.ask(sample_rows.at, rowids[:first_rows]) if first_rows else {},
        run.remarks(wanted.condition, sample_rows.remarks),
    )


@dataclass(frozen=True, slots=True)
class ReadScores:
    """What the scores add up to, all eval sets first, and since when that is known."""

    sets: tuple[ScoreSet, ...]
    due_s: float
    """When they may be added up again, by the monotonic clock."""


def read_scores(run: OpenRun) -> ReadScores:
    """Add up all scores of a run, in one pass.

    Raises:
        DatabaseError: the run's database cannot be read.
        ReadCancelled: nobody waits any more.
    """
    began = monotonic()
    sets = run.ask(score_sets)
    now = monotonic()
    return ReadScores(sets, now + min((now - began) * IDLE_SHARE, MOST_REST_S))


def shown_sets(sets: Sequence[ScoreSet]) -> Sequence[ScoreSet]:
    """Return the lines of the eval sets: all together first, unless there is only one."""
    return sets[1:] if len(sets) == 2 else sets


def first_score_keys(samples: Sequence[Sample]) -> list[str]:
    """Return the keys of the scores of some samples, as long as they are not all counted."""
    keys: dict[str, None] = {}
    for sample in samples:
        if isinstance(sample.scores, dict):
            keys.update(dict.fromkeys(sample.scores))
    return sorted(keys, key=sort_key)
