"""config.toml: what it says, and what is told of whatever is wrong in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowtui.app import themes
from flowtui.cli.config import TEMPLATE
from flowtui.settings import keymap
from flowtui.settings.lines import line_of
from flowtui.settings.reading import MAX_BYTES
from flowtui.settings.settings import PATH_VARIABLE, path, settings
from flowtui.settings.values import THEMES
from tests.unit.settings.conftest import Write

ALL = """\
theme = "flow-light"
user = " Ana "
store = "~/runs"
slow = true
pictures = "kitty"
mouse = false
columns = ["name", "lr", "name"]

[keys]
runs.sort = "S, ctrl+s"
"move.down" = ["down", ","]
"""


def test_without_a_file_nothing_is_said(config: Path) -> None:
    found = settings()
    assert (found.path, found.exists, found.mistakes) == (config, False, ())
    assert (found.theme, found.is_slow, found.keys) == (None, None, {})


def test_what_the_file_says_is_read(write: Write) -> None:
    found = write(ALL)
    assert found.mistakes == ()
    assert (found.theme, found.user, found.store) == ("flow-light", "Ana", "~/runs")
    assert (found.is_slow, found.pictures, found.columns) == (True, "kitty", ("name", "lr"))
    assert found.takes_mouse is False
    assert found.keys == {"runs.sort": ("S", "ctrl+s"), "move.down": ("down", ",")}
    lines = [
        found.line(*name) for name in (("slow",), ("keys", "runs.sort"), ("keys", "move.down"))
    ]
    assert lines == [4, 10, 11]


def test_the_file_is_read_again_after_a_change(write: Write) -> None:
    assert write('theme = "ansi"').theme == "ansi"
    assert write('theme = "flow-light"').theme == "flow-light"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('theme = "flow-lite"', "line 1: theme 'flow-lite' is not one of flow-dark, flow-light"),
        ("\n\nuser = 3", "line 3: user is a whole number, and must be a text"),
        ('user = " "', "line 1: user is empty"),
        ('slow = "yes"', "line 1: slow is a text, and must be true or false"),
        ('store = "runs"', "line 1: store 'runs' must be a folder that begins with / or ~/"),
        ('store = "s3://x"', "line 1: store 's3://x' must be a folder"),
        ("columns = []", "line 1: columns names no column"),
        ('columns = "name"', "line 1: columns must be a list of names"),
        ('pictures = "png"', "line 1: pictures 'png' is not one of kitty, iterm2, sixel, none"),
        ('thema = "ansi"', "line 1: thema is not a setting; closest: theme"),
        ("keys = 1979-05-27", "line 1: keys is a date or a time, and must be a table: [keys]"),
        ("[keys]\nruns.sort = 5", "line 2: keys.runs.sort must be a key, or a list of keys"),
        ("[keys]\nruns.sort = []", "line 2: keys.runs.sort must be a key, or a list of keys"),
        ('theme = "ansi"\nuser = ', "line 2: this is not TOML (invalid value"),
        ('theme = "ansi"\ntheme = "ansi"', "line 2: this is not TOML (cannot overwrite a value"),
        ('user = """\nAna', "line 2: this is not TOML"),
        ("a = " + "[" * 9_000, "this is nested too deeply"),
        ("a = " + "9" * 9_000, "this is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_line_and_its_setting(write: Write, text: str, told: str) -> None:
    (mistake,) = write(text).mistakes
    assert str(mistake).startswith("config.toml")
    assert told in str(mistake)


def test_a_mistake_costs_only_its_own_setting(write: Write) -> None:
    found = write('theme = "ansi"\nuser = 5\nslow = true\n')
    assert (found.theme, found.user, found.is_slow) == ("ansi", None, True)
    assert len(found.mistakes) == 1


def test_bytes_that_are_no_text_are_told_with_their_line(write: Write) -> None:
    (mistake,) = write(b'theme = "ansi"\nuser = "\xff"\n').mistakes
    assert str(mistake) == "config.toml, line 2: this is not UTF-8, so nothing in the file is used"


def test_a_mark_at_the_beginning_is_no_mistake(write: Write) -> None:
    assert write('\ufefftheme = "ansi"').theme == "ansi"


def test_a_huge_file_is_not_read(write: Write) -> None:
    (mistake,) = write("#" * (MAX_BYTES + 1)).mistakes
    assert "more than 200,000 bytes" in str(mistake)


def test_what_is_hostile_in_a_file_is_shown_harmless(write: Write) -> None:
    found = write('"\\u001b[31m\\u202e" = 1\ntheme = "\\u001b]0;x\\u0007"')
    assert len(found.mistakes) == 2
    assert all(str(mistake).isprintable() for mistake in found.mistakes)


def test_many_mistakes_take_no_long_time(write: Write) -> None:
    found = write("".join(f"x{number} = 1\n" for number in range(10_000)))
    assert len(found.mistakes) == 50
    assert found.mistakes[-1].line == 50


def test_a_folder_in_its_place_is_told(config: Path) -> None:
    config.mkdir()
    (mistake,) = settings().mistakes
    assert str(mistake) == "config.toml: this is a folder, not a file"


def test_a_pipe_in_its_place_is_not_waited_for(config: Path) -> None:
    os.mkfifo(config)
    (mistake,) = settings().mistakes
    assert "a pipe or a device" in str(mistake)


def test_a_file_that_may_not_be_read_is_told(
    write: Write, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    (mistake,) = write('theme = "ansi"').mistakes
    assert str(mistake) == "config.toml: the file cannot be read: Permission denied"


def test_the_null_device_stands_for_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PATH_VARIABLE, os.devnull)
    assert settings().mistakes == ()
    assert not settings().exists


def test_the_folder_of_settings_is_that_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    if sys.platform == "linux":
        assert path() == Path("/somewhere/flow-tui/config.toml")


@pytest.mark.parametrize(
    "text",
    [
        'keys.runs.sort = "S"',
        '[keys.runs]\nsort = "S"',
        'user = """\n[keys]\nruns.sort = 1"""\n[keys]\nruns.sort = "S"',
        'keys = { "runs.sort" = "S" }',
        "keys = { runs = { sort = 'S' } }",
    ],
)
def test_a_line_is_found_however_the_tables_are_written(text: str) -> None:
    assert line_of(text, ("keys", "runs.sort")) == text.count("\n") + 1


def test_the_template_is_understood_as_it_is_and_with_all_of_it_set(write: Write) -> None:
    assert write(TEMPLATE).mistakes == ()
    found = write(re.sub(r"(?m)^# (?=[\w.]+ = )", "", TEMPLATE))
    assert found.mistakes == ()
    assert (found.is_slow, found.pictures) == (True, "kitty")
    assert len(found.keys) == 2
    assert keymap.check(found, keymap.actions()).mistakes == ()


def test_the_themes_are_those_of_the_app() -> None:
    assert set(THEMES) == set(themes.THEMES)


def test_nothing_of_toml_is_loaded_without_a_file() -> None:
    code = (
        "import sys; from flowtui.settings.settings import settings; settings();"
        "print('tomllib' in sys.modules, 'flowtui.settings.reading' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "False"]
