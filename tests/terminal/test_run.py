"""`flow-tui run` at a terminal: the program goes on whatever becomes of who looks at it."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.terminal.terminal import FLOW_TUI, Terminal, environment
from tests.terminal.test_run_plain import left_behind, of_this_test
from tests.terminal.whole import assert_whole
from tests.unit.stores import until

Run = Callable[..., Terminal]

TRAIN = """
import os, signal, sys, time
from pathlib import Path
from flowtui.store.new_run import new_run
with new_run(Path("store"), "trained"):
    print("begun", flush=True)
    exec(sys.argv[1])
"""
"""A program that has a run open while it does what it is told."""
SLEEP = "time.sleep(300)"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Starts `flow-tui run` on a pty, with a home of its own and in a folder of its own."""
    with ExitStack() as terminals:

        def start(*words: object, lines: int = 40) -> Terminal:
            command = [*FLOW_TUI, "run", *map(str, words)]
            # What is tested is started by the program, too.
            environ = environment(tmp_path, PYTHONPATH=os.pathsep.join(sys.path))
            terminal = Terminal(command, environ, 100, lines, tmp_path)
            return terminals.enter_context(terminal)

        yield start
    for folder in launched(tmp_path):
        for key in ("pid", "supervisor"):
            end(state_of(folder)[key])


def train(run: Run, what: str) -> Terminal:
    return run("--", sys.executable, "-c", TRAIN, what)


def launched(home: Path) -> list[Path]:
    return sorted((home / "state/flow-tui/launched").glob("*"))


def state_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "state.json").read_text())
    return found


def end(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_program_without_a_run_is_shown_as_it_is(run: Run, tmp_path: Path) -> None:
    terminal = run("--", "sh", "-c", "stty size; tty; exit 7")
    assert terminal.wait_exit() == 7
    terminal.wait_for("40 100")
    assert "/dev/pts/" in terminal.text
    assert b"\x1b[?1049h" not in terminal.raw
    assert terminal.attributes() == terminal.attributes_before
    assert launched(tmp_path) == []


@pytest.mark.parametrize(("script", "code"), [("kill -KILL $$", 137), ("exit 0", 0)])
def test_the_end_of_a_program_is_the_exit_code(run: Run, script: str, code: int) -> None:
    assert run("--", "sh", "-c", script).wait_exit() == code


def test_a_program_that_cannot_be_started(run: Run, tmp_path: Path) -> None:
    terminal = run("--", "no-such-program")
    assert terminal.wait_exit() == 127
    terminal.wait_for("flow-tui: no-such-program: No such file or directory")
    assert left_behind(tmp_path) == []


def test_a_program_that_asks_is_typed_to_and_interrupted(run: Run) -> None:
    terminal = run("--", "sh", "-c", 'printf "name? "; read name; echo "hi $name"; sleep 300')
    terminal.wait_for("name?")
    terminal.send("Ada\r")
    terminal.wait_for("hi Ada")
    terminal.send("\x03")
    assert terminal.wait_exit() == 128 + signal.SIGINT


def test_what_it_leaves_running_holds_nothing_up(run: Run, tmp_path: Path) -> None:
    terminal = run("--", "sh", "-c", "setsid sleep 300 & sleep 301 & echo $!; exit 3")
    assert terminal.wait_exit() == 3
    assert launched(tmp_path) == []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            is_left = f"HOME={tmp_path}" in (folder / "environ").read_text().split("\0")
        except OSError:
            continue
        if is_left:
            end(int(folder.name))


def test_its_run_is_shown_with_its_output_and_its_end(run: Run, tmp_path: Path) -> None:
    terminal = train(run, "print('\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07'); sys.exit(input('? '))")
    terminal.wait_for("▶ running")
    terminal.wait_for("Overview")
    shown = len(terminal.raw)
    terminal.send("\x14")
    terminal.wait_for(lambda text: "begun" in text and "red" in text and "Type to it" in text)
    # The terminal is not told what to do by what the program puts out.
    assert b"\x1b]0;title" not in terminal.raw[shown:]
    terminal.send("iwhy\r")
    terminal.wait_for("✗ exit 1")
    terminal.wait_for("? why")
    terminal.send("q")
    assert terminal.wait_exit() == 1
    assert_whole(terminal)
    assert launched(tmp_path) == []


def test_ctrl_c_in_the_console_is_the_programs(run: Run) -> None:
    terminal = train(run, SLEEP)
    terminal.wait_for("▶ running")
    terminal.send("\x14")
    terminal.wait_for("Type to it")
    terminal.send("\x03")
    terminal.wait_for("✗ exit 1")
    terminal.wait_for("KeyboardInterrupt")


def test_who_leaves_is_asked_and_may_leave_it_running(run: Run, tmp_path: Path) -> None:
    terminal = train(run, SLEEP)
    terminal.wait_for("▶ running")
    terminal.send("q")
    terminal.wait_for("Leave it running")
    terminal.send("l")
    assert terminal.wait_exit() == 0
    (folder,) = launched(tmp_path)
    os.kill(state_of(folder)["pid"], 0)
    terminal.wait_for("flow-tui run --attach")
    again = run("--attach", "trained")
    again.wait_for("▶ running")
    again.send("q")
    again.wait_for("Leave it running")
    again.send("s")
    assert again.wait_exit() == 128 + signal.SIGTERM
    assert launched(tmp_path) == []


def test_a_viewer_that_is_killed_changes_nothing(run: Run, tmp_path: Path) -> None:
    terminal = train(run, "input(); print('went on'); sys.exit(4)")
    terminal.wait_for("▶ running")
    terminal.signal(signal.SIGKILL)
    terminal.wait_exit()
    again = run("--attach", "latest")
    again.wait_for("▶ running")
    again.send("\x14")
    again.wait_for("begun")
    again.send("i\r")
    again.wait_for("went on")
    again.wait_for("✗ exit 4")
    again.send("q")
    assert again.wait_exit() == 4


def test_a_terminal_that_goes_away_before_the_run_is_known(run: Run, tmp_path: Path) -> None:
    terminal = run("--", "sh", "-c", "echo ready; sleep 1; echo later; sleep 300")
    terminal.wait_for("ready")
    pid = state_of(launched(tmp_path)[0])["pid"]
    terminal.hang_up()
    terminal.wait_exit()
    os.kill(pid, 0)
    again = run("--attach", pid)
    again.wait_for("later")
    again.send("\x03")
    assert again.wait_exit() == 128 + signal.SIGINT


def test_an_end_that_nobody_saw_is_told_later(run: Run, tmp_path: Path) -> None:
    terminal = train(run, "time.sleep(2); print('done'); sys.exit(6)")
    terminal.wait_for("▶ running")
    terminal.signal(signal.SIGKILL)
    terminal.wait_exit()
    (folder,) = launched(tmp_path)
    until(lambda: state_of(folder)["is_over"], "the end of the program")
    again = run("--attach", "trained")
    again.wait_for("✗ exit 6")
    again.send("\x14")
    again.wait_for("done")
    again.send("q")
    assert again.wait_exit() == 6
    assert launched(tmp_path) == []


def test_a_supervisor_that_is_killed_takes_the_program_along(run: Run, tmp_path: Path) -> None:
    terminal = train(run, SLEEP)
    terminal.wait_for("▶ running")
    state = state_of(launched(tmp_path)[0])
    os.kill(state["supervisor"], signal.SIGKILL)
    terminal.wait_for("its supervisor is gone")
    until(lambda: not is_there(state["pid"]), "the hang-up of the program")
    terminal.send("q")
    assert terminal.wait_exit() == 125
    assert launched(tmp_path) == []


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_only_the_user_may_come_near(run: Run, tmp_path: Path) -> None:
    terminal = run("--", "sh", "-c", "echo ready; sleep 300")
    terminal.wait_for("ready")
    (folder,) = launched(tmp_path)
    for path in (folder, folder.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    socket = Path(state_of(folder)["socket"])
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


def test_a_resize_reaches_the_program(run: Run) -> None:
    script = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done"
    terminal = run("--", "sh", "-c", script)
    terminal.wait_for("ready")
    terminal.resize(90, 30)
    terminal.wait_for("30 90")


@pytest.mark.slow
def test_a_flood_is_not_held_up_by_a_terminal_that_reads_nothing(run: Run, tmp_path: Path) -> None:
    wait = "echo ready; while [ ! -e go ]; do sleep 0.05; done"
    terminal = run("--", "sh", "-c", f"{wait}; yes 0123456789 | head -c 100000000; exit 9")
    terminal.wait_for("ready")
    terminal.stop_reading()
    (tmp_path / "go").touch()
    (folder,) = launched(tmp_path)
    until(lambda: state_of(folder)["is_over"], "the end of the program")
    state = state_of(folder)
    # Its terminal sends a carriage return with every line.
    assert state["output_bytes"] == 100_000_000 + 100_000_000 // 11 + len("ready\r\n")
    assert state["code"] == 9


def test_an_attach_to_nothing_says_so(run: Run) -> None:
    terminal = run("--attach", "nothing")
    assert terminal.wait_exit() == 125
    terminal.wait_for("no program of a run 'nothing' is known")


@pytest.mark.parametrize("count", [2, pytest.param(30, marks=pytest.mark.slow)])
def test_programs_at_a_terminal_leave_no_file_and_no_process(
    run: Run, tmp_path: Path, count: int
) -> None:
    for _ in range(count):
        assert run("--", "true").wait_exit() == 0
    assert left_behind(tmp_path) == []
    until(lambda: not of_this_test(tmp_path), "the end of all processes")
