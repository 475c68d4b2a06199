"""The person's own pager."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from flowtui.terminal import pager


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_the_pager_is_given_a_private_file_that_is_gone_afterwards(tmp_path: Path) -> None:
    out = tmp_path / "out"
    name = script(
        tmp_path / "pager", f'stat -c %a "$2" > {out}; cat "$2" >> {out}; echo "$2" >> {out}'
    )
    pager.show("täxt\n", pager.command({"PAGER": f"{name} -x"}))
    mode, text, shown = out.read_text().split("\n")[:3]
    assert (mode, text) == ("600", "täxt")
    assert not os.path.exists(shown)


def test_a_pager_that_fails_says_how(tmp_path: Path) -> None:
    name = script(tmp_path / "pager", "exit 3")
    with pytest.raises(pager.PagerFailed, match="exit code 3"):
        pager.show("text", [name])


@pytest.mark.parametrize(
    ("named", "reason"),
    [("no-such-pager-here", "is not installed"), ("'open", "No closing quotation")],
)
def test_a_pager_that_cannot_be_run_is_named(named: str, reason: str) -> None:
    with pytest.raises(pager.PagerFailed, match=reason):
        pager.command({"PAGER": named})


def test_without_a_choice_it_is_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}" if name == "more" else None)
    assert pager.command({}) == ["more"]


def test_without_any_pager_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(pager.PagerFailed, match=r"neither less nor more.*set \$PAGER"):
        pager.command({})
