"""JSON objects to messages, whichever convention or provider shaped them."""

from __future__ import annotations

from collections.abc import Mapping

from flowtui.store.genai.fields import decoded, first_text, nested, text
from flowtui.store.genai.part_reading import (
    CALL_TYPES,
    REASONING_TYPES,
    RESULT_TYPES,
    is_result,
    joined,
    part,
    parts,
    tool_call,
    type_of,
)
from flowtui.store.genai.parts import (
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
)
from flowtui.store.values import JsonValue

Raw = Mapping[str, JsonValue]

_TOOL_ROLES = frozenset(("tool", "function"))
_ROLE_OF_TYPE = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "tool": "tool",
    **dict.fromkeys(CALL_TYPES | REASONING_TYPES, "assistant"),
    **dict.fromkeys(RESULT_TYPES, "tool"),
}
_LONE_PARTS = CALL_TYPES | RESULT_TYPES | REASONING_TYPES
"""Types of parts that the Responses API lists between messages."""
_WRAPPERS = ("message", "prompt", "completion", "embedding", "kwargs", "content")
_CONTENT = ("parts", "contents", "content", "text")
_FINISH = ("finish_reason", "finishReason", "stop_reason", "stopReason")
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
_ABOUT = frozenset(("role", "type", "index", "id", "name", *_FINISH))


def message(raw: JsonValue, role: str) -> Message:
    """Return one message; what is none becomes one that holds it as it is stored.

    `role` is for messages without one.

    Source: items of gen_ai.*.messages (`role`, `parts`, `finish_reason`); of llm.*_messages
    (`message.role`, `.content`, `.contents`, `.tool_calls`); of gen_ai.prompt and
    gen_ai.completion (`role`, `content`, `tool_calls`); of chat requests; choices of responses.
    """
    if not isinstance(raw, dict):
        return Message(role, (TextPart(raw) if isinstance(raw, str) else UnknownPart(raw),))
    item = unwrapped(raw)
    said_role = first_text(item, ("role",)) or _ROLE_OF_TYPE.get(type_of(item)) or role
    read = () if type_of(item) in _LONE_PARTS else _parts_of(item, said_role)
    if not read and not _says_nothing(item):
        read = (part(dict(item)),)
    finish = first_text(raw, _FINISH) or first_text(item, _FINISH)
    return Message(said_role, read, finish)


def unwrapped(raw: Raw) -> Raw:
    """Return the object that has the role and the content, out of what lies around it.

    Choices have it under `message`, flattened keys under the name of one item of their list,
    LangChain's serialised messages under `kwargs`, and Gemini's candidates under `content`.
    """
    item = raw
    for name in _WRAPPERS:
        inner = item.get(name)
        if isinstance(inner, dict) and (name != "content" or "parts" in inner):
            item = inner
    return item


def is_turn(value: JsonValue) -> bool:
    """Return whether a value is surely a message, a choice, or a part between messages."""
    if not isinstance(value, dict):
        return False
    item = unwrapped(value)
    has_content = any(name in item for name in (*_CONTENT, "tool_calls", "function_call"))
    if isinstance(item.get("role"), str) or item is not value:
        return has_content
    type_ = type_of(item)
    return type_ in _LONE_PARTS or (type_ in _ROLE_OF_TYPE and has_content)


def _parts_of(item: Raw, role: str) -> tuple[Part, ...]:
    thought = first_text(item, _THOUGHTS)
    read: list[Part] = [] if thought is None else [ReasoningPart(thought)]
    content = _content(item)
    answers_call = role in _TOOL_ROLES or text(item.get("tool_call_id")) is not None
    if answers_call and not (isinstance(content, list) and any(map(is_result, content))):
        if content is not None:
            read.append(_answer(item, content))
    else:
        read.extend(parts(content))
    refusal = item.get("refusal")
    if isinstance(refusal, str) and refusal:
        read.append(TextPart(refusal))
    # LangChain repeats the calls of its content in `tool_calls`.
    known = {entry.id for entry in read if isinstance(entry, ToolCall) and entry.id is not None}
    read.extend(
        call for call in _calls(item) if not (isinstance(call, ToolCall) and call.id in known)
    )
    return tuple(read)


def _content(item: Raw) -> JsonValue:
    content = next((item[name] for name in _CONTENT if item.get(name) not in (None, "", [])), None)
    if isinstance(content, str) and content.startswith("[{"):
        # OpenLLMetry writes lists of parts as a text.
        inner = nested(content)
        if isinstance(inner, list) and all(map(_is_typed, inner)):
            return inner
    return content


def _answer(item: Raw, content: JsonValue) -> ToolResult:
    call_id = first_text(item, ("tool_call_id", "id"))
    return ToolResult(call_id, first_text(item, ("name",)), nested(joined(content)))


def _calls(item: Raw) -> list[Part]:
    listed = decoded(item.get("tool_calls"))[0]
    calls = [tool_call(call) for call in listed] if isinstance(listed, list) else []
    single = item.get("function_call")
    if isinstance(single, dict):
        calls.append(tool_call(single))
    name = first_text(item, ("function_call_name",))
    if name is not None:
        calls.append(ToolCall(None, name, nested(item.get("function_call_arguments_json"))))
    return calls


def _says_nothing(item: Raw) -> bool:
    return "role" in item and all(
        value in (None, "", [], {}) for name, value in item.items() if name not in _ABOUT
    )


def _is_typed(entry: JsonValue) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("type"), str)
