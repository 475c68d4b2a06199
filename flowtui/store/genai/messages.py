"""The conversation of one span."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

from flowtui.store.genai.chats import INPUT, OUTPUT, encoded, joined, whatever
from flowtui.store.genai.dialects import Meaning, names
from flowtui.store.genai.events import Events, content_events, listed_events, message_events
from flowtui.store.genai.fields import Attributes, decoded, first_text, nested, sequence, texts_of
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.kinds import SpanKind, span_kind
from flowtui.store.genai.merging import merged, without_repeats
from flowtui.store.genai.part_reading import parts, tool_call
from flowtui.store.genai.parts import (
    Conversation,
    Message,
    PairedCall,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
)
from flowtui.store.values import JsonValue

_SYSTEM_ROLES = frozenset(("system", "developer"))
_JSON = "application/json"
_TEXTS = frozenset(("embedding.embeddings", "ai.values"))
"""Lists of what is embedded, which nobody says."""
Messages = tuple[Message, ...]


def messages(attributes: Attributes, events: Events) -> Conversation:
    """Return what was said to and by whatever a span stands for.

    What several dialects say is merged, so that a span in two of them says everything, and nothing
    twice. Nothing is lost to an unknown shape: it becomes an `UnknownPart`, or stays an attribute
    where the rest is understood. What is broken is shown as it stands, with the `problem` of its
    message, where nothing else says it.

    Source: what means input, output, messages or instructions in `dialects.py`, and events.
    """
    carried = content_events(events)
    both = {**carried, **attributes} if carried else attributes
    whole = [_parted(encoded(both.get(name), "user")) for name in names(Meaning.WHOLE)]
    written = [message_events(listed_events(both.get(name))) for name in names(Meaning.EVENTS)]
    told = message_events(events)
    if span_kind(both, 0) is SpanKind.TOOL:
        told = _as_they_are(told[0], INPUT), _as_they_are(told[1], OUTPUT)
    spoken = [told, *written, *whole]
    asked, given = _anything(both, Meaning.INPUT, INPUT)
    answered, made = _anything(both, Meaning.OUTPUT, OUTPUT)
    openings: list[Messages] = [_instructions(both)]
    turns: list[Messages] = []
    lists = _lists(both, Meaning.INPUT_MESSAGES, Meaning.INPUT_LIST, "user")
    for source in (*lists, *(one for one, _ in spoken), *asked):
        opening = _opening(source)
        openings.append(source[:opening])
        turns.append(source[opening:])
    heard = _or_as_it_is(merged(turns), given)
    lists = _lists(both, Meaning.OUTPUT_MESSAGES, Meaning.OUTPUT_LIST, "assistant")
    said = merged([*lists, *(one for _, one in spoken), _answer(both), *answered])
    said = _or_as_it_is(said, made)
    opening = _opening(said)
    rest = without_repeats(said[opening:], heard)
    if len(rest) < len(said) - opening:
        openings.append(said[:opening])
        said = rest
    return Conversation(merged(openings), heard, said)


def paired_calls(conversation: Conversation) -> tuple[PairedCall, ...]:
    """Return the tool calls of a conversation in order, each with its result.

    A call and its result share an id; where neither has one, the name of the tool. If several
    calls share it, the first result belongs to the first call. Google's instrumentations make ids
    of the tool's name and the place of the part, so that those of the two differ in their number.
    """
    answers: dict[tuple[str, str | None], deque[ToolResult]] = defaultdict(deque)
    calls: list[ToolCall] = []
    for part in _all_parts(conversation):
        if isinstance(part, ToolCall):
            calls.append(part)
        elif isinstance(part, ToolResult):
            answers[_key(part)].append(part)
    found: list[ToolResult | None] = []
    for call in calls:
        queue = answers.get(_key(call))
        found.append(queue.popleft() if queue else None)
    by_name: dict[str, deque[ToolResult]] = defaultdict(deque)
    for part in (one for queue in answers.values() for one in queue):
        if (name := numbered_name(part.id)) is not None:
            by_name[name].append(part)
    for at, call in enumerate(calls):
        name = call.name if call.id is None else numbered_name(call.id)
        if found[at] is None and name is not None and name == call.name and by_name[name]:
            found[at] = by_name[name].popleft()
    return tuple(map(PairedCall, calls, found))


def _lists(
    attributes: Attributes, whole: Meaning, flattened: Meaning, role: str
) -> Iterator[Messages]:
    for name in names(whole):
        yield encoded(attributes.get(name), role)
    for name in names(flattened):
        speaker = INPUT if name in _TEXTS else role
        items = numbered(attributes, name)
        yield joined(items, speaker) if items else encoded(attributes.get(name), speaker)


def _answer(attributes: Attributes) -> Messages:
    """Return the answer whose parts have an attribute each."""
    thoughts = texts_of(attributes, names(Meaning.OUTPUT_REASONING))
    texts = texts_of(attributes, names(Meaning.OUTPUT_TEXT))
    listed = [sequence(attributes.get(name)) for name in names(Meaning.OUTPUT_CALLS)]
    objects = [attributes.get(name) for name in names(Meaning.OUTPUT_OBJECT)]
    read: tuple[Part, ...] = (
        *map(ReasoningPart, thoughts),
        *map(TextPart, texts),
        *(tool_call(call) for calls in listed for call in calls),
        *(_object(value) for value in objects if value not in (None, "")),
    )
    return (Message("assistant", read),) if read else ()


def _object(value: JsonValue) -> Part:
    inner = decoded(value)[0]
    return TextPart(inner) if isinstance(inner, str) else UnknownPart(inner)


def _anything(
    attributes: Attributes, meaning: Meaning, role: str
) -> tuple[list[Messages], Messages]:
    """Return the chats among what went in or came out, and the first that is none as it is."""
    chats: list[Messages] = []
    others: Messages = ()
    for name in names(meaning):
        mime: str | None = _JSON
        if name.endswith(".value"):
            mime = first_text(attributes, (f"{role}.mime_type",))
        read = whatever(attributes.get(name), role, mime)
        if read and all(item.parts == (UnknownPart({}),) for item in read):
            # Google's ADK writes it where nothing is to be told.
            continue
        if read and all(item.role == role for item in read):
            others = others or read
        elif read:
            chats.append(read)
    return chats, others


def _or_as_it_is(said: Messages, other: Messages) -> Messages:
    """Return what was said, or where nothing was, what is no chat."""
    return said if any(item.parts for item in said) else other or said


def _as_they_are(said: Messages, role: str) -> Messages:
    """Return what Strands tells of a tool in events as what the tool took and gave."""
    return tuple(
        Message(
            role,
            tuple(
                UnknownPart(part.result) if isinstance(part, ToolResult) else _value(part)
                for part in item.parts
            ),
        )
        for item in said
    )


def _value(part: Part) -> Part:
    inner = nested(part.text) if isinstance(part, TextPart) else None
    return UnknownPart(inner) if isinstance(inner, (dict, list)) else part


def _parted(whole: Messages) -> tuple[Messages, Messages]:
    """Part a conversation into what went in and the answer that it ends with."""
    last = len(whole)
    while last and whole[last - 1].role == "assistant":
        last -= 1
    return whole[:last], whole[last:]


def _instructions(attributes: Attributes) -> Messages:
    inner, problem = decoded(attributes.get("gen_ai.system_instructions"))
    read = parts(inner)
    return (Message("system", read, problem=problem),) if read else ()


def _opening(heard: Messages) -> int:
    for index, item in enumerate(heard):
        if item.role not in _SYSTEM_ROLES:
            return index
    return len(heard)


def _all_parts(conversation: Conversation) -> Iterator[Part]:
    for item in (*conversation.system, *conversation.input, *conversation.output):
        yield from item.parts


def numbered_name(id_: str | None) -> str | None:
    """Return the name in an id that is a tool's name and a number."""
    name, _, number = (id_ or "").rpartition("_")
    return name if name and number.isdecimal() else None


def _key(part: ToolCall | ToolResult) -> tuple[str, str | None]:
    return ("name", part.name) if part.id is None else ("id", part.id)
