"""Traces of two sessions, as agents write them that are given what was said before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from flowtui.store.schema import SpanRow

SYSTEM = "You are terse."
TURNS = (
    ("Where is order A-1?", "It is in Oslo.\nIt comes on Monday."),
    ("Can it come earlier?", "No, Monday is the earliest."),
    ("yes", "Noted."),
    ("yes", "Noted again."),
)
"""What is asked and answered in the first session; the same may be said twice."""
OTHER = ("Cancel A-2, please.", "Done.")
START_NS = 1_780_000_000_000_000_000
MINUTE_NS = 60_000_000_000


def said(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def turn(
    number: int, session: str, history: Sequence[tuple[str, str]], asked: str, answered: str
) -> Iterator[SpanRow]:
    """Yield the spans of one trace: a root that says nothing, and the chat that says it all."""
    heard = [said("system", SYSTEM)]
    for question, answer in history:
        heard += [said("user", question), said("assistant", answer)]
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "large-chat-4" if number % 2 else "small-chat-2",
        "gen_ai.usage.input_tokens": 100 * number,
        "gen_ai.usage.output_tokens": number,
        "operation.cost": number / 1000,
        "gen_ai.input.messages": json.dumps([*heard, said("user", asked)]),
        "gen_ai.output.messages": json.dumps([said("assistant", answered)]),
    }
    root = {"metadata": json.dumps({"thread_id": session, "user_id": "ana"})}
    start = START_NS + number * MINUTE_NS
    for span, parent, name, attributes in (
        (1, None, "POST /chat", root),
        (2, 1, "chat", chat),
    ):
        yield SpanRow(
            trace_id=f"{number:032x}",
            span_id=f"{number * 16 + span:016x}",
            parent_span_id=None if parent is None else f"{number * 16 + parent:016x}",
            name=name,
            start_ns=start + span,
            end_ns=start + number * 1_000_000_000 - span,
            status_code=2 if (number, span) == (3, 2) else 1,
            attributes=attributes,
        )


def spans() -> Iterator[SpanRow]:
    """Yield the spans of four traces of the session `one`, and of one of the session `two`."""
    for number, (asked, answered) in enumerate(TURNS, start=1):
        yield from turn(number, "one", TURNS[: number - 1], asked, answered)
    yield from turn(9, "two", (), *OTHER)
    yield SpanRow(
        trace_id=f"{10:032x}", span_id=f"{10:016x}", name="health", start_ns=START_NS + 1,
        end_ns=START_NS + 2, parent_span_id=None,
    )  # fmt: skip
