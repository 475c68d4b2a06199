"""Writes runs of a source into a LUML store for good; a run that is there already is updated."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flowtui.sources.private_store import SourceStore
from flowtui.sources.records import SourceError
from flowtui.store import runs
from flowtui.store.attachments.values import AttachmentRefused
from flowtui.store.errors import DatabaseError, DiskFull
from flowtui.store.lost_records import lost_records
from flowtui.store.open_run import OpenRun
from flowtui.store.schema import StoreWriter
from flowtui.store.schema.merging import Merging
from flowtui.store.schema.mirror import FileRow, MirrorExperiment
from flowtui.store.transaction import NO_ROOM
from flowtui.store.values import Run, Status

_SPARE_BYTES = 100 << 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one run."""

    run: Run
    is_new: bool
    remarks: tuple[str, ...]
    """Sentences about what of it has no place, or is not there."""


def import_run(
    store: SourceStore, run: OpenRun, directory: Path, group: str | None, *, links: bool
) -> Imported:
    """Write a run into a store, or what is new in it.

    Of a run that is there already, name, tags, description, group and annotations stay as they
    are, since people may have changed them.

    Args:
        store: The source, in which the run was read to its end.
        run: The run, with its row.
        directory: The store's folder, which is made if it is missing.
        group: The group of a run that is new there; None for the one that it has.
        links: Whether attachments are hard links where the disk allows that, instead of copies.

    Raises:
        DatabaseError: The store cannot be written, or has no room.
        SourceError: An id of the source cannot be the name of a folder.
    """
    row = run.row
    if Path(row.id).name != row.id:
        raise SourceError(f"the run id {row.id!r} cannot be the name of a folder")
    _check_room(store.run_directory(row.id), directory)
    folder = directory / row.id
    with StoreWriter(directory) as writer:
        is_new = row.id not in writer.ids()
        if is_new:
            writer.start_run(
                row.id,
                row.name,
                group=group or row.group_name or "default",
                tags=row.tags,
                description=row.description,
                source=row.source,
                created_at=row.created_at,
            )
        with Merging(folder / "exp.db") as merging:
            run.ask(merging.take)
        missing = _take_files(run, folder, links=links)
        if row.status != Status.ACTIVE:
            writer.end_run(row.id, status=row.status, duration=row.duration_s)
    remarks = (*lost_records(store.meta, run), *missing)
    return Imported(store.ask(runs.run, row.id) or row, is_new, remarks)


def _take_files(run: OpenRun, folder: Path, *, links: bool) -> list[str]:
    """Bring the attachments in; return a sentence for each that is not there."""
    listed = run.attachments()
    said: list[str] = []
    rows: list[FileRow] = []
    for file in () if listed is None else listed.files:
        if file.row is None:
            continue
        target = folder / "attachments" / file.row.name
        try:
            source = run.files.path(file.row.file_path)
            size = _brought(source, target, links=links)
        except AttachmentRefused as error:
            said.append(f"{file.row.name}: {error}")
            continue
        except OSError as error:
            raise DatabaseError(target, f"{target} cannot be written: {error.strerror}") from error
        if file.row.created_at is not None:
            rows.append(FileRow(file.row.name, size, file.row.created_at))
    if rows:
        with MirrorExperiment(folder / "exp.db") as experiment:
            experiment.files(rows)
    return said


def _brought(source: Path, target: Path, *, links: bool) -> int:
    """Copy or link a file, unless the same one is there already; return its size."""
    state = source.stat()
    with suppress(OSError):
        there = target.stat()
        if (there.st_size, there.st_mtime_ns) == (state.st_size, state.st_mtime_ns):
            return there.st_size
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        if links:
            # Another disk, or one without hard links, gets a copy.
            with suppress(OSError):
                os.link(source, part)
        if not part.exists():
            shutil.copy2(source, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return state.st_size


def _check_room(folder: Path, directory: Path) -> None:
    place = next(one for one in (directory, *directory.parents) if one.exists())
    needed = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if shutil.disk_usage(place).free < needed + _SPARE_BYTES:
        raise DiskFull(directory, NO_ROOM.format(directory))
