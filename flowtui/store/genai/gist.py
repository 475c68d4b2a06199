"""What a conversation was about, in a text each: what was asked, and what was answered."""

from __future__ import annotations

import json

from flowtui.store.genai.merging import speaker
from flowtui.store.genai.parts import (
    Conversation,
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
)
from flowtui.store.values import JsonValue

_MAX_AROUND = 6


def asked(conversation: Conversation) -> str | None:
    """Return the last thing that a person says in what went in.

    What was said before it, and answered there, is the history of the conversation.
    """
    return next((text for item in asking(conversation) if (text := _text(item))), None)


def asking(conversation: Conversation) -> list[Message]:
    """Return what a person says in what went in, the last first; answers of tools are left out."""
    return [
        item
        for item in reversed(conversation.input)
        if speaker(item) == "user" and not all(isinstance(part, ToolResult) for part in item.parts)
    ]


def answered(conversation: Conversation) -> str | None:
    """Return the last thing that came out; the calls of tools where nothing was said."""
    return next((text for item in reversed(conversation.output) if (text := _text(item))), None)


def _text(item: Message) -> str:
    spoken = [part for part in item.parts if isinstance(part, TextPart) and part.text.strip()]
    return " ".join(filter(None, map(_part, spoken or item.parts)))


def _part(part: Part) -> str:
    match part:
        case TextPart(text=text):
            return _whole(text)
        case ToolCall(name=name, arguments=arguments):
            return f"{name or 'a tool'}({'' if arguments is None else _json(arguments)})"
        case ToolResult(result=result):
            return _value(result)
        case MediaPart(kind=kind, transcript=transcript):
            return transcript or f"[{kind}]"
        case UnknownPart(raw=raw):
            return _value(raw)
        case ReasoningPart():
            return ""


def _whole(text: str) -> str:
    """Return a text without what cannot be written as UTF-8."""
    return text.strip().encode("utf-8", "replace").decode()


def _value(value: JsonValue) -> str:
    """Return a value as JSON, but the only text in it as it is."""
    only = value
    for _ in range(_MAX_AROUND):
        if not isinstance(only, (dict, list)):
            break
        items = only.values() if isinstance(only, dict) else only
        held = [one for one in items if one not in (None, "", {}, [])]
        if len(held) != 1:
            break
        only = held[0]
    if isinstance(only, str):
        return _whole(only)
    return "" if value in (None, {}, []) else _json(value)


def _json(value: JsonValue) -> str:
    try:
        return _whole(json.dumps(value, ensure_ascii=False))
    except (RecursionError, ValueError, TypeError):
        return ""
