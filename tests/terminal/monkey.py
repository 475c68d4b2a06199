"""A monkey at a real terminal: seeded bytes on a run that is being written, and what must hold.

What it types is what a terminal sends: keys, the mouse, pastes, changes of size. The one in
`tests/pilot/monkey.py` presses what is bound where it is; this one knows nothing of the app.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.pilot.monkey import SIZES, Logging
from tests.terminal.terminal import FLOW_TUI, Terminal, environment
from tests.terminal.whole import assert_whole

# Left out: q and Ctrl+c, which leave; Ctrl+p, from where one can leave by name; Ctrl+z, after which
# somebody has to go on with it; C, which would listen on a port that others may need.
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
CTRL_C = "\x03"
MOST_FILES, MOST_THREADS = 80, 60
MOST_MEMORY_BYTES = 300_000_000
LEAVES_WITHIN_S = 30.0
PAUSE_S = 0.05


def harmless(home: Path) -> Mapping[str, str]:
    """Return an environment in which whatever is opened, paged, edited or sent goes nowhere."""
    nowhere = dict.fromkeys(("FLOW_TUI_OPENER", "PAGER", "EDITOR", "VISUAL"), "true")
    return environment(home, **nowhere, LUML_BASE_URL="http://127.0.0.1:9")


@dataclass
class Monkey:
    """Types into a terminal, a few keys at a go."""

    terminal: Terminal
    rng: random.Random
    typed: list[str] = field(default_factory=list)

    def type_some(self) -> None:
        """Type some keys, point somewhere, paste something, or turn it to another size."""
        chance = self.rng.random()
        if chance < 0.02:
            columns, lines = self.rng.choice(SIZES)
            self.typed.append(f"<{columns}x{lines}>")
            self.terminal.resize(columns, lines)
        elif chance < 0.06:
            self._send(f"\x1b[200~{self.rng.choice(TEXTS)}\x1b[201~")
        elif chance < 0.16:
            self._point()
        elif chance < 0.18:
            self._send(self.rng.choice(ODD))
        else:
            self._send("".join(self._key() for _ in range(self.rng.randrange(1, 6))))

    def _key(self) -> str:
        kinds = (LETTERS, SIGNS, ARROWS, OTHER_KEYS, TABS)
        (kind,) = self.rng.choices(kinds, weights=(4, 2, 4, 4, 1))
        return self.rng.choice(kind)

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
    for name, most in (("fd", MOST_FILES), ("task", MOST_THREADS)):
        if (count := len(list((process / name).iterdir()))) > most:
            found.append(f"{name}: {count}")
    if (used := terminal.resident_bytes()) > MOST_MEMORY_BYTES:
        found.append(f"memory: {used:,} bytes")
    return found


def let_loose(
    directory: Path,
    run: str,
    home: Path,
    seed: int,
    goes: int,
    tell: Callable[[str], None] | None = None,
) -> list[str]:
    """Let a monkey with this seed type into a run while it is written; return what went wrong.

    Args:
        directory: of the store, which is written into.
        run: the id of the run to open.
        home: a folder for all that the program keeps and saves; made here.
        goes: how often it types something.
        tell: is told, four times on the way, how much memory the program has in use.
    """
    rng = random.Random(seed)
    (home / "here").mkdir(parents=True)
    command = (*FLOW_TUI, run, "--store", str(directory))
    columns, lines = rng.choice(SIZES)
    with (
        Terminal(command, harmless(home), columns, lines, home / "here") as terminal,
        closing(Logging(directory, run, rng)) as logging,
    ):
        terminal.wait_for(lambda text: bool(text.strip()))
        monkey = Monkey(terminal, rng)
        wrong: list[str] = []
        for go in range(goes):
            monkey.type_some()
            terminal.bytes_during(PAUSE_S)
            if go % 4 == 0:
                logging.log()
            if go % 10 == 0 and (wrong := faults(terminal, home)):
                break
            if tell is not None and go % (goes // 4) == 0:
                tell(f"{terminal.resident_bytes() / 1e6:.0f} MB")
        wrong = wrong or faults(terminal, home) or _leave(terminal)
    return [f"seed {seed}: {' '.join(monkey.typed)}", *wrong] if wrong else []


def _leave(terminal: Terminal) -> list[str]:
    """Leave the program; return what is wrong with how it ends."""
    terminal.send(CTRL_C)
    try:
        if code := terminal.wait_exit(LEAVES_WITHIN_S):
            return [f"it left with code {code}"]
        assert_whole(terminal)
    except AssertionError as error:
        return [f"at the end: {error}"]
    return []
