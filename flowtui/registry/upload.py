"""One artifact from the store to the registry: packed, entered, sent, verified, confirmed.

Whatever happens, the entry in the registry ends as what it is: `uploaded` once the storage was seen
to hold all bytes, else `upload_failed`. What the network breaks can go on from where it was; what
was cancelled begins with a new entry, since a failed one stays failed.
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
    NotAllowed,
    NotVerified,
    RegistryError,
    RequestRefused,
    UploadCancelled,
    UrlExpired,
)
from flowtui.registry.progress import Meter, Phase, Progress
from flowtui.registry.sending import Sending
from flowtui.registry.storage import Storage
from flowtui.registry.threads import interruptible
from flowtui.registry.values import Destination, Labels, PendingArtifact
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
    is_verified: bool
    """False where the key's owner may not read what was sent; the storage took all of it."""
    missing_attachments: tuple[str, ...]


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
        self._settling: list[threading.Thread] = []
        self._unsettled: list[str] = []

    @property
    def progress(self) -> Progress:
        """How far it is, now."""
        return self._meter.read()

    @property
    def artifact(self) -> ArtifactInfo | None:
        """What is sent, once it is packed."""
        return self._artifact

    @property
    def left_pending(self) -> tuple[str, ...]:
        """Ids of entries that could not be marked as failed; they claim nothing, and stay."""
        return tuple(self._unsettled)

    def use(self, registry: Registry) -> None:
        """Replace a key that is no longer good, between two calls of `run`."""
        self._registry = registry

    def cancel(self) -> None:
        """Make `run` end within a second; its entry is then marked as failed."""
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
            is_verified = self._deliver(artifact)
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
            is_verified,
            artifact.missing_attachments,
        )
        self._pending = None
        self._meter.enter(Phase.DONE, artifact.size_bytes, artifact.size_bytes)
        return done

    def close(self, wait_s: float = SETTLE_S) -> None:
        """Mark an entry that is not finished as failed, and remove what was packed.

        Args:
            wait_s: How long the registry may take for that.
        """
        self._cancel.set()
        self._leave_entry()
        for thread in self._settling:
            thread.join(wait_s)
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

    def _deliver(self, artifact: ArtifactInfo) -> bool:
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
            self._pending = interruptible(
                lambda: self._registry.create_artifact(
                    self._to, self._labels, self._file_name, artifact, self._sha256
                ),
                self._cancel.is_set,
                self._mark_failed,
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

    def _finish(self, artifact: ArtifactInfo) -> bool:
        """Verify and confirm; return whether it could be verified."""
        self._meter.enter(Phase.VERIFYING)
        size = self._wait(self._stored_bytes)
        if size is not None and size != artifact.size_bytes:
            self._leave_entry()
            raise NotVerified(_unlike(size, artifact))
        self._meter.enter(Phase.CONFIRMING)
        self._wait(self._confirm)
        if size is not None:
            return True
        # Some servers tell where a file is only once it is confirmed.
        self._meter.enter(Phase.VERIFYING)
        size = self._wait(self._stored_bytes)
        if size is not None and size != artifact.size_bytes:
            self._discard()
            raise NotVerified(_unlike(size, artifact))
        return size is not None

    def _stored_bytes(self) -> int | None:
        """Return how many bytes the storage holds, None where the registry does not allow looking.

        No file at all is 0 bytes.
        """
        assert self._pending is not None
        try:
            url = self._registry.download_url(self._to, self._pending.id)
        except (NotAllowed, RequestRefused):
            return None
        return self._storage.size_bytes(url) or 0

    def _confirm(self) -> None:
        assert self._pending is not None
        try:
            self._registry.set_status(self._to, self._pending.id, is_uploaded=True)
        except RequestRefused as refused:
            # An earlier try got through and its answer got lost: nobody else sets the status.
            if refused.status != 400:
                raise

    def _wait(self, ask: Callable[[], T]) -> T:
        return interruptible(ask, self._cancel.is_set)

    # Endings --------------------------------------------------------------------------------

    def _leave_entry(self) -> None:
        """Begin marking the entry as failed, if there is one, without waiting for it."""
        pending, self._pending = self._pending, None
        self._sending, self._is_sent = None, False
        if pending is not None:
            thread = threading.Thread(target=self._mark_failed, args=(pending,), daemon=True)
            self._settling.append(thread)
            thread.start()

    def _mark_failed(self, pending: PendingArtifact) -> None:
        self._unsettled.append(pending.id)
        with suppress(RegistryError):
            self._registry.set_status(self._to, pending.id, is_uploaded=False)
            self._unsettled.remove(pending.id)

    def _discard(self) -> None:
        """Remove an entry that says it is uploaded and is not."""
        pending, self._pending = self._pending, None
        self._sending, self._is_sent = None, False
        assert pending is not None
        with suppress(RegistryError):
            self._storage.delete(self._registry.delete_url(self._to, pending.id))
            self._registry.delete_artifact(self._to, pending.id)


def _unlike(size: int, artifact: ArtifactInfo) -> str:
    return f"the storage holds {size:,} of {artifact.size_bytes:,} bytes; upload it again"
