"""Reading what the Evals tab of a comparison shows; everything here runs in a thread."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from flowtui.screens.evals.reading import MAX_REST_S, REST_FACTOR
from flowtui.screens.list_query import ListQuery
from flowtui.store.compare.joined_samples import JoinedBy, JoinedSamples
from flowtui.store.compare.run_set import RunSet
from flowtui.store.compare.sample_page import ComparedSample, page
from flowtui.store.compare.sample_views import ComparedOrder, ComparedView, listed
from flowtui.store.compare.samples import ComparedSamples, ReadSamples, SampleReader, compared
from flowtui.store.compare.score_pairs import HigherIsBetter
from flowtui.store.errors import StoreError

if TYPE_CHECKING:
    # Importing the filter language takes 20 ms, and not every list is filtered.
    from flowtui.store.compare.sample_filter import ComparedCondition


@dataclass(frozen=True, slots=True)
class ComparedQuery(ListQuery):
    """Which joined samples are wanted, and in which order."""

    condition: ComparedCondition | None = None  # type: ignore[assignment]
    letter: str = "B"
    """The candidate that is looked at."""
    dataset: str | None = None
    """The id of an eval set; None for all sets."""
    view: ComparedView = ComparedView.REGRESSED_FIRST
    order: ComparedOrder = field(default_factory=ComparedOrder)
    by: JoinedBy = JoinedBy.KEY

    @property
    def sorted_by(self) -> tuple[str, bool]:
        return self.order.column, self.order.descending

    @property
    def asks_annotations(self) -> bool:
        return self.condition is not None and self.condition.asks_annotations


@dataclass(frozen=True, slots=True)
class ReadComparison:
    """The wanted samples as they were read, and what all samples add up to."""

    wanted: ComparedQuery
    of: ComparedSamples
    numbers: array[int]
    """The wanted samples, in their order."""
    problems: Mapping[str, StoreError]
    """By letter, why a run could not be read."""
    due_s: float
    """When samples that were added may be joined again, by the monotonic clock."""
    first: Mapping[int, ComparedSample]
    """The first of the samples, if some were wanted with the list."""
    remarks: Sequence[str] = ()
    """Sentences about the filter."""

    @property
    def all_count(self) -> int:
        """How many samples the baseline and the candidate have together."""
        shared = self.samples.shared(self.of.candidate)
        counts = (self.samples.sample_count(at) for at in (0, self.of.candidate))
        return sum(counts) - shared

    def is_about(self, number: int) -> bool:
        """Say whether the view is about a sample, or lists it only after those it is about."""
        match self.wanted.view:
            case ComparedView.IMPROVED_FIRST:
                return self.of.outcomes.better[number] > 0
            case ComparedView.REGRESSED_FIRST | ComparedView.ALL:
                return self.of.outcomes.worse[number] > 0
            case _:
                return True

    @property
    def samples(self) -> JoinedSamples:
        return self.of.samples


class ComparisonReader:
    """Reads the samples of a comparison.

    A thread whose answer is not wanted any more may still be at work when the next one begins, so
    that each waits for its turn: they share the numbers of samples.
    """

    def __init__(self, runs: RunSet) -> None:
        self._turn = Lock()
        self._runs = runs
        self._reader = SampleReader(runs)
        self._last: ReadSamples | None = None
        self._due_s = 0.0
        self._compared: tuple[JoinedSamples, str, ComparedSamples] | None = None

    def read(
        self,
        wanted: ComparedQuery,
        higher: HigherIsBetter,
        stale: Collection[str],
        whole: Collection[str],
        first_rows: int = 0,
    ) -> ReadComparison:
        """Return the wanted samples; only runs that may have changed are read again.

        Args:
            wanted: Which samples are wanted.
            higher: Says of each score what is better.
            stale: The letters of the runs that may have changed.
            whole: Of which of them everything is read again even if nothing was added.
            first_rows: How many samples are read with the list.

        Raises:
            StoreError: The baseline cannot be read, or a run that the filter is about.
            ReadCancelled: Nobody waits any more.
        """
        with self._turn:
            return self._read(wanted, higher, stale, whole, first_rows)

    def _read(
        self,
        wanted: ComparedQuery,
        higher: HigherIsBetter,
        stale: Collection[str],
        whole: Collection[str],
        first_rows: int,
    ) -> ReadComparison:
        began_s = monotonic()
        if self._last is None or stale or wanted.by is not self._reader.by:
            self._reader.join_by(wanted.by)
            self._last = self._reader.read(stale if self._last is not None else None, whole)
        problems, samples = self._last.problems, self._last.samples
        if (why := problems.get(self._runs.baseline.letter)) is not None:
            self._last = None
            raise why
        of = self._compare(samples, wanted.letter, higher)
        now_s = monotonic()
        if stale:
            self._due_s = now_s + min((now_s - began_s) * REST_FACTOR, MAX_REST_S)
        return self._listed(wanted, of, problems, first_rows)

    def with_inputs(self, found: ReadComparison) -> ReadComparison:
        """Return what was read with the samples whose inputs differ.

        All inputs are read for this the first time, so it comes after the list.

        Raises:
            StoreError: One of the two runs cannot be read.
            ReadCancelled: Nobody waits any more.
        """
        with self._turn:
            differing = self._reader.differing_inputs(found.samples, found.of.candidate)
            return replace(found, of=replace(found.of, differing_inputs=differing))

    def compare_anew(self) -> None:
        """Compare scores again at the next read, because another direction is better now."""
        self._compared = None

    def _compare(
        self, samples: JoinedSamples, letter: str, higher: HigherIsBetter
    ) -> ComparedSamples:
        known = self._compared
        if known is None or known[0] is not samples or known[1] != letter:
            known = samples, letter, compared(self._runs, samples, letter, higher)
            self._compared = known
        return known[2]

    def _listed(
        self,
        wanted: ComparedQuery,
        of: ComparedSamples,
        problems: Mapping[str, StoreError],
        first_rows: int,
    ) -> ReadComparison:
        matching = None
        remarks: Sequence[str] = ()
        if wanted.condition is not None:
            from flowtui.store.compare import sample_filter

            matching = sample_filter.matching(self._runs, of.samples, wanted.condition)
            if not problems:
                remarks = sample_filter.filter_remarks(self._runs, wanted.condition)
        if self._reader.has_read_inputs(of.candidate):
            inputs = self._reader.differing_inputs(of.samples, of.candidate)
            of = replace(of, differing_inputs=inputs)
        differing = None
        if wanted.view is ComparedView.OUTPUTS_DIFFER:
            differing = self._reader.differing_outputs(of.samples, of.candidate)
        numbers = listed(
            of.samples, of.candidate, of.outcomes, of.pairs, wanted.view, wanted.order,
            wanted.dataset, matching, differing,
        )  # fmt: skip
        first = {}
        if first_rows:
            first = page(self._runs, of.samples, numbers[:first_rows], (0, of.candidate))
        return ReadComparison(wanted, of, numbers, problems, self._due_s, first, remarks)
