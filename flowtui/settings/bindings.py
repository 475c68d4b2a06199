"""All key bindings of the app, by the ids under which config.toml changes their keys.

An id stands for one action, though several classes may bind it: `move.down` is that of all lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

from textual.binding import Binding
from textual.dom import DOMNode

ROOMS = ("flowtui.app", "flowtui.screens", "flowtui.widgets")


def bound() -> Iterator[tuple[type[DOMNode], Binding]]:
    """Yield each class with each binding of its own, as it is declared; imports all screens."""
    seen: set[type[DOMNode]] = set()
    for room in ROOMS:
        package = import_module(room)
        for module in walk_packages(package.__path__, f"{room}."):
            for node in vars(import_module(module.name)).values():
                if _declares(node) and node not in seen:
                    seen.add(node)
                    yield from ((node, binding) for binding in _own(node))


def _declares(node: object) -> bool:
    return (
        isinstance(node, type)
        and issubclass(node, DOMNode)
        and node.__module__.startswith(ROOMS)
        and "BINDINGS" in vars(node)
    )


def _own(node: type[DOMNode]) -> Iterator[Binding]:
    for binding in vars(node)["BINDINGS"]:
        yield binding if isinstance(binding, Binding) else Binding(*binding)
