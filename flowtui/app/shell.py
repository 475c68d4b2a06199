"""What every app of flow-tui has: colours, keys, help, the clipboard, and its end."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding, BindingType
from textual.driver import Driver

from flowtui.app import themes
from flowtui.app.cached_stylesheet import CachedStylesheet
from flowtui.app.key_queue import KeyQueue
from flowtui.cell_widths import count_spacing_marks
from flowtui.screens.dialog import Dialog
from flowtui.terminal import session
from flowtui.terminal.shutdown import Shutdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from flowtui.terminal.placeholders import PlacedPicture
    from flowtui.widgets.host import Options

MOST_MISTAKES = 3
"""How many mistakes in the person's settings are told in full."""
MISTAKES_FOR_S = 12.0


class Shell(KeyQueue):
    """An app with the keys that work everywhere, as a person's settings want it to look."""

    CSS_PATH = "app.tcss"
    TITLE = "flow-tui"
    AUTO_FOCUS = ""
    ENABLE_COMMAND_PALETTE = False  # Textual's own
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+l", "redraw", "Redraw", show=False, id="app.redraw",
                tooltip="Paint the whole screen again"),
        Binding("ctrl+p", "command_palette", "Commands", show=False, priority=True,
                id="app.commands", tooltip="Find a command or a theme by name"),
        Binding("question_mark", "app.show_keys", "Keys", key_display="?", id="app.keys",
                tooltip="All keys that work here"),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True,
                id="app.suspend", tooltip="Go to the shell; `fg` comes back"),
        Binding("q", "app.quit", "Quit", id="app.quit", tooltip="Leave flow-tui"),
        Binding("ctrl+c", "app.quit", "Quit", show=False, priority=True, id="app.interrupt",
                tooltip="Leave flow-tui"),
    ]  # fmt: skip

    def __init__(self, options: Options) -> None:
        count_spacing_marks()
        super().__init__(driver_class=_driver_class())
        self.stylesheet = CachedStylesheet(variables=self.get_css_variables())
        self.options = options
        self.session = session.session(os.environ)
        self.wants_demo = False
        """Whether it was left for the demo store."""
        self.wants_path = ""
        """For which runs of another tool it was left, if for any."""
        self._process_end = Shutdown()
        self._running_loop: asyncio.AbstractEventLoop | None = None
        for theme in themes.THEMES.values():
            self.register_theme(theme)
        # Sixteen colours take a third of the bytes of any others.
        default = themes.ANSI.name if options.is_slow else themes.default_theme(self.session)
        self.theme = options.theme or default
        if options.keymap:
            self.set_keymap(options.keymap)
        for name in self.available_themes.keys() - themes.THEMES.keys():
            self.unregister_theme(name)
        # Motion costs bytes and time, and shows nothing.
        self.animation_level = "none"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "command_palette":
            # A dialog is answered first; the app's other keys do not reach through one.
            return not isinstance(self.screen, Dialog) or self.screen.is_place
        if action == "suspend_process":
            # In a field, Ctrl+Z undoes what was typed.
            return not hasattr(self.focused, "action_undo")
        return super().check_action(action, parameters)

    def on_mount(self) -> None:
        self._running_loop = asyncio.get_running_loop()
        self.call_after_refresh(self.after_first_paint)

    def after_first_paint(self) -> None:
        """Do what a start has no time for."""
        _collect_garbage_again()
        if told := self.options.mistakes:
            first, more = told[:MOST_MISTAKES], len(told) - MOST_MISTAKES
            rest = [f"{more:,} more: flow-tui config lists them"] if more > 0 else []
            self.notify("\n".join((*first, *rest)), title="Not used of your settings",
                        severity="warning", timeout=MISTAKES_FOR_S, markup=False)  # fmt: skip

    # Keys and commands -----------------------------------------------------------------------

    def action_redraw(self) -> None:
        from flowtui.terminal.driver import DiffDriver

        if isinstance(self.terminal_driver, DiffDriver):
            self.terminal_driver.forget()
        self.refresh()
        self.screen.refresh()

    def push_screen(self, *arguments: Any, **options: Any) -> Any:
        # A dialog that was asked for earlier may open only now, when the help or the palette is
        # open: these close, or the dialog would lie on top of them.
        if isinstance(self.screen, Dialog) and self.screen.gives_way:
            self.screen.dismiss(None)
        return super().push_screen(*arguments, **options)

    def action_show_keys(self) -> None:
        from flowtui.screens.dialogs.keys import KeysScreen

        self.push_screen(KeysScreen(self.screen.active_bindings.values()))

    def action_command_palette(self) -> None:
        from flowtui.app.palette import commands
        from flowtui.screens.dialogs.commands import Command, CommandsScreen

        def run(command: Command | None) -> None:
            if command is not None:
                self.call_later(command.run)

        self.push_screen(CommandsScreen(list(commands(self, self.screen))), run)

    def open_path(self, path: str) -> None:
        self.wants_path = path
        self.call_later(self.action_quit)

    def open_demo(self) -> None:
        self.wants_demo = True
        self.call_later(self.action_quit)

    def choose_theme(self, name: str) -> None:
        self.theme = name
        themes.keep(name, self.options.theme_of_file, self.session)

    def copy(self, text: str) -> None:
        """Send text to the clipboard, and notify the person of the outcome."""
        from flowtui.terminal.suspend import copy

        assert self.terminal_driver is not None
        copy(self, text, self.session, self.terminal_driver.write)

    @property
    def is_link_slow(self) -> bool:
        return self.options.is_slow

    def with_pictures_in_cells(self, then: Callable[[], object]) -> None:
        from flowtui.terminal import placeholders
        from flowtui.terminal.driver import DiffDriver

        if not isinstance(self.terminal_driver, DiffDriver) or self.is_link_slow:
            return
        # The colour of a cell says which picture it is, so all of its bits must arrive.
        if self.console.color_system != "truecolor" or self.native_ansi_color:
            return
        if placeholders.are_likely(os.environ, self.options.pictures, self.session):
            self.terminal_driver.with_placeholders(then)

    @property
    def cell_px(self) -> tuple[int, int]:
        from flowtui.terminal import placeholders
        from flowtui.terminal.driver import DiffDriver

        if not isinstance(self.terminal_driver, DiffDriver):
            return placeholders.USUAL_CELL_PX
        return placeholders.cell_px(self.terminal_driver.fileno)

    def place_picture(self, picture: PlacedPicture, then: Callable[[], object]) -> None:
        from flowtui.terminal.driver import DiffDriver

        if isinstance(self.terminal_driver, DiffDriver):
            self.terminal_driver.place_picture(picture, then)

    def remove_picture(self) -> None:
        from flowtui.terminal.driver import DiffDriver

        if isinstance(self.terminal_driver, DiffDriver):
            self.terminal_driver.remove_picture()

    def page(self, text: str) -> None:
        """Show a text of safe lines in the person's pager; the app waits until that ends."""
        from flowtui.terminal.suspend import page

        page(self, text)
        self.action_redraw()

    def action_suspend_process(self) -> None:
        from flowtui.terminal.driver import DiffDriver

        if isinstance(self.terminal_driver, DiffDriver) and not self.terminal_driver.stop_job():
            text = "flow-tui was not started from a shell, so there is none to go back to."
            self.notify(text, title="Not suspended", severity="warning")

    # How it ends -----------------------------------------------------------------------------

    async def action_quit(self) -> None:
        self.exit()

    def take_signals(self) -> None:
        """Leave tidily on SIGTERM, SIGHUP and SIGINT, from now on."""
        self._process_end.take_signals(self._leave)

    def _leave(self, code: int) -> None:
        """Exit with a code; this may be called from a signal handler."""
        if self._running_loop is None:
            self._process_end.end_now(code)
        else:
            self._running_loop.call_soon_threadsafe(partial(self.exit, return_code=code))


def _collect_garbage_again() -> None:
    """Switch the collector on again, which the entry point switched off for a fast start.

    What has been loaded by now is never garbage, so it is frozen: each collection would walk it.
    """
    gc.freeze()
    gc.enable()


def _driver_class() -> type[Driver] | None:
    if sys.platform == "win32":
        return None
    from flowtui.terminal.driver import DiffDriver

    return DiffDriver
