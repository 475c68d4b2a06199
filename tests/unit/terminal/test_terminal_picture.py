"""Full pictures: which terminals take them, how, and through tmux."""

from __future__ import annotations

import base64
import io
import random
import subprocess
from dataclasses import replace

import pytest
from PIL import Image

from flowtui.previews.values import Part, Picture
from flowtui.terminal import pictures
from flowtui.terminal.pictures import Protocol, encoded, passes_through, png, protocol
from flowtui.terminal.session import session

RGB = bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])
PICTURE = Picture(2, 2, RGB, 2, 2, Part("frame", 0, 1, 1, None))
HERE = session({"TERM": "xterm"})


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"KITTY_WINDOW_ID": "1"}, Protocol.KITTY),
        ({"TERM": "xterm-kitty"}, Protocol.KITTY),
        ({"KONSOLE_VERSION": "230800"}, Protocol.KITTY),
        ({"KONSOLE_VERSION": "200000"}, None),
        ({"TERM_PROGRAM": "iTerm.app"}, Protocol.ITERM),
        ({"TERM_PROGRAM": "WezTerm"}, Protocol.ITERM),
        ({"LC_TERMINAL": "iTerm2"}, Protocol.ITERM),
        ({"TERM": "foot"}, Protocol.SIXEL),
        ({"TERM": "xterm-256color"}, None),
    ],
)
def test_the_protocol_is_read_off_the_environment(
    environ: dict[str, str], expected: Protocol | None
) -> None:
    assert protocol(environ) is expected


def test_the_pixels_arrive_whole() -> None:
    with Image.open(io.BytesIO(png(PICTURE))) as image:
        assert image.convert("RGB").tobytes() == RGB
    kitty = encoded(PICTURE, Protocol.KITTY, is_tmux=False)
    assert base64.b64decode(kitty[kitty.index(b";") + 1 : -2]) == png(PICTURE)
    iterm = encoded(PICTURE, Protocol.ITERM, is_tmux=False)
    assert base64.b64decode(iterm[iterm.index(b":") + 1 : -1]) == png(PICTURE)


def test_a_long_picture_goes_in_pieces() -> None:
    noise = random.Random(1).randbytes(100 * 100 * 3)
    sent = encoded(replace(PICTURE, width_px=100, height_px=100, rgb=noise), Protocol.KITTY, False)
    parts = sent.split(b"\x1b\\")[:-1]
    assert len(parts) > 1
    assert all(b"m=1" in part[:24] for part in parts[:-1])
    assert b"m=0" in parts[-1][:24]
    data = b"".join(part[part.index(b";") + 1 :] for part in parts)
    assert base64.b64decode(data).startswith(b"\x89PNG")


def test_sixel_has_each_colour_in_its_place() -> None:
    sent = encoded(PICTURE, Protocol.SIXEL, is_tmux=False)
    assert sent.startswith(b'\x1bPq"1;1;2;2')
    assert b"#180;2;100;0;0" in sent
    # Red is the first column's first row, blue its second one.
    assert b"#180@?$" in sent
    assert b"#5A?$" in sent


def test_tmux_gets_it_wrapped() -> None:
    sent = encoded(PICTURE, Protocol.ITERM, is_tmux=True)
    assert sent.startswith(b"\x1bPtmux;\x1b\x1b]1337;")
    assert sent.endswith(b"\x1b\\")


def test_tmux_is_asked_whether_it_passes_pictures_on(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"on\n"

    def run(words: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(words, 0, answer, b"")

    monkeypatch.setattr(pictures.subprocess, "run", run)
    assert passes_through(HERE._replace(is_tmux=True))
    answer = b"off\n"
    assert not passes_through(HERE._replace(is_tmux=True))
    assert passes_through(HERE)
    assert not passes_through(HERE._replace(is_screen=True))
