"""`flow-tui PATH` and `flow-tui import`: the one door, and runs that stay."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowtui.cli import sources
from flowtui.cli.opening import Opening
from flowtui.cli.stores import RunsAtPath, open_run, open_store
from flowtui.screens.may_write import why_not_annotated, why_not_uploaded
from flowtui.sources import places
from flowtui.sources.private_store import SourceStore
from flowtui.store.errors import DatabaseReadOnly, StoreNotFound
from flowtui.store.schema import EvalAnnotationRow, EvalRow, StoreWriter
from flowtui.store.store import Store
from flowtui.store.transaction import write
from flowtui.store.values import StoreLocation
from flowtui.widgets.host import Options
from tests.sources.conftest import WRITTEN
from tests.sources.reading import names, points

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TENSORBOARD = str(WRITTEN / "tensorboard")
Opened = Callable[[Path], SourceStore]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "luml"


def imported(*names: str, store: Path, links: bool = False) -> Store:
    sources.import_runs(TENSORBOARD, names, str(store), "mine", links=links)
    return Store(StoreLocation(store, "a test"))


def test_an_imported_run_has_what_its_source_has(
    store: Path, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    there = imported("resnet", store=store).resolve("resnet")
    here = opened(Path(TENSORBOARD)).resolve("resnet")
    assert points(there) == points(here)
    assert names(there) == names(here)
    assert there.row.group_name == "mine"
    assert capsys.readouterr().out == f"{here.id}  resnet  added\n"


def test_importing_again_updates_and_keeps_what_people_said(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = imported("resumed", store=store).resolve("resumed")
    with StoreWriter(store) as writer, writer.experiment(run.id) as experiment:
        experiment.evals([EvalRow(dataset_id="d", id="s", inputs={"a": 1})])
        said = EvalAnnotationRow(
            dataset_id="d", eval_id="s", name="good", kind="feedback", value=True, user="me"
        )
        experiment.eval_annotations([said])
        experiment.metrics([("not in the source", 1.0, 1, NOW)])
    again = imported("resumed", store=store).resolve("resumed")
    assert set(points(again)) == {"loss"}
    count = again.database.read(
        lambda db: db.execute("select count(*) from eval_annotations").fetchone()
    )
    assert tuple(count) == (1,)
    assert capsys.readouterr().out.endswith("updated\n")


def test_attachments_are_linked_where_that_works(store: Path) -> None:
    run = imported("resnet", store=store, links=True).resolve("resnet")
    assert os.stat(run.files.path("images/sample/step-000007.png")).st_nlink == 2


def test_nothing_is_written_into_a_private_store_and_the_reason_names_import(
    opened: Opened,
) -> None:
    shown = opened(Path(TENSORBOARD))
    run = shown.resolve("resnet")
    assert "flow-tui import" in why_not_annotated(shown, Options(user="me"))
    assert "flow-tui import" in why_not_uploaded(shown, Options())
    with pytest.raises(DatabaseReadOnly, match="flow-tui import"):
        write(run.database, lambda db: db.execute("delete from static_params"))


def test_what_was_not_opened_for_the_longest_time_goes_for_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: Opened
) -> None:
    folders = [tmp_path / name for name in ("old", "new")]
    for folder in folders:
        shutil.copytree(TENSORBOARD, folder)
        opened(folder).settle()
    assert len(list(places.directory().iterdir())) == 2
    monkeypatch.setattr(places, "MAX_BYTES", 1)
    opened(folders[1]).settle()
    assert len(list(places.directory().iterdir())) == 2, "nothing was added"
    os.utime(next((folders[1] / "resnet").iterdir()))
    opened(folders[1]).settle()
    (kept,) = places.directory().iterdir()
    assert str(folders[1]) in (kept / "source.json").read_text()


def test_a_path_is_a_run_where_it_has_one_and_else_names_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert open_run(f"{TENSORBOARD}/keras", None)[1].name == "train"
    assert open_run(f"{TENSORBOARD}::keras/train", None)[1].name == "keras/train"
    with pytest.raises(RunsAtPath) as raised:
        open_run(TENSORBOARD, None)
    assert len(raised.value.matches) == 3
    _, run = Opening(TENSORBOARD)._opened()
    assert run is None
    assert open_store(TENSORBOARD).directory == Path(TENSORBOARD)


def test_what_is_not_known_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFound) as raised:
        open_run(str(tmp_path), None)
    assert any("TensorBoard" in line for line in raised.value.ways)


def test_a_folder_without_a_store_says_what_is_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "runs").symlink_to(TENSORBOARD)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(StoreNotFound) as raised:
        open_store(None)
    assert raised.value.ways[0] == "flow-tui runs   opens 3 runs of TensorBoard"


def test_a_private_store_is_private_and_goes_when_it_is_cleared(opened: Opened) -> None:
    opened(Path(TENSORBOARD))
    (folder,) = places.directory().iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    with places.PrivatePlace(folder).writing(waits=False):
        places.clear()
        assert folder.exists(), "a process writes it"
    places.clear()
    assert list(places.directory().iterdir()) == []


def test_without_a_log_on_a_shared_disk(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places.PrivatePlace, "may_log", False)
    run = opened(Path(TENSORBOARD)).resolve("resnet")
    assert points(run)["best"] == [(0, "0.5")]
    mode = run.database.read(lambda db: db.execute("pragma journal_mode").fetchone()[0])
    assert mode == "delete"
