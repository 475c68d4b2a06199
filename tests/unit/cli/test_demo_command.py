"""The demo store as `flow-tui demo` keeps it: made once, made whole, made anew only if asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flowtui import __version__
from flowtui.cli import demo
from flowtui.cli.demo import DemoFailed, demo_store
from flowtui.reports.usage import WrongUsage
from tests.unit.stores import contents, execute, until

pytestmark = pytest.mark.slow

MAKE = "import sys; from pathlib import Path; from flowtui.cli import demo as d; "
STALL = MAKE + (
    "import time; import flowtui.demo as m; whole = m.make_demo\n"
    "def slow(*a):\n    whole(*a); print('ready', flush=True); time.sleep(600)\n"
    "m.make_demo = slow; d.demo_store(Path(sys.argv[1]))"
)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def names(cache: Path) -> set[str]:
    return {path.name for path in cache.iterdir()} - {"demo.lock"}


def annotate(store: Path) -> None:
    execute(store / "meta.db", "update experiments set description = 'mine'")


def test_it_is_made_once_and_kept(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = demo_store(cache)
    assert capsys.readouterr() == ("", "Making the demo store\n")
    annotate(store)
    before = contents(store)
    assert demo_store(cache) == store
    assert contents(store) == before
    assert capsys.readouterr() == ("", "")


def test_it_is_made_anew_only_after_asking(cache: Path) -> None:
    store = demo_store(cache)
    annotate(store)
    before = contents(store)
    with pytest.raises(WrongUsage, match="--yes"):
        demo_store(cache, reset=True)
    assert contents(store) == before
    demo_store(cache, reset=True, yes=True)
    assert contents(store)["meta.db"] != before["meta.db"]
    assert names(cache) == {store.name}


def test_one_that_was_cut_off_is_no_store_and_is_cleaned_up(cache: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", STALL, cache], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)
    assert len(names(cache)) == 1
    # What the versions left that had no lock.
    (cache / "demo-999999999" / "models").mkdir(parents=True)
    (cache / f"demo-{os.getpid()}").mkdir()
    store = demo_store(cache)
    assert names(cache) == {store.name, f"demo-{os.getpid()}"}


def test_two_at_once_make_one(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []
    may_go_on = threading.Event()
    make = demo._make

    def slowly(directory: Path) -> None:
        made.append(directory)
        may_go_on.wait(20)
        make(directory)

    monkeypatch.setattr(demo, "_make", slowly)
    first = threading.Thread(target=demo_store, args=(cache,))
    first.start()
    until(lambda: made, "the first")
    second = subprocess.Popen(
        [sys.executable, "-c", MAKE + "d.demo_store(Path(sys.argv[1]))", cache]
    )
    may_go_on.set()
    first.join()
    assert second.wait(20) == 0
    assert names(cache) == {f"demo-{__version__}"}


def test_of_old_versions_only_what_nobody_changed_is_removed(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("0.0.1", "0.0.2"):
        monkeypatch.setattr(demo, "__version__", version)
        demo_store(cache)
    # The second removed the first, since nobody had changed it.
    assert names(cache) == {"demo-0.0.2"}
    annotate(cache / "demo-0.0.2")
    monkeypatch.setattr(demo, "__version__", "0.0.3")
    demo_store(cache)
    assert names(cache) == {"demo-0.0.2", "demo-0.0.3"}


def test_a_store_that_lost_its_runs_is_made_again(cache: Path) -> None:
    (demo_store(cache) / "meta.db").unlink()
    assert (demo_store(cache) / "meta.db").is_file()
    assert names(cache) == {f"demo-{__version__}"}


def test_where_it_cannot_be_made_that_is_said(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DemoFailed, match="cannot be made in"):
        demo_store(cache)


def test_what_it_is_made_of_is_noted(cache: Path) -> None:
    store = demo_store(cache)
    noted = json.loads((store / "made.json").read_text())
    assert {path for path in contents(store) if (store / path).is_file()} - {"made.json"} == set(
        noted
    )
