"""The pieces in which an answer was streamed, put together as the message that they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from flowtui.store.genai.fields import first_text, mapping, nested
from flowtui.store.genai.message_reading import message
from flowtui.store.genai.parts import Message, Part, ReasoningPart, TextPart, ToolCall
from flowtui.store.values import JsonValue

Raw = Mapping[str, JsonValue]

_ROLE = "assistant"
_ANTHROPIC = frozenset(
    "message_start content_block_start content_block_delta content_block_stop message_delta "
    "message_stop ping".split()
)
_OF_DELTA = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("partial_json", "input"),
}
"""Of Anthropic's pieces: where the text stands, and where it stands in a whole block."""


def streamed(value: JsonValue) -> tuple[Message, ...] | None:
    """Return the answers that a list of pieces gives, or None where it is no such list.

    Source: chunks of OpenAI's chat (`choices` with `delta`), Anthropic's events, Google's
    responses (`candidates`), the events of OpenAI's Responses, which end with the whole, and
    LangChain's message chunks.
    """
    if not isinstance(value, list) or len(value) < 2:
        return None
    items = [item for item in value if isinstance(item, dict)]
    # Pieces of one answer share its id, where they have one.
    ids = {first_text(item, ("id", "responseId", "response_id")) for item in items}
    if len(items) < len(value) or len(ids - {None}) > 1:
        return None
    if all(_are_deltas(item) for item in items) and any(item["choices"] for item in items):
        return _by_index(_choices(items, "choices"))
    if all(isinstance(item.get("candidates"), list) for item in items):
        return _by_index(_choices(items, "candidates"))
    if all(item.get("type") in _ANTHROPIC for item in items):
        return _of_anthropic(items)
    if all(item.get("type") == "AIMessageChunk" for item in items):
        return (joined(message(item, _ROLE) for item in items),)
    return None


def joined(pieces: Iterable[Message]) -> Message:
    """Return the message whose pieces follow each other; there is at least one."""
    first, *rest = pieces
    whole = list(first.parts)
    finish, problem = first.finish_reason, first.problem
    for piece in rest:
        finish, problem = finish or piece.finish_reason, problem or piece.problem
        for part in piece.parts:
            together = _together(whole[-1], part) if whole else None
            if together is None:
                whole.append(part)
            else:
                whole[-1] = together
    return Message(first.role, tuple(map(_whole, whole)), finish, problem)


def _together(part: Part, more: Part) -> Part | None:
    """Return two pieces as the one that they are parts of, None where they are two."""
    match part, more:
        case TextPart(), TextPart():
            return TextPart(part.text + more.text)
        case ReasoningPart(), ReasoningPart():
            return ReasoningPart(part.text + more.text)
        case ToolCall(arguments=str() | None), ToolCall(arguments=str() | None):
            if more.name is None and more.id in (None, part.id):
                return replace(part, arguments=f"{part.arguments or ''}{more.arguments or ''}")
    return None


def _whole(part: Part) -> Part:
    """Return a part whose arguments came in pieces of JSON with what they are."""
    return replace(part, arguments=nested(part.arguments)) if isinstance(part, ToolCall) else part


def _are_deltas(item: Raw) -> bool:
    choices = item.get("choices")
    return isinstance(choices, list) and all("delta" in mapping(choice) for choice in choices)


def _choices(items: Sequence[Raw], name: str) -> Iterator[tuple[object, JsonValue]]:
    for item in items:
        for choice in map(mapping, _listed(item.get(name))):
            piece = mapping(choice.get("delta" if "delta" in choice else "content"))
            said = {key: value for key, value in piece.items() if value is not None}
            finish = first_text(choice, ("finish_reason", "finishReason"))
            yield (
                choice.get("index"),
                {
                    "message": {"role": _ROLE, **said},
                    "finish_reason": finish,
                },
            )


def _by_index(pieces: Iterable[tuple[object, JsonValue]]) -> tuple[Message, ...]:
    """Return one message for each index, in the order in which they begin."""
    answers: dict[str, list[Message]] = defaultdict(list)
    for index, raw in pieces:
        answers[str(index or 0)].append(message(raw, _ROLE))
    return tuple(map(joined, answers.values()))


def _of_anthropic(items: Sequence[Raw]) -> tuple[Message, ...]:
    blocks: dict[str, dict[str, JsonValue]] = {}
    finish: JsonValue = None
    for item in items:
        at, delta = str(item.get("index")), mapping(item.get("delta"))
        if item.get("type") == "content_block_start":
            blocks[at] = dict(mapping(item.get("content_block")))
        elif (names := _OF_DELTA.get(str(delta.get("type")))) is not None:
            told, name = names
            block = blocks.setdefault(at, {"type": name})
            before = block.get(name)
            block[name] = (before if isinstance(before, str) else "") + str(delta.get(told, ""))
        finish = delta.get("stop_reason") or finish
    content: list[JsonValue] = list(blocks.values())
    return (message({"role": _ROLE, "content": content, "stop_reason": finish}, _ROLE),)


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
