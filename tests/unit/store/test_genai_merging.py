"""One conversation in several dialects: everything of it, and nothing twice."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.store.genai import (
    Message,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    messages,
    paired_calls,
)
from flowtui.store.genai.merging import merged, without_repeats

TEXTS = st.text("abc xyz", min_size=1, max_size=12).filter(str.strip)
ANSWER = {"celsius": 4}


def turns_of(texts: list[str]) -> list[Message]:
    """Return a conversation in which each turn says something of its own, calls in between."""
    turns: list[Message] = []
    for at, text in enumerate(texts):
        turns.append(Message("user", (TextPart(f"{at} {text}"),)))
        call = ToolCall(f"call_{at}", "weather", {"city": text})
        turns.append(Message("assistant", (ReasoningPart(f"think {at}"), call)))
        turns.append(Message("tool", (ToolResult(call.id, None, ANSWER),)))
    return turns


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, max_size=5), st.data())
def test_what_several_sources_have_in_part_is_whole_together(texts: list[str], data) -> None:
    turns = turns_of(texts)
    # Each turn is in one of the sources at least, and in order in each.
    kept = data.draw(st.lists(st.sampled_from([1, 2, 3]), min_size=len(turns), max_size=len(turns)))
    first = tuple(turn for turn, bits in zip(turns, kept, strict=True) if bits & 1)
    second = tuple(turn for turn, bits in zip(turns, kept, strict=True) if bits & 2)
    whole = merged([first, second])
    parts = [part for turn in whole for part in turn.parts]
    expected = [part for turn in turns for part in turn.parts]
    assert sorted(map(repr, parts)) == sorted(map(repr, expected))


@given(st.lists(TEXTS, max_size=5))
def test_the_same_source_twice_says_everything_once(texts: list[str]) -> None:
    turns = tuple(turns_of(texts))
    assert merged([turns, turns]) == turns
    assert merged([(), turns]) == turns


def test_what_one_source_says_twice_stays_twice() -> None:
    hi = Message("assistant", (TextPart("Hi"),))
    assert merged([(hi, hi), (hi, hi)]) == (hi, hi)
    call = ToolCall("call_1", "roll", {}), ToolCall("call_2", "roll", {})
    rolled = (Message("assistant", call),)
    assert merged([rolled, rolled]) == rolled


def test_texts_that_one_source_joins_are_the_same() -> None:
    apart = (Message("user", (TextPart("one"), TextPart("two"))),)
    joined = (Message("user", (TextPart("one\ntwo"),)),)
    assert merged([apart, joined]) == apart


def test_what_is_missing_comes_where_it_stood() -> None:
    ask = Message("user", (TextPart("ask"),))
    first = Message("assistant", (TextPart("first"),))
    more = Message("user", (TextPart("more"),))
    last = Message("assistant", (TextPart("last"),))
    assert merged([(ask, more, last), (ask, first)]) == (ask, first, more, last)


def test_reasoning_and_reason_to_stop_of_the_poorer_source_are_kept() -> None:
    rich = (Message("assistant", (TextPart("4"), ToolCall("c", "f", {}))),)
    poor = (Message("assistant", (ReasoningPart("Hm."), TextPart("4")), "stop"),)
    expected = Message(
        "assistant", (ReasoningPart("Hm."), TextPart("4"), ToolCall("c", "f", {})), "stop"
    )
    assert merged([rich, poor]) == (expected,)


def test_an_empty_answer_is_filled_by_another_source() -> None:
    empty = (Message("assistant", (), "tool_calls"),)
    call = (Message("assistant", (ToolCall(None, "f", {}),)),)
    assert merged([empty, call]) == (Message("assistant", call[0].parts, "tool_calls"),)


def test_broken_json_shows_only_where_nothing_else_says_it() -> None:
    broken = (Message("user", (TextPart("[{"),), problem="broken"),)
    sound = (Message("user", (TextPart("Hello"),)),)
    assert merged([broken, sound]) == sound
    assert merged([broken]) == broken


def test_calls_that_differ_in_their_ids_alone_are_one_and_find_their_answers() -> None:
    item = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    answer = {"type": "function_call_output", "call_id": "call_1", "output": '{"celsius": 4}'}
    call = "llm.input_messages.0.message.tool_calls.0.tool_call"
    conversation = messages(
        {
            "input.value": json.dumps({"model": "m", "input": [item, answer]}),
            "llm.input_messages.0.message.role": "assistant",
            "llm.input_messages.0.message.contents.0.message_content.text": "One moment.",
            "llm.input_messages.0.message.contents.0.message_content.type": "text",
            f"{call}.id": "fc_1",
            f"{call}.function.name": "f",
            f"{call}.function.arguments": "{}",
            "llm.input_messages.1.message.role": "tool",
            "llm.input_messages.1.message.tool_call_id": "call_1",
            "llm.input_messages.1.message.content": '{"celsius": 4}',
        },
        [],
    )
    (pair,) = paired_calls(conversation)
    assert pair.result is not None
    assert pair.result.result == ANSWER


@pytest.mark.parametrize("name", ["gen_ai.output.messages", "output.value"])
def test_a_call_that_stands_only_beside_the_content_shows(name: str) -> None:
    answer = {
        "role": "assistant",
        "content": [{"type": "text", "text": "A moment."}, {"type": "tool_use"}],
        "tool_calls": [{"id": "call_1", "function": {"name": "f", "arguments": "{}"}}],
    }
    (turn,) = messages({name: json.dumps([answer])}, []).output
    assert turn.parts == (TextPart("A moment."), ToolCall("call_1", "f", {}))


def test_the_output_leaves_out_the_input_that_it_begins_with() -> None:
    turns = turns_of(["a"])
    assert without_repeats(tuple(turns), tuple(turns[:1])) == tuple(turns[1:])
    # An answer that was given before stays.
    assert without_repeats((turns[1],), tuple(turns)) == (turns[1],)
    assert without_repeats(tuple(turns), tuple(turns)) == tuple(turns)


def test_many_messages_are_merged_in_bounded_work() -> None:
    first = tuple(Message("user", (TextPart(f"first {at} " * 50),)) for at in range(1_000))
    second = tuple(Message("user", (TextPart(f"second {at} " * 50),)) for at in range(1_000))
    assert len(merged([first, second])) == 2_000
