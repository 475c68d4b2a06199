"""A monkey at a real terminal: seeded bytes on a run that is being written, and what must hold.

What it types is what a terminal sends: keys, the mouse, pastes, changes of size. The one in
`tests/pilot/monkey.py` presses what is bound where it is; this one knows nothing of the app.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.pilot.monkey import SIZES, Logging
from tests.terminal.terminal import FLOW_TUI, Terminal, environment
from tests.terminal.whole import assert_modes_given_back

# Left out: q, which would mostly leave; C, which listens on a port that others may need.
LETTERS = "abcdefghijklmnoprstuvwxyzABDEFGHIJKLMNOPQRSTUVWXYZ"
SIGNS = "0123456789 +-=/.,:;<>[]()'\"\\*%_#!?|~é漢"
ARROWS = ("\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[1;2C", "\x1b[1;2D")
OTHER_KEYS = (
    "\r",
    "\x1b",
    "\t",
    "\x1b[Z",
    "\x7f",
    "\x1b[5~",
    "\x1b[6~",
    "\x1b[H",
    "\x1b[F",
    "\x0c",
)
TABS = "12345"
TEXTS = ("loss", "a\nb", "\x00\x07", "[bold]x[/bold]", "é漢" * 40, "accuracy > 0.5", "x" * 3_000)
ODD = ("\x1b[?62;22c", "\x1b]11;rgb:0000/0000/0000\x1b\\", "\x1b[I", "\x1b[O", "\x1b[99x")
"""What no key sends: answers to questions of others, focus, what nobody knows."""
COMMANDS, CTRL_C, CTRL_Z = "\x10", "\x03", "\x1a"
LEAVING = (CTRL_C, CTRL_C, "q", COMMANDS + CTRL_C, COMMANDS + CTRL_C + COMMANDS)
"""What leaves at once, or asks before: a program that then ends well has done no wrong."""
COLLECT = "3C"
TINY = (1, 1)
ASKS_TO_LEAVE = "andquit?"
ASKS_UNSAVED = "Leavewithoutsaving"
"""What is asked before leaving, wherever the line is broken."""
MOST_FILES, MOST_THREADS = 80, 60
MOST_MEMORY_BYTES = 300_000_000
LEAVES_WITHIN_S = 30.0
PAUSE_S = 0.05


def harmless(home: Path) -> Mapping[str, str]:
    """Return an environment in which whatever is opened, paged, edited or sent goes nowhere."""
    nowhere = dict.fromkeys(("FLOW_TUI_OPENER", "PAGER", "EDITOR", "VISUAL"), "true")
    # One that hangs is asked where, by SIGABRT.
    return environment(home, **nowhere, LUML_BASE_URL="http://127.0.0.1:9", PYTHONFAULTHANDLER="1")


@dataclass
class Monkey:
    """Types into a terminal, a few keys at a go."""

    terminal: Terminal
    rng: random.Random
    typed: list[str] = field(default_factory=list)
    collects: bool = False
    """Whether it has spans received too."""
    may_leave: bool = False
    """Whether it typed what the program may have left on."""

    def type_some(self) -> None:
        """Type some keys, point somewhere, paste something, or turn it to another size."""
        chance = self.rng.random()
        if chance < 0.02:
            self._resize(*self.rng.choice(SIZES))
        elif chance < 0.03:
            self._resize(*TINY)
            self._send("".join(self._key() for _ in range(self.rng.randrange(3))))
            self._resize(*self.rng.choice(SIZES))
        elif chance < 0.06:
            self._send(f"\x1b[200~{self.rng.choice(TEXTS)}\x1b[201~")
        elif chance < 0.16:
            self._point()
        elif chance < 0.18:
            self._send(self.rng.choice(ODD))
        elif chance < 0.21:
            # From there, one can leave by name too.
            self.may_leave = True
            self._send(COMMANDS)
        elif chance < 0.22:
            self.may_leave = True
            self._send(self.rng.choice(LEAVING))
        elif chance < 0.23:
            self._send(COLLECT if self.collects else CTRL_Z)
        else:
            self._send("".join(self._key() for _ in range(self.rng.randrange(1, 6))))

    def _key(self) -> str:
        kinds = (LETTERS, SIGNS, ARROWS, OTHER_KEYS, TABS)
        (kind,) = self.rng.choices(kinds, weights=(4, 2, 4, 4, 1))
        return self.rng.choice(kind)

    def _resize(self, columns: int, lines: int) -> None:
        self.typed.append(f"<{columns}x{lines}>")
        self.terminal.resize(columns, lines)

    def _point(self) -> None:
        """Click, drag or turn the wheel somewhere on the screen."""
        column = self.rng.randrange(1, self.terminal.columns + 1)
        line = self.rng.randrange(1, self.terminal.lines + 1)
        button = self.rng.choice((0, 0, 2, 64, 65, 68))
        said = f"\x1b[<{button};{column};{line}M"
        if button < 64:
            if self.rng.random() < 0.3:
                line = self.rng.randrange(1, self.terminal.lines + 1)
                said += f"\x1b[<{button + 32};{column};{line}M"
            said += f"\x1b[<{button};{column};{line}m"
        self._send(said)

    def _send(self, keys: str) -> None:
        self.typed.append(repr(keys))
        # The program may have left by now, and its terminal with it.
        with suppress(OSError):
            self.terminal.send(keys)


def faults(terminal: Terminal, home: Path) -> list[str]:
    """Say what is wrong with the program as it is now."""
    logs = [log.read_text("utf-8") for log in home.rglob("crash-*.log")]
    if not terminal.is_running:
        return [f"it left\n{terminal.text}", *logs]
    found = logs
    odd = {char for char in terminal.text if not (char.isprintable() or char == "\n")}
    if odd:
        found.append(f"on screen: {odd}")
    process = Path(f"/proc/{terminal.pid}")
    # It may leave while one looks.
    with suppress(OSError):
        for name, most in (("fd", MOST_FILES), ("task", MOST_THREADS)):
            if (count := len(list((process / name).iterdir()))) > most:
                found.append(f"{name}: {count}")
        if (used := terminal.resident_bytes()) > MOST_MEMORY_BYTES:
            found.append(f"memory: {used:,} bytes")
    return found


@dataclass
class Session:
    """Where a monkey is let loose, how long, and who hears of it."""

    directory: Path
    """Of the store, which is written into."""
    run: str
    """The id of the run to open."""
    home: Path
    """A folder for all that the program keeps and saves; made when it begins."""
    goes: int
    """How often it types something."""
    collects: bool = False
    """Whether spans may be received: that takes a port which others may need."""
    tell: Callable[[str], None] | None = None
    """Is told now and then how much memory the program has in use."""
    is_over: Callable[[], bool] = lambda: False
    """Whether it is to end sooner."""


def let_loose(session: Session, seed: int) -> list[str]:
    """Let a monkey with this seed type into a run while it is written; return what went wrong.

    Where it types what leaves, and that was all that there was to it, the program is begun again.
    """
    rng = random.Random(seed)
    (session.home / "here").mkdir(parents=True)
    typed: list[str] = []
    wrong: list[str] = []
    with closing(Logging(session.directory, session.run, rng)) as logging:
        goes = 0
        while goes < session.goes and not wrong and not session.is_over():
            done, wrong = _one_program(session, rng, logging, session.goes - goes, typed)
            goes += done
    return [f"seed {seed}: {' '.join(typed)}", *wrong] if wrong else []


def _one_program(
    session: Session, rng: random.Random, logging: Logging, goes: int, typed: list[str]
) -> tuple[int, list[str]]:
    """Type into one program until it leaves; return how often, and what went wrong."""
    command = (*FLOW_TUI, session.run, "--store", str(session.directory))
    columns, lines = rng.choice(SIZES)
    typed.append(f"<begins {columns}x{lines}>")
    home = session.home
    with Terminal(command, harmless(home), columns, lines, home / "here") as terminal:
        terminal.wait_for(lambda text: bool(text.strip()))
        monkey = Monkey(terminal, rng, typed, session.collects)
        for go in range(goes):
            if session.is_over():
                break
            monkey.type_some()
            terminal.bytes_during(PAUSE_S)
            if go % 4 == 0:
                logging.log()
            wrong = faults(terminal, home) if go % 10 == 0 else []
            if not terminal.is_running and monkey.may_leave:
                return go + 1, _how_it_left(terminal, home)
            if wrong:
                return go + 1, wrong
            if session.tell is not None and go % 250 == 0:
                session.tell(f"{terminal.resident_bytes() / 1e6:.0f} MB")
        return goes, faults(terminal, home) or leave(terminal, home)


def leave(terminal: Terminal, home: Path) -> list[str]:
    """Leave the program, whatever is asked; return what is wrong with how it ends."""
    terminal.send(CTRL_C)
    deadline = time.monotonic() + LEAVES_WITHIN_S
    while terminal.is_running and time.monotonic() < deadline:
        terminal.bytes_during(PAUSE_S)
        shown = "".join(terminal.text.split()).replace("│", "")
        if ASKS_TO_LEAVE in shown:
            terminal.send("c")
        elif ASKS_UNSAVED in shown:
            terminal.send("y")
    return _how_it_left(terminal, home)


def _how_it_left(terminal: Terminal, home: Path) -> list[str]:
    """Return what is wrong with how a program ends."""
    logs = [log.read_text("utf-8") for log in home.rglob("crash-*.log")]
    try:
        code = terminal.wait_exit(LEAVES_WITHIN_S)
        # By Ctrl+C on a terminal that was given back, before the process had ended.
        if code not in (0, -signal.SIGINT):
            return [f"it left with code {code}\n{terminal.text}", *logs]
        # What was typed since is echoed by then.
        assert terminal.attributes() == terminal.attributes_before
        assert_modes_given_back(terminal.raw.decode())
    except AssertionError as error:
        return [f"at the end: {error}", *_where_it_is(terminal), *logs]
    return logs


def _where_it_is(terminal: Terminal) -> list[str]:
    """Return what a program that does not end is at, thread by thread."""
    if not terminal.is_running:
        return []
    seen = terminal.byte_count
    terminal.signal(signal.SIGABRT)
    terminal.bytes_during(1.0)
    return [terminal.raw[seen:].decode("utf-8", "replace")]
