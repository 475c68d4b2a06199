"""Inspect's messages as OpenTelemetry writes those of generative AI.

Source: inspect_ai/model/_chat_message.py, inspect_ai/_util/content.py; for the other side the
schemas of gen_ai.input.messages and gen_ai.output.messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowtui.sources.json_values import (
    filled,
    mapping,
    sequence,
    text,
)
from flowtui.store.values import JsonValue

_MEDIA = {"image": "image", "audio": "audio", "video": "video", "document": "document"}
_MIMES = {"audio": "audio/", "video": "video/"}


def messages(listed: JsonValue) -> list[JsonValue]:
    """Return messages as OpenTelemetry's, in their order; a text is one of the user."""
    if isinstance(listed, str):
        listed = [{"role": "user", "content": listed}]
    return [_message(item) for item in sequence(listed)]


def answers(output: JsonValue) -> list[JsonValue]:
    """Return what a model answered: ModelOutput.choices."""
    found: list[JsonValue] = []
    for choice in map(mapping, sequence(mapping(output).get("choices"))):
        said = _message(choice.get("message"))
        if isinstance(said, dict):
            found.append({**said, "finish_reason": text(choice.get("stop_reason"))})
    return found


def completion(output: JsonValue) -> str:
    """Return the text that a model answered at last."""
    whole = text(mapping(output).get("completion"))
    if whole:
        return whole
    choice = mapping(next(iter(sequence(mapping(output).get("choices"))), None))
    return "\n".join(_texts(mapping(choice.get("message")).get("content")))


def in_short(listed: JsonValue) -> JsonValue:
    """Return the input of a sample for a list: a text as it is, of messages roles and texts.

    Pictures and other media are named; the trace has them.
    """
    if not isinstance(listed, list):
        return listed
    return [
        filled({"role": text(item.get("role")), "content": "\n".join(_texts(item.get("content")))})
        for item in map(mapping, listed)
    ]


def _texts(content: JsonValue) -> Iterable[str]:
    if isinstance(content, str):
        yield content
    for part in map(mapping, sequence(content)):
        kind = text(part.get("type"))
        if kind == "text":
            yield text(part.get("text"))
        elif kind in _MEDIA:
            yield f"({kind})"


def _message(raw: JsonValue) -> JsonValue:
    item = mapping(raw)
    role = text(item.get("role"))
    content = item.get("content")
    parts: list[JsonValue] = []
    if role == "tool":
        error = mapping(item.get("error"))
        result = text(error.get("message")) or _result(content)
        parts.append(
            {"type": "tool_call_response", "id": item.get("tool_call_id"),
             "name": text(item.get("function")), "response": result}
        )  # fmt: skip
    else:
        if isinstance(content, str):
            parts += [{"type": "text", "content": content}] if content else []
        else:
            parts += [_part(part) for part in sequence(content)]
        parts += [_call(one) for one in map(mapping, sequence(item.get("tool_calls")))]
    return {"role": role or "user", "parts": parts}


def _call(item: Mapping[str, JsonValue]) -> JsonValue:
    return {
        "type": "tool_call",
        "id": text(item.get("id")),
        "name": text(item.get("function")),
        "arguments": item.get("arguments"),
    }


def _result(content: JsonValue) -> JsonValue:
    """Return what a tool answered: its text where that is all."""
    parts = list(map(mapping, sequence(content)))
    if parts and all(part.get("type") == "text" for part in parts):
        return "\n".join(_texts(content))
    return content


def _part(raw: JsonValue) -> JsonValue:
    item = mapping(raw)
    kind = text(item.get("type"))
    if kind == "text":
        return {"type": "text", "content": item.get("text")}
    if kind == "reasoning":
        said = text(item.get("reasoning"))
        if item.get("redacted") is True:
            said = text(item.get("summary")) or "(the provider has hidden it)"
        return {"type": "reasoning", "content": said}
    if kind == "tool_use":
        return {
            "type": "mcp_tool_use", "id": item.get("id"), "name": item.get("name"),
            "arguments": item.get("arguments"),
        }  # fmt: skip
    if kind in _MEDIA:
        return _medium(kind, item)
    return raw


def _medium(kind: str, found: Mapping[str, JsonValue]) -> JsonValue:
    held = text(found.get(kind))
    mime = text(found.get("mime_type"))
    if not mime and kind in _MIMES and text(found.get("format")):
        mime = _MIMES[kind] + text(found.get("format"))
    # What is in the log is a data: URL; anything else is the name of a file or an address.
    return filled(
        {"type": "uri", "modality": kind, "mime_type": mime, "uri": held,
         "name": text(found.get("filename"))}
    )  # fmt: skip
