"""The modal of a running receiver: where to send spans, what it has received, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label

from flowtui import format as fmt
from flowtui.jobs.receiver import Receiver, ReceiverPhase, ReceiverState
from flowtui.screens.live import LABEL_CELLS, LiveScreen
from flowtui.widgets.cells import Line, Piece, clipped
from flowtui.widgets.frame.frame import KeyLine, OneLine

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

_TROUBLE_CHARACTERS = 300
"""How much is shown of the reason why spans could not be written."""


class CollectScreen(LiveScreen[bool]):
    """Shows a receiver until it is over. Esc only hides it; dismisses with whether to stop it."""

    CSS_PATH = "screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy endpoint", id="collect.copy",
                tooltip="Copy the line that points exporters here"),
        Binding("s", "dismiss(True)", "Stop",
                id="collect.stop", tooltip="Write what was received, and stop collecting"),
        Binding("escape,C", "dismiss(False)", "Hide", key_display="Esc", id="collect.hide",
                tooltip="Hide this while collecting continues; C shows it again"),
    ]  # fmt: skip

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()
        self._receiver = receiver
        self._was: ReceiverPhase | None = None
        """The phase for which the keys were last drawn."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            name = fmt.plain(self._receiver.request.run.name, 60)
            dialog.border_title = Content(f"Spans into {name}")
            yield Label("", markup=False, id="collect-how")
            yield Label("", markup=False, id="collect-where")
            yield OneLine(id="collect-received")
            yield OneLine(id="collect-last")
            yield Label("", markup=False, id="collect-trouble")
            yield KeyLine()

    def look(self) -> None:
        """Draw what the receiver has received so far."""
        state = self._receiver.state
        if state.phase is ReceiverPhase.OVER:
            if self.is_current:
                self.dismiss(False)
            return
        width = max(self.query_one("#collect-received").size.width, 20)
        is_known = bool(state.environment)
        how = "Point exporters here:" if is_known else f"{state.phase}…"
        self.query_one("#collect-how", Label).update(how)
        lines = "\n".join(fmt.plain(line) for line in state.environment)
        # Two lines are reserved; otherwise the lines below would jump when the endpoint is known.
        self.query_one("#collect-where", Label).update(lines or "\n")
        self.query_one("#collect-received", OneLine).show(clipped(received_line(state), width))
        self.query_one("#collect-last", OneLine).show(clipped(last_line(state), width))
        if state.phase is not self._was:
            self._was = state.phase
            self.refresh_bindings()
        trouble = fmt.plain(state.tally.trouble, _TROUBLE_CHARACTERS)
        said = f"✗ not written: {trouble}" if trouble else fmt.plain(state.tally.hint)
        self.query_one("#collect-trouble", Label).update(said)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        state = self._receiver.state
        if action == "copy":
            return bool(state.environment)
        is_stop = action == "dismiss" and parameters == (True,)
        return not is_stop or state.phase is not ReceiverPhase.STOPPING

    def action_copy(self) -> None:
        environment = self._receiver.state.environment
        if environment:
            cast("Host", self.app).copy(environment[0])


def received_line(state: ReceiverState) -> Line:
    """Return a line with how many spans are in the run, and how many were lost."""
    tally = state.tally
    pieces = [_label("Received"), Piece(fmt.count(tally.received, "span"))]
    if tally.events:
        pieces.append(Piece(f", {fmt.count(tally.events, 'log event')}"))
    pieces += [
        Piece(f"  ▲ {text}", "attention") for text in fmt.lost_spans(tally.dropped, tally.refused)
    ]
    if state.phase is ReceiverPhase.STOPPING:
        pieces.append(Piece("  stopping…", "attention"))
    if others := fmt.unkept_records(tally.logs, tally.metrics):
        pieces.append(Piece(f"  {others}", "muted"))
    return pieces


def last_line(state: ReceiverState) -> Line:
    """Return a line with the name of the last span."""
    return [_label("Last"), Piece(fmt.plain(state.tally.last_name, 200) or "–")]


def _label(text: str) -> Piece:
    return Piece(f"{text:<{LABEL_CELLS}}", "muted")
