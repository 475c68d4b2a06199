"""A cache folder of its own for each test, and sources opened as the command line does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flowtui.sources import private_store, recognising
from flowtui.sources.private_store import SourceStore, open_source

WRITTEN = Path(__file__).parent / "written"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOW_TUI_CACHE", str(tmp_path / "cache"))


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests change files and read them again at once."""
    monkeypatch.setattr(private_store, "_LOOK_AGAIN_S", 0.0)


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[str], Path]:
    """Copies what a tool wrote, so that a test may change it."""

    def copied(name: str) -> Path:
        source, target = WRITTEN / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)
        return target

    return copied


@pytest.fixture
def opened() -> Iterator[Callable[[Path], SourceStore]]:
    """Opens a path, and reads the runs that are asked for to their ends."""
    stores: list[SourceStore] = []

    def open_path(path: Path) -> SourceStore:
        source = recognising.recognise(path)
        assert source is not None
        stores.append(open_source(source, waits=True))
        return stores[-1]

    yield open_path
    for store in stores:
        store.close()
