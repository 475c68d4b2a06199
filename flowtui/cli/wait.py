"""What `flow-tui wait RUN` does: end when the run ends, or when a condition holds."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import replace

from flowtui import format as fmt
from flowtui.reports.usage import WrongUsage
from flowtui.store.errors import RunNotFound, StoreError
from flowtui.store.filters import Condition, run_condition
from flowtui.store.filters.literals import duration_ns, is_number
from flowtui.store.open_run import OpenRun
from flowtui.store.store import Store
from flowtui.store.waiting import STEP, Outlook, look

LOOK_EVERY_S = 1.0
UNREADABLE_FOR_S = 30.0
"""How long a run may be unreadable: disks that machines share, and writers, come and go."""
CODES = {
    Outlook.HOLDS: 0,
    Outlook.ENDED: 0,
    Outlook.FAILED: 3,
    Outlook.STOPPED: 3,
}
TIMED_OUT = 124
"""As `timeout` exits."""


def seconds(text: str) -> float:
    """Return how long a timeout is: `90`, `30s`, `2h`, `1 h 30 m`.

    Raises:
        WrongUsage: It is none.
    """
    if is_number(text) and 0 <= (number := float(text)) < math.inf:
        return number
    if (found := duration_ns(text)) is None or found < 0:
        raise WrongUsage(f"--timeout {text!r} is not a time such as 90, 30s or 2h")
    return float(found / 1_000_000_000)


def wait(store: Store, run: OpenRun, until: str, timeout_s: float | None) -> int:
    """Wait, say what has come, and return the exit code.

    Raises:
        FilterError: The condition is not understood.
        StoreError: The run cannot be watched.
    """
    condition = run_condition(until) if until.strip() else None
    if condition is not None:
        keys = tuple(asked for asked in condition.asked if asked.name != STEP)
        for remark in store.list.remarks(replace(condition, asked=keys)):
            print(f"flow-tui: {fmt.plain(remark, 2_000)}", file=sys.stderr)
    begun_s = time.monotonic()
    while True:
        outlook = _outlook(store, run, condition)
        if outlook is not Outlook.WAITING:
            _say(run, until if outlook is Outlook.HOLDS else "", outlook)
            return CODES[outlook]
        waited_s = time.monotonic() - begun_s
        if timeout_s is not None and waited_s >= timeout_s:
            name = fmt.plain(run.name, 100)
            print(f"{name}: still going on after {fmt.duration(waited_s)}", file=sys.stderr)
            return TIMED_OUT
        left_s = LOOK_EVERY_S if timeout_s is None else timeout_s - waited_s
        time.sleep(min(LOOK_EVERY_S, left_s))


def _outlook(store: Store, run: OpenRun, condition: Condition | None) -> Outlook:
    """Look until a look succeeds.

    Raises:
        StoreError: The run was deleted, or none succeeds for `UNREADABLE_FOR_S`.
    """
    give_up_s = time.monotonic() + UNREADABLE_FOR_S
    while True:
        try:
            return look(store, run, condition)
        except RunNotFound:
            raise
        except StoreError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(LOOK_EVERY_S)


def _say(run: OpenRun, until: str, outlook: Outlook) -> None:
    name = fmt.plain(run.name, 100)
    said = f"{fmt.plain(until, 500)} holds" if until else outlook.value
    print(f"{name}: {said}", file=sys.stderr if CODES[outlook] else sys.stdout)
