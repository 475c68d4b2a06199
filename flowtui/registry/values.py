"""What the registry answers with, as frozen values; text in them is untrusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from flowtui.store.values import JsonValue

LARGE_FILE_BYTES = 524_288_000
"""A larger file is sent in parts, for which one has to be an admin of the organization."""
ADMIN_NEEDED = (
    "files over 500 MB need the rights of an organization admin; ask one to upload it, or for them"
)
UPLOADED = "uploaded"
"""The status of an artifact whose bytes came."""
MEMBER = "member"
"""The role of those in an organization who are not its admins."""

ArtifactType: TypeAlias = Literal["experiment", "model"]


@dataclass(frozen=True, slots=True)
class Secret:
    """A key or a signed URL, which no message, log or traceback shows."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """Return the text, for the one who sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Organization:
    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Orbit:
    id: str
    name: str
    role: str
    artifact_permissions: frozenset[str]
    total_collections: int | None = None

    def may(self, action: str) -> bool:
        """Say whether the key's owner may do something with artifacts: list, read, delete ..."""
        return action in self.artifact_permissions

    @property
    def why_not(self) -> str:
        """Why nothing can be uploaded to it; empty if it can."""
        if self.may("create"):
            return ""
        return "you may not add artifacts here; an owner of the orbit can allow it"


@dataclass(frozen=True, slots=True)
class Collection:
    id: str
    name: str
    type: str
    """experiment, model, mixed, or several of them joined by `_`."""
    description: str
    tags: tuple[str, ...] = ()
    total_artifacts: int | None = None

    def takes(self, kind: ArtifactType) -> bool:
        return self.type == "mixed" or kind in self.type


@dataclass(frozen=True, slots=True)
class CollectionPage:
    collections: tuple[Collection, ...]
    """Those that take what is to be uploaded; a page may have none though later ones do."""
    next_cursor: str | None
    """Where the next page begins; None for the last one."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an artifact goes."""

    organization: Organization
    orbit: Orbit
    collection: Collection

    @property
    def path(self) -> str:
        return f"{self.organization.name} / {self.orbit.name} / {self.collection.name}"

    def why_too_large(self, size_bytes: int) -> str:
        """Return why the key's owner cannot send a file of a size; empty if they can."""
        is_large = size_bytes > LARGE_FILE_BYTES
        return ADMIN_NEEDED if is_large and self.organization.role == MEMBER else ""


@dataclass(frozen=True, slots=True)
class RemoteCopy:
    """An artifact in a collection that was made of a run before."""

    id: str
    name: str
    status: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Labels:
    """What a person says about an artifact."""

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Where the storage takes the bytes of one artifact."""

    kind: str
    """s3 or azure."""
    url: Secret
    is_multipart: bool
    bucket_location: str
    bucket_secret_id: str


@dataclass(frozen=True, slots=True)
class PendingArtifact:
    """An entry of the registry that waits for its bytes."""

    id: str
    target: UploadTarget


@dataclass(frozen=True, slots=True)
class LeftEntry:
    """An entry of the registry that an upload leaves behind, which is not what it was to be."""

    name: str
    id: str
    why: str
    """Why it could not be removed."""


@dataclass(frozen=True, slots=True)
class UploadPart:
    """A range of a file, and where it goes."""

    number: int
    start: int
    size_bytes: int
    url: Secret


@dataclass(frozen=True, slots=True)
class UploadParts:
    """How the bytes of one artifact are cut."""

    parts: tuple[UploadPart, ...]
    complete_url: Secret


def text(document: dict[str, JsonValue], key: str) -> str:
    """Return a text of an answer, empty where there is none."""
    value = document.get(key)
    return value if isinstance(value, str) else "" if value is None else str(value)


def texts(value: JsonValue) -> tuple[str, ...]:
    """Return a list's texts; anything else is an empty list."""
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def number(document: dict[str, JsonValue], key: str) -> int | None:
    value = document.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
