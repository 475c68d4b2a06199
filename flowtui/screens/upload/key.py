"""The modal that asks for the registry's key, and keeps it once the registry knows it."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Label

from flowtui import format as fmt
from flowtui import person
from flowtui.registry.client import checked_key
from flowtui.registry.credentials import Credential, keep_key
from flowtui.registry.errors import NotKept
from flowtui.registry.threads import interruptible
from flowtui.screens.dialog import Dialog
from flowtui.widgets.asking import Asks
from flowtui.widgets.frame.form_row import FormRow
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

HOW = (
    "Make a key in LUML: your profile, API keys, Create. It is shown once; copy it there and"
    " paste it here."
)
KEPT = (
    "It is checked first, then kept in the keyring or in ~/.luml.json, for you alone to read,"
    " where lumlflow finds it too. LUML_API_KEY, in the environment or ./.env, comes before it."
)
THIS_SESSION = "this session only"


class KeyScreen(Asks, Dialog[Credential | None]):
    """Dismisses with a key that the registry knows, or None."""

    CSS_PATH = ["../form.tcss", "key.tcss"]  # noqa: RUF012  # an instance's
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "check", "Check and keep", key_display="Enter", priority=True,
                tooltip="Ask the registry, and keep the key if it knows it"),
        Binding("escape", "dismiss(None)", "Cancel", key_display="Esc", tooltip="Keep nothing"),
    ]  # fmt: skip

    def __init__(self, base_url: str, reason: str) -> None:
        """Make the screen.

        Args:
            base_url: of the registry.
            reason: why a key is asked for, safe to show.
        """
        super().__init__()
        self._base_url = base_url
        self._reason = reason
        self._is_checking = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Key for the registry"
            yield Label(self._reason, id="key-reason", markup=False)
            yield Label(HOW, classes="key-how", markup=False)
            yield Label(KEPT, classes="key-how", markup=False)
            server = Label(fmt.plain(self._base_url, 200), classes="fixed", markup=False)
            yield FormRow("Server", server)
            typed = Input(password=True, compact=True, select_on_focus=False)
            yield FormRow("Key", typed)
            yield Label("", id="key-note", markup=False)
            yield KeyLine()

    def action_check(self) -> None:
        if self._is_checking or not self.is_current:
            return
        self._is_checking = True
        self._say("asking the registry…")
        question = partial(self._checked, self.query_one(Input).value)
        self.ask(question, self._leave, self._show_failure, group="registry.key")

    def _checked(self, typed: str) -> tuple[Credential, str]:
        """Return the key, and why it is for this session only if it is."""
        home, base_url = person.home(), self._base_url
        try:
            return interruptible(lambda: keep_key(typed, base_url, home)), ""
        except NotKept as error:
            return Credential(checked_key(typed), THIS_SESSION), str(error)

    def _leave(self, kept: tuple[Credential, str]) -> None:
        credential, problem = kept
        if problem:
            text = fmt.plain(problem, 300)
            self.app.notify(text, title="Key for this session", severity="warning", markup=False)
        self.dismiss(credential)

    def _show_failure(self, reason: str) -> None:
        self._is_checking = False
        self._say(f"✗ {fmt.plain(reason, 300)}", is_failure=True)

    @on(Input.Changed)
    def forget_failure(self) -> None:
        if not self._is_checking:
            self._say("")

    def _say(self, text: str, is_failure: bool = False) -> None:
        note = self.query_one("#key-note", Label)
        note.set_class(is_failure, "-error")
        note.update(text)
