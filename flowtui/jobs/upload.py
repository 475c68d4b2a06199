"""One upload of a run, its models, or both, sent one after the other and recorded in the store.

It belongs to the app and not to a screen, so it runs whichever screen is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from flowtui import clock
from flowtui import format as fmt
from flowtui.jobs import unconfirmed
from flowtui.registry.errors import KeyRefused, NotConfirmed, RegistryError, UploadCancelled
from flowtui.registry.progress import Phase, Progress
from flowtui.registry.upload import Pack, Uploaded, UploadJob, pack_model, pack_run
from flowtui.registry.values import ArtifactType, Destination, Labels, LeftEntry
from flowtui.store import upload_record
from flowtui.store.errors import StoreError
from flowtui.store.uploaded import LocalType
from flowtui.store.values import Model, Run

if TYPE_CHECKING:
    from flowtui.registry.client import Registry
    from flowtui.store.store import Store
    from flowtui.widgets.frame.frame import UploadMark

NOT_VERIFIED = "the storage took all bytes, but what it has could not be looked at"
LEAVE_S = 0.2
"""How long each of the two steps of closing may take when the app is leaving."""


class UploadOutcome(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It can be resumed where it stopped."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Parcel:
    """The models that go with an upload."""

    models: tuple[Model, ...] = ()
    embeds: bool = False
    """Whether the run's record goes into its only model, so that both are one artifact."""

    @property
    def kinds(self) -> tuple[ArtifactType, ...]:
        """The artifact types that a collection has to accept."""
        if self.embeds:
            return ("model",)
        return ("experiment", "model") if self.models else ("experiment",)


@dataclass(frozen=True, slots=True)
class UploadItem:
    """One artifact to upload."""

    kind: LocalType
    local_id: str
    labels: Labels
    pack: Pack


@dataclass(frozen=True, slots=True)
class Plan:
    """What to upload, and where to."""

    run_id: str
    to: Destination
    items: tuple[UploadItem, ...]
    noted_as: tuple[tuple[LocalType, str], ...]
    """The records that are marked as uploaded with the first item, besides that item itself."""


@dataclass(frozen=True, slots=True)
class UploadState:
    """The state of an upload at one moment."""

    outcome: UploadOutcome
    progress: Progress
    number: int
    """The number of the item that is being uploaded, from 1."""
    item_count: int
    title: str
    """The name of that item."""
    problem: str = ""
    needs_key: bool = False


def plan(store: Store, run: Run, to: Destination, labels: Labels, parcel: Parcel) -> Plan:
    """Return the plan of an upload; nothing is read from the store yet."""
    models = [
        UploadItem(
            LocalType.MODEL,
            model.id,
            Labels(model.name, model.description or "", model.tags),
            pack_model(store, model),
        )
        for model in parcel.models
    ]
    experiment = UploadItem(LocalType.EXPERIMENT, run.id, labels, pack_run(store, run.id))
    items = [experiment, *models]
    noted_as: tuple[tuple[LocalType, str], ...] = ()
    if parcel.embeds:
        (model,) = parcel.models
        items = [UploadItem(LocalType.MODEL, model.id, labels, pack_model(store, model, run.id))]
        noted_as = ((LocalType.EXPERIMENT, run.id),)
    return Plan(run.id, to, tuple(items), noted_as)


class Upload:
    """Carries out a plan.

    `run` blocks and belongs in a thread; everything else may be called from any thread.
    """

    def __init__(self, registry: Registry, store: Store, plan: Plan) -> None:
        self.plan = plan
        self._registry = registry
        self._store = store
        self._job: UploadJob | None = None
        self._cancel = threading.Event()
        self._at_rest = threading.Event()
        self._at_rest.set()
        self._outcome = UploadOutcome.RUNNING
        self.error: RegistryError | StoreError | None = None
        """What the last `run` failed with."""
        self._done: list[Uploaded] = []
        self._unsettled: list[str] = []
        self._unconfirmed: str | None = None
        """The id of an entry that is remembered, so that it can be confirmed later."""

    @property
    def done(self) -> Sequence[Uploaded]:
        """The items that are in the registry by now, in the order of the plan."""
        return tuple(self._done)

    @property
    def notes(self) -> Sequence[str]:
        """What is to be known about how it ended, in sentences."""
        return (*(note for done in self._done for note in _shortcomings(done)), *self._unsettled)

    @property
    def unsettled(self) -> Sequence[str]:
        """Of that, what could not be noted in the store or told the registry."""
        return tuple(self._unsettled)

    @property
    def is_running(self) -> bool:
        return self._outcome is UploadOutcome.RUNNING

    @property
    def state(self) -> UploadState:
        items = self.plan.items
        at = min(len(self._done), len(items) - 1)
        job = self._job
        return UploadState(
            self._outcome,
            Progress() if job is None else job.progress,
            at + 1,
            len(items),
            items[at].labels.name,
            "" if self.error is None else fmt.plain(str(self.error), 500),
            isinstance(self.error, KeyRefused) or isinstance(_cause(self.error), KeyRefused),
        )

    def run(self) -> UploadOutcome:
        """Upload the items that are missing, record them in the store, and return the outcome."""
        self._at_rest.clear()
        self._cancel.clear()
        self._outcome, self.error = UploadOutcome.RUNNING, None
        outcome = UploadOutcome.FAILED
        try:
            for item in self.plan.items[len(self._done) :]:
                self._carry_out(item)
            outcome = UploadOutcome.DONE
        except UploadCancelled:
            outcome = UploadOutcome.CANCELLED
        except (RegistryError, StoreError) as error:
            self.error = error
            if isinstance(error, NotConfirmed):
                self._keep_unconfirmed()
        finally:
            if outcome is not UploadOutcome.DONE and not self._done:
                self._note(lambda: upload_record.record_failure(self._store.meta, self.plan.run_id))
            self._outcome = outcome
            self._at_rest.set()
        return outcome

    def cancel(self) -> None:
        """Make `run` end within a second; call this until it has ended.

        A job that has not begun forgets a call that comes too early.
        """
        self._cancel.set()
        if (job := self._job) is not None:
            job.cancel()

    @property
    def is_cancelling(self) -> bool:
        return self._cancel.is_set() and self.is_running

    def use(self, registry: Registry) -> None:
        """Use another key from the next `run` on."""
        self._registry = registry
        if self._job is not None:
            self._job.use(registry)

    def close(self, wait_s: float = LEAVE_S, discards: bool = False) -> bool:
        """End it for good: remove the entry of an unfinished item, and delete the packed files.

        Args:
            wait_s: How long to wait for `run` to end, and then for the registry's answer.
            discards: Whether an entry that only lacks its confirmation is removed, too.

        Returns:
            Whether the registry has answered by then; if not, a thread goes on trying.
        """
        self.cancel()
        self._at_rest.wait(wait_s)
        job, self._job = self._job, None
        if job is None:
            return True
        job.close(wait_s, discards)
        if discards and self._unconfirmed is not None:
            unconfirmed.forget(self._unconfirmed)
        self._unsettled += [_stays(left) for left in job.left]
        return job.is_settled

    def _carry_out(self, item: UploadItem) -> None:
        if self._job is None:
            self._job = UploadJob(
                self._registry, self.plan.to, item.labels, item.pack, item.local_id
            )
        if self._cancel.is_set():
            raise UploadCancelled("the upload was cancelled")
        done = self._job.run()
        now = clock.now()
        noted = [(item.kind, item.local_id), *(self.plan.noted_as if not self._done else ())]
        for kind, local_id in noted:
            self._note_uploaded(kind, local_id, done, now)
        unconfirmed.forget(done.artifact_id)
        job, self._job = self._job, None
        self._done.append(done)
        job.close()
        self._unsettled += [_stays(left) for left in job.left]

    def _keep_unconfirmed(self) -> None:
        """Remember the entry that only lacks its confirmation."""
        job = self._job
        if job is None or job.unconfirmed is None or job.artifact is None:
            return
        item = self.plan.items[len(self._done)]
        self._unconfirmed = job.unconfirmed
        unconfirmed.keep(
            unconfirmed.Unconfirmed(
                self._registry.base_url,
                job.unconfirmed,
                item.labels.name,
                job.artifact.size_bytes,
                self.plan.to,
                self._store.directory,
                self.plan.run_id,
                ((item.kind, item.local_id), *(self.plan.noted_as if not self._done else ())),
            )
        )

    def _note_uploaded(self, kind: LocalType, local_id: str, done: Uploaded, now: datetime) -> None:
        orbit_id = self.plan.to.orbit.id
        self._note(
            lambda: upload_record.record_upload(
                self._store.meta, kind, local_id, orbit_id, done.artifact_id, now
            )
        )

    def _note(self, write: Callable[[], None]) -> None:
        """Record the outcome in the store; a store that cannot be written fails no upload."""
        try:
            write()
        except StoreError as error:
            self._unsettled.append(f"not noted in the store: {fmt.plain(str(error), 300)}")


def _shortcomings(done: Uploaded) -> list[str]:
    why = fmt.plain(done.why_not_verified, 300)
    notes = [] if done.is_verified else [f"{NOT_VERIFIED}: {why}"]
    if done.missing_attachments:
        missing = fmt.count(len(done.missing_attachments), "attachment")
        notes.append(f"{missing} stayed out: their files are missing")
    return notes


def _stays(left: LeftEntry) -> str:
    name = fmt.plain(left.name, 80)
    return (
        f"the entry {name} ({fmt.plain(left.id, 80)}) stays in the registry and counts toward the"
        f" organization's limit: {fmt.plain(left.why, 300)}"
    )


def _cause(error: Exception | None) -> BaseException | None:
    return None if error is None else error.__cause__


def mark(state: UploadState, run_id: str) -> UploadMark:
    """Return what the frame says of an upload."""
    # A command uploads without any screen.
    from flowtui.widgets.frame.frame import UploadMark

    if state.outcome is UploadOutcome.FAILED:
        return UploadMark(run_id, ("✗ upload failed  U",), is_failed=True)
    now = state.progress
    item = f" {state.number}/{state.item_count}" if state.item_count > 1 else ""
    fraction = "" if now.fraction is None else f" {int(100 * now.fraction)} %"
    step = "" if now.phase is Phase.SENDING else f" {now.phase}"
    words = [f"↑{item}{step}{fraction}"]
    if now.phase is Phase.SENDING:
        words += speed(now)
    return UploadMark(run_id, tuple(words))


def speed(now: Progress) -> list[str]:
    """Return rate and time left, as far as they are known."""
    if not now.rate_bytes_s or not now.left_s:
        return []
    left_s = max(round(now.left_s), 1)
    left = f"{left_s} s" if left_s < 10 else fmt.duration(left_s)
    return [f"{fmt.size(round(now.rate_bytes_s))}/s", f"{left} left"]
