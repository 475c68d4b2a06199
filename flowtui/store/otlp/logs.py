"""Log records: which of them are events of a span, and as which event they are kept.

Instrumentations that follow the conventions for generative AI send what was said as log records
with the ids of the span. An older one sends a record for each message, with the message as its
body; a newer one sends a record for each call, with all messages in its attributes.

Spec: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from flowtui.store.otlp.items import Origin
from flowtui.store.values import JsonValue

LOG = "log"
"""The member of an event that came as a log record; an event that came with its span has none."""
_CONTENT = "gen_ai.event.content"
_EVENT_NAME = "event.name"
_PREFIX = "gen_ai."
_DETAILS = "gen_ai.client.inference.operation.details"
_CHOICE = "gen_ai.choice"
_CONVERSATIONS = ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions")
_ROLES = ("system", "user", "assistant", "tool")


class LogRecord(NamedTuple):
    """One log record, but for the ids of its span."""

    name: str
    """Of the event; empty where the record names none."""
    time_ns: int
    """When it happened, else when it was observed."""
    severity: str
    body: JsonValue
    attributes: Mapping[str, JsonValue]
    origin: Origin


def event_name(record: LogRecord) -> str:
    """Return under which name a record is an event of its span, empty where it is none.

    A record without a name is known by its attributes, or by a body that has the form of a message.
    """
    said = record.name or record.attributes.get(_EVENT_NAME)
    if said:
        return said if isinstance(said, str) and said.startswith(_PREFIX) else ""
    if any(name in record.attributes for name in _CONVERSATIONS):
        return _DETAILS
    body = record.body
    is_about_it = any(name.startswith(_PREFIX) for name in record.attributes)
    if not is_about_it or not isinstance(body, dict):
        return ""
    if isinstance(body.get("message"), dict):
        return _CHOICE
    role = body.get("role")
    return f"gen_ai.{role}.message" if role in _ROLES else ""


def event(record: LogRecord, name: str) -> dict[str, JsonValue]:
    """Return a record as an event of exp.db: spans.events, with its body among its attributes."""
    attributes = {key: value for key, value in record.attributes.items() if key != _EVENT_NAME}
    body = record.body
    if body not in (None, "", {}, []):
        content: JsonValue = body if isinstance(body, dict) else {"content": body}
        key = _CONTENT
        while key in attributes:
            key += "_"
        attributes[key] = content
    source: dict[str, JsonValue] = {"scope": dict(record.origin.scope), "severity": record.severity}
    return {
        "name": name,
        "timestamp": record.time_ns,
        "attributes": attributes,
        LOG: {key: value for key, value in source.items() if value},
    }
