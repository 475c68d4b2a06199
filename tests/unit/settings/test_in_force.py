"""What is in force: options before variables before the file before what comes by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.app import themes
from flowtui.settings import in_force
from flowtui.settings.in_force import Given
from flowtui.terminal.session import session
from tests.unit.settings.conftest import Write

MANY_COLORS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
FEW_COLORS = {"TERM": "linux"}
FULL = """\
theme = "flow-light"
user = "Ana"
store = "/of/file"
columns = ["name", "lr"]
slow = true
pictures = "sixel"
mouse = false
"""


def origins(given: Given, text_settings: object, **environ: str) -> dict[str, tuple[object, str]]:
    chosen = in_force.in_force(given, text_settings, {**MANY_COLORS, **environ}, Path("/nowhere"))  # type: ignore[arg-type]
    return {one.name: (one.value, one.origin) for one in chosen}


def test_without_anything_the_defaults_are_in_force(write: Write) -> None:
    found = origins(Given(), write(""))
    assert found["theme"] == ("flow-dark", "default")
    assert found["slow"] == (False, "default")
    assert found["user"][1] == "login name"
    assert found["store"][1] == "the default place"
    assert found["pictures"] == ("none", "the terminal")


def test_what_the_file_says_is_in_force_with_its_line(write: Write) -> None:
    assert origins(Given(), write(FULL)) == {
        "theme": ("flow-light", "config.toml, line 1"),
        "user": ("Ana", "config.toml, line 2"),
        "store": ("/of/file", "config.toml, line 3"),
        "columns": (["name", "lr"], "config.toml, line 4"),
        "slow": (True, "config.toml, line 5"),
        "pictures": ("sixel", "config.toml, line 6"),
        "mouse": (False, "config.toml, line 7"),
    }


def test_the_mouse_is_taken_where_that_leaves_esc_a_key(write: Write) -> None:
    assert origins(Given(), write(""))["mouse"] == (True, "default")
    in_screen = {"TERM": "screen", "STY": "1.tty"}
    assert origins(Given(), write(""), **in_screen)["mouse"] == (
        False,
        "GNU screen would hold Esc back",
    )
    assert origins(Given(), write("mouse = true"), **in_screen)["mouse"][0] is True


def test_variables_win_over_the_file(write: Write) -> None:
    found = origins(Given(), write(FULL), FLOW_TUI_USER="ben", LUML_BACKEND_STORE_URI="/of/env")
    assert found["user"] == ("ben", "FLOW_TUI_USER")
    assert found["store"] == ("/of/env", "LUML_BACKEND_STORE_URI")


def test_options_win_over_variables_and_the_file(write: Write) -> None:
    given = Given("/of/option", "ansi", "cleo", False)
    found = origins(given, write(FULL), FLOW_TUI_USER="ben", LUML_BACKEND_STORE_URI="/of/env")
    assert found["theme"] == ("ansi", "--theme")
    assert found["user"] == ("cleo", "--user")
    assert found["store"] == ("/of/option", "--store")
    assert found["slow"] == (False, "--no-slow")


def test_slow_takes_few_colours_unless_the_theme_is_named_with_it(write: Write) -> None:
    assert origins(Given(is_slow=True), write(FULL))["theme"] == ("ansi", "--slow")
    assert origins(Given(), write("slow = true"))["theme"] == ("ansi", "config.toml: slow")
    assert origins(Given(is_slow=False), write("slow = true"))["theme"][0] == "flow-dark"


def test_a_store_in_the_present_folder_is_nearer_than_that_of_the_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "meta.db").touch()
    chosen = in_force.in_force(Given(), write(FULL), MANY_COLORS, tmp_path)
    (store,) = [one for one in chosen if one.name == "store"]
    assert store.origin == "./experiments"


def test_the_later_wish_for_a_theme_counts(write: Write) -> None:
    here = session(MANY_COLORS)
    file = write('theme = "flow-light"')
    themes.keep("flow-colorblind", file.theme, here)
    chosen = origins(Given(), file)["theme"]
    assert chosen == ("flow-colorblind", "chosen in the app")
    later = origins(Given(), write('theme = "ansi"'))["theme"]
    assert later == ("ansi", "config.toml, line 1")


def test_a_theme_is_not_taken_to_a_terminal_that_cannot_show_its_cursor(write: Write) -> None:
    file = write("")
    themes.keep("flow-light", None, session(MANY_COLORS))
    assert origins(Given(), file)["theme"][0] == "flow-light"
    assert origins(Given(), file, **FEW_COLORS, COLORTERM="")["theme"][0] == "ansi"
    themes.keep("flow-light", None, session(FEW_COLORS))
    assert origins(Given(), file, **FEW_COLORS, COLORTERM="")["theme"][0] == "flow-light"


def test_columns_that_were_chosen_in_a_store_are_nearer(write: Write) -> None:
    from flowtui.screens.runs.column_plan import ColumnPlan

    file = write(FULL)
    ColumnPlan("/of/file").choose(["name", "metric.loss"])
    found = origins(Given(), file)["columns"]
    assert found == (["name", "metric.loss"], "chosen in the app, for this store")
