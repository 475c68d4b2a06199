"""Lists of records: which are selected, in which order, and the records of the cached rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.list_query import ListQuery
from flowtui.widgets.frame.empty import EmptyText
from flowtui.widgets.frame.filter_line import FilterLine
from flowtui.widgets.lists.detail_strip import DetailStrip, Question
from flowtui.widgets.lists.virtual_list import VirtualList
from flowtui.widgets.lists.virtual_table import VirtualTable

if TYPE_CHECKING:
    from flowtui.screens.dialogs.choose import Choice
    from flowtui.store.filters import Condition
    from flowtui.widgets.host import Host

Query = TypeVar("Query", bound=ListQuery)
Record = TypeVar("Record")


class RecordList(Generic[Query, Record]):
    """A mixin for the screen or pane with a table, its filter line, and a text if it is empty.

    It is not a Textual class, because a generic one cannot be combined with a screen. So its
    handlers are found by their names: `@on` works only in a Textual class.
    """

    rows_id: ClassVar[str]
    """The id of the table."""

    selected: Query
    """Which records are to be shown, and in which order."""
    known: dict[int, Record]
    """The records of the rows that the table caches, by key."""

    # What subclasses say ---------------------------------------------------------------------

    def read_selected(self) -> None:
        """Start to read what is selected now."""
        raise NotImplementedError

    def condition_of(self, text: str) -> Condition:
        """Return the condition of a filter; implementations import the filter language lazily.

        Raises:
            FilterError: The filter is not understood.
        """
        raise NotImplementedError

    def with_order(self, column: str, descending: bool) -> Query:
        """Return the present selection in another order."""
        raise NotImplementedError

    def fill(self, records: Mapping[int, Record]) -> None:
        """Fill the table's rows for these records."""
        raise NotImplementedError

    def id_of(self, record: Record) -> str:
        """Return the id of a record, to be copied."""
        raise NotImplementedError

    def document_of(self, record: Record) -> object:
        """Return a record as a value for JSON, to be copied."""
        raise NotImplementedError

    # What it has -----------------------------------------------------------------------------

    @property
    def rows(self) -> VirtualTable:
        return self._widget.query_one(f"#{self.rows_id}", VirtualTable)

    @property
    def filter_line(self) -> FilterLine:
        return self._widget.query_one("#filter", FilterLine)

    @property
    def record(self) -> Record | None:
        """The record under the cursor, if it was read."""
        key = self.rows.cursor_key
        return None if key is None else self.known.get(key)

    @property
    def _widget(self) -> Widget:
        return cast("Widget", self)

    @property
    def _host(self) -> Host:
        return cast("Host", self._widget.app)

    # Showing ---------------------------------------------------------------------------------

    def show_records(self, records: Mapping[int, Record]) -> None:
        """Fill the rows of these records, and keep them as long as the table caches their rows."""
        self.known.update(records)
        self.fill(records)
        self.known = {key: one for key, one in self.known.items() if self.rows.holds(key)}
        if self.rows.cursor_key in records:
            self._look()

    # The strip below -------------------------------------------------------------------------

    @property
    def strip(self) -> DetailStrip:
        """The strip below the list, which shows what the cursor is on."""
        return self._widget.query_one(DetailStrip)

    def strip_question(self) -> Question | None:
        """Return what the strip asks about the record under the cursor; None for nothing."""
        return None

    def on_virtual_list_cursor_moved(self, event: VirtualList.CursorMoved) -> None:
        if event.lines is self.rows:
            self._look()

    def _look(self) -> None:
        # Not every list has a strip.
        for strip in self._widget.query(DetailStrip):
            strip.look()

    def action_strip(self) -> None:
        self.strip.toggle()

    def show_empty(self, text: str) -> None:
        """Show the table, or a text in its place."""
        screen = self._widget.screen
        if text and self.rows.has_focus:
            # Otherwise Textual moves the focus to another list when the table is hidden.
            screen.set_focus(None)
        empty = self._widget.query_one("#empty", EmptyText)
        empty.show(text)
        empty.display = bool(text)
        self.rows.display = not text
        for strip in self._widget.query(DetailStrip):
            strip.allow(not text)
        if not text and screen.focused is None:
            screen.set_focus(self.rows)

    def show_unread(self, reason: str) -> None:
        """Show why the list could not be read."""
        self.show_empty(fmt.unread(reason))

    # Which records ---------------------------------------------------------------------------

    def select(self, wanted: Query) -> None:
        """Show other records, or another order of them."""
        if wanted != self.selected:
            self.selected = wanted
            self.read_selected()

    async def action_filter(self) -> None:
        await self.filter_line.open(self.filter_line.text)

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        self.take_filter(event.line)

    def take_filter(self, line: FilterLine) -> bool:
        """Select the records that match the typed filter, and return whether it is understood."""
        return line.is_taken(self._take_filter)

    def _take_filter(self, text: str) -> None:
        condition = self.condition_of(text) if text.strip() else None
        self.select(self.selected.filtered(condition))

    def on_filter_line_left(self) -> None:
        self._widget.screen.set_focus(self.rows if self.rows.display else None)

    async def sort(
        self, choices: Sequence[Choice], starts_descending: Callable[[str], bool]
    ) -> None:
        """Ask for a column to sort by, and sort; to be awaited in a worker.

        Args:
            choices: The columns.
            starts_descending: Returns whether a column is first sorted in descending order.
        """
        from flowtui.screens.dialogs.choose import chosen_order

        chosen = await chosen_order(self._host, choices, self.selected.sorted_by, starts_descending)
        if chosen is not None:
            self.select(self.with_order(*chosen))

    # Copying ---------------------------------------------------------------------------------

    def action_copy(self) -> None:
        if (record := self.record) is not None:
            self._host.copy(self.id_of(record))

    def action_copy_row(self) -> None:
        if (record := self.record) is not None:
            from flowtui.reports.runs import dumps

            self._host.copy(dumps(self.document_of(record)))
