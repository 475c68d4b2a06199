"""An artifact that unpacks to too much: who sits at a terminal is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.store.archive import packing
from tests.terminal.terminal import FLOW_TUI, Terminal, environment
from tests.unit.artifacts import claiming
from tests.unit.stores import one_run, opened


@pytest.mark.parametrize(
    ("typed", "said"),
    [("n", "x.luml was not opened"), ("y", "its database is shorter than it says")],
)
def test_who_is_there_is_asked(tmp_path: Path, typed: str, said: str) -> None:
    one_run(tmp_path / "store")
    with opened(tmp_path / "store") as store:
        whole = packing.write_artifact(store, "run-1", tmp_path / "whole.luml").path
    path = claiming(whole, tmp_path / "x.luml")
    with Terminal([*FLOW_TUI, "show", str(path)], environment(tmp_path / "home")) as terminal:
        terminal.wait_for("Unpack it all the same? [y/N]")
        terminal.send(f"{typed}\r")
        # As it was printed: the screen may break a long path anywhere.
        terminal.wait_for(lambda _: said.encode() in terminal.raw)
        assert terminal.wait_exit() == 1
