"""What a span stands for, in the words of any instrumentation."""

from __future__ import annotations

from enum import StrEnum

from flowtui.store.genai.fields import Attributes, first_text


class SpanKind(StrEnum):
    """The kinds that are drawn apart."""

    AGENT = "agent"
    CHAT = "chat"
    TOOL = "tool"
    EMBEDDER = "embedder"
    RERANKER = "reranker"
    RETRIEVER = "retriever"
    CHAIN = "chain"
    GUARDRAIL = "guardrail"
    EVALUATOR = "evaluator"
    PROMPT = "prompt"
    WORKFLOW = "workflow"
    OTHER = "other"


_OTEL = {
    "chat": SpanKind.CHAT,
    "generate_content": SpanKind.CHAT,
    "text_completion": SpanKind.CHAT,
    "embeddings": SpanKind.EMBEDDER,
    "retrieval": SpanKind.RETRIEVER,
    "execute_tool": SpanKind.TOOL,
    "create_agent": SpanKind.AGENT,
    "invoke_agent": SpanKind.AGENT,
    "invoke_workflow": SpanKind.WORKFLOW,
}
_OPENINFERENCE = {
    "llm": SpanKind.CHAT,
    "embedding": SpanKind.EMBEDDER,
    "chain": SpanKind.CHAIN,
    "retriever": SpanKind.RETRIEVER,
    "reranker": SpanKind.RERANKER,
    "tool": SpanKind.TOOL,
    "agent": SpanKind.AGENT,
    "guardrail": SpanKind.GUARDRAIL,
    "evaluator": SpanKind.EVALUATOR,
    "prompt": SpanKind.PROMPT,
}
_TRACELOOP = {
    "workflow": SpanKind.WORKFLOW,
    "task": SpanKind.CHAIN,
    "agent": SpanKind.AGENT,
    "tool": SpanKind.TOOL,
}
_TRACELOOP_REQUEST = {
    "chat": SpanKind.CHAT,
    "completion": SpanKind.CHAT,
    "embedding": SpanKind.EMBEDDER,
    "rerank": SpanKind.RERANKER,
}
_MLFLOW = {
    **_OPENINFERENCE,
    "chat_model": SpanKind.CHAT,
    "parser": SpanKind.CHAIN,
    "task": SpanKind.CHAIN,
    "workflow": SpanKind.WORKFLOW,
}
_BY_ATTRIBUTE = {
    "gen_ai.operation.name": _OTEL,
    "openinference.span.kind": _OPENINFERENCE,
    "traceloop.span.kind": _TRACELOOP,
    "llm.request.type": _TRACELOOP_REQUEST,
    "mlflow.spanType": _MLFLOW,
}
_BY_SPAN_TYPE = {
    1: SpanKind.CHAT,
    2: SpanKind.AGENT,
    3: SpanKind.TOOL,
    4: SpanKind.EMBEDDER,
    5: SpanKind.RERANKER,
}


def span_kind(attributes: Attributes, span_type: int) -> SpanKind:
    """Return the kind that a span's attributes name, else the one that was guessed at write time.

    Source: gen_ai.operation.name, openinference.span.kind, traceloop.span.kind, llm.request.type,
    mlflow.spanType, in this order, words that nobody knows passed over; then spans.dfs_span_type.
    """
    for attribute, kinds in _BY_ATTRIBUTE.items():
        if attribute not in attributes:
            continue
        word = first_text(attributes, (attribute,))
        if word is not None and (kind := kinds.get(word.lower())) is not None:
            return kind
    return _BY_SPAN_TYPE.get(span_type, SpanKind.OTHER)
