"""Settings that last from one session to the next: columns, orders, the last filters.

They are one small JSON object in the user's state folder. None is worth an error: a file that
cannot be read counts as empty, and what cannot be written lasts for this session only.
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

FILE_NAME = "remembered.json"
MAX_BYTES = 1_000_000
"""A larger file cannot be this program's, and is not read."""


class Remembered:
    """Values by key in one file, read when the first is needed; callable from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._values: dict[str, JsonValue] | None = None
        self._lock = threading.Lock()

    def get(self, key: str) -> JsonValue:
        """Return a value as this session first read or last put it; None if there is none."""
        with self._lock:
            if self._values is None:
                self._values = self._stored()
            return self._values.get(key)

    def put(self, key: str, value: JsonValue) -> None:
        """Remember a value; None forgets it.

        The file is read again first: otherwise each of two sessions would undo the other's changes.
        For one key the last session to put it wins.
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
            # Other users must not read the file: a filter may quote what is in a private store.
            os.fchmod(out.fileno(), 0o600)
            json.dump(values, out, indent=1)

        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self.path, write)
        except (OSError, SaveFailed):
            return


_remembered: Remembered | None = None


def remembered() -> Remembered:
    """Return the settings of this user, from another folder if the environment now names one."""
    global _remembered
    path = state_directory() / FILE_NAME
    if _remembered is None or _remembered.path != path:
        _remembered = Remembered(path)
    return _remembered


def get(key: str) -> JsonValue:
    """Return the value that is remembered under a key; None if there is none."""
    return remembered().get(key)


def put(key: str, value: JsonValue) -> None:
    """Remember a value under a key; None forgets it."""
    remembered().put(key, value)


def state_directory() -> Path:
    """Return the user's state folder for this program, which need not exist."""
    try:
        return person.state_folder()
    except OSError:
        # Under this path nothing can be read or written, so nothing is remembered.
        return Path(os.devnull)
