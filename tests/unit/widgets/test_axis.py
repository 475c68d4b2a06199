"""Ticks of time: where they stand and what they say."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui.widgets.charts.axis import (
    DAY,
    HOUR,
    MINUTE,
    TIME_STEPS,
    clock,
    clock_labels,
    clock_ticks,
    duration_labels,
    durations,
    time_ticks,
)

BERLIN = ZoneInfo("Europe/Berlin")
HALF_HOUR_ZONE = timezone(timedelta(hours=5, minutes=30))


def at(text: str, zone: tzinfo = UTC) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("low_s", "high_s", "at_most", "labels"),
    [
        (0, 4, 4, ["0", "1 s", "2 s", "3 s", "4 s"]),
        (0, 100, 4, ["0", "30 s", "1 m", "1 m 30 s"]),
        (0, 25 * MINUTE, 5, ["0", "5 m", "10 m", "15 m", "20 m", "25 m"]),
        (HOUR, 2 * HOUR, 2, ["1 h", "1 h 30 m", "2 h"]),
        (10, 20 * HOUR, 4, ["6 h", "12 h", "18 h"]),
        (0, 3 * DAY, 6, ["0", "12 h", "1 d", "1 d 12 h", "2 d", "2 d 12 h", "3 d"]),
        (0, 95 * DAY, 5, ["0", "20 d", "40 d", "60 d", "80 d"]),
        (90_300, 90_390, 3, ["25:05:00", "25:05:30", "25:06:00", "25:06:30"]),
        (-1, 1, 2, ["-1 s", "0", "1 s"]),
        (0, 1, 4, ["0.0 s", "0.5 s", "1.0 s"]),
        (-0.4, 0.4, 4, ["-0.4 s", "-0.2 s", "0.0 s", "0.2 s", "0.4 s"]),
        (3600.2, 3600.9, 3, ["1:00:00.2", "1:00:00.4", "1:00:00.6", "1:00:00.8"]),
        (0, 1.1e-6, 2, ["0.000000 s", "0.000001 s"]),
    ],
)
def test_durations_are_round_and_say_so(
    low_s: float, high_s: float, at_most: int, labels: list[str]
) -> None:
    assert duration_labels(time_ticks(low_s, high_s, at_most)) == labels


@given(
    low_s=st.floats(-1e9, 1e9),
    length_s=st.one_of(st.floats(1, 1e5), st.floats(1, 1e12)),
    at_most=st.integers(1, 30),
)
def test_durations_lie_in_the_range_evenly_and_are_not_too_many(
    low_s: float, length_s: float, at_most: int
) -> None:
    made = time_ticks(low_s, low_s + length_s, at_most)
    assert len(made) <= at_most + 1
    assert all(low_s <= tick <= low_s + length_s for tick in made)
    assert len(set(duration_labels(made))) == len(made)
    gaps = {round(later - earlier, 6) for earlier, later in pairwise(made)}
    assert len(gaps) <= 1
    assert all(gap < 1 or gap in TIME_STEPS or gap % DAY == 0 for gap in gaps)


@pytest.mark.parametrize("high_s", [5.0, 4.0, math.inf, math.nan])
def test_no_range_has_no_ticks_but_its_start(high_s: float) -> None:
    assert time_ticks(5.0, high_s, 4) == [5.0]
    assert clock_ticks(5.0, high_s, 4, UTC) == []


@pytest.mark.parametrize(
    ("low", "high", "at_most", "labels"),
    [
        ("2026-11-24 14:03:12", "2026-11-24 14:22:00", 4, ["14:05", "14:10", "14:15", "14:20"]),
        ("2026-11-24 14:05:10", "2026-11-24 14:05:55", 2, ["14:05:30"]),
        (
            "2026-11-23 20:00:00",
            "2026-11-24 09:00:00",
            5,
            ["21:00", "24 Nov", "03:00", "06:00", "09:00"],
        ),
        ("2026-11-22 07:00:00", "2026-11-25 09:00:00", 4, ["23 Nov", "24 Nov", "25 Nov"]),
        (
            "2026-12-30 07:00:00",
            "2027-01-02 09:00:00",
            4,
            ["31 Dec 2026", "1 Jan 2027", "2 Jan 2027"],
        ),
    ],
)
@pytest.mark.parametrize("zone", [UTC, BERLIN, HALF_HOUR_ZONE])
def test_clock_ticks_are_round_where_the_clock_hangs(
    low: str, high: str, at_most: int, labels: list[str], zone: tzinfo
) -> None:
    made = clock_ticks(at(low, zone), at(high, zone), at_most, zone)
    assert clock_labels(made, zone) == labels


def test_the_clock_is_local_unless_a_zone_is_given() -> None:
    low, high = at("2026-11-24 14:03"), at("2026-11-24 14:22")
    made = clock_ticks(low, high, 4)
    local = [f"{datetime.fromtimestamp(tick).astimezone():%H:%M}" for tick in made]
    assert clock_labels(made) == local


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        # The clock goes from 02:00 to 03:00, and in autumn from 03:00 back to 02:00.
        ("2026-03-28 22:30", "2026-03-29 08:30", ["29 Mar", "04:00", "06:00", "08:00"]),
        ("2026-10-24 22:30", "2026-10-25 08:30", ["25 Oct", "03:00", "06:00"]),
        (
            "2026-10-25 00:10",
            "2026-10-25 03:10",
            ["01:00", "02:00 CEST", "02:00 CET", "03:00"],
        ),
        ("2026-10-23 12:00", "2026-10-27 12:00", ["24 Oct", "25 Oct", "26 Oct", "27 Oct"]),
        ("2026-03-27 12:00", "2026-03-31 12:00", ["28 Mar", "29 Mar", "30 Mar", "31 Mar"]),
    ],
)
def test_ticks_stay_round_where_the_clock_is_set(low: str, high: str, labels: list[str]) -> None:
    made = clock_ticks(at(low, BERLIN), at(high, BERLIN), 5, BERLIN)
    assert clock_labels(made, BERLIN) == labels


@given(
    low_s=st.floats(-6e10, 2e11),
    length_s=st.one_of(st.floats(1, 1e5), st.floats(1, 5e10)),
    at_most=st.integers(1, 20),
    zone=st.sampled_from([UTC, BERLIN, HALF_HOUR_ZONE, ZoneInfo("Australia/Lord_Howe")]),
)
def test_clock_ticks_lie_in_the_range_in_order(
    low_s: float, length_s: float, at_most: int, zone: tzinfo
) -> None:
    made = clock_ticks(low_s, low_s + length_s, at_most, zone)
    assert all(low_s <= tick <= low_s + length_s for tick in made)
    assert made == sorted(set(made))
    labels = clock_labels(made, zone)
    assert all(before != after for before, after in pairwise(labels))
    # One more than fit evenly, and one more where the clock is set.
    assert len(made) <= at_most + 2
    assert len(clock_labels(made, zone)) == len(made)


@pytest.mark.parametrize(
    ("low", "length_s", "at_most", "labels"),
    [
        ("2026-11-24 14:05:10", 1, 4, ["14:05:10.0", "14:05:10.5", "14:05:11.0"]),
        ("2026-11-24 23:59:59.85", 0.2, 2, ["23:59:59.9", "00:00:00.0"]),
        ("2026-11-24 14:05:10.137", 0.004, 2, ["14:05:10.138", "14:05:10.140"]),
        ("2026-11-24 14:05:10", 1e-6, 4, []),
    ],
)
def test_a_clock_tells_parts_of_seconds_as_far_as_it_has_them(
    low: str, length_s: float, at_most: int, labels: list[str]
) -> None:
    made = clock_ticks(at(low), at(low) + length_s, at_most, UTC)
    assert clock_labels(made, UTC) == labels


@given(st.floats(0, 2e9), st.floats(-5, 0), st.integers(1, 12))
def test_neighbouring_parts_of_seconds_never_read_alike(
    low_s: float, power: float, at_most: int
) -> None:
    high_s = low_s + 10**power
    for found in (durations(low_s, high_s, at_most), clock(low_s, high_s, at_most, UTC)):
        assert all(before != after for before, after in pairwise(found.labels))
        assert all(low_s <= place <= high_s for place in found.places)


@pytest.mark.parametrize("moment", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
def test_the_ends_of_the_calendar_are_no_trouble(moment: str) -> None:
    middle = at(moment)
    for zone in (UTC, BERLIN, None):
        made = clock_ticks(middle - 1, middle + 1, 3, zone)
        assert len(clock_labels(made, zone)) == len(made)
