"""How each instrumentation names messages, tokens and tools in span attributes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flowtui.demo.agent.topics import Case

MODEL = "large-chat-4"
PROVIDER = "example-ai"
SYSTEM = "You are the support agent of a small electronics shop. Be brief, kind and exact."
CALL_ID = "call_7f3a"

Attributes = dict[str, object]


@dataclass(frozen=True, slots=True)
class DemoTurn:
    """One call of the model: it either asks for the tool or answers."""

    case: Case
    asks_tool: bool
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


class Dialect(Protocol):
    """Attributes of the three kinds of span that every agent trace has."""

    name: str

    def root(self, turns: Sequence[DemoTurn]) -> Attributes:
        """Describes the agent; repeats the usage of its turns, as many frameworks do."""

    def chat(self, turn: DemoTurn) -> Attributes:
        """Describes one call of the model."""

    def tool(self, case: Case) -> Attributes:
        """Describes one call of the case's tool."""


class OtelGenAi:
    """OpenTelemetry's GenAI conventions, with messages as JSON."""

    name = "otel"

    def root(self, turns: Sequence[DemoTurn]) -> Attributes:
        """Describes the agent."""
        return {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "support-agent",
            "gen_ai.agent.id": "agent_support_v3",
            "gen_ai.conversation.id": f"conv-{turns[0].case.fields['order']}",
            "gen_ai.provider.name": PROVIDER,
            "gen_ai.usage.input_tokens": sum(turn.input_tokens for turn in turns),
            "gen_ai.usage.output_tokens": sum(turn.output_tokens for turn in turns),
        }

    def chat(self, turn: DemoTurn) -> Attributes:
        """Describes one call of the model."""
        messages: list[object] = [_otel_text("user", turn.case.question)]
        call = {
            "type": "tool_call",
            "id": CALL_ID,
            "name": turn.case.topic.tool,
            "arguments": turn.case.parsed_arguments,
        }
        if turn.asks_tool:
            thought = {"type": "reasoning", "content": f"I need {turn.case.topic.tool} first."}
            output: object = {"role": "assistant", "parts": [thought, call]}
        else:
            answer = {"type": "tool_call_response", "id": CALL_ID, "response": turn.case.finding}
            messages += [
                {"role": "assistant", "parts": [call]},
                {"role": "tool", "parts": [answer]},
            ]
            output = _otel_text("assistant", turn.case.answer)
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": PROVIDER,
            "gen_ai.request.model": MODEL,
            "gen_ai.response.model": f"{MODEL}-0611",
            "gen_ai.request.temperature": 0.2,
            "gen_ai.system_instructions": json.dumps([{"type": "text", "content": SYSTEM}]),
            "gen_ai.input.messages": json.dumps(messages, ensure_ascii=False),
            "gen_ai.output.messages": json.dumps([output], ensure_ascii=False),
            "gen_ai.response.finish_reasons": ["tool_calls" if turn.asks_tool else "stop"],
            "gen_ai.usage.input_tokens": turn.input_tokens,
            "gen_ai.usage.output_tokens": turn.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": turn.cached_tokens,
        }

    def tool(self, case: Case) -> Attributes:
        """Describes one call of the case's tool."""
        return {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": case.topic.tool,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": CALL_ID,
            "gen_ai.tool.call.arguments": case.arguments,
            "gen_ai.tool.call.result": case.finding,
        }


class OpenInference:
    """OpenInference, with one attribute for each field of each message."""

    name = "openinference"

    def root(self, turns: Sequence[DemoTurn]) -> Attributes:
        """Describes the agent."""
        case = turns[0].case
        prompt = sum(turn.input_tokens for turn in turns)
        completion = sum(turn.output_tokens for turn in turns)
        return {
            "openinference.span.kind": "AGENT",
            "agent.name": "support-agent",
            "session.id": f"session-{case.fields['order']}",
            "user.id": case.fields["name"].lower(),
            "input.value": case.question,
            "input.mime_type": "text/plain",
            "output.value": case.answer,
            "output.mime_type": "text/plain",
            "llm.token_count.prompt": prompt,
            "llm.token_count.completion": completion,
            "llm.token_count.total": prompt + completion,
        }

    def chat(self, turn: DemoTurn) -> Attributes:
        """Describes one call of the model."""
        case, out = turn.case, "llm.output_messages.0.message"
        answered: Attributes = {f"{out}.content": case.answer}
        if turn.asks_tool:
            function = f"{out}.tool_calls.0.tool_call.function"
            answered = {
                f"{function}.name": case.topic.tool,
                f"{function}.arguments": case.arguments,
            }
        return {
            "openinference.span.kind": "LLM",
            "llm.model_name": MODEL,
            "llm.provider": PROVIDER,
            "llm.invocation_parameters": json.dumps({"temperature": 0.2, "max_tokens": 600}),
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": SYSTEM,
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.content": case.question,
            f"{out}.role": "assistant",
            **answered,
            "llm.token_count.prompt": turn.input_tokens,
            "llm.token_count.completion": turn.output_tokens,
            "llm.token_count.total": turn.input_tokens + turn.output_tokens,
            "llm.token_count.prompt_details.cache_read": turn.cached_tokens,
            "llm.cost.total": round(turn.input_tokens * 2e-6 + turn.output_tokens * 8e-6, 6),
        }

    def tool(self, case: Case) -> Attributes:
        """Describes one call of the case's tool."""
        return {
            "openinference.span.kind": "TOOL",
            "tool.name": case.topic.tool,
            "tool.parameters": case.arguments,
            "input.value": case.arguments,
            "input.mime_type": "application/json",
            "output.value": case.finding,
            "output.mime_type": "application/json",
        }


class Traceloop:
    """OpenLLMetry, with indexed prompts and completions."""

    name = "traceloop"

    def root(self, turns: Sequence[DemoTurn]) -> Attributes:
        """Describes the workflow."""
        case = turns[0].case
        return {
            "traceloop.span.kind": "workflow",
            "traceloop.workflow.name": "support",
            "traceloop.entity.name": "support",
            "traceloop.entity.input": json.dumps({"args": [case.question]}, ensure_ascii=False),
            "traceloop.entity.output": json.dumps(case.answer, ensure_ascii=False),
        }

    def chat(self, turn: DemoTurn) -> Attributes:
        """Describes one call of the model."""
        case = turn.case
        answered: Attributes = {"gen_ai.completion.0.content": case.answer}
        if turn.asks_tool:
            call = "gen_ai.completion.0.tool_calls.0"
            answered = {f"{call}.name": case.topic.tool, f"{call}.arguments": case.arguments}
        return {
            "llm.request.type": "chat",
            "gen_ai.system": PROVIDER,
            "gen_ai.request.model": MODEL,
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": SYSTEM,
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": case.question,
            "gen_ai.completion.0.role": "assistant",
            **answered,
            "gen_ai.usage.prompt_tokens": turn.input_tokens,
            "gen_ai.usage.completion_tokens": turn.output_tokens,
            "llm.usage.total_tokens": turn.input_tokens + turn.output_tokens,
        }

    def tool(self, case: Case) -> Attributes:
        """Describes one call of the case's tool."""
        return {
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": case.topic.tool,
            "traceloop.entity.path": "support",
            "traceloop.entity.input": case.arguments,
            "traceloop.entity.output": case.finding,
        }


class Mlflow:
    """MLflow, with inputs and outputs as JSON in every span."""

    name = "mlflow"

    def root(self, turns: Sequence[DemoTurn]) -> Attributes:
        """Describes the agent."""
        case = turns[0].case
        return {
            "mlflow.spanType": "AGENT",
            "mlflow.trace.session": f"session-{case.fields['order']}",
            "mlflow.spanInputs": _object({"question": case.question}),
            "mlflow.spanOutputs": _object({"answer": case.answer}),
            "mlflow.chat.tokenUsage": _mlflow_usage(turns),
        }

    def chat(self, turn: DemoTurn) -> Attributes:
        """Describes one call of the model."""
        case = turn.case
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": case.question},
        ]
        function = {"name": case.topic.tool, "arguments": case.arguments}
        reply: Attributes = {"role": "assistant", "content": case.answer}
        if turn.asks_tool:
            call = {"id": CALL_ID, "type": "function", "function": function}
            reply = {"role": "assistant", "content": None, "tool_calls": [call]}
        return {
            "mlflow.spanType": "CHAT_MODEL",
            "mlflow.llm.model": MODEL,
            "mlflow.llm.provider": PROVIDER,
            "mlflow.spanInputs": _object({"model": MODEL, "messages": messages}),
            "mlflow.spanOutputs": _object({"choices": [{"message": reply}]}),
            "mlflow.chat.tools": json.dumps(
                [{"type": "function", "function": {"name": case.topic.tool}}]
            ),
            "mlflow.chat.tokenUsage": _mlflow_usage([turn]),
            "mlflow.llm.cost": json.dumps({"total_cost": round(turn.output_tokens * 8e-6, 6)}),
        }

    def tool(self, case: Case) -> Attributes:
        """Describes one call of the case's tool."""
        return {
            "mlflow.spanType": "TOOL",
            "mlflow.spanInputs": case.arguments,
            "mlflow.spanOutputs": case.finding,
        }


DIALECTS: tuple[Dialect, ...] = (OtelGenAi(), OpenInference(), Traceloop(), Mlflow())


def _otel_text(role: str, text: str) -> Attributes:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _object(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _mlflow_usage(turns: Sequence[DemoTurn]) -> str:
    usage = {
        "input_tokens": sum(turn.input_tokens for turn in turns),
        "output_tokens": sum(turn.output_tokens for turn in turns),
    }
    return json.dumps({**usage, "total_tokens": sum(usage.values())})
