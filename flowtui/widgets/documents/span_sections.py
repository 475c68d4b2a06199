"""One span as sections of a document: first its errors, then its messages, then the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from flowtui import format as fmt
from flowtui.store.annotations.values import SpanTarget
from flowtui.store.genai import (
    Conversation,
    Message,
    SpanDetails,
    Tool,
    ToolCall,
    ToolResult,
    details,
    messages,
    title,
)  # fmt: skip
from flowtui.store.traces.times import known
from flowtui.store.traces.times import problems as time_problems
from flowtui.store.traces.tree import ERROR, Node
from flowtui.store.traces.values import Span, SpanDetail, SpanEvent, moment
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Piece, Role
from flowtui.widgets.documents.blocks import Fact, Facts, Link, Section, Text, Turn, Values, Words
from flowtui.widgets.documents.bounded_blocks import TEXT_CHARS, bounded_sections
from flowtui.widgets.documents.conversation import Elsewhere, conversation_blocks
from flowtui.widgets.documents.span_facts import (
    error_section,
    evaluation_section,
    model_section,
    offer_section,
    retrieval_section,
    token_section,
    tool_section,
)  # fmt: skip

OPEN_EVENTS = 3
"""The most events that are unfolded at first."""
SHOWN_EVENTS = 1_000
_STATES: dict[int, tuple[str, Role]] = {
    0: ("unset", "muted"),
    1: ("ok", "ok"),
    ERROR: ("error", "error"),
}
_KINDS = {0: "unspecified", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
_RESOURCES = ("service.", "telemetry.", "process.", "host.", "deployment.")
_SIDES = frozenset(("input", "output"))


def span_sections(
    detail: SpanDetail,
    node: Node | None = None,
    total_ns: int | None = None,
    links_here: frozenset[SpanTarget] = frozenset(),
    parent: Span | None = None,
    own_ns: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> tuple[Section, ...]:
    """Return the sections of a span, without empty ones.

    Args:
        detail: The span.
        node: Its node in the tree, for facts that only the tree has.
        total_ns: The duration of the whole trace, if that is known.
        links_here: The targets of its links that are in this run.
        parent: Its parent, if that is in this run.
        own_ns: How long none of its children ran, if it has any.
        elsewhere: Looks in other spans for the answers of its calls.
    """
    found = details(detail.attributes)
    events = detail.raw_events
    chat = messages(detail.attributes, events)
    tool, retrieval = tool_section(found), retrieval_section(found)
    said = _messages(_without(chat, found), detail, elsewhere)
    sections = (
        _head(detail, node, total_ns, parent, own_ns),
        error_section(detail, events),
        said,
        tool,
        retrieval,
        offer_section(found),
        model_section(found),
        token_section(detail.usage),
        evaluation_section(detail, events),
        *_attributes(detail, is_folded=any((said, tool, retrieval))),
        _events(detail),
        _links(detail, links_here),
        _ids(detail),
        _problems(detail),
    )
    return bounded_sections([section for section in sections if section is not None])


def raw_sections(document: Mapping[str, JsonValue]) -> tuple[Section, ...]:
    """Return a span's JSON document as one tree of values, with the first level open."""
    return bounded_sections([Section("raw", "", (Values("raw", document, open_levels=1),))])


def _head(
    detail: SpanDetail,
    node: Node | None,
    total_ns: int | None,
    parent: Span | None,
    own_ns: int | None,
) -> Section:
    kind = "" if detail.genai_kind == "other" else detail.genai_kind.value
    called = title(detail.name, detail.attributes)
    named = [Piece(called or "a span without a name", "title")]
    named += [Piece(kind, "muted")] if kind else []
    facts = *_facts(detail, node, total_ns, own_ns), *_odd_times(detail, node, parent)
    return Section("head", "", (Words(tuple(named)), Words(facts)))


def _facts(
    detail: SpanDetail, node: Node | None, total_ns: int | None, own_ns: int | None
) -> Iterator[Piece]:
    if node is not None and node.span is not None and node.span.is_pending:
        yield Piece("● in progress", "accent")
    else:
        state, role = _STATES.get(detail.status_code, _STATES[0])
        yield Piece(fmt.trace_state(state), role)
        yield Piece(fmt.took(known(detail.start_ns), known(detail.end_ns)))
    if own_ns:
        yield Piece(f"own {fmt.duration(own_ns / 1e9)}", "muted")
    took_ns = detail.duration_ns
    if total_ns and took_ns is not None and 0 < took_ns < total_ns:
        share = took_ns / total_ns
        yield Piece(f"{fmt.percent(share, 0 if share > 0.1 else 1)} of the trace", "muted")
    if node is not None and node.is_critical:
        yield Piece("critical path", "muted")
    started = moment(detail.start_ns)
    if started is not None:
        yield Piece(fmt.when(started), "muted")


def _odd_times(detail: SpanDetail, node: Node | None, parent: Span | None) -> Iterator[Piece]:
    """Yield what is odd about the times of a span."""
    for problem in time_problems(detail.start_ns, detail.end_ns):
        yield Piece(f"▲ {problem}", "attention")
    begun, ended = known(detail.start_ns), known(detail.end_ns)
    if node is None or node.span is None or parent is None or begun is None:
        return
    if node.do_clocks_disagree:
        yield Piece("▲ begins before its parent: clocks disagree", "attention")
    elif parent.begun_ns is not None and begun < parent.begun_ns:
        yield Piece("begins before its parent", "muted")
    if ended is not None and parent.ended_ns is not None and ended > parent.ended_ns:
        yield Piece("outlives its parent", "muted")


def _told(found: SpanDetails) -> frozenset[str]:
    """Return the sides of a span that its tool or retrieval section shows in full."""
    ran = found.tool
    goes_in = found.retrieval_query is not None or (ran is not None and ran.arguments is not None)
    comes_out = bool(found.documents) or (ran is not None and ran.result is not None)
    sides = ("input", goes_in), ("output", comes_out)
    return frozenset(side for side, is_told in sides if is_told)


def _without(chat: Conversation, found: SpanDetails) -> Conversation:
    """Leave out what went in or came out that another section shows."""
    sides = _told(found)
    if not sides:
        return chat

    def kept(said: Sequence[Message]) -> tuple[Message, ...]:
        return tuple(
            message
            for message in said
            if message.role not in sides and not _is_of(found.tool, message)
        )

    return Conversation(chat.system, kept(chat.input), kept(chat.output))


def _is_of(ran: Tool | None, message: Message) -> bool:
    """Say whether a message holds nothing but the call that a tool ran for, or its answer."""
    if ran is None or message.role != "tool" or not message.parts:
        return False
    return all(
        (isinstance(part, ToolResult) and part.result == ran.result)
        or (isinstance(part, ToolCall) and part.arguments == ran.arguments)
        for part in message.parts
    )


def _messages(
    chat: Conversation, detail: SpanDetail, elsewhere: Elsewhere | None
) -> Section | None:
    sources = {
        text: name
        for name, text in detail.attributes.items()
        if isinstance(text, str) and len(text) > TEXT_CHARS
    }
    turns = conversation_blocks(chat, sources, elsewhere)
    if not turns:
        return None
    is_chat = any(turn.name not in _SIDES for turn in turns)
    return Section("messages", "Messages" if is_chat else "Input and output", turns)


def _attributes(detail: SpanDetail, is_folded: bool) -> Iterator[Section]:
    values = detail.attributes
    resource = {name: value for name, value in values.items() if name.startswith(_RESOURCES)}
    own = {name: value for name, value in values.items() if name not in resource}
    for key, heading, some, folded in (
        ("attributes", "Attributes", own, is_folded),
        ("resource", "Resource", resource, True),
    ):
        if some:
            tree = Values(key, some, are_attributes=True)
            yield Section(key, heading, (tree,), f"{len(some):,}", is_folded=folded)


def _events(detail: SpanDetail) -> Section | None:
    if not detail.events:
        return None
    are_folded = len(detail.events) > OPEN_EVENTS
    blocks = [
        _event(index, event, detail.start_ns, are_folded)
        for index, event in enumerate(detail.events[:SHOWN_EVENTS])
    ]
    rest = len(detail.events) - SHOWN_EVENTS
    more = (Text(f"… {fmt.count(rest, 'more event')}", "muted"),) if rest > 0 else ()
    return Section("events", "Events", (*blocks, *more), f"{len(detail.events):,}")


def _event(index: int, event: SpanEvent, start_ns: int, is_folded: bool) -> Turn:
    note = _when(event, start_ns)
    values = event.attributes
    tree = (Values(f"event {index}", values),) if values else ()
    name = event.name or "an event without a name"
    # An exception is shown in full in another section.
    folded = is_folded or event.name == "exception"
    return Turn(name, tree, "text", note, can_fold=bool(tree), is_folded=folded)


def _when(event: SpanEvent, start_ns: int) -> str:
    """Return the time of an event since the start of its span, or its date if that is unknown."""
    at, begun = known(event.timestamp_ns), known(start_ns)
    if at is None:
        return "at no time"
    if begun is None:
        moment_ = moment(at)
        return "" if moment_ is None else fmt.when(moment_)
    return f"{'+' if at >= begun else ''}{fmt.duration((at - begun) / 1e9)}"


def _links(detail: SpanDetail, links_here: frozenset[SpanTarget]) -> Section | None:
    links = detail.links
    if not links:
        return None
    blocks: list[Link | Values] = []
    for index, link in enumerate(links):
        target = SpanTarget(link.trace_id, link.span_id)
        is_own = link.trace_id == detail.trace_id
        trace = "this trace" if is_own else f"trace {link.trace_id}"
        label = f"span {link.span_id} of {trace}"
        if target in links_here:
            blocks.append(Link(f"{label}   Enter goes there", target))
        else:
            blocks.append(Link(label))
        if link.attributes:
            blocks.append(Values(f"link {index}", link.attributes, indent=2))
    return Section("links", "Links", tuple(blocks), f"{len(links):,}")


def _ids(detail: SpanDetail) -> Section:
    started, created = moment(detail.start_ns), detail.created_at
    rows = [
        Fact("span", detail.span_id),
        Fact("parent", detail.parent_id or "none: it is a root"),
        Fact("trace", detail.trace_id),
        Fact("kind", _KINDS.get(detail.kind, str(detail.kind))),
        Fact("started", "no time" if started is None else started.isoformat()),
    ]
    if created is not None:
        rows.append(Fact("created", created.isoformat()))
    if title(detail.name, detail.attributes) != detail.name:
        rows.append(Fact("name", detail.name))
    return Section("ids", "Ids", (Facts(tuple(rows)),), is_folded=True)


def _problems(detail: SpanDetail) -> Section | None:
    blocks = [Text(f"▲ {problem}", "attention") for problem in detail.problems]
    for column, text in detail.unparsed.items():
        blocks.append(Text(text, label=column, full_chars=_cut_from(detail, column, text)))
    if not blocks:
        return None
    return Section("problems", "Problems", tuple(blocks), role="attention")


def _cut_from(detail: SpanDetail, column: str, text: str) -> int | None:
    size = detail.sizes.get(column, 0)
    return size if size > len(text) else None
