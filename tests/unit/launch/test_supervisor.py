"""Who may give a supervisor orders, and what of them is heeded."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from flowtui import person
from flowtui.launch.folder import LaunchFolder, LaunchState, folders, new_folder
from flowtui.launch.link import ProgramLink
from flowtui.launch.search import ProgramRun
from flowtui.launch.supervisor import is_of_this_user


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="only Linux tells who it is")
def test_another_user_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert is_of_this_user(ours)
        monkeypatch.setattr(os, "getuid", lambda: 12_345)
        assert not is_of_this_user(ours)


def test_a_state_is_read_as_it_was_written() -> None:
    run = ProgramRun(Path("/a/store"), "id", "a name", is_ours=True)
    state = LaunchState(("a", "b c"), "host", 1, 2, "/s", run, 3, 4, 5, "trouble", 6, True)
    assert LaunchState.from_json(state.as_json()) == state
    none = LaunchState(("a",))
    assert LaunchState.from_json(none.as_json()) == none


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"words": 1}', '{"words": [], "run": 3}'])
def test_anything_else_is_no_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    assert LaunchFolder(tmp_path).state is None
    with pytest.raises(FileNotFoundError):
        ProgramLink(LaunchFolder(tmp_path))


def test_a_program_of_another_machine_is_none_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(person.STATE_VARIABLE, str(tmp_path))
    here, there = new_folder(), new_folder()
    here.write(LaunchState(("a",), socket.gethostname(), os.getpid()))
    there.write(LaunchState(("b",), "another-machine", os.getpid()))
    assert list(folders()) == [here]


def test_what_nobody_came_back_to_is_removed_after_a_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(person.STATE_VARIABLE, str(tmp_path))
    old, running = new_folder(), new_folder()
    old.write(LaunchState(("a",), socket.gethostname(), os.getpid(), is_over=True))
    running.write(LaunchState(("b",), socket.gethostname(), os.getpid()))
    for folder in (old, running):
        os.utime(folder.path, (0, 0))
    new = new_folder()
    assert {folder.path for folder in folders()} == {running.path, new.path}
