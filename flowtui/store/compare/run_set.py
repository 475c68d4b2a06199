"""The runs of one comparison: each has a letter, and may be in a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store

T = TypeVar("T")

LETTERS = "ABCDEFGH"
FEWEST, MOST = 2, len(LETTERS)


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One run of a comparison."""

    letter: str
    """A for the baseline, then B, C ..., the same wherever the comparison is shown."""
    store: Store
    run: OpenRun


@dataclass(frozen=True, slots=True)
class RunSet:
    """The runs that are compared, the baseline first; a run may occur twice."""

    runs: tuple[ComparedRun, ...]

    @classmethod
    def of(cls, opened: Sequence[tuple[Store, OpenRun]]) -> RunSet:
        """Return runs with their letters.

        Args:
            opened: The runs with their stores, the baseline first.

        Raises:
            ValueError: There are fewer than two runs, or more than eight.
        """
        if not FEWEST <= len(opened) <= MOST:
            raise ValueError(f"{len(opened)} runs cannot be compared: {FEWEST} to {MOST} can")
        lettered = zip(LETTERS, opened, strict=False)
        return cls(tuple(ComparedRun(letter, *of) for letter, of in lettered))

    @property
    def baseline(self) -> ComparedRun:
        return self.runs[0]

    @property
    def candidates(self) -> tuple[ComparedRun, ...]:
        """All runs but the baseline."""
        return self.runs[1:]

    def asked(self, question: Callable[[ComparedRun], T]) -> tuple[T | StoreError, ...]:
        """Return what a question answers for each run, as `answered` does."""
        return tuple(answered(question, run) for run in self.runs)


def answered(question: Callable[[ComparedRun], T], run: ComparedRun) -> T | StoreError:
    """Return what a question answers for a run, or the error by which it failed.

    A run that was deleted or cannot be read must not hide the others.

    Raises:
        ReadCancelled: Nobody waits any more.
    """
    try:
        return question(run)
    except ReadCancelled:
        raise
    except StoreError as error:
        return error
