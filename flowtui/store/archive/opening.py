"""Opens an exported or uploaded run, or a model with one in it, as a store that nobody can write.

The run's database is unpacked into a private folder, beside a meta.db made from the manifest, so
that every question to a store is answered as usual. Attachments stay in the artifact, where their
index says; one that is to be opened is copied out when it is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path, PurePosixPath

from flowtui import temporary
from flowtui.failures import Failure, NoLongerWanted
from flowtui.store.archive import tar
from flowtui.store.archive.contents import ArtifactContents, read_contents, unpack_database
from flowtui.store.archive.values import (
    MAX_FETCHED_BYTES,
    ArtifactError,
    Slice,
    Work,
    never,
    no_progress,
    with_spare,
)
from flowtui.store.attachments.files import AttachmentFiles
from flowtui.store.attachments.values import (
    Attachment,
    AttachmentRefused,
    AttachmentRow,
    Attachments,
    FileState,
)
from flowtui.store.files import in_pieces
from flowtui.store.liveness.standing import Signs
from flowtui.store.schema import ddl
from flowtui.store.schema.rows import timestamp
from flowtui.store.store import Store
from flowtui.store.uploaded import UPLOADED, RemoteArtifact
from flowtui.store.values import Run, StoreLocation


def open_artifact(path: Path, allow_large: bool = False) -> ArtifactStore:
    """Open a `.luml` file, or a model file with an experiment embedded in it.

    Args:
        path: The file.
        allow_large: Whether it may be unusually large when it is unpacked.

    Raises:
        ArtifactTooLarge: It is unusually large, and may not be.
        ArtifactError: The file cannot be read, is damaged, holds no experiment, or there is no room
            to unpack its database.
    """
    return open_contents(read_contents(path.absolute()), allow_large)


def open_contents(
    contents: ArtifactContents, allow_large: bool = False, lies: RemoteArtifact | None = None
) -> ArtifactStore:
    """Open what an artifact holds, wherever its bytes are; `open_artifact` tells what it raises.

    Args:
        contents: What it holds.
        allow_large: Whether it may be unusually large when it is unpacked.
        lies: Where it is in a registry, if it is there.
    """
    path = contents.path
    try:
        folder = Path(tempfile.mkdtemp(prefix="flow-tui-"))
    except OSError as error:
        raise ArtifactError(f"{path} cannot be unpacked: {temporary.why_not(error)}") from error
    try:
        run_folder = folder / "run"
        run_folder.mkdir()
        room = shutil.disk_usage(folder).free
        unpack_database(contents, run_folder / "exp.db", room, allow_large)
        _write_meta(folder / "meta.db", contents, lies)
        return ArtifactStore(contents, folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ArtifactError(f"{path} cannot be unpacked: {temporary.why_not(error)}") from error
    except sqlite3.DatabaseError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise ArtifactError(f"{path} cannot be unpacked into {folder.parent}: {error}") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class ArtifactStore(Store):
    """The store of an artifact's run; `close`, or Python's end, removes what was unpacked."""

    def __init__(self, contents: ArtifactContents, folder: Path) -> None:
        """Take over a private folder that holds meta.db and run/exp.db."""
        self._folder = folder
        self._contents = contents
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        super().__init__(StoreLocation(folder, "an artifact"))
        # People see the path of the artifact; no database is looked for there.
        self.directory = contents.path
        self.location = StoreLocation(contents.path, "an artifact")
        what = "an exported run" if contents.kind == "experiment" else "a run inside a model"
        if not contents.source.is_near:
            what = "a run in the registry"
        self.why_read_only = f"{contents.path.name} is {what}, a copy: annotate the run itself"
        for database in (self.meta, self.run(contents.run_id).database):
            database.why_read_only = self.why_read_only
        self.run(contents.run_id).database.lacking = lambda: contents.problems

    def close(self) -> None:
        super().close()
        in_pieces.forget(self._folder)
        self._contents.source.close()
        self._remove()

    @property
    def run_id(self) -> str:
        """The id of its one run."""
        return self._contents.run_id

    def run_directory(self, run_id: str) -> Path:
        # The run's id is not trusted to be part of a path.
        return self._folder / ("run" if run_id == self._contents.run_id else "no-run")

    def signs(self, runs: Iterable[Run], now: datetime, may_ask: bool = True) -> dict[str, Signs]:
        # It is a copy, which does not tell whether the run itself goes on.
        return {}

    def _attachments(self, run_id: str) -> AttachmentFiles:
        return ArtifactFiles(self._contents, self._folder)


class ArtifactFiles:
    """The attachments in an artifact; one that is to be opened is copied out of it."""

    def __init__(self, contents: ArtifactContents, copies: Path) -> None:
        """Take the contents of an artifact, and the private folder for copies."""
        self.folder = contents.path
        self._contents = contents
        self._place = copies
        self._copying = threading.Lock()
        self._copies: dict[str, Path] = {}

    def listed(self, rows: Iterable[AttachmentRow]) -> Attachments:
        """Return rows with what the artifact's index says about their files."""
        return _listed(rows, self._contents.attachments)

    def path(self, file_path: str) -> Path:
        """Copy an attachment out of the artifact, only once, and return its path.

        Raises:
            AttachmentRefused: The artifact has no such file or was changed, or there is no room.
        """
        path, part = self._part(file_path)
        with self._copying:
            copy = self._copies.get(path)
            if copy is None:
                # Each copy has its own folder, so that equal names do not collide.
                place = self._place / f"{len(self._copies)}"
                copy = self._copies[path] = self._copied(part, place, PurePosixPath(path).name)
            return copy

    def glance(self, file_path: str) -> Path:
        """Return a path at which an attachment can be read, in pieces if it is large and far away.

        Raises:
            AttachmentRefused: The artifact has no such file or was changed, or there is no room.
        """
        _, part = self._part(file_path)
        source = self._contents.source
        if source.is_near or part.size_bytes <= MAX_FETCHED_BYTES:
            return self.path(file_path)
        with self._copying:
            try:
                place = self._place / "pieces"
                place.mkdir(exist_ok=True)
                return in_pieces.placeholder(place / str(part.offset), source, part)
            except OSError as error:
                raise AttachmentRefused(f"it cannot be looked into: {error.strerror}") from error

    def _part(self, file_path: str) -> tuple[str, Slice]:
        path = str(PurePosixPath(file_path))
        part = self._contents.attachments.get(file_path) or self._contents.attachments.get(path)
        if part is None:
            raise AttachmentRefused("the artifact has no such file in it")
        return path, part

    def _copied(self, part: Slice, place: Path, name: str) -> Path:
        suffix = PurePosixPath(name).suffix
        stem = name if name not in ("", "..") and len(os.fsencode(name)) < 200 else "file" + suffix
        whole = place / stem
        try:
            if shutil.disk_usage(self._place).free < with_spare(part.size_bytes):
                raise AttachmentRefused(f"no room in {self._place.parent} to take it out")
            place.mkdir(exist_ok=True)
            with self._contents.source.part(part) as source, whole.open("wb") as target:
                work = Work(part.size_bytes, never, no_progress)
                copied = tar.copy(source, target, part.size_bytes, work)
        except (OSError, ValueError) as error:
            with suppress(OSError, ValueError):
                whole.unlink(missing_ok=True)
            reason = error.strerror if isinstance(error, OSError) else "its name is not valid"
            raise AttachmentRefused(f"it cannot be taken out: {reason}") from error
        except AttachmentRefused:
            raise
        except (Failure, NoLongerWanted) as error:
            with suppress(OSError):
                whole.unlink(missing_ok=True)
            if isinstance(error, NoLongerWanted):
                raise
            raise AttachmentRefused(f"it cannot be fetched: {error}") from error
        if copied != part.size_bytes:
            whole.unlink()
            raise AttachmentRefused("the artifact has become shorter")
        return whole


def _listed(rows: Iterable[AttachmentRow], parts: dict[str, Slice]) -> Attachments:
    files, named = [], set()
    for row in rows:
        path = str(PurePosixPath(row.file_path)) if row.file_path else ""
        part = parts.get(path)
        named.add(path)
        state = FileState.PRESENT if part is not None else FileState.MISSING
        size = None if part is None else part.size_bytes
        files.append(Attachment(row, path, state, size, problem=row.problem))
    orphans = [
        Attachment(None, path, FileState.PRESENT, part.size_bytes)
        for path, part in sorted(parts.items())
        if path not in named
    ]
    return Attachments(tuple(files), tuple(orphans))


def _write_meta(path: Path, contents: ArtifactContents, lies: RemoteArtifact | None) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in ddl.META_TABLES:
            connection.execute(statement)
        connection.execute(
            "insert into experiments (id, name, created_at, status, tags, group_id, description,"
            " static_params, dynamic_params)"
            " values (:id, :name, null, :status, :tags, :group_id, :description, :copy, :copy)",
            {
                "id": _storable(contents.run_id),
                "name": _storable(contents.name),
                "status": _storable(contents.status),
                "tags": json.dumps(contents.tags),
                "group_id": _storable(contents.group_id),
                "description": _storable(contents.description),
                # There are no copies of figures: a value that is not an object sends readers to
                # exp.db.
                "copy": "[]",
            },
        )
        if lies is not None:
            connection.execute("update experiments set upload_status = ?", [UPLOADED])
            connection.execute(
                "insert into remote_artifacts"
                " (local_type, local_id, orbit_id, artifact_id, created_at)"
                " values (:type, :id, :orbit, :artifact, :created_at)",
                {
                    "type": lies.local_type,
                    "id": _storable(lies.local_id),
                    "orbit": _storable(lies.orbit_id),
                    "artifact": _storable(lies.artifact_id),
                    "created_at": lies.created_at and timestamp(lies.created_at),
                },
            )


def _storable(value: str | None) -> str | None:
    """Return a text that SQLite accepts: a lone surrogate, which JSON can hold, becomes `?`."""
    return None if value is None else value.encode("utf-8", "replace").decode()
