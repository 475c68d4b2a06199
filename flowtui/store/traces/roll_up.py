"""Tokens and cost of a trace, each counted once.

Agents, chains and frameworks repeat on their own span what their children took, so a plain sum
counts it twice or more. The lowest spans that carry usage are the calls themselves: a span's own
usage counts only where nothing below it carries any. Tokens and cost are told apart in this, since
some put the tokens on the call and the cost on its parent. Zeros do not hide what a parent says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flowtui.store.genai.usage import Usage


@dataclass(frozen=True, slots=True)
class SpanUsage:
    """What rolling up needs of one span."""

    span_id: str
    parent_id: str | None
    """May name a span that is not there, the span itself, or one below it."""
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class RolledUp:
    """What a trace took, and each of its spans together with those below it."""

    total: Usage | None
    """None where no span carries usage."""
    by_span: dict[str, Usage]
    """By span id; a span without usage on it or below is not in here."""


def rolled_up(spans: Iterable[SpanUsage]) -> RolledUp:
    """Return the totals of the spans of one trace, in time linear in their number.

    A span whose parent is not there counts as a root. A ring of parents is cut at the span of it
    that comes first. Of several spans with one id the last counts.
    """
    by_id = {span.span_id: span for span in spans}
    parents = {
        span.span_id: span.parent_id
        for span in by_id.values()
        if span.parent_id is not None and span.parent_id in by_id and span.parent_id != span.span_id
    }
    order = _children_first(list(by_id), parents)
    below: dict[str, Usage] = {}
    by_span: dict[str, Usage] = {}
    total: Usage | None = None
    for span_id in order:
        taken = lowest(below.pop(span_id, None), by_id[span_id].usage)
        if taken is None:
            continue
        by_span[span_id] = taken
        parent = parents.get(span_id)
        if parent is None:
            total = taken if total is None else total + taken
        else:
            below[parent] = below[parent] + taken if parent in below else taken
    return RolledUp(total, by_span)


def _children_first(span_ids: list[str], parents: dict[str, str]) -> list[str]:
    """Return the spans so that each comes before its parent; cuts rings in `parents`."""
    waiting = dict.fromkeys(span_ids, 0)
    for parent in parents.values():
        waiting[parent] += 1
    order: list[str] = []
    ready = [span_id for span_id in span_ids if not waiting[span_id]]
    _take(ready, order, waiting, parents)
    # What still waits lies on a ring, and waits for its one child there alone.
    for span_id in span_ids:
        if waiting[span_id]:
            parent = parents.pop(span_id)
            waiting[parent] -= 1
            _take([parent], order, waiting, parents)
    return order


def _take(
    ready: list[str], order: list[str], waiting: dict[str, int], parents: dict[str, str]
) -> None:
    while ready:
        span_id = ready.pop()
        order.append(span_id)
        parent = parents.get(span_id)
        if parent is not None:
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)


def lowest(below: Usage | None, own: Usage | None) -> Usage | None:
    """Return what a span took with all below it: its own only counts where those say nothing."""
    if below is None or own is None:
        return own if below is None else below
    if below.is_repeated and below.response_id and below.response_id == own.response_id:
        # Another instrumentation's span of this very call, which counts here.
        return own
    tokens = below if below.has_tokens else own
    cost = below.cost if below.cost or own.cost is None else own.cost
    return tokens if tokens.cost == cost else replace(tokens, cost=cost)
