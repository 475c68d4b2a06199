"""Commands that a signal ends: what they unpacked is gone, and a shell knows why they ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.cli.progress_line import Cancel, signals_as_cancel
from flowtui.store.archive import packing
from tests.unit.cli.test_cli_outside import PROGRAM
from tests.unit.stores import one_run, opened, until, writer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TIMEOUT_S = 60
STUCK = """
import sqlite3, sys
from pathlib import Path
from flowtui.cli.terminations import terminations_end_tidily
from flowtui.terminal.shutdown import before_the_end
copy = Path(sys.argv[1], "flow-tui-copy")
copy.touch()
before_the_end(copy.unlink)
with terminations_end_tidily():
    print("ready", flush=True)
    sqlite3.connect(":memory:").execute(
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    ).fetchone()
"""
IN_A_QUERY = """
import os, sys, threading
from pathlib import Path
from flowtui.cli.interrupts import interrupts_end_quietly
from flowtui.cli.telling import errors_as_one_line
from flowtui.cli.terminations import terminations_end_tidily
from flowtui.store.database import Database
at, number = sys.argv[2], int(sys.argv[3])
come = lambda: os.kill(os.getpid(), number)
def question(connection):
    if at == "function":
        connection.create_function("come", 0, come)
        return connection.execute("select come()").fetchone()
    threading.Timer(0.05, come).start()
    return connection.execute(
        "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    ).fetchone()
with interrupts_end_quietly(True), terminations_end_tidily(), errors_as_one_line():
    Database(Path(sys.argv[1]), "exp.db").read(question)
"""
BOTH = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """One whose points are more than a pipe holds."""
    one_run(tmp_path / "store")
    with writer(tmp_path / "store") as store, store.experiment("run-1") as run:
        run.metrics(("loss", 0.5, step, NOW) for step in range(20_000))
    with opened(tmp_path / "store") as store:
        return packing.write_artifact(store, "run-1", tmp_path / "x.luml").path


@contextmanager
def started(temporary: Path, *words: object) -> Iterator[subprocess.Popen[bytes]]:
    temporary.mkdir()
    pipe = subprocess.PIPE
    with subprocess.Popen(
        list(map(str, words)), env={"PATH": "/usr/bin:/bin", "TMPDIR": str(temporary)},
        stdout=pipe, stderr=pipe,
    ) as process:  # fmt: skip
        yield process


def ended(process: subprocess.Popen[bytes], number: signal.Signals) -> bytes:
    """Send a signal and return what is said on stderr; nobody reads what was printed before."""
    process.send_signal(number)
    assert process.wait(TIMEOUT_S) == 128 + number
    assert process.stderr is not None
    return process.stderr.read()


@BOTH
def test_nothing_that_was_unpacked_is_left(
    tmp_path: Path, artifact: Path, number: signal.Signals
) -> None:
    temporary = tmp_path / "temporary"
    words = [*PROGRAM, "metrics", artifact, "--csv"]
    with started(temporary, *words) as process:
        assert process.stdout is not None
        assert process.stdout.read(10)
        assert len(list(temporary.iterdir())) == 1
        assert ended(process, number) == b""
    assert list(temporary.iterdir()) == []


@BOTH
def test_a_query_that_does_not_end_holds_nothing_up(tmp_path: Path, number: signal.Signals) -> None:
    temporary = tmp_path / "temporary"
    with started(temporary, sys.executable, "-c", STUCK, temporary) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert ended(process, number) == b""
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("at", "number"),
    [
        ("function", signal.SIGTERM),
        ("function", signal.SIGINT),
        ("query", signal.SIGHUP),
        ("query", signal.SIGTERM),
    ],
)
def test_a_signal_in_the_middle_of_a_query_ends_it_without_a_word(
    tmp_path: Path, at: str, number: signal.Signals
) -> None:
    words = [sys.executable, "-c", IN_A_QUERY, str(one_run(tmp_path)), at, str(int(number))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", "")


def test_an_export_that_is_killed_tells_a_shell_by_what() -> None:
    cancel = Cancel()
    before = signal.getsignal(signal.SIGTERM)
    with signals_as_cancel(cancel):
        signal.raise_signal(signal.SIGTERM)
        assert cancel.is_set()
    assert cancel.exit_code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_that_is_ignored_stays_so(tmp_path: Path, artifact: Path) -> None:
    temporary = tmp_path / "temporary"
    script = 'trap "" HUP; exec "$@"'
    words = ["sh", "-c", script, "sh", *PROGRAM, "metrics", artifact, "--csv"]
    with started(temporary, *words) as process:
        assert process.stdout is not None
        assert process.stdout.read(10)
        process.send_signal(signal.SIGHUP)
        assert process.stdout.read().count(b"\n") == 20_000 + 1
        assert process.wait(TIMEOUT_S) == 0
    until(lambda: not list(temporary.iterdir()), "what was unpacked to be gone")
