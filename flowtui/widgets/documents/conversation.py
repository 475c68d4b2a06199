"""A conversation as blocks of a document: messages, and tool calls with their results below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from flowtui import format as fmt
from flowtui.previews.pixel_size import pixel_size
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
    media,
    paired_calls,
)  # fmt: skip
from flowtui.store.genai.part_reading import parts_with_media
from flowtui.store.traces.answers import FoundAnswer
from flowtui.store.values import JsonValue
from flowtui.widgets.cells import Role
from flowtui.widgets.documents.blocks import Block, Link, Text, Turn, Values

SYSTEM_PEEK_LINES = 4
REASONING_PEEK_LINES = 2
OPEN_VALUES = 12
"""Arguments and results with at most this many values on their second level show that level."""
_ROLES: dict[str, Role] = {"user": "accent", "human": "accent", "input": "accent"}
_INSTRUCTING = ("system", "developer")

Sources = Mapping[str, str]
"""The names of long attributes, by their text."""
Elsewhere = Callable[[Sequence[ToolCall]], Sequence[FoundAnswer | None]]
"""Looks in other spans for the answers of calls, and returns one or None for each."""
NAME_CHARS = 200
_HEAD_BYTES = (60, 300_000)
"""How much of a picture is looked at to find out how large it is: a little first."""


def conversation_blocks(
    conversation: Conversation,
    sources: Sources | None = None,
    elsewhere: Elsewhere | None = None,
) -> tuple[Turn, ...]:
    """Return the messages of a conversation, one under the other.

    The result of a tool stands below its call; a message with nothing but such results is left out.
    """
    return tuple(_Chat(conversation, sources or {}, elsewhere).turns())


def value_blocks(key: str, value: JsonValue, label: str = "") -> tuple[Block, ...]:
    """Return a value as a tree if it is an object or a list, else as a text.

    Texts and media of which a tool's answer consists are shown as those of a message.
    """
    if (parts := parts_with_media(value)) is not None:
        chat = _Chat(Conversation(), {}, None)
        shown = tuple(block for part in parts for block in chat.part_blocks(part))
        return (Text(label, "muted"), *shown) if label else shown
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
    def __init__(
        self, conversation: Conversation, sources: Sources, elsewhere: Elsewhere | None
    ) -> None:
        self._conversation = conversation
        self._sources = sources
        # By identity, because several calls may have equal results.
        pairs = paired_calls(conversation)
        self._answers = {id(call): result for call, result in pairs if result is not None}
        self._paired = set(map(id, self._answers.values()))
        open_ = [call for call, result in pairs if result is None]
        found = elsewhere(open_) if elsewhere is not None and open_ else ()
        self._elsewhere = {id(call): one for call, one in zip(open_, found, strict=False)}
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
                yield from self.part_blocks(part, peek)

    def part_blocks(self, part: Part, peek: int = 0) -> Iterator[Block]:
        """Yield the blocks of one part; of a text so many lines at first, 0 for all."""
        match part:
            case TextPart(text=text):
                source = self._sources.get(text) if self._sources else None
                yield Text(text, peek=peek, source=source)
            case ReasoningPart(text=text):
                yield Text(text, "muted", label="reasoning", peek=REASONING_PEEK_LINES)
            case ToolCall():
                yield self._call(part)
            case ToolResult(name=name, result=result, id=id_):
                blocks = value_blocks(self._key(), result)
                yield Turn(name or "answer", blocks, note=id_ or "")
            case MediaPart(transcript=transcript):
                yield _medium(part)
                if transcript:
                    yield Text(transcript, label="transcript")
            case UnknownPart(raw=raw):
                yield from value_blocks(self._key(), raw)

    def _call(self, call: ToolCall) -> Turn:
        blocks = [] if call.arguments is None else list(value_blocks(self._key(), call.arguments))
        answer = self._answers.get(id(call))
        if answer is not None:
            blocks += value_blocks(self._key(), answer.result, label="answer")
        elif (other := self._elsewhere.get(id(call))) is not None:
            if other.problem is not None:
                blocks.append(Text(other.problem, "error", label="failed"))
            else:
                blocks += value_blocks(self._key(), other.result, label="answer")
            name = fmt.plain(other.span_name, NAME_CHARS) or "a span without a name"
            blocks.append(Link(f"in {name}   Enter goes there", other.span))
        note = "  ".join(("call", call.id) if call.id else ("call",))
        return Turn(call.name or "a tool without a name", tuple(blocks), note=note)

    def _key(self) -> str:
        self._trees += 1
        return f"tree {self._trees}"


def _medium(part: MediaPart) -> Block:
    """Return a line that names a medium; Enter on it shows those whose bytes are there."""
    mime = fmt.plain(part.mime or "", NAME_CHARS)
    size = None if part.size_bytes is None else fmt.size(part.size_bytes)
    measures = " ".join(word for word in (mime, _pixels(part)) if word)
    facts = ", ".join(fact for fact in (measures, size) if fact)
    name = part.name_or_uri or ""
    if part.data is not None:
        name = fmt.plain(name, NAME_CHARS)
    kind = "picture" if part.kind == "image" else fmt.plain(part.kind, NAME_CHARS)
    words = [word for word in (kind, facts, name) if word]
    if len(words) == 1:
        words.append("nothing else is known about it")
    said = "  ".join(words)
    return Text(said) if part.data is None else Link(f"{said}   Enter shows it", part)


def _pixels(part: MediaPart) -> str:
    if part.data is None or not (part.kind == "image" or (part.mime or "").startswith("image/")):
        return ""
    # Only a JPEG has its size behind metadata.
    for most in _HEAD_BYTES:
        try:
            found = pixel_size(media.content(part, most))
        except ValueError:
            return ""
        if found is not None:
            return f"{found[0]}x{found[1]}"
    return ""
