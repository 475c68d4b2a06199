"""A signal ends an upload as it ends everything else: at once, and with nothing left behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.terminal.conftest import Start
from tests.unit.fake_registry import KEY, SIGNATURE, served
from tests.unit.stores import until, writer

AT_MOST_S = 5.0
"""A second, and what a busy machine adds."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_an_upload(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    with writer(tmp_path / "store") as made:
        made.start_run("run-1", "run-1")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with served() as fake:
        fake.faults.puts = ["stall"]
        terminal = start(
            "run-1",
            store=tmp_path / "store",
            LUML_API_KEY=KEY,
            LUML_BASE_URL=fake.url,
            TMPDIR=str(scratch),
        )
        terminal.wait_for("not uploaded")
        terminal.send("U")
        terminal.wait_for("Lab / Vision / Baselines")
        terminal.wait_for("not uploaded before")
        terminal.send("\x13")
        until(fake.stalled.is_set, "the upload")
        assert len(list(scratch.iterdir())) == 1
        terminal.signal(number)
        assert terminal.wait_exit(AT_MOST_S) == 128 + number
        until(lambda: fake.statuses() in ([], ["upload_failed"]), "the entry's end")
        assert list(scratch.iterdir()) == []
        raw = terminal.raw.decode()
        assert KEY not in raw
        assert SIGNATURE not in raw
