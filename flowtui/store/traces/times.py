"""Which of the times that are stored for a span are times at all.

Instrumentation that crashes writes 0 for what it did not come to, and a count in the wrong unit
lies in a far future. Such a value is no moment: it is no start, and the span has not ended.
"""

from __future__ import annotations

FAR_FUTURE_NS = 4_102_444_800 * 10**9
"""The year 2100, in Unix nanoseconds: no span has run then."""

START, END = "start_time_unix_nano", "end_time_unix_nano"


def known(time_ns: object) -> int | None:
    """Return a stored time in Unix nanoseconds, None where it is no time."""
    return time_ns if isinstance(time_ns, int) and 0 < time_ns < FAR_FUTURE_NS else None


def sortable(start_ns: int) -> int:
    """Return a stored start to sort by, so that what is no time comes last."""
    return start_ns if 0 < start_ns < FAR_FUTURE_NS else FAR_FUTURE_NS


def sql_known(column: str) -> str:
    """Return what `known` does, as SQL."""
    is_time = f"{column} > 0 and {column} < {FAR_FUTURE_NS} and typeof({column}) = 'integer'"
    return f"case when {is_time} then {column} end"


def problems(start_ns: int, end_ns: int) -> tuple[str, ...]:
    """Return what is wrong with the times of a span, as sentences without an end.

    That it has not ended is no fault in itself, and is said only of an end that is no time.
    """
    found = []
    if known(start_ns) is None:
        found.append(f"no start{_stored(start_ns)}")
    if known(end_ns) is None and end_ns:
        found.append(f"no end{_stored(end_ns)}")
    if known(start_ns) is not None and known(end_ns) is not None and end_ns < start_ns:
        found.append("ends before it starts")
    return tuple(found)


def _stored(time_ns: int) -> str:
    return f": {time_ns:,} ns is no time" if time_ns else " is stored"
