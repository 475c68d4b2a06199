"""What all pilots share: each test begins with nothing remembered."""

from __future__ import annotations

import pytest

from flowtui.person import STATE_VARIABLE


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what one test has the app remember from the next."""
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path_factory.mktemp("state")))
