"""`flow-tui wait`: what ends the waiting, with which code, and what does not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flowtui.cli import wait as waiting
from tests.conftest import NOW
from tests.unit.cli.test_cli import Run, run
from tests.unit.stores import execute, held, killed, writer

__all__ = ["run"]
ID = "id-of-it"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a store with one active run."""
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.02)
    with writer(tmp_path) as made:
        made.start_run(ID, "it")
    log(tmp_path, "loss", [0.9, 0.8])
    return tmp_path


def log(folder: Path, key: str, values: list[float], first: int = 0) -> None:
    with writer(folder) as made, made.experiment(ID) as experiment:
        experiment.metrics((key, value, step, NOW) for step, value in enumerate(values, first))


@contextmanager
def soon(what: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Do something after the third look of a waiting."""
    looks = 0
    done = threading.Event()
    before = waiting.look

    def counted(*arguments: object) -> object:
        nonlocal looks
        looks += 1
        if looks == 3:
            what()
            done.set()
        return before(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(waiting, "look", counted)
    yield
    assert done.is_set()


def end(folder: Path, status: str) -> None:
    with writer(folder) as made:
        made.end_run(ID, status=status, duration=5.0)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [("completed", 0, "has ended well"), ("error", 3, "failed"), ("paused", 3, "failed")],
)
def test_an_end_ends_it(
    run: Run, store: Path, status: str, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(store / "meta.db"), soon(lambda: end(store, status), monkeypatch):
        done = run("wait", "it", "--store", store, "--timeout", "60")
    assert (done.code, said in done.out + done.err) == (code, True)


@pytest.mark.parametrize(
    "until", ["loss < 0.5", "step > 40", "`loss` <= 0.4 and step >= 50", "not loss >= 0.5"]
)
def test_a_condition_ends_it_when_it_holds(
    run: Run, store: Path, until: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(store / "meta.db"), soon(lambda: log(store, "loss", [0.4], 50), monkeypatch):
        done = run("wait", "it", "--store", store, "--until", until, "--timeout", "60")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"it: {until} holds\n"


def test_a_run_that_ends_well_before_a_condition_holds_is_an_end(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held(store / "meta.db"), soon(lambda: end(store, "completed"), monkeypatch):
        done = run("wait", "it", "--store", store, "--until", "loss < 0", "--timeout", "60")
    assert (done.code, done.out) == (0, "it: the run has ended well\n")


def test_the_values_at_the_end_count_and_not_their_copies(run: Run, store: Path) -> None:
    end(store, "completed")
    log(store, "loss", [0.1], 99)
    done = run("wait", "it", "--store", store, "--until", "loss < 0.2", "--timeout", "0")
    assert done.out == "it: loss < 0.2 holds\n"


def test_a_nan_is_neither_below_nor_above(run: Run, store: Path) -> None:
    log(store, "loss", [float("nan")], 9)
    with held(store / "meta.db"):
        for until in ("loss < 5", "loss > 5"):
            assert run("wait", "it", "-s", store, "--until", until, "--timeout", "0").code == 124


def test_a_quiet_run_ends_nothing_and_the_timeout_does(run: Run, store: Path) -> None:
    with held(store / "meta.db"):
        done = run("wait", "it", "--store", store, "--timeout", "100ms")
    assert done.code == 124
    assert "still going on" in done.err


def test_a_process_that_is_gone_without_an_end_ends_it(run: Run, store: Path) -> None:
    killed(store / ID / "exp.db")
    done = run("wait", "it", "--store", store, "--timeout", "60")
    assert done.code == 3
    assert "process is gone" in done.err


def test_a_run_that_is_deleted_cannot_be_watched(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete() -> None:
        execute(store / "meta.db", "delete from experiments")

    with held(store / "meta.db"), soon(delete, monkeypatch):
        done = run("wait", "it", "--store", store, "--timeout", "60")
    assert done.code == 1
    assert "was deleted" in done.error


def test_a_run_that_stays_unreadable_cannot_be_watched(
    run: Run, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "UNREADABLE_FOR_S", 0.1)
    (store / ID / "exp.db").write_bytes(b"no database, " * 600)
    done = run("wait", "it", "--store", store, "--until", "loss < 1", "--timeout", "60")
    assert done.code == 1


def test_a_name_that_no_run_has_is_said(run: Run, store: Path) -> None:
    with held(store / "meta.db"):
        done = run("wait", "it", "-s", store, "--until", "lss < 1", "--timeout", "0")
    assert "lss" in done.err
    assert "loss" in done.err


@pytest.mark.parametrize(
    ("text", "found"), [("90", 90), ("30s", 30), ("1 h 30 m", 5400), ("0.5", 0.5)]
)
def test_a_timeout_is_a_number_of_seconds_or_has_units(text: str, found: float) -> None:
    assert waiting.seconds(text) == found


@pytest.mark.parametrize("text", ["soon", "-1", "-2h", "nan", "", "inf", "3 x"])
def test_other_timeouts_are_refused(run: Run, store: Path, text: str) -> None:
    assert run("wait", "it", "--store", store, f"--timeout={text}").code == 2
