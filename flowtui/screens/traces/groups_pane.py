"""The traces of a run in groups, in place of their list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeAlias, cast

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message

from flowtui import format as fmt
from flowtui.screens import judgements
from flowtui.screens.dialogs.choose import Choice, chosen_order
from flowtui.screens.traces.columns import started
from flowtui.store.natural import sort_key
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import groups as group_rows
from flowtui.store.traces.groups import TraceGroup
from flowtui.told_apart import ListedNames
from flowtui.widgets.asking import Asks
from flowtui.widgets.cells import Piece
from flowtui.widgets.frame.frame import OneLine
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import GAP, Cells, Column, VirtualTable

if TYPE_CHECKING:
    from textual.widget import Widget

    from flowtui.store.filters import Condition
    from flowtui.widgets.host import Host

VALUE = "value"
_COLUMNS = (
    Column("traces", "traces", 8, "right"),
    Column("errors", "failed", 7, "right"),
    Column("middle", "p50", 9, "right"),
    Column("high", "p95", 9, "right"),
    Column("tokens", "tokens", 10, "right"),
    Column("cost", "cost", 9, "right"),
    Column("last", "latest", 19),
)
_VALUE_CELLS = 15
_OTHER_CELLS = sum(column.width + len(GAP) for column in _COLUMNS)
_BY: dict[str, Callable[[TraceGroup], float | int | None]] = {
    "traces": lambda group: len(group.keys),
    "errors": lambda group: group.error_count,
    "middle": lambda group: group.middle_ns,
    "high": lambda group: group.high_ns,
    "tokens": lambda group: None if group.usage is None else group.usage.total,
    "cost": lambda group: None if group.usage is None else group.usage.cost,
    "last": lambda group: group.last_ns,
}
SILENT = "No trace names a {by}. The page on keys says under Traces which attributes do."


GroupsQuery: TypeAlias = "tuple[str, Condition | None]"
"""What traces are grouped by, and which they are."""


class GroupsPane(Asks, Container):
    """Shows the groups of traces, each with what its traces took."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Traces", key_display="Esc", id="groups.leave",
                tooltip="Back to the list of all traces"),
        Binding("s", "sort", "Sort", id="groups.sort", tooltip="Sort by a column; again: reverse"),
        Binding("c", "converse", "Conversation", id="groups.conversation",
                tooltip="Read the traces of the session as one conversation"),
        Binding("y", "copy", "Copy", show=False, id="groups.copy",
                tooltip="Copy the name of the group"),
        Binding("Y", "copy_row", "Copy as JSON", show=False, id="groups.copy_row",
                tooltip="Copy the group as JSON"),
    ]  # fmt: skip

    @dataclass
    class Entered(Message):
        """Sent by GroupsPane when the traces of a group are to be listed."""

        by: str
        value: str | None

    @dataclass
    class SessionWanted(Message):
        """Sent by GroupsPane when the conversation of a session is to be shown."""

        session: str

    @dataclass
    class Left(Message):
        """Sent by GroupsPane when the list is to be shown again."""

    def __init__(self, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run = run
        self.by = ""
        """What the traces are grouped by; empty while nothing is."""
        self._wanted: str | None = ""
        """The group to put the cursor on when the groups are read; empty for none."""
        self._read_groups: tuple[TraceGroup, ...] = ()
        """The groups in the order in which they were read."""
        self._groups: tuple[TraceGroup, ...] = ()
        self._names = ListedNames()
        self._order = ("traces", True)
        self._reading: GroupsQuery | None = None
        """What is being read."""
        self._shown: GroupsQuery | None = None
        self._is_due = False
        """Whether it is to be read again when it has been read."""

    def compose(self) -> Iterable[Widget]:
        yield OneLine(id="groups-title")
        yield VirtualTable(id="groups")

    @property
    def rows(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    @property
    def is_opening(self) -> bool:
        """Whether the groups have still to be read."""
        return bool(self.by) and self._shown is None

    # Reading ---------------------------------------------------------------------------------

    def open(self, by: str, condition: Condition | None, wanted: str | None = "") -> None:
        """Group the traces.

        Args:
            by: One of `groups.GROUPED_BY`.
            condition: Which traces; None for all.
            wanted: The group to put the cursor on.
        """
        self.close()
        self.by, self._wanted = by, wanted
        self.rows.set_columns(
            (Column(VALUE, f" {_called(by)}", _VALUE_CELLS, stretch=1), *_COLUMNS)
        )
        self.rows.sorted_by = self._order
        self.read(condition)

    def close(self) -> None:
        """Read nothing any more."""
        self.by, self._groups = "", ()
        self._reading = self._shown = None
        self.rows.show_keys(())

    def read(self, condition: Condition | None) -> None:
        """Read the groups again, of the traces that meet a condition.

        While the same is being read, it is read again after that: otherwise frequent changes would
        never let a slow read finish.
        """
        query = self.by, condition
        self._is_due = query == self._reading
        if self.by and not self._is_due:
            self._reading = query
            self.ask_each(
                partial(self._answers, query),
                partial(self._take, query),
                partial(self._show_failure, query),
                group="groups",
            )

    def _answers(self, query: GroupsQuery) -> Iterator[tuple[bool, tuple[TraceGroup, ...]]]:
        """Yield whether this is all that is known of the groups, and the groups."""
        found = self._run.ask(group_rows.groups, *query)
        yield False, found
        yield True, self._run.ask(group_rows.with_usage, found)

    def _take(self, query: GroupsQuery, answer: tuple[bool, tuple[TraceGroup, ...]]) -> None:
        if query != self._reading:
            return
        is_all, found = answer
        # Groups that are shown stay until the usage of the new ones is known too.
        if is_all or self._shown != query:
            self._shown = query
            self._show(found)
        if is_all:
            self._ended(query)

    def _ended(self, query: GroupsQuery) -> None:
        self._reading = None
        if self._is_due:
            self.read(query[1])

    def _show(self, found: tuple[TraceGroup, ...]) -> None:
        held = self._wanted if self._wanted != "" or self.group is None else self.group.value
        self._wanted = ""
        column, is_descending = self._order
        self._read_groups = found
        self._groups = tuple(_sorted(found, column, is_descending))
        self.rows.show_keys(range(len(self._groups)))
        self._names = ListedNames([one.value or "" for one in self._groups])
        self._fill(self.rows.keys_in_sight())
        self.rows.read_again()
        place = next((at for at, one in enumerate(self._groups) if one.value == held), None)
        if place is not None:
            self.rows.put_cursor(place)
        self._show_title()

    def _show_title(self) -> None:
        named = [one for one in self._groups if one.value is not None]
        # People may have said several things of one trace, which is in several groups then.
        total = len({key for one in self._groups for key in one.keys})
        # Several models of one trace are one group.
        is_said = judgements.is_judgement(self.by)
        called = f"by {_called(self.by)}"
        is_of_groups = self.by == "model" or is_said
        noun = (f"group {called}", f"groups {called}") if is_of_groups else (self.by, None)
        said = f" {fmt.count(len(named), *noun)}, {fmt.count(total, 'trace')}"
        pieces = [Piece(said, "muted")]
        if total and not named:
            pieces = [Piece(f" {SILENT.format(by=_called(self.by))}", "muted")]
        self.query_one("#groups-title", OneLine).show(pieces)

    def _show_failure(self, query: GroupsQuery, reason: str) -> None:
        if query == self._reading:
            self._shown, self._groups = query, ()
            self.rows.show_keys(())
            self.rows.resize_content(fmt.unread(reason))
            self.query_one("#groups-title", OneLine).show([])
            self._ended(query)

    @on(VirtualTable.RowsNeeded)
    def fill_rows(self, event: VirtualTable.RowsNeeded) -> None:
        event.stop()
        self._fill(event.keys)

    def on_resize(self) -> None:
        self._fill(self.rows.keys_in_sight())

    def _fill(self, places: Iterable[int]) -> None:
        room = max(self.size.width - _OTHER_CELLS, _VALUE_CELLS) - 1
        self.rows.fill(
            {
                at: _cells(self.by, self._groups[at], self._names.label(at, room))
                for at in places
                if at < len(self._groups)
            }
        )

    # Actions ---------------------------------------------------------------------------------

    @property
    def group(self) -> TraceGroup | None:
        """The group under the cursor."""
        at = self.rows.cursor_key
        return None if at is None or at >= len(self._groups) else self._groups[at]

    @on(VirtualList.Chosen)
    def enter(self, event: VirtualList.Chosen) -> None:
        event.stop()
        if (group := self.group) is not None:
            self.post_message(self.Entered(self.by, group.value))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "converse" or self.by == "session"

    def action_converse(self) -> None:
        if (group := self.group) is not None and group.value is not None:
            self.post_message(self.SessionWanted(group.value))

    @work
    async def action_sort(self) -> None:
        choices = [Choice(column.key, column.title.strip()) for column in self.rows.columns]
        app = cast("Host", self.app)
        chosen = await chosen_order(app, choices, self._order, lambda key: key != VALUE)
        if chosen is not None:
            self._order = self.rows.sorted_by = chosen
            self._show(self._read_groups)

    def action_copy(self) -> None:
        if (group := self.group) is not None and group.value is not None:
            cast("Host", self.app).copy(group.value)

    def action_copy_row(self) -> None:
        if (group := self.group) is not None:
            from flowtui.reports.runs import dumps
            from flowtui.reports.traces import group_document

            cast("Host", self.app).copy(dumps(group_document(self.by, group)))

    def action_leave(self) -> None:
        self.post_message(self.Left())


def _sorted(found: Iterable[TraceGroup], column: str, is_descending: bool) -> list[TraceGroup]:
    """Return groups in an order; those without a value in it, and without a name, come last."""
    named = [one for one in found if one.value is not None]
    nameless = [one for one in found if one.value is None]
    if column == VALUE:
        named.sort(key=lambda one: sort_key(one.value or ""), reverse=is_descending)
        return named + nameless
    value = _BY[column]
    known = [(number, one) for one in named if (number := value(one)) is not None]
    known.sort(key=lambda pair: -pair[0] if is_descending else pair[0])
    return [one for _, one in known] + [one for one in named if value(one) is None] + nameless


def _called(by: str) -> str:
    """Return what traces are grouped by, in words."""
    return judgements.title(by) if judgements.is_judgement(by) else by


def _cells(by: str, group: TraceGroup, name: str) -> Cells:
    title = Piece(f" {name}") if group.value else Piece(f" (no {_called(by)})", "muted")
    usage = group.usage
    tokens = fmt.tokens(None if usage is None else usage.total, group.unread_count)
    cost = "" if usage is None or usage.cost is None else fmt.number(usage.cost, 3)
    return (
        title,
        Piece(f"{len(group.keys):,}"),
        Piece(f"✗ {group.error_count:,}" if group.error_count else "", "error"),
        _took(group.middle_ns),
        _took(group.high_ns),
        Piece(tokens if group.is_counted else "…"),
        Piece(cost if group.is_counted else "…"),
        Piece(started(group.last_ns), "muted"),
    )


def _took(time_ns: int | None) -> Piece:
    return Piece("" if time_ns is None else fmt.duration(time_ns / 1e9))
