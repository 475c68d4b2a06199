"""The traces of a session, read as one conversation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from flowtui import format as fmt
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.open_run import OpenRun
from flowtui.store.traces.session import SessionTurns, session_turns
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Piece
from flowtui.widgets.documents.blocks import Section
from flowtui.widgets.documents.document import Document
from flowtui.widgets.frame.frame import OneLine

if TYPE_CHECKING:
    from textual.widget import Widget

    from flowtui.widgets.host import Host


class SessionView(Asks, Container):
    """Shows the conversation of one session."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", key_display="Esc", id="session.leave",
                tooltip="Back to where the conversation was opened"),
        Binding("t", "open_trace", "Trace", id="session.trace",
                tooltip="Open the trace under the cursor; Esc comes back"),
        Binding("y", "copy", "Copy", show=False, id="session.copy",
                tooltip="Copy the message under the cursor"),
    ]  # fmt: skip

    @dataclass
    class TraceWanted(Message):
        """Sent by SessionView when a trace of the session is to be opened."""

        trace_id: str

    @dataclass
    class Left(Message):
        """Sent by SessionView when it is to be closed."""

    def __init__(self, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run = run
        self._session: str | None = None
        self._shown: str | None = None
        self._reading: str | None = None
        self._is_due = False
        """Whether the session is to be read again when it has been read."""
        self._trace_ids: frozenset[str] = frozenset()

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="session-title")
        yield Document(id="session-turns")

    @property
    def document(self) -> Document:
        return self.query_one(Document)

    @property
    def is_opening(self) -> bool:
        """Whether the session has still to be read."""
        return self._session != self._shown

    def open(self, session: str) -> None:
        """Show the conversation of a session."""
        self.close()
        self._session = session
        self.document.show_note("reading…")
        self.read_again()

    def close(self) -> None:
        """Read nothing any more."""
        self._session = self._shown = self._reading = None

    def read_again(self) -> None:
        """Read the conversation again, which may have gone on; if it is being read, after that."""
        session = self._session
        self._is_due = session == self._reading
        if session is not None and not self._is_due:
            self._reading = session
            self.ask(
                partial(self._read, session),
                partial(self._show, session),
                partial(self._show_failure, session),
                group="session",
            )

    def _read(self, session: str) -> tuple[SessionTurns, tuple[Section, ...]]:
        from flowtui.widgets.documents.session_sections import session_sections

        found = self._run.ask(session_turns, session)
        return found, session_sections(found)

    def _show(self, session: str, read: tuple[SessionTurns, tuple[Section, ...]]) -> None:
        if session != self._session:
            return
        self._end(session)
        found, sections = read
        self._trace_ids = frozenset(turn.trace.trace_id for turn in found.turns)
        count = fmt.count(found.trace_count, "trace")
        title = [Piece(f" {fmt.one_line(session, 80)}", "title"), Piece(f"  {count}", "muted")]
        self.query_one("#session-title", OneLine).show(title)
        if sections:
            self.document.show(session, sections)
        else:
            self.document.show_note("No trace names this session any more. Esc goes back.")

    def _show_failure(self, session: str, reason: str) -> None:
        if session == self._session:
            self._end(session)
            self.document.show_note(fmt.unread(reason))

    def _end(self, session: str) -> None:
        self._shown, self._reading = session, None
        if self._is_due:
            self.read_again()

    @on(Document.Followed)
    def follow(self, event: Document.Followed) -> None:
        event.stop()
        if isinstance(event.target, SpanTarget):
            self.post_message(self.TraceWanted(event.target.trace_id))

    def action_open_trace(self) -> None:
        if (trace_id := self.document.section_key) in self._trace_ids:
            self.post_message(self.TraceWanted(trace_id))

    def action_copy(self) -> None:
        if text := self.document.copy_text:
            cast("Host", self.app).copy(text)

    def action_leave(self) -> None:
        self.post_message(self.Left())
