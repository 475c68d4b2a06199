"""The order in which bindings are shown, also those whose keys a person has changed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from textual.binding import ActiveBinding, Binding
from textual.dom import DOMNode


class _Declared(NamedTuple):
    place: int
    keys: frozenset[str]


def as_declared(bindings: Iterable[ActiveBinding]) -> list[ActiveBinding]:
    """Return bindings in their order, those with other keys where they would be with their own.

    Textual puts these behind all others of their widget, where the footer has no room for them.
    """
    listed = list(bindings)
    changed = {active.node for active in listed if _is_changed(active)}
    if not changed:
        return listed
    nodes = {node: place for place, node in enumerate(dict.fromkeys(one.node for one in listed))}

    def place(active: ActiveBinding) -> tuple[int, int]:
        known = _declared(type(active.node)).get(active.binding.id or "")
        is_moved = active.node in changed
        return nodes[active.node], known.place if is_moved and known is not None else 0

    return sorted(listed, key=place)


def _is_changed(active: ActiveBinding) -> bool:
    known = _declared(type(active.node)).get(active.binding.id or "")
    return known is not None and active.binding.key not in known.keys


@cache
def _declared(node: type[DOMNode]) -> dict[str, _Declared]:
    """Return the bindings of a class and those above it, by id."""
    keys: dict[str, set[str]] = {}
    for base in reversed(node.__mro__):
        for binding in Binding.make_bindings(vars(base).get("BINDINGS", ())):
            if binding.id:
                keys.setdefault(binding.id, set()).add(binding.key)
    return {id: _Declared(place, frozenset(of)) for place, (id, of) in enumerate(keys.items())}
