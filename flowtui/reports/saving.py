"""Files that are written whole or not at all, and names for them."""

from __future__ import annotations

import errno
import os
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO, TypeVar

from flowtui import format as fmt
from flowtui.failures import Failure

T = TypeVar("T")

MAX_STEM = 80
MAX_STEM_BYTES = 200
"""File systems allow 255 bytes a name; the rest is for a suffix."""
PATH_CHARACTERS = 300
PIECE_BYTES = 1 << 20
"""How much is copied between two checks for cancelling."""
_REASONS = {
    errno.ENOENT: "there is no such folder",
    errno.ENOTDIR: "there is no such folder",
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not write there",
    errno.EROFS: "the disk is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "this user's share of the disk is full",
    errno.ENAMETOOLONG: "the name is too long",
}


class SaveFailed(Failure):
    """A file was not written; `str()` says which and why, and nothing of it is left behind."""


def write_atomically(path: Path, write: Callable[[TextIO], T]) -> T:
    """Write a text file in UTF-8, so that nobody ever sees a part of it.

    Args:
        path: The file; one that exists is replaced and keeps its mode, a link is followed.
        write: Takes the stream; what it returns is returned.

    Raises:
        SaveFailed: The folder is missing, full or not writable, or the path is not a file's.
    """
    with (
        _written_beside(path) as temporary,
        temporary.open("x", encoding="utf-8", newline="") as out,
    ):
        answer = write(out)
        out.flush()
        os.fsync(out.fileno())
    return answer


def copy_file(
    source: Path, target: Path, report: Callable[[int], None], cancelled: Callable[[], bool]
) -> None:
    """Copy a file, so that nobody ever sees a part of it.

    Args:
        source: A regular file.
        target: One that exists is replaced and keeps its mode, a link is followed.
        report: Takes how many bytes were copied so far.
        cancelled: Asked between two pieces.

    Raises:
        SaveFailed: It was cancelled, or the file cannot be read or written.
    """
    with (
        _written_beside(target) as temporary,
        source.open("rb") as read,
        temporary.open("xb") as out,
    ):
        _pour(read, out, report, cancelled)
        os.fsync(out.fileno())


def copy_files(
    sources: Mapping[str, Path],
    target: Path,
    report: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Copy files into a new folder, which is there when all of them are.

    Args:
        sources: By their paths inside the folder, without `..`.
        target: Must not exist.
        report: Takes how many bytes were copied so far.
        cancelled: Asked between two pieces.

    Raises:
        SaveFailed: It was cancelled, or something cannot be read or written.
    """
    temporary = temporary_beside(target)
    done = 0
    try:
        if os.path.lexists(target):
            raise SaveFailed(f"not saved to {_shown(target)}: it exists")
        temporary.mkdir()
        for name, source in sources.items():
            file = temporary / name
            file.parent.mkdir(parents=True, exist_ok=True)
            before = done
            with source.open("rb") as read, file.open("xb") as out:
                _pour(read, out, lambda count: report(before + count), cancelled)  # noqa: B023
                done += out.tell()
        temporary.rename(target)
    except OSError as error:
        raise _failure(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def temporary_beside(target: Path) -> Path:
    """Return the name under which a file or folder is written before it gets its own."""
    # The module `secrets` would load all kinds of digests before the first paint.
    return target.with_name(f".flow-tui-{os.urandom(4).hex()}.part")


def _pour(
    read: BinaryIO, out: BinaryIO, report: Callable[[int], None], cancelled: Callable[[], bool]
) -> None:
    count = 0
    while piece := read.read(PIECE_BYTES):
        if cancelled():
            raise SaveFailed("not saved: it was cancelled, and nothing was written")
        out.write(piece)
        count += len(piece)
        report(count)
    out.flush()


def reason(error: OSError) -> str:
    """Return in words why a file could not be written."""
    return _REASONS.get(error.errno or 0, error.strerror or "it cannot be written")


def _failure(path: Path, error: OSError) -> SaveFailed:
    return SaveFailed(f"not saved to {_shown(path)}: {reason(error)}")


@contextmanager
def _written_beside(path: Path) -> Iterator[Path]:
    """Let a file be written under another name, and put it in its place when that is done."""
    target = Path(os.path.realpath(path))
    temporary = temporary_beside(target)
    try:
        is_there = target.exists()
        if is_there and not target.is_file():
            # A rename would put a file in the place of a device.
            raise SaveFailed(f"not saved to {_shown(target)}: it is not a file")
        yield temporary
        if is_there:
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        raise _failure(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _shown(path: Path) -> str:
    return fmt.plain(str(path), PATH_CHARACTERS)


def file_stem(*parts: str) -> str:
    """Return a file name without suffix made of names: letters, digits, `.`, `_` and `-`.

    Args:
        *parts: Joined by `-`, the empty ones left out.
    """
    joined = unicodedata.normalize("NFC", "-".join(part for part in parts if part))
    # Each stretch of other characters becomes one dash.
    text = re.sub(r"[^\w.]+", "-", joined[: 4 * MAX_STEM])
    short = text.lstrip(".-")[:MAX_STEM].encode()[:MAX_STEM_BYTES].decode(errors="ignore")
    return short.rstrip(".-") or "export"
