"""Kill -9 while two processes write into a store (longer: `bench/soak.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terminal.killing import kill_while_writing


@pytest.mark.parametrize("seed", [0, 1], ids=["the training", "the app"])
def test_nothing_is_lost_when_one_is_killed(demo_copy: Path, tmp_path: Path, seed: int) -> None:
    assert kill_while_writing(demo_copy, "support-agent-v3", tmp_path / "home", seed) == []
