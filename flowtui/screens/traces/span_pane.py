"""The span that the cursor of a tree rests on, in full, and its annotations under it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from textual import on, work
from textual.message import Message
from textual.widget import Widget

from flowtui.screens.notices import GivesNotices
from flowtui.screens.traces.reading import ReadTrace
from flowtui.screens.traces.span_reading import ReadSpan, read_span, whole_text
from flowtui.store.database import Cancelled
from flowtui.store.store import Store
from flowtui.store.traces.tree import Node
from flowtui.widgets.documents.document import Document
from flowtui.widgets.lists.annotation_list import AnnotationList

_Key = tuple[str, tuple[int, int], Node]
"""A trace, what it had when it was read, and a node of it."""


class SpanPane(GivesNotices):
    """Shows one span, read when it is asked for and not before."""

    @dataclass
    class Read(Message):
        """Sent by the reader with a span, None if it is gone."""

        key: _Key
        span: ReadSpan | None

    def __init__(self, store: Store, run_id: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._store = store
        self._run_id = run_id
        self._trace: ReadTrace | None = None
        self._wanted: _Key | None = None
        self._shown: _Key | None = None
        self._span: ReadSpan | None = None
        self._is_raw = False

    def compose(self) -> Iterable[Widget]:
        yield Document(id="span-detail")
        yield AnnotationList(id="span-annotations")

    @property
    def document(self) -> Document:
        return self.query_one(Document)

    def show_node(self, trace: ReadTrace | None, index: int | None) -> None:
        """Show a node of a trace, or nothing; one that is shown is not read again."""
        self._trace = trace
        if trace is None or index is None:
            self._wanted = self._shown = self._span = None
            self.document.show_note("")
            return
        self._wanted = trace.trace_id, trace.mark, trace.tree[index]
        if self._shown != self._wanted:
            self._read(trace, index, self._wanted)

    @work(thread=True, group="span", exclusive=True, exit_on_error=False)
    def _read(self, trace: ReadTrace, index: int, key: _Key) -> None:
        self.answer(lambda _: self.Read(key, read_span(self._store, self._run_id, trace, index)))

    @on(Read)
    def show_read(self, message: Read) -> None:
        message.stop()
        if message.key == self._wanted:
            self._shown, self._span = message.key, message.span
            self._fill()

    def _fill(self) -> None:
        if (span := self._span) is None:
            self.document.show_note("This span is gone from the store.")
        else:
            sections = span.raw_sections if self._is_raw else span.sections
            self.document.show((span.node.id, self._is_raw), sections)

    def toggle_raw(self) -> None:
        """Show the span as raw JSON, or as it reads."""
        self._is_raw = not self._is_raw
        self._fill()

    # Taking along ----------------------------------------------------------------------------

    @property
    def as_json(self) -> str:
        """The span as the document of `flow-tui traces`; nothing while none is shown."""
        from flowtui.reports.runs import dumps

        return "" if self._span is None else dumps(self._span.document)

    def page(self, source: str | None) -> None:
        """Open an attribute of the span, or the span at None, whole in the person's pager."""
        if self._span is not None and self._trace is not None:
            self._read_whole(self._trace.trace_id, self._span, source)

    @work(thread=True, group="pager", exclusive=True, exit_on_error=False)
    def _read_whole(self, trace_id: str, span: ReadSpan, source: str | None) -> None:
        def read(_: Cancelled) -> None:
            text = whole_text(self._store, self._run_id, trace_id, span, source)
            self.app.call_from_thread(partial(self._flow.page, text))

        self.answer(read)
