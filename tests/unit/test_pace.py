"""A slow link is known by how late a terminal answers."""

from __future__ import annotations

import pytest

from flowtui import pace
from flowtui.pace import Pace


@pytest.mark.parametrize(("round_trip_s", "is_slow"), [(0.02, False), (0.3, True)])
def test_a_late_answer_makes_a_link_slow(
    monkeypatch: pytest.MonkeyPatch, round_trip_s: float, is_slow: bool
) -> None:
    now = [100.0]
    monkeypatch.setattr(pace, "monotonic", lambda: now[0])
    link = Pace(is_slow=False)
    assert link.ask() == "\x1b[?2026$p"
    now[0] += round_trip_s
    link.answered()
    assert link.is_slow is is_slow


def test_an_answer_that_nobody_asked_for_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "monotonic", lambda: 1e9)
    link = Pace(is_slow=False)
    link.answered()
    assert not link.is_slow


def test_on_a_slow_link_one_tick_of_three_does_something() -> None:
    assert [Pace(is_slow=False).is_due() for _ in range(3)] == [True] * 3
    link = Pace(is_slow=True)
    assert [link.is_due() for _ in range(6)] == [False, False, True] * 2
