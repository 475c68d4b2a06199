"""What artifacts are made of: names, bounds, and the result of packing.

The layout of an artifact is LUML's; text that is read from one is untrusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from flowtui.store.cancelling import Cancelled
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.values import JsonValue

MANIFEST = "manifest.json"
DATABASE_ZIP = "exp.db.zip"
DATABASE = "exp.db"
ATTACHMENTS_TAR = "attachments.tar"
ATTACHMENTS_INDEX = "attachments.index.json"
ATTACHMENTS_ROOT = "attachments"
PRODUCER = "luml.ai"
SNAPSHOT_TAG = "luml.ai::experiment_snapshot:v1"
EMBEDDED_TAG = "dataforce.studio::experiment_snapshot:v1"
EMBEDDED_FOLDER = "meta_artifacts"
MOST_SPARE_BYTES = 16 << 20
LEAST_SPARE_BYTES = 64 << 10
"""A manifest, an index and what a tar ends with take less."""

OnProgress: TypeAlias = Callable[[int, int], None]
"""Takes how many bytes are done, and of how many; called often."""


MAX_FETCHED_BYTES = 64 << 20
"""A larger attachment is not fetched whole because somebody looks at it."""


class ArtifactError(StoreError):
    """An artifact cannot be written, or a file cannot be read as one."""


class ArtifactTooLarge(ArtifactError):
    """An artifact is unusually large when it is unpacked; it can be opened if that is allowed."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Where a file lies inside another."""

    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ArtifactInfo:
    """A finished artifact on the disk."""

    path: Path
    size_bytes: int
    manifest: Mapping[str, JsonValue] = field(repr=False)
    members: Mapping[str, Slice] = field(repr=False)
    """Its files by name, in their order."""
    extra_values: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    """What the registry shows as columns: the metrics that a model file declares for it."""
    attachment_count: int = 0
    missing_attachments: tuple[str, ...] = ()
    """Paths of attachments that are left out: their files are gone, or must not be read."""


def with_spare(size_bytes: int) -> int:
    """Return how much must be free where so much is written: some is left for everybody else."""
    return size_bytes + min(MOST_SPARE_BYTES, LEAST_SPARE_BYTES + size_bytes // 10)


def no_progress(done: int, total: int) -> None:
    """Ignore progress."""


def never() -> bool:
    """Return False: nothing is cancelled."""
    return False


class Work:
    """Counts and reports the bytes of a piece of work, which can be cancelled between steps."""

    def __init__(self, total: int, cancelled: Cancelled, progress: OnProgress) -> None:
        self.cancelled = cancelled
        self._progress = progress
        self._total = total
        self._done = 0

    def check(self) -> None:
        """Raise ReadCancelled if the work was cancelled."""
        if self.cancelled():
            raise ReadCancelled("it was left")

    def step(self, count: int) -> None:
        # Files that grow meanwhile make more work than was foreseen.
        self._done = min(self._done + count, self._total)
        self._progress(self._done, self._total)

    def finish(self) -> None:
        self.step(self._total)
