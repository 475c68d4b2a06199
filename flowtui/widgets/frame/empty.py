"""The text of an empty pane: why there is nothing, and what would fill it."""

from __future__ import annotations

from textual.widgets import Static


class EmptyText(Static):
    """Some lines of muted text, shown without markup."""

    def __init__(self, text: str = "", *, id: str | None = None) -> None:
        super().__init__(text, id=id, markup=False)

    def show(self, text: str) -> None:
        self.update(text)
