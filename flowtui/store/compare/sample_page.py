"""Joined samples with their texts: a page of a list, or one in full."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from flowtui.store.bounded_json import Bounds
from flowtui.store.compare.joined_samples import JoinedSamples
from flowtui.store.compare.run_samples import Key
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.errors import StoreError
from flowtui.store.samples import listing as sample_rows
from flowtui.store.samples.values import Sample


@dataclass(frozen=True, slots=True)
class ComparedSample:
    """One joined sample."""

    number: int
    key: Key
    """Its ids in the first run that has it."""
    samples: tuple[Sample | None, ...]
    """By run, None where the run has no such sample, or was not asked."""

    @property
    def first(self) -> Sample | None:
        """The sample in the first run that has it."""
        return next((one for one in self.samples if one is not None), None)


def page(
    runs: RunSet,
    samples: JoinedSamples,
    numbers: Sequence[int],
    which: Collection[int],
    bounds: Bounds = sample_rows.LISTED,
) -> dict[int, ComparedSample]:
    """Return joined samples by number, as far as the runs still have them.

    Args:
        runs: The runs.
        samples: Their joined samples.
        numbers: Which samples.
        which: Of which runs, counted from 0.
        bounds: How much of long texts is kept.

    Raises:
        StoreError: One of these runs cannot be read.
    """
    found: list[dict[int, Sample]] = []
    for at, run in enumerate(runs.runs):
        wanted = {}
        if at in which:
            rowids = ((number, samples.rowid(at, number)) for number in numbers)
            wanted = {number: rowid for number, rowid in rowids if rowid is not None}
        read = run.run.ask(sample_rows.at, list(wanted.values()), bounds) if wanted else {}
        found.append({number: read[rowid] for number, rowid in wanted.items() if rowid in read})
    return {
        number: ComparedSample(
            number, samples.key(number), tuple(of_run.get(number) for of_run in found)
        )
        for number in numbers
    }


def in_full(
    runs: RunSet, samples: JoinedSamples, number: int, known: Mapping[str, StoreError]
) -> tuple[ComparedSample, Mapping[str, StoreError]]:
    """Return one joined sample with everything that is stored of it in each run.

    By letter it also says why a run cannot be read, in which the sample is None then.

    Args:
        runs: The runs.
        samples: Their joined samples.
        number: Which sample.
        known: By letter, why samples of a run could not be joined.

    Raises:
        ReadCancelled: Nobody waits any more.
    """
    letters = [run.letter for run in runs.runs]

    def read(run: ComparedRun) -> Sample | None:
        rowid = samples.rowid(letters.index(run.letter), number)
        if rowid is None:
            return None
        return run.run.ask(sample_rows.at, [rowid], sample_rows.DETAILED).get(rowid)

    answers = runs.asked(read)
    problems = dict(known)
    for letter, answer in zip(letters, answers, strict=True):
        if isinstance(answer, StoreError):
            problems[letter] = answer
    found = tuple(None if isinstance(answer, StoreError) else answer for answer in answers)
    return ComparedSample(number, samples.key(number), found), problems
