"""Ctrl+C while it starts, or while a command reads, ends it without a word."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terminal.terminal import Terminal, environment

INTERRUPTED_AT = """
import os, signal, sys
def heed(event, given):
    if event == "import" and given[0] == {module!r} and not came:
        came.append(1)
        os.kill(os.getpid(), signal.SIGINT)
came = []
from flowtui.__main__ import main
sys.addaudithook(heed)
sys.argv[1:] = {arguments!r}
try:
    main()
finally:
    assert came, "it was never imported"
"""
ENDED = (-signal.SIGINT, 128 + signal.SIGINT)
"""By the signal, or with what a shell makes of that."""
OF_BOTH = [
    "flowtui.cli.opening",
    "flowtui.cli.stores",
    "flowtui.cli.telling",
    "flowtui.cli.standard_streams",
    "flowtui.store.store",
]


def interrupted_at(module: str, *arguments: object) -> list[str]:
    """Return a command that is interrupted where it begins to import a module."""
    code = INTERRUPTED_AT.format(module=module, arguments=list(map(str, arguments)))
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    "module",
    [*OF_BOTH, "flowtui.app.app", "textual.app", "flowtui.store.liveness.standing"],
)
def test_the_app_is_interrupted_while_it_starts(
    module: str, demo_directory: Path, tmp_path: Path
) -> None:
    command = interrupted_at(module, "latest", "--store", demo_directory)
    with Terminal(command, environment(tmp_path)) as terminal:
        assert terminal.wait_exit() in ENDED
        assert terminal.text.strip() == ""
        assert terminal.attributes() == terminal.attributes_before


@pytest.mark.parametrize("command", ["list", "show"])
@pytest.mark.parametrize(
    "module", [*OF_BOTH, "flowtui.cli.commands", "typer", "flowtui.reports.runs"]
)
def test_a_command_is_interrupted(
    module: str, command: str, demo_directory: Path, tmp_path: Path
) -> None:
    words = [command, *(["latest"] if command == "show" else []), "--store", demo_directory]
    done = subprocess.run(
        interrupted_at(module, *words), env=environment(tmp_path), capture_output=True, text=True,
        timeout=30,
    )  # fmt: skip
    assert done.returncode in ENDED
    assert (done.stdout, done.stderr.strip()) == ("", "")


INTERRUPTED_IN_DEL = """
import os, signal, sys
class Dropped:
    def __del__(self):
        raise KeyboardInterrupt
from flowtui.cli.interrupts import interrupts_end_quietly
with interrupts_end_quietly(True):
    Dropped()
    print("gone on", flush=True)
"""


def test_an_interrupt_that_python_would_pass_over_ends_it_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_IN_DEL], env=environment(tmp_path), capture_output=True,
        text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "")


def test_an_interrupt_that_was_ignored_from_the_beginning_stays_so(
    demo_directory: Path, tmp_path: Path
) -> None:
    command = interrupted_at("flowtui.reports.runs", "list", "--store", demo_directory)
    done = subprocess.run(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "-", *command], env=environment(tmp_path),
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode == 0
    assert "resnet50-cosine" in done.stdout
