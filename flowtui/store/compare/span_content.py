"""What two spans say, as texts that can be compared: messages, arguments, results, errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from flowtui.store.genai import (
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
    details,
    messages,
)
from flowtui.store.traces.values import SpanDetail
from flowtui.store.values import JsonValue

Content = dict[str, str]
"""By what a person calls it, in the order in which it is read; what a span does not say is left
out. Ids and times are no part of it, since no two runs share them."""


def span_content(detail: SpanDetail) -> Content:
    """Return what a span says, as one text for each of its sides."""
    found = details(detail.attributes)
    chat = messages(detail.attributes, detail.raw_events)
    tool = found.tool
    # What a tool was given and what it made stand as its arguments and its result.
    told = set()
    if tool is not None:
        told |= {"input"} if tool.arguments is not None else set()
        told |= {"output"} if tool.result is not None else set()
    said = {
        "error": detail.status_message or ("failed" if detail.status_code == 2 else ""),
        "model": found.response_model or found.request_model or "",
        "parameters": _joined(f"{name} {_json(value)}" for name, value in found.parameters),
        "system": _messages(chat.system),
        "input": _messages([one for one in chat.input if one.role not in told]),
        "arguments": "" if tool is None or tool.arguments is None else _json(tool.arguments),
        "query": found.retrieval_query or "",
        "output": _messages([one for one in chat.output if one.role not in told]),
        "result": "" if tool is None or tool.result is None else _json(tool.result),
        "documents": _joined(document.content or "" for document in found.documents),
    }
    return {name: text for name, text in said.items() if text}


GIVEN = ("model", "parameters", "system", "input", "arguments", "query")
"""What a span begins with; the rest is what it ends with."""


def differing(one: Content, other: Content) -> tuple[str, ...]:
    """Return the names of the sides on which two spans do not say the same, in reading order."""
    names = dict.fromkeys((*one, *other))
    return tuple(name for name in names if one.get(name) != other.get(name))


def _messages(said: Sequence[Message]) -> str:
    return _joined(f"{message.role}: {_joined(map(_part, message.parts))}" for message in said)


def _part(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return text
        case ReasoningPart(text=text):
            return f"(reasoning) {text}"
        case ToolCall(name=name, arguments=arguments):
            return f"{name or 'a tool'}({'' if arguments is None else _json(arguments)})"
        case ToolResult(name=name, result=result):
            return f"{name or 'answer'} -> {_json(result)}"
        case MediaPart(kind=kind, mime=mime, size_bytes=size, transcript=transcript):
            size_text = "" if size is None else f"{size} bytes"
            return " ".join(filter(None, (kind, mime, size_text, transcript)))
        case UnknownPart(raw=raw):
            return _json(raw)


def _json(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _joined(texts: Iterator[str] | map[str]) -> str:
    return "\n".join(text for text in texts if text)
