"""What stands where there are no runs: what this is, and the three ways to get one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from flowtui import format as fmt
from flowtui.store.location import program_line, sdk_lines
from flowtui.store.values import StoreLocation
from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.frame.frame import OneLine

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

WHAT = "flow-tui shows the runs that luml-sdk records, while they go on and after."


class ThreeWays(VerticalScroll, can_focus=True):
    """Shows three ways to a run, each with the key that takes it or copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "open_demo", "Demo", id="ways.demo",
                tooltip="Open the demo store, which is made the first time"),
        Binding("c", "copy_command", "Copy command", id="ways.copy_command",
                tooltip="Copy the command that starts a program and shows its run"),
        Binding("y", "copy_code", "Copy code", id="ways.copy_code",
                tooltip="Copy the five lines of Python that log a run"),
    ]  # fmt: skip

    def __init__(self, where: StoreLocation, why: str, *, id: str | None = None) -> None:
        """Make it.

        Args:
            where: The store that is there, or would be.
            why: Why there is nothing, for a person.
            id: Its id.
        """
        super().__init__(id=id)
        self._where = where
        self._why = why

    def compose(self) -> ComposeResult:
        for line in self._lines():
            shown = OneLine()
            shown.show(line)
            yield shown

    def _lines(self) -> Sequence[Line]:
        code = [_code(line) for line in sdk_lines(self._where.directory)]
        return [
            (),
            [Piece(f"  {fmt.plain(self._why)}", "title")],
            [Piece(f"  {WHAT}", "muted")],
            (),
            _way("d", "Look around, in runs that are made up"),
            _code("flow-tui demo"),
            (),
            _way("c", "Start a program: it is traced, and its run is shown"),
            _code(program_line(self._where)),
            (),
            _way("y", "Log a run in Python, with luml-sdk"),
            *code,
            (),
            [Piece("  ● ", "ok"), Piece("The first run that comes is shown at once.", "muted")],
        ]

    @property
    def _host(self) -> Host:
        return cast("Host", self.app)

    def action_open_demo(self) -> None:
        self._host.open_demo()

    def action_copy_command(self) -> None:
        self._host.copy(program_line(self._where))

    def action_copy_code(self) -> None:
        self._host.copy("\n".join(sdk_lines(self._where.directory)))


def _way(key: str, text: str) -> Line:
    return [Piece(f"  {key}  ", "accent"), Piece(text)]


def _code(text: str) -> Line:
    return [Piece(f"       {fmt.plain(text, 1_000)}", "curve-3")]
