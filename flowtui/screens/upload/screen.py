"""The modal in which an upload is prepared: its destination, its labels and its contents."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label

from flowtui import format as fmt
from flowtui.jobs.upload import Plan, plan
from flowtui.registry.threads import interruptible
from flowtui.registry.values import Destination, Labels, RemoteCopy
from flowtui.screens.dialog import Dialog
from flowtui.screens.upload.connection import Connection
from flowtui.screens.upload.key import KeyScreen
from flowtui.screens.upload.parcel import ParcelLines
from flowtui.screens.upload.places import Places
from flowtui.screens.upload.preflight import Preflight, UploadFacts, preflight_lines, read_facts
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.values import Run
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Piece
from flowtui.widgets.frame.form_row import FormRow
from flowtui.widgets.frame.frame import KeyLine, OneLine
from flowtui.widgets.paint import ROLE_CLASSES

PREFLIGHT_LINES = 5
COPIES_AFTER_S = 0.15
"""How long a collection is chosen before the registry is asked for copies of the run in it."""


class StartLine(OneLine, can_focus=True):
    """The line on which Enter starts the upload."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,space",
            "screen.start",
            "Upload",
            show=False,
            id="upload.start_here",
            tooltip="Start the upload",
        ),
    ]

    def on_mount(self) -> None:
        self._fill()

    def on_focus(self) -> None:
        self._fill()

    def on_blur(self) -> None:
        self._fill()

    def on_click(self) -> None:
        self.screen.run_worker(self.run_action("screen.start"))

    def _fill(self) -> None:
        mark = "▸ " if self.has_focus else "  "
        self.show([Piece(mark, "accent"), Piece("Upload", "accent" if self.has_focus else "text")])


_FIELDS = ("name", "description", "tags")
"""The labels of the run that can be changed for the upload."""


class UploadScreen(Asks, Dialog[Plan | None]):
    """Dismisses with the plan of an upload, or None; sends nothing itself."""

    CSS_PATH = ["../form.tcss", "screen.tcss"]  # noqa: RUF012  # an instance's
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012  # an instance's

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Upload", key_display="^S", priority=True,
                id="form.save", tooltip="Start the upload"),
        Binding("tab", "app.focus_next", "Next", key_display="Tab", id="form.next",
                tooltip="To the next field"),
        Binding("shift+tab", "app.focus_previous", "Back", show=False,
                id="form.previous", tooltip="To the field before"),
        Binding("ctrl+r", "reload", "Ask again", key_display="^R",
                id="upload.reload", tooltip="Ask the registry again"),
        Binding("escape", "dismiss(None)", "Cancel", key_display="Esc",
                id="dialog.close", tooltip="Upload nothing"),
    ]  # fmt: skip

    def __init__(self, store: Store, run: OpenRun, connection: Connection) -> None:
        super().__init__()
        self._store = store
        self._connection = connection
        self._known = Preflight(run.row)
        self._confirmed: Destination | None = None
        """The destination for which the user has been told that there is, or may be, a copy."""
        self._is_waiting = False
        """Whether the upload starts as soon as it is known whether there are copies."""

    # What it shows ---------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        given = dict(zip(_FIELDS, _given(self._known.run), strict=True))
        with Vertical(classes="dialog") as dialog:
            dialog.border_subtitle = Content(f"key from {self._connection.source}")
            yield Places(self._connection.registry, self._known.parcel.kinds)
            for name in _FIELDS:
                yield FormRow(name.title(), self._input(given[name], name))
            yield FormRow("With it", ParcelLines())
            with Vertical(id="preflight"):
                for _ in range(PREFLIGHT_LINES):
                    yield OneLine()
            yield Label("", id="upload-note", markup=False)
            yield StartLine()
            yield KeyLine()

    def _input(self, text: str, id: str) -> Input:
        shown = _on_one_line(text)
        return Input(shown, id=f"upload-{id}", compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        # A screen that is closed while it starts has no widgets.
        if not self.query(KeyLine):
            return
        self._show_title()
        places = self.query_one(Places)
        first = "collection" if places.last.collection_id else "organization"
        self.query_one(f"#{first}").focus()
        self._show()
        self._read_facts()

    @on(Input.Submitted)
    def go_on(self) -> None:
        self.focus_next()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        """Show what is known now; the lines keep their places, so that nothing moves."""
        lines = preflight_lines(self._known, self.query_one("#preflight").size.width)
        for index, widget in enumerate(self.query("#preflight OneLine").results(OneLine)):
            widget.show(lines[index] if index < len(lines) else [])

    def _show_title(self) -> None:
        name = fmt.plain(_given(self._known.run)[0], 60)
        self.query_one(".dialog").border_title = Content(f"Upload {name}")

    def _say(self, text: str, is_failure: bool = False) -> None:
        note = self.query_one("#upload-note", Label)
        note.set_class(is_failure, "-error")
        note.update(text)

    # Reading ---------------------------------------------------------------------------------

    def _read_facts(self) -> None:
        question = partial(read_facts, self._store, self._known.run.id)
        self.ask(question, self._take_facts, self._show_unread, group="registry.facts")

    def _take_facts(self, facts: UploadFacts) -> None:
        self._known = replace(self._known, facts=facts, problem="")
        self._take_run(facts.contents.run)
        self.query_one(ParcelLines).show_models(facts.models, facts.model_bytes, facts.counts)
        self._show()

    def _show_unread(self, reason: str) -> None:
        self._known = replace(self._known, facts=None, problem=fmt.plain(reason, 300))
        self._show()

    def _take_run(self, run: Run) -> None:
        """Take the run as it is now, with its labels in those fields that were not edited."""
        for name, was, text in zip(_FIELDS, _given(self._known.run), _given(run), strict=True):
            field = self.query_one(f"#upload-{name}", Input)
            if field.value == _on_one_line(was):
                field.value = _on_one_line(text)
        self._known = replace(self._known, run=run)
        self._show_title()

    @on(ParcelLines.Changed)
    def take_parcel(self, message: ParcelLines.Changed) -> None:
        self._known = replace(self._known, parcel=message.parcel)
        self.query_one(Places).take_kinds(message.parcel.kinds)
        self._show()

    @on(Places.Changed)
    def take_destination(self, message: Places.Changed) -> None:
        self._known = replace(self._known, to=message.to, copies=None, why_no_copies="")
        self._is_waiting = False
        self._say("")
        self._show()
        if message.to is not None:
            self.set_timer(COPIES_AFTER_S, partial(self._look_for_copies, message.to))

    def _look_for_copies(self, to: Destination) -> None:
        if to == self._known.to:
            ask = partial(self._connection.registry.copies, to, self._known.run.id)
            self.ask(
                partial(interruptible, ask),
                partial(self._take_copies, to),
                partial(self._take_no_copies, to),
                group="registry.copies",
            )

    def _take_copies(self, to: Destination, copies: tuple[RemoteCopy, ...]) -> None:
        if to == self._known.to:
            self._checked(replace(self._known, copies=copies))

    def _take_no_copies(self, to: Destination, reason: str) -> None:
        if to == self._known.to:
            self._checked(replace(self._known, why_no_copies=fmt.plain(reason, 300)))

    def _checked(self, known: Preflight) -> None:
        self._known = known
        self._show()
        if self._is_waiting:
            self._is_waiting = False
            self._say("")
            self.action_start()

    def action_reload(self) -> None:
        self._say("")
        self.query_one(Places).read()
        self._read_facts()

    @on(Places.Unread)
    def say_why_unread(self, message: Places.Unread) -> None:
        self._say(f"✗ {message.reason}  ^R tries again", is_failure=True)

    @on(Places.Refused)
    @work
    async def ask_for_key(self, message: Places.Refused) -> None:
        """Ask for another key; everything that was chosen and typed stays."""
        if not self.is_current:
            return
        reason = f"{message.reason} (the key is from {self._connection.source})"
        credential = await self.app.push_screen_wait(
            KeyScreen(self._connection.base_url, fmt.plain(reason, 300))
        )
        if credential is not None:
            self._connection.take(credential)
            self.query_one(".dialog").border_subtitle = Content(f"key from {credential.source}")
            self.query_one(Places).use(self._connection.registry)

    # Starting --------------------------------------------------------------------------------

    def action_start(self) -> None:
        if not self.is_current:
            return
        known = self._known
        to = known.to
        problem = known.why_not or ("" if self._labels.name else "give it a name")
        if problem or to is None:
            self._say(f"▲ {problem}")
        elif known.is_checking:
            self._is_waiting = True
            self._say("looking for earlier copies first…")
        elif known.doubt and self._confirmed != to:
            self._confirmed = to
            self._say(f"▲ {known.doubt}; ^S again uploads it all the same")
        else:
            self.dismiss(plan(self._store, known.run, to, self._labels, known.parcel))

    @property
    def _labels(self) -> Labels:
        """The labels of the upload; fields that were not edited give exactly what was logged."""
        run = self._known.run
        given = _given(run)
        typed = [self.query_one(f"#upload-{name}", Input).value for name in _FIELDS]
        same = [text == _on_one_line(was) for text, was in zip(typed, given, strict=True)]
        name = given[0] if same[0] else typed[0].strip()
        description = given[1] if same[1] else typed[1].strip()
        tags = tuple(tag.strip() for tag in typed[2].split(",") if tag.strip())
        return Labels(name, description, run.tags if same[2] else tags)


def _given(run: Run) -> tuple[str, str, str]:
    """Return name, description and tags of a run, as the fields begin with them."""
    return run.name or run.id, run.description or "", ", ".join(run.tags)


def _on_one_line(text: str) -> str:
    return fmt.plain(" ".join(text.split()), 2_000)
