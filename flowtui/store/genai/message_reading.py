"""JSON objects to messages, whichever convention or provider shaped them."""

from __future__ import annotations

from collections.abc import Mapping

from flowtui.store.genai.fields import decoded, first_text, mapping, nested, text
from flowtui.store.genai.media import media_part
from flowtui.store.genai.part_reading import (
    is_lone_part,
    is_of_tool,
    is_part,
    joined,
    parts,
    role_of_part,
    tool_call,
    type_of,
    with_answer,
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
    "HumanMessageChunk": "user",
    "ai": "assistant",
    "AIMessageChunk": "assistant",
    "system": "system",
    "tool": "tool",
}
"""LangChain's types of messages."""
_SPEAKERS = frozenset((*_ROLE_OF_TYPE, *_ROLE_OF_TYPE.values(), "developer", "function"))
_WRAPPERS = ("message", "prompt", "completion", "embedding", "kwargs", "content", "data")
_CONTENT = ("parts", "contents", "content", "text", "blocks")
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
        if isinstance(raw, list) and is_pair(raw):
            speaker = str(raw[0])
            return Message(_ROLE_OF_TYPE.get(speaker, speaker), parts(raw[1]))
        return Message(role, (TextPart(raw) if isinstance(raw, str) else UnknownPart(raw),))
    item = unwrapped(raw)
    type_ = type_of(item)
    is_alone = is_lone_part(type_) and "role" not in item and type_ not in _ROLE_OF_TYPE
    of_type = role_of_part(type_) if is_alone else _ROLE_OF_TYPE.get(type_)
    said_role = first_text(item, ("role",)) or of_type or role
    read = () if is_alone else _parts_of(item, said_role)
    if not read and not _says_nothing(item):
        read = with_answer(dict(item))
    meta = mapping(item.get("meta"))
    finish = first_text(raw, _FINISH) or first_text(item, _FINISH) or first_text(meta, _FINISH)
    return Message(said_role, read, finish)


def is_pair(raw: JsonValue) -> bool:
    """Say whether a value is a message as LangChain takes it in short: who speaks, and a text."""
    return (
        isinstance(raw, list)
        and len(raw) == 2
        and all(isinstance(one, str) for one in raw)
        and raw[0] in _SPEAKERS
    )


def unwrapped(raw: Raw) -> Raw:
    """Return the object that has the role and the content, out of what lies around it.

    Choices have it under `message`, flattened keys under the name of one item of their list,
    LangChain's serialised messages under `kwargs` or, beside their type, `data`, and Gemini's
    candidates under `content`.
    """
    item = raw
    for name in _WRAPPERS:
        inner = item.get(name)
        if not isinstance(inner, dict) or (name == "content" and "parts" not in inner):
            continue
        if name != "data" or type_of(item) in _ROLE_OF_TYPE:
            item = {"type": item["type"], **inner} if name == "data" else inner
    return item


def is_turn(value: JsonValue) -> bool:
    """Return whether a value is surely a message, a choice, or a part between messages."""
    if not isinstance(value, dict):
        return is_pair(value)
    item = unwrapped(value)
    has_content = any(name in item for name in (*_CONTENT, "tool_calls", "function_call"))
    if isinstance(item.get("role"), str) or item is not value:
        return has_content
    type_ = type_of(item)
    return is_lone_part(type_) or (type_ in _ROLE_OF_TYPE and has_content)


def _parts_of(item: Raw, role: str) -> tuple[Part, ...]:
    more = item.get("additional_kwargs")
    extra = more if isinstance(more, dict) else {}
    thought = first_text(item, _THOUGHTS) or first_text(extra, _THOUGHTS)
    read: list[Part] = [] if thought is None else [ReasoningPart(thought)]
    content = _content(item)
    answers_call = role in _TOOL_ROLES or text(item.get("tool_call_id")) is not None
    if answers_call and not (isinstance(content, list) and any(map(is_of_tool, content))):
        if content is not None:
            read.append(_answer({**extra, **item}, content))
    else:
        read.extend(parts(content))
    refusal = item.get("refusal") or extra.get("refusal")
    if isinstance(refusal, str) and refusal:
        read.append(TextPart(refusal))
    spoken = item.get("audio")
    if isinstance(spoken, dict):
        read.append(media_part(spoken, "audio"))
    calls = _calls(item) or _calls(extra)
    return tuple(_with_calls(read, calls))


def _with_calls(read: list[Part], calls: list[Part]) -> list[Part]:
    """Add the calls that stand beside the content to those in it, each once.

    OpenInference has the calls of Anthropic in both, LangChain repeats them. What only says that
    there is a call takes the next one that is not there yet.
    """
    ids = {one.id for one in read if isinstance(one, ToolCall) and one.id is not None}
    nameless = [one for one in read if isinstance(one, ToolCall) and one.id is None]
    new = [
        call
        for call in calls
        if not isinstance(call, ToolCall)
        or (call.id not in ids and not (call.id is None and call in nameless))
    ]
    merged: list[Part] = []
    for one in read:
        if one != ToolCall(None, None, None):
            merged.append(one)
        elif new:
            merged.append(new.pop(0))
    return merged + new


def _content(item: Raw) -> JsonValue:
    content = next((item[name] for name in _CONTENT if item.get(name) not in (None, "", [])), None)
    if isinstance(content, str) and content.startswith("[{"):
        # OpenLLMetry writes lists of parts as a text.
        inner = nested(content)
        if isinstance(inner, list) and all(map(is_part, inner)):
            return inner
    return content


def _answer(item: Raw, content: JsonValue) -> ToolResult:
    call_id = first_text(item, ("tool_call_id", "id"))
    return ToolResult(call_id, first_text(item, ("name",)), nested(joined(content)))


def _calls(item: Raw) -> list[Part]:
    listed = decoded(item.get("tool_calls"))[0]
    calls = [tool_call(call) for call in listed] if isinstance(listed, list) else []
    broken = item.get("invalid_tool_calls")
    calls += [tool_call(call) for call in broken] if isinstance(broken, list) else []
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
