"""`flow-tui upload`: a run into a collection of the registry, without a screen."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol, TypeVar

from flowtui import clock, person
from flowtui import format as fmt
from flowtui.cli.asking import require_yes
from flowtui.cli.export import tell_missing
from flowtui.cli.progress_line import Cancel, ProgressLine, signals_as_cancel
from flowtui.jobs.upload import NOT_VERIFIED, Parcel, Upload, UploadOutcome, plan
from flowtui.registry.client import Registry, base_url
from flowtui.registry.credentials import require_key
from flowtui.registry.errors import RequestRefused
from flowtui.registry.progress import Phase
from flowtui.registry.upload import SETTLE_S, Uploaded
from flowtui.registry.values import Destination, Labels
from flowtui.reports.usage import WrongUsage
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store

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
        to = _destination(registry, wanted)
        line.end()
        _ask_first(registry, to, store, run, wanted.yes)
        labels = Labels(wanted.name or run.name, run.row.description or "", run.row.tags)
        job = Upload(registry, store, plan(store, run.row, to, labels, Parcel()))
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


def _destination(registry: Registry, wanted: UploadRequest) -> Destination:
    organization = _chosen(
        registry.organizations(), wanted.organization, "organization", "you are a member of none"
    )
    orbits = registry.orbits(organization.id)
    orbit = _chosen(orbits, wanted.orbit, "orbit", "there is none that you may see")
    if orbit.why_not:
        raise WrongUsage(f"orbit {orbit.name}: {orbit.why_not}")
    collections = registry.all_collections(organization.id, orbit.id)
    collection = _chosen(
        collections,
        wanted.collection,
        "collection",
        "there is none that takes experiments; make one in LUML, of type experiment or mixed",
    )
    return Destination(organization, orbit, collection)


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
    copies = registry.copies(to, run.id)
    if copies:
        when = fmt.when_sent(copies[0].created_at)
        notes.append(f"this collection has {fmt.count(len(copies), 'copy', 'copies')} ({when})")
    elif run.row.upload_status == "uploaded":
        notes.append("it was uploaded before, to this or another collection")
    for note in notes:
        print(note, file=sys.stderr)
    if not yes:
        require_yes("upload", "nothing was uploaded")


def _tell(done: Uploaded, labels: Labels, as_json: bool) -> None:
    tell_missing(done.missing_attachments)
    if not done.is_verified:
        print(NOT_VERIFIED, file=sys.stderr)
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
