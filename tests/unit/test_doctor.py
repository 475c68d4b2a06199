"""What doctor says of opening attachments and of pictures, and the line to add."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowtui import doctor, terminal_picture


def found(tmp_path: Path, environ: dict[str, str]) -> dict[str, doctor.Finding]:
    environ = {"TERM": "xterm-256color", "LANG": "C.UTF-8", **environ}
    findings = doctor.findings(environ, str(tmp_path), tmp_path, tmp_path)
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
