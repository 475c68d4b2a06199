"""Pictures in cells of a terminal that has kitty's Unicode placeholders, by the bytes on a pty."""

from __future__ import annotations

import base64
import io
import re
import signal
from pathlib import Path

import pytest
from PIL import Image

from flowtui.store.schema import StoreWriter
from flowtui.terminal.placeholders import MARKS, PLACEHOLDER, QUERY
from tests.terminal.conftest import Start
from tests.terminal.terminal import Terminal

SENT = re.compile(rb"\x1b_G([^;\x1b]*);([A-Za-z0-9+/=]*)\x1b\\")
REMOVED = re.compile(rb"\x1b_Ga=d,d=I,q=2,i=(\d+)\x1b\\")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?38;2;(\d+);(\d+);(\d+)[0-9;]*m")
KITTY = {"TERM": "xterm-kitty"}
RUN = "pictured"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = tmp_path / "store"
    with StoreWriter(made) as writer:
        writer.start_run(RUN, RUN)
        with writer.experiment(RUN) as experiment:
            image = Image.effect_noise((640, 480), 90)
            out = io.BytesIO()
            image.save(out, "PNG")
            experiment.attachment("a.png", out.getvalue())
            experiment.attachment("b.txt", b"only a text\n")
    return made


def numbers(found: bytes) -> dict[str, str]:
    return dict(pair.split("=") for pair in found.decode().split(","))


def begun(terminal: Terminal) -> list[dict[str, str]]:
    """Return what was said with the first sequence of each picture."""
    return [numbers(keys) for keys, _ in SENT.findall(terminal.raw) if b"a=T" in keys]


def shown(terminal: Terminal) -> int:
    """Wait until the picture is in its cells, and return its number."""
    terminal.wait_until(lambda: PLACEHOLDER.encode() in terminal.raw and bool(begun(terminal)))
    terminal.settle()
    return int(begun(terminal)[-1]["i"])


def removed(terminal: Terminal) -> list[int]:
    return [int(number) for number in REMOVED.findall(terminal.raw)]


def opened(start: Start, store: Path, *arguments: str, **variables: str | None) -> Terminal:
    terminal = start(RUN, "--tab", "attachments", *arguments, store=store, **variables)
    terminal.wait_for("a.png  PNG")
    terminal.settle()
    return terminal


def answering(start: Start, store: Path, **variables: str | None) -> Terminal:
    """Open it on a terminal that has placeholders, and says so once it is asked."""
    terminal = opened(start, store, **variables)
    terminal.wait_until(lambda: QUERY.encode() in terminal.raw)
    terminal.send("\x1b_Gi=1;OK\x1b\\")
    return terminal


def test_a_picture_is_sent_once_and_shown_by_its_cells(start: Start, store: Path) -> None:
    terminal = answering(start, store, **KITTY)
    number = shown(terminal)
    assert 0 < number < 1 << 24
    (first,) = begun(terminal)
    assert first.items() >= {"a": "T", "U": "1", "q": "2", "f": "100", "m": "1"}.items()
    sent = SENT.findall(terminal.raw.replace(QUERY.encode(), b""))
    assert all(len(data) <= 4_096 for _, data in sent)
    assert all(b"q=2" in keys for keys, _ in sent)
    assert [numbers(keys)["m"] for keys, _ in sent] == ["1"] * (len(sent) - 1) + ["0"]
    image = Image.open(io.BytesIO(base64.b64decode(b"".join(data for _, data in sent))))
    columns, lines = int(first["c"]), int(first["r"])
    assert image.width > 4 * columns
    assert image.height > 4 * lines
    text = terminal.raw.decode("utf-8", "replace")
    end = text.rindex("\x1b\\")
    at = text.index(PLACEHOLDER)
    # Its cells come after all of it.
    assert at > end
    red, green, blue = map(int, COLOUR.findall(text[end:at])[-1])
    assert red << 16 | green << 8 | blue == number
    cells = re.findall(f"{PLACEHOLDER}(.)(.)", text)
    assert set(cells) == {
        (MARKS[line], MARKS[column]) for line in range(lines) for column in range(columns)
    }
    assert len(cells) == lines * columns
    # What shows the same again sends nothing of it.
    terminal.send("r")
    terminal.settle()
    assert len(begun(terminal)) == 1
    assert removed(terminal) == []


def test_it_is_removed_when_left_and_when_the_program_ends(start: Start, store: Path) -> None:
    terminal = answering(start, store, **KITTY)
    first = shown(terminal)
    terminal.send("j")
    terminal.wait_for("only a text")
    assert removed(terminal) == [first]
    terminal.send("k")
    terminal.wait_until(lambda: len(begun(terminal)) == 2)
    terminal.settle()
    second = int(begun(terminal)[-1]["i"])
    assert second != first
    terminal.send("1")
    terminal.wait_until(lambda: second in removed(terminal))
    terminal.send("5")
    terminal.wait_until(lambda: len(begun(terminal)) == 3)
    terminal.settle()
    third = int(begun(terminal)[-1]["i"])
    terminal.send("q")
    assert terminal.wait_exit() == 0
    assert removed(terminal) == [first, second, third]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_is_removed_when_a_signal_ends_the_program(
    start: Start, store: Path, number: signal.Signals
) -> None:
    terminal = answering(start, store, **KITTY)
    picture = shown(terminal)
    terminal.signal(number)
    assert terminal.wait_exit() == 128 + number
    assert removed(terminal) == [picture]


def test_it_is_sent_again_after_the_program_was_suspended(start: Start, store: Path) -> None:
    terminal = answering(start, store, **KITTY)
    picture = shown(terminal)
    terminal.signal(signal.SIGSTOP)
    terminal.signal(signal.SIGCONT)
    terminal.wait_until(lambda: len(begun(terminal)) == 2)
    terminal.settle()
    assert removed(terminal) == [picture]
    assert int(begun(terminal)[-1]["i"]) == picture
    # Its cells are drawn anew once it is there.
    assert terminal.raw.rindex(PLACEHOLDER.encode()) > terminal.raw.rindex(b"\x1b_G")


def test_ghostty_and_a_login_over_ssh_have_them_too(start: Start, store: Path) -> None:
    shown(answering(start, store, TERM="xterm-ghostty"))
    shown(answering(start, store, **KITTY, SSH_CONNECTION="10.0.0.1 1 10.0.0.2 22"))


@pytest.mark.parametrize("answer", ["", "\x1b_Gi=1;EINVAL:U is not known\x1b\\"])
def test_one_that_does_not_say_that_it_has_them_keeps_half_cells(
    start: Start, store: Path, answer: str
) -> None:
    terminal = opened(start, store, **KITTY)
    terminal.wait_until(lambda: QUERY.encode() in terminal.raw)
    terminal.send(answer)
    terminal.send("j")
    terminal.wait_for("only a text")
    terminal.send("k")
    terminal.wait_for("▀")
    terminal.settle()
    assert begun(terminal) == []
    assert PLACEHOLDER.encode() not in terminal.raw
    assert terminal.raw.count(QUERY.encode()) == 1


def test_an_answer_that_comes_late_and_in_pieces_is_no_key(start: Start, store: Path) -> None:
    terminal = opened(start, store, **KITTY)
    terminal.wait_until(lambda: QUERY.encode() in terminal.raw)
    before = terminal.text
    for piece in ("\x1b_", "Gi=1", ";O", "K\x1b", "\\"):
        terminal.send(piece)
    shown(terminal)
    assert terminal.text.splitlines()[-1] == before.splitlines()[-1]


@pytest.mark.parametrize(
    "variables",
    [
        {"TERM": "xterm-256color"},
        {"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"},
        {**KITTY, "TMUX": "/nowhere/tmux,1,0"},
        {**KITTY, "STY": "1.pts"},
        {**KITTY, "ZELLIJ": "0"},
        {**KITTY, "NO_COLOR": "1"},
        {**KITTY, "LC_ALL": "C"},
    ],
)
def test_no_other_terminal_is_sent_any(
    start: Start, store: Path, variables: dict[str, str]
) -> None:
    terminal = opened(start, store, **variables)
    terminal.send("j")
    terminal.wait_for("only a text")
    terminal.send("q")
    terminal.wait_exit()
    assert b"\x1b_G" not in terminal.raw
    assert PLACEHOLDER.encode() not in terminal.raw


def test_a_person_can_do_without(start: Start, store: Path) -> None:
    (store.parent / "home" / "config" / "flow-tui").mkdir(parents=True)
    (store.parent / "home" / "config" / "flow-tui" / "config.toml").write_text('pictures = "none"')
    assert b"\x1b_G" not in opened(start, store, **KITTY).raw
    assert b"\x1b_G" not in opened(start, store, "--slow", **KITTY).raw
