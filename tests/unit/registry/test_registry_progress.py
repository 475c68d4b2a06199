"""Progress as it is told, and threads that are left alone when nobody waits for them."""

from __future__ import annotations

import threading

import pytest

from flowtui.registry.errors import StorageFailed, UploadCancelled
from flowtui.registry.progress import Meter, Phase
from flowtui.registry.threads import each, interruptible


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_time_left_are_of_the_last_seconds() -> None:
    clock = Clock()
    meter = Meter(clock)
    meter.enter(Phase.SENDING, 1_000)
    assert meter.read().rate_bytes_s is None
    count = meter.counter()
    for _ in range(10):
        clock.now += 1
        count(10)
    progress = meter.read()
    assert (progress.done_bytes, progress.fraction) == (100, 0.1)
    assert progress.rate_bytes_s == pytest.approx(10)
    assert progress.left_s == pytest.approx(90)
    clock.now += 20
    assert meter.read().rate_bytes_s == pytest.approx(0)
    assert meter.read().left_s is None


def test_what_was_sent_before_does_not_count_as_speed() -> None:
    clock = Clock()
    meter = Meter(clock)
    meter.enter(Phase.SENDING, 1_000, 900)
    clock.now += 1
    meter.counter()(10)
    assert meter.read().done_bytes == 910
    assert meter.read().rate_bytes_s == pytest.approx(10)


def test_a_thread_of_an_earlier_phase_counts_no_more() -> None:
    meter = Meter()
    meter.enter(Phase.SENDING, 100)
    late = meter.counter()
    meter.enter(Phase.SENDING, 100)
    late(50)
    assert meter.read().done_bytes == 0


def test_a_part_that_is_sent_again_before_its_lost_try_is_taken_back_is_counted_once() -> None:
    meter = Meter()
    meter.enter(Phase.SENDING, 100)
    count = meter.counter()
    count(60)
    count(100)
    assert meter.read().done_bytes == 100
    count(-60)
    assert meter.read().done_bytes == 100


def test_a_phase_without_bytes_has_no_share() -> None:
    meter = Meter()
    meter.enter(Phase.CONFIRMING)
    progress = meter.read()
    assert (progress.fraction, progress.left_s, progress.phase.is_over) == (None, None, False)


def test_what_blocks_is_left_and_its_late_answer_is_taken() -> None:
    go_on, taken = threading.Event(), threading.Event()
    late: list[str] = []

    def ask() -> str:
        go_on.wait()
        return "answer"

    def take(value: str) -> None:
        late.append(value)
        taken.set()

    with pytest.raises(UploadCancelled):
        interruptible(ask, lambda: True, take)
    go_on.set()
    assert taken.wait(10)
    assert late == ["answer"]


def test_an_answer_and_a_failure_come_through() -> None:
    assert interruptible(lambda: 3, lambda: False) == 3

    def fail() -> None:
        raise StorageFailed("no")

    with pytest.raises(StorageFailed):
        interruptible(fail, lambda: False)


def test_after_a_failure_nothing_new_is_begun() -> None:
    begun: list[int] = []

    def work(item: int, must_end: object) -> None:
        begun.append(item)
        if item == 2:
            raise StorageFailed("no")

    with pytest.raises(StorageFailed):
        each(range(100), work, 1, lambda: False)
    assert begun == [0, 1, 2]


def test_all_are_done_by_as_many_as_asked() -> None:
    together = threading.Barrier(4)
    done: list[int] = []

    def work(item: int, must_end: object) -> None:
        together.wait(10)
        done.append(item)

    each(range(8), work, 4, lambda: False)
    assert sorted(done) == list(range(8))
    each([], work, 4, lambda: False)
