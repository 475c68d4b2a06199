"""Fixtures of the tests on a pty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import open_store
from tests.terminal.slow_link import Link, SlowTerminal
from tests.terminal.terminal import FLOW_TUI, Terminal, environment
from tests.unit.stores import held

Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path, demo_directory: Path) -> Iterator[Start]:
    """Starts flow-tui on a pty with a store (the demo, unless one is given) and a home of its own.

    Keyword arguments are `store`, `columns`, `lines`, `link` (which makes it a `SlowTerminal`), and
    variables of the environment.
    """
    with ExitStack() as terminals:

        def start_one(
            *arguments: object,
            store: Path = demo_directory,
            columns: int = 120,
            lines: int = 40,
            link: Link | None = None,
            **variables: str | None,
        ) -> Terminal:
            command = [*FLOW_TUI, *map(str, arguments), "--store", str(store)]
            environ = environment(tmp_path / "home", **variables)
            make = Terminal if link is None else partial(SlowTerminal, link=link)
            return terminals.enter_context(make(command, environ, columns, lines, tmp_path))

        yield start_one


@pytest.fixture
def active_run(demo_directory: Path) -> Iterator[None]:
    """Have a process hold the demo's active run, which reads as live then."""
    store = open_store(demo_directory)
    database = store.resolve("llama-lora-sft").database.path
    database.touch()
    with held(database):
        yield
