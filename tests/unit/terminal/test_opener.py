"""Which program opens a file, what it is given, and how a file is fetched from afar."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from flowtui.previews.errors import PreviewCancelled
from flowtui.previews.values import never
from flowtui.terminal import opener
from flowtui.terminal.session import session

HERE = session({"TERM": "xterm", "DISPLAY": ":0"})


def made(folder: Path, *names: str) -> str:
    for name in names:
        path = folder / name
        path.write_text("#!/bin/sh\nexit 0\n")
        path.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("environ", "platform", "words"),
    [
        ({"FLOW_TUI_OPENER": "feh --full"}, "linux", ["feh", "--full"]),
        ({}, "darwin", ["open"]),
        ({"WSL_DISTRO_NAME": "Ubuntu"}, "linux", ["wslview"]),
        ({}, "linux", ["xdg-open"]),
    ],
)
def test_each_system_has_its_own_opener(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], platform: str,
    words: list[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", made(tmp_path, "feh", "open", "wslview", "xdg-open"))
    assert opener.command(environ, HERE, platform) == words


@pytest.mark.parametrize(
    ("environ", "has_display", "why"),
    [
        ({}, False, "no display"),
        ({}, True, "'xdg-open' is not installed"),
        ({"FLOW_TUI_OPENER": "it's"}, True, "FLOW_TUI_OPENER"),
    ],
)
def test_without_an_opener_it_says_what_would_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], has_display: bool,
    why: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(opener.OpenFailed, match=why):
        opener.command(environ, HERE._replace(has_display=has_display), "linux")


def test_ssh_without_a_display_is_elsewhere_unless_an_opener_is_named() -> None:
    there = HERE._replace(is_ssh=True, has_display=False)
    assert opener.is_elsewhere({}, there)
    assert not opener.is_elsewhere({"FLOW_TUI_OPENER": "v"}, there)
    assert not opener.is_elsewhere({}, there._replace(has_display=True))


def test_a_failing_viewer_is_not_opened_and_one_that_goes_on_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(opener.OpenFailed, match="false ended with exit code 1"):
        opener.start(["false"], tmp_path / "x")
    with pytest.raises(opener.OpenFailed, match="no-such"):
        opener.start(["no-such-program"], tmp_path / "x")
    opener.start(["true"], tmp_path / "x")
    monkeypatch.setattr(opener, "WATCHED_S", 0.1)
    opener.start(["sh", "-c", "sleep 1"], tmp_path / "x")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"EDITOR": "vim -n"}, ["vim", "-n", "-R"]),
        ({"EDITOR": "vim", "VISUAL": "nano"}, ["nano", "-v"]),
        ({"EDITOR": "other"}, ["other"]),
        ({}, ["vim", "-R"]),
    ],
)
def test_editors_are_told_to_view_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], words: list[str]
) -> None:
    monkeypatch.setenv("PATH", made(tmp_path, "vim", "nano", "other"))
    assert opener.viewing_editor(environ) == words


def test_no_editor_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(opener.OpenFailed, match="neither vim nor nano"):
        opener.viewing_editor({})


@pytest.mark.parametrize("name", ["plain.txt", 'it\'s $HOME `x` "q" *.txt', "naïve;rm -rf.txt"])
def test_the_scp_command_survives_both_shells(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    line = opener.scp_command(path, {"SSH_CONNECTION": "1.1.1.1 5 2.2.2.2 22"}, "ana", "host")
    own = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert own[0] == "scp"
    assert own[2] == "."
    address, _, remote = own[1].partition(":")
    assert address == "ana@2.2.2.2"
    there = subprocess.run(
        ["sh", "-c", f"printf %s {remote}"], capture_output=True, text=True, check=True
    )
    assert there.stdout == str(path)


def test_the_scp_command_knows_ports_addresses_and_its_limits() -> None:
    environ = {"SSH_CONNECTION": "fe80::1 5 fe80::2 2222"}
    words = shlex.split(opener.scp_command(Path("/a"), environ, "ana", "host"))
    assert words == ["scp", "-P", "2222", "ana@[fe80::2]:/a", "."]
    assert opener.scp_command(Path("/a"), {}, "ana", "host") == "scp ana@host:/a ."
    with pytest.raises(opener.OpenFailed, match="cannot be typed"):
        opener.scp_command(Path("/a\nb"), environ, "ana", "host")


def test_copies_of_old_sessions_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    old, new = tmp_path / "flow-tui-open-old", tmp_path / "flow-tui-open-new"
    old.mkdir()
    new.mkdir()
    long_ago = time.time() - 2 * opener.KEPT_S
    os.utime(old, (long_ago, long_ago))
    source = tmp_path / "a.txt"
    source.write_text("x")
    copies = opener.Copies()
    copy = copies.copied(source, "deep/a b.tar.gz", never)
    assert copy.name == "a-b.tar.gz"
    assert copy.read_text() == "x"
    assert not old.exists()
    assert new.exists()
    copies.remove()
    assert not copy.exists()
    with pytest.raises(PreviewCancelled):
        copies.copied(source, "a", lambda: True)
    with pytest.raises(opener.OpenFailed):
        copies.copied(tmp_path / "gone", "gone", never)
    copies.remove()
