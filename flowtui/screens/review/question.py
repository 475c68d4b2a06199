"""The modal that asks what to judge in a review: a name in use, or a new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Label

from flowtui import format as fmt
from flowtui.screens.annotate.fields import OneOf
from flowtui.screens.annotate.form import KINDS, TYPES
from flowtui.screens.annotate.name import NameField
from flowtui.screens.dialog import Dialog
from flowtui.screens.review.queue import Question
from flowtui.store.annotations.values import AnnotationKind, AnnotationName, ValueType
from flowtui.store.errors import InvalidAnnotation
from flowtui.widgets.frame.form_row import FormRow
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES


class QuestionScreen(Dialog[Question | None]):
    """Dismisses with the new question, or with None to keep the present one."""

    CSS_PATH = ["../form.tcss", "question.tcss"]  # noqa: RUF012  # an instance's
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "#name"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", "Judge this", key_display="^S", priority=True,
                id="form.save", tooltip="Go on with this question"),
        Binding("escape", "dismiss(None)", "Cancel", key_display="Esc",
                id="dialog.close", tooltip="Go on with the present question"),
        Binding("tab", "app.focus_next", "Next field", key_display="Tab",
                id="form.next", tooltip="To the next field"),
    ]  # fmt: skip

    def __init__(self, names: Sequence[AnnotationName], present: Question) -> None:
        """Make the screen.

        Args:
            names: The names in use, the last used one first.
            present: The present question.
        """
        super().__init__()
        self._names = names
        self._present = present

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Judge what"
            yield FormRow("Name", NameField())
            yield FormRow("Kind", OneOf(KINDS, self._present.kind, id="kind"))
            yield FormRow("Type", OneOf(TYPES, self._present.value_type, id="type"), id="type-row")
            yield Label(
                f"now judged: {fmt.plain(self._present.name, 60)}", id="question-note", markup=False
            )
            yield KeyLine()

    def on_mount(self) -> None:
        # A screen that is closed while it starts has no widgets.
        for field in self.query(NameField):
            field.show_names(self._names)
            self._show_type()

    @on(OneOf.Changed, "#kind")
    def _show_type(self) -> None:
        self.query_one("#type-row").display = self._kind is not AnnotationKind.FEEDBACK

    @property
    def _kind(self) -> AnnotationKind:
        return AnnotationKind(self.query_one("#kind", OneOf).chosen)

    @on(NameField.Taken)
    def take_name(self, event: NameField.Taken) -> None:
        if event.name.kind in tuple(AnnotationKind) and event.name.value_type in tuple(ValueType):
            self.query_one("#kind", OneOf).chosen = event.name.kind
            self.query_one("#type", OneOf).chosen = event.name.value_type

    @on(NameField.Done)
    def action_take(self) -> None:
        kind = self._kind
        chosen = ValueType(self.query_one("#type", OneOf).chosen)
        value_type = ValueType.BOOL if kind is AnnotationKind.FEEDBACK else chosen
        question = Question(self.query_one(NameField).text.strip(), kind, value_type)
        try:
            question.draft(question.sample, None, "author").check()
        except InvalidAnnotation as error:
            self.query_one("#question-note", Label).update(fmt.plain(str(error), 300))
            return
        self.dismiss(question)
