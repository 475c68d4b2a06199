"""`flow-tui upload`: a run into a collection of the registry, without a screen."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Protocol, TypeVar

from flowtui import clock, person
from flowtui import format as fmt
from flowtui.cli.asking import require_yes
from flowtui.cli.export import tell_missing
from flowtui.cli.progress_line import Cancel, ProgressLine, signals_as_cancel
from flowtui.jobs import unconfirmed
from flowtui.jobs.upload import NOT_VERIFIED, Parcel, Upload, UploadOutcome, plan
from flowtui.registry.client import Registry, base_url
from flowtui.registry.credentials import require_key
from flowtui.registry.errors import (
    NotAllowed,
    NotConfirmed,
    RegistryBroken,
    RegistryError,
    RequestRefused,
    Unreachable,
)
from flowtui.registry.progress import Phase
from flowtui.registry.upload import SETTLE_S, Uploaded
from flowtui.registry.values import ArtifactType, Collection, Destination, Labels, RemoteCopy
from flowtui.reports.usage import WrongUsage
from flowtui.store import models as logged_models
from flowtui.store import upload_record
from flowtui.store.archive import models as archive_models
from flowtui.store.archive import packing
from flowtui.store.errors import StoreError
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation

NAMES_SHOWN = 20
PROGRESS_EVERY_S = 0.1


class _Named(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What the command line says about an upload."""

    organization: str | None = None
    orbit: str | None = None
    collection: str | None = None
    """Names or ids; None where there is only one to choose."""
    name: str | None = None
    """The artifact's name; the run's unless given."""
    description: str | None = None
    tags: tuple[str, ...] | None = None
    """What is said of it; what the run says unless given."""
    model: str | None = None
    """The logged model, by name or id, into which the run's record goes, as one artifact."""
    yes: bool = False
    as_json: bool = False


def upload(store: Store, run: OpenRun, wanted: UploadRequest) -> None:
    """Upload a run and print where it is.

    Raises:
        StoreError: The run cannot be packed.
        RegistryError: The registry or its storage did not take it.
        WrongUsage: The destination is not clear, or nobody can be asked.
    """
    credential = require_key(os.environ, person.cwd(), person.home())
    cancel = Cancel()
    line = ProgressLine()
    with ExitStack() as stack:
        registry = stack.enter_context(Registry(credential.key, base_url(os.environ)))
        line.show(f"Asking {registry.base_url}, with the key from {credential.source}")
        stack.callback(line.end)
        registry.validate_key()
        parcel = _parcel(store, run, wanted.model)
        (kind,) = parcel.kinds
        to = _destination(registry, wanted, kind)
        line.end()
        _check_size(store, run, to, parcel)
        _ask_first(registry, to, store, run, wanted.yes)
        said = wanted.description, run.row.description
        labels = Labels(
            wanted.name or run.name,
            next((text for text in said if text is not None), ""),
            run.row.tags if wanted.tags is None else wanted.tags,
        )
        job = Upload(registry, store, plan(store, run.row, to, labels, parcel))
        stack.callback(job.close, SETTLE_S)
        stack.enter_context(signals_as_cancel(cancel))
        outcome = _carried_out(job, cancel, line)
        if outcome is not UploadOutcome.DONE:
            job.close(SETTLE_S)
        for note in job.unsettled:
            print(note, file=sys.stderr)
        if outcome is UploadOutcome.CANCELLED:
            print("flow-tui: cancelled", file=sys.stderr)
            sys.exit(cancel.exit_code)
        if isinstance(job.error, NotConfirmed):
            raise NotConfirmed(
                f"{job.error}; `flow-tui upload --resume` confirms it"
            ) from job.error
        if job.error is not None:
            raise job.error
    (done,) = job.done
    _tell(done, labels, wanted.as_json)


def _carried_out(job: Upload, cancel: Cancel, line: ProgressLine) -> UploadOutcome:
    """Run a job in a thread, so that this one can show how far it is and take signals."""
    thread = threading.Thread(target=job.run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(PROGRESS_EVERY_S)
        now = job.state.progress
        if not now.phase.is_over and now.phase is not Phase.WAITING:
            step = now.phase.capitalize()
            line.show(step, now.done_bytes, now.total_bytes, now.rate_bytes_s)
        if cancel.is_set():
            job.cancel()
    line.end()
    return job.state.outcome


def resume() -> None:
    """Confirm the uploads whose bytes are all in the registry, and note them in their stores.

    Raises:
        RegistryError: One could not be confirmed.
    """
    credential = require_key(os.environ, person.cwd(), person.home())
    with Registry(credential.key, base_url(os.environ)) as registry:
        entries = unconfirmed.entries(registry.base_url)
        if not entries:
            print("no upload waits for its confirmation", file=sys.stderr)
        failed: RegistryError | None = None
        for entry in entries:
            try:
                unconfirmed.confirm(registry, entry)
            except RegistryError as error:
                # One that is gone for good must not keep the others from being confirmed.
                if failed is not None:
                    print(f"flow-tui: {fmt.plain(str(failed), 2_000)}", file=sys.stderr)
                failed = error
                continue
            _note_resumed(entry)
            where, name = fmt.plain(entry.to.path, 300), fmt.plain(entry.name, 80)
            print(f"uploaded to {where}  {entry.artifact_id}  {name}")
        if failed is not None:
            raise failed


def _note_resumed(entry: unconfirmed.Unconfirmed) -> None:
    try:
        with closing(Store(StoreLocation(entry.store, "an upload"))) as store:
            for kind, local_id in entry.noted_as:
                upload_record.record_upload(
                    store.meta, kind, local_id, entry.to.orbit.id, entry.artifact_id, clock.now()
                )
    except StoreError as error:
        print(f"not noted in the store: {fmt.plain(str(error), 300)}", file=sys.stderr)


def _parcel(store: Store, run: OpenRun, word: str | None) -> Parcel:
    """Return what is uploaded: the run alone, or inside the model that a word names."""
    if word is None:
        return Parcel()
    known = store.ask(logged_models.models, run.id) or ()
    if not known:
        raise WrongUsage(f"--model {word!r}: the run has no logged models")
    return Parcel((_chosen(known, word, "model", ""),), embeds=True)


def _check_size(store: Store, run: OpenRun, to: Destination, parcel: Parcel) -> None:
    """Refuse what the key's owner may not send, as far as its size is known before it is packed.

    Raises:
        NotAllowed: A file is certain to be too large.
    """
    attached = packing.contents(store, run.id).attachment_bytes
    in_models = sum(
        archive_models.model_path(store, model).stat().st_size for model in parcel.models
    )
    if why := to.why_too_large(attached + in_models):
        raise NotAllowed(why)


def _destination(registry: Registry, wanted: UploadRequest, kind: ArtifactType) -> Destination:
    organization = _chosen(
        registry.organizations(), wanted.organization, "organization", "you are a member of none"
    )
    orbits = registry.orbits(organization.id)
    orbit = _chosen(orbits, wanted.orbit, "orbit", "there is none that you may see")
    if orbit.why_not:
        raise WrongUsage(f"orbit {orbit.name}: {orbit.why_not}")
    known = tuple(registry.all_collections(organization.id, orbit.id, None))
    fitting = [one for one in known if one.takes(kind)]
    _check_type(known, fitting, wanted.collection, kind)
    collection = _chosen(
        fitting,
        wanted.collection,
        "collection",
        f"there is none that takes {kind}s; make one in LUML, of type {kind} or mixed",
    )
    return Destination(organization, orbit, collection)


def _check_type(
    known: Sequence[Collection], fitting: Sequence[Collection], word: str | None, kind: ArtifactType
) -> None:
    """Refuse a word that names only collections of another type.

    Raises:
        WrongUsage: It does, and what types they are.
    """
    folded = "" if word is None else word.casefold()
    named = [one for one in known if word == one.id or folded == one.name.casefold()]
    if named and not any(one in fitting for one in named):
        types = " and ".join(dict.fromkeys(one.type for one in named))
        raise WrongUsage(
            f"--collection {word!r} is there, and takes {types}, not {kind}: {_names(fitting)}"
            if fitting
            else f"--collection {word!r} is there, and takes {types}, not {kind}"
        )


def _chosen(choices: Iterable[N], word: str | None, what: str, if_none: str) -> N:
    """Return the one that a word names, by id or name; the only one where there is no word."""
    known: Sequence[N] = tuple(choices)
    if not known:
        raise RequestRefused(f"no {what} to upload to: {if_none}", 404)
    if word is None:
        if len(known) == 1:
            return known[0]
        raise WrongUsage(f"give --{what}: {_names(known)}")
    for matches in (
        [one for one in known if one.id == word],
        [one for one in known if one.name == word],
        [one for one in known if one.name.casefold() == word.casefold()],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            ids = ", ".join(one.id for one in matches)
            raise WrongUsage(f"--{what} {word!r} is the name of several: give one of {ids}")
    raise WrongUsage(f"--{what} {word!r} is not one of these: {_names(known)}")


def _names(known: Sequence[_Named]) -> str:
    shown = ", ".join(one.name for one in known[:NAMES_SHOWN])
    more = len(known) - NAMES_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _ask_first(registry: Registry, to: Destination, store: Store, run: OpenRun, yes: bool) -> None:
    """Say what is about to happen, and ask for consent unless --yes gave it."""
    notes = [f"upload {fmt.plain(run.name, 80)} to {fmt.plain(to.path, 300)}"]
    if store.standings([run.row], clock.now())[run.id].goes_on:
        notes.append("it is still active: what it has logged so far is uploaded")
    copies: tuple[RemoteCopy, ...] = ()
    why_unknown = ""
    try:
        copies = registry.copies(to, run.id)
    except (NotAllowed, RequestRefused, RegistryBroken, Unreachable) as refused:
        why_unknown = str(refused)
    if why_unknown:
        notes.append(f"earlier copies could not be checked: {fmt.plain(why_unknown, 300)}")
    elif copies:
        when = fmt.when_sent(copies[0].created_at)
        notes.append(f"this collection has {fmt.count(len(copies), 'copy', 'copies')} ({when})")
    if not copies and run.row.upload_status == "uploaded":
        notes.append("it was uploaded before, to this or another collection")
    for note in notes:
        print(note, file=sys.stderr)
    if not yes:
        require_yes("upload", "nothing was uploaded")


def _tell(done: Uploaded, labels: Labels, as_json: bool) -> None:
    tell_missing(done.missing_attachments)
    if not done.is_verified:
        print(f"{NOT_VERIFIED}: {fmt.plain(done.why_not_verified, 300)}", file=sys.stderr)
    to = done.to
    if not as_json:
        where = fmt.plain(to.path, 300)
        print(f"uploaded to {where}  {done.artifact_id}  {fmt.size(done.size_bytes)}")
        return
    document = {
        "artifact_id": done.artifact_id,
        "name": labels.name,
        "size_bytes": done.size_bytes,
        "is_verified": done.is_verified,
        "organization": {"id": to.organization.id, "name": to.organization.name},
        "orbit": {"id": to.orbit.id, "name": to.orbit.name},
        "collection": {"id": to.collection.id, "name": to.collection.name},
        "missing_attachments": list(done.missing_attachments),
    }
    print(json.dumps(document, indent=2))
