"""Every screen on terminals of every kind: types, sizes, colours, locales."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from flowtui.terminal.cell_diff import in_ascii
from tests.terminal.conftest import Start
from tests.terminal.terminal import Terminal
from tests.terminal.whole import assert_whole

RUN = "support-agent-v3"
DOWN, ESC, ENTER = "\x1b[B", "\x1b", "\r"
WALK = (
    ("2", "pass_rate"), (ENTER, "Step"), (ESC, "Zoom"),
    ("3", "support.wor"), (DOWN + ENTER, "▾ ★"), (ESC, "support.wor"),
    ("4", "faq_v1"), (DOWN + ENTER, "sample 2 of"), (ESC, "faq-0001"),
    ("5", "calls/"), ("?", "in the focused pane"), (ESC, "calls/"),
)  # fmt: skip
"""Keys, and a word of what they show."""
SGR = re.compile(rb"\x1b\[([\d;:]*)m")
OWN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\]22;[a-z]*\x07")
MOST_UNREADABLE = 21
"""How many characters of a line have no stand-in in ASCII: those of a message in Chinese."""
COLORS = {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of terminal, and what may be sent to it."""

    term: str
    columns: int = 120
    lines: int = 40
    colors: int = 2**24
    is_utf8: bool = True
    no_color: str | None = None

    @property
    def variables(self) -> dict[str, str | None]:
        return {
            "TERM": self.term,
            "COLORTERM": "truecolor" if self.colors == 2**24 else None,
            "LC_ALL": "C.UTF-8" if self.is_utf8 else "C",
            "NO_COLOR": self.no_color,
        }


KINDS = (
    # Each value of each column once at least, the likely ones together.
    Kind("xterm-256color", 40, 10, 256),
    Kind("tmux-256color", 300, 80, 256),
    Kind("screen-256color", 80, 24, 256, is_utf8=False),
    Kind("screen", 80, 24, 16),
    Kind("linux", 80, 24, 16, is_utf8=False),
    Kind("xterm", 120, 40, 16, no_color="1"),
)


def assert_kept(terminal: Terminal, kind: Kind) -> None:
    """Check that no byte was sent that a terminal of this kind does not take."""
    looks = [look.decode().split(";") for look in SGR.findall(terminal.raw)]
    codes = {int(code) for look in looks for code in look if code.isdecimal()}
    extended = {code for look in looks for code in ("38;5", "38;2", "48;5", "48;2")
                if code in ";".join(look)}  # fmt: skip
    if kind.no_color:
        assert not codes & COLORS
    elif kind.colors == 16:
        assert not extended
    elif kind.colors == 256:
        assert not extended & {"38;2", "48;2"}
    if not kind.is_utf8:
        assert terminal.raw.isascii()
    rest = OWN.sub("", terminal.raw.decode())
    assert {char for char in rest if not char.isprintable()} <= {"\r", "\n"}


@pytest.mark.parametrize(
    "kind", KINDS, ids=lambda kind: f"{kind.term}-{kind.columns}x{kind.lines}-{kind.colors}"
)
def test_all_screens_show_on(start: Start, kind: Kind) -> None:
    terminal = start(RUN, columns=kind.columns, lines=kind.lines, **kind.variables)
    terminal.wait_for("1 ")
    for keys, word in WALK:
        terminal.send(keys)
        terminal.wait_for(word if kind.is_utf8 else in_ascii(word))
        unreadable = [line for line in terminal.screen.display if line.count("?") > MOST_UNREADABLE]
        assert kind.is_utf8 or unreadable == []
    terminal.send("q")
    assert terminal.wait_exit() == 0
    # By now no sequence is cut where the last bytes came.
    assert_kept(terminal, kind)
    assert_whole(terminal)


def test_a_size_that_changes_during_the_start_and_the_first_read_is_that_of_a_fresh_start(
    start: Start,
) -> None:
    tab, word = "evals", "faq-00"
    fresh = start(RUN, "--tab", tab, columns=80, lines=24)
    terminal = start(RUN, "--tab", tab, columns=120, lines=40)
    fresh.wait_for(word)
    fresh.settle(0.3)
    # The alternate screen comes before the first frame, and that before the read is over.
    terminal.wait_until(lambda: b"\x1b[?1049h" in terminal.raw)
    terminal.resize(300, 80)
    terminal.wait_for("1 Overview")
    terminal.resize(80, 24)
    terminal.wait_for(word)
    terminal.settle()
    assert terminal.text == fresh.text
    # The same for a tab that is read while the size changes.
    terminal.send("3")
    terminal.resize(100, 30)
    fresh.resize(100, 30)
    fresh.send("3")
    fresh.wait_for("support.work")
    terminal.wait_for("support.work")
    fresh.settle()
    terminal.settle()
    assert terminal.text == fresh.text
