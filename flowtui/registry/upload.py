"""One artifact from the store to the registry: packed, entered, sent, verified, confirmed.

Whatever happens, the entry in the registry ends as what it is: `uploaded` once the storage was seen
to hold all bytes; else it is removed, or, where that is not allowed, stays as `upload_failed`. What
the network breaks can go on from where it was; what was cancelled begins with a new entry, since a
failed one stays failed. An entry that has all its bytes and could not be confirmed is kept.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from flowtui import temporary
from flowtui.registry.client import Registry
from flowtui.registry.errors import (
    EntrySpent,
    NotAllowed,
    NotConfirmed,
    NotVerified,
    RegistryError,
    RequestRefused,
    UploadCancelled,
    UrlExpired,
)
from flowtui.registry.progress import Meter, Phase, Progress
from flowtui.registry.sending import MAX_FRESH_URLS, Sending
from flowtui.registry.storage import Storage
from flowtui.registry.threads import interruptible
from flowtui.registry.values import UPLOADED, Destination, Labels, LeftEntry, PendingArtifact
from flowtui.store.archive import models, packing
from flowtui.store.archive.values import ArtifactError, ArtifactInfo, OnProgress
from flowtui.store.cancelling import Cancelled
from flowtui.store.closing import Closes
from flowtui.store.errors import ReadCancelled, StoreError
from flowtui.store.values import Model

if TYPE_CHECKING:
    from flowtui.store.store import Store

T = TypeVar("T")

Pack: TypeAlias = Callable[[Path, Cancelled, OnProgress], ArtifactInfo]
"""Makes an artifact at a path, or names one that is there already."""
SETTLE_S = 5.0
"""How long closing waits for the registry to accept that an entry has failed."""
_MAX_FILE_NAME = 120


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An artifact that is in the registry."""

    artifact_id: str
    to: Destination
    size_bytes: int
    missing_attachments: tuple[str, ...]
    why_not_verified: str = ""
    """Why it could not be seen whether the storage has all of it; empty if it was seen."""

    @property
    def is_verified(self) -> bool:
        return not self.why_not_verified


def pack_run(store: Store, run_id: str) -> Pack:
    """Return a function that packs a run."""
    return lambda path, cancelled, progress: packing.write_artifact(
        store, run_id, path, cancelled, progress
    )


def pack_model(store: Store, model: Model, run_id: str | None = None) -> Pack:
    """Return a function that packs a logged model: its file alone, or with a run's record in it."""
    if run_id is None:
        return lambda path, cancelled, progress: models.model_artifact(store, model)
    return lambda path, cancelled, progress: models.write_model_artifact(
        store, run_id, model, path, cancelled, progress
    )


def file_name(word: str) -> str:
    """Return a name that the registry takes, made of an id or of a file's name."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", word.removesuffix(".luml")).strip(".-")
    return f"{stem[:_MAX_FILE_NAME] or 'artifact'}.luml"


class UploadJob(Closes):
    """Uploads one artifact; `run` blocks and belongs in a thread, all else may be called anywhere.

    Call `run` again after a failure: it goes on from where it was. `close` ends it for good.
    """

    def __init__(
        self,
        registry: Registry,
        to: Destination,
        labels: Labels,
        pack: Pack,
        name: str,
        storage: Storage | None = None,
    ) -> None:
        """Prepare to upload; nothing is read or sent yet.

        Args:
            registry: Has a key that was validated, and stays open.
            to: Where the artifact goes.
            labels: What is said about it.
            pack: What makes it (`pack_run`, `pack_model`).
            name: The file's, before `file_name` has made it fit.
            storage: What sends the bytes; one of its own unless given.
        """
        self._registry = registry
        self._to = to
        self._labels = labels
        self._pack = pack
        self._file_name = file_name(name)
        self._storage = storage or Storage(registry.patience)
        self._meter = Meter()
        self._cancel = threading.Event()
        self._folder: Path | None = None
        self._artifact: ArtifactInfo | None = None
        self._sha256 = ""
        self._pending: PendingArtifact | None = None
        self._sending: Sending | None = None
        self._is_sent = False
        self._is_kept = False
        """Whether the entry has all its bytes and only lacks its confirmation."""
        self._settling: list[threading.Thread] = []
        self._left: dict[str, LeftEntry] = {}

    @property
    def progress(self) -> Progress:
        """How far it is, now."""
        return self._meter.read()

    @property
    def artifact(self) -> ArtifactInfo | None:
        """What is sent, once it is packed."""
        return self._artifact

    @property
    def left(self) -> tuple[LeftEntry, ...]:
        """The entries that stay in the registry, or are still being removed."""
        return tuple(self._left.copy().values())

    @property
    def unconfirmed(self) -> str | None:
        """The id of the entry, if all its bytes are there and only its confirmation is missing."""
        return self._pending.id if self._is_kept and self._pending is not None else None

    @property
    def is_settled(self) -> bool:
        """Whether nothing is asked of the registry any more."""
        return not any(thread.is_alive() for thread in self._settling)

    def use(self, registry: Registry) -> None:
        """Replace a key that is no longer good, between two calls of `run`."""
        self._registry = registry

    def cancel(self) -> None:
        """Make `run` end within a second; its entry is then removed or marked as failed."""
        self._cancel.set()

    def run(self) -> Uploaded:
        """Upload, or go on with it, and return where it is now.

        Raises:
            UploadCancelled: The upload was cancelled.
            RegistryError: Something went wrong; `run` may be called again.
            StoreError: The run or model could not be packed.
        """
        self._cancel.clear()
        try:
            artifact = self._packed()
            why_not_verified = self._deliver(artifact)
        except (UploadCancelled, ReadCancelled):
            self._leave_entry()
            self._meter.enter(Phase.CANCELLED)
            raise UploadCancelled("the upload was cancelled") from None
        except (RegistryError, StoreError):
            self._meter.enter(Phase.FAILED)
            raise
        assert self._pending is not None
        done = Uploaded(
            self._pending.id,
            self._to,
            artifact.size_bytes,
            artifact.missing_attachments,
            why_not_verified,
        )
        self._pending = None
        self._meter.enter(Phase.DONE, artifact.size_bytes, artifact.size_bytes)
        return done

    def close(self, wait_s: float = SETTLE_S, discards: bool = False) -> None:
        """Remove an entry that is not finished, or mark it as failed, and remove what was packed.

        Args:
            wait_s: How long the registry may take for that.
            discards: Whether an entry that only lacks its confirmation goes, too.
        """
        self._cancel.set()
        if discards or not self._is_kept:
            self._leave_entry()
        for thread in self._settling:
            thread.join(wait_s)
        if self.is_settled:
            self._storage.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    # The steps ------------------------------------------------------------------------------

    def _packed(self) -> ArtifactInfo:
        if self._artifact is None:
            self._meter.enter(Phase.PACKING)
            if self._folder is None:
                try:
                    self._folder = Path(tempfile.mkdtemp(prefix="flow-tui-"))
                except OSError as error:
                    why = temporary.why_not(error)
                    raise ArtifactError(f"it cannot be packed: {why}") from error
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            path = self._folder / self._file_name
            self._artifact = self._pack(path, self._cancel.is_set, self._meter.set)
        if not self._sha256:
            self._meter.enter(Phase.HASHING)
            path = self._artifact.path
            self._sha256 = packing.sha256(path, self._cancel.is_set, self._meter.set)
        return self._artifact

    def _deliver(self, artifact: ArtifactInfo) -> str:
        try:
            self._send(artifact)
        except UrlExpired:
            if self._sending is None or self._sending.is_begun:
                raise
            # The URL of an entry cannot be renewed: another entry has to take its place.
            self._leave_entry()
            self._send(artifact)
        except NotAllowed:
            # Trying again does not give more rights.
            self._leave_entry()
            raise
        return self._finish(artifact)

    def _send(self, artifact: ArtifactInfo) -> None:
        if self._pending is None:
            self._meter.enter(Phase.CREATING)
            if why := self._to.why_too_large(artifact.size_bytes):
                raise NotAllowed(why)
            self._pending = interruptible(
                lambda: self._registry.create_artifact(
                    self._to, self._labels, self._file_name, artifact, self._sha256
                ),
                self._cancel.is_set,
                self._settle,
                self._settling.append,
            )
        if self._is_sent:
            return
        if self._sending is None:
            self._sending = Sending(self._pending.target, artifact.path, artifact.size_bytes)
        sending = self._sending
        self._meter.enter(Phase.SENDING, artifact.size_bytes, sending.sent_bytes)
        is_left = threading.Event()

        def must_end() -> bool:
            return is_left.is_set() or self._cancel.is_set()

        try:
            self._wait(
                lambda: sending.carry_out(self._registry, self._storage, self._meter, must_end)
            )
        finally:
            # A thread that was left must not go on when the next try clears the cancelling.
            is_left.set()
        self._is_sent = True

    def _finish(self, artifact: ArtifactInfo) -> str:
        """Verify and confirm; return why it could not be verified, empty if it could."""
        why_not = self._verified(artifact)
        self._meter.enter(Phase.CONFIRMING)
        try:
            self._wait(self._confirm)
        except UploadCancelled:
            raise
        except EntrySpent:
            self._leave_entry()
            raise
        except RegistryError as failed:
            assert self._pending is not None
            self._is_kept = True
            raise NotConfirmed(
                f"all bytes of {self._labels.name} ({self._pending.id}) are there, and only their"
                f" confirmation is missing: {failed}"
            ) from failed
        # Some servers tell where a file is only once it is confirmed.
        return self._verified(artifact) if why_not else ""

    def _verified(self, artifact: ArtifactInfo) -> str:
        """Compare what the storage has with what was sent; return why that is not possible.

        Raises:
            NotVerified: The storage does not have all of it.
        """
        self._meter.enter(Phase.VERIFYING)
        try:
            size = self._wait(self._stored_bytes)
        except (NotAllowed, RequestRefused) as refused:
            if self._is_acknowledged:
                return str(refused)
            self._leave_entry()
            message = f"the storage has not said that it has all of it, nor may you look: {refused}"
            raise NotVerified(message) from refused
        if size != artifact.size_bytes:
            self._leave_entry()
            raise NotVerified(
                f"the storage holds {size:,} of {artifact.size_bytes:,} bytes; upload it again"
            )
        return ""

    @property
    def _is_acknowledged(self) -> bool:
        return self._sending is None or self._sending.is_acknowledged

    def _stored_bytes(self) -> int:
        """Return how many bytes the storage holds; a URL that is too old is asked for anew."""
        assert self._pending is not None
        for _ in range(MAX_FRESH_URLS):
            url = self._registry.download_url(self._to, self._pending.id)
            try:
                return self._storage.size_bytes(url)
            except UrlExpired as expired:
                failure = expired
        raise failure

    def _confirm(self) -> None:
        assert self._pending is not None
        try:
            self._registry.set_status(self._to, self._pending.id, is_uploaded=True)
        except RequestRefused as refused:
            if refused.status != 400:
                raise
            # An earlier try may have got through and its answer got lost.
            status = self._registry.artifact_status(self._to, self._pending.id)
            if status != UPLOADED:
                message = (
                    f"the registry says {status} of it by now, which is final; upload it again"
                )
                raise EntrySpent(message, refused.status) from refused

    def _wait(self, ask: Callable[[], T]) -> T:
        return interruptible(ask, self._cancel.is_set)

    # Endings --------------------------------------------------------------------------------

    def _leave_entry(self) -> None:
        """Begin to remove the entry, if there is one, without waiting for it."""
        pending, self._pending = self._pending, None
        self._sending, self._is_sent, self._is_kept = None, False, False
        if pending is not None:
            thread = threading.Thread(target=self._settle, args=(pending,), daemon=True)
            self._settling.append(thread)
            thread.start()

    def _settle(self, pending: PendingArtifact) -> None:
        """Mark an entry as failed, and remove it where that is allowed.

        Failed entries count toward the number of artifacts that an organization may have.
        """

        def note(why: str) -> None:
            self._left[pending.id] = LeftEntry(self._labels.name, pending.id, why)

        note("the registry has not answered yet")
        try:
            # One that is marked already, as anything but pending, can be removed all the same.
            with suppress(RequestRefused, NotAllowed):
                self._registry.set_status(self._to, pending.id, is_uploaded=False)
            if not self._to.orbit.may("delete"):
                note("you lack the right artifact.delete")
                return
            self._storage.delete(self._registry.delete_url(self._to, pending.id))
            self._registry.delete_artifact(self._to, pending.id)
        except RegistryError as error:
            note(str(error))
        else:
            del self._left[pending.id]
