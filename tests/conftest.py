"""What all tests share: one demo store, a stopped clock, a home of their own, snapshots/."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pytest_textual_snapshot import SVGImageExtension

from flowtui.app.crash import Crashes
from flowtui.demo import make_demo
from flowtui.store.schema import create
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation

# How long an example takes says how busy the machine is. `--hypothesis-profile soak` tries more of
# them where a test does not say how many.
settings.register_profile("ci", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", settings.get_profile("ci"), max_examples=5_000)
settings.load_profile("ci")

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"
NOW = datetime(2026, 6, 15, 9, 30, tzinfo=UTC)
"""When the demo store was made, and what time it is in tests that stop the clock."""

# syrupy would write beside the tests; the README takes its pictures from the top of the tree.
SVGImageExtension.dirname = classmethod(  # type: ignore[method-assign]
    lambda cls, *, test_location: str(SNAPSHOTS / test_location.basename)
)


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    """Undo what a command that runs in this process does for the rest of a process.

    It ends one that does not come to handle a signal; a later test that sends itself one would end
    the process of the tests.
    """
    heeded = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = [(number, signal.getsignal(number)) for number in heeded]
    yield
    for number, handler in before:
        if signal.getsignal(number) is not handler:
            signal.signal(number, handler)


@pytest.fixture(autouse=True, scope="session")
def _same_everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the tests a time zone, colours and a home that no machine's settings change."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # As in a script's background: programs that tests start would be deaf to Ctrl+C too.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            # As below `nohup`, which they would all inherit.
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        for name in ("LUML_BACKEND_STORE_URI", "BACKEND_STORE_URI", "NO_COLOR", "TMUX", "STY",
                     "LC_ALL", "LC_CTYPE", "FLOW_TUI_CONFIG"):  # fmt: skip
            patch.delenv(name, raising=False)
        for name in [
            name for name in os.environ if name.startswith(("SSH_", "XDG_", "FLOW_TUI_U"))
        ]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("TZ", "UTC")
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLORTERM", "truecolor")
        patch.setenv("LANG", "C.UTF-8")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture(autouse=True)
def noted_errors(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """The errors that apps in this process went on after, which fail a test that leaves any."""
    errors: list[BaseException] = []
    note = Crashes.note

    def noted(crashes: Crashes, error: BaseException) -> str:
        errors.append(error)
        return note(crashes, error)

    monkeypatch.setattr(Crashes, "note", noted)
    yield errors
    if errors:
        raise AssertionError(f"an error was told in the app: {errors}") from errors[0]


@pytest.fixture(autouse=True, scope="session")
def _no_waiting_for_the_disk() -> Iterator[None]:
    """Make stores without waiting until the disk has them: no test outlasts the machine.

    Thousands of commits would wait for it, for longer than all tests of the store compute.
    """
    with pytest.MonkeyPatch.context() as patch:
        opened = create._open
        patch.setattr(
            create, "_open", lambda path, mode, _durable, logs: opened(path, mode, False, logs)
        )
        yield


@pytest.fixture(scope="session")
def demo_directory(_same_everywhere: None) -> Path:
    """The demo store, as it is for everyone; tests that write take `demo_copy`."""
    directory = Path.home() / "experiments"
    make_demo(directory, NOW)
    return directory


@pytest.fixture
def demo_copy(demo_directory: Path, tmp_path: Path) -> Path:
    """The demo store to write into."""
    return Path(shutil.copytree(demo_directory, tmp_path / "experiments"))


@pytest.fixture
def demo(demo_directory: Path) -> Iterator[Store]:
    """The demo store, opened."""
    store = open_store(demo_directory)
    yield store
    store.close()


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Stop the clock at `NOW`."""
    monkeypatch.setattr("flowtui.clock.now", lambda: NOW)
    return NOW


def open_store(directory: Path) -> Store:
    """Open a store as the command line does."""
    return Store(StoreLocation(directory, "--store"))


def pytest_configure(config: pytest.Config) -> None:
    """Run the slow tests of a file that is named: whoever names it means all of it."""
    given = config.invocation_params.args
    is_worker = hasattr(config, "workerinput")
    if any(".py" in str(name) for name in config.args) and "-m" not in given and not is_worker:
        config.option.markexpr = ""


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Return a name for bytes: packed ones hold the time, and every worker must say the same."""
    return f"{argname}-bytes" if isinstance(val, bytes) else None
