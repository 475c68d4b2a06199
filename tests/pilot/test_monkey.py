"""Random keys on stores of every kind that are written meanwhile (longer: `bench/soak.py`)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.bench.stores import BIG, SMALL_SIZES, make
from tests.conftest import open_store
from tests.pilot.monkey import let_loose
from tests.terminal.hostile import make_hostile

pytestmark = pytest.mark.slow

GOES = 12
"""How often the monkey presses some keys: as much as fits into two seconds."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a monkey saves, opens and copies end where nothing is lost."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("FLOW_TUI_OPENER", "true")
    monkeypatch.setenv("LUML_BASE_URL", "http://127.0.0.1:9")


@pytest.mark.parametrize(("run", "seed"), [("support-agent-v3", 1), ("llama-lora-sft", 2)])
async def test_random_keys_on_the_demo_do_no_harm(demo_copy: Path, run: str, seed: int) -> None:
    with closing(open_store(demo_copy)) as store:
        assert await let_loose(store, run, seed, GOES) == []


async def test_random_keys_on_a_large_run_do_no_harm(tmp_path: Path) -> None:
    with closing(open_store(make(tmp_path, SMALL_SIZES))) as store:
        assert await let_loose(store, BIG, 3, GOES) == []


async def test_random_keys_on_a_hostile_run_do_no_harm(tmp_path: Path) -> None:
    make_hostile(tmp_path / "store", "run-1")
    with closing(open_store(tmp_path / "store")) as store:
        assert await let_loose(store, "run-1", 4, GOES) == []
