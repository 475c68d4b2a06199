"""A slow link is known by how late a terminal answers."""

from __future__ import annotations

import pytest

from flowtui.terminal.link_speed import LinkSpeed


@pytest.mark.parametrize(("round_trip_s", "is_slow"), [(0.02, False), (0.3, True)])
def test_a_late_answer_makes_a_link_slow(round_trip_s: float, is_slow: bool) -> None:
    link = LinkSpeed(is_slow=False)
    link.answered(round_trip_s)
    assert link.is_slow is is_slow


def test_an_early_answer_does_not_make_a_slow_link_fast() -> None:
    link = LinkSpeed(is_slow=True)
    link.answered(0.02)
    assert link.is_slow


def test_on_a_slow_link_one_tick_of_three_does_something() -> None:
    assert [LinkSpeed(is_slow=False).is_due() for _ in range(3)] == [True] * 3
    link = LinkSpeed(is_slow=True)
    assert [link.is_due() for _ in range(6)] == [False, False, True] * 2
