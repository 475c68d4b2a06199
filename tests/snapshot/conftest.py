"""Pictures are taken when the screen stays as it is, whatever a test has waited for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from tests.pilot.conftest import own_state as own_state
from tests.pilot.conftest import quick_keys as quick_keys
from tests.pilot.pilot import still


@pytest.fixture(autouse=True)
def _steady_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no cursor blink: a picture would have it or not, by when it is taken."""
    for kind in (Input, TextArea):
        monkeypatch.setattr(kind.__dict__["cursor_blink"], "_default", False)


@pytest.fixture
def snap_compare(snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    def compare(
        app: App[None],
        terminal_size: tuple[int, int],
        run_before: Callable[[Pilot[None]], Awaitable[None]],
    ) -> bool:
        async def before(pilot: Pilot[None]) -> None:
            await run_before(pilot)
            await still(pilot)

        return snap_compare(app, terminal_size=terminal_size, run_before=before)

    return compare
