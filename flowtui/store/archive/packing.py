"""Packs a run into a `.luml` artifact, as the SDK does, beside a writer and in bounded memory.

    manifest.json           what it is
    exp.db.zip              the run's database in one state of it, deflated
    attachments.tar         uncompressed, so that one file can be read by its position
    attachments.index.json  those positions

The parts are written straight into the artifact, whose headers get their sizes afterwards; only the
snapshot of the database exists a second time. All of it happens in a private folder beside the
artifact, which takes its name when it is complete.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from flowtui import __version__
from flowtui.store import runs
from flowtui.store.archive import tar as archive_tar
from flowtui.store.archive.values import (
    ATTACHMENTS_INDEX,
    ATTACHMENTS_ROOT,
    ATTACHMENTS_TAR,
    DATABASE,
    DATABASE_ZIP,
    MANIFEST,
    PRODUCER,
    SNAPSHOT_TAG,
    ArtifactError,
    ArtifactInfo,
    OnProgress,
    Work,
    never,
    no_progress,
    with_spare,
)
from flowtui.store.attachments.values import Attachment, AttachmentRefused, FileState
from flowtui.store.cancelling import Cancelled, cancelling
from flowtui.store.values import JsonValue, Run

if TYPE_CHECKING:
    from flowtui.store.open_run import OpenRun
    from flowtui.store.store import Store

BACKUP_PAGES = 512
"""How many pages are copied between two checks for cancelling: 2 MB at the usual page size."""
_ZIP64_FROM = 1 << 31


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into an artifact, found out before anything is written."""

    run: Run
    database_bytes: int
    attachments: tuple[Attachment, ...]
    """Those whose files exist."""
    missing: tuple[str, ...]
    """Paths of those whose files are missing, or must not be read."""

    @property
    def attachment_bytes(self) -> int:
        return sum(file.disk_size_bytes or 0 for file in self.attachments)

    @property
    def work_bytes(self) -> int:
        """The total that progress counts to: the database is read twice."""
        return 2 * self.database_bytes + self.attachment_bytes

    @property
    def room_bytes(self) -> int:
        """How much must be free on the disk where it is packed."""
        # A member has one header, or three when its name is long.
        headers = 2048 * len(self.attachments)
        return with_spare(2 * self.database_bytes + self.attachment_bytes + headers)


def contents(store: Store, run_id: str) -> Contents:
    """Return what the artifact of a run would hold; about 1 s for 100,000 attachments.

    Raises:
        ArtifactError: The store has no such run.
        StoreError: Its database or the list of its attachments cannot be read.
    """
    row = store.ask(runs.run, run_id)
    if row is None:
        raise ArtifactError(f"the run {run_id} is not in the store any more")
    run = store.run(run_id)
    prints = run.database.fingerprint()
    sizes = [file[1] for file in (prints.main, prints.wal) if file is not None]
    listed = run.attachments()
    files = () if listed is None else (*listed.files, *listed.orphans)
    # Two rows may name one file.
    there = {file.path: file for file in files if file.state is FileState.PRESENT}
    lost = dict.fromkeys(file.path for file in files if file.path not in there)
    return Contents(row, sum(sizes), tuple(there.values()), tuple(lost))


def write_artifact(
    store: Store,
    run_id: str,
    out_path: Path,
    cancelled: Cancelled = never,
    progress: OnProgress = no_progress,
) -> ArtifactInfo:
    """Write a run as a `.luml` file and return what was written.

    Args:
        store: The run's store, which is only read.
        run_id: The run.
        out_path: The file; an existing one is replaced when the new one is complete.
        cancelled: Asked at least every few milliseconds; True ends it with ReadCancelled.
        progress: Takes the bytes of work that are done, and the total.

    Raises:
        ArtifactError: There is no room or no right to write, or no such run.
        ReadCancelled: It was cancelled; nothing is left behind.
        StoreError: The run cannot be read.
    """
    with cancelling(cancelled):
        packed = contents(store, run_id)
    work = Work(packed.work_bytes, cancelled, progress)
    run = store.run(run_id)
    target = Path(os.path.realpath(out_path))
    manifest = _manifest(packed.run)
    with private_folder(target, packed.room_bytes) as folder:
        snapshot = take_snapshot(run, folder / DATABASE, work)
        whole = folder / "artifact"
        with whole.open("xb+") as out:
            writer = archive_tar.TarWriter(out)
            with writer.member(MANIFEST):
                text = json.dumps(manifest, indent=2, ensure_ascii=False)
                out.write(text.encode(errors="replace"))
            lost = write_parts(writer, out, "", ArtifactParts(run, packed, snapshot, work))
            writer.end()
            finish(out)
        size = whole.stat().st_size
        settle(whole, target)
    work.finish()
    count = len(packed.attachments) - len(lost)
    missing = (*packed.missing, *lost)
    return ArtifactInfo(target, size, manifest, writer.members, {}, count, missing)


def sha256(path: Path, cancelled: Cancelled = never, progress: OnProgress = no_progress) -> str:
    """Return the SHA-256 of a file in hex digits.

    Raises:
        ReadCancelled: It was cancelled.
        ArtifactError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        work = Work(path.stat().st_size, cancelled, progress)
        with path.open("rb") as file:
            while data := file.read(archive_tar.CHUNK_BYTES):
                work.check()
                digest.update(data)
                work.step(len(data))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


@contextmanager
def private_folder(target: Path, room_bytes: int) -> Iterator[Path]:
    """Yield a private folder beside a future file, and remove it in any case.

    Raises:
        ArtifactError: The place is missing or not writable, or has not enough room; also raised for
            what the disk refuses while the folder is used.
    """
    if target.exists() and not target.is_file():
        raise ArtifactError(f"{target} is not a file, so it is not replaced")
    folder: Path | None = None
    try:
        free = shutil.disk_usage(target.parent).free
        if free < room_bytes:
            raise ArtifactError(
                f"not enough room in {target.parent}: {room_bytes / 1e6:,.1f} MB are needed,"
                f" {free / 1e6:,.1f} MB are free"
            )
        folder = Path(tempfile.mkdtemp(prefix=".flow-tui-", dir=target.parent))
        yield folder
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ArtifactError(
                f"the disk of {target.parent} is full; nothing was written"
            ) from error
        raise ArtifactError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def take_snapshot(run: OpenRun, path: Path, work: Work) -> Path:
    """Write one state of a run's database into a file of its own, without a log beside it.

    Raises:
        StoreError: The run's database cannot be read; ReadCancelled if it was cancelled.
        OSError: The disk is full.
    """

    def ask(source: sqlite3.Connection) -> None:
        (page_bytes,) = source.execute("pragma page_size").fetchone()
        # From here until it is closed, the connection sees this one state.
        source.execute("select count(*) from sqlite_master").fetchone()
        path.unlink(missing_ok=True)
        copied = 0

        def on_pages(status: int, left: int, total: int) -> None:
            nonlocal copied
            work.check()
            work.step((total - left) * page_bytes - copied)
            copied = (total - left) * page_bytes

        with closing(sqlite3.connect(path)) as target:
            try:
                source.backup(target, pages=BACKUP_PAGES, progress=on_pages)
                target.execute("pragma journal_mode = delete")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
                    raise OSError(errno.ENOSPC, "the disk is full") from error
                raise

    with cancelling(work.cancelled):
        run.ask(ask)
    return path


@dataclass(frozen=True, slots=True)
class ArtifactParts:
    """What the members of a run's artifact are made from."""

    run: OpenRun
    contents: Contents
    snapshot: Path
    work: Work


def write_parts(
    writer: archive_tar.TarWriter, out: BinaryIO, prefix: str, parts: ArtifactParts
) -> tuple[str, ...]:
    """Write database, attachments and their index as members, whose names begin with a prefix.

    Returns:
        The attachments that went away, or became unreadable, since they were listed.
    """
    with writer.member(prefix + DATABASE_ZIP) as start:
        _write_zip(archive_tar.ByteWindow(out, start), parts)
    with writer.member(prefix + ATTACHMENTS_TAR) as start:
        index, lost = _write_attachments(archive_tar.ByteWindow(out, start), parts)
    with writer.member(prefix + ATTACHMENTS_INDEX):
        out.write(json.dumps(index).encode("ascii"))
    return lost


def finish(out: BinaryIO) -> None:
    """Make sure that a file is on the disk, not only in memory, before it takes its name."""
    out.flush()
    os.fsync(out.fileno())


def settle(whole: Path, target: Path) -> None:
    """Move a finished file to its place, with the mode of the file that it replaces."""
    if target.exists():
        shutil.copymode(target, whole)
    whole.replace(target)


def _write_zip(window: archive_tar.ByteWindow, parts: ArtifactParts) -> None:
    entry = zipfile.ZipInfo(DATABASE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    size = entry.file_size = parts.snapshot.stat().st_size
    # Level 1, since a database of texts shrinks nearly as well in a third of the time.
    with (
        zipfile.ZipFile(cast(BinaryIO, window), "w", compresslevel=1) as archive,
        parts.snapshot.open("rb") as source,
        archive.open(entry, "w", force_zip64=size >= _ZIP64_FROM) as target,
    ):
        archive_tar.copy(source, cast(BinaryIO, target), size, parts.work)


def _write_attachments(
    window: archive_tar.ByteWindow, parts: ArtifactParts
) -> tuple[dict[str, list[int]], tuple[str, ...]]:
    out = cast(BinaryIO, window)
    tar = archive_tar.TarWriter(out)
    tar.folder(ATTACHMENTS_ROOT)
    lost = []
    for file in parts.contents.attachments:
        parts.work.check()
        try:
            source = parts.run.files.path(file.path).open("rb")
        except (AttachmentRefused, OSError):
            lost.append(file.path)
            continue
        with source, tar.member(f"{ATTACHMENTS_ROOT}/{file.path}"):
            # A file that is being written is copied up to its present size.
            archive_tar.copy(source, out, os.fstat(source.fileno()).st_size, parts.work)
    tar.end()
    index = {name: [part.offset, part.size_bytes] for name, part in tar.members.items()}
    return index, tuple(lost)


def _manifest(run: Run) -> dict[str, JsonValue]:
    return {
        "artifact_type": "experiment",
        "variant": "default",
        "name": run.name,
        "description": None,
        "version": "1",
        "producer_name": PRODUCER,
        "producer_version": f"flow-tui {__version__}",
        "producer_tags": [SNAPSHOT_TAG],
        "payload": {
            "local_experiment_id": run.id,
            "status": run.status,
            "group": run.group_id,
            "tags": list(run.tags),
        },
    }
