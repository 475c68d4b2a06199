"""Steps as text where there is no room for all of each: those that differ read differently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction

from flowtui import format as fmt
from flowtui.store.metrics.steps import Step
from flowtui.store.values import LoggedPoint, Point

EARLIEST_S, LATEST_S = 978_307_200, 4_102_444_800
"""The years from 2001 to 2100, in which steps that count seconds, or parts of them, are times."""
PARTS_OF_A_SECOND = (1, 10**3, 10**6, 10**9)
AHEAD_S, BEHIND_S = 86_400, 20 * 365 * 86_400
"""How far steps that are taken for times may lie from when they were logged: clocks may differ by
a day, and what is logged may be old; but 10**9, 10**12 and so on, which are counts, lie in 2001."""
DIGITS = 6


def parts_of_a_second(steps: Sequence[Step]) -> int | None:
    """Return what part of a second a step is if all steps are Unix times, None if not."""
    for parts in PARTS_OF_A_SECOND:
        if steps and all(EARLIEST_S * parts <= step <= LATEST_S * parts for step in steps):
            return parts
    return None


def are_near_log(points: Iterable[Point], parts: int) -> bool:
    """Say whether steps that may be times are near when they were logged, as far as is known."""
    ahead_s = (
        point.step / parts - point.logged_at.timestamp()
        for point in points
        if isinstance(point, LoggedPoint) and point.logged_at is not None
    )
    return all(-BEHIND_S <= ahead <= AHEAD_S for ahead in ahead_s)


def step_texts(
    steps: Sequence[Step],
    parts: int | None = None,
    among: Sequence[Step] = (),
    digits: int = DIGITS,
) -> list[str]:
    """Return steps that are shown together as text.

    Args:
        steps: What is shown.
        parts: Of a second that a step counts if steps are to read as times, `19:01:15`.
        among: Others of the metric; where not all are of one day, a time has its date.
        digits: Significant ones of a number, where these suffice.
    """
    return (parts and _times(steps, parts, among)) or fmt.distinct(steps, digits)


def _times(steps: Sequence[Step], parts: int, among: Sequence[Step]) -> list[str]:
    """Return steps as times of day; none where a nanosecond is too long to tell them apart."""
    days = {_moment(step, parts)[0].date() for step in (*steps, *among)}
    split = [_moment(step, parts) for step in steps]
    starts = [
        f"{fmt.day(moment, has_year=False)} {moment:%H:%M:%S}" if len(days) > 1
        else f"{moment:%H:%M:%S}"
        for moment, _ in split
    ]  # fmt: skip
    for decimals in (0, 3, 6, 9):
        texts = [
            f"{start}.{ns:09}"[: len(start) + 1 + decimals] if decimals else start
            for start, (_, ns) in zip(starts, split, strict=True)
        ]
        if len(set(texts)) == len(set(steps)):
            return texts
    return []


def _moment(step: Step, parts: int) -> tuple[datetime, int]:
    """Return the local time of a step to the second, and the nanoseconds after it."""
    seconds, rest = divmod(Fraction(step) / parts, 1)
    return datetime.fromtimestamp(int(seconds), UTC).astimezone(), int(rest * 10**9)
