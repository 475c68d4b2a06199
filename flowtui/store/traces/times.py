"""Which of the stored times of a span are real times.

Instrumentation that crashes writes 0 for a time that it did not reach, and a time in the wrong unit
is in the far future. Such a value is not a time: the span has no start, or has not ended.
"""

from __future__ import annotations

FAR_FUTURE_NS = 4_102_444_800 * 10**9
"""The year 2100 in Unix nanoseconds: no span can have run then."""

START, END = "start_time_unix_nano", "end_time_unix_nano"


def known(time_ns: object) -> int | None:
    """Return a stored time in Unix nanoseconds, None if it is not a time."""
    return time_ns if isinstance(time_ns, int) and 0 < time_ns < FAR_FUTURE_NS else None


def sortable(start_ns: int) -> int:
    """Return a stored start as a sort key, so that a value that is not a time comes last."""
    return start_ns if 0 < start_ns < FAR_FUTURE_NS else FAR_FUTURE_NS


def sql_known(column: str) -> str:
    """Return what `known` does, as SQL."""
    is_time = f"{column} > 0 and {column} < {FAR_FUTURE_NS} and typeof({column}) = 'integer'"
    return f"case when {is_time} then {column} end"


def problems(start_ns: int, end_ns: int) -> tuple[str, ...]:
    """Return what is wrong with the times of a span, as sentences without an end.

    Not having ended is not a fault in itself; only an end that is not a time is reported.
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
    return f": {time_ns:,} ns is not a time" if time_ns else " is stored"
