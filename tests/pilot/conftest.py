"""What all pilots share: each test begins with nothing remembered."""

from __future__ import annotations

import pytest

from flowtui.person import STATE_VARIABLE
from tests.pilot.pilot import after_a_key


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait after each key for what it does, not for a time."""
    monkeypatch.setattr("textual.app.wait_for_idle", after_a_key)
    monkeypatch.setattr("textual.pilot.wait_for_idle", after_a_key)


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what one test has the app remember from the next."""
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path_factory.mktemp("state")))
