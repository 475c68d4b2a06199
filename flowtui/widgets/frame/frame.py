"""The lines around a tab: the run at the top, the tabs below it, the keys at the bottom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.binding import ActiveBinding
from textual.geometry import Region
from textual.keys import format_key
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.store.liveness.standing import Activity, Standing
from flowtui.store.values import Counts, ReadSoFar, Run, Status
from flowtui.terminal.keyboard import TakesText
from flowtui.widgets.cells import Line, Piece, Role, clipped, fit, justified, width_of
from flowtui.widgets.frame.declared import as_declared
from flowtui.widgets.paint import RoleStyles

TABS = ("overview", "metrics", "traces", "evals", "attachments")
STATUS_ROLES: dict[str, Role] = {
    Status.ACTIVE: "accent",
    Status.COMPLETED: "ok",
    Status.ERROR: "error",
}


def state_role(run: Run, standing: Standing) -> Role:
    """Return the role in which a run's status is shown."""
    if standing.activity is Activity.STOPPED:
        return "attention"
    return STATUS_ROLES.get(run.status, "attention")


class UploadMark(NamedTuple):
    """What the top line says about an upload."""

    run_id: str
    words: tuple[str, ...]
    """The first word is always shown, the others if there is room."""
    is_failed: bool = False


class JobMark(NamedTuple):
    """What the top line says about a receiver, a program, what is watched, or what is read."""

    words: tuple[str, ...]
    """The first word is always shown, the others if there is room."""
    is_failed: bool = False


def reading_mark(read: ReadSoFar | None) -> JobMark | None:
    """Return what the top line says of how far a run was read."""
    if read is None:
        return None
    if not read.size_bytes:
        return JobMark(("◔ reading",))
    # What is read last may have come after the size was taken, and some bytes are read at the end.
    share = min(int(100 * read.done_bytes / read.size_bytes), 99)
    return JobMark((f"◔ reading {share} %", f"of {fmt.size(read.size_bytes)}"))


class Frame(NamedTuple):
    """What the lines around a tab say."""

    run: Run
    counts: Counts
    store: str
    """The store's directory, as a person would write it."""
    standing: Standing = Standing()  # It is frozen.
    """The state of the run: whether it is still being written, and how long it took."""
    follows: bool = True
    age_s: float | None = None
    """The time since the last write, by this machine's clock; see `Signs.written_at`."""
    problem: str | None = None
    """Why the screen may not show the latest state."""
    reading: JobMark | None = None
    """How far the run was read that is not wholly read yet."""
    upload: UploadMark | None = None
    """An upload of this run or another one, while it is running or after it failed."""
    collect: JobMark | None = None
    """The receiver, while it receives spans into this run."""
    alarm: JobMark | None = None
    """What a person will be told of, in this run or another one."""
    program: JobMark | None = None
    """The program that the session was started with."""


class OneLine(Widget):
    """One line of pieces; `show` draws only the cells that change."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._palette = RoleStyles(self)
        self._line: Line = ()

    def show(self, line: Line) -> None:
        """Show a line in place of the present one."""
        old, self._line = self._line, line
        same = 0
        for before, after in zip(old, line, strict=False):
            if before != after:
                break
            same += cell_len(after.text)
        width = max(width_of(old), width_of(line))
        if width_of(old) == width_of(line):
            for before, after in zip(reversed(old), reversed(line), strict=False):
                if before != after or width <= same:
                    break
                width -= cell_len(after.text)
        if width > same:
            self.refresh(Region(same, 0, width - same, 1))

    def render_line(self, y: int) -> Strip:
        return self._palette.strip(self._line, self.size.width)

    def notify_style_update(self) -> None:
        self._palette.clear()
        super().notify_style_update()


class RunLine(OneLine):
    """Shows a run's name, short id, group, status, duration and liveness, and the store."""

    def __init__(self) -> None:
        super().__init__()
        self._frame: Frame | None = None

    def show_frame(self, frame: Frame) -> None:
        self._frame = frame
        self._fill()

    def on_resize(self) -> None:
        self._fill()

    def _fill(self) -> None:
        if self._frame is not None and self.size.width:
            self.show(run_line(self._frame, self.size.width))


def run_line(frame: Frame, width: int) -> list[Piece]:
    """Return the top line; if space is short the store is left out first, and never the name."""
    run = frame.run
    elapsed = fmt.elapsed(frame.standing)
    status = [
        Piece("  "),
        Piece(fmt.run_state(run.status, frame.standing), state_role(run, frame.standing)),
        Piece(f"  {elapsed}" if elapsed else "", "muted"),
    ]
    live = liveness(frame)
    identity = [Piece(f"  {fmt.short_id(run.id)}", "muted")]
    if run.group_name and width >= 100:
        identity.append(Piece(f" · {fmt.plain(run.group_name, 30)}", "muted"))
    name = fmt.plain(run.name or run.id, 200)
    # Background jobs stand at the right end, even if that leaves no room for the store.
    marks = _mark_pieces(frame, 0)
    width -= width_of(marks)
    # The run's name has the first right to space: liveness is left out before it, then the id.
    room = width - 2 - width_of(status) - (0 if frame.problem else width_of(live))
    if room < cell_len(name) + width_of(identity):
        identity = []
    name_cells = min(cell_len(name), max(room - width_of(identity), 8))
    left = [Piece(" "), Piece(fit(name, name_cells), "title"), *identity, *status, *live]
    if marks:
        left = clipped(left, width - 1)
        width += width_of(marks)
        for count in range(_other_words(frame), -1, -1):
            marks = _mark_pieces(frame, count)
            if width_of(left) + width_of(marks) < width:
                break
        return justified(left, marks, width)
    store_room = width - width_of(left) - 4
    if store_room < 12:
        return clipped(left, width)
    shown = fmt.plain(frame.store)
    if cell_len(shown) > store_room:
        shown = "…" + shown[-(store_room - 1) :]
    return justified(left, [Piece(shown, "muted"), Piece(" ")], width)


def _marks(frame: Frame) -> list[UploadMark | JobMark]:
    marks = frame.reading, frame.alarm, frame.collect, frame.upload, frame.program
    return [mark for mark in marks if mark is not None]


def _other_words(frame: Frame) -> int:
    return sum(len(mark.words) - 1 for mark in _marks(frame))


def _mark_pieces(frame: Frame, count: int) -> list[Piece]:
    """Return the first word of each mark, and `count` of its other words."""
    pieces = []
    for mark in _marks(frame):
        first, *others = mark.words
        role: Role = "error" if mark.is_failed else "accent"
        pieces += [Piece("  "), Piece(first, role)]
        pieces += [Piece(f"  {word}", "muted") for word in others[:count]]
        count = max(count - len(others), 0)
    return [*pieces, Piece(" ")] if pieces else []


def liveness(frame: Frame) -> list[Piece]:
    """Return how fresh the screen is; nothing for a run that has ended and can be read."""
    if frame.problem is not None:
        return [Piece("  "), Piece(f"▲ {fmt.plain(frame.problem)}", "attention")]
    if frame.standing.activity is None:
        return []
    if not frame.follows:
        return [Piece("  ○ not following", "attention")]
    if frame.standing.activity is not Activity.ACTIVE or frame.standing.silent_s is None:
        return []
    if (stamp := frame.standing.stamped_at) is not None:
        # The stamp is from another machine's clock, so its age is not known here.
        said = f" · its files say {fmt.when(stamp)}, by another clock"
        return [Piece("  ○ no change seen yet", "attention"), Piece(said, "muted")]
    age = "" if frame.age_s is None else f" {fmt.ago(frame.age_s)}"
    return [Piece("  "), Piece("● live", "ok"), Piece(age, "muted")]


class TabLine(OneLine):
    """The five tabs with their counts. Posts `Picked` when one is clicked."""

    @dataclass
    class Picked(Message):
        """Sent by TabLine when a tab is clicked."""

        tab: str

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current
        self._words: Mapping[str, str] = {}
        self._short: Mapping[str, str] = {}

    def show_words(self, words: Mapping[str, str], short: Mapping[str, str] | None = None) -> None:
        """Show beside the name of each tab what it holds.

        Args:
            words: What it holds, by tab, as `counted_tabs` returns it.
            short: The same in fewer cells, for where there is no room.
        """
        self._words, self._short = words, words if short is None else short
        self._fill()

    def on_resize(self) -> None:
        self._fill()

    def _fill(self) -> None:
        if self.size.width:
            width = self.size.width
            line = tab_line(self._current, self._words, width, self._short)
            self.show(clipped(line, width))

    def on_click(self, event: events.Click) -> None:
        x = 0
        for piece in self._line:
            x += cell_len(piece.text)
            if event.x < x:
                number = piece.text.strip()[:1]
                if number.isdigit():
                    self.post_message(self.Picked(TABS[int(number) - 1]))
                return


def counted_tabs(counts: Counts) -> dict[str, str]:
    """Return how many records of each tab there are, by tab; one that is not known is left out."""
    by_tab = {
        "metrics": counts.metrics,
        "traces": counts.traces,
        "evals": counts.samples,
        "attachments": counts.attachments,
    }
    return {tab: f"{count:,}" for tab, count in by_tab.items() if count is not None}


def tab_line(
    current: str, words: Mapping[str, str], width: int, short: Mapping[str, str]
) -> list[Piece]:
    """Return the tabs; a narrow terminal shows short words, then none, then no other names."""
    for shown, has_names in ((words, True), (short, True), ({}, True), ({}, False)):
        pieces: list[Piece] = [Piece(" ")]
        for number, tab in enumerate(TABS, start=1):
            label = f"{number} {tab.title()}" if has_names or tab == current else str(number)
            if tab in shown:
                label += f" {shown[tab]}"
            pieces += [Piece(label, "accent" if tab == current else "muted"), Piece("   ")]
        del pieces[-1]
        if width_of(pieces) <= width:
            break
    return pieces


class HidesKeys:
    """A mixin for what does not show a key where the key can only say why it does nothing."""

    def hides(self, action: str) -> bool:
        """Say whether the key of an action is not shown now; it works as before."""
        return False


class KeyLine(OneLine):
    """Shows the most useful keys, taken from the active bindings."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _screen: self.fill())

    def on_resize(self) -> None:
        self.fill()

    def fill(self) -> None:
        """Show the keys that work now; to be called when a dialog opens over the screen, too."""
        if self.app.current_theme.ansi and self.app.screen_stack[-1:] != [self.screen]:
            # Nothing dims what is below a dialog, and its keys do not work.
            self.show(())
        elif self.size.width:
            bindings = as_declared(self.screen.active_bindings.values())
            focused: object = self.screen.focused
            if isinstance(focused, TakesText):
                bindings = [one for one in bindings if not _is_character(one.binding.key)]
            self.show(key_line(bindings, self.size.width))


def _is_character(key: str) -> bool:
    """Say whether a key types a character that a field takes."""
    shown = format_key(key)
    return len(shown) == 1 and shown.isascii()


MAX_KEYS = 9
LAST_ACTIONS = ("app.show_keys", "app.quit", "quit")
"""Help and leaving always stand at the end of the line."""
READ_AGAIN = "refresh_now"
"""It is shown only where something could not be read."""
KNOWN_ACTION = "app.focus_next"
"""Tab leads to the next field of any form: it makes room first for how to save and leave."""


def key_line(bindings: Sequence[ActiveBinding], width: int) -> list[Piece]:
    """Return a line with as many bindings as fit, each action once; help and quit end it."""
    labels: dict[str, tuple[str, str]] = {}
    kept = {
        active.binding.action
        for active in bindings
        if active.binding.key in ("enter", "escape") or active.binding.action == READ_AGAIN
    }
    for active in bindings:
        binding, node = active.binding, active.node
        is_hidden = isinstance(node, HidesKeys) and node.hides(binding.action)
        if binding.show and active.enabled and not is_hidden and binding.action not in labels:
            key = binding.key_display or fmt.plain(active.node.app.get_key_display(binding))
            if (key, binding.description) not in labels.values():
                labels[binding.action] = key, binding.description
    last = [labels.pop(action) for action in LAST_ACTIONS if action in labels]
    first = list(labels)

    def shown() -> list[tuple[str, str]]:
        return [*(labels[action] for action in first), *last]

    while first and (
        len(shown()) > MAX_KEYS
        or 1 + sum(cell_len(" ".join(label)) + 2 for label in shown()) > width
    ):
        # How to open, how to go back, and what helps are the last to go.
        others = [action for action in first if action not in kept] or first
        first.remove(KNOWN_ACTION if KNOWN_ACTION in first else others[-1])
    pieces = [Piece(" ")]
    for key, description in shown():
        pieces += [Piece(key, "accent"), Piece(f" {description}  ", "muted")]
    return clipped(pieces, width)
