"""What is measured with: flow-tui on a pty of its own, on a store, so often and so long."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tests.terminal.terminal import FLOW_TUI, Terminal, environment

HELLO = (sys.executable, "-m", "tests.bench.hello")
HELLO_TEXT = "hello, world"


@dataclass(frozen=True, slots=True)
class Bench:
    """What to measure with: a store, how often, how long."""

    store: Path
    rounds: int
    seconds: float
    home: Path

    def terminal(self, *command: str) -> Terminal:
        """Start a command in a terminal of 120 by 40."""
        return Terminal(command, environment(self.home))

    def flow(self, run: str, tab: str = "overview") -> Terminal:
        return self.terminal(*FLOW_TUI, run, "--store", str(self.store), "--tab", tab)

    @contextmanager
    def on_copy(self) -> Iterator[Self]:
        """Give the same on a copy of the store, to write into."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copytree(self.store, Path(folder) / "store"))
            yield replace(self, store=copy)
