"""The modal in which an annotation is written or edited."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label, TextArea

from flowtui import format as fmt
from flowtui import person
from flowtui.failures import Failure, NoLongerWanted
from flowtui.screens.annotate.dialogs import may_create_tables
from flowtui.screens.annotate.fields import OneOf, Option, area, fixed
from flowtui.screens.annotate.name import NameField
from flowtui.screens.annotate.writing import Entry, Revision, Writing
from flowtui.screens.dialog import Dialog
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.store.annotations.errors import AnnotationChanged
from flowtui.store.annotations.values import (
    Annotation,
    AnnotationKind,
    Change,
    Draft,
    Value,
    ValueType,
    whole_number,
)
from flowtui.store.errors import InvalidAnnotation, NoAnnotationTables
from flowtui.widgets.asking import Asks
from flowtui.widgets.frame.form_row import FormRow
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.lists.annotation_lines import value_piece
from flowtui.widgets.paint import ROLE_CLASSES

KINDS = (
    Option(AnnotationKind.FEEDBACK, "feedback", "f"),
    Option(AnnotationKind.EXPECTATION, "expectation", "e"),
)
TYPES = (
    Option(ValueType.STRING, "text", "ts"),
    Option(ValueType.INT, "integer", "i"),
    Option(ValueType.BOOL, "boolean", "b"),
)
TRUTHS = (
    Option("true", "✓ true", "ty", "ok"),
    Option("false", "✗ false", "fn", "error"),
)
LEAVE_UNSAVED = "Leave without saving what you typed?"
NAMELESS = "  (--user NAME or FLOW_TUI_USER sets your name)"
FIELD_IDS = {"name": "#name", "kind": "#kind", "rationale": "#rationale"}


class AnnotationForm(Asks, Dialog[Change | None]):
    """Dismisses with the change that it wrote, or None; stays open if writing fails."""

    CSS_PATH = ["../form.tcss", "form.tcss"]  # noqa: RUF012  # an instance's
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = ""
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012  # Textual declares it as an instance's
        (0, "-low"),
        (14, "-short"),
        (30, "-tall"),
    ]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", key_display="^S", priority=True, id="form.save",
                tooltip="Write it"),
        Binding("escape", "leave", "Cancel", key_display="Esc", id="dialog.close",
                tooltip="Write nothing"),
        Binding("tab", "app.focus_next", "Next field", key_display="Tab",
                id="form.next", tooltip="To the next field"),
    ]  # fmt: skip

    def __init__(
        self, described: str, writing: Writing, user: str, known: Annotation | None = None
    ) -> None:
        """Make the screen.

        Args:
            described: The kind and name of the target, such as `span  chat gpt-4o-mini`.
            writing: The functions that read names and write.
            user: The author of a new annotation.
            known: The annotation to edit, of a type that the SDK writes; None for a new one.
        """
        super().__init__()
        self._described = described
        self._writing = writing
        self._user = user
        self._known = known
        self._overwrite = False
        """Whether the user knows that the annotation was deleted, and saving puts it back."""
        self._is_saving = False
        self._is_empty_meant = known is not None and known.value == ""
        self._initial: tuple[str, ...] = ()

    # What it shows ---------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        known = self._known
        kind = AnnotationKind.FEEDBACK if known is None else known.kind
        value_type = ValueType.STRING if known is None else known.value_type
        value = True if known is None else known.value
        text = value if isinstance(value, str) else ""
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            word = "Annotate" if known is None else "Edit the annotation of"
            dialog.border_title = Content(f"{word} {fmt.plain(self._described, 100)}")
            if known is None:
                yield FormRow("Kind", OneOf(KINDS, kind, id="kind"))
                yield FormRow("Name", NameField())
                yield FormRow("Type", OneOf(TYPES, value_type, id="type"), id="type-row")
            else:
                yield FormRow("Kind", fixed(known.kind))
                yield FormRow("Name", fixed(known.name))
            truth = "false" if value is False else "true"
            number = str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
            yield FormRow("Value", OneOf(TRUTHS, truth, id="truth"), id="truth-row")
            yield FormRow(
                "Value",
                Input(
                    number,
                    placeholder="a whole number",
                    id="number",
                    compact=True,
                    select_on_focus=False,
                ),
                id="number-row",
            )
            yield FormRow("Value", area(text, "text"), id="text-row")
            yield Label("", id="value-note", markup=False)
            yield FormRow("Rationale", area(known.rationale or "" if known else "", "rationale"))
            user = self._user if known is None else known.user
            hint = NAMELESS if known is None and user == person.number() else ""
            yield FormRow("Author", fixed(f"{user}{hint}"))
            yield Label("", id="form-note", markup=False)
            yield KeyLine()

    def on_mount(self) -> None:
        # A screen that is closed while it starts has no widgets.
        if not self.query(KeyLine):
            return
        self._show_value_field()
        self._initial = self._typed
        if self._known is None:
            self.query_one("#name").focus()
            # A failure needs no message: names can still be typed, and saving reports it.
            self.ask(
                self._writing.names,
                self.query_one(NameField).show_names,
                lambda _reason: None,
                group="names",
            )
        else:
            self._value_field.focus()
            if self._known.problem:
                self._say(fmt.plain(self._known.problem, 300))

    @property
    def _kind(self) -> str:
        return self.query_one("#kind", OneOf).chosen if self._known is None else self._known.kind

    @property
    def _value_type(self) -> str:
        if self._known is not None:
            return self._known.value_type
        is_feedback = self._kind == AnnotationKind.FEEDBACK
        return ValueType.BOOL if is_feedback else self.query_one("#type", OneOf).chosen

    @property
    def _value_field(self) -> Widget:
        ids = {ValueType.BOOL: "#truth", ValueType.INT: "#number"}
        return self.query_one(ids.get(ValueType(self._value_type), "#text"))

    def _show_value_field(self) -> None:
        shown = self._value_field.parent
        for row in self.query("#truth-row, #number-row, #text-row"):
            row.display = row is shown
        for row in self.query("#type-row"):
            row.display = self._kind != AnnotationKind.FEEDBACK
        self._check_number()

    @on(OneOf.Changed, "#kind")
    @on(OneOf.Changed, "#type")
    def change_type(self) -> None:
        self._show_value_field()

    @on(NameField.Taken)
    def take_name(self, event: NameField.Taken) -> None:
        if event.name.kind in tuple(AnnotationKind) and event.name.value_type in tuple(ValueType):
            self.query_one("#kind", OneOf).chosen = event.name.kind
            if event.name.kind == AnnotationKind.EXPECTATION:
                self.query_one("#type", OneOf).chosen = event.name.value_type

    @on(NameField.Done)
    @on(Input.Submitted)
    def go_on(self) -> None:
        self.focus_next()

    @on(Input.Changed, "#number")
    def _check_number(self) -> None:
        """Say what is wrong with the number while it is typed."""
        typed = self.query_one("#number", Input).value
        problem = ""
        if self._value_type == ValueType.INT and typed.strip() not in ("", "-", "+"):
            try:
                whole_number(typed)
            except InvalidAnnotation as error:
                problem = f"^ {error}"
        self.query_one("#value-note", Label).update(problem)
        self.query_one("#value-note").display = bool(problem)

    def _say(self, text: str) -> None:
        note = self.query_one("#form-note", Label)
        note.update(text)
        note.scroll_visible(animate=False)

    # What was typed --------------------------------------------------------------------------

    @property
    def _typed(self) -> tuple[str, ...]:
        """The values of all fields, to find out whether anything was typed or chosen."""
        names = [field.text for field in self.query(NameField)]
        choices = [field.chosen for field in self.query(OneOf)]
        texts = [area.text for area in self.query(TextArea)]
        return (*names, *choices, *texts, self.query_one("#number", Input).value)

    @property
    def _value(self) -> Value:
        """The value of the visible value field.

        Raises:
            InvalidAnnotation: It is not a whole number.
        """
        if self._value_type == ValueType.BOOL:
            return self.query_one("#truth", OneOf).chosen == "true"
        if self._value_type == ValueType.INT:
            return whole_number(self.query_one("#number", Input).value)
        return self._text_of("text", None if self._known is None else str(self._known.value))

    def _text_of(self, id: str, known: str | None) -> str:
        # A read-only area shows its text with replaced characters, so the original text is kept.
        area = self.query_one(f"#{id}", TextArea)
        return known if area.read_only and known is not None else area.text

    def _entry(self) -> Entry:
        known = self._known
        rationale = self._text_of("rationale", None if known is None else known.rationale)
        if known is not None:
            return Revision(known, self._value, rationale or None, self._overwrite)
        name = self.query_one(NameField).text.strip()
        kind = AnnotationKind(self._kind)
        return Draft(name, kind, self._value, rationale or None, self._user)

    # Saving ----------------------------------------------------------------------------------

    def action_save(self) -> None:
        if self._is_saving or not self.is_current:
            return
        try:
            entry = self._entry()
            if isinstance(entry, Draft):
                entry.check()
            self._check_empty(entry)
        except InvalidAnnotation as error:
            self._refuse(error)
            return
        if isinstance(entry, Revision) and entry.changes_nothing:
            self.dismiss(None)
        else:
            self._is_saving = True
            self._say("saving…")
            self._save(entry)

    def _check_empty(self, entry: Entry) -> None:
        """Ask for a second ^S if the text is empty: it may be meant, or may be forgotten."""
        if entry.value == "" and not self._is_empty_meant:
            self._is_empty_meant = True
            raise InvalidAnnotation("value", "the value is empty; ^S again saves it all the same")

    @work
    async def _save(self, entry: Entry) -> None:
        try:
            await self._write(entry)
        except NoLongerWanted:
            return
        except InvalidAnnotation as error:
            self._refuse(error)
        except AnnotationChanged as error:
            self._show_conflict(error)
        except Failure as error:
            self._say(f"{fmt.plain(str(error), 300)}  ^S tries again")
        finally:
            self._is_saving = False

    async def _write(self, entry: Entry) -> None:
        save = partial(self._writing.save, entry)
        try:
            change = await self.asked(save, is_write=True)
        except NoAnnotationTables:
            self._say("")
            if not await may_create_tables(self.app):
                self._say("Not saved: the run's database has no tables for annotations.")
                return
            self._say("saving…")
            await self.asked(self._writing.create_tables, is_write=True)
            change = await self.asked(save, is_write=True)
        self.dismiss(change)

    def _refuse(self, error: InvalidAnnotation) -> None:
        self._say(fmt.plain(str(error), 300))
        if error.field == "value":
            self._value_field.focus()
        elif error.field in FIELD_IDS:
            self.query(FIELD_IDS[error.field]).focus()

    def _show_conflict(self, error: AnnotationChanged) -> None:
        current = error.current
        if current is None:
            self._overwrite = True
            self._say(f"{error}\n^S again writes it anew, as it is here")
            return
        self._known, self._overwrite = current, False
        value = value_piece(current.kind, current.value).text
        rationale = fmt.plain(current.rationale or "no rationale", 200)
        self._say(f"{error}\nnow  {value}  {rationale}\n^S again overwrites it")

    @work
    async def action_leave(self) -> None:
        if self._is_saving:
            return
        if self.unsaved and not await self.app.push_screen_wait(ConfirmScreen(self.unsaved)):
            return
        self.dismiss(None)

    @property
    def unsaved(self) -> str:
        is_unsaved = bool(self._initial) and self._typed != self._initial
        return LEAVE_UNSAVED if is_unsaved and not self._is_saving else ""
