"""The facts to know before an upload: its size, its destination, and reasons against it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flowtui import clock
from flowtui import format as fmt
from flowtui.jobs.upload import Parcel
from flowtui.registry.values import Destination, RemoteCopy
from flowtui.store import counts as counting
from flowtui.store import models as logged_models
from flowtui.store import uploaded
from flowtui.store.archive import models as archive_models
from flowtui.store.archive import packing
from flowtui.store.archive.packing import Contents
from flowtui.store.archive.values import ArtifactError
from flowtui.store.liveness.standing import Standing
from flowtui.store.store import Store
from flowtui.store.uploaded import UPLOADED, RemoteArtifact
from flowtui.store.values import Counts, Model, Run
from flowtui.widgets.cells import Line, Piece, Role, width_of

LABEL_CELLS = 12
WIDE = 200
"""A width in which every line fits."""


@dataclass(frozen=True, slots=True)
class UploadFacts:
    """The facts about an upload that the store and the disk know."""

    contents: Contents
    standing: Standing
    """Whether the run still goes on."""
    counts: Counts
    models: tuple[Model, ...]
    model_bytes: Mapping[str, int | None]
    """The sizes of the models by id; None if a model's file is missing."""
    earlier: tuple[RemoteArtifact, ...]
    """The earlier uploads of the run that the store knows of, the latest first."""
    folder: str
    """The folder in which the upload is packed."""
    free_bytes: int
    """The free space on the disk of that folder."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """Everything that is known before an upload; None means that it is not known yet."""

    run: Run
    parcel: Parcel = field(default_factory=Parcel)
    facts: UploadFacts | None = None
    problem: str = ""
    """Why there are no facts, safe to show."""
    to: Destination | None = None
    copies: tuple[RemoteCopy, ...] | None = None
    """The copies of the run in the chosen collection."""
    why_no_copies: str = ""
    """Why it could not be checked whether there are copies, safe to show."""

    @property
    def why_not(self) -> str:
        """Why the upload cannot be started; empty if it can be."""
        if self.problem:
            return self.problem
        if self.to is None:
            return "choose a collection first"
        if self.facts is None:
            return "wait until the size of the upload is known"
        if why := self.to.why_too_large(self.certain_bytes):
            return why
        if not self.has_room:
            return f"there is not enough room in {fmt.plain(self.facts.folder, 100)} to pack it"
        return ""

    @property
    def was_uploaded(self) -> bool:
        """Whether the run is known to have been uploaded, so that an upload makes another copy."""
        is_noted = self.run.upload_status == UPLOADED
        return bool(self.copies) or is_noted or bool(self.facts and self.facts.earlier)

    @property
    def doubt(self) -> str:
        """What is to be agreed to before an upload; empty if there is nothing."""
        if self.was_uploaded:
            return "this makes another copy"
        if self.why_no_copies:
            return "whether this makes another copy could not be checked"
        return ""

    @property
    def is_checking(self) -> bool:
        """Whether it is not known yet whether there are copies, and nothing else asks for care."""
        return not self.doubt and self.copies is None

    @property
    def certain_bytes(self) -> int:
        """The least that the largest file of the upload takes; the database is compressed."""
        if self.facts is None:
            return 0
        sizes = [self.facts.model_bytes.get(model.id) or 0 for model in self.parcel.models]
        attached = self.facts.contents.attachment_bytes
        return attached + sum(sizes) if self.parcel.embeds else max(attached, *sizes, 0)

    @property
    def packed_bytes(self) -> int:
        """How much space packing takes; a model that is not embedded is sent from its own file."""
        if self.facts is None:
            return 0
        return self.facts.contents.room_bytes + (self.model_bytes if self.parcel.embeds else 0)

    @property
    def model_bytes(self) -> int:
        sizes = {} if self.facts is None else self.facts.model_bytes
        return sum(sizes.get(model.id) or 0 for model in self.parcel.models)

    @property
    def has_room(self) -> bool:
        return self.facts is None or self.facts.free_bytes >= self.packed_bytes


def read_facts(store: Store, run_id: str) -> UploadFacts:
    """Return the facts about an upload of a run.

    Raises:
        StoreError: The run cannot be read.
        ReadCancelled: Nobody waits any more.
    """
    contents = packing.contents(store, run_id)
    models = store.ask(logged_models.models, run_id) or ()
    copies = store.ask(uploaded.remote_artifacts, run_id)
    folder = tempfile.gettempdir()
    return UploadFacts(
        contents,
        store.standings([contents.run], clock.now())[run_id],
        store.run(run_id).ask(counting.counts),
        models,
        {model.id: _file_bytes(store, model) for model in models},
        copies or (),
        folder,
        shutil.disk_usage(folder).free,
    )


def _file_bytes(store: Store, model: Model) -> int | None:
    try:
        return archive_models.model_path(store, model).stat().st_size
    except (ArtifactError, OSError):
        return None


def preflight_lines(known: Preflight, width: int = WIDE) -> list[Line]:
    """Return the facts as lines of a width, with reasons against the upload last."""
    where = "choose a collection" if known.to is None else known.to.path
    role: Role = "muted" if known.to is None else "text"
    lines = [_labelled("To", [Piece(fmt.plain(where, 300), role)]), _size_line(known, width)]
    if known.was_uploaded:
        lines.append(_labelled("", [Piece(f"▲ {_before(known)}", "attention")]))
    elif known.why_no_copies:
        text = f"▲ earlier copies could not be checked: {known.why_no_copies}"
        lines.append(_labelled("Before", [Piece(text, "attention")]))
    elif known.facts is not None and known.copies is not None:
        lines.append(_labelled("Before", [Piece("not uploaded before", "muted")]))
    if known.facts is not None and known.facts.standing.goes_on:
        text = "▲ still active: only what is logged so far is uploaded"
        lines.append(_labelled("", [Piece(text, "attention")]))
    if known.facts is not None and known.facts.contents.missing:
        missing = fmt.count(len(known.facts.contents.missing), "attachment")
        lines.append(_labelled("", [Piece(f"▲ {missing} missing, not uploaded", "attention")]))
    return lines


def _size_line(known: Preflight, width: int) -> Line:
    """Return the sizes and the free space; if there is too little space, that comes first."""
    if known.facts is None:
        failed = Piece(f"✗ {known.problem}", "error")
        return _labelled("Size", [failed if known.problem else Piece("looking…", "muted")])
    contents = known.facts.contents
    parts = [f"{fmt.size(contents.database_bytes)} database"]
    if contents.attachment_bytes:
        parts.append(f"{fmt.size(contents.attachment_bytes)} attachments")
    if known.parcel.models:
        parts.append(f"{fmt.size(known.model_bytes)} models")
    all_parts = " + ".join(parts)
    if known.to is not None and (why := known.to.why_too_large(known.certain_bytes)):
        return _labelled("Size", [Piece(f"▲ {all_parts}: {why}", "attention")])
    free = f"{fmt.size(known.facts.free_bytes)} free in {fmt.plain(known.facts.folder, 60)}"
    if not known.has_room:
        needed = f"▲ {fmt.size(known.packed_bytes)} needed, {free}"
        return _labelled("Size", [Piece(needed, "attention"), Piece(f"  {all_parts}", "muted")])
    sizes = _labelled("Size", [Piece(all_parts)])
    line = [*sizes, Piece(f"  {free}", "muted")]
    # The free space is left out if it does not fit: a number that is cut reads as another one.
    return line if width_of(line) <= width else sizes


def _before(known: Preflight) -> str:
    if known.copies:
        copies = fmt.count(len(known.copies), "copy", "copies")
        return f"this collection has {copies} of it ({_when(known.copies)})"
    if known.facts is not None and known.facts.earlier:
        last = known.facts.earlier[0]
        when = "" if last.created_at is None else f" on {fmt.when(last.created_at)}"
        same = known.to is not None and last.orbit_id == known.to.orbit.id
        return f"uploaded{when} to {'this' if same else 'another'} orbit"
    return "uploaded before, to this or another collection"


def _when(copies: Sequence[RemoteCopy]) -> str:
    return fmt.when_sent(max(copy.created_at for copy in copies))


def _labelled(label: str, pieces: Sequence[Piece]) -> Line:
    return [Piece(f"{label:<{LABEL_CELLS}}", "muted"), *pieces]
