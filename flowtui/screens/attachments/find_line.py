"""The lines in which a person types what is to be found in the preview of the Attachments tab."""

from __future__ import annotations

from textual import on

from flowtui.screens.attachments.preview import FilePreview
from flowtui.screens.base import TabScreen
from flowtui.widgets.frame.filter_line import FilterLine


class FindsInPreview(TabScreen):
    """A tab with a preview, a line `#find`, and one for the rows of a table, `#rows`.

    What the preview reads ends when the tab is left.
    """

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

    @property
    def _rows_line(self) -> FilterLine:
        return self.query_one("#rows", FilterLine)

    async def open_find(self) -> None:
        """Open the line for what is shown: a text to find, or a filter for the rows of a table."""
        if self._preview.is_table:
            self._rows_line.names = self._preview.column_names
            await self._rows_line.open(self._preview.row_filter)
            self._rows_line.remark(tuple(filter(None, (self._preview.columns_left_out,))))
        else:
            await self._find_line.open("")

    def end_row_filter(self) -> bool:
        """Show all rows of the table again, if they are filtered; say whether they were."""
        if not self._preview.row_filter:
            return False
        self._rows_line.action_clear()
        return True

    @on(FilterLine.Changed, "#rows")
    def filter_rows(self, event: FilterLine.Changed) -> None:
        if self._preview.is_table:
            if not event.text.strip():
                event.line.note("")
            event.line.is_taken(self._preview.filter_rows)

    @on(FilterLine.Left, "#rows")
    def leave_rows_line(self) -> None:
        self._preview.current.focus()

    @on(FilePreview.FilterEnded)
    def close_rows_line(self) -> None:
        self._rows_line.close()

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
        for line in (self._find_line, self._rows_line):
            if line.is_open:
                line.note(message.told)
