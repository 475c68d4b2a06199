"""Uploading from within the app, against a registry on the loopback."""

from __future__ import annotations

import logging
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from flowtui.app.app import FlowApp
from flowtui.cli.export import export
from flowtui.cli.stores import open_store
from flowtui.registry import http
from flowtui.screens.upload.key import KeyScreen
from flowtui.screens.upload.lists import PickList
from flowtui.screens.upload.progress import LeaveScreen, ProgressScreen
from flowtui.screens.upload.screen import UploadScreen
from flowtui.store import models as logged_models
from flowtui.store import runs as run_rows
from flowtui.store import uploaded
from flowtui.store.store import Store
from flowtui.widgets.host import Options
from tests.conftest import open_store as store_at
from tests.pilot.pilot import opened, screen_text, settled, until
from tests.unit import fake_registry
from tests.unit.fake_registry import KEY, PART_BYTES, SIGNATURE, FakeRegistry, served
from tests.unit.stores import model_file, writer

QUICK = http.RequestPatience(tries=2, first_pause_s=0.001, longest_pause_s=0.002)
IN_PARTS = 6 * PART_BYTES
CANCELLED_WITHIN_S = 3.0
"""A second, and what a busy machine adds."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, a working folder, a temporary folder and a memory that are this test's own."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("LUML_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def fake(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[FakeRegistry]:
    """A registry that is the one to upload to; nothing that is logged or noted holds a secret."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http, "RequestPatience", lambda: QUICK)
    monkeypatch.setenv("LUML_API_KEY", KEY)
    with served() as registry:
        monkeypatch.setenv("LUML_BASE_URL", registry.url)
        yield registry
    assert registry.complaints == []
    assert KEY not in caplog.text
    assert SIGNATURE not in caplog.text
    assert list((home.parent / "tmp").iterdir()) == []
    logs = [path for path in home.parent.rglob("*.log") if path.is_file()]
    assert logs == [], "a crash was noted"


@pytest.fixture
def store(tmp_path: Path, home: Path) -> Iterator[Store]:
    """Two runs: one that ended, with a large attachment and two models, and one that is active."""
    with writer(tmp_path / "store") as made:
        made.start_run("run-1", "résumé", tags=["a", "b"])
        with made.experiment("run-1") as experiment:
            experiment.params({"lr": 0.1})
            experiment.attachment("big.bin", b"x" * IN_PARTS)
        made.model("run-1", "small.luml", model_file(), name="small")
        made.model("run-1", "other.luml", model_file(), name="other")
        made.end_run("run-1", status="completed", duration=3.0)
        made.start_run("run-2", "second")
    opened_store = store_at(tmp_path / "store")
    yield opened_store
    opened_store.close()


async def shown(pilot: Pilot[None], text: str) -> None:
    await until(lambda: text in screen_text(pilot), f"{text!r} on the screen")
    shown_text = screen_text(pilot)
    assert KEY not in shown_text
    assert SIGNATURE not in shown_text


async def on_screen(pilot: Pilot[None], kind: type) -> None:
    await until(lambda: isinstance(pilot.app.screen, kind), kind.__name__)
    await settled(pilot)


def chosen(pilot: Pilot[None], name: str) -> str:
    entry = pilot.app.screen.query_one(f"#{name}", PickList).entry
    return "" if entry is None else entry.title


async def asked(pilot: Pilot[None]) -> None:
    """Press U and wait until everything that is asked is there."""
    await pilot.press("U")
    await on_screen(pilot, UploadScreen)
    await until(lambda: chosen(pilot, "collection") != "", "a collection")
    await until(lambda: "Before" in screen_text(pilot) or "▲" in screen_text(pilot), "the copies")
    await settled(pilot)


def flow(pilot: Pilot[None]) -> FlowApp:
    assert isinstance(pilot.app, FlowApp)
    return pilot.app


def status_of(store: Store, run_id: str) -> str | None:
    run = store.ask(run_rows.run, run_id)
    assert run is not None
    return run.upload_status


async def over(pilot: Pilot[None]) -> None:
    """Wait until an upload is over and what it left is shown."""
    await until(lambda: flow(pilot).frame.upload is None, "the end of the upload")  # type: ignore[union-attr]
    await settled(pilot)


async def test_a_run_is_uploaded_noted_and_shown_on_its_card(
    fake: FakeRegistry, store: Store
) -> None:
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        await shown(pilot, "key from LUML_API_KEY in the environment")
        await shown(pilot, "Lab / Vision / Baselines")
        await shown(pilot, "not uploaded before")
        await pilot.press("ctrl+s")
        await until(lambda: fake.statuses() == ["uploaded"], "the artifact")
        await over(pilot)
        await shown(pilot, "✓ uploaded")
        await shown(pilot, "art-1")
        await shown(pilot, "Lab / Vision / Baselines")
        (noted,) = store.ask(uploaded.remote_artifacts, "run-1") or ()
        assert (noted.orbit_id, noted.artifact_id) == ("orb-1", "art-1")
        assert status_of(store, "run-1") == "uploaded"
        (entry,) = fake.artifacts.values()
        assert (entry["name"], entry["tags"]) == ("résumé", ["a", "b"])
        assert entry["manifest"]["payload"]["local_experiment_id"] == "run-1"


async def test_enter_on_the_cards_line_asks_too(fake: FakeRegistry, store: Store) -> None:
    async with opened(store, "run-1") as pilot:
        # Below it stands the line with the keys that edit and delete.
        await pilot.press("shift+tab", "G", "up", "enter")
        await on_screen(pilot, UploadScreen)
        await pilot.press("escape")
        await settled(pilot)
        assert fake.artifacts == {}


async def test_a_key_is_kept_only_once_the_registry_knows_it(
    fake: FakeRegistry, store: Store, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LUML_API_KEY")
    async with opened(store, "run-1") as pilot:
        await pilot.press("U")
        await on_screen(pilot, KeyScreen)
        await shown(pilot, "your profile, API keys")
        pilot.app.screen.query_one(Input).value = "dfs_wrong"
        await pilot.press("enter")
        await shown(pilot, "does not know this key")
        assert "dfs_wrong" not in screen_text(pilot)
        assert not (home / ".luml.json").exists()
        pilot.app.screen.query_one(Input).value = f" {KEY}\t"
        await pilot.press("enter")
        await on_screen(pilot, UploadScreen)
        await shown(pilot, "key from ~/.luml.json")
        kept = home / ".luml.json"
        assert KEY in kept.read_text()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_a_found_key_that_is_refused_asks_for_another_and_goes_on(
    fake: FakeRegistry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUML_API_KEY", "dfs_old")
    async with opened(store, "run-1") as pilot:
        await pilot.press("U")
        await on_screen(pilot, KeyScreen)
        await shown(pilot, "LUML_API_KEY in the environment")
        pilot.app.screen.query_one(Input).value = KEY
        await pilot.press("enter")
        await on_screen(pilot, UploadScreen)
        await until(lambda: chosen(pilot, "collection") == "Baselines", "the collections")


async def test_an_orbit_without_the_right_says_so(fake: FakeRegistry, store: Store) -> None:
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        pilot.app.screen.query_one("#orbit").focus()
        assert "no right" in screen_text(pilot)
        await pilot.press("down")
        await shown(pilot, "you may not add artifacts here")
        await pilot.press("ctrl+s")
        await shown(pilot, "▲ choose a collection first")
        assert fake.artifacts == {}


async def test_letters_narrow_a_list_and_esc_widens_it_again(
    fake: FakeRegistry, store: Store
) -> None:
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        assert "Models only" not in screen_text(pilot)
        pilot.app.screen.query_one("#collection").focus()
        await pilot.press(*"every")
        await until(lambda: chosen(pilot, "collection") == "Everything", "the match")
        await shown(pilot, "Lab / Vision / Everything")
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(pilot.app.screen, UploadScreen)
        assert "Baselines" in screen_text(pilot)
        assert chosen(pilot, "collection") == "Everything"


async def test_a_collection_beyond_the_first_page_is_found_by_typing(
    fake: FakeRegistry, store: Store
) -> None:
    fake.collections = [
        {"id": f"col-{n}", "name": f"Number {n}", "type": "mixed", "description": ""}
        for n in range(250)
    ]
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        pilot.app.screen.query_one("#collection").focus()
        await pilot.press(*"Number 2", *"31")
        await until(lambda: chosen(pilot, "collection") == "Number 231", "the searched one")
        await pilot.press("ctrl+s")
        await until(lambda: fake.statuses() == ["uploaded"], "the artifact")
        await over(pilot)
        await pilot.press("U")
        await on_screen(pilot, UploadScreen)
        await until(lambda: chosen(pilot, "collection") == "Number 231", "the last choice")


async def test_all_pages_can_be_walked_to(fake: FakeRegistry, store: Store) -> None:
    fake.collections = [
        {"id": f"col-{n}", "name": f"Number {n}", "type": "mixed", "description": ""}
        for n in range(120)
    ]
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        pilot.app.screen.query_one("#collection").focus()
        await pilot.press("end")
        await until(
            lambda: pilot.app.screen.query_one("#collection", PickList).line_count == 120, "all"
        )


async def test_only_where_a_copy_is_meant_is_a_second_one_made(
    fake: FakeRegistry, store: Store
) -> None:
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        await pilot.press("ctrl+s")
        await over(pilot)
        await asked(pilot)
        await shown(pilot, "this collection has 1 copy of it (")
        await pilot.press("ctrl+s")
        await shown(pilot, "this makes another copy")
        assert len(fake.artifacts) == 1
        await pilot.press("ctrl+s")
        await until(lambda: fake.statuses() == ["uploaded"] * 2, "the second copy")
        await over(pilot)


async def test_a_refused_look_for_copies_is_said_and_asks(fake: FakeRegistry, store: Store) -> None:
    fake.faults.rights = ("read", "create", "update", "delete")
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        await shown(
            pilot, "▲ earlier copies could not be checked: you lack the right artifact.list"
        )
        await pilot.press("ctrl+s")
        await shown(pilot, "whether this makes another copy could not be checked; ^S again")
        assert fake.artifacts == {}
        await pilot.press("ctrl+s")
        await until(lambda: fake.statuses() == ["uploaded"], "the artifact")
        await over(pilot)


async def test_a_failed_upload_that_may_not_be_removed_is_named(
    fake: FakeRegistry, store: Store
) -> None:
    fake.faults.rights = ("list", "read", "create", "update")
    fake.faults.puts = ["400"] * 4
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        await pilot.press("ctrl+s")
        await shown(pilot, "✗ upload failed  U")
        await pilot.press("U")
        await on_screen(pilot, ProgressScreen)
        await pilot.press("d")
        await over(pilot)
        await shown(pilot, "the entry résumé (art-1) stays")
        assert fake.statuses() == ["upload_failed"]


async def test_a_lost_confirmation_is_made_up_for_without_sending_again(
    fake: FakeRegistry, store: Store
) -> None:
    fake.faults.confirms = ["drop"] * 2
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        await pilot.press("ctrl+s")
        await shown(pilot, "✗ upload failed  U")
        await pilot.press("U")
        await on_screen(pilot, ProgressScreen)
        await shown(pilot, "all bytes of résumé (art-1) are there")
        await pilot.press("r")
        await over(pilot)
    assert fake.statuses() == ["uploaded"]
    assert fake.calls["put"] == len(range(0, len(fake.stored["art-1"]), PART_BYTES))


async def test_an_active_run_is_warned_of(fake: FakeRegistry, store: Store) -> None:
    async with opened(store, "run-2") as pilot:
        await asked(pilot)
        await shown(pilot, "▲ still active: only what is logged so far is uploaded")


async def test_chosen_models_go_as_artifacts_of_their_own(fake: FakeRegistry, store: Store) -> None:
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        pilot.app.screen.query_one("#parcel").focus()
        await pilot.press("down", "space", "down", "space")
        await until(lambda: chosen(pilot, "collection") == "Everything", "one for both")
        await settled(pilot)
        await pilot.press("ctrl+s")
        await until(lambda: fake.statuses() == ["uploaded"] * 3, "three artifacts")
        await over(pilot)
        names = [entry["name"] for entry in fake.artifacts.values()]
        assert names[0] == "résumé"
        assert sorted(names[1:]) == ["other", "small"]
        for model in store.ask(logged_models.models, "run-1") or ():
            assert len(store.ask(uploaded.remote_artifacts, model.id) or ()) == 1


async def test_the_run_goes_inside_of_its_one_model(fake: FakeRegistry, store: Store) -> None:
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        pilot.app.screen.query_one("#parcel").focus()
        await pilot.press("down", "space", "down", "down", "space")
        await until(lambda: chosen(pilot, "collection") != "Baselines", "one for models")
        await settled(pilot)
        await shown(pilot, "inside the model")
        await pilot.press("ctrl+s")
        await until(lambda: fake.statuses() == ["uploaded"], "the artifact")
        await over(pilot)
        assert any(name.startswith("meta_artifacts/") for name in
                   fake.artifacts["art-1"]["file_index"])  # fmt: skip
        assert status_of(store, "run-1") == "uploaded"


async def test_a_retry_sends_only_what_is_missing(fake: FakeRegistry, store: Store) -> None:
    # Four go at a time, so by the sixth at least two have got through.
    fake.faults.puts = ["ok"] * 5 + ["400"]
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        await pilot.press("ctrl+s")
        await shown(pilot, "✗ upload failed  U")
        await until(lambda: status_of(store, "run-1") == "failed", "the note")
        await shown(pilot, "✗ failed")
        fake.calls.clear()
        await pilot.press("U")
        await on_screen(pilot, ProgressScreen)
        await shown(pilot, "continues where it stopped")
        await pilot.press("r")
        await until(lambda: fake.statuses() == ["uploaded"], "the artifact")
        await over(pilot)
        parts = -(-fake.artifacts["art-1"]["size"] // PART_BYTES)
        assert 1 <= fake.calls["put"] <= parts - 2
        assert fake.calls["create"] == 0
        assert status_of(store, "run-1") == "uploaded"
        await until(lambda: not isinstance(pilot.app.screen, ProgressScreen), "the modal")


async def test_a_retry_leaves_out_what_is_in_the_registry_already(
    fake: FakeRegistry, store: Store
) -> None:
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        pilot.app.screen.query_one("#parcel").focus()
        await pilot.press("down", "space")
        await until(lambda: chosen(pilot, "collection") == "Everything", "one for both")
        await settled(pilot)
        # Seven parts of the run, and then the model in one piece.
        fake.faults.puts = ["ok"] * 7 + ["400"]
        await pilot.press("ctrl+s")
        await shown(pilot, "✗ upload failed  U")
        assert fake.statuses() == ["uploaded", "pending_upload"]
        assert status_of(store, "run-1") == "uploaded"
        await pilot.press("U")
        await until(lambda: isinstance(pilot.app.screen, ProgressScreen), "the progress")
        await shown(pilot, "2 of 2")
        await pilot.press("r")
        await until(lambda: fake.statuses() == ["uploaded"] * 2, "the model")
        await over(pilot)


async def test_a_key_that_ends_under_way_is_asked_for_and_the_upload_goes_on(
    fake: FakeRegistry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_key = "dfs_" + "n" * 43
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        monkeypatch.setattr(fake_registry, "KEY", new_key)
        await pilot.press("ctrl+s")
        await shown(pilot, "✗ upload failed  U")
        await pilot.press("U")
        await until(lambda: isinstance(pilot.app.screen, ProgressScreen), "the progress")
        await pilot.press("r")
        await on_screen(pilot, KeyScreen)
        pilot.app.screen.query_one(Input).value = new_key
        await pilot.press("enter")
        await until(lambda: fake.statuses() == ["uploaded"], "the artifact")
        await over(pilot)
        assert new_key not in screen_text(pilot)


async def test_a_name_with_markup_in_it_is_shown_as_it_stands(
    fake: FakeRegistry, tmp_path: Path, home: Path
) -> None:
    with writer(tmp_path / "odd") as made:
        made.start_run("run-1", "[red]x[/nope]")
    odd = store_at(tmp_path / "odd")
    async with opened(odd, "run-1", size=(80, 24)) as pilot:
        await asked(pilot)
        await shown(pilot, "Upload [red]x[/nope]")
        await pilot.press("escape")
        await settled(pilot)
    odd.close()


async def test_the_list_of_runs_uploads_nothing(fake: FakeRegistry, store: Store) -> None:
    async with opened(store, "run-1") as pilot:
        await pilot.press("escape", "U")
        await settled(pilot)
        assert not isinstance(pilot.app.screen, UploadScreen)


async def test_a_failed_upload_can_be_given_up(fake: FakeRegistry, store: Store) -> None:
    fake.faults.puts = ["400"] * 4
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        await pilot.press("ctrl+s")
        await shown(pilot, "✗ upload failed  U")
        await pilot.press("U")
        await on_screen(pilot, ProgressScreen)
        await pilot.press("d")
        await over(pilot)
        await until(lambda: fake.statuses() == [], "the entry")


@asynccontextmanager
async def stalled(store: Store, fake: FakeRegistry) -> AsyncIterator[Pilot[None]]:
    """An upload whose bytes do not get on."""
    fake.faults.puts = ["stall"] * 4
    async with opened(store, "run-1") as pilot:
        await asked(pilot)
        await pilot.press("ctrl+s")
        await until(fake.stalled.is_set, "the stall")
        await shown(pilot, "↑ ")
        yield pilot


async def test_an_upload_goes_on_while_other_tabs_and_runs_are_looked_at(
    fake: FakeRegistry, store: Store
) -> None:
    async with stalled(store, fake) as pilot:
        await shown(pilot, "● uploading")
        for key in "2345":
            await pilot.press(key)
            await shown(pilot, "↑ ")
        second = store.resolve("run-2").row
        flow(pilot).open_run(second)
        await shown(pilot, "second")
        await shown(pilot, "↑ ")
        await pilot.press("U")
        await until(lambda: isinstance(pilot.app.screen, ProgressScreen), "the progress")
        await shown(pilot, "Upload of résumé")
        fake.released.set()
        await until(lambda: fake.statuses() == ["uploaded"], "the artifact")
        await over(pilot)
        assert status_of(store, "run-1") == "uploaded"
        assert status_of(store, "run-2") != "uploaded"


async def test_cancelling_takes_no_time(fake: FakeRegistry, store: Store) -> None:
    async with stalled(store, fake) as pilot:
        await pilot.press("U")
        await until(lambda: isinstance(pilot.app.screen, ProgressScreen), "the progress")
        await shown(pilot, "● send")
        started = time.monotonic()
        await pilot.press("c")
        await until(lambda: flow(pilot).frame.upload is None, "the end")  # type: ignore[union-attr]
        assert time.monotonic() - started < CANCELLED_WITHIN_S
        await until(lambda: fake.statuses() == [], "the entry")
        assert status_of(store, "run-1") == "failed"


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_quitting_asks_while_an_upload_runs(
    fake: FakeRegistry, store: Store, key: str
) -> None:
    async with stalled(store, fake) as pilot:
        await pilot.press(key)
        await until(lambda: isinstance(pilot.app.screen, LeaveScreen), "the question")
        await pilot.press("w")
        await until(lambda: not isinstance(pilot.app.screen, LeaveScreen), "the answer")
        assert flow(pilot).frame.upload is not None  # type: ignore[union-attr]
        await pilot.press(key)
        await until(lambda: isinstance(pilot.app.screen, LeaveScreen), "the question")
        await pilot.press("c")
        await until(lambda: pilot.app._exit, "the exit")
        assert fake.statuses() == []


async def test_leaving_from_outside_waits_for_nobody(fake: FakeRegistry, store: Store) -> None:
    async with stalled(store, fake) as pilot:
        flow(pilot).exit(return_code=143)
    await until(lambda: fake.statuses() == [], "the entry")


async def test_without_a_registry_the_lists_say_so(
    fake: FakeRegistry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUML_BASE_URL", "http://127.0.0.1:9")
    async with opened(store, "run-1") as pilot:
        await pilot.press("U")
        await on_screen(pilot, UploadScreen)
        await shown(pilot, "^R tries again")
        await pilot.press("ctrl+s")
        await shown(pilot, "▲ choose a collection first")


async def test_read_only_says_why_nothing_is_uploaded(fake: FakeRegistry, store: Store) -> None:
    app = FlowApp(store, store.resolve("run-1"), Options(read_only=True))
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("U")
        await shown(pilot, "--read-only")


async def test_an_exported_file_shows_all_tabs_and_is_not_uploaded_again(
    fake: FakeRegistry, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "out.luml"
    export(store, store.resolve("run-1"), path)
    artifact = open_store(str(path))
    try:
        async with opened(artifact, "latest") as pilot:
            for key, word in zip("12345", ("lr", "", "", "", "big.bin"), strict=True):
                await pilot.press(key)
                await shown(pilot, word)
                await settled(pilot)
            await pilot.press("U")
            await shown(pilot, "exported or uploaded file")
    finally:
        artifact.close()


async def test_what_was_typed_is_what_is_said_about_the_artifact(
    fake: FakeRegistry, store: Store
) -> None:
    async with opened(store, "run-1", size=(80, 24)) as pilot:
        await asked(pilot)
        screen = pilot.app.screen
        screen.query_one("#upload-name", Input).value = ""
        await pilot.press("ctrl+s")
        await shown(pilot, "▲ give it a name")
        screen.query_one("#upload-name", Input).value = "better"
        screen.query_one("#upload-description", Input).value = "what it is"
        screen.query_one("#upload-tags", Input).value = "x, y z,"
        await pilot.press("ctrl+s")
        await over(pilot)
        (entry,) = fake.artifacts.values()
        said = entry["name"], entry["description"], entry["tags"]
        assert said == ("better", "what it is", ["x", "y z"])
