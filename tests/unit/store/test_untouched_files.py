"""No code of the app opens a file of a database but through SQLite: closing it drops its locks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flowtui.screens.overview.model_files import model_source
from flowtui.store.archive.models import model_path
from flowtui.store.archive.values import ArtifactError
from flowtui.store.attachments.values import AttachmentRefused
from flowtui.store.values import Model
from tests.unit.store.mutants import make_sound
from tests.unit.stores import held, opened

# An audit hook stays for as long as its process, so it has one of its own. What a child does is
# not seen by it, and SQLite does not tell Python what it opens.
WATCHED = """
import os, sys
store, target = sys.argv[1:3]
opened = []

def note(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        name = os.path.basename(path)
        for ending in ("-wal", "-shm", "-journal"):
            name = name.removesuffix(ending)
        if name in ("exp.db", "meta.db") and path.startswith(os.path.realpath(store)):
            opened.append(path)

sys.addaudithook(note)
from contextlib import closing
from pathlib import Path
from tests.unit.store import mutants
wrong = [text for text in mutants.asked(Path(store)) if text]
from datetime import UTC, datetime
from flowtui.cli.doctor import findings
from flowtui.reports.runs import run_text
from flowtui.store.archive.packing import write_artifact
from flowtui.store.errors import StoreError
from flowtui.store.store import Store
from flowtui.store.values import StoreLocation
list(findings(os.environ, store, Path(store), Path(store)))
try:
    with closing(Store(StoreLocation(Path(store), "a test"))) as one:
        one.signs([one.resolve(mutants.RUN).row], datetime(2030, 1, 1, tzinfo=UTC))
        write_artifact(one, mutants.RUN, Path(target))
except StoreError as error:
    print(error)
wrong += [text for text in mutants.written(Path(store)) if text]
print("opened:", *opened, *wrong)
"""


def watched(store: Path, target: Path) -> str:
    command = [sys.executable, "-c", WATCHED, str(store), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("what", ["held", "a copy", "damaged"])
def test_all_that_is_asked_and_written_opens_nothing_by_hand(tmp_path: Path, what: str) -> None:
    store = make_sound(tmp_path / "store")
    database = store / "run-1" / "exp.db"
    if what == "a copy":
        database.with_name("exp.db-shm").unlink()
    elif what == "damaged":
        database.write_bytes(b"\xff" * 9000)
    if what == "held":
        with held(database, store / "meta.db"):
            said = watched(store, tmp_path / "run.luml")
    else:
        said = watched(store, tmp_path / "run.luml")
    assert said.splitlines()[-1] == "opened:"
    assert (tmp_path / "run.luml").exists() is (what != "damaged")


@pytest.mark.parametrize("path", ["meta.db", "run-1/exp.db", "run-1/exp.db-wal", "x/../meta.db"])
def test_a_model_that_is_said_to_be_a_database_is_opened_by_nobody(
    tmp_path: Path, path: str
) -> None:
    make_sound(tmp_path)
    model = Model("m", "model", None, (), path, None, None, None)
    with opened(tmp_path) as store:
        source = model_source(store, model)
        assert source is not None
        with pytest.raises(AttachmentRefused):
            source.resolve()
        with pytest.raises(ArtifactError, match="no file in the store"):
            model_path(store, model)
