"""Steps as short text, with enough digits that different steps read differently."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction

from flowtui import format as fmt
from flowtui.store.metrics.steps import Step
from flowtui.store.values import LoggedPoint, Point

EARLIEST_S, LATEST_S = 978_307_200, 4_102_444_800
"""Steps that may be Unix times: those that lie in the years from 2001 to 2100."""
PARTS_OF_A_SECOND = (1, 10**3, 10**6, 10**9)
"""The units of such times, as their number in a second."""
AHEAD_S, BEHIND_S = 86_400, 20 * 365 * 86_400
"""How far a step that is taken for a time may lie after or before the time of logging: clocks may
differ by a day, and data may be old, but counts such as 10**9 or 10**12 would lie in 2001."""
DIGITS = 6
"""How many significant digits a step has if these are enough."""


def parts_of_a_second(steps: Sequence[Step]) -> int | None:
    """Return how many steps are in a second if all steps are Unix times; None if they are not."""
    for parts in PARTS_OF_A_SECOND:
        if steps and all(EARLIEST_S * parts <= step <= LATEST_S * parts for step in steps):
            return parts
    return None


def are_near_log(points: Iterable[Point], parts: int) -> bool:
    """Say whether steps that may be times lie near the times of logging, as far as is known."""
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
        steps: The steps.
        parts: How many steps are in a second, to show them as times (`19:01:15`); None for numbers.
        among: Other steps of the metric; unless all are on one day, each time has its date.
        digits: How many significant digits a number has if these are enough.
    """
    return (parts and _times(steps, parts, among)) or fmt.distinct(steps, digits)


def _times(steps: Sequence[Step], parts: int, among: Sequence[Step]) -> list[str]:
    """Return steps as times of day; none if even nanoseconds do not tell them apart."""
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
