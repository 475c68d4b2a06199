"""Tokens and cost of one span."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from flowtui.store.genai.dialects import Meaning, keys, names
from flowtui.store.genai.fields import Attributes, amount, count, literal, mapping, replies, text
from flowtui.store.otlp.items import SCOPE
from flowtui.store.values import JsonValue

_COUNTED = (
    Meaning.INPUT_TOKENS,
    Meaning.OUTPUT_TOKENS,
    Meaning.CACHED_TOKENS,
    Meaning.CACHE_CREATION_TOKENS,
    Meaning.REASONING_TOKENS,
    Meaning.INPUT_AUDIO_TOKENS,
    Meaning.OUTPUT_AUDIO_TOKENS,
    Meaning.TOTAL_TOKENS,
)
# What objects of usage call these, whichever provider or framework made them.
_IN_OBJECTS: dict[Meaning, tuple[str, ...]] = {
    Meaning.INPUT_TOKENS: ("input_tokens", "prompt_tokens", "inputTokens", "prompt_token_count"),
    Meaning.OUTPUT_TOKENS: (
        "output_tokens", "completion_tokens", "outputTokens", "candidates_token_count"
    ),
    Meaning.CACHED_TOKENS: (
        "cache_read_input_tokens", "cached_tokens", "cache_read", "input_cached_tokens",
        "input_cache_read", "cacheReadInputTokens", "cached_content_token_count",
    ),
    Meaning.CACHE_CREATION_TOKENS: (
        "cache_creation_input_tokens", "cache_write_input_tokens", "cache_creation",
        "input_cache_creation", "cacheWriteInputTokens",
    ),
    Meaning.REASONING_TOKENS: (
        "reasoning_tokens", "reasoning", "output_reasoning_tokens", "output_reasoning",
        "thoughts_token_count",
    ),
    Meaning.INPUT_AUDIO_TOKENS: ("input_audio_tokens", "input_audio"),
    Meaning.OUTPUT_AUDIO_TOKENS: ("output_audio_tokens", "output_audio"),
    Meaning.TOTAL_TOKENS: ("total_tokens", "total", "totalTokens", "total_token_count"),
}  # fmt: skip
_DETAILS = {
    "prompt_tokens_details": "input",
    "input_tokens_details": "input",
    "input_token_details": "input",
    "completion_tokens_details": "output",
    "output_tokens_details": "output",
    "output_token_details": "output",
}
"""Objects within such an object; `audio_tokens` in them are of that side."""
_COSTS: dict[Meaning, tuple[str, ...]] = {
    Meaning.COST: ("total_cost", "total"),
    Meaning.INPUT_COST: ("input_cost", "input"),
    Meaning.OUTPUT_COST: ("output_cost", "output"),
}
_RANKED = [(key, meaning, dialect) for meaning in _COUNTED for key, dialect in keys(meaning)]
_PLACES = {
    key: (rank, _COUNTED.index(meaning), dialect)
    for rank, (key, meaning, dialect) in enumerate(_RANKED)
}
_ANY_COST = frozenset(name for meaning in (*_COSTS, Meaning.COSTS) for name in names(meaning))
_OBJECTS = (*keys(Meaning.USAGE), *keys(Meaning.REPLIES))
_ANY = frozenset((*_PLACES, *(name for name, _ in _OBJECTS), *_ANY_COST))
_NUMBERS = 9
"""How many fields of `Usage` are numbers; the others tell the call apart."""
_NOTHING = (None,) * _NUMBERS
_LARGE = 2**63
COUNTED_ELSEWHERE = "counted elsewhere"
"""The maker of usage that stands for what another span counts."""
_RESPONSE_IDS = names(Meaning.RESPONSE_ID)
# OpenInference keeps the whole response, which begins with its id.
_LEADING_ID = re.compile(r'\s*\{\s*"id":\s*"([^"\\]{1,200})"')


class Usage(NamedTuple):
    """What calls of models took; None is what no span says, which is not zero.

    A tuple, since a frozen dataclass takes four times as long to make, and a large trace has one
    for each call and each sum. Two are equal that took the same, whatever call it was.
    """

    input_tokens: int | None = None
    """Tokens read from and written to a cache are part of these, and those of audio."""
    output_tokens: int | None = None
    """Tokens of reasoning are part of these, and those of audio."""
    cached_tokens: int | None = None
    cache_creation_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    """In the currency of the instrumentation, which is US dollars in all that are known."""
    unsplit_tokens: int | None = None
    """Tokens of a reported total beyond what is reported as input or output."""
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    response_id: str | None = None
    """Of the call of a model that this is of; None where it is none or more, or is not told."""
    maker: str = ""
    """What reported it: a scope, or where there is none a dialect; see `repeats.py`."""

    @property
    def total(self) -> int | None:
        """Input and output tokens, and those that are only known to be one of both."""
        known = (self.input_tokens, self.output_tokens, self.unsplit_tokens)
        counts = [count for count in known if count is not None]
        return sum(counts) if counts else None

    @property
    def is_repeated(self) -> bool:
        """Whether another span counts what this one would say."""
        return self.maker == COUNTED_ELSEWHERE

    @property
    def has_tokens(self) -> bool:
        """Whether any tokens were taken."""
        return bool(self.total or self.cached_tokens or self.reasoning_tokens or self.is_repeated)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Usage) and self[:_NUMBERS] == other[:_NUMBERS]

    def __hash__(self) -> int:
        return hash(self[:_NUMBERS])

    def __add__(self, other: Usage) -> Usage:  # type: ignore[override]  # of a sum, not of a tuple
        # Spelled out, as this is done 30,000 times before a large trace shows.
        a, b = self.input_tokens, other.input_tokens
        c, d = self.output_tokens, other.output_tokens
        e, f = self.cached_tokens, other.cached_tokens
        g, h = self.cache_creation_tokens, other.cache_creation_tokens
        i, j = self.reasoning_tokens, other.reasoning_tokens
        k, m = self.cost, other.cost
        n, o = self.unsplit_tokens, other.unsplit_tokens
        p, q = self.input_audio_tokens, other.input_audio_tokens
        r, s = self.output_audio_tokens, other.output_audio_tokens
        t, u = self.maker, other.maker
        return Usage(
            a if b is None else b if a is None else a + b,
            c if d is None else d if c is None else c + d,
            e if f is None else f if e is None else e + f,
            g if h is None else h if g is None else g + h,
            i if j is None else j if i is None else i + j,
            k if m is None else m if k is None else k + m,
            n if o is None else o if n is None else n + o,
            p if q is None else q if p is None else p + q,
            r if s is None else s if r is None else r + s,
            None,
            t if t == COUNTED_ELSEWHERE else u if u == COUNTED_ELSEWHERE else "",
        )


def usage(attributes: Attributes) -> Usage | None:
    """Return the tokens and the cost that a span reports, or None where it reports none.

    Numbers may be texts; negative, fractional and not finite ones are passed over. The first name
    that holds a number is taken, so that a span in two dialects is not counted twice; objects of
    usage add what no name of its own says.

    Source: what means tokens, usage or cost in `dialects.py`; objects as JSON texts too.
    """
    present = _ANY.intersection(attributes)
    if not present:
        return None
    counted, dialect, has_objects, has_cost = _plan(present)
    found: list[int | None] = [None] * len(_COUNTED)
    for name, place in counted:
        if found[place] is None:
            value = attributes[name]
            found[place] = value if type(value) is int and 0 <= value < _LARGE else count(value)
    if has_objects:
        _add_objects(attributes, found)
    cost = _cost(attributes) if has_cost else None
    input_tokens, output_tokens, cached, written, reasoning, heard, spoken, total = found
    unsplit = None if total is None else _unsplit(input_tokens, output_tokens, total)
    said = (input_tokens, output_tokens, cached, written, reasoning, cost, unsplit, heard, spoken)
    if said == _NOTHING:
        return None
    response_id = _response_id(attributes)
    return Usage(*said, response_id, "" if response_id is None else _maker(attributes, dialect))


@lru_cache(maxsize=256)
def _plan(present: frozenset[str]) -> tuple[tuple[tuple[str, int], ...], str, bool, bool]:
    """Return which attributes to read for which count, in order, and what else there is.

    The spans of one instrumentation have the same names, and are many.
    """
    ranked = sorted(present & _PLACES.keys(), key=_PLACES.__getitem__)
    counted = tuple((name, _PLACES[name][1]) for name in ranked)
    objects = [dialect for name, dialect in _OBJECTS if name in present]
    dialect = _PLACES[ranked[0]][2] if ranked else objects[0] if objects else ""
    return counted, dialect, bool(objects), not _ANY_COST.isdisjoint(present)


def _response_id(attributes: Attributes) -> str | None:
    for name in _RESPONSE_IDS:
        if name in attributes and (found := text(attributes[name])) is not None:
            return found
    answer = attributes.get("output.value")
    leading = _LEADING_ID.match(answer) if isinstance(answer, str) else None
    return None if leading is None else leading[1]


def _maker(attributes: Attributes, dialect: str) -> str:
    scope = attributes.get(SCOPE)
    name = scope.get("name") if isinstance(scope, dict) else None
    return name if isinstance(name, str) and name else dialect


def _add_objects(attributes: Attributes, found: list[int | None]) -> None:
    """Fill what is not known from objects of usage."""
    wholes = [literal(attributes.get(name)) for name in names(Meaning.USAGE)]
    wholes += [meta.get("usage") for meta in replies(attributes, names(Meaning.REPLIES))[:1]]
    for whole in map(_flat, wholes):
        for place, meaning in enumerate(_COUNTED):
            if found[place] is None:
                found[place] = _first(whole, _IN_OBJECTS[meaning])
        for place, side in enumerate(("input", "output")):
            if found[place] is None:
                found[place] = _of_side(whole, side)


def _flat(raw: JsonValue) -> dict[str, JsonValue]:
    """Return an object of usage with the objects in it beside the rest."""
    whole = mapping(raw)
    flat: dict[str, JsonValue] = {
        name: value for name, value in whole.items() if not isinstance(value, dict)
    }
    for name, side in _DETAILS.items():
        for detail, value in mapping(whole.get(name)).items():
            flat.setdefault(f"{side}_audio_tokens" if "audio" in detail else detail, value)
    return flat


def _of_side(whole: dict[str, JsonValue], side: str) -> int | None:
    """Return the tokens of a side in Langfuse's words, which tell its parts apart from the rest.

    `input` leaves out what `input_cached_tokens` and the like count, unless the total shows that
    it does not.
    """
    rest = count(whole.get(side))
    if rest is None:
        return None
    parts = sum(_of_parts(whole, side))
    total = count(whole.get("total"))
    sides = count(whole.get("input")), count(whole.get("output"))
    holds_parts = total is not None and total == sum(one or 0 for one in sides)
    return rest if holds_parts else rest + parts


def _of_parts(whole: dict[str, JsonValue], side: str) -> Iterator[int]:
    for name, value in whole.items():
        if name.startswith(f"{side}_") and (part := count(value)) is not None:
            yield part


def _first(whole: dict[str, JsonValue], known: Iterable[str]) -> int | None:
    numbers = (count(whole[name]) for name in known if name in whole)
    return next((number for number in numbers if number is not None), None)


def _unsplit(input_tokens: int | None, output_tokens: int | None, total: int) -> int | None:
    # With both sides known the total says nothing new; some count cached tokens apart in it.
    if input_tokens is not None and output_tokens is not None:
        return None
    rest = total - (input_tokens or 0) - (output_tokens or 0)
    nothing_else_is_known = input_tokens is None and output_tokens is None
    return rest if rest > 0 or (rest == 0 and nothing_else_is_known) else None


def _cost(attributes: Attributes) -> float | None:
    objects = [mapping(attributes.get(name)) for name in names(Meaning.COSTS)]
    holders: list[tuple[Attributes, dict[Meaning, tuple[str, ...]]]] = [
        (attributes, {meaning: names(meaning) for meaning in _COSTS})
    ]
    holders += [(inner, _COSTS) for inner in objects]
    for holder, named in holders:
        whole, *sides = (
            [money for name in named[meaning] if (money := amount(holder.get(name))) is not None]
            for meaning in _COSTS
        )
        if whole:
            return whole[0]
        if any(sides):
            return sum(side[0] for side in sides if side)
    return None
