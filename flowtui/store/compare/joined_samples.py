"""The samples of several runs, joined: which of them are one sample.

They are joined on (eval set, id), or on equal inputs where a person asks for that. Each sample that
any of the runs has is a row, and has a number that it keeps while runs grow. Where a run has a key
several times, its samples pair in order: the first with the first, the second with the second.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from flowtui.store.compare.run_samples import Key, RunSamples
from flowtui.store.natural import sort_key

NONE = -1
"""Stands for the place of a sample in a run that does not have it."""


class JoinedBy(StrEnum):
    """What two samples must have in common to be one."""

    KEY = "id"
    """The eval set and the id."""
    INPUTS = "equal inputs"
    """Inputs that are equal as JSON, and the eval set if the runs share any."""


@dataclass(slots=True)
class Numbering:
    """The numbers of joined samples, which they keep as long as a comparison is open.

    Only one read at a time may use it.
    """

    by: JoinedBy = JoinedBy.KEY
    numbers: dict[Hashable, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JoinedSamples:
    """The samples of the runs of a comparison, joined. Runs are counted from 0, the baseline."""

    runs: tuple[RunSamples | None, ...]
    """None for a run that could not be read."""
    by: JoinedBy
    numbers: tuple[array[int], ...]
    """Of each run, the number of the joined sample by the sample's place in the run."""
    places: tuple[array[int], ...]
    """Of each run, the sample's place by the number of the joined sample; or NONE."""
    doubled: int
    """How many keys a run has more than once."""

    @property
    def count(self) -> int:
        """How many numbers there are; samples that are gone keep theirs."""
        return len(self.places[0])

    def key(self, number: int) -> Key:
        """Return the key of a joined sample in the first run that has it."""
        for run, places in zip(self.runs, self.places, strict=True):
            if run is not None and places[number] != NONE:
                return run.keys[places[number]]
        return ("", "")

    def rowid(self, run: int, number: int) -> int | None:
        """Return the key of a joined sample in one run (evals.rowid), None if it lacks it."""
        samples, place = self.runs[run], self.places[run][number]
        return None if samples is None or place == NONE else samples.rowids[place]

    def sample_count(self, run: int) -> int:
        samples = self.runs[run]
        return 0 if samples is None else len(samples.rowids)

    def shared(self, candidate: int) -> int:
        """Return how many samples both the baseline and a candidate have."""
        pairs = zip(self.places[0], self.places[candidate], strict=True)
        return sum(one != NONE and other != NONE for one, other in pairs)

    def offers_inputs(self, candidate: int) -> bool:
        """Say whether so few samples match by id that joining on equal inputs may help."""
        fewest = min(self.sample_count(0), self.sample_count(candidate))
        return self.by is JoinedBy.KEY and 2 * self.shared(candidate) < fewest

    def datasets(self) -> list[str]:
        """Return the ids of all eval sets, in natural order."""
        found = {key[0] for run in self.runs if run is not None for key in run.keys}
        return sorted(found, key=sort_key)


def joined(
    runs: Sequence[RunSamples | None],
    numbering: Numbering,
    inputs: Sequence[array[int] | None] = (),
) -> JoinedSamples:
    """Join the samples of runs, the baseline's first.

    Args:
        runs: The samples of each run; None for a run that could not be read.
        numbering: The numbers that samples already have; new ones are added to it.
        inputs: For joining on equal inputs: of each run, a number for the inputs of each sample,
            as `digests` gives them.
    """
    has_sets = numbering.by is JoinedBy.KEY or _share_sets(runs)
    known = numbering.numbers
    numbers: list[array[int]] = []
    doubled = 0
    for at, run in enumerate(runs):
        of_run = array("i")
        numbers.append(of_run)
        if run is None:
            continue
        seen: dict[Hashable, int] = {}
        for base in _bases(run, inputs[at] if numbering.by is JoinedBy.INPUTS else None, has_sets):
            before = seen.get(base, 0)
            seen[base] = before + 1
            doubled += before == 1
            key = (base, before) if before else base
            of_run.append(known.setdefault(key, len(known)))
    places = tuple(_inverse(of_run, len(known)) for of_run in numbers)
    return JoinedSamples(tuple(runs), numbering.by, tuple(numbers), places, doubled)


def _bases(run: RunSamples, inputs: array[int] | None, has_sets: bool) -> Iterator[Hashable]:
    if inputs is None:
        yield from run.keys
    elif has_sets:
        yield from ((key[0], one) for key, one in zip(run.keys, inputs, strict=True))
    else:
        yield from inputs


def _share_sets(runs: Iterable[RunSamples | None]) -> bool:
    sets = [{key[0] for key in run.keys} for run in runs if run is not None and run.keys]
    return not sets or any(sets[0] & other for other in sets[1:])


def _inverse(numbers: array[int], count: int) -> array[int]:
    places = array("i", [NONE]) * count
    for place, number in enumerate(numbers):
        places[number] = place
    return places
