"""Calls of models that two instrumentations reported, each counted once.

An agent's framework and the package of the provider often make a span each for one call, beside or
below one another. Both carry the id of the response, but an id alone proves nothing: stub servers
and caches answer many calls with one. So two spans are one call only where also what they used
agrees, their times overlap, and different instrumentations made them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from flowtui.store.genai.dialects import DIALECTS
from flowtui.store.genai.usage import COUNTED_ELSEWHERE, Usage

K = TypeVar("K")
_AT_ONCE = 64
"""With more spans of one response at once than these a span is not compared."""
_TOKENS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_creation_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "output_audio_tokens",
)
_COUNTS = (*_TOKENS, "cost")


def counted_once(
    usages: Mapping[K, Usage], times_ns: Callable[[K], tuple[int, int]]
) -> Mapping[K, Usage]:
    """Return what spans took, with nothing in the place of what another span of the call says.

    Of several spans the one that begins last has it all, which is the lowest; the others keep their
    place (`Usage.is_repeated`), so that a parent's sum does not come back in their stead.

    Args:
        usages: by any key, of the spans of one trace.
        times_ns: returns the start and the end of a span by its key.
    """
    ids = [one.response_id for one in usages.values() if one.response_id is not None]
    if len(set(ids)) == len(ids):
        return usages
    by_response: dict[str, list[K]] = {}
    for key, one in usages.items():
        if one.response_id is not None:
            by_response.setdefault(one.response_id, []).append(key)
    counted = dict(usages)
    for found in by_response.values():
        _count_once(counted, {key: times_ns(key) for key in found})
    return counted


def _count_once(counted: dict[K, Usage], times: Mapping[K, tuple[int, int]]) -> None:
    kept: list[tuple[K, set[str]]] = []
    for key in sorted(times, key=lambda one: (-times[one][0], times[one][1])):
        own, (_, end) = counted[key], times[key]
        for twin, makers in kept[-_AT_ONCE:]:
            other = counted[twin]
            if times[twin][0] <= end and own.maker not in makers and _is_same(own, other):
                makers.add(own.maker)
                counted[twin] = _filled(other, own)
                counted[key] = Usage(response_id=own.response_id, maker=COUNTED_ELSEWHERE)
                break
        else:
            kept.append((key, {own.maker}))


def _is_same(one: Usage, other: Usage) -> bool:
    """Say whether two spans with one response id and at one time report one call."""
    # A scope and a dialect do not tell whether one instrumentation made both.
    if (one.maker in DIALECTS) != (other.maker in DIALECTS):
        return False
    pairs = [(getattr(one, name), getattr(other, name)) for name in _TOKENS]
    known = [(mine, yours) for mine, yours in pairs if mine is not None and yours is not None]
    return bool(known) and all(mine == yours for mine, yours in known)


def _filled(one: Usage, other: Usage) -> Usage:
    """Return what one span says, and what only the other knows."""
    more = {
        name: getattr(other, name)
        for name in _COUNTS
        if getattr(one, name) is None and getattr(other, name) is not None
    }
    return one._replace(**more) if more else one
