"""The time of day, asked for in one place so that tests can stop it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime

_DAY_S = 86_400


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.now(UTC)


def refuse_odd_zone() -> str:
    """Use UTC where TZ is a day off or more, an offset that Python cannot compute with.

    Returns:
        What to tell the person about it; empty where TZ is sound.
    """
    if max(abs(time.timezone), abs(time.altzone)) < _DAY_S:
        return ""
    refused = os.environ.get("TZ", "")
    os.environ["TZ"] = "UTC"
    time.tzset()
    return f"TZ={refused!r} is a day off or more: times are shown in UTC"
