"""Opens a run in the registry where it lies: what is looked at is read by range, and kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui.registry import artifacts, cache
from flowtui.registry.artifacts import Reference, RegistryArtifact
from flowtui.registry.cache import Kept
from flowtui.registry.errors import RangesIgnored, StorageFailed, StoredChanged, Unreachable
from flowtui.registry.ranges import OnBytes, RangedArtifact, no_news
from flowtui.registry.storage import Storage
from flowtui.store.archive.contents import ArtifactContents, listed_contents
from flowtui.store.archive.opening import ArtifactStore, open_artifact, open_contents
from flowtui.store.archive.values import ATTACHMENTS_INDEX, DATABASE_ZIP, ArtifactError, Slice
from flowtui.store.uploaded import LocalType, RemoteArtifact

if TYPE_CHECKING:
    from flowtui.registry.client import Registry

TRIES = 3
"""How often an opening begins anew because the file has changed meanwhile."""

MayDownload = Callable[[int], bool]
"""Asked where a storage only sends whole files: whether so many bytes are to be downloaded."""


@dataclass(frozen=True, slots=True)
class OpenedRemotely:
    """A run of the registry, open."""

    store: ArtifactStore
    artifact: RegistryArtifact
    offline_since_s: float | None = None
    """How long ago the registry was asked about it, where it is out of reach; else None."""


def open_remote(
    registry: Registry,
    wanted: Reference,
    progress: OnBytes = no_news,
    may_download: MayDownload = lambda size: False,
    allow_large: bool = False,
) -> OpenedRemotely:
    """Open the run that a person names, read-only.

    Raises:
        RegistryError: There is no such artifact, the key's owner may not read it, or its storage
            cannot be read.
        StoreError: It holds no run, is damaged, or is unusually large when it is unpacked.
        OSError: There is no place to keep what is read.
    """
    try:
        found = artifacts.find(registry, wanted)
    except Unreachable as failed:
        for one in cache.kept(registry.base_url):
            by_id = wanted.artifact_id == one.artifact.id
            if by_id or artifacts.is_meant(one.artifact, wanted):
                try:
                    return open_kept(one, progress, allow_large)
                except StorageFailed:
                    # Too little of it is kept to be opened.
                    raise failed from None
        raise
    return OpenedRemotely(open_listed(registry, found, progress, may_download, allow_large), found)


def open_kept(one: Kept, progress: OnBytes = no_news, allow_large: bool = False) -> OpenedRemotely:
    """Open an artifact from what is kept of it, without asking anybody.

    Raises:
        StorageFailed: Too little of it is kept.
        StoreError: As `open_remote` tells.
    """
    store = _opened(one.artifact, one.folder, None, progress, allow_large)
    return OpenedRemotely(store, one.artifact, cache.age_s(one))


def open_listed(
    registry: Registry,
    one: RegistryArtifact,
    progress: OnBytes = no_news,
    may_download: MayDownload = lambda size: False,
    allow_large: bool = False,
) -> ArtifactStore:
    """Open an artifact that was listed; `open_remote` tells what it raises."""
    _check_status(one)
    folder = cache.folder(registry.base_url, one)
    for is_last in (*[False] * (TRIES - 1), True):
        try:
            store = _opened(one, folder, registry, progress, allow_large)
            cache.prune(folder)
            return store
        except StoredChanged:
            # What was read before belongs to another file, and is forgotten.
            if is_last:
                raise
        except RangesIgnored as ignored:
            if not may_download(ignored.size_bytes or one.size_bytes):
                raise
            whole = folder / "whole.luml"
            # It only has this name once it was compared with its checksum.
            if not whole.exists():
                with ranged(one, folder, registry, progress) as source:
                    source.download(whole, one.file_hash)
            return open_artifact(whole, allow_large)
    raise AssertionError("the last try returns or raises")


def download(
    registry: Registry, one: RegistryArtifact, target: Path, progress: OnBytes = no_news
) -> None:
    """Write all of an artifact to a file; `RangedArtifact.download` tells what it raises.

    Raises:
        ArtifactError: The registry does not say that it is there.
    """
    _check_status(one)
    folder = cache.folder(registry.base_url, one)
    with ranged(one, folder, registry, progress) as source:
        source.download(target, one.file_hash)


def _check_status(one: RegistryArtifact) -> None:
    if not one.is_there:
        raise ArtifactError(f"{one.label} is not there: the registry says {one.status} of it")


def ranged(
    one: RegistryArtifact, folder: Path, registry: Registry | None, progress: OnBytes
) -> RangedArtifact:
    """Return the bytes of an artifact, which are read when they are asked for."""
    own = (DATABASE_ZIP, ATTACHMENTS_INDEX)
    large: frozenset[Slice] = frozenset(
        part for name, part in one.members.items() if os.path.basename(name) in own
    )
    return RangedArtifact(
        Path(one.label),
        one.size_bytes,
        folder,
        None if registry is None else (lambda: registry.download_url(one.to, one.id)),
        Storage(None if registry is None else registry.patience),
        progress,
        large,
    )


def contents(source: RangedArtifact, one: RegistryArtifact) -> ArtifactContents:
    """Return what an artifact holds; its index of attachments is read for it."""
    return listed_contents(source, one.members, one.manifest, one.size_bytes)


def _opened(
    one: RegistryArtifact,
    folder: Path,
    registry: Registry | None,
    progress: OnBytes,
    allow_large: bool,
) -> ArtifactStore:
    source = ranged(one, folder, registry, progress)
    try:
        found = contents(source, one)
        lies = RemoteArtifact(
            LocalType.EXPERIMENT, found.run_id, one.to.orbit.id, one.id, artifacts.when(one)
        )
        return open_contents(found, allow_large, lies)
    except BaseException:
        source.close()
        raise
