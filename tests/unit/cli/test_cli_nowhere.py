"""The program where there is no home, no name, no room, no working folder and no time zone."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from flowtui.cli.telling import errors_as_one_line
from tests.terminal.terminal import Terminal, environment

NOBODY = """
import pwd
def unknown(*_):
    raise KeyError("no such user")
pwd.getpwuid = pwd.getpwnam = unknown
from flowtui.__main__ import main
main()
"""
NO_HOME: dict[str, str | None] = dict.fromkeys(
    ["HOME", "USER", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"]
)


def authors(store: Path) -> set[str]:
    found: set[str] = set()
    for path in store.glob("*/exp.db"):
        with closing(sqlite3.connect(path)) as db:
            found |= {user for (user,) in db.execute("select user from span_annotations")}
    return found


def run(
    *words: object, cwd: Path, code: str = NOBODY, **changes: str | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], cwd=cwd, stdin=subprocess.DEVNULL,
        env=environment(cwd, **changes), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_commands_work_for_a_user_without_a_name_and_a_home(
    demo_directory: Path, tmp_path: Path
) -> None:
    gone = {**NO_HOME, "TMPDIR": str(tmp_path)}
    listed = run("list", "-s", demo_directory, cwd=tmp_path, **gone)
    assert (listed.returncode, listed.stderr) == (0, "")
    doctor = run("doctor", "-s", demo_directory, cwd=tmp_path, **gone)
    assert doctor.returncode == 0
    assert f"▲ author      {os.getuid()}: this user has no name here" in doctor.stdout
    assert "▲ home        none is known" in doctor.stdout
    nowhere = run("list", cwd=tmp_path, **gone)
    assert nowhere.returncode == 1
    assert nowhere.stderr.startswith("flow-tui: no home folder is known: set HOME, or say where")


def test_the_app_takes_the_number_of_a_user_without_a_name_for_the_author(
    demo_copy: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", NOBODY, "support-agent-v3", "--tab", "traces",
               "-s", str(demo_copy)]  # fmt: skip
    variables = environment(tmp_path, **{**NO_HOME, "TMPDIR": str(tmp_path)})
    with Terminal(command, variables) as terminal:
        terminal.wait_for("1 Overview")
        terminal.settle()
        terminal.send("\r")
        terminal.wait_for("missing parent")
        # The first line is a span that is missing, which nobody can annotate.
        terminal.send("\x1b[B")
        terminal.wait_for("+ Good")
        terminal.send("+")
        terminal.wait_until(lambda: str(os.getuid()) in authors(demo_copy))
        terminal.send("q")
        assert terminal.wait_exit() == 0


def test_a_time_zone_that_cannot_be_counted_with_is_told_and_left(
    demo_directory: Path, tmp_path: Path
) -> None:
    done = run("list", "-s", demo_directory, cwd=tmp_path, TZ="AAA+25")
    said = "flow-tui: TZ='AAA+25' is a day off or more: times are shown in UTC\n"
    assert (done.returncode, done.stderr) == (0, said)
    assert done.stdout == run("list", "-s", demo_directory, cwd=tmp_path).stdout


@pytest.mark.parametrize("command", ["show latest -s STORE", "list -s STORE", "doctor -s STORE"])
def test_a_working_folder_that_is_gone_is_in_nobodys_way(
    demo_directory: Path, tmp_path: Path, command: str
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    script = f'rmdir "$PWD" && exec "$@" {command.replace("STORE", str(demo_directory))}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-m", "flowtui"], cwd=gone,
        env=environment(tmp_path), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


FULL = """
import errno, tempfile
def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")
tempfile.mkdtemp = full
from flowtui.__main__ import main
main()
"""


def test_no_room_is_one_line_that_names_the_folder_and_what_to_set(
    demo_directory: Path, tmp_path: Path
) -> None:
    artifact = tmp_path / "run.luml"
    packed = run("export", "resnet50-cosine", "-s", demo_directory, "-o", artifact, cwd=tmp_path)
    assert packed.returncode == 0
    done = run("show", artifact, cwd=tmp_path, code=FULL, TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"flow-tui: {artifact} cannot be unpacked: there is no room left in {tmp_path}: free some,"
        " or set TMPDIR to another folder\n"
    )


def test_a_cache_that_is_no_folder_is_one_line(tmp_path: Path) -> None:
    cache = tmp_path / "a file"
    cache.touch()
    done = run("demo", "--path", cwd=tmp_path, XDG_CACHE_HOME=str(cache))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert str(cache) in done.stderr


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"),
         "/x: there is no room left on the disk: free some, or set TMPDIR to another folder"),
        (PermissionError(errno.EACCES, "Permission denied", "/a\x1b"),
         "/a␛: Permission denied"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
    ],
)  # fmt: skip
def test_whatever_else_the_system_refuses_is_one_line(
    error: OSError, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="1"), errors_as_one_line():
        raise error
    assert capsys.readouterr().err == f"flow-tui: {line}\n"
