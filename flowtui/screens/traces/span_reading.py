"""Reading a span for the pane beside the tree; everything here runs in a thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from flowtui import format as fmt
from flowtui.reports.runs import Document, dumps
from flowtui.reports.traces import span_document
from flowtui.screens.traces.reading import ReadTrace
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.open_run import OpenRun
from flowtui.store.traces import answers
from flowtui.store.traces import details as span_details
from flowtui.store.traces.tree import Node
from flowtui.store.traces.values import SpanDetail
from flowtui.store.values import JsonValue
from flowtui.widgets.documents.blocks import Link, Section, Text
from flowtui.widgets.documents.span_sections import raw_sections, span_sections

MAX_LINKS_LOOKED_UP = 100
"""Of how many links of a span it is looked up whether they lead to a span of this run."""


# Textual takes a repr of what a worker is given, and this one would be as long as the span.
@dataclass(frozen=True, slots=True, repr=False)
class ReadSpan:
    """A span as it was read, and the sections that show it."""

    node: Node
    sections: tuple[Section, ...]
    document: Document
    """The span as `flow-tui traces` prints it; empty for a missing parent."""

    @property
    def raw_sections(self) -> tuple[Section, ...]:
        document = cast("Mapping[str, JsonValue]", self.document)
        return raw_sections(document) if self.document else self.sections


def read_span(run: OpenRun, trace: ReadTrace, index: int) -> ReadSpan | None:
    """Return a span, by its index in the tree, with everything that is stored about it.

    Returns:
        The span; None if it is not in the store any more.

    Raises:
        DatabaseError: The run's database cannot be read.
    """
    tree = trace.tree
    node = tree[index]
    if node.span is None:
        return ReadSpan(node, _missing(node), {})
    detail = run.ask(span_details.detail, trace.trace_id, node.span.span_id)
    if detail is None:
        return None
    parent = None if node.parent is None else tree[node.parent].span
    links_here = _links_here(run, detail)
    own_ns = tree.own_ns(index) if node.descendant_count else None
    row = tree.layout.rows[index]
    sections = span_sections(
        detail, node, tree.duration_ns, links_here, parent, own_ns,
        elsewhere=lambda calls: run.ask(answers.answers, tree.spans, row, calls),
    )  # fmt: skip
    if node.parent is None and trace.samples:
        sections = (*sections, _samples(trace))
    return ReadSpan(node, sections, span_document(node.span, detail))


def _missing(node: Node) -> tuple[Section, ...]:
    text = (
        f"The span {fmt.plain(node.id, 64)} is not in the store, but the spans below name it as "
        "their parent. It may still be running, or it was never exported."
    )
    return (Section("missing", "Missing parent", (Text(text),), role="attention"),)


def _samples(trace: ReadTrace) -> Section:
    links = [
        Link(f"{sample.dataset_id}  {sample.eval_id}", target=sample) for sample in trace.samples
    ]
    return Section("samples", "Linked samples", tuple(links), note=f"{len(links):,}")


def _links_here(run: OpenRun, detail: SpanDetail) -> frozenset[SpanTarget]:
    """Return those spans of this run that the links of a span lead to."""
    wanted: dict[str, list[str]] = {}
    for link in detail.links[:MAX_LINKS_LOOKED_UP]:
        wanted.setdefault(link.trace_id, []).append(link.span_id)
    return frozenset(
        SpanTarget(trace_id, span_id)
        for trace_id, span_ids in wanted.items()
        for span_id in run.ask(span_details.present_ids, trace_id, span_ids)
    )


def whole_text(run: OpenRun, trace_id: str, span: ReadSpan, source: str | None) -> str:
    """Return an attribute of a span, or the span as JSON, at full length as safe text.

    Args:
        run: The run of the span.
        trace_id: The id of the span's trace.
        span: The span as it was read.
        source: The name of the attribute; None for the whole span.

    Raises:
        DatabaseError: The run's database cannot be read.
    """
    text = dumps(span.document)
    if span.node.span is not None:
        detail = run.ask(span_details.detail, trace_id, span.node.span.span_id, whole=True)
        if detail is not None:
            document = span_document(span.node.span, detail)
            value = document if source is None else detail.attributes.get(source, document)
            text = value if isinstance(value, str) else dumps(value)
    return fmt.plain_text(text)
