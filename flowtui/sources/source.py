"""What every source can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from flowtui.sources.records import Mark, SourceBatch, SourceRun
from flowtui.store.liveness.standing import Signs


class RunSource(Protocol):
    """One folder or file of another tool. A source is used by one thread at a time.

    It opens files only to read them, and closes them before it yields the batch that they filled.
    """

    tool: str
    """What the tool is called."""
    root: Path
    """The folder or file, by its real path; nothing outside of it is read."""
    remarks: Sequence[str]
    """Sentences about what of it is in none of its runs, as of the last listing."""

    def runs(self) -> Sequence[SourceRun]:
        """Return its runs, newest first, for the price of `stat`s and of files that are new.

        Raises:
            SourceError: It cannot be read, or is not there any more.
        """

    def read(self, run: SourceRun, mark: Mark) -> Iterator[SourceBatch]:
        """Yield what a run has beyond a mark; a torn end is the end for now.

        A reader that stops after any batch goes on from its mark.

        Raises:
            SourceError: The run cannot be read.
        """

    def signs(self, run: SourceRun, now: datetime) -> Signs | None:
        """Return signs of life of the process that writes a run whose status is active."""
