"""The pane beside the tree: the span under its cursor in full, with its annotations below."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.containers import Container
from textual.widget import Widget

from flowtui import format as fmt
from flowtui.screens.traces.reading import ReadTrace
from flowtui.screens.traces.span_reading import ReadSpan, read_span, whole_text
from flowtui.store.open_run import OpenRun
from flowtui.store.traces.tree import Node
from flowtui.widgets.asking import Asks
from flowtui.widgets.documents.document import Document
from flowtui.widgets.lists.annotation_list import AnnotationList

if TYPE_CHECKING:
    from flowtui.widgets.host import Host

_Key = tuple[str, tuple[int, int], Node]
"""A trace's id and mark as of `ReadTrace`, and one of its nodes."""


class SpanPane(Asks, Container):
    """Shows one span, which is read only when it is to be shown."""

    def __init__(self, run: OpenRun, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run = run
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
        """Show a node of a trace, or nothing; a node that is already shown is not read again."""
        self._trace = trace
        if trace is None or index is None:
            self._wanted = self._shown = self._span = None
            self.document.show_note("")
            return
        self._wanted = key = trace.trace_id, trace.mark, trace.tree[index]
        if self._shown != key:
            self.ask(
                partial(read_span, self._run, trace, index),
                partial(self._take, key),
                lambda reason: self.document.show_note(f"✗ {fmt.plain(reason, 300)}"),
                group="span",
            )

    def keep(self, trace: ReadTrace, index: int | None) -> None:
        """Take a trace in which only the numbers of annotations have changed.

        The span is not read again if it is already shown.
        """
        span, node = self._span, None if index is None else trace.tree[index]
        is_shown = span is not None and self._shown == self._wanted
        if span is None or node is None or not is_shown or span.node.id != node.id:
            self.show_node(trace, index)
        else:
            self._trace, self._span = trace, replace(span, node=node)
            self._wanted = self._shown = trace.trace_id, trace.mark, node

    def _take(self, key: _Key, span: ReadSpan | None) -> None:
        if key == self._wanted:
            self._shown, self._span = key, span
            self._fill()

    def _fill(self) -> None:
        if (span := self._span) is None:
            self.document.show_note("This span is not in the store any more.")
        else:
            sections = span.raw_sections if self._is_raw else span.sections
            self.document.show((span.node.id, self._is_raw), sections)

    def toggle_raw(self) -> None:
        """Switch between the span as raw JSON and the formatted span."""
        self._is_raw = not self._is_raw
        self._fill()

    # Copying and paging ----------------------------------------------------------------------

    @property
    def as_json(self) -> str:
        """The span as `flow-tui traces` prints it; empty while no span is shown."""
        from flowtui.reports.runs import dumps

        return "" if self._span is None else dumps(self._span.document)

    def page(self, source: str | None) -> None:
        """Open an attribute of the span, or with None the whole span, in the user's pager."""
        if self._span is not None and self._trace is not None:
            trace_id, span = self._trace.trace_id, self._span
            whole = partial(whole_text, self._run, trace_id, span, source)
            self.ask(whole, cast("Host", self.app).page, group="pager")
