"""What a span stands for, in the words of any instrumentation."""

from __future__ import annotations

from enum import StrEnum

from flowtui.store.genai.dialects import Meaning, names
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
_WORDS = {
    "gen_ai.operation.name": {
        "chat": SpanKind.CHAT,
        "generate_content": SpanKind.CHAT,
        "text_completion": SpanKind.CHAT,
        "embeddings": SpanKind.EMBEDDER,
        "retrieval": SpanKind.RETRIEVER,
        "execute_tool": SpanKind.TOOL,
        "create_agent": SpanKind.AGENT,
        "invoke_agent": SpanKind.AGENT,
        "invoke_workflow": SpanKind.WORKFLOW,
        "rerank": SpanKind.RERANKER,
        "execute_event_loop_cycle": SpanKind.CHAIN,
    },
    "openinference.span.kind": _OPENINFERENCE,
    "traceloop.span.kind": {
        "workflow": SpanKind.WORKFLOW,
        "task": SpanKind.CHAIN,
        "agent": SpanKind.AGENT,
        "tool": SpanKind.TOOL,
    },
    "llm.request.type": {
        "chat": SpanKind.CHAT,
        "completion": SpanKind.CHAT,
        "embedding": SpanKind.EMBEDDER,
        "rerank": SpanKind.RERANKER,
    },
    "mlflow.spanType": {
        **_OPENINFERENCE,
        "chat_model": SpanKind.CHAT,
        "parser": SpanKind.CHAIN,
        "task": SpanKind.CHAIN,
        "workflow": SpanKind.WORKFLOW,
    },
    "langfuse.observation.type": {**_OPENINFERENCE, "generation": SpanKind.CHAT},
    # As the SDK itself has it from 7 on: what calls models and tools by turns is an agent.
    "ai.operationId": {
        "ai.generatetext": SpanKind.AGENT,
        "ai.streamtext": SpanKind.AGENT,
        "ai.generateobject": SpanKind.AGENT,
        "ai.streamobject": SpanKind.AGENT,
        "ai.generatetext.dogenerate": SpanKind.CHAT,
        "ai.streamtext.dostream": SpanKind.CHAT,
        "ai.generateobject.dogenerate": SpanKind.CHAT,
        "ai.streamobject.dostream": SpanKind.CHAT,
        "ai.toolcall": SpanKind.TOOL,
        "ai.embed": SpanKind.EMBEDDER,
        "ai.embedmany": SpanKind.EMBEDDER,
        "ai.embed.doembed": SpanKind.EMBEDDER,
        "ai.embedmany.doembed": SpanKind.EMBEDDER,
        "ai.rerank": SpanKind.RERANKER,
        "ai.rerank.dorerank": SpanKind.RERANKER,
    },
    "haystack.component.type": {"agent": SpanKind.AGENT, "toolinvoker": SpanKind.TOOL},
}
_BY_ATTRIBUTE = tuple((name, _WORDS[name]) for name in names(Meaning.KIND))
_ENDINGS = {
    # Haystack has the name of a class, which says by convention what it does.
    "haystack.component.type": {
        "generator": SpanKind.CHAT,
        "embedder": SpanKind.EMBEDDER,
        "retriever": SpanKind.RETRIEVER,
        "ranker": SpanKind.RERANKER,
        "evaluator": SpanKind.EVALUATOR,
        "promptbuilder": SpanKind.PROMPT,
    },
}
_BY_PRESENCE = {
    "pydantic_ai.all_messages": SpanKind.AGENT,
    "all_messages_events": SpanKind.AGENT,
    "gcp.vertex.agent.llm_request": SpanKind.CHAT,
    "haystack.tool.name": SpanKind.TOOL,
    "haystack.agent.step.llm.input": SpanKind.CHAT,
    "haystack.agent.input": SpanKind.AGENT,
    "haystack.agent.step": SpanKind.CHAIN,
    "haystack.pipeline.input_data": SpanKind.WORKFLOW,
}
_NOTHING = (None, "", "{}")
_ANY_PRESENCE = frozenset(_BY_PRESENCE)
_BY_SPAN_TYPE = {
    1: SpanKind.CHAT,
    2: SpanKind.AGENT,
    3: SpanKind.TOOL,
    4: SpanKind.EMBEDDER,
    5: SpanKind.RERANKER,
}


def span_kind(attributes: Attributes, span_type: int) -> SpanKind:
    """Return the kind that a span's attributes name, else the one that was guessed at write time.

    Source: the attributes that mean a kind (`dialects.py`), in their order, words that nobody
    knows passed over; those that only one kind of span has; then spans.dfs_span_type.
    """
    for attribute, kinds in _BY_ATTRIBUTE:
        if attribute not in attributes:
            continue
        word = (first_text(attributes, (attribute,)) or "").lower()
        kind = kinds.get(word) or _by_ending(attribute, word)
        if kind is not None:
            return kind
    if not _ANY_PRESENCE.isdisjoint(attributes):
        for attribute, kind in _BY_PRESENCE.items():
            if attributes.get(attribute) not in _NOTHING:
                return kind
    return _BY_SPAN_TYPE.get(span_type, SpanKind.OTHER)


def _by_ending(attribute: str, word: str) -> SpanKind | None:
    endings = _ENDINGS.get(attribute, {})
    return next((kind for end, kind in endings.items() if word.endswith(end)), None)
