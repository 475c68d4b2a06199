"""Where there is no store: what is said, and the app that waits for one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flowtui.cli import sources
from flowtui.cli.demo import DEMO_RUN
from flowtui.cli.opening import Opening
from flowtui.store.errors import StoreNotFound
from flowtui.store.location import program_line, require, sdk_lines
from flowtui.store.schema import StoreWriter
from flowtui.store.values import StoreLocation
from tests.terminal.terminal import FLOW_TUI, Terminal, environment


def test_the_error_tells_of_three_ways_and_of_the_lines_of_the_sdk(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flowtui", "list"], cwd=tmp_path, env=environment(tmp_path),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    first, *ways = done.stderr.splitlines()
    assert first.startswith("flow-tui: no store of runs at ")
    assert [way.split("   ")[0].strip() for way in ways[:2]] == [
        "flow-tui demo",
        "flow-tui run -- CMD",
    ]
    assert "".join(ways).count("tracker") == 5
    assert "sqlite://./.luml/experiments" in done.stderr


@pytest.mark.parametrize("name", ["plain", "with space", 'a"b', "a\\b", "ü", "a'b"])
def test_the_lines_of_the_sdk_are_python_whatever_the_folder_is_called(
    tmp_path: Path, name: str
) -> None:
    lines = sdk_lines(tmp_path / name)
    assert len(lines) == 5
    places: list[str] = []
    exec(lines[1], {"ExperimentTracker": places.append})
    assert places == [f"sqlite://{tmp_path / name}"]


def test_a_store_that_was_named_is_named_to_the_program_too() -> None:
    named = StoreLocation(Path("/my runs"), "--store")
    assert program_line(named) == "flow-tui run --store '/my runs' -- python train.py"
    assert program_line(StoreLocation(Path("/x"), "./experiments")).startswith("flow-tui run -- ")


def test_a_file_in_the_place_of_a_store_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreNotFound) as caught:
        require(StoreLocation(tmp_path / "file", "--store"))
    assert caught.value.place is None


def started(home: Path, *words: str) -> Terminal:
    return Terminal([*FLOW_TUI, *words], environment(home), 80, 24, cwd=home)


def test_the_app_shows_a_store_as_soon_as_there_is_one(tmp_path: Path) -> None:
    with started(tmp_path, "--store", "later") as terminal:
        terminal.wait_for("Look around, in runs that are made up")
        terminal.wait_for("tracker.end_experiment()")
        with StoreWriter(tmp_path / "later") as writer:
            terminal.wait_for("This store has no runs yet")
            writer.start_run("first-id", "first")
            terminal.wait_for("Runs 1")
        terminal.send("q")
        assert terminal.wait_exit() == 0


def test_its_key_opens_the_demo_store(tmp_path: Path, demo_directory: Path) -> None:
    from flowtui import __version__

    cache = tmp_path / "cache" / "flow-tui"
    cache.mkdir(parents=True)
    (cache / f"demo-{__version__}").symlink_to(demo_directory)
    with started(tmp_path) as terminal:
        terminal.wait_for("Copy code")
        terminal.settle()
        terminal.send("d")
        terminal.wait_for(DEMO_RUN)
        terminal.wait_for("1 Overview")
        terminal.settle()
        terminal.send("q")
        assert terminal.wait_exit() == 0


@pytest.mark.parametrize("leave", ["q", "\x03"])
def test_it_is_left_as_every_screen_is(tmp_path: Path, leave: str) -> None:
    with started(tmp_path) as terminal:
        terminal.wait_for("Copy code")
        terminal.settle()
        terminal.send(leave)
        assert terminal.wait_exit() == 0


def test_a_run_that_is_named_is_not_waited_for(tmp_path: Path) -> None:
    with started(tmp_path, "some-run") as terminal:
        assert terminal.wait_exit() == 1


def test_runs_of_other_tools_that_are_here_are_named_and_opened(tmp_path: Path) -> None:
    written = Path(__file__).parents[2] / "sources" / "written"
    shutil.copytree(written / "tensorboard", tmp_path / "logs here")
    shutil.copytree(written / "wandb", tmp_path / "wandb")
    with started(tmp_path) as terminal:
        terminal.wait_for("Open what is here already: 3 runs of TensorBoard")
        terminal.wait_for("flow-tui 'logs here'")
        terminal.wait_for("flow-tui wandb   1 run of Weights & Biases")
        terminal.send("o")
        terminal.wait_for("keras/train")
        terminal.send("q")
        assert terminal.wait_exit() == 0


def test_who_waits_for_a_store_does_not_look_around_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(folder: Path) -> list[str]:
        raise AssertionError(f"looked around in {folder}")

    monkeypatch.setenv("LUML_BACKEND_STORE_URI", f"sqlite://{tmp_path / 'later'}")
    monkeypatch.setattr(sources, "ways", look)
    assert not Opening()._is_there()
    with StoreWriter(tmp_path / "later"):
        pass
    assert Opening()._is_there()
