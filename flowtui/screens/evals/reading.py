"""Reading what the Evals tab shows; everything here runs in a thread."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import TYPE_CHECKING

from flowtui.screens.list_query import ListQuery
from flowtui.store.annotations import judgements
from flowtui.store.annotations import listing as annotation_rows
from flowtui.store.annotations.agreement import Agreement, agreement
from flowtui.store.annotations.judgements import JudgementTally
from flowtui.store.natural import sort_key
from flowtui.store.open_run import OpenRun
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.orders import SampleOrder
from flowtui.store.samples.score_values import ScoreSet
from flowtui.store.samples.scores import score_sets
from flowtui.store.samples.values import Dataset, Sample, SamplesView
from flowtui.store.samples.views import view_condition, view_order

if TYPE_CHECKING:
    # Importing the filter language takes 20 ms, and not every list is filtered.
    from flowtui.store.filters import Condition

REST_FACTOR = 9
"""How long the scores are not added up again, as a multiple of the time that adding them took.

So adding them up takes at most a tenth of a core.
"""
MAX_REST_S = 5.0
"""The longest such rest, so that the scores are never far behind the samples beside them."""


@dataclass(frozen=True, slots=True)
class SamplesQuery(ListQuery):
    """Which samples are wanted, and in which order."""

    dataset: str | None = None
    """The id of an eval set; None for all sets."""
    view: SamplesView = SamplesView.ALL
    order: SampleOrder = field(default_factory=SampleOrder)

    @property
    def sorted_by(self) -> tuple[str, bool]:
        return self.order.column, self.order.descending

    @property
    def whole_condition(self) -> Condition | None:
        return view_condition(self.view, self.condition)

    @property
    def asks_annotations(self) -> bool:
        condition = self.whole_condition
        is_condition = condition is not None and condition.asks_annotations
        return is_condition or "annotation" in self.whole_order.column

    @property
    def whole_order(self) -> SampleOrder:
        return view_order(self.view) or self.order


@dataclass(frozen=True, slots=True)
class ReadList:
    """The keys of the wanted samples as they were read, and all eval sets."""

    wanted: SamplesQuery
    rowids: array[int]
    datasets: tuple[Dataset, ...]
    agreement: tuple[Agreement, ...]
    """The agreement of all who annotated the samples."""
    held_rowid: int | None
    """The new key of the sample under the cursor; None if it has kept its key.

    A sample gets a new key each time it is logged.
    """
    samples: Mapping[int, Sample]
    """The first of the samples by key, if some were wanted with the list."""
    remarks: Sequence[str] = ()
    """Sentences about the filter."""
    tallies: tuple[JudgementTally, ...] = ()
    """What people said of the samples under each name."""


def read_samples(run: OpenRun, keys: Sequence[int]) -> dict[int, Sample]:
    """Return samples by key, with what people said of them.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """

    def read(connection: sqlite3.Connection) -> dict[int, Sample]:
        samples = sample_rows.at(connection, keys)
        said = judgements.of_rows(connection, annotation_rows.SAMPLES, keys)
        return {key: replace(one, judgements=said.get(key, {})) for key, one in samples.items()}

    return run.ask(read)


def read_list(
    run: OpenRun,
    wanted: SamplesQuery,
    held: Sample | None,
    first_rows: int = 0,
) -> ReadList:
    """Return the keys of the wanted samples in their order, and the first of these samples.

    Args:
        run: The run of the samples.
        wanted: Which samples are wanted.
        held: The sample under the cursor, whose key may have changed.
        first_rows: How many samples are read with the list.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
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
        read_samples(run, rowids[:first_rows]) if first_rows else {},
        run.remarks(wanted.condition, sample_rows.remarks),
        run.ask(judgements.tallies, annotation_rows.SAMPLES, wanted.dataset),
    )


@dataclass(frozen=True, slots=True)
class ReadScores:
    """The scores of each eval set added up, and when to do that again."""

    sets: tuple[ScoreSet, ...]
    """All eval sets together first, then each of them."""
    due_s: float
    """When the scores may be added up again, by the monotonic clock."""


def read_scores(run: OpenRun) -> ReadScores:
    """Add up all scores of a run in one pass.

    Raises:
        DatabaseError: The run's database cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    began = monotonic()
    sets = run.ask(score_sets)
    now = monotonic()
    return ReadScores(sets, now + min((now - began) * REST_FACTOR, MAX_REST_S))


def shown_sets(sets: Sequence[ScoreSet]) -> Sequence[ScoreSet]:
    """Return the eval sets to list: all together first, unless there is only one set."""
    return sets[1:] if len(sets) == 2 else sets


def first_score_keys(samples: Sequence[Sample]) -> list[str]:
    """Return the keys of the scores of some samples, for use until all are added up."""
    keys: dict[str, None] = {}
    for sample in samples:
        if isinstance(sample.scores, dict):
            keys.update(dict.fromkeys(sample.scores))
    return sorted(keys, key=sort_key)
