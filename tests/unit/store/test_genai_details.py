"""Facts about a span: models, parameters, tools, documents, ids, exceptions, evaluations."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowtui.store.genai import (
    Evaluation,
    OfferedTool,
    SpanDetails,
    SpanException,
    Tool,
    details,
    evaluations,
    exceptions,
)
from flowtui.store.genai import RetrievedDocument as Document
from tests.unit.store.test_genai_kinds import JSON
from tests.unit.store.test_genai_kinds import NAMES as KIND_NAMES

SCHEMA = {"type": "function", "function": {"name": "weather", "parameters": {}}}
NAMES = (
    *KIND_NAMES,
    *"gen_ai.provider.name gen_ai.request.model gen_ai.request.temperature".split(),
    *"gen_ai.response.finish_reasons gen_ai.tool.name gen_ai.tool.definitions".split(),
    *"gen_ai.tool.call.arguments gen_ai.retrieval.documents llm.invocation_parameters".split(),
    *"llm.tools llm.tools.0.tool.json_schema llm.request.functions.0 tool.name".split(),
    *"mlflow.chat.tools mlflow.spanInputs mlflow.spanOutputs input.value session.id".split(),
    *"retrieval.documents retrieval.documents.0.document reranker.output_documents".split(),
    *"gen_ai.completion.0.finish_reason traceloop.entity.name traceloop.entity.input".split(),
)


def offered(found: SpanDetails) -> tuple[str, ...]:
    return tuple(tool.name for tool in found.tools_offered)


def test_tools_are_told_with_all_that_their_definition_says() -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    function = {"name": "weather", "description": "Weather.", "parameters": parameters}
    of_google = {"functionDeclarations": [function, {"name": "later"}]}
    weather = OfferedTool("weather", "Weather.", {"parameters": parameters})
    for listed, expected in (
        ([{"type": "function", "function": function}, function], (weather,)),
        ([of_google], (weather, OfferedTool("later", None, None))),
        (["weather"], (OfferedTool("weather", None, None),)),
        (
            [{"type": "web_search", "max_uses": 3}],
            (OfferedTool("web_search", None, {"max_uses": 3}),),
        ),
        (
            [{"type": "bash_20250124", "name": "bash"}],
            (OfferedTool("bash", None, {"type": "bash_20250124"}),),
        ),
    ):
        found = details({"gen_ai.tool.definitions": json.dumps(listed)})
        assert found.tools_offered == expected


def test_opentelemetry_tells_models_and_parameters() -> None:
    found = details(
        {
            "gen_ai.provider.name": "example",
            "gen_ai.request.model": "large",
            "gen_ai.response.model": "large-0611",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.max_tokens": 600,
            "gen_ai.request.seed": 7,
            "gen_ai.response.finish_reasons": ["stop", "length"],
            "gen_ai.conversation.id": "conv-1",
            "gen_ai.agent.name": "support",
            "gen_ai.agent.id": "agent_3",
            "gen_ai.tool.definitions": json.dumps([{"type": "function", "name": "weather"}]),
        }
    )
    assert (found.provider, found.request_model) == ("example", "large")
    assert found.response_model == "large-0611"
    assert found.parameters == (("temperature", 0.2), ("max_tokens", 600), ("seed", 7))
    assert found.finish_reasons == ("stop", "length")
    assert (found.conversation_id, found.agent_name, found.agent_id) == (
        "conv-1",
        "support",
        "agent_3",
    )
    assert offered(found) == ("weather",)
    assert found.tool is None


def test_openinference_keeps_parameters_in_one_object() -> None:
    found = details(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "large",
            "llm.provider": "example",
            "llm.system": "other",
            "llm.invocation_parameters": '{"model": "large", "temperature": 0.2, "top_p": null}',
            "llm.tools.1.tool.json_schema": json.dumps({"name": "later", "input_schema": {}}),
            "llm.tools.0.tool.json_schema": json.dumps(SCHEMA),
            "session.id": "s-1",
            "user.id": 42,
            "agent.name": "support",
        }
    )
    assert (found.provider, found.request_model) == ("example", "large")
    assert found.parameters == (("temperature", 0.2),)
    assert offered(found) == ("weather", "later")
    assert (found.conversation_id, found.user_id) == ("s-1", "42")
    assert found.agent_name == "support"


def test_openllmetry_uses_old_names() -> None:
    found = details(
        {
            "llm.request.type": "chat",
            "gen_ai.system": "example",
            "gen_ai.request.model": "large",
            "llm.request.functions.0.name": "weather",
            "gen_ai.completion.0.finish_reason": "tool_calls",
            "traceloop.workflow.name": "support",
            "traceloop.association.properties.user_id": "u-1",
        }
    )
    assert (found.provider, found.request_model) == ("example", "large")
    assert offered(found) == ("weather",)
    assert found.finish_reasons == ("tool_calls",)
    assert (found.workflow_name, found.user_id) == ("support", "u-1")


def test_mlflow_writes_its_texts_in_quotes() -> None:
    found = details(
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.llm.model": '"large"',
            "mlflow.llm.provider": "example",
            "mlflow.chat.tools": json.dumps([SCHEMA]),
            "mlflow.trace.session": "s-1",
        }
    )
    assert (found.provider, found.request_model) == ("example", "large")
    assert offered(found) == ("weather",)
    assert found.conversation_id == "s-1"


@pytest.mark.parametrize(
    ("attributes", "tool"),
    [
        (
            {
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.name": "weather",
                "gen_ai.tool.type": "function",
                "gen_ai.tool.description": "Tells it.",
                "gen_ai.tool.call.id": "call_1",
                "gen_ai.tool.call.arguments": '{"city": "Oslo"}',
                "gen_ai.tool.call.result": {"celsius": 4},
            },
            Tool("weather", "function", "Tells it.", "call_1", {"city": "Oslo"}, {"celsius": 4}),
        ),
        (
            {
                "openinference.span.kind": "TOOL",
                "tool.name": "weather",
                "tool.description": "Tells it.",
                "tool.parameters": '{"city": "string"}',
                "input.value": '{"city": "Oslo"}',
                "output.value": "4 degrees",
            },
            Tool("weather", None, "Tells it.", None, {"city": "Oslo"}, "4 degrees"),
        ),
        (
            {
                "traceloop.span.kind": "tool",
                "traceloop.entity.name": "weather",
                "traceloop.entity.input": '{"city": "Oslo"}',
                "traceloop.entity.output": '{"celsius": 4}',
            },
            Tool("weather", None, None, None, {"city": "Oslo"}, {"celsius": 4}),
        ),
        (
            {
                "mlflow.spanType": "TOOL",
                "mlflow.spanFunctionName": "weather",
                "mlflow.spanInputs": '{"city": "Oslo"}',
                "mlflow.spanOutputs": "{broken",
            },
            Tool("weather", None, None, None, {"city": "Oslo"}, "{broken"),
        ),
    ],
    ids=["otel", "openinference", "traceloop", "mlflow"],
)
def test_a_tool_span_tells_what_it_ran(attributes: dict, tool: Tool) -> None:
    assert details(attributes).tool == tool


def test_documents_of_openinference_come_in_order_of_rank() -> None:
    found = details(
        {
            "openinference.span.kind": "RETRIEVER",
            "input.value": "returns?",
            "retrieval.documents.10.document.id": "c",
            "retrieval.documents.2.document.content": "Thirty days.",
            "retrieval.documents.2.document.id": 7,
            "retrieval.documents.2.document.score": 0.91,
        }
    )
    assert found.retrieval_query == "returns?"
    assert found.documents == (
        Document("7", "Thirty days.", 0.91),
        Document("c", None, None),
    )


def test_documents_of_a_reranker_are_those_that_it_put_out() -> None:
    found = details(
        {
            "reranker.query": "returns?",
            "reranker.input_documents.0.document.id": "in",
            "reranker.output_documents.0.document.id": "out",
        }
    )
    assert (found.retrieval_query, found.documents) == (
        "returns?",
        (Document("out", None, None),),
    )


def test_documents_of_opentelemetry_and_mlflow_are_json() -> None:
    stored = json.dumps([{"id": "a", "score": "0.5"}, "bare text"])
    found = details(
        {"gen_ai.retrieval.query.text": "returns?", "gen_ai.retrieval.documents": stored}
    )
    assert found.retrieval_query == "returns?"
    assert found.documents == (
        Document("a", None, 0.5),
        Document(None, "bare text", None),
    )
    page = {"page_content": "Thirty days.", "metadata": {"doc_uri": "kb/returns.md"}}
    mlflow = {"mlflow.spanType": "RETRIEVER", "mlflow.spanOutputs": json.dumps([page])}
    assert details(mlflow).documents == (Document("kb/returns.md", "Thirty days.", None),)


def test_exceptions_come_from_events_in_their_order() -> None:
    events = [
        {
            "name": "exception",
            "timestamp": 1,
            "attributes": {
                "exception.type": "ToolTimeout",
                "exception.message": "no answer",
                "exception.stacktrace": "Traceback ...",
            },
        },
        {"name": "exception", "timestamp": 2},
    ]
    assert exceptions(events, {"error.type": "ToolTimeout"}) == (
        SpanException("ToolTimeout", "no answer", "Traceback ..."),
        SpanException(None, None, None),
    )


def test_without_events_the_error_type_of_the_span_is_told() -> None:
    assert exceptions([], {"error.type": "timeout"}) == (SpanException("timeout", None, None),)
    assert exceptions([], {}) == ()


def test_evaluations_come_from_events_and_from_openinference() -> None:
    event = {
        "name": "gen_ai.evaluation.result",
        "attributes": {
            "gen_ai.evaluation.name": "helpful",
            "gen_ai.evaluation.score.value": 0.75,
            "gen_ai.evaluation.score.label": "pass",
            "gen_ai.evaluation.explanation": "Answers.",
        },
    }
    attributes = {
        "evaluation.name": "polite",
        "evaluation.score": 1,
        "annotations.0.annotation.name": "correct",
        "annotations.0.annotation.label": "yes",
    }
    assert evaluations([event], attributes) == (
        Evaluation("helpful", 0.75, "pass", "Answers."),
        Evaluation("correct", None, "yes", None),
        Evaluation("polite", 1.0, None, None),
    )


def test_a_span_without_known_attributes_tells_nothing() -> None:
    found = details({"http.method": "GET"})
    assert found.tool is None
    assert found.parameters == found.finish_reasons == found.documents == ()


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.dictionaries(
        st.sampled_from(NAMES), JSON | st.dictionaries(st.text(max_size=3), JSON).map(json.dumps)
    )
)
def test_no_value_of_any_type_raises(attributes: dict) -> None:
    found = details(attributes)
    assert all(isinstance(name, str) for name in offered(found))
    assert all(isinstance(reason, str) for reason in found.finish_reasons)
