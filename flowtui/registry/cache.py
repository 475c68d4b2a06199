"""Keeps what was read of artifacts in the registry, so that it opens again at once, and offline.

A folder for each state of an artifact: what the registry says of it, and the parts that were read.
No URL and no key is kept. What is kept was compared with nothing but its length.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flowtui import person
from flowtui.registry.values import Collection, Destination, Orbit, Organization
from flowtui.store.values import JsonValue

if TYPE_CHECKING:
    from flowtui.registry.artifacts import RegistryArtifact

MAX_BYTES = 2 << 30
"""What was not used for the longest time goes when there is more than this."""
FACTS = "artifact.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """An artifact in the cache."""

    artifact: RegistryArtifact
    folder: Path
    read_at: float
    """When the registry was last asked about it, in seconds since 1970."""


def directory() -> Path:
    """Return the folder of the cache, which need not exist.

    Raises:
        OSError: There is no place for it.
    """
    return person.kept_folder() / "registry"


def folder(base_url: str, artifact: RegistryArtifact) -> Path:
    """Return the folder for this state of an artifact, made if it is missing, and note its facts.

    Raises:
        OSError: It cannot be written.
    """
    place = _place_of(base_url, artifact)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    for private in (directory(), place.parent, place):
        private.chmod(0o700)
    facts = place / f".{FACTS}.{os.getpid()}"
    facts.write_text(json.dumps(_document(artifact)))
    facts.replace(place / FACTS)
    return place


def kept(base_url: str) -> Iterator[Kept]:
    """Yield the artifacts of a registry that something was read of, the latest used first."""
    from flowtui.registry.artifacts import from_document

    with suppress(OSError):
        places = sorted(_registry(base_url).iterdir(), key=_used_at, reverse=True)
        for place in places:
            with suppress(OSError, ValueError, RecursionError, KeyError, TypeError):
                document = json.loads((place / FACTS).read_bytes())
                found = from_document(document, _place(document["place"]))
                yield Kept(found, place, _used_at(place))


def known(base_url: str, artifact: RegistryArtifact) -> Kept:
    """Return what is kept of a listed artifact, which may be nothing."""
    place = _place_of(base_url, artifact)
    return Kept(artifact, place, _used_at(place))


def size_bytes() -> int:
    """Return how much the cache takes."""
    with suppress(OSError):
        return sum(file.stat().st_size for file in directory().rglob("*") if file.is_file())
    return 0


def clear() -> None:
    """Remove everything that is kept.

    Raises:
        OSError: Something cannot be removed.
    """
    with suppress(FileNotFoundError):
        shutil.rmtree(directory())


def prune(besides: Path) -> None:
    """Remove what was not used for the longest time, while there is too much."""
    with suppress(OSError):
        places = [place for of in directory().iterdir() for place in of.iterdir()]
        sizes = {place: sum(file.stat().st_size for file in place.iterdir()) for place in places}
        total = sum(sizes.values())
        for place in sorted(places, key=_used_at):
            if total <= MAX_BYTES:
                return
            if place != besides:
                shutil.rmtree(place, ignore_errors=True)
                total -= sizes[place]


def age_s(one: Kept) -> float:
    """Return how many seconds ago the registry was asked about an artifact."""
    return max(0.0, time.time() - one.read_at)


def _registry(base_url: str) -> Path:
    return directory() / _key(base_url)


def _place_of(base_url: str, artifact: RegistryArtifact) -> Path:
    state = _key(artifact.id, artifact.file_hash, str(artifact.size_bytes))
    return _registry(base_url) / state


def _key(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:32]


def _used_at(place: Path) -> float:
    with suppress(OSError):
        return (place / FACTS).stat().st_mtime
    return 0.0


def _document(one: RegistryArtifact) -> JsonValue:
    to = one.to
    return {
        "id": one.id,
        "name": one.name,
        "type": one.type,
        "status": one.status,
        "size": one.size_bytes,
        "file_hash": one.file_hash,
        "description": one.description,
        "tags": list(one.tags),
        "created_at": one.created_at,
        "created_by_user": one.created_by,
        "collection_id": to.collection.id,
        "collection_name": to.collection.name,
        "manifest": dict(one.manifest),
        "file_index": {name: [part.offset, part.size_bytes] for name, part in one.members.items()},
        "place": [to.organization.id, to.organization.name, to.orbit.id, to.orbit.name],
    }


def _place(names: list[str]) -> Destination:
    organization_id, organization, orbit_id, orbit = names
    return Destination(
        Organization(organization_id, organization, ""),
        Orbit(orbit_id, orbit, "", frozenset()),
        Collection("", "", "", ""),
    )
