"""Kill -9 before each step of deleting, restoring and emptying: no run is ever lost or halved.

A step is a statement of SQL, or whatever changes a folder. A process of its own forks before each
trial, so that the modules are loaded once.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.store.care import trash
from tests.unit.store.test_trash import LATER, filled, rows
from tests.unit.store.test_trash import files as files_of
from tests.unit.stores import opened

MOST_STEPS = 80
_TRIALS = """
import os, signal, sys
from datetime import datetime, timezone
from pathlib import Path
from flowtui.store import transaction
from flowtui.store.care import trash
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation

what, places = sys.argv[1], sys.argv[2:]
CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir"}
connect = transaction._connect


def try_out(place, steps):
    left = steps

    def step(*_):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event, arguments):
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
        if event in CHANGES or writes:
            step()

    def traced(database):
        connection = connect(database)
        connection.set_trace_callback(step)
        return connection

    transaction._connect = traced
    store = Store(StoreLocation(Path(place), "a test"))
    sys.addaudithook(hook)
    if what == "delete":
        trash.delete(store, "run-1", datetime(2026, 6, 1, 13, tzinfo=timezone.utc))
    elif what == "restore":
        trash.restore(store, "run-1")
    else:
        trash.empty(store)


for steps, place in enumerate(places):
    child = os.fork()
    if not child:
        try_out(place, steps)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status):
        print("done" if os.WEXITSTATUS(status) == 0 else "failed", steps)
        break
"""


@pytest.mark.parametrize("what", ["delete", "restore", "empty"])
def test_a_kill_at_any_step_leaves_a_run_that_is_whole(tmp_path: Path, what: str) -> None:
    begun = filled(tmp_path / "begun")
    rows_before, files_before = rows(begun), files_of(begun)
    if what != "delete":
        with opened(begun) as store:
            trash.delete(store, "run-1", LATER)
    places = [tmp_path / f"store-{steps}" for steps in range(MOST_STEPS)]
    for place in places:
        shutil.copytree(begun, place, symlinks=True)
    command = [sys.executable, "-c", _TRIALS, what, *map(str, places)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == "done"
    count = int(said[1])
    assert count > 5
    outcomes = set()
    for place in places[:count]:
        with closing(sqlite3.connect(place / "meta.db")) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        with opened(place) as store:
            found = trash.trashed_runs(store)
            outcomes.add(tuple((one.is_interrupted, bool(one.why_not)) for one in found))
            if what == "empty":
                # What is left of a run that was being removed is never offered as that run.
                if found and not found[0].why_not:
                    trash.restore(store, "run-1")
                    assert (rows(place), files_of(place)) == (rows_before, files_before)
                    continue
                trash.empty(store)
                assert not (place / ".trash").exists()
                continue
            for one in found:
                trash.restore(store, one.id)
        # A file of rows that was not used yet may stay; the next deletion writes it anew.
        kept = {name: data for name, data in files_of(place).items() if "deleted.json" not in name}
        assert (rows(place), kept) == (rows_before, files_before)
    if what == "empty":
        assert outcomes >= {((False, False),), ((False, True),)}
    else:
        # Before it moved, or after it came back; and between the rows and the folder.
        assert outcomes >= {(), ((True, False),)}
