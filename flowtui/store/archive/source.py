"""Where the bytes of an artifact are, below everything that reads one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from flowtui.store.archive.tar import ByteWindow
from flowtui.store.archive.values import Slice


class ArtifactSource(Protocol):
    """The bytes of an artifact: a file, or a storage that is asked for ranges of them."""

    @property
    def path(self) -> Path:
        """What a person is shown; a path only where it is a file."""

    @property
    def is_near(self) -> bool:
        """Whether reading here and there in it costs nothing."""

    def part(self, place: Slice) -> AbstractContextManager[BinaryIO]:
        """Open a range as a file of its own.

        Raises:
            OSError: It cannot be read.
            Failure: It cannot be fetched.
        """

    def close(self) -> None:
        """Give back what is held for reading."""


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """An artifact in a file."""

    path: Path
    is_near: bool = True

    @contextmanager
    def part(self, place: Slice) -> Iterator[BinaryIO]:
        with self.path.open("rb") as file:
            yield cast(BinaryIO, ByteWindow(file, place.offset, place.size_bytes))

    def close(self) -> None:
        """Do nothing: no file is kept open."""
