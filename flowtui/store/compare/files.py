"""The attachments of compared runs, joined by path: equal, differing, or only in some of them.

Files of different sizes differ, which costs nothing to know. Files of one size are compared by
their digests, which are taken in pieces and only when asked for, except of small files: until then
they are "not compared", and nobody calls them equal.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from flowtui.store.attachments.values import Attachment, Attachments, FileState
from flowtui.store.cancelling import check
from flowtui.store.compare.run_set import LETTERS, RunSet
from flowtui.store.errors import StoreError
from flowtui.store.natural import sort_key
from flowtui.store.open_run import OpenRun

PIECE_BYTES = 1 << 20
"""How much of a file is read at once, and between two questions whether anybody still waits."""
SMALL_BYTES = 1_000_000
"""Files of at most this size are compared without being asked for."""
UNASKED_BYTES = 50_000_000
"""How much is read of all small files together without being asked for."""
_CODE_SUFFIXES = frozenset(
    ".py .ipynb .r .jl .sh .bash .ps1 .sql .json .jsonc .json5 .yaml .yml .toml .ini .cfg .conf"
    " .properties .env .xml .lock .gin .proto .c .cc .cpp .cu .h .hpp .java .js .ts .go .rs"
    " .dockerfile .mk .cmake .jinja .j2 .prompt".split()
)
_CODE_NAMES = frozenset(
    "dockerfile makefile requirements.txt environment.txt constraints.txt".split()
)


class FileSameness(StrEnum):
    """How the files of runs under one path stand to each other."""

    EQUAL = "equal"
    DIFFERS = "differs"
    ONLY_IN_SOME = "only in some"
    NOT_COMPARED = "not compared"
    """They have one size, and their contents were not read yet."""
    UNREADABLE = "cannot be read"
    """One of them is missing from the disk, or must not be read."""


class FileIdentity(NamedTuple):
    """A file in the state in which it was read."""

    path: str
    size_bytes: int
    modified_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file of one run."""

    run: OpenRun
    attachment: Attachment
    digest: str = ""
    """Of its content, in hexadecimal; empty as long as it was not read."""

    @property
    def size_bytes(self) -> int | None:
        return self.attachment.size_bytes

    @property
    def problem(self) -> str:
        """Why it cannot be read; empty if it can."""
        if self.attachment.state is FileState.PRESENT:
            return ""
        if self.attachment.is_missing:
            return "missing"
        return self.attachment.problem or "refused"


@dataclass(frozen=True)
class ComparedFile:
    """The files that runs have under one path."""

    path: str
    held: tuple[HeldFile | None, ...]
    """One for each run; None for a run that has no such file, or could not be read."""
    is_unread: tuple[bool, ...] = ()
    """For each run whether its attachments could not be read."""

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters of the runs that have it."""
        return tuple(
            letter for letter, one in zip(LETTERS, self.held, strict=False) if one is not None
        )

    @cached_property
    def sameness(self) -> FileSameness:
        """How the files stand to each other, over all runs that could be read."""
        present = [one for one in self.held if one is not None]
        runs = [one for one, unread in zip(self.held, self._unread, strict=True) if not unread]
        if len(present) < len(runs):
            return FileSameness.ONLY_IN_SOME
        if any(one.problem for one in present):
            return FileSameness.UNREADABLE
        return _sameness(present)

    @property
    def _unread(self) -> tuple[bool, ...]:
        return self.is_unread or (False,) * len(self.held)

    def against_baseline(self, index: int) -> FileSameness | None:
        """Return how a candidate's file stands to the baseline's; None if one of them has none."""
        one, other = self.held[0], self.held[index]
        if one is None or other is None:
            return None
        if one.problem or other.problem:
            return FileSameness.UNREADABLE
        return _sameness([one, other])


def _sameness(present: Sequence[HeldFile]) -> FileSameness:
    if len({one.size_bytes for one in present}) > 1:
        return FileSameness.DIFFERS
    digests = {one.digest for one in present if one.digest}
    if len(digests) > 1:
        return FileSameness.DIFFERS
    if not present[0].size_bytes or all(one.digest for one in present):
        return FileSameness.EQUAL
    # The same file of the same run needs no reading.
    if len({(id(one.run), one.attachment.path) for one in present}) == 1:
        return FileSameness.EQUAL
    return FileSameness.NOT_COMPARED


# FileDigests -------------------------------------------------------------------------------------


class FileChanged(StoreError):
    """A file was written to while its content was read."""


class FileDigests:
    """Takes digests of files in pieces, from any thread, and keeps them while files stay."""

    def __init__(self) -> None:
        self._known: dict[FileIdentity, str] = {}
        self._lock = threading.Lock()

    def known(self, path: Path) -> str:
        """Return the digest of a file that was read before and stayed as it was, else nothing."""
        try:
            identity = _identity(path, path.stat())
        except OSError:
            return ""
        with self._lock:
            return self._known.get(identity, "")

    def read(self, path: Path, told: Callable[[int], None] | None = None) -> str:
        """Return the digest of a file, and tell after each piece how many bytes it had.

        Raises:
            StoreError: The file cannot be read, or was written to meanwhile.
            ReadCancelled: Nobody waits any more.
        """
        if known := self.known(path):
            if told is not None:
                told(path.stat().st_size)
            return known
        try:
            with _opened(path) as file:
                before = _identity(path, os.fstat(file.fileno()))
                digest = hashlib.sha256()
                left = before.size_bytes
                # A file that grows as fast as it is read would have no end.
                while left > 0 and (piece := file.read(min(PIECE_BYTES, left))):
                    check()
                    digest.update(piece)
                    left -= len(piece)
                    if told is not None:
                        told(len(piece))
                after = _identity(path, os.fstat(file.fileno()))
        except OSError as error:
            reason = error.strerror or "it is not a regular file"
            raise StoreError(f"{path.name} cannot be read: {reason}") from error
        if before != after:
            raise FileChanged(f"{path.name} was written to while it was read")
        with self._lock:
            self._known[before] = digest.hexdigest()
        return digest.hexdigest()


def _opened(path: Path) -> BinaryIO:
    # Opening a pipe, which may have come in the place of the file, would wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError
    return open(descriptor, "rb")


def _identity(path: Path, state: os.stat_result) -> FileIdentity:
    return FileIdentity(str(path), state.st_size, state.st_mtime_ns, state.st_ino)


# Joining -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ComparedFiles:
    """The union of the attachments of compared runs, in order of paths."""

    files: tuple[ComparedFile, ...]
    failures: Mapping[str, str]
    """By letter why a run's attachments could not be read."""
    problems: tuple[str, ...] = ()
    """What else is wrong with the list."""

    def counts(self) -> Counter[FileSameness]:
        return Counter(one.sameness for one in self.files)


def joined(
    runs: Sequence[OpenRun],
    attached: Sequence[Attachments | StoreError | None],
    digests: FileDigests,
) -> ComparedFiles:
    """Return the attachments of runs by path, with the digests that are known of them.

    Args:
        runs: The runs, the baseline first.
        attached: The attachments of each; None where its schema has none, or why they cannot be
            read.
        digests: What was read of files before.
    """
    by_path: dict[str, list[HeldFile | None]] = {}
    failures: dict[str, str] = {}
    problems: list[str] = []
    unread = tuple(isinstance(one, StoreError) for one in attached)
    for index, (run, found) in enumerate(zip(runs, attached, strict=True)):
        if isinstance(found, StoreError):
            failures[LETTERS[index]] = str(found)
        elif found is not None:
            if found.problem:
                problems.append(f"{LETTERS[index]}: {found.problem}")
            for file in (*found.files, *found.orphans):
                cells = by_path.setdefault(file.path, [None] * len(runs))
                # Several rows may name one file; it is one file all the same.
                cells[index] = cells[index] or HeldFile(run, file)
    files = (
        ComparedFile(path, tuple(cells), unread)
        for path, cells in sorted(by_path.items(), key=lambda pair: sort_key(pair[0]))
    )
    return ComparedFiles(
        tuple(with_known(one, digests) for one in files), failures, tuple(problems)
    )


def with_known(one: ComparedFile, digests: FileDigests) -> ComparedFile:
    """Return files with the digests that are known, where their sizes do not tell already."""
    if one.sameness is not FileSameness.NOT_COMPARED and not _may_tell(one):
        return one
    held = tuple(None if cell is None else _known(cell, digests) for cell in one.held)
    return ComparedFile(one.path, held, one.is_unread)


def _may_tell(one: ComparedFile) -> bool:
    """Say whether some of the files have one size, which is the size of no other."""
    sizes = Counter(cell.size_bytes for cell in one.held if cell is not None)
    return any(count > 1 for count in sizes.values())


def _known(cell: HeldFile, digests: FileDigests) -> HeldFile:
    if cell.digest or cell.problem:
        return cell
    try:
        path = cell.run.files.path(cell.attachment.path)
    except StoreError:
        return cell
    return HeldFile(cell.run, cell.attachment, digests.known(path))


def with_digests(found: ComparedFiles, digests: FileDigests) -> ComparedFiles:
    """Return files with all digests that have become known."""
    files = tuple(with_known(one, digests) for one in found.files)
    return ComparedFiles(files, found.failures, found.problems)


def to_read(files: Iterable[ComparedFile]) -> Iterator[HeldFile]:
    """Yield the files whose contents must be read to know whether they are equal."""
    for one in files:
        sizes = Counter(cell.size_bytes for cell in one.held if cell is not None)
        for cell in one.held:
            if cell is None or cell.problem or cell.digest or not cell.size_bytes:
                continue
            if sizes[cell.size_bytes] > 1:
                yield cell


def read_small(files: ComparedFiles, digests: FileDigests) -> ComparedFiles:
    """Return files with the contents of small ones compared, up to `UNASKED_BYTES` of them all.

    Raises:
        ReadCancelled: Nobody waits any more.
    """
    left = UNASKED_BYTES
    for cell in to_read(files.files):
        size = cell.size_bytes or 0
        if size > SMALL_BYTES or size > left:
            continue
        left -= size
        try:
            digests.read(cell.run.files.path(cell.attachment.path))
        except FileChanged:
            continue
        except StoreError:
            check()
    return with_digests(files, digests)


def read_all(
    files: Sequence[ComparedFile], digests: FileDigests, told: Callable[[int, int], None]
) -> list[str]:
    """Read the contents of files that their sizes do not tell apart, and return what failed.

    Args:
        files: The files.
        digests: Where their digests are kept.
        told: Is told how many bytes were read, and of how many.

    Raises:
        ReadCancelled: Nobody waits any more; what was read is kept.
    """
    cells = list(to_read(files))
    total = sum(cell.size_bytes or 0 for cell in cells)
    done = 0
    failed: list[str] = []

    def count(piece_bytes: int) -> None:
        nonlocal done
        done += piece_bytes
        told(done, total)

    for cell in cells:
        check()
        try:
            digests.read(cell.run.files.path(cell.attachment.path), count)
        except StoreError as error:
            check()
            failed.append(f"{cell.attachment.path}: {error}")
    return failed


def compared_files(runs: RunSet, digests: FileDigests) -> ComparedFiles:
    """Return the attachments of compared runs, of which small ones are compared by content.

    Raises:
        ReadCancelled: Nobody waits any more.
    """
    attached = runs.asked(lambda of: of.run.attachments())
    found = joined([of.run for of in runs.runs], attached, digests)
    return read_small(found, digests)


# Code and configuration ----------------------------------------------------------------------


def is_code(path: str) -> bool:
    """Say whether a file is code or configuration, by its name."""
    name = PurePosixPath(path).name.lower()
    return PurePosixPath(name).suffix in _CODE_SUFFIXES or name in _CODE_NAMES


def code_files(files: ComparedFiles) -> list[ComparedFile]:
    """Return the code and configuration files that at least two runs attached under one path."""
    return [one for one in files.files if len(one.letters) > 1 and is_code(one.path)]


def count_words(counts: Counter[FileSameness]) -> list[str]:
    """Return how many files are of each sameness, what differs first, as `2 differ`."""
    named = (
        (FileSameness.DIFFERS, "differ"),
        (FileSameness.ONLY_IN_SOME, "only in some"),
        (FileSameness.UNREADABLE, "cannot be read"),
        (FileSameness.NOT_COMPARED, "not compared"),
        (FileSameness.EQUAL, "equal"),
    )
    return [f"{counts[one]:,} {words}" for one, words in named if counts[one]]


def code_words(files: ComparedFiles) -> str:
    """Return how code and configuration of the runs stand to each other; empty without any."""
    return " · ".join(count_words(Counter(_of_those(one) for one in code_files(files))))


def _of_those(one: ComparedFile) -> FileSameness:
    """Return how the files of those runs that have one stand to each other."""
    present = [cell for cell in one.held if cell is not None]
    if any(cell.problem for cell in present):
        return FileSameness.UNREADABLE
    return _sameness(present)
