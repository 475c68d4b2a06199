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
from flowtui.store.open_run import OpenRun
from flowtui.store.traces.tree import Node
from flowtui.widgets.documents.document import Document
from flowtui.widgets.lists.annotation_list import AnnotationList


class SpanPane(GivesNotices):
    """Shows one span, read when it is asked for and not before."""

    @dataclass
    class Read(Message):
        """Sent by the reader with a span, None if it is gone."""

        node: Node
        span: ReadSpan | None

    def __init__(self, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run = run
        self._trace: ReadTrace | None = None
        self._node: Node | None = None
        """What is to be shown."""
        self._span: ReadSpan | None = None
        self._is_raw = False

    def compose(self) -> Iterable[Widget]:
        yield Document(id="span-detail")
        yield AnnotationList(id="span-annotations")

    @property
    def document(self) -> Document:
        return self.query_one(Document)

    def show_node(self, trace: ReadTrace | None, node: Node | None) -> None:
        """Show a span of a trace, or nothing; one that is shown is not read again."""
        is_shown = self._span is not None and self._span.node is node
        self._trace, self._node = trace, node
        if trace is None or node is None:
            self._span = None
            self.document.show_note("")
        elif not is_shown:
            self._read(trace, node)

    @work(thread=True, group="span", exclusive=True, exit_on_error=False)
    def _read(self, trace: ReadTrace, node: Node) -> None:
        self.answer(lambda: self.Read(node, read_span(self._run, trace, node)))

    @on(Read)
    def show_read(self, message: Read) -> None:
        message.stop()
        if message.node is self._node:
            self._span = message.span
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
        def read() -> None:
            text = whole_text(self._run, trace_id, span, source)
            self.app.call_from_thread(partial(self._flow.page, text))

        self.answer(read)
