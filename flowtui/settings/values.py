"""What config.toml says, with the mistakes that are in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

FILE_NAME = "config.toml"
THEMES = ("flow-dark", "flow-light", "ansi", "flow-colorblind")
PICTURES = ("kitty", "iterm2", "sixel", "none")


class Mistake(NamedTuple):
    """Something in config.toml that is not used, and why."""

    line: int
    """The line, from 1; 0 for the file as a whole."""
    key: str
    """The setting; empty where the file is not understood."""
    text: str

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        return f"{FILE_NAME}{line}: {self.key} {self.text}".replace(":  ", ": ")


class Settings(NamedTuple):
    """What the file says; None, or an empty value, for what it does not say."""

    path: Path
    exists: bool = False
    theme: str | None = None
    user: str | None = None
    store: str | None = None
    columns: tuple[str, ...] = ()
    """The columns of the list of runs, as `--columns` names them."""
    is_slow: bool | None = None
    pictures: str | None = None
    """One of `PICTURES`: how pictures in full resolution are sent to the terminal."""
    takes_mouse: bool | None = None
    """Whether the app takes the mouse, which the terminal then does not use itself."""
    keys: Mapping[str, tuple[str, ...]] = {}
    """Keys by the id of a binding, as they are written; `keymap.checked` says which can be used."""
    mistakes: tuple[Mistake, ...] = ()
    text: str = ""
    """The file, if it has been understood."""

    @property
    def place(self) -> tuple[str, str] | None:
        """The store, and what names it, as `locate` takes them."""
        return None if self.store is None else (self.store, FILE_NAME)

    def line(self, *name: str) -> int:
        """Return the line of a setting, or of a key (`"keys", ID`); 0 if it is not found."""
        from flowtui.settings.lines import line_of

        return line_of(self.text, name)
