"""Random bytes typed into a real terminal (longer: `bench/soak.py --pty`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.stores import BIG, SMALL_SIZES, make
from tests.conftest import open_store
from tests.terminal.hostile import make_hostile
from tests.terminal.monkey import Session, let_loose

pytestmark = pytest.mark.slow

GOES = 60
"""As much as fits into some seconds."""


@pytest.mark.parametrize(("name", "seed"), [("support-agent-v3", 1), ("resnet50-cosine", 2)])
def test_random_bytes_on_the_demo_do_no_harm(
    demo_copy: Path, tmp_path: Path, name: str, seed: int
) -> None:
    run = open_store(demo_copy).resolve(name).id
    assert let_loose(Session(demo_copy, run, tmp_path / "home", GOES), seed) == []


def test_random_bytes_on_a_large_run_do_no_harm(tmp_path: Path) -> None:
    store = make(tmp_path, SMALL_SIZES)
    assert let_loose(Session(store, BIG, tmp_path / "home", GOES), 3) == []


def test_random_bytes_on_a_hostile_run_do_no_harm(tmp_path: Path) -> None:
    make_hostile(tmp_path / "store", "run-1")
    assert let_loose(Session(tmp_path / "store", "run-1", tmp_path / "home", GOES), 4) == []
