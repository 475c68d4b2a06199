"""The program as other programs see it: pipes, shells, its cache folder, its doctor."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowtui import __version__
from tests.unit.stores import one_run

pytestmark = pytest.mark.slow

PROGRAM = [sys.executable, "-m", "flowtui"]
TIMEOUT_S = 60


def run(
    *arguments: object, cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env={**os.environ, **environ},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


def completed(words: str, **environ: str) -> set[str]:
    """Return what bash offers for the last of some words."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = run(cwd=None, _FLOW_TUI_COMPLETE="complete_bash", **asked, **environ)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_a_pipe_that_is_closed_early_is_no_error(demo_directory: Path) -> None:
    # More than a pipe holds, so that the writer meets the end of its reader.
    command = f'"$@" list --json -s {demo_directory}; echo $? >&2'
    done = subprocess.run(
        ["sh", "-c", f"( {command} ) | head -1", "sh", *PROGRAM],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    assert done.stdout == "[\n"
    assert done.stderr in ("0\n", "1\n")


def test_commands_and_runs_are_completed(demo_directory: Path) -> None:
    store = str(demo_directory)
    assert completed("flow-tui sh") == {"show"}
    assert completed("flow-tui resn", LUML_BACKEND_STORE_URI=store) >= {"resnet50-cosine"}
    assert completed(f"flow-tui show -s {store} resn") >= {"resnet50-cosine"}
    assert completed(f"flow-tui -s {store} resn") >= {"resnet50-cosine"}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("flow-tui --tab me", {"metrics"}),
        ("flow-tui --theme flow-l", {"flow-light"}),
        ("flow-tui list --sort val/l", {"val/loss"}),
        ("flow-tui list --sort -best.val/a", {"-best.val/accuracy"}),
        ("flow-tui list --columns name,val/l", {"name,val/loss"}),
        ("flow-tui list --columns name,nam", set()),
        ("flow-tui list --filter val/accu", {"val/accuracy"}),
        ("flow-tui list --filter (val/accu", {"(val/accuracy"}),
        ("flow-tui traces support-agent-v3 --sort -dur", {"-duration"}),
        ("flow-tui traces support-agent-v3 --filter annotations.feedb",
         {"annotations.feedback.quality"}),
        ("flow-tui evals support-agent-v3 --sort scores.corr", {"scores.correct"}),
        ("flow-tui metrics resnet50-cosine val/l", {"val/loss"}),
        ("flow-tui edit x --group sweep", {"sweep-lr"}),
        ("flow-tui collect --group sweep", {"sweep-lr"}),
        ("flow-tui list --sort nosuch", set()),
    ],
)  # fmt: skip
def test_values_of_options_are_completed(
    demo_directory: Path, words: str, offered: set[str]
) -> None:
    assert completed(words, LUML_BACKEND_STORE_URI=str(demo_directory)) == offered


def test_completion_without_a_store_offers_nothing_and_says_nothing(tmp_path: Path) -> None:
    assert completed(f"flow-tui show -s {tmp_path} x") == set()


def completion_script(shell: str) -> str:
    """Return what is printed in a shell, whichever of them the tests are run from."""
    done = run("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize(
    ("shell", "part"),
    [("bash", "complete -o "), ("zsh", "compdef "), ("fish", "complete --command flow-tui ")],
)
def test_the_completion_script_is_printed(shell: str, part: str) -> None:
    script = completion_script(shell)
    assert part in script
    assert "_FLOW_TUI_COMPLETE" in script


def test_the_completion_script_is_sound_bash() -> None:
    script = completion_script("bash")
    subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=TIMEOUT_S)


def test_the_demo_is_made_where_caches_are(tmp_path: Path) -> None:
    done = run("demo", "--path", XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "Making the demo store\n")
    directory = Path(done.stdout.removesuffix("\n"))
    assert directory == tmp_path / "flow-tui" / f"demo-{__version__}"
    assert (directory / "meta.db").is_file()
    names = {path.name for path in directory.parent.iterdir()}
    assert names == {f"demo-{__version__}", "demo.lock"}
    shown = run("demo", XDG_CACHE_HOME=str(tmp_path))
    assert shown.stdout.startswith("support-agent-v5  ")


def test_the_default_store_is_found_without_being_named(tmp_path: Path) -> None:
    one_run(tmp_path / "experiments")
    assert "run-1" in run("list", cwd=tmp_path).stdout
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / ".env").write_text(
        f"LUML_BACKEND_STORE_URI=sqlite://{tmp_path / 'experiments'}\n"
    )
    assert "run-1" in run("list", cwd=tmp_path / "elsewhere").stdout


def test_the_doctor_finds_a_sound_session_sound(demo_directory: Path) -> None:
    done = run("doctor", "-s", demo_directory, LC_ALL="C.UTF-8")
    assert done.returncode == 0
    assert f"✓ store       {demo_directory} (--store): " in done.stdout
    assert "· terminal    none here: opening a run prints it as text" in done.stdout
    assert "✓ text        UTF-8" in done.stdout
    assert "✗" not in done.stdout


def test_the_doctor_says_what_is_off_and_what_to_add(tmp_path: Path) -> None:
    done = run(
        "doctor", "-s", tmp_path, TERM="dumb", COLORTERM="", LC_ALL="C", SSH_TTY="/dev/pts/0"
    )
    assert done.returncode == 1
    for line in (
        f"x store       {tmp_path} is not a LUML store: it has no meta.db",
        "! text        the locale has no UTF-8",
        "> export LC_ALL=C.UTF-8",
    ):
        assert line in done.stdout
    # There is no terminal to be advised about.
    assert "TERM" not in done.stdout


def test_text_is_printed_whole_where_the_locale_has_no_utf8(demo_directory: Path) -> None:
    done = run("list", "-s", demo_directory, LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, "")


def test_text_is_printed_where_stdout_takes_only_ascii(demo_directory: Path) -> None:
    done = run("list", "-s", demo_directory, LC_ALL="C", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "resnet50-cosine" in done.stdout
    assert "Traceback" not in done.stderr


# What is printed arrives, or it is said that it did not -------------------------------------------


def in_shell(command: str, store: Path) -> tuple[int, str, str]:
    """Return exit code, output and errors of the program, run with what a shell does to it."""
    done = subprocess.run(
        ["sh", "-c", command.replace("PROGRAM", '"$@"').replace("STORE", str(store)), "sh",
         *PROGRAM],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "metrics resnet50-cosine --csv -s STORE",
        "list --json -s STORE",
        "show resnet50-cosine -s STORE",
        "resnet50-cosine -s STORE",
        "traces support-agent-v3 -s STORE",
        "evals support-agent-v3 --csv -s STORE",
        "doctor -s STORE",
        "--help",
        "--version",
    ],
)
def test_a_full_disk_is_one_line_and_an_exit_code(demo_directory: Path, command: str) -> None:
    code, _, error = in_shell(f"PROGRAM {command} > /dev/full", demo_directory)
    assert error == ("flow-tui: standard output could not be written in full: the disk is full\n")
    assert code == 1


def test_a_closed_output_is_one_line_and_an_exit_code(demo_directory: Path) -> None:
    code, _, error = in_shell("PROGRAM list -s STORE >&-", demo_directory)
    assert error == "flow-tui: standard output could not be written in full: it is closed\n"
    assert code == 1


def test_an_error_is_told_whatever_became_of_the_output(demo_directory: Path) -> None:
    code, _, error = in_shell("PROGRAM show gone -s STORE > /dev/full", demo_directory)
    assert error.startswith("flow-tui: no run 'gone'")
    assert (code, len(error.splitlines())) == (1, 1)


@pytest.mark.parametrize("gone", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_what_nobody_can_be_told_stops_nothing(
    demo_directory: Path, tmp_path: Path, gone: str
) -> None:
    out = tmp_path / "run.luml"
    command = f"PROGRAM export resnet50-cosine -s STORE -o {out} {gone}"
    code, said, _ = in_shell(command, demo_directory)
    assert (code, said.split()[0]) == (0, str(out))
    # Nothing is printed into what else was opened.
    assert out.read_bytes()[257:262] == b"ustar"


def test_a_short_output_that_nobody_reads_is_no_error_either(demo_directory: Path) -> None:
    # The reader is gone before the first line comes.
    command = "{ sleep 0.1; PROGRAM list -s STORE; echo $? >&2; } | true"
    assert in_shell(command, demo_directory) == (0, "", "1\n")
