"""No text of a span is lost in its document: a search finds it, and a copy has it.

Texts that were said stand in the chat, or where the span tells what it ran and looked for; all
that a span has stands among its attributes and events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.store.genai import (
    MediaPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    UnknownPart,
    details,
    media,
    messages,
)
from flowtui.store.otlp.items import OtlpSpan
from flowtui.store.traces.values import SpanDetail, SpanEvent
from flowtui.widgets.documents.blocks import Link, Section, Turn, copied
from flowtui.widgets.documents.search import matches
from flowtui.widgets.documents.span_sections import span_sections
from tests.unit.store.test_bodies import BODIES, spans
from tests.unit.store.test_genai_messages import EVENT_NAMES, KEYS, SHAPED
from tests.unit.widgets.test_span_sections import START, detail

NAMES = sorted(path.stem for path in BODIES.glob("*.json"))
AS_STORED = frozenset(("attributes", "resource", "events", "ids"))


def leaves(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from leaves(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from leaves(inner)


def recorded(span: OtlpSpan) -> SpanDetail:
    events = [
        SpanEvent(str(event["name"]), START, event.get("attributes") or {})  # type: ignore[arg-type]
        for event in span.events
    ]
    return detail(
        dict(span.attributes),
        name=span.name,
        events=tuple(events),
        status_code=span.status_code,
        status_message=span.status_message,
    )


def lost(sections: Sequence[Section], texts: set[str]) -> list[str]:
    """Return which texts a search does not find, or a copy of everything has not."""
    whole = "\n".join(map(copied, sections))
    return [
        text
        for text in texts
        if not matches(sections, re.compile(re.escape(text)))
        or (text.isalnum() and text not in whole)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_text_of_a_recorded_span_is_found(name: str) -> None:
    for span in spans(name):
        shown = recorded(span)
        texts = {*leaves(dict(span.attributes)), span.name, span.status_message or ""}
        texts |= {text for event in shown.events for text in leaves(dict(event.attributes))}
        assert lost(span_sections(shown), texts - {""}) == []


def said_in(span: SpanDetail) -> set[str]:
    """Return what was said, thought, called and answered, of a tool what it took and gave."""
    chat = messages(span.attributes, span.raw_events)
    found = details(span.attributes)
    texts: set[str] = set()
    for turn in (*chat.system, *chat.input, *chat.output):
        if found.tool is not None and turn.role in ("input", "output", "tool"):
            continue
        for part in turn.parts:
            match part:
                case TextPart(text=text) | ReasoningPart(text=text):
                    texts.add(text)
                case ToolCall(arguments=told) | ToolResult(result=told) | UnknownPart(raw=told):
                    texts.update(leaves(told))
                case MediaPart(mime=mime, name_or_uri=name, transcript=transcript):
                    texts.update(text for text in (mime, name, transcript) if text)
    texts.update(leaves(None if found.tool is None else [found.tool.arguments, found.tool.result]))
    for tool in found.tools_offered:
        texts.update((tool.name, tool.description or "", *leaves(tool.definition)))
    return texts - {""}


@pytest.mark.parametrize("name", NAMES)
def test_all_that_was_said_stands_where_it_can_be_read(name: str) -> None:
    for span in map(recorded, spans(name)):
        told = [one for one in span_sections(span) if one.key not in AS_STORED]
        assert lost(told, said_in(span)) == []


def links(blocks: Sequence[Any]) -> Iterator[Link]:
    for block in blocks:
        if isinstance(block, Link):
            yield block
        elif isinstance(block, (Section, Turn)):
            yield from links(block.blocks)


def test_the_bytes_of_a_recorded_picture_are_there_to_be_shown() -> None:
    pictures = [
        (link.label, media.content(link.target)[:4])
        for name in ("google_genai", "vertexai")
        for span in spans(name)
        for link in links(span_sections(recorded(span)))
        if isinstance(link.target, MediaPart)
    ]
    assert pictures == 2 * [("picture  image/png 4x3, 78 B   Enter shows it", b"\x89PNG")]


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(KEYS, SHAPED, max_size=5),
    st.lists(st.tuples(EVENT_NAMES, st.dictionaries(KEYS, SHAPED, max_size=3)), max_size=3),
)
def test_every_text_of_any_span_is_found(attributes: Any, events: Any) -> None:
    told = tuple(SpanEvent(name, START, values) for name, values in events)
    texts = {*leaves(attributes), *(text for _, values in events for text in leaves(values))}
    assert lost(span_sections(detail(attributes, events=told)), texts - {""}) == []
