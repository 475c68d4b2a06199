"""The text of an empty pane: why there is nothing, and what would fill it."""

from __future__ import annotations

from textual.widgets import Static

from flowtui.widgets.cells import note_role


class EmptyText(Static):
    """Some lines of text, shown without markup: muted, or as an error if a ✗ begins them."""

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(text, id=id, markup=False)

    def show(self, text: str) -> None:
        self.set_class(note_role(text) == "error", "-error")
        self.update(text)
