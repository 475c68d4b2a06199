"""What a session is, and whether a copied text reaches a clipboard or says why not."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from flowtui.terminal import session as terminal
from flowtui.terminal.session import CopyFailed, Session, copy, session

XTERM = session({"TERM": "xterm-256color", "LANG": "en_US.UTF-8"})


def never(sequence: str) -> None:
    raise AssertionError(f"nothing was to be written, and {sequence!r} was")


@pytest.fixture
def fake_tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a tmux on the PATH that keeps what it is given; return the folder that it is in."""
    _install_tmux(tmp_path, 'printf "%s " "$@" > arguments; cat > copied')
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _install_tmux(folder: Path, script: str) -> None:
    path = folder / "tmux"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("environ", "facts"),
    [
        ({}, {"term": "", "is_dumb": True, "is_utf8": False, "is_ssh": False}),
        ({"TERM": "dumb"}, {"is_dumb": True}),
        ({"TERM": "xterm-256color"}, {"is_dumb": False, "has_few_colors": False}),
        ({"TERM": "xterm"}, {"has_few_colors": True, "is_truecolor": False}),
        ({"TERM": "linux"}, {"has_few_colors": True}),
        ({"TERM": "screen", "TMUX": "/tmp/tmux-0/default,1,0"}, {"has_few_colors": False}),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, {"is_truecolor": True}),
        *(
            ({"TERM": term, "COLORTERM": "truecolor", "STY": "1.tty"}, {"is_truecolor": False})
            for term in ("screen", "screen-256color", "xterm-256color")
        ),
        ({"TERM": "screen.xterm-256color", "COLORTERM": "truecolor"}, {"is_truecolor": False}),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor"}, {"is_truecolor": True}),
        ({"TERM": "xterm", "COLORTERM": "24BIT"}, {"is_truecolor": True, "has_few_colors": False}),
        *(
            ({"TERM": term}, {"is_truecolor": True, "has_few_colors": False})
            for term in (
                "xterm-kitty",
                "foot",
                "foot-extra",
                "alacritty",
                "xterm-ghostty",
                "wezterm",
                "xterm-direct",
                "tmux-direct",
                "konsole-direct",
            )
        ),
        *(
            ({"TERM": term}, {"is_truecolor": False})
            for term in ("xterm-256color", "tmux-256color", "screen.xterm-256color", "vt100", "")
        ),
        *(
            ({"TERM": term}, {"has_clipboard": False})
            for term in ("vt100", "vt220", "linux", "linux-16color", "ansi", "dumb", "")
        ),
        *(
            ({"TERM": term}, {"has_clipboard": True})
            for term in (
                "xterm",
                "xterm-256color",
                "foot",
                "vte-256color",
                "screen",
                "tmux-256color",
            )
        ),
        ({"TERM": "vt100", "TMUX": "x"}, {"has_clipboard": True}),
        ({"TERM": "tmux-256color"}, {"is_behind_another": True}),
        ({"TERM": "tmux-256color", "TMUX": "x"}, {"is_behind_another": False}),
        ({"NO_COLOR": "1"}, {"is_monochrome": True}),
        ({"SSH_TTY": "/dev/pts/1"}, {"is_ssh": True}),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, {"is_ssh": True}),
        ({"TMUX": "x"}, {"is_tmux": True, "is_screen": False}),
        ({"STY": "1.pts-0.host"}, {"is_screen": True, "is_tmux": False}),
        ({"WAYLAND_DISPLAY": "wayland-0"}, {"has_display": True}),
        ({"DISPLAY": ":0"}, {"has_display": True}),
        ({"DISPLAY": "", "WAYLAND_DISPLAY": ""}, {"has_display": False}),
        ({"SSH_TTY": "x"}, {"has_display": False}),
    ],
)
def test_facts_are_read_off_the_environment(
    environ: dict[str, str], facts: dict[str, object]
) -> None:
    here = session(environ)
    assert {name: getattr(here, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("environ", "is_utf8"),
    [
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LC_ALL": "C", "LANG": "de_DE.UTF-8"}, False),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, True),
        ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "C.UTF-8"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, False),
        ({"LANG": "ca_ES.UTF-8@valencia"}, True),
    ],
)
def test_the_locale_says_whether_there_is_more_than_ascii(
    environ: dict[str, str], is_utf8: bool
) -> None:
    assert session(environ).is_utf8 is is_utf8


def test_a_copy_is_sent_to_the_terminal_in_base64() -> None:
    written: list[str] = []
    text = "lr = 0.1 é漢 \x1b[2J"
    assert "clipboard" in copy(text, XTERM, written.append)
    (sequence,) = written
    head, _, payload = sequence.rpartition(";")
    assert head == "\x1b]52;c"
    assert payload.endswith("\x07")
    assert base64.b64decode(payload[:-1]).decode() == text


def test_a_lone_surrogate_can_be_copied() -> None:
    written: list[str] = []
    copy("a\udcffb", XTERM, written.append)
    assert base64.b64decode(written[0].rpartition(";")[2][:-1]) == b"a?b"


def test_screen_is_asked_to_pass_the_copy_on() -> None:
    written: list[str] = []
    copy("x", XTERM._replace(is_screen=True), written.append)
    assert written == ["\x1bP\x1b]52;c;eA==\x07\x1b\\"]


def test_a_text_that_terminals_drop_is_refused() -> None:
    most = terminal.OSC52_LIMIT_BYTES // 4 * 3
    copy("x" * most, XTERM, lambda _: None)
    with pytest.raises(CopyFailed, match=f"{most + 1:,} characters are more than a terminal takes"):
        copy("x" * (most + 1), XTERM, never)


@pytest.mark.parametrize(
    ("term", "said"),
    [("linux", "of type linux"), ("vt100", "of type vt100"), ("", "without a type")],
)
def test_a_terminal_without_a_clipboard_is_told_apart(term: str, said: str) -> None:
    with pytest.raises(CopyFailed, match=f"terminal {said}.* has no clipboard"):
        copy("x", XTERM._replace(term=term), never)


def in_tmux() -> Session:
    return session({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0", "LANG": "C.UTF-8"})


def test_in_tmux_its_own_command_takes_the_copy(fake_tmux: Path) -> None:
    text = "two\nlines é" * 20_000
    assert copy(text, in_tmux(), never) == "Copied with tmux"
    assert (fake_tmux / "arguments").read_text() == "load-buffer -w - "
    assert (fake_tmux / "copied").read_text("utf-8") == text


def test_what_tmux_says_is_why_it_failed(fake_tmux: Path) -> None:
    _install_tmux(fake_tmux, "cat > copied; echo no server running >&2; exit 1")
    with pytest.raises(CopyFailed, match=r"^tmux did not take it: no server running\.$"):
        copy("x", in_tmux(), never)


def test_a_silent_tmux_is_named_by_its_exit_code(fake_tmux: Path) -> None:
    _install_tmux(fake_tmux, "cat > copied; exit 3")
    with pytest.raises(CopyFailed, match=r"^tmux did not take it: it ended with 3\.$"):
        copy("x", in_tmux(), never)


def test_a_tmux_that_hangs_is_left(fake_tmux: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install_tmux(fake_tmux, "exec sleep 60")
    monkeypatch.setattr(terminal, "TMUX_TIMEOUT_S", 0.1)
    with pytest.raises(CopyFailed, match=r"did not answer within 0\.1 s"):
        copy("x", in_tmux(), never)


def test_a_missing_tmux_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CopyFailed, match="its command is not on the PATH"):
        copy("x", in_tmux(), never)
