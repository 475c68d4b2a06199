"""What a conversation consists of: messages and the parts of a message.

Text, names and raw values in them are untrusted, as everything out of a store.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from flowtui.store.values import JsonValue


@dataclass(frozen=True, slots=True)
class TextPart:
    """Text that somebody wrote."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningPart:
    """Text that the model wrote for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model's wish to have a tool called."""

    id: str | None
    name: str | None
    arguments: JsonValue
    """As parsed; a text where it is no JSON."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answered."""

    id: str | None
    """The id of the call that this answers."""
    name: str | None
    result: JsonValue


@dataclass(frozen=True, slots=True)
class MediaPart:
    """A picture, sound or file; nothing of it is decoded."""

    kind: str
    """image, audio, video, document or file, or whatever else the span says."""
    mime: str | None
    size_bytes: int | None
    """None for what lies elsewhere; computed from the length of the base64 text, not decoded."""
    name_or_uri: str | None
    transcript: str | None = None
    """What is said in it."""
    data: str | None = field(default=None, repr=False)
    """Its bytes as they stand there, in base64 or a `data:` URL; see `media.content`."""


@dataclass(frozen=True, slots=True)
class UnknownPart:
    """Structured data, or a part of a type that has no look of its own."""

    raw: JsonValue


Part = TextPart | ReasoningPart | ToolCall | ToolResult | MediaPart | UnknownPart


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    """system, user, assistant, tool ... as stored; `input` or `output` where no role is said."""
    parts: tuple[Part, ...]
    finish_reason: str | None = None
    problem: str | None = None
    """What was wrong with the stored value; the parts then hold it as it stands."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What went into a span and what came out, in the order in which it is stored."""

    system: tuple[Message, ...] = ()
    """Instructions, and the system or developer messages that open the input."""
    input: tuple[Message, ...] = ()
    output: tuple[Message, ...] = ()


class PairedCall(NamedTuple):
    """A tool call and its answer."""

    call: ToolCall
    result: ToolResult | None
    """None where the conversation holds no answer, as when the tool is still to run."""
