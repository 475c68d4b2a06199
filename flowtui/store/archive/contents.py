"""What a file that claims to be an artifact holds; nothing in it is trusted."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

from flowtui.store.archive import models
from flowtui.store.archive import tar as archive_tar
from flowtui.store.archive.source import ArtifactFile, ArtifactSource
from flowtui.store.archive.values import (
    ATTACHMENTS_INDEX,
    ATTACHMENTS_ROOT,
    ATTACHMENTS_TAR,
    DATABASE,
    DATABASE_ZIP,
    EMBEDDED_FOLDER,
    MANIFEST,
    ArtifactError,
    ArtifactTooLarge,
    Slice,
    Work,
    never,
    no_progress,
    with_spare,
)
from flowtui.store.values import JsonValue

MAX_INDEX_BYTES = 128 << 20
MAX_ATTACHMENTS = 300_000
LARGE_BYTES = 4_000_000_000
"""A larger database is unpacked only if that is allowed."""
LARGE_RATIO = 100
"""The same holds for one that compresses better than this, as none does that the SDK writes."""
SMALL_BYTES = 100_000_000
"""Below this size the ratio does not matter."""
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compression methods whose output Python can bound piece by piece; others it cannot."""
_EMBEDDED = re.compile(
    rf"{EMBEDDED_FOLDER}/(?P<place>[^/]*experiment_snapshot[^/]*~~et~~(?P<id>[^/]+))/{DATABASE_ZIP}"
)


@dataclass(frozen=True, slots=True)
class ArtifactContents:
    """One experiment in an artifact: its own, or one embedded in a model."""

    source: ArtifactSource = field(repr=False)
    run_id: str
    name: str
    status: str
    group_id: str | None
    tags: tuple[str, ...]
    description: str | None
    kind: str
    """`experiment` or `model`."""
    database_zip: Slice
    attachments: dict[str, Slice] = field(repr=False)
    """The attachments by path below `attachments/`; the offsets are those in the artifact."""
    problems: tuple[str, ...] = ()
    """Sentences about what is missing in the artifact, or cannot be read."""

    @property
    def path(self) -> Path:
        """What a person is shown of where it is."""
        return self.source.path


def is_embedded_run(name: str) -> bool:
    """Say whether a member of a model is the database of a run that was embedded in it."""
    return _EMBEDDED.fullmatch(name) is not None


def read_contents(path: Path) -> ArtifactContents:
    """Return what an artifact holds, without unpacking anything.

    Raises:
        ArtifactError: The file cannot be read, its manifest or database is damaged or cut off, or
            it holds no experiment.
    """
    try:
        with path.open("rb") as file:
            found = archive_tar.scan_what_is_there(file, path, "the file")
            if not (found.problem or found.has_end):
                found = replace(found, problem=f"the file is cut off: {path} lacks its end")
            if found.problem and MANIFEST not in found.members:
                raise ArtifactError(found.problem)
            manifest = models.read_manifest(file, found.members, path)
        return _experiment(ArtifactFile(path), found, manifest)
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror or error}") from error


def listed_contents(
    source: ArtifactSource,
    members: Mapping[str, Slice],
    manifest: Mapping[str, JsonValue],
    size_bytes: int,
) -> ArtifactContents:
    """Return what an artifact holds of which a registry lists the members.

    Args:
        source: Its bytes.
        members: Its files, as somebody said; the order does not matter.
        manifest: Its manifest, as somebody said.
        size_bytes: How long it is.

    Raises:
        ArtifactError: A member lies outside, there are too many, or it holds no experiment.
    """
    path = source.path
    if len(members) > archive_tar.MAX_MEMBERS:
        raise ArtifactError(f"{path} has more than {archive_tar.MAX_MEMBERS:,} members")
    for part in members.values():
        if not 0 <= part.offset <= part.offset + part.size_bytes <= size_bytes:
            raise ArtifactError(f"{path} is damaged: its list of files points outside of it")
    # Where several runs are in a model, the last one counts.
    in_order = dict(sorted(members.items(), key=lambda item: item[1].offset))
    found = archive_tar.Scanned(in_order, has_end=True)
    return _experiment(source, found, dict(manifest))


def unpack_database(
    contents: ArtifactContents, target: Path, room_bytes: int, allow_large: bool = False
) -> None:
    """Write the database of an artifact into a file.

    Args:
        contents: What the artifact holds.
        target: A file that does not exist yet.
        room_bytes: How much may be written at most.
        allow_large: Whether the database may be unusually large.

    Raises:
        ArtifactTooLarge: The database is unusually large, and may not be; nothing was written.
        ArtifactError: The database is damaged, or declares a size for which there is no room.
        OSError: The target cannot be written.
    """
    part, path = contents.database_zip, contents.path
    if part.size_bytes > LARGE_BYTES and not (allow_large or contents.source.is_near):
        # Before anything of it is fetched; in a file it is seen how large it is unpacked.
        raise ArtifactTooLarge(f"the database of {path} takes {part.size_bytes / 1e6:,.0f} MB")
    with contents.source.part(part) as outer:
        window = _ZipWindow(outer, 0, part.size_bytes)
        try:
            with zipfile.ZipFile(cast(BinaryIO, window)) as archive:
                entry = archive.getinfo(DATABASE)
                if entry.compress_type not in _BOUNDED:
                    raise NotImplementedError
                if with_spare(entry.file_size) > room_bytes:
                    raise ArtifactError(
                        f"{path} unpacks to {entry.file_size / 1e6:,.1f} MB, and"
                        f" {room_bytes / 1e6:,.1f} MB are free in {target.parent.parent}:"
                        " free some, or set TMPDIR to another folder"
                    )
                if not allow_large:
                    _check_size(path, entry)
                with archive.open(entry) as source, target.open("xb") as out:
                    # Never write more than was declared, however much the data unpacks to.
                    work = Work(entry.file_size, never, no_progress)
                    count = archive_tar.copy(source, out, entry.file_size, work)
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
            raise ArtifactError(f"{path} is damaged: its database cannot be unpacked") from error
        except (NotImplementedError, RuntimeError) as error:
            # An unusual compression method, or a password.
            raise ArtifactError(
                f"{path}: its database is compressed by an unknown method"
            ) from error
    if count != entry.file_size:
        raise ArtifactError(f"{path} is damaged: its database is shorter than it says")


class _ZipWindow(archive_tar.ByteWindow):
    """A range with a zip in it, from which a hostile size cannot make anybody read a lot."""

    def read(self, size: int | None = -1) -> bytes:
        wanted = self.left if size is None or size < 0 else min(size, self.left)
        if wanted > archive_tar.CHUNK_BYTES:
            # zipfile reads the directory at once; that of a zip with one file in it is short.
            raise zipfile.BadZipFile("its directory is too large")
        return super().read(size)


def _check_size(path: Path, entry: zipfile.ZipInfo) -> None:
    """Raise ArtifactTooLarge for a database that is unusually large, compressed or unpacked."""
    ratio = entry.file_size / max(1, entry.compress_size)
    is_dense = entry.file_size > SMALL_BYTES and ratio > LARGE_RATIO
    if is_dense or entry.file_size > LARGE_BYTES:
        raise ArtifactTooLarge(
            f"{path} unpacks to {entry.file_size / 1e6:,.0f} MB, {ratio:,.0f} times what it takes"
            " packed"
        )


def _experiment(
    source: ArtifactSource, found: archive_tar.Scanned, manifest: dict[str, JsonValue]
) -> ArtifactContents:
    path, members = source.path, found.members
    payload = manifest.get("payload")
    said = payload if isinstance(payload, dict) else {}
    name = _text(manifest.get("name")) or path.stem
    prefix, kind = "", "experiment"
    run_id = _text(said.get("local_experiment_id")) or path.stem
    if DATABASE_ZIP not in members:
        embedded = [match for key in members if (match := _EMBEDDED.fullmatch(key))]
        if not embedded and found.problem:
            raise ArtifactError(found.problem)
        if not embedded:
            what = _text(manifest.get("artifact_type")) or "artifact"
            raise ArtifactError(f"{path} is a LUML {what} without an experiment in it")
        # A model that was linked several times holds the older records too; the last one counts.
        prefix, kind = f"{EMBEDDED_FOLDER}/{embedded[-1]['place']}/", "model"
        run_id, said = embedded[-1]["id"], {}
    tags = said.get("tags")
    attachments, problem = _attachments(source, found, prefix)
    return ArtifactContents(
        source=source,
        run_id=run_id.replace("\0", "") or path.stem,
        name=name,
        status=_text(said.get("status")) or "unknown",
        group_id=_text(said.get("group")),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        description=_text(manifest.get("description")),
        kind=kind,
        database_zip=members[prefix + DATABASE_ZIP],
        attachments=attachments,
        problems=tuple(
            f"{why}; attachments that lie behind are missing"
            for why in (found.problem, problem)
            if why
        ),
    )


def _attachments(
    source: ArtifactSource, found: archive_tar.Scanned, prefix: str
) -> tuple[dict[str, Slice], str]:
    """Return the attachments that are whole, and why there may be others that are not."""
    tar = found.members.get(prefix + ATTACHMENTS_TAR)
    if tar is None and found.cut is not None and found.cut[0] == prefix + ATTACHMENTS_TAR:
        tar = found.cut[1]
    if tar is None:
        return {}, ""
    index = found.members.get(prefix + ATTACHMENTS_INDEX)
    parts = _indexed(source, index, tar) if index is not None else None
    problem = ""
    if parts is None and not source.is_near:
        return {}, f"its {ATTACHMENTS_INDEX} is missing or damaged"
    if parts is None:
        with source.part(tar) as inner:
            what = f"its {ATTACHMENTS_TAR}"
            scanned = archive_tar.scan_what_is_there(inner, source.path, what)
        # Where the file is cut off, its parts are too.
        parts, problem = scanned.members, "" if found.problem else scanned.problem
    root = f"{ATTACHMENTS_ROOT}/"
    attachments = {
        name.removeprefix(root): Slice(tar.offset + part.offset, part.size_bytes)
        for name, part in parts.items()
        if name.startswith(root) and name != root
    }
    return attachments, problem


def _indexed(source: ArtifactSource, index: Slice, tar: Slice) -> dict[str, Slice] | None:
    """Return the parts that an index names, None if it is not valid or points outside its tar."""
    if index.size_bytes > MAX_INDEX_BYTES:
        return None
    try:
        with source.part(index) as file:
            stored = models.read_json(file, Slice(0, index.size_bytes), MAX_INDEX_BYTES)
    except (ValueError, RecursionError):
        return None
    if not isinstance(stored, dict) or len(stored) > MAX_ATTACHMENTS:
        return None
    parts = {}
    for name, place in stored.items():
        match place:
            case [int(offset), int(size)] if 0 <= offset <= offset + size <= tar.size_bytes:
                parts[name] = Slice(offset, size)
            case _:
                return None
    return parts


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
