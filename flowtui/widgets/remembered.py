"""What is remembered from one session to the next: chosen columns, orders, the last filters.

One small JSON object in the user's state folder. None of it is worth an error: what cannot be
read is not remembered, what cannot be written is remembered for this session only.
"""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import TextIO

from flowtui import person
from flowtui.reports.saving import SaveFailed, write_atomically
from flowtui.store.values import JsonValue

DIRECTORY_VARIABLE = "FLOW_TUI_STATE"
"""Names the folder to use in place of the user's state folder."""
FILE_NAME = "remembered.json"
MAX_BYTES = 1_000_000
"""A larger file was not written by this program."""


class Remembered:
    """Values by key in one file, read when they are first asked for; for any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._values: dict[str, JsonValue] | None = None
        self._lock = threading.Lock()

    def get(self, key: str) -> JsonValue:
        """Return a value as this session first found or last put it, None where there is none."""
        with self._lock:
            if self._values is None:
                self._values = self._stored()
            return self._values.get(key)

    def put(self, key: str, value: JsonValue) -> None:
        """Keep a value; None forgets it.

        The file is read again first, so that of two sessions the last one to put a key wins, and
        neither loses the other's keys.
        """
        with self._lock:
            kept = self._stored()
            for values in (kept, self._values if self._values is not None else {}):
                values.pop(key, None)
                if value is not None:
                    values[key] = value
            if self._values is None:
                self._values = dict(kept)
            self._write(kept)

    def _stored(self) -> dict[str, JsonValue]:
        try:
            with self.path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
            values = json.loads(raw) if len(raw) <= MAX_BYTES else None
        except (OSError, ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) else {}

    def _write(self, values: dict[str, JsonValue]) -> None:
        def write(out: TextIO) -> None:
            # A filter may quote what is in a store that others must not see.
            os.fchmod(out.fileno(), 0o600)
            json.dump(values, out, indent=1)

        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self.path, write)
        except (OSError, SaveFailed):
            return


_remembered: Remembered | None = None


def remembered() -> Remembered:
    """Return what this user's sessions remember; the folder is looked up anew if it changed."""
    global _remembered
    path = state_directory() / FILE_NAME
    if _remembered is None or _remembered.path != path:
        _remembered = Remembered(path)
    return _remembered


def get(key: str) -> JsonValue:
    """Return what is remembered under a key, None where nothing is."""
    return remembered().get(key)


def put(key: str, value: JsonValue) -> None:
    """Remember a value under a key; None forgets it."""
    remembered().put(key, value)


def state_directory() -> Path:
    """Return the user's state folder for this program; it need not be there."""
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    if chosen:
        return Path(chosen)
    try:
        return person.folder("state")
    except OSError:
        # Nothing can be kept there either, and nothing is found.
        return Path(os.devnull)
