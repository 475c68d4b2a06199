"""What a span says of itself beside its messages and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flowtui.store.genai.fields import Attributes, first_text, mapping, sequence, text
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.kinds import SpanKind, span_kind
from flowtui.store.genai.retrieval import RetrievedDocument, documents, query
from flowtui.store.genai.tools import Tool, tool, tools_offered
from flowtui.store.values import JsonValue

_PROVIDERS = (
    "gen_ai.provider.name",
    "llm.provider",
    "mlflow.llm.provider",
    "gen_ai.system",
    "llm.system",
)
_REQUEST_MODELS = (
    "gen_ai.request.model",
    "llm.request.model_name",
    "llm.model_name",
    "llm.request.model",
    "embedding.model_name",
    "reranker.model_name",
    "mlflow.llm.model",
)
_RESPONSE_MODELS = ("gen_ai.response.model", "llm.response.model_name", "llm.response.model")
_CONVERSATIONS = (
    "gen_ai.conversation.id",
    "session.id",
    "mlflow.trace.session",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.thread_id",
)
_USERS = (
    "user.id",
    "enduser.id",
    "mlflow.trace.user",
    "traceloop.association.properties.user_id",
)
_AGENTS = ("gen_ai.agent.name", "agent.name")
_WORKFLOWS = ("gen_ai.workflow.name", "traceloop.workflow.name")
_PARAMETERS = "gen_ai.request."
_INVOCATIONS = ("llm.invocation_parameters", "embedding.invocation_parameters")
_NO_PARAMETERS = frozenset(("model", "messages", "input", "tools", "functions", "system", "prompt"))
_LISTED = ("gen_ai.response.finish_reasons",)
_SINGLE = ("llm.finish_reason", "gen_ai.response.finish_reason", "llm.response.finish_reason")


@dataclass(frozen=True, slots=True)
class SpanDetails:
    """The facts about a span that have a line of their own. None is what it does not say."""

    provider: str | None
    request_model: str | None
    response_model: str | None
    parameters: tuple[tuple[str, JsonValue], ...]
    """Settings of the request, such as temperature, by their name without prefix."""
    finish_reasons: tuple[str, ...]
    """One for each answer of the model."""
    tool: Tool | None
    tools_offered: tuple[str, ...]
    retrieval_query: str | None
    documents: tuple[RetrievedDocument, ...]
    conversation_id: str | None
    user_id: str | None
    agent_name: str | None
    agent_id: str | None
    workflow_name: str | None


def details(attributes: Attributes) -> SpanDetails:
    """Return the facts that a span's attributes hold, in any dialect.

    Source: gen_ai.*, llm.*, tool.*, retrieval.*, reranker.*, traceloop.*, mlflow.*, session.id,
    user.id, agent.name; each field takes the first name that holds something.
    """
    kind = span_kind(attributes, 0)
    named_by_kind = ("traceloop.entity.name",) if kind is SpanKind.AGENT else ()
    return SpanDetails(
        provider=first_text(attributes, _PROVIDERS),
        request_model=first_text(attributes, _REQUEST_MODELS),
        response_model=first_text(attributes, _RESPONSE_MODELS),
        parameters=tuple(_parameters(attributes).items()),
        finish_reasons=_finish_reasons(attributes),
        tool=tool(attributes, kind),
        tools_offered=tools_offered(attributes),
        retrieval_query=query(attributes, kind),
        documents=documents(attributes, kind),
        conversation_id=first_text(attributes, _CONVERSATIONS),
        user_id=first_text(attributes, _USERS),
        agent_name=first_text(attributes, (*_AGENTS, *named_by_kind)),
        agent_id=first_text(attributes, ("gen_ai.agent.id",)),
        workflow_name=first_text(attributes, _WORKFLOWS),
    )


def _parameters(attributes: Attributes) -> dict[str, JsonValue]:
    found = {
        name[len(_PARAMETERS) :]: value
        for name, value in attributes.items()
        if name.startswith(_PARAMETERS)
    }
    for name in _INVOCATIONS:
        for key, value in mapping(attributes.get(name)).items():
            found.setdefault(key, value)
    return {
        name: value
        for name, value in found.items()
        if value is not None and name not in _NO_PARAMETERS
    }


def _finish_reasons(attributes: Attributes) -> tuple[str, ...]:
    for name in _LISTED:
        value = attributes.get(name)
        several = sequence(value)
        if several:
            return tuple(reason for reason in map(text, several) if reason is not None)
        if (alone := text(value)) is not None and value != "[]":
            return (alone,)
    if (alone := first_text(attributes, _SINGLE)) is not None:
        return (alone,)
    return tuple(_of_completions(attributes))


def _of_completions(attributes: Attributes) -> Iterator[str]:
    for prefix in ("gen_ai.completion", "llm.output_messages"):
        for item in numbered(attributes, prefix):
            outer = mapping(item)
            inner = mapping(outer.get("message")) or outer
            if (reason := first_text(inner, ("finish_reason",))) is not None:
                yield reason
