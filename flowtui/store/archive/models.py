"""A run's logged models as artifacts of their own, alone or with the run's record embedded.

A model file is a tar with a manifest already, so alone it is uploaded as it is. With the record, a
copy of it gets the members that the SDK's `link_to_model` adds: a `meta-*.json` that names a folder
under `meta_artifacts/`, and in there what an experiment's artifact holds.
"""

from __future__ import annotations

import json
import os
import tarfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flowtui.store.archive import packing
from flowtui.store.archive import tar as archive_tar
from flowtui.store.archive.registry_metrics import META, registry_metrics
from flowtui.store.archive.values import (
    DATABASE,
    EMBEDDED_FOLDER,
    EMBEDDED_TAG,
    MANIFEST,
    ArtifactError,
    ArtifactInfo,
    OnProgress,
    Slice,
    Work,
    never,
    no_progress,
)
from flowtui.store.cancelling import Cancelled, cancelling
from flowtui.store.files.fingerprint import is_of_database
from flowtui.store.values import JsonValue, Model

if TYPE_CHECKING:
    from flowtui.store.store import Store

MAX_MANIFEST_BYTES = 16 << 20


def model_artifact(store: Store, model: Model) -> ArtifactInfo:
    """Return a logged model's file as an artifact; nothing is copied.

    Raises:
        ArtifactError: The file is missing, is outside the store, or is not a model file.
    """
    path = model_path(store, model)
    with _opened(path) as file:
        members = archive_tar.scan(file, path, "the model")
        manifest = read_manifest(file, members, path)
        size = file.seek(0, os.SEEK_END)
        return ArtifactInfo(path, size, manifest, members, _extra_values(file, members, manifest))


def write_model_artifact(
    store: Store,
    run_id: str,
    model: Model,
    out_path: Path,
    cancelled: Cancelled = never,
    progress: OnProgress = no_progress,
) -> ArtifactInfo:
    """Write a copy of a model's file with the run's record embedded in it.

    Raises:
        ArtifactError: The model cannot be read, or there is no room or right to write.
        ReadCancelled: It was cancelled; nothing is left behind.
        StoreError: The run cannot be read.
    """
    alone = model_artifact(store, model)
    with cancelling(cancelled):
        packed = packing.contents(store, run_id)
    run = store.run(run_id)
    work = Work(packed.work_bytes + alone.size_bytes, cancelled, progress)
    target = Path(os.path.realpath(out_path))
    with packing.private_folder(target, packed.room_bytes + alone.size_bytes) as folder:
        snapshot = packing.take_snapshot(run, folder / DATABASE, work)
        whole = folder / "artifact"
        with whole.open("xb+") as out:
            with alone.path.open("rb") as source:
                archive_tar.copy(source, out, alone.size_bytes, work)
            _go_to_end_of_members(out, alone)
            writer = archive_tar.TarWriter(out)
            parts = packing.ArtifactParts(run, packed, snapshot, work)
            lost = _embed(writer, out, parts)
            writer.end()
            packing.finish(out)
        size = whole.stat().st_size
        packing.settle(whole, target)
    work.finish()
    members = {**alone.members, **writer.members}
    count = len(packed.attachments) - len(lost)
    lacks = (*packed.missing, *lost)
    return ArtifactInfo(target, size, alone.manifest, members, alone.extra_values, count, lacks)


def model_path(store: Store, model: Model) -> Path:
    """Return the path of a model's file.

    Raises:
        ArtifactError: It is not inside the store.
    """
    directory = store.directory.resolve()
    path = Path(os.path.realpath(directory / (model.path or "")))
    is_inside = path.is_relative_to(directory) and not is_of_database(path, directory)
    if not is_inside or not path.is_file():
        raise ArtifactError(f"the model {model.name} has no file in the store")
    return path


def read_manifest(file: BinaryIO, members: dict[str, Slice], path: Path) -> dict[str, JsonValue]:
    """Return an artifact's manifest.

    Raises:
        ArtifactError: There is none, or it is not a JSON object of a sane size.
    """
    part = members.get(MANIFEST)
    if part is None:
        raise ArtifactError(f"{path} is not a LUML artifact: it has no {MANIFEST}")
    try:
        manifest = read_json(file, part)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} is damaged: its {MANIFEST} cannot be read") from error
    if not isinstance(manifest, dict):
        raise ArtifactError(f"{path} is damaged: its {MANIFEST} is not an object")
    return manifest


def _extra_values(
    file: BinaryIO, members: dict[str, Slice], manifest: dict[str, JsonValue]
) -> dict[str, JsonValue]:
    meta: JsonValue = None
    if META in members:
        # A model without metadata that can be read is a model all the same.
        with suppress(ValueError, RecursionError):
            meta = read_json(file, members[META])
    return registry_metrics(manifest, meta)


def read_json(file: BinaryIO, part: Slice, limit: int = MAX_MANIFEST_BYTES) -> JsonValue:
    """Return the JSON value in a member.

    Raises:
        ValueError: The member is larger than the limit, or is not JSON.
        RecursionError: The value is nested too deeply.
    """
    if part.size_bytes > limit:
        raise ValueError(f"larger than {limit:,} bytes")
    file.seek(part.offset)
    answer: JsonValue = json.loads(file.read(part.size_bytes))
    return answer


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}") from error


def _go_to_end_of_members(out: BinaryIO, alone: ArtifactInfo) -> None:
    """Cut off the end mark of a tar, so that members can be added."""
    out.seek(0)
    with tarfile.open(fileobj=out, mode="r:") as tar:
        end = 0
        while (member := tar.next()) is not None:
            size = member.size if member.isreg() else 0
            end = member.offset_data + size + -size % tarfile.BLOCKSIZE
    out.seek(end)
    out.truncate()


def _embed(
    writer: archive_tar.TarWriter, out: BinaryIO, parts: packing.ArtifactParts
) -> tuple[str, ...]:
    # The SDK spells a tag in a path like this, since some file systems do not allow colons.
    place = f"{EMBEDDED_TAG.replace(':', '~c~')}~~et~~{uuid.uuid4().hex}"
    entry = {"id": place, "tags": [EMBEDDED_TAG], "payload": {}}
    with writer.member(f"meta-{uuid.uuid4().hex}.json"):
        out.write(json.dumps([entry]).encode("ascii"))
    return packing.write_parts(writer, out, f"{EMBEDDED_FOLDER}/{place}/", parts)
