"""An artifact at a terminal: who is there is asked, and nothing that was unpacked is left."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from flowtui.store.archive import packing
from tests.terminal.terminal import FLOW_TUI, Terminal, environment
from tests.unit.artifacts import claiming
from tests.unit.stores import one_run, opened


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    one_run(tmp_path / "store")
    with opened(tmp_path / "store") as store:
        return packing.write_artifact(store, "run-1", tmp_path / "whole.luml").path


@pytest.mark.parametrize(
    ("typed", "said"),
    [("n", "x.luml was not opened"), ("y", "its database is shorter than it says")],
)
def test_who_is_there_is_asked(tmp_path: Path, artifact: Path, typed: str, said: str) -> None:
    path = claiming(artifact, tmp_path / "x.luml")
    with Terminal([*FLOW_TUI, "show", str(path)], environment(tmp_path / "home")) as terminal:
        terminal.wait_for("Unpack it all the same? [y/N]")
        terminal.send(f"{typed}\r")
        # As it was printed: the screen may break a long path anywhere.
        terminal.wait_until(lambda: said.encode() in terminal.raw)
        assert terminal.wait_exit() == 1


@pytest.mark.parametrize("takes_bytes", [True, False])
def test_a_signal_leaves_nothing_that_was_unpacked(
    tmp_path: Path, artifact: Path, takes_bytes: bool
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environ = {**environment(tmp_path / "home"), "TMPDIR": str(temporary)}
    with Terminal([*FLOW_TUI, str(artifact)], environ) as terminal:
        terminal.wait_for("run-1")
        terminal.settle()
        assert len(list(temporary.iterdir())) == 1
        if not takes_bytes:
            terminal.stop_reading()
            for key in "?\x1b" * 40:
                terminal.send(key)
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit() == 128 + signal.SIGTERM
    assert list(temporary.iterdir()) == []
