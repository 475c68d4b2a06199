"""The registry's REST interface: one method a call, in the words of its protocol.

Methods block and may be called from any thread. All of them raise RegistryErrors. Those that only
ask, or set what is set already, are tried again when the network fails; what makes an entry is not,
since an answer that got lost would leave a second one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

from flowtui import __version__
from flowtui.registry import answers, http
from flowtui.registry.answers import Document
from flowtui.registry.errors import (
    KeyRefused,
    NotAllowed,
    RegistryBroken,
    RequestRefused,
    Unreachable,
)
from flowtui.registry.values import (
    ADMIN_NEEDED,
    UPLOADED,
    ArtifactType,
    Collection,
    CollectionPage,
    Destination,
    Labels,
    Orbit,
    Organization,
    PendingArtifact,
    RemoteCopy,
    Secret,
    UploadParts,
    UploadTarget,
    text,
)
from flowtui.store.closing import Closes
from flowtui.store.values import JsonValue

if TYPE_CHECKING:
    import httpx

    from flowtui.store.archive.values import ArtifactInfo

DEFAULT_BASE_URL = "https://api.luml.ai"
ANSWER_S = 30.0
"""How long each read and write of a connection to the registry may take."""
PAGE = 100
BROWSING_TRIES = 2
"""How often a question is tried for a person who is looking."""
T = TypeVar("T")
MAX_PAGES = 1_000
"""How many pages of collections are read: a faulty server may always offer another one."""
MAX_COPY_PAGES = 20
"""How many pages of a collection are searched for earlier copies of a run."""


def every_page(
    page: Callable[[str | None], tuple[Sequence[T], str | None]], what: str
) -> Iterator[T]:
    """Yield all of a list, page by page.

    Args:
        page: Asks for the page that a cursor stands for, None for the first, and returns what is
            on it and the cursor of the next, None after the last.
        what: What is listed, for the failure.

    Raises:
        RegistryBroken: There are more pages than there can be.
    """
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        found, next_cursor = page(cursor)
        yield from found
        if next_cursor is None:
            return
        if next_cursor == cursor:
            break
        cursor = next_cursor
    raise RegistryBroken(f"the registry lists {what} without an end")


class Registry(Closes):
    """One LUML server, asked with one key."""

    def __init__(
        self,
        key: Secret,
        base_url: str = DEFAULT_BASE_URL,
        *,
        patience: http.RequestPatience | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare to ask; nothing is sent yet.

        Raises:
            KeyRefused: The key cannot be one.
        """
        self.base_url = base_url.rstrip("/")
        self.patience = patience or http.RequestPatience()
        headers = {
            "Authorization": f"Bearer {checked_key(key.reveal()).reveal()}",
            "User-Agent": f"flow-tui/{__version__}",
        }
        self._client = http.new_client(ANSWER_S, headers, transport)

    def close(self) -> None:
        self._client.close()

    # Where to -------------------------------------------------------------------------------

    def validate_key(self) -> None:
        """Check that the registry knows the key.

        Raises:
            KeyRefused: It does not.
        """
        self._ask("GET", "/v1/auth/api-keys/validate")

    def organizations(self) -> tuple[Organization, ...]:
        """Return the organizations that the key's owner is a member of."""
        rows = answers.documents(self._ask("GET", "/v1/users/me/organizations"))
        return tuple(
            Organization(text(row, "id"), text(row, "name"), text(row, "role")) for row in rows
        )

    def orbits(self, organization_id: str) -> tuple[Orbit, ...]:
        """Return an organization's orbits; `Orbit.why_not` says which take no artifacts."""
        rows = answers.documents(self._ask("GET", f"{_organization(organization_id)}/orbits"))
        return tuple(answers.orbit(row) for row in rows)

    def collections(
        self,
        organization_id: str,
        orbit_id: str,
        kind: ArtifactType | None = "experiment",
        search: str = "",
        cursor: str | None = None,
    ) -> CollectionPage:
        """Return a page of the collections that take a kind of artifact; None stands for all."""
        asked = {"limit": str(PAGE)}
        asked |= {"search": search} if search else {}
        asked |= {"cursor": cursor} if cursor else {}
        path = f"{orbit_path(organization_id, orbit_id)}/collections?{urlencode(asked)}"
        rows, next_cursor = answers.page(self._ask("GET", path))
        found = [answers.collection(row) for row in rows]
        fitting = tuple(one for one in found if kind is None or one.takes(kind))
        return CollectionPage(fitting, next_cursor)

    def all_collections(
        self,
        organization_id: str,
        orbit_id: str,
        kind: ArtifactType | None = "experiment",
        search: str = "",
    ) -> Iterator[Collection]:
        """Yield all of them, page by page.

        Raises:
            RegistryBroken: There are more pages than there can be.
        """

        def page(cursor: str | None) -> tuple[Sequence[Collection], str | None]:
            found = self.collections(organization_id, orbit_id, kind, search, cursor)
            return found.collections, found.next_cursor

        yield from every_page(page, "collections")

    def copies(self, to: Destination, run_id: str) -> tuple[RemoteCopy, ...]:
        """Return the artifacts of a collection that were made of a run, without those that failed.

        Source: manifest.payload.local_experiment_id. An empty answer means that there are none.

        Raises:
            NotAllowed: The key's owner may not list artifacts.
            RequestRefused: The server is without this list, or the collection is too long to be
                looked through.
        """
        found = []
        cursor: str | None = None
        for _ in range(MAX_COPY_PAGES):
            asked = [
                ("types", "experiment"),
                ("collection_ids", to.collection.id),
                ("limit", str(PAGE)),
                *([("cursor", cursor)] if cursor else []),
            ]
            path = f"{orbit_path(to.organization.id, to.orbit.id)}/artifacts?{urlencode(asked)}"
            with needing("artifact.list"):
                rows, next_cursor = answers.page(self._ask("GET", path))
            for row in rows:
                payload = answers.document(answers.document(row.get("manifest")).get("payload"))
                is_there = row.get("status") != "upload_failed"
                if is_there and payload.get("local_experiment_id") == run_id:
                    found.append(answers.copy(row))
            if next_cursor is None:
                return tuple(found)
            if next_cursor == cursor:
                raise RegistryBroken("the registry lists artifacts without an end")
            cursor = next_cursor
        message = (
            f"only the latest {MAX_COPY_PAGES * PAGE:,} artifacts were looked through,"
            f" with {len(found):,} of this run among them"
        )
        raise RequestRefused(message, 200)

    # One artifact ---------------------------------------------------------------------------

    def create_artifact(
        self, to: Destination, labels: Labels, file_name: str, artifact: ArtifactInfo, sha256: str
    ) -> PendingArtifact:
        """Make an entry that waits for its bytes. Asked once: a second try could make a second one.

        Raises:
            RegistryBroken: It failed; whether there is an entry now is not known.
        """
        body: Document = {
            "file_name": file_name,
            "name": _clean(labels.name),
            "description": _clean(labels.description),
            "extra_values": dict(artifact.extra_values),
            "manifest": dict(artifact.manifest),
            "file_hash": sha256,
            "file_index": {
                name: [part.offset, part.size_bytes] for name, part in artifact.members.items()
            },
            "size": artifact.size_bytes,
            "tags": [_clean(tag) for tag in labels.tags],
        }
        try:
            answer = answers.document(self._ask_once("POST", _artifacts(to), body))
        except (Unreachable, RegistryBroken) as failed:
            message = f"{failed}; an entry may have been made all the same: look before you retry"
            raise type(failed)(message) from failed
        details = answers.document(answer.get("upload_details"))
        artifact_id = text(answers.document(answer.get("artifact")), "id")
        target = UploadTarget(
            kind=text(details, "type") or "s3",
            url=Secret(text(details, "url")),
            is_multipart=details.get("multipart") is True,
            bucket_location=text(details, "bucket_location"),
            bucket_secret_id=text(details, "bucket_secret_id"),
        )
        if not artifact_id:
            raise RegistryBroken("the registry's answer names no artifact")
        return PendingArtifact(artifact_id, target)

    def parts(self, target: UploadTarget, size_bytes: int, upload_id: str | None) -> UploadParts:
        """Return how a large file is cut, with fresh URLs; each call returns new ones.

        Raises:
            NotAllowed: The key's owner may not upload files as large as this.
        """
        body: Document = {
            "bucket_id": target.bucket_secret_id,
            "bucket_location": target.bucket_location,
            "size": size_bytes,
        }
        if upload_id is not None:
            body["upload_id"] = upload_id
        try:
            answer = answers.document(
                self._insist("POST", "/v1/bucket-secrets/upload/multipart", body)
            )
        except NotAllowed as refused:
            raise NotAllowed(ADMIN_NEEDED) from refused
        parts = tuple(answers.part(row) for row in answers.documents(answer.get("parts")))
        at = 0
        for part in parts:
            if part.start != at or part.size_bytes <= 0:
                break
            at += part.size_bytes
        if at != size_bytes:
            raise RegistryBroken("the registry cuts the file into parts that do not add up to it")
        return UploadParts(parts, Secret(text(answer, "complete_url")))

    def set_status(self, to: Destination, artifact_id: str, is_uploaded: bool) -> None:
        """Say that an artifact's bytes are there, or that they will not come; both are final.

        Raises:
            RequestRefused: With status 400, it was said before.
        """
        status = UPLOADED if is_uploaded else "upload_failed"
        with needing("artifact.update"):
            self._insist("PATCH", f"{_artifacts(to)}/{safe(artifact_id)}", {"status": status})

    def artifact_status(self, to: Destination, artifact_id: str) -> str:
        """Return what the registry says of an artifact: `pending_upload`, `uploaded` ..."""
        with needing("artifact.read"):
            answer = self._insist("GET", f"{_artifacts(to)}/{safe(artifact_id)}")
        return text(answers.document(answer), "status")

    def download_url(self, to: Destination, artifact_id: str) -> Secret:
        path = f"{_artifacts(to)}/{safe(artifact_id)}/download-url"
        with needing("artifact.read"):
            return Secret(text(answers.document(self._insist("GET", path)), "url"))

    def delete_url(self, to: Destination, artifact_id: str) -> Secret:
        path = f"{_artifacts(to)}/{safe(artifact_id)}/delete-url"
        with needing("artifact.delete"):
            return Secret(text(answers.document(self._insist("GET", path)), "url"))

    def delete_artifact(self, to: Destination, artifact_id: str) -> None:
        """Remove the entry; its bytes must be gone before."""
        self._insist("DELETE", f"{_artifacts(to)}/{safe(artifact_id)}")

    def ask(self, path: str) -> JsonValue:
        """Return the answer to a question that changes nothing."""
        return self._ask("GET", path)

    # Asking ---------------------------------------------------------------------------------

    def _ask(self, method: str, path: str, body: Document | None = None) -> JsonValue:
        """Ask for a person who is looking, and would rather try again than wait."""
        patience = replace(self.patience, tries=min(BROWSING_TRIES, self.patience.tries))
        return patience.retry(lambda: self._ask_once(method, path, body), http.is_passing)

    def _insist(self, method: str, path: str, body: Document | None = None) -> JsonValue:
        """Ask for an upload that is under way."""
        return self.patience.retry(lambda: self._ask_once(method, path, body), http.is_passing)

    def _ask_once(self, method: str, path: str, body: Document | None = None) -> JsonValue:
        # Lone surrogates are not valid UTF-8, and NUL makes the registry fail.
        content = None if body is None else json.dumps(body).encode("ascii")
        headers = {} if body is None else {"Content-Type": "application/json"}
        url = Secret(self.base_url + path)
        answer = http.send(
            self._client,
            method,
            url,
            self.base_url,
            headers=headers,
            content=content,
            patience=self.patience,
        )
        return http.checked(answer, self.base_url)


@contextmanager
def needing(right: str) -> Iterator[None]:
    """Name the right that a refusal is about.

    Raises:
        NotAllowed: The key's owner lacks it.
    """
    try:
        yield
    except NotAllowed as refused:
        message = f"you lack the right {right} there; an owner of the orbit can give it"
        raise NotAllowed(message) from refused


def checked_key(typed: str) -> Secret:
    """Return a key as it is sent, without the blanks around it.

    Raises:
        KeyRefused: It is empty, or has characters that no key has.
    """
    key = typed.strip()
    if not key:
        raise KeyRefused("the key is empty")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise KeyRefused("the key has characters that a key cannot have; copy it again")
    return Secret(key)


def base_url(environ: Mapping[str, str]) -> str:
    """Return where the registry is: LUML_BASE_URL, or LUML's own."""
    return environ.get("LUML_BASE_URL", "").strip().rstrip("/") or DEFAULT_BASE_URL


def _organization(organization_id: str) -> str:
    return f"/v1/organizations/{safe(organization_id)}"


def orbit_path(organization_id: str, orbit_id: str) -> str:
    """Return where an orbit is."""
    return f"{_organization(organization_id)}/orbits/{safe(orbit_id)}"


def _artifacts(to: Destination) -> str:
    orbit = orbit_path(to.organization.id, to.orbit.id)
    return f"{orbit}/collections/{safe(to.collection.id)}/artifacts"


def safe(word: str) -> str:
    """Return an id as a part of a path, so that it cannot lead elsewhere."""
    return quote(word, safe="")


def _clean(words: str) -> str:
    return words.replace("\0", "").encode("utf-8", "replace").decode()
