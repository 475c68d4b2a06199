"""Content of messages to parts: OpenTelemetry's, OpenInference's and the providers' own shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowtui.store.genai.fields import first_text, mapping, nested
from flowtui.store.genai.media import MEDIA_TYPES, media_part
from flowtui.store.genai.parts import (
    MediaPart,
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
# Of the Responses API: the calls of tools that the provider runs, which have no other name.
_OWN_CALLS = frozenset(
    "web_search_call file_search_call code_interpreter_call computer_call image_generation_call "
    "local_shell_call shell_call apply_patch_call tool_search_call mcp_call".split()
)
CALL_TYPES = _OWN_CALLS | frozenset(
    "tool_call tool_use function_call function server_tool_call server_tool_use tool-call "
    "mcp_tool_use custom_tool_call".split()
)
RESULT_TYPES = frozenset(
    "tool_call_response tool_result function_call_output server_tool_call_response tool-result "
    "tool-error custom_tool_call_output computer_call_output local_shell_call_output "
    "shell_call_output apply_patch_call_output tool_search_output".split()
)
_RESULT_END = "_tool_result"
"""Of Anthropic's results of tools of its own, such as web_search_tool_result."""
_TEXT = ("content", "text", "thinking", "refusal", "reasoning", "reasoning_text")
_CALL_IDS = ("call_id", "id", "toolCallId", "tool_call_id", "toolUseId")
# A result's own `id` is the call's in OpenTelemetry; providers name the call apart from it.
_RESULT_IDS = ("tool_use_id", "tool_call_id", "call_id", "toolCallId", "toolUseId", "id")
_NAMES = ("name", "toolName", "tool_name")
_ARGUMENTS = (
    "arguments", "args", "input", "parameters", "server_tool_call", "tool_kwargs",
    "action", "code", "queries",
)  # fmt: skip
_RESULTS = (
    "response", "result", "output", "content", "server_tool_call_response", "error", "outputs",
    "results",
)  # fmt: skip
_KEYED_CALLS = ("functionCall", "function_call", "toolUse", "tool_call", "executable_code")
_KEYED_RESULTS = (
    "functionResponse", "function_response", "toolResult", "tool_call_result",
    "code_execution_result",
)  # fmt: skip
_KEYED_MEDIA = ("inlineData", "inline_data", "fileData", "file_data", "image", "document", "video")
_KEYED_REASONING = ("reasoningContent", "reasoningText", "reasoning")
_OF_MCP = frozenset(("content", "isError"))
_MOST_PARTS = 200
"""Longer lists that tools answer are data."""
_CAMEL = {"executableCode": "executable_code", "codeExecutionResult": "code_execution_result"}


def parts(content: JsonValue) -> tuple[Part, ...]:
    """Return the parts of a message's content: a text, one part, or a list of them."""
    if content is None or content == "":
        return ()
    items = content if isinstance(content, list) else [content]
    read = (one for item in items for one in with_answer(item))
    return tuple(one for one in read if one != TextPart(""))


def with_answer(raw: JsonValue) -> tuple[Part, ...]:
    """Return one part, and the answer of a tool of the provider's own that stands in its call."""
    read = part(raw)
    if not isinstance(read, ToolCall) or not isinstance(raw, dict):
        return (read,)
    if type_of(raw) not in _OWN_CALLS:
        return (read,)
    answer = _first(raw, ("output", "outputs", "results", "result", "error"))
    return (read,) if answer is None else (read, ToolResult(read.id, read.name, nested(answer)))


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
    if isinstance(inner, dict) and isinstance(raw.get("tool_call"), dict):
        # OpenInference puts the call of a `tool_use` beside it.
        return tool_call(dict(raw))
    for camel, snake in _CAMEL.items():
        if isinstance(item.get(camel), dict):
            item = {snake: item[camel]}
    return _typed(item, type_of(item)) or _untyped(item) or UnknownPart(raw)


def type_of(raw: Raw) -> str:
    """Return the `type` of a part or message, empty where it has none."""
    type_ = raw.get("type", raw.get("block_type"))
    return type_ if isinstance(type_, str) else ""


def is_lone_part(type_: str) -> bool:
    """Say whether a type is that of a part which the Responses API lists between messages."""
    return (
        type_ in CALL_TYPES
        or type_ in RESULT_TYPES
        or type_ in REASONING_TYPES
        or type_.endswith(_RESULT_END)
    )


def role_of_part(type_: str) -> str:
    """Return who speaks where a part stands for a whole message."""
    is_answer = type_ in RESULT_TYPES or type_.endswith(_RESULT_END)
    return "tool" if is_answer else "assistant"


def is_part(raw: JsonValue) -> bool:
    """Say whether a value is surely a part of a message."""
    return isinstance(raw, dict) and bool(type_of(raw) or _untyped(raw) is not None)


def is_result(raw: JsonValue) -> bool:
    """Return whether a part answers a tool call."""
    if not isinstance(raw, dict):
        return False
    type_ = type_of(raw)
    return (
        type_ in RESULT_TYPES
        or type_.endswith(_RESULT_END)
        or any(isinstance(raw.get(name), dict) for name in _KEYED_RESULTS)
    )


def is_of_tool(raw: JsonValue) -> bool:
    """Say whether a part calls a tool or answers a call."""
    return is_result(raw) or (isinstance(raw, dict) and type_of(raw) in CALL_TYPES)


def tool_call(raw: JsonValue) -> Part:
    """Return an item of `tool_calls`, whose function may lie in an object of its own."""
    item = raw
    if isinstance(item, dict) and isinstance(item.get("tool_call"), dict):
        item = item["tool_call"]
    if not isinstance(item, dict):
        return UnknownPart(raw)
    function = item.get("function")
    named = function if isinstance(function, dict) else item
    type_ = type_of(item)
    name = first_text(named, _NAMES)
    if name is None and type_ in _OWN_CALLS:
        name = type_
    arguments = nested(_first(named, _ARGUMENTS))
    return ToolCall(first_text(item, _CALL_IDS), name, arguments)


def tool_result(raw: Raw) -> ToolResult:
    """Return a part that answers a tool call."""
    origin = raw.get("origin")
    call = origin if isinstance(origin, dict) else {}
    call_id = first_text(raw, _RESULT_IDS) or first_text(call, _CALL_IDS)
    name = first_text(raw, _NAMES) or first_text(call, _NAMES)
    return ToolResult(call_id, name, bare(nested(_first(raw, _RESULTS))))


def bare(result: JsonValue) -> JsonValue:
    """Return what a tool answered without what says of which type it is."""
    if isinstance(result, dict) and result.keys() == {"type", "value"}:
        return result["value"]
    if isinstance(result, dict) and "raw_output" in result and "blocks" in result:
        # LlamaIndex tells the arguments again, and the answer as text too.
        return nested(result["raw_output"])
    if isinstance(result, list) and result and all(map(_is_text, result)):
        return nested(joined(result))
    if isinstance(result, list) and len(result) == 1:
        (only,) = result
        if isinstance(only, dict) and only.keys() == {"json"}:
            return only["json"]
    return result


def parts_with_media(result: JsonValue) -> tuple[Part, ...] | None:
    """Return the parts of what a tool answered, if there is a medium among them, else None.

    Source: the content of Anthropic's results and of OpenAI's outputs, and MCP's results, which
    have it under `content`.
    """
    content = result
    if isinstance(result, dict) and result.keys() <= _OF_MCP and not result.get("isError"):
        content = result.get("content")
    if not isinstance(content, list) or len(content) > _MOST_PARTS:
        return None
    if not all(isinstance(item, dict) for item in content):
        return None
    read = parts(content)
    is_known = not any(isinstance(one, UnknownPart) for one in read)
    return read if is_known and any(isinstance(one, MediaPart) for one in read) else None


def _is_text(entry: JsonValue) -> bool:
    return isinstance(entry, dict) and "text" in entry and entry.keys() <= {"type", "text"}


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
        thought = first_text(item, _TEXT) or _texts(item.get("summary") or item.get("content"))
        return None if thought is None else ReasoningPart(thought)
    if type_ in RESULT_TYPES or type_.endswith(_RESULT_END):
        return tool_result({**item, "content": joined(item.get("content"))})
    if type_ in CALL_TYPES:
        return tool_call(dict(item))
    if type_ in MEDIA_TYPES:
        return media_part(item, type_)
    return None


def _untyped(item: Raw) -> Part | None:
    for name in _KEYED_CALLS:
        if isinstance(item.get(name), dict):
            call = mapping(item[name])
            return tool_call({"name": name, **call} if name == "executable_code" else call)
    for name in _KEYED_RESULTS:
        answer = item.get(name)
        if isinstance(answer, dict):
            return tool_result({**answer, "content": joined(answer.get("content"))})
    for name in _KEYED_REASONING:
        inner = item.get(name)
        if isinstance(inner, dict):
            thought = first_text(inner, _TEXT)
            return ReasoningPart(thought) if thought else _untyped(inner)
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
