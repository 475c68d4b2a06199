"""Logfire's placeholders for spans that have not ended."""

from __future__ import annotations

from flowtui.store.genai.fields import Attributes, first_text


def is_pending(attributes: Attributes) -> bool:
    """Return whether a span only announces one that has not ended yet.

    Source: logfire.span_type, which is then `pending_span`.
    """
    return attributes.get("logfire.span_type") == "pending_span"


def pending_parent(attributes: Attributes) -> str | None:
    """Return the id of the parent that the announced span has, or None if it is a root.

    The placeholder has an id of its own; the span that it announces is the placeholder's parent.

    Source: logfire.pending_parent_id, whose zeros mean that there is none.
    """
    parent = first_text(attributes, ("logfire.pending_parent_id",))
    return parent if parent is not None and parent.strip("0") else None
