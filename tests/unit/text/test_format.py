"""Values as text: what a number, a time or a status looks like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtui import format as fmt
from flowtui.store.values import Bucket, JsonValue


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (2.5e-6, "2.5 µs"),
        (0.041, "41 ms"),
        (0.0009996, "1 ms"),
        (0.99949, "999 ms"),
        (0.9999, "1.0 s"),
        (3.21, "3.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 m"),
        (95, "1 m 35 s"),
        (600, "10 m"),
        (3599.7, "1 h"),
        (8040, "2 h 14 m"),
        (86399.9, "1 d"),
        (90000, "1 d 1 h"),
        (99 * 86400 + 23 * 3600, "99 d 23 h"),
        (162 * 86400 + 7 * 3600, "162 d"),
        (-95, "-1 m 35 s"),
    ],
)
def test_a_duration_reads_as_a_person_says_it(seconds: float, text: str) -> None:
    assert fmt.duration(seconds) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_a_duration_never_shows_sixty_of_a_unit(seconds: float) -> None:
    words = fmt.duration(seconds).split()
    limits = {"ms": 1000, "s": 60, "m": 60, "h": 24, "µs": 1000}
    for amount, unit in zip(words[::2], words[1::2], strict=True):
        assert float(amount) < limits.get(unit, math.inf)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "now"),
        (0.9, "now"),
        (1, "1 s ago"),
        (59.9, "59 s ago"),
        (60, "1 m ago"),
        (119, "1 m ago"),
        (7260, "2 h 1 m ago"),
    ],
)
def test_a_time_ago_is_rounded_down(seconds: float, text: str) -> None:
    assert fmt.ago(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (97_800_000, "97.8 MB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (2_000_000_000, "2 GB"),
        (5 * 10**18, "5,000 PB"),
    ],
)
def test_a_size_is_in_decimal_units(size_bytes: int, text: str) -> None:
    assert fmt.size(size_bytes) == text


def test_a_count_agrees_with_its_noun() -> None:
    assert fmt.count(1, "point") == "1 point"
    assert fmt.count(1204, "point") == "1,204 points"
    assert fmt.count(2, "entry", "entries") == "2 entries"


def test_a_moment_is_shown_in_its_zone_and_names_it() -> None:
    moment = datetime(2026, 11, 24, 2, 4, tzinfo=UTC)
    east = timezone(timedelta(hours=5, minutes=30), "IST")
    assert fmt.when(moment, UTC) == "24 Nov 2026 02:04 UTC"
    assert fmt.when(moment, east) == "24 Nov 2026 07:34 IST"
    assert fmt.when_short(moment, east) == "2026-11-24 07:34"


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("2026-11-24T02:04:05.678Z", "2026-11-24 02:04"),
        ("2026-11-24T02:04:05", "2026-11-24 02:04"),
        ("2026-11-24T02:04:05+02:00", "2026-11-24 00:04"),
        ("2026-11-24", "2026-11-24"),
        ("some\x1bday", "some␛day"),
        ("", ""),
    ],
)
def test_what_a_server_sent_as_a_time_is_read_or_left(sent: str, text: str) -> None:
    assert fmt.when_sent(sent, UTC) == text


def test_what_was_not_taken_is_counted_one_by_one() -> None:
    assert fmt.lost_spans(0, 0) == []
    assert fmt.lost_spans(1_204, 1) == ["1,204 dropped", "1 refused request"]
    assert fmt.lost_spans(0, 2) == ["2 refused requests"]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("active", "● active"),
        ("completed", "✓ completed"),
        ("error", "✗ error"),
        ("canceled", "? canceled"),
        ("", "? no status"),
        ("\x1b[2J", "? ␛[2J"),
    ],
)
def test_a_status_is_a_glyph_and_a_word(status: str, text: str) -> None:
    assert fmt.status(status) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (12345678901234567890, "12345678901234567890"),
        (0.1, "0.1"),
        (math.nan, "NaN"),
        ("a\nb", "a↵b"),
        ([1, "é"], '[1, "é"]'),
        ({"k": "\x1b"}, '{"k": "\\u001b"}'),
    ],
)
def test_a_json_value_is_one_line(value: JsonValue, text: str) -> None:
    assert fmt.json_text(value) == text


def flat(values: Sequence[float | None]) -> list[Bucket | None]:
    return [None if value is None else Bucket(value, value) for value in values]


def bars(values: Sequence[float | None], width: int) -> str:
    return "".join(bar for bar, _ in fmt.sparkline(flat(values), width))


def test_a_sparkline_rises_with_its_values() -> None:
    assert bars([0, 1, 2, 3, 4, 5, 6], 7) == "▁▂▃▄▅▆▇"


def test_a_sparkline_leaves_a_gap_to_the_line_above() -> None:
    assert "█" not in bars([0.0, 1.0, 0.0, 1e9, *([0.0, 1.0] * 20)], 44)


def test_a_constant_is_a_flat_sparkline() -> None:
    assert bars([5, 5, 5, 5], 4) == "▁▁▁▁"
    assert bars([5], 10) == "▁"
    assert bars([], 10) == ""


def test_a_bucket_without_finite_points_is_a_gap() -> None:
    assert bars([0, None, 7], 3) == "▁ ▇"
    assert bars([None, None], 2) == "  "


def test_a_spike_is_full_and_marked_and_leaves_the_rest_its_shape() -> None:
    steady = [float(index % 8) for index in range(40)]
    spiked = [*steady[:20], 1e6, *steady[20:]]
    line = fmt.sparkline(flat(spiked), 41)
    assert [index for index, (_, is_spike) in enumerate(line) if is_spike] == [20]
    assert line[20][0] == "▇"
    rest = [bar for bar, _ in line[:20]]
    by_value = sorted(zip(steady[:20], rest, strict=True))
    assert [bar for _, bar in by_value] == sorted(rest)
    assert len(set(rest)) == 5


def test_a_spike_down_is_marked_too() -> None:
    values = [*([10.0, 11.0, 12.0] * 6), -1e6, *([10.0, 11.0, 12.0] * 6)]
    line = fmt.sparkline(flat(values), len(values))
    assert [index for index, (_, is_spike) in enumerate(line) if is_spike] == [18]
    assert line[18][0] == "▁"


def test_a_spike_on_a_constant_is_seen_without_colour() -> None:
    assert bars([5.0] * 5 + [9.0] + [5.0] * 5, 11) == "▁▁▁▁▁▇▁▁▁▁▁"
    assert bars([5.0] * 5 + [1.0] + [5.0] * 5, 11) == "▇▇▇▇▇▁▇▇▇▇▇"
    both = bars([5.0] * 5 + [9.0, 1.0] + [5.0] * 5, 12)
    assert both == "▃▃▃▃▃▇▁▃▃▃▃▃"
    assert bars([0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0], 8) == "▁▁▁▇▁▇▁▁"


@given(
    rest=st.permutations(range(20)),
    place=st.integers(1, 18),
    spike=st.sampled_from([1e6, -1e6]),
)
def test_no_other_bar_is_near_that_of_a_spike(rest: list[int], place: int, spike: float) -> None:
    drawn = bars([*map(float, rest[:place]), spike, *map(float, rest[place:])], 60)
    heights = [ord(bar) for bar in drawn]
    near = [height for height in heights if abs(height - heights[place]) < 2]
    assert len(near) == 1


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=1, max_size=200),
    st.integers(1, 60),
)
def test_fewer_cells_than_buckets_keep_the_extremes(values: list[float | None], width: int) -> None:
    line = fmt.sparkline(flat(values), width)
    assert len(line) == min(width, len(values))
    finite = [value for value in values if value is not None]
    assert all(bar == " " for bar, _ in line) == (not finite)


@pytest.mark.parametrize("place", [0, 1, 17, 299, 598, 599])
def test_one_point_out_of_many_is_never_averaged_away(place: int) -> None:
    values = [math.sin(index / 50) for index in range(600)]
    values[place] = 3.0
    line = fmt.sparkline(flat(list(values)), 24)
    assert line[place * 24 // 600][0] == "▇"


@given(st.floats(allow_nan=False, allow_infinity=False, width=64), st.integers(1, 5))
def test_extreme_values_break_no_sparkline(value: float, width: int) -> None:
    low, high = min(value, -value), max(value, -value)
    assert len(fmt.sparkline([Bucket(low, high), Bucket(low, low), None], width)) == min(width, 3)
