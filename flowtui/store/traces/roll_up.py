"""Tokens and cost of a trace, each counted once.

Agents, chains and frameworks repeat on their own span what their children took, so a plain sum
counts it twice or more. The lowest spans that carry usage are the calls themselves: a span's own
usage counts only where nothing below it carries any. Tokens and cost are told apart in this, since
some put the tokens on the call and the cost on its parent. Zeros do not hide what a parent says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from flowtui.store.genai.usage import Usage
from flowtui.store.traces.layout import NONE, laid_out, watched


def taken(
    ids: Sequence[str], parent_ids: Sequence[str | None], own: Mapping[int, Usage]
) -> Usage | None:
    """Return what a trace took, None where no span of it carries usage.

    Args:
        ids: of its spans, by row.
        parent_ids: by row.
        own: what the spans themselves carry, by row.
    """
    if not own:
        return None
    layout = laid_out(ids, parent_ids, [0] * len(ids))
    at_places = {at: own[row] for at, row in enumerate(layout.rows) if row in own}
    roots = (at for at, parent in enumerate(layout.parents) if parent == NONE)
    return summed(roots, rolled_up(layout.parents, at_places))


def rolled_up(parents: Sequence[int], own: Mapping[int, Usage]) -> dict[int, Usage]:
    """Return what each place of a layout took with all below it, where that is anything.

    Args:
        parents: by place; see `Layout`.
        own: what the spans themselves carry, by place.
    """
    found: dict[int, Usage] = {}
    for at in watched(range(len(parents) - 1, -1, -1)):
        usage = lowest(found.get(at), own.get(at))
        if usage is None:
            continue
        found[at] = usage
        if (parent := parents[at]) != NONE:
            found[parent] = found[parent] + usage if parent in found else usage
    return found


def summed(places: Iterable[int], usages: Mapping[int, Usage]) -> Usage | None:
    """Return what some places took together, None where that is nothing."""
    total: Usage | None = None
    for at in places:
        if (usage := usages.get(at)) is not None:
            total = usage if total is None else total + usage
    return total


def lowest(below: Usage | None, own: Usage | None) -> Usage | None:
    """Return what a span took with all below it: its own only counts where those say nothing."""
    if below is None or own is None:
        return own if below is None else below
    is_of_own_call = below.response_id is not None and below.response_id == own.response_id
    if is_of_own_call and below.is_repeated:
        # Another instrumentation's span of this very call, which counts here.
        return own
    tokens = below if below.has_tokens else own
    cost = below.cost if below.cost or own.cost is None else own.cost
    return tokens if tokens.cost == cost else tokens._replace(cost=cost)
