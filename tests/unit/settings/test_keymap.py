"""Keys of config.toml: which can be used, and what is told of the others."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from flowtui.settings import keymap
from flowtui.settings.keymap import Action, Checked, check, checked, key_named
from flowtui.settings.values import Settings
from tests.unit.settings.conftest import Write


@cache
def known() -> dict[str, Action]:
    return keymap.actions()


def said(text: str) -> Checked:
    """Return what becomes of keys that are written as `ID = KEY`, a line each."""
    pairs = (line.partition("=") for line in text.splitlines())
    keys = {id.strip(): tuple(key.split()) for id, _, key in pairs}
    return check(Settings(Path("x"), exists=True, keys=keys), known())


def test_every_action_works_somewhere() -> None:
    prefixes = {prefix for here in keymap.PLACES.values() for prefix in here}
    assert {id.partition(".")[0] for id in known()} == prefixes


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("S", "S"), ("/", "slash"), ("+", "plus"), ("-", "minus"), ("?", "question_mark"),
        (",", "comma"), ("é", "é"), ("F5", "f5"), ("Ctrl+S", "ctrl+S"), ("ctrl+s", "ctrl+s"),
        ("Esc", "escape"), ("PgDn", "pagedown"), ("↑", "up"), ("Space", "space"),
        ("shift+tab", "shift+tab"), ("alt+plus", "alt+plus"), ("Enter", "enter"),
        ("exclamation_mark", "exclamation_mark"),
        ("foo", None), ("foo+x", None), ("ctrl+", None), ("f99", None), ("", None),
        ("\x1b", None), ("<any>", None), ("S s", None),
    ],
)  # fmt: skip
def test_a_key_may_be_written_as_a_keyboard_names_it(written: str, name: str | None) -> None:
    assert key_named(written) == name


def test_keys_are_changed() -> None:
    assert said("runs.sort = S f5\nmove.down = down ctrl+n") == Checked(
        {"runs.sort": "S,f5", "move.down": "down,ctrl+n"}, ()
    )


def test_two_keys_can_be_swapped() -> None:
    assert said("runs.sort = x\nruns.export = s").mistakes == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("runs.srot = S", "keys.runs.srot is not an action; closest: runs.sort"),
        ("nothing.at.all = S", "is not an action; flow-tui config --keys lists them"),
        ("runs.sort = foo", "keys.runs.sort cannot be 'foo', which is not a key"),
        ("runs.sort = r", "keys.runs.sort cannot be r: that is app.refresh (Refresh) in the list"),
        ("runs.sort = x", "cannot be x: that is runs.export (Export) in the list of runs"),
        ("app.refresh = x", "cannot be x: that is runs.export (Export) in the list of runs"),
        ("runs.sort = S\nruns.export = S", "keys.runs.export cannot be S: that is runs.sort"),
        ("app.commands = P", "cannot be P: it acts in fields too, where P is typed"),
    ],
)
def test_a_key_that_cannot_be_used_says_why(text: str, told: str) -> None:
    (mistake,) = said(text).mistakes
    assert told in str(mistake)


def test_of_two_that_clash_the_first_is_used() -> None:
    assert said("runs.sort = S\nruns.export = S").keymap == {"runs.sort": "S"}


def test_a_key_may_do_one_thing_here_and_another_there() -> None:
    assert said("runs.sort = S\ntraces.sort = S\nevals.sort = S").mistakes == ()


def test_another_action_of_the_same_class_and_key_keeps_its_key() -> None:
    found = said("tab.leave = f9")
    assert found.keymap == {"tab.leave": "f9", "traces.to_groups": "escape"}


def test_what_was_found_is_remembered_until_the_file_changes(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[keys]\nruns.sort = "S"\nruns.mark = "foo"\n'
    found = checked(write(text))
    assert found.keymap == {"runs.sort": "S"}
    assert [one.line for one in found.mistakes] == [3]
    with monkeypatch.context() as patch:
        patch.setattr(keymap, "actions", lambda: pytest.fail("all screens were imported again"))
        assert checked(write(text)) == found
    assert checked(write(text.replace("S", "T"))).keymap == {"runs.sort": "T"}
