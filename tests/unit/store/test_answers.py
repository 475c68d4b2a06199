"""Answers to tool calls in other spans of the trace: of the tool, or of the next call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flowtui.store.genai import ToolCall
from flowtui.store.schema import SpanRow
from flowtui.store.traces import answers
from flowtui.store.traces import spans as span_rows
from tests.unit.store.test_spans import RUN, TRACE, span, written
from tests.unit.stores import execute, opened

OSLO = ToolCall("call_1", "weather", {"city": "Oslo"})
ROME = ToolCall("call_2", "weather", {"city": "Rome"})


def tool(span_id: str, start: int, call: ToolCall, result: object = None, **more: Any) -> SpanRow:
    said = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.name,
        "gen_ai.tool.call.arguments": json.dumps(call.arguments),
    }
    if call.id is not None:
        said["gen_ai.tool.call.id"] = call.id
    if result is not None:
        said["gen_ai.tool.call.result"] = json.dumps(result)
    return span(span_id, start, attributes=said, parent_span_id=more.pop("parent", "root"), **more)


def chat(span_id: str, start: int, *told: dict[str, object], parent: str = "root") -> SpanRow:
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": list(told)}]),
    }
    return span(span_id, start, attributes=said, parent_span_id=parent)


def asked(call: ToolCall) -> dict[str, object]:
    return {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}


def answered(id_: str, response: object) -> dict[str, object]:
    return {"type": "tool_call_response", "id": id_, "response": response}


def found(
    directory: Path, rows: Sequence[SpanRow], *calls: ToolCall, without: str = ""
) -> list[tuple[str, object, str | None] | None]:
    """Return for each call of the span `model` where its answer is, what it is, or the problem."""
    path = written(directory, [span("root", 1, 900), chat("model", 10), *rows])
    if without:
        execute(path, f"alter table spans drop column {without}")
    with opened(directory) as store:
        run = store.run(RUN)
        spans = run.ask(span_rows.told, run.ask(span_rows.skeleton, TRACE))
        row = spans.ids.index("model")
        got = run.ask(answers.answers, spans, row, calls)
    return [one and (one.span.span_id, one.result, one.problem) for one in got]


def test_the_span_of_the_tool_is_known_by_the_call(tmp_path: Path) -> None:
    rows = [
        tool("before", 5, OSLO, "old"),
        tool("second", 21, ROME, {"celsius": 20}),
        tool("first", 22, OSLO, {"celsius": 4}, parent="somewhere"),
    ]
    assert found(tmp_path, rows, OSLO, ROME, ToolCall("call_3", "weather", None)) == [
        ("first", {"celsius": 4}, None),
        ("second", {"celsius": 20}, None),
        None,
    ]


def test_a_tool_that_failed_says_why_and_one_that_runs_says_nothing(tmp_path: Path) -> None:
    rows = [
        tool("failed", 20, OSLO, status_code=2, status_message="no station"),
        tool("runs", 21, ROME),
    ]
    assert found(tmp_path, rows, OSLO, ROME) == [("failed", None, "no station"), None]


def test_a_tool_without_the_call_is_known_beside_the_model_by_its_arguments(tmp_path: Path) -> None:
    nameless = [ToolCall(None, call.name, call.arguments) for call in (OSLO, ROME)]
    rows = [
        tool("elsewhere", 19, nameless[0], "other", parent="other agent"),
        tool("one", 20, nameless[0], "1 °C"),
        tool("two", 21, nameless[0], "2 °C"),
        tool("below", 22, nameless[1], "3 °C", parent="model"),
    ]
    again = ToolCall("call_9", "weather", {"city": "Oslo"})
    assert found(tmp_path, rows, OSLO, again, ROME) == [
        ("one", "1 °C", None),
        ("two", "2 °C", None),
        ("below", "3 °C", None),
    ]


def test_the_next_call_of_the_model_was_told_the_answer(tmp_path: Path) -> None:
    rows = [
        chat("other", 15, answered("call_7", "x")),
        chat("next", 20, asked(OSLO), answered("call_1", {"celsius": 4})),
        chat("only told", 30, answered("call_2", {"celsius": 20})),
    ]
    assert found(tmp_path, rows, OSLO, ROME) == [
        ("next", {"celsius": 4}, None),
        ("only told", {"celsius": 20}, None),
    ]


def test_the_span_of_the_tool_comes_before_what_repeats_its_answer(tmp_path: Path) -> None:
    rows = [
        chat("around", 20, asked(OSLO), answered("call_1", {"celsius": 4})),
        tool("run", 21, OSLO, {"celsius": 4}, parent="around"),
    ]
    assert found(tmp_path, rows, OSLO) == [("run", {"celsius": 4}, None)]


def test_ids_that_repeat_are_known_by_what_was_asked(tmp_path: Path) -> None:
    first = ToolCall("weather_0", "weather", {"city": "Oslo"})
    later = ToolCall("weather_0", "weather", {"city": "Rome"})
    told = [asked(first), answered("weather_0", "cold"), asked(later), answered("weather_0", "hot")]
    rows = [chat("unsure", 15, answered("weather_0", "?")), chat("next", 20, *told)]
    assert found(tmp_path, rows, later) == [("next", "hot", None)]


def test_no_more_spans_are_looked_into_than_may_be(tmp_path: Path) -> None:
    between = [span(f"s{number}", 11) for number in range(answers.LATER_SPANS)]
    assert found(tmp_path, [*between, tool("late", 99, OSLO, "4 °C")], OSLO) == [None]
    fewer = [*between[1:], tool("late", 99, OSLO, "4 °C")]
    assert found(tmp_path / "fewer", fewer, OSLO) == [("late", "4 °C", None)]


def test_odd_ids_and_older_stores_are_no_errors(tmp_path: Path) -> None:
    odd = ToolCall("call_\ud800' or 1 --", "weather", {"city": "Oslo"})
    assert found(tmp_path / "odd", [span("other", 20)], odd, OSLO) == [None, None]
    rows = [tool("run", 20, OSLO, {"celsius": 4})]
    told = [("run", {"celsius": 4}, None)]
    assert found(tmp_path / "older", rows, OSLO, without="events") == told
    assert found(tmp_path / "bare", rows, OSLO, without="attributes") == [None]
