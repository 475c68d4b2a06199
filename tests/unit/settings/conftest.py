"""What the tests of the settings share: a file of their own, with nothing remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flowtui.person import STATE_VARIABLE
from flowtui.settings.settings import PATH_VARIABLE, settings
from flowtui.settings.values import Settings

Write = Callable[[str | bytes], Settings]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the file, which is not there."""
    path = tmp_path / "config.toml"
    monkeypatch.setenv(PATH_VARIABLE, str(path))
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "state"))
    return path


@pytest.fixture
def write(config: Path) -> Write:
    """Writes the file, and returns what it says."""

    def write(text: str | bytes) -> Settings:
        config.unlink(missing_ok=True)
        config.write_bytes(text.encode() if isinstance(text, str) else text)
        return settings()

    return write
