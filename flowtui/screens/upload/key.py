"""The modal that asks for a key, and stores it if the registry accepts it."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
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
    "Create a key in LUML: your profile, API keys, Create. It is shown only once; copy it there and"
    " paste it here."
)
KEPT = (
    "It is checked first. Then it is stored in the keyring, or in ~/.luml.json for you alone to"
    " read; lumlflow finds it there too. LUML_API_KEY, in the environment or ./.env, overrides it."
)
THIS_SESSION = "this session only"


class KeyScreen(Asks, Dialog[Credential | None]):
    """Dismisses with a key that the registry accepts, or None."""

    CSS_PATH = ["../form.tcss", "key.tcss"]  # noqa: RUF012  # an instance's
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "check", "Check and keep", key_display="Enter", priority=True,
                id="upload.check_key",
                tooltip="Ask the registry, and store the key if it is accepted"),
        Binding("escape", "dismiss(None)", "Cancel", key_display="Esc", id="dialog.close",
                tooltip="Store nothing"),
    ]  # fmt: skip

    def __init__(self, base_url: str, reason: str) -> None:
        """Make the screen.

        Args:
            base_url: The base URL of the registry.
            reason: The reason why a key is asked for, safe to show.
        """
        super().__init__()
        self._base_url = base_url
        self._reason = reason
        self._is_checking = False

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
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
        """Check and store the typed key.

        Returns:
            The key, and the reason if it could not be stored and is for this session only.
        """
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
        note.scroll_visible(animate=False)
