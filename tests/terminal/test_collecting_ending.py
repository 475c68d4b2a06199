"""However the app ends, the receiver that it started ends too, with what it was sent written."""

from __future__ import annotations

import http.client
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.terminal.conftest import Start
from tests.terminal.terminal import PATIENCE_S, Terminal
from tests.unit.otlp_samples import span, traces
from tests.unit.stores import one_run, until

AT_MOST_S = 5.0
"""A second, and what a busy machine adds."""
ENDPOINT = "http://127.0.0.1:"


def receivers(directory: Path) -> list[int]:
    """Return the ids of the processes that collect into a store."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--for-program" in words and str(directory).encode() in words:
            found.append(int(path.name))
    return found


def collecting(start: Start, directory: Path) -> Terminal:
    """Start the app and a receiver in it, and send one span, which is shown."""
    one_run(directory)
    terminal = start("run-1", "--tab", "traces", store=directory)
    terminal.wait_for("C Collect")
    terminal.send("C")
    terminal.wait_for(lambda text: ENDPOINT in text or "is taken" in text)
    if ENDPOINT not in terminal.text:
        # Somebody else on this machine has the usual port.
        terminal.send("y")
        terminal.wait_for(ENDPOINT)
    port = int(terminal.text.partition(ENDPOINT)[2].split()[0])
    data = traces(span(1)).SerializeToString()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as to:
        to.request("POST", "/v1/traces", data, {"content-type": "application/x-protobuf"})
        assert to.getresponse().status == 200
    terminal.wait_for(f"⇣ {port}  1 span")
    assert len(receivers(directory)) == 1
    return terminal


def assert_nothing_is_left(directory: Path) -> None:
    until(lambda: receivers(directory) == [], "the end of the receiver")
    with closing(sqlite3.connect(directory / "run-1" / "exp.db")) as connection:
        assert connection.execute("select count(*) from spans").fetchone() == (1,)
    assert {path.name for path in (directory / "run-1").glob("exp.db*")} == {"exp.db"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_both(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    terminal = collecting(start, tmp_path / "store")
    terminal.signal(number)
    assert terminal.wait_exit(AT_MOST_S) == 128 + number
    assert terminal.attributes() == terminal.attributes_before
    assert_nothing_is_left(tmp_path / "store")


def test_a_terminal_that_goes_away_ends_both(start: Start, tmp_path: Path) -> None:
    terminal = collecting(start, tmp_path / "store")
    terminal.hang_up()
    # Python makes it 120 where there is nothing left to flush its output to.
    assert terminal.wait_exit(AT_MOST_S) in (128 + signal.SIGHUP, 120)
    assert_nothing_is_left(tmp_path / "store")


def test_an_app_that_is_killed_leaves_no_receiver(start: Start, tmp_path: Path) -> None:
    terminal = collecting(start, tmp_path / "store")
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.wait_exit(AT_MOST_S)
    assert_nothing_is_left(tmp_path / "store")


@pytest.mark.parametrize("key", ["q", "\x03"], ids=["q", "ctrl-c"])
def test_a_key_asks_and_then_ends_both(start: Start, tmp_path: Path, key: str) -> None:
    terminal = collecting(start, tmp_path / "store")
    terminal.send(key)
    terminal.wait_for("Spans are being collected.")
    terminal.send("c")
    assert terminal.wait_exit(AT_MOST_S) == 0
    assert receivers(tmp_path / "store") == []
    assert_nothing_is_left(tmp_path / "store")
