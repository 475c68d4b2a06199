"""What the command palette lists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.app import App, SystemCommand
from textual.screen import Screen

from flowtui.app import themes


def commands(app: App[None], screen: Screen[object]) -> Iterator[SystemCommand]:
    """Yield every action that a key starts on a screen, and the themes."""
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.id and binding.id not in seen and active.enabled:
            seen.add(binding.id)
            run = partial(app.run_action, binding.action, active.node)
            yield SystemCommand(binding.description, binding.tooltip, run)
    for name in themes.THEMES:
        use = partial(setattr, app, "theme", name)
        yield SystemCommand(f"Theme {name}", "Change the colours", use)
