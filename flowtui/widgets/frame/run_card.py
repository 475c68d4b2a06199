"""The card of a run: its identity, times, state and uploads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from flowtui import format as fmt
from flowtui import person
from flowtui.store.liveness.standing import Standing
from flowtui.store.values import Run
from flowtui.widgets.cells import Line, Piece, Role, wrapped
from flowtui.widgets.frame.fields import Field, Fields
from flowtui.widgets.frame.frame import UploadMark, state_role

LABEL_CELLS = 10
MAX_TAG_CHARS = 100
PROBLEMS_SHOWN = 5
UPLOADS_SHOWN = 3
UPLOAD = "upload"
"""The name of the field that starts an upload."""
EDIT = "edit"
"""The name of the field that opens the form for the run."""

_UPLOAD_STATES: dict[str | None, tuple[str, Role]] = {
    None: ("not known here", "muted"),
    "unknown": ("not known here", "muted"),
    "not_uploaded": ("not uploaded", "muted"),
    "uploading": ("● uploading", "accent"),
    "uploaded": ("✓ uploaded", "ok"),
    "failed": ("✗ failed", "error"),
}


PLACES = "upload.places"
"""The key under which the names of uploaded artifacts' collections are remembered, by id."""


class UploadedTo(NamedTuple):
    """The place to which one artifact of a run was uploaded."""

    where: str
    """The names of organization, orbit and collection, as far as they are known."""
    artifact_id: str
    created_at: datetime | None


class RunCard(Fields):
    """Shows a run's id, status, times, tags, source, description and registry state."""

    def __init__(self, why_read_only: str = "", *, id: str | None = None) -> None:
        """Make it; where the run is only read, say why in place of what would change it."""
        super().__init__("Run", LABEL_CELLS, id=id)
        self._why_read_only = why_read_only
        self._run: Run | None = None
        self._standing = Standing()
        self._uploaded: Sequence[UploadedTo] = ()
        self._upload: UploadMark | None = None
        self._problems: Sequence[str] = ()

    def show_run(self, run: Run, standing: Standing, upload: UploadMark | None = None) -> None:
        """Show a run.

        Args:
            run: The run.
            standing: The present state of the run.
            upload: An upload that is running or has failed, of this run or another one.
        """
        self._run = run
        self._standing = standing
        self._upload = upload if upload is not None and upload.run_id == run.id else None
        if self.line_width:
            room = max(self.line_width - LABEL_CELLS - 2, 10)
            self.show_fields(
                [
                    *card_fields(run, standing, self.line_width, self._problems),
                    *upload_fields(run, self._upload, self._uploaded, room, self._why_read_only),
                ]
            )

    def show_uploaded(self, uploaded: Sequence[UploadedTo]) -> None:
        """Show where the run was uploaded to, the latest place first."""
        self._uploaded = uploaded
        self.on_resize()

    def show_problems(self, problems: Sequence[str]) -> None:
        """Show what could not be read of the run's records."""
        if problems != self._problems:
            self._problems = problems
            self.on_resize()

    def on_resize(self) -> None:
        if self._run is not None:
            self.show_run(self._run, self._standing, self._upload)


def card_fields(
    run: Run, standing: Standing, width: int, problems: Sequence[str] = ()
) -> list[Field]:
    """Return the fields of a run's card, texts wrapped to `width` cells.

    Args:
        run: The run.
        standing: What is known about the process that writes it.
        width: The width in cells.
        problems: Sentences about records of the run that could not be read.
    """
    room = max(width - LABEL_CELLS - 2, 10)
    elapsed = fmt.elapsed(standing)
    fields = [
        _text_field("id", run.id, room),
        Field(
            "status",
            "status",
            _wrapped(fmt.run_state(run.status, standing), room, state_role(run, standing)),
            run.status,
        ),
        _text_field("created", fmt.when(run.created_at) if run.created_at else "not known", room),
        _text_field("duration", elapsed or "not recorded", room, muted=not elapsed),
        _text_field("group", run.group_name or "", room),
        _text_field("tags", "  ".join(fmt.plain(tag, MAX_TAG_CHARS) for tag in run.tags), room),
        _source_field(run.source or "", room),
    ]
    fields = [field for field in fields if field.raw]
    more = len(problems) - PROBLEMS_SHOWN
    rest = [f"{more:,} more: flow-tui show lists them"] if more > 0 else []
    for problem in (*run.problems, *problems[:PROBLEMS_SHOWN], *rest):
        fields.append(Field("problem", "", _wrapped(f"▲ {problem}", room, "attention")))
    if run.description:
        fields.append(_blank())
        lines = _wrapped(run.description, width - 2, "text")
        fields.append(Field("description", "", lines, run.description, is_wide=True))
    return fields


def upload_fields(
    run: Run,
    upload: UploadMark | None,
    uploaded: Sequence[UploadedTo],
    room: int,
    why_read_only: str = "",
) -> list[Field]:
    """Return the fields with a run's state in the registry, and those that upload and edit it.

    Where it is only read, the reason stands in their place.
    """
    status = run.upload_status
    if upload is not None:
        status = "failed" if upload.is_failed else "uploading"
    elif uploaded:
        status = "uploaded"
    unknown: tuple[str, Role] = (f"? {fmt.plain(status or '', 20)}", "attention")
    state, role = _UPLOAD_STATES.get(status, unknown)
    fields = [_blank(), Field("registry", "registry", [[Piece(state, role)]], status or "")]
    for one in uploaded[:UPLOADS_SHOWN]:
        when = "" if one.created_at is None else fmt.when(one.created_at)
        lines = [*_wrapped(one.where, room, "text"), *_wrapped(one.artifact_id, room, "muted")]
        fields.append(Field("artifact", "", [*lines, *_wrapped(when, room, "muted")],
                            one.artifact_id))  # fmt: skip
    if why_read_only:
        why = _wrapped(why_read_only, room, "muted")
        reason = Field("read-only", "read-only", why, why_read_only)
        return [*(fields if status == "uploaded" else fields[:1]), reason]
    word = "Upload to LUML" if upload is None else "Show the upload"
    return [
        *fields,
        Field(UPLOAD, "", [[Piece("U", "accent"), Piece(f"  {word}")]]),
        Field(EDIT, "", [[Piece("e", "accent"), Piece("  Edit   "), Piece("D", "accent"),
                          Piece("  Delete")]]),
    ]  # fmt: skip


def _source_field(source: str, room: int) -> Field:
    """Return the field with the file of a run; copying copies its whole path."""
    shown = fmt.path(Path(source), person.home(), "~") if source.startswith("/") else source
    return _text_field("source", shown, room)._replace(raw=source)


def _text_field(name: str, text: str, room: int, muted: bool = False) -> Field:
    return Field(name, name, _wrapped(text, room, "muted" if muted else "text"), text)


def _blank() -> Field:
    return Field("", "", [[]])


def _wrapped(text: str, room: int, role: Role) -> Sequence[Line]:
    lines = [part for line in fmt.plain_lines(text, limit=20_000) for part in wrapped(line, room)]
    return [[Piece(part, role)] for part in lines]
