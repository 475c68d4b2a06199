"""The line in which a text is typed that is found in the preview of the Attachments tab."""

from __future__ import annotations

from textual import on

from flowtui.screens.attachments.preview import FilePreview
from flowtui.screens.base import TabScreen
from flowtui.widgets.frame.filter_line import FilterLine


class FindsInPreview(TabScreen):
    """A tab with a preview and a line `#find`; what the preview reads ends when the tab is left."""

    def on_screen_suspend(self) -> None:
        if self.is_composed:
            self._preview.leave()

    def on_screen_resume(self) -> None:
        if self.is_composed and self.has_content:
            self.show_preview()
            self._preview.go_on_finding()

    def show_preview(self) -> None:
        """Show what the cursor is on."""
        raise NotImplementedError

    @property
    def _preview(self) -> FilePreview:
        return self.query_one(FilePreview)

    @property
    def _find_line(self) -> FilterLine:
        return self.query_one("#find", FilterLine)

    @on(FilterLine.Changed, "#find")
    def find(self, event: FilterLine.Changed) -> None:
        self._preview.find(event.text)

    @on(FilterLine.Entered, "#find")
    def go_to_match(self) -> None:
        self._preview.action_find_next(1)

    @on(FilterLine.Left, "#find")
    def leave_find(self) -> None:
        # The title says which of how many it is.
        self._find_line.close()
        self._preview.current.focus()

    @on(FilePreview.Finding)
    def tell_found(self, message: FilePreview.Finding) -> None:
        if self._find_line.is_open:
            self._find_line.note(message.told)
