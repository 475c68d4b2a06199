"""One trace as Markdown, short enough to be pasted into an issue."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from flowtui import format as fmt
from flowtui.store.annotations.values import Annotation, raw_text
from flowtui.store.genai import (
    MediaPart,
    Message,
    ReasoningPart,
    SpanKind,
    TextPart,
    ToolCall,
    ToolResult,
    exceptions,
    messages,
)
from flowtui.store.traces.layout import NONE
from flowtui.store.traces.tree import ERROR, Node, SpanTree
from flowtui.store.traces.values import SpanDetail, Trace, moment

MAX_TREE_LINES = 200
MAX_TEXT = 2_000
MAX_SECTIONS = 20
"""Errors, and conversations, that are told in full; the others are counted."""
INDENT_LEVELS = 20

Read = Callable[[str], SpanDetail | None]


def trace_markdown(
    trace: Trace,
    tree: SpanTree,
    annotations: Sequence[Annotation],
    read: Read,
) -> Iterator[str]:
    """Yield the lines of a trace: facts, tree, what failed, what was said, annotations.

    Args:
        trace: The trace as the list has it.
        tree: Its spans.
        annotations: Those of all its spans.
        read: Returns a span by its id; called for those that are told in full.
    """
    yield f"## Trace `{_code(trace.root_name)}`"
    yield ""
    yield from _facts(trace, tree)
    yield from _fenced(_tree_lines(tree))
    yield from _errors(tree, read)
    yield from _conversations(tree, read)
    yield from _annotations(annotations)


def _facts(trace: Trace, tree: SpanTree) -> Iterator[str]:
    started = moment(trace.start_ns)
    yield f"- trace id: `{_code(trace.trace_id)}`"
    yield f"- state: {fmt.trace_state(trace.state)}"
    if started is not None:
        yield f"- started: {started:%Y-%m-%d %H:%M:%S} UTC"
    yield f"- duration: {fmt.took(trace.start_ns, trace.end_ns)}"
    yield f"- spans: {tree.span_count:,}, errors: {tree.error_count:,}"
    if tree.usage is not None:
        used = tree.usage
        yield f"- tokens: {used.input_tokens or 0:,} in, {used.output_tokens or 0:,} out"
        if used.cost is not None:
            yield f"- cost: {fmt.number(used.cost)}"
    yield ""


def _tree_lines(tree: SpanTree) -> Iterator[str]:
    for node in islice(tree, MAX_TREE_LINES):
        yield _tree_line(node)
    if len(tree) > MAX_TREE_LINES:
        yield f"... {len(tree) - MAX_TREE_LINES:,} more"


def _tree_line(node: Node) -> str:
    indent = "  " * min(node.depth, INDENT_LEVELS)
    span = node.span
    if span is None:
        return f"{indent}? missing parent {fmt.plain(node.id, 64)}"
    kind = "" if span.genai_kind is SpanKind.OTHER else f" [{span.genai_kind.value}]"
    failed = "  ERROR" if span.status_code == ERROR else ""
    took = fmt.took(span.begun_ns, span.ended_ns)
    return f"{indent}{fmt.plain(span.name, 120)}{kind}  {took}{failed}"


def _errors(tree: SpanTree, read: Read) -> Iterator[str]:
    failed = tree.errors.places
    for detail in _details(tree, failed[:MAX_SECTIONS], read):
        yield f"### Error in `{_code(detail.name)}`"
        yield ""
        lines = [detail.status_message or ""]
        for error in exceptions(detail.raw_events, detail.attributes):
            lines += [f"{error.type or 'exception'}: {error.message or ''}", error.stacktrace or ""]
        yield from _fenced(_bounded("\n".join(line for line in lines if line)))
    if len(failed) > MAX_SECTIONS:
        yield f"... and {fmt.count(len(failed) - MAX_SECTIONS, 'more error')}"
        yield ""


def _conversations(tree: SpanTree, read: Read) -> Iterator[str]:
    rows = enumerate(tree.layout.rows)
    kind = tree.spans.genai_kind
    chats = [at for at, row in rows if row != NONE and kind(row) is SpanKind.CHAT]
    for detail in _details(tree, chats[:MAX_SECTIONS], read):
        said = messages(detail.attributes, detail.raw_events)
        spoken = (*said.system, *said.input, *said.output)
        if not spoken:
            continue
        yield f"### `{_code(detail.name)}`"
        yield ""
        for message in spoken:
            yield f"**{_inline(message.role)}**"
            yield ""
            yield from _fenced(_bounded(_spoken(message)))
    if len(chats) > MAX_SECTIONS:
        yield f"... and {fmt.count(len(chats) - MAX_SECTIONS, 'more conversation')}"
        yield ""


def _annotations(annotations: Sequence[Annotation]) -> Iterator[str]:
    if not annotations:
        return
    yield "### Annotations"
    yield ""
    yield "| name | kind | value | author | rationale |"
    yield "|---|---|---|---|---|"
    for one in annotations:
        texts = (one.name, one.kind, raw_text(one.value), one.user, one.rationale or "")
        yield f"| {' | '.join(_inline(text) for text in texts)} |"
    yield ""


def _details(tree: SpanTree, places: Iterable[int], read: Read) -> Iterator[SpanDetail]:
    for at in places:
        span = tree[at].span
        detail = None if span is None else read(span.span_id)
        if detail is not None:
            yield detail


def _spoken(message: Message) -> str:
    lines = []
    for part in message.parts:
        match part:
            case TextPart(text):
                lines.append(text)
            case ReasoningPart(text):
                lines.append(f"(reasoning) {text}")
            case ToolCall(name=name, arguments=arguments):
                lines.append(f"-> {name or 'tool'}({fmt.json_text(arguments, MAX_TEXT)})")
            case ToolResult(name=name, result=result):
                lines.append(f"<- {name or 'tool'}: {fmt.json_text(result, MAX_TEXT)}")
            case MediaPart(kind=kind, transcript=text):
                named = " ".join(word for word in (kind, part.mime, part.name_or_uri) if word)
                lines.append(f"({named}) {text or ''}".rstrip())
            case _:
                lines.append(f"({type(part).__name__.removesuffix('Part').lower()})")
    return "\n".join(lines)


def _bounded(text: str) -> list[str]:
    return fmt.plain_lines(text, MAX_TEXT)


def _fenced(lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    """Yield lines as a block of code that nothing in them can end."""
    held = list(lines)
    longest = max((len(run) for line in held for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(longest + 1, 3)
    yield from (fence, *held, fence, "")


def _code(text: str) -> str:
    """Return text for between two backticks."""
    return fmt.plain(text, 200).replace("`", "'")


def _inline(text: str) -> str:
    """Return text escaped for a line or a cell of a table."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~])", r"\\\1", fmt.plain(text, 500))
