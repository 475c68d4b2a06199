"""Tokens and cost of one span."""

from __future__ import annotations

from typing import NamedTuple

from flowtui.store.genai.fields import Attributes, amount, count, mapping
from flowtui.store.values import JsonValue

_INPUT = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.token_count.prompt",
    "llm.usage.prompt_tokens",
)
_OUTPUT = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.token_count.completion",
    "llm.usage.completion_tokens",
)
_TOTAL = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total")
_CACHED = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
    "llm.token_count.prompt_details.cache_input",
)
_CACHE_CREATION = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
)
_REASONING = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "llm.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
)
_MLFLOW_USAGE = "mlflow.chat.tokenUsage"
_MLFLOW_COST = "mlflow.llm.cost"
_COSTS = ("llm.cost.total", "llm.cost.prompt", "llm.cost.completion")
_ANY_COST = frozenset(_COSTS)


class Usage(NamedTuple):
    """What calls of models took; None is what no span says, which is not zero.

    A tuple, since a frozen dataclass takes four times as long to make, and a large trace has one
    for each call and each sum.
    """

    input_tokens: int | None = None
    """Tokens read from and written to a cache are part of these."""
    output_tokens: int | None = None
    """Tokens of reasoning are part of these."""
    cached_tokens: int | None = None
    cache_creation_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    """In the currency of the instrumentation, which is US dollars in all that are known."""
    unsplit_tokens: int | None = None
    """Tokens of a reported total beyond what is reported as input or output."""

    @property
    def total(self) -> int | None:
        """Input and output tokens, and those that are only known to be one of both."""
        known = (self.input_tokens, self.output_tokens, self.unsplit_tokens)
        return _sum(known)

    @property
    def has_tokens(self) -> bool:
        """Whether any tokens were taken."""
        return bool(self.total or self.cached_tokens or self.reasoning_tokens)

    def __add__(self, other: Usage) -> Usage:  # type: ignore[override]  # of a sum, not of a tuple
        return Usage(
            _both(self.input_tokens, other.input_tokens),
            _both(self.output_tokens, other.output_tokens),
            _both(self.cached_tokens, other.cached_tokens),
            _both(self.cache_creation_tokens, other.cache_creation_tokens),
            _both(self.reasoning_tokens, other.reasoning_tokens),
            self.cost if other.cost is None else other.cost + (self.cost or 0.0),
            _both(self.unsplit_tokens, other.unsplit_tokens),
        )


_NOTHING = (None,) * 7


def usage(attributes: Attributes) -> Usage | None:
    """Return the tokens and the cost that a span reports, or None where it reports none.

    Numbers may be texts; negative, fractional and not finite ones are passed over. The first name
    that holds a number is taken, so that a span in two dialects is not counted twice.

    Source: gen_ai.usage.*, llm.token_count.*, llm.usage.*, llm.cost.*, and the objects
    mlflow.chat.tokenUsage and mlflow.llm.cost, as JSON texts too.
    """
    mlflow = mapping(attributes.get(_MLFLOW_USAGE))
    input_tokens = _first(attributes, _INPUT, mlflow.get("input_tokens"))
    output_tokens = _first(attributes, _OUTPUT, mlflow.get("output_tokens"))
    total = _first(attributes, _TOTAL, mlflow.get("total_tokens"))
    found = (
        input_tokens,
        output_tokens,
        _first(attributes, _CACHED, mlflow.get("cache_read_input_tokens")),
        _first(attributes, _CACHE_CREATION, mlflow.get("cache_creation_input_tokens")),
        _first(attributes, _REASONING, mlflow.get("reasoning_tokens")),
        _cost(attributes),
        _unsplit(input_tokens, output_tokens, total),
    )
    return None if found == _NOTHING else Usage(*found)


def _unsplit(input_tokens: int | None, output_tokens: int | None, total: int | None) -> int | None:
    # With both sides known the total says nothing new; some count cached tokens apart in it.
    if total is None or (input_tokens is not None and output_tokens is not None):
        return None
    rest = total - (input_tokens or 0) - (output_tokens or 0)
    nothing_else_is_known = input_tokens is None and output_tokens is None
    return rest if rest > 0 or (rest == 0 and nothing_else_is_known) else None


def _first(attributes: Attributes, names: tuple[str, ...], last: JsonValue) -> int | None:
    for name in names:
        # Of the twenty names a span has two or three.
        if name in attributes and (found := count(attributes[name])) is not None:
            return found
    return None if last is None else count(last)


def _cost(attributes: Attributes) -> float | None:
    mlflow = attributes.get(_MLFLOW_COST)
    if mlflow is None and _ANY_COST.isdisjoint(attributes):
        return None
    inner = mapping(mlflow)
    for whole, *sides in (
        [attributes.get(name) for name in _COSTS],
        [inner.get(part) for part in ("total_cost", "input_cost", "output_cost")],
    ):
        if (total := amount(whole)) is not None:
            return total
        known = [side for side in map(amount, sides) if side is not None]
        if known:
            return sum(known)
    return None


def _both(one: int | None, other: int | None) -> int | None:
    if one is None:
        return other
    return one if other is None else one + other


def _sum(values: tuple[int | None, ...]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
