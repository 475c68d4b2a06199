"""The samples of the runs of a comparison: read, joined, and compared with the baseline's."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from flowtui.store.compare.digests import Digests, digests
from flowtui.store.compare.directions import Direction, direction
from flowtui.store.compare.joined_samples import JoinedBy, JoinedSamples, Numbering, joined
from flowtui.store.compare.run_samples import RunSamples, read_samples
from flowtui.store.compare.run_set import ComparedRun, RunSet
from flowtui.store.compare.sample_views import (
    SampleOutcomes,
    sample_outcomes,
    with_differing_values,
)
from flowtui.store.compare.score_pairs import (
    ComparedScore,
    HigherIsBetter,
    ScorePairs,
    compared_scores,
    score_pairs,
)
from flowtui.store.errors import StoreError


@dataclass(frozen=True, slots=True)
class ReadSamples:
    """The samples of all runs as they were read."""

    samples: JoinedSamples
    problems: Mapping[str, StoreError]
    """By letter, why a run could not be read."""


@dataclass(frozen=True, slots=True)
class ComparedSamples:
    """The samples of one candidate compared with the baseline's."""

    letter: str
    candidate: int
    """Which run, counted from 0."""
    samples: JoinedSamples
    pairs: Mapping[str, ScorePairs]
    """By the name of the score."""
    scores: tuple[ComparedScore, ...]
    """All eval sets together first, if there are several."""
    outcomes: SampleOutcomes
    differing_inputs: frozenset[int] | None = None
    """The numbers of the samples whose inputs differ; None as long as they are not compared."""

    @property
    def tested_count(self) -> int:
        """How many scores were tested, by set."""
        return sum(one.test is not None for one in self.scores)

    def score(self, name: str) -> ComparedScore | None:
        """Return a score over all eval sets; None if neither run has it."""
        found = [one for one in self.scores if one.name == name]
        return next((one for one in found if one.dataset is None), found[0] if found else None)


class SampleReader:
    """Reads the samples of a comparison, and what is new of them when runs have grown.

    It keeps what it has read, so only one thread at a time may use it; what it returns is not
    changed later.
    """

    def __init__(self, runs: RunSet) -> None:
        self._runs = runs
        self._known: dict[str, RunSamples] = {}
        self._numbering = Numbering()
        self._digests: dict[tuple[str, str], Digests] = {}
        """By letter and column."""

    @property
    def by(self) -> JoinedBy:
        return self._numbering.by

    def join_by(self, by: JoinedBy) -> None:
        """Join on something else from the next read on; samples get other numbers."""
        if by is not self._numbering.by:
            self._numbering = Numbering(by)

    def read(
        self, stale: Collection[str] | None = None, whole: Collection[str] = ()
    ) -> ReadSamples:
        """Return the samples of all runs.

        Args:
            stale: The letters of the runs that may have changed; None for all.
            whole: Of which of them everything is read again, and not only what was added.

        Raises:
            ReadCancelled: Nobody waits any more.
        """
        problems: dict[str, StoreError] = {}
        for letter, column in list(self._digests):
            if letter in whole:
                del self._digests[letter, column]
        answers = self._runs.asked(partial(self._read, stale, whole))
        for run, answer in zip(self._runs.runs, answers, strict=True):
            if isinstance(answer, StoreError):
                problems[run.letter] = answer
                self._known.pop(run.letter, None)
            else:
                self._known[run.letter] = answer
        known = [self._known.get(run.letter) for run in self._runs.runs]
        inputs: Sequence[array[int] | None] = ()
        if self.by is JoinedBy.INPUTS:
            inputs = [
                None if one is None else self.digests(run.letter, "inputs", one)
                for run, one in zip(self._runs.runs, known, strict=True)
            ]
        return ReadSamples(joined(known, self._numbering, inputs), problems)

    def _read(
        self, stale: Collection[str] | None, whole: Collection[str], run: ComparedRun
    ) -> RunSamples:
        known = self._known.get(run.letter)
        if known is not None and stale is not None and run.letter not in stale:
            return known
        if run.letter in whole:
            known = None
        return run.run.ask(read_samples, known)

    def differing_outputs(self, samples: JoinedSamples, candidate: int) -> frozenset[int]:
        """Return the samples whose outputs differ; it reads all outputs, but keeps none.

        Raises:
            StoreError: One of the two runs cannot be read.
        """
        return self._differing("outputs", samples, candidate)

    def differing_inputs(self, samples: JoinedSamples, candidate: int) -> frozenset[int]:
        """Return the samples that both runs have and whose inputs differ, as JSON.

        Their scores are of two questions, though they have one id. It reads all inputs, but keeps
        none; of runs that have grown it reads only what was added.

        Raises:
            StoreError: One of the two runs cannot be read.
        """
        if samples.by is JoinedBy.INPUTS:
            return frozenset()
        return self._differing("inputs", samples, candidate)

    def has_read_inputs(self, candidate: int) -> bool:
        """Say whether the inputs of the baseline and a candidate are known from an earlier read."""
        letters = (self._runs.runs[at].letter for at in (0, candidate))
        return all((letter, "inputs") in self._digests for letter in letters)

    def _differing(self, column: str, samples: JoinedSamples, candidate: int) -> frozenset[int]:
        of_both = []
        for at in (0, candidate):
            known = samples.runs[at]
            if known is None:
                return frozenset()
            of_both.append(self.digests(self._runs.runs[at].letter, column, known))
        return with_differing_values(samples, candidate, *of_both)

    def digests(self, letter: str, column: str, samples: RunSamples) -> array[int]:
        """Return a number for a column of each sample of a run; equal values have equal ones."""
        run = next(run for run in self._runs.runs if run.letter == letter)
        found = run.run.ask(digests, column, samples, self._digests.get((letter, column)))
        self._digests[letter, column] = found
        return found.values


def by_direction(chosen: Mapping[str, str] | None = None) -> HigherIsBetter:
    """Return what says of a score what is better: its name, or what a person has chosen for it.

    Args:
        chosen: Directions by name, as `direction` takes them.
    """

    def higher(name: str, is_pass_fail: bool) -> bool | None:
        found = direction(name, chosen, is_pass_fail=is_pass_fail)
        return None if found is None else found is Direction.HIGHER

    return higher


def compared(
    runs: RunSet, samples: JoinedSamples, letter: str, higher: HigherIsBetter
) -> ComparedSamples:
    """Compare the samples of a candidate with the baseline's.

    Args:
        runs: The runs of the comparison.
        samples: Their samples.
        letter: The candidate.
        higher: Says of each score what is better.
    """
    candidate = [run.letter for run in runs.runs].index(letter)
    pairs = score_pairs(samples, candidate, higher)
    return ComparedSamples(
        letter,
        candidate,
        samples,
        pairs,
        compared_scores(samples, candidate, pairs),
        sample_outcomes(samples, pairs),
    )
