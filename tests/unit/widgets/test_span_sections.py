"""One span as sections: which there are, in which order, and what they say in each dialect."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from flowtui.store.annotations.values import SpanTarget
from flowtui.store.genai import SpanKind, span_kind, usage
from flowtui.store.traces.values import Span, SpanDetail, SpanEvent, SpanLink
from flowtui.widgets.documents.blocks import Link, Section, Turn
from flowtui.widgets.documents.layout import laid_out
from flowtui.widgets.documents.runs import Folds
from flowtui.widgets.documents.span_sections import raw_sections, span_sections
from tests.unit.span_columns import tree_of
from tests.unit.widgets.test_document import texts

START = 1_780_000_000_000_000_000
TRACE, SPAN = "a" * 32, "b" * 16


def detail(said: dict | None = None, /, **more: Any) -> SpanDetail:
    values = said or {}
    fields: dict[str, Any] = {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_id": None,
        "name": "call",
        "kind": 3,
        "span_type": 0,
        "genai_kind": span_kind(values, 0),
        "start_ns": START,
        "end_ns": START + 1_700_000_000,
        "status_code": 1,
        "status_message": None,
        "attributes": values,
        "events": (),
        "links": (),
        "trace_flags": 1,
        "created_at": datetime(2026, 6, 15, tzinfo=UTC),
        "usage": usage(values),
        "sizes": {},
        "unparsed": {},
    }
    return SpanDetail(**(fields | more))


def lines(sections: Sequence[Section], key: str) -> list[str]:
    """Return the lines of one section, unfolded."""
    only = [section for section in sections if section.key == key]
    return texts(laid_out(only, 78, Folds({(key,): True})))


def said(attributes: dict, **more: Any) -> list[str]:
    return lines(span_sections(detail(attributes, **more)), "messages")


CHAT = [" ▾ Messages", "   user", "     Hello", "", "   assistant   stop", "     Hi"]


@pytest.mark.parametrize(
    "attributes",
    [
        {
            "gen_ai.input.messages": json.dumps(
                [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}]
            ),
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [{"type": "text", "content": "Hi"}],
                    "finish_reason": "stop",
                }
            ],
        },
        {
            "openinference.span.kind": "LLM",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "Hello",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "Hi",
            "llm.output_messages.0.message.finish_reason": "stop",
        },
        {
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": "Hello",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "Hi",
            "gen_ai.completion.0.finish_reason": "stop",
        },
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.spanInputs": json.dumps({"messages": [{"role": "user", "content": "Hello"}]}),
            "mlflow.spanOutputs": json.dumps(
                {
                    "choices": [
                        {
                            "finish_reason": "stop",
                            "message": {"role": "assistant", "content": "Hi"},
                        }
                    ]
                }
            ),
        },
    ],
    ids=["opentelemetry", "openinference", "openllmetry", "mlflow"],
)
def test_messages_of_each_dialect_are_a_chat(attributes: dict) -> None:
    assert said(attributes) == CHAT


def test_messages_of_events_are_a_chat() -> None:
    events = (
        SpanEvent("gen_ai.user.message", START, {"content": "Hello"}),
        SpanEvent(
            "gen_ai.choice",
            START,
            {"message": {"content": "Hi"}, "finish_reason": "stop"},
        ),
    )
    assert said({}, events=events) == CHAT


CALLS = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "Ask."},
            {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}},
        ],
    },
    {
        "role": "tool",
        "parts": [
            {"type": "tool_call_response", "id": "call_1", "response": {"celsius": 4}},
            {"type": "tool_call_response", "id": "call_9", "response": "of nothing"},
        ],
    },
]


def test_a_call_has_its_answer_below_it() -> None:
    assert said({"gen_ai.input.messages": CALLS}) == [
        " ▾ Messages",
        "   assistant",
        "     reasoning  Ask.",
        "     weather   call  call_1",
        "       city  Oslo",
        "       answer",
        "         celsius  4",
        "",
        "   tool",
        "     answer   call_9",
        "       of nothing",
    ]
    alone = [CALLS[0], {"role": "tool", "parts": CALLS[1]["parts"][:1]}]
    assert "   tool" not in said({"gen_ai.input.messages": alone})


def test_media_unknown_parts_and_broken_json_are_shown_as_far_as_they_are_known() -> None:
    parts = [
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw0KGgo="},
        {"type": "hologram", "depth": 3},
    ]
    shown = said({"gen_ai.input.messages": [{"role": "user", "parts": parts}]})
    assert shown[2:] == [
        "     picture  image/png, 8 B   Enter shows it",
        "     type   hologram",
        "     depth  3",
    ]
    shown = said({"gen_ai.input.messages": '[{"role": "user"'})
    assert shown[2].startswith("     ▲ the JSON is broken or cut off")
    assert shown[-1] == '     [{"role": "user"'


def test_media_in_an_answer_of_a_tool_are_shown_as_those_of_a_message() -> None:
    content = [
        {"type": "text", "text": "The screen:"},
        {"type": "image", "data": "iVBORw0KGgo=", "mimeType": "image/png"},
    ]
    shown = ["The screen:", "picture  image/png, 8 B   Enter shows it"]
    call = {"type": "tool_use", "id": "x", "name": "look", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "x", "content": content}
    turns = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    chat = said({"gen_ai.input.messages": json.dumps(turns)})
    assert [line.strip() for line in chat[-3:]] == ["answer", *shown]
    for answer in (content, {"content": content, "isError": False}):
        ran = {"gen_ai.tool.name": "look", "gen_ai.tool.call.result": json.dumps(answer)}
        section = lines(span_sections(detail(ran)), "tool")
        assert [line.strip() for line in section[-2:]] == shown


def test_a_cut_attribute_that_is_a_message_says_so_and_names_itself() -> None:
    sections = span_sections(detail(attributes={"input.value": "x" * 900_000}))
    (section,) = (section for section in sections if section.key == "messages")
    layout = laid_out([section], 78, Folds(shown={("messages", 0, 0): 900_000}))
    assert texts(layout)[-1] == "     first 500,000 of 900,000 characters   p opens it whole"
    assert layout.at(layout.line_count - 1)[0].spot.source == "input.value"
    assert section.title == "Input and output"


def test_a_long_system_prompt_starts_with_its_first_lines() -> None:
    prompt = "\n".join(f"Rule {n}" for n in range(30))
    shown = said({"gen_ai.system_instructions": [{"type": "text", "content": prompt}]})
    assert shown[2:6] == [f"     Rule {n}" for n in range(4)]
    assert shown[6].startswith("     … ")


def test_an_error_comes_first_with_the_end_of_its_trace() -> None:
    stack = "\n".join(f"frame {n}" for n in range(30)) + "\nKeyError: 'parcel'\n"
    raised = SpanEvent(
        "exception",
        START + 1_200_000_000,
        {
            "exception.type": "KeyError",
            "exception.message": "'parcel'",
            "exception.stacktrace": stack,
        },
    )
    failed = detail(status_code=2, status_message="KeyError: 'parcel'", events=(raised,))
    sections = span_sections(failed)
    assert [section.key for section in sections] == ["head", "error", "events", "ids"]
    shown = lines(sections, "error")
    assert shown[1] == "   KeyError: 'parcel'"
    assert shown[2].startswith("   … ")
    assert len(shown) == 9
    assert shown[-1] == "   KeyError: 'parcel'"
    assert lines(sections, "events")[1] == "   ▸ exception   +1.2 s"
    handled = span_sections(detail(events=(raised,)))
    assert lines(handled, "error")[0] == " ▾ Exception"


def test_a_tool_says_its_arguments_and_result_once() -> None:
    sections = span_sections(
        detail(
            {
                "openinference.span.kind": "TOOL",
                "tool.name": "lookup",
                "input.value": '{"id": 3}',
                "output.value": "not found",
            }
        )
    )
    assert [section.key for section in sections] == ["head", "tool", "attributes", "ids"]
    assert lines(sections, "tool") == [
        " ▾ Tool   lookup", "   arguments", "     id  3", "   result", "     not found",
    ]  # fmt: skip
    assert next(section for section in sections if section.key == "attributes").is_folded


def test_a_tool_that_answers_in_a_message_says_it_once() -> None:
    answer = {"content": '{"celsius": 4}', "type": "tool", "tool_call_id": "call_1"}
    attributes = {
        "openinference.span.kind": "TOOL",
        "tool.name": "weather",
        "input.value": "Oslo",
        "output.value": json.dumps({"type": "tool", "data": answer}),
    }
    sections = span_sections(detail(attributes))
    assert not lines(sections, "messages")
    assert any("celsius" in line for line in lines(sections, "tool"))


def test_a_span_is_called_what_its_template_became() -> None:
    sections = span_sections(detail({"logfire.msg": "job 3"}, name="job {x}"))
    assert "job 3" in lines(sections, "head")[0]
    assert any("job {x}" in line for line in lines(sections, "ids"))


def test_a_search_shows_its_documents_with_their_scores() -> None:
    sections = span_sections(
        detail(
            {
                "openinference.span.kind": "RETRIEVER",
                "input.value": "refunds",
                "retrieval.documents.0.document.id": "doc-1",
                "retrieval.documents.0.document.content": "30 days",
                "retrieval.documents.0.document.score": 0.91,
            }
        )
    )
    assert lines(sections, "retrieval") == [
        " ▾ Retrieval   1 document", "   query  refunds", "   1  doc-1   score 0.91",
        "     30 days",
    ]  # fmt: skip
    assert "messages" not in [section.key for section in sections]


def test_model_tokens_and_evaluations_are_labelled_facts() -> None:
    judged = {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.75}
    sections = span_sections(
        detail(
            {
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "m",
                "gen_ai.response.model": "m-2026",
                "gen_ai.request.temperature": 0.2,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.usage.input_tokens": 1_204_331,
                "gen_ai.usage.output_tokens": 63,
                "llm.cost.total": 0.0125,
                "service.name": "agent",
            },
            events=(SpanEvent("gen_ai.evaluation.result", START, judged),),
        )
    )
    assert lines(sections, "model")[1:] == [
        "   provider     openai",
        "   model        m",
        "   answered by  m-2026",
        "   temperature  0.2",
        "   finish       stop",
    ]
    assert lines(sections, "tokens")[1:] == [
        "   input   1,204,331",
        "   output         63",
        "   total   1,204,394",
        "   cost            0.0125",
    ]
    assert lines(sections, "evaluations")[1:] == ["   relevance  0.75"]
    assert lines(sections, "resource")[1:] == ["   service.name  agent"]


def test_the_head_says_what_only_the_tree_knows() -> None:
    def span(id_: str, parent: str | None, start: int, end: int, pending: bool = False) -> Span:
        return Span(
            TRACE, id_, parent, id_, 1, 0, SpanKind.OTHER, START + start, START + end, 0, None, 0,
            pending, None,
        )  # fmt: skip

    second = 1_000_000_000
    spans = [span("root", None, 0, 10 * second), span("child", "root", 5 * second, 11 * second)]
    tree = tree_of(spans)
    root, child = tree
    of_root = detail(end_ns=START + 10 * second)
    sections = span_sections(of_root, root, 11 * second, own_ns=tree.own_ns(0))
    assert lines(sections, "head")[1].startswith(
        " ✓ ok   10 s   own 5.0 s   91 % of the trace   critical path"
    )
    head = " ".join(lines(span_sections(detail(), child), "head"))
    assert "parent" not in head
    (pending,) = tree_of([span("p", None, 0, 0, pending=True)])
    assert "● in progress" in lines(span_sections(detail(), pending), "head")[1]


def test_links_lead_to_what_is_in_the_run() -> None:
    links = (
        SpanLink(TRACE, "d" * 16, {"why": "x"}),
        SpanLink("e" * 32, "f", {}),
    )
    sections = span_sections(
        detail(links=links), links_here=frozenset([SpanTarget(TRACE, "d" * 16)])
    )
    (section,) = (section for section in sections if section.key == "links")
    there, _, nowhere = section.blocks
    assert there == Link(
        f"span {'d' * 16} of this trace   Enter goes there", SpanTarget(TRACE, "d" * 16)
    )
    assert nowhere == Link(f"span f of trace {'e' * 32}")


def test_many_events_start_folded_each_to_its_line() -> None:
    events = tuple(SpanEvent(f"e{n}", START - n, {"n": n}) for n in range(1_500))
    (section,) = (s for s in span_sections(detail(events=events)) if s.key == "events")
    assert all(block.is_folded for block in section.blocks if isinstance(block, Turn))
    assert lines([section], "events")[-1] == "   … 500 more events"


def test_a_span_that_says_nothing_has_a_head_and_ids() -> None:
    sections = span_sections(detail(name=""))
    assert [section.key for section in sections] == ["head", "ids"]
    assert lines(sections, "head")[0] == " a span without a name"


def test_what_is_broken_is_said_and_shown() -> None:
    broken = detail(
        problems=("attributes is broken JSON at character 5",),
        unparsed={"attributes": "{'a'"},
        sizes={"attributes": 900},
    )
    assert lines(span_sections(broken), "problems") == [
        " ▾ Problems",
        "   ▲ attributes is broken JSON at character 5",
        "   attributes  {'a'",
        "               first 4 of 900 characters",
    ]


def test_the_raw_span_is_one_tree() -> None:
    shown = lines(raw_sections({"name": "call", "attributes": {"a": {"b": 1}}}), "raw")
    assert shown == ["   name        call", " ▾ attributes  {1}", "   ▸ a         {1}"]
