"""What is on the screen of a real terminal, whatever the terminal and the store are like."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowtui.app.themes import THEMES
from flowtui.store.schema import StoreWriter
from tests.terminal.conftest import Start
from tests.terminal.hostile import FILE_NAME, SEQUENCES, make_hostile
from tests.terminal.terminal import Terminal
from tests.unit.stores import process

SHOWN_WITHIN_S = 2.0
OWN_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    # The pointer's shape, and what a person copied.
    r"|\x1b\]22;[a-z]*\x07|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"
)
COLOR_CODES = {*range(30, 50), *range(90, 108)}

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from flowtui.store.schema import StoreWriter
from flowtui.app.themes import THEMES
with StoreWriter(Path(sys.argv[1])) as store, store.experiment("live") as experiment:
    print("ready", flush=True)
    for line in sys.stdin:
        value, step = line.split()
        experiment.metrics([("b/loss", float(value), int(step), datetime.now(UTC))])
        print("written", flush=True)
"""


def opened(terminal: Terminal, until: str = "val/loss") -> Terminal:
    terminal.wait_for(until)
    terminal.settle()
    return terminal


def marked_lines(terminal: Terminal) -> list[int]:
    """Return the lines that stand out by their background: the cursor's."""
    screen = terminal.screen
    backgrounds = [screen.buffer[line][3].bg for line in range(terminal.lines)]
    usual, _ = Counter(backgrounds).most_common(1)[0]
    return [line for line, color in enumerate(backgrounds) if color != usual]


def test_it_opens_on_the_overview(start: Start) -> None:
    terminal = opened(start("resnet50-cosine"))
    for word in ("resnet50-cosine", "1 Overview", "Parameters", "batch_size", "✓ completed", "q "):
        assert word in terminal.text


def test_without_a_run_it_opens_on_the_list(start: Start) -> None:
    terminal = opened(start(), "resnet50-cosine")
    assert "support-agent-v3" in terminal.text


def test_the_tab_that_was_asked_for_is_shown(start: Start) -> None:
    terminal = opened(start("resnet50-cosine", "--tab", "evals"), "4 Evals")
    assert "batch_size" not in terminal.text


# Hostile stores ----------------------------------------------------------------------------------


def assert_harmless(terminal: Terminal) -> None:
    # Not one byte of it may be anything but UTF-8.
    rest = OWN_SEQUENCES.sub("", terminal.raw.decode("utf-8"))
    left = {char for char in rest if not char.isprintable()} - {"\r", "\n"}
    assert left == set()
    for sequence in SEQUENCES[:6]:
        assert sequence not in terminal.raw.decode()
    assert "HOSTILE" not in terminal.screen.title


def test_nothing_in_a_store_reaches_the_terminal_as_a_sequence(
    start: Start, tmp_path: Path
) -> None:
    make_hostile(tmp_path / "store", "run-1")
    terminal = start("run-1", store=tmp_path / "store")
    opened(terminal, "[bold]x[/x]␛[2J")
    for keys in ("jj", "\tjj", "\t", "\t", "/[b\r", "\x1b", "2", "3", "4", "5", "1", "?", "\x1b"):
        terminal.send(keys)
        terminal.settle(0.3)
        assert_harmless(terminal)
    terminal.send("q")
    assert terminal.wait_exit() == 0


def test_a_list_of_hostile_runs_is_shown_and_opens(start: Start, tmp_path: Path) -> None:
    make_hostile(tmp_path / "store", "run-1")
    terminal = opened(start(store=tmp_path / "store"), "[bold]x[/x]␛[2J")
    for keys in ("j", "k", "s", "\x1b", "/[b", "\x1b", "c", "\x1b", "\t", "j"):
        terminal.send(keys)
        terminal.settle(0.3)
        assert_harmless(terminal)
    terminal.send("q")
    assert terminal.wait_exit() == 0


def test_a_run_whose_id_is_hostile_opens(start: Start, tmp_path: Path) -> None:
    make_hostile(tmp_path / "store", "run-1")
    terminal = opened(start(FILE_NAME, store=tmp_path / "store"), "1 Overview")
    assert_harmless(terminal)
    terminal.send("q")
    assert terminal.wait_exit() == 0
    assert_harmless_after_leaving(terminal)


def assert_harmless_after_leaving(terminal: Terminal) -> None:
    assert terminal.raw.count(b"\x1b[?1049l") <= 2
    assert b"HOSTILE" not in terminal.raw.rpartition(b"\x1b[?1049l")[2]


# Poor terminals ----------------------------------------------------------------------------------


def looks(terminal: Terminal) -> list[bytes]:
    """Return the parameters of every change of colours and attributes."""
    return re.findall(rb"\x1b\[([\d;]*)m", terminal.raw)


def test_where_the_locale_has_no_utf8_only_ascii_is_sent(start: Start) -> None:
    terminal = opened(start("resnet50-cosine", LC_ALL="C"))
    for keys in ("j", "\t", "2", "1", "?", "\x1b", "\x1b"):
        terminal.send(keys)
        terminal.settle(0.3)
    assert terminal.raw.isascii()
    rest = OWN_SEQUENCES.sub("", terminal.raw.decode("ascii"))
    assert {char for char in rest if not char.isprintable()} <= {"\r", "\n"}
    assert "resnet50-cosine" in terminal.text


def test_no_color_sends_no_color(start: Start) -> None:
    terminal = opened(start("resnet50-cosine", NO_COLOR="1"))
    for keys in ("j", "\t", "2", "1", "?", "\x1b"):
        terminal.send(keys)
        terminal.settle(0.3)
    codes = b";".join(looks(terminal)).split(b";")
    colors = {int(code) for code in codes if code and int(code) in COLOR_CODES}
    assert colors <= {39, 49}


def test_a_terminal_of_sixteen_colors_is_sent_only_those(start: Start) -> None:
    terminal = opened(start("resnet50-cosine", TERM="xterm", COLORTERM=None))
    assert not any(code in (b"38", b"48") for look in looks(terminal) for code in look.split(b";"))


@pytest.mark.parametrize("term", ["screen", "screen-256color", "screen.xterm-256color"])
def test_gnu_screen_is_not_sent_the_colors_of_the_terminal_around_it(
    start: Start, term: str
) -> None:
    terminal = opened(start("resnet50-cosine", TERM=term, STY="1.tty", COLORTERM="truecolor"))
    assert not any(b"38;2;" in look or b"48;2;" in look for look in looks(terminal))


@pytest.mark.parametrize(
    ("variables", "has_mouse"),
    [
        ({"TERM": "screen", "STY": "1.tty"}, False),
        ({"TERM": "screen.xterm-256color"}, False),
        ({"TERM": "tmux-256color", "STY": "1.tty", "TMUX": "/tmp/tmux-0/default,1,0"}, True),
        ({"TERM": "screen-256color"}, True),
    ],
)
def test_gnu_screen_keeps_the_mouse_since_it_would_hold_back_esc(
    start: Start, variables: dict[str, str], has_mouse: bool
) -> None:
    terminal = opened(start("resnet50-cosine", **variables))
    terminal.send("q")
    assert terminal.wait_exit() == 0
    assert (b"\x1b[?1000h" in terminal.raw) is has_mouse
    assert (b"\x1b[?1002h" in terminal.raw) is has_mouse


@pytest.mark.parametrize("term", ["xterm-kitty", "alacritty", "foot", "xterm-direct"])
def test_a_terminal_known_to_have_all_colors_is_sent_them(start: Start, term: str) -> None:
    terminal = opened(start("resnet50-cosine", TERM=term, COLORTERM=None))
    assert any(look.startswith(b"38;2") or b";38;2" in look for look in looks(terminal))


def test_a_terminal_without_a_clipboard_is_not_said_to_have_copied(start: Start) -> None:
    terminal = opened(start("resnet50-cosine", TERM="vt100", COLORTERM=None))
    terminal.send("y")
    terminal.wait_for("Not copied")
    assert b"\x1b]52" not in terminal.raw


@pytest.mark.parametrize(("theme", "no_color"), [*((name, None) for name in THEMES), ("ansi", "1")])
def test_a_scroll_bar_is_seen_in_every_theme(
    start: Start, theme: str, no_color: str | None
) -> None:
    arguments = ("support-agent-v3", "--tab", "evals", "--theme", theme)
    terminal = opened(start(*arguments, columns=80, lines=24, NO_COLOR=no_color), "faithfulness")
    last_column = [terminal.screen.buffer[line][79] for line in range(24)]
    bar = [cell for cell in last_column if cell.reverse or cell.data in "▁▂▃▄▅▆▇"]
    assert 0 < len(bar) < 10
    assert all(cell.fg != cell.bg or cell.fg == "default" for cell in bar)


def test_a_dumb_terminal_is_shown_text(start: Start) -> None:
    terminal = start("resnet50-cosine", TERM="dumb")
    assert terminal.wait_exit() == 0
    assert b"\x1b" not in terminal.raw
    assert b"batch_size" in terminal.raw


# Sizes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 10), (20, 5), (200, 60)])
def test_it_starts_in_any_size(start: Start, columns: int, lines: int) -> None:
    terminal = start("resnet50-cosine", columns=columns, lines=lines)
    opened(terminal, "1 Overview")
    for key in "2345?\x1b1\x1b":
        terminal.send(key)
        terminal.settle(0.2)
    terminal.send("q")
    assert terminal.wait_exit() == 0


def test_a_terminal_that_shrinks_and_grows_shows_the_same_again(start: Start) -> None:
    terminal = opened(start("resnet50-cosine"))
    before = terminal.text
    terminal.resize(40, 10)
    terminal.settle()
    assert "resnet50-cosine" in terminal.text
    terminal.send("jj\tkk")
    terminal.settle()
    terminal.resize(120, 40)
    terminal.settle()
    assert terminal.text == before


# Live --------------------------------------------------------------------------------------------


def test_what_a_run_logs_is_shown_at_once_and_the_cursor_stays(
    start: Start, tmp_path: Path
) -> None:
    directory = tmp_path / "store"
    now = datetime.now(UTC)
    with StoreWriter(directory) as writer:
        writer.start_run("live", "live-run", created_at=now - timedelta(minutes=1))
        with writer.experiment("live") as experiment:
            keys = ("a/loss", "b/loss", "c/loss")
            experiment.metrics((key, 0.5, step, now) for key in keys for step in range(5))
    with process(WRITER, directory) as logging:
        terminal = opened(start("live", store=directory), "b/loss")
        terminal.send("j")
        terminal.settle(0.3)
        cursor = marked_lines(terminal)
        assert "b/loss" in terminal.screen.display[cursor[-1]]
        for value, step in (("123.25", 5), ("77.125", 6)):
            assert logging.stdin is not None
            assert logging.stdout is not None
            logging.stdin.write(f"{value} {step}\n")
            logging.stdin.flush()
            assert logging.stdout.readline() == "written\n"
            written_at = time.monotonic()
            assert terminal.wait_for(value[:5]) - written_at < SHOWN_WITHIN_S
            assert marked_lines(terminal) == cursor
            assert "b/loss" in terminal.screen.display[cursor[-1]]


def test_ctrl_l_repairs_what_another_program_wrote(start: Start) -> None:
    terminal = opened(start("resnet50-cosine"))
    terminal.settle(0.5)
    before = terminal.byte_count
    terminal.send("\x0c")
    terminal.settle(0.5)
    assert b"train/loss" in terminal.raw[before:], "unchanged cells are sent again"
