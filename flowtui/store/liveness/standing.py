"""Whether a run that nobody marked as ended still goes on; only this module decides it.

`active` is the last thing that a killed process says about its run. Silence alone is no sign of its
death, since an epoch may take hours; that nobody holds the run's database is one (see `signs`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from flowtui.store.values import Run

CLOCK_SLACK = timedelta(seconds=1)
CLOCKS_DIFFER_BY_S = 86_400.0
"""At most; what is dated further off is dated by no clock."""
QUIET_AFTER_S = 600.0
"""How long a process may write nothing before it counts as quiet and is looked for."""


class Activity(StrEnum):
    """What a run whose status is active does, as far as can be known."""

    ACTIVE = "active"
    QUIET = "quiet"
    """Nothing was written for a while; it may be at work on something long."""
    STOPPED = "stopped"
    """Its process is gone, and nobody recorded an end."""


class Signs(NamedTuple):
    """Signs of life of the process that logs into a run, at one moment."""

    seen_at: datetime
    """That moment."""
    logged_at: datetime | None
    """When the last record came. Annotations do not count: people write them, at any time."""
    written_at: datetime | None
    """When anything was last written into exp.db, by this machine's clock; None if there is none.

    Where another machine stamps the files, it is when a change was seen here or, until one is, when
    they were first looked at.
    """
    is_gone: bool = False
    """Whether it is certain that there is no such process any more."""
    stamped_at: datetime | None = None
    """When the last write was by another machine's clock, while no change was seen here."""
    has_own_clock: bool = False
    """Whether the clock that dates what is written may be another than this machine's."""

    @property
    def heard_at(self) -> datetime | None:
        """When the last record came, unless its writer's clock is ahead of this one."""
        is_ahead = self.logged_at is None or self.logged_at > self.seen_at + CLOCK_SLACK
        return None if is_ahead else self.logged_at

    @property
    def last_logged_at(self) -> datetime | None:
        """When the last record came or, if none has a time, when anything was written."""
        return self.logged_at or self.written_at


class Standing(NamedTuple):
    """Whether a run goes on and for how long, at one moment."""

    activity: Activity | None = None
    """None for any status but active, which tells all that there is to know."""
    elapsed_s: float | None = None
    """How long the run took, or has been going on."""
    is_rough: bool = False
    """Whether `elapsed_s` is not exact.

    It ends with the last record if nobody recorded the end, and is measured between two machines'
    clocks if another machine writes the run.
    """
    silent_s: float | None = None
    """How long nothing was written; None where the run is not active or that is not known."""
    last_logged_at: datetime | None = None
    """When the last record came, if the run is active and that is known."""
    stamped_at: datetime | None = None
    """As in `Signs`. Its age cannot be known, so `silent_s` counts from the first look."""

    @property
    def goes_on(self) -> bool:
        """Whether more may still be written, as far as can be known."""
        return self.activity in (Activity.ACTIVE, Activity.QUIET)


def standing(run: Run, signs: Signs | None, now: datetime) -> Standing:
    """Return the standing of a run.

    Args:
        run: The run.
        signs: Signs of its process; None if nothing is known of it, as in an exported copy.
        now: The moment, on which the duration of a run that goes on depends.
    """
    if not run.is_active:
        return Standing(elapsed_s=run.duration_s)
    elapsed_s, is_rough = _elapsed(run, signs, now)
    if signs is None:
        return Standing(Activity.ACTIVE, elapsed_s, is_rough)
    # It does not count until now: what is written between two looks is not seen yet.
    last_logged_at = signs.last_logged_at
    # A record cannot be later than its write; where it seems so, its writer has another clock.
    silent_s = _seconds(signs.written_at or signs.heard_at, signs.seen_at)
    if signs.is_gone:
        until_last_s = _seconds(run.created_at, last_logged_at)
        return Standing(Activity.STOPPED, until_last_s, True, silent_s, last_logged_at)
    is_quiet = silent_s is not None and silent_s >= QUIET_AFTER_S
    activity = Activity.QUIET if is_quiet else Activity.ACTIVE
    return Standing(activity, elapsed_s, is_rough, silent_s, last_logged_at, signs.stamped_at)


def _elapsed(run: Run, signs: Signs | None, now: datetime) -> tuple[float | None, bool]:
    """Return for how long a run has been going on, and whether that is not exact."""
    if run.duration_s is not None:
        return run.duration_s, False
    if run.created_at is None:
        return None, False
    since_began_s = _seconds(run.created_at, now)
    if signs is None or not signs.has_own_clock:
        return since_began_s, run.created_at > now + CLOCK_SLACK
    if signs.logged_at is None or signs.written_at is None or signs.stamped_at is not None:
        return since_began_s, True
    # Until its last record by its own clock, and since then by the one of here.
    until_s, since_s = _seconds(run.created_at, signs.logged_at), _seconds(signs.written_at, now)
    by_both_s = (until_s or 0.0) + (since_s or 0.0)
    is_likely = abs(by_both_s - (since_began_s or 0.0)) < CLOCKS_DIFFER_BY_S
    return by_both_s if is_likely else since_began_s, True


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    # Clocks differ, and a duration must not be negative.
    if since is None or until is None:
        return None
    return max((until - since).total_seconds(), 0.0)
