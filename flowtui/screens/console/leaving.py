"""The modal that asks what becomes of a program that runs when somebody leaves."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.binding import Binding, BindingType

from flowtui.screens.dialogs.confirm import AskScreen

Leaving = Literal["leave", "stop", ""]


class ProgramLeaveScreen(AskScreen[Leaving]):
    """Asks whether the program goes on; dismisses with the answer, empty for staying."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "dismiss('leave')", "Leave it running", id="program.leave",
                tooltip="Leave flow-tui; the program, its output and its spans go on"),
        Binding("s", "dismiss('stop')", "Stop it",
                id="program.stop", tooltip="Ask the program to end (SIGTERM), and leave flow-tui"),
        Binding("escape", "dismiss('')", "Stay", key_display="Esc", id="dialog.close",
                tooltip="Stay here"),
    ]  # fmt: skip
