"""An answer that was streamed is one message, whichever pieces it came in."""

from __future__ import annotations

import json

import pytest

from flowtui.store.genai import Message, ReasoningPart, TextPart, ToolCall, messages

WEATHER = ToolCall("call_1", "weather", {"city": "Oslo"})
OPENAI = [
    {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]},
    {"choices": [{"index": 0, "delta": {"reasoning_content": "Let "}}]},
    {"choices": [{"index": 0, "delta": {"reasoning_content": "me see."}}]},
    {"choices": [{"index": 0, "delta": {"content": "It is"}}]},
    {"choices": [{"index": 0, "delta": {"content": " cold."}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [
        {"index": 0, "id": "call_1", "function": {"name": "weather", "arguments": ""}}]}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [
        {"index": 0, "function": {"arguments": '{"city"'}}]}}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [
        {"index": 0, "function": {"arguments": ': "Oslo"}'}}]}}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    {"choices": [], "usage": {"total_tokens": 7}},
]  # fmt: skip
ANTHROPIC = [
    {"type": "message_start", "message": {"role": "assistant", "content": []}},
    {"type": "content_block_start", "index": 0,
     "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0,
     "delta": {"type": "thinking_delta", "thinking": "Let "}},
    {"type": "content_block_delta", "index": 0,
     "delta": {"type": "thinking_delta", "thinking": "me see."}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "It is"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": " cold."}},
    {"type": "content_block_start", "index": 2,
     "content_block": {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}}},
    {"type": "content_block_delta", "index": 2,
     "delta": {"type": "input_json_delta", "partial_json": '{"city"'}},
    {"type": "content_block_delta", "index": 2,
     "delta": {"type": "input_json_delta", "partial_json": ': "Oslo"}'}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_calls"}},
]  # fmt: skip
WHOLE = Message(
    "assistant", (ReasoningPart("Let me see."), TextPart("It is cold."), WEATHER), "tool_calls"
)


@pytest.mark.parametrize("pieces", [OPENAI, ANTHROPIC], ids=["openai", "anthropic"])
def test_a_list_of_pieces_is_one_answer(pieces: list[object]) -> None:
    for attributes in (
        {"output.value": json.dumps(pieces)},
        {"mlflow.spanOutputs": json.dumps(pieces)},
        {"gen_ai.output.messages": json.dumps(pieces)},
    ):
        assert messages(attributes, []).output == (WHOLE,)


def test_the_pieces_of_several_choices_are_told_apart() -> None:
    pieces = [
        {"choices": [{"index": n, "delta": {"content": text}}]}
        for n, text in ((0, "It "), (1, "Very "), (0, "is"), (1, "cold"))
    ]
    said = messages({"output.value": json.dumps(pieces)}, []).output
    assert [item.parts for item in said] == [(TextPart("It is"),), (TextPart("Very cold"),)]


def test_responses_of_google_and_chunks_of_langchain_go_on() -> None:
    google = [
        {"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]}
        for text in ("It is", " cold.")
    ]
    langchain = [{"type": "AIMessageChunk", "content": text} for text in ("It is", " cold.")]
    for pieces, role in ((google, "model"), (langchain, "assistant")):
        said = messages({"output.value": json.dumps(pieces)}, []).output
        assert said == (Message(role, (TextPart("It is cold."),)),)


def choice(index: int | None, text: str, finish: str | None = None) -> dict[str, object]:
    body: dict[str, object] = {"message": json.dumps({"role": "assistant", "content": text})}
    body |= {} if index is None else {"index": index}
    body |= {} if finish is None else {"finish_reason": finish}
    return {"name": "gen_ai.choice", "attributes": body}


def test_events_of_one_choice_are_one_message_until_it_ends() -> None:
    events = [
        choice(0, "It is"), choice(0, " cold.", "stop"), choice(0, "Else", "stop"),
        choice(1, "No"), choice(None, "pieces"), choice(None, "here"),
    ]  # fmt: skip
    said = messages({}, events).output
    assert [(item.parts[0], item.finish_reason) for item in said] == [
        (TextPart("It is cold."), "stop"),
        (TextPart("Else"), "stop"),
        (TextPart("No"), None),
        (TextPart("pieces"), None),
        (TextPart("here"), None),
    ]


def test_the_chunks_of_mlflow_add_nothing_to_the_answer_that_is_there() -> None:
    events = [
        {"name": f"mlflow.chunk.item.{n}", "attributes": {"mlflow.chunk.value": json.dumps(piece)}}
        for n, piece in enumerate(OPENAI)
    ]
    assert messages({}, events).output == (WHOLE,)
    message = {"role": "assistant", "content": "It is cold."}
    whole = json.dumps({"choices": [{"message": message}]})
    assert messages({"mlflow.spanOutputs": whole}, events).output == (WHOLE,)


def test_answers_with_ids_of_their_own_stay_apart() -> None:
    answers = [
        {"type": "AIMessageChunk", "id": id_, "content": text}
        for id_, text in (("run-1", "It is"), ("run-2", "Cold."))
    ]
    said = messages({"output.value": json.dumps(answers)}, []).output
    assert [item.parts for item in said] == [(TextPart("It is"),), (TextPart("Cold."),)]
