"""The commands that the palette lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.dom import DOMNode
from textual.screen import Screen

from flowtui.app import themes
from flowtui.screens.dialogs.commands import Command
from flowtui.widgets.host import Host

NOT_LISTED = ("move.", "filter.", "review.digit_", "app.commands", "app.interrupt")
"""What the ids begin with of keys that only move, type an answer, or lead here or out."""


def commands(app: Host, screen: Screen[object]) -> Iterator[Command]:
    """Yield every action that a key starts on a screen, and the themes."""
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.id and binding.id not in seen and active.enabled:
            seen.add(binding.id)
            if binding.id.startswith(NOT_LISTED):
                continue
            run = partial(_run, app, binding.action, active.node)
            yield Command(binding.description, binding.tooltip, run)
    for name in themes.THEMES:
        use = partial(app.choose_theme, name)
        yield Command(f"Theme {name}", "Change the colours, here and from now on", use)


async def _run(app: Host, action: str, node: DOMNode) -> None:
    # The widget that had the focus may be gone by now.
    if node is app or node.is_attached:
        await app.run_action(action, node)
