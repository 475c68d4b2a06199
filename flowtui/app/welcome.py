"""The app where there is no store: it tells of the ways to one, and waits until there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.screen import Screen

from flowtui.app.shell import Shell
from flowtui.screens.welcome.screen import NoStoreScreen
from flowtui.sources.recognising import SeenRuns
from flowtui.store.values import StoreLocation
from flowtui.widgets.asking import Asks
from flowtui.widgets.host import Options

LOOK_EVERY_S = 1.0


class WelcomeApp(Asks, Shell):
    """Ends when a store has appeared, when other runs are wanted, or when it is left."""

    def __init__(
        self,
        options: Options,
        where: StoreLocation,
        has_appeared: Callable[[], bool],
        others: Sequence[SeenRuns] = (),
    ) -> None:
        """Make it.

        Args:
            options: How it is shown.
            where: Where a store was looked for.
            has_appeared: Says whether there is one now, there or elsewhere; called in a thread.
            others: Runs of other tools that are here already.
        """
        super().__init__(options)
        self._where = where
        self._others = others
        self._look_again = has_appeared
        self.has_appeared = False

    def get_default_screen(self) -> Screen[None]:
        return NoStoreScreen(self._where, self._others)

    def on_mount(self) -> None:
        self.set_interval(LOOK_EVERY_S, self._look)

    def _look(self) -> None:
        self.ask(self._look_again, self._take, group="store", replaces=False)

    def _take(self, has_appeared: bool) -> None:
        if has_appeared and not self.has_appeared:
            self.has_appeared = True
            self.exit()
