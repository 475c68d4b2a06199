"""Which attribute of a span means what: one table for all dialects.

A new dialect is an entry here and a recorded body in `tests/unit/store/bodies/`. Within a meaning,
dialects come in the order of this table and keys in theirs; the first that says something wins,
while the messages of all of them are merged (`merging.py`). Which words of an attribute stand for
which kind of span is told in `kinds.py`, and what objects of usage hold in `usage.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum


class Meaning(StrEnum):
    """What an attribute may say; the value is only a name."""

    KIND = "kind"
    """A word for the kind of span; see `kinds.py`."""
    PRESENCE = "presence"
    """A key that only one kind of span has; see `kinds.py`."""
    TITLE = "title"
    """What the span is called, where its name is a template."""
    PROVIDER = "provider"
    REQUEST_MODEL = "request model"
    RESPONSE_MODEL = "response model"
    RESPONSE_ID = "response id"
    FINISH = "finish"
    """Why the model stopped: one reason, or a list of them."""
    SETTINGS = "settings"
    """An object of settings of the request."""
    SETTING_PREFIX = "setting prefix"
    """Keys that begin like this are settings of the request."""
    TOOLS = "tools"
    """Tools that the model may call: a list, as JSON or flattened."""
    SESSION = "session"
    USER = "user"
    AGENT = "agent"
    AGENT_ID = "agent id"
    WORKFLOW = "workflow"

    SYSTEM = "system"
    """Instructions, as the parts of a message."""
    INPUT_MESSAGES = "input messages"
    OUTPUT_MESSAGES = "output messages"
    """JSON: a list of messages."""
    INPUT_LIST = "input list"
    OUTPUT_LIST = "output list"
    """A flattened list of messages, or of texts."""
    EVENTS = "events"
    """JSON: a list of events that are messages."""
    WHOLE = "whole"
    """JSON: all messages of a conversation, in and out."""
    OUTPUT_REASONING = "output reasoning"
    OUTPUT_TEXT = "output text"
    OUTPUT_CALLS = "output calls"
    OUTPUT_OBJECT = "output object"
    """The parts of one answer."""
    INPUT = "input"
    OUTPUT = "output"
    """Whatever went in or came out: a request, a state, a text."""

    TOOL_NAME = "tool name"
    TOOL_TYPE = "tool type"
    TOOL_DESCRIPTION = "tool description"
    TOOL_CALL_ID = "tool call id"
    TOOL_ARGUMENTS = "tool arguments"
    TOOL_RESULT = "tool result"
    ENTITY_NAME = "entity name"
    """The name of whatever a span is, a tool or an agent."""
    QUERY = "query"
    DOCUMENTS = "documents"
    """A list, as JSON or flattened."""

    INPUT_TOKENS = "input tokens"
    OUTPUT_TOKENS = "output tokens"
    TOTAL_TOKENS = "total tokens"
    CACHED_TOKENS = "cached tokens"
    CACHE_CREATION_TOKENS = "cache creation tokens"
    REASONING_TOKENS = "reasoning tokens"
    INPUT_AUDIO_TOKENS = "input audio tokens"
    OUTPUT_AUDIO_TOKENS = "output audio tokens"
    USAGE = "usage"
    """An object of all of these."""
    REPLIES = "replies"
    """An object whose `replies` each have model and usage in `meta`."""
    COST = "cost"
    INPUT_COST = "input cost"
    OUTPUT_COST = "output cost"
    COSTS = "costs"
    """An object of all three."""

    ERROR_TYPE = "error type"
    ERROR_MESSAGE = "error message"
    ERROR_TRACE = "error trace"


_M = Meaning

DIALECTS: dict[str, dict[Meaning, str]] = {
    "OpenTelemetry": {
        _M.KIND: "gen_ai.operation.name",
        _M.PROVIDER: "gen_ai.provider.name",
        _M.REQUEST_MODEL: "gen_ai.request.model",
        _M.RESPONSE_MODEL: "gen_ai.response.model",
        _M.RESPONSE_ID: "gen_ai.response.id",
        _M.FINISH: "gen_ai.response.finish_reasons",
        _M.SETTING_PREFIX: "gen_ai.request.",
        _M.TOOLS: "gen_ai.tool.definitions",
        _M.SESSION: "gen_ai.conversation.id",
        _M.AGENT: "gen_ai.agent.name",
        _M.AGENT_ID: "gen_ai.agent.id",
        _M.WORKFLOW: "gen_ai.workflow.name",
        _M.SYSTEM: "gen_ai.system_instructions",
        _M.INPUT_MESSAGES: "gen_ai.input.messages",
        _M.OUTPUT_MESSAGES: "gen_ai.output.messages",
        _M.TOOL_NAME: "gen_ai.tool.name",
        _M.TOOL_TYPE: "gen_ai.tool.type",
        _M.TOOL_DESCRIPTION: "gen_ai.tool.description",
        _M.TOOL_CALL_ID: "gen_ai.tool.call.id",
        _M.TOOL_ARGUMENTS: "gen_ai.tool.call.arguments",
        _M.TOOL_RESULT: "gen_ai.tool.call.result",
        _M.QUERY: "gen_ai.retrieval.query.text",
        _M.DOCUMENTS: "gen_ai.retrieval.documents",
        _M.INPUT_TOKENS: "gen_ai.usage.input_tokens",
        _M.OUTPUT_TOKENS: "gen_ai.usage.output_tokens",
        _M.CACHED_TOKENS: "gen_ai.usage.cache_read.input_tokens",
        _M.CACHE_CREATION_TOKENS: "gen_ai.usage.cache_creation.input_tokens",
        _M.REASONING_TOKENS: "gen_ai.usage.reasoning.output_tokens",
        _M.INPUT_AUDIO_TOKENS: "gen_ai.usage.input_audio.input_tokens",
        _M.OUTPUT_AUDIO_TOKENS: "gen_ai.usage.output_audio.output_tokens",
        _M.ERROR_TYPE: "exception.type error.type",
        _M.ERROR_MESSAGE: "exception.message error.message",
        _M.ERROR_TRACE: "exception.stacktrace error.stack error.stack_trace",
    },
    "OpenInference": {
        _M.KIND: "openinference.span.kind",
        _M.PROVIDER: "llm.provider",
        _M.REQUEST_MODEL: "llm.request.model_name llm.model_name embedding.model_name "
        "reranker.model_name",
        _M.RESPONSE_MODEL: "llm.response.model_name",
        _M.FINISH: "llm.finish_reason",
        _M.SETTINGS: "llm.invocation_parameters embedding.invocation_parameters",
        _M.TOOLS: "llm.tools",
        _M.SESSION: "session.id metadata.session_id metadata.thread_id metadata.conversation_id",
        _M.USER: "user.id enduser.id metadata.user_id",
        _M.AGENT: "agent.name",
        _M.INPUT_LIST: "llm.input_messages llm.prompts embedding.embeddings",
        _M.OUTPUT_LIST: "llm.output_messages llm.choices",
        _M.INPUT: "input.value",
        _M.OUTPUT: "output.value",
        _M.TOOL_NAME: "tool.name",
        _M.TOOL_DESCRIPTION: "tool.description",
        _M.TOOL_CALL_ID: "tool.id tool_call.id",
        _M.QUERY: "reranker.query",
        _M.DOCUMENTS: "retrieval.documents reranker.output_documents reranker.input_documents",
        _M.INPUT_TOKENS: "llm.token_count.prompt",
        _M.OUTPUT_TOKENS: "llm.token_count.completion",
        _M.TOTAL_TOKENS: "llm.token_count.total",
        _M.CACHED_TOKENS: "llm.token_count.prompt_details.cache_read "
        "llm.token_count.prompt_details.cache_input",
        _M.CACHE_CREATION_TOKENS: "llm.token_count.prompt_details.cache_write",
        _M.REASONING_TOKENS: "llm.token_count.completion_details.reasoning",
        _M.INPUT_AUDIO_TOKENS: "llm.token_count.prompt_details.audio",
        _M.OUTPUT_AUDIO_TOKENS: "llm.token_count.completion_details.audio",
        _M.COST: "llm.cost.total",
        _M.INPUT_COST: "llm.cost.prompt",
        _M.OUTPUT_COST: "llm.cost.completion",
    },
    # What OpenTelemetry and OpenLLMetry wrote before, and what providers' own packages add.
    "OpenLLMetry": {
        _M.KIND: "traceloop.span.kind llm.request.type",
        _M.REQUEST_MODEL: "llm.request.model",
        _M.RESPONSE_MODEL: "llm.response.model",
        _M.FINISH: "gen_ai.response.finish_reason llm.response.finish_reason "
        "gen_ai.response.stop_reason anthropic.message.stop_reason",
        _M.TOOLS: "llm.request.functions",
        _M.SESSION: "traceloop.association.properties.session_id "
        "traceloop.association.properties.thread_id gen_ai.thread.id",
        _M.USER: "traceloop.association.properties.user_id gen_ai.user",
        _M.WORKFLOW: "traceloop.workflow.name",
        _M.ENTITY_NAME: "traceloop.entity.name",
        _M.INPUT_LIST: "gen_ai.prompt",
        _M.OUTPUT_LIST: "gen_ai.completion",
        _M.INPUT: "traceloop.entity.input gen_ai.task.input",
        _M.OUTPUT: "traceloop.entity.output gen_ai.task.output",
        _M.INPUT_TOKENS: "gen_ai.usage.prompt_tokens llm.usage.prompt_tokens",
        _M.OUTPUT_TOKENS: "gen_ai.usage.completion_tokens llm.usage.completion_tokens",
        _M.TOTAL_TOKENS: "gen_ai.usage.total_tokens llm.usage.total_tokens",
        _M.CACHED_TOKENS: "gen_ai.usage.cache_read_input_tokens",
        _M.CACHE_CREATION_TOKENS: "gen_ai.usage.cache_write.input_tokens "
        "gen_ai.usage.cache_creation_input_tokens gen_ai.usage.cache_write_input_tokens",
        _M.REASONING_TOKENS: "gen_ai.usage.reasoning_tokens llm.usage.reasoning_tokens",
    },
    "MLflow": {
        _M.KIND: "mlflow.spanType",
        _M.PROVIDER: "mlflow.llm.provider",
        _M.REQUEST_MODEL: "mlflow.llm.model",
        _M.TOOLS: "mlflow.chat.tools",
        _M.SESSION: "mlflow.trace.session",
        _M.USER: "mlflow.trace.user",
        _M.ENTITY_NAME: "mlflow.spanFunctionName",
        _M.INPUT: "mlflow.spanInputs",
        _M.OUTPUT: "mlflow.spanOutputs",
        _M.USAGE: "mlflow.chat.tokenUsage",
        _M.COSTS: "mlflow.llm.cost",
    },
    "Vercel AI SDK": {
        _M.KIND: "ai.operationId",
        _M.PROVIDER: "ai.model.provider",
        _M.REQUEST_MODEL: "ai.model.id",
        _M.RESPONSE_MODEL: "ai.response.model",
        _M.RESPONSE_ID: "ai.response.id",
        _M.FINISH: "ai.response.finishReason",
        _M.SETTING_PREFIX: "ai.settings.",
        _M.TOOLS: "ai.prompt.tools",
        _M.SESSION: "ai.telemetry.metadata.sessionId ai.telemetry.metadata.threadId",
        _M.USER: "ai.telemetry.metadata.userId",
        _M.INPUT_MESSAGES: "ai.prompt.messages",
        _M.INPUT_LIST: "ai.values",
        _M.OUTPUT_REASONING: "ai.response.reasoning",
        _M.OUTPUT_TEXT: "ai.response.text",
        _M.OUTPUT_CALLS: "ai.response.toolCalls",
        _M.OUTPUT_OBJECT: "ai.response.object",
        _M.INPUT: "ai.prompt ai.value ai.documents",
        _M.OUTPUT: "ai.embeddings ai.embedding ai.ranking",
        _M.TOOL_NAME: "ai.toolCall.name",
        _M.TOOL_CALL_ID: "ai.toolCall.id",
        _M.TOOL_ARGUMENTS: "ai.toolCall.args ai.toolCall.input",
        _M.TOOL_RESULT: "ai.toolCall.result ai.toolCall.output",
        _M.INPUT_TOKENS: "ai.usage.inputTokens ai.usage.promptTokens ai.usage.tokens",
        _M.OUTPUT_TOKENS: "ai.usage.outputTokens ai.usage.completionTokens",
        _M.TOTAL_TOKENS: "ai.usage.totalTokens",
        _M.CACHED_TOKENS: "ai.usage.inputTokenDetails.cacheReadTokens ai.usage.cachedInputTokens",
        _M.CACHE_CREATION_TOKENS: "ai.usage.inputTokenDetails.cacheWriteTokens",
        _M.REASONING_TOKENS: "ai.usage.outputTokenDetails.reasoningTokens ai.usage.reasoningTokens",
    },
    "Pydantic AI, Logfire": {
        _M.PRESENCE: "pydantic_ai.all_messages all_messages_events",
        _M.TITLE: "logfire.msg",
        _M.AGENT: "agent_name",
        _M.REQUEST_MODEL: "model_name",
        _M.WHOLE: "pydantic_ai.all_messages",
        _M.EVENTS: "events all_messages_events",
        _M.OUTPUT_OBJECT: "final_result",
        _M.TOOL_ARGUMENTS: "tool_arguments",
        _M.TOOL_RESULT: "tool_response",
        _M.INPUT_TOKENS: "gen_ai.aggregated_usage.input_tokens",
        _M.OUTPUT_TOKENS: "gen_ai.aggregated_usage.output_tokens",
        _M.CACHED_TOKENS: "gen_ai.aggregated_usage.cache_read.input_tokens "
        "gen_ai.usage.details.cache_read_tokens",
        _M.CACHE_CREATION_TOKENS: "gen_ai.aggregated_usage.cache_creation.input_tokens "
        "gen_ai.usage.details.cache_write_tokens",
        _M.REASONING_TOKENS: "gen_ai.usage.details.reasoning_tokens "
        "gen_ai.aggregated_usage.details.reasoning_tokens",
        _M.INPUT_AUDIO_TOKENS: "gen_ai.usage.details.input_audio_tokens "
        "gen_ai.aggregated_usage.details.input_audio_tokens",
        _M.OUTPUT_AUDIO_TOKENS: "gen_ai.usage.details.output_audio_tokens "
        "gen_ai.usage.details.audio_tokens gen_ai.aggregated_usage.details.output_audio_tokens "
        "gen_ai.aggregated_usage.details.audio_tokens",
        _M.USAGE: "gen_ai.usage.raw",
        _M.COST: "operation.cost",
    },
    "Langfuse": {
        _M.KIND: "langfuse.observation.type",
        _M.REQUEST_MODEL: "langfuse.observation.model.name",
        _M.SETTINGS: "langfuse.observation.model.parameters",
        _M.SESSION: "langfuse.session.id",
        _M.USER: "langfuse.user.id",
        _M.INPUT: "langfuse.observation.input langfuse.trace.input",
        _M.OUTPUT: "langfuse.observation.output langfuse.trace.output",
        _M.USAGE: "langfuse.observation.usage_details",
        _M.COSTS: "langfuse.observation.cost_details",
        _M.ERROR_MESSAGE: "langfuse.observation.status_message",
    },
    "LiteLLM": {
        _M.USAGE: "metadata.usage_object",
        _M.COST: "gen_ai.cost.total_cost",
        _M.INPUT_COST: "gen_ai.cost.input_cost",
        _M.OUTPUT_COST: "gen_ai.cost.output_cost",
    },
    "Google ADK": {
        _M.PRESENCE: "gcp.vertex.agent.llm_request",
        _M.SESSION: "gcp.vertex.agent.session_id",
        _M.INPUT: "gcp.vertex.agent.llm_request",
        _M.OUTPUT: "gcp.vertex.agent.llm_response",
        _M.TOOL_ARGUMENTS: "gcp.vertex.agent.tool_call_args",
        _M.TOOL_RESULT: "gcp.vertex.agent.tool_response",
    },
    "Haystack": {
        _M.KIND: "haystack.component.type",
        _M.PRESENCE: "haystack.tool.name haystack.agent.step.llm.input haystack.agent.input "
        "haystack.agent.step haystack.pipeline.input_data",
        _M.TITLE: "haystack.component.name",
        _M.REPLIES: "haystack.component.output haystack.agent.step.llm.output",
        _M.INPUT: "haystack.component.input haystack.agent.input haystack.agent.step.llm.input "
        "haystack.pipeline.input_data",
        _M.OUTPUT: "haystack.component.output haystack.agent.output haystack.agent.step.llm.output "
        "haystack.pipeline.output_data",
        _M.TOOL_NAME: "haystack.tool.name",
        _M.TOOL_DESCRIPTION: "haystack.tool.description",
        _M.TOOL_CALL_ID: "haystack.tool.call.id",
        _M.TOOL_ARGUMENTS: "haystack.agent.step.tool.input",
        _M.TOOL_RESULT: "haystack.agent.step.tool.output",
        _M.ERROR_MESSAGE: "haystack.tool.error",
    },
    "Strands": {
        _M.TOOLS: "gen_ai.agent.tools",
    },
    "LangSmith": {
        _M.SESSION: "langsmith.metadata.session_id langsmith.metadata.thread_id "
        "langsmith.metadata.conversation_id langsmith.trace.session_id",
        _M.USER: "langsmith.metadata.user_id",
    },
    # What people write themselves.
    "plain names": {
        _M.SESSION: "session_id thread_id conversation_id conversation.id",
        _M.USER: "user_id",
    },
    # Names that later conventions gave up say less than those of any dialect.
    "OpenTelemetry, before 1.37": {
        _M.PROVIDER: "gen_ai.system llm.system",
    },
}

_KEYS: dict[Meaning, tuple[tuple[str, str], ...]] = {
    meaning: tuple(
        (key, dialect)
        for dialect, meanings in DIALECTS.items()
        for key in meanings.get(meaning, "").split()
    )
    for meaning in Meaning
}
_NAMES = {meaning: tuple(key for key, _ in keys) for meaning, keys in _KEYS.items()}

KIND_MARKS = (
    "gen_ai.operation.name",
    "span.kind",
    "llm.request.type",
    "mlflow.spanType",
    "langfuse.observation.",
    "ai.operationId",
    "haystack.",
    "all_messages",
    "gcp.vertex.agent.",
)
"""What a text of attributes has one of where `span_kind` finds something in it."""
TITLE_MARKS = ("logfire.msg", "haystack.")
"""What it has one of where `title` does."""
ANY_MARKS = ("ai.", "llm", "span", "mlflow.", "langfuse.", "haystack.")
"""What it has one of where any of these do: fewer to look for where there is none."""
COMPANIONS = ("operation.cost", "all_messages_events", "metadata.usage_object", "logfire.msg")
"""Attributes that never come without others, by which spans with them are known."""
USAGE_MARKS = ("usage.", "token_count.", ".cost", "tokenUsage", "usage_", "cost_", "haystack.")
"""What it has one of where `usage` does."""


def names(meaning: Meaning) -> tuple[str, ...]:
    """Return the attributes that mean something, the most telling first."""
    return _NAMES[meaning]


def keys(meaning: Meaning) -> tuple[tuple[str, str], ...]:
    """Return the attributes that mean something, each with its dialect."""
    return _KEYS[meaning]


def meanings_of(key: str) -> Iterator[Meaning]:
    """Yield what an attribute means, in any dialect; prefixes are left out."""
    return (meaning for meaning, keys_ in _NAMES.items() if key in keys_)
