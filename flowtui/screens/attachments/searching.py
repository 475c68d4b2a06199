"""Finds a text in the file that is shown: the panes of a preview, and where the text stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from textual.message import Message

from flowtui import format as fmt
from flowtui.previews.kind_table import PreviewKind
from flowtui.previews.values import Mode, Request, TextPage
from flowtui.screens.attachments import finding, title
from flowtui.screens.attachments.panes import PreviewPanes
from flowtui.store.filters.cells import row_filter
from flowtui.widgets.asking import Asks
from flowtui.widgets.documents.document import Document
from flowtui.widgets.documents.search import pattern_of
from flowtui.widgets.lists.table_pane import TablePane


class SearchedPanes(Asks, PreviewPanes):
    """The panes of a preview, with a search, and a filter for the rows of a table.

    A document is searched as far as it is read.
    """

    @dataclass
    class Finding(Message):
        """Sent when it is known more of where a text stands, or of which rows meet the filter."""

        told: str

    @dataclass
    class FilterEnded(Message):
        """Sent when the rows of a table are not filtered any more: something else is shown."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._needle = ""
        self._places: list[finding.FoundLine] = []
        self._place = -1
        self._is_found = True
        """Whether all of the file was searched."""
        self._match_count = 0
        self._is_jumped = False
        """Whether the parts begin where a text was found, and not at the beginning of the file."""
        self._jump: finding.FoundLine | None = None
        """The line that is gone to once its page is read."""
        self._row_filter = ""

    def read_part(self, request: Request) -> None:
        """Read and show another part of the file."""
        raise NotImplementedError

    def find(self, needle: str) -> None:
        """Mark a text, and find it in all of the file; an empty one ends that."""
        self._needle, self._places, self._place, self._is_found = needle, [], -1, True
        self.workers.cancel_group(self, "find")
        pattern = pattern_of(needle) if needle else None
        self._text.mark(pattern)
        pane = self.current
        if isinstance(pane, Document):
            self._match_count = pane.find(needle)
            self._is_found = not self._end_note
        elif pattern is not None and self._source is not None and self._has_lines:
            self._is_found = False
            read = self._parts[0].preview
            self.ask_each(
                partial(finding.find, self._source, self._request, read, pattern),
                self._take_places,
                lambda reason: self.notify(fmt.plain(reason, 300), severity="warning"),
                group="find",
            )
        elif self._is_jumped:
            self._is_jumped = False
            self.read_part(replace(self._request, position=0, index=0))
        self._tell_found()

    @property
    def is_table(self) -> bool:
        """Whether a table is shown, whose rows can be filtered."""
        return isinstance(self.current, TablePane) and bool(self._parts)

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of the table's columns that a filter may ask after."""
        return self._table.column_names

    @property
    def columns_left_out(self) -> str:
        """Which columns a filter looks at, in a sentence, if these are not all."""
        return self._table.columns_left_out

    @property
    def row_filter(self) -> str:
        """The filter of the table's rows as it was typed; empty if there is none."""
        return self._row_filter if self.is_table else ""

    @property
    def _table(self) -> TablePane:
        return self.query_one(TablePane)

    def filter_rows(self, text: str) -> None:
        """Show only the rows of the table that meet an expression, or all for a blank one.

        Raises:
            FilterError: The expression is not understood; what was shown stays.
        """
        wanted = row_filter(text, self.column_names)
        self._row_filter = text.strip()
        self._table.filter_rows(wanted)

    def show_parts(self, *, is_new: bool) -> None:
        super().show_parts(is_new=is_new)
        if is_new or not self._table.is_filtered:
            self._end_row_filter()

    def _end_row_filter(self) -> None:
        if self._row_filter:
            self._row_filter = ""
            self._table.end_filter()
            self.post_message(self.FilterEnded())

    def extent_changed(self) -> None:
        if self._row_filter:
            self.post_message(self.Finding(self._table.extent))

    @property
    def _has_lines(self) -> bool:
        read = self._parts[0].preview if self._parts else None
        if read is None or self._request.mode is Mode.HEX:
            return False
        return isinstance(read.shown, TextPage) or read.kind is PreviewKind.PDF

    def go_on_finding(self) -> None:
        """Search again what was left before all of it was searched."""
        if self._needle and not self._is_found and not isinstance(self.current, Document):
            self.find(self._needle)

    def _take_places(self, progress: finding.FoundLines) -> None:
        self._places += progress.places
        self._is_found = progress.is_done
        self._tell_found()

    def _tell_found(self) -> None:
        self._show_title()
        self.post_message(self.Finding(self.found_told))

    @property
    def found_told(self) -> str:
        """Which of how many lines or places with the text it is, as far as known."""
        if not self._needle:
            return ""
        is_document = isinstance(self.current, Document)
        if not is_document and not self._has_lines:
            return "found in text only"
        count = self._match_count if is_document else len(self._places)
        rest = " and more" if count >= finding.MAX_PLACES else "" if self._is_found else " so far"
        if self._place >= 0:
            return f"{self._place + 1:,} of {count:,}{rest}"
        return f"{count:,} found{rest}"

    def action_find_next(self, by: int) -> None:
        if not self._needle:
            self.notify("Type a text to find first: / opens its line.", timeout=2)
            return
        if isinstance(self.current, Document):
            at = self.current.find_next(by)
            self._place = -1 if at is None else at
        elif self._places:
            before = self._place if self._place >= 0 or by > 0 else 0
            self._place = (before + by) % len(self._places)
            self._go_to(self._places[self._place])
        self._tell_found()

    def _go_to(self, place: finding.FoundLine) -> None:
        line = 0
        for part in self._parts:
            if title.part_of(part.preview).position == place.position:
                self.current.cursor = line + place.line
                return
            line += len(part.lines)
        self._jump = place
        self.read_part(replace(self._request, position=place.position, index=place.index))

    def forget_search(self) -> None:
        """End the search, for another file is shown."""
        self.workers.cancel_group(self, "find")
        self._needle, self._places, self._place, self._jump = "", [], -1, None
        self._is_jumped = False
        self._text.mark(None)
        self._end_row_filter()
