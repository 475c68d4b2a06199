"""The runs in a registry, listed and opened from within the app."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from flowtui.app.app import FlowApp
from flowtui.registry import cache, http
from flowtui.registry.artifacts import ArtifactQuery
from flowtui.registry.browsing import Browsing
from flowtui.registry.client import Registry
from flowtui.registry.errors import RegistryError
from flowtui.registry.upload import UploadJob, pack_model, pack_run
from flowtui.registry.values import Labels, Secret
from flowtui.screens.dialogs.confirm import ConfirmScreen
from flowtui.screens.registry.screen import RegistryScreen
from flowtui.screens.upload.key import KeyScreen
from flowtui.store import models as logged_models
from flowtui.store.archive import contents
from flowtui.store.store import Store
from tests.conftest import open_store as store_at
from tests.pilot.pilot import opened, screen_text, settled, until
from tests.unit.fake_registry import KEY, OWNED, SIGNATURE, FakeRegistry, served
from tests.unit.stores import model_file, writer

QUICK = http.RequestPatience(tries=2, first_pause_s=0.001, longest_pause_s=0.002)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with writer(tmp_path / "store") as made:
        made.start_run("run-1", "résumé")
        with made.experiment("run-1") as experiment:
            experiment.params({"lr": 0.125})
            experiment.attachment("notes.txt", b"what was seen")
        made.model("run-1", "net.luml", model_file(b'{"artifact_type": "model"}'))
        made.end_run("run-1", status="completed", duration=3.0)
        made.start_run("run-2", "second")
    opened_store = store_at(tmp_path / "store")
    yield opened_store
    opened_store.close()


@pytest.fixture
def fake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, store: Store
) -> Iterator[FakeRegistry]:
    """A registry in which the first run is; nothing that is shown or logged holds a secret."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("FLOW_TUI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path / "home")
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http, "RequestPatience", lambda: QUICK)
    monkeypatch.setenv("LUML_API_KEY", KEY)
    with served() as registry:
        monkeypatch.setenv("LUML_BASE_URL", registry.url)
        with (
            Registry(Secret(KEY), registry.url, patience=QUICK) as sender,
            UploadJob(sender, OWNED, Labels("mine", "", ("best",)), pack_run(store, "run-1"), "x")
            as job,
        ):  # fmt: skip
            job.run()
        yield registry
    assert registry.complaints == []
    assert KEY not in caplog.text
    assert SIGNATURE not in caplog.text


async def shown(pilot: Pilot[None], text: str) -> None:
    await until(lambda: text in screen_text(pilot), f"{text!r} on the screen")
    assert not [told for told in (KEY, SIGNATURE) if told in screen_text(pilot)]


async def listed(pilot: Pilot[None]) -> None:
    await pilot.press("O")
    await until(lambda: isinstance(pilot.app.screen, RegistryScreen), "the list")
    await shown(pilot, "Vision / Baselines")
    await settled(pilot)


async def test_a_run_in_the_registry_opens_in_all_tabs_and_leads_back(
    fake: FakeRegistry, store: Store
) -> None:
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        await shown(pilot, "Ann")
        await shown(pilot, "✓")
        await pilot.press("enter")
        await shown(pilot, "0.125")
        await shown(pilot, "  luml:Vision/Baselines/mine")
        await shown(pilot, "✓ uploaded")
        for key in "2345":
            await pilot.press(key)
            await settled(pilot)
        await shown(pilot, "what was seen")
        await pilot.press("U")
        await shown(pilot, "mine is an exported or uploaded file")
        app = pilot.app
        assert isinstance(app, FlowApp)
        app.open_run(store.resolve("run-2").row)
        await until(lambda: app.frame is not None and app.frame.run.id == "run-2", "the local run")
        await shown(pilot, "second")


async def test_letters_search_and_s_orders(fake: FakeRegistry, store: Store) -> None:
    fake.artifacts["two"] = {**fake.artifacts["art-1"], "id": "two", "name": "another"}
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        await shown(pilot, "2 · newest first")
        await pilot.press("s")
        await shown(pilot, "2 · by name")
        text = screen_text(pilot)
        assert text.index("another") < text.index("mine")
        await pilot.press("slash", *"ano")
        await shown(pilot, "1 · by name")
        pilot.app.screen.query_one(Input).value = "nothing"
        await shown(pilot, "no run with nothing in its name")


async def test_an_orbit_that_may_not_be_looked_into_is_said(
    fake: FakeRegistry, store: Store
) -> None:
    fake.faults.rights = ("read",)
    async with opened(store, "run-2") as pilot:
        await pilot.press("O")
        await shown(pilot, "▲ left out: Vision: you lack the right artifact.list")
        await pilot.press("escape")
        await until(lambda: not isinstance(pilot.app.screen, RegistryScreen), "the end")


async def test_what_cannot_be_opened_says_why_and_can_be_tried_again(
    fake: FakeRegistry, store: Store
) -> None:
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        fake.faults.rights = ("list",)
        await pilot.press("enter")
        await shown(pilot, "✗ you lack the right artifact.read")
        fake.faults.rights = ("list", "read")
        await pilot.press("enter")
        await shown(pilot, "0.125")


async def test_a_storage_of_whole_files_is_asked_about(fake: FakeRegistry, store: Store) -> None:
    fake.faults.ignores_ranges = True
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, ConfirmScreen), "the question")
        await shown(pilot, "Download all")
        await pilot.press("y")
        await shown(pilot, "0.125")


async def test_w_saves_the_whole_artifact(fake: FakeRegistry, store: Store, tmp_path: Path) -> None:
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        await pilot.press("w")
        await shown(pilot, "saved as")
        (saved,) = (tmp_path / "home").glob("*.luml")
        assert saved.read_bytes() == fake.stored["art-1"]
        await pilot.press("w")
        await shown(pilot, "is there already")


async def test_esc_stops_what_is_read_and_keeps_the_list(fake: FakeRegistry, store: Store) -> None:
    fake.faults.looks = ["stall"]
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        await pilot.press("enter")
        await until(fake.stalled.is_set, "the stall")
        await shown(pilot, "Esc stops")
        await pilot.press("escape")
        await shown(pilot, "stopped; what came is kept")
        fake.released.set()
        await pilot.press("enter")
        await shown(pilot, "0.125")


async def test_a_key_that_is_refused_asks_for_another(
    fake: FakeRegistry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUML_API_KEY", "dfs_old")
    async with opened(store, "run-2") as pilot:
        await pilot.press("O")
        await until(lambda: isinstance(pilot.app.screen, KeyScreen), "the question for a key")
        pilot.app.screen.query_one(Input).value = KEY
        await pilot.press("enter")
        await shown(pilot, "Vision / Baselines")


async def test_without_a_registry_the_list_says_so(
    fake: FakeRegistry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUML_BASE_URL", "http://127.0.0.1:9")
    async with opened(store, "run-2") as pilot:
        await pilot.press("O")
        await shown(pilot, "cannot be reached")


async def test_out_of_reach_what_was_read_is_listed_and_opens(
    fake: FakeRegistry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = "http://127.0.0.1:9"
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        await pilot.press("enter")
        await shown(pilot, "0.125")
    shutil.copytree(cache._registry(fake.url), cache._registry(away))
    monkeypatch.setenv("LUML_BASE_URL", away)
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        await shown(pilot, "these were read before")
        await pilot.press("enter")
        await shown(pilot, "Opened as it was when it was last read")
        await shown(pilot, "0.125")
        # What was not looked at then is not there now, and says so.
        await pilot.press("5")
        await shown(pilot, "it was not fetched before")
        assert "o opens it" not in screen_text(pilot)


async def test_a_list_that_broke_off_does_not_pass_for_a_whole_one(
    fake: FakeRegistry,
) -> None:
    with Registry(Secret(KEY), fake.url, patience=QUICK) as registry:
        search = Browsing(registry, ArtifactQuery())
        fake.faults.lists = ["500", "500"]
        for _ in range(2):
            with pytest.raises(RegistryError):
                search.more()


def put_models(store: Store, base_url: str) -> None:
    """Upload a model in which the run `run-1` is embedded, and one without a run in it."""
    with Registry(Secret(KEY), base_url, patience=QUICK) as sender:
        for model in store.ask(logged_models.models, "run-1") or ():
            for name, pack in (
                ("bare", pack_model(store, model)),
                ("with run", pack_model(store, model, "run-1")),
            ):
                with UploadJob(sender, OWNED, Labels(name), pack, "x") as job:
                    job.run()


async def test_a_run_inside_a_model_opens_from_the_list_of_models(
    fake: FakeRegistry, store: Store
) -> None:
    put_models(store, fake.url)
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        await pilot.press("m")
        await shown(pilot, "Models in the registry · 2 ·")
        await shown(pilot, "▲ no run in it: bare")
        await pilot.press("s", "s")
        await shown(pilot, "largest first")
        await settled(pilot)
        await pilot.press("enter")
        await shown(pilot, "0.125")


async def test_a_database_that_is_unusually_large_is_asked_about(
    fake: FakeRegistry, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "LARGE_BYTES", 100)
    async with opened(store, "run-2") as pilot:
        await listed(pilot)
        fake.ranges.clear()
        await pilot.press("enter")
        await until(lambda: isinstance(pilot.app.screen, ConfirmScreen), "the question")
        await shown(pilot, "Open it all the same?")
        assert "reading…" not in screen_text(pilot)
        # Nothing of it was fetched to find out.
        database = fake.artifacts["art-1"]["file_index"]["exp.db.zip"]
        assert all(start != database[0] for start, _ in fake.ranges)
        await pilot.press("y")
        await shown(pilot, "0.125")
