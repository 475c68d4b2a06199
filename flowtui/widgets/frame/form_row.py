"""One field of a form with its label; screens/form.tcss has its style."""

from __future__ import annotations

from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Label


class FormRow(Horizontal):
    """Shows a label before a field, and highlights it while the field has the focus."""

    def __init__(self, label: str, field: Widget, *, id: str | None = None) -> None:
        super().__init__(Label(label, classes="form-label"), field, id=id)

    def on_descendant_focus(self) -> None:
        self.add_class("-current")

    def on_descendant_blur(self) -> None:
        self.remove_class("-current")
