"""The modals of an upload that is under way: its progress, and the question before quitting."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label

from flowtui import format as fmt
from flowtui.jobs.upload import Upload, UploadOutcome, UploadState, speed
from flowtui.registry.progress import Phase
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.live import LABEL_CELLS, LiveScreen
from flowtui.widgets.cells import Line, Piece, clipped
from flowtui.widgets.frame.frame import KeyLine, OneLine

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

MAX_BAR_CELLS = 40
STEPS = (
    (Phase.PACKING, "pack"),
    (Phase.HASHING, "checksum"),
    (Phase.CREATING, "create"),
    (Phase.SENDING, "send"),
    (Phase.VERIFYING, "verify"),
    (Phase.CONFIRMING, "confirm"),
)


class ProgressScreen(LiveScreen[None]):
    """Shows an upload until it is over, and passes its keys on to the app. Esc only hides it."""

    CSS_PATH = "progress.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Hide", key_display="Esc",
                id="dialog.close", tooltip="Hide this; the upload goes on, and U comes back here"),
        Binding("c", "cancel", "Cancel", id="progress.cancel", tooltip="Cancel the upload"),
        Binding("r", "retry", "Retry", id="progress.retry",
                tooltip="Continue from where it stopped"),
        Binding("d", "discard", "Discard", id="progress.discard", tooltip="Discard the upload"),
    ]  # fmt: skip

    def __init__(self, upload: Upload) -> None:
        super().__init__()
        self._upload = upload
        self._was: tuple[UploadOutcome, bool] | None = None
        """The outcome, and whether it is being cancelled, when `look` last updated the keys."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(
                f"Upload of {fmt.plain(self._upload.plan.items[0].labels.name, 60)}"
            )
            yield OneLine(id="upload-to")
            yield OneLine(id="upload-item")
            yield OneLine(id="upload-steps")
            yield OneLine(id="upload-bar")
            yield Label("", id="upload-problem", markup=False)
            yield Label("", id="upload-ways", markup=False)
            yield KeyLine()

    def look(self) -> None:
        """Show the present progress."""
        # An upload may end before this screen has its lines, or after they were removed.
        if not self.query("#upload-bar"):
            return
        state = self._upload.state
        to = fmt.plain(self._upload.plan.to.path, 300)
        width = max(self.query_one("#upload-bar").size.width, 20)
        self._line("to", [Piece(f"{'To':<{LABEL_CELLS}}", "muted"), Piece(to)], width)
        self._line("item", item_line(state), width)
        self._line("steps", steps_line(state, self._upload.is_cancelling), width)
        self._line("bar", bar_line(state, width, self._upload.is_cancelling), width)
        now = state.outcome, self._upload.is_cancelling
        if now != self._was:
            self._was = now
            has_failed = state.outcome is UploadOutcome.FAILED
            self._tell("problem", f"✗ {state.problem}" if has_failed else "")
            self._tell("ways", _ways_on(state) if has_failed else "")
            self.refresh_bindings()

    def _tell(self, name: str, text: str) -> None:
        label = self.query_one(f"#upload-{name}", Label)
        label.update(text)
        label.display = bool(text)

    def _line(self, name: str, line: Line, width: int) -> None:
        self.query_one(f"#upload-{name}", OneLine).show(clipped(line, width))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        outcome = self._upload.state.outcome
        if action == "cancel":
            return outcome is UploadOutcome.RUNNING and not self._upload.is_cancelling
        return action not in ("retry", "discard") or outcome is UploadOutcome.FAILED

    def action_cancel(self) -> None:
        self._flow.end_upload()

    def action_retry(self) -> None:
        self._flow.retry_upload()

    def action_discard(self) -> None:
        self._flow.end_upload()

    @property
    def _flow(self) -> Host:
        return cast("Host", self.app)


class LeaveScreen(ConfirmScreen, inherit_bindings=False):
    """Asks before quitting about what is under way; dismisses with whether to end it and quit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w,escape", "dismiss(False)", "Stay", key_display="w Esc",
                id="leave.stay", tooltip="Stay, and let it go on"),
        Binding("c", "dismiss(True)", "End and quit", id="leave.quit",
                tooltip="End what is under way, and quit"),
    ]  # fmt: skip


def item_line(state: UploadState) -> Line:
    """Return the name of the present artifact, and its number if there are several."""
    number = f"  {state.number} of {state.item_count}" if state.item_count > 1 else ""
    name = Piece(fmt.plain(state.title, 100))
    return [Piece(f"{'Artifact':<{LABEL_CELLS}}", "muted"), name, Piece(number, "muted")]


def steps_line(state: UploadState, is_cancelling: bool) -> Line:
    """Return the steps, with ticks for those that are done and a mark for the present one."""
    label = Piece(f"{'Steps':<{LABEL_CELLS}}", "muted")
    if is_cancelling:
        return [label, Piece("cancelling…", "attention")]
    if state.outcome is UploadOutcome.FAILED:
        return [label, Piece("✗ failed", "error")]
    if state.outcome is UploadOutcome.CANCELLED:
        return [label, Piece("cancelled", "attention")]
    if state.outcome is UploadOutcome.DONE:
        return [label, Piece("✓ uploaded", "ok")]
    phases = [phase for phase, _word in STEPS]
    phase = state.progress.phase
    at = phases.index(phase) if phase in phases else len(phases) * (phase is Phase.DONE)
    pieces = [label]
    for index, (_phase, word) in enumerate(STEPS):
        if index < at:
            pieces += [Piece("✓ ", "ok"), Piece(f"{word}  ", "muted")]
        elif index == at:
            pieces.append(Piece(f"● {word}  ", "accent"))
        else:
            pieces.append(Piece(f"· {word}  ", "muted"))
    return pieces


def bar_line(state: UploadState, width: int, is_cancelling: bool = False) -> Line:
    """Return a bar, bytes, rate and time left, if the present step is counted in bytes.

    While an upload is being cancelled, rate and time left would be false and are not shown.
    """
    now = state.progress
    label = Piece(f"{'':<{LABEL_CELLS}}")
    if now.fraction is None:
        return [label]
    words = [
        f"{fmt.size(now.done_bytes)} of {fmt.size(now.total_bytes)}",
        *([] if is_cancelling else speed(now)),
    ]
    text = "  " + "  ".join(words)
    cells = max(min(width - LABEL_CELLS - len(text) - 7, MAX_BAR_CELLS), 8)
    full = int(cells * now.fraction)
    percent = f" {int(100 * now.fraction):>3} %"
    return [label, Piece("━" * full, "accent"), Piece("─" * (cells - full), "muted"),
            Piece(percent), Piece(text, "muted")]  # fmt: skip


def _ways_on(state: UploadState) -> str:
    how = "asks for another key and continues" if state.needs_key else "continues where it stopped"
    return f"r {how}; d discards the upload"
