"""The trace of one answer: plan, call a tool, look policies up where the version does, answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from flowtui.demo.agent.topics import MODEL
from flowtui.demo.agent.trace import DemoSpanKind, StatusCode, TraceBuilder
from flowtui.demo.versions.tickets import TEXTS, AgentVersion, Ticket

_POLICIES = 3
"""How many are looked up."""
_CACHED_TOKENS = 256
_DOLLARS_A_TOKEN = (2e-6, 8e-6)
"""Of input and of output."""
_TIMED_OUT = {34, 82, 170}
"""Cancellations during which the index of policies did not answer, which they do not need."""
_TIMEOUT_MS = 4_000.0

Message = dict[str, object]


@dataclass(frozen=True, slots=True)
class TracedAnswer:
    """A trace, and what it adds up to."""

    trace: TraceBuilder
    input_tokens: int
    output_tokens: int
    cost_usd: float
    length_ms: float


def traced(rng: Random, at: datetime, ticket: Ticket, version: AgentVersion) -> TracedAnswer:
    """Build the trace of what a version answers to a ticket."""
    trace = TraceBuilder(rng, at)
    root = trace.new_span_id()
    call = {"type": "tool_call", "id": "call_1", "name": ticket.tool, "arguments": ticket.asked}
    found = {"type": "tool_call_response", "id": "call_1", "response": ticket.result(version)}
    asking = [_said("user", {"type": "text", "content": ticket.question})]
    planning = _Turn(TEXTS["plan"], asking, _said("assistant", call), "tool_calls")
    knowing = [*asking, planning.answer, _said("tool", found)]
    at_ms = 4 + planning.record(trace, root, 4, rng.uniform(420, 900))
    at_ms += 3 + _tool_call(trace, root, at_ms, rng, ticket, version)
    if version.retrieves:
        policies = [] if ticket.number in _TIMED_OUT else _policies(rng, ticket)
        at_ms += 3 + _retrieval(trace, root, at_ms, rng, ticket, policies)
        if policies:
            told = "\n".join(f"{policy['id']}: {policy['content']}" for policy in policies)
            knowing.append(_said("system", {"type": "text", "content": told}))
    text = ticket.answer(version)
    said = _said("assistant", {"type": "text", "content": text})
    answering = _Turn(version.answer_prompt, knowing, said, "stop")
    at_ms += 3 + answering.record(trace, root, at_ms, 380 + 9 * len(text) * rng.uniform(0.8, 1.3))
    answer = TracedAnswer(
        trace,
        planning.input_tokens + answering.input_tokens,
        planning.output_tokens + answering.output_tokens,
        planning.cost_usd + answering.cost_usd,
        at_ms,
    )
    _add_root(answer, root, ticket, asking, said)
    return answer


def _add_root(
    answer: TracedAnswer, root: str, ticket: Ticket, asking: Sequence[Message], said: Message
) -> None:
    answer.trace.span(
        "support-agent",
        0,
        answer.length_ms,
        span_id=root,
        kind=DemoSpanKind.SERVER,
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "support-agent",
            "gen_ai.conversation.id": ticket.id,
            "gen_ai.input.messages": _json(asking),
            "gen_ai.output.messages": _json([said]),
            "gen_ai.usage.input_tokens": answer.input_tokens,
            "gen_ai.usage.output_tokens": answer.output_tokens,
        },
    )


class _Turn:
    """One call of the model."""

    def __init__(
        self, prompt: str, messages: Sequence[Message], answer: Message, finish: str
    ) -> None:
        self.answer = answer
        self._prompt = prompt
        self._messages = _json(messages)
        self._answer = _json([answer])
        self._finish = finish
        # About four characters a token, and the tools' descriptions, which are not recorded.
        self.input_tokens = 280 + (len(prompt) + len(self._messages)) // 4
        self.output_tokens = len(self._answer) // 4
        per_input, per_output = _DOLLARS_A_TOKEN
        self.cost_usd = round(self.input_tokens * per_input + self.output_tokens * per_output, 6)

    def record(self, trace: TraceBuilder, root: str, start_ms: float, length_ms: float) -> float:
        """Add the span and return its length."""
        trace.span(
            f"chat {MODEL}",
            start_ms,
            length_ms,
            parent=root,
            kind=DemoSpanKind.CLIENT,
            attributes={
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "example-ai",
                "gen_ai.request.model": MODEL,
                "gen_ai.request.temperature": 0.0,
                "gen_ai.system_instructions": _json([{"type": "text", "content": self._prompt}]),
                "gen_ai.input.messages": self._messages,
                "gen_ai.output.messages": self._answer,
                "gen_ai.response.finish_reasons": [self._finish],
                "gen_ai.usage.input_tokens": self.input_tokens,
                "gen_ai.usage.output_tokens": self.output_tokens,
                "gen_ai.usage.cache_read.input_tokens": _CACHED_TOKENS,
                "llm.cost.total": self.cost_usd,
            },
        )
        return length_ms


def _tool_call(
    trace: TraceBuilder,
    root: str,
    start_ms: float,
    rng: Random,
    ticket: Ticket,
    version: AgentVersion,
) -> float:
    arguments, result = ticket.arguments(version), ticket.result(version)
    # The more a tool finds, the longer it takes.
    length_ms = rng.uniform(90, 180) + 0.6 * len(result)
    trace.span(
        f"execute_tool {ticket.tool}",
        start_ms,
        length_ms,
        parent=root,
        attributes={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": ticket.tool,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.tool.call.arguments": _json(arguments),
            "gen_ai.tool.call.result": result,
        },
    )
    return length_ms


def _policies(rng: Random, ticket: Ticket) -> list[dict[str, object]]:
    """Return the policies that are nearest to a question, as the index answers."""
    topics = TEXTS["topics"]
    place = ticket.number % len(topics)
    others = rng.sample([topic for topic in topics if topic is not topics[place]], _POLICIES - 1)
    return [
        {
            "id": f"policies/{topic['key']}.md",
            "content": topic["policy"],
            "score": round(0.88 - 0.21 * rank - rng.uniform(0, 0.08), 3),
        }
        for rank, topic in enumerate([topics[place], *others])
    ]


def _retrieval(
    trace: TraceBuilder,
    root: str,
    start_ms: float,
    rng: Random,
    ticket: Ticket,
    policies: Sequence[dict[str, object]],
) -> float:
    length_ms = rng.uniform(110, 260) if policies else _TIMEOUT_MS
    attributes: dict[str, object] = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.query.text": ticket.question,
    }
    if policies:
        attributes["gen_ai.retrieval.documents"] = _json(policies)
    else:
        attributes["error.type"] = "agent.errors.IndexTimeout"
    trace.span(
        "retrieve policies",
        start_ms,
        length_ms,
        parent=root,
        attributes=attributes,
        status=StatusCode.OK if policies else StatusCode.ERROR,
        message=None if policies else "policies-2 did not answer in 4.0 s",
    )
    return length_ms


def _said(role: str, part: Mapping[str, object]) -> Message:
    return {"role": role, "parts": [part]}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
