"""The modal in which the fields of a run, a group or a logged model are edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Label, TextArea

from flowtui import format as fmt
from flowtui.failures import Failure, NoLongerWanted
from flowtui.screens.annotate.fields import area, can_be_edited, fixed
from flowtui.screens.care.tags import can_be_typed, tags_text, typed_tags
from flowtui.screens.dialog import Dialog
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.store.care.values import (
    InvalidEdit,
    RecordChanged,
    RecordEdit,
    RecordsEdited,
    RecordState,
)
from flowtui.widgets.asking import Asks
from flowtui.widgets.frame.completion import WordSuggester
from flowtui.widgets.frame.form_row import FormRow
from flowtui.widgets.frame.frame import KeyLine
from flowtui.widgets.paint import ROLE_CLASSES

LEAVE_UNSAVED = "Leave without saving what you typed?"
NAME_CHARACTERS = 200
FIELDS = ("name", "group", "tags", "untag", "description")
MADE = "a new group, which is made"
MOST_NAMES = 40


@dataclass(frozen=True, slots=True)
class CareSubject:
    """What a form edits, and what it offers."""

    title: str
    states: Mapping[str, RecordState]
    """By id. Of several, only the group and the tags are edited, for all of them alike."""
    groups: Sequence[str] = ()
    tags: Sequence[str] = ()
    """Those in use, which are offered."""

    @property
    def only(self) -> RecordState | None:
        """What is edited, if it is not several."""
        return next(iter(self.states.values())) if len(self.states) == 1 else None

    @property
    def fields(self) -> frozenset[str]:
        return next(iter(self.states.values())).fields


Save = Callable[[RecordEdit, Mapping[str, RecordState]], RecordsEdited | None]


class CareForm(Asks, Dialog[RecordsEdited | None]):
    """Dismisses with the change that it wrote, or None; stays open if writing fails."""

    CSS_PATH = ["../form.tcss", "form.tcss"]  # noqa: RUF012  # an instance's
    COMPONENT_CLASSES = ROLE_CLASSES
    AUTO_FOCUS = "Input, TextArea"
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

    def __init__(self, subject: CareSubject, save: Save) -> None:
        """Make the screen.

        Args:
            subject: What is edited.
            save: Writes an edit, in a thread, unless what is edited is not as it is known here.
        """
        super().__init__()
        self._subject = subject
        self._save_edit = save
        self._known = dict(subject.states)
        self._is_saving = False
        self._initial: dict[str, str] = {}

    # What it shows ---------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog", can_focus=False) as dialog:
            dialog.border_title = Content(self._subject.title)
            only = self._subject.only
            yield from self._rows_of_several() if only is None else self._rows_of(only)
            yield Label("", id="care-note", markup=False)
            yield KeyLine()

    def _rows_of(self, state: RecordState) -> ComposeResult:
        if "name" in state.fields:
            is_typed = can_be_edited(state.name) and "\n" not in state.name
            yield FormRow("Name", _line(state.name, "name") if is_typed else _unchanged(state.name))
        if "group" in state.fields:
            is_typed = can_be_edited(state.group) and "\n" not in state.group
            if is_typed:
                yield from self._group_rows(state.group)
            else:
                yield FormRow("Group", _unchanged(state.group))
        if "tags" in state.fields:
            if state.problem:
                yield FormRow("Tags", fixed(f"not editable: {state.problem}"))
            elif not can_be_typed(state.tags):
                yield FormRow("Tags", _unchanged(tags_text(state.tags)))
            else:
                yield FormRow("Tags", self._tags_field(tags_text(state.tags), "tags"))
        if "description" in state.fields:
            yield FormRow("Description", area(state.description, "description"))

    def _rows_of_several(self) -> ComposeResult:
        if "group" in self._subject.fields:
            yield from self._group_rows("", "leave them in their groups")
        if "tags" in self._subject.fields:
            yield FormRow("Add tags", self._tags_field("", "tags"))
            yield FormRow("Untag", self._tags_field("", "untag"))

    def _group_rows(self, value: str, placeholder: str = "a name") -> ComposeResult:
        names = [one for one in self._subject.groups if fmt.plain(one, len(one)) == one]
        suggester = SuggestFromList(names, case_sensitive=True)
        yield FormRow("Group", _line(value, "group", placeholder, suggester), id="group-row")
        yield Label("", id="group-hint", markup=False)

    def _tags_field(self, value: str, id: str) -> Input:
        names = [one for one in self._subject.tags if fmt.plain(one, len(one)) == one]
        return _line(value, id, "separated by commas", WordSuggester(lambda: names))

    def on_mount(self) -> None:
        # A screen that is closed while it starts has no widgets.
        if self.query(KeyLine):
            self._initial = self._typed
            self._show_groups()

    @on(Input.Changed, "#group")
    def _show_groups(self) -> None:
        """Show the groups that the typed text may become."""
        typed = self._typed.get("group")
        if typed is None:
            return
        wanted = typed.strip()
        is_as_it_was = typed == self._initial.get("group", typed)
        found = [
            name
            for name in self._subject.groups
            if is_as_it_was or wanted.casefold() in name.casefold()
        ]
        is_new = bool(wanted) and wanted not in self._subject.groups
        names = " · ".join(fmt.plain(name, NAME_CHARACTERS) for name in found[:MOST_NAMES])
        hint = f"{names}   as typed: {MADE}" if is_new and names else MADE if is_new else names
        self.query_one("#group-hint", Label).update(hint)

    @on(Input.Submitted)
    def go_on(self) -> None:
        self.focus_next()

    def _say(self, text: str) -> None:
        note = self.query_one("#care-note", Label)
        note.update(text)
        note.scroll_visible(animate=False)

    # What was typed --------------------------------------------------------------------------

    @property
    def _typed(self) -> dict[str, str]:
        """The texts of the fields that can be edited, by id."""
        lines = {field.id or "": field.value for field in self.query(Input)}
        texts = {field.id or "": field.text for field in self.query(TextArea)
                 if not field.read_only}  # fmt: skip
        return {**lines, **texts}

    def _edit(self) -> RecordEdit:
        """Return what was changed of the fields."""
        changed = {
            field: text for field, text in self._typed.items() if text != self._initial.get(field)
        }
        group = changed["group"].strip() if "group" in changed else None
        if self._subject.only is None:
            return RecordEdit(
                added_tags=typed_tags(changed.get("tags", "")),
                removed_tags=typed_tags(changed.get("untag", "")),
                group=group or None,
            )
        return RecordEdit(
            name=changed["name"].strip() if "name" in changed else None,
            description=changed.get("description"),
            tags=typed_tags(changed["tags"]) if "tags" in changed else None,
            group=group,
        )

    # Saving ----------------------------------------------------------------------------------

    def action_save(self) -> None:
        if self._is_saving or not self.is_current:
            return
        try:
            wanted = self._edit()
            wanted.check()
        except InvalidEdit as error:
            self._refuse(error)
            return
        if wanted.is_empty:
            self.dismiss(None)
        else:
            self._is_saving = True
            self._say("saving…")
            self._save(wanted)

    @work
    async def _save(self, wanted: RecordEdit) -> None:
        known = dict(self._known) if self._subject.only is not None else {}
        try:
            change = await self.asked(partial(self._save_edit, wanted, known), is_write=True)
            self.dismiss(change)
        except NoLongerWanted:
            return
        except InvalidEdit as error:
            self._refuse(error)
        except RecordChanged as error:
            self._show_conflict(error)
        except Failure as error:
            self._say(f"{fmt.plain(str(error), 300)}  ^S tries again")
        finally:
            self._is_saving = False

    def _refuse(self, error: InvalidEdit) -> None:
        self._say(fmt.plain(str(error), 300))
        if error.field in FIELDS:
            self.query(f"#{error.field}").focus()

    def _show_conflict(self, error: RecordChanged) -> None:
        before, now = self._known[error.current.id], error.current
        self._known[now.id] = now
        fields = [
            (before.name, now.name),
            (before.group, now.group),
            (tags_text(before.tags), tags_text(now.tags)),
            (before.description, now.description),
        ]
        shown = [fmt.plain(after, 200) or "nothing" for old, after in fields if old != after]
        self._say(f"{error}\nnow  {'   '.join(shown)}\n^S again overwrites it")

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


def _line(
    value: str,
    id: str,
    placeholder: str = "",
    suggester: SuggestFromList | WordSuggester | None = None,
) -> Input:
    return Input(
        value,
        placeholder=placeholder,
        suggester=suggester,
        id=id,
        compact=True,
        select_on_focus=False,
    )


def _unchanged(text: str) -> Widget:
    """Return a text that an input cannot show exactly, and so cannot be edited here."""
    label = fixed(text)
    label.tooltip = "This text cannot be shown exactly, so it cannot be edited here."
    return label
