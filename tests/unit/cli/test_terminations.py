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
