"""The attributes and events of one span as a person reads them, in every known dialect.

The table in `dialects.py` says which attribute means what.
All functions are pure, take values as `json.loads` returns them, and raise nothing: a value of
an unexpected type reads as absent, broken JSON as the text that it is.
"""

from __future__ import annotations

from flowtui.store.genai.details import SpanDetails, details, title
from flowtui.store.genai.events import (
    Evaluation,
    SpanException,
    evaluations,
    exceptions,
)
from flowtui.store.genai.kinds import SpanKind, span_kind
from flowtui.store.genai.messages import messages, paired_calls
from flowtui.store.genai.parts import (
    Conversation,
    MediaPart,
    Message,
    PairedCall,
    Part,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
)
from flowtui.store.genai.pending import is_pending, pending_parent
from flowtui.store.genai.retrieval import RetrievedDocument
from flowtui.store.genai.tools import OfferedTool, Tool
from flowtui.store.genai.usage import Usage, usage

__all__ = [
    "Conversation",
    "Evaluation",
    "MediaPart",
    "Message",
    "OfferedTool",
    "PairedCall",
    "Part",
    "ReasoningPart",
    "RetrievedDocument",
    "SpanDetails",
    "SpanException",
    "SpanKind",
    "TextPart",
    "Tool",
    "ToolCall",
    "ToolResult",
    "UnknownPart",
    "Usage",
    "details",
    "evaluations",
    "exceptions",
    "is_pending",
    "messages",
    "paired_calls",
    "pending_parent",
    "span_kind",
    "title",
    "usage",
]
