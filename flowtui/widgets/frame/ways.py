"""What stands where there are no runs: what this is, and the three ways to get one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from flowtui import format as fmt
from flowtui.sources.recognising import SeenRuns
from flowtui.store.location import program_line, sdk_lines
from flowtui.store.values import StoreLocation
from flowtui.widgets.cells import Line, Piece
from flowtui.widgets.frame.frame import OneLine

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

_MOST_OTHERS = 4
WHAT = "flow-tui shows the runs that luml-sdk records, while they go on and after."


class ThreeWays(VerticalScroll, can_focus=True):
    """Shows three ways to a run, each with the key that takes it or copies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open_others", "Open", id="ways.open_others",
                tooltip="Open the runs of another tool that are here"),
        Binding("d", "open_demo", "Demo", id="ways.demo",
                tooltip="Open the demo store, which is made the first time"),
        Binding("c", "copy_command", "Copy command", id="ways.copy_command",
                tooltip="Copy the command that starts a program and shows its run"),
        Binding("y", "copy_code", "Copy code", id="ways.copy_code",
                tooltip="Copy the five lines of Python that log a run"),
    ]  # fmt: skip

    def __init__(
        self,
        where: StoreLocation,
        why: str,
        *,
        others: Sequence[SeenRuns] = (),
        id: str | None = None,
    ) -> None:
        """Make it.

        Args:
            where: The store that is there, or would be.
            why: Why there is nothing, for a person.
            others: Runs of other tools that are here already.
            id: Its id.
        """
        super().__init__(id=id)
        self._where = where
        self._why = why
        self._others = others

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
            *self._of_others(),
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

    def _of_others(self) -> Sequence[Line]:
        if not self._others:
            return ()
        lines = [
            [*_code(seen.command), Piece(f"   {_told(seen)}", "muted")] for seen in self._others[1:]
        ]
        first, *_ = self._others
        way = f"Open what is here already: {_told(first)}"
        return [_way("o", way), _code(first.command), *lines[:_MOST_OTHERS], ()]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "open_others" or bool(self._others)

    @property
    def _host(self) -> Host:
        return cast("Host", self.app)

    def action_open_others(self) -> None:
        self._host.open_path(str(self._others[0].path))

    def action_open_demo(self) -> None:
        self._host.open_demo()

    def action_copy_command(self) -> None:
        self._host.copy(program_line(self._where))

    def action_copy_code(self) -> None:
        self._host.copy("\n".join(sdk_lines(self._where.directory)))


def _told(seen: SeenRuns) -> str:
    return f"{fmt.count(seen.run_count, 'run')} of {seen.tool}"


def _way(key: str, text: str) -> Line:
    return [Piece(f"  {key}  ", "accent"), Piece(text)]


def _code(text: str) -> Sequence[Piece]:
    return [Piece(f"       {fmt.plain(text, 1_000)}", "curve-3")]
