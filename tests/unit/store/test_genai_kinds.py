"""The kind of a span, from any instrumentation's words, and Logfire's placeholders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.store.genai import SpanKind, is_pending, pending_parent, span_kind

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    "gen_ai.operation.name",
    "openinference.span.kind",
    "traceloop.span.kind",
    "llm.request.type",
    "mlflow.spanType",
)


@pytest.mark.parametrize(
    ("attribute", "word", "kind"),
    [
        ("gen_ai.operation.name", "chat", SpanKind.CHAT),
        ("gen_ai.operation.name", "generate_content", SpanKind.CHAT),
        ("gen_ai.operation.name", "text_completion", SpanKind.CHAT),
        ("gen_ai.operation.name", "embeddings", SpanKind.EMBEDDER),
        ("gen_ai.operation.name", "retrieval", SpanKind.RETRIEVER),
        ("gen_ai.operation.name", "execute_tool", SpanKind.TOOL),
        ("gen_ai.operation.name", "create_agent", SpanKind.AGENT),
        ("gen_ai.operation.name", "invoke_agent", SpanKind.AGENT),
        ("gen_ai.operation.name", "invoke_workflow", SpanKind.WORKFLOW),
        ("openinference.span.kind", "LLM", SpanKind.CHAT),
        ("openinference.span.kind", "EMBEDDING", SpanKind.EMBEDDER),
        ("openinference.span.kind", "CHAIN", SpanKind.CHAIN),
        ("openinference.span.kind", "RETRIEVER", SpanKind.RETRIEVER),
        ("openinference.span.kind", "RERANKER", SpanKind.RERANKER),
        ("openinference.span.kind", "TOOL", SpanKind.TOOL),
        ("openinference.span.kind", "AGENT", SpanKind.AGENT),
        ("openinference.span.kind", "GUARDRAIL", SpanKind.GUARDRAIL),
        ("openinference.span.kind", "EVALUATOR", SpanKind.EVALUATOR),
        ("openinference.span.kind", "PROMPT", SpanKind.PROMPT),
        ("traceloop.span.kind", "workflow", SpanKind.WORKFLOW),
        ("traceloop.span.kind", "task", SpanKind.CHAIN),
        ("traceloop.span.kind", "agent", SpanKind.AGENT),
        ("traceloop.span.kind", "tool", SpanKind.TOOL),
        ("llm.request.type", "chat", SpanKind.CHAT),
        ("llm.request.type", "completion", SpanKind.CHAT),
        ("llm.request.type", "embedding", SpanKind.EMBEDDER),
        ("llm.request.type", "rerank", SpanKind.RERANKER),
        ("mlflow.spanType", "CHAT_MODEL", SpanKind.CHAT),
        ("mlflow.spanType", '"RETRIEVER"', SpanKind.RETRIEVER),
    ],
)
def test_each_dialect_names_its_kinds(attribute: str, word: str, kind: SpanKind) -> None:
    assert span_kind({attribute: word}, 0) is kind


def test_attributes_win_over_the_type_that_was_guessed_at_write_time() -> None:
    assert span_kind({"openinference.span.kind": "TOOL"}, 1) is SpanKind.TOOL


def test_a_word_that_nobody_knows_leaves_the_next_dialect_to_say() -> None:
    attributes = {"gen_ai.operation.name": "hum", "openinference.span.kind": "AGENT"}
    assert span_kind(attributes, 1) is SpanKind.AGENT


@pytest.mark.parametrize(
    ("span_type", "kind"),
    [
        (0, SpanKind.OTHER),
        (1, SpanKind.CHAT),
        (2, SpanKind.AGENT),
        (3, SpanKind.TOOL),
        (4, SpanKind.EMBEDDER),
        (5, SpanKind.RERANKER),
        (99, SpanKind.OTHER),
    ],
)
def test_without_attributes_the_stored_span_type_decides(span_type: int, kind: SpanKind) -> None:
    assert span_kind({}, span_type) is kind


def test_a_placeholder_knows_the_parent_of_the_span_that_it_announces() -> None:
    pending = {
        "logfire.span_type": "pending_span",
        "logfire.pending_parent_id": "00f067aa0ba902b7",
    }
    assert is_pending(pending)
    assert pending_parent(pending) == "00f067aa0ba902b7"


def test_the_placeholder_of_a_root_has_no_parent() -> None:
    assert pending_parent({"logfire.pending_parent_id": "0000000000000000"}) is None
    assert pending_parent({}) is None


def test_an_ended_span_of_logfire_is_not_pending() -> None:
    assert not is_pending({"logfire.span_type": "span"})


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON)), st.integers())
def test_no_value_of_any_type_raises(attributes: dict, span_type: int) -> None:
    assert span_kind(attributes, span_type) in SpanKind


@given(JSON, JSON)
def test_no_placeholder_raises(span_type: object, parent: object) -> None:
    attributes = {"logfire.span_type": span_type, "logfire.pending_parent_id": parent}
    assert is_pending(attributes) in (True, False)
    assert pending_parent(attributes) is None or isinstance(pending_parent(attributes), str)
