"""Saving what is shown into a file: which format and where is asked first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.worker import Worker

from flowtui import format as fmt
from flowtui import person
from flowtui.widgets.asking import REASON_CHARACTERS, Asks

if TYPE_CHECKING:
    from flowtui.screens.dialogs.export import Export, ExportFormat

LEFT = "left before all was written: there is no file"


class Exports(Asks):
    """Mixed into what can be saved."""

    async def export(
        self, stem: str, formats: Sequence[ExportFormat], save: Callable[[Export], str]
    ) -> Worker[None] | None:
        """Ask for format and place, save, and say how that went; must be in a worker.

        Args:
            stem: Of the name that is proposed.
            formats: What it can be saved as.
            save: Writes the file in a thread and returns a sentence about it.

        Returns:
            What to cancel where it is not to be saved after all; None where it never was.
        """
        from flowtui.screens.dialogs.export import ExportScreen

        chosen = await self.app.push_screen_wait(ExportScreen(person.cwd(), stem, formats))
        if chosen is None:
            return None
        return self.ask(
            partial(save, chosen),
            partial(self._say_of_export, "Saved"),
            partial(self._say_of_export, "Not saved", is_bad=True),
            group="export",
            replaces=False,
            left=partial(self._say_of_export, "Not saved", LEFT),
        )

    def export_ended(self) -> None:
        """Take note that a file was saved, or not."""

    def _say_of_export(self, title: str, text: str, is_bad: bool = False) -> None:
        self.export_ended()
        self.app.notify(
            fmt.plain(text, REASON_CHARACTERS),
            title=title,
            severity="error" if is_bad else "information",
            markup=False,
        )
