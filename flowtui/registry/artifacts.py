"""The artifacts of a registry: lists of them, and one by its id, its address or its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from flowtui.registry import answers
from flowtui.registry.answers import Document
from flowtui.registry.client import PAGE, Registry, every_page, needing, orbit_path, safe
from flowtui.registry.errors import NotAllowed, RegistryBroken, RequestRefused
from flowtui.registry.values import (
    UPLOADED,
    Collection,
    Destination,
    Orbit,
    Organization,
    number,
    text,
    texts,
)
from flowtui.store.archive.contents import is_embedded_run
from flowtui.store.archive.values import Slice
from flowtui.store.values import JsonValue

SORTS = ("created_at", "name", "size", "description", "status", "type")
SCHEME = "luml:"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ADDRESS = re.compile(
    r"https?://[^/]+/organization/([^/]+)/orbit/([^/]+)/collection/([^/]+)/artifacts/([^/?#]+)"
)


@dataclass(frozen=True, slots=True)
class RegistryArtifact:
    """One artifact as the registry lists it; nothing in it is trusted."""

    id: str
    name: str
    type: str
    """experiment, model or dataset."""
    status: str
    size_bytes: int
    file_hash: str
    """SHA-256 in hexadecimal digits, as its uploader said."""
    description: str
    tags: tuple[str, ...]
    created_at: str
    created_by: str
    to: Destination
    """Where it is."""
    manifest: Mapping[str, JsonValue] = field(repr=False)
    members: Mapping[str, Slice] = field(repr=False)
    """Its files by name, as its uploader said."""

    @property
    def is_there(self) -> bool:
        """Whether the registry says that its bytes came."""
        return self.status == UPLOADED

    @property
    def holds_a_run(self) -> bool:
        """Whether there is a run to open, as its own or inside of a model."""
        return self.type == "experiment" or any(is_embedded_run(name) for name in self.members)

    @property
    def run_id(self) -> str:
        """The id of the run that it was made of, in the store of its uploader."""
        return text(answers.document(self.manifest.get("payload")), "local_experiment_id")

    @property
    def label(self) -> str:
        """How it is named on the command line."""
        return f"{SCHEME}{self.to.orbit.name}/{self.to.collection.name}/{self.name}"


@dataclass(frozen=True, slots=True)
class ArtifactQuery:
    """What is asked of the artifacts of an orbit."""

    types: tuple[str, ...] = ("experiment",)
    collection_ids: tuple[str, ...] = ()
    """None stands for all collections."""
    search: str = ""
    sort_by: str = "created_at"
    is_descending: bool = True


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    artifacts: tuple[RegistryArtifact, ...]
    next_cursor: str | None
    """Where the next page begins; None for the last one."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a person says to name an artifact."""

    organization_id: str = ""
    orbit: str = ""
    collection: str = ""
    """Names or ids."""
    artifact_id: str = ""
    name: str = ""


class NotFound(RequestRefused):
    """The registry has no such artifact, or several of that name."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 404)


def reference(word: str) -> Reference | None:
    """Return what a word names: `luml:ORBIT/COLLECTION/NAME`, `luml:ID`, an id, or a page of LUML.

    None stands for a word that is none of these.
    """
    if match := _ADDRESS.match(word):
        organization_id, orbit_id, collection_id, artifact_id = match.groups()
        return Reference(organization_id, orbit_id, collection_id, artifact_id)
    if _ID.fullmatch(word):
        return Reference(artifact_id=word)
    if not word.startswith(SCHEME):
        return None
    parts = word.removeprefix(SCHEME).split("/", 2)
    if len(parts) == 1 and parts[0]:
        return Reference(artifact_id=parts[0])
    if len(parts) == 3 and all(parts):
        return Reference(orbit=parts[0], collection=parts[1], name=parts[2])
    raise NotFound(f"{word!r} is not of the form luml:ORBIT/COLLECTION/NAME or luml:ID")


def page(
    registry: Registry,
    organization: Organization,
    orbit: Orbit,
    query: ArtifactQuery,
    cursor: str | None = None,
) -> ArtifactPage:
    """Return a page of the artifacts of an orbit, in the order that the registry gives them.

    Raises:
        NotAllowed: The key's owner lacks the right artifact.list.
    """
    asked = [
        *(("types", one) for one in query.types),
        *(("collection_ids", one) for one in query.collection_ids),
        ("limit", str(PAGE)),
        ("sort_by", query.sort_by),
        ("order", "desc" if query.is_descending else "asc"),
        *([("search", query.search)] if query.search else []),
        *([("cursor", cursor)] if cursor else []),
    ]
    path = f"{orbit_path(organization.id, orbit.id)}/artifacts?{urlencode(asked)}"
    with needing("artifact.list"):
        rows, next_cursor = answers.page(registry.ask(path))
    return ArtifactPage(tuple(_artifact(row, organization, orbit) for row in rows), next_cursor)


def every(
    registry: Registry, organization: Organization, orbit: Orbit, query: ArtifactQuery
) -> Iterator[RegistryArtifact]:
    """Yield all artifacts of an orbit that a query asks for, page by page."""

    def asked(cursor: str | None) -> tuple[Sequence[RegistryArtifact], str | None]:
        found = page(registry, organization, orbit, query, cursor)
        return found.artifacts, found.next_cursor

    yield from every_page(asked, "artifacts")


def artifact(registry: Registry, place: Destination, artifact_id: str) -> RegistryArtifact:
    """Return one artifact of a collection.

    Raises:
        NotAllowed: The key's owner lacks the right artifact.read.
        RequestRefused: There is no such artifact.
    """
    organization, orbit = place.organization, place.orbit
    path = (
        f"{orbit_path(organization.id, orbit.id)}/collections/{safe(place.collection.id)}"
        f"/artifacts/{safe(artifact_id)}"
    )
    with needing("artifact.read"):
        row = answers.document(registry.ask(path))
    return _artifact(row, organization, orbit)


def find(registry: Registry, wanted: Reference) -> RegistryArtifact:
    """Return the artifact that a person names.

    Raises:
        NotFound: There is none, or there are several of that name.
    """
    if wanted.artifact_id and wanted.collection:
        place = Destination(
            Organization(wanted.organization_id, "", ""),
            Orbit(wanted.orbit, wanted.orbit, "", frozenset()),
            Collection(wanted.collection, wanted.collection, "", ""),
        )
        return artifact(registry, place, wanted.artifact_id)
    found: list[RegistryArtifact] = []
    closed: NotAllowed | None = None
    for organization, orbit in _orbits(registry, wanted.orbit):
        query = ArtifactQuery(("experiment", "model"), search=wanted.name)
        try:
            for one in every(registry, organization, orbit, query):
                if wanted.artifact_id == one.id:
                    return one
                if is_meant(one, wanted):
                    found.append(one)
        except NotAllowed as refused:
            # It may be in another orbit; where it is not, this is why it was not found.
            closed = refused
    if not found and closed is not None:
        raise closed
    if not found:
        what = wanted.artifact_id or f"{wanted.orbit}/{wanted.collection}/{wanted.name}"
        raise NotFound(f"the registry has no artifact {what} that you may see")
    if len(found) > 1:
        ids = ", ".join(f"{one.id} ({one.created_at[:16]})" for one in found[:20])
        raise NotFound(f"{wanted.name!r} is the name of {len(found):,}: give one of the ids {ids}")
    return found[0]


def _orbits(registry: Registry, word: str) -> Iterator[tuple[Organization, Orbit]]:
    """Yield the orbits that a word names, by name or id; all of them for no word."""
    names = []
    for organization in registry.organizations():
        for orbit in registry.orbits(organization.id):
            names.append(orbit.name)
            if not word or word == orbit.id or word.casefold() == orbit.name.casefold():
                yield organization, orbit
                if word == orbit.id:
                    return
    if word and not any(word.casefold() == name.casefold() for name in names):
        known = ", ".join(names[:20]) or "none"
        raise NotFound(f"the registry has no orbit {word!r} that you may see; there are: {known}")


def is_meant(one: RegistryArtifact, wanted: Reference) -> bool:
    """Say whether a person names this artifact by its collection and name."""
    place = one.to.collection
    is_there = wanted.collection == place.id or (
        wanted.collection.casefold() == place.name.casefold()
    )
    return bool(wanted.name) and one.name == wanted.name and is_there


def from_document(row: Document, place: Destination) -> RegistryArtifact:
    """Return an artifact of a place as a document tells of it.

    Raises:
        RegistryBroken: It has no id or no size.
    """
    return _artifact(row, place.organization, place.orbit)


def _artifact(row: Document, organization: Organization, orbit: Orbit) -> RegistryArtifact:
    collection = answers.document(row.get("collection"))
    collection_id = text(row, "collection_id")
    name = text(row, "collection_name") or text(collection, "name") or collection_id
    size = number(row, "size")
    if not text(row, "id") or size is None or size < 0:
        raise RegistryBroken("the registry names an artifact without its id or size")
    return RegistryArtifact(
        id=text(row, "id"),
        name=text(row, "name"),
        type=text(row, "type"),
        status=text(row, "status"),
        size_bytes=size,
        file_hash=text(row, "file_hash"),
        description=text(row, "description"),
        tags=texts(row.get("tags")),
        created_at=text(row, "created_at"),
        created_by=text(row, "created_by_user"),
        to=Destination(
            organization, orbit, Collection(collection_id, name, text(collection, "type"), "")
        ),
        manifest=answers.document(row.get("manifest")),
        members=_members(row.get("file_index")),
    )


def _members(index: JsonValue) -> dict[str, Slice]:
    """Return the places of an index; one that is not a place is left out."""
    return {
        name: Slice(place[0], place[1])
        for name, place in answers.document(index).items()
        if isinstance(place, list) and len(place) == 2
        and isinstance(place[0], int) and isinstance(place[1], int)
    }  # fmt: skip


def when(one: RegistryArtifact) -> datetime | None:
    """Return when an artifact was made; None if the registry does not say it in its usual form."""
    try:
        return datetime.fromisoformat(one.created_at)
    except ValueError:
        return None
