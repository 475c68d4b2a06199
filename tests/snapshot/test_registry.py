"""How the list of the runs in a registry looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from flowtui.screens.registry.screen import RegistryScreen
from flowtui.store.store import Store
from tests.pilot.pilot import screen_text, settled, until
from tests.snapshot.test_screens import BOTH, VISION, Snap, app_on
from tests.unit.fake_registry import KEY, FakeRegistry, served

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture(autouse=True)
def registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo: Store
) -> Iterator[FakeRegistry]:
    """A registry with three runs, one of which the local store has."""
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("FLOW_TUI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LUML_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    with served() as fake:
        monkeypatch.setenv("LUML_BASE_URL", fake.url)
        run_id = demo.resolve(VISION).id
        for number, (name, status, size) in enumerate(
            [("resnet50-cosine", "uploaded", 628_700_000), ("agent — 日本", "uploaded", 174_000),
             ("left over", "upload_failed", 9_000_000)]
        ):  # fmt: skip
            fake.artifacts[f"art-{number}"] = {
                "id": f"art-{number}", "name": name, "status": status, "size": size,
                "created_at": f"2026-06-1{number}T08:15:00Z", "created_by_user": "Ann Bell",
                "collection_id": ["col-1", "col-3", "col-1"][number], "type": "experiment",
                "tags": ["baseline", "best"][: 2 - number], "file_hash": "", "file_index": {},
                "manifest": {"payload": {"local_experiment_id": run_id if not number else "x"}},
            }  # fmt: skip
        yield fake


@BOTH
def test_the_runs_in_a_registry(snap_compare: Snap, demo: Store, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("O")
        await until(lambda: isinstance(pilot.app.screen, RegistryScreen), "the list")
        await until(lambda: "left over" in screen_text(pilot), "the runs")
        await until(lambda: "✓" in screen_text(pilot), "the mark")
        await settled(pilot)

    assert snap_compare(app_on(demo, VISION), terminal_size=size, run_before=before)
