"""What is remembered between sessions, and that nothing about it is ever fatal."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from flowtui import person
from flowtui.widgets import remembered
from flowtui.widgets.remembered import MAX_BYTES, Remembered


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "remembered.json"


def test_a_value_lasts_until_it_is_forgotten_and_nobody_else_may_read_it(path: Path) -> None:
    first = Remembered(path)
    assert first.get("columns") is None
    first.put("columns", ["id", "scores.x"])
    first.put("filter", 'output contains "\udc80"')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = Remembered(path)
    assert again.get("columns") == ["id", "scores.x"]
    assert again.get("filter") == 'output contains "\udc80"'
    again.put("columns", None)
    assert Remembered(path).get("columns") is None
    assert [one.name for one in path.parent.iterdir()] == ["remembered.json"]


def test_two_sessions_keep_each_others_keys_and_the_last_to_put_one_wins(path: Path) -> None:
    one, other = Remembered(path), Remembered(path)
    assert (one.get("a"), other.get("a")) == (None, None)
    one.put("a", 1)
    other.put("b", 2)
    other.put("a", 3)
    assert json.loads(path.read_text()) == {"a": 3, "b": 2}
    assert one.get("a") == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b"\xff\xfe", b'{"a": 1' + b" " * MAX_BYTES + b"}", b"[" * 100_000],
    ids=["empty", "broken", "a list", "no UTF-8", "huge", "deep"],
)
def test_a_file_that_cannot_be_read_remembers_nothing_and_is_replaced(
    path: Path, content: bytes
) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    kept = Remembered(path)
    assert kept.get("a") is None
    kept.put("a", 1)
    assert Remembered(path).get("a") == 1


def test_where_nothing_can_be_written_it_lasts_for_the_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = Remembered(tmp_path / "file" / "remembered.json")
    kept.put("a", {"b": 1})
    assert kept.get("a") == {"b": 1}


def test_the_folder_is_the_users_unless_a_variable_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert remembered.remembered().path.is_relative_to(Path.home())
    monkeypatch.setenv(person.STATE_VARIABLE, str(tmp_path))
    remembered.put("order", "-scores.x")
    assert remembered.get("order") == "-scores.x"
    assert (tmp_path / "remembered.json").is_file()
