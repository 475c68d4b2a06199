"""What a span says of itself beside its messages and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flowtui.store.genai.belonging import model_of_replies, session, user
from flowtui.store.genai.dialects import Meaning, names
from flowtui.store.genai.fields import Attributes, first_text, mapping, sequence, text
from flowtui.store.genai.flattened import numbered
from flowtui.store.genai.kinds import SpanKind, span_kind
from flowtui.store.genai.retrieval import RetrievedDocument, documents, query
from flowtui.store.genai.tools import OfferedTool, Tool, tool, tools_offered
from flowtui.store.values import JsonValue

_TITLES = names(Meaning.TITLE)
_NO_PARAMETERS = frozenset(("model", "messages", "input", "tools", "functions", "system", "prompt"))


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
    tools_offered: tuple[OfferedTool, ...]
    retrieval_query: str | None
    documents: tuple[RetrievedDocument, ...]
    conversation_id: str | None
    user_id: str | None
    agent_name: str | None
    agent_id: str | None
    workflow_name: str | None


def details(attributes: Attributes) -> SpanDetails:
    """Return the facts that a span's attributes hold, in any dialect.

    Source: `dialects.py`; each field takes the first name that holds something.
    """
    kind = span_kind(attributes, 0)

    def first(*meanings: Meaning) -> str | None:
        found = (first_text(attributes, names(meaning)) for meaning in meanings)
        return next((value for value in found if value is not None), None)

    named_by_kind = (Meaning.ENTITY_NAME,) if kind is SpanKind.AGENT else ()
    return SpanDetails(
        provider=first(Meaning.PROVIDER),
        request_model=first(Meaning.REQUEST_MODEL),
        response_model=first(Meaning.RESPONSE_MODEL) or model_of_replies(attributes),
        parameters=tuple(_parameters(attributes).items()),
        finish_reasons=_finish_reasons(attributes),
        tool=tool(attributes, kind),
        tools_offered=tools_offered(attributes),
        retrieval_query=query(attributes, kind),
        documents=documents(attributes, kind),
        conversation_id=session(attributes),
        user_id=user(attributes),
        agent_name=first(Meaning.AGENT, *named_by_kind),
        agent_id=first(Meaning.AGENT_ID),
        workflow_name=first(Meaning.WORKFLOW),
    )


def title(name: str, attributes: Attributes) -> str:
    """Return what a span is called, where its name may be a template.

    Source: what means a title in `dialects.py`; else the name that is given.
    """
    for key in _TITLES:
        if key in attributes and (called := text(attributes[key])) is not None:
            return called
    return name


def _parameters(attributes: Attributes) -> dict[str, JsonValue]:
    prefixes = names(Meaning.SETTING_PREFIX)
    found: dict[str, JsonValue] = {}
    for name, value in attributes.items():
        prefix = next((one for one in prefixes if name.startswith(one)), None)
        if prefix is not None:
            found.setdefault(name[len(prefix) :], value)
    for name in names(Meaning.SETTINGS):
        for key, value in mapping(attributes.get(name)).items():
            found.setdefault(key, value)
    return {
        name: value
        for name, value in found.items()
        if value is not None and name not in _NO_PARAMETERS
    }


def _finish_reasons(attributes: Attributes) -> tuple[str, ...]:
    for name in names(Meaning.FINISH):
        value = attributes.get(name)
        several = sequence(value)
        if several:
            return tuple(reason for reason in map(text, several) if reason is not None)
        if (alone := text(value)) is not None and value != "[]":
            return (alone,)
    return tuple(_of_completions(attributes))


def _of_completions(attributes: Attributes) -> Iterator[str]:
    for prefix in ("gen_ai.completion", "llm.output_messages"):
        for item in numbered(attributes, prefix):
            outer = mapping(item)
            inner = mapping(outer.get("message")) or outer
            if (reason := first_text(inner, ("finish_reason",))) is not None:
                yield reason
