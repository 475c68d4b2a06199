"""`flow-tui config`: what is in force, where it comes from, and what is wrong in config.toml."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from flowtui import format as fmt
from flowtui import person
from flowtui.reports.runs import dumps, table
from flowtui.settings import in_force, keymap
from flowtui.settings import settings as settings_file
from flowtui.settings.in_force import Chosen, Given
from flowtui.settings.values import FILE_NAME, Mistake, Settings
from flowtui.store.errors import StoreError
from flowtui.store.values import JsonValue
from flowtui.terminal import opener

TEMPLATE = """\
# The settings of flow-tui. Options and environment variables win over this file, and
# `flow-tui config` says what is in force and where it comes from.
# Take away the # before what you want to set.

# theme = "flow-light"        # flow-dark, flow-light, ansi, flow-colorblind
# user = "Ana"                # the author of annotations
# store = "~/runs"            # where no other store is named, and the folder has none
# slow = true                 # sixteen colours and fewer updates
# pictures = "kitty"          # or iterm2, sixel, none: what the terminal takes
# mouse = false               # leave it to the terminal, which then selects text with it
# columns = ["name", "status", "lr", "val/loss", "best.val/loss", "created"]

[keys]
# Keys by the ids that `flow-tui config --keys` lists.
# runs.sort = "S"
# move.down = ["down", "j", "ctrl+n"]
"""
_VALUE_CHARACTERS = 200


class ConfigFailed(StoreError):
    """The settings cannot be edited; `str()` says why."""


class Report(NamedTuple):
    """All that can be said of the settings."""

    settings: Settings
    chosen: Sequence[Chosen]
    keys: Sequence[Chosen]
    mistakes: Sequence[Mistake]


def report(given: Given) -> Report:
    """Return what is in force for a command line, and the mistakes in the file."""
    settings = settings_file.settings()
    checked = keymap.checked(settings)
    keys = [
        Chosen(
            f"keys.{id}",
            [keymap.key_shown(key) for key in checked.keymap[id].split(",")],
            FILE_NAME,
            settings.line("keys", id),
        )
        for id in settings.keys
        if id in checked.keymap
    ]
    chosen = list(in_force.in_force(given, settings, os.environ, person.cwd()))
    return Report(settings, chosen, keys, sorted((*settings.mistakes, *checked.mistakes)))


def print_config(given: Given, as_json: bool) -> int:
    """Print what is in force; return the exit code, which is 1 if the file has a mistake."""
    said = report(given)
    if as_json:
        print(dumps(_document(said)))
    else:
        where = fmt.plain(fmt.path(said.settings.path, person.home(), "~"), 1_000)
        print(where if said.settings.exists else f"{where} is not there; --edit makes it")
        rows = [(one.name, _text(one.value), one.origin) for one in (*said.chosen, *said.keys)]
        for line in table([[fmt.plain(cell, _VALUE_CHARACTERS) for cell in row] for row in rows]):
            print(line)
    return _tell(said.mistakes)


def print_actions() -> None:
    """Print the ids of all actions, their keys, and what they do."""
    checked = keymap.checked(settings_file.settings())
    rows = [("id", "keys", "name", "what it does")]
    for id, action in sorted(keymap.actions().items()):
        keys = checked.keymap[id].split(",") if id in checked.keymap else action.keys
        rows.append((id, " ".join(map(keymap.key_shown, keys)), action.name, action.what))
    for line in table(rows):
        print(line)


def edit() -> int:
    """Open the file in the person's editor, after making it if there is none.

    Returns:
        The exit code, which is 1 if the file has a mistake now.

    Raises:
        ConfigFailed: It cannot be made, or no editor can be started.
    """
    path = settings_file.path()
    try:
        words = opener.editor(os.environ)
        _make(path)
        opener.edit(words, path)
    except opener.OpenFailed as error:
        raise ConfigFailed(str(error)) from error
    settings = settings_file.settings()
    return _tell(sorted((*settings.mistakes, *keymap.checked(settings).mistakes)))


def _make(path: Path) -> None:
    if os.path.lexists(path):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE)
    except OSError as error:
        raise ConfigFailed(f"{path} cannot be made: {error.strerror}") from error


def _tell(mistakes: Sequence[Mistake]) -> int:
    for mistake in mistakes:
        print(f"flow-tui: {mistake}", file=sys.stderr)
    return 1 if mistakes else 0


def _text(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {None: "", True: "yes", False: "no"}.get(value, str(value))  # type: ignore[arg-type]


def _document(said: Report) -> JsonValue:
    return {
        "path": str(said.settings.path),
        "exists": said.settings.exists,
        "settings": [
            {
                "name": one.name,
                "value": one.value,
                "source": one.source,
                "line": one.line or None,
            }
            for one in (*said.chosen, *said.keys)
        ],
        "mistakes": [
            {"line": one.line or None, "key": one.key, "message": one.text} for one in said.mistakes
        ],
    }
