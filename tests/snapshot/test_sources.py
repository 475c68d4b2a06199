"""How runs of other tools look: each as its tool left it, in the tabs that show most of it."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flowtui.app.app import FlowApp
from flowtui.sources import recognising
from flowtui.sources.private_store import SourceStore, open_source
from flowtui.widgets.host import Options
from tests.conftest import NOW
from tests.snapshot.test_screens import MIDDLE, Snap, keys
from tests.sources.conftest import WRITTEN

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOW_TUI_CACHE", str(tmp_path / "cache"))


@contextmanager
def opened(name: str) -> Iterator[SourceStore]:
    """Open what a tool wrote where it is in a home folder, written a week ago."""
    target = Path.home() / name
    if name == "mlflow.db":
        target.write_bytes(gzip.decompress((WRITTEN / "mlflow.db.gz").read_bytes()))
    else:
        shutil.copytree(WRITTEN / name, target)
    for path in [target, *target.rglob("*")]:
        os.utime(path, (NOW.timestamp() - 7 * 86_400,) * 2)
    source = recognising.recognise(target)
    assert source is not None
    store = open_source(source, waits=True)
    # The folder of a test has a name of its own each time.
    store.why_read_only = store.why_read_only.replace(str(Path.home()), "/home/ana")
    try:
        yield store
    finally:
        store.close()
        target.unlink() if target.is_file() else shutil.rmtree(target)


@pytest.mark.parametrize(
    ("name", "run", "tab"),
    [
        ("tensorboard", "resnet", "overview"),
        ("tensorboard", "resnet", "metrics"),
        ("wandb", "latest", "overview"),
        ("mlruns", "latest", "overview"),
        ("mlflow.db", "first", "traces"),
        ("inspect", "latest", "overview"),
        ("inspect", "latest", "evals"),
        ("trackio", "latest", "overview"),
    ],
)
def test_a_run_of_another_tool(snap_compare: Snap, name: str, run: str, tab: str) -> None:
    with opened(name) as store:
        app = FlowApp(store, store.resolve(run), Options(tab=tab, user="ana"))
        assert snap_compare(app, terminal_size=MIDDLE, run_before=keys())


@pytest.mark.parametrize("name", ["tensorboard", "inspect"])
def test_runs_of_another_tool(snap_compare: Snap, name: str) -> None:
    with opened(name) as store:
        store.settle()
        app = FlowApp(store, None, Options(user="ana"))
        assert snap_compare(app, terminal_size=MIDDLE, run_before=keys())
