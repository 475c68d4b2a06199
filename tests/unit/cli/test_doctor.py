"""What doctor says of opening attachments and of pictures, and the line to add."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui.cli import doctor
from flowtui.store import checks
from flowtui.terminal import pictures as terminal_picture
from tests.unit.cli.test_cli_endless import make_store, without_end


def found(
    tmp_path: Path, environ: dict[str, str], has_terminal: bool = True
) -> dict[str, doctor.Finding]:
    environ = {"TERM": "xterm-256color", "LANG": "C.UTF-8", **environ}
    findings = doctor.findings(environ, str(tmp_path), tmp_path, tmp_path, has_terminal)
    return {finding.subject: finding for finding in findings}


def test_over_ssh_it_says_that_no_viewer_can_open(tmp_path: Path) -> None:
    viewer = found(tmp_path, {"SSH_CONNECTION": "1.1.1.1 1 2.2.2.2 22"})["viewer"]
    assert "SSH without a display" in viewer.text
    assert "FLOW_TUI_OPENER" in viewer.remedy


def test_a_named_viewer_is_shown_or_missed(tmp_path: Path) -> None:
    assert found(tmp_path, {"FLOW_TUI_OPENER": "sh -c"})["viewer"].line.startswith("✓ viewer")
    missing = found(tmp_path, {"FLOW_TUI_OPENER": "no-such-program"})["viewer"]
    assert missing.glyph == "▲"
    assert "no-such-program" in missing.text


@pytest.mark.parametrize(("passes", "glyph"), [(True, "✓"), (False, "▲")])
def test_pictures_through_tmux_have_the_line_to_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passes: bool, glyph: str
) -> None:
    monkeypatch.setattr(terminal_picture, "passes_through", lambda _here: passes)
    environ = {"KITTY_WINDOW_ID": "1", "TMUX": "/tmp/tmux,1,0"}
    pictures = found(tmp_path, environ)["pictures"]
    assert pictures.glyph == glyph
    assert ("set -g allow-passthrough on" in pictures.remedy) is not passes


def test_without_a_known_protocol_pictures_are_half_cells(tmp_path: Path) -> None:
    assert "in half cells" in found(tmp_path, {})["pictures"].text


def test_zstd_is_an_extra(tmp_path: Path) -> None:
    assert found(tmp_path, {})["zstd"].text == "installed"


def test_without_a_terminal_nothing_is_advised_about_one(tmp_path: Path) -> None:
    said = found(tmp_path, {"TERM": ""}, has_terminal=False)
    assert not {"colours", "clipboard", "pictures", "link"} & said.keys()
    assert not said["terminal"].is_error
    assert said["terminal"].remedy == ""
    assert said["text"].text == "UTF-8"


def test_a_terminal_without_a_type_is_told_how_to_name_it(tmp_path: Path) -> None:
    terminal = found(tmp_path, {"TERM": ""})["terminal"]
    assert terminal.is_error
    assert "TERM" in terminal.remedy


@pytest.mark.parametrize("term", ["xterm-kitty", "foot", "alacritty", "xterm-direct"])
def test_terminals_known_to_have_all_colours_need_nothing_for_them(
    tmp_path: Path, term: str
) -> None:
    colors = found(tmp_path, {"TERM": term})["colours"]
    assert (colors.text, colors.remedy) == ("24-bit", "")


@pytest.mark.parametrize("sty", [{"STY": "1.tty"}, {}])
def test_screen_is_not_told_to_promise_more_colours(tmp_path: Path, sty: dict[str, str]) -> None:
    environ = {"TERM": "screen.xterm-256color", "COLORTERM": "truecolor", **sty}
    colors = found(tmp_path, environ)["colours"]
    assert colors.glyph == "✓"
    assert "COLORTERM" not in colors.remedy


@pytest.mark.parametrize("term", ["vt100", "linux"])
def test_a_terminal_that_takes_no_clipboard_has_none(tmp_path: Path, term: str) -> None:
    assert found(tmp_path, {"TERM": term})["clipboard"].glyph == "▲"


def test_tmux_on_another_machine_has_the_line_for_that_machine(tmp_path: Path) -> None:
    assert "set-clipboard on" in found(tmp_path, {"TERM": "tmux-256color"})["clipboard"].remedy


@pytest.mark.parametrize("name", ["LC_ALL", "LC_CTYPE", "LANG"])
def test_the_variable_that_has_no_utf8_is_named(tmp_path: Path, name: str) -> None:
    text = found(tmp_path, {"LANG": "C.UTF-8", name: "C"})["text"]
    assert text.remedy == f"export {name}=C.UTF-8"


def test_a_store_whose_runs_cannot_be_read_to_the_end_is_told_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_end(make_store(tmp_path / "store") / "meta.db", "experiments")
    monkeypatch.setattr(checks, "READ_S", 0)
    told = [
        finding
        for finding in doctor.findings({}, str(tmp_path / "store"), tmp_path, tmp_path)
        if finding.subject == "store"
    ]
    assert [finding.glyph for finding in told] == ["✗", "▲"]
    assert "experiments is a view" in told[1].text
