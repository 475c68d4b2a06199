"""How each instrumentation names messages, tokens and tools in span attributes.

Each is a file in data/dialects/ with the attributes of four kinds of span: the agent ("root"), a
call of the model that "asks" for the tool or "answers", and the call of the "tool".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flowtui.demo.agent.topics import MODEL, SYSTEM, Case
from flowtui.demo.resources import filled, read_json

Attributes = dict[str, object]


@dataclass(frozen=True, slots=True)
class DemoTurn:
    """One call of the model: it either asks for the tool or answers."""

    case: Case
    asks_tool: bool
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0


class Dialect:
    """Attributes of the kinds of span that every agent trace has."""

    def __init__(self, name: str) -> None:
        self._templates = read_json(f"dialects/{name}.json")

    def root(self, turns: Sequence[DemoTurn]) -> Attributes:
        """Describe the agent; many frameworks repeat the usage of its turns there."""
        return self._described("root", turns[0].case, turns)

    def chat(self, turn: DemoTurn) -> Attributes:
        """Describe one call of the model."""
        return self._described("asks" if turn.asks_tool else "answers", turn.case, [turn])

    def tool(self, case: Case) -> Attributes:
        """Describe one call of the case's tool."""
        return self._described("tool", case, [])

    def _described(self, kind: str, case: Case, turns: Sequence[DemoTurn]) -> Attributes:
        input_tokens = sum(turn.input_tokens for turn in turns)
        output_tokens = sum(turn.output_tokens for turn in turns)
        values = {
            "model": MODEL,
            "system": SYSTEM,
            "order": case.fields["order"],
            "user": case.fields["name"].lower(),
            "question": case.question,
            "answer": case.answer,
            "tool": case.topic.tool,
            "arguments": case.arguments,
            "parsed_arguments": json.loads(case.arguments),
            "finding": case.finding,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
            "cached_tokens": sum(turn.cached_tokens for turn in turns),
            "cost": round(input_tokens * 2e-6 + output_tokens * 8e-6, 6),
            "output_cost": round(output_tokens * 8e-6, 6),
        }
        attributes: Attributes = filled(self._templates[kind], values)
        return {name: _attribute(value) for name, value in attributes.items()}


def _attribute(value: Any) -> object:
    """Write as JSON what no attribute can be: an object, or a list of objects."""
    is_nested = isinstance(value, dict) or (isinstance(value, list) and isinstance(value[0], dict))
    return json.dumps(value, ensure_ascii=False) if is_nested else value


OTEL = Dialect("otel")
OPENINFERENCE = Dialect("openinference")
DIALECTS = (OTEL, OPENINFERENCE, Dialect("traceloop"), Dialect("mlflow"))
