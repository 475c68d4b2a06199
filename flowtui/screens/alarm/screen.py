"""The modal that asks of what of a run a person wants to be told."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label

from flowtui import format as fmt
from flowtui.screens.dialog import Dialog
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

ANYWAY = "A bell and a notice when it ends, fails, stops, goes quiet or logs a NaN; and when"


class AlarmScreen(Dialog[str | None]):
    """A condition to type: dismisses with a valid one, which may be empty, or None."""

    CSS_PATH = "screen.tcss"
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "set", "Tell me", key_display="Enter", priority=True,
                id="alarm.set", tooltip="Watch the run from now on"),
        Binding("escape", "dismiss(None)", "Cancel", key_display="Esc",
                id="dialog.close", tooltip="Watch nothing"),
    ]  # fmt: skip

    def __init__(self, name: str) -> None:
        """Take the run's name."""
        super().__init__()
        self._run_name = name

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Be told"
            yield Label(fmt.plain(self._run_name, 200), markup=False, classes="alarm-run")
            yield Label(ANYWAY, markup=False, classes="alarm-what")
            yield Input(placeholder="val/loss < 0.4   or   step > 10000   (may be empty)",
                        compact=True)  # fmt: skip
            yield Label("", id="alarm-note", markup=False)
            yield KeyLine()

    @property
    def unsaved(self) -> str:
        return "What you typed is not set yet. Leave it?" if self.query_one(Input).value else ""

    @on(Input.Changed)
    def forget_mistake(self) -> None:
        self.query_one("#alarm-note", Label).update("")

    def action_set(self) -> None:
        from flowtui.store.errors import FilterError
        from flowtui.store.filters import run_condition

        text = self.query_one(Input).value.strip()
        try:
            run_condition(text)
        except FilterError as error:
            said = f"At character {error.position + 1}: {fmt.plain(str(error), 300)}"
            self.query_one("#alarm-note", Label).update(said)
            return
        self.dismiss(text)
