"""What is kept of an error: once in a session, for the user only, and no more than the last."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from flowtui.app.crash import MOST_LOGS, Crashes, crash_directory, write_crash_log


@pytest.fixture(autouse=True)
def _own_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noted_errors: list[BaseException]
) -> Iterator[None]:
    monkeypatch.setenv("FLOW_TUI_STATE", str(tmp_path / "state"))
    yield
    noted_errors.clear()


def raised(by: Callable[[], object]) -> BaseException:
    with pytest.raises(ArithmeticError) as caught:
        by()
    return caught.value


def one(words: str = "one") -> None:
    raise ZeroDivisionError(words)


def through_another_line() -> None:
    one("the same place")


def other() -> None:
    raise ZeroDivisionError("one")


def another_type() -> None:
    raise OverflowError("one")


def logs() -> list[Path]:
    return sorted(crash_directory().glob("*"))


def test_the_same_error_is_kept_once() -> None:
    crashes = Crashes()
    where = {crashes.note(raised(by)) for by in (one, lambda: one("else"), through_another_line)}
    assert [f"Details are in {path}" for path in logs()] == list(where)
    assert "ZeroDivisionError: one" in logs()[0].read_text()
    for count, by in enumerate((other, another_type), start=2):
        crashes.note(raised(by))
        assert len(logs()) == count
    Crashes().note(raised(one))
    assert len(logs()) == 4, "another session has its own"


def test_only_the_user_may_read_it() -> None:
    before = os.umask(0)
    try:
        write_crash_log(raised(one))
    finally:
        os.umask(before)
    assert stat.S_IMODE(logs()[0].stat().st_mode) == 0o600


def test_the_last_are_kept(stopped_clock: datetime) -> None:
    crash_directory().mkdir(parents=True)
    old = [crash_directory() / f"crash-20200101-0000{number:02}-000000.log" for number in range(30)]
    for path in old:
        path.write_text("of a version before")
    kept = crash_directory() / "notes.txt"
    kept.write_text("not a log")
    write_crash_log(raised(one))
    newest = [path for path in logs() if path not in old and path != kept]
    assert logs() == [*old[-(MOST_LOGS - 1) :], *newest, kept]
    assert len(newest) == 1


def test_what_happens_by_itself_is_told_once_and_what_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    crashes, error = Crashes(), raised(one)
    assert crashes.is_news(error, is_asked=False)
    assert not crashes.is_news(error, is_asked=True)
    now_s += 3_600
    assert not crashes.is_news(error, is_asked=False)
    assert crashes.is_news(error, is_asked=True)
    assert not crashes.is_news(error, is_asked=True)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    assert Crashes().note(raised(one)).startswith("Its details could not be written to ")
