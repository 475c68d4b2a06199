"""A conversation as blocks of a document: messages, and tool calls with their results below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from flowtui import format as fmt
from flowtui.store.genai import (
    Conversation,
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
    paired_calls,
)  # fmt: skip
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Role
from flowtui.widgets.documents.blocks import Block, Fact, Facts, Text, Turn, Values

SYSTEM_PEEK_LINES = 4
OPEN_VALUES = 12
"""Arguments and results with at most this many values on their second level show that level."""
_ROLES: dict[str, Role] = {"user": "accent", "human": "accent", "input": "accent"}
_INSTRUCTING = ("system", "developer")

Sources = Mapping[str, str]
"""The names of long attributes, by their text."""


def conversation_blocks(
    conversation: Conversation, sources: Sources | None = None
) -> tuple[Turn, ...]:
    """Return the messages of a conversation, one under the other.

    The result of a tool stands below its call; a message with nothing but such results is left out.
    """
    return tuple(_Chat(conversation, sources or {}).turns())


def value_blocks(key: str, value: JsonValue, label: str = "") -> tuple[Block, ...]:
    """Return a value as a tree if it is an object or a list, else as a text."""
    if isinstance(value, (dict, list)) and value:
        named = value if isinstance(value, dict) else {str(i): v for i, v in enumerate(value)}
        inside = sum(len(item) for item in named.values() if isinstance(item, (dict, list)))
        tree = Values(
            key,
            named,
            indent=2 if label else 0,
            open_levels=1 if inside <= OPEN_VALUES else 0,
            wraps_texts=True,
        )
        return (Text(label, "muted"), tree) if label else (tree,)
    if isinstance(value, str):
        return (Text(value, label=label),)
    return (Text(fmt.json_text(value), "muted" if value is None else "text", label=label),)


class _Chat:
    def __init__(self, conversation: Conversation, sources: Sources) -> None:
        self._conversation = conversation
        self._sources = sources
        # By identity, because several calls may have equal results.
        pairs = [pair for pair in paired_calls(conversation) if pair.result is not None]
        self._answers = {id(pair.call): pair.result for pair in pairs}
        self._paired = {id(pair.result) for pair in pairs}
        self._trees = 0

    def turns(self) -> Iterator[Turn]:
        whole = self._conversation
        for message in chain(whole.system, whole.input, whole.output):
            blocks = tuple(self._blocks(message))
            if message.parts and not blocks:
                continue
            role = _ROLES.get(message.role, "title")
            note = message.finish_reason or ("" if blocks else "empty")
            yield Turn(message.role, blocks, role, note, is_apart=True)

    def _blocks(self, message: Message) -> Iterator[Block]:
        if message.problem is not None:
            yield Text(f"▲ {message.problem}", "attention")
        peek = SYSTEM_PEEK_LINES if message.role in _INSTRUCTING else 0
        for part in message.parts:
            if id(part) not in self._paired:
                yield from self._part(part, peek)

    def _part(self, part: Part, peek: int) -> Iterator[Block]:
        match part:
            case TextPart(text=text):
                source = self._sources.get(text) if self._sources else None
                yield Text(text, peek=peek, source=source)
            case ReasoningPart(text=text):
                yield Text(text, "muted", label="reasoning")
            case ToolCall():
                yield self._call(part)
            case ToolResult(name=name, result=result, id=id_):
                blocks = value_blocks(self._key(), result)
                yield Turn(name or "answer", blocks, note=id_ or "")
            case MediaPart(transcript=transcript):
                yield Facts((_medium(part),))
                if transcript:
                    yield Text(transcript, label="transcript")
            case UnknownPart(raw=raw):
                yield from value_blocks(self._key(), raw)

    def _call(self, call: ToolCall) -> Turn:
        blocks = [] if call.arguments is None else list(value_blocks(self._key(), call.arguments))
        answer = self._answers.get(id(call))
        if answer is not None:
            blocks += value_blocks(self._key(), answer.result, label="answer")
        note = "  ".join(("call", call.id) if call.id else ("call",))
        return Turn(call.name or "a tool without a name", tuple(blocks), note=note)

    def _key(self) -> str:
        self._trees += 1
        return f"tree {self._trees}"


def _medium(part: MediaPart) -> Fact:
    size = None if part.size_bytes is None else fmt.size(part.size_bytes)
    facts = [fact for fact in (part.mime, size, part.name_or_uri) if fact]
    return Fact(part.kind, "  ".join(facts) or "nothing else is known about it")
