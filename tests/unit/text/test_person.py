"""Who runs it and where they keep things, also where nobody knows."""

from __future__ import annotations

import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from flowtui import person
from flowtui.app.crash import write_crash_log
from flowtui.registry.credentials import find_key
from flowtui.store.errors import StoreNotFound
from flowtui.store.location import locate
from flowtui.widgets import remembered

LOGIN_VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")


def unknown(_: object) -> NoReturn:
    raise KeyError("no such user")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A user of whom neither name nor home are known."""
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr(pwd, "getpwnam", unknown)
    for name in ("HOME", *LOGIN_VARIABLES, *(one for one in os.environ if one[:4] == "XDG_")):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    person._temporary.cache_clear()
    yield
    person._temporary.cache_clear()


def test_a_user_without_a_name_is_their_number(nobody: None) -> None:
    assert person.name() == str(os.getuid())


def test_no_home_is_no_error(nobody: None) -> None:
    assert person.home() is None


@pytest.mark.parametrize("home", ["", "relative"])
def test_a_home_that_is_no_whole_path_is_made_one(
    home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", home)
    found = person.home()
    assert found is not None
    assert found.is_absolute()


def test_what_is_kept_goes_where_nobody_else_can_read(nobody: None, tmp_path: Path) -> None:
    said = write_crash_log(ValueError("a fault"))
    (log,) = (tmp_path / f"flow-tui-{os.getuid()}" / "state" / "log").iterdir()
    assert said == f"Details are in {log}"
    assert stat.S_IMODE(log.parent.parent.parent.stat().st_mode) == 0o700
    remembered.put("a", 1)
    assert (tmp_path / f"flow-tui-{os.getuid()}" / "state" / remembered.FILE_NAME).is_file()


@pytest.mark.parametrize("kind", ["of all", "a link"])
def test_a_folder_that_others_can_write_in_is_not_taken(
    nobody: None, tmp_path: Path, kind: str
) -> None:
    expected = tmp_path / f"flow-tui-{os.getuid()}"
    if kind == "of all":
        expected.mkdir()
        expected.chmod(0o777)
    else:
        (tmp_path / "elsewhere").mkdir(0o700)
        expected.symlink_to(tmp_path / "elsewhere")
    folder = person.folder("cache")
    assert not folder.is_relative_to(expected)
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_without_any_folder_for_it_nothing_is_remembered(
    nobody: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> NoReturn:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", full)
    remembered.put("a", 1)
    assert remembered.get("b") is None
    assert "could not be written" in write_crash_log(ValueError("a fault"))


def test_a_home_is_asked_for_only_where_one_is_needed(tmp_path: Path) -> None:
    assert locate(str(tmp_path), {}, tmp_path, None).directory == tmp_path
    assert find_key({"LUML_API_KEY": "key"}, tmp_path, None) is not None
    assert find_key({}, tmp_path, None) is None
    for option in (None, "~/store"):
        with pytest.raises(StoreNotFound, match="no home folder is known: set HOME"):
            locate(option, {}, tmp_path, None)


def test_a_working_folder_that_was_removed_is_the_path_that_it_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setenv("PWD", str(gone))
    gone.rmdir()
    assert person.cwd() == gone
