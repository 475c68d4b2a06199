"""Exporting what a screen shows into a file, after asking for the format and the path."""

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

LEFT = "The export was cancelled before everything was written, so there is no file."


class Exports(Asks):
    """A mixin for screens and panes whose content can be exported."""

    async def export(
        self, stem: str, formats: Sequence[ExportFormat], save: Callable[[Export], str]
    ) -> Worker[None] | None:
        """Ask for the format and the path, save, and notify of the outcome; needs a worker.

        Args:
            stem: The stem of the file name to propose.
            formats: The formats to choose from.
            save: Writes the file in a thread and returns a sentence about it.

        Returns:
            The worker that saves, which can be cancelled; None if the person cancelled the dialog.
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
        """Note that an export has ended, successfully or not."""

    def _say_of_export(self, title: str, text: str, is_bad: bool = False) -> None:
        self.export_ended()
        self.app.notify(
            fmt.plain(text, REASON_CHARACTERS),
            title=title,
            severity="error" if is_bad else "information",
            markup=False,
        )
