"""Ctrl+Z leads to the shell, and `fg` back, whatever has happened meanwhile."""

from __future__ import annotations

import os
import shlex
import signal
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.terminal.conftest import Start
from tests.terminal.terminal import FLOW_TUI, Terminal, environment
from tests.terminal.whole import assert_modes_given_back

CTRL_Z = "\x1a"
PROMPT = "shell> "
Shell = Callable[..., Terminal]


@pytest.fixture
def shell(tmp_path: Path, demo_directory: Path) -> Iterator[Shell]:
    """Starts flow-tui on the demo from a shell with job control, on a terminal of its own."""
    with ExitStack() as terminals:

        def start_one(*arguments: str, **variables: str | None) -> Terminal:
            # What is on at the end is to be the app's doing alone.
            inputrc = tmp_path / "inputrc"
            inputrc.write_text("set enable-bracketed-paste off\n")
            environ = environment(tmp_path / "home", PS1=PROMPT, INPUTRC=str(inputrc), **variables)
            command = ["bash", "--norc", "--noprofile", "-i"]
            terminal = terminals.enter_context(Terminal(command, environ, 120, 40, tmp_path))
            terminal.wait_for(PROMPT)
            words = [*FLOW_TUI, *arguments, "--store", str(demo_directory)]
            terminal.send(f"{shlex.join(words)}\r")
            return terminal

        yield start_one


def suspended(terminal: Terminal, key: str = CTRL_Z) -> None:
    """Suspend it; return when the shell waits for what to do."""
    before = terminal.raw.count(b"Stopped")
    terminal.send(key)
    terminal.wait_until(lambda: terminal.raw.count(b"Stopped") > before)
    terminal.wait_for(lambda text: text.rstrip().endswith(PROMPT.strip()))
    # The shell waits for its child alone. A program below that one has the signal too, but as long
    # as it has not run since, it reads the next key.
    terminal.wait_until(lambda: set(job_states(terminal)) == {"T"})
    assert_modes_given_back(terminal.raw.decode())


def job_states(terminal: Terminal) -> Iterator[str]:
    """State of each process on the terminal but its shell. Source: /proc/PID/stat, field 3."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, _, session, *_ = (process / "stat").read_text().rpartition(")")[2].split()
            if int(session) == terminal.pid != int(process.name):
                yield state


def left(terminal: Terminal) -> None:
    """Leave it, and the shell."""
    terminal.send("q")
    terminal.wait_for(lambda text: text.rstrip().endswith(PROMPT.strip()))
    assert_modes_given_back(terminal.raw.decode())
    terminal.send("exit\r")
    assert terminal.wait_exit() == 0


def test_ctrl_z_stops_it_and_fg_brings_it_back_whole(shell: Shell) -> None:
    terminal = shell("resnet50-cosine")
    terminal.wait_for("val/loss")
    terminal.settle()
    before = terminal.text
    for _ in range(3):
        suspended(terminal)
        terminal.send("fg\r")
        terminal.wait_for(lambda text: text == before)
    # Keys and the mouse are its own again.
    terminal.send("2")
    terminal.wait_for("Fold")
    terminal.send("\x1b[<0;3;2M\x1b[<0;3;2m")
    terminal.wait_for(lambda text: text == before)
    left(terminal)


def test_the_shell_has_its_modes_while_it_is_suspended(shell: Shell) -> None:
    terminal = shell("resnet50-cosine")
    terminal.wait_for("val/loss")
    suspended(terminal)
    terminal.send("stty -a\r")
    for mode in ("icanon", "isig", "echo", "icrnl", "ixon", "onlcr"):
        terminal.wait_for(lambda text, mode=mode: mode in text.rpartition("speed")[2].split())
    terminal.send("fg\r")
    terminal.wait_for("val/loss")
    left(terminal)


def test_a_size_that_changed_meanwhile_is_that_of_the_screen(shell: Shell, start: Start) -> None:
    terminal = shell("resnet50-cosine")
    terminal.wait_for("val/loss")
    suspended(terminal)
    terminal.resize(90, 30)
    fresh = start("resnet50-cosine", columns=90, lines=30)
    fresh.wait_for("val/loss")
    fresh.settle()
    terminal.send("fg\r")
    terminal.wait_for(lambda text: text == fresh.text)
    left(terminal)


@pytest.mark.usefixtures("active_run")
def test_what_is_live_goes_on(shell: Shell) -> None:
    terminal = shell("llama-lora-sft")
    terminal.wait_for("● live")
    suspended(terminal)
    terminal.send("fg\r")
    terminal.wait_for("● live")
    terminal.settle(0.2)
    before = terminal.byte_count
    terminal.wait_until(lambda: terminal.byte_count > before)
    left(terminal)


def test_in_the_background_it_waits_for_the_terminal(shell: Shell) -> None:
    terminal = shell("resnet50-cosine")
    terminal.wait_for("val/loss")
    terminal.settle()
    before = terminal.text
    suspended(terminal)
    suspended(terminal, "bg; sleep 0.5; jobs\r")
    terminal.send("fg\r")
    terminal.wait_for(lambda text: text == before)
    left(terminal)


def test_stopped_without_a_word_it_takes_the_terminal_again(shell: Shell) -> None:
    terminal = shell("resnet50-cosine")
    terminal.wait_for("val/loss")
    terminal.settle()
    before = terminal.text
    children = Path(f"/proc/{terminal.pid}/task/{terminal.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGSTOP)
    # The shell has written over the screen, and waits for what to do.
    terminal.wait_until(lambda: PROMPT.encode() in terminal.raw.partition(b"Stopped")[2])
    terminal.send("fg\r")
    terminal.wait_for(lambda text: text == before)
    terminal.send("2")
    terminal.wait_for("Fold")
    left(terminal)


def test_ctrl_z_in_a_program_that_the_terminal_is_lent_to_suspends_both(
    shell: Shell, tmp_path: Path
) -> None:
    pager = tmp_path / "pager"
    pager.write_text('#!/bin/sh\necho paged\nread -r line\necho "read $line"\n')
    pager.chmod(0o755)
    terminal = shell("support-agent-v3", "--tab", "evals", PAGER=str(pager))
    terminal.wait_for("faithfulness")
    terminal.send("\r")
    terminal.wait_for("sample 1 of")
    terminal.settle()
    before = terminal.text
    terminal.send("p")
    terminal.wait_for("paged")
    suspended(terminal)
    terminal.send("fg\r")
    # The shell shows what is typed before it gives the terminal the modes of the job.
    terminal.wait_until(lambda: terminal.attributes()[3] & termios.ICANON != 0)
    terminal.send("on\r")
    terminal.wait_for(lambda text: text == before)
    left(terminal)


def test_without_a_shell_it_says_so_and_goes_on(start: Start) -> None:
    terminal = start("resnet50-cosine")
    terminal.wait_for("val/loss")
    terminal.send(CTRL_Z)
    terminal.wait_for("Not suspended")
    terminal.send("2")
    terminal.wait_for("Fold")
    terminal.signal(signal.SIGTSTP)
    terminal.wait_until(lambda: terminal.raw.count(b"\x1b[?1049l") == 2)
    terminal.wait_for("Fold")
    terminal.send("q")
    assert terminal.wait_exit() == 0
