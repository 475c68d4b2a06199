"""Makes the run in an artifact a run of a store, as the SDK would have written it there."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import datetime
from pathlib import Path, PurePosixPath

from flowtui.store.archive import tar
from flowtui.store.archive.contents import ArtifactContents, read_contents, unpack_database
from flowtui.store.archive.values import ArtifactError, Work, never, no_progress, with_spare
from flowtui.store.schema import StoreWriter


def into_store(
    path: Path, directory: Path, created_at: datetime | None, allow_large: bool = False
) -> str:
    """Copy the run of an artifact into a store, and return its id.

    The artifact does not say when its run was made, how long it took, and what its group is called.

    Args:
        path: The artifact's file.
        directory: The store's folder, which is made if it is missing.
        created_at: What the run's row says; now, if it is None.
        allow_large: Whether the artifact may be unusually large when it is unpacked.

    Raises:
        ArtifactTooLarge: It is unusually large, and may not be.
        ArtifactError: The store has the run already, the artifact cannot be read, a name in it
            would lead out of the run's folder, or there is no room.
        DatabaseError: The store cannot be written.
    """
    contents = read_contents(path)
    _check_names(contents)
    folder = directory / contents.run_id
    if folder.exists():
        raise ArtifactError(f"the store in {directory} has the run {contents.run_id} already")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".pulled-", dir=directory))
    except OSError as error:
        raise ArtifactError(f"{directory} cannot be written: {error.strerror}") from error
    try:
        room = shutil.disk_usage(made).free
        unpack_database(contents, made / "exp.db", room, allow_large)
        _take_out(contents, made / "attachments")
        made.chmod(0o755)
        made.rename(folder)
    except OSError as error:
        shutil.rmtree(made, ignore_errors=True)
        raise ArtifactError(f"{folder} cannot be written: {error.strerror}") from error
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    try:
        with StoreWriter(directory) as writer:
            writer.start_run(
                contents.run_id,
                contents.name,
                tags=contents.tags,
                description=contents.description,
                created_at=created_at,
            )
            if contents.status != "active":
                writer.end_run(contents.run_id, status=contents.status, duration=None)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return contents.run_id


def _check_names(contents: ArtifactContents) -> None:
    """Refuse names that lead elsewhere; nothing has been written then."""
    run_id = contents.run_id
    if run_id in (".", "..") or Path(run_id).name != run_id or run_id.startswith("."):
        raise ArtifactError(f"{contents.path} has the run id {run_id!r}, which no folder can have")
    for name in contents.attachments:
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts or "\0" in name:
            raise ArtifactError(f"{contents.path} has an attachment that leads out of it: {name!r}")


def _take_out(contents: ArtifactContents, folder: Path) -> None:
    total = sum(part.size_bytes for part in contents.attachments.values())
    free = shutil.disk_usage(folder.parent).free
    if free < with_spare(total):
        raise ArtifactError(
            f"the attachments of {contents.path} take {total / 1e6:,.1f} MB, and"
            f" {free / 1e6:,.1f} MB are free in {folder.parent.parent}"
        )
    folder.mkdir()
    for name, part in contents.attachments.items():
        target = folder / PurePosixPath(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Two names may be one file where the disk does not tell their letters apart.
        with contents.source.part(part) as source, target.open("xb") as out:
            work = Work(part.size_bytes, never, no_progress)
            if tar.copy(source, out, part.size_bytes, work) != part.size_bytes:
                raise ArtifactError(f"{contents.path} is cut off: {os.fspath(name)!r} is not whole")
