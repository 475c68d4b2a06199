"""Content of messages to parts: OpenTelemetry's, OpenInference's and the providers' own shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowtui.store.genai.fields import first_text, nested
from flowtui.store.genai.media import MEDIA_TYPES, media_part
from flowtui.store.genai.parts import (
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
)
from flowtui.store.values import JsonValue

Raw = Mapping[str, JsonValue]

_TEXT_TYPES = frozenset(("text", "input_text", "output_text", "summary_text", "refusal"))
REASONING_TYPES = frozenset(("reasoning", "thinking", "reasoning_text"))
CALL_TYPES = frozenset(
    "tool_call tool_use function_call function server_tool_call server_tool_use tool-call".split()
)
RESULT_TYPES = frozenset(
    "tool_call_response tool_result function_call_output server_tool_call_response "
    "tool-result".split()
)
_TEXT = ("content", "text", "thinking", "refusal", "reasoning")
_CALL_IDS = ("call_id", "id", "toolCallId", "tool_call_id", "toolUseId")
# A result's own `id` is the call's in OpenTelemetry; providers name the call apart from it.
_RESULT_IDS = ("tool_use_id", "tool_call_id", "call_id", "toolCallId", "toolUseId", "id")
_NAMES = ("name", "toolName")
_ARGUMENTS = ("arguments", "args", "input", "parameters", "server_tool_call")
_RESULTS = ("response", "result", "output", "content", "server_tool_call_response")
_KEYED_CALLS = ("functionCall", "function_call", "toolUse")
_KEYED_RESULTS = ("functionResponse", "function_response", "toolResult")
_KEYED_MEDIA = ("inlineData", "inline_data", "fileData", "file_data", "image", "document", "video")


def parts(content: JsonValue) -> tuple[Part, ...]:
    """Return the parts of a message's content: a text, one part, or a list of them."""
    if content is None or content == "":
        return ()
    if isinstance(content, list):
        return tuple(part(item) for item in content)
    return (part(content),)


def part(raw: JsonValue) -> Part:
    """Return one part of a message; a type without a look of its own stays as it is stored.

    Source: `parts` of gen_ai.*.messages, message.contents.N.message_content of OpenInference, and
    the content of requests and responses as the large providers shape it.
    """
    if isinstance(raw, str):
        return TextPart(raw)
    if not isinstance(raw, dict):
        return UnknownPart(raw)
    inner = raw.get("message_content")
    item = inner if isinstance(inner, dict) else raw
    return _typed(item, type_of(item)) or _untyped(item) or UnknownPart(raw)


def type_of(raw: Raw) -> str:
    """Return the `type` of a part or message, empty where it has none."""
    type_ = raw.get("type")
    return type_ if isinstance(type_, str) else ""


def is_result(raw: JsonValue) -> bool:
    """Return whether a part answers a tool call."""
    if not isinstance(raw, dict):
        return False
    type_ = type_of(raw)
    return (
        type_ in RESULT_TYPES
        or type_.endswith("_tool_result")
        or any(isinstance(raw.get(name), dict) for name in _KEYED_RESULTS)
    )


def tool_call(raw: JsonValue) -> Part:
    """Return an item of `tool_calls`, whose function may lie in an object of its own."""
    item = raw
    if isinstance(item, dict) and isinstance(item.get("tool_call"), dict):
        item = item["tool_call"]
    if not isinstance(item, dict):
        return UnknownPart(raw)
    function = item.get("function")
    named = function if isinstance(function, dict) else item
    arguments = nested(_first(named, _ARGUMENTS))
    return ToolCall(first_text(item, _CALL_IDS), first_text(named, _NAMES), arguments)


def tool_result(raw: Raw) -> ToolResult:
    """Return a part that answers a tool call."""
    result = nested(_first(raw, _RESULTS))
    return ToolResult(first_text(raw, _RESULT_IDS), first_text(raw, _NAMES), result)


def joined(content: JsonValue) -> JsonValue:
    """Return content that consists of text alone as one text, else as it is stored."""
    if not isinstance(content, list) or not content:
        return content
    read = parts(content)
    texts = [item.text for item in read if isinstance(item, TextPart)]
    return "\n".join(texts) if len(texts) == len(read) else content


def _typed(item: Raw, type_: str) -> Part | None:
    if type_ in _TEXT_TYPES:
        written = first_text(item, _TEXT)
        return None if written is None else TextPart(written)
    if type_ in REASONING_TYPES:
        thought = first_text(item, _TEXT) or _texts(item.get("summary"))
        return None if thought is None else ReasoningPart(thought)
    if type_ in CALL_TYPES:
        return tool_call(dict(item))
    if type_ in RESULT_TYPES or type_.endswith("_tool_result"):
        return tool_result({**item, "content": joined(item.get("content"))})
    if type_ in MEDIA_TYPES:
        return media_part(item, type_)
    return None


def _untyped(item: Raw) -> Part | None:
    for name in _KEYED_CALLS:
        if isinstance(item.get(name), dict):
            return tool_call(item[name])
    for name in _KEYED_RESULTS:
        answer = item.get(name)
        if isinstance(answer, dict):
            return tool_result(answer)
    if any(isinstance(item.get(name), dict) for name in _KEYED_MEDIA):
        return media_part(item, "")
    written = item.get("text")
    if isinstance(written, str):
        return ReasoningPart(written) if item.get("thought") is True else TextPart(written)
    return None


def _first(item: Raw, names: Iterable[str]) -> JsonValue:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _texts(content: JsonValue) -> str | None:
    whole = joined(content)
    return whole if isinstance(whole, str) and whole else None
